"""Teleportation of one qubit over a Bell-diagonal pair with noisy operations."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.bell import to_correlators
from quantum_fabric.physics.checks import ROUNDING, Complexes, Floats, check_shape
from quantum_fabric.physics.correlators import swap_table
from quantum_fabric.physics.noise import OperationNoise


def teleported_density(
    amplitudes: ArrayLike, weights: ArrayLike, noise: OperationNoise, bits: tuple[int, int] | None = None
) -> Complexes:
    """Density matrix of the receiver's qubit after the correction that the announced bits and the pair's frame ask for.

    The sender measures the input and its half of the pair with the circuit of `correlators.swap_table`; the receiver applies
    ``frames.teleport_correction``. Each correlator of the resource then multiplies one component of the input's Bloch vector.

    Args:
        amplitudes: of |0> and |1> of the input, normalised, shape ``(..., 2)``.
        weights: of the resource *relative to the state it is announced to be in*, shape ``(..., 4)``.
        noise: of the sender's Bell measurement.
        bits: announced (parity bit, phase bit); None averages over all four outcomes.

    Returns:
        Shape ``(..., 2, 2)``.

    Raises:
        QuantityError: a wrong shape, amplitudes that are not normalised, weights that are not a distribution, or bits that
            cannot be announced.

    Equation: Bennett et al., PRL 70, 1895 (1993); a Bell-diagonal resource makes a Pauli channel with its own weights.

    Limits:
        Exact for a Bell-diagonal resource. The correction is a change of Pauli frame and adds no noise.

    Examples:
        >>> teleported_density([0.6, 0.8j], [1.0, 0.0, 0.0, 0.0], OperationNoise()).round(2).tolist()
        [[(0.36+0j), -0.48j], [0.48j, (0.64+0j)]]
    """
    psi = np.asarray(amplitudes, dtype=np.complex128)
    check_shape(psi, (2,), "amplitudes")
    norm = np.sum(np.abs(psi) ** 2, axis=-1)
    if not (np.abs(norm - 1.0) <= ROUNDING).all():
        worst = float(np.ravel(norm)[np.argmax(np.abs(np.ravel(norm) - 1.0))])
        raise QuantityError(
            found=f"squared norm {worst:.12g}", expected="a squared norm of 1", where="amplitudes"
        )
    factor = to_correlators(weights) * _factors(noise, bits)
    a, b = psi[..., 0], psi[..., 1]
    cross = 2.0 * np.conj(a) * b
    x, y, z = (
        cross.real * factor[..., 0],
        cross.imag * factor[..., 1],
        (abs(a) ** 2 - abs(b) ** 2) * factor[..., 2],
    )
    rows = [np.stack([1.0 + z, x - 1j * y], axis=-1), np.stack([x + 1j * y, 1.0 - z], axis=-1)]
    return np.asarray(np.stack(rows, axis=-2) / 2.0, dtype=np.complex128)


def teleported_fidelity(weights: ArrayLike, noise: OperationNoise) -> Floats:
    """Mean fidelity over all input states and all announced outcomes.

    Equation: ``(2F + 1)/3`` with F the fidelity of the resource after the noise of the Bell measurement
    (M., P. and R. Horodecki, PRA 60, 1888 (1999)).

    Args:
        weights: relative weights of the resource, shape ``(..., 4)``.
        noise: of the sender's Bell measurement.

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: not probability distributions.

    Examples:
        >>> round(float(teleported_fidelity([0.85, 0.05, 0.05, 0.05], OperationNoise())), 6)
        0.9
    """
    effective = (1.0 + (to_correlators(weights) * _factors(noise, None)).sum(axis=-1)) / 4.0
    return np.asarray((2.0 * effective + 1.0) / 3.0, dtype=np.float64)


def _factors(noise: OperationNoise, bits: tuple[int, int] | None) -> Floats:
    """Factors of the three correlators: of one announced outcome, or the mean over outcomes; shape (3,)."""
    table = swap_table(noise)
    if bits is None:
        return np.array([math.fsum(chance * factors[axis] for chance, factors in table) for axis in range(3)])
    chance, factors = table[(bits[0] << 1) | bits[1]]
    if chance == 0.0:
        raise QuantityError(
            found=f"bits {bits}", expected="bits that this readout can announce", where="bits"
        )
    return np.array(factors)
