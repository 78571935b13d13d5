"""Keys from entangled pairs: BBM92 and E91, from Bell weights, from counted coincidences, or from a pair source in the middle.

Asymptotic fractions of a state are in `merit`; here are the finite block and the optics. The proof behind every number of this
module is that of BBM92: it uses the error rates in two bases and trusts the measurements. E91 sifts differently and also reports a
CHSH value, but against trusted devices its key is that of BBM92; the value of CHSH alone gives the device-independent rate
(`device_independent`).

Sources: Bennett, Brassard, Mermin, PRL 68, 557 (1992); Ekert, PRL 67, 661 (1991); Tomamichel, Lim, Gisin, Renner, Nat. Commun. 3,
634 (2012) (finite block); Ma, Fung, Lo, PRA 76, 012307 (2007) (down-conversion).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.merit import (
    bb84_fraction,
    binary_entropy,
    chsh_max,
    di_fraction,
    qber,
    six_state_fraction,
)
from quantum_fabric.physics.qkd.ledger import Ledger, Security


@dataclass(frozen=True, slots=True)
class PairKey:
    """What a block of sifted pairs is worth, each of the batch shape.

    Attributes:
        signed_length: key bits before they are cut at zero.
        phase_error: the rate that the unseen bits may have, at most 1/2.
        ledger: the failure probabilities.
    """

    signed_length: Floats
    phase_error: Floats
    ledger: Ledger

    @property
    def length(self) -> Floats:
        """Bits that may be extracted: whole, at least 0."""
        return np.floor(np.maximum(self.signed_length, 0.0))


@dataclass(frozen=True, slots=True)
class PairFractions:
    """Secret bits for each sifted pair of a state, by what is trusted and measured; each of the batch shape.

    Attributes:
        bbm92: error rates of two bases, the better choice of key basis; trusted measurements. Also the key of E91.
        six_state: error rates of three bases, the best choice of key basis; trusted measurements.
        device_independent: the CHSH value alone, key basis aligned with it; nothing trusted.
        chsh: largest CHSH value of the state, which E91 reports.
    """

    bbm92: Floats
    six_state: Floats
    device_independent: Floats
    chsh: Floats


def pair_fractions(weights: ArrayLike, inefficiency: float = 1.0) -> PairFractions:
    """What a Bell-diagonal pair, repeater path or link alike, is worth to each protocol of pairs.

    Equation: ``max over ordered pairs of bases of 1 - f h(e_key) - h(e_test)``; ``1 - H(weights) - (f - 1) min h(e)``;
    ``1 - f h(Q) - h((1 + sqrt((S/2)² - 1))/2)`` with Q the least error rate and S the largest value.

    Args:
        weights: relative Bell weights, shape ``(..., 4)``.
        inefficiency: f of error correction, at least 1.

    Returns:
        Fractions of shape ``(...)``.

    Raises:
        QuantityError: not probability distributions, or f below 1.

    Limits:
        Asymptotic; sifting is not in it. The device-independent settings use the two strongest correlations, of which the strongest
        is also the key basis.

    Examples:
        >>> f = pair_fractions([0.94, 0.02, 0.02, 0.02])
        >>> round(float(f.bbm92), 4), round(float(f.six_state), 4), round(float(f.device_independent), 4)
        (0.5154, 0.5775, 0.3422)
    """
    check_range(inefficiency, 1.0, math.inf, "inefficiency")
    errors = np.minimum(np.stack(qber(weights), axis=-1), 1.0 - np.stack(qber(weights), axis=-1))
    least = np.sort(errors, axis=-1)
    h_least = binary_entropy(least[..., 0])
    six = six_state_fraction(weights, 1.0)
    positive = six > 0.0
    value = chsh_max(weights)
    free = di_fraction(value, least[..., 0])
    extra = (inefficiency - 1.0) * h_least
    return PairFractions(
        bb84_fraction(least[..., 0], least[..., 1], inefficiency),
        np.where(positive, np.maximum(six - extra, 0.0), 0.0),
        np.maximum(free - np.where(free > 0.0, extra, 0.0), 0.0),
        value,
    )


def pair_block_key(
    key: ArrayLike, test: ArrayLike, test_error: ArrayLike, leak: ArrayLike, security: Security
) -> PairKey:
    """Key length of a block of sifted pairs, by the uncertainty relation of entropies.

    Equation: ``l = n [1 - h(e + μ)] - leak - log2(2/(ε_sec² ε_cor))``, ``μ = sqrt((n + k)/(n k) (k + 1)/k ln(4/ε_sec))``
    (Tomamichel 2012, perfect measurement bases).

    Args:
        key: n, pairs measured in the key basis by both, shape ``(...)``, at least 1.
        test: k, pairs measured in the other basis by both, all compared, at least 1.
        test_error: e, their error rate, in [0, 1].
        leak: bits announced for error correction.
        security: ε_sec and ε_cor.

    Returns:
        Broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Measurements are qubit measurements in complementary bases, with an efficiency that does not depend on the basis; general
        attacks.

    Examples:
        >>> key = pair_block_key(1e6, 1e5, 0.02, 1e6 * 1.16 * 0.1415, Security(1e-10, 1e-15))
        >>> int(key.length), round(float(key.phase_error), 4)
        (610268, 0.0364)
    """
    n, k = check_range(key, 1.0, math.inf, "key"), check_range(test, 1.0, math.inf, "test")
    e = check_range(test_error, 0.0, 1.0, "test_error")
    told = check_range(leak, 0.0, math.inf, "leak")
    gap = np.sqrt((n + k) / (n * k) * (k + 1.0) / k * math.log(4.0 / security.secrecy))
    phase = np.minimum(e + gap, 0.5)
    cost = math.log2(2.0 / security.secrecy**2 / security.correctness)
    length = n * (1.0 - binary_entropy(phase)) - told - cost
    half = security.secrecy / 2.0
    ledger = Ledger(
        estimation=half,
        verification=security.correctness,
        amplification=half,
        authentication=security.authentication,
    )
    return PairKey(np.asarray(length, dtype=np.float64), phase, ledger)


def coincidence_error(pairs: ArrayLike, accidentals: ArrayLike, state_error: ArrayLike) -> Floats:
    """Error rate of coincidences: accidental ones are wrong half the time.

    Equation: ``(e S + A/2)/(S + A)``.

    Args:
        pairs: S, rate of true coincidences, shape ``(...)``, >= 0.
        accidentals: A, rate of accidental ones, same unit.
        state_error: e of the true ones, in [0, 1].

    Returns:
        Broadcast shape; 1/2 where nothing is counted.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> round(float(coincidence_error(98.0, 2.0, 0.01)), 6)
        0.0198
    """
    s, a = (
        check_range(pairs, 0.0, math.inf, "pairs"),
        check_range(accidentals, 0.0, math.inf, "accidentals"),
    )
    e = check_range(state_error, 0.0, 1.0, "state_error")
    total = s + a
    return np.where(total > 0.0, (e * s + a / 2.0) / np.where(total > 0.0, total, 1.0), 0.5)


@dataclass(frozen=True, slots=True)
class PairReceivers:
    """Two equal receivers of a down-conversion source.

    Attributes:
        background: clicks of one side for each empty pulse, in [0, 1).
        misalignment: total misalignment error, in [0, 0.5].
        inefficiency: f of error correction, at least 1.
        sifting: fraction of coincidences where both bases agree, in (0, 1].

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> PairReceivers(background=6.02e-6, misalignment=0.015).inefficiency
        1.22
    """

    background: float
    misalignment: float
    inefficiency: float = 1.22
    sifting: float = 0.5

    def __post_init__(self) -> None:
        check_range(self.background, 0.0, 1.0, "background")
        check_range(self.misalignment, 0.0, 0.5, "misalignment")
        check_range(self.inefficiency, 1.0, math.inf, "inefficiency")
        check_range(self.sifting, 0.0, 1.0, "sifting")


def source_gain(
    receivers: PairReceivers, a: ArrayLike, b: ArrayLike, mean_pairs: ArrayLike
) -> tuple[Floats, Floats]:
    """Coincidences and wrong coincidences for each pulse of a polarisation-entangled down-conversion source.

    Equation: with ``λ = mean_pairs/2``: ``Q = 1 - (1-Y)/(1+aλ)² - (1-Y)/(1+bλ)² + (1-Y)²/(1+aλ+bλ-abλ)²``,
    ``E Q = Q/2 - (1 - Y)(1 - 2 e_d) a b λ (1+λ)/[(1+aλ)(1+bλ)(1+aλ+bλ-abλ)]`` (Ma, Fung, Lo 2007, who leave out
    the factor 1 - Y of the second; it follows when each of two detectors has half of the background).

    Args:
        receivers: what spoils the clicks.
        a: transmission from the source to a click at one end, shape ``(...)``, in [0, 1].
        b: to the other end.
        mean_pairs: of a pulse, shape ``(...)``, >= 0.

    Returns:
        (Q, E Q), broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Two-mode squeezed light in both polarisations, detectors without number resolution, double clicks given a random bit.

    Examples:
        >>> gain, wrong = source_gain(PairReceivers(6.02e-6, 0.015), 0.145, 0.145, 0.118)
        >>> f"{float(gain):.4e} {float(wrong / gain):.4f}"
        '2.7868e-03 0.0575'
    """
    eta_a, eta_b = check_range(a, 0.0, 1.0, "a"), check_range(b, 0.0, 1.0, "b")
    lam = check_range(mean_pairs, 0.0, math.inf, "mean_pairs") / 2.0
    dark = 1.0 - receivers.background
    one, two = 1.0 + eta_a * lam, 1.0 + eta_b * lam
    both = 1.0 + (eta_a + eta_b - eta_a * eta_b) * lam
    # Q written plainly, 1 - D1 - D2 + D12, loses all digits where both transmissions are small: D1 = (1-Y)/(1+aλ)² is near 1. So:
    # Q = (1-D1)(1-D2) + (D12 - D1 D2), with every difference worked out by hand
    near = (receivers.background + eta_a * lam * (2.0 + eta_a * lam)) / one**2
    far = (receivers.background + eta_b * lam * (2.0 + eta_b * lam)) / two**2
    together = eta_a * eta_b * lam * (1.0 + lam) * (one * two + both) / (one * two * both) ** 2
    gain = near * far + dark**2 * together
    signal = (
        dark * (1.0 - 2.0 * receivers.misalignment) * eta_a * eta_b * lam * (1.0 + lam) / (one * two * both)
    )
    return (np.asarray(gain, dtype=np.float64), np.asarray(gain / 2.0 - signal, dtype=np.float64))


def source_rate(receivers: PairReceivers, a: ArrayLike, b: ArrayLike, mean_pairs: ArrayLike) -> Floats:
    """Secret bits for each pulse of a down-conversion source; at least 0.

    Equation: ``q Q [1 - f h(E) - h(E)]`` (Ma, Fung, Lo 2007).

    Args:
        receivers: noise and cost.
        a: transmission from the source to a click at one end, shape ``(...)``.
        b: to the other end.
        mean_pairs: of a pulse, shape ``(...)``, >= 0.

    Returns:
        Broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Asymptotic; the source may be in the hands of the eavesdropper.

    Examples:
        >>> f"{float(source_rate(PairReceivers(6.02e-6, 0.015), 0.145, 0.145, 0.118)):.3e}"
        '4.114e-04'
    """
    gain, wrong = source_gain(receivers, a, b, mean_pairs)
    error = np.clip(np.where(gain > 0.0, wrong / np.where(gain > 0.0, gain, 1.0), 0.5), 0.0, 0.5)
    fraction = 1.0 - (1.0 + receivers.inefficiency) * binary_entropy(error)
    return np.maximum(receivers.sifting * gain * fraction, 0.0)
