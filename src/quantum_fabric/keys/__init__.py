"""Key management: the rules by which key bits are stored, bound to applications, handed out once and destroyed. No I/O.

KeyMaterial                     bits that never print themselves
KeyRing, Kek, Sealed            keys at rest: AES-256 key wrap
Policy, Limits, Quota, Mode     who may have what; nothing by default
Desk                            reserve, release, collect, status (ETSI GS QKD 014 in values)
Block, feed, TestSource         where bits come from
Consignment, accept, Recall, forget, confirmed    keys between KMEs
sweep, revoke, revoke_sae, void, reseal           upkeep
Shelf, MemoryShelf              what a store must do, and one in memory
entry, verify                   the audit book
"""

from quantum_fabric.keys.answers import DeliveredKey, Grant, KeyRequest, Promise, Refusal, Status
from quantum_fabric.keys.audit import Act, Entry, Head, entry, verify
from quantum_fabric.keys.consignment import Consignment, Fate, Recall, accept, confirmed, forget
from quantum_fabric.keys.desk import Desk
from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.memory import MemoryShelf
from quantum_fabric.keys.policy import Limits, Mode, Policy, Quota, Usage
from quantum_fabric.keys.records import Cell, End, Instant, KeyRecord, Origin, Pool, Provenance, Slice, State
from quantum_fabric.keys.sealing import Kek, KeyRing, Sealed, SealError
from quantum_fabric.keys.shelf import Errand, Shelf
from quantum_fabric.keys.supply import Block, TestSource, feed
from quantum_fabric.keys.upkeep import reseal, revoke, revoke_sae, sweep, void

__all__ = [
    "Act",
    "Block",
    "Cell",
    "Consignment",
    "DeliveredKey",
    "Desk",
    "End",
    "Entry",
    "Errand",
    "Fate",
    "Grant",
    "Head",
    "Instant",
    "Kek",
    "KeyMaterial",
    "KeyRecord",
    "KeyRequest",
    "KeyRing",
    "Limits",
    "MemoryShelf",
    "Mode",
    "Origin",
    "Policy",
    "Pool",
    "Promise",
    "Provenance",
    "Quota",
    "Recall",
    "Refusal",
    "SealError",
    "Sealed",
    "Shelf",
    "Slice",
    "State",
    "Status",
    "TestSource",
    "Usage",
    "accept",
    "confirmed",
    "entry",
    "feed",
    "forget",
    "reseal",
    "revoke",
    "revoke_sae",
    "sweep",
    "verify",
    "void",
]
