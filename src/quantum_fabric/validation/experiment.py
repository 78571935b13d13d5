"""What the runner asks of an experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quantum_fabric.validation.comparison import Prediction, Values

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quantum_fabric.validation.running import Result


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment: how its frozen parameters become predictions.

    Attributes:
        name: of its parameter file.
        model: what is computed, naming the functions that compute it.
        null_model: what the null model is.
        predict: ``(values, samples) -> {result: prediction}``; values in SI base units, and what `sample` gave.
        null: ``values -> {result: value}`` of the null model.
        draw: ``(result, figure) -> None`` draws the figure into an empty one.
        height: of the figure in inches.
        sample: ``(values, piece) -> anything``, the long work, cut into pieces with a seed each, so that any number of workers
            gives the same numbers; None where there is none.
        pieces: number of pieces.
        fitting: as `predict`, but of the results alone that the fit is made to; None where `predict` is quick enough.
    """

    name: str
    model: str
    null_model: str
    predict: Callable[[Values, Sequence[Any]], Prediction]
    null: Callable[[Values], Mapping[str, float]]
    draw: Callable[[Result, Figure], None]
    height: float = 3.4
    sample: Callable[[Values, int], Any] | None = None
    pieces: int = 0
    fitting: Callable[[Values, Sequence[Any]], Prediction] | None = None
