"""Link key as a relay uses it: each octet once, by the end whose it is to spend; the other end follows.

`MemoryPads` is for simulations and tests, `ShelfPads` takes the octets out of a KME's own stock.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol
from uuid import UUID

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.keys.cutting import cut, plan
from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.records import Pool, Slice
from quantum_fabric.keys.sealing import KeyRing
from quantum_fabric.keys.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Pad:
    """Octets that were taken out of the stock and are in nobody else's hands at this end.

    Attributes:
        places: where they lay, for the other end.
        material: the octets.
    """

    places: tuple[Slice, ...]
    material: KeyMaterial


class PadStore(Protocol):
    """What a relay needs of its link keys. All acts of one `handle` count together, or not at all."""

    def cut(self, peer: str, octets: int) -> Pad | None:
        """Take octets that this node spends towards a peer; None where there are too few, and nothing is taken."""

    def look(self, peer: str, places: tuple[Slice, ...]) -> KeyMaterial | None:
        """Octets that the peer spends towards this node, left where they are; None where one is used or never came."""

    def spend(self, peer: str, places: tuple[Slice, ...]) -> None:
        """Destroy what was looked at.

        Raises:
            StateError: it is not there.
        """

    def left(self, spender: str, peer: str) -> int:
        """Octets that one end may still spend towards the other, as stored here."""


class MemoryPads:
    """Link keys in memory.

    Args:
        node: whose they are.

    Examples:
        >>> a, b = MemoryPads("A"), MemoryPads("B")
        >>> for store in (a, b):
        ...     store.add("A", "B", UUID(int=1), bytes(range(64)))
        >>> pad = a.cut("B", 24)
        >>> b.look("A", pad.places) == pad.material, a.left("A", "B"), b.left("A", "B")
        (True, 40, 64)
        >>> b.spend("A", pad.places)
        >>> b.look("A", pad.places) is None, b.left("A", "B")
        (True, 40)
    """

    def __init__(self, node: str) -> None:
        self.node = node
        self._blocks: dict[tuple[str, str], dict[UUID, tuple[bytearray, bytearray]]] = {}

    def add(self, spender: str, follower: str, block: UUID, octets: bytes) -> None:
        """Put a block in; the same block at both ends.

        Raises:
            InputError: a direction that is not this node's, or a block that is there already.
        """
        blocks = self._blocks.setdefault((spender, follower), {})
        if self.node not in (spender, follower) or block in blocks:
            raise InputError(f"block {block} of {spender} → {follower}", f"a new block of {self.node}")
        blocks[block] = (bytearray(octets), bytearray(len(octets)))

    def cut(self, peer: str, octets: int) -> Pad | None:
        """See `PadStore`."""
        if self.left(self.node, peer) < octets:
            return None
        places, pieces = [], []
        for name, (stored, used) in self._blocks[self.node, peer].items():
            start = len(used) - used.count(0)  # a cutter spends from the front
            take = min(octets, len(used) - start)
            if take:
                pieces.append(KeyMaterial(stored[start : start + take]))
                self._destroy(stored, used, start, take)
                places.append(Slice(name, start, take))
                octets -= take
            if not octets:
                break
        return Pad(tuple(places), KeyMaterial.join(pieces))

    def look(self, peer: str, places: tuple[Slice, ...]) -> KeyMaterial | None:
        """See `PadStore`."""
        blocks = self._blocks.get((peer, self.node), {})
        pieces = []
        for one in places:
            stored, used = blocks.get(one.block, (bytearray(), bytearray()))
            end = one.offset + one.octets
            if end > len(used) or any(used[one.offset : end]):
                return None
            pieces.append(KeyMaterial(stored[one.offset : end]))
        return KeyMaterial.join(pieces) if pieces and _apart(places) else None

    def spend(self, peer: str, places: tuple[Slice, ...]) -> None:
        """See `PadStore`."""
        found = self.look(peer, places)
        if found is None:
            raise StateError(f"link key of {peer} that is not there")
        found.wipe()
        for one in places:
            self._destroy(*self._blocks[peer, self.node][one.block], one.offset, one.octets)

    def left(self, spender: str, peer: str) -> int:
        """See `PadStore`."""
        return sum(used.count(0) for _, used in self._blocks.get((spender, peer), {}).values())

    @staticmethod
    def _destroy(stored: bytearray, used: bytearray, start: int, octets: int) -> None:
        stored[start : start + octets] = bytes(octets)
        used[start : start + octets] = b"\1" * octets


def _apart(places: tuple[Slice, ...]) -> bool:
    """Whether no two slices overlap."""
    rows = sorted((one.block, one.offset, one.octets) for one in places)
    return all(a[0] != b[0] or a[1] + a[2] <= b[1] for a, b in pairwise(rows))


class ShelfPads:
    """Link keys out of the stock of a KME; peers are KMEs.

    Args:
        shelf: the open transaction; to be set anew for each.
        ring: opens and seals the stock.
        node: the KME.
    """

    def __init__(self, shelf: Shelf, ring: KeyRing, node: str) -> None:
        self.shelf, self._ring, self.node = shelf, ring, node

    def cut(self, peer: str, octets: int) -> Pad | None:
        """See `PadStore`."""
        pool = Pool(self.node, peer)
        parts = plan([cell for cell, _ in self.shelf.cells(pool, octets)], octets, 1)
        if parts is None:
            return None
        taken = cut(self.shelf, self._ring, pool, tuple(piece for _, piece in parts[0]))
        assert taken is not None, "planned from this transaction's own reading"
        return Pad(taken.slices, taken.material)

    def look(self, peer: str, places: tuple[Slice, ...]) -> KeyMaterial | None:
        """See `PadStore`."""
        pieces = []
        for one in places:
            stored = self.shelf.cell(Pool(peer, self.node), one.block, one.offset)
            if stored is None or one.offset + one.octets > stored[0].offset + stored[0].octets:
                return None
            whole = self._ring.open(stored[0].identifier, stored[1])
            start = one.offset - stored[0].offset
            pieces.append(KeyMaterial(whole.octets[start : start + one.octets]))
            whole.wipe()
        return KeyMaterial.join(pieces) if pieces and _apart(places) else None

    def spend(self, peer: str, places: tuple[Slice, ...]) -> None:
        """See `PadStore`."""
        taken = cut(self.shelf, self._ring, Pool(peer, self.node), places)
        if taken is None:
            raise StateError(f"link key of {peer} that is not there")
        taken.material.wipe()

    def left(self, spender: str, peer: str) -> int:
        """See `PadStore`."""
        return self.shelf.stock(Pool(spender, peer))
