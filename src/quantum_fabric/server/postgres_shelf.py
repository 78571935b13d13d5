# ruff: noqa: D102  (the protocol `Shelf` says what each method does)
"""The shelf of a PostgreSQL connection: few trips to the server, however many acts there are in a transaction.

Nobody else can write while a transaction has its turn. So what was read in it stays true until it is written; and what is written can
wait here until something is read that depends on it, or until the commit, and then goes over in one trip for each table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from quantum_fabric.keys.audit import Entry, Head
from quantum_fabric.keys.policy import Usage
from quantum_fabric.keys.records import Cell, KeyRecord, Pool, State
from quantum_fabric.keys.sealing import Sealed
from quantum_fabric.server.sql import FIELDS, FRONT, Rows, SqlShelf, cell_in, fields_of

AHEAD: Final = 256
"""Cells that are read at once."""

Place = tuple[int, int, int]
"""Pool, rank of the block, first octet."""


@dataclass(slots=True)
class Waiting:
    """What is known of this transaction, and what it has written that PostgreSQL does not know yet.

    Attributes:
        head: end of the audit book; None where it was not read.
        entries: of the audit book, to be written.
        pairs: keys that wait, and usage; `changed` names those to be written.
        front: the next cells of a pool, and whether there are no more.
        gone, back: cells to be deleted, then cells to be written.
        octets: change of each pool's stock.
        keys: new ones.
    """

    head: Head | None = None
    entries: list[Entry] = field(default_factory=list)
    pairs: dict[tuple[str, str], tuple[int, Usage | None]] = field(default_factory=dict)
    changed: set[tuple[str, str]] = field(default_factory=set)
    front: dict[Pool, tuple[list[tuple[Cell, Sealed]], bool]] = field(default_factory=dict)
    gone: list[Place] = field(default_factory=list)
    back: dict[Place, tuple[int, Sealed]] = field(default_factory=dict)
    octets: dict[int, int] = field(default_factory=dict)
    keys: dict[UUID, tuple[KeyRecord, Sealed | None]] = field(default_factory=dict)

    def copy(self) -> Waiting:
        """As it is now, for an act that may have to be taken back."""
        front = {pool: (list(cells), whole) for pool, (cells, whole) in self.front.items()}
        return Waiting(
            self.head, list(self.entries), dict(self.pairs), set(self.changed), front, list(self.gone), dict(self.back),
            dict(self.octets), dict(self.keys),
        )  # fmt: skip


class PostgresShelf(SqlShelf):
    """The shelf of one connection.

    Args:
        do: runs one statement.
        many: runs one statement for many rows.
    """

    def __init__(
        self,
        do: Callable[[str, Sequence[Any]], Rows],
        many: Callable[[str, Sequence[Sequence[Any]]], None],
    ) -> None:
        super().__init__(do)
        self._many = many
        self._held = Waiting()

    def refresh(self) -> None:
        """A transaction begins: others may have written since the last. What waited and was not committed is dropped."""
        self._held = Waiting()

    def snapshot(self) -> Waiting:
        """What `restore` takes."""
        return self._held.copy()

    def restore(self, before: Waiting) -> None:
        """An act was taken back, and nothing else: what acts before it have written still waits."""
        self.forget()
        self._held = before

    def flush(self) -> None:
        """Tell PostgreSQL everything that waits."""
        held = self._held
        cells = [(*place, octets, one.kek, one.octets) for place, (octets, one) in held.back.items()]
        pairs = [
            (*pair, waiting, *_bucket(usage))
            for pair, (waiting, usage) in held.pairs.items()
            if pair in held.changed
        ]
        book = [
            (one.number, one.at, one.act.value, one.actor, one.facts, one.before, one.digest)
            for one in held.entries
        ]
        for statement, rows in (
            ("DELETE FROM cells WHERE pool = ? AND rank = ? AND start = ?", held.gone),
            ("INSERT INTO cells (pool, rank, start, octets, kek, sealed) VALUES (?, ?, ?, ?, ?, ?)", cells),
            ("UPDATE pools SET octets = octets + ? WHERE pool = ?", [(step, pool) for pool, step in held.octets.items()]),
            (f"INSERT INTO keys ({FIELDS}, kek, sealed) VALUES ({', '.join('?' * 15)})",
             [(*fields_of(record), *_ciphertext(sealed)) for record, sealed in held.keys.values()]),
            ("INSERT INTO pairs (master, slave, waiting, tokens, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (master, slave)"
             " DO UPDATE SET waiting = excluded.waiting, tokens = excluded.tokens, at = excluded.at", pairs),
            ("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", book),
        ):  # fmt: skip
            if rows:
                self._many(statement, rows)
        held.gone, held.back, held.octets, held.keys, held.entries = [], {}, {}, {}, []
        held.changed = set()

    # --------------------------------------------------------------------------------------------------- stock

    def stock(self, pool: Pool) -> int:
        """See `Shelf`, here and below."""
        self.flush()
        return super().stock(pool)

    def add_block(self, block: UUID, pool: Pool, cells: Sequence[tuple[Cell, Sealed]]) -> None:
        self._held.front.pop(pool, None)
        super().add_block(block, pool, cells)

    def cells(self, pool: Pool, octets: int) -> list[tuple[Cell, Sealed]]:
        known, whole = self._held.front.get(pool, ([], False))
        if not whole and sum(cell.octets for cell, _ in known) < octets:
            self.flush()
            most = octets // 8 + AHEAD
            known = [cell_in(pool, row) for row in self._do(FRONT + " LIMIT ?", (self._pool(pool), most))]
            whole = len(known) < most
            while not whole and sum(cell.octets for cell, _ in known) < octets:  # small pieces
                most *= 4
                known = [cell_in(pool, row) for row in self._do(FRONT + " LIMIT ?", (self._pool(pool), most))]
                whole = len(known) < most
            self._held.front[pool] = known, whole
        held = 0
        for index, (cell, _) in enumerate(known, 1):
            held += cell.octets
            if held >= octets:
                return known[:index]
        return list(known)

    def cell(self, pool: Pool, block: UUID, offset: int) -> tuple[Cell, Sealed] | None:
        for one in self._held.front.get(pool, ([], False))[0]:
            if one[0].block == block and one[0].offset == offset:
                return one
        self.flush()
        return super().cell(pool, block, offset)

    def drop(self, cell: Cell) -> None:
        place = (*self._place(cell), cell.offset)
        if self._held.back.pop(place, None) is None:
            self._held.gone.append(place)
        self._step(place[0], -cell.octets)
        known = self._held.front.get(cell.pool)
        if known is not None:
            at = next((n for n, (one, _) in enumerate(known[0]) if one == cell), None)
            if at is None:
                del self._held.front[cell.pool]
            else:
                del known[0][at]

    def put_back(self, cell: Cell, sealed: Sealed) -> None:
        place = (*self._place(cell), cell.offset)
        self._held.front.pop(cell.pool, None)  # in which order it lies is for PostgreSQL to say
        self._held.back[place] = cell.octets, sealed
        self._step(place[0], cell.octets)

    def _step(self, pool: int, octets: int) -> None:
        self._held.octets[pool] = self._held.octets.get(pool, 0) + octets

    # ---------------------------------------------------------------------------------------------------- keys

    def key(self, key_id: UUID) -> KeyRecord | None:
        new = self._held.keys.get(key_id)
        return new[0] if new is not None else super().key(key_id)

    def sealed(self, key_id: UUID) -> Sealed | None:
        new = self._held.keys.get(key_id)
        return new[1] if new is not None else super().sealed(key_id)

    def add_key(self, record: KeyRecord, sealed: Sealed | None) -> None:
        assert record.key_id not in self._held.keys, "an identifier is used once"
        self._held.keys[record.key_id] = record, sealed
        if record.state is not State.DESTROYED:
            self._count(record, 1)

    def move(self, record: KeyRecord) -> None:
        if record.key_id in self._held.keys:
            self.flush()
        super().move(record)

    def _records(self, where: str, *values: object) -> list[KeyRecord]:
        self.flush()
        return super()._records(where, *values)

    # ------------------------------------------------------------------------------------------ quotas, KEK, audit

    def _count(self, record: KeyRecord, step: int) -> None:
        for slave in record.slaves:
            pair = record.master, slave
            waiting, usage = self._pair(*pair)
            self._held.pairs[pair] = waiting + step, usage
            self._held.changed.add(pair)

    def waiting(self, master: str, slave: str) -> int:
        return self._pair(master, slave)[0]

    def usage(self, master: str, slave: str) -> Usage | None:
        return self._pair(master, slave)[1]

    def set_usage(self, master: str, slave: str, usage: Usage) -> None:
        self._held.pairs[master, slave] = self._pair(master, slave)[0], usage
        self._held.changed.add((master, slave))

    def _pair(self, master: str, slave: str) -> tuple[int, Usage | None]:
        known = self._held.pairs.get((master, slave))
        if known is None:
            row = self._one(
                "SELECT waiting, tokens, at FROM pairs WHERE master = ? AND slave = ?", master, slave
            )
            usage = None if row is None or row[2] is None else Usage(row[1], row[2])
            known = self._held.pairs[master, slave] = (int(row[0]) if row else 0, usage)
        return known

    def stale(self, kek: str, most: int) -> list[tuple[Cell | UUID, Sealed]]:
        self.flush()
        return super().stale(kek, most)

    def reseal(self, what: Cell | UUID, sealed: Sealed) -> None:
        self.flush()
        self._held.front.clear()
        super().reseal(what, sealed)

    def keks(self) -> set[str]:
        self.flush()
        return super().keks()

    def states(self) -> dict[str, int]:
        self.flush()
        return super().states()

    def pools(self) -> list[tuple[Pool, int]]:
        self.flush()
        return super().pools()

    def head(self) -> Head:
        if self._held.head is None:
            self._held.head = super().head()
        return self._held.head

    def write(self, entry: Entry) -> None:
        self._held.entries.append(entry)
        self._held.head = Head(entry.number, entry.digest)

    def book(self, after: int = 0, most: int = 1 << 62) -> list[Entry]:
        self.flush()
        return super().book(after, most)


def _bucket(usage: Usage | None) -> tuple[float | None, int | None]:
    return (None, None) if usage is None else (usage.tokens, usage.at)


def _ciphertext(sealed: Sealed | None) -> tuple[str | None, bytes | None]:
    return (None, None) if sealed is None else (sealed.kek, sealed.octets)
