"""Floods: more requests at once than there is room for. Each gets its typed outcome, memory stays bounded, and saying no is quick.

The controller alone decides here, without a plant: requests arrive at one moment, and nobody ever answers its letters to nodes.
"""

from __future__ import annotations

import itertools
import resource
import time
from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.records import Goal, Row
from quantum_fabric import documents
from quantum_fabric.control import Controller
from quantum_fabric.control.northbound import MOST_WAITING
from quantum_fabric.messages import Accepted, LinkRequest, Outcome, Refused, Send

if TYPE_CHECKING:
    from benchmarks.run import Run

REQUESTS, QUICK = 1_000_000, 20_000

REFUSAL_GOAL = 0.1
"""ms of CPU for a refusal where the queue is full."""

MEMORY_GOAL = 200.0
"""MB that a flood may add: the requests that wait, and what is remembered."""


def flood(requests: int, network: str = "chicago") -> dict[str, float]:
    """Ask so many times at once.

    Returns:
        Requests with their outcomes by kind, CPU ms for a refusal once the queue is full, and MB that were added at most.
    """
    controller = Controller(documents.topology(documents.inventory(documents.load_network(network))))
    ends = itertools.cycle([("NU", "StarLight"), ("StarLight", "Argonne_1"), ("UChicago_PME", "Argonne_1")])
    told: Counter[str] = Counter()
    full = spent = 0.0
    before = _megabytes()
    for number in range(requests):
        source, destination = next(ends)
        request = LinkRequest(source, destination, 0.8, pairs=1000, name=f"f{number}")
        was_full = controller.waiting >= MOST_WAITING
        begun = time.process_time()
        answers = [
            each.message
            for each in controller.handle(request, 0)
            if isinstance(each, Send) and each.to == "client"
        ]
        if was_full:
            full += 1
            spent += time.process_time() - begun
        match answers:
            case [Accepted(queued=True)]:
                told["queued"] += 1
            case [Accepted()]:
                told["served"] += 1
            case [Refused(code=code), Outcome(code=same)] if code is same:
                told[f"refused {code.name}"] += 1
            case _:
                told["untyped"] += 1
    return {
        **told,
        "untyped": told["untyped"],
        "ms": 1e3 * spent / max(1.0, full),
        "MB": _megabytes() - before,
    }


def _megabytes() -> float:
    """Most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def rows(run: Run) -> list[Row]:
    """One line: a flood."""
    requests = QUICK if run.quick else REQUESTS
    run.progress(f"a flood of {requests:,} requests")
    found = flood(requests)
    others = {name: value for name, value in found.items() if name not in ("ms", "MB", "untyped")}
    return [
        Row(
            "control/floods/refusal", "CPU ms/refusal", found["ms"], Goal(REFUSAL_GOAL), count=found["untyped"],
            counted="requests without one typed answer", count_goal=Goal(0), others=others,
        ),
        Row("control/floods/memory", "MB added", found["MB"], Goal(MEMORY_GOAL)),
    ]  # fmt: skip
