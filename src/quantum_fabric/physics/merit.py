"""What a pair is good for: error rates, CHSH values, teleportation, key fractions, and the thresholds where each ends.

Weights are relative to the announced state, on the last axis, batch axes first. Key fractions are asymptotic, in secret bits for each
sifted pair, and never below zero.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.physics.bell import to_correlators
from quantum_fabric.physics.checks import ROUNDING, Floats, check_range, check_weights
from quantum_fabric.physics.noise import NOISELESS, OperationNoise

TSIRELSON: Final = 2.0 * math.sqrt(2.0)
"""No quantum state gives a larger CHSH value."""

CLASSICAL_TELEPORTATION: Final = 2.0 / 3.0
"""Mean fidelity that measuring and preparing reaches without entanglement."""


def binary_entropy(probability: ArrayLike) -> Floats:
    """``h(p) = -p log2 p - (1-p) log2(1-p)`` (bit), shape ``(...)`` -> ``(...)``; accurate for tiny p.

    Raises:
        QuantityError: a probability outside [0, 1].

    Examples:
        >>> binary_entropy([0.0, 0.5, 1.0]).tolist()
        [0.0, 1.0, 0.0]
    """
    p = check_range(probability, 0.0, 1.0, "probability")
    q = 1.0 - p
    low = np.where(p > 0.0, p * np.log(np.where(p > 0.0, p, 1.0)), 0.0)
    high = np.where(q > 0.0, q * np.log1p(-np.where(q > 0.0, p, 0.0)), 0.0)
    return np.asarray(0.0 - (low + high) / math.log(2.0), dtype=np.float64)


def entropy(weights: ArrayLike) -> Floats:
    """Shannon entropy (bit) of Bell weights, the von Neumann entropy of the pair; shape ``(..., 4)`` -> ``(...)``.

    Raises:
        QuantityError: not probability distributions.

    Examples:
        >>> float(entropy([0.25, 0.25, 0.25, 0.25]))
        2.0
    """
    w = np.clip(check_weights(weights, "weights"), 0.0, 1.0)
    terms = w * np.log2(np.where(w > 0.0, w, 1.0))
    return np.asarray(np.abs(terms.sum(axis=-1)), dtype=np.float64)


def qber(weights: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Error rates (e_X, e_Y, e_Z) when both ends measure in the same basis and correct for the announced state.

    Equation: ``e_X = Φ− + Ψ−``, ``e_Y = Φ− + Ψ+``, ``e_Z = Ψ+ + Ψ−`` (for a Φ+ target).

    Args:
        weights: relative weights, shape ``(..., 4)``.

    Returns:
        Three arrays of shape ``(...)``.

    Raises:
        QuantityError: not probability distributions.

    Limits:
        The state alone; readout errors come on top, see `with_readout`.

    Examples:
        >>> [round(float(e), 3) for e in qber([0.9, 0.06, 0.03, 0.01])]
        [0.07, 0.09, 0.04]
    """
    w = np.clip(check_weights(weights, "weights"), 0.0, 1.0)
    # weights that were divided by their sum may add up to one and a bit
    e_x, e_y, e_z = (np.clip(w[..., i] + w[..., j], 0.0, 1.0) for i, j in ((1, 3), (1, 2), (2, 3)))
    return (e_x, e_y, e_z)


def with_readout(error: ArrayLike, a: OperationNoise, b: OperationNoise, parity: int | None = None) -> Floats:
    """Error rate after both ends misread.

    Args:
        error: true error rate, shape ``(...)``, in [0, 1].
        a: readout errors at one end.
        b: readout errors at the other end.
        parity: parity of the bits of a perfect pair (`frames.expected_parity`), which matters when both ends are asymmetric; None
            averages over both.

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: an error rate outside [0, 1].

    Equation: ``1 - 2 e' = m_a m_b (1 - 2 e) ± d_a d_b``, m the mean and d half the difference of ``1 - 2 r`` over the two bits.

    Examples:
        >>> reader = OperationNoise(readout_error_0=0.05, readout_error_1=0.05)
        >>> round(float(with_readout(0.0, reader, reader)), 6)
        0.095
    """
    e = check_range(error, 0.0, 1.0, "error")
    gain, lean = _readout(a, b)
    sign = 0.0 if parity is None else (-1.0 if parity else 1.0)
    return np.asarray((1.0 - gain * (1.0 - 2.0 * e) - sign * lean) / 2.0, dtype=np.float64)


def chsh_max(weights: ArrayLike) -> Floats:
    """Largest CHSH value over all settings: ``2 sqrt(t1² + t2²)``, t the two largest absolute correlators.

    Equation: R., P. and M. Horodecki, Phys. Lett. A 200, 340 (1995). Above 2 no local model explains the pair; never above 2√2.

    Args:
        weights: shape ``(..., 4)``.

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: not probability distributions.

    Examples:
        >>> round(float(chsh_max([1.0, 0.0, 0.0, 0.0])), 6)
        2.828427
    """
    t = np.sort(np.abs(to_correlators(weights)), axis=-1)
    return np.asarray(2.0 * np.hypot(t[..., 1], t[..., 2]), dtype=np.float64)


