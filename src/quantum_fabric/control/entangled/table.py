"""The entanglement table: a fold over what nodes report, that says where entanglement is believed to be.

It is a watcher: show it the messages in `EntanglementTable.SEES` where and when they pass a seat. What it knows is what the nodes
together know at that moment. So it knows of a swap before the ends do, and says of each end whether it has been told (`End.knows`).
It never sees a state, a drift or a truth; it does believed arithmetic of its own and asks no agent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from quantum_fabric.control.distil import operation_noise
from quantum_fabric.control.entangled.halves import Arming, Half, Row, attempting
from quantum_fabric.control.entangled.leases import Installed
from quantum_fabric.control.entangled.pairs import Change, Pair, PairState, View
from quantum_fabric.control.entangled.uses import Uses
from quantum_fabric.errors import InputError
from quantum_fabric.messages import (
    Arm,
    Ask,
    Bell,
    Commit,
    Discard,
    Heralded,
    Joined,
    Kept,
    LinkRequest,
    Lost,
    Message,
    NodeFailed,
    Outcome,
    PairId,
    Prepare,
    Purified,
    Purify,
    PurifyAnswer,
    Refused,
    Release,
    Released,
    Renegotiate,
    Renegotiated,
    Side,
    SlotsBroken,
    Swap,
    Swapped,
)
from quantum_fabric.physics.correlators import product, swap_table
from quantum_fabric.physics.frames import swap_frame
from quantum_fabric.units import Time


class EntanglementTable:
    """The table of a running network.

    Args:
        ended: how many pairs that have ended are kept.
        remembered: how many changes are kept for `since`.
        listener: called with every `Change`.

    Attributes:
        view: the table now.
        now: time of the message that is folded, ps.
        halves: that are in memories, by node and slot.
        rows: pairs of which a half may still be in a memory, by name.

    Limits:
        It has to see the network from the start, and every message in `SEES`: a fabric that tells watchers less
        (`quantum_fabric.ensemble.live.LiveFabric`) cannot feed it. A lane attempts while its slots are armed; that its fibre is cut
        does not show.

    Examples:
        >>> table = EntanglementTable()
        >>> table(0, "A", Arm("A", 0, "A~B", 0, 1, None))   # nobody told it of an installation at A
        >>> table.view.pairs
        {}
    """

    SEES: Final = (
        LinkRequest, Ask, Renegotiate, Renegotiated, Kept, Refused, Outcome, Prepare, Commit, Release, Released, Arm, Heralded,
        Swap, Swapped, Purify, Purified, PurifyAnswer, Joined, Lost, Discard, NodeFailed, SlotsBroken, *Uses.SEES,
    )  # fmt: skip
    """What it wants to be shown."""

    def __init__(
        self, ended: int = 4096, remembered: int = 65536, listener: Callable[[Change], None] | None = None
    ) -> None:
        if ended < 0 or remembered < 0:
            raise InputError(f"ended={ended}, remembered={remembered}", "counts of 0 or more")
        self.view = View()
        self._ended = ended
        self._listener = listener
        self._recent: deque[Change] = deque(maxlen=remembered)
        self._past: deque[PairId] = deque()
        self._book = book = Installed()
        self._arms: dict[str, dict[str, Arming]] = {}  # lane -> node -> what tries there
        self.halves: dict[tuple[str, int], Half] = {}
        self._named: dict[tuple[str, str], Half] = {}
        self.rows: dict[PairId, Row] = {}
        self.now: Time = 0
        self._handlers: dict[type, Callable[[str, Any], None]] = {
            LinkRequest: book.asks, Ask: book.asks, Renegotiate: book.wishes_for, Renegotiated: book.changed,
            Kept: book.stays, Refused: book.ended, Outcome: book.ended, Prepare: self._prepare, Commit: self._commit,
            Release: self._release, Released: self._released, Arm: self._arm, Heralded: self._heralded,
            Swap: self._swap, Swapped: self._swapped, Purify: self._purify, Purified: self._purified,
            PurifyAnswer: self._answered, Joined: self._joined, Lost: self._lost, Discard: self._discard,
            NodeFailed: self._failed, SlotsBroken: self._broken, **Uses(self).handlers,
        }  # fmt: skip

    def __call__(self, time: Time, place: str, message: Message) -> None:
        """Fold one message."""
        self.now = time
        handler = self._handlers.get(type(message))
        if handler is not None:
            handler(place, message)

    def snapshot(self) -> View:
        """The table now, as a view that stays as it is. Together with `since` it lets somebody follow from here."""
        return self.view.copy()

    def since(self, number: int) -> list[Change]:
        """The changes from a number on.

        Raises:
            InputError: they are not remembered any more (take a `snapshot`), or there is no such number yet.
        """
        first = self.view.next - len(self._recent)
        if not first <= number <= self.view.next:
            expected = f"a number from {first} to {self.view.next}; take a snapshot where it is older"
            raise InputError(str(number), expected, "since")
        return [change for change in self._recent if change.number >= number]

    # ------------------------------------------------------------------------------------------ the stream

    def emit(self, name: PairId, pair: Pair | None) -> None:
        """A row is so from now on; None forgets it."""
        change = Change(self.view.next, self.now, name, pair)
        self.view.apply(change)
        self._recent.append(change)
        if self._listener is not None:
            self._listener(change)

    def tell(self, row: Row) -> None:
        """Say how a row is now, if that has changed; forget those that ended longest ago."""
        old = self.view.pairs.get(row.id)
        if old is None and row.told:
            return  # it was forgotten
        new = row.record(self.now, old)
        if new is not old:
            row.told = True
            self.emit(row.id, new)
        if row.ended and not row.closed and not row.orphaned:
            row.closed = True
            self.rows.pop(row.id, None)
            self._past.append(row.id)
            while len(self._past) > self._ended:
                self.emit(self._past.popleft(), None)

    # ------------------------------------------------------------------------------------- installations

    def _prepare(self, place: str, message: Prepare) -> None:
        self._book.prepare(place, message)

    def _commit(self, place: str, message: Commit) -> None:
        self._book.commit(place, message.epoch)

    def _release(self, place: str, message: Release) -> None:
        self._book.let_go(place, message.epoch)

    def _released(self, place: str, message: Released) -> None:
        self._book.let_go(message.node, message.epoch)

    # ------------------------------------------------------------------------------------------- lanes

    def _arm(self, place: str, message: Arm) -> None:
        installation = self._book.at(message.node, message.slot)
        if installation is not None:
            lane = f"{message.link}/{message.lane}"
            self._arms.setdefault(lane, {})[message.node] = Arming(message.slot, self.now, installation)
            self._tell_lane(lane)

    def _disarm(self, node: str, slot: int) -> None:
        for lane in [lane for lane, arms in self._arms.items() if node in arms and arms[node].slot == slot]:
            del self._arms[lane][node]
            self._tell_lane(lane)

    def _tell_lane(self, lane: str) -> None:
        arms, name = self._arms[lane], PairId(lane, lane)
        if arms:
            self.emit(name, attempting(lane, arms, self.now))
        else:
            del self._arms[lane]
            self.emit(name, None)

    def _heralded(self, place: str, event: Heralded) -> None:
        half = self._named.get((place, event.pair))
        if half is None:
            half = self._born(place, event)
        if half is not None:
            half.heard, half.heard_at = True, self.now
            half.follow()
            self.tell(half.row)

    def _born(self, node: str, event: Heralded) -> Half | None:
        """The first end hears: the pair is there. Its other end's half is, unless that end had let go before its birth."""
        mine = self._book.at(node, event.slot)
        if mine is None:
            return None
        rule, far = mine.rules[event.slot], mine.rules[event.slot].partner
        lane = event.pair.rpartition("#")[0]
        arms = self._arms.get(lane, {})
        arms.pop(node, None)
        slot, since, theirs = arms.get(far, Arming(-1, 0, mine))
        here = Half(node, event.pair, event.slot, event.born, mine, far)
        there = Half(far, event.pair, slot, event.partner_born, theirs, node)
        ends = (here, there) if rule.side is Side.RIGHT else (there, here)
        row = Row(PairId(event.pair, event.pair), ends, mine, event.bell, rule.fresh, self.now)
        row.sources = (event.pair,)
        self.rows[row.id] = row
        self._seat(here)
        if slot >= 0 and since <= event.partner_born:
            arms.pop(far, None)
            self._seat(there)
        else:
            there.there = False
            row.end(PairState.LOST, f"{far} had let go of its half before it was told")
        if lane in self._arms:
            self._tell_lane(lane)
        return here

    # ------------------------------------------------------------------------------------------- halves

    def _seat(self, half: Half) -> None:
        self.halves[half.node, half.slot] = half
        self._named[half.node, half.name] = half

    def take(self, node: str, slot: int) -> Half | None:
        """The half that was in a slot, which is empty now."""
        half = self.halves.pop((node, slot), None)
        if half is not None:
            del self._named[node, half.name]
            half.there = False
            self._break_off(half)
        return half

    def _break_off(self, half: Half) -> None:
        """A fusion of which a half is gone comes to nothing; the others wait as before."""
        along, half.along = half.along, ()
        for other in along:
            other.along = ()
            if other is not half and other.there:
                other.doing = None
                self.tell(other.row)

    def lose(self, row: Row, why: str, certain: bool = True) -> None:
        """A pair is no more; with it goes the state of several nodes that it is part of."""
        row.end(PairState.LOST, why, certain)
        if row.fused:
            for name in row.together:
                other = self.rows.get(name)
                if other is not None and not other.ended:
                    other.end(PairState.LOST, f"{row.id.left} .. {row.id.right} of its state: {why}")
                    self.tell(other)
        self.tell(row)

    def _begin(self, node: str, slots: tuple[int, int], doing: PairState) -> None:
        for slot in slots:
            half = self.halves.get((node, slot))
            if half is not None:
                half.doing = doing
                self.tell(half.row)

    def _swap(self, place: str, message: Swap) -> None:
        self._begin(place, (message.left, message.right), PairState.SWAPPING)

    def _purify(self, place: str, message: Purify) -> None:
        self._begin(place, (message.keep, message.sacrifice), PairState.PURIFYING)
        keep = self.halves.get((place, message.keep))
        if keep is not None:
            keep.purify = message

    def _swapped(self, place: str, event: Swapped) -> None:
        left, right = self.take(place, event.left), self.take(place, event.right)
        if left is None or right is None:
            return
        one, two = left.row, right.row
        if event.outcome is None or one.ended or two.ended:
            why = (
                f"the swap at {place} failed"
                if event.outcome is None
                else f"{place} swapped it with a lost pair"
            )
            for row in (one, two):
                row.end(PairState.LOST, why)
                self.tell(row)
            return
        a, b = one.other(left), two.other(right)
        quality = product(
            product(one.quality, two.quality), product(left.ageing(self.now), right.ageing(self.now))
        )
        quality = product(quality, swap_table(operation_noise(left.calibration))[event.outcome][1])
        frame = Bell(swap_frame(one.bell, two.bell, event.outcome))
        new = Row(PairId(a.name, b.name), (a, b), one.installation, frame, quality, self.now)
        new.made_of(one, two, place)
        new.floor = one.installation.floor_between(a.node, b.node)
        for row in (one, two):
            row.into = new.id
            row.end(PairState.CONSUMED, "")
            row.freeze()
        a.row = b.row = new
        self.rows[new.id] = new
        for row in (one, two, new):
            self.tell(row)

    def _purified(self, place: str, event: Purified) -> None:
        keep, spent = self.halves.get((place, event.keep)), self.take(place, event.sacrifice)
        if keep is None or spent is None:
            return
        row, gone = keep.row, spent.row
        keep.doing = None
        row.quality = product(row.quality, keep.ageing(self.now))
        keep.since = self.now
        if event.bit is None or row.ended or (gone.ended and gone.into != row.id):
            why = f"the purification at {place} failed" if event.bit is None else "purified with a lost pair"
            row.end(PairState.LOST, why)
            gone.end(PairState.LOST, why)
        elif row.gate is None:
            keep.asked = True
            gone.quality = product(gone.quality, spent.ageing(self.now))
            gone.into = row.id
            gone.end(PairState.CONSUMED, "")
            row.gate = (keep, event.bit, gone)
        else:
            gone.quality = product(gone.quality, spent.ageing(self.now))
            row.compare(keep, event.bit, gone)
        self.tell(gone)
        self.tell(row)

    def _answered(self, place: str, answer: PurifyAnswer) -> None:
        half = self._named.get((place, answer.keep))
        if half is not None:
            half.asked = False
            if not answer.success:
                half.why = "the purification was declined"
            self.tell(half.row)

    # --------------------------------------------------------------------------------------------- news

    def _joined(self, place: str, news: Joined) -> None:
        half = self._named.get((place, news.mine))
        if half is not None:
            half.early.append(news)
            half.follow()
            self.tell(half.row)

    def _lost(self, place: str, news: Lost) -> None:
        half = self._named.get((place, news.mine))
        if half is not None:
            half.why = news.why
            half.row.because(news.why)
            self.tell(half.row)

    def _discard(self, place: str, message: Discard) -> None:
        node, slot = message.node, message.slot
        half = self.take(node, slot)
        if half is None:
            self._disarm(node, slot)
            return
        cut = half.cutoff is not None and self.now == max(half.cutoff, half.heard_at)
        guess = f"cutoff at {node}" if cut else f"let go by {node}"
        self.lose(half.row, half.why or guess, certain=bool(half.why) or cut)

    def _failed(self, place: str, event: NodeFailed) -> None:
        node = event.node
        for each, slot in [key for key in self.halves if key[0] == node]:
            half = self.take(each, slot)
            assert half is not None
            self.lose(half.row, f"{node} failed")
        for slot in [arms[node].slot for arms in self._arms.values() if node in arms]:
            self._disarm(node, slot)
        self._book.fail(node)

    def _broken(self, place: str, event: SlotsBroken) -> None:
        for slot in event.slots:
            half = self.halves.get((event.node, slot))
            if half is not None:
                self.lose(half.row, f"memory slot {slot} of {event.node} broke")
