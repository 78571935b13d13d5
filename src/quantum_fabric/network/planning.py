"""Planning: a request and a topology in, a plan or a refusal out.

The chosen plan has the highest forecast rate among those whose fidelity, less its margin, meets the request, and that
are fast enough and fit into the free memory. The same inputs give the same plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from quantum_fabric.messages import Code, Forecast, LinkRequest, Plan, Refused
from quantum_fabric.network import refusal
from quantum_fabric.network.candidates import Candidates
from quantum_fabric.network.finish import Serving, finish_time
from quantum_fabric.network.methods import Method, chosen_path
from quantum_fabric.network.paths import Path
from quantum_fabric.network.scheme import to_plan
from quantum_fabric.network.search import Found, Search
from quantum_fabric.network.swift import decides, swift
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import Time, show_time

SHOWN = 12
"""Alternatives that `survey` reports."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A plan that lost.

    Attributes:
        plan: with its forecast.
        label: its strategy, for people.
        reason: why it lost, with the numbers.
    """

    plan: Plan
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What planning saw on its way.

    Attributes:
        request: what was asked.
        chosen: the plan, or the refusal.
        label: strategy of the chosen plan, for people; empty for a refusal.
        alternatives: that lost, the best first.
    """

    request: LinkRequest
    chosen: Plan | Refused
    label: str
    alternatives: tuple[Alternative, ...]


def plan(
    topology: Topology,
    request: LinkRequest,
    free: Mapping[str, int] | None = None,
    now: Time = 0,
    method: Method = Method.THOROUGH,
) -> Plan | Refused:
    """The best plan for a request, or why there is none.

    Args:
        topology: what is believed of the network.
        request: what is asked; its numbers have been checked by whoever took it.
        free: free memory slots by node; nodes that are not named, and all for None, have all theirs.
        now: present time, from which the deadline counts (ps).
        method: how to look for it; others than the thorough search are quicker, or there to be compared with.

    Returns:
        A plan, or a refusal: ``NOROUTE`` if the ends are not connected, ``UNSUPP`` if no plan reaches the fidelity,
        ``NOTIME`` if none is fast enough (a deadline must be met with the confidence asked for), ``NORES`` if only the free slots
        are too few. Its offer, where there is one, is accepted on the unchanged topology with the same free slots.

    Raises:
        UnknownNameError: an end is not in the topology.

    Limits:
        The search is a heuristic over a fixed list of strategies and the best paths of a few metrics; see the modules
        `paths`, `purify`, `search`. Purification is by DEJMPS with the rotation before each round found, or by
        pumping where memory is short. Up to one pair in twenty may stay below the fidelity that is
        asked for; such pairs are withheld, and their share is not taken off the forecast rate.

    Examples:
        >>> import math
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> from quantum_fabric.network.topology import LinkView, NodeModel
        >>> from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
        >>> nodes = {n: NodeModel(n, 2, MemoryNoise(math.inf, 1.0), OperationNoise(), 0) for n in "ABC"}
        >>> model = FixedLink(0.1, (0.98, 0.02, 0.0, 0.0), 1_000_000)  # 1 us
        >>> links = {n: LinkView(n, n[0], n[1], model, 0, 0.0) for n in ("AB", "BC")}
        >>> network = Topology(nodes, links, {(a, b): 0 for a in "ABC" for b in "ABC"}, "A")
        >>> found = plan(network, LinkRequest("A", "C", fidelity=0.95))
        >>> found.path, found.links[0].rounds
        (('A', 'B', 'C'), 0)
        >>> refused = plan(network, LinkRequest("A", "C", fidelity=0.9999))
        >>> refused.code.name, plan(network, refused.offer).path
        ('UNSUPP', ('A', 'B', 'C'))
    """
    topology.node(request.source, where="source")
    topology.node(request.destination, where="destination")
    if method is Method.SWIFT and decides(request):
        return swift(topology, request, free, now)
    search = Search(
        Candidates(
            topology, request.source, request.destination, free, _paths(topology, request, free, method)
        )
    )
    found = decide(search, request, now)
    if isinstance(found, Found):
        return to_plan(topology, found.scheme, found.forecast)
    if free is None:
        return found
    return _under_load(topology, request, free, now, found, method)


def _paths(
    topology: Topology, request: LinkRequest, free: Mapping[str, int] | None, method: Method
) -> tuple[Path, ...] | None:
    """The one path of a single metric; None where the search is to find its own."""
    if not method.single:
        return None
    busy = [name for name, slots in (free or {}).items() if slots < 2]
    return chosen_path(topology, request.source, request.destination, method, busy)


def survey(
    topology: Topology, request: LinkRequest, free: Mapping[str, int] | None = None, now: Time = 0
) -> Survey:
    """The same decision as `plan`, with the alternatives that lost and why.

    Args:
        topology: as for `plan`.
        request: as for `plan`.
        free: as for `plan`.
        now: as for `plan`.

    Raises:
        UnknownNameError: an end is not in the topology.
    """
    topology.node(request.source, where="source")
    topology.node(request.destination, where="destination")
    search = Search(Candidates(topology, request.source, request.destination, free))
    found = decide(search, request, now)
    chosen: Plan | Refused
    if isinstance(found, Found):
        chosen = to_plan(topology, found.scheme, found.forecast)
    else:
        chosen = found if free is None else _under_load(topology, request, free, now, found)
    search.cover()
    best = found if isinstance(found, Found) else None
    losers = [each for each in search.sampled.values() if best is None or each.scheme != best.scheme]
    losers.sort(key=lambda each: _standing(each.forecast, request), reverse=True)
    alternatives = tuple(
        Alternative(to_plan(topology, each.scheme, each.forecast), each.label, _why(each, best, request, now))
        for each in losers[:SHOWN]
    )
    return Survey(request, chosen, best.label if best else "", alternatives)


