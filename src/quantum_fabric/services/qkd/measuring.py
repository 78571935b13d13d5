"""Bits from pairs that a network delivers: each end measures its half in a basis of its own choice."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.physics.frames import expected_parity
from quantum_fabric.physics.qkd.pair_clicks import MeasuredPairs, X, Y, Z, choices
from quantum_fabric.services.link import Link

NAMES = {Z: "Z", X: "X", Y: "Y"}


def measure_link(
    link: Link,
    pairs: int,
    rng: np.random.Generator,
    protocol: str = "bbm92",
    key_basis: float = 0.7,
    seen: Callable[[int], None] = lambda _: None,
) -> MeasuredPairs:
    """Take pairs from a link and measure them, each half in a basis drawn at its own end.

    Args:
        link: that holds its pairs in memory; of any path, repeaters or none.
        pairs: how many at most; fewer where the link ends.
        rng: draws the bases.
        protocol: ``bbm92`` or ``six_state``: memories are measured in X, Y and Z.
        key_basis: chance of Z.
        seen: told how many were measured, now and then.

    Returns:
        The bits, those of the first end flipped where the announced Bell state says so. A pair whose half was lost is left out.

    Raises:
        InputError: E91, whose settings lie between the bases.
    """
    if protocol not in ("bbm92", "six_state"):
        raise InputError(repr(protocol), "bbm92 or six_state, on pairs from memories", "protocol")
    chances = choices(protocol, key_basis)
    settings, bits = [], []
    for number, pair in enumerate(islice(link, pairs)):
        first, second = (int(rng.choice(5, p=p)) for p in chances)
        try:
            a, b = pair.measure((NAMES[first], NAMES[second]))
        except (
            StateError
        ):  # it expired on the way to us, or a memory lost it: both ends know, and leave it out
            continue
        flip = expected_parity(NAMES[first], int(pair.delivered.bell)) if first == second else 0
        settings.append((first, second))
        bits.append((a ^ flip, b))
        if number % 64 == 0:
            seen(len(bits))
    seen(len(bits))
    return MeasuredPairs(
        np.array(settings, dtype=np.uint8).reshape(-1, 2).T, np.array(bits, dtype=np.uint8).reshape(-1, 2).T
    )
