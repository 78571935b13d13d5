"""What happened: plant -> node agents, and what only watchers see."""

from __future__ import annotations

from dataclasses import dataclass

from quantum_fabric.messages.states import Bell, Weights
from quantum_fabric.units import Time


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
    """The local half of a purification is done: the bit of the measured qubit, as read out; None where its memory had lost it."""

    node: str
    keep: int
    sacrifice: int
    bit: int | None


@dataclass(frozen=True, slots=True)
class Measured:
    """A single-qubit measurement is done; ``bit`` is None where the memory had lost the qubit."""

    node: str
    slot: int
    basis: str
    bit: int | None


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
class Fused:
    """A fusion is done: the bits that were read from ``others``, None where it failed."""

    node: str
    slot: int
    others: tuple[int, ...]
    bits: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """A node's monitor sees the light of a link go or come back."""

    node: str
    link: str
    up: bool


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The calibration of a link is over, as each end hears; ``done`` is False where it came to nothing because there was no light."""

    node: str
    link: str
    done: bool


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
class SharedTruth:
    """For watchers only, never for deciders: what a fused GHZ state really was.

    Attributes:
        nodes: who share it, the centre first.
        fidelity: to (|0...0> + |1...1>)/√2, each qubit when it was handed over.
        stabilisers: expectation of X...X, and of ZZ on the centre and each other node in turn.
        at: when the last of them was handed over, ps.
    """

    nodes: tuple[str, ...]
    fidelity: float
    stabilisers: tuple[float, ...]
    at: Time


@dataclass(frozen=True, slots=True)
class Drifted:
    """For watchers only, never for deciders: how far a link truly is out of alignment.

    Attributes:
        link: which.
        phase: rad that nobody corrects.
        polarisation: rad by which each arm turns it, first end first.
        loss: dB that each arm has lost.
        detectors: efficiency relative to the data sheet.
        at: since when, ps.
    """

    link: str
    phase: float
    polarisation: tuple[float, float]
    loss: tuple[float, float]
    detectors: float
    at: Time


@dataclass(frozen=True, slots=True)
class Stale:
    """For watchers: a message reached a node that no longer had a use for it (counted, never lost in silence)."""

    node: str
    kind: str
    epoch: int
