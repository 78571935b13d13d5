"""Waiting in memories, as arrays: the Pauli twirl of amplitude and phase damping.

Equation (Sarvepalli, Klappenecker, Roetteler, Proc. R. Soc. A 465, 1645 (2009)), one qubit that waits for t::

    p_x = p_y = (1 - e^(-t/T1)) / 4        p_z = (1 - c(t)) / 2 - p_x

with the coherence c(t) = e^(-t/T2), or a stretched one: see `coherence`.

Limits:
    One waiting half: the fidelity is exact for any Bell state, ``(1 + e^(-t/T1) + 2 e^(-t/T2)) / 4``.
    Two waiting halves: exact amplitude damping adds ``gamma_a gamma_b / 4`` to the fidelity of a Φ state and takes it from that of
    a Ψ state, ``gamma = 1 - e^(-t/T1)``; at t/T1 = t/T2 = 0.5 the fidelities are 0.565 and 0.487 against 0.526 twirled.
    `density.damped` and `instruments.faded` keep the exact state. Only exponential decay is a semigroup: with an exponent above 1
    it matters how old the qubit was to begin with (``age``). Attempts beside the qubit and failing readout are not in here.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.physics.bell import convolve
from quantum_fabric.physics.checks import Floats, check_range, check_weights
from quantum_fabric.physics.noise import MemoryNoise


def coherence(noise: MemoryNoise, seconds: ArrayLike, age: ArrayLike = 0.0) -> Floats:
    """What is left of a qubit's coherence after it has waited.

    Equation: ``e^(-t/(2 T1)) e^(-((a+t)/Tφ)^n + (a/Tφ)^n)`` for a qubit of age a, ``T2/(2 T1) + (T2/Tφ)^n = 1``; for n = 1 that is
    ``e^(-t/T2)``.

    Args:
        noise: of its memory.
        seconds: waiting times, shape ``(...)``, >= 0.
        age: how old the qubit was before, s, broadcast against ``seconds``, >= 0.

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: a negative time.

    Examples:
        >>> gaussian = MemoryNoise(t1=math.inf, t2=1.0, exponent=2.0)
        >>> coherence(gaussian, 1.0).round(6).tolist(), coherence(gaussian, 1.0, age=1.0).round(6).tolist()
        (0.367879, 0.049787)
    """
    return np.asarray(np.exp(-_loss(noise, seconds, age)), dtype=np.float64)


def _loss(noise: MemoryNoise, seconds: ArrayLike, age: ArrayLike) -> Floats:
    t = check_range(seconds, 0.0, math.inf, "seconds")
    if noise.stretched_rate == 0.0:
        return np.asarray(t * noise.steady_rate if noise.exponent != 1.0 else t / noise.t2, dtype=np.float64)
    before = check_range(age, 0.0, math.inf, "age")
    rate, n = noise.stretched_rate, noise.exponent
    return np.asarray(t * noise.steady_rate + (rate * (before + t)) ** n - (rate * before) ** n)


def pauli_twirl(noise: MemoryNoise, seconds: ArrayLike, age: ArrayLike = 0.0) -> Floats:
    """Probabilities of the Pauli errors (I, Z, X, Y), in label order, of one qubit that waits.

    Args:
        noise: of its memory.
        seconds: waiting times, shape ``(...)``, >= 0.
        age: how old the qubit was before (s); it matters only where the dephasing is stretched.

    Returns:
        Shape ``(..., 4)``.

    Raises:
        QuantityError: a negative time.

    Limits:
        A twirl: exact for dephasing, an approximation for amplitude damping (see the module).

    Examples:
        >>> pauli_twirl(MemoryNoise(t1=1.0, t2=1.0), 0.5).round(6).tolist()
        [0.704898, 0.098367, 0.098367, 0.098367]
    """
    t = check_range(seconds, 0.0, math.inf, "seconds")
    flip = -np.expm1(-t / noise.t1) / 4.0
    dephase = -np.expm1(-_loss(noise, t, age)) / 2.0 - flip
    return np.stack([1.0 - 2.0 * flip - dephase, dephase, flip, flip], axis=-1)


def idle(
    weights: ArrayLike,
    noise_a: MemoryNoise,
    noise_b: MemoryNoise,
    seconds: ArrayLike,
    ages: tuple[ArrayLike, ArrayLike] = (0.0, 0.0),
) -> Floats:
    """Weights of pairs after both halves waited, each in its own memory, for the same time.

    For halves that wait for different times, apply it once with `noise.NO_DECAY` at one end.

    Args:
        weights: relative weights before, shape ``(..., 4)``.
        noise_a: memory of one half.
        noise_b: memory of the other half.
        seconds: waiting times, shape ``(...)`` that broadcasts against the batch axes, >= 0.
        ages: how old the halves were before (s); they matter only where the dephasing is stretched.

    Returns:
        Shape ``(..., 4)``.

    Raises:
        QuantityError: not probability distributions, or a negative time.

    Limits:
        Amplitude damping is twirled: the error of the fidelity is at most ``gamma_a gamma_b / 4`` (see the module).

    Examples:
        >>> noise = MemoryNoise(t1=1.0, t2=1.0)
        >>> round(float(idle([1.0, 0.0, 0.0, 0.0], noise, noise, 0.5)[0]), 9)
        0.525909581
    """
    start = check_weights(weights, "weights")
    a, b = pauli_twirl(noise_a, seconds, ages[0]), pauli_twirl(noise_b, seconds, ages[1])
    return convolve(convolve(start, a), b)


def one_half_fidelity(noise: MemoryNoise, seconds: ArrayLike) -> Floats:
    """Fidelity of any Bell state after *one* of its halves waited from its birth: ``(1 + e^(-t/T1) + 2 c(t)) / 4``, exact.

    Args:
        noise: of the memory of the half that waits.
        seconds: shape ``(...)``, >= 0.

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: a negative time.

    Examples:
        >>> round(float(one_half_fidelity(MemoryNoise(t1=math.inf, t2=1.0), 0.1)), 6)
        0.952419
    """
    t = check_range(seconds, 0.0, math.inf, "seconds")
    return np.asarray((1.0 + np.exp(-t / noise.t1) + 2.0 * coherence(noise, t)) / 4.0, dtype=np.float64)
