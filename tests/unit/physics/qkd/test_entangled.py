"""Keys from pairs: published rates, finite blocks, coincidences, device independence, Gaussian modulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.bounds import plob
from quantum_fabric.physics.merit import TSIRELSON, bb84_fraction, binary_entropy, di_fraction
from quantum_fabric.physics.optimum import golden, reach
from quantum_fabric.physics.qkd.continuous_variable import (
    Homodyne,
    best_modulation,
    gaussian_information,
    gaussian_rate,
)
from quantum_fabric.physics.qkd.device_independent import accumulated_key, certified_entropy, winning_chance
from quantum_fabric.physics.qkd.entanglement import (
    PairReceivers,
    coincidence_error,
    pair_block_key,
    pair_fractions,
    source_gain,
    source_rate,
)
from quantum_fabric.physics.qkd.ledger import Security

SECURITY = Security(1e-10, 1e-15)
MFL = PairReceivers(background=6.02e-6, misalignment=0.015, inefficiency=1.22)
LAB = Homodyne(efficiency=0.6, electronic=0.01, excess=0.01, reconciliation=0.95)


def best_source(loss):
    eta = 0.145 * 10 ** (-loss / 20)
    mu = golden(lambda m: float(source_rate(MFL, eta, eta, m)), 1e-3, 0.4, 1e-6)
    return float(source_rate(MFL, eta, eta, mu))


@pytest.mark.parametrize(
    ("loss", "expected"), [(0, 4.114e-4), (20, 3.621e-6), (40, 3.288e-8), (60, 5.606e-11)]
)
def test_a_down_conversion_source_in_the_middle(loss, expected):
    assert best_source(loss) == pytest.approx(expected, rel=1e-3)


def test_reach_of_the_source():
    assert reach(best_source, 80.0, tolerance=1e-2) == pytest.approx(61.6, abs=0.1)


def test_a_weak_source_without_noise_is_a_single_pair():
    clean = PairReceivers(0.0, 0.0, 1.0, 1.0)
    gain, wrong = source_gain(clean, 1e-6, 1e-6, 1e-9)
    assert float(gain) == pytest.approx(1e-21, rel=1e-5, abs=0.0)
    assert abs(float(wrong / gain)) < 1e-5


def test_fractions_of_a_state_and_their_order():
    weights = np.random.default_rng(92).dirichlet([8.0, 0.5, 0.5, 0.5], size=500)
    f = pair_fractions(weights)
    assert (f.device_independent <= f.bbm92 + 1e-12).all()
    assert (f.bbm92 <= f.six_state + 1e-12).all()
    assert (f.chsh[f.device_independent > 0] > 2.0).all()
    pure = pair_fractions(np.eye(4))
    for values in (pure.bbm92, pure.six_state, pure.device_independent):
        np.testing.assert_allclose(values, 1.0, atol=1e-12)
    worse = pair_fractions(weights, 1.2)
    assert (worse.bbm92 <= f.bbm92).all()
    # a pair with errors in one basis only: the other two are right half the time, or the key basis is the clean one
    assert float(pair_fractions([0.9, 0.1, 0.0, 0.0]).bbm92) == pytest.approx(1 - float(binary_entropy(0.1)))


def test_long_blocks_tend_to_the_asymptotic_fraction():
    fractions = []
    for n in (1e5, 1e8, 1e14):
        key = pair_block_key(n, n / 10, 0.02, n * float(binary_entropy(0.02)), SECURITY)
        fractions.append(float(key.length) / n)
    assert fractions[0] < fractions[1] < fractions[2] < float(bb84_fraction(0.02, 0.02))
    assert fractions[2] == pytest.approx(float(bb84_fraction(0.02, 0.02)), rel=1e-4)
    assert key.ledger.total == pytest.approx(1e-10 + 1e-15)


def test_a_short_block_gives_nothing():
    assert float(pair_block_key(100, 100, 0.01, 10, SECURITY).length) == 0.0


def test_accidentals():
    assert coincidence_error([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], 0.03).tolist() == [0.03, 0.5, 0.5]


def test_the_winning_chance_carries_the_same_entropy_as_the_value():
    for chsh in (2.0, 2.3, 2.677, TSIRELSON):
        assert float(certified_entropy(winning_chance(chsh))) == pytest.approx(
            float(di_fraction(chsh, 0.0)), abs=1e-7
        )
    assert float(di_fraction(2.677, 0.0144)) == pytest.approx(0.583, abs=5e-4)


def test_accumulation_tends_to_the_asymptotic_fraction():
    fractions = []
    for n in (1e6, 1e9, 1e13):
        key = accumulated_key(n, 0.05, 2.677, 0.0144, SECURITY)
        fractions.append(key.signed_length / key.asymptotic)
    assert fractions[0] < fractions[1] < fractions[2] < 1.0
    assert fractions[2] > 0.99


def test_the_trapped_ion_experiment_has_key_and_few_rounds_have_none():
    """Nadlinger 2022: 1.5 million pairs gave 95,628 bits. Test share and threshold are assumed; the bound is an estimate."""
    key = accumulated_key(1.5e6, 0.1, 2.64, 0.0144, SECURITY, inefficiency=1.15)
    assert 95_628 / 3 < key.length < 95_628 * 3
    assert accumulated_key(1e4, 0.1, 2.64, 0.0144, SECURITY).length == 0
    assert accumulated_key(1e9, 0.1, 1.9, 0.0144, SECURITY).length == 0


@pytest.mark.parametrize(
    ("kilometres", "expected"),
    [(10, 0.3338), (25, 0.09887), (50, 0.02299), (80, 0.00513), (100, 0.001969)],
)
def test_gaussian_modulation(kilometres, expected):
    assert best_modulation(LAB, 10 ** (-0.02 * kilometres))[1] == pytest.approx(expected, rel=2e-3)


@settings(max_examples=150, deadline=None)
@given(
    st.floats(0.0, 30.0),
    st.floats(0.3, 1.0),
    st.floats(0.0, 0.05),
    st.floats(0.0, 0.1),
    st.floats(0.1, 40.0),
)
def test_gaussian_rates_stay_below_the_capacity_and_trust_never_hurts(
    loss, efficiency, noise, excess, variance
):
    eta = 10 ** (-loss / 10)
    trusted = Homodyne(efficiency, noise, excess, 1.0, trusted=True)
    untrusted = Homodyne(efficiency, noise, excess, 1.0, trusted=False)
    rate = float(gaussian_rate(trusted, eta, variance))
    assert rate <= float(plob(eta)) + 1e-9
    assert float(gaussian_rate(untrusted, eta, variance)) <= rate + 1e-7


def test_a_perfect_channel_leaves_the_eavesdropper_nothing():
    mutual, known = gaussian_information(Homodyne(1.0, 0.0, 0.0), 1.0, 10.0)
    assert float(known) == pytest.approx(0.0, abs=1e-6)
    assert float(mutual) == pytest.approx(math.log2(11.0) / 2)


def test_strong_modulation_on_a_pure_loss_channel():
    """Homodyne, reverse reconciliation, V to infinity: -log2(1 - T)/2, half of the capacity."""
    rate = float(gaussian_rate(Homodyne(1.0, 0.0, 0.0, 1.0), 0.1, 1e5))
    assert rate == pytest.approx(float(plob(0.1)) / 2, rel=1e-3)


def test_domains():
    with pytest.raises(QuantityError, match="transmission"):
        gaussian_rate(LAB, 0.0, 5.0)
    with pytest.raises(QuantityError, match="reconciliation"):
        Homodyne(0.6, 0.01, 0.01, 1.5)
    with pytest.raises(QuantityError, match="chsh"):
        winning_chance(2.9)
    with pytest.raises(QuantityError, match="test_fraction"):
        accumulated_key(1e6, 0.0, 2.6, 0.01, SECURITY)
    with pytest.raises(QuantityError, match="test_error"):
        pair_block_key(1e5, 1e4, 1.5, 0, SECURITY)
    with pytest.raises(QuantityError, match="mean_pairs"):
        source_rate(MFL, 0.1, 0.1, -0.1)
    assert source_rate(MFL, np.array([0.1, 0.01])[:, None], [0.1] * 3, 0.1).shape == (2, 3)
