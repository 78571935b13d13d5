"""The seam: the records that cross between what is true (the plant) and what is believed (the control plane).

Every record is frozen, has named fields and no behaviour. Times are integer picoseconds since the start of the
run, durations too; every other number is SI. Bell states go by name. A message never carries a handle to an object:
things are named by node name, link name, slot number, and the identity of an elementary pair.

Identity of a pair:
    An *elementary pair* gets its name from its herald, which both ends hear: ``"NU~StarLight/0#17"`` is the 17th
    herald on lane 0 of that link. A longer pair is named by the elementary pairs at its two ends, a `PairId`. So
    identities compose at a swap without anybody allocating a number.

Five families (see the unions at the end of the file):
    requests and outcomes  caller <-> controller
    installation           controller <-> node agents
    coordination           node agent <-> node agent
    commands               node agent (or a service) -> plant
    events                 plant -> node agents
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple, TypeAlias

from quantum_fabric.units import Time

Weights: TypeAlias = tuple[float, float, float, float]
"""Probabilities of (Φ+, Φ−, Ψ+, Ψ−). *Relative* weights count from an announced state: the first is the fidelity to it."""

Correlators: TypeAlias = tuple[float, float, float]
"""(x, y, z) = (⟨XX⟩, −⟨YY⟩, ⟨ZZ⟩) of a Bell-diagonal pair, relative to its announced state: a perfect pair is (1, 1, 1)."""


class Bell(IntEnum):
    """The four Bell states; the value is the label (parity bit, phase bit), so labels compose by XOR.

    Examples:
        >>> Bell(Bell.PSI_PLUS ^ Bell.PSI_MINUS)
        <Bell.PHI_MINUS: 1>
    """

    PHI_PLUS = 0b00
    PHI_MINUS = 0b01
    PSI_PLUS = 0b10
    PSI_MINUS = 0b11

    @property
    def symbol(self) -> str:
        """The usual symbol, for people: ``Φ+``."""
        return ("Φ+", "Φ−", "Ψ+", "Ψ−")[self]


class PairId(NamedTuple):
    """Identity of a pair: the elementary pairs at its two ends, in the direction of the path."""

    left: str
    right: str


class Side(Enum):
    """Direction along a path, seen from a node: ``LEFT`` is towards the source."""

    LEFT = "left"
    RIGHT = "right"


class Order(Enum):
    """When repeaters swap."""

    ASAP = "asap"
    NESTED = "nested"


class Distillation(Enum):
    """Recurrence protocols that turn two pairs into a better one."""

    DEJMPS = "dejmps"
    BBPSSW = "bbpssw"


# ------------------------------------------------------------------------------------------------- requests


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
    """

    source: str
    destination: str
    fidelity: float
    pairs: int = 1
    rate: float = 0.0
    deadline: Time | None = None
    hold: bool = False
    name: str = ""


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
class Forecast:
    """What a plan is expected to give.

    Attributes:
        rate: delivered pairs per second.
        rate_error: standard error of `rate` (0 where it is exact).
        fidelity: mean fidelity of a delivered pair.
        fidelity_low: mean less the margin that admission keeps.
        latency: mean time to the first pair, set-up included.
    """

    rate: float
    rate_error: float
    fidelity: float
    fidelity_low: float
    latency: Time


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
    """

    path: tuple[str, ...]
    links: tuple[LinkPlan, ...]
    order: Order
    joins: tuple[Join, ...]
    end_rounds: int
    distillation: Distillation
    cutoff: Time | None
    forecast: Forecast


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request will be served by this plan (it may have to wait for slots: `queued`)."""

    request: str
    plan: Plan
    queued: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The request cannot be served. A value, not an exception.

    Attributes:
        request: its name.
        code: the class of the reason.
        resource: what binds, in words that name it ("link NU~StarLight", "memory of Argonne_1").
        reason: one sentence with the numbers.
        offer: a request that would be accepted now, or None when nothing can be offered.
    """

    request: str
    code: Code
    resource: str
    reason: str
    offer: LinkRequest | None = None

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


class Status(Enum):
    """How a request ended; each accepted request ends in exactly one of these."""

    COMPLETED = "completed"
    REFUSED = "refused"
    EXPIRED = "expired"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The one end of a request."""

    request: str
    status: Status
    delivered: int
    reason: str


# --------------------------------------------------------------------------------------------- installation


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the control plane believes of a node's noise (times in seconds, the rest probabilities)."""

    t1: float
    t2: float
    depolarising: float
    readout_error_0: float
    readout_error_1: float


@dataclass(frozen=True, slots=True)
class GenerateRule:
    """Keep trying on these slots towards a neighbour.

    Attributes:
        link, partner, side: the link, the neighbour at its other end, and where that lies along the path.
        slots: memory slots, one for each lane.
        setting: the link's knob.
        fresh: believed correlators of a pair at its birth.
        partner_decay: believed decay rates of the partner's memory (x, y, z; 1/s).
    """

    link: str
    partner: str
    side: Side
    slots: tuple[int, ...]
    setting: float | None
    fresh: Correlators
    partner_decay: Correlators


