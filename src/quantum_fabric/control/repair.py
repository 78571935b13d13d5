"""What is done when something fails or wears out: what is touched is planned anew, by priority; the rest is left alone.

A link that is dark, a node that holds nothing any more, a slot that is broken: the old path is of no use, so it is given up at once,
and what stands ready, else another path, takes its place. A link that is only worn still works: there the new path is made first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from quantum_fabric.control.admission import Admission
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.rules import slots_wanted
from quantum_fabric.control.scheduling.dispatch import Dispatch
from quantum_fabric.control.session import Ends, Installation, Phase, Session
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    Accepted,
    Code,
    LinkReport,
    LinkRequest,
    LinkWorn,
    Plan,
    Protected,
    Refused,
    Rerouted,
    Send,
    SlotsLost,
    Stale,
    Status,
    Survival,
    Unkept,
)
from quantum_fabric.network.finish import chance_by
from quantum_fabric.ports import Action
from quantum_fabric.units import Time, show_time

if TYPE_CHECKING:
    from quantum_fabric.control.verification.verifier import Verifier


class Books(Ends, Protocol):
    """What is needed of the controller."""

    ledger: Ledger
    admission: Admission
    dispatch: Dispatch
    sessions: dict[str, Session]
    verifier: Verifier | None

    @property
    def patience(self) -> Time:
        """Within which nodes answer, ps."""

    def everyone(self) -> list[Session]:
        """All sessions, those among them that are to follow others first."""

    def is_old(self, message: LinkReport) -> bool:
        """Whether a report is overtaken by a later one."""

    def darkened(self, what: str) -> list[Action]:
        """A link went dark, or a node lost slots: what was offered over it is gone."""

    def serve_queue(self, now: Time) -> list[Action]:
        """Install what fits, oldest first."""

    def verdict(self, request: LinkRequest, now: Time) -> Accepted | Refused:
        """What would be answered to a request now."""

    def beside(self, request: LinkRequest) -> dict[str, Plan]:
        """Plans that a request must not meet."""

    def standing(self, epoch: int) -> tuple[Session, Installation] | None:
        """Session and installation of an epoch that is in force or keeps delivered pairs."""

    def move(self, session: Session, plan: Plan, why: str, must: bool, now: Time, out: list[Action]) -> bool:
        """Make another path before the old one is broken, where there is room for both."""

    def followed(self, session: Session, why: str, now: Time, out: list[Action]) -> bool:
        """Whether another path is being made already; then the old one stops, and it is waited for."""

    def begin(self, session: Session, queued: bool, now: Time, out: list[Action]) -> None:
        """Serve a session, now or when its slots are free."""

    def repair(self, session: Session, why: str, now: Time, out: list[Action]) -> None:
        """Stop what is installed, and repair."""


class Repair:
    """Finds another path.

    Args:
        books: the controller.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self._cut: set[str] = set()
        self._worn: set[str] = set()

    # -------------------------------------------------------------------------------------- what fails

    def reported(self, message: LinkReport, now: Time) -> list[Action]:
        """A link went dark or came back: plan anew what runs over it, leave the rest."""
        books, link = self._books, message.link
        if books.is_old(message):
            return [Stale(CONTROLLER, "LinkReport", 0)]
        if message.up:
            self._cut.discard(link)
            return self._back(link, now)
        known = link in self._cut
        self._cut.add(link)
        changed = books.dispatch.reported(link, False, now)
        if not changed and (known or link not in self._worn):
            return []
        out = books.darkened(link)
        why = f"link {link} went dark"
        self._anew((each for each in books.everyone() if _uses(each, link)), why, now, out)
        self._uncovered(books.admission.spares.over(link), why, out)
        return out

    def worn(self, message: LinkWorn, now: Time) -> list[Action]:
        """A link is not good enough any more, or it is again: make other paths first, and leave it where there is none."""
        books, link = self._books, message.link
        if link not in books.admission.topology.links or message.worn == (link in self._worn):
            return [Stale(CONTROLLER, "LinkWorn", 0)]
        if not message.worn:
            self._worn.discard(link)
            return self._back(link, now)
        self._worn.add(link)
        if not books.dispatch.reported(link, False, now):
            return []
        out = books.darkened(link)
        why = f"link {link}: {message.reason}"
        for session in _by_priority(books.sessions.values()):
            if session.open and _uses(session, link):
                self.leave(session, (link,), why, now, out)
        self._uncovered(books.admission.spares.over(link), why, out)
        return out

    def leave(
        self, session: Session, suspects: Collection[str], why: str, now: Time, out: list[Action]
    ) -> bool:
        """Move a session that still works away from nodes or links; it goes on as it was where there is nothing better.

        Args:
            session: that is open.
            suspects: names of nodes and links to be left.
            why: for the caller.
            now: ps.
            out: takes what is to be done.

        Returns:
            Whether it moves.
        """
        if session.phase is not Phase.RUNNING:
            if session.phase is Phase.QUEUED:
                self._books.repair(session, why, now, out)
            return session.phase is not Phase.PREPARING
        route = session.request.route
        avoid = (*route.avoid, *(name for name in suspects if name not in route.avoid))
        owed = self._owed(session, now)
        owed = replace(owed, route=replace(owed.route, avoid=avoid))
        beside = self._books.beside(session.request)
        found = self._books.admission.planned(owed, self._books.ledger.free(), beside)
        if isinstance(found, Plan) and self._books.move(session, found, why, False, now, out):
            return True
        found = self._books.admission.planned(owed, None, beside)
        if isinstance(found, Refused) or self._late(session, found, now) is not None:
            return False
        self._books.repair(session, why, now, out)
        return True

    def degraded(self, request: str, now: Time, out: list[Action]) -> None:
        """Tests say that the pairs of a request are worse than asked: leave whoever is suspected, else the whole path."""
        session = self._books.sessions.get(request)
        verifier = self._books.verifier
        if session is None or not session.open or verifier is None:
            return
        path = _crossed(session.plan)
        accused = [name for name in verifier.suspects.accused if name in path]
        self.leave(session, accused or path, "tests say that pairs are worse than asked", now, out)

    def suspected(self, name: str, now: Time, out: list[Action]) -> None:
        """Tests name a repeater or a link: sessions that pass it make other paths first, and stay where there is none."""
        for session in _by_priority(self._books.sessions.values()):
            if session.open and name in _crossed(session.plan):
                self.leave(session, (name,), f"tests say that {name} spoils pairs", now, out)

    def lost(self, message: SlotsLost, now: Time) -> list[Action]:
        """Memory slots are broken: they leave the books, and who held one of them is installed anew."""
        books, node = self._books, message.node
        if node not in books.admission.topology.nodes:
            return [Stale(CONTROLLER, "SlotsLost", 0)]
        epochs = books.ledger.withdraw(node, message.slots)
        books.admission.shrink(node, books.ledger.slots(node))
        out = books.darkened(node)
        held = [each for epoch in epochs if (each := books.standing(epoch)) is not None]
        touched = [session for session, installation in held if installation is session.installation]
        # plans that wait may be for more slots than there are now
        touched += [
            each
            for each in books.sessions.values()
            if each.phase is Phase.QUEUED and slots_wanted(each.plan).get(node, 0) > books.ledger.slots(node)
        ]
        which = ", ".join(str(slot) for slot in sorted(message.slots))
        why = f"memory slot{'s' if len(message.slots) > 1 else ''} {which} of {node} broke"
        self._anew(touched, why, now, out)
        if books.ledger.aside.get(node, 0) > books.ledger.idle()[node]:
            self._uncovered(books.admission.spares.at(node), why, out)
        return out

    def _back(self, link: str, now: Time) -> list[Action]:
        """A link may be used again, if nothing else speaks against it."""
        books = self._books
        if link in self._cut or link in self._worn:
            return []
        books.dispatch.reported(link, True, now)
        out = books.serve_queue(now)
        for session in _by_priority(books.sessions.values()):
            if session.request.name not in books.admission.spares:
                self.protect(session, out, again=True)
        return out

    def _anew(self, touched: Iterable[Session], why: str, now: Time, out: list[Action]) -> None:
        """Repair several sessions: what stands ready first, then by priority."""
        books = self._books
        first = [each for each in touched if each.open]
        first.sort(key=lambda each: (each.request.name not in books.admission.spares, -each.request.priority))
        for session in first:
            if session.open and not books.followed(session, why, now, out):
                books.repair(session, why, now, out)

    def _uncovered(self, names: Collection[str], why: str, out: list[Action]) -> None:
        """What stood ready for these is gone: look for something else. Nodes need not know."""
        books = self._books
        for name in names:
            books.admission.spares.drop(name)
        for session in _by_priority(books.sessions[name] for name in names if name in books.sessions):
            self.protect(session, out, why)

    # ------------------------------------------------------------------------------------ what is done

    def repair(self, session: Session, why: str, now: Time, out: list[Action]) -> None:
        """What stands ready, else another path for the pairs that are still owed, or an end with the reason.

        Args:
            session: whose installation was retired.
            why: what happened.
            now: ps.
            out: takes what is to be done.
        """
        books, name = self._books, session.request.name
        ready = books.admission.spares.drop(name)
        if ready is not None and books.admission.ready(ready):
            session.plan = ready
            books.dispatch.at_once(session, now, out)
            out.append(Send(CLIENT, Rerouted(name, ready, why, True)))
            self.protect(session, out)
            return
        found = books.admission.planned(self._owed(session, now), None, books.beside(session.request))
        late = self._late(session, found, now) if isinstance(found, Plan) else found
        if late is not None:
            self._give_up(session, late, why, now, out)
            return
        assert isinstance(found, Plan)
        session.plan = found
        queued = not books.admission.fits(found)
        if queued:
            session.phase = Phase.QUEUED
        out.append(Send(CLIENT, Rerouted(name, found, why, False)))
        books.begin(session, queued, now, out)
        self.protect(session, out)

    def protect(self, session: Session, out: list[Action], why: str = "", again: bool = False) -> None:
        """Let something stand ready for the next failure, where that was asked for.

        Args:
            session: that lost what stood ready.
            out: takes what is told.
            why: it was lost.
            again: whether it is known already that there is nothing; then that is not told again.
        """
        books, request = self._books, session.request
        if request.survives is Survival.NOTHING or not session.open:
            return
        if session.installation is None:
            found: Plan | Refused = Refused("", Code.NORES, "", "it waits for slots itself")
        else:
            beside = books.beside(request)
            owed = replace(request, route=replace(request.route, disjoint=tuple(beside)))
            found = books.admission.outliving.backup(owed, session.plan, beside)
        if isinstance(found, Plan):
            books.admission.spares.put(request.name, session.plan, found)
            out.append(Send(CLIENT, Protected(request.name, found)))
        elif not again:
            reason = f"{why}; {found.reason}" if why else found.reason
            out.append(Send(CLIENT, Protected(request.name, None, reason)))

    def _owed(self, session: Session, now: Time) -> LinkRequest:
        """What is still to be delivered, with the time that is left."""
        request = session.request
        # whoever it was to be disjoint from may be over
        route = replace(request.route, disjoint=tuple(self._books.beside(request)))
        deadline = None if request.deadline is None else request.deadline - now
        return replace(request, pairs=request.pairs - session.delivered, deadline=deadline, route=route)

    def _late(self, session: Session, plan: Plan, now: Time) -> Refused | None:
        """The refusal of a deadline that cannot be kept any more, where a plan has to wait for the slots of the old one."""
        books, request = self._books, session.request
        if request.deadline is None or books.admission.fits(plan):
            return None
        own = {} if session.phase is Phase.QUEUED else slots_wanted(session.plan)
        free, wanted = books.ledger.free(), slots_wanted(plan)
        soon = all(free[node] + own.get(node, 0) >= count for node, count in wanted.items())
        left = request.deadline - now - books.patience
        chance = chance_by(plan.forecast, request.pairs - session.delivered, left) if soon else 0.0
        if chance >= request.confidence:
            return None
        reason = (
            f"{' - '.join(plan.path)} has to wait for slots, and {show_time(request.deadline - now)} is left "
            f"until the deadline (chance {chance:.2g})"
        )
        return Refused(request.name, Code.NOTIME, "memory", reason, None, plan.forecast)

    def _give_up(self, session: Session, found: Refused, why: str, now: Time, out: list[Action]) -> None:
        """Say at once that a promise is broken, and what could still be had."""
        books, request = self._books, session.request
        owed = replace(
            request,
            pairs=request.pairs - session.delivered,
            name="",
            key="",
            survives=Survival.NOTHING,
            route=replace(request.route, disjoint=()),
        )
        answer = books.verdict(owed, now)
        offer = answer.offer if isinstance(answer, Refused) else replace(owed, deadline=None)
        refusal = replace(found, request=request.name, reason=f"{why}; {found.reason}", offer=offer)
        out.append(Send(CLIENT, Unkept(request.name, refusal)))
        books.end(session, Status.FAILED, refusal.reason, now, out, found.code)


def _uses(session: Session, link: str) -> bool:
    return session.open and any(each.link == link for each in session.plan.links)


def _by_priority(sessions: Iterable[Session]) -> list[Session]:
    return sorted(sessions, key=lambda each: -each.request.priority)


def _crossed(plan: Plan) -> tuple[str, ...]:
    """Repeaters and links of a plan."""
    return (*plan.path[1:-1], *(link.link for link in plan.links))
