"""Q-PATH, Q-LEAP and ours at the authors' parameters: one pair of nodes, 50 pairs wanted, 50 pairs on every edge.

Network: the backbone of 39 nodes and 61 edges of the authors' program with the link fidelities that they published beside it
(rounded to nine digits in `backbone.json`; provenance S, Li et al. 2022, repository
infonetlijian/Fidelity-Guaranteed-Entanglement-Routing). Their table was made for one pair of nodes that is not recorded, and
with none of the 741 pairs do these fidelities give their Q-LEAP column; so we average over pairs of nodes, and print their table
beside it for the size and the shape.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.records import Goal, Row
from quantum_fabric.network.routing.purified import Purified, Request, Stock, ours, q_leap, q_path

if TYPE_CHECKING:
    from benchmarks.run import Run

FLOORS = (0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90)

CAPACITY, WANTED = 50, 50
"""Pairs on an edge, and pairs wanted."""

PUBLISHED = {
    0.55: (50.67, 35.05), 0.60: (50.21, 35.05), 0.65: (50.67, 27.52), 0.70: (42.95, 22.81), 0.75: (34.53, 22.81),
    0.80: (32.06, 22.66), 0.85: (28.52, 21.07), 0.90: (22.12, 18.19),
}  # fmt: skip
"""Throughput of Q-PATH and Q-LEAP by floor, from the authors' result file (provenance S)."""

PLANNING_GOAL = 10.0
"""ms for a plan."""

Way = Callable[[Stock, Request], list[Purified]]
WAYS: dict[str, Way] = {"ours": ours, "Q-PATH": q_path, "Q-LEAP": q_leap}


def backbone() -> tuple[list[str], list[tuple[int, int, float]]]:
    """Nodes, and (a, b, fidelity) of the edges."""
    told: dict[str, Any] = json.loads(Path(__file__).with_name("backbone.json").read_text(encoding="utf-8"))
    return told["nodes"], [(a, b, fidelity) for a, b, fidelity in told["edges"]]


def rows(run: Run) -> list[Row]:
    """One line for each floor, and one for the time of a plan."""
    names, edges = backbone()
    number = 4 if run.quick else 40
    rng = np.random.default_rng(2022)
    pairs = [tuple(rng.choice(len(names), size=2, replace=False).tolist()) for _ in range(number)]
    made, times = [], {name: [] for name in WAYS}  # type: ignore[var-annotated]
    for floor in FLOORS:
        run.progress(f"purification, floor {floor}")
        found: dict[str, list[float]] = {name: [] for name in WAYS}
        reached: dict[str, list[float]] = {name: [] for name in WAYS}
        for source, target in pairs:
            for name, way in WAYS.items():
                started = time.process_time()
                stock = Stock(len(names), [(a, b, CAPACITY, f) for a, b, f in edges], floor)
                served = way(stock, Request(source, target, floor, WANTED))
                times[name].append(1e3 * (time.process_time() - started))
                found[name].append(sum(each.pairs for each in served))
                reached[name] += [each.fidelity for each in served]
        made.append(_row(floor, found, reached))
    made.append(
        Row(
            "control/purification/planning", "CPU ms/plan", median(times["ours"]), Goal(PLANNING_GOAL),
            peer=median(times["Q-PATH"]), peer_name="Q-PATH", others={"Q-LEAP": median(times["Q-LEAP"])},
            details={"p90": float(np.quantile(times["ours"], 0.9)), "most": max(times["ours"])},
        )
    )  # fmt: skip
    return made


def _row(floor: float, found: dict[str, list[float]], reached: dict[str, list[float]]) -> Row:
    least = min(min(values, default=1.0) for name, values in reached.items() if name == "ours")
    return Row(
        name=f"control/purification/{floor:.2f}",
        quantity="pairs",
        ours=mean(found["ours"]),
        goal=Goal(0.97 * mean(found["Q-PATH"]), at_least=True),
        peer=mean(found["Q-PATH"]),
        peer_name="Q-PATH",
        count=least,
        counted="least fidelity",
        count_goal=Goal(floor, at_least=True),
        others={"Q-LEAP": mean(found["Q-LEAP"])},
        details={
            "published": PUBLISHED[floor],
            "fidelity": {name: mean(values) if values else None for name, values in reached.items()},
            "pairs of nodes": len(found["ours"]),
        },
    )
