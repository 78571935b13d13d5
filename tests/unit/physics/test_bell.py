"""Bell-diagonal arrays: batches, shapes and the edges of the domain."""

from __future__ import annotations

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics import bell
from quantum_fabric.physics.noise import NOISELESS, OperationNoise

RNG = np.random.default_rng(7)
BATCH = RNG.dirichlet([1.0] * 4, size=(3, 5))


@pytest.mark.parametrize("shape", [(), (6,), (2, 3)])
def test_werner_shapes(shape):
    out = bell.werner(np.full(shape, 0.7))
    assert out.shape == (*shape, 4)
    np.testing.assert_allclose(out.sum(axis=-1), 1.0)


@pytest.mark.parametrize("fidelity", [-0.1, 1.1, float("nan")])
def test_werner_domain(fidelity):
    with pytest.raises(QuantityError, match="fidelity"):
        bell.werner(fidelity)


def test_correlators_of_a_batch_and_back():
    out = bell.to_correlators(BATCH)
    assert out.shape == (3, 5, 3)
    np.testing.assert_allclose(bell.from_correlators(out), BATCH, atol=1e-15)


def test_correlators_of_no_state():
    with pytest.raises(QuantityError, match="correlators"):
        bell.from_correlators([1.0, -1.0, 1.0])
    with pytest.raises(QuantityError, match=r"expected shape \(\.\.\., 3\)"):
        bell.from_correlators([1.0, 1.0, 1.0, 1.0])


def test_swap_of_a_batch_is_the_swap_of_each():
    other = RNG.dirichlet([1.0] * 4, size=5)
    out = bell.swap(BATCH, other)
    assert out.shape == (3, 5, 4)
    for index in np.ndindex(3, 5):
        np.testing.assert_allclose(out[index], bell.swap(BATCH[index], other[index[1]]), atol=1e-15)


def test_swap_commutes_and_associates():
    a, b, c = BATCH[0, :3]
    np.testing.assert_allclose(bell.swap(a, b), bell.swap(b, a), atol=1e-15)
    np.testing.assert_allclose(bell.swap(bell.swap(a, b), c), bell.swap(a, bell.swap(b, c)), atol=1e-15)


def test_swap_with_a_perfect_pair_changes_nothing_and_with_noise_everything():
    np.testing.assert_allclose(bell.swap(BATCH, bell.werner(1.0)), BATCH, atol=1e-15)
    np.testing.assert_allclose(bell.swap(BATCH, bell.werner(0.25)), 0.25, atol=1e-15)


def test_swap_makes_the_correlators_multiply():
    a, b = BATCH[0], BATCH[1]
    product = bell.to_correlators(a) * bell.to_correlators(b)
    np.testing.assert_allclose(bell.to_correlators(bell.swap(a, b)), product, atol=1e-15)


@pytest.mark.parametrize("outcome", range(4))
def test_noisy_swap_of_a_batch(outcome):
    noise = OperationNoise(0.02, 0.05, 0.1, 0.01)
    probability, out = bell.noisy_swap(BATCH, BATCH[::-1], noise, outcome)
    assert out.shape == (3, 5, 4)
    np.testing.assert_allclose(out.sum(axis=-1), 1.0)
    one, single = bell.noisy_swap(BATCH[0, 0], BATCH[2, 0], noise, outcome)
    assert one == probability
    np.testing.assert_allclose(out[0, 0], single, atol=1e-15)


def test_noiseless_swap_is_the_ideal_one():
    for outcome in range(4):
        probability, out = bell.noisy_swap(BATCH, BATCH, NOISELESS, outcome)
        assert probability == 0.25
        np.testing.assert_allclose(out, bell.swap(BATCH, BATCH), atol=1e-15)


def test_a_label_that_is_never_announced():
    probability, out = bell.noisy_swap(BATCH, BATCH, OperationNoise(readout_error_1=1.0), 3)
    assert probability == 0.0
    assert out.shape == BATCH.shape
    np.testing.assert_array_equal(out, 0.25)


def test_relabel_is_its_own_inverse():
    for label in range(4):
        np.testing.assert_array_equal(bell.relabel(bell.relabel(BATCH, label), label), BATCH)
        np.testing.assert_array_equal(bell.relabel(BATCH, label)[..., label], BATCH[..., 0])


def test_relabel_composes_by_xor():
    np.testing.assert_array_equal(bell.relabel(bell.relabel(BATCH, 1), 2), bell.relabel(BATCH, 3))


def test_density_matrices_of_a_batch_are_states():
    rho = bell.density_matrix(BATCH)
    assert rho.shape == (3, 5, 4, 4)
    np.testing.assert_allclose(np.trace(rho, axis1=-2, axis2=-1), 1.0, atol=1e-14)
    np.testing.assert_allclose(rho, np.conj(np.swapaxes(rho, -1, -2)), atol=1e-15)
    eigenvalues = np.linalg.eigvalsh(rho)
    np.testing.assert_allclose(eigenvalues, np.sort(BATCH, axis=-1), atol=1e-14)


def test_readout_matrix_rows_are_distributions():
    matrix = bell.readout_matrix(OperationNoise(readout_error_0=0.05, readout_error_1=0.005))
    np.testing.assert_allclose(matrix, [[0.95, 0.05], [0.005, 0.995]])
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0)
