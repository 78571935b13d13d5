"""Requests that several disjoint paths serve at once: which paths, which slots for each, and what they promise together.

All of it is booked, or nothing: a request of this kind never waits for slots. Each path keeps the floor of fidelity by itself, the
rates add up, and a deadline is met by all paths together (`quantum_fabric.network.joint`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from quantum_fabric.control.admission import Admission
from quantum_fabric.control.constraints import Closed, closed, unknown, without
from quantum_fabric.control.promises import foremost, unsure
from quantum_fabric.control.rules import slots_wanted
from quantum_fabric.control.telling import telling
from quantum_fabric.messages import Code, LinkRequest, Plan, Refused
from quantum_fabric.network.atlas import METRICS
from quantum_fabric.network.disjoint import disjoint_paths
from quantum_fabric.network.finish import NEVER
from quantum_fabric.network.joint import chance_together, finished_together, joint
from quantum_fabric.network.paths import Path
from quantum_fabric.network.refusal import significant
from quantum_fabric.units import Time, show_time

LATER = 100
"""An offered deadline is later by one part in so many than the first that would do."""


def several(
    admission: Admission, request: LinkRequest, beside: Mapping[str, Plan]
) -> tuple[Plan, ...] | Refused:
    """Plans of the paths that serve a request together, for the slots that are free now; else for an idle network; else why not.

    Args:
        admission: what is believed, and what is free.
        request: for two paths or more; its deadline counts from now.
        beside: plans of the requests that it must not meet.

    Returns:
        The plans, the cheapest path first. Whether they fit now is asked with `merged`. What a refusal offers would be accepted by an
        idle network.

    Limits:
        The slots of the two ends are shared out evenly, and what one path leaves goes to the next; both orders are tried. Sets of
        paths are those with the least sums of the metrics of `quantum_fabric.network.atlas`.
    """
    refused = foremost(unsure(request), unknown(admission.topology, request, beside))
    if refused is not None:
        return refused
    found = _Search(admission, request, beside, admission.ledger.free()).best()
    if isinstance(found, Refused):
        found = _Search(admission, request, beside, None).best()
    return _with_offer(admission, request, found, beside) if isinstance(found, Refused) else found


class _Search:
    """One look for paths, with some slots free."""

    def __init__(
        self,
        admission: Admission,
        request: LinkRequest,
        beside: Mapping[str, Plan],
        free: Mapping[str, int] | None,
    ) -> None:
        self._admission, self._request, self._beside, self._free = admission, request, beside, free
        self._whole = {name: node.slots for name, node in admission.topology.nodes.items()}

    def best(self) -> tuple[Plan, ...] | Refused:
        """The set of plans of the greatest joint rate that keeps all promises, or the refusal that came nearest."""
        request, refused = self._request, None
        best: tuple[Plan, ...] = ()
        sets = self._sets()
        if isinstance(sets, Refused):
            return sets
        for paths in sets:
            for order in (1, -1):
                found = self._planned(paths, order)
                if isinstance(found, Refused):
                    refused = refused or found
                elif not best or _rate(found) > _rate(best):
                    best = found
        if not best:
            assert refused is not None  # there are sets
            return refused
        topology, stations = self._admission.topology, self._admission.stations
        slow = too_slow(request, best, telling(request, topology) + stations.settling(merged(best)))
        return best if slow is None else slow

    def _sets(self) -> list[tuple[Path, ...]] | Refused:
        request, admission = self._request, self._admission
        topology = without(admission.working(), closed(admission.topology, request, self._beside))
        wanted, most = request.route.paths, 0
        busy = [name for name, free in (self._free or {}).items() if free < 2]
        found: dict[frozenset[Path], tuple[Path, ...]] = {}
        if request.source in topology.nodes and request.destination in topology.nodes:
            for metric in METRICS:
                paths = disjoint_paths(topology, request.source, request.destination, wanted, metric, busy)
                most = max(most, len(paths))
                if len(paths) == wanted:
                    found[frozenset(paths)] = paths
        if found:
            return list(found.values())
        reason = f"{wanted} paths without a common link or repeater are asked, and there {'is' if most == 1 else 'are'} {most}"
        return Refused(request.name, Code.NOROUTE, f"{wanted} disjoint paths", reason)

    def _planned(self, paths: Sequence[Path], order: int) -> tuple[Plan, ...] | Refused:
        """A plan on each path, one after the other, each with its share of the slots that are left at the ends."""
        request, ends = self._request, (self._request.source, self._request.destination)
        left = dict(self._whole if self._free is None else self._free)
        single = replace(request, rate=0.0, deadline=None, route=replace(request.route, paths=1))
        plans: dict[Path, Plan] = {}
        for index, path in enumerate(paths[::order]):
            share = len(paths) - index
            free = left | {end: -(-left[end] // share) for end in ends}
            shut = Closed(frozenset(self._admission.topology.nodes) - set(path.nodes), frozenset())
            found = self._admission.planned(single, free, self._beside, shut)
            if isinstance(found, Refused):
                return _on(path, found)
            plans[path] = found
            for name, count in slots_wanted(found).items():
                left[name] -= count
        whole = merged([plans[path] for path in paths])
        for station, count in self._admission.stations.too_few(whole).items():
            reason = f"the paths together need {count} more analyser{'s' if count > 1 else ''} of station {station} than it has"
            return Refused(request.name, Code.UNSUPP, f"station {station}", reason, None, whole.forecast)
        return tuple(plans[path] for path in paths)


def merged(plans: Sequence[Plan]) -> Plan:
    """All that several plans need, as if they were one, with their joint forecast: for the books, not for nodes.

    Examples:
        >>> from quantum_fabric.messages import Distillation, Forecast, LinkPlan, Order
        >>> def straight(middle, rate):
        ...     links = tuple(LinkPlan(a + b, a, b, 1, None, 0, 0.1, 1_000, 0.9) for a, b in (("A", middle), (middle, "C")))
        ...     return Plan(("A", middle, "C"), links, Order.ASAP, (), 0, Distillation.DEJMPS, None, Forecast(rate, 0.0, 0.9, 0.9, 9))
        >>> both = merged([straight("B", 2.0), straight("D", 3.0)])
        >>> both.path, both.forecast.rate, slots_wanted(both)["A"]
        (('A', 'B', 'D', 'C'), 5.0, 2)
    """
    first = plans[0]
    inner = [name for plan in plans for name in plan.path[1:-1]]
    return replace(
        first,
        path=(first.path[0], *inner, first.path[-1]),
        links=tuple(link for plan in plans for link in plan.links),
        forecast=joint([plan.forecast for plan in plans]),
    )


def _rate(plans: Sequence[Plan]) -> float:
    return sum(plan.forecast.rate for plan in plans)


def _on(path: Path, found: Refused) -> Refused:
    """The refusal of one path, which binds all."""
    way = " - ".join(path.nodes)
    return replace(found, resource=f"path {way}", reason=f"path {way}: {found.resource}: {found.reason}")


def too_slow(request: LinkRequest, plans: Sequence[Plan], news: Time) -> Refused | None:
    """The refusal of a rate or a deadline that all paths together do not keep; None where they do.

    Args:
        request: whose deadline counts from now.
        plans: of all paths.
        news: what is lost of the time that is left, ps: while shared stations connect the links, and while word of a complete pair is
            on its way to the controller (it counts when that knows of it).
    """
    forecasts = [plan.forecast for plan in plans]
    whole = joint(forecasts)
    slowest = " - ".join(min(plans, key=lambda plan: plan.forecast.rate).path)
    rates = " + ".join(f"{forecast.rate:.4g}" for forecast in forecasts)
    offer, reason = request, ""
    if whole.rate < request.rate:
        reason = f"rate {request.rate:.4g} /s asked; the paths give {rates} = {whole.rate:.4g} /s"
        offer = replace(offer, rate=significant(whole.rate))
    if request.deadline is not None:
        chance = chance_together(forecasts, request.pairs, max(0, request.deadline - news))
        if chance < request.confidence:
            surely = finished_together(forecasts, request.pairs, request.confidence)
            surely = surely if surely >= NEVER else surely + news
            reason = reason or (
                f"{request.pairs} pairs of {len(plans)} paths ({rates} /s): {show_time(surely)} with "
                f"{100 * request.confidence:.6g}% confidence; {show_time(request.deadline)} left (chance {chance:.2g})"
            )
            offer = replace(offer, deadline=None if surely >= NEVER else surely + surely // LATER + 1)
    if not reason:
        return None
    return Refused(
        request.name, Code.NOTIME, f"path {slowest}", reason, replace(offer, name="", key=""), whole
    )


def _with_offer(
    admission: Admission, request: LinkRequest, refused: Refused, beside: Mapping[str, Plan]
) -> Refused:
    """The refusal with an offer that an idle network would accept: fewer paths, else what came out of the planner."""
    offers = [refused.offer] if refused.code is Code.NOTIME and refused.offer is not None else []
    route = request.route
    plain = replace(request, name="", key="")
    offers += [replace(plain, route=replace(route, paths=paths)) for paths in range(route.paths - 1, 0, -1)]
    if refused.offer is not None and refused.code is not Code.NOTIME:
        offers.append(replace(refused.offer, route=route, rate=request.rate, deadline=request.deadline))
    for offer in offers:
        if serves(admission, offer, beside):
            return replace(refused, offer=offer)
    # what one path can give is offered in the end
    last = admission.admit(replace(plain, route=replace(route, paths=1)), beside).answer
    return replace(refused, offer=last.offer if isinstance(last, Refused) else None)


def serves(admission: Admission, request: LinkRequest, beside: Mapping[str, Plan]) -> bool:
    """Whether a request for one path or more would get its plans."""
    if request.route.paths > 1:
        found = _Search(admission, request, beside, None).best()
        return not isinstance(found, Refused) and admission.fits(merged(found))
    return admission.accepts(request, beside)
