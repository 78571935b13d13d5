# ruff: noqa: D102  (the protocol `Shelf` says what each method does)
"""A shelf in SQL that SQLite and PostgreSQL both understand. What it holds is sealed; the database alone opens nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

from quantum_fabric.keys.audit import EMPTY, Act, Entry, Head
from quantum_fabric.keys.policy import Usage
from quantum_fabric.keys.records import Cell, End, Instant, KeyRecord, Origin, Pool, Provenance, Slice, State
from quantum_fabric.keys.sealing import Sealed
from quantum_fabric.keys.shelf import Errand

FRONT: Final = (
    "SELECT b.name, c.start, c.octets, b.origin, b.source, b.epsilon, c.kek, c.sealed FROM cells c"
    " CROSS JOIN blocks b WHERE b.rank = c.rank AND c.pool = ? ORDER BY c.rank, c.start"
)
"""Cells of a pool, oldest first."""


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any:
        """The next row; None where there is none."""

    def __iter__(self) -> Iterator[Any]:
        """The rows that are left."""

    def close(self) -> object:
        """No more of them."""


class SqlShelf:
    """The shelf of one connection; the caller begins and ends transactions.

    Args:
        do: runs one statement with ``?`` for its values.
    """

    def __init__(self, do: Callable[[str, Sequence[Any]], Rows]) -> None:
        self._run = do
        # numbers of rows that are never removed; a rollback takes them back, so `forget` is called then
        self._pools: dict[Pool, int] = {}
        self._places: dict[UUID, tuple[int, int]] = {}

    def forget(self) -> None:
        """After a rollback: what was learnt inside it may be gone."""
        self._pools.clear()
        self._places.clear()

    def _do(self, statement: str, values: Sequence[Any] = ()) -> Rows:
        return self._run(statement, values)

    def _one(self, statement: str, *values: object) -> Any:
        return self._run(statement, values).fetchone()

    def _pool(self, pool: Pool) -> int:
        number = self._pools.get(pool)
        if number is None:
            found = self._one(
                "SELECT pool FROM pools WHERE cutter = ? AND follower = ?", pool.cutter, pool.follower
            )
            if found is None:
                return 0  # no pool has this number
            number = self._pools[pool] = int(found[0])
        return number

    # --------------------------------------------------------------------------------------------------- stock

    def stock(self, pool: Pool) -> int:
        found = self._one("SELECT octets FROM pools WHERE pool = ?", self._pool(pool))
        return int(found[0]) if found else 0

    def has_block(self, block: UUID) -> bool:
        return self._one("SELECT 1 FROM blocks WHERE name = ?", block.bytes) is not None

    def add_block(self, block: UUID, pool: Pool, cells: Sequence[tuple[Cell, Sealed]]) -> None:
        self._do(
            "INSERT INTO pools (cutter, follower, octets) VALUES (?, ?, 0) ON CONFLICT DO NOTHING",
            (pool.cutter, pool.follower),
        )
        provenance = cells[0][0].provenance
        self._do(
            "INSERT INTO blocks (name, pool, origin, source, epsilon) VALUES (?, ?, ?, ?, ?)",
            (block.bytes, self._pool(pool), provenance.origin.value, provenance.source, provenance.epsilon),
        )
        for cell, sealed in cells:
            self.put_back(cell, sealed)

    def cells(self, pool: Pool, octets: int) -> list[tuple[Cell, Sealed]]:
        rows = self._do(FRONT, (self._pool(pool),))
        found: list[tuple[Cell, Sealed]] = []
        held = 0
        for row in rows:
            found.append(cell_in(pool, row))
            held += found[-1][0].octets
            if held >= octets:
                break
        rows.close()
        return found

    def cell(self, pool: Pool, block: UUID, offset: int) -> tuple[Cell, Sealed] | None:
        row = self._one(
            "SELECT b.name, c.start, c.octets, b.origin, b.source, b.epsilon, c.kek, c.sealed FROM cells c"
            " JOIN blocks b ON b.rank = c.rank WHERE c.pool = ? AND b.name = ? AND c.start <= ?"
            " ORDER BY c.start DESC LIMIT 1",
            self._pool(pool),
            block.bytes,
            offset,
        )
        if row is None or offset >= row[1] + row[2]:
            return None
        return cell_in(pool, row)

    def drop(self, cell: Cell) -> None:
        pool, rank = self._place(cell)
        self._do("DELETE FROM cells WHERE pool = ? AND rank = ? AND start = ?", (pool, rank, cell.offset))
        self._do("UPDATE pools SET octets = octets - ? WHERE pool = ?", (cell.octets, pool))

    def put_back(self, cell: Cell, sealed: Sealed) -> None:
        pool, rank = self._place(cell)
        self._do(
            "INSERT INTO cells (pool, rank, start, octets, kek, sealed) VALUES (?, ?, ?, ?, ?, ?)",
            (pool, rank, cell.offset, cell.octets, sealed.kek, sealed.octets),
        )
        self._do("UPDATE pools SET octets = octets + ? WHERE pool = ?", (cell.octets, pool))

    def _place(self, cell: Cell) -> tuple[int, int]:
        place = self._places.get(cell.block)
        if place is None:
            found = self._one("SELECT pool, rank FROM blocks WHERE name = ?", cell.block.bytes)
            place = (int(found[0]), int(found[1]))
            if len(self._places) >= 1024:
                self._places.clear()
            self._places[cell.block] = place
        return place

    # ---------------------------------------------------------------------------------------------------- keys

    def key(self, key_id: UUID) -> KeyRecord | None:
        row = self._one(f"SELECT {FIELDS} FROM keys WHERE key_id = ?", key_id.bytes)
        return None if row is None else _record(row)

    def add_key(self, record: KeyRecord, sealed: Sealed | None) -> None:
        self._do(
            f"INSERT INTO keys ({FIELDS}, kek, sealed) VALUES ({', '.join('?' * 15)})",
            (*fields_of(record), sealed.kek if sealed else None, sealed.octets if sealed else None),
        )
        if record.state is not State.DESTROYED:
            self._count(record, 1)

    def sealed(self, key_id: UUID) -> Sealed | None:
        row = self._one("SELECT kek, sealed FROM keys WHERE key_id = ?", key_id.bytes)
        return None if row is None or row[1] is None else Sealed(*row)

    def move(self, record: KeyRecord) -> None:
        gone = record.state is State.DESTROYED
        erase = ", kek = NULL, sealed = NULL" if gone else ""
        changed = self._do(
            f"UPDATE keys SET awaiting = ?, unconfirmed = ?, state = ?, ended = ?{erase}"
            " WHERE key_id = ? AND state <> 'destroyed'",
            (
                json.dumps(record.awaiting), json.dumps(record.unconfirmed), record.state.value, record.end,
                record.key_id.bytes,
            ),
        ).rowcount  # fmt: skip
        assert changed == 1, "a key that is destroyed does not move"
        if gone:
            self._count(record, -1)

    def _count(self, record: KeyRecord, step: int) -> None:
        for slave in record.slaves:
            self._do(
                "INSERT INTO pairs (master, slave, waiting) VALUES (?, ?, ?)"
                " ON CONFLICT (master, slave) DO UPDATE SET waiting = pairs.waiting + excluded.waiting",
                (record.master, slave, step),
            )

    def waiting(self, master: str, slave: str) -> int:
        found = self._one("SELECT waiting FROM pairs WHERE master = ? AND slave = ?", master, slave)
        return int(found[0]) if found else 0

    def living(self, sae: str) -> list[KeyRecord]:
        records = self._records("state <> 'destroyed'")
        return [record for record in records if sae == record.master or sae in record.slaves]

    def overdue(self, now: Instant, most: int) -> list[KeyRecord]:
        return self._records("state <> 'destroyed' AND expires <= ? ORDER BY expires LIMIT ?", now, most)

    def promised(self) -> list[KeyRecord]:
        return [record for record in self._records("state = 'reserved'") if record.master in record.awaiting]

    def _records(self, where: str, *values: object) -> list[KeyRecord]:
        return [_record(row) for row in self._do(f"SELECT {FIELDS} FROM keys WHERE {where}", values)]

    # ---------------------------------------------------------------------------------------- quotas, outbox

    def usage(self, master: str, slave: str) -> Usage | None:
        row = self._one("SELECT tokens, at FROM pairs WHERE master = ? AND slave = ?", master, slave)
        return None if row is None or row[1] is None else Usage(*row)

    def set_usage(self, master: str, slave: str, usage: Usage) -> None:
        self._do(
            "INSERT INTO pairs (master, slave, tokens, at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (master, slave) DO UPDATE SET tokens = excluded.tokens, at = excluded.at",
            (master, slave, usage.tokens, usage.at),
        )

    def send(self, errand: Errand) -> None:
        self.done(errand.kme, errand.key_id)
        slices = json.dumps([(str(one.block), one.offset, one.octets) for one in errand.slices])
        self._do(
            "INSERT INTO outbox (kme, key_id, slices, masked, void) VALUES (?, ?, ?, ?, ?)",
            (errand.kme, errand.key_id.bytes, slices, errand.masked, int(errand.void)),
        )

    def errands(self, kme: str, most: int) -> list[Errand]:
        rows = self._do(f"SELECT {_ERRAND} FROM outbox WHERE kme = ? ORDER BY number LIMIT ?", (kme, most))
        return [_errand(row) for row in rows]

    def errand(self, kme: str, key_id: UUID) -> Errand | None:
        row = self._one(f"SELECT {_ERRAND} FROM outbox WHERE kme = ? AND key_id = ?", kme, key_id.bytes)
        return None if row is None else _errand(row)

    def done(self, kme: str, key_id: UUID) -> None:
        self._do("DELETE FROM outbox WHERE kme = ? AND key_id = ?", (kme, key_id.bytes))

    # ----------------------------------------------------------------------------------------- KEK, audit

    def stale(self, kek: str, most: int) -> list[tuple[Cell | UUID, Sealed]]:
        rows = self._do(
            "SELECT b.name, c.start, c.octets, b.origin, b.source, b.epsilon, c.kek, c.sealed, p.cutter, p.follower"
            " FROM cells c JOIN blocks b ON b.rank = c.rank JOIN pools p ON p.pool = c.pool WHERE c.kek <> ? LIMIT ?",
            (kek, most),
        )
        found: list[tuple[Cell | UUID, Sealed]] = [cell_in(Pool(row[8], row[9]), row[:8]) for row in rows]
        keys = self._do(
            "SELECT key_id, kek, sealed FROM keys WHERE kek <> ? LIMIT ?", (kek, most - len(found))
        )
        found += [(UUID(bytes=row[0]), Sealed(row[1], row[2])) for row in keys]
        return found

    def reseal(self, what: Cell | UUID, sealed: Sealed) -> None:
        if isinstance(what, Cell):
            self._do(
                "UPDATE cells SET kek = ?, sealed = ? WHERE pool = ? AND rank = ? AND start = ?",
                (sealed.kek, sealed.octets, *self._place(what), what.offset),
            )
        else:
            self._do(
                "UPDATE keys SET kek = ?, sealed = ? WHERE key_id = ?",
                (sealed.kek, sealed.octets, what.bytes),
            )

    def stream(self, name: UUID) -> str | None:
        row = self._one("SELECT facts FROM streams WHERE name = ?", name.bytes)
        return None if row is None else str(row[0])

    def put_stream(self, name: UUID, facts: str) -> None:
        self._do(
            "INSERT INTO streams VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET facts = excluded.facts",
            (name.bytes, facts),
        )

    def drop_stream(self, name: UUID) -> None:
        self._do("DELETE FROM streams WHERE name = ?", (name.bytes,))

    def streams(self) -> list[str]:
        return [str(facts) for (facts,) in self._do("SELECT facts FROM streams ORDER BY name")]

    def proof(self) -> Sealed | None:
        """What shows whether a KEK is the right one; None in a new store."""
        row = self._one("SELECT kek, sealed FROM meta WHERE name = 'proof'")
        return None if row is None else Sealed(*row)

    def set_proof(self, sealed: Sealed) -> None:
        """Remember what shows whether a KEK is the right one."""
        self._do(
            "INSERT INTO meta VALUES ('proof', ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET kek = excluded.kek, sealed = excluded.sealed",
            (sealed.kek, sealed.octets),
        )

    def kept(self, name: str) -> Sealed | None:
        """Something of this KME's own that is neither stock nor key, by its name; None where there is none."""
        row = self._one("SELECT kek, sealed FROM meta WHERE name = ?", f"kept {name}")
        return None if row is None else Sealed(*row)

    def keep(self, name: str, sealed: Sealed) -> None:
        """Remember it instead of what was kept before."""
        self._do(
            "INSERT INTO meta VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET kek = excluded.kek, sealed = excluded.sealed",
            (f"kept {name}", sealed.kek, sealed.octets),
        )

    def keks(self) -> set[str]:
        """Names of the KEKs that something in here is sealed under."""
        rows = self._do("SELECT kek FROM meta UNION SELECT kek FROM cells UNION SELECT kek FROM keys")
        return {str(kek) for (kek,) in rows if kek is not None}

    def pools(self) -> list[tuple[Pool, int]]:
        """Every pool and its octets, in the order of their names."""
        rows = self._do("SELECT cutter, follower, octets FROM pools ORDER BY 1, 2")
        return [(Pool(cutter, follower), int(octets)) for cutter, follower, octets in rows]

    def states(self) -> dict[str, int]:
        """How many keys are in which state."""
        rows = self._do("SELECT state, count(*) FROM keys GROUP BY state ORDER BY 1")
        return {str(state): int(number) for state, number in rows}

    def head(self) -> Head:
        row = self._one("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1")
        return EMPTY if row is None else Head(*row)

    def write(self, entry: Entry) -> None:
        self._do(
            "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)",
            (entry.number, entry.at, entry.act.value, entry.actor, entry.facts, entry.before, entry.digest),
        )

    def book(self, after: int = 0, most: int = 1 << 62) -> list[Entry]:
        """Entries of the audit book, in order."""
        rows = self._do("SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT ?", (after, most))
        return [Entry(row[0], row[1], Act(row[2]), *row[3:]) for row in rows]


