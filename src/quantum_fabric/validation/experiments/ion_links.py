"""Further experiments with ions, and one with photons alone, of which what is published fixes only a part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from quantum_fabric.devices import Fibre
from quantum_fabric.network import waiting
from quantum_fabric.physics import bell, merit
from quantum_fabric.physics.checks import Floats
from quantum_fabric.units import seconds
from quantum_fabric.validation.comparison import Predicted, Prediction, Values
from quantum_fabric.validation.drawing import lines, point
from quantum_fabric.validation.experiment import Experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quantum_fabric.validation.experiment import Result


def pair(fidelity: float, dephased: float) -> Floats:
    """Bell weights of a pair whose infidelity is a phase error by a share, and bit errors otherwise.

    Examples:
        >>> pair(0.94, 1 / 3).round(9).tolist()
        [0.94, 0.02, 0.02, 0.02]
    """
    rest = 1.0 - fidelity
    flips = rest * (1.0 - dephased) / 2.0
    return np.array([fidelity, rest * dephased, flips, flips])


def predict_nadlinger(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001 (the protocol)
    """S, Q and the asymptotic bound of the key, of one state."""
    state = pair(values["fidelity"], values["dephased"])
    error = float(merit.qber(state)[2])
    chsh = float(merit.chsh_max(state))
    return {
        "qber": Predicted(error),
        "chsh": Predicted(chsh),
        "key": Predicted(values["pairs"] * float(merit.di_fraction(chsh, error))),
    }


def null_nadlinger(values: Values) -> Mapping[str, float]:
    """White noise: one number for everything."""
    white = pair(values["fidelity"], 1.0 / 3.0)
    return {"qber": float(merit.qber(white)[2]), "chsh": float(merit.chsh_max(white)), "key": values["pairs"]}


def draw_nadlinger(result: Result, figure: Figure) -> None:
    """CHSH value against error rate, for all ways to share the infidelity."""
    values = result.values
    axes = figure.add_subplot()
    for fidelity, label in ((values["fidelity"], "F = 0.960, any share of phase errors"),):
        states = [pair(fidelity, share) for share in np.linspace(0.0, 1.0, 50)]
        errors = [100.0 * float(merit.qber(state)[2]) for state in states]
        axes.plot(
            errors, [float(merit.chsh_max(state)) for state in states], color="#1f5f8b", lw=1.8, label=label
        )
    q = np.linspace(0.0, 0.045, 50)
    axes.plot(
        100.0 * q,
        merit.TSIRELSON * (1.0 - 2.0 * q),
        color="#d98a1f",
        ls=(0, (4, 2)),
        label="null model: white noise",
    )
    row, error = result.row("chsh"), result.row("qber").measured.number
    point(axes, 100.0 * error.value, row, "measured (recalled)")
    axes.errorbar(
        [100.0 * error.value],
        [row.measured.number.value],
        xerr=[100.0 * error.error],
        color="#1d2733",
        capsize=3,
    )
    axes.set_xlabel("error rate of the key basis / %")
    axes.set_title("CHSH value")
    axes.legend()


def predict_krutyanskiy(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001
    """Two links that wait for each other; an attempt lasts as long as light needs to the station and its answer back."""
    return {
        "rate": Predicted(1.0 / (_round_trip(values) * float(waiting.parallel_mean(values["success"], 2))))
    }


def _round_trip(values: Values) -> float:
    fibre = Fibre(attenuation=0.0, group_index=values["group_index"])
    return 2.0 * seconds(fibre.latency(values["arm"]))


def null_krutyanskiy(values: Values) -> Mapping[str, float]:
    """No memory: both photons in the same attempt."""
    return {"rate": values["success"] ** 2 / _round_trip(values)}


def draw_krutyanskiy(result: Result, figure: Figure) -> None:
    """Rate against the success probability, with and without a memory that waits."""
    values = result.values
    axes = figure.add_subplot()
    chances = np.logspace(-3.5, -1.5, 60)
    model = [predict_krutyanskiy({**values, "success": float(p)}, ())["rate"].value for p in chances]
    without = [null_krutyanskiy({**values, "success": float(p)})["rate"] for p in chances]
    lines(axes, chances, model, without)
    point(axes, values["success"], result.row("rate"), "measured (recalled)")
    axes.loglog()
    axes.set_xlabel("probability of a detected photon in one attempt")
    axes.set_title("pairs per second")
    axes.legend()


def predict_sena(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001
    """The ends of the range of fidelities, as states of one kind."""
    return {
        f"chsh_{end}": Predicted(float(merit.chsh_max(pair(values[f"fidelity_{end}"], values["dephased"]))))
        for end in ("low", "high")
    }


def null_sena(values: Values) -> Mapping[str, float]:
    """Pure dephasing."""
    return {
        f"chsh_{end}": float(merit.chsh_max(pair(values[f"fidelity_{end}"], 1.0))) for end in ("low", "high")
    }


def draw_sena(result: Result, figure: Figure) -> None:
    """CHSH value against fidelity for white noise and for pure dephasing."""
    values = result.values
    axes = figure.add_subplot()
    grid = np.linspace(0.8, 1.0, 50)
    white = [float(merit.chsh_max(bell.werner(float(f)))) for f in grid]
    lines(axes, grid, white, [float(merit.chsh_max(pair(float(f), 1.0))) for f in grid])
    for end in ("low", "high"):
        point(axes, values[f"fidelity_{end}"], result.row(f"chsh_{end}"))
    axes.axhline(merit.TSIRELSON, color="#667085", lw=1.0, ls=":")
    axes.set_xlabel("fidelity")
    axes.set_title("CHSH value")
    axes.legend()


EXPERIMENTS: Final = (
    Experiment(
        "nadlinger2022",
        "merit.qber, merit.chsh_max, merit.di_fraction of one Bell-diagonal state; the share of phase errors is fitted to the "
        "error rate",
        "white noise (Werner)",
        predict_nadlinger,
        null_nadlinger,
        draw_nadlinger,
    ),
    Experiment(
        "krutyanskiy2023",
        "network.waiting.parallel_mean of two links, attempts paced by the light's round trip over 25 km",
        "no memory: both photons in one attempt",
        predict_krutyanskiy,
        null_krutyanskiy,
        draw_krutyanskiy,
    ),
    Experiment(
        "sena2025", "merit.chsh_max of Werner states", "pure dephasing", predict_sena, null_sena, draw_sena
    ),
)
