"""Keys of a session into the stores of two KMEs, which may be serving in the meantime."""

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
    from quantum_fabric.services.qkd.session import Delivery, Hand


def feeders(texts: Iterable[str], sessions: Iterable[QkdSpec]) -> Hand:
    """Make what takes the keys of all sessions of a workload: those between two nodes with a KME go into the stores of both.

    Args:
        texts: ``NODE=SETTINGS``, the settings of the KME at each node.
        sessions: of the workload.

    Raises:
        InputError: a text that is none, one node twice, or no session with a KME at both ends.
    """
    kmes: dict[str, Path] = {}
    for text in texts:
        node, equals, path = text.partition("=")
        if not equals or not path or node in kmes:
            raise InputError(repr(text), "NODE=SETTINGS, once for each node", "--feed")
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
    """Make what takes the keys of a session and puts them into two stores.

    Args:
        paths: settings of the KME at the first node, then of the one at the second.
        between: the two nodes, for messages.

    Returns:
        Takes a delivery; the keys are used up.

    Raises:
        InputError: not two settings, or a KME without a store yet.
    """
    from uuid import uuid4

    from quantum_fabric.keys import Desk, Refusal
    from quantum_fabric.server.settings import load
    from quantum_fabric.server.store import Store
    from quantum_fabric.services.qkd.supply import blocks

    if len(paths) != 2:
        raise InputError(
            f"{len(paths)} settings", f"two: of the KMEs at {between[0]} and {between[1]}", "--feed"
        )
    loaded = [load(path) for path in paths]
    for settings in loaded:
        if isinstance(settings.store, Path) and not settings.store.exists():
            raise InputError("no store yet", "a KME that has served", str(settings.store))
    desks = [Desk(settings.policy(), settings.ring(), uuid4) for settings in loaded]

    def hand(delivery: Delivery) -> None:
        both = blocks(delivery, (loaded[0].kme, loaded[1].kme))
        for settings, desk, made in zip(loaded, desks, both, strict=True):
            store = Store(settings.database(), desk.ring)
            try:
                for block in made:
                    taken = store.run(partial(_fed, desk, block))
                    if isinstance(taken, Refusal):
                        raise StateError(f"{settings.kme}: {taken.message}")
            finally:
                store.close()

    return hand


def _fed(desk: Desk, block: Block, shelf: Shelf) -> int | Refusal:
    from quantum_fabric.keys import feed

    return feed(desk, shelf, block, int(time.time() * 1000))
