"""Plain chains, many at once: the exact law of a pipeline without failures, sampled with arrays.

Where nothing is purified, nothing cut off and no swap fails, pairs pass a chain in strict order: the k-th pair of each
link ends in the k-th delivery. So one delivery of many chains is a handful of array operations, whatever the waiting:

    swap at j:       S_j(k) = max(left ready, right ready) + swap time
    delivery:        D(k)   = max over ends of the arrival of every swap's result
    a lane restarts when both its slots are free: at S of the repeater at its end, or when that end knows

with the k-th pair of a link on the lane that succeeded k-th. This is exact in law for the executor's rules (grid of
attempts, lanes, classical delays, first come first served); only the averages are sampled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantum_fabric.network.chain import Chain

KEY = 0x5155_414E_5455_4D46
"""Key of the Philox generator: the same for every chain, so that a forecast is a deterministic function."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Averages over sampled deliveries.

    Attributes:
        first: mean time from the start to the first delivery, s.
        rate: deliveries per second after warming up; 0 if there were none.
        rate_error: its standard error.
        fidelity: mean fidelity of these deliveries.
        fidelity_error: its standard error.
        deliveries: how many were counted.
        usual: fidelity that all but `UNLUCKY` of these deliveries reach.
        lows: what all but one in a hundred, one in twenty, one in two of them reach.
    """

    first: float
    rate: float
    rate_error: float
    fidelity: float
    fidelity_error: float
    deliveries: int
    usual: float
    lows: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def gap_deviation(self) -> float:
        """Standard deviation that each delivery adds to the time of a long stream, s."""
        return self.rate_error / self.rate**2 * math.sqrt(self.deliveries) if self.rate > 0.0 else 0.0


UNLUCKY = 0.05
"""Share of the deliveries that may stay below what was asked for: they waited too long and will be withheld."""


def usual(fidelities: npt.NDArray[np.float64]) -> float:
    """The fidelity that all but `UNLUCKY` of the deliveries reach (a sample quantile, the lower of its neighbours)."""
    return float(np.quantile(fidelities, UNLUCKY, method="lower"))


def lows(fidelities: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """What all but 1 %, 5 % and 50 % of the deliveries reach."""
    found = np.quantile(fidelities, (0.01, UNLUCKY, 0.5), method="lower").tolist()
    return (found[0], found[1], found[2])


BATCHES = 16
"""Batches of consecutive deliveries from which standard errors are estimated: neighbours are correlated."""


def summary(delivered: list[tuple[float, float]], warm: int, first: float) -> Sample:
    """Averages over one run of a chain.

    Args:
        delivered: (time, fidelity) of each delivery, s.
        warm: how many of them are not counted.
        first: mean time to the first one, s.
    """
    times = np.array([time for time, _ in delivered])
    counted = np.array([quality for _, quality in delivered])[warm:]
    start = times[warm - 1] if warm else 0.0
    span = float(times[-1] - start)
    count = len(counted)
    rate = count / span if span > 0.0 else math.inf
    batches = min(BATCHES, count // 4)
    if batches < 4:
        # too few for batches: independent deliveries, and a little more for not knowing the spread well
        spread = float(counted.std(ddof=1)) * (1.0 + 3.0 / count) if count > 2 else 0.5
        root = math.sqrt(count)
        mean = float(counted.mean())
        return Sample(first, rate, rate / root, mean, spread / root, count, usual(counted), lows(counted))
    size = count // batches
    each = np.diff(np.concatenate([[start], times[warm:]]))
    gaps = each[: size * batches].reshape(batches, size).mean(axis=1)
    means = counted[: size * batches].reshape(batches, size).mean(axis=1)
    root = math.sqrt(batches)
    # sixteen batches may look more alike than they are; deliveries are seldom more regular than independent ones
    spread = max(float(gaps.std(ddof=1)) / root, float(each.std(ddof=1)) / math.sqrt(count))
    return Sample(
        first=first,
        rate=rate,
        rate_error=rate * rate * spread if span > 0.0 else 0.0,
        fidelity=float(counted.mean()),
        fidelity_error=float(means.std(ddof=1)) / root,
        deliveries=count,
        usual=usual(counted),
        lows=lows(counted),
    )


def run(chain: Chain, deliveries: int = 6_000) -> Sample:
    """Sample a plain chain.

    Args:
        chain: with ``chain.plain`` true.
        deliveries: wanted number over all replicas; a few more are made.

    Returns:
        The averages. Standard errors come from the replicas, which are independent.
    """
    lanes = max(hop.lanes for hop in chain.hops)
    warm = 4 + 2 * lanes
    # lanes that run in step deliver in batches: count whole ones
    steps = warm + lanes * -(-(warm + 8) // lanes)
    replicas = max(32, -(-deliveries // (steps - warm)))
    line = _Line(chain, replicas)
    ends, quality = np.empty((steps, replicas)), np.empty((steps, replicas))
    for step in range(steps):
        ends[step], quality[step] = line.deliver()
    spans = ends[-1] - ends[warm - 1]
    mean = float(spans.mean())
    rate = (steps - warm) / mean
    means = quality[warm:].mean(axis=0)
    root = float(np.sqrt(replicas))
    return Sample(
        first=float(ends[0].mean()),
        rate=rate,
        rate_error=rate * float(spans.std(ddof=1)) / mean / root,
        fidelity=float(means.mean()),
        fidelity_error=float(means.std(ddof=1)) / root,
        deliveries=(steps - warm) * replicas,
        usual=usual(quality[warm:]),
        lows=lows(quality[warm:]),
    )


def firsts(chain: Chain, replicas: int) -> tuple[Array, Array]:
    """First deliveries of so many empty chains: times (s) and fidelities, shape (replicas,).

    Args:
        chain: with ``chain.plain`` true.
        replicas: how many.
    """
    return _Line(chain, replicas).deliver()


class _Line:
    """Replicas of a chain; each call of `deliver` makes the next delivery of all."""

    def __init__(self, chain: Chain, replicas: int) -> None:
        hops, nodes = chain.hops, chain.stations
        self.chain = chain
        self.count = len(hops)
        self.rows = np.arange(replicas)[:, None]
        self.columns = np.arange(self.count)[None, :]
        self.random = np.random.Generator(np.random.Philox(key=KEY))
        self.period = np.array([hop.period for hop in hops])
        self.cycle = np.array([hop.cycle for hop in hops])
        self.born = np.array([hop.born for hop in hops])
        self.heard = np.array([hop.heard for hop in hops])
        with np.errstate(divide="ignore"):
            self.logs = np.log1p(-np.array([hop.success for hop in hops]))  # -inf for certain success
        self.swap_time = np.array([node.swap_time for node in nodes[1:-1]])
        rates = np.array([node.steady for node in nodes])
        self.rates_left, self.rates_right = rates[:-1], rates[1:]
        self.stretch = np.array([node.memory.stretched_rate for node in nodes])
        self.exponent = np.array([node.memory.exponent for node in nodes])
        factors = np.array([node.factors for node in nodes[1:-1]]).reshape(-1, 3)
        self.fresh = np.prod(np.array([hop.fresh for hop in hops]), axis=0) * np.prod(factors, axis=0)
        self.to_ends = np.array([[chain.delay[j][0], chain.delay[j][-1]] for j in range(1, self.count)])
        most = max(hop.lanes for hop in hops)
        self.due = np.full((replicas, self.count, most), np.inf)
        left = np.broadcast_to(np.array(chain.free[:-1]), (replicas, self.count))
        right = np.broadcast_to(np.array(chain.free[1:]), (replicas, self.count))
        never = np.full((replicas, self.count), -np.inf)
        for lane in range(most):
            has = np.array([lane < hop.lanes for hop in hops])
            number = np.full((replicas, self.count), lane)
            self.due[:, has, lane] = self._success(left, right, number, never)[:, has]

    def _success(self, left: Array, right: Array, lane: npt.NDArray[np.intp], last: Array) -> Array:
        """Start of the successful attempt on a lane that succeeded at ``last`` and has free slots from ``left``, ``right`` on."""
        earliest = np.maximum(left - self.born[:, 0], right - self.born[:, 1])
        earliest = np.maximum(earliest, last + self.period)  # a lane attempts once in a period
        phase = np.mod(lane * self.cycle, self.period)
        # 1e-9 of a period forgives the rounding of float seconds
        number = np.ceil((earliest - phase) / self.period - 1e-9)
        misses = np.floor(np.log1p(-self.random.random(left.shape)) / self.logs)
        start: Array = phase + (number + misses) * self.period
        return start

    def deliver(self) -> tuple[Array, Array]:
        """Time and fidelity of the next delivery of each replica, shape (replicas,)."""
        lane = self.due.argmin(axis=2)
        start = self.due[self.rows, self.columns, lane]
        heard_left, heard_right = start + self.heard[:, 0], start + self.heard[:, 1]
        swapped = self._swaps(heard_left, heard_right)
        known_left, known_right = heard_left[:, 0], heard_right[:, -1]
        if self.count > 1:
            known_left = np.maximum(known_left, (swapped + self.to_ends[:, 0]).max(axis=1))
            known_right = np.maximum(known_right, (swapped + self.to_ends[:, 1]).max(axis=1))
        done = np.maximum(known_left, known_right)
        left_free = np.concatenate([known_left[:, None], swapped], axis=1)
        right_free = np.concatenate([swapped, known_right[:, None]], axis=1)
        ages_left = left_free - start - self.born[:, 0]
        ages_right = right_free - start - self.born[:, 1]
        ages_left[:, 0] += done - known_left  # the estimate of a pair is made when the later end knows
        ages_right[:, -1] += done - known_right
        kept = self.fresh * np.exp(-(ages_left @ self.rates_left + ages_right @ self.rates_right))
        if self.stretch.any():  # every half counts from its birth, so the law is exact here
            loss = (ages_left * self.stretch[:-1]) ** self.exponent[:-1]
            loss += (ages_right * self.stretch[1:]) ** self.exponent[1:]
            kept[:, :2] *= np.exp(-loss.sum(axis=1))[:, None]
        self.due[self.rows, self.columns, lane] = self._success(left_free, right_free, lane, start)
        return done, (1.0 + kept.sum(axis=1)) / 4.0

    def _swaps(self, heard_left: Array, heard_right: Array) -> Array:
        """Time at which each repeater has swapped, shape (replicas, hops - 1)."""
        if not self.chain.nested:
            at_once: Array = np.maximum(heard_right[:, :-1], heard_left[:, 1:]) + self.swap_time
            return at_once
        swapped = np.empty((heard_left.shape[0], self.count - 1))
        middles: dict[tuple[int, int], int] = {}
        for at, left, right, _ in self.chain.joins:
            below, above = middles.get((left, at)), middles.get((at, right))
            ready_left = heard_right[:, at - 1]
            if below is not None:
                ready_left = swapped[:, below - 1] + self.chain.delay[below][at]
            ready_right = heard_left[:, at]
            if above is not None:
                ready_right = swapped[:, above - 1] + self.chain.delay[above][at]
            swapped[:, at - 1] = np.maximum(ready_left, ready_right) + self.swap_time[at - 1]
            middles[left, right] = at
        return swapped
