"""Why a request cannot be served, in numbers, and what to offer instead.

The binding resource is found by taking the noise away piece by piece at the best settings: if even fresh pairs and
perfect swaps miss the fidelity, the links bind; if noisy swaps do, a node's operations; otherwise its memory.
"""

from __future__ import annotations

import math
from dataclasses import replace

from quantum_fabric.messages import Code, Forecast, LinkRequest, Refused
from quantum_fabric.network.candidates import Candidates
from quantum_fabric.network.chain import Chain, chain
from quantum_fabric.network.finish import NEVER, chance_by, finish_time, finished_by
from quantum_fabric.network.scheme import Scheme
from quantum_fabric.network.search import Found
from quantum_fabric.network.topology import Topology
from quantum_fabric.physics.correlators import fidelity
from quantum_fabric.units import SECOND, Time, show_time


def floored(value: float, digits: int = 3) -> float:
    """A number cut to so many decimals, never above itself.

    Examples:
        >>> floored(0.94399), floored(0.944)
        (0.943, 0.944)
    """
    scale: float = 10.0**digits
    down: float = math.floor(value * scale + 1e-9) / scale
    lower: float = down - 1.0 / scale
    return down if down <= value else lower


def significant(value: float, digits: int = 3) -> float:
    """A positive number cut to so many significant digits, never above itself; 0 stays 0.

    Examples:
        >>> significant(1239.9), significant(0.0)
        (1230.0, 0.0)
    """
    if value <= 0.0:
        return 0.0
    return min(value, floored(value, digits - 1 - math.floor(math.log10(value))))


def link_fidelity_needed(target: float, segments: int) -> float:
    """Fidelity of each of n equal Werner pairs so that swaps without noise reach a target: w^(1/n), w = (4F-1)/3.

    Examples:
        >>> round(link_fidelity_needed(0.98, 8), 4)  # control-plane.md, finding 9
        0.9975
    """
    werner = (4.0 * target - 1.0) / 3.0
    return (3.0 * math.exp(math.log(werner) / segments) + 1.0) / 4.0


def no_route(topology: Topology, request: LinkRequest) -> Refused:
    """The ends are not connected, or only by links that store no pairs."""
    fleeting = {name for name, link in topology.links.items() if not link.model.stores}
    seen, kept = _reach(topology, request.source), _reach(topology.without(links=fleeting), request.source)
    if request.destination in seen and fleeting:
        reason = (
            f"every way from {request.source} to {request.destination} has a link whose photons are measured at both ends; "
            "no memory holds its pairs"
        )
        return Refused(
            request.name, Code.UNSUPP, f"memories at the links {', '.join(sorted(fleeting))}", reason
        )
    if not topology.links_at(request.destination):
        return Refused(
            request.name, Code.NOROUTE, f"node {request.destination}", "no working link ends there"
        )
    reached = f"{len(kept)} of {len(topology.nodes)} nodes are within its reach"
    reason = f"{request.destination} cannot be reached from {request.source} over working links ({reached})"
    return Refused(
        request.name, Code.NOROUTE, f"links between {request.source} and {request.destination}", reason
    )


def _reach(topology: Topology, source: str) -> list[str]:
    """Nodes that a path from the source can get to, in order of discovery."""
    seen = [source]
    for name in seen:
        node = topology.nodes[name]
        if name == source or (node.relays and node.slots >= 2):
            seen += [each for each in topology.neighbours(name) if each not in seen]
    return seen


def no_slots(candidates: Candidates, request: LinkRequest) -> Refused:
    """No strategy fits into the memories: the network could not do it even when idle."""
    path = candidates.paths[0]
    slots = {name: candidates.topology.nodes[name].slots for name in path.nodes}
    need = {name: 1 if name in (path.nodes[0], path.nodes[-1]) else 2 for name in path.nodes}
    short = min(path.nodes, key=lambda name: slots[name] - need[name])
    reason = f"{short} has {slots[short]} memory slots, the shortest path needs {need[short]} there"
    return Refused(request.name, Code.UNSUPP, f"memory of {short}", reason)


def unsupported(candidates: Candidates, request: LinkRequest, finest: Found) -> Refused:
    """The fidelity is out of reach."""
    resource, reason = _binding(candidates, request.fidelity, finest)
    offer = offered(request, finest.forecast, fidelity_too=True)
    return Refused(request.name, Code.UNSUPP, resource, reason, offer, finest.forecast)


