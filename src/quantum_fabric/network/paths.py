"""Candidate paths: the k best by several metrics, because no single additive metric is right.

Rate and fidelity of a path with memories, purification and cutoffs are neither monotone nor isotonic in its links, so a
shortest-path search on one number can miss the best path. The planner takes the union of the k shortest simple paths
under each of these weights and lets the forecast decide:

    hops        1 and a little for the delay: few swaps
    fidelity    -log w of a fresh pair, w = (4F-1)/3, which a swap multiplies; of equals the shorter and faster path
    time        period / success: mean time of an elementary pair
    both        fidelity and time, each over its mean in the network

Limits:
    A heuristic: the tests compare it with all simple paths on small graphs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.atlas import METRICS, atlas
from quantum_fabric.network.topology import Topology

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


def best_paths(
    topology: Topology, source: str, destination: str, k: int = K_BEST, busy: Collection[str] = ()
) -> tuple[Path, ...]:
    """Union of the k shortest simple paths under each metric, in order of discovery; empty if the ends are not connected.

    Args:
        topology: the believed network.
        source: one end.
        destination: the other.
        k: paths for each metric, at least 1.
        busy: nodes that have no slots left to relay with.

    Raises:
        QuantityError: k below 1.
        UnknownNameError: an end is not in the topology.

    Examples:
        >>> import math
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> from quantum_fabric.network.topology import LinkView, NodeModel
        >>> from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
        >>> nodes = {n: NodeModel(n, 2, MemoryNoise(math.inf, 1.0), OperationNoise(), 0) for n in "ABC"}
        >>> model = FixedLink(0.1, (1.0, 0.0, 0.0, 0.0), 1_000)
        >>> links = {n: LinkView(n, n[0], n[1], model, 0, 0.0) for n in ("AB", "BC", "AC")}
        >>> network = Topology(nodes, links, {(a, b): 0 for a in "ABC" for b in "ABC"}, "A")
        >>> [path.nodes for path in best_paths(network, "A", "C")]
        [('A', 'C'), ('A', 'B', 'C')]
    """
    if k < 1:
        raise QuantityError(found=str(k), expected="1 or more paths", where="paths")
    for end in (source, destination):
        topology.node(end)
    chart = atlas(topology)
    found: dict[Path, None] = {}
    for metric in METRICS:
        for _, nodes, edges in islice(chart.ranked(metric, source, destination, busy), k):
            links = tuple(chart.best_link(metric, edge) for edge in edges)
            found[Path(tuple(chart.names[node] for node in nodes), links)] = None
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
