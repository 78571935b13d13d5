"""How the alignment of a plant wanders between calibrations.

Each quantity is a random walk (phase, polarisation, pointing) or runs down (detector efficiency). A walk is advanced by steps with
independent normal draws that the caller hands in, so that a run is repeatable; splitting a step does not change the law.

References: optical phase and polarisation as Wiener processes: Minář et al., PRA 77, 052325 (2008) (phase noise of installed fibre);
Ding et al., Opt. Lett. 42, 1023 (2017) (polarisation of installed and aerial fibre).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

Rotation: TypeAlias = tuple[float, float, float, float]
"""Unit quaternion (w, x, y, z)."""


def walked(value: float, rate: float, seconds: float, normal: float) -> float:
    """One step of a random walk whose variance grows as rate² t.

    Args:
        value: before the step.
        rate: rms change per square root of a second.
        seconds: length of the step, at least 0.
        normal: a standard normal draw.

    Examples:
        >>> walked(0.5, 0.1, 4.0, 1.0)
        0.7
    """
    return value + rate * math.sqrt(seconds) * normal


def coherence(rate: float, seconds: float) -> float:
    """Mean coherence left by a phase that walks for a time: ``exp(-rate² t / 2)``.

    Args:
        rate: rms phase per square root of a second, rad/√s.
        seconds: since the last correction, at least 0.

    Examples:
        >>> round(coherence(0.5, 4.0), 6)
        0.606531
    """
    return math.exp(-0.5 * rate * rate * seconds)


def isotropic(rate: float, seconds: float) -> float:
    """Mean cosine of the angle by which a polarisation has moved on the Poincaré sphere: ``exp(-2 D t)``, 2D = rate².

    The sphere turns by rms angles ``rate`` √t about each of three axes; two of them move a given polarisation. The correlators
    of a polarisation-encoded pair fade by this factor on average: it is the mean of ``(1 + 2 cos θ)/3`` over rotations by θ.

    Args:
        rate: rms angle per square root of a second about each axis, rad/√s.
        seconds: since the last correction, at least 0.

    Examples:
        >>> isotropic(0.1, 0.0)
        1.0
    """
    return math.exp(-rate * rate * seconds)


def turned(rotation: Rotation, rate: float, seconds: float, normals: tuple[float, float, float]) -> Rotation:
    """One step of a random walk of rotations (of the Poincaré sphere).

    Args:
        rotation: unit quaternion (w, x, y, z) before the step.
        rate: rms angle per square root of a second about each of three axes, rad/√s.
        seconds: length of the step, at least 0; ``rate`` √seconds should be well below 1.
        normals: three standard normal draws.

    Returns:
        The unit quaternion after the step.

    Examples:
        >>> turned((1.0, 0.0, 0.0, 0.0), 0.1, 0.0, (1.0, 1.0, 1.0))
        (1.0, 0.0, 0.0, 0.0)
    """
    size = rate * math.sqrt(seconds)
    angle = size * math.hypot(*normals)
    if angle == 0.0:
        return rotation
    scale = math.sin(0.5 * angle) * size / angle
    c, (p, q, r) = math.cos(0.5 * angle), (scale * normal for normal in normals)
    w, x, y, z = rotation
    after = (
        c * w - p * x - q * y - r * z,
        c * x + p * w + q * z - r * y,
        c * y - p * z + q * w + r * x,
        c * z + p * y - q * x + r * w,
    )
    length = math.hypot(*after)
    return (after[0] / length, after[1] / length, after[2] / length, after[3] / length)


def angle_of(rotation: Rotation) -> float:
    """Angle of a rotation, in [0, π], exact for small ones too.

    Args:
        rotation: unit quaternion (w, x, y, z).

    Examples:
        >>> round(angle_of((math.cos(0.2), math.sin(0.2), 0.0, 0.0)), 12)
        0.4
    """
    return 2.0 * math.atan2(math.hypot(*rotation[1:]), abs(rotation[0]))


def worn(rate: float, seconds: float) -> float:
    """Share of a detector's efficiency that is left: ``exp(-rate t)``.

    Args:
        rate: share of what is left that is lost per s.
        seconds: since the last calibration, at least 0.

    Examples:
        >>> round(worn(0.01 / 3600, 7200.0), 6)
        0.980199
    """
    return math.exp(-rate * seconds)


def pointing_loss(offset: tuple[float, float]) -> float:
    """Loss in dB of a Gaussian mode that has wandered sideways: ``10 log10(e) (x² + y²)``.

    Equation: overlap of two equal Gaussian modes of radius w (1/e² of the power) whose axes are d apart: ``exp(-d²/w²)``.

    Args:
        offset: d/w in two directions.

    Examples:
        >>> round(pointing_loss((0.3, 0.4)), 4)
        1.0857
    """
    return 10.0 / math.log(10.0) * (offset[0] ** 2 + offset[1] ** 2)


@dataclass(frozen=True, slots=True)
class Magnitudes:
    """How fast things wander on one link.

    Attributes:
        phase: rad/√s.
        polarisation: rad/√s, each arm.
        pointing: mode radii per √s, each arm.
        detectors: share of the efficiency lost per s.
    """

    phase: float = 0.0
    polarisation: tuple[float, float] = (0.0, 0.0)
    pointing: tuple[float, float] = (0.0, 0.0)
    detectors: float = 0.0

    @property
    def still(self) -> bool:
        """True where nothing wanders.

        Examples:
            >>> Magnitudes().still, Magnitudes(phase=0.1).still
            (True, False)
        """
        return self == STILL


STILL: Final = Magnitudes()
"""Nothing wanders."""
