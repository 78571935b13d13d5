"""Row 9: Pompili et al. 2021, a swapped pair and a GHZ state composed of two links."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from quantum_fabric.physics import bell, density
from quantum_fabric.physics.checks import Floats
from quantum_fabric.physics.multipartite import ghz_from_pairs
from quantum_fabric.physics.multiqubit import fidelity, ghz_vector
from quantum_fabric.physics.noise import OperationNoise, depolarising_from_average_fidelity
from quantum_fabric.validation.comparison import Predicted, Prediction, Values
from quantum_fabric.validation.drawing import forest
from quantum_fabric.validation.experiment import Experiment


def pairs(values: Values) -> tuple[Floats, Floats]:
    """Bell weights of the link that waits in the nuclear memory, and of the one that comes second.

    The second link comes after any number of attempts up to the timeout with the same chance, because an attempt rarely succeeds;
    the first one keeps ``e^(-n/N)`` of its coherence meanwhile. Storing it costs the sequence fidelity of the gate and the
    initialisation of the memory; reading the memory out through the electron costs one more gate.
    """
    n, most = values["attempts_1e"], values["timeout"]
    kept = n / most * -math.expm1(-most / n)
    first = bell.werner(values["link_1"])
    flip = 0.5 * (1.0 - kept)
    waited = (1.0 - flip) * first + flip * first[[1, 0, 3, 2]]
    sequence = depolarising_from_average_fidelity(values["store"], 2)
    kept_whole = (1.0 - sequence) * (2.0 * values["memory_init"] - 1.0) * (1.0 - values["electron_carbon"])
    return np.asarray(kept_whole * waited + (1.0 - kept_whole) / 4.0), bell.werner(values["link_2"])


def _noise(values: Values) -> OperationNoise:
    return OperationNoise(
        depolarising_2=values["electron_carbon"],
        readout_error_0=1.0 - values["readout_0"],
        readout_error_1=1.0 - values["readout_1"],
    )


def predict(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001 (the protocol)
    """Fidelity of the swapped pair, averaged over announced outcomes, and of the GHZ state; rates without any pause.

    A first pair counts when the second comes within the timeout.
    """
    one, two = pairs(values)
    noise = _noise(values)
    branches = [bell.noisy_swap(one, two, noise, outcome) for outcome in range(4)]
    swap = sum(float(p) * float(weights[0]) for p, weights in branches)
    rho = ghz_from_pairs([density.pair(one), density.pair(two)], [noise])
    rate = values["rate_1"] * -math.expm1(-values["timeout"] * values["rate_2"] * values["attempt"])
    return {
        "swap": Predicted(swap), "ghz": Predicted(float(fidelity(rho, ghz_vector(3)))),
        "swap_rate": Predicted(rate), "ghz_rate": Predicted(rate),
    }  # fmt: skip


def null(values: Values) -> Mapping[str, float]:
    """Fidelities multiply; memory, gates and readout are perfect."""
    product = values["link_1"] * values["link_2"]
    once = 1.0 / (1.0 / values["rate_1"] + 1.0 / values["rate_2"])  # a memory that waits for ever
    return {"swap": product, "ghz": product, "swap_rate": once, "ghz_rate": once}


EXPERIMENTS: Final = (
    Experiment(
        name="pompili2021",
        model=(
            "bell.noisy_swap and multipartite.ghz_from_pairs of two Werner links, dephasing per attempt while the second is made, "
            "storing and reading of the memory, one Bell measurement or fusion with asymmetric readout"
        ),
        null_model="fidelities multiply",
        predict=predict,
        null=null,
        draw=forest,
        height=2.2,
    ),
)
