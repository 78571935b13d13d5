"""Codes against enumeration, density matrices, exhaustive single faults, and whole Stim circuits with their raw measurements."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import stim

from quantum_fabric.physics.codes.blocks import _preparation, bell_errors, encoded_pairs
from quantum_fabric.physics.codes.catalogue import CODES, matrix
from quantum_fabric.physics.codes.decoding import (
    by_matching,
    by_weight,
    failures,
    logical_error,
    logical_flips,
)
from quantum_fabric.physics.codes.repeater import NO_WAIT, Line, end_errors, sample_line
from quantum_fabric.physics.multipartite import expectation
from quantum_fabric.physics.multiqubit import apply, gate, joined, measured, pure
from quantum_fabric.physics.noise import NOISELESS, OperationNoise

SIX = 6.0
NOISY = OperationNoise(depolarising_1=0.01, depolarising_2=0.02, readout_error_0=0.02, readout_error_1=0.01)
REAL = [name for name in CODES if name != "bare"]


def close(share: float, truth: float, shots: int) -> bool:
    return abs(share - truth) < SIX * math.sqrt(truth * (1.0 - truth) / shots) + 1e-12


# ------------------------------------------------------------------------------------------ the codes


@pytest.mark.parametrize("name", CODES)
def test_checks_and_logical_operators_commute_as_they_must(name: str) -> None:
    code = CODES[name]
    z, x = matrix(code.z_checks, code.n).astype(int), matrix(code.x_checks, code.n).astype(int)
    lx, lz = matrix((code.logical_x,), code.n).astype(int), matrix((code.logical_z,), code.n).astype(int)
    assert not ((z @ x.T) % 2).any()
    assert not ((z @ lx.T) % 2).any()
    assert not ((x @ lz.T) % 2).any()
    assert (lx @ lz.T) % 2 == 1


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("state", ["zero", "plus"])
def test_preparation_gives_the_logical_state(name: str, state: str) -> None:
    code = CODES[name]
    simulator = stim.TableauSimulator(seed=1)
    simulator.do(_preparation(code.zero if state == "zero" else code.plus, code.n, NOISELESS))
    words = [("Z", support) for support in code.z_checks] + [("X", support) for support in code.x_checks]
    words.append(("Z", code.logical_z) if state == "zero" else ("X", code.logical_x))
    for letter, support in words:
        word = stim.PauliString(max(code.n, simulator.num_qubits))
        for q in support:
            word[q] = letter
        assert simulator.peek_observable_expectation(word) == 1
    assert not any(simulator.current_measurement_record())


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("kind", ["x", "z"])
def test_what_a_code_promises_it_corrects(name: str, kind: str) -> None:
    code = CODES[name]
    counts = failures(code, kind)
    good = code.corrects[kind == "z"]
    assert not any(counts[: good + 1])
    assert counts[good + 1]  # and no more
    assert sum(counts) == 2 ** (code.n - 1)  # by symmetry under a logical flip


@pytest.mark.parametrize("name", [name for name in REAL if CODES[name].matchable])
@pytest.mark.parametrize("kind", ["x", "z"])
def test_matching_agrees_with_trying_all_errors(name: str, kind: str) -> None:
    code = CODES[name]
    if not (code.z_checks if kind == "x" else code.x_checks):
        pytest.skip("the code has no checks of this kind")
    one, two = by_matching(code, kind), by_weight(code, kind)
    assert (one.sum(axis=1) == two.sum(axis=1)).all()
    assert not logical_flips(code, kind, one ^ two).any()  # the same but for what does not matter


@pytest.mark.parametrize("name", ["steane", "bacon-shor", "repetition-3", "phase-repetition-3"])
@pytest.mark.parametrize("state", ["zero", "plus"])
def test_no_single_fault_of_a_preparation_makes_an_error_that_is_not_corrected(name: str, state: str) -> None:
    """Every Pauli after every gate, one at a time: what the check lets through, a perfect decoder puts right."""
    code = CODES[name]
    clean = _preparation(code.zero if state == "zero" else code.plus, code.n, NOISELESS)
    steps = [step for step in clean if not step.name.startswith("DEPOLARIZE")]
    tried = 0
    for place, step in enumerate(steps):
        if step.name not in ("H", "CX"):
            continue
        size = 1 if step.name == "H" else 2
        groups = [step.targets_copy()[k : k + size] for k in range(0, len(step.targets_copy()), size)]
        for group in groups:
            for letters in itertools.product("IXYZ", repeat=size):
                simulator = stim.FlipSimulator(
                    batch_size=1, disable_stabilizer_randomization=True, num_qubits=code.n + 1
                )
                for index, other in enumerate(steps):
                    simulator.do(other)
                    if index == place:
                        for letter, target in zip(letters, group, strict=True):
                            simulator.set_pauli_flip(letter, qubit_index=target.value, instance_index=0)
                if np.asarray(simulator.get_measurement_flips()).any():
                    continue
                xs, zs, *_ = simulator.to_numpy(output_xs=True, output_zs=True)
                tried += 1
                if state == "zero":  # phase flips of a logical |0> that look like a logical Z are none
                    wrong = logical_flips(code, "x", xs[: code.n, 0]) and code.corrects[0]
                else:
                    wrong = logical_flips(code, "z", zs[: code.n, 0]) and code.corrects[1]
                assert not wrong, (step, letters, group)
    assert tried or not steps


# ------------------------------------------------------------------------------------------ scaling


@pytest.mark.parametrize("name", REAL)
def test_errors_of_pairs_alone_agree_with_enumeration(name: str) -> None:
    """One segment, only bit flips (or only phase flips) of the pairs: the logical flip is that of one block, exactly."""
    code, p, shots = CODES[name], 0.06, 60_000
    for kind, label in (("x", 2), ("z", 1)):
        weights = [1 - p, 0.0, 0.0, 0.0]
        weights[label] = p
        line = Line((tuple(weights),), (NOISELESS,) * 2, (NO_WAIT,) * 2, (NO_WAIT, NO_WAIT))
        found = sample_line(code, line, shots, seed=3)
        assert close(found.weights[label], logical_error(code, kind, p), shots)
        assert found.weights[0] + found.weights[label] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(("name", "pairs_of_errors"), [("steane", 21), ("bacon-shor", 27)])
def test_distance_three_fails_with_the_square(name: str, pairs_of_errors: int) -> None:
    code = CODES[name]
    assert failures(code, "x")[2] == failures(code, "z")[2] == pairs_of_errors
    for p in (1e-2, 1e-3, 1e-4):
        assert logical_error(code, "x", p) == pytest.approx(pairs_of_errors * p**2, rel=12 * p)


@pytest.mark.parametrize("name", ["steane", "bacon-shor"])
def test_gates_and_readout_fail_with_the_square_as_well(name: str) -> None:
    """All noise scaled by 4 must raise the logical error by 16, not by 4: every part is fault tolerant."""

    def infidelity(scale: float, shots: int) -> float:
        p = 2e-4 * scale
        node = OperationNoise(p, p, p, p)
        line = Line(((1 - 3 * p, p, p, p),) * 3, (node,) * 4, (NO_WAIT,) * 4, (NO_WAIT, NO_WAIT))
        return 1.0 - sample_line(CODES[name], line, shots, seed=5).fidelity.value

    low, high = infidelity(2.0, 400_000), infidelity(8.0, 100_000)
    spread = 6.0 * (1.0 / math.sqrt(low * 400_000) + 1.0 / math.sqrt(high * 100_000))
    assert (
        abs(math.log(high / low) - math.log(16.0)) < spread + 0.35
    )  # cubic terms: up to 30 % at the higher noise
    assert math.log(high / low) > math.log(8.0)


# ------------------------------------------------------------------------------------------ a density matrix


def exact_segment(weights: tuple[float, ...], node: OperationNoise) -> np.ndarray:
    """The encoded pair of three-qubit repetition blocks as a density matrix of six qubits, pair by pair with all its noise."""
    rho = pure(np.eye(64)[0].astype(complex))  # a's block, then b's block
    for name, qubits in CODES["repetition-3"].plus:
        rho = gate(rho, name, qubits, node)
    from quantum_fabric.physics.density import pair

    for k in range(3):
        state = joined(rho, pair(weights))  # halves: 6 at a, 7 at b
        state = gate(state, "CX", (k, 6), node)
        branches = []
        for bit, (p, left) in enumerate(measured(state, 6, node)):  # the half at b is qubit 6 now
            fixed = apply(left, "X", (6,)) if bit else left
            turned = gate(fixed, "CX", (6, 3 + k), node)
            for phase, (q, last) in enumerate(measured(turned, 6, node, "X")):
                branches.append(p * q * (apply(last, "Z", (k,)) if phase else last))
        rho = np.sum(branches, axis=0)
    return rho


def exact_weights(rho: np.ndarray) -> list[float]:
    """Logical Bell weights after a perfect decoder at each end: all syndromes, corrected by the table, summed."""
    code = CODES["repetition-3"]
    table = by_weight(code, "x")
    total = np.zeros(4)
    for one, two in itertools.product(range(4), repeat=2):
        fixed = rho
        for block, syndrome in ((0, one), (3, two)):
            for q in np.flatnonzero(table[syndrome]):
                fixed = apply(fixed, "X", (block + int(q),))
        # after the right correction the checks are all +1; project on that, then read the logical stabilisers
        for word in ("ZZIIII", "IZZIII", "IIIZZI", "IIIIZZ"):
            fixed = (fixed + apply_word(fixed, word)) / 2.0
        xx, zz, yy = (word_value(fixed, w) for w in ("XXXXXX", "ZIIZII", "-YXXYXX"))
        norm = fixed.trace().real
        total += (
            np.array([norm + xx + zz + yy, norm - xx + zz - yy, norm + xx - zz - yy, norm - xx - zz + yy]) / 4
        )
    return list(total)


def apply_word(rho: np.ndarray, word: str) -> np.ndarray:
    """P rho, symmetrised: rho commutes with P up to what the projection removes, so use (P rho + rho P)/2 on a diagonal P."""
    n = len(word)
    sign = np.array(
        [(-1) ** sum((i >> (n - 1 - q)) & 1 for q in range(n) if word[q] == "Z") for i in range(2**n)]
    )
    return (sign[:, None] * rho + rho * sign[None, :] + sign[:, None] * rho * sign[None, :] - rho) / 2.0


def word_value(rho: np.ndarray, word: str) -> float:
    return -expectation(rho, word[1:]) if word[0] == "-" else expectation(rho, word)


def test_the_three_qubit_segment_agrees_with_its_density_matrix() -> None:
    weights, shots = (0.9, 0.04, 0.05, 0.01), 200_000
    exact = exact_weights(exact_segment(weights, NOISY))
    assert sum(exact) == pytest.approx(1.0, abs=1e-10)
    code, rng = CODES["repetition-3"], np.random.default_rng(11)
    pairs = bell_errors(np.array(weights), shots, 3, rng)
    parity, phase = end_errors(code, *encoded_pairs(code, pairs, NOISY, NOISY, NO_WAIT, 4))
    counts = np.bincount(2 * parity.astype(int) + phase, minlength=4) / shots
    for found, truth in zip(counts, exact, strict=True):
        assert close(found, truth, shots)


# ------------------------------------------------------------------------------------------ a whole circuit


def whole_circuit(name: str, weights: tuple[float, ...], node: OperationNoise) -> stim.Circuit:
    """Two segments, one station, and noiseless logical readout of X X and Z Z at the ends, as one circuit of real measurements."""
    code, n = CODES[name], CODES[name].n
    circuit = stim.Circuit()
    flip = (node.readout_error_0 + node.readout_error_1) / 2
    two, one = 0.9375 * node.depolarising_2, 0.75 * node.depolarising_1
    for s in range(2):
        a, b, h, g = (list(range(4 * n * s + k * n, 4 * n * s + (k + 1) * n)) for k in range(4))
        for block, steps in ((a, code.plus), (b, code.zero)):
            for gate_name, qubits in steps:
                circuit.append(gate_name, [block[q] for q in qubits])
                circuit.append(*(("DEPOLARIZE1", [block[q] for q in qubits], one) if gate_name == "H"
                                 else ("DEPOLARIZE2", [block[q] for q in qubits], two)))  # fmt: skip
        for k in range(n):
            circuit.append("H", [h[k]])
            circuit.append("CX", [h[k], g[k]])
            circuit.append("PAULI_CHANNEL_1", [g[k]], [weights[2], weights[3], weights[1]])
            circuit.append("CX", [a[k], h[k]])
            circuit.append("DEPOLARIZE2", [a[k], h[k]], two)
            circuit.append("M", [h[k]], flip)
            circuit.append("CX", [stim.target_rec(-1), g[k]])
            circuit.append("CX", [g[k], b[k]])
            circuit.append("DEPOLARIZE2", [g[k], b[k]], two)
            circuit.append("H", [g[k]])
            circuit.append("DEPOLARIZE1", [g[k]], one)
            circuit.append("M", [g[k]], flip)
            circuit.append("CZ", [stim.target_rec(-1), a[k]])
    left, right = list(range(n, 2 * n)), list(range(4 * n, 5 * n))  # b of segment 0, a of segment 1
    circuit.append("CX", [q for couple in zip(left, right, strict=True) for q in couple])
    circuit.append("DEPOLARIZE2", [q for couple in zip(left, right, strict=True) for q in couple], two)
    circuit.append("H", left)
    circuit.append("DEPOLARIZE1", left, one)
    circuit.append("M", [*left, *right], flip)
    return circuit


@pytest.mark.parametrize("name", ["repetition-3", "phase-repetition-3", "bacon-shor"])
@pytest.mark.parametrize("basis", ["X", "Z"])
def test_a_whole_circuit_with_raw_measurements_gives_the_same_correlations(name: str, basis: str) -> None:
    """Random outcomes, feed-forward and decoding of the raw bits: nothing here knows of frames."""
    code, n, shots = CODES[name], CODES[name].n, 40_000
    weights = (0.94, 0.02, 0.03, 0.01)
    circuit = whole_circuit(name, weights, NOISY)
    ends = [*range(n), *range(5 * n, 6 * n)]
    if basis == "X":
        circuit.append("H", ends)
    circuit.append("M", ends)
    bits = circuit.compile_sampler(seed=9).sample(shots)
    station_x, station_z = bits[:, -4 * n : -3 * n], bits[:, -3 * n : -2 * n]
    alice, bob = bits[:, -2 * n : -n], bits[:, -n:]
    kind = "x" if basis == "Z" else "z"
    swap = station_z if basis == "Z" else station_x
    wrong = (
        logical_flips(code, kind, alice) ^ logical_flips(code, kind, bob) ^ logical_flips(code, kind, swap)
    )
    line = Line((weights,) * 2, (NOISY,) * 3, (NO_WAIT,) * 3, (NO_WAIT, NO_WAIT))
    other = sample_line(code, line, shots, seed=21).weights
    truth = other[2] + other[3] if basis == "Z" else other[1] + other[3]
    assert abs(wrong.mean() - truth) < SIX * math.sqrt(2.0 * truth * (1 - truth) / shots)
