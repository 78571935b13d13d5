"""What a chain gives, in arrays over its hops: a pessimist's estimate without purification, and the mean-field one with it.

A decision in milliseconds looks at several ways to use the same path. What does not depend on lanes and rounds is put into arrays once
(`Track`); each way is then some dozens of array operations, however long the path is.

Without purification (`cautious`) the mean-field estimate (`quantum_fabric.network.estimate`), which takes each repeater to wait for
its own two links, is too little where links are unequal, and a promise needs more:

    blocking    a half waits until the slowest link on its other side has made a pair, however fast the next one is, because memories
                of the next one are taken until then: w at a repeater is the meeting of the slowest to its left and to its right
    queues      a link with h times the lanes of its share makes pairs ahead, and each of them waits for those before it:
                (h - 1) / 2 times longer
    heralds     a lane that succeeds is free again after the whole periods that its herald takes, not after one

Everything else is as in the estimate. Infidelity of fresh pairs and of waiting are told apart, since their margins differ.

With purification (`worked`) it is that estimate itself, for swaps as soon as possible: the same numbers as `estimate.estimate`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quantum_fabric.network.chain import Chain, Hop, Station
from quantum_fabric.network.estimate import (
    BUFFER,
    EVENED,
    STEADY,
    TAIL,
    Estimate,
    exponential,
    longer,
    parallel_mean,
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cautious:
    """Rate (1/s), mean fidelity, fidelity of fresh pairs that nobody waits for, and what nineteen in twenty pairs reach."""

    rate: float
    fidelity: float
    fresh: float
    usual: float


class Track:
    """What all ways to use a path have in common, in arrays.

    Args:
        hops: left to right; their lanes and rounds are not looked at.
        stations: one more; their memories decay exponentially (`estimate.exponential`).
        delay: between the nodes, s: to the right neighbour and to both ends.

    Attributes:
        dead: whether a link never succeeds; then nothing else is there.
        mean: mean time of a pair on one lane of each hop, s.
        lane: the same with the time in which its herald is on the way, s.
        fresh: correlators (x, y, z) by hop when both ends have heard of a pair.
        rates: decay rates (x, y, z; 1/s) by station.
        way: delay to the right neighbour, s, by hop.
        factors: what all swaps together do to the correlators.
        chance: that all swaps succeed.
        tell: time until both ends have heard of the last swap, s.
        far: delay from end to end, s.
    """

    def __init__(
        self, hops: Sequence[Hop], stations: Sequence[Station], delay: Sequence[Sequence[float]]
    ) -> None:
        self.dead = any(hop.success <= 0.0 for hop in hops)
        if self.dead:
            return
        self.stations = stations
        last = len(hops)
        self.mean = np.array([hop.period / hop.success for hop in hops])
        self.lane = np.array([lane_time(hop) for hop in hops])
        self.rates = np.array([here.rates for here in stations]).T
        self.way = np.array([delay[at][at + 1] for at in range(last)])
        fresh = np.array([hop.fresh for hop in hops]).T
        waits = np.array([(hop.heard[0] - hop.born[0], hop.heard[1] - hop.born[1]) for hop in hops]).T
        self.fresh = fresh * np.exp(-self.rates[:, :-1] * waits[0] - self.rates[:, 1:] * waits[1])
        inner = stations[1:-1]
        self.factors = np.array([here.factors for here in inner]).prod(axis=0) if inner else np.ones(3)
        self.chance = math.prod(here.swap_success for here in inner)
        self.tell, self.far = 0.0, delay[0][last]
        if inner:
            far = max(max(delay[at][0], delay[at][last]) for at in range(1, last))
            self.tell = far + max(here.swap_time for here in inner)

    @cached_property
    def _between(self) -> Rounds:
        """Rounds of purification between the ends of each hop."""
        return _rounds(self.stations[:-1], self.stations[1:], self.way)

    @cached_property
    def _across(self) -> Rounds:
        """The same end to end."""
        return _rounds(self.stations[:1], self.stations[-1:], np.array([self.far]))

    def cautious(self, lanes: Sequence[int]) -> Cautious:
        """A pessimist's estimate for swaps as soon as possible, without purification and cutoff.

        Args:
            lanes: of each hop.

        Limits:
            Not a bound: the margins of `quantum_fabric.network.swift` come on top.
        """
        if self.dead:
            return Cautious(0.0, 0.0, 0.0, 0.0)
        units = max(1, min(lanes))
        haste = np.array(lanes) / units
        times = self.lane / haste
        born = self.fresh.prod(axis=1) * self.factors
        fresh = _fidelity(born)
        if len(times) == 1:
            return Cautious(units / float(times[0]), fresh, fresh, fresh)
        buffer = units**-BUFFER
        longest = float(times.max())
        time = longest + (parallel_mean(times.tolist()) - longest) * buffer
        kept, late = self._waited(times, haste, buffer)
        for place in (0, -1):
            own, rates = float(times[place]), self.rates[:, place]
            costs = rates * max(time - own, buffer * own / 2.0)
            kept *= np.exp(-rates * self.tell) / (1.0 + costs)
            late += costs * costs
        unlucky = kept * np.exp(-TAIL * np.sqrt(late))
        time *= self.chance ** (-math.log2(len(times)) / (len(times) - 1))
        return Cautious(units / (time + self.tell), _fidelity(born * kept), fresh, _fidelity(born * unlucky))

    def _waited(self, times: Floats, haste: Floats, buffer: float) -> tuple[Floats, Floats]:
        """What waiting in the repeaters leaves of the correlators, and the variances of what it costs."""
        one = np.maximum.accumulate(times)[:-1] * buffer
        two = np.maximum.accumulate(times[::-1])[::-1][1:] * buffer
        # a half of the left link waits for the right side, behind those that were made before it
        behind = two * (1.0 + (haste[:-1] - 1.0) / 2.0)
        ahead = one * (1.0 + (haste[1:] - 1.0) / 2.0)
        # where a side makes pairs ahead that side may be all that waits
        first = np.where(haste[:-1] == haste[1:], two / (one + two), behind > ahead)
        return _met(first, self.rates[:, 1:-1] * behind, self.rates[:, 1:-1] * ahead)

    def worked(self, lanes: Sequence[int], rounds: int, end_rounds: int) -> Estimate:
        """The mean-field estimate for swaps as soon as possible and rounds of DEJMPS, without cutoff or pumping.

        Args:
            lanes: of each hop.
            rounds: on the pairs of each hop.
            end_rounds: on pairs end to end, where there is more than one hop.

        Equation: see `quantum_fabric.network.estimate`.
        """
        if self.dead:
            return Estimate(0.0, 0.0, 0.0)
        last = len(self.mean)
        needs = np.full(last, 1.0 + rounds)
        needs[[0, -1]] += end_rounds
        shares = np.array(lanes) / needs
        units = max(1.0, float(shares.min()))
        buffer = units**-BUFFER
        times, fresh = self._between.after(
            rounds, self.mean / np.maximum(1.0, shares / units), self.fresh, buffer
        )
        if last == 1:
            state = _fidelity(fresh[:, 0])
            return Estimate(units / float(times[0]), state, state)
        buffer *= STEADY if rounds else 1.0
        waits = times * buffer
        one, two, rates = waits[:-1], waits[1:], self.rates[:, 1:-1]
        kept, late = _met(two / (one + two), rates * two, rates * one)
        spread = float(late[0])
        state = fresh.prod(axis=1) * self.factors * kept
        longest = float(times.max())
        time = longest + (parallel_mean(times.tolist()) - longest) * buffer
        for place in (0, -1):
            own, ends = float(times[place]), self.rates[:, place]
            wait = max(time - own, buffer * own / 2.0)
            state *= np.exp(-ends * self.tell) / (1.0 + ends * wait)
            spread += float(ends[0] * wait) ** 2
        time = time * self.chance ** (-math.log2(last) / (last - 1)) + self.tell
        whole, left = self._across.after(end_rounds, np.array([time]), state[:, None], buffer)
        unlucky = left[:, 0] * self._unlucky(spread * EVENED**end_rounds)
        return Estimate(units / float(whole[0]), _fidelity(left[:, 0]), _fidelity(unlucky))

    def _unlucky(self, spread: float) -> Floats:
        """What is left of a pair that waited longer than nineteen in twenty do."""
        x, _, z = self.rates[:, 0].tolist()
        late = math.exp(-TAIL * math.sqrt(spread))
        return np.array((late, late, late ** (z / x if x > 0.0 else 0.0)))


class Rounds(NamedTuple):
    """Rounds of DEJMPS between the ends of several segments side by side.

    Attributes:
        turn: what the gates of its turn leave of correlators.
        gate: what its CNOTs leave.
        read: half of what its readouts leave.
        rates: decay rates of both halves together (x, y, z; 1/s).
        talk: what ageing leaves (x, y, z) while the ends tell each other.
        time: how long that takes, s.
    """

    turn: Floats
    gate: Floats
    read: Floats
    rates: Floats
    talk: Floats
    time: Floats

    def after(self, rounds: int, times: Floats, state: Floats, buffer: float) -> tuple[Floats, Floats]:
        """Mean times (s) of pairs with so many rounds and their correlators (x, y, z) by segment.

        Args:
            rounds: how many.
            times: of pairs without any, s.
            state: their correlators.
            buffer: see `estimate.BUFFER`.
        """
        for done in range(rounds):
            kept = state * self.turn
            x1, z1, y1 = kept
            x2, z2, y2 = kept * np.exp(-self.rates * times)
            chance = 0.5 + self.read * self.gate * z1 * z2
            good = np.maximum(chance, 1e-300)
            x = 0.5 * x1 * x2 + self.read * y1 * y2
            y = 0.5 * y1 * x2 + self.read * x1 * y2
            z = 0.5 * z1 + self.read * z2
            state = np.array((x, y, z)) * (self.gate / good) * self.talk
            times = (times * longer(done, buffer) + self.time) / np.maximum(chance, 1e-9)
        return times, state


def _rounds(lefts: Sequence[Station], rights: Sequence[Station], way: Floats) -> Rounds:
    """Rounds between stations, so far apart (s)."""
    ends = np.array([[_gates(here) for here in side] for side in (lefts, rights)])
    turn, gate, read, swap = np.moveaxis(ends, 2, 0)
    left, right = (np.array([here.rates for here in side]).T for side in (lefts, rights))
    time = 2.0 * way + swap[0] + swap[1]
    talk = np.exp(-left * time - right * (way + swap[1]))
    return Rounds(turn[0] * turn[1], gate[0] * gate[1], 0.5 * read[0] * read[1], left + right, talk, time)


def _gates(here: Station) -> tuple[float, float, float, float]:
    noise = here.noise
    return (
        1.0 - noise.depolarising_1,
        1.0 - noise.depolarising_2,
        1.0 - noise.readout_error_0 - noise.readout_error_1,
        here.swap_time,
    )


def _met(first: Floats, one: Floats, two: Floats) -> tuple[Floats, Floats]:
    """What the wait of the earlier of two sides leaves at all repeaters together (x, y, z), and the variance of what it costs.

    Args:
        first: chance that it is the left side, by repeater.
        one: what the wait of the left side costs on average (x, y, z), by repeater.
        two: what that of the right side costs.
    """
    rest = 1.0 - first
    mean = first * one + rest * two
    kept = (first / (1.0 + one) + rest / (1.0 + two)).prod(axis=1)
    return kept, (2.0 * (first * one * one + rest * two * two) - mean * mean).sum(axis=1)


def _fidelity(state: Floats) -> float:
    return (1.0 + float(state.sum())) / 4.0


def track(chain: Chain) -> Track:
    """A chain in arrays.

    Args:
        chain: swapping as soon as possible. Memories that do not decay exponentially are taken as such, with its lanes.
    """
    if any(hop.success <= 0.0 for hop in chain.hops):
        return Track(chain.hops, chain.stations, chain.delay)
    chain = exponential(chain)
    return Track(chain.hops, chain.stations, chain.delay)


def cautious(chain: Chain) -> Cautious:
    """A pessimist's estimate of a chain that swaps as soon as possible, without purification and cutoff: see `Track.cautious`.

    Examples:
        >>> from types import SimpleNamespace
        >>> hop = Hop(0.0, 1.0, 0.0, (0.0, 0.0), (0.0, 0.0), (1.0, 1.0, 1.0), 1, 0)
        >>> cautious(SimpleNamespace(hops=(hop,), stations=(), delay=())).rate
        0.0
    """
    return track(chain).cautious([hop.lanes for hop in chain.hops])


def lane_time(hop: Hop) -> float:
    """Mean time of a pair on one lane of a link, the time in which its herald is on the way included, s.

    Examples:
        >>> lane_time(Hop(0.5, 2.0, 0.0, (0.0, 0.0), (5.0, 5.0), (1.0, 1.0, 1.0), 1, 0))  # one failure, then three periods
        8.0
    """
    blocked = (
        max(hop.heard[0] - hop.born[0], hop.heard[1] - hop.born[1]) / hop.period if hop.period > 0.0 else 1.0
    )
    return (1.0 / hop.success - 1.0 + max(1, math.ceil(blocked - 1e-9))) * hop.period
