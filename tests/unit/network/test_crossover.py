"""Where one scheme overtakes another, and a comparison of both planners."""

from __future__ import annotations

import math

import pytest

from quantum_fabric.api import Line
from quantum_fabric.errors import UnknownNameError
from quantum_fabric.network.crossover import TWO_WAY, Crossing, Point, compare, crossings


def curve(scheme: str, *rates: float) -> list[Point]:
    return [Point(scheme, float(km), rate, 0.01, 1) for km, rate in enumerate(rates, 1)]


def test_a_crossing_is_interpolated_on_logarithms() -> None:
    points = curve(TWO_WAY, 1000.0, 100.0, 1.0) + curve("c", 10.0, 10.0, 10.0)
    assert crossings(points) == [Crossing("c", 2.0, 3.0, pytest.approx(2.5))]


def test_where_nothing_crosses_there_is_no_crossing() -> None:
    assert crossings(curve(TWO_WAY, 5.0, 4.0) + curve("c", 4.0, 3.0)) == []
    assert crossings(curve(TWO_WAY, 5.0, 4.0) + curve("c", 6.0, 7.0)) == []  # ahead from the start on


def test_a_scheme_that_gives_nothing_has_a_bracket_and_no_place() -> None:
    assert crossings(curve(TWO_WAY, 5.0, 0.0) + curve("c", 4.0, 3.0)) == [Crossing("c", 1.0, 2.0, None)]
    assert crossings(curve(TWO_WAY, 5.0, 1e-9) + curve("c", 4.0, 3.0)) == [Crossing("c", 1.0, 2.0, None)]


def test_both_schemes_have_the_same_hardware() -> None:
    points = compare(
        lambda m: Line(m, "future", "A", "B", 24).topology, [20e3], 0.9, ["bare", "phase-repetition-3"]
    )
    assert [point.scheme for point in points] == [TWO_WAY, "bare", "phase-repetition-3"]
    assert all(point.rate > 0.0 and point.error <= 0.1 for point in points)


def test_what_cannot_be_had_gives_its_reason() -> None:
    points = compare(lambda m: Line(m, "today", "A", "B", 24).topology, [20e3], 0.99, ["bare"])
    assert all(point.rate == 0.0 and point.reason for point in points)
    assert not math.isnan(points[0].error)  # something is offered instead


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        compare(lambda m: Line(m, "future", "A", "B").topology, [20e3], 0.9, ["turbo"])
