"""The protocols that join the rooms: who decides, who executes, who watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from quantum_fabric.messages import (
    Client,
    Command,
    Fused,
    LinkRequest,
    Measured,
    Message,
    Received,
    Send,
    Stale,
    Teleported,
    Wake,
)
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


class Log(Protocol):
    """Keeps a decider's journal where it outlives the process. What it holds is bytes; it knows nothing of what they say."""

    def append(self, record: bytes) -> None:
        """Add a record. Until `sync` it may be lost, and with it only records that came after it."""
        ...

    def sync(self) -> None:
        """From now on everything that was added outlives the process and the machine."""
        ...

    def renew(self, image: bytes) -> None:
        """Put an image in the place of everything, all at once and for good."""
        ...

    def read(self) -> tuple[bytes, list[bytes]]:
        """The last image (empty where there is none) and the records since."""
        ...


Answer: TypeAlias = Measured | Teleported | Received | Fused
"""What the plant reports when an application has used a half."""


class Network(Protocol):
    """What a service needs of a running fabric."""

    @property
    def now(self) -> Time:
        """Virtual time, ps."""
        ...

    def submit(self, request: LinkRequest, at: Time | None = None) -> str:
        """Ask for a link; returns the request's name."""
        ...

    def cancel(self, name: str) -> None:
        """Withdraw a request, or let go of the pairs that it holds."""
        ...

    def replies(self, name: str) -> list[Client]:
        """Everything that was answered to a request so far."""
        ...

    def run(self, until: Time, stop: Callable[[], bool] | None = None) -> None:
        """Let the network live until a time, or until ``stop`` says so after an event."""
        ...

    def perform(self, command: Command) -> Answer | None:
        """Do something with a held half and wait for what the plant reports."""
        ...

    def delay(self, sender: str, receiver: str) -> Time:
        """One-way classical delay between two nodes, ps."""
        ...
