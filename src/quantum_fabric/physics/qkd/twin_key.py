"""Finite key of twin-field QKD with coherent states: key from the signs of faint pulses, phase errors from announced decoys.

In a *key* window an end sends ``|±α⟩`` with a random sign, the bit; in a *test* window a pulse of one of three intensities with a
random phase. A station between the ends announces windows, and which of its detectors clicked; where it was the second, the second
end turns its bit. Nothing is assumed of the station: what it may know of the key is bounded by how often it announces pulses of n
and m photons, and that by how often it announces each pair of intensities.

Sources: Curty, Azuma, Lo, npj Quantum Inf. 5, 64 (2019) (protocol and phase errors); Grasselli, Curty, New J. Phys. 21, 073001 (2019)
(yields from decoys in closed form); Currás-Lorenzo, Navarrete, Azuma, Kato, Curty, Razavi, npj Quantum Inf. 7, 22 (2021) (finite key
against coherent attacks). That paper bounds counts with Kato's inequality, here it is done with `concentration.chances_from_count`,
which wants no guess of the counts beforehand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.qkd.concentration import chances_from_count, count_from_chances
from quantum_fabric.physics.qkd.finite_key import FiniteKey, checked_intensities
from quantum_fabric.physics.qkd.ledger import Ledger, Security

BOUNDS: Final = 19
"""Statistical bounds behind a key: two sides of nine counts, and the number of phase errors."""

PHOTONS: Final = 32
"""Photon numbers of each end that are summed over one by one; for those beyond there is a bound on the whole sum."""


@dataclass(frozen=True, slots=True)
class TwinSetting:
    """What both ends choose, alike.

    Attributes:
        key_basis: chance of a key window at either end, in (0, 1).
        intensity: mean photons of a pulse in a key window, above 0, at most half of the strongest decoy.
        intensities: of the pulses in test windows, falling; the last may be 0.
        probabilities: of each, above 0.
        compared: share of the announced key windows whose bits are compared and thrown away, in [0, 1).

    Raises:
        QuantityError: a field outside its domain, or intensities in another order.

    Examples:
        >>> TwinSetting(0.88, 0.017, (0.68, 0.17, 0.0), (0.08, 0.27, 0.65)).compared
        0.01
    """

    key_basis: float
    intensity: float
    intensities: tuple[float, float, float]
    probabilities: tuple[float, float, float]
    compared: float = 0.01

    def __post_init__(self) -> None:
        if not 0.0 < self.key_basis < 1.0:
            raise QuantityError(f"{self.key_basis:g}", "a probability in (0, 1)", "key_basis")
        if not 0.0 < self.intensity <= 1.0:
            raise QuantityError(f"{self.intensity:g}", "mean photons in (0, 1]", "intensity")
        if not 0.0 <= self.compared < 1.0:
            raise QuantityError(f"{self.compared:g}", "a share in [0, 1)", "compared")
        mu, p = checked_intensities(self.intensities, self.probabilities, 3)
        if not 2.0 >= mu[0] > mu[1] > mu[2]:
            raise QuantityError("another order", "2 >= s > d > w >= 0", "intensities")
        if self.intensity > mu[0] / 2.0:
            found = f"{self.intensity:g} with decoys up to {mu[0]:g}"
            raise QuantityError(found, "at most half of the strongest decoy", "intensity")
        if abs(float(p.sum()) - 1.0) > 1e-9:
            raise QuantityError(f"{float(p.sum()):g}", "chances that add up to 1", "probabilities")


def yield_bounds(counts: ArrayLike, setting: TwinSetting, failure: float) -> Floats:
    """Upper bounds on yields of photon numbers, summed over all windows: ``y_nm = Σ_u (1-p)² Y_nm(u)``.

    Y is the chance that window u is announced if n photons are sent from one end and m from the other, given all that was before;
    1 - p is the chance of a test window at either end.

    Equation: with ``q_ab = e^(a+b) S_ab/(p_a p_b) = Σ_nm a^n b^m y_nm/(n! m!)``, intensities s > d > w:
    ``y_00 <= q_ww``; ``y_11 <= (q_dd + q_ww - q_dw - q_wd)/(d-w)²``;
    ``y_02 <= 2/(s-d) [(q_ws - q_ww)/(s-w) - (q_wd - q_ww)/(d-w)]``, ``y_20`` alike; for all n, m
    ``y_nm <= n! m! q_ab/(a^n b^m)`` for each a, b. What is left out on the right is never negative.

    Args:
        counts: announced test windows by the intensities of both ends, shape ``(3, 3)``.
        setting: of both ends.
        failure: ε of each side of each count.

    Returns:
        Shape ``(PHOTONS, PHOTONS)``; infinite beyond what floats hold.

    Raises:
        QuantityError: counts of another shape, or an argument outside its domain.

    Examples:
        >>> setting = TwinSetting(0.88, 0.017, (0.68, 0.17, 0.0), (0.08, 0.27, 0.65))
        >>> y = yield_bounds(np.zeros((3, 3)), setting, 1e-10)
        >>> bool(y[0, 0] < y[1, 1] < y[2, 2])
        True
    """
    n = check_range(counts, 0.0, math.inf, "counts")
    if n.shape != (3, 3):
        raise QuantityError(str(n.shape), "(3, 3)", "counts")
    mu, p = checked_intensities(setting.intensities, setting.probabilities, 3)
    s, d, w = (float(k) for k in mu)
    scale = np.exp(mu)[:, None] * np.exp(mu)[None, :] / (p[:, None] * p[None, :])
    low, high = (scale * side for side in chances_from_count(n, failure))
    log_y = _plain_yields(mu, high)
    y = np.exp(np.minimum(log_y, 700.0))
    both = (high[1, 1] + high[2, 2] - low[1, 2] - low[2, 1]) / (d - w) ** 2
    y[1, 1] = min(y[1, 1], max(both, 0.0))
    empty = high[2, 2] * (1.0 / (d - w) - 1.0 / (s - w))
    first = 2.0 / (s - d) * (high[0, 2] / (s - w) - low[1, 2] / (d - w) + empty)
    second = 2.0 / (s - d) * (high[2, 0] / (s - w) - low[2, 1] / (d - w) + empty)
    y[2, 0], y[0, 2] = min(y[2, 0], max(first, 0.0)), min(y[0, 2], max(second, 0.0))
    return y


def _plain_yields(mu: Floats, high: Floats) -> Floats:
    """Logarithm of the least of ``n! m! q_ab/(a^n b^m)`` over all pairs of intensities."""
    numbers = np.arange(PHOTONS)
    factorial = np.array([math.lgamma(k + 1.0) for k in numbers])
    # an empty pulse says nothing of any photon number but 0
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(numbers[None, :] == 0, 0.0, numbers[None, :] * np.log(mu)[:, None])
    single = factorial[None, :] - power
    every = np.log(high)[:, :, None, None] + single[:, None, :, None] + single[None, :, None, :]
    return np.asarray(every.min(axis=(0, 1)), dtype=np.float64)


def phase_errors(yields: ArrayLike, setting: TwinSetting) -> float:
    """Bound on the sum of the chances of a phase error, over all key windows.

    A phase error is a pair of photon numbers of the same parity, even and even or odd and odd, in the windows where both would have
    measured the parity instead of the sign. Of window u its chance is at most ``p² Σ_j [Σ_nm c_n c_m sqrt(Y_nm(u))]²``: photon
    numbers of one parity interfere in the worst way. The right side is concave and of first degree in the yields, so that their
    sums may stand for them.

    Equation: ``p²/(1-p)² Σ_j [Σ_(n,m of parity j) c_n c_m sqrt(y_nm)]²``, ``c_n = e^(-μ/2) μ^(n/2)/sqrt(n!)`` (Curty 2019, eq. 12;
    Currás-Lorenzo 2021). Beyond `PHOTONS` the terms are at most those of ``y_nm = n! m! q/s^(n+m)``, q taken from the last yield:
    with ``r = sqrt(μ/s)`` their sum is at most ``2 sqrt(q) r^K/(1-r)²``.

    Args:
        yields: see `yield_bounds`.
        setting: of both ends.

    Returns:
        At least 0.

    Raises:
        QuantityError: yields of another shape, or below 0.

    Examples:
        >>> setting = TwinSetting(0.5, 0.02, (0.68, 0.17, 0.0), (0.08, 0.27, 0.65))
        >>> y = np.zeros((PHOTONS, PHOTONS))
        >>> y[0, 0] = 100.0
        >>> round(phase_errors(y, setting), 3)  # 100 e^-0.04
        96.079
    """
    y = check_range(yields, 0.0, math.inf, "yields")
    if y.shape != (PHOTONS, PHOTONS):
        raise QuantityError(str(y.shape), f"({PHOTONS}, {PHOTONS})", "yields")
    numbers = np.arange(PHOTONS)
    log_c = np.array(
        [(k * math.log(setting.intensity) - math.lgamma(k + 1.0) - setting.intensity) / 2.0 for k in numbers]
    )
    with np.errstate(divide="ignore"):
        terms = np.exp(log_c[:, None] + log_c[None, :] + np.log(y) / 2.0)
    ratio = math.sqrt(setting.intensity / setting.intensities[0])
    tail = 2.0 * float(terms[-1, -1]) * ratio ** (2 - PHOTONS) / (1.0 - ratio) ** 2
    total = sum((float(terms[j::2, j::2].sum()) + tail) ** 2 for j in (0, 1))
    return total * (setting.key_basis / (1.0 - setting.key_basis)) ** 2


def twin_key(
    key: float, counts: ArrayLike, setting: TwinSetting, security: Security, leak: float
) -> FiniteKey:
    """Key length of one block, against coherent attacks of the station and of everybody else.

    Equation: ``l = M [1 - h(N_ph/M)] - leak - 2 log2(1/ε_sec) - log2(2/ε_cor)``, with the number of phase errors
    ``N_ph = count_from_chances(phase_errors(...))``. The smooth min-entropy of the bits is at least ``M - M h(N_ph/M) - leak`` for
    smoothing ``sqrt(δ)``, δ the chance that any of the 19 bounds fails (uncertainty relation, Tomamichel & Renner, PRL 106, 110506
    (2011)); the leftover hash lemma then gives ``ε_sec = 2 sqrt(δ) + ε_PA``, of which both parts get one half here:
    ``δ = ε_sec²/16``, ``ε_PA = ε_sec/2``.

    Args:
        key: M, announced windows in which both ends had a key window, without the compared ones; at least 0.
        counts: announced test windows, shape ``(3, 3)``.
        setting: of both ends.
        security: ε_sec and ε_cor.
        leak: bits announced for error correction.

    Returns:
        The key; ``vacuum`` is 0 and ``single`` is M.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Phases of test pulses are perfectly random and nobody knows them; both ends send what they choose, and nothing leaves them
        beside it. Compared windows are taken out after the announcements; all phase errors are counted among the others.

    Examples:
        >>> setting = TwinSetting(0.88, 0.017, (0.68, 0.17, 0.0), (0.08, 0.27, 0.65))
        >>> print(twin_key(0.0, np.zeros((3, 3)), setting, Security(1e-9, 1e-12), 0.0).length)
        0.0
    """
    m, told = float(check_range(key, 0.0, math.inf, "key")), check_range(leak, 0.0, math.inf, "leak")
    share = security.secrecy**2 / 16.0 / BOUNDS
    chances = phase_errors(yield_bounds(counts, setting, share), setting)
    wrong = float(count_from_chances(chances, share))
    phase = np.asarray(min(wrong / m, 0.5) if m > 0.0 else 0.5)
    cost = 2.0 * math.log2(1.0 / security.secrecy) + math.log2(2.0 / security.correctness)
    length = np.asarray(m * (1.0 - binary_entropy(phase)) - told - cost, dtype=np.float64)
    half = security.secrecy / 2.0
    ledger = Ledger(
        estimation=half, verification=security.correctness, amplification=half,
        authentication=security.authentication,
    )  # fmt: skip
    return FiniteKey(length, np.zeros(()), np.asarray(m), phase, told, ledger)
