# ruff: noqa: D102  (the protocol `Shelf` says what each method does)
"""The shelf of a PostgreSQL connection: fewer trips to the server than statements in SQLite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from quantum_fabric.keys.audit import Entry, Head
from quantum_fabric.keys.policy import Usage
from quantum_fabric.keys.records import CELL_OCTETS, Cell, KeyRecord, Pool
from quantum_fabric.keys.sealing import Sealed
from quantum_fabric.server.sql import FRONT, Rows, SqlShelf, cell_in


class PostgresShelf(SqlShelf):
    """The shelf of one connection.

    A question to PostgreSQL takes a trip that one to SQLite does not. So what was read in a transaction is kept until it is
    written or the transaction ends (nobody else can write meanwhile), and the cells of a block go in together.

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
        self._head: Head | None = None
        self._pairs: dict[tuple[str, str], tuple[int, Usage | None]] = {}
        self._front: dict[tuple[Pool, UUID, int], tuple[Cell, Sealed]] = {}

    def refresh(self) -> None:
        """A transaction begins: others may have written since the last."""
        self._head = None
        self._pairs.clear()
        self._front.clear()

    def forget(self) -> None:
        """See `SqlShelf`."""
        super().forget()
        self.refresh()

    def head(self) -> Head:
        """See `Shelf`, here and below."""
        if self._head is None:
            self._head = super().head()
        return self._head

    def write(self, entry: Entry) -> None:
        super().write(entry)
        self._head = Head(entry.number, entry.digest)

    def waiting(self, master: str, slave: str) -> int:
        return self._pair(master, slave)[0]

    def usage(self, master: str, slave: str) -> Usage | None:
        return self._pair(master, slave)[1]

    def set_usage(self, master: str, slave: str, usage: Usage) -> None:
        self._pairs.pop((master, slave), None)
        super().set_usage(master, slave, usage)

    def _pair(self, master: str, slave: str) -> tuple[int, Usage | None]:
        known = self._pairs.get((master, slave))
        if known is None:
            row = self._one(
                "SELECT waiting, tokens, at FROM pairs WHERE master = ? AND slave = ?", master, slave
            )
            usage = None if row is None or row[2] is None else Usage(row[1], row[2])
            known = self._pairs[master, slave] = (int(row[0]) if row else 0, usage)
        return known

    def _count(self, record: KeyRecord, step: int) -> None:
        for slave in record.slaves:
            self._pairs.pop((record.master, slave), None)
        super()._count(record, step)

    def cells(self, pool: Pool, octets: int) -> list[tuple[Cell, Sealed]]:
        most = octets // CELL_OCTETS + 2
        while True:
            rows = self._do(FRONT + " LIMIT ?", (self._pool(pool), most))
            found = [cell_in(pool, row) for row in rows]
            held, enough = 0, len(found)
            for index, (cell, _) in enumerate(found, 1):
                held += cell.octets
                if held >= octets:
                    enough = index
                    break
            if held >= octets or len(found) < most:
                break
            most *= 4
        self._front = {(pool, one[0].block, one[0].offset): one for one in found[:enough]}
        return found[:enough]

    def cell(self, pool: Pool, block: UUID, offset: int) -> tuple[Cell, Sealed] | None:
        return self._front.get((pool, block, offset)) or super().cell(pool, block, offset)

    def drop(self, cell: Cell) -> None:
        self._front.pop((cell.pool, cell.block, cell.offset), None)
        super().drop(cell)

    def put_back(self, cell: Cell, sealed: Sealed) -> None:
        self._front.pop((cell.pool, cell.block, cell.offset), None)
        super().put_back(cell, sealed)

    def reseal(self, what: Cell | UUID, sealed: Sealed) -> None:
        self._front.clear()
        super().reseal(what, sealed)

    def add_block(self, block: UUID, pool: Pool, cells: Sequence[tuple[Cell, Sealed]]) -> None:
        super().add_block(block, pool, cells[:1])
        place = self._place(cells[0][0])
        self._many(
            "INSERT INTO cells (pool, rank, start, octets, kek, sealed) VALUES (?, ?, ?, ?, ?, ?)",
            [(*place, cell.offset, cell.octets, sealed.kek, sealed.octets) for cell, sealed in cells[1:]],
        )
        octets = sum(cell.octets for cell, _ in cells[1:])
        self._do("UPDATE pools SET octets = octets + ? WHERE pool = ?", (octets, place[0]))
