"""Teleportation: batches, edges, and what makes it ideal; the circuit itself is checked in tests/oracles."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics import bell
from quantum_fabric.physics.noise import NOISELESS, OperationNoise
from quantum_fabric.physics.teleport import teleported_density, teleported_fidelity

RNG = np.random.default_rng(2)
PSI = RNG.normal(size=(5, 2)) + 1j * RNG.normal(size=(5, 2))
PSI /= np.linalg.norm(PSI, axis=-1, keepdims=True)
NOISY = OperationNoise(0.02, 0.05, 0.1, 0.01)
BITS = [None, (0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.mark.parametrize("bits", BITS)
def test_a_perfect_pair_and_perfect_operations_move_the_qubit(bits):
    out = teleported_density(PSI, bell.werner(1.0), NOISELESS, bits)
    np.testing.assert_allclose(out, PSI[:, :, None] * PSI[:, None, :].conj(), atol=1e-15)


@pytest.mark.parametrize("bits", BITS)
def test_outputs_are_states(bits):
    out = teleported_density(PSI, RNG.dirichlet([1.0] * 4, size=5), NOISY, bits)
    assert out.shape == (5, 2, 2)
    np.testing.assert_allclose(np.trace(out, axis1=-2, axis2=-1), 1.0, atol=1e-15)
    np.testing.assert_allclose(out, np.conj(np.swapaxes(out, -1, -2)), atol=1e-15)
    assert np.linalg.eigvalsh(out).min() >= -1e-15


@pytest.mark.parametrize(
    ("label", "pauli"), [(1, [[1, 0], [0, -1]]), (2, [[0, 1], [1, 0]]), (3, [[0, -1j], [1j, 0]])]
)
def test_a_wrong_frame_is_a_pauli_error(label, pauli):
    expected = np.asarray(pauli) @ PSI[0]
    out = teleported_density(PSI[0], bell.relabel(bell.werner(1.0), label), NOISELESS)
    np.testing.assert_allclose(out, np.outer(expected, expected.conj()), atol=1e-15)


def test_batches_broadcast_over_pairs_and_inputs():
    weights = RNG.dirichlet([1.0] * 4, size=(3, 1))
    out = teleported_density(PSI, weights, NOISY)
    assert out.shape == (3, 5, 2, 2)
    np.testing.assert_allclose(out[2, 4], teleported_density(PSI[4], weights[2, 0], NOISY), atol=1e-15)


def test_noise_instead_of_a_pair_gives_noise():
    np.testing.assert_allclose(
        teleported_density(PSI[0], bell.werner(0.25), NOISELESS), np.eye(2) / 2, atol=1e-15
    )


def test_the_mean_over_announcements_is_weighted_by_their_probability():
    noise = OperationNoise(readout_error_1=1.0)  # only 00 is ever announced
    np.testing.assert_allclose(
        teleported_density(PSI[0], bell.werner(0.9), noise),
        teleported_density(PSI[0], bell.werner(0.9), noise, (0, 0)),
        atol=1e-15,
    )


def test_bits_that_cannot_be_announced():
    with pytest.raises(QuantityError, match="bits"):
        teleported_density(PSI[0], bell.werner(0.9), OperationNoise(readout_error_1=1.0), (1, 1))


@pytest.mark.parametrize("amplitudes", [[1.0, 1.0], [0.0, 0.0], [[1.0, 0.0], [0.9, 0.0]], [math.nan, 0.0]])
def test_amplitudes_that_are_not_normalised(amplitudes):
    with pytest.raises(QuantityError, match="squared norm"):
        teleported_density(amplitudes, bell.werner(1.0), NOISELESS)


def test_amplitudes_of_the_wrong_shape():
    with pytest.raises(QuantityError, match=r"amplitudes: found shape \(3,\), expected shape \(\.\.\., 2\)"):
        teleported_density([1.0, 0.0, 0.0], bell.werner(1.0), NOISELESS)


@pytest.mark.parametrize("fidelity", [0.25, 0.5, 0.9, 1.0])
def test_fidelity_of_a_werner_pair(fidelity):
    assert float(teleported_fidelity(bell.werner(fidelity), NOISELESS)) == pytest.approx(
        (2 * fidelity + 1) / 3
    )


def test_noise_lowers_the_mean_fidelity():
    assert teleported_fidelity(bell.werner(0.95), NOISY) < teleported_fidelity(bell.werner(0.95), NOISELESS)
