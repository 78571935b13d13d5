"""Chains of three and more links that swap as soon as possible.

Swaps that cannot fail: the delivery waits for the slowest link, and the state follows from which links are there and which are
not, one attempt of one link after the other; grids may differ from link to link.

Swaps that may fail: the chain of `quantum_fabric.network.exact.segments`, which wants links in step and messages without delay.
"""

from __future__ import annotations

import heapq
import math

import numpy as np

from quantum_fabric.network.chain import Chain, Hop
from quantum_fabric.network.exact.law import Law
from quantum_fabric.network.exact.segments import MOST_LINKS, Row
from quantum_fabric.network.exact.segments import law as segments_law
from quantum_fabric.network.exact.series import Array, Series, fitted
from quantum_fabric.network.exact.timed import in_step, together
from quantum_fabric.physics.correlators import Correlators, aged, product

MOST = 10
"""Links with swaps that cannot fail: two to the power of this are the states."""

ATTEMPTS = 4_000
"""Attempts of all links that are followed before several are taken as one."""

LATER = 1e-10
"""Share of the deliveries that is left to the tail."""

PICO = 1e12


def suits(chain: Chain) -> bool:
    """Whether this is a chain for here."""
    return not chain.nested and len(chain.hops) > 2


def why_not(chain: Chain) -> str:
    """Why there is no exact law; empty if there is one."""
    hops, inner = chain.hops, chain.stations[1:-1]
    if chain.cutoff is not None:
        return "a cutoff with swaps as soon as possible"
    if chain.end_rounds or any(hop.rounds for hop in hops):
        return "purification with swaps as soon as possible"
    if all(station.swap_success >= 1.0 for station in inner):
        return "" if len(hops) <= MOST else f"more than {MOST} links with swaps as soon as possible"
    if len(hops) > MOST_LINKS:
        return f"more than {MOST_LINKS} links with swaps as soon as possible that may fail"
    first = hops[0]
    alike = all((hop.period, hop.heard) == (first.period, first.heard) for hop in hops)
    if not alike or first.heard[0] != first.heard[1] or any(hop.lanes > 1 for hop in hops):
        return "swaps as soon as possible that may fail, and links out of step"
    if len({round(chain.begun(index) * PICO) for index in range(len(hops))}) > 1:
        return "swaps as soon as possible that may fail, and links that begin at different times"
    if any(map(any, chain.delay)) or any(station.swap_time > 0.0 for station in inner):
        return "swaps as soon as possible that may fail, and messages or swaps that take time"
    if any(first.heard[0] - min(hop.born) > hop.period * (1.0 + 1e-12) for hop in hops):
        return "swaps as soon as possible that may fail, and slots that miss the next attempt"
    return ""


def law(chain: Chain, tick: int, most: int) -> tuple[Law, tuple[str, ...]]:
    """Law of the first delivery, and what it takes otherwise than the twin does.

    Args:
        chain: with an empty `why_not`.
        tick: ps that divide all times of the chain.
        most: ticks up to which times are kept exactly.
    """
    if any(station.swap_success < 1.0 for station in chain.stations[1:-1]):
        return _failing(chain), ()
    return _sure(chain, tick, most)


def _failing(chain: Chain) -> Law:
    hop = chain.hops[0]
    heard, period = hop.heard[0], hop.period
    states = [_ready(chain, index, heard) for index in range(len(chain.hops))]
    inner = chain.stations[1:-1]
    found = segments_law(
        Row(
            tuple(each.success for each in chain.hops),
            tuple(states),
            tuple(station.swap_success for station in inner),
            tuple(station.factors for station in inner),
            tuple(
                (station.rates[0] * period, station.rates[1] * period, station.rates[2] * period)
                for station in chain.stations
            ),
        )
    )
    # step k ends k - 1 periods and a herald after the start: the unit is what divides both
    begun = chain.begun(0)
    unit = math.gcd(round(period * PICO), round(heard * PICO), round(begun * PICO))
    stretch, lag = (
        round(period * PICO) // unit,
        (round((heard + begun) * PICO) - round(period * PICO)) // unit,
    )
    values = np.zeros((4, (found.ticks - 1) * stretch + 1))
    values[:, ::stretch] = found.values
    wide = np.concatenate([values, np.zeros((4, stretch - 1))], axis=1)
    return Law(Series(wide, found.block * stretch, found.ratio, found.error).shifted(lag), unit / PICO)


