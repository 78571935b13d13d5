"""What path finding needs of a topology, worked out once: numbered nodes, costs of links, bounds on distances.

A topology is frozen, so all of this is kept with it (`Topology.kept`). Searches are A* with *landmarks* (ALT): the distances D from a
few far-off nodes to all others give ``|D(l, goal) - D(l, node)|`` as a lower bound of the way that is left, by the triangle
inequality. Such a bound stays one when links and nodes go out of service, so a topology that is derived from another
(`Topology.without`) inherits the landmarks and nothing is searched anew.

Equation: Goldberg, Harrelson, SODA 2005 (landmarks); Yen, Management Science 17, 712 (1971) (k shortest simple paths).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from quantum_fabric.network.settings import OperatingPoint, middle, operating_point
from quantum_fabric.network.topology import LinkView, Topology
from quantum_fabric.physics.correlators import fidelity
from quantum_fabric.units import SECOND

METRICS: Final = ("hops", "fidelity", "time", "both")
"""Costs of a link under which the k best paths are candidates, see `quantum_fabric.network.paths`."""

LANDMARKS = 24
"""Nodes from which all distances are known."""

BOUNDS = 8
"""Destinations to which lower bounds are kept: one decision asks for the same ones several times."""

FAR = 1e15
"""Distance of what cannot be reached."""

SLOWEST = 1e12
"""Time of a pair that never comes, s: finite, so that a path over it can still be compared."""

Way = tuple[float, tuple[int, ...], tuple[int, ...]]
"""Cost, nodes and edges of a path."""


@dataclass(frozen=True, slots=True)
class Quality:
    """A link in the middle of its knob's range: mean time of a pair (s), -log of its Werner parameter, light time (s)."""

    time: float
    loss: float
    delay: float
    point: OperatingPoint


@dataclass(frozen=True, slots=True)
class Scale:
    """What costs are relative to: mean time (s), mean loss, light time of all links (s)."""

    time: float
    loss: float
    delay: float


