"""Open and close key streams (ETSI GS QKD 004 V2.1.1). No clock, no waiting, no network.

Of the two KMEs of a stream one is its *home*: that of the master of the pair. It alone cuts chunks and knows whether both ends
are there; the other asks it (`quantum_fabric.keys.streams_read.want`), and hands out the chunks that reach it as any other key.
Where both SAEs live at one KME, that one is home for both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from quantum_fabric.keys.answers import Refusal
from quantum_fabric.keys.audit import Act
from quantum_fabric.keys.desk import Desk
from quantum_fabric.keys.policy import Policy
from quantum_fabric.keys.records import End, Instant
from quantum_fabric.keys.shelf import Shelf
from quantum_fabric.keys.streams import (
    NOBODY,
    Code,
    EndState,
    Quality,
    Stream,
    StreamEnd,
    of_stream,
    stream_of,
)
from quantum_fabric.keys.streams_answers import Elsewhere, Opened, Refused
from quantum_fabric.keys.streams_quality import agrees, filled, settle
from quantum_fabric.keys.upkeep import withdraw

MOST_STREAMS: Final = 64
"""Open at once, for each pair of SAEs."""

IDLE: Final[Instant] = 24 * 3_600_000
"""A stream that nobody used for so long, in ms, is closed when another is opened."""


def pair_of(policy: Policy, one: str, other: str) -> tuple[str, str] | None:
    """Master and slave of a stream between two SAEs, the same at every KME whatever the order of the names.

    Examples:
        >>> from quantum_fabric.keys.policy import Quota
        >>> both = {("alice", "bob"): Quota(), ("bob", "alice"): Quota()}
        >>> policy = Policy("kme-a", {"alice": "kme-a", "bob": "kme-b"}, both)
        >>> pair_of(policy, "bob", "alice"), pair_of(policy, "alice", "eve")
        (('alice', 'bob'), None)
    """
    first, second = sorted((one, other))
    return next((pair for pair in ((first, second), (second, first)) if pair in policy.pairs), None)


def open_end(
    desk: Desk, shelf: Shelf, sae: str, peer: str, name: UUID, asked: Quality, now: Instant, sender: str = ""
) -> Opened | Refused | Refusal | Elsewhere:
    """Open one end ("OPEN_CONNECT").

    Args:
        desk: the rules.
        shelf: the open transaction.
        sae: whose end.
        peer: who is at the other end.
        name: Key_stream_ID; `NOBODY` for a new one.
        asked: QoS.
        now: the time.
        sender: the KME that asks for its SAE; empty for an SAE of ours.

    Returns:
        `Elsewhere` where another KME is the stream's home, `Refusal` where this SAE may not.
    """
    answer = _judge(desk, shelf, sae, peer, name, asked, now, sender)
    if isinstance(answer, Refused):
        facts = {"stream": str(name), "status": int(answer.code), "why": answer.why, "peer": peer}
        desk.note(shelf, now, Act.REFUSED, sae, asked="open_connect", **facts)
    return answer


def _judge(
    desk: Desk, shelf: Shelf, sae: str, peer: str, name: UUID, asked: Quality, now: Instant, sender: str
) -> Opened | Refused | Refusal | Elsewhere:
    pair = pair_of(desk.policy, sae, peer)
    lives = desk.policy.homes.get(sae) == (sender or desk.policy.kme)
    if pair is None or not lives:
        return desk.refuse(
            shelf,
            now,
            sae,
            "open_connect",
            Refusal(401, "this SAE may not share keys with that one"),
            peer=peer,
        )
    known = find(shelf, name)
    if known is not None and not sender and _at(known, sae) in (EndState.OPEN, EndState.CLOSED):
        return Refused(
            Code.IN_USE, "this end of the stream is open already, or was closed and the other is not yet"
        )
    home = desk.policy.homes[pair[0]]
    if home != desk.policy.kme:
        return Elsewhere(home) if not sender else Refused(Code.NO_CONNECTION, "the stream does not live here")
    if known is None:
        return _begin(desk, shelf, pair, sae, name, asked, now)
    if (known.master, known.slave) != pair or _at(known, sae) is EndState.CLOSED:
        return Refused(Code.IN_USE, "this Key_stream_ID is in use")
    if not agrees(asked, known.quality):
        return Refused(Code.QUALITY, "the other end has settled another QoS", known.quality)
    return _enter(desk, shelf, known, sae, asked.timeout, now)


def _begin(
    desk: Desk, shelf: Shelf, pair: tuple[str, str], sae: str, name: UUID, asked: Quality, now: Instant
) -> Opened | Refused:
    others = [one for one in map(stream_of, shelf.streams()) if not _idle(desk, shelf, one, now)]
    if sum((one.master, one.slave) == pair for one in others) >= MOST_STREAMS:
        return Refused(Code.NO_CONNECTION, f"this pair has {MOST_STREAMS} streams already")
    best = settle(desk, shelf, asked, pair, beside(desk, pair[1], others))
    if filled(asked, best) != best:
        return Refused(Code.QUALITY, "the QoS cannot be met", best)
    ends = (StreamEnd(pair[0]), StreamEnd(pair[1]))
    stream = Stream(desk.new_id() if name == NOBODY else name, desk.new_id(), best, ends, now, now)
    return _enter(desk, shelf, stream, sae, best.timeout, now)


def _enter(desk: Desk, shelf: Shelf, stream: Stream, sae: str, timeout: int, now: Instant) -> Opened:
    before = stream.end(sae)
    assert before is not None, "the pair was looked at"
    moved = replace(stream.with_end(replace(before, state=EndState.OPEN, timeout=timeout)), touched=now)
    shelf.put_stream(moved.name, moved.text())
    desk.note(shelf, now, Act.OPENED, sae, stream=str(moved.name), peer=moved.other(sae).sae)
    there = moved.other(sae).state is EndState.OPEN
    return Opened(Code.SUCCESSFUL if there else Code.PEER_ABSENT, moved)


def remember(desk: Desk, shelf: Shelf, stream: Stream, sae: str, timeout: int, now: Instant) -> None:
    """At the KME that is not the home: note what the home has answered to an `open_end` of our SAE."""
    ends = tuple(StreamEnd(end.sae) for end in stream.ends)
    local = replace(stream, ends=(ends[0], ends[1]), created=now)
    _enter(desk, shelf, local, sae, timeout, now)


def _at(stream: Stream, sae: str) -> EndState | None:
    end = stream.end(sae)
    return None if end is None else end.state


def find(shelf: Shelf, name: UUID) -> Stream | None:
    """The stream of a Key_stream_ID; None where there is none."""
    text = None if name == NOBODY else shelf.stream(name)
    return None if text is None else stream_of(text)


def beside(desk: Desk, slave: str, others: list[Stream]) -> list[Stream]:
    """Streams that draw on the stock which a stream to this slave draws on."""
    here = [one for one in others if one.slave in desk.policy.homes and desk.policy.lives_here(one.master)]
    pool = desk.policy.pool((slave,))
    return [one for one in here if desk.policy.pool((one.slave,)) == pool]


def _idle(desk: Desk, shelf: Shelf, stream: Stream, now: Instant) -> bool:
    if now - stream.touched < IDLE:
        return False
    desk.note(shelf, now, Act.CLOSED, desk.policy.kme, stream=str(stream.name), chunks=stream.cut, why="idle")
    finish(desk, shelf, stream, desk.policy.kme, now)
    return True


def close_end(
    desk: Desk,
    shelf: Shelf,
    sae: str,
    name: UUID,
    now: Instant,
    incarnation: UUID | None = None,
    sender: str = "",
) -> Refused | Elsewhere | None:
    """Close one end ("CLOSE"): nothing more is cut, and the other end may still read what was cut for it.

    When both ends are closed the chunks that nobody read are taken back, and the stream is forgotten.

    Returns:
        None where it is closed; `Elsewhere` where it is closed here, and the home is to be told.
    """
    stream = find(shelf, name)
    end = None if stream is None else stream.end(sae)
    lives = desk.policy.homes.get(sae) == (sender or desk.policy.kme)
    if stream is None or end is None or not lives or incarnation not in (None, stream.incarnation):
        return None if sender else Refused(Code.NO_CONNECTION, "this caller has no such stream open")
    if end.state is not EndState.OPEN:
        return None if sender else Refused(Code.NO_CONNECTION, "this end is closed already")
    moved = replace(stream.with_end(replace(end, state=EndState.CLOSED)), touched=now)
    home = desk.policy.homes.get(stream.master)
    desk.note(shelf, now, Act.CLOSED, sae, stream=str(name), chunks=stream.cut)
    shelf.put_stream(name, moved.text())
    if home != desk.policy.kme:
        return Elsewhere(home or "", stream.incarnation)
    if all(one.state is not EndState.OPEN for one in moved.ends):
        finish(desk, shelf, moved, sae, now)
    return None


def finish(desk: Desk, shelf: Shelf, stream: Stream, actor: str, now: Instant) -> None:
    """Forget a stream, and destroy what was cut for it and not read."""
    left = [record for record in shelf.living(stream.master) if of_stream(record.key_id, stream.incarnation)]
    for record in left:
        withdraw(desk, shelf, record, End.VOIDED)
    shelf.drop_stream(stream.name)
    names = [str(record.key_id) for record in left]
    if names:
        desk.note(shelf, now, Act.VOIDED, actor, stream=str(stream.name), keys=names)


def untold(desk: Desk, shelf: Shelf) -> list[tuple[str, str, Stream]]:
    """Ends that were closed here and whose home may not know it yet: home, SAE, stream."""
    found = []
    for stream in map(stream_of, shelf.streams()):
        home = desk.policy.homes.get(stream.master)
        if home is not None and home != desk.policy.kme:
            found += [(home, end.sae, stream) for end in stream.ends if end.state is EndState.CLOSED]
    return found
