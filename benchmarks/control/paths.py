"""How often an extended Dijkstra misses the path of most expected throughput, and by how much.

The metric is monotone but not isotonic. Beside it stands the exact search over undominated labels, which
`tests/oracles/test_routing_paths.py` compares with all simple paths of small graphs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.records import Goal, Row
from quantum_fabric.network.routing import random_demands, waxman
from quantum_fabric.network.routing.search import Chart, best_route, extended_dijkstra
from quantum_fabric.network.routing.slotted import Residual

if TYPE_CHECKING:
    from benchmarks.run import Run

WIDTHS = (1, 2, 3, 4, 5)


def rows(run: Run) -> list[Row]:
    """One line for each width: searches in which extended Dijkstra finds the best path."""
    topologies, slots = (2, 5) if run.quick else (10, 20)
    run.progress("paths of most expected throughput")
    tried = dict.fromkeys(WIDTHS, 0)
    missed = dict.fromkeys(WIDTHS, 0)
    worst = dict.fromkeys(WIDTHS, 0.0)
    for seed in range(topologies):
        network = waxman(100, seed)
        chart = Chart(network)
        for slot in range(slots):
            for source, target in random_demands(network, 5, 1000 * seed + slot):
                for width in WIDTHS:
                    free = Residual(network)
                    best = best_route(chart, free, source, target, width)
                    greedy = extended_dijkstra(chart, free, source, target, width)
                    if best is None or greedy is None:
                        continue
                    lost = 1 - greedy.expected / best.expected
                    tried[width] += 1
                    missed[width] += lost > 1e-9
                    worst[width] = max(worst[width], lost)
    return [
        Row(
            name=f"control/paths/width {width}",
            quantity="% best path found",
            ours=100.0,
            goal=Goal(100.0, at_least=True),
            peer=100.0 * (1 - missed[width] / tried[width]),
            peer_name="extended Dijkstra",
            details={"searches": tried[width], "missed": missed[width], "worst": worst[width]},
        )
        for width in WIDTHS
        if tried[width]
    ]
