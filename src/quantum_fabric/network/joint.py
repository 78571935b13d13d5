"""Several paths for one request: what they give together, and when all its pairs are there.

Every path delivers by itself, so their counts add up as independent renewal processes.

Equation:
    P(N1(t) + ... + Nk(t) >= n) with P(Ni(t) >= m) from the law of each path, by convolution of the counts (C). Beyond `EXACT` pairs
    counts are rounded down to whole lots of n / `EXACT` before they are added: a bound from below, off by at most one lot for each
    path. Of a long stream, rate = Σ r_i, and its counts vary by Σ r_i³ s_i² in a second where s_i is the deviation of a gap
    (Cox, *Renewal Theory* (1962), chapter 4: asymptotic variance of a renewal count).

Limits:
    Paths that share memory at their ends have their own slots there, so nothing of one waits for the other; what both depend on (a
    shared fault, a common clock) is not in these laws.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import QuantityError
from quantum_fabric.messages import DeliveryLaw, Forecast
from quantum_fabric.network.finish import CONFIDENCE, NEVER, chance_by, first_time
from quantum_fabric.units import SECOND, Time, from_seconds

EXACT = 128
"""Lots that counts are told apart by: up to so many pairs each is counted."""


def chance_together(forecasts: Sequence[Forecast], pairs: int, time: Time) -> float:
    """Probability that so many pairs of all paths together are there at a time after the request.

    Args:
        forecasts: of the paths.
        pairs: at least 1.
        time: ps.

    Raises:
        QuantityError: no path, or fewer than one pair.

    Examples:
        >>> one = Forecast(1.0, 0.0, 1.0, 1.0, SECOND)  # without a law: exponential gaps
        >>> round(chance_together([one, one], 1, SECOND), 4), round(1 - math.exp(-2), 4)
        (0.8647, 0.8647)
        >>> round(chance_together([one, one], 2, SECOND), 3), round(1 - 3 * math.exp(-2), 3)  # Poisson of rate 2
        (0.594, 0.594)
    """
    _check(forecasts, pairs)
    if time <= 0:
        return 0.0
    lot = -(-pairs // EXACT)
    wanted = -(-pairs // lot)
    whole = np.zeros(wanted + 1)
    whole[0] = 1.0
    for forecast in forecasts:
        # the last entry holds all that is enough
        together = np.convolve(whole, _counts(forecast, lot, wanted, time))
        whole = np.append(together[:wanted], together[wanted:].sum())
    return float(min(1.0, whole[wanted]))


def _counts(forecast: Forecast, lot: int, most: int, time: Time) -> NDArray[np.float64]:
    """Probabilities of 0, 1, ... lots by a time; of `most` or more in the last entry."""
    at_least = np.ones(most + 1)
    for count in range(1, most + 1):
        chance = chance_by(forecast, count * lot, time)
        at_least[count] = min(chance, at_least[count - 1])
        if chance < 1e-15:
            at_least[count:] = 0.0
            break
    return np.append(at_least[:-1] - at_least[1:], at_least[-1])


def finished_together(forecasts: Sequence[Forecast], pairs: int, confidence: float = CONFIDENCE) -> Time:
    """The first time at which `chance_together` has reached a confidence (ps); `NEVER` where it does not.

    Args:
        forecasts: of the paths.
        pairs: at least 1.
        confidence: in (0, 1).

    Raises:
        QuantityError: no path, fewer than one pair, or a confidence outside (0, 1).

    Examples:
        >>> one = Forecast(1.0, 0.0, 1.0, 1.0, SECOND)
        >>> round(finished_together([one, one], 1) / SECOND, 3)  # -ln(0.05) / 2
        1.498
    """
    _check(forecasts, pairs)
    if not 0.0 < confidence < 1.0:
        raise QuantityError(found=repr(confidence), expected="a confidence in (0, 1)", where="confidence")
    rate = math.fsum(forecast.rate for forecast in forecasts)
    if rate <= 0.0:
        return NEVER
    guess = from_seconds(min(2.0 * pairs / rate, 1e6)) + max(forecast.latency for forecast in forecasts) + 1
    return first_time(lambda time: chance_together(forecasts, pairs, time), confidence, guess)


def joint(forecasts: Sequence[Forecast]) -> Forecast:
    """What several paths give together, as if it were one: rates add up, every path keeps the floor of fidelity.

    Args:
        forecasts: of the paths, at least one.

    Returns:
        The mean fidelity weighs paths by their rates, `fidelity_low` is the least of any. With a law only where every path has one.

    Raises:
        QuantityError: no path.

    Examples:
        >>> fast, slow = Forecast(3.0, 0.0, 0.9, 0.88, SECOND // 3), Forecast(1.0, 0.0, 0.98, 0.97, SECOND)
        >>> both = joint([fast, slow])
        >>> both.rate, round(both.fidelity, 3), both.fidelity_low, both.latency / SECOND
        (4.0, 0.92, 0.88, 0.25)
    """
    _check(forecasts, 1)
    if len(forecasts) == 1:
        return forecasts[0]
    rates = [forecast.rate for forecast in forecasts]
    rate = math.fsum(rates)
    mean = (
        sum(forecast.fidelity * each for forecast, each in zip(forecasts, rates, strict=True)) / rate
        if rate > 0.0
        else min(forecast.fidelity for forecast in forecasts)
    )
    error = math.sqrt(math.fsum(forecast.rate_error**2 for forecast in forecasts))
    law = _law(forecasts, rate)
    slow = min(forecast.latency for forecast in forecasts)
    if law is not None:
        slow = min(slow, _mean(law, slow))
    elif rate > 0.0:
        slow = from_seconds(1.0 / math.fsum(SECOND / max(1, each.latency) for each in forecasts))
    return Forecast(rate, error, mean, min(each.fidelity_low for each in forecasts), slow, law)


def _law(forecasts: Sequence[Forecast], rate: float) -> DeliveryLaw | None:
    """Law of the first delivery of any path."""
    laws = [forecast.law for forecast in forecasts if forecast.law is not None]
    if len(laws) < len(forecasts) or rate <= 0.0:
        return None
    times = sorted({time for law in laws for time in law.times})
    shares, fidelities, before = [], [], [0.0] * len(laws)
    for time in times:
        now = [law.shares[at - 1] if (at := bisect_right(law.times, time)) else 0.0 for law in laws]
        shares.append(1.0 - math.prod(1.0 - share for share in now))
        fidelities.append(_fidelity(laws, before, now, time))
        before = now
    vary = math.fsum(
        forecast.rate**3 * law.gap_deviation**2 for forecast, law in zip(forecasts, laws, strict=True)
    )
    lows = [law.low_fidelities for law in laws]
    made = DeliveryLaw(
        method=" + ".join(dict.fromkeys(law.method for law in laws)),
        reasons=tuple(dict.fromkeys(reason for law in laws for reason in law.reasons)),
        times=tuple(times),
        shares=tuple(shares),
        fidelities=tuple(fidelities),
        deviation=0.0,
        gap_deviation=math.sqrt(vary / rate**3),
        low_fidelities=(
            min(low[0] for low in lows),
            min(low[1] for low in lows),
            min(low[2] for low in lows),
        ),
        error=min(1.0, math.fsum(law.error for law in laws)),
        grain=max(law.grain for law in laws),
        ceiling=math.fsum(law.ceiling for law in laws),
        floor=math.fsum(law.floor for law in laws),
    )
    return replace(made, deviation=_moments(made)[1] / SECOND)


def _fidelity(
    laws: Sequence[DeliveryLaw], before: Sequence[float], now: Sequence[float], time: Time
) -> float:
    """Of the first deliveries between two times: each path by how likely it is the one."""
    weights = []
    for place in range(len(laws)):
        others = math.prod(1.0 - share for other, share in enumerate(before) if other != place)
        weights.append((now[place] - before[place]) * others)
    found = [
        law.fidelities[min(len(law.fidelities) - 1, max(0, bisect_right(law.times, time) - 1))]
        for law in laws
    ]
    total = math.fsum(weights)
    if total <= 0.0:
        return min(found)
    return math.fsum(weight * each for weight, each in zip(weights, found, strict=True)) / total


def _moments(law: DeliveryLaw) -> tuple[float, float]:
    """Mean and standard deviation of the time to the first pair, ps, each share in the middle of its step."""
    edges = np.array((law.times[0], *law.times), dtype=np.float64)
    middles = (edges[1:] + edges[:-1]) / 2.0
    weights = np.diff((0.0, *law.shares))
    total = float(weights.sum())
    if total <= 0.0:
        return float(law.times[-1]), 0.0
    mean = float(weights @ middles) / total
    return mean, math.sqrt(max(0.0, float(weights @ (middles - mean) ** 2) / total))


def _mean(law: DeliveryLaw, otherwise: Time) -> Time:
    return round(_moments(law)[0]) if law.shares and law.shares[-1] > 0.5 else otherwise


def _check(forecasts: Sequence[Forecast], pairs: int) -> None:
    if not forecasts:
        raise QuantityError(found="none", expected="1 path or more", where="forecasts")
    if pairs < 1:
        raise QuantityError(found=str(pairs), expected="1 pair or more", where="pairs")
