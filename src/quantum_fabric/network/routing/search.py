"""Searching the path of most expected throughput: exactly, and as Q-CAST does it.

A label is the vector S_i = Π_hops q P(at least i channels up). Adding a hop multiplies it entry by entry, so a label that is
nowhere larger than another one at the same node can be forgotten: this dominance is isotonic, and the search over
undominated labels is exact. The scalar metric Σ S_i is monotone but not isotonic: of two labels at a node the one with the
smaller sum may win further on. Q-CAST's extended Dijkstra keeps only the larger sum and so can miss the best path.

Search is guided by bounds: the best product for each i from every node to the target in the empty network. They need only the
topology, so they are worked out once for each target and width.

References: Shi, Qian, SIGCOMM 2020 (extended Dijkstra); Sobrinho, IEEE/ACM Trans. Netw. 10, 541 (2002) (isotonicity).
"""

from __future__ import annotations

import heapq
from itertools import count
from operator import ge, mul
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.network.routing.slotted import Residual, SlottedNetwork
from quantum_fabric.network.routing.throughput import tails

Vector: TypeAlias = tuple[float, ...]


class Found(NamedTuple):
    """A path, its width, and the pairs per slot that are expected of it."""

    expected: float
    nodes: tuple[int, ...]
    width: int


class Chart:
    """What a search needs to know of a topology, worked out when it is first asked for.

    Args:
        network: the topology.
        factors: what each edge leaves of a Werner parameter, in (0, 1]; all 1 where fidelity does not matter.
    """

    def __init__(self, network: SlottedNetwork, factors: tuple[float, ...] | None = None) -> None:
        self.network = network
        self.factors = factors or (1.0,) * len(network.edges)
        ends = sorted((a, b, i) for a, row in enumerate(network.neighbours) for b, i in row)
        self._to = np.array([b for _, b, _ in ends], dtype=np.intp)
        self._edge = np.array([i for _, _, i in ends], dtype=np.intp)
        froms = np.array([a for a, _, _ in ends], dtype=np.intp)
        self._nodes, self._starts = np.unique(froms, return_index=True)
        self._steps: dict[int, list[Vector]] = {}
        self._bounds: dict[tuple[int, int], list[Vector]] = {}
        self._best: dict[int, list[float]] = {}

    def steps(self, width: int) -> list[Vector]:
        """For each edge, q P(at least i of `width` channels up)."""
        if width not in self._steps:
            swap = self.network.swap
            self._steps[width] = [
                tuple(swap * tail for tail in tails(e.success, width)) for e in self.network.edges
            ]
        return self._steps[width]

    def bounds(self, target: int, width: int) -> list[Vector]:
        """For each node and i, the best product of steps to the target that any path has."""
        key = (target, width)
        if key not in self._bounds:
            found = self._relaxed(target, np.array(self.steps(width)))
            self._bounds[key] = [tuple(row) for row in found.tolist()]
        return self._bounds[key]

    def best_factor(self, target: int) -> list[float]:
        """For each node, the largest Werner factor of a path to the target."""
        if target not in self._best:
            found = self._relaxed(target, np.array(self.factors)[:, None])
            self._best[target] = found[:, 0].tolist()
        return self._best[target]

    def _relaxed(self, target: int, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.zeros((len(self.network.memories), steps.shape[1]))
        found[target] = 1.0
        if not len(self._edge):
            return found
        by_end = steps[self._edge]
        while True:
            better = np.maximum.reduceat(found[self._to] * by_end, self._starts, axis=0)
            merged = np.maximum(found[self._nodes], better)
            if np.array_equal(merged, found[self._nodes]):
                return found
            found[self._nodes] = merged


def best_route(
    chart: Chart, free: Residual, source: int, target: int, width: int, least: float = 0.0
) -> Found | None:
    """The path of this width with most expected throughput, exactly.

    Args:
        chart: of the topology.
        free: what can be reserved.
        source: first node.
        target: last node.
        width: channels on every hop.
        least: smallest product of the chart's factors that the path may have.

    Examples:
        >>> from quantum_fabric.network.routing.slotted import Edge, Residual, SlottedNetwork
        >>> edges = (Edge(0, 1, 3, 0.9), Edge(0, 2, 3, 0.3), Edge(1, 2, 3, 0.9))
        >>> net = SlottedNetwork(((0, 0), (1, 1), (2, 0)), (4, 4, 4), edges, 0.9, 3)
        >>> found = best_route(Chart(net), Residual(net), 0, 2, 2)
        >>> found.nodes, round(found.expected, 4)
        ((0, 1, 2), 1.4726)
    """
    if min(free.memories[source], free.memories[target]) < width:
        return None
    steps, bounds, reach = chart.steps(width), chart.bounds(target, width), chart.best_factor(target)
    memories, channels, factors = free.memories, free.channels, chart.factors
    neighbours, serial, twice = chart.network.neighbours, count(), 2 * width
    settled: dict[int, list[tuple[Vector, float]]] = {}
    start: Vector = (1.0,) * width
    heap: list[tuple[float, int, int, Vector, float, tuple[int, ...]]] = [
        (-sum(bounds[source]), next(serial), source, start, 1.0, (source,))
    ]
    if reach[source] < least:
        return None
    while heap:
        minus, _, node, label, factor, nodes = heapq.heappop(heap)
        if node == target:
            return Found(-minus / chart.network.swap, nodes, width)
        known = settled.setdefault(node, [])
        if any(good >= factor and all(map(ge, seen, label)) for seen, good in known):
            continue
        known.append((label, factor))
        for other, edge in neighbours[node]:
            if channels[edge] < width or (other != target and memories[other] < twice) or other in nodes:
                continue
            kept = factor * factors[edge]
            if kept * reach[other] < least:
                continue
            vector = tuple(map(mul, label, steps[edge]))
            hope = sum(map(mul, vector, bounds[other]))
            if hope > 0.0:
                heapq.heappush(heap, (-hope, next(serial), other, vector, kept, (*nodes, other)))
    return None


def best_of_widths(
    chart: Chart, free: Residual, source: int, target: int, least: float = 0.0, most: int = 64
) -> Found | None:
    """The path and width with most expected throughput, exactly."""
    widest = min(
        free.memories[source], free.memories[target], most,
        max((free.channels[edge] for _, edge in chart.network.neighbours[source]), default=0),
        max((free.channels[edge] for _, edge in chart.network.neighbours[target]), default=0),
    )  # fmt: skip
    best: Found | None = None
    for width in range(widest, 0, -1):
        hope = sum(chart.bounds(target, width)[source]) / chart.network.swap
        if best is not None and hope <= best.expected:
            break  # fewer channels cannot do better: the bound falls with the width
        found = best_route(chart, free, source, target, width, least)
        if found is not None and (best is None or found.expected > best.expected):
            best = found
    return best


def extended_dijkstra(chart: Chart, free: Residual, source: int, target: int, width: int) -> Found | None:
    """As Q-CAST searches: one label for each node, the one of largest expected throughput.

    Limits:
        Not exact, because the metric is not isotonic; `best_route` is.
    """
    if min(free.memories[source], free.memories[target]) < width:
        return None
    steps, memories, channels = chart.steps(width), free.memories, free.channels
    neighbours, twice, swap = chart.network.neighbours, 2 * width, chart.network.swap
    best = {source: float("inf")}
    heap: list[tuple[float, int, int, Vector]] = [(-float("inf"), source, -1, (1.0,) * width)]
    before: dict[int, int] = {}
    while heap:
        minus, node, previous, label = heapq.heappop(heap)
        if node in before:
            continue
        before[node] = previous
        if node == target:
            nodes = [node]
            while before[nodes[-1]] >= 0:
                nodes.append(before[nodes[-1]])
            return Found(-minus / swap, tuple(reversed(nodes)), width)
        for other, edge in neighbours[node]:
            if other in before or channels[edge] < width or (other != target and memories[other] < twice):
                continue
            vector = tuple(map(mul, label, steps[edge]))
            value = sum(vector)
            if value > best.get(other, 0.0):
                best[other] = value
                heapq.heappush(heap, (-value, other, node, vector))
    return None


def cheapest_paths(
    network: SlottedNetwork,
    costs: tuple[float, ...],
    source: int,
    target: int,
    number: int,
    effort: int = 4000,
) -> list[tuple[int, ...]]:
    """Simple paths in the order of their additive cost.

    Prefixes are extended in the order of cost so far plus the exact cost from there on.

    Args:
        network: the topology.
        costs: of each edge, above 0.
        source: first node.
        target: last node.
        number: of paths at most.
        effort: prefixes that are looked at, at most.
    """
    left = _distances(network, costs, target)
    heap: list[tuple[float, tuple[int, ...]]] = [(left[source], (source,))]
    found: list[tuple[int, ...]] = []
    while heap and len(found) < number and effort:
        cost, nodes = heapq.heappop(heap)
        effort -= 1
        node = nodes[-1]
        if node == target:
            found.append(nodes)
            continue
        for other, edge in network.neighbours[node]:
            if other not in nodes and left[other] < float("inf"):
                total = cost - left[node] + costs[edge] + left[other]
                heapq.heappush(heap, (total, (*nodes, other)))
    return found


def _distances(network: SlottedNetwork, costs: tuple[float, ...], target: int) -> list[float]:
    found = [float("inf")] * len(network.memories)
    found[target] = 0.0
    heap = [(0.0, target)]
    while heap:
        cost, node = heapq.heappop(heap)
        if cost > found[node]:
            continue
        for other, edge in network.neighbours[node]:
            if cost + costs[edge] < found[other]:
                found[other] = cost + costs[edge]
                heapq.heappush(heap, (found[other], other))
    return found
