"""The controller where a request over several domains starts: it asks for segments, takes all of them or none, and counts the pairs.

Two phases over two phases: offers are leases at each domain; what is accepted is prepared by each domain's nodes; when all domains
say so, the caller hears `Accepted` and everybody acts. Nobody waits for anybody who holds something: a refusal, a silence or a node
that declines releases the whole epoch, and what nobody releases runs out. So there is no deadlock; tries are counted, so there is no
livelock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from quantum_fabric.control.delivery import Deliveries
from quantum_fabric.control.distributed.composing import (
    Composition,
    asks,
    compose,
    duties,
    promised,
    remembered,
)
from quantum_fabric.control.distributed.journey import (
    PASSING,
    Attempt,
    Journey,
    Journeys,
    expired,
    patient,
    unmet,
    weakest,
)
from quantum_fabric.control.meaning import end_rules
from quantum_fabric.control.reading import epoch_key
from quantum_fabric.control.sense import contradiction
from quantum_fabric.control.session import Installation, Phase, Session, lease_length
from quantum_fabric.messages import (
    CLIENT,
    Accepted,
    Cancel,
    Code,
    Commit,
    Confirmed,
    Declined,
    Drain,
    LinkRequest,
    LinkState,
    Outcome,
    Prepared,
    Refused,
    Release,
    Released,
    Renew,
    SegmentAccept,
    SegmentConfirmed,
    SegmentDown,
    SegmentOffered,
    SegmentRefused,
    Send,
    Stale,
    Status,
    Wake,
)
from quantum_fabric.ports import Action
from quantum_fabric.units import SECOND, Time

TRIES = 8
"""How often segments are asked for before a request is refused, or given up after a failure."""

SEAT_BITS = 48
"""Bits of an epoch's number that count within a seat; above them stands the number of the seat."""


