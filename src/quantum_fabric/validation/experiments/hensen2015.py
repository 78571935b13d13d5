"""Hensen et al. 2015: from the overlap of two photons to a CHSH value with imperfect readout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from quantum_fabric.links.double_click import double_click
from quantum_fabric.links.station import Window
from quantum_fabric.physics import bell, merit
from quantum_fabric.physics.checks import Floats
from quantum_fabric.validation.comparison import Predicted, Prediction, Values
from quantum_fabric.validation.drawing import lines, point
from quantum_fabric.validation.experiment import Experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quantum_fabric.validation.experiment import Result


def weights(values: Values) -> Floats:
    """The heralded state."""
    window = Window(values["dark"], values["visibility"], number_resolving=False)
    return np.array(double_click(values["signal"], values["signal"], window)[1])


def read(values: Values, state: Floats) -> float:
    """CHSH value at the best settings, read by both ends: correlators shrink by (2 F_a - 1)(2 F_b - 1)."""
    gain = (2.0 * values["readout_a"] - 1.0) * (2.0 * values["readout_b"] - 1.0)
    return gain * float(merit.chsh_max(state))


def predict(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001 (the protocol)
    """Fidelity and CHSH value."""
    state = weights(values)
    return {"fidelity": Predicted(float(state[0])), "chsh": Predicted(read(values, state))}


def null(values: Values) -> Mapping[str, float]:
    """Perfect interference; a Werner state of the published fidelity with the same readout."""
    return {"fidelity": 1.0, "chsh": read(values, bell.werner(0.92))}


def draw(result: Result, figure: Figure) -> None:
    """CHSH value against fidelity: dephased by imperfect overlap, and Werner."""
    values = result.values
    axes = figure.add_subplot()
    grid = np.linspace(0.75, 1.0, 50)
    model = [read(values, weights({**values, "visibility": 2.0 * float(f) - 1.0})) for f in grid]
    lines(axes, grid, model, [read(values, bell.werner(float(f))) for f in grid])
    row, fidelity = result.row("chsh"), result.row("fidelity")
    at = fidelity.measured.number
    point(axes, at.value, row, "measured")
    axes.errorbar([at.value], [row.measured.number.value], xerr=[at.error], color="#1d2733", capsize=3)
    axes.errorbar(
        [fidelity.predicted], [row.predicted], xerr=[fidelity.predicted_error], yerr=[row.predicted_error],
        fmt="o", color="#1f5f8b", capsize=3, label="predicted",
    )  # fmt: skip
    axes.axhline(2.0, color="#667085", lw=1.0, ls=":")
    axes.annotate("no local model above", (0.75, 2.005), va="bottom", fontsize=8)
    axes.set_xlabel("fidelity of the heralded state")
    axes.set_title("CHSH value, readout included")
    axes.legend()


EXPERIMENTS: Final = (
    Experiment(
        name="hensen2015",
        model="links.double_click.double_click for the state, merit.chsh_max and the readout of both ends for S",
        null_model="perfect interference; a Werner state of the published fidelity",
        predict=predict,
        null=null,
        draw=draw,
    ),
)
