# ruff: noqa: D102, ARG002  (the protocol `Shelf` says what each method does)
"""A store that forgets: the reference against which stores on disk are tested, and enough for a trial in one process."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from quantum_fabric.keys.audit import EMPTY, Entry, Head
from quantum_fabric.keys.policy import Usage
from quantum_fabric.keys.records import Cell, Instant, KeyRecord, Pool, State
from quantum_fabric.keys.sealing import Sealed
from quantum_fabric.keys.shelf import Errand, Shelf

T = TypeVar("T")


class MemoryShelf:
    """One shelf that is always open, written plainly rather than fast.

    Attributes:
        entries: the audit book.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._blocks: dict[UUID, int] = {}
        self._cells: dict[tuple[Pool, UUID, int], tuple[Cell, Sealed]] = {}
        self._keys: dict[UUID, KeyRecord] = {}
        self._sealed: dict[UUID, Sealed] = {}
        self._usage: dict[tuple[str, str], Usage] = {}
        self._streams: dict[UUID, str] = {}
        self._errands: OrderedDict[tuple[str, UUID], Errand] = OrderedDict()

    def transact(self, work: Callable[[Shelf], T]) -> T:
        """Do some work; all of it counts, or nothing where it raises."""
        before = {name: copy.copy(value) for name, value in vars(self).items()}
        try:
            return work(self)
        except BaseException:
            vars(self).update(before)
            raise

    def stock(self, pool: Pool) -> int:
        """See `Shelf`, here and below."""
        return sum(cell.octets for cell, _ in self._cells.values() if cell.pool == pool)

    def has_block(self, block: UUID) -> bool:
        return block in self._blocks

    def add_block(self, block: UUID, pool: Pool, cells: Sequence[tuple[Cell, Sealed]]) -> None:
        self._blocks[block] = len(self._blocks)
        for cell, sealed in cells:
            self.put_back(cell, sealed)

    def cells(self, pool: Pool, octets: int) -> list[tuple[Cell, Sealed]]:
        found: list[tuple[Cell, Sealed]] = []
        mine = [stored for stored in self._cells.values() if stored[0].pool == pool]
        for stored in sorted(mine, key=lambda one: (self._blocks[one[0].block], one[0].offset)):
            if sum(cell.octets for cell, _ in found) >= octets:
                break
            found.append(stored)
        return found

    def cell(self, pool: Pool, block: UUID, offset: int) -> tuple[Cell, Sealed] | None:
        for cell, sealed in self._cells.values():
            if (cell.pool, cell.block) == (pool, block) and cell.offset <= offset < cell.offset + cell.octets:
                return cell, sealed
        return None

    def drop(self, cell: Cell) -> None:
        del self._cells[cell.pool, cell.block, cell.offset]

    def put_back(self, cell: Cell, sealed: Sealed) -> None:
        self._cells[cell.pool, cell.block, cell.offset] = (cell, sealed)

    def key(self, key_id: UUID) -> KeyRecord | None:
        return self._keys.get(key_id)

    def add_key(self, record: KeyRecord, sealed: Sealed | None) -> None:
        assert record.key_id not in self._keys, "an identifier is used once"
        self._keys[record.key_id] = record
        if sealed is not None:
            self._sealed[record.key_id] = sealed

    def sealed(self, key_id: UUID) -> Sealed | None:
        return self._sealed.get(key_id)

    def move(self, record: KeyRecord) -> None:
        self._keys[record.key_id] = record
        if record.state is State.DESTROYED:
            self._sealed.pop(record.key_id, None)

    def waiting(self, master: str, slave: str) -> int:
        return sum(record.master == master and slave in record.slaves for record in self._alive())

    def living(self, sae: str) -> list[KeyRecord]:
        return [record for record in self._alive() if sae == record.master or sae in record.slaves]

    def overdue(self, now: Instant, most: int) -> list[KeyRecord]:
        return [record for record in self._alive() if now >= record.expires][:most]

    def usage(self, master: str, slave: str) -> Usage | None:
        return self._usage.get((master, slave))

    def set_usage(self, master: str, slave: str, usage: Usage) -> None:
        self._usage[master, slave] = usage

    def send(self, errand: Errand) -> None:
        self._errands.pop((errand.kme, errand.key_id), None)
        self._errands[errand.kme, errand.key_id] = errand

    def errands(self, kme: str, most: int) -> list[Errand]:
        return [errand for errand in self._errands.values() if errand.kme == kme][:most]

    def done(self, kme: str, key_id: UUID) -> None:
        self._errands.pop((kme, key_id), None)

    def errand(self, kme: str, key_id: UUID) -> Errand | None:
        return self._errands.get((kme, key_id))

    def promised(self) -> list[KeyRecord]:
        reserved = [record for record in self._alive() if record.state is State.RESERVED]
        return [record for record in reserved if record.master in record.awaiting]

    def stale(self, kek: str, most: int) -> list[tuple[Cell | UUID, Sealed]]:
        found: list[tuple[Cell | UUID, Sealed]] = [one for one in self._cells.values() if one[1].kek != kek]
        found += [(key_id, sealed) for key_id, sealed in self._sealed.items() if sealed.kek != kek]
        return found[:most]

    def reseal(self, what: Cell | UUID, sealed: Sealed) -> None:
        if isinstance(what, Cell):
            self.put_back(what, sealed)
        else:
            self._sealed[what] = sealed

    def stream(self, name: UUID) -> str | None:
        return self._streams.get(name)

    def put_stream(self, name: UUID, facts: str) -> None:
        self._streams[name] = facts

    def drop_stream(self, name: UUID) -> None:
        self._streams.pop(name, None)

    def streams(self) -> list[str]:
        return [self._streams[name] for name in sorted(self._streams)]

    def head(self) -> Head:
        return Head(self.entries[-1].number, self.entries[-1].digest) if self.entries else EMPTY

    def write(self, entry: Entry) -> None:
        self.entries.append(entry)

    def _alive(self) -> list[KeyRecord]:
        return [record for record in self._keys.values() if record.state is not State.DESTROYED]
