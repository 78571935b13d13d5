"""Twin-field QKD with coherent states: key from the sign of a pulse, phase errors bounded by photon-number yields.

Both ends send ``|±α⟩`` to the middle station; which detector clicks tells whether the signs agree. What an eavesdropper may know
is bounded by how often pulses of n and m photons are reported: no interference is needed for that, and no assumption on the station.

Source: Curty, Azuma, Lo, npj Quantum Inf. 5, 64 (2019) (protocol and phase-error bound). Yields here come from one closed form: for a
detector that sees the mode d with efficiency s, no photon is found with the normal-ordered operator ``:exp(-s d†d):``, which for
Fock states is ``Σ_k C(n,k) C(m,k) a^(n-k) a^(m-k) b^(2k)`` with ``a = 1 - s/2``, ``b = (s/2) cos θ``.
"""

from __future__ import annotations

import math

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import check_range
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.optimum import golden
from quantum_fabric.physics.qkd.twin_field import MiddleStation

PHOTONS = 12
"""Pairs of photon numbers with a sum up to this are computed; for more the yield is taken as 1, which only costs key."""


def only_click(dark: float, transmission: float, overlap: float, n: int, m: int) -> float:
    """Chance that one given detector clicks and the other does not, when n photons come from one end and m from the other.

    Equation: ``(1-d) P(no photon in the other) - (1-d)² (1-η)^(n+m)``.

    Args:
        dark: d, in [0, 1].
        transmission: η of one arm with the detector, in [0, 1].
        overlap: cos θ of the two arriving modes, in [0, 1].
        n: photons from one end, 0 or more.
        m: photons from the other end, 0 or more.

    Returns:
        A probability; the same for both detectors, since Fock states carry no phase.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> only_click(0.0, 1.0, 1.0, 1, 1)  # Hong, Ou and Mandel: both photons leave together
        0.5
        >>> only_click(0.0, 1.0, 0.0, 1, 1)
        0.25
    """
    for value, where in ((dark, "dark"), (transmission, "transmission"), (overlap, "overlap")):
        check_range(value, 0.0, 1.0, where)
    if n < 0 or m < 0:
        raise QuantityError(found=f"{n}, {m}", expected="0 or more", where="photons")
    a, b = 1.0 - transmission / 2.0, transmission / 2.0 * overlap
    quiet = sum(
        math.comb(n, k) * math.comb(m, k) * a ** (n + m - 2 * k) * b ** (2 * k) for k in range(min(n, m) + 1)
    )
    # 1 - x with x near 1: written as a difference of "no photon in one" and "none in both", each close to 1
    return (1.0 - dark) * (quiet - (1.0 - transmission) ** (n + m)) + dark * (1.0 - dark) * (
        1.0 - transmission
    ) ** (n + m)


def sign_windows(station: MiddleStation, transmission: float, intensity: float) -> tuple[float, float]:
    """Reported windows of one detector in the key basis, and their error rate.

    Equation: with ``γ = ημ`` of each arm and ``Ω = 1 - 2 e_d``: ``p = (1-d)[(e^(γΩ) + e^(-γΩ)) e^-γ/2 - (1-d) e^(-2γ)]``,
    ``E p = (1-d)[e^(-γΩ) e^-γ - (1-d) e^(-2γ)]/2`` (Curty 2019, with the misalignment as a visibility).

    Args:
        station: noise.
        transmission: of one arm with the detector, in [0, 1].
        intensity: ``μ = |α|²`` of each end, in [0, 20].

    Returns:
        (chance that this detector alone clicks, error rate).

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> chance, error = sign_windows(MiddleStation(1e-8, 0.02), 1e-2, 0.02)
        >>> f"{chance:.4e} {error:.4f}"
        '1.9997e-04 0.0200'
    """
    check_range(transmission, 0.0, 1.0, "transmission")
    check_range(intensity, 0.0, 20.0, "intensity")
    gamma, d = transmission * intensity, station.dark
    bright = (
        gamma * 2.0 * (1.0 - station.misalignment)
    )  # mean photons in the right detector, both ends together
    faint = gamma * 2.0 * station.misalignment
    # click in the right one and silence in the other, and the reverse; signs agree in half of the windows
    right = (1.0 - d) * math.exp(-faint) * (-math.expm1(-bright) + d * math.exp(-bright))
    wrong = (1.0 - d) * math.exp(-bright) * (-math.expm1(-faint) + d * math.exp(-faint))
    chance = (right + wrong) / 2.0
    return (chance, wrong / 2.0 / chance if chance > 0.0 else 0.5)


