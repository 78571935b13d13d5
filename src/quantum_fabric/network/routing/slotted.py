"""The slotted network of concurrent routing: memories, channels, what is left of them, and what a slot reserves and delivers.

A slot has four phases: the demands become known (1), every node works out the same reservation (2), the reserved channels try
once (3), nodes learn which channels within `knowledge` hops are up and swap (4). What is left at the end is thrown away.

Reference: Shi, Qian, "Concurrent entanglement routing for quantum networks", SIGCOMM 2020 (the model of Q-CAST and Q-PASS).
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from quantum_fabric.errors import QuantityError


class Edge(NamedTuple):
    """Parallel channels between two nodes.

    Attributes:
        a: node index.
        b: the other node, greater than `a`.
        channels: how many may be used at once; each takes one memory qubit at either end.
        success: chance that a channel that tries in a slot is up, in (0, 1].
        length: km.
        fidelity: of a fresh pair (Werner), in (0.25, 1].
    """

    a: int
    b: int
    channels: int
    success: float
    length: float = 0.0
    fidelity: float = 1.0


class Demand(NamedTuple):
    """Two different nodes that want as many pairs as can be had in this slot."""

    source: int
    target: int


@dataclass(frozen=True)
class SlottedNetwork:
    """Nodes with memories, edges with channels.

    Attributes:
        positions: of each node, km.
        memories: qubits of each node.
        edges: at most one for two nodes.
        swap: chance that a swap succeeds, in (0, 1].
        knowledge: k: a node hears which channels are up that touch a node at most k hops away.

    Raises:
        QuantityError: a value outside its domain, or an edge given twice or to nowhere.

    Examples:
        >>> net = SlottedNetwork(((0, 0), (1, 0), (2, 0)), (2, 4, 2), (Edge(0, 1, 2, 0.5), Edge(1, 2, 3, 0.5)), 0.9, 3)
        >>> net.neighbours[1], net.hops[0][2], net.edge(2, 1)
        (((0, 0), (2, 1)), 2, 1)
    """

    positions: tuple[tuple[float, float], ...]
    memories: tuple[int, ...]
    edges: tuple[Edge, ...]
    swap: float
    knowledge: int

    def __post_init__(self) -> None:
        """Refuse what is no such network."""
        count = len(self.memories)
        if len(self.positions) != count:
            raise QuantityError(
                f"{len(self.positions)} positions", f"{count}, one for each node", "positions"
            )
        if not 0 < self.swap <= 1:
            raise QuantityError(str(self.swap), "a chance in (0, 1]", "swap")
        if self.knowledge < 0 or min(self.memories, default=0) < 0:
            raise QuantityError("a negative number", "counts of 0 or more", "knowledge, memories")
        if len({edge[:2] for edge in self.edges}) != len(self.edges):
            raise QuantityError("two edges between the same nodes", "one with all the channels", "edges")
        for edge in self.edges:
            if not 0 <= edge.a < edge.b < count:
                raise QuantityError(f"{edge.a}-{edge.b}", f"two nodes below {count}, in order", "edges")
            if edge.channels < 1 or not 0 < edge.success <= 1 or not 0.25 < edge.fidelity <= 1:
                raise QuantityError(
                    str(edge), "1 channel or more, success in (0, 1], fidelity in (0.25, 1]", "edges"
                )

    @cached_property
    def neighbours(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For each node its (neighbour, index of the edge)."""
        found: list[list[tuple[int, int]]] = [[] for _ in self.memories]
        for index, edge in enumerate(self.edges):
            found[edge.a].append((edge.b, index))
            found[edge.b].append((edge.a, index))
        return tuple(tuple(sorted(each)) for each in found)

    @cached_property
    def _edge_of(self) -> dict[tuple[int, int], int]:
        both = {(edge.a, edge.b): index for index, edge in enumerate(self.edges)}
        return both | {(b, a): index for (a, b), index in both.items()}

    def edge(self, a: int, b: int) -> int:
        """Index of the edge between two neighbours."""
        return self._edge_of[a, b]

    def along(self, nodes: Sequence[int]) -> list[int]:
        """Indices of the edges of a path."""
        lookup = self._edge_of
        return [lookup[a, b] for a, b in itertools.pairwise(nodes)]

    @cached_property
    def hops(self) -> tuple[tuple[int, ...], ...]:
        """Hop counts between all nodes; as many as there are nodes where there is no way."""
        return tuple(self._from(node) for node in range(len(self.memories)))

    def _from(self, start: int) -> tuple[int, ...]:
        far = len(self.memories)
        found = [far] * far
        found[start] = 0
        queue = deque([start])
        while queue:
            node = queue.popleft()
            for other, _ in self.neighbours[node]:
                if found[other] == far:
                    found[other] = found[node] + 1
                    queue.append(other)
        return tuple(found)

    def knows(self, node: int, edge: int) -> bool:
        """Whether a node hears how the channels of an edge turned out."""
        hops, (a, b, *_) = self.hops[node], self.edges[edge]
        return min(hops[a], hops[b]) <= self.knowledge


