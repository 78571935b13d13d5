"""Finite key of measurement-device-independent QKD with two decoys at each end, and the windows that a Bell station announces.

Both ends choose a basis and one of three intensities for each window; the station says which windows gave a Bell measurement, and
which of two states. Whatever it is and says, the number of announced windows in which both ends sent one photon is bounded from how
often windows of each pair of intensities were announced.

Sources: Xu, Curty, Qi, Lo, New J. Phys. 15, 113007 (2013) (the two-decoy bounds); Curty, Xu, Cui, Lim, Tamaki, Lo, Nat. Commun. 5,
3732 (2014) (finite key); the length is put together as in Lim et al. 2014 (`finite_key.assemble`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.qkd.concentration import hoeffding, mean_from_count
from quantum_fabric.physics.qkd.finite_key import FiniteKey, assemble, checked_intensities, phase_error_bound
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.mdi import BellStation
from quantum_fabric.physics.qkd.station_clicks import PHASES, meeting

SHARES: Final = 28
"""Of ε_sec: 7 counts of each basis and 4 of errors (a bound each), the key's share of the pairs, the sampling bound, 7 for smoothing
and the chain rule as in Lim et al. 2014, and one for amplification."""


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Announced windows by the intensities of both ends, each of shape ``(3, 3)``: rows the first end, columns the second.

    Attributes:
        key: both took the key basis.
        test: both took the test basis.
        test_errors: bits that differ among them, after the second end has followed the announcement.
    """

    key: Floats
    test: Floats
    test_errors: Floats


def pair_bounds(
    counts: ArrayLike, errors: ArrayLike, intensities: ArrayLike, probabilities: ArrayLike, failure: float
) -> tuple[float, float]:
    """Least number of announced windows with one photon from each end, and most errors among them.

    Equation: with ``M_k = q_kk + q_ww - q_kw - q_wk``, ``q_ab = e^(a+b) n*_ab/(p_a p_b)`` the scaled means of counts, intensities
    μ > ν > ω: ``s11 >= τ11 [(μ²-ω²)(μ-ω) M_ν - (ν²-ω²)(ν-ω) M_μ]/[(μ-ω)²(ν-ω)²(μ-ν)]`` and ``v11 <= τ11 M_ν(errors)/(ν-ω)²``, where
    ``τ11 = (Σ p_k e^-k k)²`` (Xu et al. 2013). Each count stands at the edge of its interval (`mean_from_count`: given the photon
    numbers of both ends, which intensities a window had is drawn independently of everything that the station does).

    Args:
        counts: shape ``(3, 3)``, intensities falling.
        errors: among them, same shape.
        intensities: μ > ν > ω >= 0.
        probabilities: of each, above 0.
        failure: ε of each bound.

    Returns:
        (s11, v11), each at least 0.

    Raises:
        QuantityError: intensities in another order, or an argument outside its domain.

    Examples:
        >>> counts = 1e6 * np.array([[9.0, 3.0, 1e-3], [3.0, 1.0, 1e-3], [1e-3, 1e-3, 0.0]])
        >>> s, v = pair_bounds(counts, 0.25 * counts, [0.3, 0.1, 0.0], [0.5, 0.4, 0.1], 1e-10)
        >>> s > 0.0, v > 0.0
        (True, True)
    """
    mu, p = checked_intensities(intensities, probabilities, 3)
    if not mu[0] > mu[1] > mu[2]:
        raise QuantityError(found="another order", expected="μ > ν > ω >= 0", where="intensities")
    scale = np.exp(mu)[:, None] * np.exp(mu)[None, :] / (p[:, None] * p[None, :])
    low, high = (scale * side for side in mean_from_count(counts, failure))
    wrong_low, wrong_high = (scale * side for side in mean_from_count(errors, failure))
    a, b, w = (float(k) for k in mu)

    def mixed(one: Floats, other: Floats, k: int) -> float:
        """M_k with like pairs from one side of their intervals and unlike pairs from the other."""
        return float(one[k, k] + one[2, 2] - other[k, 2] - other[2, k])

    first, second = (a * a - w * w) * (a - w), (b * b - w * w) * (b - w)
    # the vacuum of both counts with the sum of both weights, so that its interval is used once
    vacuum = first - second
    found = (
        first * (low[1, 1] - high[1, 2] - high[2, 1])
        - second * (high[0, 0] - low[0, 2] - low[2, 0])
        + vacuum * low[2, 2]
    )
    tau = float((p * np.exp(-mu) * mu).sum()) ** 2
    pairs = tau * float(found) / ((a - w) ** 2 * (b - w) ** 2 * (a - b))
    wrong = tau * mixed(wrong_high, wrong_low, 1) / (b - w) ** 2
    return (max(pairs, 0.0), max(wrong, 0.0))


