"""When will so many pairs be there, and with what confidence: what admission asks of a forecast.

The first pair has a law (`DeliveryLaw`); each further one adds a mean and a spread. Their sum is taken as a gamma variable, which
is exact for one exponential time and for sums of them, and tends to the normal law for many.

Limits:
    For one pair the answer is exact at the points of the law and below the truth between them. For several, against the convolution
    of the laws: within 0.02 in the chance (tested for 2 to 100 pairs). Pairs that will be withheld count as delivered.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

from quantum_fabric.errors import QuantityError
from quantum_fabric.messages import DeliveryLaw, Forecast
from quantum_fabric.units import SECOND, Time

CONFIDENCE = 0.95
"""Probability with which a deadline must be met for a request to be admitted, unless it says another."""

NEVER: Time = 10**6 * SECOND
"""As good as never."""

HOPE = 2.0
"""A forecast without a law may still serve if its mean is within so many times the time that is left."""

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Serving:
    """Whether a forecast is fast enough: its rate, and its chance of meeting a deadline.

    A forecast without a law gets the benefit of the doubt: whoever chooses completes it and asks again.

    Attributes:
        rate: least pairs per second; anything above 0 for 0.
        pairs: how many.
        left: time from the request to the deadline (ps); None without one.
        confidence: probability with which the deadline must be met.

    Examples:
        >>> Serving(5.0, 1, None)(Forecast(4.0, 0.0, 0.95, 0.95, 0))
        False
    """

    rate: float
    pairs: int
    left: Time | None
    confidence: float = CONFIDENCE

    def __call__(self, forecast: Forecast) -> bool:
        """See the class."""
        if forecast.rate <= 0.0 or forecast.rate < self.rate:
            return False
        if self.left is None:
            return True
        if forecast.law is None:
            return finish_time(forecast, self.pairs) <= HOPE * self.left
        return chance_by(forecast, self.pairs, self.left) >= self.confidence

    @property
    def asks(self) -> bool:
        """Whether it asks for more than that there be any deliveries."""
        return self.rate > 0.0 or self.left is not None


def finish_time(forecast: Forecast, pairs: int) -> Time:
    """Time from the request to the last of so many pairs, on average (ps).

    Examples:
        >>> finish_time(Forecast(2.0, 0.0, 1.0, 1.0, 500), 3)
        1000000000500
    """
    if forecast.rate <= 0.0:
        return forecast.latency
    return forecast.latency + round((pairs - 1) / forecast.rate * SECOND)


def chance_by(forecast: Forecast, pairs: int, time: Time) -> float:
    """Probability that so many pairs are there at a time after the request.

    Args:
        forecast: of the plan. Without a law the time to the first pair is taken as exponential, like the gaps.
        pairs: at least 1.
        time: ps.

    Raises:
        QuantityError: fewer than one pair.

    Examples:
        >>> from quantum_fabric.units import SECOND
        >>> round(chance_by(Forecast(2.0, 0.0, 1.0, 1.0, SECOND // 2), 1, SECOND), 3)  # 1 - exp(-2)
        0.865
    """
    _at_least_one(pairs)
    if forecast.rate <= 0.0 or time <= 0:
        return 0.0
    if pairs == 1 and forecast.law is not None:
        law = forecast.law
        known = [share for at, share in zip(law.times, law.shares, strict=True) if at <= time]
        return known[-1] if known else 0.0
    least, mean, deviation = _moments(forecast, pairs)
    if time <= least:
        return 0.0
    return _gamma_below(time - least, mean - least, deviation)


def finished_by(forecast: Forecast, pairs: int, confidence: float = CONFIDENCE) -> Time:
    """The first time at which `chance_by` has reached a confidence (ps); `NEVER` where it does not.

    Args:
        forecast: of the plan.
        pairs: at least 1.
        confidence: in (0, 1).

    Raises:
        QuantityError: fewer than one pair, or a confidence outside (0, 1).

    Examples:
        >>> from quantum_fabric.units import SECOND
        >>> at = finished_by(Forecast(2.0, 0.0, 1.0, 1.0, SECOND // 2), 3)
        >>> round(at / SECOND, 2)  # the sum of three exponential times of half a second
        3.15
        >>> 0.95 <= chance_by(Forecast(2.0, 0.0, 1.0, 1.0, SECOND // 2), 3, at) < 0.951
        True
    """
    _at_least_one(pairs)
    if not 0.0 < confidence < 1.0:
        raise QuantityError(found=repr(confidence), expected="a confidence in (0, 1)", where="confidence")
    if forecast.rate <= 0.0:
        return NEVER
    if pairs == 1 and forecast.law is not None:
        law = forecast.law
        reached = (at for at, share in zip(law.times, law.shares, strict=True) if share >= confidence)
        return next(reached, NEVER)
    return first_time(
        lambda time: chance_by(forecast, pairs, time), confidence, 2 * finish_time(forecast, pairs) + 1
    )


def chance_of_gaps(forecast: Forecast, gaps: int, time: Time) -> float:
    """Probability that so many further deliveries come within a time after a first one.

    Args:
        forecast: of the plan. Without a law the gaps are taken as exponential.
        gaps: at least 0.
        time: ps.

    Examples:
        >>> round(chance_of_gaps(Forecast(1.0, 0.0, 1.0, 1.0, 0), 1, 10**12), 3)  # 1 - 1/e
        0.632
    """
    if gaps == 0:
        return 1.0
    if forecast.rate <= 0.0 or time <= 0:
        return 0.0
    mean, deviation = _gap(forecast)
    return _gamma_below(time, gaps * mean, math.sqrt(gaps) * deviation)


def gaps_by(forecast: Forecast, gaps: int, confidence: float = CONFIDENCE) -> Time:
    """The first time at which `chance_of_gaps` has reached a confidence (ps); `NEVER` where it does not.

    Examples:
        >>> gaps_by(Forecast(1.0, 0.0, 1.0, 1.0, 0), 1) // 10**9  # 2.996 mean gaps
        2995
    """
    if gaps == 0:
        return 0
    if forecast.rate <= 0.0:
        return NEVER
    return first_time(
        lambda time: chance_of_gaps(forecast, gaps, time), confidence, 2 * round(gaps * _gap(forecast)[0]) + 1
    )


def _gap(forecast: Forecast) -> tuple[float, float]:
    """Mean and standard deviation of the time between two deliveries, ps."""
    mean = SECOND / forecast.rate
    return mean, mean if forecast.law is None else forecast.law.gap_deviation * SECOND


def first_time(chance: Callable[[Time], float], confidence: float, guess: Time) -> Time:
    """The first time at which a rising chance has reached a confidence, to a part in 2^30; `NEVER` where it does not."""
    low, high = 0, guess
    while chance(high) < confidence and high < NEVER:
        low, high = high, 2 * high
    while high - low > max(1, high >> 30):
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= confidence else (middle, high)
    return min(high, NEVER)


def quantile(law: DeliveryLaw, level: float) -> Time | None:
    """The first of the times of a law by which a share of the first deliveries has been made; None beyond its last point.

    Examples:
        >>> law = DeliveryLaw("closed form", (), (5, 9), (0.5, 0.75), (0.9, 0.9), 0.0, 0.0, (0.9,) * 3, 0.0, 0, 1.0, 0.0)
        >>> quantile(law, 0.6), quantile(law, 0.9)
        (9, None)
    """
    return next((at for at, share in zip(law.times, law.shares, strict=True) if share >= level), None)


def _at_least_one(pairs: int) -> None:
    if pairs < 1:
        raise QuantityError(found=str(pairs), expected="1 pair or more", where="pairs")


def _moments(forecast: Forecast, pairs: int) -> tuple[float, float, float]:
    """Least time, mean and standard deviation of the time to so many pairs, ps."""
    gap, each = _gap(forecast)
    law = forecast.law
    if law is None:
        first, least = float(forecast.latency), 0.0
    else:
        first = law.deviation * SECOND
        # set-up and the first herald are no part of what varies
        least = max(0.0, min(float(law.times[0]), forecast.latency - first))
    deviation = math.sqrt(first**2 + (pairs - 1) * each**2)
    return least, forecast.latency + (pairs - 1) * gap, deviation


def _gamma_below(value: float, mean: float, deviation: float) -> float:
    """Distribution function of the gamma law with this mean and standard deviation.

    Equation: the series of the incomplete gamma function for shapes up to 60 (NIST DLMF 8.7.1), beyond that the cube root is
    normal (Wilson and Hilferty, PNAS 17, 684 (1931)), to 2e-4.
    """
    if deviation <= 1e-12 * mean or mean <= 0.0:
        return 1.0 if value >= mean else 0.0
    shape = (mean / deviation) ** 2
    x = shape * value / mean
    if shape > 60.0:
        third = 1.0 / (9.0 * shape)
        return _NORMAL.cdf(((value / mean) ** (1.0 / 3.0) - 1.0 + third) / math.sqrt(third))
    if x > shape + 40.0 + 12.0 * math.sqrt(shape):
        return 1.0
    term = total = 1.0 / shape
    for k in range(1, 2_000):
        term *= x / (shape + k)
        total += term
        if term < 1e-16 * total:
            break
    return min(1.0, total * math.exp(shape * math.log(x) - x - math.lgamma(shape)))
