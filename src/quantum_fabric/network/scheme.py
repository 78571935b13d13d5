"""A scheme: every decision of a plan, without the forecast.

`Scheme` is what the forecast judges and the planner varies; `quantum_fabric.messages.Plan` is what crosses the seam.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from quantum_fabric.errors import Caution, InputError
from quantum_fabric.messages import (
    Axes,
    Distillation,
    Forecast,
    Join,
    LinkPlan,
    Order,
    Plan,
    Rotation,
    Turning,
)
from quantum_fabric.network.order import asap
from quantum_fabric.network.settings import OperatingPoint, operating_point
from quantum_fabric.network.topology import Topology
from quantum_fabric.physics.correlators import fidelity
from quantum_fabric.physics.frames import Rotation as Words
from quantum_fabric.units import Time

Turns: TypeAlias = tuple[tuple[int, int, tuple[Words, ...]], ...]
"""(Left, right, rotation before each round) of segments, by the places of their ends on the path."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to serve a request: path, links and their use, swap tree, purification, cutoff.

    Attributes:
        path: node names from source to destination.
        links: name of the link of each hop.
        lanes: memory pairs of each hop.
        settings: knob of each hop, None where it has none.
        rounds: purification rounds on the elementary pairs of each hop.
        order: as soon as possible, or nested.
        joins: the swap tree bottom-up (see `quantum_fabric.network.order`).
        end_rounds: rounds on end-to-end pairs; nested: equal to the rounds of the last join.
        distillation: recurrence of the rounds.
        cutoff: longest age of a half in a repeater (ps), None for no cutoff.
        turnings: segments whose pairs are turned in another way than the recurrence's own before their rounds.
        pumped: rounds spend fresh pairs on one that is kept.

    Raises:
        InputError: lengths that do not fit together.

    Examples:
        >>> simple(("A", "B", "C"), ("A~B", "B~C")).joins[0].at
        'B'
    """

    path: tuple[str, ...]
    links: tuple[str, ...]
    lanes: tuple[int, ...]
    settings: tuple[float | None, ...]
    rounds: tuple[int, ...]
    order: Order
    joins: tuple[Join, ...]
    end_rounds: int = 0
    distillation: Distillation = Distillation.DEJMPS
    cutoff: Time | None = None
    turnings: tuple[Turning, ...] = ()
    pumped: bool = False

    def __post_init__(self) -> None:
        hops = len(self.path) - 1
        counts = (len(self.links), len(self.lanes), len(self.settings), len(self.rounds), len(self.joins) + 1)
        if hops < 1 or any(count != hops for count in counts):
            raise InputError(
                found=f"{len(self.path)} nodes and {counts} links, lanes, settings, rounds and joins + 1",
                expected="one of each for every hop",
                where="scheme",
            )

    @property
    def purifies(self) -> bool:
        """True if any pair is purified on the way."""
        return self.end_rounds > 0 or any(self.rounds) or any(join.rounds for join in self.joins)


def simple(path: tuple[str, ...], links: tuple[str, ...], lanes: int = 1) -> Scheme:
    """Swap as soon as possible, nothing purified, the same number of lanes on each hop.

    Examples:
        >>> simple(("A", "B"), ("A~B",)).lanes
        (1,)
    """
    hops = len(links)
    return Scheme(path, links, (lanes,) * hops, (None,) * hops, (0,) * hops, Order.ASAP, asap(path))


def turnings(path: Sequence[str], turns: Turns) -> tuple[Turning, ...]:
    """Rotations of segments, from places on the path and the words of the physics room to names and records.

    Examples:
        >>> turnings("ABC", ((0, 2, (("xyz", "zyx"),)),))[0].right
        'C'
    """
    return tuple(
        Turning(path[low], path[high], tuple(Rotation(Axes(keep), Axes(spent)) for keep, spent in rotations))
        for low, high, rotations in turns
    )


def turns(path: Sequence[str], turned: Sequence[Turning]) -> Turns:
    """The inverse of `turnings`.

    Examples:
        >>> turns("ABC", turnings("ABC", ((0, 2, (("xyz", "zyx"),)),)))
        ((0, 2, (('xyz', 'zyx'),)),)
    """
    place = {name: index for index, name in enumerate(path)}
    return tuple(
        (place[each.left], place[each.right], tuple(rotation.words for rotation in each.rotations))
        for each in turned
    )


def points(topology: Topology, scheme: Scheme) -> tuple[OperatingPoint, ...]:
    """Operating point of each hop, left to right.

    Raises:
        UnknownNameError: a link is not in the topology or not where the scheme wants it.
    """
    return tuple(
        operating_point(topology.link(link), left, setting, lanes)
        for link, left, setting, lanes in zip(
            scheme.links, scheme.path, scheme.settings, scheme.lanes, strict=False
        )
    )


def from_plan(plan: Plan) -> Scheme:
    """The decisions of a plan.

    Examples:
        >>> one = LinkPlan("A~B", "A", "B", 1, None, 0, 0.1, 1_000, 0.9)
        >>> asap_plan = Plan(("A", "B"), (one,), Order.ASAP, (), 0, Distillation.DEJMPS, None,
        ...                  Forecast(1.0, 0.0, 0.9, 0.9, 0))
        >>> from_plan(asap_plan).links
        ('A~B',)
    """
    return Scheme(
        path=plan.path,
        links=tuple(link.link for link in plan.links),
        lanes=tuple(link.lanes for link in plan.links),
        settings=tuple(link.setting for link in plan.links),
        rounds=tuple(link.rounds for link in plan.links),
        order=plan.order,
        joins=plan.joins,
        end_rounds=plan.end_rounds,
        distillation=plan.distillation,
        cutoff=plan.cutoff,
        turnings=plan.turnings,
        pumped=plan.pumped,
    )


def to_plan(topology: Topology, scheme: Scheme, forecast: Forecast) -> Plan:
    """A scheme with its forecast, as the record that is installed.

    Raises:
        UnknownNameError: the scheme uses what the topology does not have.
    """
    found = points(topology, scheme)
    links = tuple(
        LinkPlan(
            link=scheme.links[index],
            left=scheme.path[index],
            right=scheme.path[index + 1],
            lanes=scheme.lanes[index],
            setting=point.setting,
            rounds=scheme.rounds[index],
            success=point.success,
            period=point.period,
            fidelity=fidelity(point.fresh),
        )
        for index, point in enumerate(found)
    )
    return Plan(
        path=scheme.path,
        links=links,
        order=scheme.order,
        joins=scheme.joins,
        end_rounds=scheme.end_rounds,
        distillation=scheme.distillation,
        cutoff=scheme.cutoff,
        forecast=forecast,
        turnings=scheme.turnings,
        pumped=scheme.pumped,
        cautions=_cautions(topology, scheme, found),
    )


def cautions(topology: Topology, scheme: Scheme) -> tuple[Caution, ...]:
    """What has to be said of the models behind a scheme: each thing once, with the name of the node or link.

    Raises:
        UnknownNameError: the scheme uses what the topology does not have.

    Examples:
        >>> import math
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> from quantum_fabric.network.topology import LinkView, NodeModel
        >>> from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
        >>> nodes = {n: NodeModel(n, 1, MemoryNoise(math.inf, math.inf), OperationNoise(), 0) for n in "AB"}
        >>> hot = Caution("source", "0.4 pairs", "at most 0.1", "triples are left out")
        >>> link = LinkView("A~B", "A", "B", FixedLink(0.1, (1.0, 0.0, 0.0, 0.0), 1_000), 5_000, 1.0, (hot,))
        >>> network = Topology(nodes, {"A~B": link}, {("A", "B"): 5_000}, "A")
        >>> print(cautions(network, simple(("A", "B"), ("A~B",)))[0].where)
        A~B.source
    """
    return _cautions(topology, scheme, points(topology, scheme))


def _cautions(topology: Topology, scheme: Scheme, found: Sequence[OperatingPoint]) -> tuple[Caution, ...]:
    said = [(name, caution) for name in scheme.path for caution in topology.node(name).cautions]
    for name, point in zip(scheme.links, found, strict=True):
        said += [(name, caution) for caution in (*topology.link(name).cautions, *point.cautions)]
    return tuple(dict.fromkeys(replace(caution, where=f"{name}.{caution.where}") for name, caution in said))
