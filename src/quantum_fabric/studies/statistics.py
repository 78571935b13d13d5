"""Means, shares and quantiles over the runs of a point, with their intervals; nothing here depends on the order of the runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

NAN = math.nan


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval; all of them not-a-number where there is none.

    Attributes:
        value: the estimate.
        low, high: of the interval.
    """

    value: float
    low: float
    high: float

    @property
    def half(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2.0


def mean(values: Sequence[float], level: float = 0.95) -> Estimate:
    """Mean with Student's interval.

    Args:
        values: of independent runs, in their order.
        level: of confidence.

    Limits:
        Exact for normal values; close for means of some dozens of runs.

    Examples:
        >>> found = mean([1.0, 2.0, 3.0])
        >>> found.value, round(found.low, 4), round(found.high, 4)
        (2.0, -0.4841, 4.4841)
    """
    count = len(values)
    if count == 0:
        return Estimate(NAN, NAN, NAN)
    centre = math.fsum(values) / count
    if count == 1:
        return Estimate(centre, NAN, NAN)
    spread = math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (count - 1))
    half = student(level, count - 1) * spread / math.sqrt(count)
    return Estimate(centre, centre - half, centre + half)


def share(values: Sequence[float], level: float = 0.95) -> Estimate:
    """Share of the ones among zeros and ones, with the score interval, which has a width even where all agree.

    Equation: Wilson, J. Am. Stat. Assoc. 22, 209 (1927).

    Examples:
        >>> found = share([1.0] * 10)
        >>> found.value, round(found.low, 4), found.high
        (1.0, 0.7225, 1.0)
    """
    count = len(values)
    if count == 0:
        return Estimate(NAN, NAN, NAN)
    p, z = math.fsum(values) / count, NormalDist().inv_cdf(0.5 + level / 2.0)
    scale = 1.0 + z * z / count
    centre = (p + z * z / (2.0 * count)) / scale
    half = z * math.sqrt(p * (1.0 - p) / count + z * z / (4.0 * count * count)) / scale
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Estimate(p, 0.0 if p == 0.0 else low, 1.0 if p == 1.0 else high)


def quantile(values: Sequence[float], order: float, level: float = 0.95) -> Estimate:
    """Quantile with the interval between two order statistics, whatever the distribution.

    Equation: the number of values below the quantile is binomial (Thompson, Ann. Math. Stat. 7, 122 (1936)). A bound is infinite,
    or 0, where there are too few values for it.

    Args:
        values: of independent runs, 0 or more; infinite where nothing came.
        order: in (0, 1).
        level: of confidence, at least that.

    Examples:
        >>> found = quantile([float(k) for k in range(1, 101)], 0.5)
        >>> found.value, found.low, found.high
        (50.5, 40.0, 61.0)
        >>> quantile([1.0, 2.0, 3.0], 0.99).high
        inf
    """
    ordered = sorted(values)
    count = len(ordered)
    if count == 0:
        return Estimate(NAN, NAN, NAN)
    at = order * (count - 1)
    below = math.floor(at)
    above = min(below + 1, count - 1)
    lower, upper = ordered[below], ordered[above]
    value = lower if lower == upper or at == below else lower + (at - below) * (upper - lower)
    tail = (1.0 - level) / 2.0
    chance, rank_low, rank_high = 0.0, 0, count + 1
    for k in range(count + 1):
        mass = math.exp(
            math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
            + k * math.log(order) + (count - k) * math.log1p(-order)
        )  # fmt: skip
        chance += mass
        if chance <= tail:
            rank_low = k + 1
        if chance >= 1.0 - tail:
            rank_high = k + 1
            break
    low = ordered[rank_low - 1] if rank_low >= 1 else 0.0
    high = ordered[rank_high - 1] if rank_high <= count else math.inf
    return Estimate(value, low, high)


@lru_cache(maxsize=4096)
def student(level: float, freedom: int) -> float:
    """Half-width factor of Student's interval: the quantile of order (1 + level) / 2.

    By bisection on the distribution, whose tail is the incomplete beta function I_x(freedom/2, 1/2), x = freedom/(freedom + t²).

    Examples:
        >>> round(student(0.95, 9), 6), round(student(0.95, 10**6), 4)
        (2.262157, 1.96)
    """
    tail = 1.0 - level
    low, high = 0.0, 2.0
    while _beyond(high, freedom) > tail:
        high *= 2.0
    for _ in range(200):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if _beyond(middle, freedom) > tail:
            low = middle
        else:
            high = middle
    return high


def _beyond(t: float, freedom: int) -> float:
    """Probability that |T| exceeds t."""
    return _beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))


def _beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function by its continued fraction (Abramowitz and Stegun 26.5.8)."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - front * _fraction(b, a, 1.0 - x) / b
    return front * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction, from the top down."""
    tiny = 1e-300
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0) or tiny)
    value = d
    for m in range(1, 10_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / (1.0 + step * d or tiny)
            c = 1.0 + step / c or tiny
            value *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return value
