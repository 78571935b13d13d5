"""A store in PostgreSQL, for several key servers (workers) that are one KME. Needs the extra `postgres` (asyncpg, imported late).

Writers take turns
    Every transaction first takes one advisory lock, so that there is one writer at a time, as in SQLite, and the rules of
    `quantum_fabric.keys` hold for many processes as they do for one. Nothing is lost by it that could be had: each act is an
    entry of one audit chain and needs the entry before. Workers share what takes the time (TLS, HTTP, waiting for
    other KMEs), and each commits what has queued up in it as one group.

Limits:
    PostgreSQL does not overwrite: ciphertext of destroyed keys stays in dead rows until VACUUM, and in the write-ahead log and
    its archives until those are removed. It opens under the KEK only; rotate the KEK and destroy the old one to be rid of it.
    A standby that takes over before it has the last commit hands keys out twice: replicate synchronously or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.server.postgres_shelf import PostgresShelf

T = TypeVar("T")

VERSION: Final = 2
"""Of the schema, as in `quantum_fabric.server.sqlite`."""

_TURN: Final = 0x51464B4D53544F52  # "QFKMSTOR"
"""Number of the advisory lock; locks belong to a database."""

SECONDS: Final = 10.0
"""For one statement, and for the turn of another writer."""

SCHEMA: Final = """
CREATE TABLE version (number BIGINT PRIMARY KEY);
CREATE TABLE meta (name TEXT PRIMARY KEY, kek TEXT NOT NULL, sealed BYTEA NOT NULL);
CREATE TABLE pools (pool BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cutter TEXT NOT NULL, follower TEXT NOT NULL,
    octets BIGINT NOT NULL, UNIQUE (cutter, follower));
CREATE TABLE blocks (rank BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name BYTEA NOT NULL UNIQUE, pool BIGINT NOT NULL,
    origin TEXT NOT NULL, source TEXT NOT NULL, epsilon DOUBLE PRECISION NOT NULL);
CREATE TABLE cells (pool BIGINT NOT NULL, rank BIGINT NOT NULL, start BIGINT NOT NULL, octets BIGINT NOT NULL,
    kek TEXT NOT NULL, sealed BYTEA NOT NULL, PRIMARY KEY (pool, rank, start));
CREATE TABLE keys (key_id BYTEA PRIMARY KEY, bits BIGINT NOT NULL, master TEXT NOT NULL, slaves TEXT NOT NULL,
    awaiting TEXT NOT NULL, unconfirmed TEXT NOT NULL, created BIGINT NOT NULL, expires BIGINT NOT NULL,
    origin TEXT NOT NULL, source TEXT NOT NULL, epsilon DOUBLE PRECISION NOT NULL, state TEXT NOT NULL, ended TEXT,
    kek TEXT, sealed BYTEA);
CREATE INDEX keys_overdue ON keys (expires) WHERE state <> 'destroyed';
CREATE INDEX keys_reserved ON keys (created) WHERE state = 'reserved';
CREATE TABLE pairs (master TEXT NOT NULL, slave TEXT NOT NULL, waiting BIGINT NOT NULL DEFAULT 0, tokens DOUBLE PRECISION,
    at BIGINT, PRIMARY KEY (master, slave));
CREATE TABLE outbox (number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kme TEXT NOT NULL, key_id BYTEA NOT NULL,
    slices TEXT NOT NULL, masked BYTEA NOT NULL, void BIGINT NOT NULL, UNIQUE (kme, key_id));
CREATE TABLE audit (number BIGINT PRIMARY KEY, at BIGINT NOT NULL, act TEXT NOT NULL, actor TEXT NOT NULL,
    facts TEXT NOT NULL, before TEXT NOT NULL, digest TEXT NOT NULL);
