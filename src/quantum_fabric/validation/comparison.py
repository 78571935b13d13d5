"""One predicted number against one result: residual, verdict, and what the verdict is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from quantum_fabric.physics.optimum import golden
from quantum_fabric.validation.parameters import Measured, Number, ParameterFile

Values: TypeAlias = Mapping[str, float]
"""Parameters in SI base units."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a model says.

    Attributes:
        value: in SI base units.
        error: one standard deviation of Monte Carlo sampling or numerics; errors of parameters are added later.
    """

    value: float
    error: float = 0.0


Prediction: TypeAlias = Mapping[str, Predicted]
Predict: TypeAlias = Callable[[Values], Prediction]

SIGMAS: Final = 2.0
"""Standard deviations within which errors are said to cover a difference."""


class Standing(Enum):
    """What a comparison is worth."""

    EXACT = "exact"
    """Theory against theory: every number is computed or holds by definition."""
    SOURCED = "sourced"
    """The result and all parameters were found in texts."""
    SOFT = "soft"
    """The result was found in a text; some parameters are recalled or assumed, so that agreement proves little."""
    RECALLED = "recalled"
    """The result itself is recalled (M): agreement is no validation."""
    FITTED = "fitted"
    """The result was used to fit the parameter: no test at all."""


MEANING = {
    Standing.EXACT: "theory against independent theory",
    Standing.SOURCED: "result and parameters found in texts",
    Standing.SOFT: "result found in a text, some parameters recalled or assumed: agreement proves little, no claim",
    Standing.RECALLED: "the result itself is recalled (M): no claim",
    Standing.FITTED: "used for the fit: no test",
}
"""Standing -> what it means, for people."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One row of the table.

    Attributes:
        name: of the result.
        measured: the result with its tolerance.
        predicted: in SI base units.
        predicted_error: one standard deviation: errors of parameters and of sampling.
        null: what the null model says; None where it says nothing.
        standing: what the verdict is worth.
        passed: within the tolerance, by the central values.
    """

    name: str
    measured: Measured
    predicted: float
    predicted_error: float
    null: float | None
    standing: Standing
    passed: bool

    @property
    def residual(self) -> float:
        """Predicted less measured."""
        return self.predicted - self.measured.number.value

    @property
    def sigmas(self) -> float | None:
        """Residual in units of both errors together; None where neither has an error."""
        both = math.hypot(self.predicted_error, self.measured.number.error)
        return self.residual / both if both > 0.0 else None

    @property
    def relative(self) -> float | None:
        """Residual over the result; None where that is 0."""
        value = self.measured.number.value
        return self.residual / value if value else None

    @property
    def null_passed(self) -> bool | None:
        """Whether the null model would have passed as well: then the comparison does not tell the models apart."""
        if self.null is None:
            return None
        number = self.measured.number
        return self.measured.tolerance.met(self.null, 0.0, number.value, number.error)

    @property
    def within_errors(self) -> bool | None:
        """Whether the difference is within two standard deviations, both errors together.

        None where neither has an error, and for a bound that holds. It decides nothing: it says of a failure whether the measurement
        could tell, and of a pass whether more was asked for.
        """
        bound = self.measured.tolerance.kind in ("at_least", "at_most")
        return None if self.sigmas is None or (bound and self.passed) else bool(abs(self.sigmas) <= SIGMAS)

    @property
    def claims(self) -> bool:
        """Whether this comparison claims something: theory against theory, or found in texts with all its parameters."""
        return self.standing in (Standing.EXACT, Standing.SOURCED)

    @property
    def verdict(self) -> str:
        """PASS or FAIL for a claim; ``agrees`` or ``disagrees`` for what claims nothing; ``fitted`` for what was fitted."""
        if self.standing is Standing.FITTED:
            return "fitted"
        if self.claims:
            return "PASS" if self.passed else "FAIL"
        return "agrees" if self.passed else "disagrees"


def propagated(predict: Predict, parameters: Mapping[str, Number]) -> dict[str, Predicted]:
    """Predict, with the errors of the parameters carried through to first order.

    Equation: ``σ² = σ_sampling² + Σ_i [(f(x_i + σ_i) - f(x_i - σ_i)) / 2]²`` (independent errors).

    Args:
        predict: from values in SI base units.
        parameters: with their errors.

    Limits:
        First order, independent errors; a parameter without an error counts as exact, so the result is a lower bound then.

    Examples:
        >>> from quantum_fabric.validation.parameters import number
        >>> x = number({"value": 3, "error": 0.1, "letter": "D", "source": "s"}, {"s": ""}, "x")
        >>> found = propagated(lambda values: {"y": Predicted(values["x"] ** 2)}, {"x": x})["y"]
        >>> round(found.value, 12), round(found.error, 12)
        (9.0, 0.6)
    """
    centre = {name: number.value for name, number in parameters.items()}
    found = predict(centre)
    squares = {name: each.error**2 for name, each in found.items()}
    for name, number in parameters.items():
        if number.error > 0.0:
            up, down = (predict({**centre, name: number.value + sign * number.error}) for sign in (1.0, -1.0))
            for key in squares:
                squares[key] += (0.5 * (up[key].value - down[key].value)) ** 2
    return {name: Predicted(each.value, math.sqrt(squares[name])) for name, each in found.items()}


def fitted(predict: Predict, file: ParameterFile) -> dict[str, Number]:
    """The parameters, with the declared one fitted to the declared part of the results.

    The sum of squared residuals over the errors is minimised by golden section in the declared range. The error of the
    fitted parameter is what the errors of the results it was fitted to make of it.

    Limits:
        Assumes one minimum in the range; results without an error all weigh the same.
    """
    fit = file.fit
    if fit is None:
        return dict(file.parameters)
    before = file.parameters[fit.parameter]
    centre = {name: number.value for name, number in file.parameters.items()}

    def best(shift: float) -> float:
        def closeness(x: float) -> float:
            found = predict({**centre, fit.parameter: x})
            return -sum(
                ((found[name].value - number.value - shift * number.error) / (number.error or 1.0)) ** 2
                for name, number in ((name, file.measured[name].number) for name in fit.on)
            )

        return golden(closeness, fit.low, fit.high, 1e-12)

    value = best(0.0)
    error = 0.5 * abs(best(1.0) - best(-1.0))
    after = Number(
        value, error, 0.0, f"{value / before.factor:.6g} {before.unit}".strip(), before.factor, before.unit,
        before.letter, before.source, before.note,
    )  # fmt: skip
    return {**file.parameters, fit.parameter: after}


def judge(
    file: ParameterFile,
    parameters: Mapping[str, Number],
    predicted: Prediction,
    null: Mapping[str, float],
) -> tuple[Comparison, ...]:
    """Compare every result of a file with its prediction.

    Raises:
        KeyError: a result for which nothing was predicted.
    """
    rows = []
    for name, measured in file.measured.items():
        number, found = measured.number, predicted[name]
        good = measured.tolerance.met(found.value, found.error, number.value, number.error)
        rows.append(
            Comparison(
                name,
                measured,
                found.value,
                found.error,
                null.get(name),
                _standing(name, file, parameters),
                bool(good),  # and not a bool of numpy's
            )
        )
    return tuple(rows)


def _standing(name: str, file: ParameterFile, parameters: Mapping[str, Number]) -> Standing:
    if file.fit is not None and name in file.fit.on:
        return Standing.FITTED
    letter = file.measured[name].number.letter
    uses = file.measured[name].uses
    letters = {parameters[each].letter for each in (parameters if uses is None else uses)}
    if letter == "M":
        return Standing.RECALLED
    if letter in "CDP" and letters <= set("CDP"):
        return Standing.EXACT
    return Standing.SOFT if letters & set("MP") else Standing.SOURCED
