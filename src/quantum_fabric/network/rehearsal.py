"""Any chain, one at a time: a rehearsal of the executor's rules on a bare event queue.

Used where `quantum_fabric.network.pipeline` does not apply: purification, cutoffs, swaps that fail. The rehearsal knows
whole pairs (which nobody in a network does) and lets every message take its delay, so each node acts at the time at
which its agent would:

    * a lane attempts whenever both its slots are free, on its grid, and the failed attempts are jumped over
    * a repeater swaps the oldest ready pair on its left with the oldest on its right; nested: exact segments only
    * the left end of a segment purifies any two pairs with equal rounds and keeps the younger, or where the plan pumps
      spends a fresh pair on the one with most rounds, and hears the result after its bit has gone there and the answer
      has come back
    * a half that waits in a repeater beyond the cutoff is dropped and its partner told; so after a failed swap
    * an end frees its slot when it has heard of everything that made its pair; the pair counts when both have

    * at one instant news comes first, then heralds, ends of operations, and timers last, as `kernel.order` has it for the twin:
      a partner that is heralded at the very end of a cutoff is in time
    * a half loses coherence by its age, and to the attempts that its node makes on other lanes, counted on their grids
    * a memory that does not give its photon back fails the swap, or the round of purification, that reads it

States are correlators, averaged over announced outcomes; success of a purification is drawn.
"""

from __future__ import annotations

import heapq
import math
from bisect import insort
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from quantum_fabric.network.chain import Chain
from quantum_fabric.network.halves import Half, Memories, Pair, Segment
from quantum_fabric.network.pipeline import KEY, Sample, summary
from quantum_fabric.physics.correlators import purified

STARTS = 40
"""Cold starts from which the time to the first delivery is averaged."""

PICO = 1e12
"""Instants are whole picoseconds, so that what is simultaneous in the twin is so here."""

FIRST = -(1 << 62)
"""Number of the first attempt that a lane may make."""

NEWS, HERALD, OPERATION, TIMER = range(4)
"""What goes first at one instant (the order of `quantum_fabric.kernel.order`, which this room does not import)."""