@dataclass(frozen=True, slots=True)
class PurifyRule:
    """Purify pairs shared with ``partner`` until they have ``rounds``; the initiator picks the two pairs."""

    partner: str
    rounds: int
    distillation: Distillation
    initiator: bool
    partner_calibration: Calibration


@dataclass(frozen=True, slots=True)
class SwapRule:
    """Swap a ready pair whose partner is in ``left`` with one whose partner is in ``right``."""

    left: tuple[str, ...]
    right: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CutoffRule:
    """Discard a half that has waited ``age`` since its birth in this repeater."""

    age: Time


@dataclass(frozen=True, slots=True)
class DeliverRule:
    """Hand pairs shared with ``partner`` to the application; ``hold`` keeps them in memory until consumed."""

    partner: str
    hold: bool


Rule: TypeAlias = GenerateRule | PurifyRule | SwapRule | CutoffRule | DeliverRule


@dataclass(frozen=True, slots=True)
class Prepare:
    """Phase one: lease these slots for this epoch and keep the rules ready, but do not act on them."""

    epoch: int
    request: str
    node: str
    rules: tuple[Rule, ...]
    calibration: Calibration
    lease_until: Time
    retention: Time


@dataclass(frozen=True, slots=True)
class Prepared:
    """The node holds the leases of this epoch."""

    epoch: int
    node: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The node cannot take this epoch."""

    epoch: int
    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class Commit:
    """Phase two: act on the rules of this epoch."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Renew:
    """The leases of this epoch hold until a later time."""

    epoch: int
    lease_until: Time


@dataclass(frozen=True, slots=True)
class Drain:
    """Stop generating for this epoch; pairs that are held for the application stay until they are used or released."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Release:
    """Stop acting for this epoch, discard its qubits, free its slots."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Released:
    """The node has let go of this epoch (on `Release`, or because its lease ran out)."""

    epoch: int
    node: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An end node says that a pair is complete as far as it can know.

    ``quality`` holds the believed correlators at ``at``; ``decay`` the believed decay rates (x, y, z; 1/s) of both halves
    together, from which the expiry follows.
    """

    epoch: int
    node: str
    pair: PairId
    bell: Bell
    quality: Correlators
    decay: Correlators
    born: Time
    at: Time
    slot: int


@dataclass(frozen=True, slots=True)
class LinkReport:
    """A node tells the controller that it lost or regained the light of a link."""

    node: str
    link: str
    up: bool


# --------------------------------------------------------------------------------------------- coordination


@dataclass(frozen=True, slots=True)
class Joined:
    """The chain that runs through your elementary pair ``mine`` now ends at ``partner`` (there: ``far``).

    Attributes:
        epoch: installation.
        mine: elementary pair at the receiver's end.
        partner, far: node at the other end now, and its elementary pair.
        frame: Bell label to compose (XOR) with what you hold.
        quality: believed correlators to multiply with what you hold.
        far_born: birth of the far half.
        far_decay: believed decay rates of the far half (x, y, z; 1/s).
    """

    epoch: int
    mine: str
    partner: str
    far: str
    frame: Bell
    quality: Correlators
    far_born: Time
    far_decay: Correlators


@dataclass(frozen=True, slots=True)
class Lost:
    """The chain that runs through your elementary pair ``mine`` is broken: discard what is left of it."""

    epoch: int
    mine: str
    why: str


@dataclass(frozen=True, slots=True)
class PurifyAsk:
    """The initiator has done its half of a purification.

    Attributes:
        epoch: installation.
        keep, sacrifice: elementary pairs at the *receiver's* end of the two pairs.
        asker, answer_to: the initiator, and the elementary pair at *its* end of the kept pair.
        outcome: the initiator's measured bit.
        rounds: rounds that both pairs have had.
        quality_keep, quality_sacrifice: believed correlators with the initiator's own ageing applied.
        at: when the initiator's gate was done.
    """

    epoch: int
    keep: str
    sacrifice: str
    asker: str
    answer_to: str
    outcome: int
    rounds: int
    quality_keep: Correlators
    quality_sacrifice: Correlators
    at: Time


@dataclass(frozen=True, slots=True)
class PurifyAnswer:
    """The responder compared the bits: both ends keep ``keep``, or both drop it.

    ``keep`` names the elementary pair at the receiver's end. ``quality`` is the believed correlators of the kept pair when both
    gates were done, ``frame`` its Bell label, and ``at`` the moment of the responder's gate.
    """

    epoch: int
    keep: str
    success: bool
    frame: Bell
    quality: Correlators
    at: Time


# ------------------------------------------------------------------------------------------------- commands


@dataclass(frozen=True, slots=True)
class Arm:
    """Try on this lane of the link whenever the other end does too, keeping the qubit in ``slot``."""

    node: str
    slot: int
    link: str
    lane: int
    lanes: int
    setting: float | None


@dataclass(frozen=True, slots=True)
class Swap:
    """Bell measurement on two slots of one node."""

    node: str
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Purify:
    """Local half of a purification on two slots of one node: the second slot is measured."""

    node: str
    keep: int
    sacrifice: int
    distillation: Distillation


@dataclass(frozen=True, slots=True)
class Discard:
    """Stop trying on this slot and reset its qubit."""

    node: str
    slot: int


@dataclass(frozen=True, slots=True)
class Consume:
    """Hand the half in this slot to the application, which takes the pair to be in state ``bell``."""

    node: str
    slot: int
    bell: Bell


@dataclass(frozen=True, slots=True)
class Measure:
    """Measure the half in this slot in basis "X", "Y" or "Z"."""

    node: str
    slot: int
    basis: str


@dataclass(frozen=True, slots=True)
class Teleport:
    """Bell measurement of an input qubit, given by its amplitudes, and the half in ``slot``; the pair is taken to be in ``bell``."""

    node: str
    slot: int
    bell: Bell
    amplitudes: tuple[complex, complex]


@dataclass(frozen=True, slots=True)
class Correct:
    """Apply the Pauli that two bits of a teleportation ask for and hand the qubit to the application."""

    node: str
    slot: int
    bits: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Wake:
    """Ask to be told at a time; comes back as it is."""

    at: Time
    purpose: str
    epoch: int
    key: str = ""


# --------------------------------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class Heralded:
    """One end of a link hears that an attempt succeeded.

    Attributes:
        node, slot: who hears, and where its half is.
        link, pair: the link and the elementary pair.
        bell: announced state.
        born: when this half started to age.
        partner_born: when the other half did.
    """

    node: str
    slot: int
    link: str
    pair: str
    bell: Bell
    born: Time
    partner_born: Time


@dataclass(frozen=True, slots=True)
class Swapped:
    """A Bell measurement is done: ``outcome`` is the announced label, None when the measurement failed."""

    node: str
    left: int
    right: int
    outcome: Bell | None


@dataclass(frozen=True, slots=True)
class Purified:
    """The local half of a purification is done: the bit of the measured qubit, as read out."""

    node: str
    keep: int
    sacrifice: int
    bit: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A single-qubit measurement is done."""

    node: str
    slot: int
    basis: str
    bit: int


