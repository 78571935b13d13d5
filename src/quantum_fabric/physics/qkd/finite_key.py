"""Finite keys of decoy-state BB84 with two decoys: what may be extracted from the counts of one block.

Two bases are used: the *key* basis gives the bits, the *test* basis the phase error rate. Counts go by intensity, signal first.

Source: Lim, Curty, Walenta, Xu, Zbinden, PRA 89, 022307 (2014), against general attacks. The error model printed there,
``e_k = p_dc + e_mis [1 - exp(-η_ch k)] + p_ap D_k/2``, uses the channel's transmission where that of channel *and detector* is
meant: with the printed one a short block reaches 7 km, with the other the published curves appear. `expected_rates` uses the latter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.qkd.concentration import hoeffding, sampling_gap
from quantum_fabric.physics.qkd.ledger import Ledger, Security

Sampling: TypeAlias = Callable[[ArrayLike, ArrayLike, ArrayLike, float], Floats]
"""How the unseen error rate is bounded, ``(rate, sample, rest, failure) -> gap``: `sampling_gap` unless a paper is reproduced."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Detections and errors of one block, by intensity: arrays of shape ``(..., intensities)``.

    Attributes:
        key: detections where both used the key basis.
        key_errors: wrong ones among them.
        test: detections where both used the test basis.
        test_errors: wrong ones among them.

    Raises:
        QuantityError: a negative count, or shapes that differ on the last axis.

    Examples:
        >>> Counts(key=[900, 80, 20], key_errors=[9, 1, 5], test=[90, 8, 2], test_errors=[1, 0, 1]).key.sum()
        np.float64(1000.0)
    """

    key: Floats
    key_errors: Floats
    test: Floats
    test_errors: Floats

    def __init__(
        self, key: ArrayLike, key_errors: ArrayLike, test: ArrayLike, test_errors: ArrayLike
    ) -> None:
        for name, values in (
            ("key", key),
            ("key_errors", key_errors),
            ("test", test),
            ("test_errors", test_errors),
        ):
            object.__setattr__(self, name, check_range(values, 0.0, math.inf, name))
        sizes = {array.shape[-1:] for array in (self.key, self.key_errors, self.test, self.test_errors)}
        if len(sizes) != 1 or () in sizes:
            raise QuantityError(found=f"{sizes}", expected="one number for each intensity", where="counts")


@dataclass(frozen=True, slots=True)
class FiniteKey:
    """What a block is worth. Every field has the batch shape of the counts.

    Attributes:
        signed_length: key bits before they are cut at zero (a search needs the slope there).
        vacuum: detections of the key basis that surely carried no photon.
        single: detections of the key basis that surely carried exactly one.
        phase_error: bound on their phase error rate, at most 1/2.
        leak: bits that error correction told the world, without the verification tag.
        ledger: the failure probabilities.
    """

    signed_length: Floats
    vacuum: Floats
    single: Floats
    phase_error: Floats
    leak: Floats
    ledger: Ledger

    @property
    def length(self) -> Floats:
        """Bits that may be extracted: whole, at least 0."""
        return np.floor(np.maximum(self.signed_length, 0.0))


def photon_number_share(intensities: ArrayLike, probabilities: ArrayLike, photons: int) -> Floats:
    """Chance that a pulse of randomly chosen intensity has this many photons.

    Equation: ``τ_n = Σ_k p_k e^-k k^n / n!``.

    Args:
        intensities: shape ``(..., intensities)``.
        probabilities: of choosing each, same shape.
        photons: n, 0 or more.

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> round(float(photon_number_share([0.5, 0.1], [0.7, 0.3], 1)), 6)
        0.239431
    """
    k = check_range(intensities, 0.0, math.inf, "intensities")
    p = check_range(probabilities, 0.0, 1.0, "probabilities")
    if photons < 0:
        raise QuantityError(found=repr(photons), expected="0 or more", where="photons")
    return np.asarray((p * np.exp(-k) * k**photons).sum(axis=-1) / math.factorial(photons), dtype=np.float64)


def two_decoy_key(
    counts: Counts,
    intensities: ArrayLike,
    probabilities: ArrayLike,
    security: Security,
    leak: ArrayLike,
    sampling: Sampling = sampling_gap,
) -> FiniteKey:
    """Key length of one block of BB84 with a signal and two decoys.

    Equation: Lim 2014, eqs. 1 to 5:
    ``l = s0 + s1 (1 - h(φ)) - leak - 6 log2(21/ε_sec) - log2(2/ε_cor)``.

    Args:
        counts: of one block, last axis 3: signal, weak decoy, weakest.
        intensities: ``μ1 > μ2 + μ3``, ``μ2 > μ3 >= 0``, shape ``(..., 3)``.
        probabilities: of each intensity, shape ``(..., 3)``, above 0.
        security: ε_sec and ε_cor.
        leak: bits announced for error correction, shape ``(...)``.
        sampling: bound on the phase errors that were not seen; `concentration.published_gap` for the numbers of the paper.

    Returns:
        Batch shape of the counts and the intensities together.

    Raises:
        QuantityError: intensities in the wrong order, or an argument outside its domain.

    Limits:
        Randomised phase; basis-independent detection efficiency; the block length is fixed beforehand. Of the 21 equal shares of ε_sec
        one is booked under amplification and 20 under estimation (the source does not name them one by one).

    Examples:
        >>> counts = Counts([7e6, 2.6e6, 4e5], [1.4e5, 6e4, 4e4], [2.2e5, 8e4, 1.2e4], [5e3, 2e3, 1e3])
        >>> key = two_decoy_key(counts, [0.5, 0.2, 2e-4], [0.5, 0.3, 0.2], Security(1e-9, 1e-15), 1.6e6)
        >>> bool(key.single < 1e7), key.ledger.secrecy
        (True, 1e-09)
    """
    mu, p = checked_intensities(intensities, probabilities, 3)
    mu1, mu2, mu3 = mu[..., 0], mu[..., 1], mu[..., 2]
    if np.any(mu1 <= mu2 + mu3) or np.any(mu2 <= mu3):
        raise QuantityError(
            found="another order", expected="μ1 > μ2 + μ3 and μ2 > μ3 >= 0", where="intensities"
        )
    share = security.secrecy / 21.0
    tau0, tau1 = photon_number_share(mu, p, 0), photon_number_share(mu, p, 1)

    def weak_and_single(detections: Floats) -> tuple[Floats, Floats]:
        low, high = per_intensity(detections, mu, p, share)
        vacuum = np.maximum(tau0 * (mu2 * low[..., 2] - mu3 * high[..., 1]) / (mu2 - mu3), 0.0)
        excess = (mu2**2 - mu3**2) / mu1**2 * (high[..., 0] - vacuum / tau0)
        single = tau1 * mu1 * (low[..., 1] - high[..., 2] - excess)
        return (vacuum, np.maximum(single / (mu1 * (mu2 - mu3) - mu2**2 + mu3**2), 0.0))

    vacuum, single = weak_and_single(counts.key)
    _, single_test = weak_and_single(counts.test)
    low, high = per_intensity(counts.test_errors, mu, p, share)
    wrong = np.maximum(tau1 * (high[..., 1] - low[..., 2]) / (mu2 - mu3), 0.0)
    phase = phase_error_bound(wrong, single_test, single, share, sampling)
    return assemble(vacuum, single, phase, leak, security, shares=21)


def phase_error_bound(
    wrong: ArrayLike, sample: ArrayLike, rest: ArrayLike, failure: float, sampling: Sampling = sampling_gap
) -> Floats:
    """Phase error rate of the single photons of the key basis, from those of the test basis: rate plus sampling gap, at most 1/2.

    Args:
        wrong: most single-photon errors of the test basis, shape ``(...)``.
        sample: least single photons there.
        rest: least single photons of the key basis.
        failure: of the sampling bound, in (0, 1).
        sampling: the bound.

    Returns:
        Broadcast shape, in [0, 1/2].

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> round(float(phase_error_bound(2000, 1e5, 1e6, 1e-10)), 6)
        0.023468
    """
    v = check_range(wrong, 0.0, math.inf, "wrong")
    s = check_range(sample, 0.0, math.inf, "sample")
    rate = np.minimum(np.where(s > 0.0, v / np.where(s > 0.0, s, 1.0), 0.5), 0.5)
    return np.minimum(rate + sampling(rate, s, rest, failure), 0.5)


def assemble(
    vacuum: ArrayLike, single: ArrayLike, phase: ArrayLike, leak: ArrayLike, security: Security, shares: int
) -> FiniteKey:
    """Put a key length together from its bounds.

    Equation: ``s0 + s1 (1 - h(φ)) - leak - 6 log2(shares/ε_sec) - log2(2/ε_cor)``.

    Args:
        vacuum: s0, shape ``(...)``.
        single: s1.
        phase: φ, in [0, 1/2].
        leak: bits announced for error correction.
        security: ε_sec and ε_cor.
        shares: into how many equal parts the proof splits ε_sec (21 with two decoys, 19 with one).

    Returns:
        Broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> key = assemble(0, 1e6, 0.02, 1.6e5, Security(1e-9, 1e-15), 21)
        >>> int(key.length)
        698302
    """
    s0, s1 = np.asarray(vacuum, dtype=np.float64), np.asarray(single, dtype=np.float64)
    phi, told = check_range(phase, 0.0, 0.5, "phase error"), check_range(leak, 0.0, math.inf, "leak")
    cost = 6.0 * math.log2(shares / security.secrecy) + math.log2(2.0 / security.correctness)
    length = s0 + s1 * (1.0 - binary_entropy(phi)) - told - cost
    return FiniteKey(
        np.asarray(length, dtype=np.float64), s0, s1, phi, told, security.in_equal_shares(shares)
    )


def checked_intensities(intensities: ArrayLike, probabilities: ArrayLike, size: int) -> tuple[Floats, Floats]:
    """Intensities and the chances of choosing them as arrays of shape ``(..., size)``.

    Raises:
        QuantityError: another shape, a negative intensity, a probability outside (0, 1].

    Examples:
        >>> checked_intensities([0.5, 0.1], [0.7, 0.3], 2)[1].tolist()
        [0.7, 0.3]
    """
    mu = check_range(intensities, 0.0, math.inf, "intensities")
    p = check_range(probabilities, 0.0, 1.0, "probabilities")
    if mu.shape[-1:] != (size,) or p.shape[-1:] != (size,):
        raise QuantityError(
            found=f"{mu.shape} and {p.shape}", expected=f"shape (..., {size})", where="intensities"
        )
    if np.any(p <= 0.0):
        raise QuantityError(found="0", expected="above 0", where="probabilities")
    return (mu, p)


def per_intensity(
    counts: ArrayLike, intensities: ArrayLike, probabilities: ArrayLike, failure: float
) -> tuple[Floats, Floats]:
    """What the counts of each intensity say of all pulses: bounds on ``e^k/p_k`` times their mean.

    Equation: ``n±_k = e^k/p_k (n_k ± sqrt(n/2 ln(1/ε)))``, n the sum over intensities (Lim 2014, eq. 4).

    Args:
        counts: shape ``(..., intensities)``.
        intensities: k, same shape.
        probabilities: p_k, same shape, above 0.
        failure: ε for each bound.

    Returns:
        (low, high), each of shape ``(..., intensities)``.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> low, high = per_intensity([900.0, 100.0], [0.5, 0.1], [0.8, 0.2], 1e-3)
        >>> (low[1] < 100 * math.exp(0.1) / 0.2 < high[1]).item()
        True
    """
    n = check_range(counts, 0.0, math.inf, "counts")
    k = check_range(intensities, 0.0, math.inf, "intensities")
    gap = hoeffding(n.sum(axis=-1), failure)[..., None]
    scale = np.exp(k) / np.asarray(probabilities, dtype=np.float64)
    return (scale * (n - gap), scale * (n + gap))
