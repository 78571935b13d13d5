"""Rules and leases: controller <-> node agents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from quantum_fabric.messages.states import (
    Bell,
    Choice,
    Correlators,
    Distillation,
    PairId,
    Rotation,
    Side,
    Stretch,
)
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the control plane believes of a node's noise: times in seconds, the exponent of the dephasing, the rest probabilities."""

    t1: float
    t2: float
    depolarising_1: float
    depolarising_2: float
    readout_error_0: float
    readout_error_1: float
    exponent: float = 1.0


@dataclass(frozen=True, slots=True)
class GenerateRule:
    """Keep trying on these slots towards a neighbour.

    Attributes:
        link, partner, side: the link, the neighbour at its other end, and where that lies along the path.
        slots: memory slots, one for each lane.
        lanes: numbers of the link's lanes that this installation holds, one for each slot.
        setting: the link's knob.
        fresh: believed correlators of a pair at its birth.
        partner_decay: believed decay rates of the partner's memory (x, y, z; 1/s).
        partner_stretch: the stretched part of its decay, for a half born at 0; None for none.
        disturbance: believed rate (1/s) at which the node's attempts on its other lanes take the coherence of a half here.
    """

    link: str
    partner: str
    side: Side
    slots: tuple[int, ...]
    lanes: tuple[int, ...]
    setting: float | None
    fresh: Correlators
    partner_decay: Correlators
    partner_stretch: Stretch | None = None
    disturbance: float = 0.0


@dataclass(frozen=True, slots=True)
class PurifyRule:
    """Purify pairs shared with ``partner`` until they have ``rounds``; the initiator picks the two pairs.

    Attributes:
        partner: node at the other end.
        rounds: how many rounds a pair gets.
        distillation: protocol of each round.
        initiator: whether this node asks and the partner answers.
        partner_calibration: believed noise of the partner.
        rotations: how the pairs are turned before each round, the first round first; the protocol's own way where it says nothing.
        pumped: spend fresh pairs on one that is kept; otherwise both pairs of a round have had all the rounds before it.
    """

    partner: str
    rounds: int
    distillation: Distillation
    initiator: bool
    partner_calibration: Calibration
    rotations: tuple[Rotation, ...] = ()
    pumped: bool = False


@dataclass(frozen=True, slots=True)
class SwapRule:
    """Swap a ready pair whose partner is in ``left`` with one whose partner is in ``right``; ``choice`` says which of several."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    choice: Choice = Choice.OLDEST


@dataclass(frozen=True, slots=True)
class CutoffRule:
    """Discard a half that has waited ``age`` since its birth in this repeater and is in no operation then.

    It strikes once: a half that is being swapped or purified at that moment is not cut off later.
    """

    age: Time


@dataclass(frozen=True, slots=True)
class Reading:
    """Of the pairs that an end completes, some are measured there at once.

    Which pairs, and in which basis, follows from the key and the pair's identity (`quantum_fabric.control.reading`): both ends say the
    same without asking, and a repeater, which has no key, cannot know.

    Attributes:
        bases: among which is chosen evenly: "X", "Y", "Z".
        share: of the pairs, in (0, 1].
        key: 64 hexadecimal digits that only the two ends and the controller have; never shown.
        own: goes into the choice of the basis: where both ends have the same, both choose the same basis; else each its own.
    """

    bases: tuple[str, ...]
    share: float = 1.0
    key: str = field(default="", repr=False)
    own: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """What an end has read of its half.

    Attributes:
        basis: "X", "Y" or "Z".
        bit: as read out; None where the memory had lost the half.
        test: whether it was a test.
    """

    basis: str
    bit: int | None
    test: bool = False


@dataclass(frozen=True, slots=True)
class DeliverRule:
    """What is done with complete pairs.

    Attributes:
        partner: at the other end.
        hold: keep pairs in memory until they are consumed, instead of handing them over at once.
        reading: measure halves here and tell the controller; None to hand them over.
        tests: measure halves here as a test, whatever else is to be done with pairs; both ends have the same.
        bell: the Bell state in which pairs are announced to the application; None for the one that each happens to be in.
        turns: this end brings pairs into that state: by a Pauli operator on its half, or by flipping the bit that it has read.
    """

    partner: str
    hold: bool
    reading: Reading | None = None
    tests: Reading | None = None
    bell: Bell | None = None
    turns: bool = False


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
    together and ``stretches`` the stretched parts, from which the expiry follows. An end that measures its half confirms when it has
    read it, and ``read`` says what.
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
    stretches: tuple[Stretch, ...] = ()
    read: Read | None = None


@dataclass(frozen=True, slots=True)
class LinkReport:
    """A node tells the controller that it lost or regained the light of a link.

    ``number`` counts what the node has told of this link, from 1, so that old news which comes late is known for old; 0 where it
    does not count. Reports of a later ``life`` of the node are newer than all of an earlier one.
    """

    node: str
    link: str
    up: bool
    number: int = 0
    life: int = 0