class Residual:
    """Memories and channels that are not reserved yet.

    Examples:
        >>> net = SlottedNetwork(((0, 0), (1, 0), (2, 0)), (2, 4, 2), (Edge(0, 1, 2, 0.5), Edge(1, 2, 3, 0.5)), 0.9, 3)
        >>> free = Residual(net)
        >>> free.widest((0, 1, 2))
        2
        >>> free.take((0, 1, 2), 2)
        >>> free.widest((0, 1)), free.channels
        (0, [0, 1])
    """

    __slots__ = ("_all", "channels", "memories", "network")

    def __init__(self, network: SlottedNetwork, most: int | None = None) -> None:
        """Everything is free; of each edge no more than `most` channels may be used."""
        self.network = network
        self.memories = list(network.memories)
        self._all = [edge.channels if most is None else min(edge.channels, most) for edge in network.edges]
        self.channels = list(self._all)

    def widest(self, nodes: Sequence[int]) -> int:
        """Most channels that a path can have side by side; a node between two hops spends two qubits on each."""
        memories = self.memories
        width = min(memories[nodes[0]], memories[nodes[-1]])
        for node in nodes[1:-1]:
            width = min(width, memories[node] // 2)
        for edge in self.network.along(nodes):
            width = min(width, self.channels[edge])
        return width

    def take(self, nodes: Sequence[int], width: int) -> None:
        """Reserve `width` channels on every hop of a path, which must have them."""
        for edge in self.network.along(nodes):
            self.take_edge(edge, width)

    def take_edge(self, edge: int, width: int = 1) -> None:
        """Reserve channels of one edge."""
        a, b, *_ = self.network.edges[edge]
        self.channels[edge] -= width
        self.memories[a] -= width
        self.memories[b] -= width

    def open(self, edge: int) -> bool:
        """Whether one more channel of an edge can be reserved."""
        a, b, *_ = self.network.edges[edge]
        return self.channels[edge] > 0 and self.memories[a] > 0 and self.memories[b] > 0

    def reserved(self) -> tuple[int, ...]:
        """Channels of each edge that are reserved."""
        return tuple(number - left for number, left in zip(self._all, self.channels, strict=True))


class Route(NamedTuple):
    """A path with the same number of channels on every hop."""

    demand: int
    nodes: tuple[int, ...]
    width: int


class Detour(NamedTuple):
    """A recovery path between two nodes of a route."""

    route: int
    nodes: tuple[int, ...]
    width: int


class Window(NamedTuple):
    """A part of the network in which every node that acts knows every channel, so that all come to the same decision.

    Attributes:
        entry: where connections start.
        exit: where they end.
        owned: (edge, channels) that are reserved for it.
        least: smallest product of Werner factors that a connection may have; 0 where nothing is asked.
    """

    entry: int
    exit: int
    owned: tuple[tuple[int, int], ...]
    least: float = 0.0


class Series(NamedTuple):
    """Windows one behind the other that together serve a demand."""

    demand: int
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """What phase 2 reserves.

    Attributes:
        demands: whom it is for.
        routes: main paths, in the order of their choice.
        detours: recovery paths.
        reserved: channels of each edge that try in phase 3.
        series: windows, where the router works with them.
    """

    demands: tuple[Demand, ...]
    routes: tuple[Route, ...]
    detours: tuple[Detour, ...]
    reserved: tuple[int, ...]
    series: tuple[Series, ...] = ()


class Connection(NamedTuple):
    """Channels of neighbouring nodes that were chosen to be swapped into one pair.

    Attributes:
        demand: whose it is.
        nodes: where it runs.
    """

    demand: int
    nodes: tuple[int, ...]
