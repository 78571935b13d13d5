"""The law of the first delivery of a chain, by the best method that applies, as the record that crosses the seam.

    closed form    nothing fails: the latest of independent geometric times (`quantum_fabric.network.exact.product`)
    convolution    trees of links, swaps, cutoffs and purification (`quantum_fabric.network.exact.tree`)
    Markov chain   swaps as soon as possible that may fail (`quantum_fabric.network.exact.segments`)
    rehearsal      everything else: a sample of the executor's rules

An exact method answers only if it leaves nothing out of what the twin does, or nothing that matters (`MINOR`); what it leaves
out, or why the sample had to answer, is in the law. Samples have fixed keys, so the same chain always has the same law.

Limits:
    Shares of exact laws are off by at most `DeliveryLaw.error`; on chains whose law would be too long on the exact grid, times are
    off by up to `DeliveryLaw.grain`. Sampled shares stay within `error` in nineteen of twenty samples (Dvoretzky, Kiefer, Wolfowitz,
    with Massart's constant), and their last points are single samples. Low fidelities are sampled unless all pairs are alike, and
    so are mean fidelities by time of plain chains of more than two links that are swapped as soon as possible.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from quantum_fabric.messages import DeliveryLaw
from quantum_fabric.network import pipeline, rehearsal
from quantum_fabric.network.chain import Chain
from quantum_fabric.network.exact import Law, Solution, bounds, solve, why_not
from quantum_fabric.network.exact.asap import suits as swaps_at_once
from quantum_fabric.network.exact.product import latest
from quantum_fabric.network.exact.timed import simple
from quantum_fabric.physics.bounds import plob
from quantum_fabric.physics.noise import MemoryNoise
from quantum_fabric.units import SECOND, Time, from_seconds

LEVELS = (
    0.001, 0.01, 0.02, *(0.05 * k for k in range(1, 19)),
    0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 0.999, 0.9999, 0.99999, 0.999999,
)  # fmt: skip
"""Shares at which a law is given, where it is not a step there."""

REPLICAS = 4_096
"""Empty chains from which the states of long plain chains are averaged."""

STARTS, START_EVENTS = 400, 30_000
"""Cold starts of a rehearsal, and events after which no further one is begun."""

LONGEST = 1e6
"""Times are reported up to this many seconds, which is as good as never (integers stay small)."""

DOUBT = 0.05
"""Share of samples that may stray further than the stated error."""

MINOR = {
    "links within a segment run ahead of a swap that may fail: they start anew with it here": 0.02,
    "links out of step on a coarse grid: what starts anew waits half a period for its own grid": 0.02,
}
"""What an exact method may leave out, and by how much shares may then be off (C: 1 % and 3 % in the mean, see `exact.solve`)."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """What a method answers.

    Attributes:
        law: the record.
        mean: mean time to the first delivery, set-up included, s.
        rate: deliveries per second, where each delivery is a fresh start of which the law is known; else None.
        fidelity: their mean fidelity; else None.
    """

    law: DeliveryLaw
    mean: float
    rate: float | None
    fidelity: float | None


@dataclass(frozen=True, slots=True)
class Stream:
    """What is known of a long stream beside the first delivery.

    Attributes:
        gap_deviation: s for each delivery.
        low_fidelities: what all but 1 %, 5 %, 50 % reach.
    """

    gap_deviation: float
    low_fidelities: tuple[float, float, float]


def delivered(chain: Chain, stream: Stream, transmissions: Sequence[float] = ()) -> Found:
    """The law of a chain of which every link may succeed.

    Args:
        chain: any.
        stream: of the same chain, sampled or exact.
        transmissions: of the light of each hop, for the bound that they set.
    """
    if chain.plain:
        return _plain(chain, stream, transmissions)
    timed = _timed(chain)
    solution = _solved(timed)
    left_out = (why_not(timed) or "its law would be too long",) if solution is None else _serious(solution)
    if solution is not None and set(left_out) <= set(MINOR):
        if timed is chain:
            return _exact(chain, solution, left_out, stream, transmissions)
        found = _exact(timed, solution, left_out, stream, transmissions)
        cold = rehearsal.firsts(chain, STARTS, START_EVENTS)
        times, states = (np.array(column) for column in zip(*cold, strict=True))
        means = _binned(np.array(found.law.times) / SECOND - chain.origin, times, states)
        law = replace(found.law, fidelities=tuple(means.round(9).tolist()))
        return replace(found, law=law, fidelity=None)
    cold = rehearsal.firsts(chain, STARTS, START_EVENTS)
    times, fidelities = (np.array(column) for column in zip(*cold, strict=True))
    return _sampled(chain, times, fidelities, ("rehearsal", left_out), stream, transmissions)


def _timed(chain: Chain) -> Chain:
    """A chain with the same times that an exact method may take: what fades does not matter if nothing is purified or lost."""
    rounds = [hop.rounds for hop in chain.hops] + [join[3] for join in chain.joins] + [chain.end_rounds]
    stations = chain.stations
    if any(rounds) or not all(node.memory.lossless for node in stations) or all(map(simple, stations)):
        return chain
    plain = [replace(node, memory=MemoryNoise(node.memory.t1, node.memory.t2)) for node in stations]
    return replace(chain, stations=tuple(plain))


@lru_cache(maxsize=8)  # laws are megabytes
def _solved(chain: Chain) -> Solution | None:
    return solve(chain)


def _serious(solution: Solution) -> tuple[str, ...]:
    """Remarks beyond the rounding of times, of which the law says by how much."""
    return tuple(each for each in solution.remarks if not each.startswith("times are rounded"))


def ceiling(chain: Chain, transmissions: Sequence[float] = ()) -> float:
    """Deliveries per second that no use of these links exceeds: their successes, and PLOB where transmissions are given.

    Examples:
        >>> from quantum_fabric.network.chain import Hop
        >>> hop = Hop(0.1, 1e-3, 0.0, (0.0, 0.0), (0.0, 0.0), (1.0, 1.0, 1.0), 2, 0)
        >>> still = Chain((hop,), (), (), (), False, 0, "dejmps", None, 0.0)
        >>> ceiling(still), round(ceiling(still, (0.01,)), 3)
        (200.0, 28.999)
    """
    made = min(hop.lanes * hop.success / hop.period for hop in chain.hops)
    if not transmissions:
        return made
    bits: list[float] = plob(transmissions).tolist()
    return min(made, *(hop.lanes / hop.period * each for hop, each in zip(chain.hops, bits, strict=True)))


def _record(
    chain: Chain,
    points: tuple[Array, Array, Array],
    how: tuple[str, tuple[str, ...], float, float],
    deviation: float,
    stream: Stream,
    transmissions: Sequence[float],
) -> DeliveryLaw:
    """The record of points (times from when links may start, shares, fidelities) with (method, reasons, error, grain in s)."""
    method, reasons, error, grain = how
    times: list[Time] = [from_seconds(min(LONGEST, chain.origin + time)) for time in points[0].tolist()]
    promised = bounds(chain).three_over_two
    return DeliveryLaw(
        method=method,
        reasons=reasons,
        times=tuple(times),
        shares=tuple(math.floor(share * 1e9) / 1e9 for share in points[1].tolist()),
        fidelities=tuple(round(min(1.0, value), 9) for value in points[2].tolist()),
        deviation=deviation,
        gap_deviation=stream.gap_deviation,
        low_fidelities=stream.low_fidelities,
        error=float(f"{error:.2g}"),
        grain=round(grain * SECOND),
        ceiling=ceiling(chain, transmissions),
        floor=1.0 / promised,
    )


# ---------------------------------------------------------------------------------------------- nothing fails


def _plain(chain: Chain, stream: Stream, transmissions: Sequence[float]) -> Found:
    """Times in closed form; states from the tree where it has them at once, else from a sample of the same law."""
    law = latest(chain)
    ticks = np.unique(law.quantiles(np.array(LEVELS)))
    times, shares = ticks / SECOND, law.shares(ticks)
    mean, deviation = law.moments()
    rate = fidelity = None
    solution = None
    if len(chain.hops) > 1 and (chain.nested or len(chain.hops) == 2):
        solution = _solved(chain)
    if len(chain.hops) == 1:
        means = np.full(len(times), stream.low_fidelities[0])
    elif solution is not None and not _serious(solution):
        # on a coarse grid what comes at a time is spread over the ticks around it
        means = _means(solution.first, times + solution.first.spread * solution.first.tick)
        between = solution.between
        if between is not None:
            stream = replace(stream, gap_deviation=between.deviation)
            rate, fidelity = 1.0 / between.mean, between.fidelity
    else:
        means = _binned(times, *pipeline.firsts(chain, REPLICAS))
    how = ("closed form", (), 1e-9, 0.0)
    record = _record(chain, (times, shares, means), how, deviation, stream, transmissions)
    return Found(record, chain.origin + mean, rate, fidelity)


def _means(law: Law, times: Array) -> Array:
    """Mean fidelity of what is delivered by each of some times but not by the one before."""
    at = np.floor(times / law.tick + 1e-6).astype(np.intp)
    values = law.series.upto(int(at[-1]) + 1).real
    steps = np.diff(np.cumsum(values, axis=1)[:, at], axis=1, prepend=np.zeros((len(values), 1)))
    found = np.full(len(at), law.fidelity)
    there = steps[0] > 0.0
    found[there] = (1.0 + steps[1:, there].sum(axis=0) / steps[0, there]) / 4.0
    return found


def _binned(times: Array, sampled: Array, fidelities: Array) -> Array:
    """The same from samples; where there are none, what the nearest earlier ones have."""
    place = np.searchsorted(times, np.round(sampled, 12) - 1e-13)
    place = np.minimum(place, len(times) - 1)
    count = np.bincount(place, minlength=len(times))
    total = np.bincount(place, fidelities, minlength=len(times))
    found = np.full(len(times), float(fidelities.mean()))
    for at in range(len(times)):
        found[at] = total[at] / count[at] if count[at] else found[max(0, at - 1)]
    return found


# -------------------------------------------------------------------------------------------- exact and sampled


def _exact(
    chain: Chain,
    solution: Solution,
    left_out: tuple[str, ...],
    stream: Stream,
    transmissions: Sequence[float],
) -> Found:
    method = "Markov chain" if swaps_at_once(chain) else "convolution"
    law, between = solution.first, solution.between
    points = _points(law)
    if between is not None:
        stream = Stream(between.deviation, stream.low_fidelities)
    error = law.truncation + 1e-9 + sum(MINOR[each] for each in left_out)
    how = (method, left_out, error, law.spread * law.tick)
    record = _record(chain, points, how, law.deviation, stream, transmissions)
    rate = None if between is None else 1.0 / between.mean
    fidelity = None if between is None else between.fidelity
    return Found(record, chain.origin + law.mean, rate, fidelity)


def _points(law: Law) -> tuple[Array, Array, Array]:
    """Times, shares and mean fidelities of a law at the levels."""
    later = law.series.survival(law.series.ticks)
    ticks: list[int] = []
    for level in LEVELS:
        share = (1.0 - level) * (1.0 + 1e-12)
        if later[-1] <= share:
            ticks.append(int(np.searchsorted(-later, -share)))
        else:
            try:
                ticks.append(round(law.quantile(level) / law.tick))
            except ValueError:  # what is later than this cannot be told from rounding
                break
    at = np.unique(np.array(ticks))
    shares = 1.0 - np.array([law.survival(tick * law.tick) for tick in at.tolist()])
    return at * law.tick, shares, _means(law, at * law.tick)


def _sampled(
    chain: Chain,
    times: Array,
    fidelities: Array,
    how: tuple[str, tuple[str, ...]],
    stream: Stream,
    transmissions: Sequence[float],
) -> Found:
    order = np.argsort(times, kind="stable")
    times, fidelities = np.round(times[order], 12), fidelities[order]
    count = len(times)
    finite = times[np.isfinite(times)]
    levels = [level for level in LEVELS if level * count <= len(finite) and (1.0 - level) * count >= 1.0]
    at = np.unique([finite[max(0, math.ceil(level * count) - 1)] for level in levels]) if levels else finite
    ends = np.searchsorted(times, at, side="right")
    begins = np.concatenate([[0], ends[:-1]])
    means = np.array([fidelities[a:b].mean() for a, b in zip(begins, ends, strict=True)])
    error = math.sqrt(math.log(2.0 / DOUBT) / (2.0 * count))
    deviation = float(finite.std(ddof=1)) if len(finite) > 1 else 0.0
    record = _record(chain, (at, ends / count, means), (*how, error, 0.0), deviation, stream, transmissions)
    mean = float(finite.mean()) if len(finite) == count else LONGEST
    return Found(record, chain.origin + mean, None, None)
