"""What the entanglement table keeps while it folds: the halves in memories, and rows in the making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from quantum_fabric.control.distil import operation_noise
from quantum_fabric.control.entangled.leases import Installation
from quantum_fabric.control.entangled.pairs import End, Estimate, Pair, PairState
from quantum_fabric.control.estimate import stretched
from quantum_fabric.messages import (
    Bell,
    Correlators,
    Joined,
    PairId,
    Purify,
    Side,
)
from quantum_fabric.physics.correlators import aged, product, purified
from quantum_fabric.physics.frames import purify_frame
from quantum_fabric.units import Time, seconds


class Half:
    """One half in a memory, as its node and the table know it.

    Attributes:
        node, name, slot: where, and the elementary pair it was born in.
        born, since: birth, and up to when its ageing is in the quality of its row.
        calibration: believed noise of its node.
        rates, stretch, cutoff: how it fades, and when its node lets go of it.
        partner, far: who this end takes to be at the other end, by what it has been told.
        heard, heard_at: whether its node has heard the herald, and when.
        asked: whether its node waits for the answer to a purification.
        early: news that follows on news that has not come yet.
        doing: the operation that runs on it.
        along: the halves that are fused with it, itself among them.
        purify: the last purification that was begun on it.
        why: why it is given up, if its node has been told.
        there: whether it is in its slot.
        row: the pair that it is an end of.
    """

    __slots__ = (
        "along", "asked",
        "born", "calibration", "cutoff", "doing", "early", "far", "heard", "heard_at", "name", "node", "partner", "purify",
        "rates", "row", "since", "slot", "stretch", "there", "why",
    )  # fmt: skip

    def __init__(
        self, node: str, name: str, slot: int, born: Time, installation: Installation, partner: str
    ) -> None:
        self.node, self.name, self.slot = node, name, slot
        self.born = self.since = born
        self.calibration = installation.calibration
        self.rates, self.stretch = installation.rates(slot), installation.stretch(born)
        self.cutoff = None if installation.cutoff is None else born + installation.cutoff
        self.partner, self.far = partner, name
        self.heard = self.asked = False
        self.heard_at: Time = 0
        self.early: list[Joined] = []
        self.doing: PairState | None = None
        self.along: tuple[Half, ...] = ()
        self.purify: Purify | None = None
        self.why = ""
        self.there = True
        self.row: Row

    def ageing(self, now: Time) -> Correlators:
        """Believed factor of this half from `since` to now."""
        waited = max(0, now - self.since)
        factors = aged((1.0, 1.0, 1.0), self.rates, seconds(waited))
        if self.stretch is not None and waited:
            factors = stretched(factors, self.stretch, self.since, now)
        return factors

    def stay(self, now: Time) -> None:
        """It fades no more: what it is entangled with does not depend on it any longer."""
        self.row.quality = product(self.row.quality, self.ageing(now))
        self.since, self.rates, self.stretch = now, (0.0, 0.0, 0.0), None

    def follow(self) -> None:
        """Take the news that has come, as far as it follows on what is known here; nothing before the herald."""
        while self.heard:
            news = next((each for each in self.early if each.was == self.far), None)
            if news is None:
                return
            self.early.remove(news)
            self.partner, self.far = news.partner, news.far

    def end(self, row: Row) -> End:
        """This half as an end of a row."""
        other = row.other(self)
        told = self.heard and not self.asked and (self.partner, self.far) == (other.node, other.name)
        return End(
            self.node, self.name, self.slot, self.there, told and not row.ended, self.born, self.since, self.rates, self.stretch,
            self.cutoff,
        )  # fmt: skip


class Row:
    """A pair in the making of its record; see `quantum_fabric.control.entangled.Pair` for the fields that both have.

    Attributes:
        halves: its ends in the direction of the path.
        installation: that it belongs to.
        gate: the purification that one end has done: its half, its bit, the sacrificed row.
        complete: whether an end has said so, or has handed its half over.
        kept: whether it was delivered to be kept in memory.
        fused: whether it is part of a state of several nodes.
        told, closed: whether the stream knows it, and whether it has ended for good.
    """

    def __init__(
        self, name: PairId, halves: tuple[Half, Half], installation: Installation, bell: Bell, quality: Correlators, now: Time
    ) -> None:  # fmt: skip
        self.id, self.halves, self.installation = name, halves, installation
        self.bell, self.quality, self.created = bell, quality, now
        self.floor = installation.floor_between(halves[0].node, halves[1].node)
        self.sources: tuple[str, ...] = ()
        self.swaps: tuple[str, ...] = ()
        self.purifications = self.rounds = self.number = 0
        self.into: PairId | None = None
        self.why = ""
        self.together: tuple[PairId, ...] = ()
        self.announced: Estimate | None = None
        self.gate: tuple[Half, int, Row] | None = None
        self.complete = self.kept = self.fused = self.told = self.closed = False
        self._certain = False
        self._ended: PairState | None = None
        self._frozen: tuple[End, End] | None = None
        for half in halves:
            half.row = self
            half.doing = None

    @property
    def ended(self) -> bool:
        """Whether the pair is no more."""
        return self._ended is not None

    @property
    def orphaned(self) -> bool:
        """Whether a half of it is still in a memory."""
        return self._frozen is None and any(half.there for half in self.halves)

    def other(self, half: Half) -> Half:
        """The half at the other end."""
        return self.halves[1] if self.halves[0] is half else self.halves[0]

    def end(self, state: PairState, why: str, certain: bool = True) -> None:
        """The pair is no more; the first reason stands, unless it was a guess."""
        if self._ended is None:
            self._ended, self.why, self._certain = state, self.why or why, certain

    def because(self, why: str) -> None:
        """A node has been told the reason."""
        if self._ended is PairState.LOST and not self._certain:
            self.why, self._certain = why, True

    def freeze(self) -> None:
        """Its far halves live on in another row: here they stay as they were."""
        one, two = (half.end(self)._replace(there=False) for half in self.halves)
        self._frozen = (one, two)

    def made_of(self, one: Row, two: Row, node: str) -> None:
        """It was joined from two others by a swap at this node."""
        self.sources = (*one.sources, *two.sources)
        self.swaps = (*one.swaps, node, *two.swaps)
        self.purifications = one.purifications + two.purifications

    def spend(self, other: Row) -> None:
        """Another pair was sacrificed for it."""
        self.sources = (*self.sources, *other.sources)
        self.swaps = (*self.swaps, *other.swaps)
        self.purifications += other.purifications + 1

    def compare(self, keep: Half, bit: int, gone: Row) -> None:
        """Both ends are done: the bits agree, or the pair is lost."""
        assert self.gate is not None
        assert keep.purify is not None
        (asker, asked_bit, spent), self.gate = self.gate, None
        command = keep.purify
        words = None if command.rotation is None else command.rotation.words
        kind = command.distillation.value
        label, flip = purify_frame(kind, self.bell, gone.bell, words)
        if spent is not gone or bit ^ asked_bit != flip:
            self.end(PairState.LOST, "the purification failed: the bits of the two ends differ")
            return
        noises = operation_noise(asker.calibration), operation_noise(keep.calibration)
        _, self.quality = purified(self.quality, gone.quality, kind, *noises, flip, words)
        self.bell = Bell(label)
        self.rounds += 1
        self.spend(gone)

    def _state(self) -> PairState:
        if self._ended is not None:
            handed = self._ended is PairState.CONSUMED and self.number and not self.kept and self.into is None
            return PairState.DELIVERED if handed else self._ended
        doing = {half.doing for half in self.halves}
        if PairState.SWAPPING in doing:
            return PairState.SWAPPING
        if PairState.PURIFYING in doing or self.gate is not None:
            return PairState.PURIFYING
        if PairState.USING in doing:
            return PairState.USING
        if self.fused:
            return PairState.FUSED
        if self.complete:
            waits = self.installation.gathers and not self.number and all(half.there for half in self.halves)
            return PairState.GATHERED if waits else PairState.HELD
        return PairState.JOINED if self.swaps else PairState.ELEMENTARY

    def _until(self, state: PairState) -> Time | None:
        window = self.installation.window
        if state is not PairState.GATHERED or window is None:
            return None
        return min(half.born for half in self.halves) + window

    def record(self, now: Time, old: Pair | None) -> Pair:
        """The row as it is now; ``old`` itself where nothing has changed."""
        one, two = self.halves
        state = self._state()
        new = Pair(
            self.id, state, self._frozen or (one.end(self), two.end(self)), self.installation.request,
            self.installation.epoch, self.bell, self.quality, self.floor, self.sources, self.swaps, self.purifications, self.rounds,
            self.created, now if old is None else old.changed, self.number, self.into, self.why,
            self.together, self._until(state), self.announced,
        )  # fmt: skip
        if new == old:
            assert old is not None
            return old
        return replace(new, changed=now)


class Arming(NamedTuple):
    """A slot that tries: which, since when, and by whose rules."""

    slot: int
    since: Time
    installation: Installation


def attempting(lane: str, arms: Mapping[str, Arming], now: Time) -> Pair:
    """The row of a lane at one or both of whose ends a slot tries.

    Args:
        lane: its name, ``LINK/NUMBER``.
        arms: what tries, by node; at least one.
        now: ps.
    """
    node, (first, _, mine) = next(iter(arms.items()))
    rule = mine.rules[first]
    both = (node, rule.partner) if rule.side is Side.RIGHT else (rule.partner, node)
    ends = []
    for each in both:
        slot, since, theirs = arms.get(each, Arming(-1, now, mine))
        tries = each in arms
        ends.append(End(each, "", slot, tries, tries, since, since, theirs.rates(slot), None, None))
    return Pair(
        PairId(lane, lane), PairState.ATTEMPTING, (ends[0], ends[1]), mine.request, mine.epoch, Bell.PHI_PLUS, (0.0, 0.0, 0.0),
        mine.floor_between(*both), (), (), 0, 0, now, now,
    )  # fmt: skip
