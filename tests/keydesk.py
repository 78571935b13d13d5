"""Desks, rings and stocks for the tests of keys and server. Every bit here is published and none of it is secret."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from uuid import UUID

from quantum_fabric.keys import (
    Desk,
    Kek,
    KeyMaterial,
    KeyRing,
    Limits,
    Mode,
    Policy,
    Pool,
    Quota,
    TestSource,
    feed,
)
from quantum_fabric.keys.shelf import Shelf

HOMES = {"alice": "kme-a", "anna": "kme-a", "bob": "kme-b", "carol": "kme-c"}
PAIRS = {
    pair: Quota()
    for pair in (("alice", "anna"), ("anna", "alice"), ("alice", "bob"), ("alice", "carol"), ("bob", "alice"))
}


def ring(name: str = "test", older: tuple[Kek, ...] = ()) -> KeyRing:
    return KeyRing(kek(name), older)


def kek(name: str = "test") -> Kek:
    return Kek(name, KeyMaterial(name.encode().ljust(32, b"\0")))


def numbers(start: int = 1) -> Callable[[], UUID]:
    """Key identifiers in order, so that a test can name them."""
    count = itertools.count(start)
    return lambda: UUID(int=next(count), version=4)


def policy(kme: str = "kme-a", **changes: object) -> Policy:
    settings: dict[str, object] = {
        "homes": HOMES, "pairs": PAIRS, "limits": Limits(), "mode": Mode.TRIAL, **changes
    }  # fmt: skip
    return Policy(kme, **settings)  # type: ignore[arg-type]


def desk(kme: str = "kme-a", **changes: object) -> Desk:
    return Desk(policy(kme, **changes), ring(), numbers())


def stock(desk: Desk, shelf: Shelf, cutter: str, follower: str, octets: int = 4096, number: int = 0) -> bytes:
    """Feed one block; returns its bits, which are published anyway."""
    block = TestSource("tests").block(Pool(cutter, follower), number, octets)
    plain = bytes(block.material.octets)
    assert feed(desk, shelf, block, now=0) == octets
    return plain
