"""From a delivered key to blocks that two key managers take in (`quantum_fabric.keys.supply.feed`)."""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID

from quantum_fabric.keys.records import Origin, Pool, Provenance
from quantum_fabric.keys.supply import LARGEST_BLOCK, Block
from quantum_fabric.services.qkd.session import Delivery


def blocks(
    delivery: Delivery, kmes: tuple[str, str], largest: int = LARGEST_BLOCK
) -> tuple[list[Block], list[Block]]:
    """Cut a key in two, one half for each direction, and make blocks of it at both ends. The delivery's keys are used up.

    Each half belongs to the KME that cuts keys out of it. The bits are marked as made on a twin: a KME in the mode ``production``
    refuses them.

    Args:
        delivery: of a session.
        kmes: names of the KMEs at the sender and at the receiver.
        largest: octets of a block, at most; the same at both ends.

    Returns:
        (blocks for the sender's KME, the same blocks for the receiver's).

    Examples:
        >>> from quantum_fabric.keys.material import KeyMaterial
        >>> from quantum_fabric.physics.qkd.ledger import Ledger
        >>> keys = (KeyMaterial(bytes(range(64))), KeyMaterial(bytes(range(64))))
        >>> ours, theirs = blocks(Delivery(UUID(int=7, version=4), "ab", 0, ("A", "B"), keys, Ledger()), ("kme-a", "kme-b"))
        >>> [len(block.material) for block in ours], ours[0].material == theirs[0].material, ours[0].name == theirs[0].name
        ([32, 32], True, True)
    """
    provenance = Provenance(Origin.TWIN, delivery.session[:64], delivery.ledger.total)
    first = len(delivery.keys[0]) // 2
    pools = (Pool(*kmes), Pool(*reversed(kmes)))
    made: list[list[Block]] = []
    for key in delivery.keys:
        halves = [_sizes(first, largest), _sizes(len(key) - first, largest)]
        sizes = halves[0] + halves[1]
        of = [pools[0]] * len(halves[0]) + [pools[1]] * len(halves[1])
        names = [_named(delivery.name, number) for number in range(len(sizes))]
        made.append(
            [
                Block(name, pool, piece, provenance)
                for name, pool, piece in zip(names, of, key.split(sizes), strict=True)
            ]
        )
    return (made[0], made[1])


def _sizes(octets: int, largest: int) -> list[int]:
    rest = octets % largest
    return [largest] * (octets // largest) + ([rest] if rest else [])


def _named(name: UUID, number: int) -> UUID:
    """Names of the parts of a key, the same at both ends."""
    return UUID(bytes=blake2b(name.bytes + number.to_bytes(4, "big"), digest_size=16).digest(), version=4)
