"""What the head of a request over several domains keeps of it, and what it does not take on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from quantum_fabric.control.distributed.composing import Composition
from quantum_fabric.control.session import Installation, Phase, Session
from quantum_fabric.messages import ANYWHERE, Code, LinkRequest, Refused, SegmentOffered, Survival
from quantum_fabric.units import MS, SECOND, Time

PASSING = (Code.NORES, Code.REJECTED, Code.TIMEOUT, Code.EXPIRE)
"""Refusals that may be over after a while."""

FIRST_WAIT: Time = 20 * MS
LONGEST_WAIT: Time = SECOND

REMEMBERED: Time = 10 * SECOND
"""For how long a request that is over is known yet."""


@dataclass(slots=True)
class Attempt:
    """One try of a request: an epoch over several domains.

    Attributes:
        session: whose pairs.
        found: the path.
        offers: by seat, so far.
        sent: whether segments were accepted.
    """

    session: Session
    found: Composition
    offers: dict[str, SegmentOffered] = field(default_factory=dict)
    sent: bool = False

    @property
    def seats(self) -> tuple[str, ...]:
        """Of the domains on the path."""
        return tuple(seat for seat, _ in self.found.seats)


@dataclass(slots=True)
class Journey:
    """A request over several domains.

    Attributes:
        session: its pairs.
        tries: so far, since it last ran.
        excluded: segments and crossings that were refused or failed.
        told: whether the caller has heard `Accepted`.
        why: the last refusal.
        epochs: of all its tries.
    """

    session: Session
    tries: int = 0
    excluded: set[str] = field(default_factory=set)
    told: bool = False
    why: Refused | None = None
    epochs: list[int] = field(default_factory=list)


class Journeys:
    """All requests over several domains that start at one controller, and their tries.

    A request that is over is remembered for `REMEMBERED`, so that a letter of it that comes twice or late is not taken for a new
    one, and then forgotten: what is kept is bounded by what is asked within that time.

    Attributes:
        journeys: by name of the request.
        attempts: by epoch.
    """

    def __init__(self) -> None:
        self.journeys: dict[str, Journey] = {}
        self.attempts: dict[int, Attempt] = {}
        self._over: deque[tuple[Time, str]] = deque()

    def settle(self, session: Session, now: Time) -> None:
        """A request is over, but for pairs that are kept for the application."""
        session.phase = Phase.HOLDING if session.kept else Phase.ENDED
        if not session.kept:
            self._over.append((now + REMEMBERED, session.request.name))

    def forget(self, now: Time) -> None:
        """Forget requests that were over long ago, and what is left of their tries."""
        while self._over and self._over[0][0] <= now:
            for epoch in self.journeys.pop(self._over.popleft()[1]).epochs:
                self.attempts.pop(epoch, None)

    def current(self, epoch: int) -> Session | None:
        """The session that this epoch serves now; None when it was replaced or is over."""
        attempt = self.attempts.get(epoch)
        if attempt is None or attempt.session.installation is None:
            return None
        return attempt.session if attempt.session.installation.epoch == epoch else None

    def standing(self, epoch: int) -> tuple[Session, Installation] | None:
        """Session and installation of an epoch that is in force or keeps delivered pairs."""
        attempt = self.attempts.get(epoch)
        if attempt is None:
            return None
        for each in (attempt.session.installation, *attempt.session.kept):
            if each is not None and each.epoch == epoch:
                return attempt.session, each
        return None


def expired(request: LinkRequest) -> Refused:
    """The refusal where an offer ran out."""
    return Refused(request.name, Code.EXPIRE, "offers", "an offer ran out before the last one came")


def unmet(request: LinkRequest) -> Refused | None:
    """The refusal of what is not kept over several domains; None where there is nothing of it."""
    wishes = {
        "window": request.window is not None,
        "jitter": request.jitter is not None,
        "route": request.route != ANYWHERE,
        "survives": request.survives is not Survival.NOTHING,
        "priority": request.priority != 0,
        "preemptible": request.preemptible,
        "tenant": bool(request.tenant),
        "key": bool(request.key),
    }
    found = next((name for name, wished in wishes.items() if wished), None)
    if found is None:
        return None
    return Refused(
        request.name, Code.UNSUPP, found, f"{found} is not kept over several domains, each of which decides for itself"
    )  # fmt: skip


def patient(epoch: int, tries: int) -> Time:
    """For how long to wait before asking again, ps: longer each time, and different for each who waits.

    Examples:
        >>> patient(7, 1) != patient(8, 1), patient(7, 20) < 2 * LONGEST_WAIT
        (True, True)
    """
    wait = min(FIRST_WAIT << min(tries - 1, 16), LONGEST_WAIT)
    spread = (epoch * 0x9E3779B97F4A7C15 >> 16) & 0xFFFF
    return wait + wait * spread // 0x10000


def weakest(attempt: Attempt) -> str:
    """The segment of the least fidelity that was offered; the first link where nothing but crossings is used."""
    links = {frozenset((link.left, link.right)): link.link for link in attempt.found.plan.links}
    offered = [
        (offer.point.weights[0], links[frozenset(ports)])
        for seat, ports in attempt.found.seats
        if (offer := attempt.offers[seat]).point is not None and frozenset(ports) in links
    ]
    return min(offered)[1] if offered else attempt.found.plan.links[0].link
