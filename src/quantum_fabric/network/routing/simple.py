"""Routers that look at one path at a time: greedy forwarding, and one shortest path for each demand.

References: Pant et al., npj Quantum Inf. 5, 25 (2019) and Shi, Qian, SIGCOMM 2020 (greedy forwarding as their program has it);
Van Meter et al., Networking Science 3, 82 (2013) (seconds for a pair; provenance R: a link costs the inverse
of its pairs per slot).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from math import dist

from quantum_fabric.network.routing.search import cheapest_paths
from quantum_fabric.network.routing.slot import Up
from quantum_fabric.network.routing.slotted import (
    Connection,
    Demand,
    Edge,
    Residual,
    Route,
    SlotPlan,
    SlottedNetwork,
)


class Metric(Enum):
    """Additive costs of an edge."""

    HOPS = "hop count"
    CREATION_RATE = "creation rate"
    VAN_METER = "Van Meter"

    def cost(self, edge: Edge) -> float:
        """Of one edge: 1, slots until a channel is up, slots until any of its channels is up.

        Examples:
            >>> Metric.CREATION_RATE.cost(Edge(0, 1, 4, 0.5)), Metric.VAN_METER.cost(Edge(0, 1, 4, 0.5))
            (2.0, 0.5)
        """
        if self is Metric.HOPS:
            return 1.0
        return 1.0 / edge.success if self is Metric.CREATION_RATE else 1.0 / (edge.channels * edge.success)


def layers(network: SlottedNetwork, plan: SlotPlan, up: Up) -> list[Connection]:
    """As many pairs as the hop with fewest channels up allows, route by route."""
    pool = [sum(row) for row in up]
    made = []
    for route in plan.routes:
        edges = network.along(route.nodes)
        width = min(route.width, *(pool[edge] for edge in edges))
        for edge in edges:
            pool[edge] -= width
        made += [Connection(route.demand, route.nodes)] * width
    return made


class SinglePath:
    """One path for each demand, in the order of the demands, as wide as there is room for.

    Examples:
        >>> from quantum_fabric.network.routing import random_demands, waxman
        >>> net = waxman(30, seed=1)
        >>> len(SinglePath(net, Metric.HOPS).plan(random_demands(net, 2, seed=1)).routes) <= 2
        True
    """

    def __init__(self, network: SlottedNetwork, metric: Metric) -> None:
        self.network = network
        self.metric = metric
        self._costs = tuple(metric.cost(edge) for edge in network.edges)

    @property
    def name(self) -> str:
        """For tables."""
        return f"single path, {self.metric.value}"

    def plan(self, demands: Sequence[Demand]) -> SlotPlan:
        """Dijkstra's path in the empty network; a demand whose path has no room is not served."""
        free = Residual(self.network)
        routes = []
        for index, demand in enumerate(demands):
            for nodes in cheapest_paths(self.network, self._costs, *demand, number=1):
                width = free.widest(nodes)
                if width:
                    free.take(nodes, width)
                    routes.append(Route(index, nodes, width))
        return SlotPlan(tuple(demands), tuple(routes), (), free.reserved())

    def connect(self, plan: SlotPlan, up: Up) -> list[Connection]:
        """Layer by layer."""
        return layers(self.network, plan, up)


class Greedy:
    """From node to node to the neighbour with room that is nearest to the target, until nothing more can be reserved.

    Args:
        network: the topology.
        geographic: near in km, not in hops.
    """

    def __init__(self, network: SlottedNetwork, *, geographic: bool = False) -> None:
        self.network = network
        self.geographic = geographic

    @property
    def name(self) -> str:
        """For tables."""
        return f"greedy, {'geographic' if self.geographic else 'hops'}"

    def plan(self, demands: Sequence[Demand]) -> SlotPlan:
        """Rounds over the demands until none gets another path."""
        free = Residual(self.network)
        routes: list[Route] = []
        waiting = list(enumerate(demands))
        while waiting:
            still = []
            for index, demand in waiting:
                nodes = self._forwarded(free, demand)
                width = free.widest(nodes) if nodes else 0
                if width:
                    free.take(nodes, width)
                    routes.append(Route(index, nodes, width))
                    still.append((index, demand))
            waiting = still
        return SlotPlan(tuple(demands), tuple(routes), (), free.reserved())

    def _far(self, target: int) -> Callable[[int], float]:
        hops, places = self.network.hops[target], self.network.positions
        return (
            (lambda node: dist(places[node], places[target]))
            if self.geographic
            else (lambda node: hops[node])
        )

    def _forwarded(self, free: Residual, demand: Demand) -> tuple[int, ...]:
        source, target = demand
        far, nodes = self._far(target), [source]
        while nodes[-1] != target:
            room = [
                other
                for other, edge in self.network.neighbours[nodes[-1]]
                if free.channels[edge] and free.memories[other] >= (1 if other == target else 2)
            ]
            if not room:
                return ()
            nearest = min(room, key=far)
            if nearest in nodes:
                return ()
            nodes.append(nearest)
        return tuple(nodes)

    def connect(self, plan: SlotPlan, up: Up) -> list[Connection]:
        """Layer by layer."""
        return layers(self.network, plan, up)
