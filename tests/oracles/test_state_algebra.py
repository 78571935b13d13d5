"""The Bell-diagonal rooms against density matrices: explicit gates, Kraus operators and measurement branches, to 1e-10.

Inputs are random but seeded; noise is random too, with different readout errors for 0 and 1 and different ends. Scalar path
(`correlators`), array path (`bell`, `memory`, `purification`) and oracle (`density`, `circuits`) are three implementations.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.physics import bell, circuits, correlators, density, frames, memory, merit, purification
from quantum_fabric.physics.noise import NO_DECAY, NOISELESS, MemoryNoise, OperationNoise
from quantum_fabric.physics.teleport import teleported_density, teleported_fidelity

TIGHT = {"rtol": 0.0, "atol": 1e-10}
KINDS = ("dejmps", "bbpssw")
LABELS = range(4)
SEEDS = range(6)


def random_weights(rng):
    return rng.dirichlet([1.0] * 4)


def random_noise(rng):
    one, two = rng.uniform(0, 0.3, 2)
    e0, e1 = rng.uniform(0, 0.4, 2)
    return OperationNoise(one, two, e0, e1)


def random_memory(rng):
    t1 = float(rng.uniform(0.3, 5.0))
    return MemoryNoise(t1=t1, t2=float(rng.uniform(0.1, 2.0 * t1)))


def actual(weights, label):
    """Density matrix of a pair whose weights count from ``label``, made by the oracle alone."""
    return density.pair([weights[actual_label ^ label] for actual_label in LABELS])


# ------------------------------------------------------------------------------------------------------- frames


@pytest.mark.parametrize(("a", "b"), list(itertools.product(LABELS, LABELS)))
def test_swapping_perfect_pairs_gives_the_frame_for_every_outcome(a, b):
    for outcome in LABELS:
        probability, rho = circuits.swap(actual([1, 0, 0, 0], a), actual([1, 0, 0, 0], b), NOISELESS, outcome)
        assert probability == pytest.approx(0.25, abs=1e-12)
        assert density.fidelity(rho, frames.swap_frame(a, b, outcome)) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("keep", "sacrifice"), list(itertools.product(LABELS, LABELS)))
def test_purifying_perfect_pairs_gives_the_frame_and_the_parity(kind, keep, sacrifice):
    frame, flip = frames.purify_frame(kind, keep, sacrifice)
    total = 0.0
    for bits in itertools.product((0, 1), repeat=2):
        probability, rho = circuits.purify(
            kind, actual([1, 0, 0, 0], keep), actual([1, 0, 0, 0], sacrifice), NOISELESS, NOISELESS, bits
        )
        if bits[0] ^ bits[1] != flip:
            assert probability == pytest.approx(0.0, abs=1e-12)
            continue
        total += probability
        assert density.fidelity(rho, frame) == pytest.approx(1.0, abs=1e-12)
    assert total == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("label", LABELS)
def test_the_pauli_of_a_label_makes_that_bell_state(label):
    matrices = {"I": density.I, "X": density.X, "Y": density.Y, "Z": density.Z}
    for half in (0, 1):
        rho = density.apply(actual([1, 0, 0, 0], 0), matrices[frames.PAULI[label]], (half,))
        assert density.fidelity(rho, label) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("basis", ["X", "Y", "Z"])
@pytest.mark.parametrize("label", LABELS)
def test_expected_parity_is_the_sign_of_the_correlation(basis, label):
    operator = {"X": density.X, "Y": density.Y, "Z": density.Z}[basis]
    correlation = np.trace(actual([1, 0, 0, 0], label) @ np.kron(operator, operator)).real
    assert correlation == pytest.approx(1.0 - 2.0 * frames.expected_parity(basis, label), abs=1e-12)


# --------------------------------------------------------------------------------------------------------- swap


@pytest.mark.parametrize("seed", SEEDS)
def test_noisy_swap_for_every_announced_outcome(seed):
    rng = np.random.default_rng(seed)
    left, right, noise = random_weights(rng), random_weights(rng), random_noise(rng)
    a, b = rng.integers(4, size=2).tolist()
    table = correlators.swap_table(noise)
    incoming = correlators.product(
        correlators.from_weights(tuple(left)), correlators.from_weights(tuple(right))
    )
    for outcome in LABELS:
        probability, rho = circuits.swap(actual(left, a), actual(right, b), noise, outcome)
        chance, factors = table[outcome]
        assert chance == pytest.approx(probability, abs=1e-12)
        weights = correlators.to_weights(correlators.product(incoming, factors))
        np.testing.assert_allclose(actual(weights, a ^ b ^ outcome), rho, **TIGHT)
        chance, weights = bell.noisy_swap(left, right, noise, outcome)
        assert chance == pytest.approx(probability, abs=1e-12)
        np.testing.assert_allclose(bell.density_matrix(bell.relabel(weights, a ^ b ^ outcome)), rho, **TIGHT)


def test_swap_with_a_readout_that_never_says_one():
    blind = OperationNoise(readout_error_1=1.0)
    for outcome, (chance, factors) in enumerate(correlators.swap_table(blind)):
        probability, _ = circuits.swap(actual([1, 0, 0, 0], 0), actual([1, 0, 0, 0], 0), blind, outcome)
        assert chance == pytest.approx(probability, abs=1e-12)
        assert bell.noisy_swap(bell.werner(1.0), bell.werner(1.0), blind, outcome)[0] == chance
        assert factors == (0.0, 0.0, 0.0)  # the announcement carries no information, or never comes


# ------------------------------------------------------------------------------------------------- purification


def purified_by_the_oracle(kind, keep, sacrifice, labels, ends):
    """Success probability and state given success, averaged over the announced bits."""
    frame, flip = frames.purify_frame(kind, *labels)
    total, mixture = 0.0, np.zeros((4, 4), dtype=complex)
    for bit in (0, 1):
        probability, rho = circuits.purify(
            kind, actual(keep, labels[0]), actual(sacrifice, labels[1]), *ends, (bit, bit ^ flip)
        )
        total += probability
        mixture += probability * rho
    state = mixture / total
    return total, circuits.twirled(state, frame, *ends) if kind == "bbpssw" else state


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("labels", [(0, 0), (1, 0), (2, 3), (3, 2), (1, 2), (0, 2)])
def test_noisy_purification_with_two_different_ends_and_inputs(kind, labels):
    rng = np.random.default_rng(10 * labels[0] + labels[1])
    keep, sacrifice, ends = random_weights(rng), random_weights(rng), (random_noise(rng), random_noise(rng))
    frame, flip = frames.purify_frame(kind, *labels)
    probability, rho = purified_by_the_oracle(kind, keep, sacrifice, labels, ends)

    chance, c = correlators.purified(
        correlators.from_weights(tuple(keep)), correlators.from_weights(tuple(sacrifice)), kind, *ends, flip
    )
    assert chance == pytest.approx(probability, abs=1e-12)
    np.testing.assert_allclose(actual(correlators.to_weights(c), frame), rho, **TIGHT)

    chance, w = purification.purify(kind, keep, sacrifice, *ends, flip)
    assert float(chance) == pytest.approx(probability, abs=1e-12)
    np.testing.assert_allclose(bell.density_matrix(bell.relabel(w, frame)), rho, **TIGHT)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_frame_the_purified_state_is_the_mean_over_frames(kind):
    rng = np.random.default_rng(5)
    keep, sacrifice, ends = random_weights(rng), random_weights(rng), (random_noise(rng), random_noise(rng))
    branches = [purified_by_the_oracle(kind, keep, sacrifice, (label, 0), ends) for label in (0, 2)]
    mean = sum(p for p, _ in branches) / 2
    # Kept labels 0 and 2 expect parities 0 and 1 (in both protocols) and leave the pair in frames 0 and 2.
    weights = sum(
        p * density.bell_weights(rho)[[k ^ f for k in LABELS]] for (p, rho), f in zip(branches, (0, 2))
    )
    for chance, got in (
        purification.purify(kind, keep, sacrifice, *ends),
        (lambda p, c: (p, correlators.to_weights(c)))(
            *correlators.purified(
                correlators.from_weights(tuple(keep)), correlators.from_weights(tuple(sacrifice)), kind, *ends
            )
        ),
    ):
        assert float(chance) == pytest.approx(mean, abs=1e-12)
        np.testing.assert_allclose(got, weights / (2 * mean), **TIGHT)


@pytest.mark.parametrize("seed", SEEDS)
def test_published_maps_are_the_noiseless_circuits(seed):
    rng = np.random.default_rng(seed)
    keep, sacrifice = random_weights(rng), random_weights(rng)
    for kind, function in (("dejmps", purification.dejmps), ("bbpssw", purification.bbpssw)):
        probability, rho = purified_by_the_oracle(kind, keep, sacrifice, (0, 0), (NOISELESS, NOISELESS))
        chance, weights = function(keep, sacrifice)
        assert float(chance) == pytest.approx(probability, abs=1e-12)
        np.testing.assert_allclose(bell.density_matrix(weights), rho, **TIGHT)


@pytest.mark.parametrize("seed", SEEDS)
def test_extreme_photon_loss(seed):
    rng = np.random.default_rng(seed)
    f_a, f_b, v_a, v_b = rng.uniform(0, 1, 4)
    theta, drift = rng.uniform(0, 2 * math.pi, 2)
    probability, rho = circuits.epl(
        circuits.single_click_pair(f_a, v_a, theta + drift),
        circuits.single_click_pair(f_b, v_b, theta),
        NOISELESS,
        NOISELESS,
    )
    chance, weights = purification.epl(f_a, f_b, v_a, v_b, drift)
    assert float(chance) == pytest.approx(probability, abs=1e-12)
    np.testing.assert_allclose(bell.relabel(weights, 2), density.bell_weights(rho), **TIGHT)


# ------------------------------------------------------------------------------------------------------- memory


@pytest.mark.parametrize("seed", SEEDS)
def test_dephasing_is_exact_for_both_halves(seed):
    rng = np.random.default_rng(seed)
    weights, seconds = random_weights(rng), float(rng.uniform(0, 2))
    a, b = (MemoryNoise(math.inf, float(t2)) for t2 in rng.uniform(0.2, 3.0, 2))
    rho = density.damped(density.damped(density.pair(weights), 0, a, seconds), 1, b, seconds)
    np.testing.assert_allclose(bell.density_matrix(memory.idle(weights, a, b, seconds)), rho, **TIGHT)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_damped_half_has_the_twirled_weights(seed):
    rng = np.random.default_rng(seed)
    weights, noise, seconds = random_weights(rng), random_memory(rng), float(rng.uniform(0, 2))
    for half in (0, 1):
        exact = density.bell_weights(density.damped(density.pair(weights), half, noise, seconds))
        np.testing.assert_allclose(memory.idle(weights, noise, NO_DECAY, seconds), exact, **TIGHT)
    for label in LABELS:
        one = density.fidelity(density.damped(actual([1, 0, 0, 0], label), 0, noise, seconds), label)
        assert one == pytest.approx(float(memory.one_half_fidelity(noise, seconds)), abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_stated_error_of_the_twirl_for_two_damped_halves(seed):
    rng = np.random.default_rng(seed)
    a, b, seconds = random_memory(rng), random_memory(rng), float(rng.uniform(0, 2))
    twirled = float(memory.idle([1, 0, 0, 0], a, b, seconds)[0])
    gamma_a, gamma_b = (1.0 - math.exp(-seconds / noise.t1) for noise in (a, b))
    for label in LABELS:
        rho = density.damped(density.damped(actual([1, 0, 0, 0], label), 0, a, seconds), 1, b, seconds)
        error = density.fidelity(rho, label) - twirled
        assert error == pytest.approx((-1.0 if label >= 2 else 1.0) * gamma_a * gamma_b / 4.0, abs=1e-12)


# --------------------------------------------------------------------------------- measurement and teleportation


@pytest.mark.parametrize("basis", ["X", "Y", "Z"])
@pytest.mark.parametrize("label", LABELS)
def test_announced_bits_of_a_measured_pair(basis, label):
    rng = np.random.default_rng(label)
    weights, a, b = random_weights(rng), random_noise(rng), random_noise(rng)
    turn = {"X": density.HADAMARD, "Y": density.rotation_x(math.pi / 2), "Z": None}[basis]
    rho = actual(weights, label)
    if turn is not None:
        rho = density.noisy_gate(density.noisy_gate(rho, turn, (0,), a), turn, (1,), b)
    expected = [
        float(density.read(density.read(rho, 1, j, b), 0, i, a).real.trace()) for i in (0, 1) for j in (0, 1)
    ]
    got = correlators.measured(correlators.from_weights(tuple(weights)), label, basis, a, b)
    np.testing.assert_allclose(got, expected, **TIGHT)


@pytest.mark.parametrize("basis", ["X", "Y", "Z"])
@pytest.mark.parametrize("label", LABELS)
def test_error_rates_are_the_wrong_parities(basis, label):
    rng = np.random.default_rng(label + 4)
    weights = random_weights(rng)
    reader_a, reader_b = (OperationNoise(0, 0, *rng.uniform(0, 0.3, 2)) for _ in range(2))
    parity = frames.expected_parity(basis, label)
    bits = correlators.measured(correlators.from_weights(tuple(weights)), label, basis, reader_a, reader_b)
    wrong = (bits[1] + bits[2]) if parity == 0 else (bits[0] + bits[3])
    error = merit.qber(weights)["XYZ".index(basis)]
    assert float(merit.with_readout(error, reader_a, reader_b, parity)) == pytest.approx(wrong, abs=1e-12)
    both = [float(merit.with_readout(error, reader_a, reader_b, p)) for p in (0, 1)]
    assert float(merit.with_readout(error, reader_a, reader_b)) == pytest.approx(sum(both) / 2, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_teleportation_is_the_three_qubit_circuit(seed):
    rng = np.random.default_rng(seed)
    weights, noise, frame = random_weights(rng), random_noise(rng), int(rng.integers(4))
    psi = rng.normal(size=2) + 1j * rng.normal(size=2)
    psi /= np.linalg.norm(psi)
    mean = np.zeros((2, 2), dtype=complex)
    for outcome in LABELS:
        probability, rho = circuits.teleport(psi, actual(weights, frame), frame, noise, outcome)
        mean += probability * rho
        got = teleported_density(psi, weights, noise, (outcome >> 1, outcome & 1))
        np.testing.assert_allclose(got, rho, **TIGHT)
    np.testing.assert_allclose(teleported_density(psi, weights, noise), mean, **TIGHT)


def test_mean_teleportation_fidelity_is_the_mean_over_the_six_poles():
    rng = np.random.default_rng(3)
    weights, noise = random_weights(rng), random_noise(rng)
    poles = [[1, 0], [0, 1], *([math.sqrt(0.5), math.sqrt(0.5) * phase] for phase in (1, -1, 1j, -1j))]
    values = [np.vdot(psi, teleported_density(psi, weights, noise) @ np.asarray(psi)).real for psi in poles]
    assert float(teleported_fidelity(weights, noise)) == pytest.approx(float(np.mean(values)), abs=1e-12)
    assert float(teleported_fidelity(weights, NOISELESS)) == pytest.approx(
        float(merit.teleportation_fidelity(weights[0])), abs=1e-12
    )


# ------------------------------------------------------------------------------------------------------- merit


@pytest.mark.parametrize("seed", SEEDS)
def test_largest_chsh_value_is_horodeckis(seed):
    weights = random_weights(np.random.default_rng(seed))
    assert float(merit.chsh_max(weights)) == pytest.approx(density.chsh_max(density.pair(weights)), abs=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_fixed_chsh_settings_with_gates_and_readout(seed):
    rng = np.random.default_rng(seed)
    weights, a, b = random_weights(rng), random_noise(rng), random_noise(rng)

    def expectation(turn_a, turn_b):
        rho = density.pair(weights)
        if turn_a is not None:
            rho = density.noisy_gate(rho, turn_a, (0,), a)
        rho = density.noisy_gate(rho, turn_b, (1,), b)
        chances = {
            (i, j): float(density.read(density.read(rho, 1, j, b), 0, i, a).real.trace())
            for i in (0, 1)
            for j in (0, 1)
        }
        return sum(chance * (1 - 2 * (i ^ j)) for (i, j), chance in chances.items())

    def to_z(angle):  # a real rotation that takes cos(angle) Z + sin(angle) X to Z
        c, s = math.cos(angle / 2), math.sin(angle / 2)
        return np.array([[c, s], [-s, c]], dtype=complex)

    plus, minus = to_z(math.pi / 4), to_z(-math.pi / 4)
    h = density.HADAMARD
    s = expectation(None, plus) + expectation(None, minus) + expectation(h, plus) - expectation(h, minus)
    assert float(merit.chsh_fixed(weights, a, b)) == pytest.approx(s, abs=1e-10)


# ------------------------------------------------------------------------------------ properties over random weights

shares = st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4).filter(lambda w: sum(w) > 1e-3)
distributions = shares.map(lambda w: tuple(x / math.fsum(w) for x in w))
durations = st.floats(0.0, 5.0)
times = st.tuples(st.floats(0.05, 10.0), st.floats(0.01, 1.0)).map(
    lambda t: MemoryNoise(t[0], 2.0 * t[0] * t[1])
)
errors = st.floats(0.0, 0.5)
noises = st.builds(OperationNoise, errors, errors, errors, errors)


@settings(max_examples=200, deadline=None)
@given(distributions, times, times, durations, durations)
def test_waiting_is_a_semigroup(weights, a, b, first, second):
    once = memory.idle(weights, a, b, first + second)
    np.testing.assert_allclose(
        memory.idle(memory.idle(weights, a, b, first), a, b, second), once, rtol=0, atol=1e-12
    )
    rates = correlators.added_rates(correlators.decay_rates(a), correlators.decay_rates(b))
    start = correlators.from_weights(weights)
    twice = correlators.aged(correlators.aged(start, rates, first), rates, second)
    np.testing.assert_allclose(twice, correlators.aged(start, rates, first + second), rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        correlators.to_weights(twice), once, rtol=0, atol=1e-12
    )  # scalar against array


@settings(max_examples=200, deadline=None)
@given(distributions, distributions, noises, noises, st.sampled_from(KINDS), st.sampled_from([0, 1, None]))
def test_scalar_and_array_paths_agree(keep, sacrifice, a, b, kind, flip):
    c1, c2 = correlators.from_weights(keep), correlators.from_weights(sacrifice)
    np.testing.assert_allclose(c1, bell.to_correlators(keep), rtol=0, atol=1e-12)
    np.testing.assert_allclose(correlators.to_weights(c1), keep, rtol=0, atol=1e-12)
    np.testing.assert_allclose(bell.from_correlators(bell.to_correlators(keep)), keep, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        correlators.to_weights(correlators.product(c1, c2)), bell.swap(keep, sacrifice), rtol=0, atol=1e-12
    )
    chance, c = correlators.purified(c1, c2, kind, a, b, flip)
    p, w = purification.purify(kind, keep, sacrifice, a, b, flip)
    assert chance == pytest.approx(float(p), abs=1e-12)
    if chance > 1e-3:  # dividing by a tiny probability magnifies rounding
        np.testing.assert_allclose(correlators.to_weights(c), w, rtol=0, atol=1e-10)


@settings(max_examples=200, deadline=None)
@given(distributions, distributions, times, noises, durations)
def test_nothing_leaves_the_set_of_states_or_gains_entanglement_on_its_own(left, right, mem, noise, seconds):
    waited = memory.idle(left, mem, mem, seconds)
    swapped = bell.swap(left, right)
    outcomes = [bell.noisy_swap(left, right, noise, outcome) for outcome in LABELS]
    for w in (waited, swapped, *(weights for _, weights in outcomes)):
        assert w.sum() == pytest.approx(1.0, abs=1e-12)
        assert w.min() >= -1e-12
    assert math.fsum(p for p, _ in outcomes) == pytest.approx(1.0, abs=1e-12)
    # The concurrence of a Bell-diagonal state is 2 max(w) - 1: no local map may raise the largest weight.
    assert waited.max() <= max(left) + 1e-12
    assert swapped.max() <= min(max(left), max(right)) + 1e-12
    assert all(w.max() <= swapped.max() + 1e-12 for _, w in outcomes)
    assert float(merit.chsh_max(left)) <= merit.TSIRELSON + 1e-12
    assert abs(float(merit.chsh_fixed(left))) <= float(merit.chsh_max(left)) + 1e-12


@settings(max_examples=100, deadline=None)
@given(distributions, distributions, st.sampled_from(KINDS))
def test_purification_keeps_no_more_entanglement_than_it_was_given(keep, sacrifice, kind):
    """Entanglement of formation, an average over outcomes, cannot grow under local operations and communication."""

    def formation(weights):
        concurrence = max(0.0, 2.0 * float(np.max(weights)) - 1.0)
        return float(merit.binary_entropy((1.0 + math.sqrt(1.0 - min(1.0, concurrence) ** 2)) / 2.0))

    p, w = purification.purify(kind, keep, sacrifice, NOISELESS, NOISELESS)
    assert float(p) * formation(w) <= formation(keep) + formation(sacrifice) + 1e-9
