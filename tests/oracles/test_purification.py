"""Purification in all its forms against circuits on density matrices.

Every test builds its circuit from `density` alone (or `circuits`, which does): gates, depolarising and readout as operators on up
to six qubits. Nothing here knows what a correlator is until the numbers are compared.
"""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest

from quantum_fabric.links.single_click import Emission, Window, herald_state
from quantum_fabric.physics import bell, circuits, correlators, density, frames, purification
from quantum_fabric.physics.epl import compared, dephased, epl, epl_density, single_click
from quantum_fabric.physics.noise import NOISELESS, OperationNoise
from quantum_fabric.physics.pumping import pumping, pumping_limit, recurrence
from quantum_fabric.physics.rotations import best_rotation
from quantum_fabric.physics.selection import double_selection, selection_frame

TIGHT = {"rtol": 0.0, "atol": 1e-10}
KINDS = ("dejmps", "bbpssw")
LABELS = range(4)
ROTATIONS = list(itertools.product(frames.AXES, repeat=2))


def random_noise(rng, worst=0.2):
    return OperationNoise(*rng.uniform(0.0, worst, 4))


def random_state(rng):
    """A density matrix of two qubits with nothing special about it."""
    root = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    rho = root @ root.conj().T
    return rho / np.trace(rho).real


def actual(weights, label):
    return density.pair([weights[k ^ label] for k in LABELS])


# ------------------------------------------------------------------------------------- the Clifford group of one qubit


def clifford_group():
    """The 24 one-qubit Clifford gates up to a phase, by multiplying H and S until nothing new appears."""
    phase_gate = np.diag([1.0, 1j])
    found = [np.eye(2, dtype=complex)]
    for gate in found:
        for step in (density.HADAMARD, phase_gate):
            new = step @ gate
            if not any(abs(abs(np.trace(new.conj().T @ old)) - 2.0) < 1e-9 for old in found):
                found.append(new)
    return found


GROUP = clifford_group()


def axes_of(gate):
    """Which of XX*, YY*, ZZ* each of them comes from under U ⊗ U*: "xzy" and the like."""
    paulis = dict(zip("xyz", (density.X, density.Y, density.Z)))
    return "".join(
        next(
            name
            for name, p in paulis.items()
            if np.allclose(abs(np.trace(p @ gate.conj().T @ q @ gate)), 2.0)
        )
        for q in paulis.values()
    )


GATE = {axes: next(gate for gate in GROUP if axes_of(gate) == axes) for axes in frames.AXES}
GATE["xyz"] = np.eye(2)


def turned(rho, qubits, axes, a, b):
    """U at one end, U* at the other, each with its noise; nothing at all where nothing is turned."""
    if axes == "xyz":
        return rho
    rho = density.noisy_gate(rho, GATE[axes], (qubits[0],), a)
    return density.noisy_gate(rho, GATE[axes].conj(), (qubits[1],), b)


def test_there_are_24_gates_and_six_ways_to_turn():
    assert len(GROUP) == 24
    assert sorted({axes_of(gate) for gate in GROUP}) == sorted(frames.AXES)
    assert axes_of(density.rotation_x(math.pi / 2)) == "xzy"  # DEJMPS


@pytest.mark.parametrize("axes", frames.AXES)
@pytest.mark.parametrize("label", LABELS)
def test_turning_a_perfect_pair_moves_its_label(axes, label):
    rho = turned(density.pair(np.eye(4)[label]), (0, 1), axes, NOISELESS, NOISELESS)
    assert density.fidelity(rho, frames.turned_label(label, axes)) == pytest.approx(1.0, abs=1e-12)


# --------------------------------------------------------------------------------------------- all rotations


def by_circuit(kind, pairs, labels, ends, rotation):
    a, b = ends
    frame, flip = frames.purify_frame(kind, *labels, rotation)
    rho = density.joined(*(actual(weights, label) for weights, label in zip(pairs, labels)))
    rho = turned(turned(rho, (0, 1), rotation[0], a, b), (2, 3), rotation[1], a, b)
    rho = density.noisy_gate(density.noisy_gate(rho, density.CNOT, (0, 2), a), density.CNOT, (1, 3), b)
    kept = sum(density.read(density.read(rho, 3, bit ^ flip, b), 2, bit, a) for bit in (0, 1))
    total = float(kept.real.trace())
    state = kept / total
    return total, frame, flip, circuits.twirled(state, frame, a, b) if kind == "bbpssw" else state


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rotation", ROTATIONS, ids="/".join)
def test_every_rotation_of_noisy_rounds(kind, rotation):
    rng = np.random.default_rng(ROTATIONS.index(rotation))
    ends = (random_noise(rng), random_noise(rng))
    pairs = rng.dirichlet([1.0] * 4, size=2)
    labels = tuple(int(label) for label in rng.integers(4, size=2))
    total, frame, flip, rho = by_circuit(kind, pairs, labels, ends, rotation)

    states = [correlators.from_weights(tuple(map(float, weights))) for weights in pairs]
    chance, c = correlators.purified(*states, kind, *ends, flip, rotation)
    assert chance == pytest.approx(total, abs=1e-12)
    np.testing.assert_allclose(actual(correlators.to_weights(c), frame), rho, **TIGHT)
    p, w = purification.purify(kind, *pairs, *ends, flip, rotation)
    assert float(p) == pytest.approx(total, abs=1e-12)
    np.testing.assert_allclose(bell.density_matrix(bell.relabel(w, frame)), rho, **TIGHT)