CREATE TABLE streams (name BYTEA PRIMARY KEY, facts TEXT NOT NULL);
"""


class DatabaseError(StateError):
    """PostgreSQL cannot be reached, or does not do what it is asked."""


def address(dsn: str) -> str:
    """Check the address of a database.

    Raises:
        InputError: none of PostgreSQL; with a password in it, which would be in every copy of the settings; or of another machine
            without ``sslmode=verify-full``.

    Examples:
        >>> address("postgresql://kme@/kme_a?host=/run/postgresql")
        'postgresql://kme@/kme_a?host=/run/postgresql'
        >>> address("postgresql://kme:secret@db/kme_a")
        Traceback (most recent call last):
        quantum_fabric.errors.InputError: store.postgres: found a password in the address, expected one in a private 'passfile'
    """
    parts = urlsplit(dsn)
    if parts.scheme not in ("postgresql", "postgres"):
        raise InputError("something else", "postgresql://USER@HOST/DATABASE", "store.postgres")
    if parts.password is not None or "password" in parse_qs(parts.query):
        raise InputError("a password in the address", "one in a private 'passfile'", "store.postgres")
    more = parse_qs(parts.query)
    hosts = [parts.hostname or "", *more.get("host", [])]
    near = all(host in ("", "localhost", "127.0.0.1", "::1") or host.startswith("/") for host in hosts)
    if not near and more.get("sslmode") != ["verify-full"]:
        raise InputError(
            "another machine without TLS that is checked", "sslmode=verify-full", "store.postgres"
        )
    return dsn


class _Rows:
    """What a statement gave: all of it."""

    def __init__(self, rows: Sequence[Any], rowcount: int) -> None:
        self._rows = iter([tuple(row) for row in rows])
        self.rowcount = rowcount

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def close(self) -> None:
        self._rows = iter(())


class PostgresDatabase:
    """A database as a store keeps it: see `quantum_fabric.server.store.Database`.

    Args:
        dsn: its address, without a password.
        passfile: ``HOST:PORT:DATABASE:USER:PASSWORD``, mode 0600; None where a socket or a certificate is enough.

    Raises:
        InputError: an address that is none, a database of another version, or one that promises durability it does not keep.
        DatabaseError: it cannot be reached.
    """

    shared = True

    def __init__(self, dsn: str, passfile: Path | None = None) -> None:
        self._dsn, self._passfile = address(dsn), passfile
        self.name = urlsplit(dsn).path.strip("/") or "postgres"
        # a loop of our own, run by whichever thread has its turn: the callers are plain functions
        self._loop = asyncio.SelectorEventLoop()
        self._connection: Any = None
        self._prepared: dict[str, Any] = {}
        self._began = self._saved = self._broken = False
        self._inside = True
        """Whether what is written now can be taken back alone, or need not be."""
        self.shelf: PostgresShelf = PostgresShelf(self._run, self._run_many)
        self._before = self.shelf.snapshot()
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    # ------------------------------------------------------------------------------------------- transactions

    def begin(self) -> None:
        """Begin, and wait for our turn; connect anew where the connection was lost."""
        if self._connection is None or self._connection.is_closed():
            self._open()
        self._say("BEGIN ISOLATION LEVEL READ COMMITTED")
        self._began, self._saved, self._inside, self._broken = True, False, True, False
        self._say(f"SELECT pg_advisory_xact_lock({_TURN})")
        self.shelf.refresh()

    def begin_reading(self) -> None:
        """One moment of the store, for whoever only looks; writers do not wait for it."""
        self._say("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._began = True
        self.shelf.refresh()

    def save(self) -> None:
        """Begin an act. PostgreSQL hears of it when the act writes something there; many never do before the commit."""
        self._before, self._inside = self.shelf.snapshot(), False

    def undo(self) -> bool:
        """Take an act back; False where the connection was lost, or the transaction with it."""
        if self._connection.is_closed():
            return False
        if self._inside:
            self._say("ROLLBACK TO SAVEPOINT act")
        elif self._broken:
            return False
        self._broken = False
        self.shelf.restore(self._before)
        return True

    def keep(self) -> None:
        """End an act, taken back or not."""

    def commit(self) -> None:
        """Returns when PostgreSQL has written it to its log on disk."""
        self._inside = True  # no act any more that would be taken back
        self.shelf.flush()
        self._say("COMMIT")
        self._began = False

    def rollback(self) -> None:
        """Take all of it back; a connection that is in doubt is given up, which does the same."""
        began, self._began = self._began, False
        self.shelf.forget()
        self.shelf.refresh()
        if began and self._connection is not None and not self._connection.is_closed():
            try:
                self._say("ROLLBACK")
            except Exception:
                self._connection.terminate()
                raise

    def close(self) -> None:
        """Hang up. Twice does no harm."""
        if self._loop.is_closed():
            return
        if self._connection is not None and not self._connection.is_closed():
            self._connection.terminate()
        self._wait(asyncio.sleep(0))  # transports close in the loop's next round
        self._loop.close()

    # -------------------------------------------------------------------------------------------------- inside

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something in our loop; in a thread of its own where this one is running another loop."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._loop.run_until_complete(coroutine)
        with ThreadPoolExecutor(1) as apart:
            return apart.submit(self._loop.run_until_complete, coroutine).result()

    def _say(self, statement: str) -> None:
        self._wait(self._connection.execute(statement))

    def _run(self, statement: str, values: Sequence[Any]) -> _Rows:
        async def ask() -> _Rows:
            prepared = self._prepared.get(statement)
            if prepared is None:
                prepared = self._prepared[statement] = await self._connection.prepare(numbered(statement))
            rows = await prepared.fetch(*values)
            return _Rows(rows, _count(prepared.get_statusmsg()))

        if not statement.startswith("SELECT"):
            self._enter()
        return self._tried(ask())

    def _run_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        self._enter()
        self._tried(self._connection.executemany(numbered(statement), rows))

    def _enter(self) -> None:
        """The act writes: from here on it can be taken back."""
        if self._began and not self._inside:
            self._say(f"{'RELEASE SAVEPOINT act; ' if self._saved else ''}SAVEPOINT act")
            self._saved = self._inside = True

    def _tried(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._wait(work)
        except BaseException:
            self._broken = True  # after a fault PostgreSQL does nothing more until a ROLLBACK
            raise

    def _open(self) -> None:
        try:
            import asyncpg
        except ImportError:
            raise InputError(
                "no asyncpg", "the extra 'postgres': pip install 'quantum-fabric[postgres]'", "store.postgres"
            ) from None
        settings = {
            "synchronous_commit": "on",
            "lock_timeout": f"{int(1000 * SECONDS)}",
            "idle_in_transaction_session_timeout": f"{int(1000 * SECONDS)}",
            "application_name": "quantum-fabric kme",
        }
        self._prepared.clear()
        self.shelf.forget()
        self.shelf.refresh()
        try:
            self._connection = self._wait(
                asyncpg.connect(
                    self._dsn,
                    passfile=str(self._passfile) if self._passfile else None,
                    timeout=SECONDS,
                    command_timeout=SECONDS,
                    server_settings=settings,
                    statement_cache_size=0,  # we keep our own
                )
            )
            try:
                self._prepare()
            except BaseException:
                self._connection.terminate()
                raise
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            # their texts may quote the address; the kind is enough
            raise DatabaseError(
                f"PostgreSQL does not serve database {self.name}: {type(error).__name__}"
            ) from None

    def _prepare(self) -> None:
        """Make the tables where there are none, and look whether the server keeps what it promises."""

        async def look() -> None:
            for setting in ("fsync", "full_page_writes"):
                found = await self._connection.fetchval(f"SHOW {setting}")
                if found != "on":
                    raise InputError(
                        f"{setting} = {found}", "on: a key must not be handed out twice", "PostgreSQL"
                    )
            async with self._connection.transaction():
                await self._connection.execute(f"SELECT pg_advisory_xact_lock({_TURN})")
                if await self._connection.fetchval("SELECT to_regclass('version')") is None:
                    await self._connection.execute(SCHEMA)
                    await self._connection.execute(f"INSERT INTO version VALUES ({VERSION})")
                found = await self._connection.fetchval("SELECT max(number) FROM version")
                if found != VERSION:
                    raise InputError(f"schema {found}", f"schema {VERSION}", f"database {self.name}")

        self._wait(look())


def numbered(statement: str) -> str:
    """The same statement with the placeholders of PostgreSQL.

    Examples:
        >>> numbered("SELECT 1 FROM cells WHERE pool = ? AND start <= ?")
        'SELECT 1 FROM cells WHERE pool = $1 AND start <= $2'
    """
    first, *rest = statement.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))


def _count(status: str) -> int:
    """Rows that were changed, from ``UPDATE 3`` or ``INSERT 0 1``."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else -1