def chsh_fixed(weights: ArrayLike, a: OperationNoise = NOISELESS, b: OperationNoise = NOISELESS) -> Floats:
    """CHSH value with the fixed settings Z, X at one end and (Z+X)/√2, (Z-X)/√2 at the other, with gates and readout.

    ``S = E(Z, +) + E(Z, -) + E(X, +) - E(X, -)`` for a pair corrected to Φ+. Every setting but Z takes a one-qubit gate
    (`depolarising_1`); asymmetric readout multiplies each correlation and shifts it.

    Equation: ``S = √2 (z + x)`` for the state, then ``S' = m_a m_b S + 2 d_a d_b`` with m the mean and d half the difference of
    ``1 - 2 r`` over the two bits.

    Args:
        weights: relative weights, shape ``(..., 4)``.
        a: noise at the end that measures Z or X.
        b: noise at the end that measures between them.

    Returns:
        Shape ``(...)``; never above `chsh_max` with perfect operations.

    Raises:
        QuantityError: not probability distributions.

    Examples:
        >>> reader = OperationNoise(readout_error_0=0.029, readout_error_1=0.029)
        >>> round(float(chsh_fixed([0.92, 0.08 / 3, 0.08 / 3, 0.08 / 3], reader)), 4)
        2.3802
    """
    c = to_correlators(weights)
    gain, lean = _readout(a, b)
    z = c[..., 2] * (1.0 - b.depolarising_1)
    x = c[..., 0] * (1.0 - a.depolarising_1) * (1.0 - b.depolarising_1)
    return np.asarray(gain * math.sqrt(2.0) * (z + x) + 2.0 * lean, dtype=np.float64)


def _readout(a: OperationNoise, b: OperationNoise) -> tuple[float, float]:
    """What readout multiplies a correlation by, and what it adds to it, for uniform true bits at both ends."""
    gain = (1.0 - a.readout_error_0 - a.readout_error_1) * (1.0 - b.readout_error_0 - b.readout_error_1)
    lean = (a.readout_error_1 - a.readout_error_0) * (b.readout_error_1 - b.readout_error_0)
    return (gain, lean)


def teleportation_fidelity(fidelity: ArrayLike) -> Floats:
    """Mean fidelity of teleportation over a pair of this fidelity: ``(2F + 1)/3``, shape ``(...)`` -> ``(...)``.

    Equation: M., P. and R. Horodecki, PRA 60, 1888 (1999). Useful above 2/3.

    Raises:
        QuantityError: a fidelity outside [0, 1].

    Limits:
        Perfect operations; `teleport.teleported_fidelity` has the noise.

    Examples:
        >>> round(float(teleportation_fidelity(0.85)), 6)
        0.9
    """
    return np.asarray((2.0 * check_range(fidelity, 0.0, 1.0, "fidelity") + 1.0) / 3.0, dtype=np.float64)


def bb84_fraction(e_z: ArrayLike, e_x: ArrayLike, inefficiency: float = 1.0) -> Floats:
    """Secret bits for each sifted pair of BBM92/BB84: ``1 - f h(e_Z) - h(e_X)``, at least 0.

    Equation: Shor & Preskill, PRL 85, 441 (2000); f >= 1 is the inefficiency of error correction.

    Args:
        e_z: error rate of the key basis, shape ``(...)``.
        e_x: error rate of the other basis.
        inefficiency: f, 1 at the Shannon limit.

    Raises:
        QuantityError: an error rate outside [0, 1].

    Limits:
        Asymptotic: no finite-size correction.

    Examples:
        >>> round(float(bb84_fraction(0.02, 0.02)), 6)
        0.717119
    """
    key = 1.0 - inefficiency * binary_entropy(e_z) - binary_entropy(e_x)
    return np.maximum(key, 0.0)


def six_state_fraction(weights: ArrayLike, inefficiency: float = 1.0) -> Floats:
    """Secret bits for each sifted pair of the six-state protocol: ``1 - H(weights)``, at least 0.

    Equation: Lo, Quantum Inf. Comput. 1, 81 (2001); with error correction of inefficiency f, ``1 - H(weights) - (f-1) h(e_Z)``.

    Args:
        weights: relative weights, shape ``(..., 4)``.
        inefficiency: f, 1 at the Shannon limit.

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: not probability distributions.

    Limits:
        Asymptotic, one-way, without added noise.

    Examples:
        >>> round(float(six_state_fraction([0.97, 0.01, 0.01, 0.01])), 6)
        0.758059
    """
    key = 1.0 - entropy(weights) - (inefficiency - 1.0) * binary_entropy(qber(weights)[2])
    return np.maximum(key, 0.0)


def di_fraction(chsh: ArrayLike, error: ArrayLike) -> Floats:
    """Secret bits for each key round of device-independent QKD, at least 0.

    Equation: ``1 - h(Q) - h((1 + sqrt((S/2)² - 1))/2)`` (Acín et al., PRL 98, 230501 (2007)); S <= 2 certifies nothing.

    Args:
        chsh: observed S, shape ``(...)``, at most 2√2.
        error: Q of the key rounds, shape ``(...)``.

    Raises:
        QuantityError: S outside [-2√2, 2√2] or Q outside [0, 1].

    Limits:
        Asymptotic, collective attacks, one-way error correction at the Shannon limit, no noisy preprocessing.

    Examples:
        >>> round(float(di_fraction(2.677, 0.0144)), 6)
        0.583414
    """
    return np.maximum(_di_key(chsh, error), 0.0)


