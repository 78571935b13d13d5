"""What is done when a link goes dark or a node lets go: what is touched is planned anew, the rest is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from quantum_fabric.control.admission import Admission
from quantum_fabric.control.scheduling.dispatch import Dispatch
from quantum_fabric.control.session import Phase, Session
from quantum_fabric.messages import CONTROLLER, Code, LinkReport, LinkRequest, Plan, Refused, Stale, Status
from quantum_fabric.ports import Action
from quantum_fabric.units import Time


class Books(Protocol):
    """What is needed of the controller."""

    admission: Admission
    dispatch: Dispatch
    sessions: dict[str, Session]

    def is_old(self, message: LinkReport) -> bool:
        """Whether a report is overtaken by a later one."""

    def darkened(self, link: str) -> list[Action]:
        """A link went dark: what was offered over it is gone."""

    def serve_queue(self, now: Time) -> list[Action]:
        """Install what fits, oldest first."""

    def beside(self, request: LinkRequest) -> dict[str, Plan]:
        """Plans that a request must not meet."""

    def begin(self, session: Session, queued: bool, now: Time, out: list[Action]) -> None:
        """Serve a session, now or when its slots are free."""

    def repair(self, session: Session, why: str, now: Time, out: list[Action]) -> None:
        """Stop what is installed, and repair."""

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


class Repair:
    """Finds another path.

    Args:
        books: the controller.
    """

    def __init__(self, books: Books) -> None:
        self._books = books

    def reported(self, message: LinkReport, now: Time) -> list[Action]:
        """A link went dark or came back: plan anew what runs over it, leave the rest."""
        books = self._books
        if books.is_old(message):
            return [Stale(CONTROLLER, "LinkReport", 0)]
        changed = books.dispatch.reported(message.link, message.up, now)
        if message.up:
            return books.serve_queue(now)
        if not changed:
            return []
        out = books.darkened(message.link)
        for session in list(books.sessions.values()):
            if session.open and any(link.link == message.link for link in session.plan.links):
                books.repair(session, f"link {message.link} went dark", now, out)
        return out

    def repair(self, session: Session, why: str, now: Time, out: list[Action]) -> None:
        """Another path for the pairs that are still owed, or an end with the reason.

        Args:
            session: whose installation was retired.
            why: what happened.
            now: ps.
            out: takes what is to be done.
        """
        books, request = self._books, session.request
        beside = books.beside(request)
        # whoever it was to be disjoint from may be over
        route = replace(request.route, disjoint=tuple(beside))
        deadline = None if request.deadline is None else request.deadline - now
        owed = replace(request, pairs=request.pairs - session.delivered, deadline=deadline, route=route)
        found = books.admission.planned(owed, None, beside)
        if isinstance(found, Refused):
            books.end(session, Status.FAILED, f"{why}; {found.reason}", now, out, found.code)
            return
        session.plan = found
        queued = not books.admission.fits(found)
        if queued:
            session.phase = Phase.QUEUED
        books.begin(session, queued, now, out)