class Atlas:
    """The graph of a topology in numbers.

    Args:
        topology: what is believed.
        parent: atlas of a topology from which this one was derived by taking nodes and links away.

    Attributes:
        names: of the nodes, in order.
        index: place of each name.
        around: for each node, its (neighbour, edge), in the order of names.
        quality: of each link that stores pairs.
        scale: of the costs.
        links: of each edge.

    Examples:
        >>> import math
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> from quantum_fabric.network.topology import LinkView, NodeModel
        >>> from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
        >>> nodes = {n: NodeModel(n, 2, MemoryNoise(math.inf, 1.0), OperationNoise(), 0) for n in "ABC"}
        >>> model = FixedLink(0.1, (1.0, 0.0, 0.0, 0.0), 1_000)
        >>> links = {n: LinkView(n, n[0], n[1], model, 0, 0.0) for n in ("AB", "BC", "AC")}
        >>> atlas = Atlas(Topology(nodes, links, {}, "A"))
        >>> [way[1] for way in atlas.ranked("hops", "A", "C", ())]
        [(0, 2), (0, 1, 2)]
    """

    def __init__(self, topology: Topology, parent: Atlas | None = None) -> None:
        self.names = tuple(sorted(topology.nodes))
        self.index = {name: number for number, name in enumerate(self.names)}
        self.quality: dict[str, Quality] = {
            name: parent.quality[name] if parent is not None else quality_of(topology.links[name])
            for name in sorted(topology.links)
            if topology.links[name].model.stores
        }
        every = {
            name: self.quality.get(name) or quality_of(link) for name, link in sorted(topology.links.items())
        }
        self.scale = _scale(every)
        self.links: list[list[str]] = []
        self._edges(topology)
        self._shut = {
            number
            for number, name in enumerate(self.names)
            if not (topology.nodes[name].relays and topology.nodes[name].slots >= 2)
        }
        self._costs: dict[str, list[float]] = {}
        self._marks: dict[str, npt.NDArray[np.float64]] = {}
        self._lefts: dict[tuple[str, str], list[float]] = {}
        self._parent = parent

    def _edges(self, topology: Topology) -> None:
        found: dict[tuple[int, int], int] = {}
        around: list[list[tuple[int, int]]] = [[] for _ in self.names]
        for name in self.quality:
            link = topology.links[name]
            a, b = sorted((self.index[link.a], self.index[link.b]))
            if (a, b) in found:
                self.links[found[a, b]].append(name)
                continue
            found[a, b] = len(self.links)
            around[a].append((b, len(self.links)))
            around[b].append((a, len(self.links)))
            self.links.append([name])
        self.around = tuple(tuple(sorted(each)) for each in around)

    def weight(self, metric: str, name: str) -> float:
        """Cost of a link under one of `METRICS`."""
        link, scale = self.quality[name], self.scale
        if metric == "hops":
            return 1.0 + 1e-3 * link.delay / scale.delay
        if metric == "fidelity":
            # among equally good paths the short one, then the fast one
            return link.loss + scale.loss * (1e-6 + 1e-9 * min(link.time / scale.time, 1e3))
        if metric == "time":
            return min(link.time, SLOWEST)
        return link.loss / scale.loss + min(link.time, SLOWEST) / scale.time

    def best_link(self, metric: str, edge: int) -> str:
        """The link of an edge that costs least."""
        links = self.links[edge]
        return links[0] if len(links) == 1 else min(links, key=lambda name: self.weight(metric, name))

    def costs(self, metric: str) -> list[float]:
        """Cost of each edge: of its best link."""
        if metric not in self._costs:
            self._costs[metric] = [min(self.weight(metric, name) for name in links) for links in self.links]
        return self._costs[metric]

    def shut(self, busy: Collection[str], ends: tuple[str, str]) -> set[int]:
        """Nodes that no path may pass: no relays, fewer than two slots, or named as busy; ends are open."""
        index = self.index
        closed = self._shut.union([index[name] for name in busy if name in index])
        return closed - {index[name] for name in ends}

    def ranked(self, metric: str, source: str, destination: str, busy: Collection[str]) -> Iterator[Way]:
        """Simple paths from the cheapest on (Yen, with A* for each branch).

        Args:
            metric: one of `METRICS`.
            source: name of one end.
            destination: of the other.
            busy: nodes that cannot relay now.
        """
        closed = self.shut(busy, (source, destination))
        return self.search(
            self.costs(metric),
            self.index[source],
            self.index[destination],
            closed,
            self._left(metric, destination),
        )

    def search(
        self, costs: list[float], start: int, goal: int, closed: set[int], left: list[float]
    ) -> Iterator[Way]:
        """Simple paths from the cheapest on, for any costs of the edges.

        Args:
            costs: of each edge, at least 0.
            start: number of one end.
            goal: of the other.
            closed: nodes that must not be passed.
            left: for each node a consistent lower bound of the cost to the goal.
        """
        first = self._nearest(costs, start, goal, closed, frozenset(), left)
        if first is None:
            return
        waiting: list[tuple[float, tuple[int, ...], tuple[int, ...], int]] = [(*first, 0)]
        done: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        seen = {first[1]}
        while waiting:
            cost, nodes, edges, branch = heapq.heappop(waiting)
            yield cost, nodes, edges
            done.append((nodes, edges))
            # Lawler: what branches off before the place where this path did has been looked at already
            before = math.fsum(costs[edge] for edge in edges[:branch])
            for at in range(branch, len(nodes) - 1):
                root = nodes[: at + 1]
                used = frozenset(
                    ways[at] for path, ways in done if len(path) > at + 1 and path[: at + 1] == root
                )
                found = self._nearest(costs, nodes[at], goal, closed.union(root[:-1]), used, left)
                if found is not None and (whole := (*root[:-1], *found[1])) not in seen:
                    seen.add(whole)
                    heapq.heappush(waiting, (before + found[0], whole, (*edges[:at], *found[2]), at))
                before += costs[edges[at]]

    def _nearest(
        self,
        costs: list[float],
        start: int,
        goal: int,
        closed: Collection[int],
        used: frozenset[int],
        left: list[float],
    ) -> Way | None:
        """The cheapest way past closed nodes that does not begin with a used edge."""
        heap = [(left[start], start, -1, -1)]
        known = {start: 0.0}
        came: dict[int, tuple[int, int]] = {}
        push, pop, around = heapq.heappush, heapq.heappop, self.around
        while heap:
            _, here, before, by = pop(heap)
            if here in came:
                continue
            came[here] = (before, by)
            if here == goal:
                return self.traced(came, known[goal], goal)
            far = known[here]
            for there, edge in around[here]:
                if there in came or there in closed or (here == start and edge in used):
                    continue
                cost = far + costs[edge]
                if cost < known.get(there, math.inf):
                    known[there] = cost
                    push(heap, (cost + left[there], there, here, edge))
        return None

    @staticmethod
    def traced(came: dict[int, tuple[int, int]], cost: float, goal: int) -> Way:
        """The way to a goal, from where each node was come to: (node before, edge), (-1, -1) for the start."""
        nodes, edges = [goal], []
        before, edge = came[goal]
        while before >= 0:
            nodes.append(before)
            edges.append(edge)
            before, edge = came[before]
        return cost, tuple(reversed(nodes)), tuple(reversed(edges))

    # ------------------------------------------------------------------------------------------ landmarks

    def _left(self, metric: str, destination: str) -> list[float]:
        """Lower bounds of the cost from each node to the destination."""
        asked = (metric, destination)
        found = self._lefts.get(asked)
        if found is None:
            marks, scale = self.landmarks(metric)
            goal = self.index[destination]
            found = (scale * np.abs(marks - marks[:, goal : goal + 1]).max(axis=0)).tolist()
            if len(self._lefts) >= BOUNDS:
                self._lefts.clear()
            self._lefts[asked] = found
        return found

    def landmarks(self, metric: str) -> tuple[npt.NDArray[np.float64], float]:
        """Distances from the landmarks, and the share of them that is surely still needed."""
        if metric not in self._marks:
            inherited = None if self._parent is None else self._inherited(metric, self._parent)
            if inherited is not None:
                return inherited
            self._marks[metric] = self._mark(self.costs(metric))
        return self._marks[metric], 1.0 - 1e-9  # rounding must not make a bound too great

    def _inherited(self, metric: str, parent: Atlas) -> tuple[npt.NDArray[np.float64], float] | None:
        """The landmarks of the parent; costs may have become smaller by the change of their scale, bounds then do, too."""
        marks, share = parent.landmarks(metric)
        places = [parent.index[name] for name in self.names]
        old, new = parent.scale, self.scale
        shrunk = {
            "hops": 1.0 / (1.0 + 1e-3) if new.delay > old.delay else 1.0,
            "fidelity": min(1.0, new.loss / old.loss, new.loss / old.loss * old.time / new.time),
            "time": 1.0,
            "both": min(1.0, old.loss / new.loss, old.time / new.time),
        }[metric]
        self._marks[metric] = marks[:, places] * (share * shrunk)
        return self._marks[metric], 1.0 - 1e-9

    def _mark(self, costs: list[float]) -> npt.NDArray[np.float64]:
        """Distances from nodes that are far from each other."""
        count = min(LANDMARKS, len(self.names))
        rows: list[npt.NDArray[np.float64]] = []
        start = 0
        for _ in range(count):
            row = np.array(self.distances(costs, start))
            rows.append(row)
            near = np.minimum.reduce(rows)
            # parts that are not connected count as far, so each gets a landmark
            start = int(near.argmax())
        return np.array(rows)

    def distances(self, costs: list[float], start: int) -> list[float]:
        """Cost from one node to all (Dijkstra), `FAR` where there is no way."""
        found = [FAR] * len(self.names)
        done = [False] * len(self.names)
        found[start] = 0.0
        heap = [(0.0, start)]
        push, pop, around = heapq.heappush, heapq.heappop, self.around
        while heap:
            far, here = pop(heap)
            if done[here]:
                continue
            done[here] = True
            for there, edge in around[here]:
                cost = far + costs[edge]
                if cost < found[there]:
                    found[there] = cost
                    push(heap, (cost, there))
        return found


def atlas(topology: Topology) -> Atlas:
    """The atlas of a topology, made when it is asked for first."""
    made = topology.kept.get("atlas")
    if isinstance(made, Atlas):
        return made
    parent = topology.kept.get("parent")
    made = Atlas(topology, atlas(parent) if isinstance(parent, Topology) else None)
    topology.kept.pop("parent", None)
    topology.kept["atlas"] = made
    return made


def quality_of(link: LinkView) -> Quality:
    """Numbers of a link in the middle of its knob's range."""
    point = operating_point(link, link.a, middle(link.model), 1)
    time = point.period / SECOND / point.success if point.success > 0.0 else math.inf
    werner = (4.0 * fidelity(point.fresh) - 1.0) / 3.0
    return Quality(time, -math.log(max(werner, 1e-9)), link.light_time / SECOND, point)


def _scale(found: dict[str, Quality]) -> Scale:
    count = max(1, len(found))
    times = [value.time for value in found.values() if value.time < math.inf]
    time = math.fsum(times) / count or 1.0
    loss = math.fsum(value.loss for value in found.values()) / count or 1.0
    delay = math.fsum(value.delay for value in found.values()) or 1.0
    return Scale(time, loss, delay)
