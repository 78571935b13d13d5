"""Continuous-variable QKD: Gaussian-modulated coherent states with homodyne detection (GG02), reverse reconciliation, asymptotic.

Variances are in shot-noise units (vacuum = 1). Source: Grosshans et al., Nature 421, 238 (2003) (protocol); Lodewyck et al., PRA
76, 042305 (2007) (rate with a detector that is trusted); the best collective attack is Gaussian: García-Patrón & Cerf and
Navascués, Grosshans, Acín, PRL 97, 190503 and 190502 (2006).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.optimum import golden


@dataclass(frozen=True, slots=True)
class Homodyne:
    """Receiver and channel noise of a Gaussian link.

    Attributes:
        efficiency: of the homodyne detector, in (0, 1].
        electronic: its electronic noise (shot-noise units), >= 0.
        excess: excess noise of the channel, referred to its input (shot-noise units), >= 0.
        reconciliation: β, fraction of the mutual information that survives error correction, in [0, 1].
        trusted: whether loss and noise of the detector are out of the eavesdropper's reach.

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> Homodyne(efficiency=0.6, electronic=0.01, excess=0.01).trusted
        True
    """

    efficiency: float
    electronic: float
    excess: float
    reconciliation: float = 0.95
    trusted: bool = True

    def __post_init__(self) -> None:
        check_range(self.efficiency, 1e-300, 1.0, "efficiency")
        check_range(self.electronic, 0.0, math.inf, "electronic")
        check_range(self.excess, 0.0, math.inf, "excess")
        check_range(self.reconciliation, 0.0, 1.0, "reconciliation")


def gaussian_information(
    homodyne: Homodyne, transmission: ArrayLike, modulation: ArrayLike
) -> tuple[Floats, Floats]:
    """Mutual information of the ends and the eavesdropper's Holevo information on the receiver's data (bit for each symbol).

    Equation: Lodewyck 2007, eqs. 2 to 10, homodyne: ``I = log2[(V + χ)/(1 + χ)]/2`` and five symplectic eigenvalues. An untrusted
    detector becomes part of the channel.

    Args:
        homodyne: receiver and noise.
        transmission: of the channel, shape ``(...)``, in (0, 1].
        modulation: V_A, variance of the modulation, shape ``(...)``, >= 0.

    Returns:
        (I_AB, χ_BE), broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Infinitely long block; collective Gaussian attacks.

    Examples:
        >>> i, chi = gaussian_information(Homodyne(0.6, 0.01, 0.01), 10**-0.5, 8.75)
        >>> round(float(i), 4), round(float(chi), 4)
        (0.7005, 0.5666)
    """
    t = check_range(transmission, 1e-300, 1.0, "transmission")
    v = check_range(modulation, 0.0, math.inf, "modulation") + 1.0
    if homodyne.trusted:
        line = 1.0 / t - 1.0 + homodyne.excess
        reader = (1.0 - homodyne.efficiency + homodyne.electronic) / homodyne.efficiency
    else:
        t = t * homodyne.efficiency
        line = 1.0 / t - 1.0 + homodyne.excess + homodyne.electronic / t
        reader = 0.0
    total = line + reader / t
    mutual = np.log2((v + total) / (1.0 + total)) / 2.0
    a = v**2 * (1.0 - 2.0 * t) + 2.0 * t + t**2 * (v + line) ** 2
    root_b = t * (v * line + 1.0)
    c = (v * root_b + t * (v + line) + a * reader) / (t * (v + total))
    d = root_b * (v + root_b * reader) / (t * (v + total))
    first = sum(_entropy(value) for value in _eigenvalues(a, root_b**2))
    second = sum(_entropy(value) for value in _eigenvalues(c, d))
    return (np.asarray(mutual, dtype=np.float64), np.asarray(first - second, dtype=np.float64))


def gaussian_rate(homodyne: Homodyne, transmission: ArrayLike, modulation: ArrayLike) -> Floats:
    """Secret bits for each symbol; at least 0.

    Equation: ``β I_AB - χ_BE``.

    Args:
        homodyne: receiver and noise.
        transmission: of the channel, shape ``(...)``, in (0, 1].
        modulation: V_A, shape ``(...)``, >= 0.

    Returns:
        Broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Asymptotic, collective attacks.

    Examples:
        >>> round(float(gaussian_rate(Homodyne(0.6, 0.01, 0.01), 10**-0.5, 8.75)), 5)  # 25 km at 0.2 dB/km
        0.09887
    """
    mutual, known = gaussian_information(homodyne, transmission, modulation)
    return np.maximum(homodyne.reconciliation * mutual - known, 0.0)


def best_modulation(homodyne: Homodyne, transmission: float, limit: float = 200.0) -> tuple[float, float]:
    """Modulation variance that gives most key, and the rate.

    Args:
        homodyne: receiver and noise.
        transmission: of the channel, in (0, 1].
        limit: largest variance that is looked at.

    Returns:
        (V_A, secret bits for each symbol, at least 0).

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> variance, rate = best_modulation(Homodyne(0.6, 0.01, 0.01), 0.1)
        >>> round(variance, 2), round(rate, 5)
        (4.67, 0.02299)
    """

    def signed(variance: float) -> float:
        mutual, known = gaussian_information(homodyne, transmission, variance)
        return float(homodyne.reconciliation * mutual - known)

    exponent = golden(lambda x: signed(math.exp(x)), math.log(1e-3), math.log(limit), 1e-8)
    best = math.exp(exponent)
    return (best, max(signed(best), 0.0))


def _eigenvalues(total: Floats, product: Floats) -> tuple[Floats, Floats]:
    """Symplectic eigenvalues from the sum and the product of their squares."""
    root = np.sqrt(np.maximum(total**2 - 4.0 * product, 0.0))
    large = (total + root) / 2.0
    return (np.sqrt(large), np.sqrt(np.maximum(product / large, 1.0)))


def _entropy(eigenvalue: Floats) -> Floats:
    """Entropy (bit) of a thermal state with this symplectic eigenvalue."""
    x = np.maximum((eigenvalue - 1.0) / 2.0, 0.0)
    low = np.where(x > 0.0, x * np.log2(np.where(x > 0.0, x, 1.0)), 0.0)
    return np.asarray((x + 1.0) * np.log2(x + 1.0) - low, dtype=np.float64)
