"""Waiting in memories, as arrays: the Pauli twirl of amplitude and phase damping.

Equation (Sarvepalli, Klappenecker, Roetteler, Proc. R. Soc. A 465, 1645 (2009)), one qubit that waits for t::

    p_x = p_y = (1 - e^(-t/T1)) / 4        p_z = (1 - e^(-t/T2)) / 2 - p_x

Limits:
    One waiting half: the fidelity is exact for any Bell state, ``(1 + e^(-t/T1) + 2 e^(-t/T2)) / 4``.
    Two waiting halves: exact amplitude damping adds ``gamma_a gamma_b / 4`` to the fidelity of a Φ state and takes it from that of
    a Ψ state, ``gamma = 1 - e^(-t/T1)``; at t/T1 = t/T2 = 0.5 the fidelities are 0.565 and 0.487 against 0.526 twirled.
    `density.damped` keeps the exact state. Only exponential decay is a semigroup: a decoupled memory that fades as
    exp(-(t/T)^n), n > 1, is not described by these two times.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.physics.bell import convolve
from quantum_fabric.physics.checks import Floats, check_range, check_weights
from quantum_fabric.physics.noise import MemoryNoise


def pauli_twirl(noise: MemoryNoise, seconds: ArrayLike) -> Floats:
    """Probabilities of the Pauli errors (I, Z, X, Y), in label order, of one qubit that waits.

    Args:
        noise: of its memory.
        seconds: waiting times, shape ``(...)``, >= 0.

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
    dephase = -np.expm1(-t / noise.t2) / 2.0 - flip
    return np.stack([1.0 - 2.0 * flip - dephase, dephase, flip, flip], axis=-1)


def idle(weights: ArrayLike, noise_a: MemoryNoise, noise_b: MemoryNoise, seconds: ArrayLike) -> Floats:
    """Weights of pairs after both halves waited, each in its own memory, for the same time.

    For halves that wait for different times, apply it once with `noise.NO_DECAY` at one end.

    Args:
        weights: relative weights before, shape ``(..., 4)``.
        noise_a: memory of one half.
        noise_b: memory of the other half.
        seconds: waiting times, shape ``(...)`` that broadcasts against the batch axes, >= 0.

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
    return convolve(convolve(start, pauli_twirl(noise_a, seconds)), pauli_twirl(noise_b, seconds))


def one_half_fidelity(noise: MemoryNoise, seconds: ArrayLike) -> Floats:
    """Fidelity of any Bell state after *one* of its halves waited: ``(1 + e^(-t/T1) + 2 e^(-t/T2)) / 4``, exact.

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
    return np.asarray((1.0 + np.exp(-t / noise.t1) + 2.0 * np.exp(-t / noise.t2)) / 4.0, dtype=np.float64)
