"""Requests and what is answered to them: caller <-> controller."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from quantum_fabric.errors import Caution
from quantum_fabric.messages.states import Bell, Choice, Distillation, Order, PairId, Rotation
from quantum_fabric.units import Time


class Service(Enum):
    """What is done with a pair at its ends (K, M and R of the link-layer protocol of Dahlberg et al. 2019)."""

    KEEP = "keep"
    """Create and keep: the halves are handed to the application."""
    MEASURE = "measure"
    """Measure directly: both ends measure their half at once and hand over the bits."""
    PREPARE = "prepare"
    """Remote state preparation: the source measures its half at once, the destination's half is handed over."""


class Promise(Enum):
    """When the fidelity that is asked for must hold."""

    DELIVERY = "delivery"
    """Of each pair, when it is delivered."""
    END = "end"
    """Of each pair, when the last pair of its set is delivered."""
    AVERAGE = "average"
    """On average over the pairs of the request, each when it is delivered."""


class Survival(Enum):
    """Which failures a request must outlive without missing its promises."""

    NOTHING = "nothing"
    LINK = "link"
    """Any one link of its path goes dark."""
    NODE = "node"
    """Any one repeater of its path fails (and with it the links that end there), or any one link goes dark."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a path may go.

    Attributes:
        avoid: names of nodes and links that it must not use.
        trusted: the only nodes that may be its repeaters; None where any may.
        disjoint: names of requests whose repeaters and links it must not share.
        paths: that serve it at once, without a common repeater or link; their rates add up, and each keeps the fidelity. All of them
            are booked or none.
    """

    avoid: tuple[str, ...] = ()
    trusted: tuple[str, ...] | None = None
    disjoint: tuple[str, ...] = ()
    paths: int = 1


ANYWHERE = Route()
"""No constraint on the path."""


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """Ask for entangled pairs between two nodes.

    Attributes:
        source, destination: names of two different nodes.
        fidelity: least fidelity of each delivered pair at delivery, in (0.5, 1).
        pairs: how many, at least 1.
        rate: least mean rate in pairs per second; 0 asks for none.
        deadline: absolute time by which all pairs must be there; None for no deadline.
        hold: True keeps each delivered pair in memory until it is consumed; False hands it over at once.
        name: the caller's label; given by the fabric where empty.
        service: what is done with each pair at its ends.
        bell: the Bell state that is wanted; None where any will do, announced by its name (the frame).
        confidence: probability with which each promise holds, in (0, 1): that a pair reaches `fidelity`, that the deadline is met.
        promise: when `fidelity` must hold.
        window: pairs come in packets of `pairs`, all alive together, the oldest no older than this (ps); None for single pairs.
        jitter: most that the time between two deliveries may deviate from its mean (standard deviation, ps); None for any.
        tenant: who asks, for quotas and fair shares; "" for nobody in particular.
        priority: a higher one goes first; 0 is the common one.
        preemptible: may be put off (never undone: delivered pairs stay) for a request of higher priority.
        route: where the path may go.
        survives: which failures it must outlive.
        key: of the caller: a request that repeats a key is the same request, and gets the same answer.
        bases: of MEASURE and PREPARE: in which of "X", "Y" and "Z" an end measures, each pair in one of them at random and each
            end for itself; MEASURE also knows "W" and "V", half-way between Z and X, for Bell tests.
    """

    source: str
    destination: str
    fidelity: float
    pairs: int = 1
    rate: float = 0.0
    deadline: Time | None = None
    hold: bool = False
    name: str = ""
    service: Service = Service.KEEP
    bell: Bell | None = None
    confidence: float = 0.95
    promise: Promise = Promise.DELIVERY
    window: Time | None = None
    jitter: Time | None = None
    tenant: str = ""
    priority: int = 0
    preemptible: bool = False
    route: Route = ANYWHERE
    survives: Survival = Survival.NOTHING
    key: str = ""
    bases: tuple[str, ...] = ("X", "Z")


@dataclass(frozen=True, slots=True)
class Cancel:
    """Withdraw a request; what was delivered stays delivered."""

    request: str


