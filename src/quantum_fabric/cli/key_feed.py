"""Keys of a session to two KMEs: delivered to their listeners for sources, or written into their stores."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from quantum_fabric.errors import InputError, StateError

if TYPE_CHECKING:
    from quantum_fabric.documents.qkd_entries import QkdSpec
    from quantum_fabric.keys import Block, Desk, Refusal, Shelf
    from quantum_fabric.server.feed import Feed
    from quantum_fabric.server.settings import KmeSettings
    from quantum_fabric.services.qkd.session import Delivery, Hand


def feeders(texts: Iterable[str], sessions: Iterable[QkdSpec]) -> Hand:
    """Make what takes the keys of all sessions of a workload: those between two nodes with a KME go into the stores of both.

    Args:
        texts: ``NODE=PATH``, the feed document or the settings of the KME at each node (see `feeder`).
        sessions: of the workload.

    Raises:
        InputError: a text that is none, one node twice, or no session with a KME at both ends.
    """
    kmes: dict[str, Path] = {}
    for text in texts:
        node, equals, path = text.partition("=")
        if not equals or not path or node in kmes:
            raise InputError(
                repr(text),
                "NODE=FEED, a feed document or the settings of a KME, once for each node",
                "--feed",
            )
        kmes[node] = Path(path)
    ends = [(each.source, each.destination) for each in sessions]
    fed = {(a, b): feeder((kmes[a], kmes[b]), (a, b)) for a, b in ends if a in kmes and b in kmes}
    if idle := [node for node in kmes if not any(node in both for both in fed)]:
        joined = ", ".join(f"{a} and {b}" for a, b in dict.fromkeys(ends)) or "none in this workload"
        raise InputError(
            ", ".join(idle),
            f"KMEs at both ends of a QKD session (those of this workload: {joined})",
            "--feed",
        )

    def hand(delivery: Delivery) -> None:
        if delivery.ends in fed:
            fed[delivery.ends](delivery)

    return hand


def feeder(paths: tuple[Path, ...], between: tuple[str, str]) -> Hand:
    """Make what takes the keys of a session and brings them to two KMEs.

    Args:
        paths: for the KME at the first node, then for the one at the second: a feed document (``feed-KME.yaml`` of
            ``qfabric kme init``): keys are delivered over mutual TLS to a KME that serves; or its settings: they are written into
            its store.
        between: the two nodes, for messages.

    Returns:
        Takes a delivery; the keys are used up.

    Raises:
        InputError: not two documents, or a KME without a store yet.
    """
    from quantum_fabric.services.qkd.supply import blocks

    if len(paths) != 2:
        raise InputError(
            f"{len(paths)} settings", f"two: of the KMEs at {between[0]} and {between[1]}", "--feed"
        )
    ends = [_end(path) for path in paths]

    def hand(delivery: Delivery) -> None:
        made = blocks(delivery, (ends[0].kme, ends[1].kme), largest=min(end.largest for end in ends))
        for end, each in zip(ends, made, strict=True):
            end.take(each)

    return hand


def _end(path: Path) -> _Store | _Door:
    from quantum_fabric.server.feed import read_feed
    from quantum_fabric.server.settings import load

    feed = read_feed(path)
    return _Store(load(path)) if feed is None else _Door(feed)


class _Store:
    """A KME by its store, whether it serves or not."""

    def __init__(self, settings: KmeSettings) -> None:
        from uuid import uuid4

        from quantum_fabric.keys import Desk
        from quantum_fabric.keys.supply import LARGEST_BLOCK

        if isinstance(settings.store, Path) and not settings.store.exists():
            raise InputError("no store yet", "a KME that has served", str(settings.store))
        self.kme, self.largest, self._settings = settings.kme, LARGEST_BLOCK, settings
        self._desk = Desk(settings.policy(), settings.ring(), uuid4)

    def take(self, blocks: list[Block]) -> None:
        """Write them."""
        from quantum_fabric.keys import Refusal
        from quantum_fabric.server.store import Store

        store = Store(self._settings.database(), self._desk.ring)
        try:
            for block in blocks:
                taken = store.run(partial(_fed, self._desk, block))
                if isinstance(taken, Refusal):
                    raise StateError(f"{self.kme}: {taken.message}")
        finally:
            store.close()


class _Door:
    """A KME by its listener for sources."""

    def __init__(self, feed: Feed) -> None:
        from quantum_fabric.server.supply_api import LARGEST_DELIVERY

        self.kme, self.largest, self._feed = feed.kme, LARGEST_DELIVERY, feed

    def take(self, blocks: list[Block]) -> None:
        """Deliver them."""
        from quantum_fabric.server.feed import deliver

        deliver(self._feed, blocks)


def _fed(desk: Desk, block: Block, shelf: Shelf) -> int | Refusal:
    from quantum_fabric.keys import feed

    return feed(desk, shelf, block, int(time.time() * 1000))
