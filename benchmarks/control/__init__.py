"""Evidence for the control plane: what it decides, beside published algorithms at their parameters.

    qfabric bench control            all of it (some minutes)
    qfabric bench control --quick    the same on few topologies, slots and loads (a minute or two; the intervals are wide)
    qfabric bench control --keep     kept; docs/explanation/control-evidence.md is written anew

What is where:
    routing       ebits per slot against load: ours, Q-CAST, Q-PASS, greedy, SLMP, single paths; with and without floors and decay
    purification  Q-PATH, Q-LEAP and ours for a floor of fidelity
    paths         how often an extended Dijkstra misses the best path of EXT
    scheduling    packets, periodic demands, a hub, fairness
    repair        every single failure on random networks: what is kept, how soon it is restored
    fidelity      how often intervals of fidelity hold the truth, what they cost, how soon a lie is noticed
    contract      sessions over many networks, each judged against what was promised
    floods        a million requests at once
    chicago       memory allocation and memory parameters of the SeQUeNCe studies
    margins       whether swift plans keep what they promise, on networks that their margins were not read off
    latency       the controller's time for a request: 1,000 nodes, 500 active
    growth        how that time grows: 100 to 10,000 nodes, 50 to 2,000 active requests, links of the path
    distributed   one controller, one for each domain, one at each node: the same requests on the same twin
    schedules     letters lost, doubled, late, seats that restart: leaks and half-open pairs in randomised schedules
    page          the page of the docs and its figure

A module has `rows(run)`, which gives the lines of the table; a new module is written into `PARTS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.control import (
    chicago,
    contract,
    distributed,
    fidelity,
    floods,
    growth,
    latency,
    margins,
    paths,
    purification,
    repair,
    routing,
    schedules,
    scheduling,
)
from benchmarks.records import Row

if TYPE_CHECKING:
    from benchmarks.run import Run

PARTS = (
    routing,
    purification,
    paths,
    scheduling,
    repair,
    fidelity,
    contract,
    floods,
    chicago,
    margins,
    latency,
    growth,
    distributed,
    schedules,
)
"""What `qfabric bench control` measures, in this order."""


def control(run: Run) -> list[Row]:
    """What the control plane decides, beside published algorithms: routing, purification, planning time."""
    return [row for part in PARTS for row in part.rows(run)]