class Code(Enum):
    """Why a request was refused (after the link-layer protocol of Dahlberg et al. 2019)."""

    UNSUPP = "UNSUPP"
    """The network could not do it even when idle."""
    NOTIME = "NOTIME"
    """It could, but not in the time that is asked for."""
    NORES = "NORES"
    """No memory slots for it under the present load."""
    NOROUTE = "NOROUTE"
    """The ends are not connected by working links."""
    TIMEOUT = "TIMEOUT"
    """Somebody who was asked did not answer, or what was promised was not there, by the time that was set for it."""
    REJECTED = "REJECTED"
    """A node, or the owner of what is asked about, said no."""
    EXPIRE = "EXPIRE"
    """An offer ran out, or what it was made for is gone."""
    OTHER = "OTHER"
    """Something else, as the reason says."""


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """How one link of a path is used.

    Attributes:
        link: name of the link.
        left, right: its ends, in the direction of the path.
        lanes: memory pairs that try side by side.
        setting: value of the link's knob (bright-state population, for example); None where it has none.
        rounds: purification rounds on the elementary pairs.
        success: believed success probability of one attempt.
        period: duration of one attempt.
        fidelity: believed fidelity of a fresh elementary pair.
    """

    link: str
    left: str
    right: str
    lanes: int
    setting: float | None
    rounds: int
    success: float
    period: Time
    fidelity: float


@dataclass(frozen=True, slots=True)
class Join:
    """One node of a swap tree: a swap at ``at`` makes the segment from ``left`` to ``right``, then ``rounds`` of purification."""

    at: str
    left: str
    right: str
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class Turning:
    """How the pairs of one segment are turned before each of their rounds of purification, the first round first."""

    left: str
    right: str
    rotations: tuple[Rotation, ...]


