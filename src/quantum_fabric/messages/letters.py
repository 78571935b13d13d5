"""The classical plane where it fails: letters that are numbered and acknowledged, lives of seats, and faults of the plane.

On a classical plane that delivers each message once, none of these but `Restarted` is ever sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from quantum_fabric.messages.coordination import Joined, Lost, PurifyAnswer, PurifyAsk
from quantum_fabric.messages.installation import (
    Commit,
    Confirmed,
    Declined,
    Drain,
    LinkReport,
    Prepare,
    Prepared,
    Release,
    Released,
    Renew,
)
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class Restarted:
    """A node lives again and holds nothing of what it held before: node agent -> controller.

    Attributes:
        node: which.
        life: counts its lives, from 1; old news of restarts is recognised by it.
        at: since when, by its own clock (ps).
    """

    node: str
    life: int
    at: Time


@dataclass(frozen=True, slots=True)
class Inquire:
    """A controller that lives again asks a node which of the epochs up to ``upto`` it holds."""

    upto: int


@dataclass(frozen=True, slots=True)
class Holding:
    """What a node holds of the epochs up to ``upto``, and of later ones that its asker cannot know: answer to `Inquire`."""

    node: str
    epochs: tuple[int, ...]
    upto: int


Carried: TypeAlias = (
    Joined | Lost | PurifyAsk | PurifyAnswer | Prepare | Prepared | Declined | Commit | Renew | Drain | Release | Released
    | Confirmed | LinkReport | Restarted | Inquire | Holding
)  # fmt: skip
"""What seats write to each other."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message under way between two seats, as often as it takes.

    Attributes:
        sender, receiver: seats.
        life: which life of the sender wrote it, from 1; each restart begins another.
        known: which life of the receiver the sender knows of, 0 where of none. What was written to an earlier life is refused.
        number: counts the letters of this life to this receiver, from 1.
        lowest: every letter with a smaller number has been received or given up, so that the receiver may forget them.
        expires_at: from then on nobody acts on it.
        content: what it says.
    """

    sender: str
    receiver: str
    life: int
    known: int
    number: int
    lowest: int
    expires_at: Time
    content: Carried


class Verdict(Enum):
    """What became of a letter at its receiver."""

    RECEIVED = "received"
    """It was acted on, now or when it came first."""
    EXPIRED = "expired"
    """It came too late to be acted on."""
    FENCED = "fenced"
    """A later life of its sender has been heard of."""
    OUTLIVED = "outlived"
    """It was written to an earlier life of the receiver."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The receiver's answer to a `Letter`.

    Attributes:
        sender, receiver: seats; the sender is who received the letter.
        life: which life of the sender wrote this.
        of: which life of the receiver wrote the letter.
        number: of the letter.
        verdict: what became of it.
        fence: the latest life of the receiver that was heard of.
    """

    sender: str
    receiver: str
    life: int
    of: int
    number: int
    verdict: Verdict
    fence: int


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A letter was given up: told to the seat that wrote it, and to watchers.

    Attributes:
        sender, receiver: seats.
        content: what it said.
        why: ``"expired"`` where nothing was heard, else the verdict of the receiver.
        tries: how often it was sent.
    """

    sender: str
    receiver: str
    content: Carried
    why: str
    tries: int


@dataclass(frozen=True, slots=True)
class Deposed:
    """A seat heard of a later life of itself: nobody obeys it any more, and it falls silent."""

    seat: str
    life: int
    by: int


@dataclass(frozen=True, slots=True)
class Partition:
    """A fault: until a time no message passes between these nodes and all others."""

    nodes: tuple[str, ...]
    until: Time


@dataclass(frozen=True, slots=True)
class ClockStep:
    """A fault: from now on a node's clock is ahead of the true time by this much (ps; behind where it is negative)."""

    node: str
    offset: Time


@dataclass(frozen=True, slots=True)
class ControllerFailed:
    """The controller stops: nobody hears it, and what is sent to it is lost, until `ControllerRecovered`."""

    life: int


@dataclass(frozen=True, slots=True)
class ControllerRecovered:
    """The controller lives again, with the books that its journal gave back.

    Attributes:
        life: which life this is.
        replayed: how many inputs were replayed on top of the last image of its state.
    """

    life: int
    replayed: int
