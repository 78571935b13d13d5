"""Keys are cut out of cells: whole cells where the size fits, pieces of one or several joined where it does not.

Every octet is used once. What was cut is destroyed in the pool in the transaction that reserves the key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.records import Cell, Pool, Provenance, Slice, weakest
from quantum_fabric.keys.sealing import KeyRing, Sealed
from quantum_fabric.keys.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Cut:
    """Bits that were taken out of a pool.

    Attributes:
        material: the bits.
        slices: where they lay.
        provenance: the weakest of the cells.
    """

    material: KeyMaterial
    slices: tuple[Slice, ...]
    provenance: Provenance


def plan(cells: list[Cell], octets: int, number: int) -> list[list[tuple[Cell, Slice]]] | None:
    """Say which octets each key is made of, from the front of a pool.

    Args:
        cells: the front of the pool.
        octets: of each key.
        number: of keys.

    Returns:
        For each key its cells and the slices of them; None where there is too little.
    """
    keys: list[list[tuple[Cell, Slice]]] = []
    index, used = 0, 0
    for _ in range(number):
        parts, missing = [], octets
        while missing:
            if index == len(cells):
                return None
            cell = cells[index]
            take = min(missing, cell.octets - used)
            parts.append((cell, Slice(cell.block, cell.offset + used, take)))
            missing, used = missing - take, used + take
            if used == cell.octets:
                index, used = index + 1, 0
        keys.append(parts)
    return keys


def provenance_of(parts: list[tuple[Cell, Slice]]) -> Provenance:
    """Of a key that is planned, before anything is cut."""
    return weakest([cell.provenance for cell, _ in parts])


Read: TypeAlias = dict[tuple[UUID, int], tuple[Cell, Sealed]]
"""Cells that this transaction has read already, by block and offset; those that are cut are taken out."""


def cut(
    shelf: Shelf, ring: KeyRing, pool: Pool, slices: tuple[Slice, ...], seen: Read | None = None
) -> Cut | None:
    """Take the octets that slices name; nothing is changed where one of them is not there.

    Args:
        shelf: the open transaction.
        ring: opens and seals cells.
        pool: where they lie.
        slices: which octets, in the order of the key; they do not overlap.
        seen: cells of this pool that need not be read again.

    Raises:
        SealError: a cell does not open.
    """
    found = []
    for piece in slices:
        stored = seen.pop((piece.block, piece.offset), None) if seen else None
        stored = stored or shelf.cell(pool, piece.block, piece.offset)
        if stored is None or piece.offset + piece.octets > stored[0].offset + stored[0].octets:
            return None
        found.append((piece, stored))
    if len({(cell.block, cell.offset) for _, (cell, _) in found}) != len(found):
        return None  # two slices of one cell: a cutter joins neighbours, so this is no honest list
    pieces = []
    for piece, (cell, sealed) in found:
        before = piece.offset - cell.offset
        after = cell.octets - before - piece.octets
        sizes = [size for size in (before, piece.octets, after) if size]
        parts = list(ring.open(cell.identifier, sealed).split(sizes))
        shelf.drop(cell)
        if before:
            left = replace(cell, octets=before)
            # the left part keeps the cell's identifier but is shorter, so its ciphertext differs from the old one's
            shelf.put_back(left, ring.seal(left.identifier, parts[0]))
            parts.pop(0).wipe()
        pieces.append(parts.pop(0))
        if after:
            right = replace(cell, offset=piece.offset + piece.octets, octets=after)
            shelf.put_back(right, ring.seal(right.identifier, parts[0]))
            parts.pop(0).wipe()
    return Cut(KeyMaterial.join(pieces), slices, weakest([stored[0].provenance for _, stored in found]))


def xor(one: KeyMaterial, other: KeyMaterial) -> bytes:
    r"""A one-time pad: the result says nothing about `one` as long as `other` is secret and never used again.

    Examples:
        >>> xor(KeyMaterial(b"ab"), KeyMaterial(b"ab"))
        b'\x00\x00'
    """
    size = len(one)
    mixed = int.from_bytes(one.octets, "big") ^ int.from_bytes(other.octets, "big")
    return mixed.to_bytes(size, "big")