def run(chain: Chain, deliveries: int = 600, events: int = 60_000, starts: int = STARTS) -> Sample:
    """Rehearse a chain until it has made so many deliveries or events.

    Args:
        chain: any.
        deliveries: after warming up.
        events: bound on the work; a chain that delivers little within it gets a large standard error.
        starts: cold starts from which the time to the first delivery is averaged, at least 1.

    Returns:
        The averages; ``rate`` is 0 and ``first`` the rehearsed time if nothing was delivered.
    """
    stage = Stage(chain, 0)
    warm = 4 + 2 * max(hop.lanes for hop in chain.hops)
    stage.play(warm + deliveries, events)
    if not stage.delivered:
        return Sample(stage.now, 0.0, 0.0, 0.0, 0.0, 0, 0.0)
    cold = [stage.delivered[0], *firsts(chain, starts - 1, events // 5)]
    first = math.fsum(time for time, _ in cold) / len(cold)
    return summary(stage.delivered, min(warm, len(stage.delivered) // 4), first)


def firsts(chain: Chain, starts: int, events: int) -> list[tuple[float, float]]:
    """First deliveries of so many cold starts: time (s) and fidelity.

    Args:
        chain: any.
        starts: wanted; the first one is number 1, since `run` has number 0.
        events: no further start is made when there were so many. Starts are never broken off for it, which would favour short
            ones, unless one alone takes more than that.

    Returns:
        At most ``starts`` of them; fewer for chains that take many events. A start that took too long is ``inf``, 0.
    """
    found: list[tuple[float, float]] = []
    done = 0
    while done < events and len(found) < starts:
        cold = Stage(chain, len(found) + 1)
        done += cold.play(1, events)
        found.append(cold.delivered[0] if cold.delivered else (math.inf, 0.0))
    return found


def _instant(time: float) -> float:
    return round(time * PICO) / PICO


def _age(half: Half) -> float:
    return half.aged  # birth, or the purification that made it new


class Stage:
    """The rehearsed chain. Events are (time, what goes first, order of making, method, argument)."""

    def __init__(self, chain: Chain, number: int) -> None:
        self.chain = chain
        self.last = len(chain.hops)
        self.now = 0.0
        self.delivered: list[tuple[float, float]] = []
        self._queue: list[tuple[float, int, int, Callable[..., None], object]] = []
        self._made = 0
        self._random = np.random.Generator(np.random.Philox(key=KEY + number))
        self._uniforms: list[float] = []
        free = chain.free
        self._free = [[[*free[i : i + 2]] for _ in range(hop.lanes)] for i, hop in enumerate(chain.hops)]
        self._next = [[FIRST] * hop.lanes for hop in chain.hops]  # a lane attempts once in a period
        self._logs = [math.log1p(-hop.success) if hop.success < 1.0 else -math.inf for hop in chain.hops]
        self._rounds = {(index, index + 1): hop.rounds for index, hop in enumerate(chain.hops)}
        # segments that a repeater swaps: node -> far end on its left, on its right
        self._wants = {node: (node - 1, node + 1) for node in range(1, self.last)}
        if chain.nested:
            self._wants = {at: (left, right) for at, left, right, _ in chain.joins}
            self._rounds |= {(left, right): rounds for _, left, right, rounds in chain.joins}
        elif self.last > 1:
            self._rounds[0, self.last] = chain.end_rounds
        self._ready: dict[int, tuple[list[Half], list[Half]]] = {n: ([], []) for n in self._wants}
        self._memories = Memories(chain)
        self._turns = {(low, high): rotations for low, high, rotations in chain.turns}
        self._pools: dict[tuple[int, int, int], deque[Half]] = {}
        for index, hop in enumerate(chain.hops):
            for lane in range(hop.lanes):
                self._attempt(index, lane)

    # ------------------------------------------------------------------------------------- queue and draws

    def play(self, deliveries: int, events: int) -> int:
        """Run until so many deliveries or events; returns how many events there were."""
        queue = self._queue
        done = 0
        while queue and done < events and len(self.delivered) < deliveries:
            self.now, _, _, act, argument = heapq.heappop(queue)
            act(argument)
            done += 1
        return done

    def _at(self, time: float, rank: int, act: Callable[[Any], None], argument: object) -> None:
        self._made += 1
        heapq.heappush(self._queue, (_instant(time), rank, self._made, act, argument))

    def _uniform(self) -> float:
        if not self._uniforms:
            self._uniforms = self._random.random(512).tolist()
        return self._uniforms.pop()

    # --------------------------------------------------------------------------------------------- links

    def _attempt(self, index: int, lane: int) -> None:
        """Both slots of a lane are free from known times on: jump to the attempt that succeeds."""
        hop, free = self.chain.hops[index], self._free[index][lane]
        phase = lane * hop.cycle % hop.period
        number = math.ceil((max(free[0] - hop.born[0], free[1] - hop.born[1]) - phase) / hop.period - 1e-9)
        number = max(number, self._next[index][lane])
        misses = math.floor(math.log1p(-self._uniform()) / self._logs[index])
        self._next[index][lane] = number + misses + 1
        start = phase + (number + misses) * hop.period
        self._memories.disturb(index, lane, phase + number * hop.period, start)
        free[0] = free[1] = math.inf
        left = Half(index, index, lane, True, start + hop.born[0])
        right = Half(index + 1, index, lane, False, start + hop.born[1])
        pair = Pair(left, right, hop.fresh)
        pair.heard = [start + hop.heard[0], start + hop.heard[1]]
        self._tell(pair, 0, HERALD, HERALD)

    def _release(self, half: Half, time: float) -> None:
        """A slot is free from ``time`` on; its lane goes on as soon as the slot at the other end is, too."""
        free = self._free[half.hop][half.lane]
        free[0 if half.left else 1] = time
        half.there = False
        if free[0] < math.inf and free[1] < math.inf:
            self._attempt(half.hop, half.lane)

    # --------------------------------------------------------------------------------------------- pairs

    def _tell(self, pair: Pair, rounds: int, left: int = NEWS, right: int = NEWS) -> None:
        """Both ends will hear of a new pair, at the times in ``pair.heard``, each in its own way."""
        segment = (pair.left.node, pair.right.node, rounds)
        self._at(pair.heard[0], left, self._hear, (pair.left, segment))
        self._at(pair.heard[1], right, self._hear, (pair.right, segment))

    def _hear(self, news: tuple[Half, Segment]) -> None:
        half, segment = news
        if half.there:
            half.known = segment
            self._settle(half, segment)

    def _settle(self, half: Half, segment: Segment) -> None:
        """A node knows that this half belongs to this segment: what next?"""
        low, high, rounds = segment
        if self.chain.cutoff is not None and not half.timed and 0 < half.node < self.last:
            half.timed = True
            self._at(max(self.now, half.born + self.chain.cutoff), TIMER, self._expire, half)
        if rounds < self._rounds.get((low, high), 0):
            if half.left:
                self._purify_if_two(half, segment)
        elif low == 0 and high == self.last:
            self._deliver(half)
        elif 0 < half.node < self.last:
            left, right = self._wants[half.node]
            if high == right if half.left else low == left:
                insort(self._ready[half.node][1 if half.left else 0], half, key=_age)
                self._swap_if_two(half.node)

    def _deliver(self, half: Half) -> None:
        """An end has heard of everything: its slot is free. The pair counts, and ages, until the other end has, too."""
        pair = half.pair
        self._release(half, self.now)
        if pair.left.known == pair.right.known:
            x, y, z = self._memories.aged(pair, self.now, self.now)
            self.delivered.append((self.now, (1.0 + x + y + z) / 4.0))

    # --------------------------------------------------------------------------------------------- swaps

    def _idle(self, half: Half) -> bool:
        return half.there and half.busy_until <= self.now

    def _swap_if_two(self, node: int) -> None:
        lefts, rights = self._ready[node]
        for ready in (lefts, rights):
            while ready and not self._idle(ready[0]):
                del ready[0]
        if lefts and rights:
            left, right = lefts.pop(0), rights.pop(0)
            done = _instant(self.now + self.chain.stations[node].swap_time)
            left.busy_until = right.busy_until = math.nextafter(done, math.inf)
            self._at(done, OPERATION, self._swapped, (left, right))

    def _swapped(self, halves: tuple[Half, Half]) -> None:
        """``left`` is the right end of the pair on the left, ``right`` the left end of the pair on the right."""
        left, right = halves
        now, node = self.now, left.node
        here = self.chain.stations[node]
        one, two = left.pair, right.pair
        a = self._memories.aged(one, one.left.aged, now)
        b = self._memories.aged(two, now, two.right.aged)
        self._release(left, now)
        self._release(right, now)
        chance = here.swap_success
        if not here.memory.lossless:
            chance *= here.memory.retrieved(now - left.born) * here.memory.retrieved(now - right.born)
        if chance < 1.0 and self._uniform() >= chance:
            self._break(one.left, node)
            self._break(two.right, node)
            return
        f = here.factors
        pair = Pair(one.left, two.right, (a[0] * b[0] * f[0], a[1] * b[1] * f[1], a[2] * b[2] * f[2]))
        one.into = two.into = pair
        low, high = pair.left.node, pair.right.node
        delay = self.chain.delay[node]
        pair.heard = [max(one.heard[0], now + delay[low]), max(two.heard[1], now + delay[high])]
        # as soon as possible: what a repeater may do with its half does not change, so nobody but the ends cares
        if self.chain.nested or (low == 0 and high == self.last):
            self._tell(pair, 0)

    # ------------------------------------------------------------------------------------------- losses

    def _break(self, half: Half, source: int) -> None:
        """The pair of this half is lost at node ``source``; the node of the half hears of it later."""
        self._at(self.now + self.chain.delay[source][half.node], NEWS, self._lose, half)

    def _lose(self, half: Half) -> None:
        if half.there:
            if half.busy_until > self.now:  # look again when the operation is over
                self._at(half.busy_until, TIMER, self._lose, half)
            else:
                self._release(half, self.now)
        elif half.pair.into is not None:  # swapped away in the meantime: whoever is the end now must know
            pair = half.pair.latest()
            self._break(pair.left if half.left else pair.right, half.node)

    def _expire(self, half: Half) -> None:
        """The cutoff of a half in a repeater is over."""
        if not self._idle(half):  # gone, or in an operation: then it has met its partner in time
            return
        pair = half.pair
        self._release(half, self.now)
        self._break(pair.right if half.left else pair.left, half.node)

    # ------------------------------------------------------------------------------------- purification

    def _purify_if_two(self, half: Half, segment: Segment) -> None:
        low, high, rounds = segment
        levels = [rounds]
        if (
            self.chain.pumped
        ):  # a fresh pair is for the one with most rounds, and all others are for a fresh one
            levels = list(range(self._rounds[low, high] - 1, -1, -1)) if rounds == 0 else [0]
        level, other = next(
            ((level, other) for level in levels if (other := self._waiting((low, high, level)))), (0, None)
        )
        if other is None:
            self._pools.setdefault(segment, deque()).append(half)
            return
        if level == rounds:
            keep, spent = (half, other) if half.aged >= other.aged else (other, half)
        else:
            keep, spent = (other, half) if level > rounds else (half, other)
            segment = (low, high, max(level, rounds))
        here, there = self.chain.stations[segment[0]], self.chain.stations[segment[1]]
        way = self.chain.delay[segment[0]][segment[1]]
        measured = self.now + here.swap_time
        asked = max(measured + way, keep.pair.heard[1], spent.pair.heard[1])
        ends = _instant(asked + there.swap_time)
        answer = _instant(ends + self.chain.delay[segment[1]][segment[0]])
        keep.busy_until = spent.busy_until = math.nextafter(answer, -math.inf)
        self._at(measured, OPERATION, self._measured, (keep, spent))
        if there.swap_time > 0.0:
            self._at(asked, NEWS, self._asked, (keep.pair.right, spent.pair.right, ends))
        self._at(ends, OPERATION, self._answered, (keep.pair, spent.pair, segment, answer))

    def _asked(self, work: tuple[Half, Half, float]) -> None:
        """The right end does its half, during which no cutoff ends its wait."""
        for half in work[:2]:
            if half.there:
                half.busy_until = max(half.busy_until, work[2])

    def _waiting(self, segment: Segment) -> Half | None:
        """The first pair that waits for another one on a segment, taken from there."""
        pool = self._pools.get(segment)
        while pool:
            half = pool.popleft()
            if self._idle(half):
                return half
        return None

    def _measured(self, halves: tuple[Half, Half]) -> None:
        """The left end has done its half; its sacrificed slot is free."""
        sacrifice = halves[1]
        for half in halves:
            self._memories.aged(half.pair, self.now, half.pair.right.aged)
        if sacrifice.there:
            self._release(sacrifice, self.now)

    def _answered(self, work: tuple[Pair, Pair, Segment, float]) -> None:
        """The right end has done its half and knows the result; its answer is on its way."""
        keep, sacrifice, (low, high, rounds), answer = work
        whole = keep.right.there and sacrifice.right.there
        if whole:
            states = [self._memories.aged(pair, pair.left.aged, self.now) for pair in (keep, sacrifice)]
            noise = (self.chain.stations[low].noise, self.chain.stations[high].noise)
            read = self._memories.read(sacrifice.left) * self._memories.read(sacrifice.right)
            turns = self._turns.get((low, high), ())
            rotation = turns[rounds] if rounds < len(turns) else None
            chance, keep.state = purified(
                states[0], states[1], self.chain.distillation, *noise, None, rotation
            )
        if sacrifice.right.there:
            self._release(sacrifice.right, self.now)
        if whole and self._uniform() < chance * read:
            keep.heard = [answer, self.now]
            self._tell(keep, rounds + 1, NEWS, OPERATION)
            return
        if keep.right.there:
            self._release(keep.right, self.now)
        self._at(answer, NEWS, self._lose, keep.left)
