"""Twin-field QKD by sending or not sending: the key rate falls with the square root of the transmission.

Both ends send weak pulses to a station in the middle, which reports which one of its two detectors clicked. In a *key* window each end
sends a pulse of intensity μ with chance ε, else nothing; the bit is whether it sent. Windows where exactly one end sent one photon
are secret; their phase error rate comes from windows where both send and the phases agree, so only there does interference matter.

Sources: Wang, Yu, Hu, PRA 98, 062323 (2018) (the protocol and its asymptotic rate); Xu, Yu, Jiang, Hu, Wang, PRA 101, 042330
(2020) (pairing with odd parity, which removes most bit errors); Lucamarini, Yuan, Dynes, Shields, Nature 557, 400 (2018) (the idea).
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


@dataclass(frozen=True, slots=True)
class MiddleStation:
    """The station in the middle and what spoils its interference.

    Attributes:
        dark: false counts for each window of one detector, in [0, 1).
        misalignment: chance that interfering single photons leave by the wrong output, in [0, 0.5]: phase drift and mode mismatch.
        inefficiency: f of error correction, at least 1.

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> MiddleStation(dark=1e-10, misalignment=0.04).inefficiency
        1.16
    """

    dark: float
    misalignment: float
    inefficiency: float = 1.16

    def __post_init__(self) -> None:
        check_range(self.dark, 0.0, 1.0, "dark")
        check_range(self.misalignment, 0.0, 0.5, "misalignment")
        check_range(self.inefficiency, 1.0, math.inf, "inefficiency")


@dataclass(frozen=True, slots=True)
class SendingWindows:
    """What the station reports in key windows, for each key window; each of the batch shape.

    Attributes:
        one_sent: reported windows where exactly one end sent (the bits agree).
        both_sent: where both sent (the bits differ).
        none_sent: where none sent (the bits differ).
        single: those of ``one_sent`` where the sender emitted exactly one photon.
        phase_error: error rate of ``single`` in the other basis.
    """

    one_sent: Floats
    both_sent: Floats
    none_sent: Floats
    single: Floats
    phase_error: Floats

    @property
    def reported(self) -> Floats:
        """All reported windows."""
        return self.one_sent + self.both_sent + self.none_sent

    @property
    def error(self) -> Floats:
        """Bit error rate before pairing."""
        total = self.reported
        return np.where(
            total > 0.0, (self.both_sent + self.none_sent) / np.where(total > 0.0, total, 1.0), 0.5
        )


def sending_windows(
    station: MiddleStation, transmission: ArrayLike, intensity: ArrayLike, sending: ArrayLike
) -> SendingWindows:
    """What the key windows give on a channel of pure loss, with the phase error rate that infinitely many decoys reveal.

    Equation: with η the transmission of one arm and its detector and μ' = ημ: one sender ``2 (1-d)[e^(-μ'/2) - (1-d) e^-μ']``; two
    senders with random phases ``2 (1-d)[e^-μ' I0(μ') - (1-d) e^(-2μ')]``; none ``2 d (1-d)``; one photon
    ``Y = (1-d)[η + 2 d (1-η)]``, its phase error rate ``(1-d)[η e_d + d (1-η)]/Y``.

    Args:
        station: noise.
        transmission: of one arm with the detector, shape ``(...)``, in [0, 1].
        intensity: μ, shape ``(...)``, >= 0.
        sending: ε, shape ``(...)``, in [0, 1].

    Returns:
        Broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Equal arms; both detectors alike; randomised phase in the key windows.

    Examples:
        >>> windows = sending_windows(MiddleStation(1e-9, 0.03), 1e-4, 0.4, 0.25)
        >>> f"{float(windows.reported):.3e} {float(windows.error):.4f} {float(windows.phase_error):.5f}"
        '2.000e-05 0.2500 0.03001'
    """
    eta = check_range(transmission, 0.0, 1.0, "transmission")
    mu = check_range(intensity, 0.0, math.inf, "intensity")
    eps = check_range(sending, 0.0, 1.0, "sending")
    d, quiet = station.dark, 1.0 - station.dark
    light = eta * mu
    # differences of numbers near one are written with expm1, or nothing is left of them beyond 300 km
    one = 2.0 * quiet * (np.exp(-light / 2.0) * -np.expm1(-light / 2.0) + d * np.exp(-light))
    both = (
        2.0
        * quiet
        * (np.exp(-light) * (_bessel_less_one(light) - np.expm1(-light)) + d * np.exp(-2.0 * light))
    )
    none = 2.0 * d * quiet
    yield_1 = quiet * (eta + 2.0 * d * (1.0 - eta))
    wrong_1 = quiet * (eta * station.misalignment + d * (1.0 - eta))
    alone = 2.0 * eps * (1.0 - eps)
    return SendingWindows(
        np.asarray(alone * one, dtype=np.float64),
        np.asarray(eps**2 * both, dtype=np.float64),
        np.asarray((1.0 - eps) ** 2 * none + 0.0 * light, dtype=np.float64),
        np.asarray(alone * mu * np.exp(-mu) * yield_1, dtype=np.float64),
        np.where(yield_1 > 0.0, wrong_1 / np.where(yield_1 > 0.0, yield_1, 1.0), 0.5) + 0.0 * mu * eps,
    )


def sending_rate(
    station: MiddleStation, transmission: ArrayLike, intensity: ArrayLike, sending: ArrayLike
) -> Floats:
    """Secret bits for each key window, without pairing; at least 0.

    Equation: ``single (1 - h(e_phase)) - f reported h(E)`` (Wang 2018).

    Args:
        station: noise and cost.
        transmission: of one arm with the detector, shape ``(...)``, in [0, 1].
        intensity: μ, shape ``(...)``, >= 0.
        sending: ε, shape ``(...)``, in [0, 1].

    Returns:
        Broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Asymptotic: infinitely many decoys, nearly all windows are key windows.

    Examples:
        >>> f"{float(sending_rate(MiddleStation(1e-10, 0.03), 1e-2, 0.4, 0.05)):.2e}"  # 40 dB from end to end
        '7.29e-05'
    """
    return np.maximum(_plain(station, sending_windows(station, transmission, intensity, sending)), 0.0)


def paired_rate(
    station: MiddleStation, transmission: ArrayLike, intensity: ArrayLike, sending: ArrayLike
) -> Floats:
    """Secret bits for each key window, after one end pairs its zeros with its ones and keeps pairs of odd parity; at least 0.

    A pair survives when both its bits agree with the other end or both differ; the first bit of each survivor is kept. Bits are wrong
    only where both were, and phase errors of the two add: ``e' = 2 e (1 - e)``.

    Equation: Xu 2020, asymptotic: with N0 zeros and N1 ones (sent or not, at the pairing end), ``pairs = min(N0, N1)``, survivors
    ``pairs (c0 c1 + w0 w1)``, ``E' = w0 w1/(c0 c1 + w0 w1)``, secret pairs ``pairs s0 s1``; rate
    ``secret (1 - h(e')) - f survivors h(E')``.

    Args:
        station: noise and cost.
        transmission: of one arm with the detector, shape ``(...)``, in [0, 1].
        intensity: μ, shape ``(...)``, >= 0.
        sending: ε, shape ``(...)``, in [0, 1].

    Returns:
        Broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Asymptotic, as `sending_rate`.

    Examples:
        >>> f"{float(paired_rate(MiddleStation(1e-10, 0.03), 1e-2, 0.4, 0.25)):.2e}"
        '1.38e-04'
    """
    return np.maximum(_paired(station, sending_windows(station, transmission, intensity, sending)), 0.0)


def best_sending(
    station: MiddleStation, transmission: float, paired: bool = True
) -> tuple[float, float, float]:
    """Intensity and sending chance that give most key.

    Args:
        station: noise and cost.
        transmission: of one arm with the detector, in (0, 1].
        paired: with odd-parity pairing or without.

    Returns:
        (μ, ε, secret bits for each key window); the rate is 0 where there is no key.

    Raises:
        QuantityError: a transmission outside [0, 1].

    Examples:
        >>> mu, eps, rate = best_sending(MiddleStation(1e-10, 0.03), 1e-2)
        >>> round(mu, 2), round(eps, 2), f"{rate:.2e}"
        (0.5, 0.28, '1.42e-04')
    """
    check_range(transmission, 1e-300, 1.0, "transmission")

    def rate(points: Floats) -> Floats:
        windows = sending_windows(station, transmission, points[:, 0], points[:, 1])
        return _paired(station, windows) if paired else _plain(station, windows)

    starts = [[0.4, 0.25], [0.4, 0.05]]
    point, value = climb(rate, [1e-4, 1e-4], [2.0, 0.6], starts)
    return (float(point[0]), float(point[1]), max(value, 0.0))


def _plain(station: MiddleStation, windows: SendingWindows) -> Floats:
    key = windows.single * (1.0 - binary_entropy(np.minimum(windows.phase_error, 0.5)))
    return np.asarray(key - station.inefficiency * windows.reported * binary_entropy(windows.error))


def _paired(station: MiddleStation, windows: SendingWindows) -> Floats:
    half = windows.one_sent / 2.0  # one end alone sent: the pairing end in half of the cases
    ones, zeros = half + windows.both_sent, half + windows.none_sent
    pairs = np.minimum(ones, zeros)
    both = np.where(pairs > 0.0, ones * zeros, 1.0)
    right, wrong = half * half / both, windows.both_sent * windows.none_sent / both
    survive = np.where(pairs > 0.0, right + wrong, 0.0)
    error = np.where(survive > 0.0, wrong / np.where(survive > 0.0, survive, 1.0), 0.5)
    secret = (windows.single / 2.0) ** 2 / both
    phase = 2.0 * windows.phase_error * (1.0 - windows.phase_error)
    key = secret * (1.0 - binary_entropy(np.minimum(phase, 0.5)))
    return np.asarray(pairs * (key - station.inefficiency * survive * binary_entropy(error)))


def _bessel_less_one(x: Floats) -> Floats:
    """``I0(x) - 1`` by its series, which keeps the digits of small x; the intensities here stay below a few photons."""
    if np.any(x > 20.0):
        raise QuantityError(found=f"{float(np.max(x)):g}", expected="at most 20 photons", where="intensity")
    term, total = np.ones_like(x), np.zeros_like(x)
    for order in range(1, 60):
        term = term * (x / 2.0) ** 2 / order**2
        total = total + term
    return np.asarray(total, dtype=np.float64)
