"""Decoy-state BB84 with weak coherent pulses, asymptotic: gains, bounds on single photons, key rates.

Notation of the source: η is the transmission of everything from the sender's exit to the click (channel, receiver and detector
efficiency), μ the mean photon number of the signal, ν of the weak decoy, Y₁ the yield and e₁ the error rate of single photons.
Batch axes: every rate takes η and the intensities as arrays that broadcast together.

Source: Ma, Qi, Zhao, Lo, PRA 72, 012326 (2005); the key rate is that of Gottesman, Lo, Lütkenhaus, Preskill, Quantum Inf.
Comput. 4, 325 (2004) (GLLP). That paper writes ``Y_n = Y0 + η_n`` without the term ``-Y0 η_n``; so do these functions, because
their golden values do. The difference is of order Y0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.optimum import golden


@dataclass(frozen=True, slots=True)
class PulseReceiver:
    """What spoils the clicks of a receiver of weak pulses, and what correcting them costs.

    Attributes:
        background: Y0, clicks for each empty pulse (dark counts and stray light of all detectors together), in [0, 1).
        misalignment: chance that a photon ends in the wrong detector, in [0, 0.5].
        inefficiency: f of error correction, at least 1.
        sifting: fraction of clicks where both bases agree and the pulse counts for the key, in (0, 1]: 1/2 for unbiased BB84.
        background_error: chance that a background click is wrong.

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> PulseReceiver(background=1.7e-6, misalignment=0.033, inefficiency=1.22).sifting
        0.5
        >>> PulseReceiver(background=1.7e-6, misalignment=0.8)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: misalignment: found 0.8, expected values in [0, 0.5]
    """

    background: float
    misalignment: float
    inefficiency: float = 1.22
    sifting: float = 0.5
    background_error: float = 0.5

    def __post_init__(self) -> None:
        check_range(self.background, 0.0, 1.0, "background")
        check_range(self.misalignment, 0.0, 0.5, "misalignment")
        check_range(self.inefficiency, 1.0, math.inf, "inefficiency")
        check_range(self.sifting, 0.0, 1.0, "sifting")
        check_range(self.background_error, 0.0, 1.0, "background_error")


def pulse_gain(
    receiver: PulseReceiver, transmission: ArrayLike, intensity: ArrayLike
) -> tuple[Floats, Floats]:
    """Clicks and wrong clicks for each pulse of a phase-randomised coherent state.

    Equation: ``Q = Y0 + 1 - exp(-ημ)``, ``E Q = e0 Y0 + e_d (1 - exp(-ημ))`` (Ma 2005, eqs. 10 and 11).

    Args:
        receiver: noise of the receiver.
        transmission: η, shape ``(...)``, in [0, 1].
        intensity: μ, shape ``(...)``, >= 0.

    Returns:
        (Q, E Q), each of the broadcast shape.

    Raises:
        QuantityError: a transmission outside [0, 1] or a negative intensity.

    Examples:
        >>> gain, wrong = pulse_gain(PulseReceiver(1e-6, 0.01), 0.01, 0.5)
        >>> f"{float(gain):.6e} {float(wrong / gain):.6f}"
        '4.988521e-03 0.010098'
    """
    eta = check_range(transmission, 0.0, 1.0, "transmission")
    mu = check_range(intensity, 0.0, math.inf, "intensity")
    caught = -np.expm1(-eta * mu)
    gain = receiver.background + caught
    wrong = receiver.background_error * receiver.background + receiver.misalignment * caught
    return (gain, np.asarray(wrong, dtype=np.float64))


def single_photons(receiver: PulseReceiver, transmission: ArrayLike) -> tuple[Floats, Floats]:
    """True yield and error rate of single photons, which infinitely many decoys would reveal.

    Equation: ``Y1 = Y0 + η``, ``e1 = (e0 Y0 + e_d η)/Y1`` (Ma 2005, eqs. 7 and 9).

    Args:
        receiver: noise of the receiver.
        transmission: η, shape ``(...)``, in [0, 1].

    Returns:
        (Y1, e1); e1 is e0 where nothing ever clicks.

    Raises:
        QuantityError: a transmission outside [0, 1].

    Examples:
        >>> [round(float(v), 6) for v in single_photons(PulseReceiver(1e-4, 0.01), 0.01)]
        [0.0101, 0.014851]
    """
    eta = check_range(transmission, 0.0, 1.0, "transmission")
    y1 = receiver.background + eta
    wrong = receiver.background_error * receiver.background + receiver.misalignment * eta
    safe = np.where(y1 > 0.0, y1, 1.0)
    return (y1, np.where(y1 > 0.0, wrong / safe, receiver.background_error))


def vacuum_weak_bounds(
    signal: tuple[ArrayLike, ArrayLike],
    weak: tuple[ArrayLike, ArrayLike, ArrayLike],
    background: ArrayLike,
    background_error: float = 0.5,
) -> tuple[Floats, Floats]:
    """Least yield and largest error rate of single photons that agree with what three intensities showed.

    Equation: ``Y1 >= μ/(μν-ν²) [Q_ν e^ν - Q_μ e^μ ν²/μ² - (μ²-ν²)/μ² Y0]``, ``e1 <= (E_ν Q_ν e^ν - e0 Y0)/(Y1 ν)``
    (Ma 2005, eqs. 34 and 37). No model of the channel is in it: it holds for any yields, so also under attack.

    Args:
        signal: (μ, Q_μ).
        weak: (ν, Q_ν, E_ν Q_ν), with ν below μ.
        background: Y0 as the vacuum pulses showed it.
        background_error: e0.

    Returns:
        (Y1, e1): bound below, cut at 0, and bound above, in [0, 1]; e1 is 1 where nothing is known of Y1.

    Raises:
        QuantityError: intensities that are not ``0 < ν < μ``.

    Examples:
        >>> rx = PulseReceiver(1.7e-6, 0.033)
        >>> q, w = pulse_gain(rx, 1e-3, [0.48, 0.05])
        >>> y1, e1 = vacuum_weak_bounds((0.48, q[0]), (0.05, q[1], w[1]), 1.7e-6)
        >>> f"{float(y1):.4e} {float(e1):.4f}"  # the truth is 1.0017e-03 and 0.0338
        '9.8730e-04 0.0360'
    """
    mu, q_mu = np.asarray(signal[0], dtype=np.float64), np.asarray(signal[1], dtype=np.float64)
    nu, q_nu, w_nu = (np.asarray(part, dtype=np.float64) for part in weak)
    if not (np.all(nu > 0.0) and np.all(nu < mu)):
        raise QuantityError(
            found=f"{float(nu.min()):g}", expected="above 0 and below the signal", where="weak decoy"
        )
    y0 = np.asarray(background, dtype=np.float64)
    ratio = (nu / mu) ** 2
    y1 = mu / (nu * (mu - nu)) * (q_nu * np.exp(nu) - q_mu * np.exp(mu) * ratio - (1.0 - ratio) * y0)
    y1 = np.maximum(y1, 0.0)
    wrong = np.maximum((w_nu * np.exp(nu) - background_error * y0) / nu, 0.0)
    known = y1 > wrong
    return (y1, np.where(known, wrong / np.where(known, y1, 1.0), 1.0))


def infinite_decoy_rate(receiver: PulseReceiver, transmission: ArrayLike, intensity: ArrayLike) -> Floats:
    """Secret bits for each pulse when Y1 and e1 are known exactly; at least 0.

    Equation: ``q {-Q_μ f h(E_μ) + μ e^-μ Y1 [1 - h(e1)]}`` (Ma 2005, eq. 12).

    Args:
        receiver: noise and cost.
        transmission: η, shape ``(...)``.
        intensity: μ, shape ``(...)``.

    Returns:
        Broadcast shape.

    Raises:
        QuantityError: a transmission outside [0, 1] or a negative intensity.

    Limits:
        Infinitely long block; randomised phase; receiver whose efficiency does not depend on the basis.

    Examples:
        >>> gys = PulseReceiver(background=1.7e-6, misalignment=0.033, inefficiency=1.22)
        >>> f"{float(infinite_decoy_rate(gys, 0.045 * 10 ** (-0.021 * 50), 0.48)):.6e}"  # 50 km at 0.21 dB/km
        '2.225961e-04'
    """
    y1, e1 = single_photons(receiver, transmission)
    return np.maximum(_rate(receiver, transmission, intensity, y1, e1), 0.0)


def vacuum_weak_rate(
    receiver: PulseReceiver, transmission: ArrayLike, intensity: ArrayLike, weak: ArrayLike
) -> Floats:
    """Secret bits for each signal pulse when Y1 and e1 are bounded by a vacuum and a weak decoy; at least 0.

    Args:
        receiver: noise and cost.
        transmission: η, shape ``(...)``.
        intensity: μ, shape ``(...)``.
        weak: ν, shape ``(...)``, above 0 and below μ.

    Returns:
        Broadcast shape; never above `infinite_decoy_rate`.

    Raises:
        QuantityError: a transmission outside [0, 1], or intensities that are not ``0 < ν < μ``.

    Limits:
        Infinitely long block; decoy pulses are taken as few.

    Equation: `vacuum_weak_bounds` in the rate of `infinite_decoy_rate` (Ma 2005).

    Examples:
        >>> gys = PulseReceiver(background=1.7e-6, misalignment=0.033, inefficiency=1.22)
        >>> f"{float(vacuum_weak_rate(gys, 0.045 * 10 ** (-0.021 * 50), 0.48, 0.05)):.4e}"
        '2.0962e-04'
    """
    return np.maximum(_vacuum_weak(receiver, transmission, intensity, weak), 0.0)


def no_decoy_rate(receiver: PulseReceiver, transmission: ArrayLike, intensity: ArrayLike) -> Floats:
    """Secret bits for each pulse without decoys: every pulse of two photons or more is given to the eavesdropper.

    Equation: GLLP with ``Q1 = Q_μ - P(n >= 2)`` and ``e1 = E_μ Q_μ / Q1``.

    Args:
        receiver: noise and cost.
        transmission: η, shape ``(...)``.
        intensity: μ, shape ``(...)``; the best is near η.

    Returns:
        Broadcast shape; of order η² where decoys give η.

    Raises:
        QuantityError: a transmission outside [0, 1] or a negative intensity.

    Limits:
        Infinitely long block.

    Examples:
        >>> gys = PulseReceiver(background=1.7e-6, misalignment=0.033, inefficiency=1.22)
        >>> f"{float(no_decoy_rate(gys, 0.045 * 10 ** (-0.021 * 10), 0.01)):.2e}"
        '4.71e-05'
    """
    return np.maximum(_no_decoy(receiver, transmission, intensity), 0.0)


def best_intensity(receiver: PulseReceiver, transmission: float, weak: float | None = None) -> float:
    """Signal intensity that gives most key, with known single photons or (``weak`` given) with vacuum and weak decoy.

    Args:
        receiver: noise and cost.
        transmission: η, in (0, 1].
        weak: ν, or None for infinitely many decoys.

    Returns:
        μ, between ν and 1.5.

    Raises:
        QuantityError: a transmission outside [0, 1], or ν outside (0, 1.5).

    Limits:
        Beyond the reach the search returns some intensity; the rate is zero there.

    Examples:
        >>> gys = PulseReceiver(background=1.7e-6, misalignment=0.033, inefficiency=1.22)
        >>> round(best_intensity(gys, 0.045 * 10 ** (-0.021 * 50)), 3)
        0.479
    """
    check_range(transmission, 0.0, 1.0, "transmission")
    if weak is None:
        y1, e1 = single_photons(receiver, transmission)
        return golden(lambda mu: float(_rate(receiver, transmission, mu, y1, e1)), 1e-6, 1.5)
    check_range(weak, 0.0, 1.5, "weak decoy")
    return golden(lambda mu: float(_vacuum_weak(receiver, transmission, mu, weak)), weak * 1.0001, 1.5)


def closed_form_intensity(misalignment: float, inefficiency: float) -> float:
    """Best signal intensity where η and Y0 are small: the root of ``(1-μ) e^-μ = f h(e_d)/(1 - h(e_d))``.

    Args:
        misalignment: e_d, in [0, 0.5).
        inefficiency: f, at least 1.

    Returns:
        μ in [0, 1]; 0 where no intensity gives key.

    Raises:
        QuantityError: an argument outside its domain.

    Equation: Ma 2005, eq. 13.

    Examples:
        >>> round(closed_form_intensity(0.033, 1.0), 4), round(closed_form_intensity(0.033, 1.22), 4)
        (0.5441, 0.4789)
    """
    check_range(misalignment, 0.0, 0.5, "misalignment")
    check_range(inefficiency, 1.0, math.inf, "inefficiency")
    entropy = float(binary_entropy(misalignment))
    target = math.inf if entropy >= 1.0 else inefficiency * entropy / (1.0 - entropy)
    low, high = 0.0, 1.0
    if target >= 1.0:
        return 0.0
    while low < (middle := (low + high) / 2.0) < high:
        if (1.0 - middle) * math.exp(-middle) > target:
            low = middle
        else:
            high = middle
    return low


def _rate(
    receiver: PulseReceiver, transmission: ArrayLike, intensity: ArrayLike, y1: ArrayLike, e1: ArrayLike
) -> Floats:
    """The GLLP rate before it is cut at zero."""
    gain, wrong = pulse_gain(receiver, transmission, intensity)
    mu = np.asarray(intensity, dtype=np.float64)
    error = np.where(gain > 0.0, wrong / np.where(gain > 0.0, gain, 1.0), 0.5)
    single = mu * np.exp(-mu) * np.asarray(y1)
    phase = np.minimum(np.asarray(e1), 0.5)
    key = single * (1.0 - binary_entropy(phase)) - receiver.inefficiency * gain * binary_entropy(error)
    return np.asarray(receiver.sifting * key, dtype=np.float64)


def _vacuum_weak(
    receiver: PulseReceiver, transmission: ArrayLike, intensity: ArrayLike, weak: ArrayLike
) -> Floats:
    q_mu, _ = pulse_gain(receiver, transmission, intensity)
    q_nu, w_nu = pulse_gain(receiver, transmission, weak)
    y1, e1 = vacuum_weak_bounds(
        (intensity, q_mu), (weak, q_nu, w_nu), receiver.background, receiver.background_error
    )
    return _rate(receiver, transmission, intensity, y1, e1)


def _no_decoy(receiver: PulseReceiver, transmission: ArrayLike, intensity: ArrayLike) -> Floats:
    gain, wrong = pulse_gain(receiver, transmission, intensity)
    mu = np.asarray(intensity, dtype=np.float64)
    # 1 - (1 + μ) e^-μ written so that a small μ keeps its digits
    multi = -np.expm1(-mu) - mu * np.exp(-mu)
    single = np.maximum(gain - multi, 0.0)
    phase = np.where(single > wrong, wrong / np.where(single > 0.0, single, 1.0), 0.5)
    error = np.where(gain > 0.0, wrong / np.where(gain > 0.0, gain, 1.0), 0.5)
    key = single * (1.0 - binary_entropy(np.minimum(phase, 0.5)))
    key = key - receiver.inefficiency * gain * binary_entropy(error)
    return np.asarray(receiver.sifting * key, dtype=np.float64)
