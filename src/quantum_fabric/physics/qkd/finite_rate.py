"""What a decoy-state link may expect of a block before it runs: counts from the channel, and the settings that give most key.

The model of clicks is that of Lim et al., PRA 89, 022307 (2014), with their error rate read with the transmission of channel and
detector (see `finite_key`). Rates here are secret bits for each pulse sent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.optimum import climb
from quantum_fabric.physics.qkd.concentration import sampling_gap
from quantum_fabric.physics.qkd.finite_key import Counts, FiniteKey, Sampling, two_decoy_key
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.one_decoy import one_decoy_key


@dataclass(frozen=True, slots=True)
class GatedReceiver:
    """A receiver with two gated detectors for each basis.

    Attributes:
        dark: dark counts for each gate of one detector, in [0, 1].
        afterpulse: chance that a click is followed by a false one that is counted, in [0, 1).
        misalignment: chance that a photon ends in the wrong detector, in [0, 0.5].
        inefficiency: f of error correction, at least 1.

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> GatedReceiver(dark=6e-7, afterpulse=4e-2, misalignment=5e-3, inefficiency=1.16).dark
        6e-07
    """

    dark: float
    afterpulse: float
    misalignment: float
    inefficiency: float = 1.16

    def __post_init__(self) -> None:
        check_range(self.dark, 0.0, 1.0, "dark")
        check_range(self.afterpulse, 0.0, 1.0, "afterpulse")
        check_range(self.misalignment, 0.0, 0.5, "misalignment")
        check_range(self.inefficiency, 1.0, math.inf, "inefficiency")


@dataclass(frozen=True, slots=True)
class Setting:
    """What the sender and the receiver choose.

    Attributes:
        key_basis: chance of the key basis, the same at both ends, in (0, 1).
        intensities: mean photon numbers, strongest first (two or three of them).
        probabilities: chance of each.

    Raises:
        QuantityError: a chance outside (0, 1), lists of different length, chances that do not add up to 1.

    Examples:
        >>> Setting(0.85, (0.41, 0.22, 2e-4), (0.38, 0.44, 0.18)).key_basis
        0.85
    """

    key_basis: float
    intensities: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 0.0 < self.key_basis < 1.0:
            raise QuantityError(
                found=f"{self.key_basis:g}", expected="a probability in (0, 1)", where="key_basis"
            )
        if len(self.intensities) != len(self.probabilities) or len(self.intensities) not in (2, 3):
            raise QuantityError(
                found=f"{len(self.intensities)} and {len(self.probabilities)}",
                expected="two or three of each",
                where="intensities",
            )
        if abs(sum(self.probabilities) - 1.0) > 1e-9:
            raise QuantityError(
                found=f"{sum(self.probabilities):g}", expected="a sum of 1", where="probabilities"
            )


def expected_rates(
    receiver: GatedReceiver, transmission: ArrayLike, intensity: ArrayLike
) -> tuple[Floats, Floats]:
    """Detections and wrong detections for each pulse where both ends use the same basis.

    Equation: ``D = 1 - (1 - 2 p_dc) e^(-ηk)``, ``R = D (1 + p_ap)``, ``e = p_dc + e_mis (1 - e^(-ηk)) + p_ap D/2`` (Lim 2014, with
    η of channel and detector).

    Args:
        receiver: what spoils the clicks.
        transmission: η, shape ``(...)``, in [0, 1].
        intensity: k, shape ``(...)``, >= 0.

    Returns:
        (R, e), broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> rx = GatedReceiver(dark=6e-7, afterpulse=4e-2, misalignment=5e-3)
        >>> detections, wrong = expected_rates(rx, 1e-3, 0.4)
        >>> f"{float(wrong / detections):.5f}"
        '0.02546'
    """
    eta = check_range(transmission, 0.0, 1.0, "transmission")
    k = check_range(intensity, 0.0, math.inf, "intensity")
    light = -np.expm1(-eta * k)
    clicks = light + 2.0 * receiver.dark * np.exp(-eta * k)
    wrong = receiver.dark + receiver.misalignment * light + receiver.afterpulse * clicks / 2.0
    return (np.asarray(clicks * (1.0 + receiver.afterpulse), dtype=np.float64), wrong)


def expected_key(
    receiver: GatedReceiver,
    transmission: float,
    setting: Setting,
    block: float,
    security: Security,
    sampling: Sampling = sampling_gap,
) -> tuple[FiniteKey, float]:
    """Key of a block whose counts are exactly the expected ones, and the number of pulses that fills it.

    Args:
        receiver: what spoils the clicks.
        transmission: η of channel and detector, in (0, 1].
        setting: basis choice and intensities: three for two decoys, two for one decoy.
        block: detections in the key basis, above 0.
        security: ε_sec and ε_cor.
        sampling: bound on unseen phase errors, see `two_decoy_key`.

    Returns:
        (the key, pulses sent).

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Counts at their mean; a real block scatters round it. No dead time.

    Examples:
        >>> rx = GatedReceiver(dark=6e-7, afterpulse=4e-2, misalignment=5e-3)
        >>> setting = Setting(0.85, (0.41, 0.22, 2e-4), (0.38, 0.44, 0.18))
        >>> key, pulses = expected_key(rx, 0.1 * 10**-2, setting, 1e7, Security(1e-9, 1e-15))
        >>> f"{float(key.length) / pulses:.2e}"
        '4.78e-05'
    """
    point = np.array([setting.key_basis, *setting.intensities, *setting.probabilities])
    key, pulses = _expected(
        receiver, transmission, point[None, :], len(setting.intensities), block, security, sampling
    )
    one = FiniteKey(
        key.signed_length[0], key.vacuum[0], key.single[0], key.phase_error[0], key.leak[0], key.ledger
    )
    return (one, float(pulses[0]))


def best_setting(
    receiver: GatedReceiver,
    transmission: float,
    block: float,
    secrecy_per_bit: float = 1e-15,
    correctness: float = 1e-15,
    decoys: int = 2,
    weakest: float = 2e-4,
    sampling: Sampling = sampling_gap,
) -> tuple[Setting, FiniteKey, float]:
    """Basis choice and intensities that give most key from blocks of this size.

    As in Lim 2014 the secrecy is ``ε_sec = κ l`` with the length l it results in, found by iteration.

    Args:
        receiver: what spoils the clicks.
        transmission: η of channel and detector, in (0, 1].
        block: detections in the key basis.
        secrecy_per_bit: κ.
        correctness: ε_cor.
        decoys: 1 or 2.
        weakest: intensity of the second decoy, which modulators do not bring to 0.
        sampling: bound on unseen phase errors, see `two_decoy_key`.

    Returns:
        (the setting, the key of one block, pulses sent); the key's length is 0 where there is none.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> rx = GatedReceiver(dark=6e-7, afterpulse=4e-2, misalignment=5e-3)
        >>> setting, key, pulses = best_setting(rx, 1e-3, 1e7)  # 100 km at 0.2 dB/km, detectors of 10 %
        >>> f"{float(key.length) / pulses:.2e}", round(setting.key_basis, 2)
        ('4.81e-05', 0.85)
    """
    if decoys not in (1, 2):
        raise QuantityError(found=repr(decoys), expected="1 or 2", where="decoys")
    secrecy = secrecy_per_bit * block / 10.0
    starts = [[0.9, 0.5, 0.3, 0.5, 0.7], [0.7, 0.4, 0.5, 0.4, 0.6]]
    for _ in range(4):
        security = Security(min(secrecy, 0.5), correctness)

        def rate(points: Floats, security: Security = security) -> Floats:
            full = _unfold(points, decoys, weakest)
            key, pulses = _expected(receiver, transmission, full, decoys + 1, block, security, sampling)
            return key.signed_length / pulses

        point, _ = climb(rate, [0.02, 0.02, 0.02, 0.02, 0.02], [0.999, 1.2, 0.98, 0.98, 0.98], starts)
        full = _unfold(point[None, :], decoys, weakest)[0]
        setting = Setting(
            float(full[0]),
            tuple(map(float, full[1 : decoys + 2])),
            tuple(map(float, full[decoys + 2 :])),
        )
        key, pulses = expected_key(receiver, transmission, setting, block, security, sampling)
        previous, secrecy = secrecy, secrecy_per_bit * max(float(key.length), 1.0)
        starts = [point.tolist()]
        if abs(secrecy / previous - 1.0) < 0.01:
            break
    return (setting, key, pulses)


def _unfold(points: Floats, decoys: int, weakest: float) -> Floats:
    """Search coordinates (all in a box) -> basis, intensities, probabilities.

    ``(q, μ1, μ2/μ1, p1, p2/(1 - p1))``; with one decoy the last is not used.
    """
    q, mu1, ratio, p1, p2 = points.T
    if decoys == 1:
        return np.stack([q, mu1, mu1 * ratio, p1, 1.0 - p1], axis=1)
    mu2 = weakest * 1.01 + (mu1 - 2.02 * weakest) * ratio
    second = (1.0 - p1) * p2
    return np.stack([q, mu1, mu2, np.full_like(q, weakest), p1, second, 1.0 - p1 - second], axis=1)


def _expected(
    receiver: GatedReceiver,
    transmission: float,
    points: Floats,
    size: int,
    block: float,
    security: Security,
    sampling: Sampling,
) -> tuple[FiniteKey, Floats]:
    """Key and pulses of many settings at once: points of shape ``(n, 1 + 2 size)``."""
    q, mu, p = points[:, 0], points[:, 1 : size + 1], points[:, size + 1 :]
    detections, wrong = expected_rates(receiver, transmission, mu)
    fired = (p * detections).sum(axis=1)
    pulses = block / (q**2 * fired)
    in_key, in_test = (pulses * q**2)[:, None] * p, (pulses * (1.0 - q) ** 2)[:, None] * p
    counts = Counts(in_key * detections, in_key * wrong, in_test * detections, in_test * wrong)
    error = np.minimum(counts.key_errors.sum(axis=1) / block, 0.5)
    leak = block * receiver.inefficiency * binary_entropy(error)
    extract = two_decoy_key if size == 3 else one_decoy_key
    return (extract(counts, mu, p, security, leak, sampling), pulses)
