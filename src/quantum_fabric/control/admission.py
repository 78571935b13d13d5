"""Whether a request can be served, and by which plan: belief and memory, without a letter sent or a slot taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from quantum_fabric.control.constraints import (
    OPEN,
    Broken,
    Closed,
    broken_by,
    closed,
    fewest,
    loosened,
    named,
    unknown,
    without,
)
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.meaning import too_small
from quantum_fabric.control.plan_memory import PlanMemory
from quantum_fabric.control.promises import foremost, missed, special, stricter, unsure
from quantum_fabric.control.rules import lane_room, lanes_wanted, slots_wanted
from quantum_fabric.control.spares import Spares
from quantum_fabric.control.stations import Stations
from quantum_fabric.control.survival import Outliving
from quantum_fabric.control.telling import told_by, untold
from quantum_fabric.messages import ANYWHERE, Code, LinkRequest, Plan, Refused, Survival
from quantum_fabric.network.swift import decides
from quantum_fabric.network.topology import Topology

Planner: TypeAlias = Callable[[Topology, LinkRequest, Mapping[str, int] | None], Plan | Refused]
"""The planner, as admission asks it: topology, question, free slots (None for an idle network)."""

TRIES = 4
"""How often the planner is asked for a better pair, and an offer for a better offer."""

MADE = 16
"""Networks without what is dark or closed to a request that are kept."""

NOBODY: Mapping[str, Plan] = MappingProxyType({})
"""Nobody whose path must not be met."""


class Verdict(NamedTuple):
    """What admission says.

    Attributes:
        answer: the plan, or why there is none.
        queued: whether the plan has to wait for slots.
        backup: what takes over where the plan fails, for a request that must survive that.
        why: what was said of the slots that are free now, where it has to wait.
    """

    answer: Plan | Refused
    queued: bool = False
    backup: Plan | None = None
    why: str = ""


class Admission:
    """Believed topology, what of it is dark, and what was planned for it.

    Args:
        topology: what is believed of the network when everything works.
        ledger: whose slots are free; it is read, never changed.
        planner: answers one question on one topology.
        quick: answers at once what `quantum_fabric.network.swift.decides` says it can; None where nothing does.
        farther: as the planner, but it takes any detour around what is busy; None where the planner does so itself.

    Attributes:
        topology, ledger: as given.
        dark: links that nothing may run on.
        spares: what stands ready for failures.
        outliving: finds what may stand ready.
        memory: what was planned; controllers of equal networks may share it.
    """

    def __init__(
        self,
        topology: Topology,
        ledger: Ledger,
        planner: Planner,
        quick: Planner | None = None,
        farther: Planner | None = None,
    ) -> None:
        self.topology = topology
        self.dark: set[str] = set()
        self.ledger = ledger
        self.stations = Stations(topology, ledger)
        self.spares = Spares(ledger)
        self.outliving = Outliving(self)
        self._planner, self._quick, self._farther = planner, quick, farther
        self._made: dict[tuple[frozenset[str], Closed], Topology] = {}
        self.memory = PlanMemory({name: node.slots for name, node in topology.nodes.items()})

    def working(self) -> Topology:
        """The topology without the links that are dark."""
        return self._left(OPEN)

    def _left(self, shut: Closed) -> Topology:
        """What works and is not closed: made once for each state of the links, since planners keep what they know with it."""
        if not self.dark and shut == OPEN:
            return self.topology
        state = (frozenset(self.dark), shut)
        found = self._made.get(state)
        if found is None:
            if len(self._made) >= MADE:
                del self._made[next(iter(self._made))]
            lit = self.topology.without(links=self.dark) if shut == OPEN else self.working()
            found = self._made[state] = without(lit, shut)
        return found

    def open_to(self, request: LinkRequest, beside: Mapping[str, Plan] = NOBODY) -> Topology:
        """What works and is not closed to a request by its constraints."""
        return self._left(closed(self.topology, request, beside))

    def admit(self, request: LinkRequest, beside: Mapping[str, Plan] = NOBODY) -> Verdict:
        """A plan for the slots that are free now, else one for an idle network that waits for them, else a refusal.

        Args:
            request: whose deadline counts from now.
            beside: plans of the requests that its path must not meet.

        Returns:
            What a refusal offers would be accepted now.
        """
        if request.survives is not Survival.NOTHING:
            return self._outlives(request, beside)
        idle = self.planned(request, None, beside)
        if isinstance(idle, Refused):
            return Verdict(self._with_offer(request, idle, beside))
        if self.fits(idle):
            return Verdict(idle)
        found = self.planned(request, self.ledger.free(), beside)
        if isinstance(found, Plan) and self.fits(found):
            return Verdict(found)
        if self.stations.shut():
            around = Closed(frozenset(), self.stations.shut())
            found = self.planned(request, self.ledger.free(), beside, around)
            if isinstance(found, Plan) and self.fits(found):
                return Verdict(found)
        return Verdict(idle, queued=True, why=found.reason if isinstance(found, Refused) else "")

    def farther(self, request: LinkRequest, beside: Mapping[str, Plan] = NOBODY) -> Plan | None:
        """A plan for the slots that are free now over however long a detour, for a request that cannot wait.

        Args:
            request: whose deadline counts from now.
            beside: plans of the requests that its path must not meet.

        Returns:
            None where there is none, or where no longer detour would have been taken anyway.
        """
        if self._farther is None or not decides(asked(told_by(request, self.topology))):
            return None
        other = copy(self)  # the same belief and books, another planner, nothing remembered
        other._planner, other._quick = self._farther, None
        other.memory = PlanMemory({name: node.slots for name, node in self.topology.nodes.items()})
        found = other.planned(request, self.ledger.free(), beside)
        return found if isinstance(found, Plan) and self.fits(found) else None

    def _outlives(self, request: LinkRequest, beside: Mapping[str, Plan]) -> Verdict:
        """As `admit`, for a request that must survive a failure. It never waits: what stands ready must be there from the start."""
        plain = replace(request, survives=Survival.NOTHING)
        answer = self.planned(plain, None, beside)
        if isinstance(answer, Refused):
            answer = self._with_offer(plain, answer, beside)
            if answer.offer is not None:
                kept = replace(answer.offer, survives=request.survives)
                if self.accepts(kept, _those(kept, beside)):
                    answer = replace(answer, offer=kept)
            return Verdict(answer)
        pair = self.outliving.admit(request, beside)
        if not isinstance(pair, Refused) and (shared := self.stations.touched(pair.backup)):
            reason = f"what would stand ready needs an analyser of station {shared[0]}, and none can be kept for failures"
            return Verdict(Refused(request.name, Code.UNSUPP, f"station {shared[0]}", reason, plain))
        return Verdict(pair) if isinstance(pair, Refused) else Verdict(pair.primary, False, pair.backup)

    def accepts(self, request: LinkRequest, beside: Mapping[str, Plan]) -> bool:
        """Whether a request would get a plan, now or later."""
        return isinstance(self.admit(request, beside).answer, Plan)

    def planned(
        self, request: LinkRequest, free: Mapping[str, int] | None = None, beside: Mapping[str, Plan] = NOBODY,
        more: Closed = OPEN, quick: bool = False,
    ) -> Plan | Refused:  # fmt: skip
        """A plan that keeps all promises, new or remembered, or the first refusal that was met; its offer is not checked.

        Whether anything stands ready for failures is not looked at.

        Args:
            request: whose deadline counts from now.
            free: free slots of each node; None for an idle network.
            beside: plans of the requests that its path must not meet.
            more: what else is closed to it.
            quick: whether a plan that a quick look finds will do; whoever is refused asks again without.
        """
        refused = foremost(unsure(request), unknown(self.topology, request, beside))
        if refused is not None:
            return refused
        shut, target = closed(self.topology, request, beside), request.fidelity
        if more != OPEN:
            shut = Closed(shut.nodes | more.nodes, shut.links | more.links)
        for _ in range(TRIES):
            found = self._ask(replace(request, fidelity=target), free, shut, quick)
            if isinstance(found, Refused):
                break
            late = self.stations.late(request, found)
            missing = foremost(too_small(request, found), missed(request, found, self.topology), late)
            if missing is None:
                return found
            refused, better = missing, stricter(request, found, self.topology)
            if better is None or better <= target:
                break
            target = better
        return refused if refused is not None else found

    def _ask(
        self, request: LinkRequest, free: Mapping[str, int] | None, shut: Closed, quick: bool
    ) -> Plan | Refused:
        def without(links: frozenset[str]) -> Plan | Refused:
            return self._ask_planner(request, free, Closed(shut.nodes, shut.links | links), quick)

        found = without(frozenset())
        return self.stations.apart(found, without) if self.stations else found

    def _ask_planner(
        self, request: LinkRequest, free: Mapping[str, int] | None, shut: Closed, quick: bool
    ) -> Plan | Refused:
        question = asked(told_by(request, self.topology))
        swiftly = self._quick if quick and decides(question) else None
        found = self.memory.recall(
            (question, frozenset(self.dark), shut, swiftly is not None),
            free,
            lambda plan: free is None or all(free[x] >= count for x, count in slots_wanted(plan).items()),
            lambda: (swiftly or self._planner)(self._left(shut), question, free),
        )
        if isinstance(found, Refused) and found.offer is not None:
            return replace(found, offer=restored(untold(found.offer, self.topology), request))
        return found

    def _with_offer(self, request: LinkRequest, refused: Refused, beside: Mapping[str, Plan]) -> Refused:
        """The refusal with an offer that would be accepted: constraints are given up before anything else is."""
        if request.route != ANYWHERE and refused.code in (Code.NOROUTE, Code.UNSUPP, Code.NOTIME):
            found = self._loosened(request, refused, beside)
            if found is not None:
                return found
        if not special(request) and request.route == ANYWHERE and not self.stations:
            return refused  # the planner's own offers are made to be accepted
        offer = refused.offer
        for _ in range(TRIES):
            if offer is None:
                break
            again = self.planned(offer, None, _those(offer, beside))
            if isinstance(again, Plan):
                break
            offer = again.offer
        else:
            offer = None
        return replace(refused, offer=offer)

    def _loosened(self, request: LinkRequest, refused: Refused, beside: Mapping[str, Plan]) -> Refused | None:
        """The refusal by constraints, and the fewest of them to give up; None where it is not they that bind."""
        free = replace(request, route=ANYWHERE)
        plan = self.planned(free)
        if isinstance(plan, Refused) and refused.offer is None and plan.offer is not None:
            # more than the constraints binds: offer what the whole network can give
            free = replace(plan.offer, route=ANYWHERE)
            plan = self.planned(free)
        if isinstance(plan, Refused):
            return None
        broken = broken_by(plan, request, beside)
        if not broken:
            return None

        def eased(given_up: Sequence[Broken]) -> LinkRequest:
            return replace(free, name="", key="", route=loosened(request.route, given_up))

        def serves(given_up: Sequence[Broken]) -> bool:
            offer = eased(given_up)
            return isinstance(self.planned(offer, None, _those(offer, beside)), Plan)

        if not serves(broken):
            return None
        few = fewest(broken, serves)
        reason = f"{named(few)}: without {'it' if len(few) == 1 else 'them'} {' - '.join(plan.path)} would serve; {refused.reason}"
        return replace(
            refused, resource=f"constraint {named(few)}", reason=reason, offer=eased(few), best=refused.best or plan.forecast
        )  # fmt: skip

    def fits(self, plan: Plan) -> bool:
        """Whether the slots, the channels and the analysers of a plan are free now."""
        return (
            self.ledger.fits(slots_wanted(plan))
            and self.ledger.carries(lanes_wanted(plan), lane_room(plan, self.topology))
            and not self.stations.short(plan)
        )

    def ready(self, plan: Plan) -> bool:
        """Whether a plan that stood ready works, and what was set aside for it is there."""
        lit = self.dark.isdisjoint(link.link for link in plan.links)
        room = lane_room(plan, self.topology)
        return (
            lit
            and self.ledger.fits(slots_wanted(plan), aside=True)
            and self.ledger.carries(lanes_wanted(plan), room, aside=True)
        )

    def shrink(self, node: str, slots: int) -> None:
        """From now on a node has no more than so many slots."""
        nodes = dict(self.topology.nodes)
        nodes[node] = replace(nodes[node], slots=slots)
        self.topology = replace(self.topology, nodes=nodes)
        self.memory = PlanMemory({name: each.slots for name, each in nodes.items()})
        self._made.clear()


def _those(request: LinkRequest, beside: Mapping[str, Plan]) -> dict[str, Plan]:
    """Of the plans that must not be met, those that are not given up."""
    return {name: plan for name, plan in beside.items() if name in request.route.disjoint}


def asked(request: LinkRequest) -> LinkRequest:
    """A request with only that left which planning depends on.

    Examples:
        >>> asked(LinkRequest("A", "B", 0.9, name="r", tenant="physics", hold=True)) == LinkRequest("A", "B", 0.9)
        True
    """
    made = LinkRequest(
        request.source, request.destination, request.fidelity, request.pairs, request.rate, request.deadline
    )
    if special(request):
        # a promise that needs a law: a swift planner has to know
        made = replace(
            made,
            confidence=request.confidence,
            promise=request.promise,
            jitter=request.jitter,
            window=request.window,
        )
    return made if request.deadline is None else replace(made, confidence=request.confidence)


def restored(offer: LinkRequest, request: LinkRequest) -> LinkRequest:
    """What planning offers, with all that planning was not asked about; it is another request, so name and key are left out."""
    return replace(
        request, name=offer.name, key="", fidelity=offer.fidelity, pairs=offer.pairs, rate=offer.rate, deadline=offer.deadline
    )  # fmt: skip
