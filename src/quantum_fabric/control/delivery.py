"""What the controller says of a pair that both ends have confirmed: delivered, withheld, or dropped later."""

from __future__ import annotations

from typing import Protocol

from quantum_fabric.control.estimate import fidelity, interval, lifetime
from quantum_fabric.control.session import Installation, Phase, Session
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    Confirmed,
    Delivered,
    LinkRequest,
    Lost,
    PairId,
    Release,
    Send,
    Stale,
    Status,
    Substandard,
    Wake,
)
from quantum_fabric.ports import Action
from quantum_fabric.units import Time


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
    """

    def __init__(self, desk: Desk, tolerance: float, patience: Time) -> None:
        self._desk = desk
        self._tolerance = tolerance
        self._patience = patience

    def confirmed(self, message: Confirmed, now: Time) -> list[Action]:
        """One end says that a pair is complete."""
        session = self._desk.current(message.epoch)
        if session is None or session.phase is not Phase.RUNNING:
            return [Stale(CONTROLLER, "Confirmed", message.epoch)]
        installation = session.installation
        assert installation is not None
        halves, met = installation.halves, installation.met
        oldest = now - self._patience
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

    def _complete(
        self, session: Session, installation: Installation, first: Confirmed, second: Confirmed, now: Time
    ) -> list[Action]:
        """Both ends have the pair."""
        request, later = session.request, later_of(first, second)
        if fidelity(later.quality) < request.fidelity:
            return list(withheld(request, later))
        session.delivered += 1
        record = delivered(request, session.delivered, first, second, self._tolerance)
        out: list[Action] = [Send(CLIENT, record)]
        if request.hold:
            installation.held_until = max(installation.held_until, record.expires_at)
            key = "\n".join(record.pair)  # a name may hold spaces, but is one line
            out.append(Wake(max(now, record.expires_at), "pair", later.epoch, key))
        if session.delivered >= request.pairs:
            self._desk.end(session, Status.COMPLETED, "all pairs delivered", now, out)
        return out

    def pair_expired(self, message: Wake, out: list[Action]) -> None:
        """A held pair has fallen to the fidelity that was asked for: its ends let go of it."""
        standing = self._desk.standing(message.epoch)
        if standing is not None:
            left, right = message.key.split("\n")
            out.extend(dropped(standing[0].request, message.epoch, PairId(left, right), "expired"))

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
        created_at=min(first.born, second.born),
        delivered_at=at,
        expires_at=at + lifetime(quality, later.decay, request.fidelity, later.stretches, at),
        slots=slots,
    )


def withheld(request: LinkRequest, pair: Confirmed) -> list[Send]:
    """A pair that is worse than what was asked for is not delivered; if it is held, its ends let go of it."""
    verdict = Substandard(request.name, pair.pair, fidelity(pair.quality), request.fidelity)
    out = [Send(CLIENT, verdict)]
    if request.hold:
        out.extend(dropped(request, pair.epoch, pair.pair, "below the floor"))
    return out


def dropped(request: LinkRequest, epoch: int, pair: PairId, why: str) -> list[Send]:
    """Tell both ends to let go of a held pair (an end that has used its half already takes no notice)."""
    ends = ((request.source, pair.left), (request.destination, pair.right))
    return [Send(node, Lost(epoch, mine, why)) for node, mine in ends]