def untrusted_key(
    counts: PairCounts, intensities: ArrayLike, probabilities: ArrayLike, security: Security, leak: float
) -> FiniteKey:
    """Key length of one block. The key is made of windows in the key basis where both ends chose the strongest intensity.

    Equation: ``l = n11 [1 - h(φ)] - leak - 6 log2(28/ε_sec) - log2(2/ε_cor)``,
    ``n11 = s11 (p_μ e^-μ μ)²/τ11 - sqrt(s11/2 ln(1/ε))`` of the key basis; φ from the test basis (`phase_error_bound`).

    Args:
        counts: of the block.
        intensities: of both ends, μ > ν > ω >= 0.
        probabilities: of each.
        security: ε_sec and ε_cor.
        leak: bits announced for error correction.

    Returns:
        The key; ``vacuum`` is 0.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Randomised phases; both ends alike in intensities; single photons of both bases are the same to the station. The split of
        ε_sec counts every bound that is used here; the constants of the chain rule are those of Lim et al. 2014, not of Curty et al.

    Examples:
        >>> nothing = np.zeros((3, 3))
        >>> counts = PairCounts(nothing, nothing, nothing)
        >>> print(untrusted_key(counts, (0.5, 0.1, 0.0), (0.5, 0.3, 0.2), Security(1e-9, 1e-12), 0.0).length)
        0.0
    """
    share = security.secrecy / SHARES
    mu, p = checked_intensities(intensities, probabilities, 3)
    pairs, _ = pair_bounds(counts.key, np.zeros((3, 3)), mu, p, share)
    test, wrong = pair_bounds(counts.test, counts.test_errors, mu, p, share)
    weights = p * np.exp(-mu) * mu
    chosen = float(weights[0] / weights.sum()) ** 2
    single = max(chosen * pairs - float(hoeffding(pairs, share)), 0.0)
    phase = phase_error_bound(min(wrong, test), test, single, share)
    return assemble(0.0, single, phase, leak, security, shares=SHARES)


def announced_chances(
    station: BellStation, transmissions: tuple[float, float], intensities: tuple[float, float]
) -> Floats:
    """Chances of what a Bell station announces, for each window, after misalignment.

    Two detectors for each polarisation stand behind a balanced beam splitter. Announced is where exactly one of each polarisation
    clicks: on the same side (ψ+) or on both sides (ψ-). In the key basis the polarisations of both ends differ or agree; in the test
    basis the two polarisations of a pulse are in phase or out of phase.

    Args:
        station: noise; its misalignment turns bits that agree into bits that differ, and back.
        transmissions: from each end with the detector, in [0, 1].
        intensities: of each end.

    Returns:
        Shape ``(2, 2, 2)``: basis (key, test), state (ψ+, ψ-), bits (agree, differ). Bits are drawn evenly, so that the entries of a
        basis add up to the chance of an announcement.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> table = announced_chances(BellStation(3e-6, 0.015), (0.0145, 0.0145), (0.5, 0.5))
        >>> f"{table[0].sum():.4e} {table[0, :, 0].sum() / table[0].sum():.5f}"  # as `mdi.key_basis_gain`
        '2.6083e-05 0.01660'
    """
    light = [
        float(check_range(eta, 0.0, 1.0, "transmission")) * float(check_range(mu, 0.0, math.inf, "intensity"))
        for eta, mu in zip(transmissions, intensities, strict=True)
    ]
    a, b = light
    zero = np.zeros(PHASES)
    table = np.zeros((2, 2, 2))
    # key basis: bits that agree meet in one polarisation, bits that differ go apart
    table[0, :, 0] = _announced(station.dark, meeting(a, b), (zero, zero))
    table[0, :, 1] = _announced(
        station.dark, (zero + a / 2.0, zero + a / 2.0), (zero + b / 2.0, zero + b / 2.0)
    )
    # test basis: half of each pulse in each polarisation; where bits differ, the second meets with the opposite phase
    c, d = meeting(a / 2.0, b / 2.0)
    table[1, :, 0] = _announced(station.dark, (c, d), (c, d))
    table[1, :, 1] = _announced(station.dark, (c, d), (d, c))
    e = station.misalignment
    return np.asarray(((1.0 - e) * table + e * table[..., ::-1]) / 2.0)


def _announced(dark: float, first: tuple[Floats, Floats], second: tuple[Floats, Floats]) -> Floats:
    """Chances of ψ+ and ψ- for mean photons at the two detectors of each polarisation, averaged over the phase."""
    quiet = [[(1.0 - dark) * np.exp(-side) for side in pair] for pair in (first, second)]
    loud = [[dark - (1.0 - dark) * np.expm1(-side) for side in pair] for pair in (first, second)]
    only = [[loud[k][0] * quiet[k][1], loud[k][1] * quiet[k][0]] for k in (0, 1)]
    same = only[0][0] * only[1][0] + only[0][1] * only[1][1]
    apart = only[0][0] * only[1][1] + only[0][1] * only[1][0]
    return np.array([same.mean(), apart.mean()])
