"""One line: once, in any order, under tags, and without key it waits."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from keyrelay import stream
from quantum_fabric.errors import ProtocolError
from quantum_fabric.keys.relay.bundle import LOCK
from quantum_fabric.keys.relay.custody import Book, Form
from quantum_fabric.keys.relay.line import Line
from quantum_fabric.keys.relay.messages import Ack, Alarm, Envelope, Outcome, Receipt
from quantum_fabric.keys.relay.pads import MemoryPads


def ends(octets: int = 1024) -> tuple[Line, Line, MemoryPads, MemoryPads]:
    a, b = MemoryPads("A"), MemoryPads("B")
    for spender, follower in (("A", "B"), ("B", "A")):
        for store in (a, b):
            store.add(spender, follower, UUID(int=1), stream(f"{spender}{follower}", octets))
    return Line("A", "B", a), Line("B", "A", b), a, b


def word(number: int) -> Receipt:
    return Receipt(UUID(int=number), 0, ("A", "B"), Outcome.ARRIVED, "B")


def sent(line: Line, number: int) -> Envelope:
    (envelope,) = line.send(word(number), 0)
    return envelope


def test_each_payload_is_taken_once_and_acknowledged_alike() -> None:
    a, b, *_ = ends()
    one, two = sent(a, 1), sent(a, 2)
    for envelope in (two, one):
        payload, (ack,) = b.take(envelope)
        assert payload == envelope.payload
        assert b.take(envelope) == (None, [ack])
        assert a.acknowledged(ack) == envelope.payload  # type: ignore[arg-type]
        assert a.acknowledged(ack) is None  # type: ignore[arg-type]
    assert a.idle
    three = sent(a, 3)
    assert (three.number, three.floor) == (3, 3)
    assert b.take(three)[0] == word(3)
    assert b.take(one) == (None, []), "an echo of long ago"
    assert set(b.acks) == {3}, "what the other end has, need not be kept"


def test_each_tag_costs_both_ends_its_key_once() -> None:
    a, b, store_a, store_b = ends()
    one = sent(a, 1)
    _, (ack,) = b.take(one)
    for _ in range(3):
        b.take(one)
        a.acknowledged(ack)  # type: ignore[arg-type]
    for store in (store_a, store_b):
        assert store.left("A", "B") == store.left("B", "A") == 1024 - LOCK
    two = sent(a, 2)
    assert not {piece.offset for piece in one.lock} & {piece.offset for piece in two.lock}
    b.take(two)
    stale = replace(one, number=3, floor=3)
    payload, (alarm,) = b.take(stale)
    assert payload is None
    assert isinstance(alarm, Alarm), "the key of a spent tag opens nothing any more"


def test_without_key_for_its_tag_a_payload_waits_in_order() -> None:
    a, b, store_a, store_b = ends(octets=32)
    first = sent(a, 1)
    assert a.send(word(2), 0) == a.send(word(3), 0) == []
    for store in (store_a, store_b):
        store.add("A", "B", UUID(int=2), stream("more", 64))
        store.add("B", "A", UUID(int=2), stream("back", 64))
    assert a.send(word(4), 0) == [], "nobody overtakes those who wait"
    out = a.due(0, 1000)
    assert [one.payload for one in out] == [word(2), word(3)]
    assert [b.take(one)[0] for one in (first, *out)] == [word(1), word(2), word(3)]


def test_nobody_takes_over_what_it_cannot_acknowledge() -> None:
    a, b, _, store_b = ends(octets=64)
    assert store_b.cut("A", 64)
    payload, (alarm,) = b.take(sent(a, 1))
    assert payload is None
    assert isinstance(alarm, Alarm)
    assert store_b.left("A", "B") == 64, "it will come again"


def test_a_message_is_sent_again_as_it_was() -> None:
    a, *_ = ends()
    envelope = sent(a, 1)
    assert a.due(999, 1000) == []
    assert a.due(1000, 1000) == [envelope]
    assert a.due(1999, 1000) == []


def test_a_forged_acknowledgement_forgets_nothing() -> None:
    a, b, *_ = ends()
    _, (ack,) = b.take(sent(a, 1))
    assert isinstance(ack, Ack)
    for forged in (
        replace(ack, tag=bytes(16)),
        replace(ack, lock=()),
        replace(ack, lock=(replace(ack.lock[0], offset=8),)),
    ):
        assert isinstance(a.acknowledged(forged), Alarm)
    assert not a.idle
    assert a.acknowledged(ack) == word(1)


def test_books_open_and_close_once() -> None:
    book = Book("R")
    book.open(UUID(int=1), 0, Form.CIPHER, 0)
    with pytest.raises(ProtocolError, match="twice"):
        book.open(UUID(int=1), 0, Form.CIPHER, 0)
    book.close(UUID(int=1), 0, Form.CIPHER, 1, "x")
    with pytest.raises(ProtocolError, match="does not hold"):
        book.close(UUID(int=1), 0, Form.CIPHER, 1, "x")
