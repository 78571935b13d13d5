"""What a chain without purification gives in the worst of cases that were seen, in some microseconds for each hop.

The mean-field estimate (`quantum_fabric.network.estimate`) takes each repeater to wait for its own two links. Where links are
unequal that is too little, and a promise needs more:

    blocking    a half waits until the slowest link on its other side has made a pair, however fast the next one is, because memories
                of the next one are taken until then: w at a repeater is the meeting of the slowest to its left and to its right
    queues      a link with h times the lanes of its share makes pairs ahead, and each of them waits for those before it:
                (h - 1) / 2 times longer
    heralds     a lane that succeeds is free again after the whole periods that its herald takes, not after one

Everything else is as in the estimate. Infidelity of fresh pairs and of waiting are told apart, since their margins differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.messages import Correlators
from quantum_fabric.network.chain import Chain, Hop
from quantum_fabric.network.estimate import BUFFER, TAIL, exponential, parallel_mean
from quantum_fabric.physics.correlators import aged, fidelity


@dataclass(frozen=True, slots=True)
class Cautious:
    """Rate (1/s), mean fidelity, fidelity of fresh pairs that nobody waits for, and what nineteen in twenty pairs reach."""

    rate: float
    fidelity: float
    fresh: float
    usual: float


def cautious(chain: Chain) -> Cautious:
    """A pessimist's estimate of a chain that swaps as soon as possible, without purification and cutoff.

    Args:
        chain: see there.

    Limits:
        Not a bound: the margins of `quantum_fabric.network.swift` come on top.

    Examples:
        >>> from types import SimpleNamespace
        >>> hop = Hop(0.0, 1.0, 0.0, (0.0, 0.0), (0.0, 0.0), (1.0, 1.0, 1.0), 1, 0)
        >>> cautious(SimpleNamespace(hops=(hop,))).rate
        0.0
    """
    if any(hop.success <= 0.0 for hop in chain.hops):
        return Cautious(0.0, 0.0, 0.0, 0.0)
    chain = exponential(chain)
    units = max(1, min(hop.lanes for hop in chain.hops))
    haste = [hop.lanes / units for hop in chain.hops]
    times = [lane_time(hop) / more for hop, more in zip(chain.hops, haste, strict=True)]
    x, y, z = _born(chain)
    fresh = fidelity((x, y, z))
    if len(times) == 1:
        return Cautious(units / times[0], fresh, fresh, fresh)
    buffer = units**-BUFFER
    longest = max(times)
    time = longest + (parallel_mean(times) - longest) * buffer
    kept, spread = _waited(chain, times, haste, buffer)
    tell = _telling(chain)
    for end, own in ((chain.stations[0], times[0]), (chain.stations[-1], times[-1])):
        wait = max(time - own, buffer * own / 2.0)
        for axis in (0, 1):
            rate = end.rates[2 * axis]
            kept[axis] *= math.exp(-rate * tell) / (1.0 + rate * wait)
            spread[axis] += (rate * wait) ** 2
    mean = fidelity((x * kept[0], y * kept[0], z * kept[1]))
    late = [keep * math.exp(-TAIL * math.sqrt(each)) for keep, each in zip(kept, spread, strict=True)]
    usual = fidelity((x * late[0], y * late[0], z * late[1]))
    inner = chain.stations[1:-1]
    chance = math.prod(here.swap_success for here in inner)
    time *= chance ** (-math.log2(len(times)) / len(inner))
    return Cautious(units / (time + tell), mean, fresh, usual)


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


def _born(chain: Chain) -> Correlators:
    """Correlators of fresh pairs that are swapped at once."""
    x = y = z = 1.0
    for hop, left, right in zip(chain.hops, chain.stations, chain.stations[1:], strict=False):
        state = aged(hop.fresh, left.rates, hop.heard[0] - hop.born[0])
        a, b, c = aged(state, right.rates, hop.heard[1] - hop.born[1])
        x, y, z = x * a, y * b, z * c
    for here in chain.stations[1:-1]:
        a, b, c = here.factors
        x, y, z = x * a, y * b, z * c
    return (x, y, z)


def _waited(
    chain: Chain, times: list[float], haste: list[float], buffer: float
) -> tuple[list[float], list[float]]:
    """What waiting in the repeaters leaves of the coherences and of the populations, and the variances of what it costs."""
    kept, spread = [1.0, 1.0], [0.0, 0.0]
    lefts, rights = _slowest(times), _slowest(times[::-1])[::-1]
    for at in range(1, len(times)):
        rates = chain.stations[at].rates
        one, two = lefts[at - 1] * buffer, rights[at] * buffer
        # a half of the left link waits for the right side, behind those that were made before it
        behind = two * (1.0 + (haste[at - 1] - 1.0) / 2.0)
        ahead = one * (1.0 + (haste[at] - 1.0) / 2.0)
        first = two / (one + two)
        # where a side makes pairs ahead that side may be all that waits
        worst = 1.0 if behind > ahead else 0.0
        first = worst if haste[at - 1] != haste[at] else first
        for axis in (0, 1):
            a, b = rates[2 * axis] * behind, rates[2 * axis] * ahead
            kept[axis] *= first / (1.0 + a) + (1.0 - first) / (1.0 + b)
            mean = first * a + (1.0 - first) * b
            spread[axis] += 2.0 * (first * a * a + (1.0 - first) * b * b) - mean * mean
    return kept, spread


def _slowest(times: list[float]) -> list[float]:
    """The greatest so far."""
    found, most = [], 0.0
    for each in times:
        most = max(most, each)
        found.append(most)
    return found


def _telling(chain: Chain) -> float:
    """Time until both ends have heard of the last swap, s."""
    last = len(chain.hops)
    far = max(max(chain.delay[at][0], chain.delay[at][last]) for at in range(1, last))
    return far + max(here.swap_time for here in chain.stations[1:-1])
