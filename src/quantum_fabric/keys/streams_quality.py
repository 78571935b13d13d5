"""Whether a QoS of ETSI GS QKD 004 can be met, and what can be met instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from quantum_fabric.keys.desk import Desk
from quantum_fabric.keys.policy import Quota
from quantum_fabric.keys.shelf import Shelf
from quantum_fabric.keys.streams import JSON_TYPE, LARGEST, EndState, Quality, Stream

HORIZON_SECONDS: Final = 60
"""A minimum rate is promised where the stock holds so many seconds of it, and of what was promised before."""

LONGEST_TIMEOUT: Final = 60_000
"""Of a call, in ms."""

_COUNTED: Final = ("chunk", "max_bps", "min_bps", "ttl")


def settle(
    desk: Desk, shelf: Shelf, asked: Quality, pair: tuple[str, str], others: Sequence[Stream]
) -> Quality:
    """The QoS nearest to what is asked that this KME can meet: equal to ``filled(asked)`` where all of it can be.

    Args:
        desk: the rules.
        shelf: the open transaction.
        asked: zeros mean "what you think best".
        pair: master and slave.
        others: the streams that draw on the same stock.

    Limits:
        A minimum rate is backed by what lies in the stock now, for `HORIZON_SECONDS`; how fast new bits will come nobody
        knows here. Keys of ETSI GS QKD 014 are not held back for it.
    """
    limits, quota = desk.policy.limits, desk.policy.pairs[pair]
    chunk = min(max(asked.chunk or limits.default_size // 8, limits.smallest // 8), limits.largest // 8)
    cap = max(1, min(LARGEST, int(quota.rate * 8 * chunk)))
    most = min(asked.max_bps or cap, cap)
    free = shelf.stock(desk.policy.pool((pair[1],))) * 8 - HORIZON_SECONDS * sum(
        promised(one) for one in others
    )
    least = min(asked.min_bps, most, max(0, free) // HORIZON_SECONDS)
    lifetime = min(LARGEST, max(1, limits.lifetime // 1000))
    return Quality(
        chunk=chunk,
        max_bps=most,
        min_bps=least,
        jitter=asked.jitter,
        priority=asked.priority,
        timeout=min(asked.timeout, LONGEST_TIMEOUT),
        ttl=min(asked.ttl or lifetime, lifetime),
        mimetype=JSON_TYPE,
    )


def filled(asked: Quality, best: Quality) -> Quality:
    """What was asked, with zeros and empty texts as the KME would have them."""
    given = {name: getattr(asked, name) or getattr(best, name) for name in (*_COUNTED, "mimetype")}
    return replace(asked, **given)


def agrees(asked: Quality, settled: Quality) -> bool:
    """Whether the second end may join: what it names of sizes, rates and times is what the first end settled."""
    same = all(getattr(asked, name) in (0, getattr(settled, name)) for name in _COUNTED)
    return same and asked.mimetype in ("", settled.mimetype) and asked.timeout <= LONGEST_TIMEOUT


def promised(stream: Stream) -> int:
    """Bits per second that are kept back for a stream."""
    return stream.quality.min_bps if any(end.state is not EndState.CLOSED for end in stream.ends) else 0


def kept_back(stream: Stream, others: Sequence[Stream]) -> int:
    """Octets of the stock that a stream must leave to streams of higher priority."""
    above = [one for one in others if one.quality.priority > stream.quality.priority]
    return HORIZON_SECONDS * sum(promised(one) for one in above) // 8


def pace(quality: Quality) -> Quota:
    """`max_bps` as a token bucket: one second of it at once, or one chunk."""
    rate = quality.chunks_per_second
    return Quota(waiting=1, burst=max(1, int(rate)), rate=rate)
