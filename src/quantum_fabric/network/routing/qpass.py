"""Q-PASS: paths chosen in advance for every pair of nodes, ranked by a metric; leftover channels are spread along them.

Written from the paper and from the rules of the authors' program (provenance S): the candidates of all demands stand in one
queue by their metric (creation rate: Σ 1/p); each is reserved as wide as there is room; then every demand is given shortest paths on
what is left; then all leftover channels on candidates try too. In phase 4 main paths are joined layer by layer, and what is
left is joined segment by segment (whole path, halves, quarters) over channels of which both ends of the segment have heard.

Limits:
    25 candidates for a demand (the program collects up to 50 by leaving out edges). A path of segments uses channels only if
    all its segments have a way, which is kinder than the program.

Reference: Shi, Qian, SIGCOMM 2020, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence

from quantum_fabric.network.routing.search import cheapest_paths
from quantum_fabric.network.routing.segments import heard, joined, shortest
from quantum_fabric.network.routing.simple import Metric, layers
from quantum_fabric.network.routing.slot import Up
from quantum_fabric.network.routing.slotted import (
    Connection,
    Demand,
    Residual,
    Route,
    SlotPlan,
    SlottedNetwork,
)

CANDIDATES = 25
"""Paths for a pair of nodes."""


class QPass:
    """Q-PASS with the metric of creation rate.

    Examples:
        >>> from quantum_fabric.network.routing import random_demands, waxman
        >>> net = waxman(30, seed=1)
        >>> plan = QPass(net).plan(random_demands(net, 2, seed=1))
        >>> len(plan.routes) > 0
        True
    """

    name = "Q-PASS"

    def __init__(self, network: SlottedNetwork) -> None:
        self.network = network
        self._costs = tuple(Metric.CREATION_RATE.cost(edge) for edge in network.edges)
        self._paths: dict[tuple[int, int], list[tuple[int, ...]]] = {}
        self._known = heard(network)

    def candidates(self, source: int, target: int) -> list[tuple[int, ...]]:
        """The paths that were worked out in advance."""
        key = (source, target)
        if key not in self._paths:
            self._paths[key] = cheapest_paths(self.network, self._costs, source, target, CANDIDATES)
        return self._paths[key]

    def plan(self, demands: Sequence[Demand]) -> SlotPlan:
        """Candidates by metric, then shortest paths on what is left, then every channel along the candidates."""
        free = Residual(self.network)
        queue = sorted(
            (sum(self._costs[edge] for edge in self.network.along(nodes)), index, nodes)
            for index, demand in enumerate(demands)
            for nodes in self.candidates(*demand)
        )
        routes: list[Route] = []
        for _, index, nodes in queue:
            self._take(free, index, nodes, routes)
        waiting = list(range(len(demands)))
        while waiting:
            waiting = [
                index
                for index in waiting
                if self._take(free, index, self._shortest(free, demands[index]), routes)
            ]
        for _, _, nodes in queue:
            for edge in self.network.along(nodes):
                while free.open(edge):
                    free.take_edge(edge)
        return SlotPlan(tuple(demands), tuple(routes), (), free.reserved())

    def _take(self, free: Residual, index: int, nodes: tuple[int, ...], routes: list[Route]) -> bool:
        width = free.widest(nodes) if nodes else 0
        if width:
            free.take(nodes, width)
            routes.append(Route(index, nodes, width))
        return width > 0

    def _shortest(self, free: Residual, demand: Demand) -> tuple[int, ...]:
        if not free.memories[demand.source] or not free.memories[demand.target]:
            return ()
        room = {edge for edge, left in enumerate(free.channels) if left}
        barred = {node for node, left in enumerate(free.memories) if left < 2}
        return shortest(self.network, room, *demand, barred) or ()

    def connect(self, plan: SlotPlan, up: Up) -> list[Connection]:
        """Main paths, then segments over what is left."""
        made = layers(self.network, plan, up)
        pool = [sum(row) for row in up]
        for each in made:
            for edge in self.network.along(each.nodes):
                pool[edge] -= 1
        for route in plan.routes:
            while (nodes := joined(self.network, self._known, route.nodes, pool)) is not None:
                for edge in self.network.along(nodes):
                    pool[edge] -= 1
                made.append(Connection(route.demand, nodes))
        return made