@pytest.mark.parametrize("kind", KINDS)
def test_the_protocols_are_two_of_the_rotations(kind):
    rng = np.random.default_rng(3)
    pairs, ends = rng.dirichlet([1.0] * 4, size=2), (random_noise(rng), random_noise(rng))
    own = purification.purify(kind, *pairs, *ends)
    stated = purification.purify(kind, *pairs, *ends, None, frames.ROTATIONS[kind])
    for left, right in zip(own, stated):
        np.testing.assert_array_equal(left, right)


def exhaustive(keep, sacrifice, a, b):
    """Best fidelity to any Bell state over all 24 x 24 Clifford gates and both parities, by density matrices."""

    def all_turned(weights):
        out = []
        for gate in GROUP:
            rho = density.apply(density.pair(weights), np.kron(gate, gate.conj()), (0, 1))
            if axes_of(gate) != "xyz":  # Paulis are frames: nobody applies them
                rho = density.depolarised(
                    density.depolarised(rho, (0,), a.depolarising_1), (1,), b.depolarising_1
                )
            out.append(rho)
        return out

    # what is done after the turning is linear: once as a matrix on the joint state, then 576 products
    basis = np.eye(256).reshape(256, 16, 16)
    rows = []
    for element in basis:
        rho = density.noisy_gate(element.astype(complex), density.CNOT, (0, 2), a)
        rho = density.noisy_gate(rho, density.CNOT, (1, 3), b)
        branches = [
            sum(density.read(density.read(rho, 3, bit ^ flip, b), 2, bit, a) for bit in (0, 1))
            for flip in (0, 1)
        ]
        rows.append(
            [[x.trace(), *(v.conj() @ x @ v for v in map(density.bell_vector, LABELS))] for x in branches]
        )
    after = np.array(rows)  # (256, flip, trace and four fidelities)
    best = 0.0
    for one, two in itertools.product(all_turned(keep), all_turned(sacrifice)):
        numbers = np.einsum("i,ifv->fv", density.joined(one, two).reshape(256), after).real
        best = max(best, float((numbers[:, 1:] / numbers[:, :1]).max()))
    return best


@pytest.mark.parametrize("seed", range(6))
def test_the_found_rotation_is_the_best_of_all_clifford_pairs(seed):
    """Six by six permutations are enough where both pairs are more likely than not in their announced state."""
    rng = np.random.default_rng(seed)
    keep, sacrifice = (
        np.concatenate([[good], (1.0 - good) * rng.dirichlet([0.5] * 3)])
        for good in rng.uniform(0.5, 0.95, 2)
    )
    noise = (NOISELESS, NOISELESS)
    if seed % 2:  # readout is lopsided at one end only: then the frame does not matter
        noise = (random_noise(rng, 0.05), OperationNoise(0.01, 0.02, 0.03, 0.03))
    states = [correlators.from_weights(tuple(map(float, weights))) for weights in (keep, sacrifice)]
    _, _, state = best_rotation(*states, "dejmps", *noise)
    assert correlators.fidelity(state) == pytest.approx(exhaustive(keep, sacrifice, *noise), abs=1e-10)


# ------------------------------------------------------------------------------------------- extreme photon loss


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bits", list(itertools.product((0, 1), repeat=2)))
def test_comparing_any_two_states_with_any_noise(seed, bits):
    rng = np.random.default_rng(seed)
    keep, sacrifice = random_state(rng), random_state(rng)
    a, b = random_noise(rng, 0.5), random_noise(rng, 0.5)
    probability, rho = circuits.purify("bbpssw", keep, sacrifice, a, b, bits)
    p, got = compared(keep, sacrifice, a, b, bits)
    assert float(p) == pytest.approx(probability, abs=1e-12)
    np.testing.assert_allclose(got, rho, **TIGHT)


