"""Numbers and verdicts of a validation as people read them, shared by the page, the Markdown and the screen."""

from __future__ import annotations

import math
from typing import Final

from quantum_fabric.validation.comparison import Comparison, Standing
from quantum_fabric.validation.experiment import Result
from quantum_fabric.validation.parameters import Measured, Number

STANDINGS: Final = {
    Standing.EXACT: "exact theory",
    Standing.SOURCED: "sourced",
    Standing.SOFT: "sourced result, soft parameters",
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
    if error > 0.0 and math.isfinite(error) and abs(value) < 1e6 * error:
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
        return "within the bound" if beyond >= 0.0 else "beyond the bound"
    words = []
    if row.sigmas is not None:
        words.append(f"{row.sigmas:+.1f} σ")
    if row.relative is not None:
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
    """PASS or FAIL, and beside a recalled result whether it agrees."""
    if row.standing is Standing.RECALLED:
        return f"{row.verdict} ({'agrees' if row.passed else 'disagrees'} with a recalled value)"
    return row.verdict


def lead(results: list[Result]) -> str:
    """All in two sentences.

    Examples:
        >>> lead([])
        '0 of 0 claims hold. 0 of 0 recalled values, which claim nothing, agree.'
    """
    claims = [row for result in results for row in result.claims]
    recalled = [row for result in results for row in result.recalled]
    return (
        f"{sum(row.passed for row in claims)} of {len(claims)} claims hold. {sum(row.passed for row in recalled)} of "
        f"{len(recalled)} recalled values, which claim nothing, agree."
    )


def counts(result: Result) -> str:
    """How many comparisons of each standing an experiment has."""
    found = []
    for standing, words in STANDINGS.items():
        count = sum(row.standing is standing for row in result.comparisons)
        if count:
            found.append(f"{count} {words}")
    return "; ".join(found)