def phase_error(station: MiddleStation, transmission: float, intensity: float) -> float:
    """Bound on the phase error rate of `sign_windows` from the yields of photon numbers, at most 1/2.

    Equation: ``e <= (1/p) Σ_j [Σ_mn c_m c_n sqrt(Y_mn)]²`` over even m, n (j = 0) and odd ones (j = 1),
    ``c_n = e^(-μ/2) μ^(n/2)/sqrt(n!)`` (Curty 2019, eq. 12).

    Args:
        station: noise.
        transmission: of one arm with the detector, in [0, 1].
        intensity: μ, in [0, 20].

    Returns:
        The rate.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Yields as infinitely many decoys reveal them; the tail beyond `PHOTONS` photons counts with yield 1.

    Examples:
        >>> round(phase_error(MiddleStation(0.0, 0.0), 1e-3, 0.02), 4)
        0.0599
    """
    chance, _ = sign_windows(station, transmission, intensity)
    if chance <= 0.0:
        return 0.5
    overlap = 1.0 - 2.0 * station.misalignment
    weight = [
        math.exp(-intensity / 2.0 + n * math.log(max(intensity, 1e-300)) / 2.0 - math.lgamma(n + 1.0) / 2.0)
        for n in range(60)
    ]
    total = 0.0
    for parity in (0, 1):
        numbers = range(parity, 60, 2)
        amplitude = sum(
            weight[n]
            * weight[m]
            * (math.sqrt(only_click(station.dark, transmission, overlap, n, m)) if n + m <= PHOTONS else 1.0)
            for n in numbers
            for m in numbers
        )
        total += amplitude**2
    return min(total / chance, 0.5)


def sign_rate(station: MiddleStation, transmission: float, intensity: float) -> float:
    """Secret bits for each window of the key basis, both detectors together; at least 0.

    Equation: ``2 p [1 - f h(E) - h(e_phase)]`` (Curty 2019).

    Args:
        station: noise and cost.
        transmission: of one arm with the detector, in [0, 1].
        intensity: μ, in [0, 20].

    Returns:
        Bits.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Asymptotic, equal arms; nearly all windows are key windows.

    Examples:
        >>> f"{sign_rate(MiddleStation(1e-8, 0.02), 1e-3, 0.02):.2e}"
        '1.89e-05'
    """
    return max(_signed(station, transmission, intensity), 0.0)


def best_sign_rate(station: MiddleStation, transmission: float) -> tuple[float, float]:
    """Intensity that gives most key, and the rate.

    Args:
        station: noise and cost.
        transmission: of one arm with the detector, in [0, 1].

    Returns:
        (μ, secret bits for each window, at least 0).

    Raises:
        QuantityError: a transmission outside [0, 1].

    Examples:
        >>> mu, rate = best_sign_rate(MiddleStation(1e-8, 0.02), 1e-3)
        >>> 0.01 < mu < 0.05, rate > 1.8e-5
        (True, True)
    """
    exponent = golden(lambda x: _signed(station, transmission, math.exp(x)), math.log(1e-4), 0.0, 1e-5)
    mu = math.exp(exponent)
    return (mu, sign_rate(station, transmission, mu))


def _signed(station: MiddleStation, transmission: float, intensity: float) -> float:
    chance, error = sign_windows(station, transmission, intensity)
    phase = phase_error(station, transmission, intensity)
    cost = station.inefficiency * float(binary_entropy(np.minimum(error, 0.5)))
    return 2.0 * chance * (1.0 - cost - float(binary_entropy(phase)))
