"""A chain as a tree with the timing of the twin: grids of attempts, heralds, news that travels, slots that are freed.

All times become whole ticks of the greatest time that divides them, so nothing is rounded; where that makes laws too long, a
coarser tick is taken and times are spread over the two ticks around them, which keeps means and nothing else exact.

What the tree leaves out is said in remarks: then the law is that of a scheme that starts anew as the tree does, and no longer
exactly the twin's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from quantum_fabric.network.chain import Chain, Hop, Station
from quantum_fabric.network.exact.nodes import Lags, Link, Node, Purify, Swap
from quantum_fabric.network.exact.steps import recurrence
from quantum_fabric.physics.correlators import Correlators, aged

PICO = 1e12
"""Picoseconds in a second: chains are made of whole ones."""

Place: TypeAlias = tuple[int, int]
"""(left, right) node of a segment."""

Part: TypeAlias = tuple[Node, tuple[int, ...], tuple[int, ...]]
"""A tree, how its links go on after a success (see `Timed.again`), and the hop of each of its links."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A tree and what it means.

    Attributes:
        node: the tree; its pairs are ready when they are delivered.
        tick: s.
        again: lags of all links for the next pair, from when both parts of this one were there.
        remarks: why it is not exactly what the twin does; empty if it is.
        spread: ticks by which times may be off, 0 where every time is on the grid.
        starts: of the first attempt of each link, ticks.
    """

    node: Node
    tick: float
    again: tuple[int, ...]
    remarks: tuple[str, ...]
    spread: float
    starts: tuple[int, ...] = ()


def common_tick(chain: Chain) -> int:
    """The greatest number of picoseconds that divides every time of a chain."""
    times = [step for hop in chain.hops for step in (hop.period, *hop.born, *hop.heard)]
    times += [together(hop)[0] for hop in chain.hops]
    times += [station.swap_time for station in chain.stations]
    times += [delay for row in chain.delay for delay in row]
    times += [] if chain.cutoff is None else [chain.cutoff]
    times += [chain.begun(index) for index in range(len(chain.hops))]
    return math.gcd(*(round(time * PICO) for time in times)) or 1


def tree(chain: Chain, tick: int) -> Timed:
    """The tree of a chain with exact segments, or of one with a single repeater.

    Args:
        chain: nested, or of at most two hops; no memory but simple ones.
        tick: ps.
    """
    return _Builder(chain, tick).built()


def together(hop: Hop, copies: int = 1) -> tuple[float, float]:
    """Period and success of the lanes of a hop together, until the first success; shared out among copies."""
    if copies > 1:
        return (hop.period, 1.0 - (1.0 - hop.success) ** max(1, hop.lanes // copies))
    if hop.lanes > 1 and hop.cycle > 0.0 and math.isclose(hop.cycle * hop.lanes, hop.period, rel_tol=1e-9):
        return (hop.cycle, hop.success)  # one lane after the other
    return (hop.period, 1.0 - (1.0 - hop.success) ** hop.lanes)


def in_step(hop: Hop) -> bool:
    """Whether its lanes attempt at the same time, or one after the other at equal distances."""
    if hop.lanes == 1 or together(hop)[0] != hop.period:
        return True
    return all(math.isclose(lane * hop.cycle % hop.period, 0.0, abs_tol=1e-13) for lane in range(hop.lanes))


class _Builder:
    def __init__(self, chain: Chain, tick: int) -> None:
        self.chain = chain
        self.pico = tick
        self.tick = tick / PICO
        self.last = len(chain.hops)
        self.remarks: list[str] = []
        self.rounded = False
        self.loose = common_tick(chain) % tick != 0
        joins = chain.joins if self.last > 1 else ()
        self.rounds = {(left, right): rounds for _, left, right, rounds in joins}
        if not chain.nested and self.last > 1:
            self.rounds[0, self.last] = chain.end_rounds
        self.middle = {(left, right): at for at, left, right, _ in joins}
        if self.last == 2 and not chain.nested:
            self.middle = {(0, 2): 1}

    def built(self) -> Timed:
        node, again, hops = self._segment((0, self.last), None)
        starts = tuple(round(self.chain.begun(index) * PICO / self.pico) for index in hops)
        self._check()
        if self.rounded:
            self.remarks.append(f"times are rounded to {self.tick:.3g} s")
        spread = float(len(self.middle) + 1) if self.rounded else 0.0
        return Timed(node, self.tick, again, tuple(dict.fromkeys(self.remarks)), spread, starts)

    def _ticks(self, seconds: float) -> float:
        """Ticks of a time: an integer where it is on the grid."""
        exact = round(seconds * PICO)
        if exact % self.pico == 0:
            return exact // self.pico
        self.rounded = True
        return exact / self.pico

    # ------------------------------------------------------------------------------------------- segments

    def _segment(self, place: Place, user: int | None) -> Part:
        """One segment, ready where it is used: at node ``user``, or None for delivered at both ends."""
        low, high = place
        if high - low == 1:
            return self._elementary(low, user)
        if self.rounds.get(place, 0):
            self.remarks.append("rounds of purification on swapped pairs: copies are taken as independent")
            return self._pure(place, user)
        return self._swap(place, user)

    def _swap(self, place: Place, user: int | None) -> Part:
        low, high = place
        mid = self.middle[place]
        here = self.chain.stations[mid]
        left, _, left_hops = self._segment((low, mid), mid)
        right, _, right_hops = self._segment((mid, high), mid)
        hops = left_hops + right_hops
        tell = self._way(mid, place, user)
        takes = here.swap_time + tell
        state = aged(here.factors, _added(here.rates, here.rates), here.swap_time)
        for end in place:
            state = aged(state, self.chain.stations[end].rates, takes)
        lags = self._aligned(place, mid, self._lags(place, mid, hops), hops)
        fails, whole = self._whole(here.swap_time, lags)
        windows, dropped = self._cutoff(place, mid, left, right, whole)
        if here.swap_success < 1.0 and self._ahead(place, mid):
            self.remarks.append(
                "links within a segment run ahead of a swap that may fail: they start anew with it here"
            )
        node = Swap(
            left,
            right,
            here.swap_success,
            state,
            self._rates(low, mid),
            self._rates(mid, high),
            self._ticks(takes),
            fails,
            whole,
            windows,
            dropped,
        )
        return node, tuple(self._up(here.swap_time + lag) for lag in lags), hops

    def _way(self, mid: int, place: Place, user: int | None) -> float:
        delay = self.chain.delay[mid]
        return max(delay[place[0]], delay[place[1]]) if user is None else delay[user]

    def _lags(self, place: Place, mid: int, hops: Sequence[int]) -> list[float]:
        """From the end of a swap until each link of the segment may start, s: its two slots must be free."""
        lags = []
        for index in hops:
            born = self.chain.hops[index].born
            free = [-max(born)]
            free += [
                self.chain.delay[mid][index + end] - born[end]
                for end in (0, 1)
                if index + end == mid or index + end in place
            ]
            lags.append(max(free))
        return lags

    def _aligned(self, place: Place, mid: int, lags: list[float], hops: Sequence[int]) -> list[float]:
        """On a coarse grid: lags with the wait for the next attempt, as it is where swaps usually end."""
        if not self.loose:
            return lags
        end = self._usual((place[0], mid), mid) + self.chain.stations[mid].swap_time
        periods = {self.chain.hops[index].period for index in range(self.last)}
        found = []
        for lag, index in zip(lags, hops, strict=True):
            period = self.chain.hops[index].period
            free = round((end + lag) * PICO) % round(period * PICO) / PICO
            # out of step any point of the grid is as likely
            wait = period / 2.0 if len(periods) > 1 else (period - free if free else 0.0)
            found.append(lag + wait)
        return found

    def _usual(self, place: Place, user: int) -> float:
        """When a segment may be ready, whole periods left out."""
        low, high = place
        if high - low == 1:
            hop = self.chain.hops[low]
            return hop.heard[0 if hop.rounds else user - low] + (
                self._taken(place, user) if hop.rounds else 0.0
            )
        mid = self.middle[place]
        taken = self.chain.stations[mid].swap_time + self.chain.delay[mid][user]
        return self._usual((low, mid), mid) + taken

    def _taken(self, place: Place, user: int) -> float:
        """From when both copies are there until the purified pair is known where it is used."""
        low, high = place
        one, two = self.chain.stations[low].swap_time, self.chain.stations[high].swap_time
        right = one + self.chain.delay[low][high] + two
        return right if user == high else right + self.chain.delay[high][low]

    def _ahead(self, place: Place, mid: int) -> bool:
        """Whether a link has both its slots free before its segment is used."""
        ends = (*place, mid)
        return any(index not in ends and index + 1 not in ends for index in range(*place))

    def _rates(self, left: int, right: int) -> Correlators:
        one, two = self.chain.stations[left].rates, self.chain.stations[right].rates
        x, y, z = (self.tick * (a + b) for a, b in zip(one, two, strict=True))
        return (x, y, z)

    def _whole(self, fails: float, lags: Sequence[float]) -> tuple[float, tuple[int, ...]]:
        """Lags in ticks. On a coarse grid what they have in common goes into the time that failing takes."""
        ticks = self._ticks(fails)
        values = [self._ticks(lag) for lag in lags]
        if all(isinstance(value, int) for value in (ticks, *values)):
            return ticks, tuple(int(value) for value in values)
        shared = max(min(values), -ticks)
        return ticks + shared, tuple(round(value - shared) for value in values)

    def _up(self, seconds: float) -> int:
        return math.ceil(self._ticks(seconds))

    def _cutoff(
        self, place: Place, mid: int, left: Node, right: Node, failed: Lags
    ) -> tuple[tuple[int, int] | None, tuple[Lags, Lags]]:
        """Windows in ticks, and how the links go on when one end of the wait is over."""
        cutoff = self.chain.cutoff
        if cutoff is None:
            return None, ((), ())
        if self.last > 2:
            self.remarks.append(
                "cutoffs count from the birth of the last link of a segment, and start both parts anew"
            )
        windows, dropped = [], []
        for side, own, other in ((0, left, right), (1, right, left)):
            hop = self.chain.hops[mid - 1 + side]
            wait = cutoff - (hop.heard[1 - side] - hop.born[1 - side])
            windows.append(max(0, math.floor(self._ticks(wait))))
            far = place[side]
            # its slot here is free at once, the other one when word has come there
            lag = max(self.chain.delay[mid][far] - hop.born[side], -hop.born[1 - side])
            if self.loose:
                late = round((hop.heard[1 - side] + cutoff + lag) * PICO) % round(hop.period * PICO) / PICO
                lag += hop.period - late if late else 0.0
            lags: Lags = (self._up(lag),) * len(own.leaves)
            dropped.append((*lags, None) if side == 0 else (None, *lags))
            if not (
                isinstance(own, Link) and isinstance(other, Link)
            ):  # both parts start anew, as after a failure
                dropped[-1] = failed
        return (windows[0], windows[1]), (dropped[0], dropped[1])

    # ------------------------------------------------------------------------------------ elementary pairs

    def _elementary(self, index: int, user: int | None) -> Part:
        hop = self.chain.hops[index]
        if hop.rounds:
            return self._pure((index, index + 1), user)
        end = None if user is None else user - index
        free = max(heard - born for heard, born in zip(hop.heard, hop.born, strict=True))
        return self._link(index, end), (self._up(free - max(hop.heard)),), (index,)

    def _link(self, index: int, end: int | None, lanes: bool = True) -> Link:
        """A link whose pairs are ready when its left (0) or right (1) end has heard, or both (None)."""
        hop = self.chain.hops[index]
        copies = 1
        for (low, high), rounds in self.rounds.items():
            copies *= 2**rounds if low <= index < high else 1
        period, success = together(hop, copies) if lanes else (hop.period, hop.success)
        ready = max(hop.heard) if end is None else hop.heard[end]
        state = hop.fresh
        for side in (0, 1):
            state = aged(state, self.chain.stations[index + side].rates, ready - hop.born[side])
        return Link(success, self._ticks(period), self._ticks(ready), state, self.loose)

    def _pure(self, place: Place, user: int | None) -> Part:
        """Rounds of purification on a segment, decided at its left end."""
        low, high = place
        chain = self.chain
        elementary = high - low == 1
        rounds = chain.hops[low].rounds if elementary else self.rounds[place]
        if rounds > 1:
            self.remarks.append("several rounds: each takes two independent copies of the round before")
        node, again, hops = (
            (self._link(low, 0, lanes=False), (), (low,)) if elementary else self._swap(place, low)
        )
        here, there = chain.stations[low], chain.stations[high]
        way, back = chain.delay[low][high], chain.delay[high][low]
        right = here.swap_time + way + there.swap_time  # from both ready to the end of the right end's part
        answer = right + back
        turned = {(a, b): words for a, b, words in chain.turns}.get(place, ())
        for number in range(rounds):
            used = answer if number + 1 < rounds or user is None or user == low else right
            before = aged(aged((1.0, 1.0, 1.0), here.rates, here.swap_time), there.rates, right)
            after = aged(aged((1.0, 1.0, 1.0), here.rates, used - here.swap_time), there.rates, used - right)
            rotation = turned[number] if number < len(turned) else None
            born = chain.hops[low].born if elementary else (0.0, 0.0)
            size = len(node.leaves)
            kept = max(answer - born[0], right - born[1])
            spent = max(here.swap_time - born[0], right - born[1])
            free = [kept] * size + [spent] * size
            if self.loose and elementary:
                period = round(chain.hops[low].period * PICO)
                begun = chain.hops[low].heard[0]
                free = [lag + (-round((begun + lag) * PICO) % period) / PICO for lag in free]
            fails, lags = self._whole(0.0, free)
            node = Purify(
                node,
                recurrence(chain.distillation, (here.noise, there.noise), rotation),
                wait=self._rates(low, high),
                before=before,
                after=after,
                takes=self._ticks(used),
                fails=fails,
                lags=lags,
            )
            again = tuple(self._up(lag) for lag in [kept] * size + [spent] * size)
            hops = (*hops, *hops)
        return node, again, hops

    # --------------------------------------------------------------------------------------------- checks

    def _check(self) -> None:
        """Remark on what the twin does otherwise."""
        chain = self.chain
        fails = any(station.swap_success < 1.0 for station in chain.stations[1 : self.last])
        breaks = fails or chain.cutoff is not None
        plain = not any(self.rounds.values()) and not any(hop.rounds for hop in chain.hops)
        if self.loose and (breaks or not plain) and len({hop.period for hop in chain.hops}) > 1:
            self.remarks.append(
                "links out of step on a coarse grid: what starts anew waits half a period for its own grid"
            )
        for hop in chain.hops:
            if hop.rounds and (hop.lanes != 2 or not in_step(hop) or together(hop)[0] != hop.period):
                self.remarks.append("purified links of other than two lanes in step: two are taken")
            if hop.rounds and breaks:
                self.remarks.append("lanes run ahead of what may fail: they start anew with it here")
            if not hop.rounds and hop.lanes > 1:
                if breaks or not plain:
                    self.remarks.append("lanes run ahead of what may fail: they start anew with it here")
                if not in_step(hop):
                    self.remarks.append("lanes are taken to attempt at the same time")
        if not self._punctual():
            self.remarks.append("news that overtakes other news: the last to come is not waited for here")

    def _punctual(self) -> bool:
        """Whether a message never takes longer than by way of a third node, and ends hear of links in time."""
        delay = self.chain.delay
        nodes = range(self.last + 1)
        straight = all(
            delay[a][c] <= delay[a][b] + delay[b][c] + 1e-12 for a in nodes for b in nodes for c in nodes
        )
        heard = all(
            hop.heard[end] <= hop.heard[1 - end] + delay[index][index + 1] + 1e-12
            for index, hop in enumerate(self.chain.hops)
            for end in (0, 1)
        )
        return straight and (heard or self.last == 1)


def _added(a: Correlators, b: Correlators) -> Correlators:
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def simple(station: Station) -> bool:
    """Whether its memory loses a fixed share in each equal time, and nothing else."""
    return station.memory.simple and station.memory.lossless
