"""Rate and fidelity of a chain in microseconds: a mean-field estimate that ranks candidates before they are sampled.

Every waiting time is taken to be exponential with its mean, and waits at different repeaters to be independent:

    parallel links      E[max] = ∫ 1 - Π (1 - exp(-t/T_i)) dt      (as soon as possible)
    two segments        T = T1 + T2 - T1 T2 / (T1 + T2)            (nested)
    the earlier waits   E[exp(-r w)] = 1 / (1 + r T_later)
    purification        1.5 times the time of a pair for the first round, 1.6 times for each later one (a round begins
                        while the last is made), over the chance of success; less with many lanes
    pumping             a fresh pair for each round after the first, for which the kept one waits
    failing swaps       T / q for two segments, hence T q^-log2(n) for n
    cutoff c            T (1 + 2 s) / (3 s), s = 1 - exp(-c/T): physics §3 for p -> 0
    memories            a decay that is no exponential, and attempts beside a half, count as the exponential that agrees with
                        them over the mean time of the slowest link; retrieval is taken at that age
    lanes               units of work side by side wait less for each other, see `BUFFER`

Limits:
    Rates come out within a factor of 2, fidelities within a few per
    cent of their infidelity: good for ranking, not for promising. The forecast samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from quantum_fabric.messages import Correlators
from quantum_fabric.network.chain import Chain, Station
from quantum_fabric.network.scheme import Turns
from quantum_fabric.physics.correlators import aged, fidelity, purified
from quantum_fabric.physics.fading import mean_rate
from quantum_fabric.physics.frames import ROTATIONS, Rotation
from quantum_fabric.physics.rotations import best_rotation

BUFFER = 0.6
"""With so many units side by side, waits for each other shrink as units^-0.6 (read off the sampler; 0.5 is a random walk)."""

STEADY = 0.7
"""Coefficient of variation of the time of a purified pair, roughly: it is made of several random times."""

TAIL = 1.7
"""Standard deviations of the waiting cost from the mean to the last twentieth: 2 for one exponential wait, 1.6 for many, less
because the mean itself is pulled by the tail (read off the sampler)."""

EVENED = 0.2
"""What a round of purification leaves of the spread: two pairs are seldom both late."""

_NODES = np.logspace(-4.0, 1.7, 96)
"""Times, in units of the longest mean, on which the parallel mean is integrated."""

_STEPS = np.diff(_NODES)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Deliveries per second, mean fidelity, and the fidelity that nineteen in twenty deliveries reach, roughly.

    ``turns`` are the rotations before the rounds of purification, as found or as the chain states them.
    """

    rate: float
    fidelity: float
    usual: float
    turns: Turns = ()


