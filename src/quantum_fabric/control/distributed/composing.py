"""A path over several domains: planned on what they tell, asked of each, and checked once more on what they offer.

To the planner a segment is a link whose knob is the fidelity that is asked of it, and a border node is a repeater. So the same
functions that plan inside a domain choose domains, share the loss of fidelity out between them, and forecast what comes of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from quantum_fabric.control.distributed.belief import believed
from quantum_fabric.control.distributed.territory import without_links
from quantum_fabric.control.rules import compile_rules, retention
from quantum_fabric.messages import (
    Code,
    DeliverRule,
    Duty,
    GenerateRule,
    LinkRequest,
    LinkState,
    Plan,
    Refused,
    SegmentAsk,
    SegmentOffered,
)
from quantum_fabric.network.methods import Method
from quantum_fabric.network.planning import plan as make_plan
from quantum_fabric.network.told import CurveLink
from quantum_fabric.network.topology import LinkView, Topology
from quantum_fabric.units import Time

DETOURS = 6
"""Paths that pass a domain twice are avoided this often before it is said that there is none."""


@dataclass(frozen=True, slots=True)
class Composition:
    """A path over several domains.

    Attributes:
        plan: over ports; its links are segments and crossings.
        topology: that it was made on.
        seats: (seat, its ports on the path), from the source on.
    """

    plan: Plan
    topology: Topology
    seats: tuple[tuple[str, tuple[str, ...]], ...]


def compose(
    request: LinkRequest,
    states: Iterable[LinkState],
    delays: Mapping[tuple[str, str], Time],
    home: str,
    excluded: Collection[str] = (),
) -> Composition | Refused:
    """A path over domains for a request, from what they tell.

    Args:
        request: its deadline counts from now.
        states: valid link states; that of the own domain has the source among its ports.
        delays: classical delays.
        home: node of the seat that composes.
        excluded: segments and crossings that are not to be used.

    Returns:
        A refusal has no offer, because what others tell is not what they promise.
    """
    told = list(states)
    owner = {node.name: state.origin for state in told for node in state.nodes}
    if request.destination not in owner:
        reason = f"no domain that can be heard tells of {request.destination}"
        return Refused(request.name, Code.NOROUTE, "domains", reason)
    shut = set(excluded)
    for _ in range(DETOURS):
        topology = _outside(request, told, delays, home, shut)
        found = make_plan(topology, replace(request, name="", hold=False), method=Method.SWIFT)
        if isinstance(found, Refused):
            return replace(found, request=request.name, offer=None)
        twice = _twice(found, owner)
        if twice is None:
            return Composition(found, topology, _grouped(found, owner))
        shut.add(twice)
    return Refused(request.name, Code.NOROUTE, "domains", "every path that was found passes a domain twice")


def _outside(
    request: LinkRequest, told: list[LinkState], delays: Mapping[tuple[str, str], Time], home: str, shut: Collection[str]
) -> Topology:  # fmt: skip
    """Ports, segments and crossings; nobody passes a port that is not at a border, and one lane is used everywhere."""
    ends = {request.source, request.destination}
    borders = {end for state in told for link in state.links if not link.segment for end in (link.a, link.b)}
    slots: dict[str, int] = {}
    kept = []
    for state in told:
        nodes = tuple(node for node in state.nodes if node.name in borders | ends)
        for node in nodes:
            slots[node.name] = min(node.free, 1 if node.name in ends else 2)
        kept.append(replace(state, nodes=nodes, links=without_links(state.links, shut)))
    return believed(kept, delays, home, slots)


def _twice(plan: Plan, owner: Mapping[str, str]) -> str | None:
    """A link whose exclusion keeps a path from passing a domain twice; None where it does not."""
    seen: set[str] = set()
    before, inside = "", 0
    for place, name in enumerate(plan.path):
        seat = owner[name]
        if seat == before:
            inside += 1
            if inside > 1:  # two segments of one domain
                return plan.links[place - 1].link
        elif seat in seen:
            return plan.links[place - 1].link
        else:
            inside = 0
        seen.add(seat)
        before = seat
    return None


def _grouped(plan: Plan, owner: Mapping[str, str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    groups: dict[str, list[str]] = {}
    for name in plan.path:
        groups.setdefault(owner[name], []).append(name)
    return tuple((seat, tuple(names)) for seat, names in groups.items())


def asks(found: Composition, epoch: int, head: str, rate: float) -> list[SegmentAsk]:
    """What each domain of a path is asked.

    Args:
        found: the path.
        epoch: of the installation.
        head: seat that asks.
        rate: of pairs per second that each has to give.
    """
    plan = found.plan
    fidelities = {}
    for link in plan.links:
        model = found.topology.links[link.link].model
        if isinstance(model, CurveLink) and model.stepped:
            told = model.curve[-1].setting if link.setting is None else link.setting
            fidelities[frozenset((link.left, link.right))] = told or 0.0
    out = []
    for seat, ports in found.seats:
        crossings = tuple(
            (link.link, port)
            for link in plan.links
            for port in (link.left, link.right)
            if port in ports and not {link.left, link.right} <= set(ports)
        )
        fidelity = fidelities.get(frozenset(ports), 0.0) if len(ports) > 1 else 0.0
        out.append(SegmentAsk(epoch, head, seat, ports[0], ports[-1], fidelity, rate, crossings))
    return out


def promised(
    request: LinkRequest, found: Composition, offers: Mapping[str, SegmentOffered]
) -> Composition | Refused:
    """The path once more, with the numbers that are offered instead of those that were told.

    Args:
        request: its deadline counts from now.
        found: the path.
        offers: by seat.

    Returns:
        A refusal where what is offered does not do together.
    """
    links: dict[str, LinkView] = {}
    for link in found.plan.links:
        view = found.topology.links[link.link]
        seat = next((name for name, ports in found.seats if {link.left, link.right} <= set(ports)), None)
        point = None if seat is None else offers[seat].point
        links[link.link] = view if point is None else replace(view, model=CurveLink((point,), stepped=True))
    nodes = {name: found.topology.nodes[name] for name in found.plan.path}
    topology = Topology(nodes, links, found.topology.delays, found.topology.controller)
    again = make_plan(topology, replace(request, name="", hold=False), method=Method.SWIFT)
    if isinstance(again, Refused):
        return replace(again, request=request.name, offer=None)
    return Composition(again, topology, found.seats)


def duties(
    found: Composition, epoch: int, hold: bool, ends: tuple[DeliverRule, DeliverRule]
) -> dict[str, tuple[Duty, ...]]:
    """What the ports of each domain have to do beyond their segments, by seat.

    Args:
        found: the path.
        epoch: its number is that of the lane of each crossing too, which nobody else can have.
        hold: whether delivered pairs are kept.
        ends: what source and destination do with pairs.
    """
    plan, topology = found.plan, found.topology
    slots = dict.fromkeys(plan.path, (0, 1))
    lanes = {link.link: (epoch << 8,) for link in plan.links}
    rules = compile_rules(plan, topology, slots, lanes, hold, ends)
    segments = {
        name
        for name, link in topology.links.items()
        if isinstance(link.model, CurveLink) and link.model.stepped
    }
    out = {}
    for seat, ports in found.seats:
        out[seat] = tuple(
            Duty(
                name,
                tuple(
                    rule
                    for rule in rules[name]
                    if not (isinstance(rule, GenerateRule) and rule.link in segments)
                ),
            )
            for name in ports
        )
    return out


def remembered(found: Composition, offers: Mapping[str, SegmentOffered]) -> Time:
    """For how long nodes have to remember where chains went on, ps."""
    return retention(found.plan, found.topology) + sum(offer.retention for offer in offers.values())
