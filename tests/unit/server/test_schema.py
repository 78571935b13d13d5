"""A store of the schema before key streams is brought up to this one, with everything that is in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import keydesk
from quantum_fabric.keys import Grant, KeyRequest, verify
from quantum_fabric.server.sqlite import VERSION
from quantum_fabric.server.store import Store


def test_schema_1_is_brought_up(tmp_path: Path) -> None:
    path, desk = tmp_path / "keys.sqlite", keydesk.desk()
    store = Store(path, keydesk.ring())
    store.run(lambda shelf: keydesk.stock(desk, shelf, "kme-a", "kme-a"))
    given = store.run(lambda shelf: desk.issue(shelf, "alice", KeyRequest("anna"), 0))
    assert isinstance(given, Grant)
    store.close()
    raw = sqlite3.connect(path)
    raw.execute("DROP TABLE streams")
    raw.execute("PRAGMA user_version = 1")
    raw.commit()
    raw.close()
    for _ in range(2):
        store = Store(path, keydesk.ring())
        verify(store.run(lambda shelf: shelf.book()))
        assert store.run(lambda shelf: shelf.streams()) == []
        store.close()
    store = Store(path, keydesk.ring())
    ids = [key.key_id for key in given.keys]
    got = store.run(lambda shelf: desk.collect(shelf, "alice", "anna", ids, 1))
    assert isinstance(got, Grant)
    assert got.keys[0].material == given.keys[0].material
    store.close()
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA user_version").fetchone() == (VERSION,)
    raw.close()
