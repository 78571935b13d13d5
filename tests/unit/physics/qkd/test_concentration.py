"""Inequalities: known values, order, edges. Their coverage is simulated in tests/oracles/test_key_rates.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.qkd.concentration import (
    hoeffding,
    mean_from_count,
    published_gap,
    sampling_gap,
    serfling,
)


def test_hoeffding():
    assert float(hoeffding(200, math.exp(-1))) == pytest.approx(10.0)
    assert hoeffding(np.ones((2, 3)), 1e-3).shape == (2, 3)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.just(0.0), st.floats(1.0, 1e12)), st.floats(1e-15, 0.3))
def test_the_interval_of_a_mean_solves_its_equation(count, failure):
    low, high = map(float, mean_from_count(count, failure))
    assert low <= count < high
    budget = -math.log(failure)
    for mean in (low, high):
        if mean > 0.0 and count > 0.0:
            exponent = count * math.log(count / mean) - count + mean
            assert exponent == pytest.approx(budget, rel=1e-6, abs=1e-6 * math.sqrt(count))
    if count == 0.0:
        assert high == pytest.approx(budget)


def test_rare_events_are_told_better_by_their_count_than_by_hoeffding():
    low, high = mean_from_count(100.0, 1e-10)
    assert float(high - low) < float(hoeffding(1e9, 1e-10)) / 100


@pytest.mark.parametrize("gap", [sampling_gap, published_gap])
def test_sampling_gaps_shrink_with_the_sample_and_never_with_certainty(gap):
    wide, narrow = gap(0.02, [1e3, 1e5], 1e6, 1e-10)
    assert wide > narrow > 0.0
    assert narrow < float(serfling(1e5, 1e6, 1e-10))
    assert float(gap(0.02, 0.0, 1e6, 1e-10)) == 0.5


def test_without_any_error_in_the_sample_some_are_still_possible():
    assert float(published_gap(0.0, 1e5, 1e6, 1e-10)) == float(serfling(1e5, 1e6, 1e-10))
    # nothing seen in c: the whole has at most 1 - ε^(1/c)
    bound = float(sampling_gap(0.0, 1e4, 1e9, 1e-10))
    assert bound == pytest.approx(-math.log(1e-10) / 1e4, rel=2e-3)


def test_the_sound_gap_is_the_normal_one_for_many_errors():
    normal = math.sqrt(2 * 0.05 * 0.95 * math.log(1e10) / 1e7)
    assert float(sampling_gap(0.05, 1e7, 1e12, 1e-10)) == pytest.approx(normal, rel=0.01)


@pytest.mark.parametrize("failure", [0.0, 1.0, -1e-3, math.nan])
def test_failure_probabilities(failure):
    for function in (lambda: hoeffding(1, failure), lambda: mean_from_count(1, failure)):
        with pytest.raises(QuantityError, match="failure"):
            function()


def test_counts_below_zero():
    with pytest.raises(QuantityError, match="count"):
        mean_from_count(-1.0, 0.1)
    with pytest.raises(QuantityError, match="count"):
        mean_from_count(0.5, 0.1)
    with pytest.raises(QuantityError, match="sample"):
        serfling(0.0, 10.0, 0.1)
