"""Who holds what of a key, in which form, from when to when: the book of one node.

Every entry is closed in the end. `Form.CLEAR` at a relay lasts as long as one `handle`: what arrives under one pad leaves that very
moment under the next, and both pads and the share are destroyed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from quantum_fabric.errors import ProtocolError
from quantum_fabric.keys.records import Instant


class Form(StrEnum):
    """What is held."""

    WHOLE = "whole key"
    """At an end: the key itself."""

    CLEAR = "share"
    """A share as it is."""

    CIPHER = "share under a pad"
    """A share that this node cannot read any more, until the next one has it."""


@dataclass(frozen=True, slots=True)
class Custody:
    """One entry.

    Attributes:
        node: who holds.
        transfer: of which key.
        share: number of the share; None for the whole key.
        form: see `Form`.
        since: when it came.
        until: when it was destroyed or handed on; None while it is held.
        fate: what became of it.
    """

    node: str
    transfer: UUID
    share: int | None
    form: Form
    since: Instant
    until: Instant | None = None
    fate: str = ""


class Book:
    """The entries of a node, open and closed.

    Args:
        node: whose they are.

    Examples:
        >>> book = Book("R")
        >>> book.open(UUID(int=1), 0, Form.CIPHER, 5)
        >>> len(book.held), book.close(UUID(int=1), 0, Form.CIPHER, 9, "handed on").until, len(book.held)
        (1, 9, 0)
        >>> [entry.fate for entry in book.drain()], book.drain()
        (['handed on'], [])
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self._open: dict[tuple[UUID, int | None, Form], Custody] = {}
        self._closed: list[Custody] = []

    def open(self, transfer: UUID, share: int | None, form: Form, now: Instant) -> None:
        """Begin an entry.

        Raises:
            ProtocolError: it is held already.
        """
        if (transfer, share, form) in self._open:
            raise ProtocolError(f"{self._node} holds {form} {share} of {transfer} twice")
        self._open[transfer, share, form] = Custody(self._node, transfer, share, form, now)

    def close(self, transfer: UUID, share: int | None, form: Form, now: Instant, fate: str) -> Custody:
        """End an entry.

        Raises:
            ProtocolError: there is none.
        """
        entry = self._open.pop((transfer, share, form), None)
        if entry is None:
            raise ProtocolError(f"{self._node} does not hold {form} {share} of {transfer}")
        closed = replace(entry, until=now, fate=fate)
        self._closed.append(closed)
        return closed

    def holds(self, transfer: UUID, share: int | None, form: Form) -> bool:
        """Whether an entry is open."""
        return (transfer, share, form) in self._open

    def enter(self, entry: Custody) -> None:
        """Put back an entry that was kept, open or closed."""
        if entry.until is None:
            self._open[entry.transfer, entry.share, entry.form] = entry
        else:
            self._closed.append(entry)

    @property
    def closed(self) -> list[Custody]:
        """What was closed and not drained yet."""
        return list(self._closed)

    @property
    def held(self) -> list[Custody]:
        """What is held now."""
        return list(self._open.values())

    def drain(self) -> list[Custody]:
        """Hand out what was closed since the last time."""
        closed, self._closed = self._closed, []
        return closed
