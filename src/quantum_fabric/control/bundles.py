"""Requests that run on several paths: each path is an ordinary session, and the caller hears of one request.

The sessions do not know of each other. What they would tell the caller passes through here: pairs are counted together, and whoever
has delivered the last one ends all. A path that is lost leaves the others going; only when none is left is the request over.
Other terms are taken on the paths that there are, or on new ones that all run before these stop (`control.regrouping`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from quantum_fabric.control.multipath import merged
from quantum_fabric.control.path_names import path_name
from quantum_fabric.control.regrouping import (
    Books as Terms,
)
from quantum_fabric.control.regrouping import (
    Regrouping,
    found_beside,
    over_quota,
    part_of,
    senseless,
    serving,
    with_offer,
)
from quantum_fabric.control.session import Ends, Session
from quantum_fabric.messages import (
    CLIENT,
    Cancel,
    Code,
    Delivered,
    Kept,
    LinkRequest,
    Outcome,
    Outcomes,
    Plan,
    Refused,
    Renegotiate,
    Renegotiated,
    Rerouted,
    Send,
    Status,
    Wake,
)
from quantum_fabric.ports import Action
from quantum_fabric.units import Time


class Books(Ends, Terms, Protocol):
    """What is needed of the controller."""

    def begin(self, session: Session, queued: bool, now: Time, out: list[Action]) -> None:
        """Serve a session."""

    def cancelled(self, message: Cancel, now: Time) -> list[Action]:
        """Withdraw a session, or let go of the pairs that it holds."""


@dataclass(slots=True)
class Bundle:
    """One request on several paths.

    Attributes:
        request: what was asked.
        members: names of its sessions, one for each path, those of former paths among them.
        open: of them, those that serve it now.
        delivered: pairs of all paths so far.
        running: whether the request has had no outcome yet.
        last: number of the last pair that a session delivered.
        change: new paths that are being made for it; None where none are.
    """

    request: LinkRequest
    members: tuple[str, ...]
    open: set[str] = field(default_factory=set)
    delivered: int = 0
    running: bool = True
    last: dict[str, int] = field(default_factory=dict)
    change: Regrouping | None = None


class Bundles:
    """All requests on several paths.

    Args:
        books: the controller.
        most: requests that are over and remembered.
    """

    def __init__(self, books: Books, most: int = 100_000) -> None:
        self._books = books
        self._most = most
        self._by_name: dict[str, Bundle] = {}
        self._of: dict[str, Bundle] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def serves(self, session: str) -> bool:
        """Whether a session is one path of a request."""
        return session in self._of

    def begin(self, request: LinkRequest, plans: Sequence[Plan], now: Time) -> list[Action]:
        """Serve a request by several plans that fit beside each other."""
        out: list[Action] = []
        if request.deadline is not None:
            out.append(Wake(request.deadline, "deadline", 0, request.name))
        bundle = self._by_name[request.name] = Bundle(request, ())
        for session in self._seated(bundle, request, plans):
            bundle.open.add(session.request.name)
            self._books.begin(session, False, now, out)
        self._forget()
        return out

    def _seated(self, bundle: Bundle, terms: LinkRequest, plans: Sequence[Plan]) -> list[Session]:
        """A session for each plan, under names that nobody has."""
        made = []
        for number, plan in enumerate(plans, len(bundle.members) + 1):
            name = path_name(bundle.request.name, number)
            while name in self._books.sessions or name in self._by_name:
                name += "'"
            session = self._books.sessions[name] = Session(part_of(terms, name), plan)
            self._of[name] = bundle
            made.append(session)
        bundle.members += tuple(session.request.name for session in made)
        return made

    def plans(self, name: str) -> tuple[Plan, ...]:
        """Plans of the paths of a request that are in use."""
        bundle = self._by_name.get(name)
        if bundle is None or not bundle.running:
            return ()
        sessions = self._books.sessions
        return tuple(sessions[each].plan for each in bundle.members if each in bundle.open)

    def beside(self, request: LinkRequest) -> Mapping[str, Plan]:
        """Plans that a request must not meet: of the other paths of its bundle, and of bundles that it names as disjoint."""
        found = {name: merged(plans) for name in request.route.disjoint if (plans := self.plans(name))}
        bundle, sessions = self._of.get(request.name), self._books.sessions
        if bundle is not None:
            others = (name for name in bundle.members if name in bundle.open and name != request.name)
            found |= {name: sessions[name].plan for name in others}
        own = self._by_name.get(request.name) if bundle is None else bundle
        if own is not None:
            others = (
                name for name, each in sessions.items() if own.request.name in each.request.route.disjoint
            )
            found |= {name: sessions[name].plan for name in others if sessions[name].open}
        return found

    # ---------------------------------------------------------------------------------------- to callers

    def told(self, actions: Sequence[Action], now: Time) -> Sequence[Action]:
        """Actions of the controller with what is told of single paths put together."""
        if not self._of:
            return actions
        out: list[Action] = []
        queue, done = list(actions), 0
        touched: dict[str, Bundle] = {}
        while True:
            while done < len(queue):
                action, done = queue[done], done + 1
                message: Any = action.message if isinstance(action, Send) and action.to == CLIENT else None
                bundle = None if message is None else self._of.get(message.request)
                if bundle is None:
                    out.append(action)
                elif isinstance(message, Outcome) and self._came_to_nothing(bundle, message, now, queue):
                    pass
                else:
                    self._heard(bundle, message, out)
                    touched[bundle.request.name] = bundle
            # bits of a pair are told right after it: the end comes after both
            full = [
                each for each in touched.values() if each.running and each.delivered >= each.request.pairs
            ]
            if not full:
                return out
            self._end(full[0], Status.COMPLETED, "all pairs delivered", None, now, out, queue)

    def _heard(self, bundle: Bundle, message: Any, out: list[Action]) -> None:
        name = bundle.request.name
        if isinstance(message, Outcome):
            self._path_ended(bundle, message, out)
        elif not bundle.running and not bundle.request.hold:
            return  # of a path that is being stopped
        elif isinstance(message, Delivered):
            bundle.delivered += 1
            bundle.last[message.request] = bundle.delivered
            out.append(Send(CLIENT, replace(message, request=name, number=bundle.delivered)))
        elif isinstance(message, Outcomes):
            number = bundle.last[message.request]
            out.append(Send(CLIENT, replace(message, request=name, number=number)))
        else:
            out.append(Send(CLIENT, replace(message, request=name)))

    def _path_ended(self, bundle: Bundle, message: Outcome, out: list[Action]) -> None:
        if message.request not in bundle.open:
            return  # of a path that was left
        bundle.open.discard(message.request)
        if not bundle.running:
            return
        name, left = bundle.request.name, self.plans(bundle.request.name)
        if left:
            lost = " - ".join(self._books.sessions[message.request].plan.path)
            others = "the other goes on" if len(left) == 1 else f"{len(left)} others go on"
            out.append(
                Send(CLIENT, Rerouted(name, left[0], f"path {lost}: {message.reason}; {others}", False))
            )
            return
        if bundle.change is not None:
            bundle.change.lost = message  # those that are being made are its last hope
            return
        bundle.running = False
        out.append(Send(CLIENT, replace(message, request=name, delivered=bundle.delivered)))

    def _end(
        self, bundle: Bundle, status: Status, reason: str, code: Code | None, now: Time, out: list[Action], queue: list[Action],
    ) -> None:  # fmt: skip
        bundle.running, bundle.change = False, None
        out.append(Send(CLIENT, Outcome(bundle.request.name, status, bundle.delivered, reason, code)))
        for name in bundle.members:
            session = self._books.sessions.get(name)
            if session is not None and session.open:
                self._books.end(session, status, reason, now, queue, code)

    # ---------------------------------------------------------------------------------------- other terms

    def renegotiate(self, message: Renegotiate, now: Time) -> list[Action] | None:
        """Change a request on several paths, or say why it stays as it is; None where it is none of these."""
        bundle = self._by_name.get(message.request)
        if bundle is None and message.request in self._of:
            whole = self._of[message.request].request.name
            reason = f"{message.request} is one path of {whole}; change that"
            return [Send(CLIENT, Kept(message.request, Refused(whole, Code.OTHER, "request", reason)))]
        if bundle is None or not bundle.running:
            return None
        books, name, old = self._books, message.request, bundle.request
        wish = replace(message.wish, name=name, key=old.key)
        refused = senseless(old, wish, bundle.delivered, now)
        if bundle.change is not None:
            refused = Refused(name, Code.OTHER, "request", f"{name} is being changed already")
        if refused is not None:
            return [Send(CLIENT, Kept(name, refused))]
        deadline = None if wish.deadline is None else wish.deadline - now
        owed = replace(wish, pairs=wish.pairs - bundle.delivered, deadline=deadline)
        plans = {each: books.sessions[each].plan for each in bundle.members if each in bundle.open}
        stay = serving(books, plans, wish, owed)
        found = tuple(plans[each] for each in stay) if stay is not None else found_beside(books, owed)
        refused = found if isinstance(found, Refused) else over_quota(books, wish, bundle.members, found)
        if refused is not None:
            refused = with_offer(books, replace(refused, request=name), plans, bundle.delivered, now)
            return [Send(CLIENT, Kept(name, refused))]
        assert not isinstance(found, Refused)
        out: list[Action] = []
        if stay is not None:
            self._take(bundle, wish, stay, now, out)
            out.append(Send(CLIENT, Renegotiated(name, found[0], False)))
            return out
        # until all of them run, what one of them delivers has to keep the old terms too
        terms = replace(wish, fidelity=max(wish.fidelity, old.fidelity))
        made = self._seated(bundle, terms, found)
        names = tuple(session.request.name for session in made)
        bundle.change = Regrouping(wish, set(names), names)
        for session in made:
            books.dispatch.at_once(session, now, out)
        return out

    def running(self, session: Session, now: Time, out: list[Action]) -> None:
        """All nodes of a path act: if it is the last of the new ones, the old ones stop."""
        name = session.request.name
        bundle = self._of.get(name)
        change = None if bundle is None else bundle.change
        if bundle is None or change is None:
            return
        change.coming.discard(name)
        if change.coming:
            return
        bundle.change = None
        first = self._books.sessions[change.made[0]].plan
        out.append(Send(CLIENT, Renegotiated(bundle.request.name, first, True)))
        self._take(bundle, change.wish, change.made, now, out)

    def _came_to_nothing(self, bundle: Bundle, message: Outcome, now: Time, queue: list[Action]) -> bool:
        """Whether a new path ended before all of them ran; then none is made."""
        if bundle.change is None or message.request not in bundle.change.made:
            return False
        session = self._books.sessions[message.request]
        return self.failed(session, message.reason, message.code, now, queue)

    def failed(self, session: Session, why: str, code: Code | None, now: Time, out: list[Action]) -> bool:
        """Whether it was a new path that came to nothing; then the request goes on as it was where it can, and that is told."""
        bundle = self._of.get(session.request.name)
        change = None if bundle is None else bundle.change
        if bundle is None or change is None or session.request.name not in change.made:
            return False
        bundle.change = None
        name = bundle.request.name
        for each in change.made:
            made = self._books.sessions[each]
            if made.open:
                self._books.end(made, Status.CANCELLED, why, now, out)
        out.append(Send(CLIENT, Kept(name, Refused(name, code or Code.OTHER, "installation", why))))
        if change.lost is not None:
            bundle.running = False
            out.append(Send(CLIENT, replace(change.lost, request=name, delivered=bundle.delivered)))
        return True

    def _take(
        self, bundle: Bundle, wish: LinkRequest, stay: Sequence[str], now: Time, out: list[Action]
    ) -> None:
        """From now on these paths serve a request on these terms; its others stop, and what they delivered stays held."""
        books = self._books
        if wish.deadline is not None and wish.deadline != bundle.request.deadline:
            out.append(Wake(wish.deadline, "deadline", 0, wish.name))
        leave = [each for each in bundle.members if each in bundle.open and each not in stay]
        bundle.request, bundle.open = wish, set(stay)
        for each in stay:
            session = books.sessions[each]
            session.request = part_of(wish, each)
            books.dispatch.replanned(session, now)
        for each in leave:
            books.end(books.sessions[each], Status.COMPLETED, "other paths took over", now, out)
        if bundle.delivered >= wish.pairs:
            self._end(bundle, Status.COMPLETED, "all pairs delivered", None, now, out, out)

    # ----------------------------------------------------------------------------------------- from them

    def past_deadline(self, name: str, at: Time, now: Time, out: list[Action]) -> None:
        """The time of a request is over."""
        bundle = self._by_name.get(name)
        if bundle is None or not bundle.running or bundle.request.deadline != at:
            return
        reason = f"{bundle.delivered} of {bundle.request.pairs} pairs by the deadline"
        self._end(bundle, Status.EXPIRED, reason, Code.TIMEOUT, now, out, out)

    def cancelled(self, name: str, now: Time) -> list[Action] | None:
        """Withdraw a request, or let go of the pairs that it holds; None where it is none of these."""
        bundle = self._by_name.get(name)
        if bundle is None:
            return None
        out: list[Action] = []
        if bundle.running:
            bundle.running, bundle.change = False, None
            reason = "withdrawn by the caller"
            out.append(Send(CLIENT, Outcome(name, Status.CANCELLED, bundle.delivered, reason)))
        for each in bundle.members:
            if each in self._books.sessions:
                out += self._books.cancelled(Cancel(each), now)
        return out

    def _forget(self) -> None:
        """The oldest of too many, once it is over."""
        if len(self._by_name) <= self._most:
            return
        name, oldest = next(iter(self._by_name.items()))
        if not oldest.running and not oldest.open:
            del self._by_name[name]
            for each in oldest.members:
                del self._of[each]