@dataclass(frozen=True, slots=True)
class DeliveryLaw:
    """When the first pair of a plan is delivered and what it is then: points of the law, not only its mean.

    Attributes:
        method: what answered: ``"closed form"``, ``"Markov chain"``, ``"convolution"``, or a sample: ``"pipeline"``,
            ``"rehearsal"``.
        reasons: why no exact method answered; empty where one did.
        times: from the request on, set-up included, rising (ps).
        shares: probability of a delivery by each of `times`; between two times it is at least that of the earlier.
        fidelities: mean fidelity of the pairs delivered by each of `times` but not by the one before.
        deviation: standard deviation of the time to the first pair, s.
        gap_deviation: standard deviation that each further delivery adds to the time of a long stream, s.
        low_fidelities: what all but one in a hundred, one in twenty, one in two of the deliveries reach.
        error: most by which a share may be off: probability unaccounted for where the method is exact, else what
            nineteen samples in twenty stay within.
        grain: by how much a time may be off (ps); 0 where every time is on the grid of the links.
        ceiling: pairs per second that these links cannot exceed, whatever is done with them.
        floor: pairs per second that the nested bound promises; 0 where there is none.
    """

    method: str
    reasons: tuple[str, ...]
    times: tuple[Time, ...]
    shares: tuple[float, ...]
    fidelities: tuple[float, ...]
    deviation: float
    gap_deviation: float
    low_fidelities: tuple[float, float, float]
    error: float
    grain: Time
    ceiling: float
    floor: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a plan is expected to give.

    Attributes:
        rate: delivered pairs per second.
        rate_error: standard error of `rate` (0 where it is exact).
        fidelity: mean fidelity of a delivered pair.
        fidelity_low: what all but one in twenty of the pairs reach, less the margin that admission keeps. A pair that does
            not reach what was asked for is withheld (`Substandard`).
        latency: mean time to the first pair, set-up included.
        law: of that time; None in the quick forecasts by which a search compares candidates.
    """

    rate: float
    rate_error: float
    fidelity: float
    fidelity_low: float
    latency: Time
    law: DeliveryLaw | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A path with everything decided: the result of planning and the input of installation.

    Attributes:
        path: node names from source to destination.
        links: one `LinkPlan` for each hop.
        order: swap as soon as possible, or nested.
        joins: the swap tree in the order bottom-up. Nested: one `Join` for each repeater, with exact segments. As
            soon as possible: one for each repeater, each spanning source to destination.
        end_rounds: purification rounds on end-to-end pairs (equals the rounds of the last join when nested).
        distillation: which recurrence the rounds use.
        cutoff: longest wait of a half in a repeater's memory; None for no cutoff.
        forecast: what it should give.
        turnings: segments whose pairs are turned in another way than the recurrence's own before their rounds.
        pumped: rounds spend fresh pairs on one that is kept, instead of joining pairs with equal rounds.
        choice: which pairs a repeater swaps where it has several.
        cautions: where the models of its nodes, and of its links at these settings, are used outside of what they can say.
    """

    path: tuple[str, ...]
    links: tuple[LinkPlan, ...]
    order: Order
    joins: tuple[Join, ...]
    end_rounds: int
    distillation: Distillation
    cutoff: Time | None
    forecast: Forecast
    turnings: tuple[Turning, ...] = ()
    pumped: bool = False
    cautions: tuple[Caution, ...] = ()
    choice: Choice = Choice.OLDEST


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request will be served by this plan.

    Attributes:
        request: its name.
        plan: that serves it.
        queued: whether it has to wait for slots.
        backup: what takes over at once where the first fails, for a request that must survive that; its slots are set aside.
        others: plans of the other paths that serve it at the same time, for a request on several paths.
    """

    request: str
    plan: Plan
    queued: bool = False
    backup: Plan | None = None
    others: tuple[Plan, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The request cannot be served. A value, not an exception.

    Attributes:
        request: its name.
        code: the class of the reason.
        resource: what binds, in words that name it ("link NU~StarLight", "memory of Argonne_1").
        reason: one sentence with the numbers.
        offer: a request that would be accepted now, or None when nothing can be offered.
        best: what the best plan that was found would give, where one was found.
        available: when what binds may be free again, if it is known and nobody else comes first (ps).
    """

    request: str
    code: Code
    resource: str
    reason: str
    offer: LinkRequest | None = None
    best: Forecast | None = None
    available: Time | None = None

    def __bool__(self) -> bool:
        """False, so that ``if link:`` reads as it should."""
        return False


@dataclass(frozen=True, slots=True)
class Delivered:
    """One end-to-end pair is ready at both ends.

    Attributes:
        request: whose pair it is.
        number: 1, 2, 3, ... within the request.
        pair: identity.
        ends: the two nodes, source first.
        bell: the Bell state it is announced in (the Pauli frame).
        fidelity: estimate of the fidelity to `bell` at `delivered_at`.
        low, high: interval of the estimate, from the tolerance of the believed models.
        created_at: birth of its older half.
        delivered_at: the moment from which both ends may use it.
        expires_at: when the estimate falls below the fidelity that was asked for.
        slots: where the halves are kept (None once handed over).
    """

    request: str
    number: int
    pair: PairId
    ends: tuple[str, str]
    bell: Bell
    fidelity: float
    low: float
    high: float
    created_at: Time
    delivered_at: Time
    expires_at: Time
    slots: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Substandard:
    """A pair was completed, but its estimate lies below the fidelity that was asked for: it is not delivered.

    Attributes:
        request: whose pair it would have been.
        pair: identity.
        fidelity: the estimate.
        floor: what was asked for.
    """

    request: str
    pair: PairId
    fidelity: float
    floor: float


class Status(Enum):
    """How a request ended; each accepted request ends in exactly one of these."""

    COMPLETED = "completed"
    REFUSED = "refused"
    EXPIRED = "expired"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The one end of a request.

    Attributes:
        request: its name.
        status: how it ended.
        delivered: pairs that it had until then; these stay delivered.
        reason: in one sentence.
        code: class of the reason, where it ended otherwise than asked for.
    """

    request: str
    status: Status
    delivered: int
    reason: str
    code: Code | None = None
