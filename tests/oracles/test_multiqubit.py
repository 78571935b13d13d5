"""Tensor contractions against full matrices, fused states against circuits, decay against closed forms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from quantum_fabric.physics import circuits, density
from quantum_fabric.physics.multipartite import (
    ThreeNodes,
    expectation,
    ghz_decay,
    ghz_from_pairs,
    ghz_stabilisers,
    graph_from_pairs,
    graph_stabilisers,
    three_node_ghz,
    three_node_swap,
    witness,
)
from quantum_fabric.physics.multiqubit import (
    MATRICES,
    apply,
    damped,
    depolarised,
    fidelity,
    gate,
    ghz_vector,
    graph_vector,
    kept,
    measured,
    pauli_channel,
    pure,
)
from quantum_fabric.physics.noise import NOISELESS, MemoryNoise, OperationNoise

NOISY = OperationNoise(depolarising_1=0.02, depolarising_2=0.05, readout_error_0=0.04, readout_error_1=0.01)
NAMES = "IXYZ"


def random_state(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(2**n, 2**n)) + 1j * rng.normal(size=(2**n, 2**n))
    rho = root @ root.conj().T
    return rho / rho.trace()


def word_matrix(word: str) -> np.ndarray:
    out = np.eye(1, dtype=complex)
    for letter in word:
        out = np.kron(out, MATRICES[letter])
    return out


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_gates_noise_and_readout_agree_with_full_matrices(n: int) -> None:
    rho = random_state(n, n)
    memory = MemoryNoise(1.3, 0.9)
    for q in range(n):
        assert np.allclose(apply(rho, "H", (q,)), density.apply(rho, density.HADAMARD, (q,)), atol=1e-14)
        assert np.allclose(depolarised(rho, (q,), 0.3), density.depolarised(rho, (q,), 0.3), atol=1e-14)
        assert np.allclose(damped(rho, q, memory, 0.4), density.damped(rho, q, memory, 0.4), atol=1e-14)
        w = (0.4, 0.3, 0.2, 0.1)
        kicked = sum(p * density.apply(rho, MATRICES[name], (q,)) for p, name in zip(w, "IZXY", strict=True))
        assert np.allclose(pauli_channel(rho, q, w), kicked, atol=1e-14)
        if n > 1:
            for bit, (p, state) in enumerate(measured(rho, q, NOISY)):
                assert np.allclose(p * state, density.read(rho, q, bit, NOISY), atol=1e-14)
    for a, b in itertools.permutations(range(n), 2):
        for name, full in (("CX", density.CNOT), ("CZ", np.diag([1, 1, 1, -1]).astype(complex))):
            found = gate(rho, name, (a, b), NOISY)
            assert np.allclose(found, density.noisy_gate(rho, full, (a, b), NOISY), atol=1e-14)


@pytest.mark.parametrize("keep", [(0,), (2, 0), (1, 2), (2, 1, 0)])
def test_partial_trace_agrees_with_sums_over_the_rest(keep: tuple[int, ...]) -> None:
    rho = random_state(3, 5)
    found = kept(rho, keep)
    for word in itertools.product(NAMES, repeat=len(keep)):
        whole = ["I"] * 3
        for letter, q in zip(word, keep, strict=True):
            whole[q] = letter
        expected = np.trace(rho @ word_matrix("".join(whole))).real
        assert expectation(found, "".join(word)) == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("basis", ["X", "Y", "Z"])
def test_a_measurement_projects_on_eigenstates(basis: str) -> None:
    rho = random_state(3, 8)
    for bit, (p, state) in enumerate(measured(rho, 1, NOISELESS, basis)):
        projector = (np.eye(8) + (-1) ** bit * word_matrix(f"I{basis}I")) / 2
        assert p == pytest.approx(np.trace(projector @ rho).real, abs=1e-13)
        left = projector @ rho @ projector / p
        for word in itertools.product(NAMES, repeat=2):
            expected = np.trace(left @ word_matrix(f"{word[0]}I{word[1]}")).real
            assert expectation(state, "".join(word)) == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_the_product_of_all_stabilisers_is_the_state(n: int) -> None:
    edges = [(k, k + 1) for k in range(n - 1)] + ([(0, n - 1)] if n > 2 else [])
    cases = ((ghz_vector(n), ghz_stabilisers(n)), (graph_vector(n, edges), graph_stabilisers(n, edges)))
    for vector, generators in cases:
        product = np.eye(2**n, dtype=complex)
        for word in generators:
            product = product @ (np.eye(2**n) + word_matrix(word)) / 2
        assert np.allclose(product, pure(vector), atol=1e-13)
        assert witness(pure(vector), generators) == pytest.approx(-1.0, abs=1e-12)


def test_the_witness_is_never_negative_on_biseparable_states() -> None:
    """Pure states that factor over some cut, at random: 2000 of them."""
    rng = np.random.default_rng(3)
    generators = ghz_stabilisers(3)
    lowest = 9.0
    for _ in range(2000):
        one, two = (rng.normal(size=d) + 1j * rng.normal(size=d) for d in (2, 4))
        vector = np.kron(one / np.linalg.norm(one), two / np.linalg.norm(two))
        order = rng.permutation(3)
        vector = vector.reshape(2, 2, 2).transpose(order).reshape(8)
        lowest = min(lowest, witness(pure(vector), generators))
    assert lowest > -1e-12
    assert lowest < 1.2  # the search came near to the border


@pytest.mark.parametrize("n", [2, 3, 5, 8])
@pytest.mark.parametrize(("t1", "t2"), [(math.inf, 1.0), (1.0, 2.0), (0.7, 0.5)])
def test_ghz_decay(n: int, t1: float, t2: float) -> None:
    memory = MemoryNoise(t1, t2)
    rho = pure(ghz_vector(n))
    for q in range(n):
        rho = damped(rho, q, memory, 0.3)
    assert fidelity(rho, ghz_vector(n)) == pytest.approx(ghz_decay(n, memory, 0.3), abs=1e-12)


@pytest.mark.parametrize("n", [2, 4, 7])
def test_ghz_under_depolarising_of_each_qubit(n: int) -> None:
    """Closed form: each qubit flips with p/2; populations 0..0 and 1..1 mix, the coherence keeps (1-p)^n."""
    p = 0.13
    rho = pure(ghz_vector(n))
    for q in range(n):
        rho = depolarised(rho, (q,), p)
    expected = ((1 - p / 2) ** n + (p / 2) ** n + (1 - p) ** n) / 2
    assert fidelity(rho, ghz_vector(n)) == pytest.approx(expected, abs=1e-12)


def test_fused_pairs_agree_with_the_circuit_on_full_matrices() -> None:
    pair = density.pair([0.85, 0.06, 0.05, 0.04])
    rho = density.joined(pair, pair)
    rho = density.noisy_gate(rho, density.CNOT, (1, 2), NOISY)
    zero, one = (density.read(rho, 2, bit, NOISY) for bit in (0, 1))
    expected = zero + density.apply(one, density.X, (2,))
    assert np.allclose(ghz_from_pairs([pair, pair], [NOISY]), expected, atol=1e-14)


@pytest.mark.parametrize(
    "edges",
    [
        [(0, 1), (1, 2)],
        [(0, 1), (1, 2), (2, 0)],
        [(1, 0), (1, 2), (1, 3)],
        [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)],
        [(0, 1), (2, 3), (1, 2)],
    ],
)
def test_graph_states_are_fused_from_pairs(edges: list[tuple[int, int]]) -> None:
    n = 1 + max(max(edge) for edge in edges)
    clean = graph_from_pairs(n, edges, [pure(ghz_vector(2))] * len(edges), [NOISELESS] * n)
    assert fidelity(clean, graph_vector(n, edges)) == pytest.approx(1.0, abs=1e-12)
    for label in range(4):  # a pair in another Bell state shows as an error that is orthogonal to the target
        weights = [0.0] * 4
        weights[label] = 1.0
        pairs = [density.pair(weights)] + [pure(ghz_vector(2))] * (len(edges) - 1)
        found = graph_from_pairs(n, edges, pairs, [NOISELESS] * n)
        assert fidelity(found, graph_vector(n, edges)) == pytest.approx(float(label == 0), abs=1e-12)


def test_three_nodes_swap_as_the_oracle_does() -> None:
    first, second = density.pair([0.82, 0.1, 0.05, 0.03]), density.pair([0.81, 0.07, 0.07, 0.05])
    noise = ThreeNodes(NOISY, 300.0, 1800.0, MemoryNoise(10.0, 0.2), 0.01, NOISY)
    aged = noise.first_pair(first)
    # by hand: storage gate, dephasing per attempt, Alice's wait
    hand = density.depolarised(first, (1,), NOISY.depolarising_2)
    flip = (1 - math.exp(-300 / 1800)) / 2
    hand = (1 - flip) * hand + flip * density.apply(hand, density.Z, (1,))
    hand = density.damped(hand, 0, MemoryNoise(10.0, 0.2), 0.01)
    assert np.allclose(aged, hand, atol=1e-14)
    for label, (p, rho) in enumerate(three_node_swap(first, second, noise)):
        chance, state = circuits.swap(aged, second, NOISY, label)
        assert p == pytest.approx(chance, abs=1e-13)
        fixed = density.apply(state, circuits.pauli(label).conj().T, (1,))
        assert np.allclose(rho, fixed, atol=1e-13)


def test_three_nodes_with_the_remembered_numbers_land_near_the_measurement() -> None:
    """Not a validation (inner numbers are recalled): the composition must give the order of 0.55 and 0.54, not 0.7."""
    first, second = density.pair([0.82, 0.08, 0.08, 0.02]), density.pair([0.81, 0.08, 0.08, 0.03])
    node = OperationNoise(
        depolarising_1=0.005, depolarising_2=0.04, readout_error_0=0.05, readout_error_1=0.005
    )
    noise = ThreeNodes(OperationNoise(depolarising_2=0.04), 225.0, 1800.0, middle=node)
    swap = sum(p * fidelity(rho, ghz_vector(2)) for p, rho in three_node_swap(first, second, noise))
    ghz = sum(p * fidelity(rho, ghz_vector(3)) for p, rho in three_node_ghz(first, second, noise))
    assert 0.5 < swap < 0.66
    assert 0.5 < ghz < 0.66
    best = max(fidelity(rho, ghz_vector(2)) for _, rho in three_node_swap(first, second, noise))
    assert best > swap
