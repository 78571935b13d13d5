"""What breaks, and what becomes of the requests that it touches: plant -> node agents -> controller -> caller."""

from __future__ import annotations

from dataclasses import dataclass

from quantum_fabric.messages.requests import Plan, Refused


@dataclass(frozen=True, slots=True)
class SlotsBroken:
    """A node's monitor sees that memory slots hold nothing any more; they do not come back."""

    node: str
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SlotsLost:
    """Node agent -> controller: these slots are broken, for good."""

    node: str
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LinkWorn:
    """To the controller, from whoever watches how good pairs are: a link still works, but not well enough; or it is well again.

    Attributes:
        link: its name.
        worn: whether it is to be left as soon as there is something better.
        reason: in words, for those who are moved.
    """

    link: str
    worn: bool
    reason: str = "drift"


@dataclass(frozen=True, slots=True)
class Rerouted:
    """To the caller: something failed, and the request goes on over another path. Its promises hold as before.

    Attributes:
        request: its name.
        plan: that serves it from now on.
        reason: what happened.
        ready: whether slots were set aside for it.
    """

    request: str
    plan: Plan
    reason: str
    ready: bool


@dataclass(frozen=True, slots=True)
class Protected:
    """To the caller: what stands ready for the next failure has changed.

    Attributes:
        request: its name.
        backup: what would take over; None where there is nothing.
        reason: why there is nothing; empty where there is something.
    """

    request: str
    backup: Plan | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unkept:
    """To the caller: a promise cannot be kept any more; the outcome follows at once.

    Attributes:
        request: its name.
        refusal: of what is owed, with the reason and with what could still be had.
    """

    request: str
    refusal: Refused
