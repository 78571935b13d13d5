"""Pairs of paths that share no link, or no repeater either: for requests that must outlive a failure, and for several paths at once.

The pair with the least sum of costs is found exactly, in two searches: the second one may undo parts of the first path (Bhandari's
form of Suurballe's algorithm). Taking the best path away and searching again would miss pairs, and may find none where there is one.

Equation: Suurballe, Networks 4, 125 (1974); Bhandari, *Survivable Networks* (1999): reverse the edges of the first path with
    negative costs, split its nodes where they must not be shared, search again, cancel what is used both ways.

Limits:
    Exact for a cost that is a sum over links. Rate and fidelity are not: what is found under each metric of `network.atlas`
    is compared by whoever asks.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from itertools import pairwise

from quantum_fabric.network.atlas import METRICS, Atlas, atlas
from quantum_fabric.network.paths import Path
from quantum_fabric.network.topology import Topology

Arc = tuple[int, int]
State = tuple[int, bool]
"""A node, and whether the search leaves it (True) or has only come to it."""


def disjoint_pair(
    topology: Topology,
    source: str,
    destination: str,
    metric: str = "both",
    busy: Collection[str] = (),
    nodes: bool = True,
) -> tuple[Path, Path] | None:
    """Two paths with no link in common, and no repeater either, whose costs have the least sum.

    Args:
        topology: what is believed.
        source: one end.
        destination: the other.
        metric: one of `METRICS`.
        busy: nodes that have no slots left to relay with; a repeater serves one of the two.
        nodes: False where they may share repeaters.

    Returns:
        The cheaper one first; None if there is no such pair. Parallel fibres between two nodes count as one link: they are
        likely to share a duct.

    Raises:
        UnknownNameError: an end is not in the topology.

    Examples:
        >>> import math
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> from quantum_fabric.network.topology import LinkView, NodeModel
        >>> from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
        >>> nodes = {n: NodeModel(n, 2, MemoryNoise(math.inf, 1.0), OperationNoise(), 0) for n in "ABCD"}
        >>> model = FixedLink(0.1, (0.98, 0.02, 0.0, 0.0), 1_000)
        >>> links = {n: LinkView(n, n[0], n[1], model, 0, 0.0) for n in ("AB", "BC", "AD", "CD")}
        >>> network = Topology(nodes, links, {}, "A")
        >>> sorted(path.nodes for path in disjoint_pair(network, "A", "C"))
        [('A', 'B', 'C'), ('A', 'D', 'C')]
        >>> disjoint_pair(network.without(links=["CD"]), "A", "C") is None
        True
    """
    for end in (source, destination):
        topology.node(end)
    chart = atlas(topology)
    first = next(chart.ranked(metric, source, destination, busy), None)
    if first is None:
        return None
    costs, closed = chart.costs(metric), chart.shut(busy, (source, destination))
    second = _second(chart, costs, first[1], closed, nodes)
    if second is None:
        return None
    ways = _untangled(first[1], second)
    found = [_path(chart, metric, way) for way in ways]
    found.sort(key=lambda path: math.fsum(chart.weight(metric, name) for name in path.links))
    return found[0], found[1]


def disjoint_pairs(
    topology: Topology, source: str, destination: str, busy: Collection[str] = (), nodes: bool = True
) -> tuple[tuple[Path, Path], ...]:
    """The best pair under each metric, each pair once.

    Args:
        topology: what is believed.
        source: one end.
        destination: the other.
        busy: nodes that have no slots left to relay with.
        nodes: False where the two may share repeaters.

    Raises:
        UnknownNameError: an end is not in the topology.
    """
    found = {}
    for metric in METRICS:
        pair = disjoint_pair(topology, source, destination, metric, busy, nodes)
        if pair is None:
            return ()
        found[frozenset(pair)] = pair
    return tuple(found.values())


def _second(
    chart: Atlas, costs: list[float], first: tuple[int, ...], closed: set[int], split: bool
) -> list[int] | None:
    """The cheapest way that may run back along the first path (Bellman-Ford, since running back gains what it cost)."""
    start, goal = first[0], first[-1]
    ahead = dict(pairwise(first))
    back = {b: a for a, b in ahead.items()}
    inner = set(first[1:-1]) if split else set()
    known: dict[State, float] = {(start, True): 0.0}
    came: dict[State, State] = {}
    queue: list[State] = [(start, True)]
    waiting = {(start, True)}
    while queue:
        state = queue.pop(0)
        waiting.discard(state)
        node, leaves = state
        if node == goal:
            continue
        for after, cost in _steps(chart, costs, node, leaves, closed, ahead, back, inner):
            total = known[state] + cost
            if total < known.get(after, math.inf) - 1e-12 * abs(total):
                known[after], came[after] = total, state
                if after not in waiting:
                    waiting.add(after)
                    queue.append(after)
    state = (goal, True)
    if state not in known:
        return None
    way = [goal]
    while state in came:
        state = came[state]
        if state[0] != way[-1]:
            way.append(state[0])
    return way[::-1]


def _steps(
    chart: Atlas,
    costs: list[float],
    node: int,
    leaves: bool,
    closed: set[int],
    ahead: dict[int, int],
    back: dict[int, int],
    inner: set[int],
) -> Iterable[tuple[State, float]]:
    """Where a search may go from a node; one that came onto the first path from outside must follow it backwards."""
    for there, edge in chart.around[node]:
        if there in closed or ahead.get(node) == there:
            continue
        if back.get(node) == there:
            # running back frees the node before: the search may leave it as it likes
            yield (there, True), -costs[edge]
        elif leaves:
            yield (there, there not in inner), costs[edge]


def _untangled(first: tuple[int, ...], second: list[int]) -> list[list[int]]:
    """Two paths out of one and another that runs back along parts of it."""
    arcs: set[Arc] = set(pairwise(first))
    for a, b in pairwise(second):
        if (b, a) in arcs:
            arcs.remove((b, a))
        else:
            arcs.add((a, b))
    ways = []
    for _ in range(2):
        way = [first[0]]
        while way[-1] != first[-1]:
            arc = min(arc for arc in arcs if arc[0] == way[-1])
            arcs.remove(arc)
            way.append(arc[1])
        ways.append(_straight(way))
    return ways


def _straight(way: list[int]) -> list[int]:
    """Without the rounds that paths which share repeaters may make."""
    found: list[int] = []
    for node in way:
        if node in found:
            del found[found.index(node) + 1 :]
        else:
            found.append(node)
    return found


def _path(chart: Atlas, metric: str, way: list[int]) -> Path:
    edges = [next(edge for there, edge in chart.around[a] if there == b) for a, b in pairwise(way)]
    return Path(
        tuple(chart.names[node] for node in way), tuple(chart.best_link(metric, edge) for edge in edges)
    )
