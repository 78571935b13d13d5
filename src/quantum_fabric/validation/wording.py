"""Numbers and verdicts of a validation as people read them, shared by the page, the Markdown and the screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from quantum_fabric.validation.comparison import SIGMAS, Comparison, Standing
from quantum_fabric.validation.experiment import Result
from quantum_fabric.validation.parameters import Measured, Number, ParameterFile

STANDINGS: Final = {
    Standing.EXACT: "exact theory",
    Standing.SOURCED: "sourced",
    Standing.SOFT: "soft: no claim",
    Standing.RECALLED: "recalled (M): no claim",
    Standing.FITTED: "fitted: no test",
}
"""Standing -> a few words."""


def with_error(value: float, error: float, factor: float = 1.0, unit: str = "") -> str:
    """A value and its standard deviation in a unit, to the digits that mean something.

    Examples:
        >>> with_error(0.6377, 0.0019), with_error(38.36, 0.3, 1.0, "Hz"), with_error(2.18e-4, 0.0)
        ('0.6377 ± 0.0019', '38.36 ± 0.30 Hz', '0.000218')
    """
    value, error = value / factor, error / factor
    if not math.isfinite(value):
        return "none"
    if error > 0.0 and 1e4 * error <= abs(value) < 1e6 * error:
        text = f"{value:.5g} ± {error:.1g}"  # more digits than anybody reads
    elif error > 0.0 and math.isfinite(error) and abs(value) < 1e6 * error:
        exponent = math.floor(math.log10(max(abs(value), error)))
        if -5 < exponent < 7:
            digits = max(0, 1 - math.floor(math.log10(error)))
            text = f"{value:,.{digits}f} ± {error:,.{digits}f}"
        else:
            digits = max(1, 1 + exponent - math.floor(math.log10(error)))
            text = f"{value:.{digits}e} ± {error:.1e}"
    else:
        text = f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.7g}"
    return f"{text} {unit}".strip()


def predicted(row: Comparison) -> str:
    """The prediction in the unit of the result."""
    number = row.measured.number
    return with_error(row.predicted, row.predicted_error, number.factor, number.unit)


def measured(number: Number) -> str:
    """A number as its file writes it, with its error.

    Examples:
        >>> from quantum_fabric.validation.frozen import load
        >>> measured(load("humphreys2018").measured["rate_high"].number)
        '39 Hz ± 0.5 (digits)'
    """
    if number.rounding:
        return f"{number.text} ± {number.rounding / number.factor:.2g} (digits)"
    if number.error:
        return with_error(number.value, number.error, number.factor, number.unit)
    return number.text


def null_of(row: Comparison) -> str:
    """What the null model says, and whether it would have passed."""
    if row.null is None:
        return "–"
    number = row.measured.number
    verdict = "passes too" if row.null_passed else "fails"
    return f"{row.null / number.factor:.4g} {number.unit}".strip() + f" ({verdict})"


def residual(row: Comparison) -> str:
    """Residual in sigmas and relative; for a bound whether it holds."""
    if row.measured.tolerance.kind in ("at_least", "at_most"):
        beyond = row.residual if row.measured.tolerance.kind == "at_least" else -row.residual
        return "bound holds" if beyond >= 0.0 else "bound is broken"
    words = []
    if row.sigmas is not None:
        words.append(f"{row.sigmas:+.1f} σ" if abs(row.sigmas) <= 100.0 else "over 100 σ")
    if row.measured.tolerance.kind == "factor":
        words.append(f"factor {row.predicted / row.measured.number.value:.2f}")
    elif row.relative is not None:
        words.append(f"{100.0 * row.relative:+.2g} %" if abs(row.relative) > 1e-10 else "0 %")
    if not words:
        words.append("0" if row.residual == 0.0 else f"{row.residual / row.measured.number.factor:+.2g}")
    return ", ".join(words)


def tolerance(row: Comparison) -> str:
    """The tolerance in the unit of the result."""
    return allowed(row.measured)


def allowed(measured: Measured) -> str:
    """The tolerance of a result, in its unit.

    Examples:
        >>> from quantum_fabric.validation.frozen import load
        >>> allowed(load("gys-decoy").measured["reach_weak"])
        '± 0.1 km'
    """
    each, number = measured.tolerance, measured.number
    if each.kind == "absolute":
        return f"± {each.value / number.factor:g} {number.unit}".strip()
    return str(each)


def verdict(row: Comparison) -> str:
    """The verdict; where it is against the prediction, whether the error bars cover the difference all the same."""
    if row.passed or row.standing is Standing.FITTED or row.within_errors is None:
        return row.verdict
    return f"{row.verdict}; {'within' if row.within_errors else 'beyond'} {SIGMAS:g} σ of the error bars"


def lead(results: list[Result]) -> str:
    """All in two sentences.

    Examples:
        >>> lead([])
        '0 of 0 claims hold. Claiming nothing: 0 of 0 soft and 0 of 0 recalled comparisons agree, 0 disagree.'
    """
    claims, soft, recalled = (
        [row for result in results for row in getattr(result, kind)]
        for kind in ("claims", "soft", "recalled")
    )
    against = sum(not row.passed for row in (*soft, *recalled))
    return (
        f"{held(claims)} claims hold. Claiming nothing: {held(soft)} soft and {held(recalled)} recalled comparisons agree, "
        f"{against} disagree."
    )


def held(rows: Sequence[Comparison]) -> str:
    """How many of some comparisons are within their tolerance.

    Examples:
        >>> held([])
        '0 of 0'
    """
    return f"{sum(row.passed for row in rows)} of {len(rows)}"


def standing(result: Result) -> str:
    """The verdict of an experiment: that of its claims, and what disagrees beside them.

    Examples:
        >>> from quantum_fabric.validation.running import validate
        >>> standing(validate(["stephenson2020"])[0])
        'no claim: agrees'
    """
    if not result.claims:
        return f"no claim: {result.verdict}"
    return result.verdict + (f"; {disagreeing(result.against)}" if result.against else "")


def disagreeing(count: int) -> str:
    """So many comparisons disagree and claim nothing.

    Examples:
        >>> disagreeing(1), disagreeing(2)
        ('no claim: 1 disagrees', 'no claim: 2 disagree')
    """
    return f"no claim: {count} {'disagrees' if count == 1 else 'disagree'}"


def columns(result: Result) -> tuple[str, str, str]:
    """Claims that hold, soft comparisons and recalled ones that agree; a dash where there are none."""
    return tuple(held(rows) if rows else "–" for rows in (result.claims, result.soft, result.recalled))  # type: ignore[return-value]


def chosen_after(file: ParameterFile) -> str:
    """What was chosen after looking, in a paragraph."""
    return (
        " ".join(f"{line[:1].upper()}{line[1:].rstrip('.')}." for line in file.chosen_after)
        or "Nothing on record."
    )
