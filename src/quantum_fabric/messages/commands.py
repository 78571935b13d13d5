"""What the plant is told to do: node agent (or a service) -> plant."""

from __future__ import annotations

from dataclasses import dataclass

from quantum_fabric.messages.states import Bell, Distillation, Rotation
from quantum_fabric.units import Time


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
    """Local half of a purification on two slots of one node: the second slot is measured.

    ``rotation`` says how the two are turned first; None is the protocol's own way.
    """

    node: str
    keep: int
    sacrifice: int
    distillation: Distillation
    rotation: Rotation | None = None


@dataclass(frozen=True, slots=True)
class Discard:
    """Stop trying on this slot and reset its qubit."""

    node: str
    slot: int


@dataclass(frozen=True, slots=True)
class Consume:
    """Hand the half in this slot to the application, which takes the pair to be in state ``bell``.

    An application names the ``half`` that it means by its elementary pair: another one in the slot is left alone. So do the
    commands below.
    """

    node: str
    slot: int
    bell: Bell
    half: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """Measure the half in this slot in basis "X", "Y", "Z", "W" or "V" (`quantum_fabric.physics.chsh`)."""

    node: str
    slot: int
    basis: str
    half: str = ""


@dataclass(frozen=True, slots=True)
class Teleport:
    """Bell measurement of an input qubit, given by its amplitudes, and the half in ``slot``; the pair is taken to be in ``bell``."""

    node: str
    slot: int
    bell: Bell
    amplitudes: tuple[complex, complex]
    half: str = ""


@dataclass(frozen=True, slots=True)
class Correct:
    """Apply the Pauli that two bits of a teleportation ask for and hand the qubit to the application."""

    node: str
    slot: int
    bits: tuple[int, int]
    half: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """Apply the Pauli operator with this label to the half in this slot: its pair goes from one Bell state to another."""

    node: str
    slot: int
    label: Bell
    half: str = ""


@dataclass(frozen=True, slots=True)
class Fuse:
    """Fuse halves of pairs with different nodes into one GHZ state: a CX from one half to each of the others, which are read.

    The half in ``slot`` is handed to the application. Each other node owes its half the operator X where the bit that was read from
    its pair is 1; a node whose pair was not Φ+ owes it that pair's label too. Until each of them has consumed its half the state is
    not complete.
    """

    node: str
    slot: int
    others: tuple[int, ...]
    halves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Calibrate:
    """Bring a link back into alignment; it attempts nothing until `Calibrated` says that this is over.

    Either end may ask. While a link is being calibrated another one adds nothing.
    """

    node: str
    link: str


@dataclass(frozen=True, slots=True)
class Wake:
    """Ask to be told at a time; comes back as it is."""

    at: Time
    purpose: str
    epoch: int
    key: str = ""
