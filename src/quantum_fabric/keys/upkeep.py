"""What happens to keys without their owners: they expire, are revoked, are sealed under a new KEK."""

from __future__ import annotations

from uuid import UUID

from quantum_fabric.keys import life
from quantum_fabric.keys.audit import Act
from quantum_fabric.keys.desk import Desk
from quantum_fabric.keys.records import Cell, End, Instant, KeyRecord, State
from quantum_fabric.keys.shelf import Errand, Shelf


def sweep(desk: Desk, shelf: Shelf, now: Instant, most: int = 500) -> int:
    """Destroy keys whose time is over.

    Args:
        desk: the rules.
        shelf: the open transaction.
        now: the time.
        most: how many at once; others wait for the transaction.

    Returns:
        How many were destroyed.
    """
    records = shelf.overdue(now, most)
    for record in records:
        if record.unconfirmed and desk.policy.lives_here(record.master):
            withdraw(desk, shelf, record, End.EXPIRED)
        else:
            shelf.move(life.end(record, End.EXPIRED))  # whoever confirmed it lets it expire by itself
    if records:
        names = [str(record.key_id) for record in records]
        desk.note(shelf, now, Act.EXPIRED, desk.policy.kme, keys=names)
    return len(records)


def revoke(desk: Desk, shelf: Shelf, key_id: UUID, actor: str, now: Instant) -> bool:
    """Destroy one key at once, here and at every KME that holds it.

    Args:
        desk: the rules.
        shelf: the open transaction.
        key_id: which.
        actor: whose act it is.
        now: the time.

    Returns:
        False where there is no such key, or it was destroyed before.
    """
    record = shelf.key(key_id)
    if record is None or record.state is State.DESTROYED:
        return False
    withdraw(desk, shelf, record, End.REVOKED)
    desk.note(shelf, now, Act.REVOKED, actor, keys=[str(key_id)])
    return True


def revoke_sae(desk: Desk, shelf: Shelf, sae: str, actor: str, now: Instant) -> int:
    """Destroy every key that an SAE has not had yet, or shares with one that has not.

    The policy is not changed: take the SAE out of it as well, or it will ask for new ones.

    Returns:
        How many keys were destroyed.
    """
    records = shelf.living(sae)
    for record in records:
        withdraw(desk, shelf, record, End.REVOKED)
    if records:
        desk.note(shelf, now, Act.REVOKED, actor, sae=sae, keys=[str(record.key_id) for record in records])
    return len(records)


def revoke_pair(desk: Desk, shelf: Shelf, master: str, slave: str, actor: str, now: Instant) -> int:
    """Destroy every key that a master has asked for to share with a slave, and that not everybody has had yet.

    The pair may go on: what it asks for next is new.

    Returns:
        How many keys were destroyed.
    """
    records = [one for one in shelf.living(master) if one.master == master and slave in one.slaves]
    for record in records:
        withdraw(desk, shelf, record, End.REVOKED)
    if records:
        names = [str(record.key_id) for record in records]
        desk.note(shelf, now, Act.REVOKED, actor, master=master, slave=slave, keys=names)
    return len(records)


def void(desk: Desk, shelf: Shelf, key_ids: list[UUID], actor: str, now: Instant) -> int:
    """Take back promised keys that were never released, because a KME did not confirm in time or the caller is gone.

    Returns:
        How many were destroyed.
    """
    records = [record for record in map(shelf.key, key_ids) if record is not None]
    alive = [record for record in records if record.state is State.RESERVED]
    for record in alive:
        withdraw(desk, shelf, record, End.VOIDED)
    if alive:
        desk.note(shelf, now, Act.VOIDED, actor, keys=[str(record.key_id) for record in alive])
    return len(alive)


def withdraw(desk: Desk, shelf: Shelf, record: KeyRecord, why: End) -> None:
    """Destroy a key here, and see to it that every other KME that was told of it is told again."""
    shelf.move(life.end(record, why))
    if not desk.policy.lives_here(record.master):
        return  # the master's KME made it; ours is not to speak for it
    for kme in desk.policy.abroad(record.slaves):
        asked = shelf.errand(kme, record.key_id)
        # places in the stock are named again, so that a KME that never heard of the key spends them too
        slices = asked.slices if asked is not None else ()
        shelf.send(Errand(kme, record.key_id, slices, void=True))


def reseal(desk: Desk, shelf: Shelf, now: Instant, most: int = 500) -> int:
    """Seal cells and keys under the current KEK, so that an older one can be thrown away.

    Returns:
        How many were sealed anew; fewer than `most` when all is done.
    """
    stale = shelf.stale(desk.ring.current.name, most)
    for what, sealed in stale:
        identifier = what.identifier if isinstance(what, Cell) else what
        shelf.reseal(what, desk.ring.renew(identifier, sealed))
    if stale:
        desk.note(shelf, now, Act.ROTATED, desk.policy.kme, kek=desk.ring.current.name, rows=len(stale))
    return len(stale)
