"""What callers ask of the controller: requests, offers, trials without effect, explanations, changes of what is running."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from quantum_fabric.control.admission import Admission, Planner
from quantum_fabric.control.availability import besides, from_now, too_few
from quantum_fabric.control.bundles import Bundles
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.multipath import merged, several
from quantum_fabric.control.offers import Keyed, Offer
from quantum_fabric.control.rules import lanes_wanted, slots_wanted
from quantum_fabric.control.scheduling.dispatch import Dispatch
from quantum_fabric.control.sense import contradiction
from quantum_fabric.control.session import Phase, Session
from quantum_fabric.control.supposing import explained, guaranteed, supposed
from quantum_fabric.control.telling import telling
from quantum_fabric.control.waits import Waits
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    Accept,
    Accepted,
    Ask,
    Code,
    DryRun,
    Explain,
    Judged,
    LinkRequest,
    Message,
    Offered,
    Outcome,
    Plan,
    Refused,
    Send,
    Stale,
    Status,
    Wake,
    WhatIf,
)
from quantum_fabric.network.finish import chance_by
from quantum_fabric.ports import Action
from quantum_fabric.units import SECOND, Time, show_time

LASTS: Time = 10 * SECOND
"""For how long an offer and its slots are kept."""

MOST_WAITING = 4096
"""Requests that may wait for slots, and offers that may be open; more are refused."""

MOST_KEPT = 100_000
"""Requests whose end is remembered, and keys: what is older may be asked again."""


class Books(Protocol):
    """What is needed of the controller."""

    ledger: Ledger
    admission: Admission
    dispatch: Dispatch
    sessions: dict[str, Session]
    bundles: Bundles

    @property
    def waiting(self) -> int:
        """How many requests wait for slots."""

    def begin(self, session: Session, queued: bool, now: Time, out: list[Action]) -> None:
        """Serve a session, now or when its slots are free."""

    def count_from(self, epoch: int) -> int:
        """Give the coming epochs numbers above this one; returns the last that was given."""


class Northbound:
    """Answers callers.

    Args:
        books: the controller.
        planner: for what would be on another network.
        most_waiting: requests that may wait for slots.
    """

    def __init__(self, books: Books, planner: Planner, most_waiting: int = MOST_WAITING) -> None:
        self._books = books
        self._planner = planner
        self._most = most_waiting
        self._offers: dict[str, Offer] = {}
        self._waits = Waits(books, self._offers)
        self._keys: OrderedDict[str, Keyed] = OrderedDict()

    def handlers(self) -> dict[type, Callable[[Any, Time], list[Action]]]:
        """What it answers, by type of message."""
        return {
            LinkRequest: self.requested, Ask: self.asked, Accept: self.accepted, DryRun: self.dry_run, Explain: self.explain,
            WhatIf: self.what_if,
        }  # fmt: skip

    # ---------------------------------------------------------------------------------------- requests

    def requested(self, request: LinkRequest, now: Time) -> list[Action]:
        """Admit at once, or refuse."""
        again = self._again(request)
        if again is not None:
            return again
        answer = self.verdict(request, now)
        if isinstance(answer, Refused):
            return self._refused(request, answer)
        self._remember(request, answer)
        return self._begin(request, answer, now)

    def _begin(self, request: LinkRequest, answer: Accepted, now: Time) -> list[Action]:
        if answer.others:
            return [
                Send(CLIENT, answer),
                *self._books.bundles.begin(request, (answer.plan, *answer.others), now),
            ]
        session = self._books.sessions[request.name] = Session(request, answer.plan)
        if answer.backup is not None:
            self._books.admission.spares.put(request.name, answer.plan, answer.backup)
        out: list[Action] = [Send(CLIENT, answer)]
        if request.deadline is not None:
            out.append(Wake(request.deadline, "deadline", 0, request.name))
        self._books.begin(session, answer.queued, now, out)
        return out

    def _again(self, request: LinkRequest) -> list[Action] | None:
        """The answer to a request that was answered already; None for a new one."""
        known = self._keys.get(request.key) if request.key else None
        if known is not None:
            if replace(known.request, name="") == replace(request, name=""):
                return [Send(CLIENT, known.answer)]
            reason = f"the key {request.key!r} stands for {known.request.name}, which asks for something else"
            return self._refused(request, Refused(request.name, Code.OTHER, "key", reason), remember=False)
        books = self._books
        if request.name in books.sessions or request.name in self._offers or request.name in books.bundles:
            # a letter that comes twice; whoever asks anew takes another name
            return [Stale(CONTROLLER, "LinkRequest", 0)]
        return None

    def _remember(self, request: LinkRequest, answer: Message) -> None:
        if request.key:
            if len(self._keys) >= MOST_KEPT:
                self._keys.popitem(last=False)
            self._keys[request.key] = Keyed(request, answer)
        sessions = self._books.sessions
        if len(sessions) >= MOST_KEPT:
            oldest = next(iter(sessions))
            if sessions[oldest].phase is Phase.ENDED:
                del sessions[oldest]

    def _refused(self, request: LinkRequest, refusal: Refused, remember: bool = True) -> list[Action]:
        if remember:
            self._remember(request, refusal)
        outcome = Outcome(request.name, Status.REFUSED, 0, refusal.reason, refusal.code)
        return [Send(CLIENT, refusal), Send(CLIENT, outcome)]

    # --------------------------------------------------------------------------------------- admission

    def verdict(self, request: LinkRequest, now: Time) -> Accepted | Refused:
        """What is answered to a request now; nothing changes."""
        found = contradiction(request, now)
        if found is None:
            found = self._books.dispatch.stranger(request)
        if found is not None:
            return found
        books = self._books
        if books.waiting >= self._most:
            free = books.ledger.free()
            full = [name for name in (request.source, request.destination) if free.get(name) == 0]
            if full:  # there is no need to plan
                return self._waits.no_room(request, f"memory of {full[0]}", None)
        # a deadline is absolute in a request and relative in planning, which knows no clock
        relative = from_now(request, now)
        if request.route.paths > 1:
            return self._several(request, relative, now)
        answer, queued, backup, why = books.dispatch.admit(request, relative, self.beside(request), now)
        if isinstance(answer, Refused):
            offer = answer.offer
            if offer is not None and offer.deadline is not None:
                offer = self._in_time(replace(offer, deadline=offer.deadline + now), offer, now)
            return replace(answer, request=request.name, offer=offer)
        if queued:
            refused = self._waits.too_late(request, answer, now, why)
            if refused is not None and (far := self._farther(request, relative, now)) is not None:
                return Accepted(request.name, far)
            if refused is None and books.waiting >= self._most:
                refused = self._waits.no_room(
                    request, self._waits.binding(answer), self._waits.available(answer, now, 0.5)
                )
            if refused is not None:
                return refused
        return Accepted(request.name, answer, queued, backup)

    def _several(self, request: LinkRequest, relative: LinkRequest, now: Time) -> Accepted | Refused:
        """What is answered to a request on several paths: all of them at once, or none."""
        books = self._books
        found = several(books.admission, relative, self.beside(request))
        if isinstance(found, Refused):
            offer = found.offer
            if offer is not None and offer.deadline is not None:
                offer = replace(offer, deadline=offer.deadline + now)
            return replace(found, request=request.name, offer=offer)
        whole = merged(found)
        refused = books.dispatch.at_odds(request, whole, now)
        if refused is not None:
            return replace(refused, request=request.name)
        if not books.admission.fits(whole) or not books.dispatch.may_begin(whole):
            what = self._waits.binding(whole)
            short = next((plan for plan in found if what.removeprefix("memory of ") in plan.path), found[-1])
            reason = f"path {' - '.join(short.path)}: {too_few(what)} for all {len(found)} paths at once, and they do not wait"
            soon = self._waits.available(whole, now, 0.5)
            return Refused(request.name, Code.NORES, what, reason, None, whole.forecast, soon)
        return Accepted(request.name, found[0], others=found[1:])

    def _in_time(self, offer: LinkRequest, relative: LinkRequest, now: Time) -> LinkRequest:
        """An offer whose deadline can be promised under the present load: without one, where it would have to wait too long."""
        answer, queued, _, why = self._books.admission.admit(relative, self.beside(offer))
        late = (
            isinstance(answer, Plan) and queued and self._waits.too_late(offer, answer, now, why) is not None
        )
        return replace(offer, deadline=None) if late else offer

    def beside(self, request: LinkRequest) -> dict[str, Plan]:
        """Plans of the open requests that a request names as disjoint, and of those that name it."""
        sessions = self._books.sessions
        named = {
            name: sessions[name].plan
            for name in request.route.disjoint
            if name in sessions and sessions[name].open
        }
        named.update(self._books.bundles.beside(request))
        own = sessions.get(request.name)
        if own is not None:
            for name, other in sessions.items():
                if other.open and request.name in other.request.route.disjoint:
                    named[name] = other.plan
        return named

    def _news(self, request: LinkRequest) -> Time:
        return telling(request, self._books.admission.topology)

    def _farther(self, request: LinkRequest, relative: LinkRequest, now: Time) -> Plan | None:
        """A plan over a long detour for a request that would be refused because it has to wait; None where there is none."""
        books = self._books
        found = books.admission.farther(relative, self.beside(request))
        if found is None or not books.dispatch.may_begin(found):
            return None
        return found if books.dispatch.at_odds(request, found, now) is None else None

    def _why(self, request: LinkRequest, now: Time) -> str:
        """What is said of the slots that are free now, in words, for a request that has to wait."""
        return self._books.admission.admit(from_now(request, now), self.beside(request)).why

    def _at_once(self, request: LinkRequest, waits: Accepted, now: Time) -> Accepted | Refused:
        """An offer in place of one that would have to wait: over a long detour, if there is one."""
        found = self._farther(request, from_now(request, now), now)
        if found is not None:
            return Accepted(request.name, found)
        what, soon = self._waits.binding(waits.plan), self._waits.available(waits.plan, now, 0.5)
        reason = f"{too_few(what)} now, and an offer keeps what it needs{besides(self._why(request, now))}"
        return Refused(request.name, Code.NORES, what, reason, None, waits.plan.forecast, soon)

    # ------------------------------------------------------------------------------------------ offers

    def asked(self, message: Ask, now: Time) -> list[Action]:
        """Offer, and keep the slots for it; or refuse."""
        request, books = message.request, self._books
        again = self._again(request)
        if again is not None:
            return again
        answer = self.verdict(request, now)
        if isinstance(answer, Accepted) and answer.queued:
            answer = self._at_once(request, answer, now)
        elif isinstance(answer, Accepted) and len(self._offers) >= self._most:
            answer = self._waits.no_room(request, f"memory of {request.source}", None)
        if isinstance(answer, Refused):
            return self._refused(request, answer)
        epoch = books.count_from(0) + 1
        books.count_from(epoch)
        expires = now + LASTS if request.deadline is None else min(now + LASTS, request.deadline)
        whole = merged((answer.plan, *answer.others))
        books.ledger.lease(epoch, slots_wanted(whole), expires)
        books.ledger.lanes(epoch, lanes_wanted(whole))
        if answer.backup is not None:
            books.admission.spares.put(request.name, answer.plan, answer.backup)
        plans = (answer.plan, *answer.others) if answer.others else ()
        self._offers[request.name] = Offer(request, whole, epoch, expires, answer.backup, plans)
        promise = guaranteed(request, answer.plan, self._news(request), answer.others)
        offered = Offered(request.name, answer.plan, promise, expires, answer.backup, answer.others)
        self._remember(request, offered)
        return [Send(CLIENT, offered), Wake(expires, "offer", epoch, request.name)]

    def accepted(self, message: Accept, now: Time) -> list[Action]:
        """Serve what was offered."""
        offer = self._offers.get(message.request)
        if offer is None:
            return [Stale(CONTROLLER, "Accept", 0)]
        request = offer.request
        if request.deadline is not None:
            left = request.deadline - self._news(request) - now
            chance = chance_by(offer.plan.forecast, request.pairs, left)
            if chance < request.confidence:
                reason = f"accepted too late: {show_time(request.deadline - now)} is left until the deadline (chance {chance:.2g})"
                return self.withdrawn(request.name, Status.REFUSED, Code.NOTIME, reason)
        self._take_back(offer)
        answer = offer.taken()
        self._remember(request, answer)
        return self._begin(request, answer, now)

    def withdrawn(self, name: str, status: Status, code: Code | None, reason: str) -> list[Action]:
        """End an offer that nobody took; nothing where there is none."""
        offer = self._offers.get(name)
        if offer is None:
            return []
        self._take_back(offer)
        out: list[Action] = []
        if status is Status.REFUSED:
            out.append(Send(CLIENT, Refused(name, code or Code.OTHER, "offer", reason)))
        return [*out, Send(CLIENT, Outcome(name, status, 0, reason, code))]

    def ran_out(self, name: str, now: Time) -> list[Action]:
        """The time of an offer is over."""
        offer = self._offers.get(name)
        if offer is None or offer.expires > now:
            return []
        return self.withdrawn(name, Status.REFUSED, Code.EXPIRE, f"the offer ran out at {show_time(now, 6)}")

    def darkened(self, what: str) -> list[Action]:
        """A link went dark, or a node lost slots: what was offered over it is gone."""
        out: list[Action] = []
        link = what in self._books.admission.topology.links
        for name, offer in list(self._offers.items()):
            if offer.uses(what):
                reason = f"link {what} of the offer went dark" if link else f"{what} has lost memory slots"
                out += self.withdrawn(name, Status.REFUSED, Code.EXPIRE, reason)
        return out

    def _take_back(self, offer: Offer) -> None:
        del self._offers[offer.request.name]
        self._books.admission.spares.drop(offer.request.name)
        for node in offer.plan.path:
            self._books.ledger.release(offer.epoch, node)

    # --------------------------------------------------------------------------------- without effect

    def dry_run(self, message: DryRun, now: Time) -> list[Action]:
        """What would be answered now."""
        answer = self.verdict(message.request, now)
        promise = (
            guaranteed(message.request, answer.plan, self._news(message.request), answer.others)
            if isinstance(answer, Accepted)
            else None
        )
        return [Send(CLIENT, Judged(message.request.name, answer, promise))]

    def explain(self, message: Explain, now: Time) -> list[Action]:
        """Why it would be answered so."""
        request = message.request
        answer = self.verdict(request, now)
        relative = from_now(request, now)
        books, why = self._books, ""
        waits: tuple[str, ...] = ()
        if isinstance(answer, Accepted) and answer.queued:
            waits, why = self._waits.holders_of(answer.plan, now), self._why(request, now)
        topology = books.admission.open_to(relative, self.beside(request))
        return [Send(CLIENT, explained(relative, answer, topology, books.ledger.free(), waits, why))]

    def what_if(self, message: WhatIf, now: Time) -> list[Action]:
        """What would be answered on a changed network."""
        kept = [offer.plan for offer in self._offers.values()]
        books = self._books
        usage = books.dispatch.usage()
        found = supposed(message, now, books.admission, books.sessions, kept, self._planner, usage)
        return [Send(CLIENT, found)]
