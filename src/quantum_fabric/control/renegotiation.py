"""Changing a request that runs: on its plan where that will do, else on another that is made before the old one is broken."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, Protocol

from quantum_fabric.control.admission import TRIES, Admission
from quantum_fabric.control.constraints import broken_by, unknown
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.meaning import gathers, too_small
from quantum_fabric.control.promises import foremost, missed, unsure
from quantum_fabric.control.scheduling.dispatch import Dispatch
from quantum_fabric.control.sense import contradiction
from quantum_fabric.control.session import Ends, Session
from quantum_fabric.messages import (
    CLIENT,
    Code,
    Kept,
    LinkRequest,
    Plan,
    Protected,
    Refused,
    Renegotiate,
    Renegotiated,
    Rerouted,
    Send,
    Status,
    Survival,
    Wake,
)
from quantum_fabric.network.finish import Serving
from quantum_fabric.ports import Action
from quantum_fabric.units import Time


class Change(NamedTuple):
    """Something that is being made to follow what runs.

    Attributes:
        name: of the request.
        why: the old path is left; empty where its caller wishes for something else.
        must: whether the old path has to be left even if this comes to nothing.
        backup: what is to stand ready for it.
    """

    name: str
    why: str = ""
    must: bool = False
    backup: Plan | None = None


class Beside(NamedTuple):
    """A plan beside the one that runs, and what would stand ready for it."""

    primary: Plan
    backup: Plan | None


class Books(Ends, Protocol):
    """What is needed of the controller."""

    ledger: Ledger
    admission: Admission
    dispatch: Dispatch
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

    def repair(self, session: Session, why: str, now: Time, out: list[Action]) -> None:
        """Another path for what is owed, or an end with the reason."""

    def protect(self, session: Session, out: list[Action]) -> None:
        """Let something stand ready for the next failure, where that was asked for."""


class Renegotiation:
    """Changes what runs.

    A new plan is installed while the old one goes on; when all its nodes are prepared, the old one is released. If a node declines or
    does not answer, the old one was never touched.

    Args:
        books: the controller.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self._successors: dict[int, Change] = {}  # by the epoch that is being made

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
        owed = self._owed(session, wish, now)
        out: list[Action] = []
        if same_rules(session.request, wish) and self._serves(session.plan, owed):
            refused = books.dispatch.over_quota(wish, session.plan)
            return (
                [Send(CLIENT, Kept(name, refused))]
                if refused is not None
                else self._on_its_plan(session, wish, owed, now)
            )
        waits = session.installation is None
        found = self._found(session, owed)
        if isinstance(found, Refused):
            return [Send(CLIENT, Kept(name, self._checked(found, session, now)))]
        refused = books.dispatch.over_quota(wish, found.primary)
        if refused is not None:
            return [Send(CLIENT, Kept(name, refused))]
        if waits:
            session.plan = found.primary
            self._take(session, wish, out)
            books.dispatch.replanned(session, now)
            return [*out, Send(CLIENT, Renegotiated(name, found.primary, True))]
        self._make(Session(wish, found.primary), Change(name, backup=found.backup), now, out)
        return out

    def _make(self, successor: Session, change: Change, now: Time, out: list[Action]) -> None:
        """Install what is to follow; the old one goes on meanwhile."""
        self._books.begin(successor, False, now, out)
        assert successor.installation is not None
        self._successors[successor.installation.epoch] = change
        if change.backup is not None:
            self._books.admission.spares.put(_next(change.name), successor.plan, change.backup)

    def move(self, session: Session, plan: Plan, why: str, must: bool, now: Time, out: list[Action]) -> bool:
        """Make another path before the old one is broken.

        Args:
            session: that runs.
            plan: another for what it owes.
            why: the old path is left.
            must: whether it has to be left even if this comes to nothing.
            now: ps.
            out: takes what is to be done.

        Returns:
            Whether there is room for both; otherwise nothing has happened.
        """
        name = session.request.name
        changing = any(each.name == name for each in self._successors.values())
        if changing or session.installation is None or not self._books.admission.fits(plan):
            return False
        self._make(Session(session.request, plan), Change(name, why, must), now, out)
        return True

    def running(self, session: Session, now: Time, out: list[Action]) -> None:
        """All nodes of an epoch are prepared: if it is a successor, the old one stops."""
        assert session.installation is not None
        change = self._successors.pop(session.installation.epoch, None)
        if change is None:
            return
        books, name, request = self._books, change.name, session.request
        books.succeed(books.sessions[name], session, now, out)
        books.admission.spares.drop(name)
        books.admission.spares.drop(_next(name))
        if request.deadline is not None and not change.why:
            out.append(Wake(request.deadline, "deadline", 0, name))
        if change.why:
            out.append(Send(CLIENT, Rerouted(name, session.plan, change.why, False)))
        else:
            out.append(Send(CLIENT, Renegotiated(name, session.plan, True)))
        if session.delivered >= request.pairs:
            books.end(session, Status.COMPLETED, "all pairs delivered", now, out)
        elif change.backup is not None:
            books.admission.spares.put(name, session.plan, change.backup)
        else:
            books.protect(session, out)

    def failed(self, session: Session, reason: str, code: Code | None, now: Time, out: list[Action]) -> bool:
        """Whether it was a successor that came to nothing; then the old one goes on where it can, and that is told."""
        installation, books = session.installation, self._books
        change = None if installation is None else self._successors.pop(installation.epoch, None)
        if change is None:
            return False
        name = change.name
        books.drop(session, out)
        books.admission.spares.drop(_next(name))
        if not change.why:
            out.append(Send(CLIENT, Kept(name, Refused(name, code or Code.OTHER, "installation", reason))))
        old = books.sessions[name]
        if change.must or old.installation is None:  # it has left its path, or has to
            books.repair(old, change.why or reason, now, out)
        return True

    def followed(self, name: str) -> bool:
        """Whether something is being made that is to follow a request's path."""
        return any(each.name == name for each in self._successors.values())

    def successors(self) -> list[Session]:
        """Sessions that are being made to follow others."""
        found = (self._books.current(epoch) for epoch in self._successors)
        return [each for each in found if each is not None]

    def over(self, name: str, out: list[Action]) -> None:
        """A request has ended: what was to follow it is not wanted any more."""
        for epoch in [epoch for epoch, each in self._successors.items() if each.name == name]:
            del self._successors[epoch]
            self._books.admission.spares.drop(_next(name))
            session = self._books.current(epoch)
            if session is not None:
                self._books.drop(session, out)

    # ------------------------------------------------------------------------------------ what is found

    @staticmethod
    def _owed(session: Session, wish: LinkRequest, now: Time) -> LinkRequest:
        deadline = None if wish.deadline is None else wish.deadline - now
        return replace(wish, pairs=wish.pairs - session.delivered, deadline=deadline)

    def _on_its_plan(self, session: Session, wish: LinkRequest, owed: LinkRequest, now: Time) -> list[Action]:
        """New terms on the plan that runs; what is to stand ready for failures may be new."""
        books, name, out = self._books, wish.name, list[Action]()
        spares = books.admission.spares
        if wish.survives is Survival.NOTHING or session.installation is None:
            spares.drop(name)
        else:
            before = spares.drop(name)
            found = books.admission.outliving.backup(owed, session.plan, books.beside(wish), strict=True)
            if isinstance(found, Refused):
                if before is not None:
                    spares.put(name, session.plan, before)
                return [Send(CLIENT, Kept(name, self._checked(found, session, now)))]
            spares.put(name, session.plan, found)
            out.append(Send(CLIENT, Protected(name, found)))
        self._take(session, wish, out)
        books.dispatch.replanned(session, now)
        return [*out, Send(CLIENT, Renegotiated(name, session.plan, False))]

    def _found(self, session: Session, owed: LinkRequest) -> Beside | Refused:
        """A plan for new terms beside the old one, with what stands ready where that is asked for."""
        books, name = self._books, owed.name
        admission, waits = books.admission, session.installation is None
        beside = books.beside(owed)
        if owed.survives is not Survival.NOTHING and not waits:
            before = admission.spares.drop(name)
            pair = admission.outliving.admit(owed, beside)
            if before is not None:
                admission.spares.put(name, session.plan, before)
            return pair if isinstance(pair, Refused) else Beside(pair.primary, pair.backup)
        found = admission.planned(owed, None if waits else books.ledger.free(), beside)
        if isinstance(found, Refused):
            return found
        if not waits and not admission.fits(found):
            reason = "its new plan has too few free slots beside the old one, which goes on"
            return Refused(name, Code.NORES, "memory", reason, None, found.forecast)
        return Beside(found, None)

    def _checked(self, refused: Refused, session: Session, now: Time) -> Refused:
        """The refusal with an offer that would be taken if it were wished for now."""
        name, offer = session.request.name, refused.offer
        for _ in range(TRIES):
            if offer is None:
                break
            wish = replace(offer, name=name)
            if (
                wish.survives is Survival.NOTHING
                and same_rules(session.request, wish)
                and self._serves(session.plan, wish)
            ):
                break
            found = self._found(session, wish)
            if not isinstance(found, Refused):
                break
            offer = found.offer
        else:
            offer = None
        if offer is not None:
            deadline = None if offer.deadline is None else offer.deadline + now
            offer = replace(offer, deadline=deadline, pairs=offer.pairs + session.delivered)
        return replace(refused, request=name, offer=offer)

    def _senseless(self, session: Session, wish: LinkRequest, now: Time) -> Refused | None:
        name, old = wish.name, session.request
        if self.followed(name):
            return Refused(name, Code.OTHER, "request", f"{name} is being changed already")
        if (wish.source, wish.destination) != (old.source, old.destination):
            reason = f"{name} is between {old.source} and {old.destination}; other ends need another request"
            return Refused(name, Code.OTHER, "ends", reason)
        if wish.route.paths > 1:
            reason = f"{name} runs on one path; ask for {wish.route.paths} paths in another request"
            one = replace(wish, name="", key="", route=replace(wish.route, paths=1))
            return Refused(name, Code.UNSUPP, f"{wish.route.paths} paths", reason, one)
        if wish.pairs <= session.delivered:
            reason = f"{session.delivered} pairs were delivered already, {wish.pairs} are asked in all"
            return Refused(name, Code.OTHER, "pairs", reason)
        return foremost(contradiction(wish, now), unsure(wish))

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


def same_rules(old: LinkRequest, new: LinkRequest) -> bool:
    """Whether the rules that the nodes have would be the same for both."""
    return (old.hold, old.service, old.bell, old.bases, gathers(old), old.window, old.promise) == (
        new.hold, new.service, new.bell, new.bases, gathers(new), new.window, new.promise,
    )  # fmt: skip


def _next(name: str) -> str:
    """Under which stands ready what belongs to the successor of a request; no request has such a name."""
    return f"{name}\nnext"
