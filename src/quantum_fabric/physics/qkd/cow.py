"""Coherent-one-way QKD: bits in the arrival time of pulses, coherence between neighbours watched by an interferometer.

Two different statements live here, and they contradict each other at long distance; a user should see both.

* `watched_fraction` is the key fraction that was claimed: beam splitting and attacks on one pulse at a time that cost visibility
  (Branciard, Gisin, Scarani, New J. Phys. 10, 013031 (2008); as used with finite keys in Korzh et al., Nat. Photon. 9, 163 (2015)).
* `zero_error_gain` is what an eavesdropper can feed to the receiver after measuring every pulse, with neither a wrong bit nor a
  loss of visibility. Where the honest link clicks less than that, there is no key at all. González-Payo, Trényi, Wang, Curty,
  PRL 125, 260510 (2020) found the best such attack: the rate of COW falls at least as fast as the square of the transmission, and
  the implementations known then are insecure. The attack here is a simple one of that family.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import Caution
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.qkd.concentration import check_failure


@dataclass(frozen=True, slots=True)
class WatchedLink:
    """A coherent-one-way link.

    Attributes:
        clock: bits sent for each second (Hz), above 0: half the pulse slots.
        intensity: mean photons of a pulse that is not empty, in (0, 1].
        efficiency: of the data line with its detector, in (0, 1].
        dark_rate: of the data detector (Hz), >= 0.
        window: fraction of a bit period in which a click is accepted, in (0, 1].
        misalignment: chance that a photon shows up in the wrong slot (extinction, jitter), in [0, 0.5].
        visibility: of the monitored interference, in [0, 1].
        decoys: fraction of bit periods with both pulses, which carry no bit, in [0, 1).
        dead_time: after a click (s), >= 0.
        afterpulse: chance that a click is followed by a false one, in [0, 1).
        inefficiency: f of error correction, at least 1.

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> WatchedLink(clock=6.25e8, intensity=0.06, efficiency=0.2).decoys
        0.1
    """

    clock: float
    intensity: float
    efficiency: float
    dark_rate: float = 0.0
    window: float = 1.0
    misalignment: float = 0.01
    visibility: float = 0.98
    decoys: float = 0.1
    dead_time: float = 0.0
    afterpulse: float = 0.0
    inefficiency: float = 1.16

    def __post_init__(self) -> None:
        check_range(self.clock, 1e-300, math.inf, "clock")
        for name in ("intensity", "efficiency", "window"):
            check_range(getattr(self, name), 1e-300, 1.0, name)
        check_range(self.misalignment, 0.0, 0.5, "misalignment")
        for name in ("visibility", "decoys", "afterpulse"):
            check_range(getattr(self, name), 0.0, 1.0, name)
        for name in ("dark_rate", "dead_time"):
            check_range(getattr(self, name), 0.0, math.inf, name)
        check_range(self.inefficiency, 1.0, math.inf, "inefficiency")


@dataclass(frozen=True, slots=True)
class WatchedRate:
    """What the link gives, each of the batch shape.

    Attributes:
        sifted: bits for each second before correction.
        error: their error rate.
        claimed: secret bits for each second by the bound on one-pulse attacks; **not** a safe number where ``broken`` is True.
        broken: the simple zero-error attack reproduces the clicks: no key can be drawn.
        cautions: what the bound does not cover.
    """

    sifted: Floats
    error: Floats
    claimed: Floats
    broken: np.ndarray
    cautions: tuple[Caution, ...]

    @property
    def secret(self) -> Floats:
        """Secret bits for each second that survive both statements: 0 where the link is broken."""
        return np.where(self.broken, 0.0, self.claimed)


def watched_fraction(error: ArrayLike, visibility: ArrayLike, intensity: ArrayLike) -> Floats:
    """What stays unknown of a sifted bit against beam splitting and one-pulse attacks, before error correction; at least 0.

    Equation: ``1 - Q - (1 - Q) h((1 + ξ)/2)``, ``ξ = (2V - 1) e^-μ - 2 sqrt((1 - e^(-2μ)) V (1 - V))``, cut at 0. At Q = 0 and V =
    1 this is the Holevo quantity of beam splitting, exactly.

    Args:
        error: Q, shape ``(...)``, in [0, 1].
        visibility: V, shape ``(...)``, in [0, 1].
        intensity: μ, shape ``(...)``, >= 0.

    Returns:
        Broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        One-pulse attacks, lossy channel (all of μ is lost to the eavesdropper). Not a proof of security: see the module.

    Examples:
        >>> round(float(watched_fraction(0.0, 1.0, 0.1)), 6), round(float(watched_fraction(0.02, 0.98, 0.06)), 4)
        (0.723968, 0.536)
    """
    q = check_range(error, 0.0, 1.0, "error")
    v = check_range(visibility, 0.0, 1.0, "visibility")
    mu = check_range(intensity, 0.0, math.inf, "intensity")
    overlap = (2.0 * v - 1.0) * np.exp(-mu) - 2.0 * np.sqrt(-np.expm1(-2.0 * mu) * v * (1.0 - v))
    known = q + (1.0 - q) * binary_entropy((1.0 + np.clip(overlap, 0.0, 1.0)) / 2.0)
    return np.maximum(1.0 - known, 0.0)


def zero_error_gain(intensity: ArrayLike, decoys: float = 0.0) -> Floats:
    """Clicks for each bit period that an attack without any error can produce: any honest link below this has no key.

    The attacker measures each slot with unambiguous discrimination of "empty" and "pulse", which succeeds with
    ``q = 1 - e^(-μ/2)``, and wherever three neighbouring slots read empty-pulse-empty inside (0α) or (α0), sends one bright pulse
    in the middle and nothing beside it: no coherence is broken, the bit is right, and the click is certain.

    Equation: ``q³ (1 - f)²/2`` for bits 0 and 1 equally likely and decoys with chance f: one bit of either kind with the right
    neighbour.

    Args:
        intensity: μ, shape ``(...)``, >= 0.
        decoys: f, in [0, 1].

    Returns:
        Shape ``(...)``. A lower bound on what the best attack of this kind achieves.

    Limits:
        Alone it leaves the monitored pairs dark; a receiver that compares the statistics of *all* patterns would notice, and the
        attacker must mix in longer runs (the published attack does). Most receivers look at errors and visibility only.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> f"{float(zero_error_gain(0.06)):.2e}"
        '1.29e-05'
    """
    mu = check_range(intensity, 0.0, math.inf, "intensity")
    check_range(decoys, 0.0, 1.0, "decoys")
    return np.asarray((-np.expm1(-mu / 2.0)) ** 3 * (1.0 - decoys) ** 2 / 2.0, dtype=np.float64)


def watched_rate(
    link: WatchedLink, channel: ArrayLike, block: float = math.inf, failure: float = 1e-10
) -> WatchedRate:
    """Sifted and secret bits for each second of a COW link.

    Equation: clicks ``p = 1 - e^(-μη) + 2 p_dc`` for each bit (both slots), afterpulses ``p p_ap`` half wrong,
    ``R = ν (1 - f) p/(1 + ν p T)``. A block of n bits gives ``n watched_fraction - n f h(Q) - 7 sqrt(n log2(2/ε)) - 2 log2(1/ε)``:
    the fluctuation term of the asymptotic equipartition property for bits.

    Args:
        link: sender and receiver.
        channel: transmission of the fibre, shape ``(...)``, in [0, 1].
        block: sifted bits of a block; ``math.inf`` for the asymptotic rate.
        failure: ε, in (0, 1).

    Returns:
        Rates of that shape, with cautions.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Collective attacks on single pulses only; the visibility is taken as known. See the module for why `WatchedRate.secret` is
        usually 0 over long fibres.

    Examples:
        >>> link = WatchedLink(clock=6.25e8, intensity=0.06, efficiency=0.2, dark_rate=1.0, misalignment=0.02)
        >>> result = watched_rate(link, 10**-5.19)
        >>> bool(result.claimed > 1.0), bool(result.broken), float(result.secret)
        (True, True, 0.0)
    """
    check_failure(failure)
    eta = check_range(channel, 0.0, 1.0, "channel") * link.efficiency
    dark = link.dark_rate * link.window / link.clock  # both slots of a bit together
    light = -np.expm1(-link.intensity * eta)
    clicks = light + dark
    total = clicks * (1.0 + link.afterpulse)
    wrong = link.misalignment * light + dark / 2.0 + link.afterpulse * clicks / 2.0
    error = np.where(total > 0.0, wrong / np.where(total > 0.0, total, 1.0), 0.5)
    sifted = link.clock * (1.0 - link.decoys) * total / (1.0 + link.clock * total * link.dead_time)
    fraction = watched_fraction(error, link.visibility, link.intensity)
    fraction = fraction - link.inefficiency * binary_entropy(error)
    if math.isfinite(block):
        n = check_range(block, 1.0, math.inf, "block").item()
        fraction = (
            fraction - 7.0 * math.sqrt(math.log2(2.0 / failure) / n) - 2.0 * math.log2(1.0 / failure) / n
        )
    broken = np.asarray(clicks <= zero_error_gain(link.intensity, link.decoys))
    cautions = [
        Caution(
            "cow.security",
            "attacks on several pulses at once",
            "one-pulse attacks",
            "no proof covers the protocol as it is run",
        )
    ]
    if broken.any():
        cautions.append(
            Caution(
                "cow.gain",
                f"{float(np.min(clicks)):.3g} clicks for each bit",
                f"above {float(zero_error_gain(link.intensity, link.decoys)):.3g}",
                "an attack without errors explains every click: no key",
            )
        )
    return WatchedRate(
        np.asarray(sifted, dtype=np.float64),
        error,
        np.asarray(sifted * np.maximum(fraction, 0.0), dtype=np.float64),
        broken,
        tuple(cautions),
    )
