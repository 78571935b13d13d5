"""A key on its way between KMEs: held for its slaves at the far end, confirmed, or voided.

The far KME believes the sender about its own keys only: the sender must be the home of the master, and the master and at
least one slave of this KME must be a pair that its own policy allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from quantum_fabric.keys import life
from quantum_fabric.keys.answers import Refusal
from quantum_fabric.keys.audit import Act
from quantum_fabric.keys.cutting import Cut, cut, xor
from quantum_fabric.keys.desk import Desk
from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.records import End, Instant, KeyRecord, Origin, Pool, Provenance, Slice, State
from quantum_fabric.keys.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Consignment:
    """One key, as its maker tells another KME of it.

    Attributes:
        key_id: its name.
        master: who asked for it.
        slaves: every SAE that was named.
        lifetime: how long it may be handed out from now, in ms.
        content: the places in the common stock, or the bits themselves (between neighbours).
        masked: with places: the key XOR those octets; empty where they are the key.
        provenance: of a key by value, as its maker says.
        offer: of ML-KEM, where the rules ask for it (`quantum_fabric.keys.combining`); empty elsewhere.
    """

    key_id: UUID
    master: str
    slaves: tuple[str, ...]
    lifetime: Instant
    content: tuple[Slice, ...] | KeyMaterial
    masked: bytes = b""
    provenance: Provenance | None = None
    offer: bytes = b""


class Fate(StrEnum):
    """What became of a key that was to be voided, in the words of ETSI GS QKD 020 V1.1.1."""

    VOIDED = "voided"
    TOO_LATE = "failed to void"
    ABSENT = "key not present"


def accept(
    desk: Desk, shelf: Shelf, sender: str, parcel: Consignment, now: Instant, combined: bool = False
) -> Refusal | None:
    """Hold a key for the slaves that live here. The same parcel again changes nothing.

    Args:
        desk: the rules.
        shelf: the open transaction.
        sender: the KME, as its certificate says.
        parcel: the key.
        now: the time.
        combined: whether it comes with an offer of ML-KEM (`quantum_fabric.keys.combining`).

    Returns:
        None where it is held, now or before; 401 where the sender may not, 400 where the parcel is wrong, 503 where the stock
        has not arrived here yet.

    Raises:
        SealError: the store was tampered with.
    """
    refusal = _judge(desk, sender, parcel)
    if (sender in desk.policy.hybrid) is not combined:
        refusal = refusal or Refusal(400, "keys with this KME are combined with ML-KEM, and with no other")
    if refusal is None:
        known = shelf.key(parcel.key_id)
        if known is not None:
            if (known.master, known.slaves) == (parcel.master, parcel.slaves) and known.end is not End.VOIDED:
                return None
            refusal = Refusal(400, "this key ID was used before")
    material = refusal or _content(desk, shelf, sender, parcel)
    if isinstance(material, Refusal):
        return desk.refuse(shelf, now, sender, "accept", material, keys=[str(parcel.key_id)])
    here = tuple(slave for slave in parcel.slaves if desk.policy.lives_here(slave))
    lifetime = min(parcel.lifetime, desk.policy.limits.lifetime)
    record = KeyRecord(
        key_id=parcel.key_id,
        bits=material.material.bits,
        master=parcel.master,
        slaves=parcel.slaves,
        awaiting=here,
        unconfirmed=(),
        created=now,
        expires=now + lifetime,
        provenance=material.provenance,
    )
    shelf.add_key(record, desk.ring.seal(record.key_id, material.material))
    material.material.wipe()
    desk.note(
        shelf, now, Act.ACCEPTED, sender, master=parcel.master, slaves=list(here), keys=[str(parcel.key_id)]
    )
    return None


def _judge(desk: Desk, sender: str, parcel: Consignment) -> Refusal | None:
    policy, limits = desk.policy, desk.policy.limits
    here = [slave for slave in parcel.slaves if policy.lives_here(slave)]
    if policy.homes.get(parcel.master) != sender or sender == policy.kme:
        return Refusal(401, "the master SAE does not live at the sender")
    if not here or any((parcel.master, slave) not in policy.pairs for slave in here):
        return Refusal(401, "this master and these slaves may not share keys")
    if len(set(parcel.slaves)) != len(parcel.slaves) or len(parcel.slaves) > limits.slaves + 1:
        return Refusal(400, "the slaves are named twice, or are too many")
    by_value = isinstance(parcel.content, KeyMaterial)
    if by_value != (sender in policy.neighbours):
        return Refusal(400, "keys go by value between neighbours, and between neighbours only")
    octets = (
        len(parcel.content)
        if isinstance(parcel.content, KeyMaterial)
        else sum(s.octets for s in parcel.content)
    )
    if not limits.smallest <= 8 * octets <= limits.largest or len(parcel.masked) not in (0, octets):
        return Refusal(400, "size is out of range")
    return Refusal(400, "it is over already") if parcel.lifetime < 1 else None


def _content(desk: Desk, shelf: Shelf, sender: str, parcel: Consignment) -> Cut | Refusal:
    if isinstance(parcel.content, KeyMaterial):
        provenance = parcel.provenance or Provenance(Origin.TEST, f"{sender}, who did not say")
        if not desk.policy.accepts(provenance.origin):
            return Refusal(400, f"keys of origin '{provenance.origin}' are not taken in")
        return Cut(parcel.content, (), provenance)
    taken = cut(shelf, desk.ring, Pool(sender, desk.policy.kme), parcel.content)
    if taken is None:
        return Refusal(503, "these bits are not in the stock here")
    if not parcel.masked:
        return taken
    with_mask = KeyMaterial(parcel.masked)
    plain = KeyMaterial(xor(taken.material, with_mask))
    taken.material.wipe()
    return Cut(plain, taken.slices, taken.provenance)


@dataclass(frozen=True, slots=True)
class Recall:
    """A key that its maker takes back.

    Attributes:
        key_id: which.
        master, slaves: whose it was.
        slices: the places that it lay in, where the maker cannot know that they are spent here.
    """

    key_id: UUID
    master: str
    slaves: tuple[str, ...]
    slices: tuple[Slice, ...] = ()


def forget(desk: Desk, shelf: Shelf, sender: str, recall: Recall, now: Instant) -> Fate | Refusal:
    """Void a key of the sender's, and spend the places that it lay in.

    A key that never came gets its tombstone now, so that a parcel that is overtaken by its recall is refused.

    Returns:
        What became of it; 401 where it is not the sender's.
    """
    name = str(recall.key_id)
    record = shelf.key(recall.key_id)
    master = recall.master if record is None else record.master
    if desk.policy.homes.get(master) != sender or sender == desk.policy.kme:
        refusal = Refusal(401, "the master SAE does not live at the sender")
        return desk.refuse(shelf, now, sender, "void", refusal, keys=[name])
    if record is None:
        pool = Pool(sender, desk.policy.kme)
        spent = cut(shelf, desk.ring, pool, recall.slices) if recall.slices else None
        if spent is not None:
            spent.material.wipe()
        tombstone = KeyRecord(
            key_id=recall.key_id,
            bits=0,
            master=master,
            slaves=recall.slaves,
            awaiting=(),
            unconfirmed=(),
            created=now,
            expires=now,
            provenance=Provenance(Origin.TEST, "never came"),
            state=State.DESTROYED,
            end=End.VOIDED,
        )
        shelf.add_key(tombstone, None)
        desk.note(shelf, now, Act.VOIDED, sender, keys=[name], held=False)
        return Fate.ABSENT
    if record.state is State.DESTROYED:
        return Fate.TOO_LATE if record.end is End.CONSUMED else Fate.VOIDED
    handed = record.state is State.DELIVERED
    shelf.move(life.end(record, End.VOIDED))
    desk.note(shelf, now, Act.VOIDED, sender, keys=[name], held=True)
    return Fate.TOO_LATE if handed else Fate.VOIDED


def confirmed(desk: Desk, shelf: Shelf, kme: str, key_ids: list[UUID], now: Instant) -> list[UUID]:
    """Note that a KME holds keys of ours, and strike the errands.

    Returns:
        Keys that every KME has confirmed now.
    """
    complete, noted = [], []
    for key_id in key_ids:
        asked = shelf.errand(kme, key_id)
        if asked is None or asked.void:
            continue  # it confirms what we have voided since; the void is still on its way
        shelf.done(kme, key_id)
        record = shelf.key(key_id)
        if record is None or record.state is not State.RESERVED or kme not in record.unconfirmed:
            continue
        moved = life.confirm(record, kme)
        shelf.move(moved)
        noted.append(str(key_id))
        if not moved.unconfirmed:
            complete.append(key_id)
    if noted:
        desk.note(shelf, now, Act.CONFIRMED, kme, keys=noted)
    return complete
