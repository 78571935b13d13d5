"""From a relayed key to the stock of a KME: it becomes a block like any other, of the pool that its source cuts.

The source takes it in when the target's receipt is there, the target when it is released. A key that is cut out of it before the
target has it is refused there with 503 and asked for again, as for any block that is late.
"""

from __future__ import annotations

from quantum_fabric.keys.records import Pool, Provenance
from quantum_fabric.keys.relay.messages import Delivered
from quantum_fabric.keys.supply import Block


def relayed_block(delivered: Delivered, provenance: Provenance) -> Block:
    """The block to hand to `quantum_fabric.keys.feed`, at either end.

    Args:
        delivered: by the node of this KME; its material moves into the block.
        provenance: of the route: `Route.provenance` at the source, `KeyNetwork.provenance` of the paths seen at the target.

    Examples:
        >>> from uuid import UUID
        >>> from quantum_fabric.keys.material import KeyMaterial
        >>> from quantum_fabric.keys.relay.supply import TEST
        >>> delivered = Delivered(UUID(int=1), "kme-a", "kme-b", KeyMaterial(bytes(32)), (("kme-a", "r", "kme-b"),))
        >>> relayed_block(delivered, TEST).pool
        Pool(cutter='kme-a', follower='kme-b')
    """
    pool = Pool(delivered.source, delivered.target)
    return Block(delivered.transfer, pool, delivered.material, provenance)
