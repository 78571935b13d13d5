"""Q-CAST and SLMP: greedy choice of wide paths by expected throughput, recovery paths, and recovery by XOR of segments.

Written from the paper and from the rules of the authors' program (provenance S), with these readings:

- A node orders the channels of a hop, so layer i of a path is broken where fewer than i channels are up. (The
  program calls a hop broken as soon as one of its channels is down, and spends recovery paths on it; ours does better by it.)
- A layer that cannot be repaired consumes nothing.
- A candidate that still fits is not searched again after another one was reserved: what is free only shrinks.

Reference: Shi, Qian, "Concurrent entanglement routing for quantum networks", SIGCOMM 2020, sections 4 and 5. SLMP: the same with one
channel for an edge, as the authors' program compares it; it goes back to Pant et al., npj Quantum Inf. 5, 25 (2019).
"""

from __future__ import annotations

from collections.abc import Sequence

from quantum_fabric.network.routing.search import Chart, Found, extended_dijkstra
from quantum_fabric.network.routing.segments import shortest
from quantum_fabric.network.routing.slot import Up
from quantum_fabric.network.routing.slotted import (
    Connection,
    Demand,
    Detour,
    Residual,
    Route,
    SlotPlan,
    SlottedNetwork,
)


class QCast:
    """Q-CAST with the metric EXT.

    Args:
        network: the topology.
        recovery: whether recovery paths are reserved and used.
        single: one channel for an edge (SLMP).

    Examples:
        >>> from quantum_fabric.network.routing import Edge, random_demands, waxman
        >>> net = waxman(30, seed=1)
        >>> plan = QCast(net).plan(random_demands(net, 2, seed=1))
        >>> all(route.nodes[0] == plan.demands[route.demand].source for route in plan.routes)
        True
    """

    def __init__(
        self,
        network: SlottedNetwork,
        *,
        recovery: bool = True,
        single: bool = False,
        chart: Chart | None = None,
    ) -> None:
        self.network = network
        self.recovery = recovery
        self.single = single
        self._chart = chart or Chart(network)

    @property
    def name(self) -> str:
        """For tables."""
        return ("SLMP" if self.single else "Q-CAST") + ("" if self.recovery else " without recovery")

    def plan(self, demands: Sequence[Demand]) -> SlotPlan:
        """Main paths one after the other, always the one of most expected throughput; then recovery paths."""
        free = Residual(self.network, 1 if self.single else None)
        routes: list[Route] = []
        cached: dict[int, Found | None] = {}
        while True:
            for index, demand in enumerate(demands):
                cached[index] = self._candidate(free, demand, cached.get(index), index in cached)
            best = max(
                (index for index, found in cached.items() if found), key=lambda i: cached[i].expected,  # type: ignore[union-attr]
                default=None,
            )  # fmt: skip
            if best is None:
                break
            found = cached[best]
            assert found is not None
            free.take(found.nodes, found.width)
            routes.append(Route(best, found.nodes, found.width))
        detours = self._detours(free, routes) if self.recovery else ()
        return SlotPlan(tuple(demands), tuple(routes), tuple(detours), free.reserved())

    def _candidate(self, free: Residual, demand: Demand, last: Found | None, searched: bool) -> Found | None:
        """The widest path that fits, and of that width the best one."""
        if searched and (last is None or free.widest(last.nodes) >= last.width):
            return last
        source, target = demand
        near = self.network.neighbours
        widest = min(
            free.memories[source], free.memories[target],
            max((free.channels[edge] for _, edge in near[source]), default=0),
            max((free.channels[edge] for _, edge in near[target]), default=0),
            last.width if last else 64,
        )  # fmt: skip
        for width in range(widest, 0, -1):
            found = extended_dijkstra(self._chart, free, source, target, width)
            if found is not None:
                return found
        return None

    def _detours(self, free: Residual, routes: Sequence[Route]) -> list[Detour]:
        detours = []
        for index, route in enumerate(routes):
            for length in range(1, min(self.network.knowledge, len(route.nodes) - 1) + 1):
                for start in range(len(route.nodes) - length):
                    ends = Demand(route.nodes[start], route.nodes[start + length])
                    found = self._candidate(free, ends, None, False)
                    if found is not None:
                        free.take(found.nodes, found.width)
                        detours.append(Detour(index, found.nodes, found.width))
        return detours

    def connect(self, plan: SlotPlan, up: Up) -> list[Connection]:
        """Layer by layer: the main path where it is up, else repaired by recovery paths."""
        pool = [sum(row) for row in up]
        made = []
        for index, route in enumerate(plan.routes):
            detours = [detour for detour in plan.detours if detour.route == index]
            left = [detour.width for detour in detours]
            for _ in range(route.width):
                nodes = repaired(self.network, route.nodes, detours, left, pool)
                if nodes is None:
                    break  # every further layer would find the same channels down
                for edge in self.network.along(nodes):
                    pool[edge] -= 1
                made.append(Connection(route.demand, nodes))
        return made


def repaired(
    network: SlottedNetwork,
    nodes: tuple[int, ...],
    detours: Sequence[Detour],
    left: list[int],
    pool: Sequence[int],
) -> tuple[int, ...] | None:
    """A layer of a path over channels that are up, with broken hops replaced by recovery paths; None where that fails.

    A recovery path and the part of the main path that it spans form a cycle; the layer is XORed with the cycles of the recovery
    paths that are chosen, and a path is what remains of it.

    Args:
        network: the topology.
        nodes: the main path.
        detours: its recovery paths.
        left: how often each of them may still be used; counted down.
        pool: channels of each edge that are up and free.
    """
    hops = network.along(nodes)
    broken = [hop for hop, edge in enumerate(hops) if pool[edge] < 1]
    if not broken:
        return nodes
    place = {node: index for index, node in enumerate(nodes)}
    spans = sorted(
        (place[each.nodes[0]], place[each.nodes[-1]], index)
        for index, each in enumerate(detours)
        if left[index] > 0 and all(pool[edge] > 0 for edge in network.along(each.nodes))
    )
    chosen: list[int] = []
    covered = 0
    for hop in broken:
        if hop < covered:
            continue
        for start, end, index in spans:
            if covered <= start <= hop < end:
                chosen.append(index)
                covered = end
                break
        else:
            return None
    edges = set(hops)
    for index in chosen:
        start, end = place[detours[index].nodes[0]], place[detours[index].nodes[-1]]
        edges ^= set(hops[start:end]) ^ set(network.along(detours[index].nodes))
    found = shortest(network, edges, nodes[0], nodes[-1])
    if found is None or any(pool[edge] < 1 for edge in network.along(found)):
        return None
    for index in chosen:
        left[index] -= 1
    return found
