"""Calls with relay messages: as many as fit, in order, and in nobody else's name."""

from __future__ import annotations

import json
from collections import deque
from uuid import UUID

import pytest

from quantum_fabric.keys import Slice
from quantum_fabric.keys.relay.messages import Ack, Carry, Envelope
from quantum_fabric.keys.relay.written import written
from quantum_fabric.server.etsi014 import FormatError
from quantum_fabric.server.relay_house import MOST_MESSAGES, pack, unpack

LOCK = (Slice(UUID(int=1), 0, 32),)


def envelope(number: int, octets: int) -> Envelope:
    carry = Carry(UUID(int=2), 0, 1, octets, ("a", "r", "b"), 1, LOCK, bytes(octets))
    return Envelope("a", "r", number, 1, carry, LOCK, bytes(16))


def test_calls_hold_what_fits_and_keep_the_order() -> None:
    messages = [envelope(number, 60_000) for number in range(1, 6)]
    queue, calls = deque(messages), []
    while queue:
        calls.append(unpack(pack(queue), "a"))
    assert [len(call) for call in calls] == [2, 2, 1]
    assert [one for call in calls for one in call] == messages
    assert all(len(pack(deque(call))) < 256 * 1024 for call in calls), "the door reads it"


def test_the_largest_block_fits_into_one_call() -> None:
    """32 KiB under a pad that was cut out of cells of 32 octets."""
    pad = tuple(Slice(UUID(int=3), 32 * number, 32) for number in range(1030))
    carry = Carry(UUID(int=2), 0, 1, 1 << 15, ("a", "r", "b"), 1, pad, bytes((1 << 15) + 80))
    call = pack(deque([Envelope("a", "r", 1, 1, carry, LOCK, bytes(16))]))
    assert len(call) < 256 * 1024
    assert len(unpack(call, "a")) == 1


def test_there_are_never_too_many() -> None:
    queue = deque(Ack("a", "r", number, LOCK, bytes(16)) for number in range(1, 101))
    assert len(unpack(pack(queue), "a")) == MOST_MESSAGES
    assert len(queue) == 100 - MOST_MESSAGES
    rows = [written(Ack("a", "r", 1, LOCK, bytes(16)))] * (MOST_MESSAGES + 1)
    with pytest.raises(FormatError, match="at most"):
        unpack(json.dumps({"messages": rows}).encode(), "a")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"messages": {}}', b'{"messages": [[]]}', b'{"messages": ["x"]}']
)
def test_rubbish(body: bytes) -> None:
    with pytest.raises(FormatError):
        unpack(body, "a")


def test_nobody_speaks_for_somebody_else() -> None:
    call = pack(deque([envelope(1, 32)]))
    with pytest.raises(FormatError, match="somebody else"):
        unpack(call, "b")
