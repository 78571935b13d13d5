"""The order of events that happen at the same picosecond.

This order is physics: it decides, for instance, whether a memory that reaches its cutoff at the very moment a message
arrives is still there for that message. It is defined once, here, and every engine uses it.
"""

from __future__ import annotations

from enum import IntEnum


class Priority(IntEnum):
    """What goes first among events of equal time; equal priorities keep the order in which they were scheduled.

    The reasons, top to bottom: a fault is true before anything can rely on the plant; news that arrives now is known now; a
    herald comes next, so that what it starts sees the news; an operation that ends now ends after the heralds, so that
    its result is acted on with everything known; timers come last: what happens exactly at a deadline is in time.

    Examples:
        >>> sorted([Priority.TIMER, Priority.HERALD, Priority.FAULT])[0].name
        'FAULT'
    """

    FAULT = 0
    MESSAGE = 1
    HERALD = 2
    OPERATION = 3
    TIMER = 4


RANKS = 1 << 32
"""Room below each priority for a static rank (lane of a link), so that simultaneous heralds have an order of their own."""


def ranked(priority: Priority, rank: int = 0) -> int:
    """Sort key of a priority with a static rank within it.

    Examples:
        >>> ranked(Priority.HERALD, 3) < ranked(Priority.HERALD, 4) < ranked(Priority.OPERATION)
        True
    """
    return priority * RANKS + rank
