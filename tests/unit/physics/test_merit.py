"""Figures of merit: textbook values, domains, batches, limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics import bell, merit
from quantum_fabric.physics.noise import NOISELESS, OperationNoise

BATCH = np.random.default_rng(4).dirichlet([1.0] * 4, size=(2, 3))


@pytest.mark.parametrize(("p", "h"), [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0), (0.11, 0.499915958164528)])
def test_binary_entropy_values(p, h):
    assert float(merit.binary_entropy(p)) == pytest.approx(h, abs=1e-12)


@settings(max_examples=200, deadline=None)
@given(st.floats(0.0, 1.0))
def test_binary_entropy_is_symmetric_and_bounded(p):
    h = float(merit.binary_entropy(p))
    assert 0.0 <= h <= 1.0 + 1e-15
    assert h == pytest.approx(float(merit.binary_entropy(1.0 - p)), abs=1e-12)


def test_binary_entropy_keeps_the_digits_of_tiny_probabilities():
    p = 1e-18
    assert float(merit.binary_entropy(p)) == pytest.approx(
        p * (math.log2(1 / p) + 1 / math.log(2)), rel=1e-12
    )


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_binary_entropy_domain(p):
    with pytest.raises(QuantityError, match="probability"):
        merit.binary_entropy(p)


def test_entropy_of_pure_and_mixed_pairs():
    assert merit.entropy([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4]).tolist() == [0.0, 1.0, 2.0]


def test_qber_of_each_bell_state():
    for label, expected in {0: (0, 0, 0), 1: (1, 1, 0), 2: (0, 1, 1), 3: (1, 0, 1)}.items():
        assert tuple(float(e) for e in merit.qber(np.eye(4)[label])) == expected


def test_qber_is_half_of_one_minus_the_correlator():
    for error, correlator in zip(merit.qber(BATCH), np.moveaxis(bell.to_correlators(BATCH), -1, 0)):
        assert error.shape == (2, 3)
        np.testing.assert_allclose(error, (1 - correlator) / 2, atol=1e-15)


def test_readout_of_error_rates():
    blind = OperationNoise(readout_error_0=0.5, readout_error_1=0.5)
    assert float(merit.with_readout(0.1, blind, NOISELESS)) == 0.5
    assert float(merit.with_readout(0.1, NOISELESS, NOISELESS)) == pytest.approx(0.1)
    flipped = OperationNoise(readout_error_0=1.0, readout_error_1=1.0)
    assert float(merit.with_readout(0.1, flipped, NOISELESS)) == pytest.approx(0.9)
    with pytest.raises(QuantityError, match="error"):
        merit.with_readout(1.5, NOISELESS, NOISELESS)


def test_chsh_of_pure_classical_and_werner_pairs():
    assert merit.chsh_max([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4]).tolist() == pytest.approx(
        [2 * math.sqrt(2), 2, 0]
    )
    werner = bell.werner(0.9)
    assert float(merit.chsh_max(werner)) == pytest.approx(2 * math.sqrt(2) * (4 * 0.9 - 1) / 3)
    assert float(merit.chsh_fixed(werner)) == pytest.approx(float(merit.chsh_max(werner)))


def test_fixed_settings_miss_what_the_best_settings_find():
    lopsided = [0.7, 0.0, 0.3, 0.0]  # x = 1, y = z = 0.4
    assert float(merit.chsh_fixed(lopsided)) < float(merit.chsh_max(lopsided))
    assert merit.chsh_max(BATCH).shape == merit.chsh_fixed(BATCH).shape == (2, 3)


def test_symmetrising_the_readout_shifts_chsh():
    nv = OperationNoise(readout_error_0=0.05, readout_error_1=0.005)
    mean = OperationNoise(readout_error_0=0.0275, readout_error_1=0.0275)
    shift = float(merit.chsh_fixed(bell.werner(1.0), nv, nv) - merit.chsh_fixed(bell.werner(1.0), mean, mean))
    assert shift == pytest.approx(2 * 0.045**2, abs=1e-12)


def test_symmetric_readout_multiplies_correlators():
    a = OperationNoise(readout_error_0=0.029, readout_error_1=0.029)
    b = OperationNoise(readout_error_0=0.037, readout_error_1=0.037)
    ratio = float(merit.chsh_fixed(bell.werner(0.92), a, b) / merit.chsh_fixed(bell.werner(0.92)))
    assert ratio == pytest.approx((2 * 0.971 - 1) * (2 * 0.963 - 1), abs=1e-12)


@pytest.mark.parametrize(("fidelity", "expected"), [(0.25, 0.5), (0.5, 2 / 3), (1.0, 1.0)])
def test_teleportation_fidelity(fidelity, expected):
    assert float(merit.teleportation_fidelity(fidelity)) == pytest.approx(expected)


def test_teleportation_fidelity_domain():
    with pytest.raises(QuantityError, match="fidelity"):
        merit.teleportation_fidelity(1.2)


def test_perfect_pairs_give_one_bit_in_every_protocol():
    assert float(merit.bb84_fraction(0.0, 0.0)) == 1.0
    assert float(merit.six_state_fraction(bell.werner(1.0))) == 1.0
    assert float(merit.di_fraction(merit.TSIRELSON, 0.0)) == pytest.approx(1.0)


def test_key_fractions_end_at_zero_and_take_batches():
    q = np.linspace(0, 0.5, 11)
    fraction = merit.bb84_fraction(q, q)
    assert fraction.shape == (11,)
    assert (np.diff(fraction) <= 0).all()
    assert fraction[-1] == 0.0
    assert merit.six_state_fraction(BATCH).shape == (2, 3)
    assert float(merit.six_state_fraction(bell.werner(0.25))) == 0.0
    np.testing.assert_array_equal(merit.di_fraction([2.0, 1.0, -2.8], 0.0), 0.0)


def test_inefficient_error_correction_costs_key():
    assert float(merit.bb84_fraction(0.03, 0.03, 1.16)) == pytest.approx(
        float(merit.bb84_fraction(0.03, 0.03)) - 0.16 * float(merit.binary_entropy(0.03))
    )
    werner = bell.werner(0.95)
    assert merit.six_state_fraction(werner, 1.16) < merit.six_state_fraction(werner)


def test_di_refuses_more_than_quantum_mechanics_allows():
    with pytest.raises(QuantityError, match="chsh"):
        merit.di_fraction(2.9, 0.0)
    with pytest.raises(QuantityError, match="probability"):
        merit.di_fraction(2.5, 1.1)


@pytest.mark.parametrize(("step", "sign"), [(-1e-6, 1.0), (1e-6, 0.0)])
def test_thresholds_are_where_the_key_ends(step, sign):
    t = merit.thresholds()
    q = t.bb84_qber + step
    assert np.sign(float(merit.bb84_fraction(q, q))) == sign
    assert np.sign(float(merit.six_state_fraction(bell.werner(t.six_state_fidelity - step)))) == sign
    q = t.di_qber + step
    assert np.sign(float(merit.di_fraction(merit.TSIRELSON * (1 - 2 * q), q))) == sign
    assert (float(merit.chsh_max(bell.werner(t.chsh_fidelity - step))) > 2.0) == bool(sign)


def test_thresholds_are_computed_once():
    assert merit.thresholds() is merit.thresholds()


def test_werner_fidelity_and_qber_of_a_threshold_belong_together():
    t = merit.thresholds()
    assert float(merit.qber(bell.werner(t.bb84_fidelity))[2]) == pytest.approx(t.bb84_qber, abs=1e-12)


def test_deterministic_delivery_is_smooth_at_one_and_rises():
    eta = np.array([0.0, 1e-3, 0.5, 1 - 1e-6, 1 - 1e-10, 1.0, 1 + 1e-10, 1 + 1e-6, 2.0, 100.0])
    f = merit.deterministic_fidelity(eta)
    assert (np.diff(f) >= -1e-12).all()
    np.testing.assert_allclose(f[3:8], (1 + 3 / math.e) / 4, atol=1e-6)
    assert f[0] == 0.25


def test_deterministic_delivery_domain():
    with pytest.raises(QuantityError, match="link_efficiency"):
        merit.deterministic_fidelity(-0.1)


def test_error_rates_of_weights_with_one_rounding_too_many_are_still_probabilities() -> None:
    weights = [0.0, 0.0, 0.7000000000000002, 0.3]
    assert sum(weights) > 1.0
    assert float(merit.qber(weights)[2]) == 1.0
    assert float(merit.bb84_fraction(merit.qber(weights)[2], 0.0)) == 1.0
