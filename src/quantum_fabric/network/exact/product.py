"""Chains in which nothing fails: the first delivery is the latest of independent geometric times, in closed form.

Each link's first success, with what must happen after it (its herald, swaps, news to both ends), leads to the delivery by a longest
way; the delivery is the latest of these. So its distribution function is a product, whatever the number of links and lanes, the
order of swaps, grids and delays:

    P(T <= t) = Π_i 1 - (1 - p_i)^{N_i(t - w_i)},   N_i(u) attempts of link i that have begun by u

Reference: the product law for equal links in steps is Shchukin, Schmidt, van Loock, PRA 100, 032322 (2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.network.chain import Chain
from quantum_fabric.network.exact.series import Array
from quantum_fabric.units import Time

PICO = 1e12

LATEST = 4e18
"""ps: later is as good as never, and has no place in 64 bits."""

Whole: TypeAlias = npt.NDArray[Any]
"""Whole numbers of ps."""

MOST_JUMPS = 200_000
"""Jumps of a distribution function that are summed one by one for its moments."""

SMOOTH = 8_192
"""Points of the integral where there are more: attempts are then counted as a continuous number."""

GONE = 1e-15
"""Share of the deliveries that moments leave out."""


@dataclass(frozen=True, eq=False)
class Latest:
    """The latest of independent times, each the first success among attempts on the grids of some lanes.

    All times are whole ps.

    Attributes:
        successes: of an attempt, by kind of link.
        periods: of the attempts on a lane.
        phases: start of the first attempt on each lane, by kind.
        ways: from a successful attempt's start to the delivery.
        counts: links of each kind.

    Examples:
        >>> ms = 10**9
        >>> two = Latest((0.1,), (ms,), ((0,),), (ms,), (2,))
        >>> round(1e3 * two.moments()[0], 9), round(280 / 19, 9)  # two equal links in steps of 1 ms
        (14.736842105, 14.736842105)
        >>> round(two.share(2 * ms), 4), round(two.share(2 * ms - 1), 4)  # (1 - 0.9^2)^2, (1 - 0.9)^2
        (0.0361, 0.01)
    """

    successes: tuple[float, ...]
    periods: tuple[Time, ...]
    phases: tuple[tuple[Time, ...], ...]
    ways: tuple[Time, ...]
    counts: tuple[int, ...]

    def shares(self, times: Whole, smooth: bool = False) -> Array:
        """Probability of a delivery by each of some times.

        Args:
            times: ps, shape (times,).
            smooth: count attempts as a continuous number, as is right on average between two of them.
        """
        logs = np.zeros(times.shape)
        for p, period, phases, way, count in zip(
            self.successes, self.periods, self.phases, self.ways, self.counts, strict=True
        ):
            begun = np.zeros(times.shape)
            for phase in phases:
                passed = times - (way + phase)
                tries = passed / period + 0.5 if smooth else (passed // period + 1).astype(np.float64)
                begun += np.maximum(tries, 0.0)
            miss = math.log1p(-p) if p < 1.0 else -1e3
            with np.errstate(divide="ignore"):
                logs += count * np.log(-np.expm1(begun * miss))
        found: Array = np.exp(logs)
        return found

    def share(self, time: Time) -> float:
        """Probability of a delivery by a time (ps)."""
        return float(self.shares(np.array([time]))[0])

    def quantiles(self, levels: Array) -> Whole:
        """The first times by which shares of the deliveries have been made, ps.

        Args:
            levels: in [0, 1), shape (levels,).

        Raises:
            QuantityError: a level outside [0, 1).
        """
        if not (levels >= 0.0).all() or not (levels < 1.0).all():
            raise QuantityError(found=str(levels), expected="levels in [0, 1)", where="quantile")
        low = np.full(levels.shape, -1)
        high = np.full(levels.shape, self._end(1.0 - float(levels.max(initial=0.5))))
        while (high - low).max() > 1:
            middle = low + (high - low) // 2
            there = self.shares(middle) >= levels
            high, low = np.where(there, middle, high), np.where(there, low, middle)
        return high

    def _end(self, share: float) -> Time:
        """A time by which all but less than a share have been delivered, ps."""
        rows = zip(self.successes, self.periods, self.phases, self.ways, strict=True)
        need = math.log(max(share, 1e-300) / (2.0 * sum(self.counts)))
        ends = []
        for p, period, phases, way in rows:
            tries = need / (len(phases) * math.log1p(-min(p, 0.999999)))
            ends.append(way + max(phases) + min(period * (2 + tries), LATEST))
        return int(max(ends))

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation of the delivery time, s.

        Limits:
            Exact to 1e-12 with up to `MOST_JUMPS` jumps; with more, relative errors of about the square of the success probability.
        """
        end = self._end(GONE)
        jumps = sum(
            len(phases) * (end // period + 1)
            for period, phases in zip(self.periods, self.phases, strict=True)
        )
        if jumps > MOST_JUMPS:
            return self._smooth_moments(end)
        grids = [
            way + phase + period * np.arange(end // period + 2)
            for period, phases, way in zip(self.periods, self.phases, self.ways, strict=True)
            for phase in phases
        ]
        times = np.unique(np.concatenate([np.zeros(1, dtype=np.int64), *grids]))
        later = 1.0 - self.shares(times[:-1])
        times = times / PICO
        mean = float((later * np.diff(times)).sum())
        square = float((later * np.diff(times**2)).sum())
        return mean, math.sqrt(max(0.0, square - mean**2))

    def _smooth_moments(self, end: Time) -> tuple[float, float]:
        least = min(self.ways)
        gaps = np.concatenate([[0.0], np.geomspace(1e-7, 1.0, SMOOTH)]) * float(end - least)
        times = least + gaps
        later = 1.0 - self.shares(times, smooth=True)
        times = times / PICO
        step = np.diff(times)
        mean = times[0] + float((later[1:] + later[:-1]) @ step) / 2.0
        twice = later * times
        square = times[0] ** 2 + float((twice[1:] + twice[:-1]) @ step)
        return float(mean), math.sqrt(max(0.0, square - mean**2))


def latest(chain: Chain) -> Latest:
    """The law of the first delivery of a chain.

    Args:
        chain: with ``chain.plain`` true; every link may succeed.

    Raises:
        InputError: a chain in which something fails, is purified or cut off.
    """
    if not chain.plain:
        raise InputError(
            found="a chain in which something may fail", expected="a plain one", where="product law"
        )
    kinds: dict[tuple[float, Time, tuple[Time, ...], Time], int] = {}
    for index, (hop, longest) in enumerate(zip(chain.hops, ways(chain), strict=True)):
        period, way = round(hop.period * PICO), round(longest * PICO)
        phases = tuple(sorted(round(chain.begun(index, lane) * PICO) for lane in range(hop.lanes)))
        if len(set(phases)) == 1:  # lanes in step are one link that succeeds more often
            key = (
                -math.expm1(hop.lanes * math.log1p(-hop.success)) if hop.success < 1.0 else 1.0,
                period,
                phases[:1],
                way,
            )
        else:
            key = (hop.success, period, phases, way)
        kinds[key] = kinds.get(key, 0) + 1
    successes, periods, phases_of, lags = zip(*kinds, strict=True)
    return Latest(successes, periods, phases_of, lags, tuple(kinds.values()))


def ways(chain: Chain) -> list[float]:
    """From the start of each link's successful attempt to the delivery, by the longest way, s.

    Args:
        chain: plain.
    """
    count = len(chain.hops)
    if count == 1:
        return [max(chain.hops[0].heard)]
    swapped = _nested(chain) if chain.nested else _at_once(chain)
    longest = [-math.inf] * count
    for node, lags in swapped.items():
        tell = max(chain.delay[node][0], chain.delay[node][count])
        longest = [max(one, lag + tell) for one, lag in zip(longest, lags, strict=True)]
    longest[0] = max(longest[0], chain.hops[0].heard[0])
    longest[-1] = max(longest[-1], chain.hops[-1].heard[1])
    return longest


def _at_once(chain: Chain) -> dict[int, list[float]]:
    """For each repeater: from the start of each link's attempt to the end of its swap."""
    found = {}
    for node in range(1, len(chain.hops)):
        lags = [-math.inf] * len(chain.hops)
        lags[node - 1] = chain.hops[node - 1].heard[1] + chain.stations[node].swap_time
        lags[node] = chain.hops[node].heard[0] + chain.stations[node].swap_time
        found[node] = lags
    return found


def _nested(chain: Chain) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    middle: dict[tuple[int, int], int] = {}
    for at, left, right, _ in chain.joins:
        lags = [-math.inf] * len(chain.hops)
        for low, high, own, side in ((left, at, at - 1, 1), (at, right, at, 0)):
            below = middle.get((low, high))
            if below is None:
                lags[own] = chain.hops[own].heard[side]
            else:
                news = chain.delay[below][at]
                lags = [max(one, lag + news) for one, lag in zip(lags, found[below], strict=True)]
        found[at] = [lag + chain.stations[at].swap_time for lag in lags]
        middle[left, right] = at
    return found
