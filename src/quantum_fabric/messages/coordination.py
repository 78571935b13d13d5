"""News of swaps, losses and purifications: node agent <-> node agent."""

from __future__ import annotations

from dataclasses import dataclass

from quantum_fabric.messages.states import Bell, Correlators, Stretch
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class Joined:
    """The chain that runs through your elementary pair ``mine`` now ends at ``partner`` (there: ``far``).

    Attributes:
        epoch: installation.
        mine: elementary pair at the receiver's end.
        was: elementary pair at the other end before, which this swap consumed. News can overtake other news: what does not
            follow on what the receiver knows waits for what does.
        partner, far: node at the other end now, and its elementary pair.
        frame: Bell label to compose (XOR) with what you hold.
        quality: believed correlators to multiply with what you hold.
        far_born: birth of the far half.
        far_decay: believed decay rates of the far half (x, y, z; 1/s).
        far_stretch: the stretched part of its decay; None for none.
    """

    epoch: int
    mine: str
    was: str
    partner: str
    far: str
    frame: Bell
    quality: Correlators
    far_born: Time
    far_decay: Correlators
    far_stretch: Stretch | None = None


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
