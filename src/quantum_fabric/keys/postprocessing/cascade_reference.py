"""Cascade, the rules: one machine for both ends, which exchange one message of parity bits in each round.

Brassard and Salvail (EUROCRYPT 1993), with the reuse of all parities that were ever told (Martinez-Mateo et al., Quantum Inf.
Comput. 15, 453 (2015)) and with all frames and all passes searched side by side, so that rounds are shared (Mao et al., 2021):

* In each pass the bits stand in another order, cut into blocks. The parities of both ends are compared; a block in which they differ
  holds an odd number of errors.
* What is known of a pass is a partition into intervals with known difference. Every odd interval is halved in each round: both ends
  tell the parity of its left half. An interval of one bit that is odd is an error.
* A corrected bit turns its interval in every other pass, and what becomes odd by that is searched next round.
* The odd blocks of a new pass wait and are let in group by group, because the partners of errors in one of them often sit in another.
* In the end random subsets of all bits are compared. If all agree, the frame is done; if not, one that differs is halved down to an
  error, and so on until a fresh set agrees: what is left then is missed with chance ``2^-checks`` whatever it is.

Both ends tell their parities of the same intervals at the same time, so both know the same differences, and no message has to say
which blocks it is about. What the corrector tells is what the other told, plus a function of the positions of errors. The count
of announced parities (of one end) is the leak where the positions of errors may be known to everybody
(Tupkary and Lütkenhaus, arXiv:2307.00576, abstract).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import ProtocolError
from quantum_fabric.keys.postprocessing.cascade_plan import CascadePlan

Bits = NDArray[np.uint8]


@dataclass(slots=True)
class _Pass:
    """One order of the bits and what is known of it."""

    bits: Bits
    start_of: NDArray[np.int64]
    end_of: dict[int, int]
    parity: set[int] = field(default_factory=set)
    listed: set[int] = field(default_factory=set)
    odd: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    cuts: list[tuple[int, int]] = field(default_factory=list)


class ReferenceFrame:
    """One end of one frame.

    Args:
        plan: the agreement.
        bits: of this end, zeros and ones, shape ``(length,)``.
        corrects: whether this end changes its bits.
    """

    def __init__(self, plan: CascadePlan, bits: Bits, corrects: bool) -> None:
        self.plan, self.own, self.corrects = plan, bits.copy(), corrects
        self.order, self.place = plan.tables()
        self.passes: list[_Pass] = []
        self.mode = "idle"
        self.corrections = 0
        self._group, self._released, self._batch = 1, 0, 0
        self._subsets: Bits | None = None
        self._differ: list[bool] = []
        self._hunted, self._low, self._high = 0, 0, 0

    @property
    def done(self) -> bool:
        """Whether there is nothing left to say."""
        return self.mode in ("done", "failed")

    def speak(self) -> Iterator[int]:
        """Parities of this end that the round asks for."""
        if self.done:
            return
        if self.mode != "hunt":  # a hunt goes on from round to round
            self._decide()
        if self.mode == "open":
            edges = self._open()
            sums = np.add.reduceat(self.passes[-1].bits.astype(np.int64), edges[:-1]) & 1
            yield from sums[: self._asked()].tolist()
        elif self.mode == "search":
            for each in self.passes:
                each.cuts = []
                for start in each.odd:
                    end = each.end_of[start]
                    middle = start + (end - start) // 2
                    each.cuts.append((middle, end))
                    yield int(each.bits[start:middle].sum()) & 1
        elif self.mode == "check":
            assert self._subsets is not None
            yield from (self._subsets.astype(np.int64) @ self.own & 1).tolist()
        elif self.mode == "hunt":
            assert self._subsets is not None
            part = slice(self._low, self._low + (self._high - self._low) // 2)
            yield int((self._subsets[self._hunted, part] & self.own[part]).sum()) & 1

    def hear(self, differ: Iterator[bool]) -> None:
        """Differences between the ends, in the order of `speak`."""
        if self.mode == "open":
            self._sort_blocks(differ)
        elif self.mode == "search":
            found: list[tuple[int, int]] = []
            for number, each in enumerate(self.passes):
                found += [(number, start) for start in self._halve(each, differ)]
            for number, start in found:  # another pass may have found the same bit in this round
                if start in self.passes[number].parity:
                    self._correct(int(self.order[number, start]))
        elif self.mode == "check":
            self._differ = [next(differ) for _ in range(self.plan.checks)]
            if not any(self._differ):
                self.mode = "done"
        elif self.mode == "hunt":
            middle = self._low + (self._high - self._low) // 2
            if next(differ):
                self._high = middle
            else:
                self._low = middle
            self._narrow()

    def _asked(self) -> int:
        """The last block of a later pass follows from the others: all passes agree about the parity of everything."""
        number = len(self.passes) - 1
        return self.plan.blocks[number] - (1 if number else 0)

    def _open(self) -> NDArray[np.int64]:
        number = len(self.passes)
        edges = self.plan.edges(number)
        starts, ends = edges[:-1].tolist(), edges[1:].tolist()
        start_of = np.repeat(edges[:-1], np.diff(edges))
        self.passes.append(_Pass(self.own[self.order[number]], start_of, dict(zip(starts, ends))))
        return edges

    def _sort_blocks(self, differ: Iterator[bool]) -> None:
        each, asked, rest = self.passes[-1], self._asked(), False
        for j, start in enumerate(sorted(each.end_of)):
            odd = next(differ) if j < asked else rest
            rest ^= odd
            if odd:
                each.parity.add(start)
                each.listed.add(start)
                each.waiting.append(start)
        waves = self.plan.waves[len(self.passes) - 1]
        self._group, self._released = max(1, -(-len(each.waiting) // waves)), 0

    def _decide(self) -> None:
        while True:
            for each in self.passes:
                each.listed -= {start for start in each.odd if start not in each.parity}
                each.odd = [start for start in each.odd if start in each.parity]
            if any(each.odd for each in self.passes):
                self.mode = "search"
            elif self.passes and self._released < len(self.passes[-1].waiting):
                self._release(self.passes[-1])
                continue
            elif len(self.passes) < len(self.plan.blocks):
                self.mode = "open"
            elif any(self._differ):
                self._hunted, self._low, self._high = self._differ.index(True), 0, self.plan.length
                self.mode = "hunt"
                if self._narrow():
                    continue
            else:
                self._batch += self._subsets is not None
                self.mode = "check" if self._batch < self.plan.batches else "failed"
                self._subsets = self.plan.subsets(self._batch) if self.mode == "check" else None
            return

    def _release(self, each: _Pass) -> None:
        group = 0
        while self._released < len(each.waiting) and group < self._group:
            start = each.waiting[self._released]
            self._released += 1
            if start in each.parity:
                each.odd.append(start)
                group += 1
            else:
                each.listed.discard(start)

    @staticmethod
    def _halve(each: _Pass, differ: Iterator[bool]) -> Iterator[int]:
        for j, (middle, end) in enumerate(each.cuts):
            start = each.odd[j]
            each.end_of[start], each.end_of[middle] = middle, end
            each.start_of[middle:end] = middle
            stop = middle
            if not next(differ):
                each.parity.discard(start)
                each.listed.discard(start)
                each.parity.add(middle)
                each.listed.add(middle)
                each.odd[j] = start = middle
                stop = end
            if stop - start == 1:
                yield start

    def _narrow(self) -> bool:
        """Halves without a member of the subset need no question. True when the search is over."""
        assert self._subsets is not None
        members = self._subsets[self._hunted]
        while self._high - self._low > 1:
            middle = self._low + (self._high - self._low) // 2
            left, right = members[self._low : middle].any(), members[middle : self._high].any()
            if left and right:
                return False
            self._low, self._high = (self._low, middle) if left else (middle, self._high)
        self._correct(self._low)
        self.mode = "idle"
        return True

    def _correct(self, bit: int) -> None:
        self.corrections += 1
        if self.corrects:
            self.own[bit] ^= 1
        for number, each in enumerate(self.passes):
            place = int(self.place[number, bit])
            start = int(each.start_of[place])
            if self.corrects:
                each.bits[place] ^= 1
            each.parity ^= {start}
            if start in each.parity and start not in each.listed:
                each.listed.add(start)
                each.odd.append(start)
        if self._subsets is not None:
            self._differ = [d ^ bool(s) for d, s in zip(self._differ, self._subsets[:, bit])]


class ReferenceCascade:
    """One end of many frames: the same methods as the compiled machine.

    Args:
        plan: the agreement.
        frames: bits of this end, shape ``(frames, length)``.
        corrects: whether this end changes its bits.
    """

    def __init__(self, plan: CascadePlan, frames: Bits, corrects: bool) -> None:
        self._frames = [ReferenceFrame(plan, row, corrects) for row in frames]
        self._said: Bits = np.zeros(0, dtype=np.uint8)

    @property
    def done(self) -> bool:
        """Whether all frames are."""
        return all(frame.done for frame in self._frames)

    @property
    def spoken(self) -> int:
        """Bits of the last message."""
        return self._said.size

    def speak(self) -> bytes:
        """The message of this round."""
        self._said = np.array([bit for frame in self._frames for bit in frame.speak()], dtype=np.uint8)
        return np.packbits(self._said, bitorder="little").tobytes()

    def hear(self, other: bytes) -> None:
        """The other end's message of this round.

        Raises:
            ProtocolError: another length than ours.
        """
        if len(other) != (self.spoken + 7) // 8:
            raise ProtocolError("message of another length than ours")
        theirs = np.unpackbits(np.frombuffer(other, np.uint8), count=self.spoken, bitorder="little")
        differ = iter((theirs != self._said).tolist())
        for frame in self._frames:
            if not frame.done:
                frame.hear(differ)

    def frames(self) -> Bits:
        """Bits of this end now, shape ``(frames, length)``."""
        return np.stack([frame.own for frame in self._frames])

    def failed(self) -> list[bool]:
        """Which frames were given up."""
        return [frame.mode == "failed" for frame in self._frames]

    def corrections(self) -> list[int]:
        """Errors found in each frame."""
        return [frame.corrections for frame in self._frames]
