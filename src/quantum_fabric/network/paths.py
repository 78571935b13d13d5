"""Candidate paths: the k best by several metrics, because no single additive metric is right.

Rate and fidelity of a path with memories, purification and cutoffs are neither monotone nor isotonic in its links, so a
shortest-path search on one number can miss the best path. The planner takes the union of the k shortest simple paths
under each of these weights and lets the forecast decide:

    hops        1 and a little for the delay: few swaps
    fidelity    -log w of a fresh pair, w = (4F-1)/3, which a swap multiplies
    time        period / success: mean time of an elementary pair
    both        fidelity and time, each over its mean in the network

Limits:
    A heuristic: the tests compare it with all simple paths on small graphs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.settings import grid, operating_point
from quantum_fabric.network.topology import LinkView, Topology
from quantum_fabric.physics.correlators import fidelity
from quantum_fabric.units import SECOND

if TYPE_CHECKING:
    import networkx

K_BEST = 4
"""Paths taken under each metric."""


@dataclass(frozen=True, slots=True)
class Path:
    """A simple path.

    Attributes:
        nodes: from source to destination.
        links: one for each hop.
    """

    nodes: tuple[str, ...]
    links: tuple[str, ...]


def usable(topology: Topology, source: str, destination: str) -> Topology:
    """The topology without what a path may not pass: nodes that are no relay or have fewer than two slots, and fleeting links.

    A fleeting link stores no pairs: its photons are measured at both ends, and nothing is left to swap or to hand out.

    Raises:
        UnknownNameError: an end is not in the topology.
    """
    ends = {topology.node(source).name, topology.node(destination).name}
    closed = [
        name
        for name, node in topology.nodes.items()
        if name not in ends and not (node.relays and node.slots >= 2)
    ]
    fleeting = [name for name, link in topology.links.items() if not link.model.stores]
    return topology.without(nodes=closed, links=fleeting) if closed or fleeting else topology


def best_paths(topology: Topology, source: str, destination: str, k: int = K_BEST) -> tuple[Path, ...]:
    """Union of the k shortest simple paths under each metric, in order of discovery; empty if the ends are not connected.

    Args:
        topology: the believed network.
        source: one end.
        destination: the other.
        k: paths for each metric, at least 1.

    Raises:
        QuantityError: k below 1.
        UnknownNameError: an end is not in the topology.

    Examples:
        >>> import math
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> from quantum_fabric.network.topology import NodeModel
        >>> from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
        >>> nodes = {n: NodeModel(n, 2, MemoryNoise(math.inf, 1.0), OperationNoise(), 0) for n in "ABC"}
        >>> model = FixedLink(0.1, (1.0, 0.0, 0.0, 0.0), 1_000)
        >>> links = {n: LinkView(n, n[0], n[1], model, 0, 0.0) for n in ("AB", "BC", "AC")}
        >>> network = Topology(nodes, links, {(a, b): 0 for a in "ABC" for b in "ABC"}, "A")
        >>> [path.nodes for path in best_paths(network, "A", "C")]
        [('A', 'C'), ('A', 'B', 'C')]
    """
    import networkx

    if k < 1:
        raise QuantityError(found=str(k), expected="1 or more paths", where="paths")
    graph = usable(topology, source, destination).graph()
    found: dict[Path, None] = {}
    quality = {name: _quality(link) for name, link in topology.links.items()}
    for weight in _metrics(topology, quality):
        try:
            for nodes in islice(_ranked(graph, source, destination, weight), k):
                links = tuple(min(graph.edges[a, b]["links"], key=weight) for a, b in pairwise(nodes))
                found[Path(tuple(nodes), links)] = None
        except networkx.NetworkXNoPath:
            return ()
    return tuple(found)


def all_paths(topology: Topology, source: str, destination: str) -> Iterator[Path]:
    """Every simple path, with every choice among parallel links: exponential, for small graphs and tests only.

    Raises:
        UnknownNameError: an end is not in the topology.
    """
    import networkx

    graph = usable(topology, source, destination).graph()
    for nodes in networkx.all_simple_paths(graph, source, destination):
        hops = [graph.edges[a, b]["links"] for a, b in pairwise(nodes)]
        chosen: list[tuple[str, ...]] = [()]
        for names in hops:
            chosen = [(*before, name) for before in chosen for name in names]
        for links in chosen:
            yield Path(tuple(nodes), links)


@dataclass(frozen=True, slots=True)
class _Quality:
    time: float
    loss: float
    delay: float


def _quality(link: LinkView) -> _Quality:
    """Mean time of a pair (s), -log of its Werner parameter, light time (s), in the middle of the knob's range."""
    settings = grid(link.model)
    point = operating_point(link, link.a, settings[len(settings) // 2], 1)
    time = point.period / SECOND / point.success if point.success > 0.0 else math.inf
    werner = (4.0 * fidelity(point.fresh) - 1.0) / 3.0
    return _Quality(time, -math.log(max(werner, 1e-9)), link.light_time / SECOND)


def _metrics(topology: Topology, quality: dict[str, _Quality]) -> list[Callable[[str], float]]:
    count = max(1, len(topology.links))
    times = [value.time for value in quality.values() if value.time < math.inf]
    time = math.fsum(times) / count or 1.0
    loss = math.fsum(value.loss for value in quality.values()) / count or 1.0
    delay = math.fsum(value.delay for value in quality.values()) or 1.0
    return [
        lambda name: 1.0 + 1e-3 * quality[name].delay / delay,
        lambda name: quality[name].loss + 1e-6 * loss,
        lambda name: min(quality[name].time, 1e12),
        lambda name: quality[name].loss / loss + min(quality[name].time, 1e12) / time,
    ]


def _ranked(
    graph: networkx.Graph[Any], source: str, destination: str, weight: Callable[[str], float]
) -> Iterator[list[str]]:
    import networkx

    def edge(_: str, __: str, data: dict[str, Any]) -> float:
        return min(weight(name) for name in data["links"])

    found: Iterator[list[str]] = networkx.shortest_simple_paths(graph, source, destination, weight=edge)
    return found