def _sure(chain: Chain, tick: int, most: int) -> tuple[Law, tuple[str, ...]]:
    remarks = []
    hops = chain.hops
    last = len(hops)
    if any(hop.heard[0] != hop.heard[1] for hop in hops):
        remarks.append("links are taken to be ready when both ends have heard")
    if not all(in_step(hop) for hop in hops):
        remarks.append("lanes are taken to attempt at the same time")
    tells = [
        max(
            max(chain.delay[node][0], chain.delay[node][last]) + chain.stations[node].swap_time
            for node in (index, index + 1)
            if 0 < node < last
        )
        for index in range(last)
    ]
    tell = max(tells)
    if max(tells) - min(tells) > 1e-13 or len({s.swap_time for s in chain.stations[1:-1]}) > 1:
        remarks.append("all swaps are taken to be heard of as late as the outermost")
    grouped = max(
        1, math.ceil(sum(16.0 * max(h.mean_time for h in hops) / h.period for h in hops) / ATTEMPTS)
    )
    if grouped > 1:
        remarks.append(f"{grouped} attempts are taken as one, in the middle of their time")
    times, weights = _followed(chain, grouped, tell)
    step = tick
    if times[-1] * PICO / tick > most or grouped > 1:
        step = max(tick, round(times[-1] * PICO / 16384))
        if grouped == 1:
            remarks.append(f"times are rounded to {step / PICO:.3g} s")
    return Law(_gridded(times, weights, step / PICO), step / PICO, 0.0 if step == tick else 1.0), tuple(
        remarks
    )


def _followed(chain: Chain, grouped: int, tell: float) -> tuple[Array, Array]:
    """Times (s) and weights, shape (4, times), of deliveries, attempt after attempt."""
    hops, stations = chain.hops, chain.stations
    count = len(hops)
    rates = np.array([station.rates for station in stations])
    there = (np.arange(1 << count)[:, None] >> np.arange(count)) & 1
    waits = np.concatenate([there[:, :1], there[:, :-1] ^ there[:, 1:], there[:, -1:]], axis=1)
    loss = np.concatenate([np.zeros((1, 1 << count)), (waits @ rates).T])
    loss[:, -1] = 0.0
    now = np.zeros((4, 1 << count))
    now[:, 0] = 1.0
    fades: dict[float, Array] = {}
    plans = [_plan(chain, index, grouped) for index in range(count)]
    queue = [(ready, index) for index, (ready, _, _, _) in enumerate(plans)]
    heapq.heapify(queue)
    times: list[float] = []
    weights: list[Array] = []
    time, left = 0.0, 1.0
    while left > LATER and len(times) < 40 * ATTEMPTS:
        at, index = heapq.heappop(queue)
        _, period, chance, state = plans[index]
        heapq.heappush(queue, (at + period, index))
        gap = round((at - time) * PICO) / PICO
        if gap > 0.0:
            if gap not in fades:
                fades[gap] = np.exp(-loss * gap)
            now *= fades[gap]
        time = at
        view = now.reshape(4, 1 << (count - 1 - index), 2, 1 << index)
        comes = view[:, :, 0] * chance
        view[:, :, 0] -= comes
        view[:, :, 1] += comes * state[:, None, None]
        if now[0, -1] > 0.0:
            times.append(at + tell)
            weights.append(now[:, -1].copy())
            left -= float(now[0, -1])
            now[:, -1] = 0.0
    final = _final(chain, tell)
    return np.array(times), np.array(weights).T * np.array([1.0, *final])[:, None]


def _final(chain: Chain, tell: float) -> tuple[float, float, float]:
    """What swaps, and the time until both ends have heard of all, leave."""
    state = (1.0, 1.0, 1.0)
    for station in chain.stations[1:-1]:
        twice = (2.0 * station.rates[0], 2.0 * station.rates[1], 2.0 * station.rates[2])
        state = product(state, aged(station.factors, twice, station.swap_time))
    for end in (chain.stations[0], chain.stations[-1]):
        state = aged(state, end.rates, tell)
    return state


def _ready(chain: Chain, index: int, ready: float) -> Correlators:
    """State of a link so long after the start of its attempt."""
    hop = chain.hops[index]
    state = hop.fresh
    for side in (0, 1):
        state = aged(state, chain.stations[index + side].rates, ready - hop.born[side])
    return state


def _plan(chain: Chain, index: int, grouped: int) -> tuple[float, float, float, Array]:
    """First success, time between attempts (s), chance and state of a link."""
    hop: Hop = chain.hops[index]
    period, success = together(hop)
    ready = max(hop.heard)
    state = _ready(chain, index, ready)
    ready += chain.begun(index)
    if grouped > 1:
        ready += (grouped - 1) / 2.0 * period
        period, success = grouped * period, 1.0 - (1.0 - success) ** grouped
    return ready, period, success, np.array([1.0, *state])


def _gridded(times: Array, weights: Array, tick: float) -> Series:
    """Deliveries on a grid: where times lie between its points they are spread over the two around them."""
    at = times / tick
    whole = np.floor(at + 1e-6).astype(np.intp)
    part = np.clip(at - whole, 0.0, 1.0)
    part[part < 1e-6] = 0.0
    size = int(whole[-1]) + 2
    values = np.stack(
        [
            np.bincount(whole, each * (1.0 - part), size) + np.bincount(whole + 1, each * part, size)
            for each in weights
        ]
    )
    if not part.any():
        values = values[:, : int(whole[-1]) + 1]
        lattice = (
            int(np.gcd.reduce(np.diff(np.flatnonzero(values[0])))) if np.count_nonzero(values[0]) > 2 else 1
        )
        return fitted(values, lattice) if lattice * 16 <= size else fitted(values)
    return fitted(values)
