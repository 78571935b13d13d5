"""Row 5: Stephenson et al. 2020, double-click entanglement of two ions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from quantum_fabric.links.double_click import double_click
from quantum_fabric.links.station import Window
from quantum_fabric.physics import correlators
from quantum_fabric.validation.comparison import Predicted, Prediction, Values
from quantum_fabric.validation.drawing import lines, point
from quantum_fabric.validation.experiment import Experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quantum_fabric.validation.experiment import Result


def attempt(values: Values, scale: float = 1.0) -> tuple[float, float]:
    """Success probability and fidelity of an attempt; ``scale`` multiplies both detection probabilities.

    Examples:
        >>> from quantum_fabric.validation import load
        >>> round(1e4 * attempt(load("stephenson2020").values())[0], 3)
        2.185
    """
    window = Window(values["dark"], values["visibility"], number_resolving=False)
    success, weights = double_click(scale * values["detection_a"], scale * values["detection_b"], window)
    node = correlators.werner(values["ion_photon"])
    pair = correlators.product(correlators.product(correlators.from_weights(weights), node), node)
    return success, correlators.fidelity(pair)


def predict(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001 (the protocol)
    """Success, rate and fidelity."""
    success, fidelity = attempt(values)
    return {
        "success": Predicted(success),
        "rate": Predicted(success * values["attempt_rate"]),
        "fidelity": Predicted(fidelity),
    }


def null(values: Values) -> Mapping[str, float]:
    """Every pair of photons heralds (no factor 1/2 of a linear-optics Bell measurement), and fidelities of two ends multiply."""
    success = values["detection_a"] * values["detection_b"]
    return {"success": success, "rate": success * values["attempt_rate"], "fidelity": 1.0}


def draw(result: Result, figure: Figure) -> None:
    """The square law of the rate, and the fidelity against the overlap of the photons."""
    values = result.values
    axes = figure.add_subplot(1, 2, 1)
    scales = np.logspace(-1, 1, 60)
    eta = 100.0 * scales * np.sqrt(values["detection_a"] * values["detection_b"])
    rates = [attempt(values, float(scale))[0] * values["attempt_rate"] for scale in scales]
    lines(axes, eta, rates, [2.0 * rate for rate in rates])
    point(axes, float(eta[0] / scales[0]), result.row("rate"), "measured")
    axes.loglog()
    axes.set_xlabel("photon detection probability (geometric mean) / %")
    axes.set_title("pairs per second")
    axes.legend()
    axes = figure.add_subplot(1, 2, 2)
    overlaps = np.linspace(0.8, 1.0, 40)
    lines(
        axes,
        overlaps,
        [attempt({**values, "visibility": float(v)})[1] for v in overlaps],
        [1.0] * len(overlaps),
    )
    point(axes, 1.0, result.row("fidelity"))
    axes.set_xlabel("visibility of two-photon interference (assumed: 1)")
    axes.set_title("fidelity")


EXPERIMENTS: Final = (
    Experiment(
        name="stephenson2020",
        model="links.double_click.double_click (p = η_a η_b / 2), ion-photon fidelities as white noise of each end",
        null_model="no factor 1/2 of the linear-optics Bell measurement; perfect pairs",
        predict=predict,
        null=null,
        draw=draw,
    ),
)
