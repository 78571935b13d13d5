"""Raman light that classical traffic leaves in a quantum channel of the same fibre.

Equation (Eraerds, Walenta, Legré, Gisin, Zbinden, New J. Phys. 12, 063027 (2010)), power inside the receiver's filter of width
Δλ, for one classical channel launched with power P into a fibre of length L, with α in nepers per length::

    forward   P β Δλ L e^(−αL)                    classical light runs with the quantum light
    backward  P β Δλ (1 − e^(−2αL)) / (2α)        classical light is launched at the receiver's end

Limits:
    Spontaneous scattering only, attenuation equal at both wavelengths, and β (per length and per width of filter) taken at the
    given spacing and temperature. Four-wave mixing and leakage of the filter are not here.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.units import SPEED_OF_LIGHT

PLANCK: Final = 6.626_070_15e-34
"""J s (exact, SI definition)."""

NEPERS: Final = math.log(10.0) / 10.0
"""Nepers of power in one dB."""


def photon_energy(wavelength: ArrayLike) -> Floats:
    """Energy of a photon, J: h c / λ.

    Examples:
        >>> f"{float(photon_energy(1550e-9)):.4e}"
        '1.2816e-19'
    """
    return np.asarray(PLANCK * SPEED_OF_LIGHT / check_range(wavelength, 1e-300, math.inf, "wavelength"))


def forward(
    power: ArrayLike, coefficient: ArrayLike, bandwidth: ArrayLike, length: ArrayLike, attenuation: ArrayLike
) -> Floats:
    """Raman power at the far end from classical light that runs with the quantum light: P β Δλ L e^(−αL).

    Args:
        power: launched classical power, W, at least 0.
        coefficient: β, per m of fibre and per m of wavelength, at least 0.
        bandwidth: Δλ of the receiver's filter, m, at least 0.
        length: m, at least 0.
        attenuation: dB per m, at least 0.

    Returns:
        W inside the filter.

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> f"{float(forward(1e-3, 2e-3, 0.8e-9, 50e3, 0.2e-3)):.3e}"
        '8.000e-12'
    """
    strength = _strength(power, coefficient, bandwidth)
    L, alpha = _path(length, attenuation)
    return np.asarray(strength * L * np.exp(-alpha * L))


def backward(
    power: ArrayLike, coefficient: ArrayLike, bandwidth: ArrayLike, length: ArrayLike, attenuation: ArrayLike
) -> Floats:
    """Raman power at the receiver from classical light that it launches against the quantum light.

    Equation: P β Δλ (1 − e^(−2αL))/(2α); P β Δλ L without attenuation.

    Args:
        power: launched classical power, W, at least 0.
        coefficient: β, per m of fibre and per m of wavelength, at least 0.
        bandwidth: Δλ of the receiver's filter, m, at least 0.
        length: m, at least 0.
        attenuation: dB per m, at least 0.

    Returns:
        W inside the filter.

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> f"{float(backward(1e-3, 2e-3, 0.8e-9, 50e3, 0.2e-3)):.3e}"
        '1.720e-11'
    """
    strength = _strength(power, coefficient, bandwidth)
    L, alpha = _path(length, attenuation)
    exponent = 2.0 * alpha * L
    # (1 - e^-x)/x is 1 - x/2 at the origin, where the quotient itself is 0/0
    small = exponent < 1e-12
    share = np.where(small, 1.0, -np.expm1(-exponent) / np.where(small, 1.0, exponent))
    return np.asarray(strength * L * share)


def _strength(power: ArrayLike, coefficient: ArrayLike, bandwidth: ArrayLike) -> Floats:
    return np.asarray(
        check_range(power, 0.0, math.inf, "power")
        * check_range(coefficient, 0.0, math.inf, "coefficient")
        * check_range(bandwidth, 0.0, math.inf, "bandwidth")
    )


def _path(length: ArrayLike, attenuation: ArrayLike) -> tuple[Floats, Floats]:
    return (
        check_range(length, 0.0, math.inf, "length"),
        NEPERS * check_range(attenuation, 0.0, math.inf, "attenuation"),
    )
