"""The words of the seam: Bell states, identities of pairs, and the choices that a plan is made of."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import NamedTuple, TypeAlias

from quantum_fabric.units import Time

Weights: TypeAlias = tuple[float, float, float, float]
"""Probabilities of (Φ+, Φ−, Ψ+, Ψ−). *Relative* weights count from an announced state: the first is the fidelity to it."""

Correlators: TypeAlias = tuple[float, float, float]
"""(x, y, z) = (⟨XX⟩, −⟨YY⟩, ⟨ZZ⟩) of a Bell-diagonal pair, relative to its announced state: a perfect pair is (1, 1, 1)."""


class Stretch(NamedTuple):
    """The stretched part of a half's dephasing: its coherence falls as ``exp(-(rate (t - birth))^exponent)``.

    Attributes:
        rate: 1/s.
        exponent: above 1; what decays exponentially is said in a rate alone.
        birth: of the half (ps); such a decay cannot be restarted.
    """

    rate: float
    exponent: float
    birth: Time = 0


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


class Choice(Enum):
    """Which of the halves that may be swapped a repeater takes, on each side."""

    OLDEST = "oldest"
    """The one that was born first."""
    YOUNGEST = "youngest"
    """The one that was born last."""
    BEST = "best"
    """The one whose pair is believed to have the highest fidelity now."""


class Distillation(Enum):
    """Recurrence protocols that turn two pairs into a better one."""

    DEJMPS = "dejmps"
    BBPSSW = "bbpssw"


class Axes(Enum):
    """A bilateral rotation U ⊗ U* of a pair, by which of its old correlators become x, y and z."""

    XYZ = "xyz"
    """Nothing is turned, and no gate is needed."""
    XZY = "xzy"
    YXZ = "yxz"
    YZX = "yzx"
    ZXY = "zxy"
    ZYX = "zyx"


class Rotation(NamedTuple):
    """What both ends do to the kept and to the sacrificed pair before a round of purification.

    Examples:
        >>> Rotation(Axes.XYZ, Axes.ZYX).words
        ('xyz', 'zyx')
    """

    keep: Axes
    sacrifice: Axes

    @property
    def words(self) -> tuple[str, str]:
        """The two in the words of the physics room."""
        return (self.keep.value, self.sacrifice.value)