@dataclass(frozen=True, slots=True)
class Teleported:
    """The sender's part of a teleportation is done: two announced bits, None when its Bell measurement failed."""

    node: str
    slot: int
    bits: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Received:
    """The receiver holds the teleported qubit; ``density`` is its 2×2 density matrix by rows (true, from the twin)."""

    node: str
    slot: int
    density: tuple[complex, complex, complex, complex]


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """A node's monitor sees the light of a link go or come back."""

    node: str
    link: str
    up: bool


@dataclass(frozen=True, slots=True)
class NodeFailed:
    """A node stops: its memories are lost and it answers nobody until `NodeRecovered`."""

    node: str


@dataclass(frozen=True, slots=True)
class NodeRecovered:
    """A node starts again, empty."""

    node: str


@dataclass(frozen=True, slots=True)
class Truth:
    """For watchers only, never for deciders: what a consumed pair really was.

    ``weights`` are relative to the state that the consumers were told; the first is the true fidelity.
    """

    ends: tuple[tuple[str, str], tuple[str, str]]
    bell: Bell
    weights: Weights
    at: Time


@dataclass(frozen=True, slots=True)
class Stale:
    """For watchers: a message reached a node that no longer had a use for it (counted, never lost in silence)."""

    node: str
    kind: str
    epoch: int


Coordination: TypeAlias = Joined | Lost | PurifyAsk | PurifyAnswer
Installation: TypeAlias = (
    Prepare | Prepared | Declined | Commit | Renew | Drain | Release | Released | Confirmed | LinkReport
)
Command: TypeAlias = Arm | Swap | Purify | Discard | Consume | Measure | Teleport | Correct
Event: TypeAlias = (
    Heralded
    | Swapped
    | Purified
    | Measured
    | Teleported
    | Received
    | LinkChanged
    | NodeFailed
    | NodeRecovered
)
Client: TypeAlias = LinkRequest | Cancel | Accepted | Refused | Delivered | Outcome
Message: TypeAlias = Coordination | Installation | Command | Event | Client | Wake | Truth | Stale


@dataclass(frozen=True, slots=True)
class Send:
    """Carry a message to a seat: a node's agent, the controller, or a client."""

    to: str
    message: Message


CONTROLLER = "controller"
"""Name of the controller's seat; it sits at a node and its messages take that node's classical delays."""

CLIENT = "client"
"""Name of the seat where requests come from and replies go to; it sits beside the controller."""
