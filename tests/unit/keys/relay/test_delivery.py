"""Relayed keys become stock of two KMEs: link keys out of their own stores, at both ends and between."""

from __future__ import annotations

from uuid import UUID

import pytest

import keydesk
from keyrelay import stream
from quantum_fabric.errors import InputError
from quantum_fabric.keys import (
    Block,
    Consignment,
    Desk,
    Grant,
    KeyMaterial,
    KeyRequest,
    MemoryShelf,
    Mode,
    Origin,
    Pool,
    Promise,
    Provenance,
    Slice,
    accept,
    confirmed,
    feed,
)
from quantum_fabric.keys.relay import Delivered, RelayNode, ShelfPads, Start, noise_octets, relayed_block
from quantum_fabric.keys.relay.custody import Form

PATH = ("kme-a", "kme-r", "kme-b")
TRANSFER = UUID(int=77)


def house(kme: str) -> tuple[Desk, MemoryShelf, RelayNode]:
    desk, shelf = keydesk.desk(kme), MemoryShelf()
    for one, other in (("kme-a", "kme-r"), ("kme-r", "kme-b")):
        for cutter, follower in ((one, other), (other, one)):
            if kme in (one, other):
                material = KeyMaterial(stream(f"{cutter}{follower}", 2048))
                name = UUID(bytes=stream(f"{follower}{cutter}", 16), version=4)
                assert feed(
                    desk,
                    shelf,
                    Block(name, Pool(cutter, follower), material, Provenance(Origin.TEST, "t")),
                    0,
                )
    return desk, shelf, RelayNode(kme, ShelfPads(shelf, desk.ring, kme), kme == "kme-r")


def test_from_stores_over_a_relay_to_two_applications() -> None:
    houses = {kme: house(kme) for kme in PATH}
    noise = KeyMaterial(stream("noise", noise_octets(64, 1)))
    start = Start(TRANSFER, (PATH,), 64, noise, 60_000)
    wires = houses["kme-a"][2].handle(start, 0)
    while wires:
        answer = wires.pop(0)
        if isinstance(answer, Delivered):
            kme = answer.source if answer.paths and answer.source not in done(houses) else answer.target
            desk, shelf, _ = houses[kme]
            block = relayed_block(answer, Provenance(Origin.TEST, "relayed"))
            assert feed(desk, shelf, block, 0) == 64
            assert (
                feed(desk, shelf, relayed_block(again(answer), Provenance(Origin.TEST, "relayed")), 0) == 0
            ), "once"
            continue
        wires += houses[answer.receiver][2].handle(answer, 0)  # type: ignore[union-attr]
    (a, shelf_a, _), (b, shelf_b, _) = houses["kme-a"], houses["kme-b"]
    assert shelf_a.stock(Pool("kme-a", "kme-b")) == shelf_b.stock(Pool("kme-a", "kme-b")) == 64
    promise = a.issue(shelf_a, "alice", KeyRequest("bob", number=2), 0)
    assert isinstance(promise, Promise)
    for errand in shelf_a.errands("kme-b", 9):
        parcel = Consignment(errand.key_id, "alice", ("bob",), 60_000, errand.slices)
        assert accept(b, shelf_b, "kme-a", parcel, 0) is None
    confirmed(a, shelf_a, "kme-b", list(promise.key_ids), 0)
    one = a.release(shelf_a, "alice", promise.key_ids, 0)
    other = b.collect(shelf_b, "alice", "bob", promise.key_ids, 0)
    assert isinstance(one, Grant)
    assert isinstance(other, Grant)
    assert [key.material for key in one.keys] == [key.material for key in other.keys]
    for cutter, follower in (PATH[:2], PATH[1::-1], PATH[1:], PATH[:0:-1]):
        left = {houses[kme][1].stock(Pool(cutter, follower)) for kme in (cutter, follower)}
        assert left == {2048 - (64 + 176 if (cutter, follower) in (PATH[:2], PATH[1:]) else 96)}
    assert all(node.quiet for _, _, node in houses.values())


def done(houses: dict[str, tuple[Desk, MemoryShelf, RelayNode]]) -> set[str]:
    return {kme for kme, (_, shelf, _) in houses.items() if shelf.has_block(TRANSFER)}


def again(delivered: Delivered) -> Delivered:
    return Delivered(
        delivered.transfer, delivered.source, delivered.target, KeyMaterial(bytes(64)), delivered.paths
    )


def test_a_kme_in_production_refuses_relayed_bits_that_cannot_be_secret() -> None:
    delivered = Delivered(TRANSFER, "kme-a", "kme-b", KeyMaterial(bytes(32)), (PATH,))
    desk = keydesk.desk(mode=Mode.PRODUCTION)
    with pytest.raises(InputError, match="origin 'twin'"):
        feed(desk, MemoryShelf(), relayed_block(delivered, Provenance(Origin.TWIN, "x")), 0)


def test_a_relay_reads_its_store_and_nothing_else() -> None:
    """What a relay has destroyed cannot be had from its store: the place of a pad that was used is gone."""
    _, shelf, node = house("kme-r")
    pads = ShelfPads(shelf, keydesk.ring(), "kme-r")
    taken = pads.cut("kme-b", 32)
    assert taken is not None
    place: Slice = taken.places[0]
    assert shelf.cell(Pool("kme-r", "kme-b"), place.block, place.offset) is None
    assert not node.book.holds(TRANSFER, 0, Form.CLEAR)
