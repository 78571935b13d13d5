"""Read key streams by index (ETSI GS QKD 004 V2.1.1 "GET_KEY"). No clock, no waiting, no network."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from quantum_fabric.keys.answers import Refusal
from quantum_fabric.keys.audit import Act
from quantum_fabric.keys.desk import Desk
from quantum_fabric.keys.extensions import Wish
from quantum_fabric.keys.policy import draw
from quantum_fabric.keys.records import Instant, KeyRecord
from quantum_fabric.keys.shelf import Shelf
from quantum_fabric.keys.streams import LARGEST, Code, EndState, Stream, StreamEnd, chunk_id, stream_of
from quantum_fabric.keys.streams_answers import Elsewhere, Fits, Given, Refused, Wait
from quantum_fabric.keys.streams_open import beside, find, pair_of
from quantum_fabric.keys.streams_quality import kept_back, pace

_LOOK_AHEAD: Final = 1024
"""Chunks that are gone and may be stepped over where no index is named."""


def read(
    desk: Desk,
    shelf: Shelf,
    sae: str,
    name: UUID,
    index: int | None,
    now: Instant,
    excess: Fits,
    begin: int = 0,
) -> Given | Refused | Wait | Elsewhere:
    """Hand one chunk to an end that lives here ("GET_KEY").

    Args:
        desk: the rules.
        shelf: the open transaction.
        sae: who asks, as its certificate says.
        name: Key_stream_ID.
        index: which chunk; None for the one after the furthest that this end has had.
        now: the time.
        excess: whether the metadata fits.
        begin: where no index is named, the first that may be meant.

    Raises:
        SealError: the store was tampered with.
    """
    answer = _look(desk, shelf, sae, name, index, now, excess, begin)
    if isinstance(answer, Refused) and answer.code is not Code.METADATA:
        facts = {"stream": str(name), "index": index, "status": int(answer.code), "why": answer.why}
        desk.note(shelf, now, Act.REFUSED, sae, asked="get_key", **facts)
    return answer


def _look(
    desk: Desk, shelf: Shelf, sae: str, name: UUID, index: int | None, now: Instant, excess: Fits, begin: int
) -> Given | Refused | Wait | Elsewhere:
    stream = find(shelf, name)
    end = None if stream is None else stream.end(sae)
    if stream is None or end is None or end.state is not EndState.OPEN or not desk.policy.lives_here(sae):
        return Refused(Code.NO_CONNECTION, "this caller has no such stream open")
    home = desk.policy.homes.get(stream.master)
    found = _place(shelf, stream, sae, index, max(begin, end.next), now)
    if isinstance(found, Refused):
        return found
    place, record = found
    if record is None:
        if home != desk.policy.kme:
            return Elsewhere(home or "", stream.incarnation, place)
        made = _cut(desk, shelf, stream, place, now)
        if not isinstance(made, KeyRecord):
            return made
        record, stream = made, find(shelf, name) or stream
    if record.unconfirmed:
        return Wait(Code.INSUFFICIENT, "another KME has not confirmed this chunk", place)
    return _give(
        desk, shelf, stream, replace(end, next=max(end.next, place + 1)), (place, record), now, excess
    )


def _place(
    shelf: Shelf, stream: Stream, sae: str, index: int | None, start: int, now: Instant
) -> tuple[int, KeyRecord | None] | Refused:
    """The chunk to be read, and what is known of it; steps over those that are gone where none is named."""
    for place in range(start, min(LARGEST, start + _LOOK_AHEAD)) if index is None else (index,):
        record = shelf.key(chunk_id(stream.incarnation, place))
        if record is None or (sae in record.awaiting and not record.expired(now)):
            return place, record
    what = "the chunks after the last are" if index is None else f"chunk {index} is"
    return Refused(Code.INSUFFICIENT, f"{what} gone: read before, expired or taken back")


def _give(
    desk: Desk,
    shelf: Shelf,
    stream: Stream,
    end: StreamEnd,
    chunk: tuple[int, KeyRecord],
    now: Instant,
    excess: Fits,
) -> Given | Refused:
    index, record = chunk
    age = max(0, now - record.created)
    too_long = excess(record.provenance, age)
    if too_long:
        return Refused(Code.METADATA, "the metadata does not fit", needed=too_long)
    grant = desk.give(shelf, end.sae, [record], now)
    moved = replace(stream.with_end(end), touched=now)
    shelf.put_stream(moved.name, moved.text())
    desk.note(
        shelf, now, Act.ISSUED if end.sae == stream.master else Act.COLLECTED, end.sae,
        stream=str(stream.name), index=index, keys=[str(record.key_id)],
    )  # fmt: skip
    return Given(index, grant, record.provenance, age)


def _cut(desk: Desk, shelf: Shelf, stream: Stream, index: int, now: Instant) -> KeyRecord | Wait | Refused:
    """Cut a chunk at the home of the stream, for both ends."""
    master, slave = stream.master, stream.slave
    if any(end.state is EndState.CLOSED for end in stream.ends):
        return Refused(Code.PEER_NOT_CONNECTED, "the other end has closed the stream")
    if any(end.state is EndState.ABSENT for end in stream.ends):
        return Wait(Code.PEER_NOT_CONNECTED, "the other end is not connected yet")
    if pair_of(desk.policy, master, slave) != (master, slave):
        return Refused(Code.NO_CONNECTION, "these SAEs may not share keys any more")
    usage = draw(pace(stream.quality), stream.usage, 1, now)
    if usage is None:
        return Wait(Code.INSUFFICIENT, "Max_bps allows no more now")
    charges = desk.ration(shelf, master, (slave,), 1, now)
    if isinstance(charges, Refusal):
        return Wait(Code.INSUFFICIENT, charges.message)
    size = stream.quality.chunk
    others = beside(desk, slave, [one for one in map(stream_of, shelf.streams()) if one.name != stream.name])
    left = kept_back(stream, others)
    if left and shelf.stock(desk.policy.pool((slave,))) - size < left:
        return Wait(Code.INSUFFICIENT, "what is left is kept for streams of higher priority")
    lifetime = min(1000 * stream.quality.ttl, desk.policy.limits.lifetime)
    taken = desk.take(shelf, (slave,), size, 1, Wish(lifetime))
    if isinstance(taken, Refusal):
        return Wait(Code.INSUFFICIENT, taken.message)
    for name, charge in charges:
        shelf.set_usage(master, name, charge)
    ((piece, errands),) = taken
    record = KeyRecord(
        key_id=chunk_id(stream.incarnation, index),
        bits=piece.material.bits,
        master=master,
        slaves=(slave,),
        awaiting=(master, slave) if desk.policy.lives_here(slave) else (master,),
        unconfirmed=desk.policy.abroad((slave,)),
        created=now,
        expires=now + lifetime,
        provenance=piece.provenance,
    )
    desk.shelve(shelf, record, piece, errands)
    moved = replace(stream, usage=usage, cut=stream.cut + 1, touched=now)
    shelf.put_stream(moved.name, moved.text())
    names = [str(record.key_id)]
    desk.note(
        shelf, now, Act.RESERVED, master, stream=str(stream.name), index=index, slaves=[slave], keys=names
    )
    return record


def want(
    desk: Desk,
    shelf: Shelf,
    sender: str,
    sae: str,
    name: UUID,
    incarnation: UUID,
    index: int,
    fixed: bool,
    now: Instant,
) -> Wait | Refused:
    """At the home: another KME's SAE wants a chunk that is not there. It is cut, and sent on its way.

    Args:
        desk: the rules.
        shelf: the open transaction.
        sender: the KME, as its certificate says.
        sae: of that KME.
        name: of the stream.
        incarnation: of the stream.
        index: the chunk, or where to begin to look.
        fixed: whether it must be this chunk.
        now: the time.

    Returns:
        `Wait` with the index where the chunk is on its way (`Code.SUCCESSFUL`) or may be later (another code).
    """
    stream = find(shelf, name)
    end = None if stream is None else stream.end(sae)
    if (
        stream is None
        or end is None
        or stream.incarnation != incarnation
        or desk.policy.homes.get(sae) != sender
    ):
        return Refused(Code.NO_CONNECTION, "there is no such stream here")
    for place in (index,) if fixed else range(index, min(LARGEST, index + _LOOK_AHEAD)):
        record = shelf.key(chunk_id(incarnation, place))
        if record is None:
            made = _cut(desk, shelf, stream, place, now)
            if not isinstance(made, KeyRecord):
                return made
            return Wait(Code.SUCCESSFUL, "", place)
        if record.unconfirmed and not record.expired(now):
            return Wait(Code.SUCCESSFUL, "", place)  # it is on its way
    return Refused(Code.INSUFFICIENT, "this chunk is gone")
