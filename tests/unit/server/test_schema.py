"""A store of the schema before key streams is brought up to this one, with everything that is in it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import keydesk
from quantum_fabric.keys import Grant, KeyRequest, verify
from quantum_fabric.server.sqlite import VERSION, connect
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


def test_a_second_connection_in_this_process_takes_no_lock_away(tmp_path: Path) -> None:
    """POSIX drops all locks of a process on a file when any handle on it is closed; a WAL in use would be deleted then."""
    path = tmp_path / "keys.sqlite"
    first = connect(path)
    first.execute("INSERT INTO pairs (master, slave) VALUES ('a', 'b')")
    connect(path).close()
    count = "SELECT count(*) FROM pairs"
    look = f"import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(*c.execute('{count}').fetchone()); c.close()"
    for expected in (1, 2):
        seen = subprocess.run(
            [sys.executable, "-c", look, str(path)], capture_output=True, text=True, check=True
        ).stdout
        assert int(seen) == expected, "another process sees what was committed"
        first.execute("INSERT INTO pairs (master, slave) VALUES (?, 'c')", (str(expected),))
    first.close()
