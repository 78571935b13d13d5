"""What the controller says of a pair that both ends have confirmed: delivered, withheld, or dropped later."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from quantum_fabric.control.estimate import fidelity, interval, lifetime, stretched
from quantum_fabric.control.meaning import WORTHLESS, floor_of, gathers
from quantum_fabric.control.session import Gathered, Installation, Phase, Session
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    Confirmed,
    Delivered,
    LinkRequest,
    Lost,
    Outcomes,
    Packet,
    PairId,
    Promise,
    Release,
    Send,
    Service,
    Stale,
    Status,
    Substandard,
    Tested,
    Unread,
    Wake,
)
from quantum_fabric.physics.chsh import BETWEEN
from quantum_fabric.physics.correlators import aged
from quantum_fabric.physics.frames import expected_parity
from quantum_fabric.ports import Action
from quantum_fabric.units import Time, seconds

if TYPE_CHECKING:  # numpy is loaded only where pairs are tested
    from quantum_fabric.control.verification.verifier import Verifier

EIGENSTATES: Final = {"Z": ("0", "1"), "X": ("+", "-"), "Y": ("+i", "-i")}
"""By basis and bit."""

GATHERED: Final = "gathered"
"""Marks the timer of a pair that waits for the others of its set."""


class Desk(Protocol):
    """What the deliveries need of the controller whose sessions they serve."""

    def current(self, epoch: int) -> Session | None:
        """The session that this epoch serves now; None when it was replaced or is over."""

    def standing(self, epoch: int) -> tuple[Session, Installation] | None:
        """Session and installation of an epoch that is in force or keeps delivered pairs; None when it was released."""

    def end(self, session: Session, status: Status, reason: str, now: Time, out: list[Action]) -> None:
        """Tell the one outcome of a session and give back what it holds."""


class Deliveries:
    """Matches the confirmations of the two ends, and decides what is told of each pair.

    Args:
        desk: the controller.
        tolerance: relative error that the believed losses may have; gives the interval of every estimate.
        patience: until when a confirmation may be on its way, ps.
        verifier: learns from pairs that are measured; None where nothing is tested.
    """

    def __init__(
        self, desk: Desk, tolerance: float, patience: Time, verifier: Verifier | None = None
    ) -> None:
        self._verifier = verifier
        self._desk = desk
        self._tolerance = tolerance
        self.patience = patience

    def confirmed(self, message: Confirmed, now: Time) -> list[Action]:
        """One end says that a pair is complete."""
        session = self._desk.current(message.epoch)
        if session is None or session.phase is not Phase.RUNNING:
            return [Stale(CONTROLLER, "Confirmed", message.epoch)]
        installation = session.installation
        assert installation is not None
        halves, met = installation.halves, installation.met
        oldest = now - self.patience
        while met and next(iter(met.values())) < oldest:
            del met[next(iter(met))]
        pair = message.pair
        if pair in met or message.at < oldest:  # a letter that comes twice
            return [Stale(CONTROLLER, "Confirmed", message.epoch)]
        first = halves.get(pair)
        if first is None or first.node == message.node:  # an end that says it twice is still one end
            halves[pair] = message
            return []
        del halves[pair]
        met[pair] = now
        return self._complete(session, installation, first, message, now)

    def verdict(self, request: LinkRequest, number: int, pair: Confirmed) -> Delivered | Substandard:
        """What a client is told of a plain pair that was matched elsewhere.

        Args:
            request: whose pair it is.
            number: within the request, from 1; 0 for one that is withheld.
            pair: the confirmation that came last, with the birth of the older half.
        """
        if number:
            return delivered(request, number, pair, pair, self._tolerance)
        return Substandard(request.name, pair.pair, fidelity(pair.quality), request.fidelity)

    def _complete(
        self, session: Session, installation: Installation, first: Confirmed, second: Confirmed, now: Time
    ) -> list[Action]:
        """Both ends have the pair."""
        request = session.request
        out: list[Action] = []
        if first.read is not None or second.read is not None:
            self._has_been_read(session, installation, first, second, now, out)
        elif gathers(request):
            self._gather(session, installation, first, second, now, out)
        elif self._good_enough(session, later_of(first, second), out):
            self._deliver(session, installation, first, second, now, out)
        self._end_where_all_is_done(session, now, out)
        return out

    def _good_enough(self, session: Session, pair: Confirmed, out: list[Action]) -> bool:
        """Whether the promise holds with this pair; otherwise it is withheld."""
        request, estimate = session.request, fidelity(pair.quality)
        least = request.fidelity
        if request.promise is Promise.AVERAGE:
            least = max(WORTHLESS, least - session.credit)
        if estimate < least:
            out.extend(withheld(request, pair, least))
            return False
        if request.promise is Promise.AVERAGE:
            session.credit += estimate - request.fidelity
        return True

    def _deliver(
        self, session: Session, installation: Installation, first: Confirmed, second: Confirmed, now: Time, out: list[Action]
    ) -> Delivered:  # fmt: skip
        request = session.request
        session.delivered += 1
        record = delivered(request, session.delivered, first, second, self._tolerance)
        if self._verifier is not None:
            quality = later_of(first, second).quality
            record = self._verifier.delivered(session, installation.plan, record, quality)
        out.append(Send(CLIENT, record))
        if request.hold:
            installation.held_until = max(installation.held_until, record.expires_at)
            key = "\n".join(record.pair)  # a name may hold spaces, but is one line
            out.append(Wake(max(now, record.expires_at), "pair", first.epoch, key))
        return record

    def _end_where_all_is_done(self, session: Session, now: Time, out: list[Action]) -> None:
        if session.delivered >= session.request.pairs:
            self._desk.end(session, Status.COMPLETED, "all pairs delivered", now, out)

    # ----------------------------------------------------------------------------------------- measured

    def _has_been_read(
        self, session: Session, installation: Installation, first: Confirmed, second: Confirmed, now: Time, out: list[Action]
    ) -> None:  # fmt: skip
        """An end has, or both have, measured the pair: a test, or what the request asks for."""
        request = session.request
        here, there = in_order(request, first, second)
        if any(end.read is not None and end.read.test for end in (here, there)):
            test = shown(request, here, there)
            out.append(Send(CLIENT, test))
            if self._verifier is not None:
                self._verifier.read(session, installation.plan, here, there, test.agree, True, now, out)
            return
        lost = unread(request, here, there)
        if lost:
            out.append(Send(CLIENT, Unread(request.name, here.pair, lost)))
            if request.hold:
                out.extend(dropped(request, here.epoch, here.pair, "could not be read"))
        elif self._good_enough(session, later_of(here, there), out):
            record = self._deliver(session, installation, here, there, now, out)
            out.append(Send(CLIENT, outcomes(record, here, there)))
            agree = shown_besides(here, there)
            if self._verifier is not None and agree is not None:
                self._verifier.read(session, installation.plan, here, there, agree, False, now, out)

    # ----------------------------------------------------------------------------------------- gathered

    def _gather(
        self, session: Session, installation: Installation, first: Confirmed, second: Confirmed, now: Time, out: list[Action]
    ) -> None:  # fmt: skip
        """A pair of a set: it waits for the others, or completes the set."""
        request, later = session.request, later_of(first, second)
        if fidelity(later.quality) < floor_of(request):
            out.extend(withheld(request, later, floor_of(request)))
            return
        until = useful_until(request, first, second)
        gathered = installation.gathered
        gathered[later.pair] = Gathered(first, second, until)
        for pair in [pair for pair, each in gathered.items() if each.until <= now]:
            self._let_go_of(session, installation, pair, now, out)
        if later.pair in gathered:
            out.append(Wake(until, "pair", later.epoch, "\n".join((*later.pair, GATHERED))))
        if len(gathered) < request.pairs:
            return
        together = {pair: aged_to(each, now) for pair, each in gathered.items()}
        estimates = {pair: fidelity(each[0].quality) for pair, each in together.items()}
        if sum(estimates.values()) < request.fidelity * len(estimates):
            # on average: the worst one is made anew. With a floor for each, none is below it here
            worst = min(estimates, key=lambda pair: estimates[pair])
            self._let_go_of(session, installation, worst, now, out)
            return
        gathered.clear()
        records = [self._deliver(session, installation, *each, now, out) for each in together.values()]
        if request.window is not None:
            oldest = min(record.created_at for record in records)
            pairs = tuple(record.pair for record in records)
            out.append(Send(CLIENT, Packet(request.name, pairs, oldest, now)))

    def _let_go_of(
        self, session: Session, installation: Installation, pair: PairId, now: Time, out: list[Action]
    ) -> None:
        """A pair of a set that is not complete is of no use any more: both ends make another one."""
        gone, request = installation.gathered.pop(pair), session.request
        old = request.window is not None and now >= born(gone.first, gone.second) + request.window
        out.extend(
            dropped(request, installation.epoch, pair, "older than the window" if old else "below the floor")
        )

    # ------------------------------------------------------------------------------------------- timers

    def pair_expired(self, message: Wake, now: Time, out: list[Action]) -> None:
        """A held pair is of no use any more: its ends let go of it."""
        standing = self._desk.standing(message.epoch)
        if standing is None:
            return
        session, installation = standing
        left, right, *waited = message.key.split("\n")
        pair = PairId(left, right)
        if not waited:
            out.extend(dropped(session.request, message.epoch, pair, "expired"))
        elif pair in installation.gathered:
            self._let_go_of(session, installation, pair, now, out)

    def past_holding(self, epoch: int, out: list[Action]) -> None:
        """The last pair that a drained epoch held has expired: its ends let go of their slots."""
        standing = self._desk.standing(epoch)
        if standing is None:
            return
        session, installation = standing
        session.kept.remove(installation)
        out.extend(Send(node, Release(epoch)) for node in installation.plan.path)
        if session.phase is Phase.HOLDING and not session.kept:
            session.phase = Phase.ENDED


def later_of(first: Confirmed, second: Confirmed) -> Confirmed:
    """The confirmation of the end that heard last: from then on both may use the pair, and it holds the belief for then."""
    return first if first.at > second.at else second


def delivered(
    request: LinkRequest, number: int, first: Confirmed, second: Confirmed, tolerance: float
) -> Delivered:
    """The record of a pair that is good enough.

    Args:
        request: whose pair it is.
        number: within the request, from 1.
        first: confirmation of one end.
        second: confirmation of the other.
        tolerance: relative error of the believed losses, for the interval.
    """
    later = later_of(first, second)
    slots = None
    if request.hold:
        slots = (first.slot, second.slot) if first.node == request.source else (second.slot, first.slot)
    quality, at = later.quality, later.at
    low, high = interval(quality, tolerance)
    return Delivered(
        request=request.name,
        number=number,
        pair=later.pair,
        ends=(request.source, request.destination),
        bell=later.bell,
        fidelity=fidelity(quality),
        low=low,
        high=high,
        created_at=born(first, second),
        delivered_at=at,
        expires_at=at + lifetime(quality, later.decay, floor_of(request), later.stretches, at),
        slots=slots,
    )


def withheld(request: LinkRequest, pair: Confirmed, floor: float | None = None) -> list[Send]:
    """A pair that is worse than what was asked for (or than ``floor``) is not delivered; if it is held, its ends let go of it."""
    least = request.fidelity if floor is None else floor
    verdict = Substandard(request.name, pair.pair, fidelity(pair.quality), least)
    out = [Send(CLIENT, verdict)]
    if request.hold:
        out.extend(dropped(request, pair.epoch, pair.pair, "below the floor"))
    return out


def dropped(request: LinkRequest, epoch: int, pair: PairId, why: str) -> list[Send]:
    """Tell both ends to let go of a held pair (an end that has used its half already takes no notice)."""
    ends = ((request.source, pair.left), (request.destination, pair.right))
    return [Send(node, Lost(epoch, mine, why)) for node, mine in ends]


def born(first: Confirmed, second: Confirmed) -> Time:
    """Birth of the older half of a pair, ps."""
    return min(first.born, second.born)


def useful_until(request: LinkRequest, first: Confirmed, second: Confirmed) -> Time:
    """Until when a pair may wait for the others of its set: it gets too old, or falls below the floor, ps."""
    later = later_of(first, second)
    until = later.at + lifetime(later.quality, later.decay, floor_of(request), later.stretches, later.at)
    return until if request.window is None else min(until, born(first, second) + request.window)


def aged_to(pair: Gathered, now: Time) -> tuple[Confirmed, Confirmed]:
    """The confirmations of a pair that has waited, with what is believed of it now."""
    later = later_of(pair.first, pair.second)
    quality = aged(later.quality, later.decay, seconds(now - later.at))
    for stretch in later.stretches:
        quality = stretched(quality, stretch, later.at, now)
    return replace(pair.first, quality=quality, at=now), replace(pair.second, quality=quality, at=now)


def in_order(request: LinkRequest, first: Confirmed, second: Confirmed) -> tuple[Confirmed, Confirmed]:
    """Confirmations of (source, destination)."""
    return (first, second) if first.node == request.source else (second, first)


def shown(request: LinkRequest, here: Confirmed, there: Confirmed) -> Tested:
    """What a test of a pair has shown."""
    later, one, two = later_of(here, there), here.read, there.read
    agree = basis = None
    if one is not None and two is not None and one.test and two.test and one.basis == two.basis:
        basis = one.basis
        if one.bit is not None and two.bit is not None:
            agree = one.bit ^ two.bit == expected_parity(basis, later.bell)
    return Tested(request.name, later.pair, later.bell, basis or "", agree, fidelity(later.quality), later.at)


def shown_besides(here: Confirmed, there: Confirmed) -> bool | None:
    """Whether a pair that was measured for its caller is as it was announced; None where the two bases do not tell."""
    one, two = here.read, there.read
    if one is None or two is None or one.basis != two.basis or one.bit is None or two.bit is None:
        return None
    if one.basis in BETWEEN:
        return None
    return one.bit ^ two.bit == expected_parity(one.basis, later_of(here, there).bell)


def unread(request: LinkRequest, here: Confirmed, there: Confirmed) -> tuple[str, ...]:
    """Nodes that should have read a bit and have none; both where one of them did not do as the service says."""
    asked = (True, request.service is Service.MEASURE)
    ends = (here, there)
    if any((end.read is not None) != due for end, due in zip(ends, asked, strict=True)):
        return (here.node, there.node)
    return tuple(end.node for end in ends if end.read is not None and end.read.bit is None)


def outcomes(record: Delivered, here: Confirmed, there: Confirmed) -> Outcomes:
    """The bits of a delivered pair, and what they make of the destination's half where that is kept."""
    one, two = here.read, there.read
    assert one is not None
    assert one.bit is not None
    prepared, flip = "", False
    if two is None:
        flip = bool(one.bit ^ expected_parity(one.basis, record.bell))
        prepared = EIGENSTATES[one.basis][flip]
    return Outcomes(
        request=record.request,
        number=record.number,
        pair=record.pair,
        bell=record.bell,
        bases=(one.basis, "" if two is None else two.basis),
        bits=(one.bit, None if two is None else two.bit),
        prepared=prepared,
        flip=flip,
        at=record.delivered_at,
    )
