"""Changing a request that runs: on its plan where that will do, else on another that is made before the old one is broken."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from quantum_fabric.control.admission import Admission
from quantum_fabric.control.constraints import broken_by, unknown
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.meaning import gathers, too_small
from quantum_fabric.control.promises import foremost, missed, not_yet, unsure
from quantum_fabric.control.sense import contradiction
from quantum_fabric.control.session import Session
from quantum_fabric.messages import (
    CLIENT,
    Code,
    Kept,
    LinkRequest,
    Plan,
    Refused,
    Renegotiate,
    Renegotiated,
    Send,
    Status,
    Wake,
)
from quantum_fabric.network.finish import Serving
from quantum_fabric.ports import Action
from quantum_fabric.units import Time


class Books(Protocol):
    """What is needed of the controller."""

    ledger: Ledger
    admission: Admission
    sessions: dict[str, Session]

    def begin(self, session: Session, queued: bool, now: Time, out: list[Action]) -> None:
        """Serve a session, now or when its slots are free."""

    def beside(self, request: LinkRequest) -> dict[str, Plan]:
        """Plans that a request must not meet."""

    def current(self, epoch: int) -> Session | None:
        """The session that this epoch serves now."""

    def drop(self, session: Session, out: list[Action]) -> None:
        """Stop a session without an outcome."""

    def succeed(self, old: Session, new: Session, now: Time, out: list[Action]) -> None:
        """Let a session take the place of another, which stops."""

    def end(
        self,
        session: Session,
        status: Status,
        reason: str,
        now: Time,
        out: list[Action],
        code: Code | None = None,
    ) -> None:
        """Tell the one outcome of a session and give back what it holds."""


class Renegotiation:
    """Changes what runs.

    A new plan is installed while the old one goes on; when all its nodes are prepared, the old one is released. If a node declines or
    does not answer, the old one was never touched.

    Args:
        books: the controller.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self._successors: dict[int, str] = {}  # epoch that is being made -> name of the request

    def renegotiate(self, message: Renegotiate, now: Time) -> list[Action]:
        """Change a request, or say why it stays as it is."""
        books, name = self._books, message.request
        session = books.sessions.get(name)
        if session is None or not session.open:
            refusal = Refused(name, Code.OTHER, "request", f"no open request is called {name}")
            return [Send(CLIENT, Kept(name, refusal))]
        wish = replace(message.wish, name=name, key=session.request.key)
        refused = self._senseless(session, wish, now)
        if refused is not None:
            return [Send(CLIENT, Kept(name, refused))]
        deadline = None if wish.deadline is None else wish.deadline - now
        owed = replace(wish, pairs=wish.pairs - session.delivered, deadline=deadline)
        out: list[Action] = []
        if _same_rules(session.request, wish) and self._serves(session.plan, owed):
            self._take(session, wish, out)
            return [*out, Send(CLIENT, Renegotiated(name, session.plan, False))]
        waits = session.installation is None
        found = books.admission.planned(owed, None if waits else books.ledger.free(), books.beside(wish))
        if isinstance(found, Refused):
            return [Send(CLIENT, Kept(name, self._absolute(found, name, session.delivered, now)))]
        if waits:
            session.plan = found
            self._take(session, wish, out)
            return [*out, Send(CLIENT, Renegotiated(name, found, True))]
        if not books.admission.fits(found):
            reason = "its new plan has too few free slots beside the old one, which goes on"
            return [
                Send(CLIENT, Kept(name, Refused(name, Code.NORES, "memory", reason, None, found.forecast)))
            ]
        successor = Session(wish, found)
        books.begin(successor, False, now, out)
        assert successor.installation is not None
        self._successors[successor.installation.epoch] = name
        return out

    def running(self, session: Session, now: Time, out: list[Action]) -> None:
        """All nodes of an epoch are prepared: if it is a successor, the old one stops."""
        assert session.installation is not None
        name = self._successors.pop(session.installation.epoch, None)
        if name is None:
            return
        books = self._books
        books.succeed(books.sessions[name], session, now, out)
        request = session.request
        if request.deadline is not None:
            out.append(Wake(request.deadline, "deadline", 0, name))
        out.append(Send(CLIENT, Renegotiated(name, session.plan, True)))
        if session.delivered >= request.pairs:
            books.end(session, Status.COMPLETED, "all pairs delivered", now, out)

    def failed(self, session: Session, reason: str, code: Code | None, out: list[Action]) -> bool:
        """Whether it was a successor that came to nothing; then the old one goes on, and that is told."""
        installation = session.installation
        name = None if installation is None else self._successors.pop(installation.epoch, None)
        if name is None:
            return False
        self._books.drop(session, out)
        out.append(Send(CLIENT, Kept(name, Refused(name, code or Code.OTHER, "installation", reason))))
        return True

    def over(self, name: str, out: list[Action]) -> None:
        """A request has ended: what was to follow it is not wanted any more."""
        for epoch in [epoch for epoch, each in self._successors.items() if each == name]:
            del self._successors[epoch]
            session = self._books.current(epoch)
            if session is not None:
                self._books.drop(session, out)

    def _senseless(self, session: Session, wish: LinkRequest, now: Time) -> Refused | None:
        name, old = wish.name, session.request
        if name in self._successors.values():
            return Refused(name, Code.OTHER, "request", f"{name} is being changed already")
        if (wish.source, wish.destination) != (old.source, old.destination):
            reason = f"{name} is between {old.source} and {old.destination}; other ends need another request"
            return Refused(name, Code.OTHER, "ends", reason)
        if wish.pairs <= session.delivered:
            reason = f"{session.delivered} pairs were delivered already, {wish.pairs} are asked in all"
            return Refused(name, Code.OTHER, "pairs", reason)
        return foremost(contradiction(wish, now), not_yet(wish), unsure(wish))

    def _serves(self, plan: Plan, owed: LinkRequest) -> bool:
        """Whether the plan that runs keeps the new promises too."""
        topology, beside = self._books.admission.topology, self._books.beside(owed)
        found = foremost(unknown(topology, owed, beside), too_small(owed, plan), missed(owed, plan, topology))
        if found is not None:
            return False
        swift = Serving(owed.rate, owed.pairs, owed.deadline, owed.confidence)(plan.forecast)
        return swift and not broken_by(plan, owed, beside)

    @staticmethod
    def _take(session: Session, wish: LinkRequest, out: list[Action]) -> None:
        if wish.deadline is not None and wish.deadline != session.request.deadline:
            out.append(Wake(wish.deadline, "deadline", 0, wish.name))
        session.request = wish

    @staticmethod
    def _absolute(refused: Refused, name: str, delivered: int, now: Time) -> Refused:
        offer = refused.offer
        if offer is not None:
            deadline = None if offer.deadline is None else offer.deadline + now
            offer = replace(offer, deadline=deadline, pairs=offer.pairs + delivered)
        return replace(refused, request=name, offer=offer)


def _same_rules(old: LinkRequest, new: LinkRequest) -> bool:
    """Whether the rules that the nodes have would be the same for both."""
    return (old.hold, old.service, old.bell, old.bases, gathers(old), old.window, old.promise) == (
        new.hold, new.service, new.bell, new.bases, gathers(new), new.window, new.promise,
    )  # fmt: skip
