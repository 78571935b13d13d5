"""Whether a request can be served, and by which plan: belief and memory, without a letter sent or a slot taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.meaning import too_small
from quantum_fabric.control.plan_memory import PlanMemory
from quantum_fabric.control.rules import lane_room, lanes_wanted, slots_wanted
from quantum_fabric.messages import ANYWHERE, LinkRequest, Plan, Promise, Refused, Service, Survival
from quantum_fabric.network.topology import Topology

Planner: TypeAlias = Callable[[Topology, LinkRequest, Mapping[str, int] | None], Plan | Refused]
"""The planner, as admission asks it: topology, question, free slots (None for an idle network)."""


class Verdict(NamedTuple):
    """What admission says.

    Attributes:
        answer: the plan, or why there is none.
        queued: whether the plan has to wait for slots.
    """

    answer: Plan | Refused
    queued: bool = False


class Admission:
    """Believed topology, what of it is dark, and what was planned for it.

    Args:
        topology: what is believed of the network when everything works.
        ledger: whose slots are free; it is read, never changed.
        planner: answers one question on one topology.
    """

    def __init__(self, topology: Topology, ledger: Ledger, planner: Planner) -> None:
        self.topology = topology
        self.dark: set[str] = set()
        self._ledger = ledger
        self._planner = planner
        self._memory = PlanMemory({name: node.slots for name, node in topology.nodes.items()})

    def working(self) -> Topology:
        """The topology without the links that are dark."""
        return self.topology.without(links=tuple(sorted(self.dark))) if self.dark else self.topology

    def admit(self, request: LinkRequest) -> Verdict:
        """A plan for the slots that are free now, else one for an idle network that waits for them, else a refusal.

        Args:
            request: whose deadline counts from now.

        Returns:
            What a refusal offers would be accepted now.
        """
        idle = self.planned(request)
        if isinstance(idle, Refused):
            return Verdict(idle)
        if self.fits(idle):
            return Verdict(idle)
        found = self.planned(request, self._ledger.free())
        if isinstance(found, Plan) and self.fits(found):
            return Verdict(found)
        return Verdict(idle, queued=True)

    def planned(self, request: LinkRequest, free: Mapping[str, int] | None = None) -> Plan | Refused:
        """A plan, new or remembered.

        Args:
            request: whose deadline counts from now.
            free: free slots of each node; None for an idle network.
        """
        question = asked(request)
        found = self._memory.recall(
            (question, frozenset(self.dark)),
            free,
            lambda plan: self._ledger.fits(slots_wanted(plan)),
            lambda: self._planner(self.working(), question, free),
        )
        if isinstance(found, Refused) and found.offer is not None:
            return replace(found, offer=restored(found.offer, request))
        short = too_small(request, found) if isinstance(found, Plan) else None
        return found if short is None else short

    def fits(self, plan: Plan) -> bool:
        """Whether the slots and the channels of a plan are free now."""
        lanes = self._ledger.carries(lanes_wanted(plan), lane_room(plan, self.topology))
        return lanes and self._ledger.fits(slots_wanted(plan))


def asked(request: LinkRequest) -> LinkRequest:
    """A request with only that left which planning depends on.

    Examples:
        >>> asked(LinkRequest("A", "B", 0.9, name="r", tenant="physics", hold=True))
        LinkRequest(source='A', destination='B', fidelity=0.9, pairs=1, rate=0.0, deadline=None, hold=False, name='', \
service=<Service.KEEP: 'keep'>, bell=None, confidence=0.95, promise=<Promise.DELIVERY: 'delivery'>, window=None, jitter=None, \
tenant='', priority=0, preemptible=False, route=Route(avoid=(), trusted=None, disjoint=()), survives=<Survival.NOTHING: 'nothing'>, \
key='', bases=('X', 'Z'))
    """
    return replace(
        request, name="", hold=False, service=Service.KEEP, bell=None, promise=Promise.DELIVERY, window=None, jitter=None,
        tenant="", priority=0, preemptible=False, route=ANYWHERE, survives=Survival.NOTHING, key="",
        bases=("X", "Z"),
    )  # fmt: skip


def restored(offer: LinkRequest, request: LinkRequest) -> LinkRequest:
    """What planning offers, with all that planning was not asked about; it is another request, so name and key are left out."""
    return replace(
        request, name=offer.name, key="", fidelity=offer.fidelity, pairs=offer.pairs, rate=offer.rate, deadline=offer.deadline,
        confidence=offer.confidence,
    )  # fmt: skip
