"""Intervals against independent calculations, and their coverage."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.studies.statistics import mean, quantile, share, student


@given(st.floats(0.5, 0.9999), st.integers(1, 2000))
def test_student_against_scipy(level: float, freedom: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    assert student(level, freedom) == pytest.approx(float(stats.t.ppf(0.5 + level / 2, freedom)), rel=1e-8)


@given(st.integers(1, 300), st.floats(0.05, 0.95), st.sampled_from([0.9, 0.95, 0.99]))
def test_ranks_of_the_quantile_against_the_binomial(count: int, order: float, level: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    found = quantile([float(k) for k in range(1, count + 1)], order, level)
    below = stats.binom(count, order)
    low = int(found.low)
    high = count + 1 if math.isinf(found.high) else int(found.high)
    # the interval holds the quantile where low <= number of values below it < high
    assert below.cdf(high - 1) - (below.cdf(low - 1) if low else 0.0) >= level - 1e-9


def test_share_against_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    for ones, count in ((0, 10), (3, 10), (10, 10), (57, 100)):
        found = share([1.0] * ones + [0.0] * (count - ones))
        theirs = stats.binomtest(ones, count).proportion_ci(0.95, method="wilson")
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_mean_covers() -> None:
    """2,000 samples of 10 exponential values, skewed as waiting times are: t intervals cover about 0.90 of them, and no less
    than 0.85. With p = 0.9 a count below 0.85 · 2000 is more than 7 standard deviations away: false alarm below 1e-10."""
    draw = random.Random(1)
    inside = 0
    for _ in range(2000):
        found = mean([draw.expovariate(1.0) for _ in range(10)])
        inside += found.low <= 1.0 <= found.high
    assert inside >= 0.85 * 2000


def test_nothing_and_one() -> None:
    assert math.isnan(mean([]).value)
    assert mean([2.0]).value == 2.0
    assert math.isnan(mean([2.0]).half)
    assert math.isnan(quantile([], 0.5).value)
    assert quantile([math.inf, math.inf], 0.5).value == math.inf


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.randoms())
def test_the_order_of_runs_does_not_matter(values: list[float], draw: random.Random) -> None:
    shuffled = values[:]
    draw.shuffle(shuffled)
    assert mean(values) == mean(shuffled)
    assert quantile(values, 0.9) == quantile(shuffled, 0.9)
