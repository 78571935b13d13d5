"""DPS and COW: field values, limits, and the attack that takes the key of a long COW link away."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.bounds import plob
from quantum_fabric.physics.qkd import cow, dps


def test_the_tokyo_loop():
    """Shimizu 2014: 30 dB, 11 kbit/s sifted at 2.6 %; published key 1.1 +- 0.5 kbit/s over 25 days."""
    link = dps.PulseTrain(clock=1e9, intensity=0.2, efficiency=0.055, dark_rate=30.0, misalignment=0.0235)
    result = dps.train_rate(link, 1e-3)
    assert float(result.sifted) == pytest.approx(11e3, rel=0.02)
    assert float(result.error) == pytest.approx(0.026, abs=0.001)
    assert 1.1e3 < float(result.secret) < 2.2e3
    assert result.cautions == (dps.INDIVIDUAL,)


def test_without_errors_only_the_split_beam_is_lost():
    assert float(dps.train_fraction(0.0, 0.2)) == pytest.approx(0.6)
    assert float(dps.collision_fraction(1 / 6, 0.1)) == 0.0
    assert float(dps.train_fraction(0.05, 0.2, 1.2)) == 0.0


def test_dps_dead_time_is_shared_by_two_detectors():
    fast = dps.PulseTrain(clock=1e9, intensity=0.2, efficiency=0.5)
    slow = dps.PulseTrain(clock=1e9, intensity=0.2, efficiency=0.5, dead_time=1e-6)
    clicks = float(dps.train_rate(fast, 1.0).sifted)
    assert float(dps.train_rate(slow, 1.0).sifted) == pytest.approx(clicks / (1 + clicks * 1e-6 / 2))
    assert float(dps.train_rate(slow, 1.0).sifted) < 2e6


def test_beam_splitting_of_cow_is_the_holevo_quantity_of_two_coherent_states():
    """Two pure states with overlap e^-μ: entropy of their mixture, by diagonalising it."""
    for mu in (0.05, 0.3, 1.0):
        overlap = math.exp(-mu)
        second = np.array([overlap, math.sqrt(1 - overlap**2)])
        mixture = (np.diag([1.0, 0.0]) + np.outer(second, second)) / 2
        eigen = np.linalg.eigvalsh(mixture)
        holevo = -float(sum(x * math.log2(x) for x in eigen if x > 0))
        assert float(cow.watched_fraction(0.0, 1.0, mu)) == pytest.approx(1 - holevo, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(st.floats(0.0, 0.2), st.floats(0.5, 1.0), st.floats(0.001, 1.0))
def test_cow_fractions_fall_with_error_and_rise_with_visibility(error, visibility, mu):
    here = float(cow.watched_fraction(error, visibility, mu))
    assert 0.0 <= here <= 1.0
    assert float(cow.watched_fraction(min(error + 0.02, 1.0), visibility, mu)) <= here + 1e-12
    assert float(cow.watched_fraction(error, visibility, mu + 0.1)) <= here + 1e-12


KORZH = cow.WatchedLink(
    clock=3.125e8,
    intensity=0.07,
    efficiency=0.2,
    dark_rate=1.0,
    window=0.3,
    misalignment=0.02,
    visibility=0.98,
    decoys=0.155,
    dead_time=8e-6,
)


def test_the_longest_cow_link_is_claimed_and_broken():
    """Korzh 2015: 51.9 dB, 3.18 bit/s. The order of magnitude comes out, and so does the attack that voids it."""
    result = cow.watched_rate(KORZH, 10**-5.19, block=6.6e5, failure=4e-9)
    assert 3.18 / 4 < float(result.claimed) < 3.18 * 4
    assert bool(result.broken)
    assert float(result.secret) == 0.0
    assert [c.where for c in result.cautions] == ["cow.security", "cow.gain"]


def test_a_short_cow_link_is_not_broken_by_the_simple_attack():
    result = cow.watched_rate(KORZH, 0.1)
    assert not result.broken
    assert 0.0 < float(result.secret) == float(result.claimed)


def test_the_best_unbroken_rate_of_cow_falls_faster_than_the_transmission():
    """Lowering μ until the attack fails leaves a rate that falls with a power of η above 1."""

    def best(eta):
        rates = [
            float(
                cow.watched_rate(
                    cow.WatchedLink(
                        clock=1.0, intensity=mu, efficiency=1.0, misalignment=0.0, visibility=1.0
                    ),
                    eta,
                ).secret
            )
            for mu in np.geomspace(1e-4, 0.9, 200)
        ]
        return max(rates)

    slope = math.log10(best(1e-4) / best(1e-6)) / 2
    assert slope == pytest.approx(1.5, abs=0.1)


def test_finite_blocks_cost_key():
    long, short = (float(cow.watched_rate(KORZH, 1e-4, block=n).claimed) for n in (1e9, 1e5))
    assert short < long < float(cow.watched_rate(KORZH, 1e-4).claimed)


@settings(max_examples=200, deadline=None)
@given(st.floats(0.0, 80.0), st.floats(0.01, 0.49), st.floats(0.05, 1.0))
def test_neither_beats_the_capacity(loss, mu, efficiency):
    eta = 10 ** (-loss / 10)
    train = dps.PulseTrain(clock=1.0, intensity=mu, efficiency=efficiency, misalignment=0.0, inefficiency=1.0)
    watched = cow.WatchedLink(
        clock=1.0,
        intensity=mu,
        efficiency=efficiency,
        misalignment=0.0,
        visibility=1.0,
        decoys=0.0,
        inefficiency=1.0,
    )
    assert float(dps.train_rate(train, eta).secret) <= float(plob(eta))
    assert float(cow.watched_rate(watched, eta).secret) <= 2.0 * float(plob(eta))  # two modes for each bit


def test_domains():
    with pytest.raises(QuantityError, match="intensity"):
        dps.PulseTrain(clock=1e9, intensity=0.6, efficiency=0.1)
    with pytest.raises(QuantityError, match="channel"):
        dps.train_rate(dps.PulseTrain(clock=1e9, intensity=0.2, efficiency=0.1), 1.5)
    with pytest.raises(QuantityError, match="visibility"):
        cow.WatchedLink(clock=1e9, intensity=0.1, efficiency=0.1, visibility=1.2)
    with pytest.raises(QuantityError, match="decoys"):
        cow.zero_error_gain(0.1, -0.5)
