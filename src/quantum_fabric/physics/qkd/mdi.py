"""Measurement-device-independent QKD: two senders, an untrusted Bell measurement in the middle, no trust in any detector.

Source: Lo, Curty, Qi, PRL 108, 130503 (2012) (protocol and rate); Ma, Razavi, PRA 86, 062319 (2012) (closed forms of gains and
error rates for phase-randomised coherent states and two detectors for each basis). Infinitely many decoys, asymptotic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.optimum import golden


@dataclass(frozen=True, slots=True)
class BellStation:
    """A station that makes a linear-optics Bell measurement.

    Attributes:
        dark: false counts for each window of one detector, in [0, 1).
        misalignment: total misalignment error, in [0, 0.5].
        inefficiency: f of error correction, at least 1.
        sifting: factor for the choice of bases, in (0, 1].

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> BellStation(dark=3e-6, misalignment=0.015).sifting
        0.5
    """

    dark: float
    misalignment: float
    inefficiency: float = 1.16
    sifting: float = 0.5

    def __post_init__(self) -> None:
        check_range(self.dark, 0.0, 1.0, "dark")
        check_range(self.misalignment, 0.0, 0.5, "misalignment")
        check_range(self.inefficiency, 1.0, math.inf, "inefficiency")
        check_range(self.sifting, 0.0, 1.0, "sifting")


def photon_pair(station: BellStation, a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    """Yield of single photons from both ends, and their phase error rate.

    Equation: ``Y = (1-d)² [ab/2 + (2a + 2b - 3ab) d + 4 (1-a)(1-b) d²]``, ``e Y = Y/2 - (1/2 - e_d)(1-d)² ab/2`` (Ma & Razavi 2012).

    Args:
        station: noise.
        a: transmission from one end with the detector, shape ``(...)``, in [0, 1].
        b: from the other end.

    Returns:
        (Y, e), broadcast shape.

    Raises:
        QuantityError: a transmission outside [0, 1].

    Examples:
        >>> [round(float(v), 6) for v in photon_pair(BellStation(0.0, 0.015), 0.1, 0.1)]
        [0.005, 0.015]
    """
    eta_a, eta_b = check_range(a, 0.0, 1.0, "a"), check_range(b, 0.0, 1.0, "b")
    d = station.dark
    quiet = (1.0 - d) ** 2
    both = eta_a * eta_b
    y = quiet * (
        both / 2.0
        + (2.0 * eta_a + 2.0 * eta_b - 3.0 * both) * d
        + 4.0 * (1.0 - eta_a) * (1.0 - eta_b) * d * d
    )
    wrong = y / 2.0 - (0.5 - station.misalignment) * quiet * both / 2.0
    return (y, np.where(y > 0.0, wrong / np.where(y > 0.0, y, 1.0), 0.5))


def key_basis_gain(
    station: BellStation, a: ArrayLike, b: ArrayLike, intensity: ArrayLike
) -> tuple[Floats, Floats]:
    """Reported windows and wrong ones in the key basis, both ends with the same intensity.

    Equation: with ``x = μ sqrt(ab)/2`` and ``μ' = μ (a + b)``: right
    ``2 (1-d)² e^(-μ'/2) [1 - (1-d) e^(-μa/2)] [1 - (1-d) e^(-μb/2)]``, wrong ``2 d (1-d)² e^(-μ'/2) [I0(2x) - (1-d) e^(-μ'/2)]``;
    a share e_d of each changes sides (Ma & Razavi 2012).

    Args:
        station: noise.
        a: transmission from one end with the detector, shape ``(...)``.
        b: from the other end.
        intensity: μ of each end, shape ``(...)``, >= 0.

    Returns:
        (gain, wrong part of it), broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> gain, wrong = key_basis_gain(BellStation(3e-6, 0.015), 0.0145, 0.0145, 0.5)
        >>> f"{float(gain):.4e} {float(wrong / gain):.5f}"
        '2.6083e-05 0.01660'
    """
    eta_a, eta_b = check_range(a, 0.0, 1.0, "a"), check_range(b, 0.0, 1.0, "b")
    mu = check_range(intensity, 0.0, math.inf, "intensity")
    d = station.dark
    lit_a, lit_b = mu * eta_a / 2.0, mu * eta_b / 2.0
    empty = np.exp(-lit_a - lit_b)
    click_a = -np.expm1(-lit_a) + d * np.exp(-lit_a)
    click_b = -np.expm1(-lit_b) + d * np.exp(-lit_b)
    right = 2.0 * (1.0 - d) ** 2 * empty * click_a * click_b
    wrong = 2.0 * d * (1.0 - d) ** 2 * empty * (np.i0(mu * np.sqrt(eta_a * eta_b)) - (1.0 - d) * empty)
    gain = right + wrong
    return (gain, station.misalignment * right + (1.0 - station.misalignment) * wrong)


def untrusted_rate(station: BellStation, a: ArrayLike, b: ArrayLike, intensity: ArrayLike) -> Floats:
    """Secret bits for each pair of pulses; at least 0.

    Equation: ``q {μ² e^(-2μ) Y [1 - h(e)] - f Q h(E)}`` (Lo, Curty, Qi 2012).

    Args:
        station: noise and cost.
        a: transmission from one end with the detector, shape ``(...)``.
        b: from the other end.
        intensity: μ of each end, shape ``(...)``, >= 0.

    Returns:
        Broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Asymptotic; infinitely many decoys; perfect time and phase reference.

    Examples:
        >>> f"{float(untrusted_rate(BellStation(3e-6, 0.015), 0.145, 0.145, 0.6)):.4e}"  # no fibre at all
        '2.8758e-04'
    """
    return np.maximum(_signed(station, a, b, intensity), 0.0)


def best_untrusted_rate(station: BellStation, a: float, b: float) -> tuple[float, float]:
    """Intensity (the same at both ends) that gives most key, and the rate.

    Args:
        station: noise and cost.
        a: transmission from one end with the detector, in [0, 1].
        b: from the other end.

    Returns:
        (μ, secret bits for each pair of pulses, at least 0).

    Raises:
        QuantityError: a transmission outside [0, 1].

    Examples:
        >>> mu, rate = best_untrusted_rate(BellStation(3e-6, 0.015), 0.145, 0.145)
        >>> round(mu, 3), f"{rate:.3e}"
        (0.599, '2.876e-04')
    """
    mu = golden(lambda x: float(_signed(station, a, b, x)), 1e-4, 2.0, 1e-7)
    return (mu, float(untrusted_rate(station, a, b, mu)))


def _signed(station: BellStation, a: ArrayLike, b: ArrayLike, intensity: ArrayLike) -> Floats:
    y, e = photon_pair(station, a, b)
    gain, wrong = key_basis_gain(station, a, b, intensity)
    mu = np.asarray(intensity, dtype=np.float64)
    error = np.where(gain > 0.0, wrong / np.where(gain > 0.0, gain, 1.0), 0.5)
    single = mu**2 * np.exp(-2.0 * mu) * y * (1.0 - binary_entropy(np.minimum(e, 0.5)))
    return np.asarray(station.sifting * (single - station.inefficiency * gain * binary_entropy(error)))
