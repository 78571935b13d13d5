"""From the runs of a point to its row in the table, and whether it has been run often enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from quantum_fabric.documents.study_document import Repeat
from quantum_fabric.studies.engine import Row
from quantum_fabric.studies.outputs import OUTPUTS, Output
from quantum_fabric.studies.statistics import NAN, Estimate, mean, quantile, share
from quantum_fabric.units import parse

LEVEL = 0.95
GROWTH = 2.0
"""A point is never run more than so many times as often as before, since the first runs know little of their own spread."""


def estimate(rows: Sequence[Row], out: Output, level: float = LEVEL) -> Estimate:
    """One output of a point from its runs.

    Args:
        rows: of the runs, in their order.
        out: which output.
        level: of the interval.

    Returns:
        A mean, a share, or a quantile over the runs; the engine's own number and standard error where there is one run.

    Limits:
        Runs without a value are left out of means, but a mean time to the first pair is missing where a run had no pair.

    Examples:
        >>> estimate([{"rate": 2.0, "rate~error": 0.1}], OUTPUTS["rate"]).high
        2.1959963984540054
        >>> estimate([{"first_delivery": 1.0}, {"first_delivery": 3.0}], OUTPUTS["first_p50"]).value
        2.0
    """
    if out.of and all(out.name not in row for row in rows):
        return quantile([_or_never(row.get(out.of, NAN)) for row in rows], out.quantile or 0.5, level)
    values = [row.get(out.name, NAN) for row in rows]
    known = [value for value in values if math.isfinite(value)]
    if out.name == "first_delivery" and len(known) < len(values):
        return Estimate(NAN, NAN, NAN)
    if len(values) == 1:
        return _alone(values[0], rows[0].get(f"{out.name}~error", NAN), level)
    if out.name in ("accepted", "completed") and set(known) <= {0.0, 1.0}:
        return share(known, level)
    found = mean(known, level)
    return found if out.kind != "fraction" or out.name in ("pairs", "segments") else _inside(found)


def _or_never(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _alone(value: float, error: float, level: float) -> Estimate:
    if math.isnan(error):
        return Estimate(value, NAN, NAN)
    half = NormalDist().inv_cdf(0.5 + level / 2.0) * error
    return Estimate(value, value - half, value + half)


def _inside(found: Estimate) -> Estimate:
    if not math.isfinite(found.half):
        return found
    return Estimate(found.value, max(0.0, found.low), min(1.0, found.high))


@dataclass(frozen=True, slots=True)
class Rule:
    """How often a point is run.

    Attributes:
        runs: of each point, where that is fixed; 0 where an interval is to be reached.
        out: output whose interval that is.
        relative, absolute: half its width; one of them is 0.
        level: of confidence.
        least, most: runs.
    """

    runs: int = 1
    out: Output = OUTPUTS["rate"]
    relative: float = 0.0
    absolute: float = 0.0
    level: float = LEVEL
    least: int = 8
    most: int = 1000

    @property
    def first(self) -> int:
        """Runs of every point to begin with."""
        return self.runs or self.least

    @property
    def at_most(self) -> int:
        """Runs of a point at most."""
        return self.runs or self.most

    def target(self, rows: Sequence[Row]) -> int:
        """Runs that a point needs after these: as many as it has where it is done.

        A function of the rows alone, so that a study stops at the same place whoever does it.

        Examples:
            >>> rule = Rule(0, relative=0.1, least=4, most=100)
            >>> rule.target([{"rate": 1.0}] * 4), rule.target([{"rate": float(k)} for k in range(1, 9)])
            (4, 16)
        """
        count = len(rows)
        if self.runs or count >= self.most:
            return count
        found = estimate(rows, self.out, self.level)
        wanted = self.relative * abs(found.value) if self.relative else self.absolute
        if not math.isfinite(found.half) or found.half <= wanted:
            return count if math.isfinite(found.half) else min(self.most, round(GROWTH * count))
        factor = min(GROWTH, 1.1 * (found.half / wanted) ** 2) if wanted > 0.0 else GROWTH
        return min(self.most, max(count + 1, math.ceil(count * factor)))

    def reached(self, rows: Sequence[Row]) -> bool:
        """Whether the interval is narrow enough; always, where the number of runs is fixed."""
        if self.runs:
            return True
        found = estimate(rows, self.out, self.level)
        wanted = self.relative * abs(found.value) if self.relative else self.absolute
        return math.isfinite(found.half) and found.half <= wanted


def rule(repeat: Repeat | None) -> Rule:
    """The rule that a document states; once, where it states none.

    Examples:
        >>> rule(None).first, rule(Repeat(runs=20)).at_most
        (1, 20)
    """
    if repeat is None:
        return Rule()
    if repeat.interval is None:
        assert repeat.runs is not None, "a document has one of both"
        return Rule(repeat.runs)
    target = repeat.interval
    out = OUTPUTS[target.of]
    return Rule(
        0,
        out,
        parse(target.relative, "fraction") if target.relative is not None else 0.0,
        out.read(target.absolute) if target.absolute is not None else 0.0,
        parse(target.level, "fraction"),
        repeat.least,
        repeat.most,
    )
