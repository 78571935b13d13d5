"""One good path, found by looking at few nodes: for those who are in a hurry.

The ranked search of `quantum_fabric.network.atlas` is exact. Here a path may cost a little more than the least, the way of the idle
network is kept, and a busy one takes it wherever nothing on it is busy.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection

import numpy as np

from quantum_fabric.network.atlas import Atlas, Way, atlas
from quantum_fabric.network.topology import Topology

ACTIVE = 6
"""Landmarks that count in one quick search: those that say most of its ends."""

WAYS = 4096
"""Quick ways that are kept: a busy network mostly takes the way of the idle one."""

POCKET = 64
"""Nodes around a destination that are looked at to see whether all ways out are closed, before a search floods the rest."""

DETOUR = 2.0
"""So many times what the idle network's way costs may a quick way around busy nodes: a longer one is not looked for, because it would
take so much of what others need that waiting is better."""

GREED = 1.05
"""How much more than the least a path may cost where time is short."""


class Shortcuts:
    """Quick ways through a topology.

    Args:
        chart: of the topology.
    """

    def __init__(self, chart: Atlas) -> None:
        self._chart = chart
        self._steps: dict[str, list[list[tuple[int, int, float]]]] = {}
        self._ways: dict[tuple[str, int, int], Way | None] = {}

    def near(
        self, metric: str, source: str, destination: str, busy: Collection[str] = (), detour: float = DETOUR
    ) -> Way | None:
        """One path that costs at most `GREED` times the least, found by looking at few nodes (weighted A*).

        The way of the idle network is kept, and taken wherever no node of it is busy: then it is as near the least as it was.

        Args:
            metric: one of `atlas.METRICS`.
            source: name of one end.
            destination: of the other.
            busy: nodes that cannot relay now.
            detour: so many times what the way of the idle network costs may one around busy nodes.

        Returns:
            None where there is none, or only one that costs more.

        Equation: Pohl, Artificial Intelligence 1, 193 (1970): with a consistent bound that counts w times, no node needs a
            second look and the path costs at most w times the least.
        """
        start, goal = self._chart.index[source], self._chart.index[destination]
        asked = (metric, start, goal)
        if asked not in self._ways:
            if len(self._ways) >= WAYS:
                self._ways.clear()
            self._ways[asked] = self._nearly(metric, start, goal, self._chart.shut((), (source, destination)))
        found = self._ways[asked]
        if found is None or not busy:
            return found
        closed = self._chart.shut(busy, (source, destination))
        if closed.isdisjoint(found[1]):
            return found
        if self._walled(start, goal, closed):
            return None
        return self._nearly(metric, start, goal, closed, detour * found[0])

    def _nearly(
        self, metric: str, start: int, goal: int, closed: set[int], most: float = math.inf
    ) -> Way | None:
        """The way past closed nodes, unless it costs more than so much."""
        left, arcs = self._bounds(metric, start, goal), self._arcs(metric)
        done = bytearray(len(left))
        for number in closed:
            done[number] = 1
        known = [math.inf] * len(left)
        known[start] = 0.0
        came = {start: (-1, -1)}
        heap = [(left[start], start)]
        push, pop = heapq.heappush, heapq.heappop
        while heap:
            _, here = pop(heap)
            if done[here]:
                continue
            if here == goal:
                return self._chart.traced(came, known[goal], goal)
            done[here] = 1
            far = known[here]
            for there, edge, step in arcs[here]:
                cost = far + step
                if cost < known[there] and not done[there]:
                    known[there] = cost
                    came[there] = (here, edge)
                    cost += left[there]
                    if cost <= most:
                        push(heap, (cost, there))
        return None

    def _bounds(self, metric: str, start: int, goal: int) -> list[float]:
        """`GREED` times a lower bound of the cost from each node to the goal, by the landmarks that say most of these ends."""
        marks, scale = self._chart.landmarks(metric)
        apart = np.abs(marks[:, goal] - marks[:, start])
        marks = marks[np.argsort(apart)[-ACTIVE:]]
        bounds: list[float] = (GREED * scale * np.abs(marks - marks[:, goal : goal + 1]).max(axis=0)).tolist()
        return bounds

    def _arcs(self, metric: str) -> list[list[tuple[int, int, float]]]:
        """Of each node, its (neighbour, edge, cost)."""
        if metric not in self._steps:
            costs = self._chart.costs(metric)
            self._steps[metric] = [
                [(there, edge, costs[edge]) for there, edge in near] for near in self._chart.around
            ]
        return self._steps[metric]

    def _walled(self, start: int, goal: int, closed: set[int]) -> bool:
        """Whether what can be reached from the goal is a pocket of few nodes without the start."""
        seen = {goal}
        waiting = [goal]
        while waiting:
            for there, _ in self._chart.around[waiting.pop()]:
                if there == start:
                    return False
                if there not in seen and there not in closed:
                    if len(seen) >= POCKET:
                        return False
                    seen.add(there)
                    waiting.append(there)
        return True


def shortcuts(topology: Topology) -> Shortcuts:
    """The quick ways of a topology, made when they are asked for first."""
    made = topology.kept.get("shortcuts")
    if not isinstance(made, Shortcuts):
        made = topology.kept["shortcuts"] = Shortcuts(atlas(topology))
    return made