def decide(search: Search, request: LinkRequest, now: Time = 0) -> Found | Refused:
    """The best scheme among the candidates of a search, or why none will do.

    Args:
        search: over the candidates.
        request: what is asked.
        now: present time, from which the deadline counts (ps).
    """
    candidates = search.candidates
    if not candidates.paths:
        return refusal.no_route(candidates.topology, request)
    if not candidates.groups:
        return refusal.no_slots(candidates, request)
    best = search.fastest(request.fidelity, serving(request, now))
    if best is not None:
        return search.completed(best)
    # the fastest come first in a search, so what is looked for is among the samples by now
    any_time = search.fastest(request.fidelity, lambda forecast: forecast.rate > 0.0, budget=0)
    left = None if request.deadline is None else request.deadline - now
    if any_time is not None:
        return refusal.too_slow(request, _surely(search, any_time), left)
    finest = search.finest()
    assert finest is not None  # there are groups
    # when it would be done matters only to who asks for that
    finest = _surely(search, finest) if serving(request).asks else finest
    refused = refusal.unsupported(candidates, request, finest)
    return _checked(search, refused, now)


def serving(request: LinkRequest, now: Time = 0) -> Serving:
    """Whether a forecast is fast enough for a request: its rate, and its chance of meeting the deadline.

    Examples:
        >>> serving(LinkRequest("A", "B", 0.9, rate=5.0))(Forecast(4.0, 0.0, 0.95, 0.95, 0))
        False
    """
    left = None if request.deadline is None else request.deadline - now
    return Serving(request.rate, request.pairs, left, request.confidence)


def _surely(search: Search, found: Found) -> Found:
    """Completed, at the rate that both the quick and the completed forecast have: both are asked when an offer is taken up."""
    whole = search.completed(found)
    rate = min(whole.forecast.rate, found.forecast.rate)
    return replace(whole, forecast=replace(whole.forecast, rate=rate))


def _checked(search: Search, refused: Refused, now: Time) -> Refused:
    """The offer of a refusal may be too late as well: move it to what would be accepted."""
    offer = refused.offer
    if offer is None or search.fastest(offer.fidelity, serving(offer, now), budget=0) is not None:
        return refused
    best = search.fastest(offer.fidelity, lambda forecast: forecast.rate > 0.0, budget=0)
    if best is None:
        return replace(refused, offer=None)
    left = None if offer.deadline is None else offer.deadline - now
    sure = _surely(search, best).forecast
    return replace(refused, offer=refusal.offered(offer, sure, fidelity_too=False, left=left))


def _under_load(
    topology: Topology,
    request: LinkRequest,
    free: Mapping[str, int],
    now: Time,
    refused: Refused,
    method: Method = Method.THOROUGH,
) -> Refused:
    """Tell a network that is busy from one that could not do it anyway."""
    idle = plan(topology, request, None, now, method)
    if isinstance(idle, Refused):
        return replace(idle, offer=refused.offer)
    taken = {
        name: (free.get(name, topology.nodes[name].slots), topology.nodes[name].slots) for name in idle.path
    }
    place = {name: index for index, name in enumerate(idle.path)}
    needs = [0] * len(idle.path)
    for link in idle.links:
        needs[place[link.left]] += link.lanes
        needs[place[link.right]] += link.lanes
    short = min(idle.path, key=lambda name: taken[name][0] / max(1, needs[place[name]]))
    left, whole = taken[short]
    reason = f"{short} has {left} of {whole} memory slots free, the plan for the idle network uses {needs[place[short]]} there"
    return Refused(request.name, Code.NORES, f"memory of {short}", reason, refused.offer)


def _standing(forecast: Forecast, request: LinkRequest) -> tuple[bool, float]:
    good = forecast.fidelity_low >= request.fidelity
    return good, forecast.rate if good else forecast.fidelity_low


def _why(loser: Found, best: Found | None, request: LinkRequest, now: Time) -> str:
    forecast = loser.forecast
    if forecast.rate <= 0.0:
        return "delivered nothing in the rehearsal"
    if forecast.fidelity_low < request.fidelity:
        return f"fidelity {forecast.fidelity_low:.4f} < {request.fidelity:g}"
    if forecast.rate < request.rate:
        return f"rate {forecast.rate:.4g} /s < {request.rate:.4g} /s"
    if not serving(request, now)(forecast):
        what = "a pair" if request.pairs == 1 else f"{request.pairs} pairs"
        return f"takes {show_time(finish_time(forecast, request.pairs))} for {what}: too late"
    if best is not None:
        return f"rate {forecast.rate:.4g} /s against {best.forecast.rate:.4g} /s"
    return (
        "not chosen"
        if request.deadline is None
        else f"too late, or not in time with {100 * request.confidence:.6g}% confidence"
    )
