"""The protocols that join the rooms: who decides, who executes, who watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from quantum_fabric.messages import Command, Message, Send, Stale, Wake
from quantum_fabric.units import Time

Action: TypeAlias = Command | Send | Wake | Stale
"""What a decider may answer with: do (a command), carry (a send), remind me (a wake), or note (a stale message)."""


@runtime_checkable
class Decider(Protocol):
    """Decides on messages. Owns no clock, socket, file or random number."""

    def handle(self, message: Message, now: Time) -> Sequence[Action]:
        """Answer one message that arrives at ``now`` (picoseconds)."""
        ...


@runtime_checkable
class Plant(Protocol):
    """Obeys commands. The twin is one; hardware would be another."""

    def execute(self, command: Command, now: Time) -> None:
        """Start a command at ``now``; what comes of it arrives later as events."""
        ...


@runtime_checkable
class Watcher(Protocol):
    """Sees every message that it subscribed to, where and when it happens. No room depends on it."""

    def __call__(self, time: Time, place: str, message: Message) -> None:
        """Note one message."""
        ...
