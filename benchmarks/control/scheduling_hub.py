"""A hub with so many memory slots as a loss system: our ledger against Erlang's formula.

Requests arrive as a Poisson process, take a slot of the hub if the ledger has one, else are lost. Holding times are exponential,
constant, or a session and the calibration that follows it; the formula knows only their mean.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.scheduling.blocking import erlang_b
from quantum_fabric.units import Time, from_seconds

CASES = ((1, 0.5), (2, 1.0), (4, 2.0), (4, 4.0), (8, 6.0), (10, 5.0), (16, 12.0))
"""Slots and load in erlangs."""

REPLICAS = 30
TOLERANCE = 6.5
"""Standard errors: Student's t with 29 degrees of freedom is beyond it once in 2.4 million times (two-sided 4.1e-7)."""

LAWS: dict[str, Callable[[np.random.Generator], float]] = {
    "exponential": lambda rng: float(rng.exponential(1.0)),
    "constant": lambda rng: 1.0,
    "session and calibration": lambda rng: float(rng.exponential(0.7)) + 0.3,
}
"""Holding times of mean 1 s."""


def lost(slots: int, load: float, law: str, arrivals: int, seed: int) -> float:
    """Share of requests that find no slot, after a warm-up of 30 holding times."""
    rng = np.random.default_rng([seed, slots, int(1000 * load), sorted(LAWS).index(law)])
    ledger = Ledger({"hub": slots})
    ends: list[tuple[Time, int]] = []
    clock, refused, counted = 0.0, 0, 0
    for epoch in range(arrivals + math.ceil(30 * load)):
        clock += float(rng.exponential(1.0 / load))
        now = from_seconds(clock)
        while ends and ends[0][0] <= now:
            ledger.release(heapq.heappop(ends)[1], "hub")
        counts = clock > 30.0
        counted += counts
        if ledger.fits({"hub": 1}):
            until = now + from_seconds(LAWS[law](rng))
            ledger.lease(epoch, {"hub": 1}, until)
            heapq.heappush(ends, (until, epoch))
        else:
            refused += counts
    return refused / counted


def compare(slots: int, load: float, law: str, arrivals: int) -> dict[str, Any]:
    """One case: the mean of independent replicas, its standard error, the formula."""
    found = np.array([lost(slots, load, law, arrivals, seed) for seed in range(REPLICAS)])
    error = float(found.std(ddof=1)) / math.sqrt(REPLICAS)
    expected = erlang_b(slots, load)
    off = (float(found.mean()) - expected) / error
    return {
        "slots": slots, "load": load, "law": law, "formula": expected, "simulated": float(found.mean()), "error": error,
        "off": off, "agrees": abs(off) <= TOLERANCE,
    }  # fmt: skip


def measure(quick: bool = False, progress: Callable[[str], None] = print) -> list[dict[str, Any]]:
    """Rows of the table: each case with each law of the holding time."""
    rows = []
    for slots, load in CASES[:3] if quick else CASES:
        for law in LAWS:
            progress(f"hub of {slots}, {load:g} erlangs, {law}")
            rows.append(compare(slots, load, law, 300 if quick else 3000))
    return rows
