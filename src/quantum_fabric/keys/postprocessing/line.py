"""The classical line between two ends: it carries, takes its time, counts, and may be in an enemy's hand."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from quantum_fabric.errors import ProtocolError, QuantityError
from quantum_fabric.keys.postprocessing.messages import Kind, Message
from quantum_fabric.units import Time

Enemy: TypeAlias = Callable[[int, bytes], list[bytes]]
"""(who says it, what) -> what arrives instead: nothing, something else, something twice."""


@dataclass(slots=True)
class Line:
    r"""Carries messages between end 0 and end 1, in order.

    Attributes:
        delay: one way, ps.
        enemy: what happens to messages on the way, or None.
        told: bits about the key that were sent, by end and kind, as the line itself counted them in the messages.
        messages: number of messages by end.
        octets: bytes that were sent, by end.

    Raises:
        QuantityError: a negative delay.

    Examples:
        >>> line = Line(delay=5_000_000)
        >>> line.send(0, Message(Kind.PARITIES, 3, b"\x05").written(), now=0)
        >>> line.receive(1)
        (5000000, b'\x05\x03\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x05')
        >>> line.told_by(0), line.told_by(1)
        (3, 0)
    """

    delay: Time = 0
    enemy: Enemy | None = None
    told: Counter[tuple[int, Kind]] = field(default_factory=Counter)
    messages: Counter[int] = field(default_factory=Counter)
    octets: Counter[int] = field(default_factory=Counter)
    _under_way: tuple[deque[tuple[Time, bytes, int]], deque[tuple[Time, bytes, int]]] = field(
        default_factory=lambda: (deque(), deque())
    )

    def __post_init__(self) -> None:
        if self.delay < 0:
            raise QuantityError(found=str(self.delay), expected="0 ps or more", where="delay")

    def send(self, who: int, written: bytes, now: Time) -> None:
        """End ``who`` says something at a time, in ps."""
        try:
            said = Message.read(written)
        except ProtocolError:  # not for the line to judge: the other end will
            pass
        else:
            self.told[who, said.kind] += said.told
        number = self.messages[who]
        self.messages[who] += 1
        self.octets[who] += len(written)
        arriving = [written] if self.enemy is None else self.enemy(who, written)
        self._under_way[1 - who].extend((now + self.delay, each, number) for each in arriving)

    def receive(self, who: int) -> tuple[Time, bytes] | None:
        """The next message for an end and when it arrives, or None."""
        waiting = self._under_way[who]
        return waiting.popleft()[:2] if waiting else None

    def next_arrival(self, who: int) -> Time | None:
        """When the next message for an end arrives, or None."""
        return self._under_way[who][0][0] if self._under_way[who] else None

    def next_number(self, who: int) -> int | None:
        """How many messages the other end had sent before the next one that arrives here, or None.

        The line itself numbers what it carries. Nobody vouches for the numbers: they tell a lost message from a forged one where
        nobody lies, and seals decide whether somebody does.

        Examples:
            >>> line = Line(enemy=lambda who, written: [] if written == b"lost" else [written])
            >>> line.send(0, b"lost", now=0)
            >>> line.send(0, b"kept", now=0)
            >>> line.next_number(1), line.receive(1), line.next_number(1)
            (1, (0, b'kept'), None)
        """
        return self._under_way[who][0][2] if self._under_way[who] else None

    def told_by(self, who: int) -> int:
        """Bits about the key that one end sent."""
        return sum(bits for (end, _), bits in self.told.items() if end == who)