def too_slow(request: LinkRequest, best: Found, left: Time | None) -> Refused:
    """The fidelity can be had, but not at that rate or by that time."""
    forecast = best.forecast
    path = best.scheme.path
    slowest = f"path {' - '.join(path)}"
    if forecast.rate < request.rate:
        reason = f"rate {request.rate:.4g} /s asked, {forecast.rate:.4g} /s is the most at fidelity {request.fidelity:g}"
    else:
        left = max(left or 0, 0)
        mean = finish_time(forecast, request.pairs)
        sure = finished_by(forecast, request.pairs, request.confidence)
        what = "a pair" if request.pairs == 1 else f"{request.pairs} pairs"
        within = (
            f"{show_time(sure)} with {100 * request.confidence:.6g}% confidence"
            if sure < NEVER
            else "more than can be said"
        )
        chance = chance_by(forecast, request.pairs, left)
        reason = (
            f"{what} at fidelity {request.fidelity:g}: {show_time(mean)} on average, {within}; {show_time(left)} left "
            f"(chance {chance:.2g})"
        )
    offer = offered(request, forecast, fidelity_too=False, left=left)
    return Refused(request.name, Code.NOTIME, slowest, reason, offer, forecast)


def offered(
    request: LinkRequest, forecast: Forecast, *, fidelity_too: bool, left: Time | None = None
) -> LinkRequest | None:
    """The request with what this forecast cannot give reduced to what it can; None if that is no entanglement.

    Args:
        request: as asked.
        forecast: of the plan that is to serve the offer.
        fidelity_too: reduce the fidelity as well.
        left: time until the deadline (ps), None without one.
    """
    target = min(request.fidelity, floored(forecast.fidelity_low)) if fidelity_too else request.fidelity
    if target <= 0.5 or forecast.rate <= 0.0:
        return None
    deadline = request.deadline
    finish = finished_by(forecast, request.pairs, request.confidence)
    if finish >= NEVER:
        deadline = None  # no time can be named
    elif deadline is not None and left is not None and finish > left:
        deadline += math.ceil((finish - left) * 1.01) + 1
    rate = request.rate if request.rate <= forecast.rate else significant(forecast.rate)
    return replace(request, fidelity=target, rate=rate, deadline=deadline)


def near_one(fidelity: float) -> str:
    """Write a fidelity with as many digits as it takes to tell it from 1.

    Examples:
        >>> near_one(0.89), near_one(0.99747), near_one(0.9999667)
        ('0.89', '0.9975', '0.999967')
    """
    digits = 4 if fidelity >= 1.0 else max(4, 1 - math.floor(math.log10(1.0 - fidelity)))
    return f"{fidelity:.{digits}f}".rstrip("0").rstrip(".")


def _binding(candidates: Candidates, target: float, finest: Found) -> tuple[str, str]:
    scheme = finest.scheme
    numbers = chain(candidates.topology, scheme)
    hops = len(scheme.links)
    fresh = [fidelity(hop.fresh) for hop in numbers.hops]
    worst = min(range(hops), key=lambda index: fresh[index])
    needed = link_fidelity_needed(target, hops)
    how = f"{finest.label}{_cut(scheme)}, {finest.forecast.rate:.3g} /s"
    best = f"the best that was found is {finest.forecast.fidelity_low:.4f} ({how})"
    without = " without purification" if scheme.purifies or hops > 1 else ""
    if _ideal(numbers, swaps=False) < target and not _purifies_past(scheme, fresh, needed):
        where = f"needed on each of {hops} segments{without}" if hops > 1 else f"asked{without}"
        return (
            f"link {scheme.links[worst]}",
            f"link fidelity {fresh[worst]:.4g} < {near_one(needed)} {where}; {best}",
        )
    noisiest = min(range(1, hops), key=lambda index: sum(numbers.stations[index].factors), default=None)
    if noisiest is not None and _ideal(numbers, swaps=True) < target:
        reached = _ideal(numbers, swaps=True)
        return (
            f"operations of {scheme.path[noisiest]}",
            f"with the noise of {hops - 1} swaps fresh pairs give {reached:.4f} < {target:g}; {best}",
        )
    shortest = max(range(hops + 1), key=lambda index: numbers.stations[index].rates[0])
    limit = numbers.stations[shortest].rates[0]
    memory = f"T2 {show_time(round(SECOND / limit))}" if limit > 0.0 else "T2"
    wait = show_time(round(SECOND * max(hop.mean_time / hop.lanes for hop in numbers.hops)))
    return (
        f"memory of {scheme.path[shortest]}",
        f"pairs wait about {wait} for the slowest link against {memory} of {scheme.path[shortest]}; {best}",
    )


def _purifies_past(scheme: Scheme, fresh: list[float], needed: float) -> bool:
    """True if links are not the point, because their purification would do but for waiting and noise."""
    return scheme.purifies and min(fresh) >= needed


def _ideal(numbers: Chain, *, swaps: bool) -> float:
    """Fidelity from fresh pairs that nobody waits for; with the noise of the swaps or without."""
    x, y, z = 1.0, 1.0, 1.0
    for hop in numbers.hops:
        x, y, z = x * hop.fresh[0], y * hop.fresh[1], z * hop.fresh[2]
    if swaps:
        for station in numbers.stations[1:-1]:
            x, y, z = x * station.factors[0], y * station.factors[1], z * station.factors[2]
    return fidelity((x, y, z))


def _cut(scheme: Scheme) -> str:
    return "" if scheme.cutoff is None else f", cutoff {show_time(scheme.cutoff)}"
