"""Finite keys of decoy-state BB84 with a single decoy: simpler hardware, and as much key as with two in blocks up to about 1e8 bits.

Without a vacuum pulse the number of empty detections is bounded from above by the errors that they must cause: half of them are wrong.

Source: Rusca, Boaron, Grünenfelder, Martin, Zbinden, Appl. Phys. Lett. 112, 171104 (2018), against general attacks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats
from quantum_fabric.physics.qkd.concentration import hoeffding, sampling_gap
from quantum_fabric.physics.qkd.finite_key import (
    Counts,
    FiniteKey,
    Sampling,
    assemble,
    checked_intensities,
    per_intensity,
    phase_error_bound,
    photon_number_share,
)
from quantum_fabric.physics.qkd.ledger import Security


def one_decoy_key(
    counts: Counts,
    intensities: ArrayLike,
    probabilities: ArrayLike,
    security: Security,
    leak: ArrayLike,
    sampling: Sampling = sampling_gap,
) -> FiniteKey:
    """Key length of one block of BB84 with a signal and one decoy.

    Equation: Rusca 2018: ``s0 >= τ0/(μ1-μ2) (μ1 n⁻_2 - μ2 n⁺_1)``, ``s0 <= 2 [τ0 e^k/p_k (m_k + δ(m)) + δ(n)]`` for the best k,
    ``s1 >= τ1 μ1/(μ2 (μ1-μ2)) [n⁻_2 - (μ2/μ1)² n⁺_1 - (1 - (μ2/μ1)²) s0/τ0]``, ``v1 <= τ1/(μ1-μ2) (m⁺_1 - m⁻_2)``, and
    ``l = s0 + s1 (1 - h(φ)) - leak - 6 log2(19/ε_sec) - log2(2/ε_cor)``.

    Args:
        counts: of one block, last axis 2: signal, decoy.
        intensities: ``μ1 > μ2 > 0``, shape ``(..., 2)``.
        probabilities: of each intensity, shape ``(..., 2)``, above 0.
        security: ε_sec and ε_cor.
        leak: bits announced for error correction, shape ``(...)``.
        sampling: bound on the phase errors that were not seen; `concentration.published_gap` for the numbers of the paper.

    Returns:
        Batch shape of the counts and the intensities together.

    Raises:
        QuantityError: intensities in the wrong order, or an argument outside its domain.

    Limits:
        Randomised phase; basis-independent detection efficiency; empty detections are wrong half the time (equal dark counts).

    Examples:
        >>> counts = Counts([8e6, 2e6], [8e4, 2.4e4], [4e5, 1e5], [4e3, 1.2e3])
        >>> key = one_decoy_key(counts, [0.5, 0.2], [0.7, 0.3], Security(1e-9, 1e-15), 9.5e5)
        >>> int(key.length) > 0, key.ledger.verification
        (True, 1e-15)
    """
    mu, p = checked_intensities(intensities, probabilities, 2)
    mu1, mu2 = mu[..., 0], mu[..., 1]
    if np.any(mu2 >= mu1) or np.any(mu2 <= 0.0):
        raise QuantityError(found="another order", expected="μ1 > μ2 > 0", where="intensities")
    share = security.secrecy / 19.0
    tau0, tau1 = photon_number_share(mu, p, 0), photon_number_share(mu, p, 1)

    def single_photons(detections: Floats, errors: Floats) -> tuple[Floats, Floats]:
        low, high = per_intensity(detections, mu, p, share)
        empty_least = np.maximum(tau0 / (mu1 - mu2) * (mu1 * low[..., 1] - mu2 * high[..., 0]), 0.0)
        _, wrong_high = per_intensity(errors, mu, p, share)
        # the errors of each intensity bound the empty detections; both bounds hold, the lower one is used
        most = (tau0[..., None] * wrong_high).min(axis=-1)
        empty_most = 2.0 * (most + hoeffding(detections.sum(axis=-1), share))
        ratio = (mu2 / mu1) ** 2
        single = low[..., 1] - ratio * high[..., 0] - (1.0 - ratio) * empty_most / tau0
        return (empty_least, np.maximum(tau1 * mu1 / (mu2 * (mu1 - mu2)) * single, 0.0))

    vacuum, single = single_photons(counts.key, counts.key_errors)
    _, single_test = single_photons(counts.test, counts.test_errors)
    low, high = per_intensity(counts.test_errors, mu, p, share)
    wrong = np.maximum(tau1 / (mu1 - mu2) * (high[..., 0] - low[..., 1]), 0.0)
    phase = phase_error_bound(wrong, single_test, single, share, sampling)
    return assemble(vacuum, single, phase, leak, security, shares=19)
