"""The book of acts: one entry for each thing done with keys, each bound to the one before by its digest.

An entry names keys by identifier and holds nothing derived from their bits.

Limits:
    The chain shows a change, a gap or a swap inside the book. It cannot show that its last entries were cut off, or that
    all of it was written anew: keep the head (`Head`) somewhere else from time to time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from quantum_fabric.errors import JournalError
from quantum_fabric.keys.records import Instant


class Act(StrEnum):
    """What was done."""

    FED = "fed"
    RESERVED = "reserved"
    ISSUED = "issued"
    COLLECTED = "collected"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    REVOKED = "revoked"
    VOIDED = "voided"
    REFUSED = "refused"
    RELAYED = "relayed"
    ROTATED = "rotated"
    STARTED = "started"
    COMBINED = "combined"
    """From QKD and ML-KEM."""

    DEGRADED = "degraded"
    """From one of them alone, as the policy allows."""
    OPENED = "opened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the book.

    Attributes:
        number: of the last entry; 0 where there is none.
        digest: SHA-256 of the last entry, in hexadecimal.
    """

    number: int
    digest: str


EMPTY: Final = Head(0, "0" * 64)
"""The head of a book without entries."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One act.

    Attributes:
        number: from 1, without gaps.
        at: when.
        act: what.
        actor: the SAE, KME or operator whose act it was; as the certificate says.
        facts: JSON text with sorted names: key identifiers, pairs, sizes, reasons.
        before: digest of the entry before.
        digest: SHA-256 over all of the above.
    """

    number: int
    at: Instant
    act: Act
    actor: str
    facts: str
    before: str
    digest: str


def entry(head: Head, at: Instant, act: Act, actor: str, facts: Mapping[str, object]) -> Entry:
    """Write the next entry.

    Examples:
        >>> first = entry(EMPTY, 5, Act.FED, "kme-a", {"octets": 64})
        >>> second = entry(Head(first.number, first.digest), 6, Act.ISSUED, "alice", {"keys": ["k1"]})
        >>> verify([first, second]).number
        2
    """
    text = json.dumps(dict(facts), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    number = head.number + 1
    return Entry(
        number, at, act, actor, text, head.digest, _digest(number, at, act, actor, text, head.digest)
    )


def verify(entries: Iterable[Entry], head: Head = EMPTY) -> Head:
    """Check a book, or the part of it that follows `head`.

    Returns:
        The head after the last entry.

    Raises:
        JournalError: an entry was changed, is missing, or stands in the wrong place.
    """
    for one in entries:
        if one.number != head.number + 1:
            raise JournalError(
                f"audit entry {head.number + 1} is missing; {one.number} follows {head.number}"
            )
        found = _digest(one.number, one.at, one.act, one.actor, one.facts, one.before)
        if one.before != head.digest or found != one.digest:
            raise JournalError(f"audit entry {one.number} was changed")
        head = Head(one.number, one.digest)
    return head


def _digest(number: int, at: Instant, act: Act, actor: str, facts: str, before: str) -> str:
    # a JSON array has one reading only: no two different entries share a text
    return sha256(json.dumps([number, at, act.value, actor, facts, before]).encode()).hexdigest()