FIELDS: Final = "key_id, bits, master, slaves, awaiting, unconfirmed, created, expires, origin, source, epsilon, state, ended"
_ERRAND: Final = "kme, key_id, slices, masked, void"


def cell_in(pool: Pool, row: Sequence[Any]) -> tuple[Cell, Sealed]:
    """A row of `FRONT`."""
    name, start, octets, origin, source, epsilon, kek, sealed = row
    provenance = Provenance(Origin(origin), source, epsilon)
    return Cell(pool, UUID(bytes=name), start, octets, provenance), Sealed(kek, sealed)


def fields_of(record: KeyRecord) -> tuple[Any, ...]:
    """A record as a row of `FIELDS`."""
    provenance = record.provenance
    return (
        record.key_id.bytes, record.bits, record.master, json.dumps(record.slaves), json.dumps(record.awaiting),
        json.dumps(record.unconfirmed), record.created, record.expires, provenance.origin.value, provenance.source,
        provenance.epsilon, record.state.value, record.end,
    )  # fmt: skip


def _record(row: Sequence[Any]) -> KeyRecord:
    (
        key_id,
        bits,
        master,
        slaves,
        awaiting,
        unconfirmed,
        created,
        expires,
        origin,
        source,
        epsilon,
        state,
        ended,
    ) = row
    return KeyRecord(
        UUID(bytes=key_id), bits, master, tuple(json.loads(slaves)), tuple(json.loads(awaiting)),
        tuple(json.loads(unconfirmed)), created, expires, Provenance(Origin(origin), source, epsilon), State(state),
        End(ended) if ended else None,
    )  # fmt: skip


def _errand(row: Sequence[Any]) -> Errand:
    kme, key_id, slices, masked, void = row
    places = tuple(Slice(UUID(block), offset, octets) for block, offset, octets in json.loads(slices))
    return Errand(kme, UUID(bytes=key_id), places, masked, bool(void))
