"""Link key is spent once, and both stores behave the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

import keydesk
from keyrelay import stream
from quantum_fabric.errors import InputError, StateError
from quantum_fabric.keys import Block, KeyMaterial, MemoryShelf, Origin, Pool, Provenance, Slice, feed
from quantum_fabric.keys.relay.pads import MemoryPads, PadStore, ShelfPads

OCTETS = stream("pads", 256)


def in_memory() -> tuple[PadStore, PadStore]:
    a, b = MemoryPads("kme-a"), MemoryPads("kme-b")
    for store in (a, b):
        for number in range(2):
            store.add("kme-a", "kme-b", UUID(int=number), OCTETS[128 * number : 128 * number + 128])
    return a, b


def on_shelves() -> tuple[PadStore, PadStore]:
    made = []
    for kme in ("kme-a", "kme-b"):
        desk, shelf = keydesk.desk(kme), MemoryShelf()
        for number in range(2):
            material = KeyMaterial(OCTETS[128 * number : 128 * number + 128])
            block = Block(
                UUID(int=number), Pool("kme-a", "kme-b"), material, Provenance(Origin.TEST, "tests")
            )
            assert feed(desk, shelf, block, 0) == 128
        made.append(ShelfPads(shelf, desk.ring, kme))
    return made[0], made[1]


@pytest.fixture(params=[in_memory, on_shelves])
def stores(request: pytest.FixtureRequest) -> tuple[PadStore, PadStore]:
    make: Callable[[], tuple[PadStore, PadStore]] = request.param
    return make()


def test_both_ends_have_the_same_octets_once(stores: tuple[PadStore, PadStore]) -> None:
    a, b = stores
    taken = []
    for octets in (10, 100, 33, 64, 49):
        pad = a.cut("kme-b", octets)
        assert pad is not None
        assert sum(one.octets for one in pad.places) == octets
        taken.append(pad)
    assert b"".join(bytes(pad.material.octets) for pad in taken) == OCTETS
    assert a.cut("kme-b", 1) is None
    for pad in reversed(taken):  # in any order
        found = b.look("kme-a", pad.places)
        assert found == pad.material
        assert b.look("kme-a", pad.places) == pad.material, "looking takes nothing"
        b.spend("kme-a", pad.places)
        assert b.look("kme-a", pad.places) is None
        with pytest.raises(StateError):
            b.spend("kme-a", pad.places)
    assert a.left("kme-a", "kme-b") == b.left("kme-a", "kme-b") == 0


def test_too_little_takes_nothing(stores: tuple[PadStore, PadStore]) -> None:
    a, b = stores
    assert a.cut("kme-b", 257) is None
    assert a.left("kme-a", "kme-b") == 256
    assert b.cut("kme-a", 1) is None, "it is not the follower's to spend"
    assert b.left("kme-b", "kme-a") == 0


def test_places_that_are_not_there(stores: tuple[PadStore, PadStore]) -> None:
    _, b = stores
    good = Slice(UUID(int=0), 0, 16)
    for places in (
        (Slice(UUID(int=9), 0, 16),), (Slice(UUID(int=0), 120, 16),), (good, good), (good, replace(good, offset=8)), (),
    ):  # fmt: skip
        assert b.look("kme-a", places) is None
    assert b.look("kme-x", (good,)) is None


def test_what_is_spent_is_overwritten() -> None:
    a, b = in_memory()
    pad = a.cut("kme-b", 200)
    assert pad is not None
    b.spend("kme-a", pad.places)
    for store in (a, b):
        assert isinstance(store, MemoryPads)
        assert not any(b"".join(stored for stored, _ in store._blocks["kme-a", "kme-b"].values())[:200])


def test_a_block_goes_in_once_and_belongs_to_the_node() -> None:
    store = MemoryPads("A")
    store.add("A", "B", UUID(int=1), b"x")
    for direction, block in ((("A", "B"), 1), (("B", "C"), 2)):
        with pytest.raises(InputError):
            store.add(*direction, UUID(int=block), b"y")
