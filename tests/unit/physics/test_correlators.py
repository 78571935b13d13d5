"""The scalar event path on its own; its agreement with arrays and density matrices is in tests/oracles."""

from __future__ import annotations

import math

import pytest

from quantum_fabric.errors import UnknownNameError
from quantum_fabric.physics import correlators as c
from quantum_fabric.physics.noise import NO_DECAY, NOISELESS, MemoryNoise, OperationNoise

PURE = {0: (1.0, 1.0, 1.0), 1: (-1.0, -1.0, 1.0), 2: (1.0, -1.0, -1.0), 3: (-1.0, 1.0, -1.0)}


def weights_of(label):
    return tuple(1.0 if k == label else 0.0 for k in range(4))


@pytest.mark.parametrize("label", PURE)
def test_signs_of_the_four_bell_states(label):
    assert c.from_weights(weights_of(label)) == PURE[label]
    assert c.to_weights(PURE[label]) == weights_of(label)


def test_labels_compose_by_xor_as_correlators_multiply():
    for a in range(4):
        for b in range(4):
            assert c.product(PURE[a], PURE[b]) == PURE[a ^ b]


def test_fidelity_is_the_first_weight():
    for triple in (c.PERFECT, c.werner(0.7), (0.3, -0.2, 0.1), (0.0, 0.0, 0.0)):
        assert c.fidelity(triple) == pytest.approx(c.to_weights(triple)[0], abs=1e-15)


def test_werner_is_isotropic_and_has_its_fidelity():
    assert c.fidelity(c.werner(0.83)) == pytest.approx(0.83, abs=1e-15)
    assert len(set(c.werner(0.83))) == 1


def test_plain_floats_in_plain_tuples():
    noise = OperationNoise(0.01, 0.02, 0.03, 0.04)
    probability, out = c.purified(c.werner(0.9), c.werner(0.8), "dejmps", noise, noise)
    rows = c.swap_table(noise)
    numbers = [probability, *out, *c.aged(out, (1.0, 2.0, 3.0), 0.1), *(x for _, row in rows for x in row)]
    assert {type(number) for number in numbers} == {float}


def test_a_perfect_memory_keeps_everything():
    assert c.aged((0.5, 0.4, 0.3), c.decay_rates(NO_DECAY), 1e9) == (0.5, 0.4, 0.3)


def test_ageing_decays_each_correlator_at_its_own_rate():
    x, y, z = c.aged(c.PERFECT, (1.0, 2.0, 3.0), 0.5)
    assert (x, y, z) == (math.exp(-0.5), math.exp(-1.0), math.exp(-1.5))


def test_ageing_of_one_half_has_the_exact_fidelity():
    noise, t = MemoryNoise(t1=3.0, t2=1.5), 0.4
    expected = (1 + math.exp(-t / 3.0) + 2 * math.exp(-t / 1.5)) / 4
    assert c.fidelity(c.aged(c.PERFECT, c.decay_rates(noise), t)) == pytest.approx(expected, abs=1e-15)


def test_rates_of_two_halves_add():
    a, b = MemoryNoise(3.0, 1.5), MemoryNoise(10.0, 0.2)
    both = c.added_rates(c.decay_rates(a), c.decay_rates(b))
    one_by_one = c.aged(c.aged(c.PERFECT, c.decay_rates(a), 0.3), c.decay_rates(b), 0.3)
    assert c.aged(c.PERFECT, both, 0.3) == pytest.approx(one_by_one, abs=1e-15)


def test_no_time_is_no_change():
    assert c.aged((0.1, 0.2, 0.3), (5.0, 6.0, 7.0), 0.0) == (0.1, 0.2, 0.3)


def test_depolarising_pulls_towards_the_maximally_mixed_state():
    assert c.depolarised(c.PERFECT, 1.0) == (0.0, 0.0, 0.0)
    assert c.fidelity(c.depolarised(c.PERFECT, 0.2)) == pytest.approx(0.85, abs=1e-15)


def test_perfect_swap_announces_each_label_equally_and_adds_nothing():
    assert c.swap_table(NOISELESS) == tuple((0.25, (1.0, 1.0, 1.0)) for _ in range(4))


def test_swap_table_is_a_distribution_and_ignores_the_success_probability():
    noise = OperationNoise(0.05, 0.1, 0.2, 0.03, swap_success=0.5)
    table = c.swap_table(noise)
    assert math.fsum(chance for chance, _ in table) == pytest.approx(1.0, abs=1e-15)
    assert table == c.swap_table(OperationNoise(0.05, 0.1, 0.2, 0.03))


def test_one_qubit_noise_of_a_swap_spoils_the_phase_bit_only():
    _, (x, y, z) = c.swap_table(OperationNoise(depolarising_1=0.1))[0]
    assert (x, y, z) == pytest.approx((0.9, 0.9, 1.0), abs=1e-15)


