"""What the desk needs of a store, as a protocol. One shelf is open inside one transaction: all of it counts, or nothing.

The shelf sees sealed keys only. `quantum_fabric.keys.memory` keeps one in memory, `quantum_fabric.server.sqlite` on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from quantum_fabric.keys.audit import Entry, Head
from quantum_fabric.keys.policy import Usage
from quantum_fabric.keys.records import Cell, Instant, KeyRecord, Pool, Slice
from quantum_fabric.keys.sealing import Sealed


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that another KME must be told, until it confirms.

    Attributes:
        kme: whom.
        key_id: about which key.
        slices: which octets of the pool shared with that KME; none where the key goes by value.
        masked: the key XOR those octets (one-time pad); empty where the key is those octets.
        void: False to hold the key for its slaves, True to forget it.
    """

    kme: str
    key_id: UUID
    slices: tuple[Slice, ...] = ()
    masked: bytes = b""
    void: bool = False


class Shelf(Protocol):
    """Reads and writes of one transaction."""

    def stock(self, pool: Pool) -> int:
        """Unused octets of a pool."""

    def has_block(self, block: UUID) -> bool:
        """Whether a block was taken in before."""

    def add_block(self, block: UUID, pool: Pool, cells: Sequence[tuple[Cell, Sealed]]) -> None:
        """Take in a block, cut into cells."""

    def cells(self, pool: Pool, octets: int) -> list[tuple[Cell, Sealed]]:
        """Cells from the front of a pool, oldest first, that hold so many octets together; fewer where there are no more."""

    def cell(self, pool: Pool, block: UUID, offset: int) -> tuple[Cell, Sealed] | None:
        """The cell that holds this octet of a block; None where it is used."""

    def drop(self, cell: Cell) -> None:
        """Destroy a cell."""

    def put_back(self, cell: Cell, sealed: Sealed) -> None:
        """Keep what is left of a cell."""

    def key(self, key_id: UUID) -> KeyRecord | None:
        """What is known of a key; a tombstone where it is destroyed."""

    def add_key(self, record: KeyRecord, sealed: Sealed | None) -> None:
        """Reserve a key; without bits, a tombstone of one that never came."""

    def sealed(self, key_id: UUID) -> Sealed | None:
        """Its bits, where they still exist."""

    def move(self, record: KeyRecord) -> None:
        """Write the new state of a key; one that is destroyed loses its bits."""

    def waiting(self, master: str, slave: str) -> int:
        """Keys of a pair that are not destroyed."""

    def living(self, sae: str) -> list[KeyRecord]:
        """Keys that are not destroyed and name an SAE as master or slave."""

    def overdue(self, now: Instant, most: int) -> list[KeyRecord]:
        """Keys that are not destroyed and whose time is over."""

    def usage(self, master: str, slave: str) -> Usage | None:
        """What a pair has used of its rate."""

    def set_usage(self, master: str, slave: str, usage: Usage) -> None:
        """Remember it."""

    def send(self, errand: Errand) -> None:
        """Put an errand into the outbox; a later one about the same key replaces an earlier."""

    def errands(self, kme: str, most: int) -> list[Errand]:
        """The outbox, oldest first."""

    def done(self, kme: str, key_id: UUID) -> None:
        """Strike an errand."""

    def errand(self, kme: str, key_id: UUID) -> Errand | None:
        """What the outbox says about one key."""

    def promised(self) -> list[KeyRecord]:
        """Reserved keys that their master, who lives here, has not got: confirmed by other KMEs or not."""

    def stale(self, kek: str, most: int) -> list[tuple[Cell | UUID, Sealed]]:
        """Cells and keys that are sealed under another KEK than this."""

    def reseal(self, what: Cell | UUID, sealed: Sealed) -> None:
        """Write a cell or key that was sealed anew."""

    def stream(self, name: UUID) -> str | None:
        """What is known of a key stream, as `quantum_fabric.keys.streams` wrote it."""

    def put_stream(self, name: UUID, facts: str) -> None:
        """Write or replace it."""

    def drop_stream(self, name: UUID) -> None:
        """Forget it; one that is not there does no harm."""

    def streams(self) -> list[str]:
        """All of them, in the order of their names."""

    def head(self) -> Head:
        """The end of the audit book."""

    def write(self, entry: Entry) -> None:
        """Append to the audit book."""
