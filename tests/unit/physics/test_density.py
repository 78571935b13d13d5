"""The oracle checked on its own: against textbook facts and numpy, never against the rooms it judges."""

from __future__ import annotations

import ast
import functools
import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics import density
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise

RNG = np.random.default_rng(21)
OWN = {"errors", "physics.checks", "physics.density", "physics.noise"}


def random_state(qubits):
    size = 2**qubits
    m = RNG.normal(size=(size, size)) + 1j * RNG.normal(size=(size, size))
    rho = m @ m.conj().T
    return rho / np.trace(rho)


@pytest.mark.parametrize("module", ["density", "circuits"])
def test_the_oracle_imports_no_bell_diagonal_room(module):
    tree = ast.parse(Path(density.__file__).with_name(f"{module}.py").read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    ours = {name.removeprefix("quantum_fabric.") for name in modules if name.startswith("quantum_fabric")}
    assert ours <= OWN


def test_bell_vectors_are_an_orthonormal_basis():
    basis = np.array([density.bell_vector(label) for label in range(4)])
    np.testing.assert_allclose(basis @ basis.conj().T, np.eye(4), atol=1e-15)


def test_pair_has_its_weights_as_fidelities():
    weights = RNG.dirichlet([1.0] * 4)
    np.testing.assert_allclose(density.bell_weights(density.pair(weights)), weights, atol=1e-15)
    with pytest.raises(QuantityError):
        density.pair([1.0, 0.0])


@pytest.mark.parametrize("qubits", [1, 2, 3])
def test_embedding_one_qubit_gates_is_a_kronecker_product(qubits):
    for target in range(qubits):
        factors = [density.Y if place == target else density.I for place in range(qubits)]
        np.testing.assert_array_equal(
            density.embed(density.Y, (target,), qubits), functools.reduce(np.kron, factors)
        )


def test_embedding_two_qubit_gates_in_any_order():
    for control, target in itertools.permutations(range(3), 2):
        full = density.embed(density.CNOT, (control, target), 3)
        for column in range(8):
            bits = [(column >> (2 - place)) & 1 for place in range(3)]
            bits[target] ^= bits[control]
            row = bits[0] * 4 + bits[1] * 2 + bits[2]
            assert full[row, column] == 1.0
            assert abs(full[:, column]).sum() == 1.0


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi / 2, math.pi, 5.0])
def test_rotations_are_unitary_and_add(angle):
    rotation = density.rotation_x(angle)
    np.testing.assert_allclose(rotation @ rotation.conj().T, np.eye(2), atol=1e-15)
    np.testing.assert_allclose(
        rotation @ density.rotation_x(1.0), density.rotation_x(angle + 1.0), atol=1e-15
    )


@pytest.mark.parametrize("targets", [(0,), (2,), (0, 1), (2, 0)])
def test_depolarising_completely_is_tracing_out_and_replacing(targets):
    rho = random_state(3)
    out = density.depolarised(rho, targets, 1.0)
    rest = rho
    for target in sorted(targets, reverse=True):
        rest = density.traced(rest, target)
    left = out
    for target in sorted(targets, reverse=True):
        left = density.traced(left, target)
    np.testing.assert_allclose(left, rest, atol=1e-14)
    for pauli, target in itertools.product((density.X, density.Z), targets):
        np.testing.assert_allclose(density.apply(out, pauli, (target,)), out, atol=1e-14)
    np.testing.assert_allclose(density.depolarised(rho, targets, 0.0), rho, atol=1e-15)


def test_noisy_gates_use_the_probability_of_their_size():
    noise = OperationNoise(depolarising_1=0.1, depolarising_2=0.3)
    rho = random_state(2)
    one = density.noisy_gate(rho, density.X, (1,), noise)
    np.testing.assert_allclose(
        one, density.depolarised(density.apply(rho, density.X, (1,)), (1,), 0.1), atol=1e-15
    )
    two = density.noisy_gate(rho, density.CNOT, (0, 1), noise)
    np.testing.assert_allclose(
        two, density.depolarised(density.apply(rho, density.CNOT, (0, 1)), (0, 1), 0.3), atol=1e-15
    )


@pytest.mark.parametrize(("t1", "t2"), [(1.0, 2.0), (1.0, 0.5), (math.inf, 1.0), (2.0, 1.0)])
def test_damping_moves_population_by_t1_and_coherence_by_t2(t1, t2):
    rho, t = random_state(1), 0.7
    out = density.damped(rho, 0, MemoryNoise(t1, t2), t)
    assert out[1, 1] == pytest.approx(rho[1, 1] * math.exp(-t / t1), abs=1e-15)
    assert out[0, 1] == pytest.approx(rho[0, 1] * math.exp(-t / t2), abs=1e-15)
    assert np.trace(out).real == pytest.approx(1.0, abs=1e-15)
    assert np.linalg.eigvalsh(out).min() >= -1e-15


def test_damping_is_a_semigroup_and_leaves_other_qubits_alone():
    rho, noise = random_state(2), MemoryNoise(1.0, 1.3)
    once = density.damped(rho, 1, noise, 0.9)
    np.testing.assert_allclose(
        density.damped(density.damped(rho, 1, noise, 0.4), 1, noise, 0.5), once, atol=1e-14
    )
    np.testing.assert_allclose(density.traced(once, 1), density.traced(rho, 1), atol=1e-14)


def test_tracing_a_product_gives_the_factors():
    a, b, c = random_state(1), random_state(2), random_state(1)
    rho = density.joined(a, b, c)
    np.testing.assert_allclose(density.traced(rho, 0), density.joined(b, c), atol=1e-14)
    np.testing.assert_allclose(density.traced(rho, 3), density.joined(a, b), atol=1e-14)
    assert density.qubits_of(rho) == 4


def test_readings_sum_to_the_state_without_the_qubit():
    rho, noise = random_state(2), OperationNoise(readout_error_0=0.2, readout_error_1=0.05)
    branches = [density.read(rho, 0, bit, noise) for bit in (0, 1)]
    np.testing.assert_allclose(branches[0] + branches[1], density.traced(rho, 0), atol=1e-15)
    zero = density.traced(rho, 1)[0, 0].real
    assert np.trace(branches[0]).real == pytest.approx(0.8 * zero + 0.05 * (1 - zero), abs=1e-15)


def test_correlations_of_a_product_state_factorise():
    bloch = density.correlation_matrix(density.joined(density.projector([1, 0]), density.projector([1, 0])))
    np.testing.assert_allclose(bloch, np.diag([0.0, 0.0, 1.0]), atol=1e-15)
    assert density.chsh_max(density.joined(random_state(1), random_state(1))) <= 2.0 + 1e-12


def test_no_random_state_beats_tsirelson():
    assert all(density.chsh_max(random_state(2)) <= 2 * math.sqrt(2) + 1e-12 for _ in range(20))
