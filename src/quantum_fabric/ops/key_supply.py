"""What QKD sessions made: a fold over their blocks and alarms, for tables and the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from quantum_fabric.messages import KeyAlarm, KeyBlock, Message
from quantum_fabric.units import Time, seconds


@dataclass(slots=True)
class Made:
    """What one session made so far.

    Attributes:
        blocks: in order of time.
        alarms: with the time at which each was raised, ps.
    """

    blocks: list[KeyBlock] = field(default_factory=list)
    alarms: list[tuple[Time, KeyAlarm]] = field(default_factory=list)

    @property
    def bits(self) -> int:
        """Of key, at each end."""
        return sum(block.length for block in self.blocks)

    @property
    def delivered(self) -> int:
        """Blocks that gave key."""
        return sum(block.length > 0 for block in self.blocks)

    @property
    def epsilon(self) -> float:
        """Failure probability of all that was delivered, together."""
        return sum(block.epsilon for block in self.blocks if block.length)

    @property
    def error_rate(self) -> float | None:
        """Of the test bits, mean over the blocks; None without blocks."""
        return sum(block.error_rate for block in self.blocks) / len(self.blocks) if self.blocks else None


class KeySupply:
    """A watcher that remembers blocks and alarms. Subscribe it to `SEES`.

    Attributes:
        sessions: by name, in the order of their first block.

    Examples:
        >>> supply = KeySupply()
        >>> supply(9, "B", KeyBlock("ab", 0, "A", "B", "bb84", 0, 8, 100, 60, 0.01, 32, 9, 1e-9, 512))
        >>> supply.sessions["ab"].bits, supply.rate("ab", until=10**12)
        (32, 32.0)
    """

    SEES: Final = (KeyBlock, KeyAlarm)

    def __init__(self) -> None:
        self.sessions: dict[str, Made] = {}

    def __call__(self, time: Time, place: str, message: Message) -> None:  # noqa: ARG002 (the port)
        """Note one message."""
        assert isinstance(message, KeyBlock | KeyAlarm)
        made = self.sessions.setdefault(message.session, Made())
        if isinstance(message, KeyBlock):
            made.blocks.append(message)
        else:
            made.alarms.append((time, message))

    def rate(self, session: str, until: Time) -> float:
        """Bits of key per second of network time since the session's first photon.

        Args:
            session: its name.
            until: end of the time that counts, ps.
        """
        made = self.sessions[session]
        first = made.blocks[0].started if made.blocks else 0
        return made.bits / seconds(until - first) if until > first else 0.0


def show_rate(rate: float) -> str:
    """Bits per second for people: whole ones, and two digits of slow links.

    Examples:
        >>> show_rate(225392.4), show_rate(0.1905), show_rate(0.0)
        ('225,392', '0.19', '0')
    """
    return f"{rate:,.0f}" if rate >= 10.0 or not rate else f"{rate:.2g}"
