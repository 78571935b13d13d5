"""Requests that must survive a failure: a plan and another that shares nothing with it that may fail, or why there is none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import NamedTuple, Protocol

from quantum_fabric.control.constraints import Closed
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.outliving import chance_though_failed, surest_deadline, switching
from quantum_fabric.control.rules import lane_room, lanes_wanted, slots_wanted
from quantum_fabric.control.spares import Spares, spare
from quantum_fabric.control.stations import Stations
from quantum_fabric.control.telling import telling
from quantum_fabric.messages import Code, LinkRequest, Plan, Refused, Survival
from quantum_fabric.network.disjoint import disjoint_pairs
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import show_time

FIRSTS = 4
"""Plans that are tried as the first of a pair."""

WORDS = {Survival.LINK: "any one link", Survival.NODE: "any one repeater or link"}
"""What may fail, for people."""


class Desk(Protocol):
    """What is needed of admission."""

    topology: Topology
    ledger: Ledger
    spares: Spares
    stations: Stations

    def open_to(self, request: LinkRequest, beside: Mapping[str, Plan]) -> Topology:
        """What works and is not closed to a request."""

    def planned(
        self, request: LinkRequest, free: Mapping[str, int] | None, beside: Mapping[str, Plan], more: Closed,
        quick: bool = False,
    ) -> Plan | Refused:  # fmt: skip
        """A plan that keeps all promises but that of survival; a quick look is taken where that can tell, if it will do."""

    def accepts(self, request: LinkRequest, beside: Mapping[str, Plan]) -> bool:
        """Whether a request would get a plan."""


class Pair(NamedTuple):
    """A plan, and what takes over where it fails."""

    primary: Plan
    backup: Plan


class Outliving:
    """Finds pairs of plans.

    Args:
        desk: admission.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def admit(self, request: LinkRequest, beside: Mapping[str, Plan]) -> Pair | Refused:
        """A pair of plans for what is free now; or a refusal that names the single point of failure, or what else binds.

        Args:
            request: that must survive something; its deadline counts from now.
            beside: plans of the requests that its paths must not meet.

        Returns:
            What a refusal offers would be accepted now.
        """
        found = self._search(request, beside, loaded=True)
        if isinstance(found, Pair):
            return found
        loaded = self._busy()
        idle = self._search(request, beside, loaded=False) if loaded else found
        if isinstance(idle, Pair):
            reason = (
                f"with what is free now no second path stands ready for the failure of {WORDS[request.survives]}: "
                f"{found.reason}"
            )
            found = replace(found, code=Code.NORES, reason=reason, offer=None, best=idle.primary.forecast)
        else:
            found = idle
        return replace(found, request=request.name, offer=self._offer(request, found, beside))

    def backup(
        self, request: LinkRequest, primary: Plan, beside: Mapping[str, Plan], strict: bool = False
    ) -> Plan | Refused:
        """What could stand ready for a plan that is installed.

        Args:
            request: what is owed.
            primary: that is installed.
            beside: plans of the requests that its paths must not meet.
            strict: whether the deadline must be kept however late the failure comes; else what comes next is as good as can be.
        """
        free = self._beside(primary, loaded=True, installed=True)
        wish = request if strict else replace(request, deadline=None)
        found = self._second(wish, primary, free, beside)
        late = self._late(request, primary, found) if strict and isinstance(found, Plan) else None
        if late is not None:
            return late
        if isinstance(found, Plan) and (touched := self._desk.stations.touched(found)):
            reason = f"{' - '.join(found.path)} needs an analyser of station {touched[0]}, and none can be kept for failures"
            return Refused(request.name, Code.UNSUPP, f"station {touched[0]}", reason, None, found.forecast)
        if isinstance(found, Refused) or self._affordable(primary, found, installed=True):
            return found
        return _no_lanes(request, found)

    # ------------------------------------------------------------------------------------------- search

    def _search(self, request: LinkRequest, beside: Mapping[str, Plan], loaded: bool) -> Pair | Refused:
        """The first pair that keeps the promise, or why the best of them does not."""
        refused: Refused | None = None
        slow: Refused | None = None
        for first in islice(self._firsts(request, beside, loaded), FIRSTS):
            if isinstance(first, Refused):
                refused = refused or first
                continue
            alone = self._single_point(request, first, beside)
            if alone is not None:  # there is no need to plan
                return alone
            free = self._beside(first, loaded)
            second = self._second(request, first, free, beside)
            if isinstance(second, Refused):
                if refused is None:
                    reason = (
                        f"{' - '.join(first.path)} would serve, but nothing beside it for the failure of "
                        f"{WORDS[request.survives]}: {second.reason}"
                    )
                    refused = replace(second, reason=reason, best=second.best or first.forecast)
                continue
            late = self._late(request, first, second)
            if late is None and (not loaded or self._affordable(first, second)):
                return Pair(first, second)
            slow = slow if slow is not None else late
            refused = _no_lanes(request, second)
        found = slow if slow is not None else refused
        assert found is not None
        return found

    def _firsts(
        self, request: LinkRequest, beside: Mapping[str, Plan], loaded: bool
    ) -> Iterator[Plan | Refused]:
        """Plans of which each may be the first: the best there is, then those on the pairs of disjoint paths."""
        free = self._halved(request, loaded)
        best = self._desk.planned(request, free, beside, Closed(frozenset(), frozenset()))
        yield best
        topology = self._desk.open_to(request, beside)
        if request.source not in topology.nodes or request.destination not in topology.nodes:
            return
        apart = request.survives is Survival.NODE
        seen = {best.path} if isinstance(best, Plan) else set()
        if not apart:  # both may pass the same repeaters, and need slots there at the same time
            free = self._halved(request, loaded, topology.nodes)
            yield self._desk.planned(request, free, beside, Closed(frozenset(), frozenset()))
        for pair in disjoint_pairs(topology, request.source, request.destination, nodes=apart):
            for path in pair:
                if path.nodes not in seen:
                    seen.add(path.nodes)
                    only = Closed(
                        frozenset(topology.nodes) - set(path.nodes),
                        frozenset(topology.links) - set(path.links),
                    )
                    yield self._planned(request, free, beside, only)

    def _second(
        self, request: LinkRequest, first: Plan, free: Mapping[str, int], beside: Mapping[str, Plan]
    ) -> Plan | Refused:
        nodes = frozenset(first.path[1:-1]) if request.survives is Survival.NODE else frozenset[str]()
        links, shared = frozenset(link.link for link in first.links), self._desk.stations.links
        if shared:  # an analyser cannot be kept for failures: what stands ready does without, if it can
            found = self._planned(request, free, beside, Closed(nodes, links | shared))
            if isinstance(found, Plan):
                return found
        return self._planned(request, free, beside, Closed(nodes, links))

    def _planned(
        self, request: LinkRequest, free: Mapping[str, int], beside: Mapping[str, Plan], more: Closed
    ) -> Plan | Refused:
        """What a quick look finds, else what a thorough one does: what stands ready must do, it need not be the fastest.

        In a busy network the quick look alone has to do, where it can tell: free slots change with each request, and thorough searches
        among too few of them take seconds to find nothing.
        """
        found = self._desk.planned(request, free, beside, more, True)
        if isinstance(found, Plan) or self._busy():
            return found
        return self._desk.planned(request, free, beside, more)

    def _halved(self, request: LinkRequest, loaded: bool, shared: Iterable[str] = ()) -> dict[str, int]:
        """Slots for the first plan: both plans need slots at the ends, and where else they are shared, at the same time."""
        free = self._desk.ledger.free() if loaded else self._all()
        for name in {request.source, request.destination, *shared}:
            free[name] = (free[name] + 1) // 2
        return free

    def _busy(self) -> bool:
        return self._desk.ledger.free() != self._all()

    def _all(self) -> dict[str, int]:
        return {name: node.slots for name, node in self._desk.topology.nodes.items()}

    def _beside(self, first: Plan, loaded: bool, installed: bool = False) -> dict[str, int]:
        """Slots for the second plan: what the first leaves, and what is set aside for failures that cannot touch the first."""
        taken = {} if installed else slots_wanted(first)
        free, spares = (self._desk.ledger.idle() if loaded else self._all()), self._desk.spares
        return {
            name: max(
                0, count - taken.get(name, 0) - (spares.shared(("slots", name), first) if loaded else 0)
            )
            for name, count in free.items()
        }

    def _affordable(self, first: Plan, second: Plan, installed: bool = False) -> bool:
        """Whether all that must be set aside can be, slots and lanes."""
        desk, made = self._desk, spare(first, second)
        idle, taken = desk.ledger.idle(), {} if installed else slots_wanted(first)
        lanes = {} if installed else lanes_wanted(first)
        if not installed and not (
            desk.ledger.fits(taken) and desk.ledger.carries(lanes, lane_room(first, desk.topology))
        ):
            return False
        room = lane_room(second, desk.topology)
        for kind, name in desk.spares.affects(made):
            need = desk.spares.needed((kind, name), made)
            if kind == "slots":
                if need > idle[name] - taken.get(name, 0):
                    return False
            elif name in room:
                alone = not desk.ledger.taken(name)
                if not alone and desk.ledger.lent(name) + need > room[name]:
                    return False
        return True

    # ---------------------------------------------------------------------------------------- refusals

    def _late(self, request: LinkRequest, first: Plan, second: Plan) -> Refused | None:
        """The refusal of a deadline that is missed where the first plan fails at the worst moment."""
        if request.deadline is None:
            return None
        word = telling(request, self._desk.topology)
        switch = switching(first, self._desk.topology)
        one, two = first.forecast, second.forecast
        chance = chance_though_failed(request, one, two, switch, max(1, request.deadline - word))
        if chance >= request.confidence:
            return None
        reason = (
            f"where {' - '.join(first.path)} fails at the worst moment, {' - '.join(second.path)} is done within "
            f"{show_time(request.deadline)} with probability {chance:.3g}; {request.confidence:.6g} is asked"
        )
        later = surest_deadline(request, one, two, switch, request.deadline)
        offer = None if later is None else replace(request, name="", key="", deadline=later + word)
        return Refused(request.name, Code.NOTIME, f"path {' - '.join(second.path)}", reason, offer, one)

    def _single_point(self, request: LinkRequest, first: Plan, beside: Mapping[str, Plan]) -> Refused | None:
        """The refusal that names what is on every path; None where nothing is."""
        open_to = self._desk.open_to(request, beside)
        points = single_points(open_to, first, request.survives is Survival.NODE)
        if not points:
            return None
        kind = "node" if points[0] in open_to.nodes else "link"
        reason = (
            f"every path from {request.source} to {request.destination} goes over {', '.join(points)}: nothing outlives the "
            f"failure of {points[0]}; {' - '.join(first.path)} would serve without survives"
        )
        return Refused(request.name, Code.UNSUPP, f"{kind} {points[0]}", reason, None, first.forecast)

    def _offer(
        self, request: LinkRequest, refused: Refused, beside: Mapping[str, Plan]
    ) -> LinkRequest | None:
        """What would be accepted: less of something that survives as well, else what survives less."""
        offers = []
        if refused.offer is not None:
            offers.append(replace(refused.offer, survives=request.survives))
        if request.survives is Survival.NODE:
            offers.append(replace(request, survives=Survival.LINK))
        offers.append(replace(request, survives=Survival.NOTHING))
        if refused.offer is not None:
            offers.append(replace(refused.offer, survives=Survival.NOTHING))
        for each in offers:
            offer = replace(each, name="", key="")
            named = {name: plan for name, plan in beside.items() if name in offer.route.disjoint}
            if self._desk.accepts(offer, named):
                return offer
        return None