def _di_key(chsh: ArrayLike, error: ArrayLike) -> Floats:
    s = check_range(chsh, -TSIRELSON - ROUNDING, TSIRELSON + ROUNDING, "chsh")
    bias = np.sqrt(np.clip((s / 2.0) ** 2 - 1.0, 0.0, 1.0))
    guess = np.where(s > 2.0, (1.0 + bias) / 2.0, 0.5)
    return np.asarray(1.0 - binary_entropy(error) - binary_entropy(guess), dtype=np.float64)


def deterministic_fidelity(link_efficiency: ArrayLike) -> Floats:
    """Best mean fidelity of a pair delivered on every clock tick, entangled or not, by a link that decays between tries.

    Equation: ``(1 + 3 η^(1/(1-η))) / 4``, ``η = generation rate / decay rate`` (Humphreys et al., Nature 558, 268 (2018));
    ``(1 + 3/e)/4`` at η = 1.

    Args:
        link_efficiency: η, shape ``(...)``, >= 0.

    Returns:
        Shape ``(...)``; 1/2 at η = 0.826.

    Raises:
        QuantityError: a negative η.

    Limits:
        Perfect fresh pairs, exponential decay to the maximally mixed state, clock period at its best value.

    Examples:
        >>> deterministic_fidelity([0.82601756, 7.8]).round(4).tolist()
        [0.5, 0.8045]
    """
    eta = check_range(link_efficiency, 0.0, math.inf, "link_efficiency")
    excess = eta - 1.0
    near_one = np.abs(excess) < 1e-9
    safe = np.where(near_one, 1.0, excess)
    with np.errstate(divide="ignore"):  # η = 0: log is -inf, the power is 0, as it should be
        exponent = np.where(near_one, excess / 2.0 - 1.0, -np.log1p(np.where(near_one, 0.0, excess)) / safe)
    return np.asarray((1.0 + 3.0 * np.exp(exponent)) / 4.0, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where usefulness ends. Error rates and fidelities are of Werner pairs.

    Attributes:
        bb84_qber, bb84_fidelity: above this error rate, below this fidelity, BB84/BBM92 gives no key.
        six_state_qber, six_state_fidelity: the same for the six-state protocol.
        di_qber, di_chsh, di_fidelity: the same for device-independent QKD with ``S = 2√2 (1 - 2Q)``.
        chsh_fidelity: below it no CHSH violation.
        teleport_fidelity: mean teleportation fidelity without entanglement.
        deterministic_link_efficiency: below it a clocked delivery is not entangled on average.
    """

    bb84_qber: float
    bb84_fidelity: float
    six_state_qber: float
    six_state_fidelity: float
    di_qber: float
    di_chsh: float
    di_fidelity: float
    chsh_fidelity: float
    teleport_fidelity: float
    deterministic_link_efficiency: float


@functools.lru_cache(maxsize=1)
def _thresholds() -> Thresholds:
    def weights(q: float) -> Floats:
        return np.array([1.0 - 1.5 * q, q / 2.0, q / 2.0, q / 2.0])

    bb84 = _root(lambda q: 1.0 - 2.0 * float(binary_entropy(q)), 0.0, 0.5)
    six = _root(lambda q: 1.0 - float(entropy(weights(q))), 0.0, 0.5)
    di = _root(lambda q: float(_di_key(TSIRELSON * (1.0 - 2.0 * q), q)), 0.0, 0.5)
    return Thresholds(
        bb84_qber=bb84,
        bb84_fidelity=1.0 - 1.5 * bb84,
        six_state_qber=six,
        six_state_fidelity=1.0 - 1.5 * six,
        di_qber=di,
        di_chsh=TSIRELSON * (1.0 - 2.0 * di),
        di_fidelity=1.0 - 1.5 * di,
        chsh_fidelity=_root(lambda f: 2.0 - TSIRELSON * (4.0 * f - 1.0) / 3.0, 0.5, 1.0),
        teleport_fidelity=CLASSICAL_TELEPORTATION,
        deterministic_link_efficiency=_root(lambda eta: 0.5 - float(deterministic_fidelity(eta)), 0.1, 1.0),
    )


def thresholds() -> Thresholds:
    """The thresholds for Werner pairs, found by bisection of the key fractions above.

    Examples:
        >>> t = thresholds()
        >>> round(t.bb84_qber, 6), round(t.six_state_fidelity, 6), round(t.di_chsh, 6)
        (0.110028, 0.81071, 2.424009)
    """
    return _thresholds()


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that is positive at ``low`` and not at ``high`` changes sign, to the last bit."""
    while low < (middle := (low + high) / 2.0) < high:
        if function(middle) > 0.0:
            low = middle
        else:
            high = middle
    return low
