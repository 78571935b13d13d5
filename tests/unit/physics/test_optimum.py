"""Searches: known maxima, walls, lengths."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optimum import climb, golden, reach


@settings(max_examples=50, deadline=None)
@given(st.floats(-3.0, 3.0))
def test_golden_section_finds_the_top_of_a_parabola(top):
    assert golden(lambda x: -((x - top) ** 2), -4.0, 4.0) == pytest.approx(top, abs=1e-6)


def test_golden_section_finds_a_maximum_at_the_edge():
    assert golden(lambda x: x, 0.0, 2.0) == pytest.approx(2.0, abs=1e-8)


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (math.nan, 1.0)])
def test_an_empty_interval_is_refused(low, high):
    with pytest.raises(QuantityError, match="interval"):
        golden(lambda x: x, low, high)


def test_climbing_escapes_through_a_better_start():
    def two_hills(points):
        x = points[:, 0]
        return -((x - 0.2) ** 2) * ((x - 0.8) ** 2) + 0.01 * x

    point, _ = climb(two_hills, [0.0], [1.0], [[0.1], [0.9]])
    assert point[0] == pytest.approx(0.8134, abs=1e-3)


def test_climbing_stays_in_the_box():
    point, value = climb(lambda p: p.sum(axis=1), [0.0, -1.0], [1.0, 2.0], [[0.5, 0.5]])
    assert point.tolist() == [1.0, 2.0]
    assert value == 3.0


def test_climbing_needs_a_start():
    with pytest.raises(QuantityError, match="start"):
        climb(lambda p: p.sum(axis=1), [0.0], [1.0], [])


@settings(max_examples=50, deadline=None)
@given(st.floats(1.0, 99.0))
def test_reach_is_where_the_rate_dies(end):
    assert reach(lambda x: end - x, 100.0) == pytest.approx(end, abs=1e-5)


def test_reach_without_any_key_and_without_any_end():
    assert reach(lambda x: -1.0, 10.0) == 0.0
    assert reach(lambda x: 1.0, 10.0) == 10.0
    with pytest.raises(QuantityError, match="limit"):
        reach(lambda x: 1.0, 0.0)
