"""Paths through a key network: disjoint ones of least cost, what cannot be avoided, and what flow there can be at most.

Paths with no common node are units of a flow in which every node lets one unit through; a cheapest flow is found unit by unit
along shortest ways of the residual graph (Suurballe, Networks 4, 125 (1974); Bhandari, Survivable Networks, 1999).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeAlias

from quantum_fabric.keys.relay.supply import KeyNetwork, pairs

Path: TypeAlias = tuple[str, ...]
"""Nodes from the source to the destination, both included."""

Weigh: TypeAlias = Callable[[str, str], tuple[int, int]]
"""(from, to) -> how many paths the hop can carry (0: none), and its cost, a whole number above 0."""

_Vertex: TypeAlias = tuple[str, bool]
_FAR: Final = float("inf")


def disjoint(
    network: KeyNetwork, source: str, target: str, number: int, weigh: Weigh, shared: Collection[str] = ()
) -> list[Path]:
    """The cheapest set of paths that share no node but their ends and those in `shared`.

    Args:
        network: where.
        source: where paths begin.
        target: where they end; another node.
        number: how many paths, 1 or more.
        weigh: capacity and cost of a hop.
        shared: nodes that any number of the paths may pass.

    Returns:
        So many paths of least total cost, cheapest first; fewer where there are no more.

    Examples:
        >>> from quantum_fabric.keys.relay.supply import KeyLink
        >>> ring = KeyNetwork(tuple(KeyLink(a, b) for a, b in ("AR", "RB", "AS", "ST", "TB")), frozenset("RST"))
        >>> disjoint(ring, "A", "B", 2, lambda a, b: (1, 1))
        [('A', 'R', 'B'), ('A', 'S', 'T', 'B')]
        >>> len(disjoint(ring, "A", "B", 3, lambda a, b: (1, 1)))
        2
    """
    graph = _Residual(network, source, target, number, weigh, frozenset(shared))
    units = 0
    while units < number and graph.augment():
        units += 1
    found = [(sum(weigh(*hop)[1] for hop in pairs(path)), path) for path in graph.walks(units)]
    return [path for _, path in sorted(found)]


class _Residual:
    """The residual graph: each node is an entry and an exit with a capacity between them."""

    def __init__(
        self, network: KeyNetwork, source: str, target: str, number: int, weigh: Weigh, shared: frozenset[str]
    ) -> None:
        self.start, self.goal = (source, True), (target, False)
        self.arcs: dict[_Vertex, dict[_Vertex, list[int]]] = {}
        wide = shared | {source, target}
        inside = (network.relays | {source, target}) & frozenset(network.nodes)
        for node in sorted(inside):
            self._arc((node, False), (node, True), number if node in wide else 1, 0)
            for other in network.neighbours(node):
                if other not in inside or node == target or other == source:
                    continue
                capacity, cost = weigh(node, other)
                # between two nodes that paths may share, so may the hop be; two direct links are one
                most = number if node in wide and other in wide and {node, other} != {source, target} else 1
                if capacity > 0:
                    self._arc((node, True), (other, False), min(capacity, most), cost)
        self.flow: dict[_Vertex, dict[_Vertex, int]] = {}  # units by where they go, and where they come from

    def _arc(self, one: _Vertex, other: _Vertex, capacity: int, cost: int) -> None:
        self.arcs.setdefault(one, {})[other] = [capacity, cost]
        self.arcs.setdefault(other, {})

    def augment(self) -> bool:
        """Send one more unit along a cheapest way (Bellman and Ford, costs may be negative); False where there is none."""
        cost: dict[_Vertex, float] = {self.start: 0}
        before: dict[_Vertex, _Vertex] = {}
        queue, queued = deque([self.start]), {self.start}
        while queue:
            here = queue.popleft()
            queued.discard(here)
            for there, price in self._open(here):
                if cost[here] + price < cost.get(there, _FAR):
                    cost[there] = cost[here] + price
                    before[there] = here
                    if there not in queued:
                        queue.append(there)
                        queued.add(there)
        if self.goal not in before:
            return False
        there = self.goal
        while there != self.start:
            here = before[there]
            if self._used(there, here):
                self.flow[here][there] -= 1
            else:
                self.flow.setdefault(there, {})[here] = self._used(here, there) + 1
            there = here
        return True

    def _used(self, one: _Vertex, other: _Vertex) -> int:
        return self.flow.get(other, {}).get(one, 0)

    def _open(self, here: _Vertex) -> list[tuple[_Vertex, int]]:
        ways = [
            (there, cost)
            for there, (capacity, cost) in self.arcs.get(here, {}).items()
            if self._used(here, there) < capacity
        ]
        back = self.flow.get(here, {})
        return ways + [(there, -self.arcs[there][here][1]) for there, used in back.items() if used]

    def walks(self, units: int) -> list[Path]:
        """Take the flow apart into paths."""
        found = []
        for _ in range(units):
            here, path = self.start, [self.start[0]]
            while here != self.goal:
                there = min(other for other in self.arcs[here] if self._used(here, other))
                self.flow[there][here] -= 1
                if there[0] != path[-1]:
                    path.append(there[0])
                here = there
            found.append(tuple(path))
        return found


def unavoidable(network: KeyNetwork, source: str, target: str, weigh: Weigh) -> frozenset[str]:
    """Nodes that every path passes: whoever holds one of them sees every key between these ends.

    Returns:
        None where the two are neighbours, and where there is no path at all.

    Examples:
        >>> from quantum_fabric.keys.relay.supply import KeyLink
        >>> line = KeyNetwork((KeyLink("A", "R"), KeyLink("R", "B")), frozenset("R"))
        >>> sorted(unavoidable(line, "A", "B", lambda a, b: (1, 1)))
        ['R']
    """
    way = reach(network, source, target, weigh)
    return frozenset(
        node for node in (way or ())[1:-1] if reach(network, source, target, weigh, {node}) is None
    )


def reach(
    network: KeyNetwork, source: str, target: str, weigh: Weigh, without: Collection[str] = ()
) -> Path | None:
    """The path of fewest hops that avoids some nodes; None where there is none."""
    before: dict[str, str] = {source: ""}
    queue = deque([source])
    while queue and target not in before:
        here = queue.popleft()
        for there in network.neighbours(here):
            inside = there == target or (there in network.relays and there not in without)
            if inside and there not in before and weigh(here, there)[0] > 0:
                before[there] = here
                queue.append(there)
    if target not in before:
        return None
    path = [target]
    while path[-1] != source:
        path.append(before[path[-1]])
    return tuple(reversed(path))


def most_flow(
    network: KeyNetwork, source: str, target: str, capacities: Mapping[tuple[str, str], int]
) -> int:
    """Bits that can reach the target at most, over all paths together (Edmonds, Karp, J. ACM 19, 248 (1972)).

    Args:
        network: where.
        source: where it comes from.
        target: where it goes; another node.
        capacities: (from, to) -> bits; hops that are not named carry none.
    """
    left = dict(capacities)
    inside = network.relays | {source, target}
    total = 0
    while True:
        before: dict[str, str] = {source: ""}
        queue = deque([source])
        while queue and target not in before:
            here = queue.popleft()
            for there in network.neighbours(here):
                if there in inside and there not in before and left.get((here, there), 0) > 0:
                    before[there] = here
                    queue.append(there)
        if target not in before:
            return total
        hops = []
        here = target
        while here != source:
            hops.append((before[here], here))
            here = before[here]
        width = min(left[hop] for hop in hops)
        for one, other in hops:
            left[one, other] -= width
            left[other, one] = left.get((other, one), 0) + width
        total += width