def test_the_announcements_are_all_there_is():
    rng = np.random.default_rng(8)
    keep, sacrifice, a, b = random_state(rng), random_state(rng), random_noise(rng), random_noise(rng)
    chances = [
        float(compared(keep, sacrifice, a, b, bits)[0]) for bits in itertools.product((0, 1), repeat=2)
    ]
    assert sum(chances) == pytest.approx(1.0, abs=1e-12)


NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def with_phase(rho, phase):
    return density.apply(rho, np.diag([1.0, np.exp(1j * phase)]), (0,))


@pytest.mark.parametrize(("slow", "fast"), [(0.0, 0.0), (0.8, 0.0), (0.0, 0.5), (1.2, 0.3)])
def test_slow_and_fast_phases_by_quadrature(slow, fast):
    """The same phase on both pairs, and one of each: averaged over by a Gauss-Hermite rule around the whole noisy circuit."""
    rng = np.random.default_rng(2)
    keep, sacrifice, a, b = random_state(rng), random_state(rng), random_noise(rng), random_noise(rng)

    def own(rho):
        return sum(w * with_phase(rho, fast * x) for w, x in zip(WEIGHTS, NODES))

    k, s = own(keep), own(sacrifice)
    joint = 0.0
    for weight, node in zip(WEIGHTS, NODES):
        probability, rho = circuits.epl(with_phase(k, slow * node), with_phase(s, slow * node), a, b)
        joint = joint + weight * probability * rho
    p, got = epl_density(keep, sacrifice, a, b, slow=slow, fast=fast)
    assert float(p) == pytest.approx(float(joint.real.trace()), abs=1e-10)
    np.testing.assert_allclose(got * p, joint, **TIGHT)


def test_the_slow_part_cancels_and_the_fast_part_does_not():
    clean = single_click([0.0, 0.5, 0.5, 0.0])
    spreads = np.array([0.0, 0.3, 1.0, 3.0, math.inf])
    fidelities = {
        name: [density.fidelity(rho, 2) for rho in epl_density(clean, clean, **{name: spreads})[1]]
        for name in ("slow", "fast")
    }
    np.testing.assert_allclose(fidelities["slow"], 1.0, atol=1e-12)
    np.testing.assert_allclose(fidelities["fast"], (1 + np.exp(-(spreads**2))) / 2, atol=1e-12)
    alone = [density.fidelity(dephased(clean, spread), 2) for spread in spreads]
    np.testing.assert_allclose(alone, (1 + np.exp(-(spreads**2) / 2)) / 2, atol=1e-12)


def test_readout_errors_let_the_slow_part_back_in():
    clean, misread = (
        single_click([0.0, 0.5, 0.5, 0.0]),
        OperationNoise(readout_error_0=0.1, readout_error_1=0.1),
    )
    steady, drifting = (epl_density(clean, clean, misread, misread, slow=slow)[1] for slow in (0.0, 1.0))
    assert density.fidelity(drifting, 2) < density.fidelity(steady, 2) - 1e-4


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((0.9, 0.9, 0.9, 0.9), (0.405, 0.905)),
        ((0.9, 0.9), (0.405, 1.0)),
        ((1.0, 1.0, 1.0, 1.0, 0.3), (0.5, 0.977668244563)),
    ],
)
def test_published_numbers_of_extreme_photon_loss(arguments, expected):
    """f = 0.9, v = 0.9; f = 0.9; f = 1 with 0.3 rad between the pairs: closed form and density matrices (C)."""
    p, w = epl(*arguments)
    assert (float(p), float(w[0])) == pytest.approx(expected, abs=1e-12)
    f_a, f_b, v_a, v_b, phase = (*arguments, *(1.0, 1.0, 0.0)[len(arguments) - 2 :])
    keep = single_click([0.0, f_a / 2, f_a / 2, 1.0 - f_a], v_a, 0.7 + phase)
    sacrifice = single_click([0.0, f_b / 2, f_b / 2, 1.0 - f_b], v_b, 0.7)
    p, rho = epl_density(keep, sacrifice)
    assert (float(p), density.fidelity(rho, 2)) == pytest.approx(expected, abs=1e-12)


NV = Emission(
    alpha_a=0.2, alpha_b=0.13333333333333333, eta_a=2.8e-4, eta_b=4.2e-4, double_a=0.04, double_b=0.04
)
NV_WINDOW = Window(dark=5e-7, visibility=0.9, number_resolving=False)
NV_GATES = OperationNoise(0.001, 0.01, 0.05, 0.005)


