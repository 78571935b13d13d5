"""What planning believes of the network: nodes, links, classical delays.

A `Topology` is a frozen snapshot. It is built from an inventory (room `documents`) or by hand in tests, is
never changed, and answers a few questions about itself. Faults make a new one: `Topology.without`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from quantum_fabric.errors import Caution, InputError, QuantityError, UnknownNameError
from quantum_fabric.links.hub import SharedStation
from quantum_fabric.links.model import LinkModel
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.units import Time

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True, slots=True)
class NodeModel:
    """What is believed of one node.

    Attributes:
        name: unique in the network.
        slots: memory slots, at least 0. A repeater needs one for each lane on each side, an end node one for
            each lane.
        memory: T1 and T2 of a slot.
        operations: noise of its gates and readout.
        swap_time: duration of a Bell measurement, readout included (ps).
        relays: False for a node that may only be an end of a path.
        cautions: where its model is used outside its validity.

    Raises:
        QuantityError: negative slots or duration.

    Examples:
        >>> import math
        >>> node = NodeModel("Alice", 2, MemoryNoise(math.inf, 1.0), OperationNoise(), 0)
        >>> node.relays
        True
    """

    name: str
    slots: int
    memory: MemoryNoise
    operations: OperationNoise
    swap_time: Time
    relays: bool = True
    cautions: tuple[Caution, ...] = ()

    def __post_init__(self) -> None:
        if self.slots < 0:
            raise QuantityError(
                found=str(self.slots), expected="0 or more memory slots", where=f"node {self.name}"
            )
        if self.swap_time < 0:
            raise QuantityError(
                found=str(self.swap_time), expected="a swap time of 0 or more", where=f"node {self.name}"
            )


@dataclass(frozen=True, slots=True)
class LinkView:
    """What is believed of one link between two neighbouring nodes.

    Attributes:
        name: unique in the network.
        a, b: names of its ends; the model's end "a" is at `a`.
        model: what makes the entanglement (`quantum_fabric.links.model.LinkModel`).
        light_time: one-way latency of light along it (ps).
        length: of the fibre (m).
        cautions: where the models of its parts are used outside their validity, whatever the setting.

    Examples:
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> link = LinkView("A~B", "A", "B", FixedLink(0.1, (1.0, 0.0, 0.0, 0.0), 1_000), 5_000, 1.0)
        >>> link.other("A")
        'B'
    """

    name: str
    a: str
    b: str
    model: LinkModel
    light_time: Time
    length: float
    cautions: tuple[Caution, ...] = ()

    def other(self, node: str) -> str:
        """The end that is not ``node``.

        Raises:
            UnknownNameError: ``node`` is no end of this link.
        """
        if node == self.a:
            return self.b
        if node == self.b:
            return self.a
        raise UnknownNameError(found=repr(node), expected=f"{self.a} or {self.b}", where=f"link {self.name}")


@dataclass(frozen=True, slots=True)
class Topology:
    """A frozen snapshot of the believed network.

    Attributes:
        nodes: name -> node.
        links: name -> link.
        delays: (from, to) -> one-way classical delay (ps), complete over the nodes; (a, a) is 0 and may be
            left out, and (b, a) stands for (a, b) where only one of them is given. A table may know of itself ``longest()``, its
            longest delay, and ``direct``, whether no way round is shorter than a delay.
        controller: name of the node where the controller sits. It may be a node that is out of service.
        stations: name -> heralding station that several links share. Their links may be out of service.
        kept: what others worked out from it and keep with it, by their names; no part of its value.

    Raises:
        InputError: a key that differs from the name of what it names, a link from a node to itself, or a link with two stations.
        UnknownNameError: a link ends at an unknown node.

    Examples:
        >>> import math
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> nodes = {n: NodeModel(n, 1, MemoryNoise(math.inf, math.inf), OperationNoise(), 0) for n in "AB"}
        >>> link = LinkView("A~B", "A", "B", FixedLink(0.1, (1.0, 0.0, 0.0, 0.0), 1_000), 5_000, 1.0)
        >>> network = Topology(nodes, {"A~B": link}, {("A", "B"): 5_000}, "A")
        >>> network.delay("B", "A"), network.neighbours("A"), network.between("A", "B")[0].name
        (5000, ('B',), 'A~B')
    """

    nodes: Mapping[str, NodeModel]
    links: Mapping[str, LinkView]
    delays: Mapping[tuple[str, str], Time]
    controller: str
    stations: Mapping[str, SharedStation] = field(default_factory=dict)
    kept: dict[str, object] = field(init=False, repr=False, compare=False, default_factory=dict)
    _at: Mapping[str, tuple[LinkView, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        at: dict[str, list[LinkView]] = {name: [] for name in self.nodes}
        for key, node in self.nodes.items():
            if key != node.name:
                raise InputError(found=repr(key), expected=repr(node.name), where="name of a node")
        for key, link in self.links.items():
            if key != link.name:
                raise InputError(found=repr(key), expected=repr(link.name), where="name of a link")
            if link.a == link.b:
                raise InputError(found=repr(link.a), expected="two different ends", where=f"link {key}")
            for end in (link.a, link.b):
                self.node(end, where=f"link {key}")
                at[end].append(link)
        ordered = {name: tuple(sorted(links, key=lambda link: link.name)) for name, links in at.items()}
        object.__setattr__(self, "_at", ordered)
        self._check_stations()

    def _check_stations(self) -> None:
        owner: dict[str, str] = {}
        for key, station in self.stations.items():
            if key != station.name:
                raise InputError(found=repr(key), expected=repr(station.name), where="name of a station")
            for name in station.links:
                if owner.setdefault(name, key) != key:
                    where = f"station {key}"
                    raise InputError(
                        found=f"link {name} of {owner[name]}", expected="one station", where=where
                    )

    def node(self, name: str, where: str = "network") -> NodeModel:
        """The node of this name.

        Raises:
            UnknownNameError: there is none.
        """
        try:
            return self.nodes[name]
        except KeyError:
            known = ", ".join(sorted(self.nodes)) or "no node at all"
            raise UnknownNameError(found=repr(name), expected=f"one of {known}", where=where) from None

    def link(self, name: str) -> LinkView:
        """The link of this name.

        Raises:
            UnknownNameError: there is none.
        """
        try:
            return self.links[name]
        except KeyError:
            known = ", ".join(sorted(self.links)) or "no link at all"
            raise UnknownNameError(found=repr(name), expected=f"one of {known}", where="network") from None

    def delay(self, a: str, b: str) -> Time:
        """One-way classical delay from ``a`` to ``b`` in ps.

        Raises:
            UnknownNameError: the table does not have it.
        """
        if a == b:
            return 0
        found = self.delays.get((a, b))
        if found is None:
            found = self.delays.get((b, a))
        if found is None:
            raise UnknownNameError(
                found=f"{a} to {b}", expected="a pair of nodes with a known delay", where="delays"
            )
        return found

    def longest_delay(self) -> Time:
        """The longest classical delay between any two nodes, ps.

        A table that can tell without listing all its pairs is asked for it: ten thousand nodes have a hundred million.

        Examples:
            >>> Topology({}, {}, {("A", "B"): 5_000}, "A").longest_delay()
            5000
        """
        told: Callable[[], Time] | None = getattr(self.delays, "longest", None)
        return max(self.delays.values(), default=0) if told is None else told()

    def along(self, path: Sequence[str]) -> list[Time] | None:
        """When a letter that is passed on from node to node along a path reaches each of them, ps.

        That is no sooner than a letter sent there at once, and is told without looking through the network for a shorter way.

        Returns:
            None where delays are what was measured, and may be longer than a way round.

        Examples:
            >>> Topology({}, {}, {("A", "B"): 5_000}, "A").along("AB") is None
            True
        """
        if not getattr(self.delays, "direct", False):
            return None
        steps = (self.delay(a, b) for a, b in pairwise(path))
        return list(accumulate(steps, initial=0))

    def links_at(self, name: str) -> tuple[LinkView, ...]:
        """Links that end at a node, by name."""
        self.node(name)
        return self._at[name]

    def neighbours(self, name: str) -> tuple[str, ...]:
        """Names of the nodes that share a link with this one, in order and once each."""
        return tuple(sorted({link.other(name) for link in self.links_at(name)}))

    def between(self, a: str, b: str) -> tuple[LinkView, ...]:
        """Links between two nodes, by name; empty where there is none, several where fibres are parallel."""
        return tuple(link for link in self.links_at(a) if link.other(a) == b)

    def without(self, links: Collection[str] = (), nodes: Collection[str] = ()) -> Topology:
        """The same network with links and nodes (and the links that end at them) out of service.

        Names that are not there are ignored: what is gone may go again. Classical delays stay, because the
        control network is another one.
        """
        gone_nodes = set(nodes) & self.nodes.keys()
        gone = {link.name: link for name in gone_nodes for link in self._at[name]}
        gone.update((name, self.links[name]) for name in links if name in self.links)
        left, kept, at = dict(self.nodes), dict(self.links), dict(self._at)
        for name in gone_nodes:
            del left[name], at[name]
        for name, link in gone.items():
            del kept[name]
            for end in (link.a, link.b):
                if end in at:
                    at[end] = tuple(each for each in at[end] if each.name != name)
        # what is left of a sound topology is sound: nothing needs checking, and only what changes is touched
        derived = object.__new__(Topology)
        whole = {
            "nodes": left,
            "links": kept,
            "delays": self.delays,
            "controller": self.controller,
            "stations": self.stations,
            "_at": at,
        }
        # a path that is left is the same path: what is known of it is shared
        known = {"parent": self, "terrain": self.kept.setdefault("terrain", {})}
        for key, value in (*whole.items(), ("kept", known)):
            object.__setattr__(derived, key, value)
        return derived

    def graph(self) -> networkx.Graph[Any]:
        """An undirected `networkx.Graph`: each edge has ``links``, the names of its links."""
        import networkx

        graph: networkx.Graph[Any] = networkx.Graph()
        graph.add_nodes_from(sorted(self.nodes))
        for name in sorted(self.links):
            link = self.links[name]
            before = graph.edges[link.a, link.b]["links"] if graph.has_edge(link.a, link.b) else ()
            graph.add_edge(link.a, link.b, links=(*before, name))
        return graph
