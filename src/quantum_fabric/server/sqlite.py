"""A store in one file: SQLite. What it holds is sealed; the file alone opens nothing."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from quantum_fabric.errors import InputError
from quantum_fabric.server.sql import SqlShelf

VERSION: Final = 2
"""Of the schema; a file of version 1, which had no key streams, is brought up to it, and any other is refused."""

SCHEMA: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, kek TEXT NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE pools (pool INTEGER PRIMARY KEY, cutter TEXT NOT NULL, follower TEXT NOT NULL, octets INTEGER NOT NULL,
    UNIQUE (cutter, follower)) STRICT;
CREATE TABLE blocks (rank INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, pool INTEGER NOT NULL, origin TEXT NOT NULL,
    source TEXT NOT NULL, epsilon REAL NOT NULL) STRICT;
CREATE TABLE cells (pool INTEGER NOT NULL, rank INTEGER NOT NULL, start INTEGER NOT NULL, octets INTEGER NOT NULL,
    kek TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (pool, rank, start)) STRICT, WITHOUT ROWID;
CREATE TABLE keys (key_id BLOB PRIMARY KEY, bits INTEGER NOT NULL, master TEXT NOT NULL, slaves TEXT NOT NULL,
    awaiting TEXT NOT NULL, unconfirmed TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL,
    origin TEXT NOT NULL, source TEXT NOT NULL, epsilon REAL NOT NULL, state TEXT NOT NULL, ended TEXT,
    kek TEXT, sealed BLOB) STRICT, WITHOUT ROWID;
CREATE INDEX keys_overdue ON keys (expires) WHERE state <> 'destroyed';
CREATE TABLE pairs (master TEXT NOT NULL, slave TEXT NOT NULL, waiting INTEGER NOT NULL DEFAULT 0, tokens REAL,
    at INTEGER, PRIMARY KEY (master, slave)) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (number INTEGER PRIMARY KEY AUTOINCREMENT, kme TEXT NOT NULL, key_id BLOB NOT NULL,
    slices TEXT NOT NULL, masked BLOB NOT NULL, void INTEGER NOT NULL, UNIQUE (kme, key_id)) STRICT;
CREATE TABLE audit (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, act TEXT NOT NULL, actor TEXT NOT NULL,
    facts TEXT NOT NULL, before TEXT NOT NULL, digest TEXT NOT NULL) STRICT;
"""
STREAMS: Final = "CREATE TABLE streams (name BLOB PRIMARY KEY, facts TEXT NOT NULL) STRICT, WITHOUT ROWID"


def connect(path: Path) -> sqlite3.Connection:
    """Open a store, and make it where there is none.

    Commits reach the disk before they return (WAL, ``synchronous = FULL``), and deleted rows are overwritten.

    Args:
        path: of the file; made with mode 0600.

    Raises:
        InputError: others may read the file, or it is of another version.
        OSError: it cannot be opened.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    # an existing file is looked at and not opened: closing a handle of ours would drop SQLite's locks on it (POSIX)
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise InputError("no regular file", "a file, and no link to one", f"store {path}")
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise InputError(f"mode {mode:04o}", "mode 0600: others may read it", f"store {path}")
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version in (0, 1):
            for statement in (SCHEMA if version == 0 else "").split(";"):
                connection.execute(statement)
            connection.execute(STREAMS)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        elif version != VERSION:
            raise InputError(f"schema {version}", f"schema {VERSION}", f"store {path}")
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


class SqliteShelf(SqlShelf):
    """The shelf of one connection; the caller begins and ends transactions.

    Args:
        connection: from `connect`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection.execute)


class SqliteDatabase:
    """A file as a store keeps it: see `quantum_fabric.server.store.Database`.

    Args:
        path: of the file.

    Attributes:
        connection: open.
        shelf: on it.

    Raises:
        InputError: others may read the file, or it is of another version.
        OSError: it cannot be opened.
    """

    shared = False

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.connection = connect(path)
        self.shelf: SqlShelf = SqliteShelf(self.connection)

    def begin(self) -> None:
        """Take the lock of the one writer."""
        self.connection.execute("BEGIN IMMEDIATE")

    def save(self) -> None:
        """Begin an act."""
        self.connection.execute("SAVEPOINT act")

    def undo(self) -> bool:
        """Take an act back; False where SQLite gave up the whole transaction (disk full)."""
        if not self.connection.in_transaction:
            return False
        self.connection.execute("ROLLBACK TO act")
        return True

    def keep(self) -> None:
        """End an act, taken back or not."""
        self.connection.execute("RELEASE act")

    def commit(self) -> None:
        """Write all of it to the disk."""
        self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """Take all of it back, where there is anything."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file."""
        self.connection.close()
