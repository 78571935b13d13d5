"""Single-photon detection in time: jitter and windows, dead time, gradual recovery, afterpulses.

All functions take arrays (batch axes broadcast) and rates per s, times in s.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range

FWHM: Final = 2.0 * math.sqrt(2.0 * math.log(2.0))
"""Full width at half maximum of a Gaussian in units of its rms width."""

MODELS: Final = ("non_paralysable", "paralysable")
"""What a dead time does with a photon that falls into it: nothing, or it starts the dead time anew."""

_ROUNDS: Final = 200


def in_window(window: ArrayLike, jitter: ArrayLike, offset: ArrayLike = 0.0) -> Floats:
    """Share of photons whose click falls into a window.

    Equation: ``[erf((w/2 - δ)/(√2 σ)) + erf((w/2 + δ)/(√2 σ))]/2``; centred, erf(w/(2√2 σ)).

    Args:
        window: w, full width, s, at least 0.
        jitter: σ, rms of a Gaussian detection time, s, at least 0.
        offset: δ, distance of the mean detection time from the centre of the window, s.

    Raises:
        QuantityError: a negative width.

    Examples:
        >>> round(float(in_window(2.0, 1.0)), 6), float(in_window(1.0, 0.0))
        (0.682689, 1.0)
        >>> round(float(in_window(1.0, 1e-3, offset=0.5)), 6)  # on the edge: half of them
        0.5
    """
    w = check_range(window, 0.0, math.inf, "window")
    sigma = check_range(jitter, 0.0, math.inf, "jitter")
    shift = np.asarray(offset, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        upper, lower = (
            (0.5 * w - shift) / (math.sqrt(2.0) * sigma),
            (0.5 * w + shift) / (math.sqrt(2.0) * sigma),
        )
    # a window of no width keeps nothing, and a photon exactly on the edge counts half
    upper, lower = np.nan_to_num(upper, posinf=math.inf, neginf=-math.inf), np.nan_to_num(lower)
    error = np.vectorize(math.erf, otypes=[float])
    return np.asarray(0.5 * (error(upper) + error(lower)))


def live_fraction(
    rate: ArrayLike, dead_time: ArrayLike, model: str = "non_paralysable", recovery: ArrayLike = 0.0
) -> Floats:
    """Share of would-be clicks that a detector with dead time registers, in a Poissonian stream.

    Equation: non-paralysable 1/(1 + n τ); paralysable e^(-n τ). With gradual recovery, where the efficiency returns as
    1 - e^(-(t-τ)/τ_r) after a click, the mean time between clicks is τ + (1/n) Σ_{j≥0} Π_{i≤j} k/(k+i), k = n τ_r, and the
    share its inverse over n.

    Args:
        rate: n, clicks per s of the same detector without dead time (dark counts included), at least 0.
        dead_time: τ, s, at least 0.
        model: ``non_paralysable`` or ``paralysable``.
        recovery: τ_r, s, at least 0; only for a non-paralysable detector.

    Raises:
        QuantityError: a value outside its domain, an unknown model, or recovery of a paralysable detector.

    Limits:
        Poissonian arrivals. A photon that meets a recovering detector and makes no click leaves the recovery undisturbed.

    Examples:
        >>> round(1e6 * float(live_fraction(1e6, 40e-9)), 4)
        961538.4615
        >>> round(1e6 * float(live_fraction(1e6, 40e-9, "paralysable")), 4)
        960789.4392
        >>> round(float(live_fraction(1e7, 20e-9, recovery=20e-9)), 6)
        0.723164
    """
    n = check_range(rate, 0.0, math.inf, "rate")
    tau = check_range(dead_time, 0.0, math.inf, "dead_time")
    back = check_range(recovery, 0.0, math.inf, "recovery")
    if model not in MODELS:
        raise QuantityError(repr(model), f"one of {', '.join(MODELS)}", "model")
    if model == "paralysable":
        if np.any(back > 0.0):
            raise QuantityError(
                f"{float(back.max()):g} s", "0: a paralysable detector recovers at once", "recovery"
            )
        return np.asarray(np.exp(-n * tau))
    return np.asarray(1.0 / (n * tau + _recovering(n * back)))


def _recovering(k: Floats) -> Floats:
    """Mean time between clicks after the dead time, in units of 1/n: Σ_j Π_{i≤j} k/(k+i), all terms positive."""
    total, term = np.ones_like(k), np.ones_like(k)
    # terms fall like exp(-j²/2k), and geometrically once j > k
    last = 60 + int(10.0 * math.sqrt(float(np.max(k, initial=0.0))))
    for j in range(1, min(last, 1_000_000)):
        term = term * k / (k + j)
        total = total + term
        if not np.any(term > 1e-17 * total):
            break
    return total


def afterpulses(probability: ArrayLike, decay: ArrayLike, dead_time: ArrayLike) -> Floats:
    """Mean number of afterpulses of a click that are set free when the detector is live again: p e^(-τ/τ_ap).

    Args:
        probability: p, mean number of trapped carriers of a click that would fire a live detector, in [0, 1).
        decay: τ_ap, life of the traps, s, at least 0.
        dead_time: τ, s, at least 0.

    Raises:
        QuantityError: a value outside its domain.

    Examples:
        >>> round(float(afterpulses(0.1, 5e-6, 10e-6)), 6)
        0.013534
    """
    p = check_range(probability, 0.0, 1.0, "probability")
    life = check_range(decay, 0.0, math.inf, "decay")
    tau = check_range(dead_time, 0.0, math.inf, "dead_time")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = np.where(tau == 0.0, 1.0, np.exp(-np.where(tau == 0.0, 0.0, tau) / life))
    return np.asarray(p * share)


def click_rate(
    rate: ArrayLike,
    dead_time: ArrayLike = 0.0,
    model: str = "non_paralysable",
    recovery: ArrayLike = 0.0,
    afterpulse: ArrayLike = 0.0,
    decay: ArrayLike = 0.0,
    max_rate: ArrayLike = math.inf,
) -> Floats:
    """Clicks per s of a real detector, afterpulses included.

    Equation: with q of `afterpulses`, would-be clicks come at n + q m, and only those that meet a live detector count::

        non-paralysable  m = (n + q m)(1 - m τ),  τ with the mean delay of a gradual recovery
        paralysable      m = N e^(-N τ),  N = n + q m

    and at most ``max_rate``.

    Args:
        rate: n, clicks per s without dead time, afterpulses or saturation, at least 0.
        dead_time: τ, s, at least 0.
        model: ``non_paralysable`` or ``paralysable``.
        recovery: time constant of a gradual recovery, s.
        afterpulse: mean number of trapped carriers of a click that would fire a live detector, in [0, 1).
        decay: life of the traps, s.
        max_rate: clicks per s above which the detector saturates.

    Raises:
        QuantityError: a value outside its domain.

    Limits:
        Afterpulses are taken to find the detector live as often as any other photon does. A simulation of single traps differs
        by less than 1 % for q up to 0.25, and 3 % for a paralysable detector at n τ = 1, where traps that open in the dead time extend
        it.

    Examples:
        >>> round(float(click_rate(1e5, 10e-6, afterpulse=0.1, decay=5e-6)), 3)
        50169.167
    """
    n = check_range(rate, 0.0, math.inf, "rate")
    again = afterpulses(afterpulse, decay, dead_time)
    if np.any(again >= 1.0):
        raise QuantityError(
            f"{float(again.max()):g}", "less than one afterpulse for each click", "afterpulse"
        )
    top = check_range(max_rate, 0.0, math.inf, "max_rate")
    live = live_fraction(n, dead_time, model, recovery)
    if model == "paralysable":
        clicks = n * live
        for _ in range(_ROUNDS):  # a contraction: its slope is at most q
            every = n + again * clicks
            clicks = every * live_fraction(every, dead_time, model)
        return np.asarray(np.minimum(clicks, top))
    delay = np.where(n > 0.0, (1.0 / live - 1.0) / np.where(n > 0.0, n, 1.0), 0.0)
    slope = 1.0 - again + n * delay
    return np.asarray(np.minimum(2.0 * n / (slope + np.sqrt(slope**2 + 4.0 * again * delay * n)), top))