def herald(emission):
    """What a click of the plus detector leaves, from the link's own model: |11>, a little |00>, imbalance and a phase."""
    joint = herald_state(emission, NV_WINDOW)
    rho = np.diag([joint.p_00, joint.p_01, joint.p_10, joint.p_11]).astype(complex)
    rho[1, 2], rho[2, 1] = joint.odd, np.conj(joint.odd)
    return rho / joint.probability


@pytest.mark.parametrize("phase", [0.0, 1.0, 2.5])
def test_extreme_photon_loss_of_states_that_a_link_heralds(phase):
    """The same optical phase in both pairs; noisy gates and lopsided readout; against the circuit."""
    rho = herald(dataclasses.replace(NV, phase=phase))
    probability, state = circuits.epl(rho, rho, NV_GATES, NV_GATES)
    p, got = epl_density(rho, rho, NV_GATES, NV_GATES)
    assert float(p) == pytest.approx(probability, abs=1e-12)
    np.testing.assert_allclose(got, state, **TIGHT)
    perfect = epl_density(rho, rho)[1]
    assert density.fidelity(perfect, 2) == pytest.approx(
        density.fidelity(epl_density(*[herald(NV)] * 2)[1], 2)
    )


def test_extreme_photon_loss_where_recurrence_is_helpless():
    """A phase that nobody knows, the same in both pairs: useless pairs for DEJMPS with any rotation, one good pair with EPL."""
    rho = herald(NV)
    lost = dephased(rho, math.inf)
    state = correlators.from_weights(tuple(float(density.bell_weights(lost)[k ^ 2]) for k in LABELS))
    assert correlators.fidelity(best_rotation(state, state, "dejmps", NOISELESS, NOISELESS)[2]) < 0.5
    assert density.fidelity(epl_density(rho, rho, slow=math.inf)[1], 2) > 0.85


def test_batches_of_extreme_photon_loss():
    populations = np.random.default_rng(4).dirichlet([1.0] * 4, size=(2, 3))
    keep, sacrifice = single_click(populations, 0.9, 0.2), single_click(populations[0], 0.8)
    noise = OperationNoise(0.0, 0.02, 0.01, 0.04)
    p, rho = epl_density(keep, sacrifice, noise, noise, slow=[0.1, 0.2, 0.3], fast=0.1)
    assert (p.shape, rho.shape) == ((2, 3), (2, 3, 4, 4))
    for i, j in np.ndindex(2, 3):
        one_p, one = epl_density(keep[i, j], sacrifice[j], noise, noise, slow=(j + 1) / 10, fast=0.1)
        assert float(one_p) == pytest.approx(p[i, j], abs=1e-14)
        np.testing.assert_allclose(one, rho[i, j], atol=1e-13)


# ------------------------------------------------------------------------------------------------ double selection


def selected_by_circuit(pairs, labels, ends):
    """Six qubits, 64 x 64: kept pair (0, 1), first (2, 3), second (4, 5)."""
    a, b = ends
    frame, flips = selection_frame(*labels)
    rho = density.joined(*(actual(weights, label) for weights, label in zip(pairs, labels)))
    for control, target in ((0, 2), (4, 2)):
        rho = density.noisy_gate(rho, density.CNOT, (control, target), a)
        rho = density.noisy_gate(rho, density.CNOT, (control + 1, target + 1), b)
    rho = density.noisy_gate(density.noisy_gate(rho, density.HADAMARD, (4,), a), density.HADAMARD, (5,), b)
    kept = 0.0
    for one, two in itertools.product((0, 1), repeat=2):
        branch = density.read(density.read(rho, 5, two ^ flips[1], b), 4, two, a)
        kept = kept + density.read(density.read(branch, 3, one ^ flips[0], b), 2, one, a)
    total = float(kept.real.trace())
    return total, frame, flips, kept / total


@pytest.mark.parametrize(
    ("labels", "noisy"), [((0, 0, 0), False), ((1, 2, 3), False), ((0, 0, 0), True), ((3, 1, 2), True)]
)
def test_double_selection_on_six_qubits(labels, noisy):
    rng = np.random.default_rng(sum(labels))
    pairs = rng.dirichlet([2.0] * 4, size=3)
    ends = (random_noise(rng), random_noise(rng)) if noisy else (NOISELESS, NOISELESS)
    total, frame, flips, rho = selected_by_circuit(pairs, labels, ends)
    p, w = double_selection(*pairs, *ends, flips)
    assert float(p) == pytest.approx(total, abs=1e-12)
    np.testing.assert_allclose(bell.density_matrix(bell.relabel(w, frame)), rho, **TIGHT)


