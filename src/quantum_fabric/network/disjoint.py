"""Paths that share no link, or no repeater either: for requests that must outlive a failure, and for several paths at once.

Those with the least sum of costs are found exactly, one search after the other: each may undo parts of the paths so far (Bhandari's
form of Suurballe's algorithm). Taking the best path away and searching again would miss pairs, and may find none where there is one.

Equation: Suurballe, Networks 4, 125 (1974); Bhandari, *Survivable Networks* (1999): reverse the edges of the paths so far with
    negative costs, split its nodes where they must not be shared, search again, cancel what is used both ways.

Limits:
    Exact for a cost that is a sum over links. Rate and fidelity are not: what is found under each metric of `network.atlas`
    is compared by whoever asks.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from itertools import pairwise

from quantum_fabric.errors import QuantityError
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
    found = disjoint_paths(topology, source, destination, 2, metric, busy, nodes)
    return None if len(found) < 2 else (found[0], found[1])


def disjoint_paths(
    topology: Topology,
    source: str,
    destination: str,
    count: int,
    metric: str = "both",
    busy: Collection[str] = (),
    nodes: bool = True,
) -> tuple[Path, ...]:
    """Paths with no link in common, and no repeater either, whose costs have the least sum; fewer where there are not so many.

    Args:
        topology: what is believed.
        source: one end.
        destination: the other.
        count: how many, at least 1.
        metric: one of `METRICS`.
        busy: nodes that have no slots left to relay with; a repeater serves one path.
        nodes: False where they may share repeaters.

    Returns:
        The cheapest first.

    Raises:
        QuantityError: fewer than one path.
        UnknownNameError: an end is not in the topology.
    """
    if count < 1:
        raise QuantityError(found=str(count), expected="1 path or more", where="paths")
    for end in (source, destination):
        topology.node(end)
    chart = atlas(topology)
    first = next(chart.ranked(metric, source, destination, busy), None)
    if first is None:
        return ()
    costs, closed = chart.costs(metric), chart.shut(busy, (source, destination))
    arcs: set[Arc] = set(pairwise(first[1]))
    start, goal, made = first[1][0], first[1][-1], 1
    while made < count:
        more = _another(chart, costs, start, goal, arcs, closed, nodes)
        if more is None:
            break
        for a, b in pairwise(more):
            if (b, a) in arcs:
                arcs.remove((b, a))
            else:
                arcs.add((a, b))
        made += 1
    found = [_path(chart, metric, way) for way in _untangled(arcs, start, goal, made)]
    found.sort(key=lambda path: math.fsum(chart.weight(metric, name) for name in path.links))
    return tuple(found)


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


def _another(
    chart: Atlas, costs: list[float], start: int, goal: int, arcs: set[Arc], closed: set[int], split: bool
) -> list[int] | None:
    """The cheapest way that may run back along the paths so far (Bellman-Ford, since running back gains what it cost)."""
    back: dict[int, list[int]] = {}
    for a, b in arcs:
        back.setdefault(b, []).append(a)
    inner = {b for _, b in arcs if b != goal} if split else set()
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
        for after, cost in _steps(chart, costs, node, leaves, closed, arcs, back, inner):
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
    arcs: set[Arc],
    back: dict[int, list[int]],
    inner: set[int],
) -> Iterable[tuple[State, float]]:
    """Where a search may go from a node; one that came onto a path from outside must follow it backwards."""
    for there, edge in chart.around[node]:
        if there in closed or (node, there) in arcs:
            continue
        if there in back.get(node, ()):
            # running back frees the node before: the search may leave it as it likes
            yield (there, True), -costs[edge]
        elif leaves:
            yield (there, there not in inner), costs[edge]


def _untangled(arcs: set[Arc], start: int, goal: int, count: int) -> list[list[int]]:
    """So many paths out of the arcs of all."""
    left = set(arcs)
    ways = []
    for _ in range(count):
        way = [start]
        while way[-1] != goal:
            arc = min(arc for arc in left if arc[0] == way[-1])
            left.remove(arc)
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
