"""What a request that cannot begin now would wait for: the resource, who holds it, until when, and whether that is too late."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Protocol

from quantum_fabric.control.admission import Admission
from quantum_fabric.control.availability import Holder, besides, free_at, holders, short_of, too_few
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.offers import Offer
from quantum_fabric.control.rules import slots_wanted
from quantum_fabric.control.session import Session
from quantum_fabric.control.telling import telling
from quantum_fabric.messages import Code, LinkRequest, Plan, Refused
from quantum_fabric.network.finish import chance_by
from quantum_fabric.units import Time, show_time


class Books(Protocol):
    """What is needed of the controller."""

    ledger: Ledger
    admission: Admission
    sessions: dict[str, Session]

    @property
    def waiting(self) -> int:
        """How many requests wait for slots."""


class Waits:
    """Judges waiting; changes nothing.

    Args:
        books: the controller.
        offers: that are open and keep slots, by name of the request.
    """

    def __init__(self, books: Books, offers: Mapping[str, Offer]) -> None:
        self._books = books
        self._offers = offers

    def binding(self, plan: Plan) -> str:
        """The resource that a plan waits for."""
        nodes = short_of(plan, self._books.ledger.free())
        lacking = tuple(self._books.admission.stations.short(plan))
        if self._books.admission.fits(plan):
            return "the queue"
        return f"station {lacking[0]}" if lacking and not nodes else f"memory of {(*nodes, plan.path[0])[0]}"

    def available(self, plan: Plan, now: Time, confidence: float) -> Time | None:
        """When all that a plan needs may be free (ps), each holder being gone with this confidence; None where nobody can say."""
        stations = self._books.admission.stations
        free = self._books.ledger.free()
        held = self._held(now, confidence, self._at(plan, free))
        if not stations.short(plan):
            return free_at(plan, free, held)
        slots = free_at(plan, free, held) if short_of(plan, free) else now
        analysers = stations.free_at(plan, [(each.until, self._plan_of(each.name)) for each in held])
        return None if slots is None or analysers is None else max(slots, analysers)

    def holders_of(self, plan: Plan, now: Time) -> tuple[str, ...]:
        """Names of the requests that hold what a plan waits for."""
        short = short_of(plan, self._books.ledger.free())
        stations = self._books.admission.stations
        lacking = set(stations.short(plan))
        return tuple(
            dict.fromkeys(
                each.name
                for each in self._held(now, 0.5)
                if any(each.slots.get(name) for name in short)
                or not lacking.isdisjoint(stations.touched(self._plan_of(each.name)))
            )
        )

    def no_room(self, request: LinkRequest, what: str, available: Time | None) -> Refused:
        """A refusal because too many wait already."""
        reason = f"{self._books.waiting} requests wait already, which is the most; {too_few(what)}"
        return Refused(request.name, Code.NORES, what, reason, None, None, available)

    def too_late(self, request: LinkRequest, plan: Plan, now: Time, why: str) -> Refused | None:
        """A refusal where a plan that has to wait cannot be promised to be done by the deadline; None where it can."""
        if request.deadline is None:
            return None
        confidence = request.confidence
        held = self._held(now, 0.5, self._at(plan, self._books.ledger.free()))
        # what may go wrong is shared out: half to those who hold the slots, half to the plan
        surely = self.available(plan, now, 1.0 - (1.0 - confidence) / (2.0 * max(1, len(held))))
        news = telling(request, self._books.admission.topology)
        left = None if surely is None else request.deadline - news - surely
        if self._books.waiting == 0 and left is not None:
            chance = chance_by(plan.forecast, request.pairs, left) if left > 0 else 0.0
            if chance >= (1.0 + confidence) / 2.0:
                return None
        what = self.binding(plan)
        when = "nobody can say when" if surely is None else f"by {show_time(surely, 6)} at the surest"
        deadline = show_time(request.deadline, 6)
        reason = f"{too_few(what)} now ({when} they are free), and the deadline is {deadline}{besides(why)}"
        offer = replace(request, name="", key="", deadline=None)
        soon = self.available(plan, now, 0.5)
        return Refused(request.name, Code.NOTIME, what, reason, offer, plan.forecast, soon)

    def _held(self, now: Time, confidence: float, at: Collection[str] | None = None) -> list[Holder]:
        held = holders(self._books.sessions.values(), now, confidence, at)
        return held + [
            Holder(name, slots_wanted(each.plan), each.expires) for name, each in self._offers.items()
        ]

    def _at(self, plan: Plan, free: Mapping[str, int]) -> Collection[str] | None:
        """Nodes that a plan waits for; None where it waits for something else as well."""
        short = short_of(plan, free)
        return short if short and not self._books.admission.stations.short(plan) else None

    def _plan_of(self, name: str) -> Plan:
        offer = self._offers.get(name)
        return self._books.sessions[name].plan if offer is None else offer.plan
