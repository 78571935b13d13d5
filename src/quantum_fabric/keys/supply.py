"""Bits come in as blocks with their provenance, and are refused where nobody could rely on them.

A block has the same name and the same bits at both KMEs of its pool; who makes it (QKD hardware, a session on the twin) is no
concern of this room. There is no fallback: a KME whose sources stop runs dry and says so.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from quantum_fabric.errors import InputError
from quantum_fabric.keys.answers import Refusal
from quantum_fabric.keys.audit import Act
from quantum_fabric.keys.desk import Desk
from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.records import CELL_OCTETS, Cell, Instant, Origin, Pool, Provenance
from quantum_fabric.keys.shelf import Shelf

LARGEST_BLOCK: Final = 1 << 24
"""Octets of one block: one transaction, which other requests wait for."""


@dataclass(frozen=True, slots=True)
class Block:
    """New bits for a pool.

    Attributes:
        name: the same at both ends; a block is taken in once.
        pool: which of the two ends will cut keys out of it.
        material: the bits; wiped once they are stored.
        provenance: where they came from.

    Raises:
        InputError: more than `LARGEST_BLOCK`.
    """

    name: UUID
    pool: Pool
    material: KeyMaterial
    provenance: Provenance

    def __post_init__(self) -> None:
        if len(self.material) > LARGEST_BLOCK:
            raise InputError(f"{len(self.material)} octets", f"at most {LARGEST_BLOCK}", "block")


def feed(desk: Desk, shelf: Shelf, block: Block, now: Instant) -> int | Refusal:
    """Take a block into its pool and wipe it.

    Args:
        desk: the rules.
        shelf: the open transaction.
        block: the bits.
        now: the time.

    Returns:
        How many octets were taken; 0 where the block was taken before. A refusal where the pool is full: nothing was taken
        then, and the block is as it was.

    Raises:
        InputError: bits of this origin are not taken in by this KME, or the pool is not one of its own.
    """
    policy = desk.policy
    if not policy.accepts(block.provenance.origin):
        raise InputError(
            f"bits of origin '{block.provenance.origin}'",
            "bits that can be secret (mode 'production')",
            "supply",
        )
    if policy.kme not in (block.pool.cutter, block.pool.follower):
        raise InputError(
            f"a pool of {block.pool.cutter} and {block.pool.follower}", f"a pool of {policy.kme}"
        )
    if shelf.has_block(block.name):
        return 0
    octets = len(block.material)
    if shelf.stock(block.pool) + octets > policy.limits.stock * policy.limits.default_size // 8:
        refusal = Refusal(503, "the pool is full")
        return desk.refuse(shelf, now, block.provenance.source[:64], "feed", refusal, block=str(block.name))
    sizes = [CELL_OCTETS] * (octets // CELL_OCTETS)
    sizes += [octets % CELL_OCTETS] if octets % CELL_OCTETS else []
    cells = []
    for index, piece in enumerate(block.material.split(sizes)):
        cell = Cell(block.pool, block.name, index * CELL_OCTETS, len(piece), block.provenance)
        cells.append((cell, desk.ring.seal(cell.identifier, piece)))
        piece.wipe()
    shelf.add_block(block.name, block.pool, cells)
    facts = {"pool": [block.pool.cutter, block.pool.follower], "block": str(block.name), "octets": octets}
    desk.note(shelf, now, Act.FED, block.provenance.source, origin=block.provenance.origin.value, **facts)
    return octets


class TestSource:
    """Blocks from a published seed, the same at every KME that knows it: for trials. Nothing about them is secret.

    A KME in the mode ``production`` refuses them.

    Args:
        seed: any text; whoever knows it knows every key.

    Equation:
        ``SHAKE-256("quantum-fabric test source" || seed || cutter || follower || number)``.

    Examples:
        >>> source = TestSource("trial")
        >>> pool = Pool("kme-a", "kme-b")
        >>> one, same = source.block(pool, 0, 64), TestSource("trial").block(pool, 0, 64)
        >>> one.material == same.material, one.name == same.name, one.provenance.origin.secret
        (True, True, False)
    """

    __test__ = False  # no test class, whatever its name begins with

    def __init__(self, seed: str) -> None:
        self.seed = seed

    def block(self, pool: Pool, number: int, octets: int) -> Block:
        """Make one block.

        Args:
            pool: for which pool.
            number: of the block, from 0.
            octets: its size.
        """
        label = "\0".join(("quantum-fabric test source", self.seed, pool.cutter, pool.follower, str(number)))
        stream = hashlib.shake_256(label.encode()).digest(16 + octets)
        name = UUID(bytes=stream[:16], version=4)
        provenance = Provenance(Origin.TEST, f"test source '{self.seed}'"[:64])
        return Block(name, pool, KeyMaterial(stream[16:]), provenance)
