"""What no protocol can beat: point-to-point, repeater-chain and network bounds for pure loss.

All are in ebits (or secret bits) for each use of each mode: count *all* modes that are used, multiplexed ones and both arms
included. Logarithms are ``log1p``: written plainly, ``log2((1+η)/(1-η))`` is 0 in double precision beyond about 800 km.

Sources: Pirandola et al., Nat. Commun. 8, 15043 (2017) (PLOB); Takeoka, Guha, Wilde, Nat. Commun. 5, 5235 (2014) (TGW); Pirandola,
Commun. Phys. 2, 51 (2019) (chains and networks).
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range, check_shape


def plob(transmission: ArrayLike) -> Floats:
    """Capacity of a pure-loss channel: ``-log2(1 - η)`` for each use of a mode; infinite at η = 1.

    Args:
        transmission: η from end to end, shape ``(...)``, in [0, 1].

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: a transmission outside [0, 1].

    Examples:
        >>> float(plob(0.5)), f"{float(plob(1e-20)):.6e}"  # at 0.2 dB/km, 1e-20 is 1000 km
        (1.0, '1.442695e-20')
    """
    eta = check_range(transmission, 0.0, 1.0, "transmission")
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log1p(-eta) / math.log(2.0), dtype=np.float64)


def tgw(transmission: ArrayLike) -> Floats:
    """The older and weaker bound ``log2((1+η)/(1-η))`` for each use of a mode; never below `plob`.

    Args:
        transmission: η from end to end, shape ``(...)``, in [0, 1].

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: a transmission outside [0, 1].

    Examples:
        >>> float(tgw(1e-20)) == 2 * float(plob(1e-20))
        True
    """
    eta = check_range(transmission, 0.0, 1.0, "transmission")
    with np.errstate(divide="ignore"):
        return np.asarray((np.log1p(eta) - np.log1p(-eta)) / math.log(2.0), dtype=np.float64)


def chain(transmissions: ArrayLike) -> Floats:
    """Bound of a chain of ideal repeaters: PLOB of its worst segment.

    Args:
        transmissions: η of each segment on the last axis, shape ``(..., segments)``, at least one segment.

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: a transmission outside [0, 1], or no segment.

    Examples:
        >>> float(chain([0.5, 0.75, 0.9]))
        1.0
    """
    eta = check_range(transmissions, 0.0, 1.0, "transmissions")
    if eta.ndim == 0 or eta.shape[-1] == 0:
        check_shape(eta, (1,), "transmissions")
    return plob(eta.min(axis=-1))


def equal_chain(transmission: ArrayLike, repeaters: int) -> Floats:
    """Bound with this many ideal repeaters, equally spaced: ``-log2(1 - η^(1/(repeaters+1)))``.

    Args:
        transmission: η of the whole length, shape ``(...)``, in [0, 1].
        repeaters: 0 or more.

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: a transmission outside [0, 1], or a negative number of repeaters.

    Examples:
        >>> round(float(equal_chain(1e-4, repeaters=1)), 6)  # 200 km at 0.2 dB/km
        0.0145
    """
    if repeaters < 0:
        raise QuantityError(found=repr(repeaters), expected="0 or more", where="repeaters")
    eta = check_range(transmission, 0.0, 1.0, "transmission")
    return plob(eta ** (1.0 / (repeaters + 1)))


@dataclass(frozen=True, slots=True)
class Edge:
    """One fibre of a network, usable both ways.

    Attributes:
        a: node at one end.
        b: node at the other end.
        transmission: η of the fibre, in [0, 1].
        modes: how many modes it carries for each use of the network.

    Raises:
        QuantityError: a transmission outside [0, 1], or a negative number of modes.

    Examples:
        >>> Edge("A", "B", 0.5, modes=3).capacity
        3.0
    """

    a: str
    b: str
    transmission: float
    modes: int = 1

    def __post_init__(self) -> None:
        check_range(self.transmission, 0.0, 1.0, "transmission")
        if self.modes < 0:
            raise QuantityError(found=repr(self.modes), expected="0 or more", where="modes")

    @property
    def capacity(self) -> float:
        """PLOB times the number of modes (ebit for each use of the network)."""
        return self.modes * float(plob(self.transmission)) if self.modes else 0.0


def widest_path(edges: Iterable[Edge], source: str, destination: str) -> tuple[float, tuple[str, ...]]:
    """Bound of routing along one path: over all paths, the best worst edge. Parallel edges count as one edge with their sum.

    Args:
        edges: the network.
        source: a node.
        destination: another node.

    Returns:
        (capacity in ebit for each use, nodes of a best path); (0.0, ()) where no path exists.

    Raises:
        QuantityError: source and destination are the same.

    Equation: Pirandola 2019, single-path routing; a widest-path search (Dijkstra with max-min).

    Examples:
        >>> widest_path([Edge("A", "B", 0.5), Edge("A", "R", 0.75), Edge("R", "B", 0.75)], "A", "B")
        (2.0, ('A', 'R', 'B'))
    """
    capacity = _capacities(edges, source, destination)
    best = {source: math.inf}
    before: dict[str, str] = {}
    queue = [(-math.inf, source)]
    while queue:
        width, node = heapq.heappop(queue)
        width = -width
        if node == destination:
            path = [node]
            while path[-1] != source:
                path.append(before[path[-1]])
            return (width, tuple(reversed(path)))
        if width < best[node]:
            continue
        for neighbour, edge in capacity[node].items():
            through = min(width, edge)
            if through > best.get(neighbour, 0.0):
                best[neighbour], before[neighbour] = through, node
                heapq.heappush(queue, (-through, neighbour))
    return (0.0, ())


def min_cut(edges: Iterable[Edge], source: str, destination: str) -> tuple[float, frozenset[str]]:
    """Bound of flooding (all paths at once): the smallest total capacity that separates the two nodes.

    Args:
        edges: the network.
        source: a node.
        destination: another node.

    Returns:
        (capacity in ebit for each use, nodes on the source's side of a smallest cut); infinite with an empty set if only
        lossless edges could be cut.

    Raises:
        QuantityError: source and destination are the same.

    Equation: Pirandola 2019, multi-path routing; max-flow min-cut by shortest augmenting paths (Edmonds & Karp,
    J. ACM 19, 248 (1972)).

    Examples:
        >>> capacity, side = min_cut([Edge("A", "B", 0.5), Edge("A", "R", 0.75), Edge("R", "B", 0.5)], "A", "B")
        >>> capacity, sorted(side)
        (2.0, ['A', 'R'])
    """
    capacity = _capacities(edges, source, destination)
    residual = {node: dict(arcs) for node, arcs in capacity.items()}
    while True:
        before = _reached(residual, source, destination)
        if destination not in before:
            side = frozenset(before)
            crossing = [
                width for node in side for other, width in capacity[node].items() if other not in side
            ]
            return (math.fsum(crossing), side)
        arcs = []
        node = destination
        while node != source:
            arcs.append((before[node], node))
            node = before[node]
        flow = min(residual[a][b] for a, b in arcs)
        if math.isinf(flow):
            return (math.inf, frozenset())
        for a, b in arcs:
            residual[a][b] -= flow
            residual[b][a] += flow


def _capacities(edges: Iterable[Edge], source: str, destination: str) -> dict[str, dict[str, float]]:
    if source == destination:
        raise QuantityError(found=f"{source!r} twice", expected="two different nodes", where="destination")
    capacity: dict[str, dict[str, float]] = defaultdict(dict)
    for edge in edges:
        if edge.a != edge.b:
            total = capacity[edge.a].get(edge.b, 0.0) + edge.capacity
            capacity[edge.a][edge.b] = capacity[edge.b][edge.a] = total
    for node in (source, destination):
        capacity.setdefault(node, {})
    return dict(capacity)


def _reached(residual: dict[str, dict[str, float]], source: str, destination: str) -> dict[str, str]:
    """Breadth-first tree of the nodes that can still be reached: node -> the one before it."""
    before = {source: source}
    queue = deque([source])
    while queue and destination not in before:
        node = queue.popleft()
        for other, width in residual[node].items():
            if width > 0.0 and other not in before:
                before[other] = node
                queue.append(other)
    return before
