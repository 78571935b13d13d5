"""What a courier packs is what the outbox says when it packs, and not what it said when it was read."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import keydesk
from quantum_fabric.keys import KeyRequest, Promise, void
from quantum_fabric.server.courier import Courier, Line
from quantum_fabric.server.kme import Kme
from quantum_fabric.server.store import Store


class Nobody(Line):
    """A connection that is never used."""

    def __init__(self) -> None:
        self.kme = "kme-b"


def test_a_key_that_is_taken_back_while_its_parcel_is_being_packed_is_recalled(tmp_path: Path) -> None:
    """Otherwise the far end keeps places that are spent here, or a key that its master never had."""

    async def story() -> tuple[Any, Any]:
        kme = Kme(keydesk.policy(), keydesk.ring(), Store(tmp_path / "keys.sqlite", keydesk.ring()))
        desk, store = kme.desk, kme.store
        try:
            store.run(lambda shelf: keydesk.stock(desk, shelf, "kme-a", "kme-b"))
            promise = store.run(lambda shelf: desk.issue(shelf, "alice", KeyRequest("bob", number=2), 0))
            assert isinstance(promise, Promise)
            courier = Courier(kme, Nobody(), "https://kme-a.example")
            read = store.run(lambda shelf: shelf.errands("kme-b", 10))
            assert [one.void for one in read] == [False, False]
            (first, second) = promise.key_ids
            assert store.run(lambda shelf: void(desk, shelf, [first], "kme-a", 1)) == 1
            load = store.run(lambda shelf: courier._pack(shelf, read, 1))
            assert [one.key_id for one in load.recalls] == [first]
            assert load.recalls[0].slices, "the places are named, for they are spent here"
            assert [one.key_id for one in load.parcels] == [second]
            left = store.run(lambda shelf: shelf.errands("kme-b", 10))
            return promise.key_ids, {(one.key_id, one.void) for one in left}
        finally:
            store.close()

    (first, second), left = asyncio.run(story())
    assert left == {(first, True), (second, False)}, "both stay until kme-b has heard of them"