def test_double_selection_lets_no_single_error_of_the_measured_pairs_pass():
    """With one pair in error at a time: single selection keeps the phase errors of the measured pair, double selection none."""
    good, rng = np.array([1.0, 0.0, 0.0, 0.0]), np.eye(4)
    for label in (1, 2, 3):
        for place in (1, 2):
            pairs = [good, good, good]
            pairs[place] = rng[label]
            p, w = double_selection(*pairs, NOISELESS, NOISELESS)
            assert float(p) == 0.0 or w[0] == 1.0
    p, w = purification.purify("bbpssw", good, rng[1], NOISELESS, NOISELESS)
    assert (float(p), w[0] < 1.0) == (1.0, True)


def test_double_selection_beats_single_selection_at_high_fidelity():
    """To first order in ε = 1 - F: two equal rounds of error (1/3 each) pass single selection, one passes double selection."""
    small = 1e-4
    werner = bell.werner(1.0 - small)
    single = purification.purify("dejmps", werner, werner, NOISELESS, NOISELESS)[1][0]
    double = double_selection(werner, werner, werner, NOISELESS, NOISELESS)[1][0]
    assert (1.0 - single) / small == pytest.approx(2 / 3, abs=1e-3)
    assert (1.0 - double) / small == pytest.approx(1 / 3, abs=1e-3)


# ------------------------------------------------------------------------------------------------------- series


def test_published_recurrence_tables():
    """Fidelity and success of rounds 1, 2, 3 from Werner pairs (C: 9 digits, verified on density matrices)."""
    expected = [[0.838150289, 0.768888889], [0.943639219, 0.744595543], [0.987973563, 0.901313118]]
    made = recurrence(bell.werner(0.8), 3, NOISELESS, NOISELESS, find=False)
    np.testing.assert_allclose(np.stack([made.fidelity[1:], made.success], axis=-1), expected, atol=5e-10)
    twirled = recurrence(bell.werner(0.7), 3, NOISELESS, NOISELESS, kind="bbpssw", find=False)
    expected = [[0.735294118, 0.68], [0.773170732, 0.709342561], [0.811937766, 0.743295657]]
    np.testing.assert_allclose(
        np.stack([twirled.fidelity[1:], twirled.success], axis=-1), expected, atol=5e-10
    )


@pytest.mark.parametrize("seed", range(3))
def test_pumping_step_by_step_on_density_matrices(seed):
    rng = np.random.default_rng(seed)
    fresh = np.concatenate([[0.8], 0.2 * rng.dirichlet([1.0] * 3)])
    ends = (OperationNoise(0.001, 0.01, 0.01, 0.01), OperationNoise(0.002, 0.02, 0.005, 0.005))
    made = pumping(fresh, 4, *ends)
    kept = fresh
    for step in range(4):
        (rotation,) = made.rotations[step]
        total, frame, _, rho = by_circuit("dejmps", (kept, fresh), (0, 0), ends, rotation)
        kept = density.bell_weights(rho)
        assert frame == 0
        assert made.success[step] == pytest.approx(total, abs=1e-10)
        np.testing.assert_allclose(made.weights[step + 1], kept, **TIGHT)


def test_pumping_stops_where_a_step_changes_nothing():
    noise = OperationNoise(0.0, 0.01, 0.01, 0.02)
    for kind in KINDS:
        end = pumping_limit(bell.werner(0.85), noise, noise, kind)
        once = purification.purify(kind, end, bell.werner(0.85), noise, noise)[1]
        twice = purification.purify(kind, once, bell.werner(0.85), noise, noise)[1]
        np.testing.assert_allclose(twice, end, atol=1e-10)
        assert 0.85 < end[0] < 1.0


def test_what_pairs_cost_by_rolling_dice():
    """Mean cost of a kept pair over 20,000 seeded trials, 5 standard errors (chance of a false alarm 6e-7)."""
    rng = np.random.default_rng(12)
    pumped = pumping(bell.werner(0.8), 2, NOISELESS, NOISELESS)
    doubled = recurrence(bell.werner(0.8), 2, NOISELESS, NOISELESS)

    def pump():
        spent = 1
        for chance in pumped.success:
            spent += 1
            if rng.random() >= chance:
                return spent + pump()
        return spent

    def double(level):
        if level == 0:
            return 1
        spent = double(level - 1) + double(level - 1)
        return spent if rng.random() < doubled.success[level - 1] else spent + double(level)

    for trial, expected in ((pump, pumped.pairs[-1]), (lambda: double(2), doubled.pairs[-1])):
        costs = np.array([trial() for _ in range(20_000)])
        assert abs(costs.mean() - expected) < 5 * costs.std() / math.sqrt(len(costs))