def test_announced_zeros_and_ones_are_not_equally_trustworthy():
    table = c.swap_table(OperationNoise(readout_error_0=0.1))  # a read 0 is always right, a read 1 may be a 0
    assert table[0][1] == (1.0, 1.0, 1.0)
    assert table[0][0] < table[3][0]
    assert table[3][1][2] == pytest.approx((1.0 - 0.1) / (1.0 + 0.1), abs=1e-15)


def test_symmetric_readout_of_a_swap_is_briegels():
    eta = 0.98
    for _, (x, y, z) in c.swap_table(OperationNoise(readout_error_0=1 - eta, readout_error_1=1 - eta)):
        assert x + y + z == pytest.approx(4 * eta**2 - 1, abs=1e-14)


@pytest.mark.parametrize("kind", ["dejmps", "bbpssw"])
def test_perfect_pairs_purify_to_a_perfect_pair(kind):
    assert c.purified(c.PERFECT, c.PERFECT, kind, NOISELESS, NOISELESS) == (1.0, c.PERFECT)


@pytest.mark.parametrize("kind", ["dejmps", "bbpssw"])
def test_a_success_that_cannot_happen(kind):
    assert c.purified(c.PERFECT, PURE[2], kind, NOISELESS, NOISELESS) == (0.0, (0.0, 0.0, 0.0))


@pytest.mark.parametrize("kind", ["dejmps", "bbpssw"])
def test_purifying_noise_with_noise_succeeds_half_of_the_time_and_gives_noise(kind):
    chance, out = c.purified((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), kind, NOISELESS, NOISELESS)
    assert (chance, out) == (0.5, (0.0, 0.0, 0.0))


def test_the_ends_of_a_purification_may_be_exchanged():
    a, b = OperationNoise(0.01, 0.02, 0.1, 0.2), OperationNoise(0.03, 0.04, 0.3, 0.05)
    keep, sacrifice = (0.8, 0.7, 0.9), (0.6, 0.5, 0.7)
    for flip in (0, 1, None):
        forth = c.purified(keep, sacrifice, "dejmps", a, b, flip)
        back = c.purified(keep, sacrifice, "dejmps", b, a, flip)
        assert forth[0] == pytest.approx(back[0], abs=1e-15)
        assert forth[1] == pytest.approx(back[1], abs=1e-15)


def test_the_expected_parity_matters_only_where_both_readouts_lean():
    leaning, even = (
        OperationNoise(readout_error_0=0.2),
        OperationNoise(readout_error_0=0.1, readout_error_1=0.1),
    )
    pair = c.werner(0.8)
    one = [c.purified(pair, pair, "dejmps", leaning, even, flip)[0] for flip in (0, 1, None)]
    assert one == pytest.approx([one[0]] * 3, abs=1e-15)
    two = [c.purified(pair, pair, "dejmps", leaning, leaning, flip)[0] for flip in (0, 1, None)]
    assert two[0] > two[1]
    assert two[2] == pytest.approx((two[0] + two[1]) / 2, abs=1e-15)


def test_bbpssw_leaves_a_werner_pair():
    _, (x, y, z) = c.purified((0.8, 0.6, 0.9), (0.7, 0.5, 0.9), "bbpssw", NOISELESS, NOISELESS)
    assert x == y == z


def test_blind_readers_purify_nothing():
    blind = OperationNoise(readout_error_0=0.5, readout_error_1=0.5)
    chance, (x, _, z) = c.purified(c.werner(0.8), c.werner(0.8), "bbpssw", blind, NOISELESS)
    assert chance == pytest.approx(0.5, abs=1e-15)
    assert x == z < c.werner(0.8)[0]


@pytest.mark.parametrize("kind", ["DEJMPS", "", "epl"])
def test_unknown_protocols(kind):
    with pytest.raises(UnknownNameError, match="'dejmps' or 'bbpssw'"):
        c.purified(c.PERFECT, c.PERFECT, kind, NOISELESS, NOISELESS)


@pytest.mark.parametrize("basis", ["X", "Y", "Z"])
def test_measured_bits_are_a_distribution_with_even_marginals(basis):
    for label in range(4):
        bits = c.measured(c.werner(0.9), label, basis, NOISELESS, NOISELESS)
        assert math.fsum(bits) == pytest.approx(1.0, abs=1e-15)
        assert bits[0] + bits[1] == pytest.approx(0.5, abs=1e-15)
        assert bits[0] + bits[2] == pytest.approx(0.5, abs=1e-15)


def test_only_rotated_bases_cost_a_gate():
    noise = OperationNoise(depolarising_1=0.2)
    assert c.measured(c.PERFECT, 0, "Z", noise, noise) == (0.5, 0.0, 0.0, 0.5)
    assert c.measured(c.PERFECT, 0, "X", noise, noise)[1] > 0.0


def test_unknown_basis():
    with pytest.raises(UnknownNameError, match="'X', 'Y' or 'Z'"):
        c.measured(c.PERFECT, 0, "W", NOISELESS, NOISELESS)


def test_measured_flip_is_the_mean_readout_error():
    assert c.measured_flip(OperationNoise(readout_error_0=0.04, readout_error_1=0.02)) == pytest.approx(0.03)
