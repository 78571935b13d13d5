"""The life of a key: reserved → delivered, once to each → destroyed. Forward only, and every move is in one table.

::

    RESERVED ──confirm──▶ RESERVED            a KME that hosts slaves holds it too
    RESERVED ──hand over─▶ DELIVERED          when all KMEs have confirmed; to the first of those who wait
    DELIVERED ─hand over─▶ DELIVERED          to the next
    (the last who waits has it)     ──▶ DESTROYED(consumed)
    RESERVED, DELIVERED ──end──▶ DESTROYED(expired | revoked | voided)
    DESTROYED                                 nothing; the record stays as a tombstone, the bits are gone
"""

from __future__ import annotations

from dataclasses import replace

from quantum_fabric.errors import ProtocolError
from quantum_fabric.keys.records import End, Instant, KeyRecord, State


def confirm(record: KeyRecord, kme: str) -> KeyRecord:
    """Note that another KME holds the key. A second confirmation changes nothing.

    Raises:
        ProtocolError: the key is destroyed.
    """
    _alive(record, "confirmed")
    return replace(record, unconfirmed=tuple(name for name in record.unconfirmed if name != kme))


def hand_over(record: KeyRecord, sae: str, now: Instant) -> KeyRecord:
    """Give the key to an SAE that waits for it. To be committed before the key leaves the process.

    Raises:
        ProtocolError: the SAE does not wait for it (any more), a KME has not confirmed, or the time is over.

    Examples:
        >>> from uuid import UUID
        >>> from quantum_fabric.keys.records import Origin, Provenance
        >>> record = KeyRecord(UUID(int=1), 256, "alice", ("bob",), ("alice", "bob"), (), 0, 1000,
        ...                    Provenance(Origin.TEST, "example"))
        >>> once = hand_over(record, "alice", 10)
        >>> once.state, once.awaiting
        (<State.DELIVERED: 'delivered'>, ('bob',))
        >>> hand_over(once, "alice", 11)
        Traceback (most recent call last):
        quantum_fabric.errors.ProtocolError: key 00000000-0000-0000-0000-000000000001 does not wait for alice
        >>> hand_over(once, "bob", 12).end
        <End.CONSUMED: 'consumed'>
    """
    _alive(record, "handed over")
    if sae not in record.awaiting:
        raise ProtocolError(f"key {record.key_id} does not wait for {sae}")
    if record.unconfirmed:
        raise ProtocolError(f"key {record.key_id} is not confirmed by {', '.join(record.unconfirmed)}")
    if record.expired(now):
        raise ProtocolError(f"key {record.key_id} is out of its time")
    left = tuple(name for name in record.awaiting if name != sae)
    moved = replace(record, awaiting=left, state=State.DELIVERED)
    return moved if left else replace(moved, state=State.DESTROYED, end=End.CONSUMED)


def end(record: KeyRecord, why: End) -> KeyRecord:
    """Destroy a key before everybody had it.

    Raises:
        ProtocolError: it is destroyed already, or `why` is what only `hand_over` may say.
    """
    _alive(record, why.value)
    if why is End.CONSUMED:
        raise ProtocolError(f"key {record.key_id} is consumed by its last recipient only")
    return replace(record, state=State.DESTROYED, end=why, awaiting=(), unconfirmed=())


def _alive(record: KeyRecord, what: str) -> None:
    if record.state is State.DESTROYED:
        raise ProtocolError(f"key {record.key_id} is destroyed ({record.end}) and cannot be {what}")