def _no_lanes(request: LinkRequest, second: Plan) -> Refused:
    path = " - ".join(second.path)
    reason = f"{path} could take over, but what it needs there is kept for others"
    return Refused(request.name, Code.NORES, f"path {path}", reason, None, second.forecast)


def single_points(topology: Topology, plan: Plan, nodes: bool) -> tuple[str, ...]:
    """Repeaters and links of a path that every path between its ends uses.

    Args:
        topology: what is open.
        plan: with a path on it.
        nodes: whether repeaters count.

    Examples:
        >>> from quantum_fabric.documents import inventory, load_network, topology
        >>> from quantum_fabric.network import plan as make_plan
        >>> chicago = topology(inventory(load_network("chicago")))
        >>> made = make_plan(chicago, LinkRequest("NU", "Argonne_1", 0.8))
        >>> single_points(chicago, made, nodes=True)[:1]
        ('StarLight',)
    """
    repeaters = plan.path[1:-1] if nodes else ()
    found = [name for name in repeaters if not _reach(topology, plan.path[0], plan.path[-1], {name}, set())]
    found += [
        link.link
        for link in plan.links
        if not _reach(topology, plan.path[0], plan.path[-1], set(), {link.link})
    ]
    return tuple(found)


def _reach(topology: Topology, start: str, goal: str, nodes: Collection[str], links: Collection[str]) -> bool:
    """Whether there is a path that uses none of these."""
    seen, front = {start}, [start]
    while front:
        node = front.pop()
        for link in topology.links_at(node):
            other = link.other(node)
            if link.name not in links and other not in nodes and other not in seen:
                if other == goal:
                    return True
                seen.add(other)
                front.append(other)
    return False
