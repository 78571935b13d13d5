"""What a domain is, and what it tells of itself: ports, and segments between them as curves of rate against fidelity."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

from quantum_fabric.control.admission import Admission
from quantum_fabric.control.distributed.belief import link_news, node_news
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.errors import InputError
from quantum_fabric.messages import CurvePoint, Forecast, LinkNews, LinkRequest, NodeNews, Plan, Refused
from quantum_fabric.network.methods import Method
from quantum_fabric.network.planning import plan as make_plan
from quantum_fabric.network.topology import LinkView, Topology
from quantum_fabric.units import SECOND, Time

FLOORS = (0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995)
"""Fidelities at which a segment's rate is told."""

LANES = 2
"""Lanes that a segment may have at most: one to wait while the other tries, or both to be purified."""

GRAIN = 0.05
"""A segment is told as attempts of which this share succeeds: fine enough for their waiting time to be exponential."""


@dataclass(frozen=True, slots=True)
class Territory:
    """A domain.

    Attributes:
        seat: of its controller.
        topology: its nodes, the links between them and all classical delays; ``controller`` is the node where the seat is.
        crossings: links to other domains, by name; one end of each is here.
        public: nodes that others may ask for, besides those at the border.
        neighbours: seats of the domains at the other ends of the crossings.

    Raises:
        InputError: a crossing that has no end here, or both.
    """

    seat: str
    topology: Topology
    crossings: Mapping[str, LinkView]
    public: frozenset[str]
    neighbours: tuple[str, ...]

    def __post_init__(self) -> None:
        for link in self.crossings.values():
            if (link.a in self.topology.nodes) == (link.b in self.topology.nodes):
                raise InputError(f"{link.a} and {link.b}", f"one end in {self.seat}", f"link {link.name}")

    @property
    def borders(self) -> frozenset[str]:
        """Nodes at which a link to another domain ends."""
        nodes = self.topology.nodes
        return frozenset(end for link in self.crossings.values() for end in (link.a, link.b) if end in nodes)

    @property
    def ports(self) -> tuple[str, ...]:
        """Nodes that others know of, by name."""
        return tuple(sorted(self.borders | (self.public & self.topology.nodes.keys())))


class Surveyor:
    """Works out what a domain can promise between two of its nodes.

    Args:
        territory: the domain.
        ledger: whose slots are free; it is read, never changed.
        dark: links that are out of service; it is read, never changed.
    """

    def __init__(self, territory: Territory, ledger: Ledger, dark: set[str]) -> None:
        self._territory = territory
        self._ledger = ledger
        self._admission = Admission(territory.topology, ledger, partial(_swift))
        self._admission.dark = dark
        self._curves: dict[tuple[str, str], tuple[CurvePoint, ...]] = {}
        self._as_of: frozenset[str] = frozenset()

    def plan(
        self, entry: str, leave: str, fidelity: float, rate: float, reserved: Mapping[str, int]
    ) -> Plan | Refused:
        """A plan inside the domain.

        Args:
            entry: one of its nodes.
            leave: another.
            fidelity: of its pairs.
            rate: of its pairs per second.
            reserved: slots of each node that are wanted for something else.
        """
        free = {name: count - reserved.get(name, 0) for name, count in self._ledger.free().items()}
        request = LinkRequest(entry, leave, fidelity, rate=rate)
        return self._admission.planned(request, self._share(entry, leave, free))

    def _share(self, entry: str, leave: str, free: Mapping[str, int]) -> dict[str, int]:
        """Of the free slots, those that one segment may have: what is told is then what can be offered, to several who ask."""
        return {
            name: max(0, min(count, LANES if name in (entry, leave) else 2 * LANES))
            for name, count in free.items()
        }

    def news(self, extra: str = "") -> tuple[tuple[NodeNews, ...], tuple[LinkNews, ...]]:
        """What is told now: ports with their free slots, segments as an idle domain could serve them, links to others.

        Args:
            extra: another node, as if it were a port (what a domain tells itself of the source of a request).
        """
        territory, dark = self._territory, self._admission.dark
        if self._as_of != dark:
            self._as_of = frozenset(dark)
            self._curves.clear()
        ports = tuple(sorted({*territory.ports, extra} - {""}))
        free, nodes = self._ledger.free(), territory.topology.nodes
        told = tuple(node_news(nodes[name], free[name]) for name in ports)
        segments = [self._segment(a, b) for a, b in combinations(ports, 2)]
        crossings = [link_news(link, name not in dark) for name, link in sorted(territory.crossings.items())]
        return told, (*(each for each in segments if each.curve), *crossings)

    def _segment(self, a: str, b: str) -> LinkNews:
        curve = self._curves.get((a, b))
        if curve is None:
            curve = self._curves[a, b] = self._curve(a, b)
        return LinkNews(segment_name(self._territory.seat, a, b), a, b, curve, "high", True)

    def _curve(self, a: str, b: str) -> tuple[CurvePoint, ...]:
        points: list[CurvePoint] = []
        slots = {name: node.slots for name, node in self._territory.topology.nodes.items()}
        idle = self._share(a, b, slots)
        for floor in FLOORS:
            found = self._admission.planned(LinkRequest(a, b, floor), idle)
            if isinstance(found, Refused):
                break
            point = offered_point(found.forecast, floor)
            if points and (points[-1].weights, points[-1].period) == (point.weights, point.period):
                points.pop()  # the same plan gives more than was asked for
            points.append(point)
        return tuple(points)


def _swift(topology: Topology, request: LinkRequest, free: Mapping[str, int] | None) -> Plan | Refused:
    return make_plan(topology, request, free, method=Method.SWIFT)


def segment_name(seat: str, a: str, b: str) -> str:
    """Name of a segment of a domain, the same in both directions.

    Examples:
        >>> segment_name("west", "B", "A")
        'west: A to B'
    """
    one, two = sorted((a, b))
    return f"{seat}: {one} to {two}"


def offered_point(forecast: Forecast, setting: float) -> CurvePoint:
    """A segment as one operating point of a link.

    Limits:
        Pairs come as of independent attempts, and are Werner states of the fidelity that all but one in twenty reach: pessimistic,
        except where errors of one kind happen to add up.

    Examples:
        >>> point = offered_point(Forecast(100.0, 0.0, 0.96, 0.94, 0), 0.9)
        >>> point.period, point.weights[0]
        (500000000, 0.94)
    """
    period: Time = max(1, int(GRAIN / forecast.rate * SECOND))
    good = forecast.fidelity_low
    rest = (1.0 - good) / 3.0
    times = (period, period)
    return CurvePoint(setting, GRAIN, period, 0, times, times, (good, rest, rest, rest))


def without_links(links: Collection[LinkNews], names: Collection[str]) -> tuple[LinkNews, ...]:
    """The same links, some of them dark."""
    return tuple(replace(link, curve=()) if link.name in names else link for link in links)
