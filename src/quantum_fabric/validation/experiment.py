"""What the runner asks of an experiment, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quantum_fabric.validation.comparison import (
    Comparison,
    Prediction,
    Standing,
    Values,
    fitted,
    judge,
    propagated,
)
from quantum_fabric.validation.parameters import Number, ParameterFile

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one experiment.

    Attributes:
        experiment: the experiment.
        file: its frozen parameters.
        parameters: as used, the fitted one replaced.
        comparisons: one for each result of the file.
        samples: what the long work gave, for the figure.
    """

    experiment: Experiment
    file: ParameterFile
    parameters: dict[str, Number]
    comparisons: tuple[Comparison, ...]
    samples: tuple[Any, ...]

    @property
    def claims(self) -> tuple[Comparison, ...]:
        """Comparisons that claim something: exact theory, or a sourced result with sourced parameters."""
        return tuple(row for row in self.comparisons if row.claims)

    @property
    def soft(self) -> tuple[Comparison, ...]:
        """Comparisons of a sourced result with parameters of which some are recalled or assumed: no claims."""
        return tuple(row for row in self.comparisons if row.standing is Standing.SOFT)

    @property
    def recalled(self) -> tuple[Comparison, ...]:
        """Comparisons with a recalled result: they agree or disagree, and nothing follows from it."""
        return tuple(row for row in self.comparisons if row.standing is Standing.RECALLED)

    @property
    def against(self) -> int:
        """How many comparisons that claim nothing disagree."""
        return sum(not row.passed for row in (*self.soft, *self.recalled))

    @property
    def passed(self) -> bool:
        """Whether every claim holds."""
        return all(row.passed for row in self.claims)

    @property
    def verdict(self) -> str:
        """PASS or FAIL by its claims; ``agrees`` or ``disagrees`` where it claims nothing."""
        if self.claims:
            return "PASS" if self.passed else "FAIL"
        return "disagrees" if self.against else "agrees"

    @property
    def values(self) -> dict[str, float]:
        """The parameters as used, in SI base units."""
        return {name: number.value for name, number in self.parameters.items()}

    def row(self, name: str) -> Comparison:
        """The comparison of one result."""
        return next(row for row in self.comparisons if row.name == name)


def conclude(one: Experiment, file: ParameterFile, samples: Sequence[Any] = ()) -> Result:
    """Fit, predict and judge, once the long work is there."""

    def predict(values: Values) -> Any:
        return one.predict(values, samples)

    parameters = fitted(lambda values: (one.fitting or one.predict)(values, samples), file)
    predicted = propagated(predict, parameters)
    null = one.null({name: number.value for name, number in parameters.items()})
    return Result(one, file, parameters, judge(file, parameters, predicted, null), tuple(samples))