class Head:
    """Serves requests over several domains.

    Args:
        seat: of its controller.
        number: of the seat; its epochs begin with it.
        home: node where it is.
        delays: classical delays.
        states: what counts now of what was told, with a node of the own domain as a port.
        secret: as for `quantum_fabric.control.Controller`.
    """

    def __init__(
        self, seat: str, number: int, home: str, delays: Any, states: Callable[[str, Time], list[LinkState]], secret: bytes
    ) -> None:  # fmt: skip
        self._seat, self._home, self._delays, self._states, self._secret = seat, home, delays, states, secret
        self._epochs = number << SEAT_BITS
        self._patience: Time = 8 * max(delays.values(), default=0) + SECOND // 1000
        self._deliveries = Deliveries(self, 0.05, self._patience)
        self._book = Journeys()
        self.journeys, self._attempts = self._book.journeys, self._book.attempts

    def handlers(self) -> dict[type, Callable[[Any, Time], list[Action]]]:
        """What domains say, by type."""
        return {
            SegmentOffered: self._offered, SegmentRefused: self._refused, SegmentDown: self._down, SegmentConfirmed: self._confirmed,
        }  # fmt: skip

    def knows(self, epoch: int) -> bool:
        """Whether an epoch is one of its own."""
        return epoch in self._attempts

    def fence(self, life: int) -> None:
        """Give later epochs than any earlier life did."""
        self._epochs = max(self._epochs, (self._epochs >> SEAT_BITS << SEAT_BITS) + (life << 32))

    # ------------------------------------------------------------------------------------------- asking

    def requested(self, request: LinkRequest, now: Time) -> list[Action]:
        """Look for a path and ask for its segments, or refuse."""
        self._book.forget(now)
        if request.name in self.journeys:
            return [Stale(self._seat, "LinkRequest", 0)]
        refused = contradiction(request, now) or unmet(request)
        first = self.look(request, now) if refused is None else refused
        if isinstance(first, Refused):
            outcome = Outcome(request.name, Status.REFUSED, 0, first.reason, first.code)
            return [Send(CLIENT, first), Send(CLIENT, outcome)]
        journey = self.journeys[request.name] = Journey(Session(request, first.plan, Phase.PREPARING))
        out: list[Action] = []
        if request.deadline is not None:
            out.append(Wake(request.deadline, "head deadline", 0, request.name))
        self._ask(journey, first, now, out)
        return out

    def look(
        self, request: LinkRequest, now: Time, excluded: set[str] | None = None
    ) -> Composition | Refused:
        """A path from what is told; nothing changes."""
        relative = request if request.deadline is None else replace(request, deadline=request.deadline - now)
        states = self._states(request.source, now)
        return compose(relative, states, self._delays, self._home, excluded or ())

    def _ask(self, journey: Journey, found: Composition, now: Time, out: list[Action]) -> None:
        self._epochs += 1
        epoch, session = self._epochs, journey.session
        session.plan, session.phase = found.plan, Phase.PREPARING
        seats = {seat for seat, _ in found.seats}
        session.installation = Installation(epoch, found.plan, seats, since=now)
        self._attempts[epoch] = Attempt(session, found)
        journey.epochs.append(epoch)
        journey.tries += 1
        out.extend(Send(ask.domain, ask) for ask in asks(found, epoch, self._seat, session.request.rate))
        out.append(Wake(now + self._patience, "head asked", epoch))

    def _again(self, journey: Journey, why: Refused, now: Time, out: list[Action]) -> None:
        """Release what was asked for and try another path, or give up."""
        session = journey.session
        self._retire(session, now, out)
        journey.why = why
        if journey.tries >= TRIES:
            self.end(session, Status.FAILED, why.reason, now, out, why.code)
            return
        found = self.look(self._owed(session), now, journey.excluded)
        if not isinstance(found, Refused):
            self._ask(journey, found, now, out)
        elif why.code in PASSING:
            session.phase = Phase.PREPARING
            journey.excluded.clear()  # what was short may be there again
            wait = patient(self._epochs, journey.tries)
            out.append(Wake(now + wait, "head again", 0, session.request.name))
        else:
            self.end(session, Status.FAILED, why.reason, now, out, why.code)

    def _once_more(self, journey: Journey, now: Time, out: list[Action]) -> None:
        """It has waited: look at everything anew."""
        session = journey.session
        if session.open and session.installation is None:
            found = self.look(self._owed(session), now)
            if isinstance(found, Refused):
                journey.tries += 1
                self._again(journey, journey.why or found, now, out)
            else:
                self._ask(journey, found, now, out)

    def _owed(self, session: Session) -> LinkRequest:
        return replace(session.request, pairs=session.request.pairs - session.delivered)

    def _offered(self, message: SegmentOffered, now: Time) -> list[Action]:
        attempt = self._attempts.get(message.epoch)
        if attempt is None or self.current(message.epoch) is None:
            return [Send(message.domain, Release(message.epoch))]
        if attempt.sent or message.domain in attempt.offers or message.domain not in attempt.seats:
            return [Stale(self._seat, "SegmentOffered", message.epoch)]
        attempt.offers[message.domain] = message
        if len(attempt.offers) < len(attempt.found.seats):
            return []
        out: list[Action] = []
        self._take(message.epoch, attempt, now, out)
        return out

    def _take(self, epoch: int, attempt: Attempt, now: Time, out: list[Action]) -> None:
        """All have offered: check what that gives together, and accept all or none."""
        session = attempt.session
        request = session.request
        left = None if request.deadline is None else request.deadline - now
        owed = replace(request, pairs=request.pairs - session.delivered, deadline=left)
        found = promised(owed, attempt.found, attempt.offers)
        journey = self.journeys[request.name]
        if isinstance(found, Refused) or min(each.expires for each in attempt.offers.values()) <= now:
            why = found if isinstance(found, Refused) else expired(request)
            journey.excluded.add(weakest(attempt))
            self._again(journey, why, now, out)
            return
        attempt.found, attempt.sent, session.plan = found, True, found.plan
        lease = lease_length(found.plan, 2 * SECOND)
        installation = session.installation
        assert installation is not None
        installation.plan, installation.lease, installation.waiting = found.plan, lease, set(attempt.seats)
        ends = end_rules(request, epoch_key(self._secret, epoch))
        keep = remembered(found, attempt.offers)
        for seat, mine in duties(found, epoch, request.hold, ends).items():
            out.append(Send(seat, SegmentAccept(epoch, seat, request.name, mine, keep, now + lease)))
        out.append(Wake(now + self._patience, "head accepted", epoch))
        out.append(Wake(now + lease // 2, "head renew", epoch))

    def _refused(self, message: SegmentRefused, now: Time) -> list[Action]:
        session = self.current(message.epoch)
        if session is None or session.phase is not Phase.PREPARING:
            return [Stale(self._seat, "SegmentRefused", message.epoch)]
        out: list[Action] = []
        self._failed(message.epoch, message.domain, message.code, message.reason, now, out)
        return out

    def _failed(self, epoch: int, seat: str, code: Code, reason: str, now: Time, out: list[Action]) -> None:
        """A domain cannot: another path without what was asked of it."""
        attempt = self._attempts[epoch]
        journey = self.journeys[attempt.session.request.name]
        ports = next((set(names) for name, names in attempt.found.seats if name == seat), set[str]())
        inside = [each.link for each in attempt.found.plan.links if {each.left, each.right} <= ports]
        touching = [each.link for each in attempt.found.plan.links if {each.left, each.right} & ports]
        journey.excluded.update(inside or touching)
        refused = Refused(attempt.session.request.name, code, f"domain {seat}", reason)
        self._again(journey, refused, now, out)

    # -------------------------------------------------------------------------------------- installation

    def prepared(self, message: Prepared, now: Time) -> list[Action]:
        """A domain is ready; when all are, everybody acts."""
        session = self.current(message.epoch)
        if session is None or session.phase is not Phase.PREPARING:
            return [Stale(self._seat, "Prepared", message.epoch)]
        assert session.installation is not None
        session.installation.waiting.discard(message.node)
        if session.installation.waiting:
            return []
        session.phase = Phase.RUNNING
        journey = self.journeys[session.request.name]
        journey.tries = 0
        out: list[Action] = []
        if not journey.told:
            journey.told = True
            out.append(Send(CLIENT, Accepted(session.request.name, session.plan)))
        return [*out, *self._to_all(message.epoch, Commit(message.epoch))]

    def declined(self, message: Declined, now: Time) -> list[Action]:
        """A domain cannot prepare what it has offered."""
        session = self.current(message.epoch)
        if session is None or session.phase is not Phase.PREPARING:
            return [Stale(self._seat, "Declined", message.epoch)]
        out: list[Action] = []
        self._failed(
            message.epoch, message.node, Code.REJECTED, f"{message.node}: {message.reason}", now, out
        )
        return out

    def released(self, message: Released, now: Time) -> list[Action]:
        """A domain has let go; when nobody told it to, that is a failure."""
        epoch, out = message.epoch, list[Action]()
        session = self.current(epoch)
        if session is not None:
            self._failed(epoch, message.node, Code.TIMEOUT, f"{message.node} has let go", now, out)
        elif self.standing(epoch) is None:
            self._attempts.pop(epoch, None)
        return out

    def _down(self, message: SegmentDown, now: Time) -> list[Action]:
        if self.current(message.epoch) is None:
            return [Stale(self._seat, "SegmentDown", message.epoch)]
        out: list[Action] = []
        self._failed(
            message.epoch, message.domain, Code.OTHER, f"{message.domain}: {message.reason}", now, out
        )
        return out

    def _to_all(self, epoch: int, message: Commit | Release | Drain | Renew) -> list[Action]:
        return [Send(seat, replace(message)) for seat in self._attempts[epoch].seats]

    def _retire(self, session: Session, now: Time, out: list[Action]) -> None:
        """Stop the epoch in force; pairs that it delivered and holds are the application's until they expire."""
        installation, session.installation = session.installation, None
        if installation is None:
            return
        epoch = installation.epoch
        if installation.held_until <= now:
            out.extend(self._to_all(epoch, Release(epoch)))
            return
        session.kept.append(installation)
        seats = self._attempts[epoch].seats
        for seat in seats:
            end = seat in (seats[0], seats[-1])
            out.append(Send(seat, Drain(epoch) if end else Release(epoch)))
        out.append(Wake(installation.held_until, "head held", epoch))

    # ------------------------------------------------------------------------------------------ delivery

    def current(self, epoch: int) -> Session | None:
        """The session that this epoch serves now; None when it was replaced or is over."""
        return self._book.current(epoch)

    def standing(self, epoch: int) -> tuple[Session, Installation] | None:
        """Session and installation of an epoch that is in force or keeps delivered pairs."""
        return self._book.standing(epoch)

    def _confirmed(self, message: SegmentConfirmed, now: Time) -> list[Action]:
        confirmed: Confirmed = message.confirmed
        return self._deliveries.confirmed(confirmed, now)

    def end(
        self, session: Session, status: Status, reason: str, now: Time, out: list[Action], code: Code | None = None
    ) -> None:  # fmt: skip
        """Tell the one outcome and give back what the request holds. Who was not told `Accepted` is refused."""
        journey, name = self.journeys[session.request.name], session.request.name
        if status is Status.CANCELLED:
            for kept in session.kept:
                out.extend(self._to_all(kept.epoch, Release(kept.epoch)))
            session.kept.clear()
            if session.installation is not None:
                session.installation.held_until = 0
        self._retire(session, now, out)
        self._book.settle(session, now)
        if not journey.told and status is not Status.CANCELLED:
            why = journey.why
            resource = why.resource if why is not None else "domains"
            out.append(Send(CLIENT, Refused(name, code or Code.OTHER, resource, reason)))
            status = Status.REFUSED
        out.append(Send(CLIENT, Outcome(name, status, session.delivered, reason, code)))

    # -------------------------------------------------------------------------------------------- timers

    def cancelled(self, message: Cancel, now: Time) -> list[Action]:
        """Withdrawn by the caller, or the held pairs are let go of."""
        out: list[Action] = []
        session = self.journeys[message.request].session
        if session.open:
            self.end(session, Status.CANCELLED, "withdrawn by the caller", now, out)
        elif session.phase is Phase.HOLDING:
            for kept in session.kept:
                out.extend(self._to_all(kept.epoch, Release(kept.epoch)))
            session.kept.clear()
            self._book.settle(session, now)
        return out

    def woken(self, message: Wake, now: Time) -> list[Action]:
        """Somebody was silent, a lease is to be renewed, a deadline has come, a pair is too old."""
        out: list[Action] = []
        epoch = message.epoch
        match message.purpose:
            case "head asked" | "head accepted":
                self._silence(epoch, message.purpose == "head accepted", now, out)
            case "head renew":
                self._renew(epoch, now, out)
            case "head deadline":
                journey = self.journeys.get(message.key)
                if journey is not None and journey.session.open:
                    session = journey.session
                    reason = f"{session.delivered} of {session.request.pairs} pairs by the deadline"
                    self.end(session, Status.EXPIRED, reason, now, out, Code.TIMEOUT)
            case "head again":
                journey = self.journeys.get(message.key)
                if journey is not None:
                    self._once_more(journey, now, out)
            case "head held":
                standing = self.standing(epoch)
                if standing is not None:
                    session, kept = standing
                    session.kept.remove(kept)
                    out.extend(self._to_all(epoch, Release(epoch)))
                    if session.phase is Phase.HOLDING and not session.kept:
                        self._book.settle(session, now)
            case "pair":
                self._deliveries.pair_expired(message, now, out)
        return out

    def _silence(self, epoch: int, accepted: bool, now: Time, out: list[Action]) -> None:
        session = self.current(epoch)
        attempt = self._attempts.get(epoch)
        if session is None or attempt is None or session.phase is not Phase.PREPARING:
            return
        if attempt.sent is not accepted:
            return  # another timer looks after that
        assert session.installation is not None
        missing = session.installation.waiting if accepted else set(attempt.seats) - attempt.offers.keys()
        silent = sorted(missing)[0]
        self._failed(epoch, silent, Code.TIMEOUT, f"no answer from {', '.join(sorted(missing))}", now, out)

    def _renew(self, epoch: int, now: Time, out: list[Action]) -> None:
        standing = self.standing(epoch)
        if standing is None:
            return
        session, installation = standing
        until = now + installation.lease
        out.extend(self._to_all(epoch, Renew(epoch, until)))
        if session.installation is installation and session.phase is Phase.RUNNING:
            out.extend(
                self._to_all(epoch, Commit(epoch))
            )  # who has not heard it yet acts now; the others do already
        out.append(Wake(now + installation.lease // 2, "head renew", epoch))
