"""The Chicago network of the SeQUeNCe studies in our words: routers, fibres, letters, links (see `benchmarks.control.chicago`)."""

from __future__ import annotations

import heapq
import math
from functools import cache

from quantum_fabric.devices import Gates, Memory, Node
from quantum_fabric.documents import Inventory, LinkEntry
from quantum_fabric.documents.delays import Delays
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.units import SECOND

ROUTERS = (
    "NU",
    "StarLight",
    "UChicago_PME",
    "UChicago_HC",
    "Fermilab_1",
    "Fermilab_2",
    "Argonne_1",
    "Argonne_2",
    "Argonne_3",
)
FIBRES = {
    ("NU", "StarLight"): 20.0, ("StarLight", "UChicago_PME"): 16.0, ("UChicago_PME", "UChicago_HC"): 2.0,
    ("StarLight", "Fermilab_1"): 66.0, ("StarLight", "Argonne_1"): 54.0, ("UChicago_PME", "Argonne_1"): 42.0,
    ("Fermilab_1", "Fermilab_2"): 2.0, ("Fermilab_1", "Argonne_1"): 53.0, ("Argonne_1", "Argonne_2"): 41.8,
    ("Argonne_1", "Argonne_3"): 0.1,
}  # fmt: skip
"""km (provenance S)."""

ROUND_TRIPS = {
    ("NU", "StarLight"): 0.795, ("StarLight", "UChicago_PME"): 3.145, ("UChicago_PME", "UChicago_HC"): 0.5,
    ("StarLight", "Fermilab_1"): 2.685, ("StarLight", "Argonne_1"): 1.765, ("UChicago_PME", "Argonne_1"): 4.07,
    ("Fermilab_1", "Fermilab_2"): 0.5, ("Fermilab_1", "Argonne_1"): 2.635, ("Argonne_1", "Argonne_2"): 0.5,
    ("Argonne_1", "Argonne_3"): 0.5,
}  # fmt: skip
"""ms, of letters, mean of both directions (provenance S)."""

MEMORIES = {
    "even": dict.fromkeys(ROUTERS, 50),
    "weighted": dict(zip(ROUTERS, (25, 91, 67, 24, 67, 24, 103, 25, 24), strict=True)),
}

SECONDS = 1000
EFFICIENCY, DETECTOR, LOSS, COHERENCE = 0.75, 0.8, 0.2, 1.3
"""Of memories; of detectors; dB/km; s."""

SWAP, DEGRADED = 0.64, 0.99

PUBLISHED = {"even": (227.1, 8.7, 857.2, 142.4, 23.8), "weighted": (384.0, 9.0, 915.2, 131.7, 8.5)}
"""Completed requests ± sd, pairs per second ± sd, mean wait in s, over seeds 0 to 9 (provenance C: from their raw results)."""

PARAMETERS = {
    50: (0.293, 16.50, 203.5, 319.4), 100: (0.323, 18.64, 235.5, 368.0), 500: (0.371, 20.29, 262.8, 402.2),
}  # fmt: skip
"""Mean pairs per second of a request, by cooperativity, for the memory efficiencies below (provenance C: from their raw results)."""

EFFICIENCIES = (0.01, 0.10, 0.50, 0.75)
WAYS = ("their rules", "their rules, with decay", "ours", "ours, with decay")
OURS = 1
"""Seeds for which our planner is asked."""

SAMPLE = 2 * SECOND
"""Of virtual time that a request's rate is measured in; they last 10 to 19 s."""


def raw_fidelity(cooperativity: float) -> float:
    """Fidelity of their fresh pairs: (1 + γ'²/τ²)/2 with γ' = 14 (C + 1), τ = γ' + 64 (provenance S, their program).

    Examples:
        >>> round(raw_fidelity(500), 6)
        0.990999
    """
    enhanced = 14.0 * (cooperativity + 1.0)
    return 0.5 * (1.0 + (enhanced / (enhanced + 64.0)) ** 2)


def attempt(km: float, round_trip: float, efficiency: float) -> tuple[float, float]:
    """Success of one attempt of two rounds, and its mean length in seconds.

    Equation:
        η = emission × 10^(-loss km/20) × detector. First round passes with one click: ½η + ½η(1 - η) + ¼η² (two photons leave by one
        port, and detectors do not count); both rounds and the right state: ½η². A round takes a letter there and back, light to
        the middle and word of it back; pairing the memories takes another letter there and back.
    """
    eta = efficiency * 10.0 ** (-LOSS * km / 20.0) * DETECTOR
    passes = 0.5 * eta + 0.5 * eta * (1.0 - eta) + 0.25 * eta**2
    light = 5e-6 * km
    return 0.5 * eta**2, 1e-3 * round_trip + (1.0 + passes) * (1e-3 * round_trip + light)


def inventory(memories: dict[str, int], efficiency: float, fidelity: float, decay: bool) -> Inventory:
    """Their network in our words; with ``decay`` letters take time and memories dephase."""
    rest = (1.0 - fidelity) / 3.0
    links = {}
    for (a, b), km in FIBRES.items():
        success, length = attempt(km, ROUND_TRIPS[a, b], efficiency)
        period = round(length * SECOND)
        model = FixedLink(success, (fidelity, rest, rest, rest), period, heard=(period, period))
        links[f"{a}~{b}"] = LinkEntry(f"{a}~{b}", a, b, model, 1e3 * km, round(5e-6 * km * SECOND))
    letters = [(a, b, round(0.5e-3 * trip * SECOND) if decay else 0) for (a, b), trip in ROUND_TRIPS.items()]
    memory = Memory(t1=math.inf, t2=COHERENCE if decay else math.inf)
    gates = Gates(depolarising_2=(1.0 - DEGRADED) / 0.75, swap_success=SWAP)
    nodes = {name: Node(memory=memory, gates=gates, slots=count) for name, count in memories.items()}
    return Inventory(
        nodes=nodes, links=links, delays=Delays(ROUTERS, letters, {}), controller="StarLight", positions={}, title="Chicago",
        relays=frozenset(ROUTERS),
    )  # fmt: skip


@cache
def shortest(source: str, target: str) -> tuple[str, ...]:
    """The path of least fibre."""
    waiting: list[tuple[float, tuple[str, ...]]] = [(0.0, (source,))]
    done = set()
    while True:
        km, path = heapq.heappop(waiting)
        if path[-1] == target:
            return path
        if path[-1] in done:
            continue
        done.add(path[-1])
        for (a, b), more in FIBRES.items():
            for here, there in ((a, b), (b, a)):
                if here == path[-1] and there not in done:
                    heapq.heappush(waiting, (km + more, (*path, there)))
