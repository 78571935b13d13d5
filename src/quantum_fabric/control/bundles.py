"""Requests that run on several paths: each path is an ordinary session, and the caller hears of one request.

The sessions do not know of each other. What they would tell the caller passes through here: pairs are counted together, and whoever
has delivered the last one ends all. A path that is lost leaves the others going; only when none is left is the request over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from quantum_fabric.control.multipath import merged
from quantum_fabric.control.session import Ends, Session
from quantum_fabric.messages import (
    CLIENT,
    Cancel,
    Code,
    Delivered,
    LinkRequest,
    Outcome,
    Outcomes,
    Plan,
    Rerouted,
    Send,
    Status,
    Wake,
)
from quantum_fabric.ports import Action
from quantum_fabric.units import Time


class Books(Ends, Protocol):
    """What is needed of the controller."""

    sessions: dict[str, Session]

    def begin(self, session: Session, queued: bool, now: Time, out: list[Action]) -> None:
        """Serve a session."""

    def cancelled(self, message: Cancel, now: Time) -> list[Action]:
        """Withdraw a session, or let go of the pairs that it holds."""


@dataclass(slots=True)
class Bundle:
    """One request on several paths.

    Attributes:
        request: what was asked.
        members: names of its sessions, one for each path.
        open: of them, those that have not ended.
        delivered: pairs of all paths so far.
        running: whether the request has had no outcome yet.
    """

    request: LinkRequest
    members: tuple[str, ...]
    open: set[str] = field(default_factory=set)
    delivered: int = 0
    running: bool = True
    last: dict[str, int] = field(default_factory=dict)


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

    def begin(self, request: LinkRequest, plans: Sequence[Plan], now: Time) -> list[Action]:
        """Serve a request by several plans that fit beside each other."""
        out: list[Action] = []
        if request.deadline is not None:
            out.append(Wake(request.deadline, "deadline", 0, request.name))
        names = []
        for number in range(1, len(plans) + 1):
            name = f"{request.name}/{number}"
            while name in self._books.sessions or name in self._by_name:
                name += "'"
            names.append(name)
        bundle = self._by_name[request.name] = Bundle(request, tuple(names), set(names))
        self._of.update(dict.fromkeys(names, bundle))
        for name, plan in zip(names, plans, strict=True):
            # the rate and the deadline are kept by all together
            part = replace(request, name=name, key="", rate=0.0, deadline=None)
            session = self._books.sessions[name] = Session(part, plan)
            self._books.begin(session, False, now, out)
        self._forget()
        return out

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
        bundle = self._of.get(request.name)
        if bundle is not None:
            others = (name for name in bundle.members if name in bundle.open and name != request.name)
            found |= {name: self._books.sessions[name].plan for name in others}
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
        bundle.running = False
        out.append(Send(CLIENT, replace(message, request=name, delivered=bundle.delivered)))

    def _end(
        self, bundle: Bundle, status: Status, reason: str, code: Code | None, now: Time, out: list[Action], queue: list[Action],
    ) -> None:  # fmt: skip
        bundle.running = False
        out.append(Send(CLIENT, Outcome(bundle.request.name, status, bundle.delivered, reason, code)))
        for name in bundle.members:
            session = self._books.sessions.get(name)
            if session is not None and session.open:
                self._books.end(session, status, reason, now, queue, code)

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
            bundle.running = False
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
