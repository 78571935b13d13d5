"""Every move of every state is either in the table or raises and changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from quantum_fabric.errors import ProtocolError
from quantum_fabric.keys import End, KeyRecord, Origin, Provenance, State
from quantum_fabric.keys.life import confirm, end, hand_over

NEW = KeyRecord(
    UUID(int=1),
    256,
    "alice",
    ("bob", "anna"),
    ("alice", "anna"),
    ("kme-b",),
    0,
    1000,
    Provenance(Origin.TEST, "x"),
)
ORDER = list(State)

MOVES: dict[str, Callable[[KeyRecord], KeyRecord]] = {
    "confirm": lambda record: confirm(record, "kme-b"),
    "alice": lambda record: hand_over(record, "alice", 10),
    "anna": lambda record: hand_over(record, "anna", 10),
    "bob": lambda record: hand_over(record, "bob", 10),
    "late": lambda record: hand_over(record, "alice", 1000),
    "expire": lambda record: end(record, End.EXPIRED),
    "revoke": lambda record: end(record, End.REVOKED),
}


def walk(names: tuple[str, ...]) -> tuple[KeyRecord, list[str]]:
    record, done = NEW, []
    for name in names:
        try:
            moved = MOVES[name](record)
        except ProtocolError:
            continue
        assert ORDER.index(moved.state) >= ORDER.index(record.state), "forward only"
        record = moved
        done.append(name)
    return record, done


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_every_order_of_moves(length: int) -> None:
    """All of them: nobody gets a key twice, nobody gets it unconfirmed, late, or after its end."""
    for names in itertools.product(MOVES, repeat=length):
        record, done = walk(names)
        assert done.count("alice") <= 1
        assert done.count("anna") <= 1
        assert not {"bob", "late"} & set(done), "bob lives elsewhere"
        handed = [name for name in done if name in ("alice", "anna")]
        if handed:
            assert "confirm" in done[: done.index(handed[0])]
        ends = [name for name in done if name in ("expire", "revoke")]
        assert len(ends) <= 1
        if ends:
            assert done[-1] == ends[0], "nothing moves after the end"
            assert record.state is State.DESTROYED
        if len(handed) == 2:
            assert (record.state, record.end) == (State.DESTROYED, End.CONSUMED)


def test_ends() -> None:
    with pytest.raises(ProtocolError, match="last recipient"):
        end(NEW, End.CONSUMED)
    gone = end(NEW, End.VOIDED)
    assert (gone.awaiting, gone.unconfirmed, gone.end) == ((), (), End.VOIDED)
    with pytest.raises(ProtocolError, match="destroyed"):
        confirm(gone, "kme-b")


def test_a_clock_that_jumps() -> None:
    """Forward: expired. Backwards by more than the tolerance: the clock cannot be believed, and the key is refused."""
    ready = replace(NEW, unconfirmed=(), created=100_000, expires=200_000)
    hand_over(ready, "alice", 99_000)
    for now in (94_999, 0, 200_000):
        with pytest.raises(ProtocolError, match="out of its time"):
            hand_over(ready, "alice", now)
