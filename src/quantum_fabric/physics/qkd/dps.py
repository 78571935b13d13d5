"""Differential-phase-shift QKD: a train of weak pulses, each bit in the phase between neighbours.

The key fraction is the one that field trials use: general attacks on *individual* photons with beam splitting, Waks, Takesue,
Yamamoto, PRA 73, 012344 (2006). It is not a proof against collective or coherent attacks: proofs against those exist only for
variants with randomised blocks and give much less key (Tamaki, Koashi, Kato, arXiv:1208.1995), and sequential attacks bound the
reach of the plain protocol (Curty, Zhang, Lo, Lütkenhaus, Quantum Inf. Comput. 7, 665 (2007)). Results carry a caution that says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import Caution
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.merit import binary_entropy

INDIVIDUAL: Caution = Caution(
    "dps.security",
    "attacks on several pulses at once",
    "individual attacks only",
    "a coherent attack may know more of the key than is removed",
)
"""Travels with every rate of this module."""


@dataclass(frozen=True, slots=True)
class PulseTrain:
    """A sender of a regular pulse train and its interferometric receiver with two detectors.

    Attributes:
        clock: pulses for each second (Hz), above 0.
        intensity: mean photons in a pulse, in (0, 0.5).
        efficiency: of receiver optics and detectors together, in (0, 1].
        dark_rate: dark counts of one detector (Hz), >= 0.
        window: fraction of the clock period in which a click is accepted, in (0, 1].
        misalignment: chance that a photon takes the wrong output, ``(1 - visibility)/2``, in [0, 0.5].
        dead_time: of a detector after a click (s), >= 0.
        afterpulse: chance that a click is followed by a false one, in [0, 1).
        inefficiency: f of error correction, at least 1.

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> PulseTrain(clock=1e9, intensity=0.2, efficiency=0.05).window
        1.0
    """

    clock: float
    intensity: float
    efficiency: float
    dark_rate: float = 0.0
    window: float = 1.0
    misalignment: float = 0.01
    dead_time: float = 0.0
    afterpulse: float = 0.0
    inefficiency: float = 1.16

    def __post_init__(self) -> None:
        check_range(self.clock, 1e-300, math.inf, "clock")
        check_range(self.intensity, 1e-300, 0.5, "intensity")
        check_range(self.efficiency, 1e-300, 1.0, "efficiency")
        check_range(self.window, 1e-300, 1.0, "window")
        check_range(self.misalignment, 0.0, 0.5, "misalignment")
        check_range(self.afterpulse, 0.0, 1.0, "afterpulse")
        check_range(self.dark_rate, 0.0, math.inf, "dark_rate")
        check_range(self.dead_time, 0.0, math.inf, "dead_time")
        check_range(self.inefficiency, 1.0, math.inf, "inefficiency")


@dataclass(frozen=True, slots=True)
class TrainRate:
    """What a pulse train gives, each of the batch shape.

    Attributes:
        sifted: bits for each second before correction.
        error: their error rate.
        secret: secret bits for each second.
        cautions: what the bound does not cover.
    """

    sifted: Floats
    error: Floats
    secret: Floats
    cautions: tuple[Caution, ...]


def collision_fraction(error: ArrayLike, intensity: ArrayLike) -> Floats:
    """How much of a sifted bit stays unknown to an attacker of individual photons; before error correction is paid, at least 0.

    Equation: ``-(1 - 2μ) log2[1 - e² - (1 - 6e)²/2]`` for e <= 1/6 (Waks 2006, eq. 17), 0 above.

    Args:
        error: e, shape ``(...)``, in [0, 1].
        intensity: μ, shape ``(...)``, in [0, 0.5].

    Returns:
        Broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Individual attacks with beam splitting at the sender's exit, channel of high loss.

    Examples:
        >>> round(float(collision_fraction(0.0, 0.2)), 6), round(float(collision_fraction(0.026, 0.2)), 4)
        (0.6, 0.3821)
    """
    e = check_range(error, 0.0, 1.0, "error")
    mu = check_range(intensity, 0.0, 0.5, "intensity")
    low = np.minimum(e, 1.0 / 6.0)
    fraction = -(1.0 - 2.0 * mu) * np.log2(1.0 - low**2 - (1.0 - 6.0 * low) ** 2 / 2.0)
    return np.where(e < 1.0 / 6.0, np.maximum(fraction, 0.0), 0.0)


def train_fraction(error: ArrayLike, intensity: ArrayLike, inefficiency: float = 1.0) -> Floats:
    """Secret bits for each sifted bit of DPS, at least 0.

    Equation: `collision_fraction` minus ``f h(e)``.

    Args:
        error: e, shape ``(...)``, in [0, 1].
        intensity: μ, shape ``(...)``, in [0, 0.5].
        inefficiency: f, at least 1.

    Returns:
        Broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Asymptotic; individual attacks.

    Examples:
        >>> round(float(train_fraction(0.026, 0.2, 1.16)), 4)
        0.1803
    """
    check_range(inefficiency, 1.0, math.inf, "inefficiency")
    return np.maximum(collision_fraction(error, intensity) - inefficiency * binary_entropy(error), 0.0)


def train_rate(system: PulseTrain, channel: ArrayLike) -> TrainRate:
    """Sifted and secret bits for each second of a DPS link.

    Equation: clicks ``p = 1 - e^(-μη) + 2 p_dc`` for each pulse, raised by afterpulses; two detectors share them, each dead for T
    after one: ``R = ν p / (1 + ν p T/2)``; errors ``[e_d (1 - e^(-μη)) + p_dc + p_ap p/2]/(p (1 + p_ap))``. Key fraction:
    `train_fraction`.

    Args:
        system: sender and receiver.
        channel: transmission of the fibre, shape ``(...)``, in [0, 1].

    Returns:
        Rates of that shape, with the caution `INDIVIDUAL`.

    Raises:
        QuantityError: a transmission outside [0, 1].

    Limits:
        Asymptotic; double clicks are left out (p well below 1); non-paralysable dead time.

    Examples:
        >>> link = PulseTrain(clock=1e9, intensity=0.2, efficiency=0.055, dark_rate=30.0, misalignment=0.023)
        >>> result = train_rate(link, 1e-3)
        >>> round(float(result.sifted)), round(float(result.error), 3), len(result.cautions)
        (11060, 0.026, 1)
    """
    eta = check_range(channel, 0.0, 1.0, "channel") * system.efficiency
    dark = system.dark_rate * system.window / system.clock
    light = -np.expm1(-system.intensity * eta)
    clicks = light + 2.0 * dark
    total = clicks * (1.0 + system.afterpulse)
    wrong = system.misalignment * light + dark + system.afterpulse * clicks / 2.0
    error = np.where(total > 0.0, wrong / np.where(total > 0.0, total, 1.0), 0.5)
    raw = system.clock * total
    sifted = raw / (1.0 + raw * system.dead_time / 2.0)
    fraction = train_fraction(np.minimum(error, 1.0), system.intensity, system.inefficiency)
    return TrainRate(sifted, error, np.asarray(sifted * fraction, dtype=np.float64), (INDIVIDUAL,))
