"""Bell-diagonal pairs as arrays of weights, batch axes first.

Weights are the probabilities of (Φ+, Φ−, Ψ+, Ψ−) on the last axis, so that index = label = (parity bit, phase bit) and
labels compose by XOR. This is the batch twin of `correlators`, written independently (with weights and enumeration instead of
products), so that each tests the other.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.physics.checks import Complexes, Floats, check_range, check_shape, check_weights
from quantum_fabric.physics.noise import OperationNoise

_LABELS: Final = np.arange(4)

XOR: Final = _LABELS[:, None] ^ _LABELS[None, :]
"""``XOR[i, j] = i ^ j``, shape (4, 4)."""

_SIGNS: Final = np.array([[1, -1, 1, -1], [1, -1, -1, 1], [1, 1, -1, -1]], dtype=np.float64)
_BELL_VECTORS: Final = np.array(
    [[1, 0, 0, 1], [1, 0, 0, -1], [0, 1, 1, 0], [0, 1, -1, 0]], dtype=np.complex128
) / np.sqrt(2.0)


def werner(fidelity: ArrayLike) -> Floats:
    """Weights of a Werner state: fidelity to Φ+, and the rest shared equally.

    Args:
        fidelity: shape ``(...)``, in [0, 1].

    Returns:
        Weights, shape ``(..., 4)``.

    Raises:
        QuantityError: a fidelity outside [0, 1].

    Examples:
        >>> werner(0.7).round(3).tolist()
        [0.7, 0.1, 0.1, 0.1]
    """
    f = check_range(fidelity, 0.0, 1.0, "fidelity")
    rest = (1.0 - f) / 3.0
    return np.stack([f, rest, rest, rest], axis=-1)


def to_correlators(weights: ArrayLike) -> Floats:
    """Correlators (x, y, z) of weights: ``x = Σ w (-1)^phase``, ``y = Σ w (-1)^(parity ⊕ phase)``, ``z = Σ w (-1)^parity``.

    Args:
        weights: shape ``(..., 4)``.

    Returns:
        Shape ``(..., 3)``.

    Raises:
        QuantityError: not probability distributions.

    Examples:
        >>> to_correlators([0.75, 0.25, 0.0, 0.0]).tolist()
        [0.5, 0.5, 1.0]
    """
    return np.asarray(check_weights(weights, "weights") @ _SIGNS.T, dtype=np.float64)


def from_correlators(correlators: ArrayLike) -> Floats:
    """Weights of correlators, shape ``(..., 3)`` -> ``(..., 4)``; the inverse of `to_correlators`.

    Raises:
        QuantityError: wrong shape, or correlators of no state (a weight would be negative).

    Examples:
        >>> from_correlators([0.5, 0.5, 1.0]).tolist()
        [0.75, 0.25, 0.0, 0.0]
    """
    c = np.asarray(correlators, dtype=np.float64)
    check_shape(c, (3,), "correlators")
    return check_weights((1.0 + c @ _SIGNS) / 4.0, "correlators")


def convolve(a: Floats, b: Floats) -> Floats:
    """XOR convolution on the last axis: ``out[k] = Σ_i a[i] b[i ^ k]``, shapes ``(..., 4)`` that broadcast. Unchecked.

    Examples:
        >>> convolve(np.array([0.0, 1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, 0.0])).tolist()
        [0.0, 0.0, 0.0, 1.0]
    """
    return np.asarray((a[..., :, None] * b[..., XOR]).sum(axis=-2), dtype=np.float64)


def swap(left: ArrayLike, right: ArrayLike) -> Floats:
    """Weights after an ideal swap, relative to the frame ``left ^ right ^ outcome``.

    Equation: XOR convolution of the two weight vectors; for Werner states ``w_out = w_1 w_2`` with ``w = (4F-1)/3``.

    Args:
        left: shape ``(..., 4)``.
        right: shape ``(..., 4)``, broadcasts against ``left``.

    Returns:
        Shape ``(..., 4)``.

    Raises:
        QuantityError: not probability distributions.

    Examples:
        >>> round(float(swap(werner(0.9), werner(0.9))[0]), 9)
        0.813333333
    """
    return convolve(check_weights(left, "left"), check_weights(right, "right"))


def noisy_swap(
    left: ArrayLike, right: ArrayLike, noise: OperationNoise, outcome: int
) -> tuple[float, Floats]:
    """Probability of announcing ``outcome``, and the weights given that, relative to ``left ^ right ^ outcome``.

    The circuit is that of `correlators.swap_table`; here every combination of gate error, true label and misreading is summed.

    Args:
        left: shape ``(..., 4)``.
        right: shape ``(..., 4)``.
        noise: of the node that swaps (`swap_success` is not in here).
        outcome: announced label, 0 to 3.

    Returns:
        (probability, weights of shape ``(..., 4)``). A label that cannot be announced gives (0.0, uniform weights).

    Raises:
        QuantityError: not probability distributions.

    Limits:
        Exact for Bell-diagonal inputs.

    Examples:
        >>> probability, weights = noisy_swap(werner(1.0), werner(1.0), OperationNoise(depolarising_2=0.04), outcome=0)
        >>> probability, round(float(weights[0]), 9)
        (0.25, 0.97)
    """
    turned = 0.5 * noise.depolarising_1
    gate_error = np.full(4, noise.depolarising_2 / 4.0) + (1.0 - noise.depolarising_2) * (_LABELS == 0)
    turn_error = np.array([1.0 - turned, turned, 0.0, 0.0])
    readout = readout_matrix(noise)
    misread = np.zeros(4)
    for true in range(4):
        announced = readout[true >> 1, outcome >> 1] * readout[true & 1, outcome & 1]
        misread[true ^ outcome] = announced / 4.0
    probability = float(misread.sum())
    if probability == 0.0:
        return (0.0, np.full_like(swap(left, right), 0.25))
    error = convolve(convolve(gate_error, turn_error), misread / probability)
    return (probability, convolve(swap(left, right), error))


def readout_matrix(noise: OperationNoise) -> Floats:
    """``P[state, announced]`` of reading one qubit, shape (2, 2).

    Examples:
        >>> readout_matrix(OperationNoise(readout_error_0=0.05)).tolist()
        [[0.95, 0.05], [0.0, 1.0]]
    """
    e0, e1 = noise.readout_error_0, noise.readout_error_1
    return np.array([[1.0 - e0, e0], [e1, 1.0 - e1]])


def relabel(weights: ArrayLike, label: int) -> Floats:
    """Turn weights relative to the announced state ``label`` into weights of the actual Bell states, or back.

    Args:
        weights: shape ``(..., 4)``.
        label: 0 to 3.

    Raises:
        QuantityError: not probability distributions.

    Examples:
        >>> relabel([0.9, 0.1, 0.0, 0.0], 3).tolist()
        [0.0, 0.0, 0.1, 0.9]
    """
    return check_weights(weights, "weights")[..., _LABELS ^ label]


def density_matrix(weights: ArrayLike) -> Complexes:
    """Density matrix of a Bell-diagonal pair, basis |00>, |01>, |10>, |11>.

    Args:
        weights: of the *actual* Bell states (see `relabel`), shape ``(..., 4)``.

    Returns:
        Shape ``(..., 4, 4)``.

    Raises:
        QuantityError: not probability distributions.

    Examples:
        >>> density_matrix([1.0, 0.0, 0.0, 0.0]).real.round(3)[0].tolist()
        [0.5, 0.0, 0.0, 0.5]
    """
    w = check_weights(weights, "weights")
    projectors = _BELL_VECTORS[:, :, None] * _BELL_VECTORS[:, None, :].conj()
    return np.asarray(np.tensordot(w, projectors, axes=1), dtype=np.complex128)