class _Turning:
    """Rotations as they are found, round after round, or as the chain states them."""

    def __init__(self, chain: Chain, find: bool) -> None:
        self.find = find
        self.rotations: dict[tuple[int, int], tuple[Rotation, ...]] = {}
        if not find:
            self.rotations = {(low, high): rotations for low, high, rotations in chain.turns}

    def round(
        self, chain: Chain, work: tuple[int, int, int], done: int, keep: Correlators, spent: Correlators
    ) -> tuple[float, Correlators]:
        """One round on a segment (left, right, rounds in all): chance of success and what it leaves."""
        place, left = work[:2], work[2] - done
        kind, noise = chain.distillation, (chain.stations[place[0]].noise, chain.stations[place[1]].noise)
        stated = self.rotations.get(place, ())
        if self.find:
            rotation, chance, state = best_rotation(
                keep, spent, kind, *noise, "fidelity", left, spent if chain.pumped else None
            )
            self.rotations[place] = (*stated[:done], rotation)
            return chance, state
        return purified(keep, spent, kind, *noise, None, stated[done] if done < len(stated) else None)

    def unusual(self, kind: str) -> Turns:
        """Segments on which not every round makes the recurrence's own rotation."""
        own = ROTATIONS[kind]
        return tuple(
            (*place, rotations)
            for place, rotations in sorted(self.rotations.items())
            if any(each != own for each in rotations)
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """A segment: mean time (s), mean state when both ends know of it, variance of -log x, which is how long it waited."""

    time: float
    state: Correlators
    spread: float = 0.0


def estimate(chain: Chain, find: bool = False) -> Estimate:
    """Mean-field estimate of a chain.

    Args:
        chain: any.
        find: find the best rotation before each round of purification, whatever the chain states.

    Returns:
        Rate 0 and the fidelity of fresh pairs where a link never succeeds.
    """
    if any(hop.success <= 0.0 for hop in chain.hops):
        return Estimate(0.0, 0.0, 0.0)
    chain = exponential(chain)
    shares = [hop.lanes / need for hop, need in zip(chain.hops, _needs(chain), strict=True)]
    units = max(1.0, min(shares))
    turning = _Turning(chain, find)
    # a hop with more lanes than its neighbours (a slower one) makes pairs for several units' worth in the time of one
    parts = _leaves(chain, units**-BUFFER, turning, [max(1.0, share / units) for share in shares])
    # pairs that are made of several come more regularly than single ones
    buffer = units**-BUFFER * (STEADY if any(hop.rounds for hop in chain.hops) else 1.0)
    whole = (_nested if chain.nested else _asap)(chain, parts, buffer, turning)
    turns = turning.unusual(chain.distillation)
    return Estimate(units / whole.time, fidelity(whole.state), fidelity(_unlucky(chain, whole)), turns)


def exponential(chain: Chain) -> Chain:
    """The same chain with memories that decay at one rate each."""
    if all(node.memory.simple and node.memory.lossless for node in chain.stations):
        return chain
    wait = max(hop.mean_time / hop.lanes for hop in chain.hops) + max(map(max, chain.delay))
    stations = []
    for index, node in enumerate(chain.stations):
        beside = [hop for hop in chain.hops[max(0, index - 1) : index + 1] if hop.period > 0.0]
        # one of the lanes is at rest: it made the half
        attempts = math.fsum(hop.lanes / hop.period for hop in beside)
        attempts -= math.fsum(1.0 / hop.period for hop in beside) / max(1, len(beside))
        rate = mean_rate(node.memory, wait, attempts)
        given = node.memory.retrieved(wait) * node.memory.retrieval
        stations.append(
            replace(
                node, rates=(rate, rate, node.rates[2]), swap_success=max(node.swap_success * given, 1e-12)
            )
        )
    return replace(chain, stations=tuple(stations))


def _unlucky(chain: Chain, whole: _Part) -> Correlators:
    """State of a pair that waited longer than nineteen in twenty do."""
    late = math.exp(-TAIL * math.sqrt(whole.spread))
    x, y, z = whole.state
    rate_x, _, rate_z = chain.stations[0].rates
    return (x * late, y * late, z * late ** (rate_z / rate_x if rate_x > 0.0 else 0.0))


def parallel_mean(times: list[float]) -> float:
    """Mean of the latest of independent exponential times (in their unit).

    Limits:
        By the trapezium rule on a fixed grid; relative error below 1 % for up to 1,000 times.

    Examples:
        >>> round(parallel_mean([1.0, 1.0]), 2)
        1.5
    """
    scale = max(times)
    values: dict[float, int] = {}
    for time in times:
        values[time] = values.get(time, 0) + 1
    shares = -scale / np.array(list(values))
    below = np.prod((-np.expm1(_NODES * shares[:, None])) ** np.array(list(values.values()))[:, None], axis=0)
    rest = 1.0 - below
    return scale * float(_NODES[0] + np.dot(rest[1:] + rest[:-1], _STEPS) / 2.0)


def _needs(chain: Chain) -> list[int]:
    """Lanes that one unit of work occupies on each hop."""
    most = 1 if chain.pumped else math.inf
    extra = min(chain.end_rounds, most) if not chain.nested else 0
    last = len(chain.hops) - 1
    needs = [
        1 + min(hop.rounds, most) + (extra if index in (0, last) else 0)
        for index, hop in enumerate(chain.hops)
    ]
    for _, left, right, rounds in chain.joins if chain.nested else ():
        needs[left] += min(rounds, most)
        if right - 1 != left:
            needs[right - 1] += min(rounds, most)
    return [int(need) for need in needs]


def _leaves(chain: Chain, buffer: float, turning: _Turning, haste: list[float]) -> list[_Part]:
    """Elementary pairs of all hops, so many times faster than on one lane each; equal hops between equal nodes are worked out once."""
    made: dict[tuple[int, int, int, float, float], tuple[_Part, int]] = {}
    parts = []
    for index, hop in enumerate(chain.hops):
        key = (
            id(hop),
            id(chain.stations[index]),
            id(chain.stations[index + 1]),
            chain.delay[index][index + 1],
            haste[index],
        )
        if key not in made:
            made[key] = (_leaf(chain, index, buffer, turning, haste[index]), index)
        part, first = made[key]
        if turning.find and (first, first + 1) in turning.rotations:
            turning.rotations[index, index + 1] = turning.rotations[first, first + 1]
        parts.append(part)
    return parts


def _leaf(chain: Chain, index: int, buffer: float, turning: _Turning, haste: float) -> _Part:
    hop, left, right = chain.hops[index], chain.stations[index], chain.stations[index + 1]
    state = aged(hop.fresh, left.rates, hop.heard[0] - hop.born[0])
    part = _Part(hop.mean_time / haste, aged(state, right.rates, hop.heard[1] - hop.born[1]))
    return _purified(chain, part, (index, index + 1, hop.rounds), buffer, turning)


def _purified(
    chain: Chain, part: _Part, work: tuple[int, int, int], buffer: float, turning: _Turning
) -> _Part:
    """A segment (low, high) after so many rounds."""
    low, high, rounds = work
    left, right, way = chain.stations[low], chain.stations[high], chain.delay[low][high]
    fresh = part
    for done in range(rounds):
        pumped = chain.pumped and done > 0
        wait = fresh.time if pumped else part.time
        older = aged(aged(part.state, left.rates, wait), right.rates, wait)
        keep, spent = (older, fresh.state) if pumped else (part.state, older)
        chance, state = turning.round(chain, work, done, keep, spent)
        talk = 2.0 * way + left.swap_time + right.swap_time
        state = aged(state, left.rates, talk)
        state = aged(state, right.rates, way + right.swap_time)
        both = part.time + fresh.time if pumped else part.time * longer(done, buffer)
        part = _Part((both + talk) / max(chance, 1e-9), state, EVENED * part.spread)
    return part


def longer(done: int, buffer: float) -> float:
    """So many times longer than a pair takes one with a further round, after so many.

    Examples:
        >>> longer(0, 1.0), longer(1, 1.0)
        (1.5, 1.6)
    """
    return 1.0 + 0.5 * buffer if done == 0 else 1.35 + 0.25 * buffer


def growth(rounds: int, buffer: float, pumped: bool) -> float:
    """So many times longer than a pair takes a pair after so many rounds, if none ever fails and news takes no time.

    Examples:
        >>> growth(2, 1.0, False), growth(2, 1.0, True), growth(0, 1.0, False)
        (2.4000000000000004, 2.5, 1.0)
    """
    if pumped and rounds:
        return longer(0, buffer) + rounds - 1
    return math.prod((longer(done, buffer) for done in range(rounds)), start=1.0)


def _wait(rate: float, time: float, cutoff: float | None) -> float:
    """Mean of exp(-rate w) for an exponential wait w with mean ``time``, given that it is below the cutoff."""
    if cutoff is None:
        return 1.0 / (1.0 + rate * time)
    inside = -math.expm1(-cutoff / time)
    return -math.expm1(-(rate + 1.0 / time) * cutoff) / inside / (1.0 + rate * time)


def _meeting(
    one: tuple[float, Correlators], two: tuple[float, Correlators], cutoff: float | None
) -> Correlators:
    """Factor for the wait of the earlier of two segments, each given as (time, rates of what ages)."""
    first = two[0] / (one[0] + two[0])
    x, y, z = (
        first * _wait(a, two[0], cutoff) + (1.0 - first) * _wait(b, one[0], cutoff)
        for a, b in zip(one[1], two[1], strict=True)
    )
    return (x, y, z)


def _meeting_spread(one: tuple[float, float], two: tuple[float, float], cutoff: float | None) -> float:
    """Variance of what the wait of the earlier of two segments costs, each given as (time, rate of what ages)."""
    first = two[0] / (one[0] + two[0])
    a, b = one[1] * two[0], two[1] * one[0]
    if cutoff is not None:
        a, b = min(a, 0.4 * one[1] * cutoff), min(b, 0.4 * two[1] * cutoff)
    mean = first * a + (1.0 - first) * b
    return 2.0 * (first * a * a + (1.0 - first) * b * b) - mean * mean


def _slowdown(one: float, two: float, cutoff: float | None) -> float:
    if cutoff is None:
        return 1.0
    inside = -math.expm1(-2.0 * cutoff / (one + two))
    return (1.0 + 2.0 * inside) / (3.0 * inside)


def _times(*states: Correlators) -> Correlators:
    x = y = z = 1.0
    for a, b, c in states:
        x, y, z = x * a, y * b, z * c
    return (x, y, z)


def _rates(*stations: Station) -> Correlators:
    x, y, z = (math.fsum(station.rates[axis] for station in stations) for axis in range(3))
    return (x, y, z)


def _nested(chain: Chain, parts: list[_Part], buffer: float, turning: _Turning) -> _Part:
    made = {(index, index + 1): part for index, part in enumerate(parts)}
    for at, low, high, rounds in chain.joins:
        one, two = made[low, at], made[at, high]
        left, here, right = chain.stations[low], chain.stations[at], chain.stations[high]
        waits = (one.time * buffer, two.time * buffer)
        rates = (_rates(left, here), _rates(here, right))
        met = _meeting((waits[0], rates[0]), (waits[1], rates[1]), chain.cutoff)
        spread = _meeting_spread((waits[0], rates[0][0]), (waits[1], rates[1][0]), chain.cutoff)
        state = _times(one.state, two.state, met, here.factors)
        tell = (chain.delay[at][low] + here.swap_time, chain.delay[at][high] + here.swap_time)
        state = aged(aged(state, left.rates, tell[0]), right.rates, tell[1])
        later = one.time + two.time - one.time * two.time / (one.time + two.time)
        longest = max(one.time, two.time)
        time = (longest + (later - longest) * buffer) * _slowdown(*waits, chain.cutoff)
        whole = _Part((time + max(tell)) / here.swap_success, state, one.spread + two.spread + spread)
        made[low, high] = _purified(chain, whole, (low, high, rounds), buffer, turning)
    return made[0, len(parts)]


def _asap(chain: Chain, parts: list[_Part], buffer: float, turning: _Turning) -> _Part:
    last = len(parts)
    if last == 1:
        return parts[0]
    times = [part.time for part in parts]
    longest = max(times)
    time = longest + (parallel_mean(times) - longest) * buffer
    factors: list[Correlators] = [part.state for part in parts]
    slow, chance = 1.0, 1.0
    spread = math.fsum(part.spread for part in parts)
    known: dict[tuple[float, float, int], tuple[Correlators, float, float]] = {}
    for at in range(1, last):
        here = chain.stations[at]
        one, two = times[at - 1] * buffer, times[at] * buffer
        key = (one, two, id(here))
        if key not in known:
            met = _meeting((one, here.rates), (two, here.rates), chain.cutoff)
            late = _meeting_spread((one, here.rates[0]), (two, here.rates[0]), chain.cutoff)
            known[key] = (_times(met, here.factors), _slowdown(one, two, chain.cutoff), late)
        factors.append(known[key][0])
        slow *= known[key][1]
        spread += known[key][2]
        chance *= here.swap_success
    tell = max(max(chain.delay[at][0], chain.delay[at][last]) for at in range(1, last))
    tell += max(here.swap_time for here in chain.stations[1:-1])
    state = _times(*factors)
    # an end waits for the others; where a cutoff breaks the chain it starts anew, too
    reach = None if chain.cutoff is None else chain.cutoff * max(1.0, (last - 1) / 2.0)
    for end, own in ((chain.stations[0], times[0]), (chain.stations[last], times[-1])):
        wait = max(time - own, buffer * own / 2.0)
        x, y, z = (value * _wait(rate, wait, reach) for value, rate in zip(state, end.rates, strict=True))
        state = aged((x, y, z), end.rates, tell)
        spread += (end.rates[0] * min(wait, math.inf if reach is None else 0.4 * reach)) ** 2
    time *= slow * chance ** (-math.log2(last) / (last - 1))
    return _purified(chain, _Part(time + tell, state, spread), (0, last, chain.end_rounds), buffer, turning)
