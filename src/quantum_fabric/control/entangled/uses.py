"""What becomes of pairs that are complete: the part of the entanglement table that follows applications and deliveries.

A pair that is complete is read by rule (a test, or what was asked for), waits for the others of its set, or goes to the application,
which hands it over, measures it, teleports through it, or fuses it with others into one state of several nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Protocol

from quantum_fabric.control.entangled.halves import Half, Row
from quantum_fabric.control.entangled.pairs import Estimate, PairState, View
from quantum_fabric.messages import (
    Bell,
    Confirmed,
    Consume,
    Delivered,
    Fuse,
    Fused,
    Measure,
    Measured,
    Packet,
    PairId,
    Received,
    Substandard,
    Teleport,
    Teleported,
    Tested,
    Turn,
    Unread,
)
from quantum_fabric.units import Time

MOST_FUSED: Final = 7
"""Halves that one fusion takes."""


class Folding(Protocol):
    """What is needed of the table."""

    view: View
    now: Time
    halves: dict[tuple[str, int], Half]
    rows: dict[PairId, Row]

    def emit(self, name: PairId, pair: Any) -> None:
        """A row is so from now on."""

    def tell(self, row: Row) -> None:
        """Say how a row is now."""

    def take(self, node: str, slot: int) -> Half | None:
        """The half that was in a slot, which is empty now."""

    def lose(self, row: Row, why: str, certain: bool = True) -> None:
        """A pair is no more, nor the state that it is part of."""


class Uses:
    """Follows complete pairs.

    Args:
        table: that it is part of.
    """

    SEES: Final = (
        Consume, Measure, Measured, Teleport, Teleported, Received, Turn, Fuse, Fused, Confirmed, Delivered, Substandard, Tested,
        Unread, Packet,
    )  # fmt: skip
    """Messages that it follows."""

    def __init__(self, table: Folding) -> None:
        self._table = table

    @property
    def handlers(self) -> dict[type, Callable[[str, Any], None]]:
        """What follows which message."""
        return {
            Consume: self._consume, Measure: self._begin, Measured: self._measured, Teleport: self._begin,
            Teleported: self._teleported, Received: self._received, Turn: self._turn, Fuse: self._fuse, Fused: self._fused,
            Confirmed: self._confirmed, Delivered: self._delivered, Substandard: self._substandard, Tested: self._tested,
            Unread: self._unread, Packet: self._packet,
        }  # fmt: skip

    # ------------------------------------------------------------------------------------------- halves

    def _meant(self, node: str, slot: int, name: str) -> Half | None:
        """The half that a command is for; None where the plant does not do it: another half, or one that is busy."""
        half = self._table.halves.get((node, slot))
        return half if half is not None and half.doing is None and name in ("", half.name) else None

    def _consume(self, place: str, message: Consume) -> None:
        half = self._meant(message.node, message.slot, message.half)
        if half is not None:
            self._use(half)

    def _begin(self, place: str, message: Measure | Teleport) -> None:
        half = self._meant(message.node, message.slot, message.half)
        if half is not None:
            half.doing = PairState.USING
            self._table.tell(half.row)

    def _measured(self, place: str, event: Measured) -> None:
        lost = f"the memory of {event.node} had lost its half when it was read" if event.bit is None else ""
        self._done(event.node, event.slot, lost)

    def _teleported(self, place: str, event: Teleported) -> None:
        lost = f"the Bell measurement of a teleportation failed at {event.node}" if event.bits is None else ""
        self._done(event.node, event.slot, lost)

    def _received(self, place: str, event: Received) -> None:
        self._done(event.node, event.slot, "")

    def _done(self, node: str, slot: int, lost: str) -> None:
        half = self._table.halves.get((node, slot))
        if half is None:
            return
        if lost:
            half.row.end(PairState.LOST, lost)
        self._use(half)

    def _use(self, half: Half) -> None:
        """The application has had a half."""
        row, table = half.row, self._table
        half.doing = None
        table.take(half.node, half.slot)
        row.complete = True
        if not row.ended and not row.orphaned:
            at_once = row.number and not row.kept
            row.end(PairState.DELIVERED if at_once else PairState.CONSUMED, "")
        table.tell(row)

    def _turn(self, place: str, message: Turn) -> None:
        half = self._meant(message.node, message.slot, message.half)
        if half is not None:
            half.row.bell = Bell(half.row.bell ^ message.label)
            self._table.tell(half.row)

    # ------------------------------------------------------------------------------------------ fusions

    def _fuse(self, place: str, message: Fuse) -> None:
        slots = (message.slot, *message.others)
        names = message.halves or ("",) * len(slots)
        if not 2 <= len(slots) <= MOST_FUSED or len(set(slots)) < len(slots) or len(names) != len(slots):
            return
        found = [self._meant(message.node, *each) for each in zip(slots, names, strict=True)]
        halves = tuple(each for each in found if each is not None)
        parties = {each.row.other(each).node for each in halves}
        if len(halves) < len(slots) or len(parties) < len(slots) or message.node in parties:
            return
        for half in halves:
            half.doing, half.along = PairState.USING, halves
            self._table.tell(half.row)

    def _fused(self, place: str, event: Fused) -> None:
        table = self._table
        slots = (event.slot, *event.others)
        halves = [each for slot in slots if (each := table.halves.get((event.node, slot))) is not None]
        together = tuple(half.row.id for half in halves)
        whole = event.bits is not None and not any(half.row.ended for half in halves)
        for half in halves:
            half.doing, half.along = None, ()
            half.stay(table.now)
            half.row.complete = True
            table.take(half.node, half.slot)
            if whole:
                half.row.fused, half.row.together = True, together
        for half in halves:
            if not whole:
                why = "gates failed" if event.bits is None else "it was fused with a lost pair"
                half.row.end(PairState.LOST, f"{why} at {event.node}")
            elif not half.row.other(half).there:
                half.row.end(PairState.CONSUMED, "")
            table.tell(half.row)

    # ---------------------------------------------------------------------------------------- deliveries

    def _confirmed(self, place: str, message: Confirmed) -> None:
        row = self._table.rows.get(message.pair)
        if row is not None:
            row.complete = True
            self._table.tell(row)

    def _delivered(self, place: str, message: Delivered) -> None:
        row = self._table.rows.get(message.pair)
        announced = Estimate(message.fidelity, message.low, message.high)
        if row is None:
            self._afterwards(
                message.pair,
                number=message.number,
                state=PairState.DELIVERED,
                bell=message.bell,
                announced=announced,
            )
            return
        row.number, row.kept, row.announced = message.number, message.slots is not None, announced
        self._table.tell(row)

    def _substandard(self, place: str, message: Substandard) -> None:
        self._because(
            message.pair, f"withheld: believed {message.fidelity:.4f}, asked for {message.floor:.4f}"
        )

    def _tested(self, place: str, message: Tested) -> None:
        if message.agree is None:
            came = "the ends did not read it alike"
        else:
            came = f"tested in {message.basis}: {'as' if message.agree else 'not as'} announced"
        self._afterwards(message.pair, state=PairState.TESTED, why=came)

    def _unread(self, place: str, message: Unread) -> None:
        why = f"could not be read at {' and '.join(message.nodes)}"
        row = self._table.rows.get(message.pair)
        if row is not None:
            row.end(PairState.LOST, why)
            self._table.tell(row)
        else:
            self._afterwards(message.pair, state=PairState.LOST, why=why)

    def _packet(self, place: str, message: Packet) -> None:
        for name in message.pairs:
            row = self._table.rows.get(name)
            if row is not None and not row.fused:
                row.together = message.pairs
                self._table.tell(row)
            elif row is None:
                self._afterwards(name, together=message.pairs)

    def _because(self, name: PairId, why: str) -> None:
        row = self._table.rows.get(name)
        if row is not None:
            row.why = why
            self._table.tell(row)
        else:
            self._afterwards(name, why=why)

    def _afterwards(self, name: PairId, **news: Any) -> None:
        """Word of a pair that has ended: used first, told of later."""
        pair = self._table.view.pairs.get(name)
        settled = pair is not None and pair.state is PairState.DELIVERED and "together" in news
        if pair is not None and (settled or pair.state is PairState.CONSUMED):
            self._table.emit(name, replace(pair, changed=self._table.now, **news))
