"""Operating points of links and the grid of a knob."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from tests.unit.network.believed import KnobLink, fixed

from quantum_fabric.errors import QuantityError, UnknownNameError
from quantum_fabric.links.model import Heralding, Knob
from quantum_fabric.network.settings import GRID, grid, operating_point
from quantum_fabric.network.topology import LinkView
from quantum_fabric.units import MS


def view(model: object) -> LinkView:
    return LinkView("A~B", "A", "B", model, 0, 1.0)  # type: ignore[arg-type]


def test_the_ends_follow_the_path() -> None:
    link = view(fixed(0.1, 0.9, born=(0, 20), heard=(500, 900)))
    forward = operating_point(link, "A", None, 1)
    backward = operating_point(link, "B", None, 1)
    assert (forward.born, forward.heard) == ((0, 20), (500, 900))
    assert (backward.born, backward.heard) == ((20, 0), (900, 500))
    assert forward.fresh == backward.fresh
    with pytest.raises(UnknownNameError):
        operating_point(link, "C", None, 1)


def test_the_numbers_are_those_of_the_model() -> None:
    point = operating_point(view(fixed(0.1, 0.9, 2 * MS, cycle=MS)), "A", None, 3)
    assert (point.success, point.period, point.cycle) == (0.1, 3 * MS, MS)
    assert point.fresh == pytest.approx((0.8667, 0.8667, 0.8667), abs=1e-4)


def test_a_setting_reaches_the_model() -> None:
    point = operating_point(view(KnobLink(efficiency=0.5)), "A", 0.2, 1)
    assert point.setting == 0.2
    assert point.success == pytest.approx(0.1)


@dataclass
class Unhashable:
    asked: list[tuple[float | None, int]] = field(default_factory=list)
    architecture: str = "unhashable"
    stores: bool = True
    knob: Knob | None = None

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        self.asked.append((setting, lanes))
        return fixed().heralding(None, lanes)

    def total_transmission(self) -> float:
        return 1.0


def test_a_model_that_cannot_be_hashed_is_asked_each_time() -> None:
    model = Unhashable()
    for _ in range(2):
        operating_point(view(model), "A", None, 1)
    assert model.asked == [(None, 1), (None, 1)]


@dataclass(frozen=True)
class Counting(KnobLink):
    seen: list[int] = field(default_factory=list, hash=False, compare=False)

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        self.seen.append(lanes)
        return KnobLink.heralding(self, setting, lanes)


def test_other_models_are_asked_once() -> None:
    model = Counting(efficiency=0.0123)
    for _ in range(3):
        operating_point(view(model), "A", 0.1, 2)
        operating_point(view(model), "A", 0.2, 2)
    assert model.seen == [1, 1]  # both lanes fit into the period of one


def test_a_link_without_a_knob_has_one_setting() -> None:
    assert grid(fixed()) == (None,)


@pytest.mark.parametrize("good_end", ["low", "high"])
def test_the_grid_starts_at_the_end_that_is_good_for_the_rate(good_end: str) -> None:
    settings = grid(KnobLink(good_end=good_end))
    assert len(settings) == GRID
    assert {settings[0], settings[-1]} == {0.001, 0.5}
    values = [value for value in settings if value is not None]
    assert values == sorted(values, reverse=good_end == "low")
    ratios = [b / a for a, b in itertools.pairwise(values)]
    assert max(ratios) == pytest.approx(min(ratios))


def test_a_range_that_starts_at_zero_is_linear() -> None:
    class FromZero(KnobLink):
        @property
        def knob(self) -> Knob:
            return Knob("x", 0.0, 1.0, "high", "")

    assert grid(FromZero(), 5) == (0.0, 0.25, 0.5, 0.75, 1.0)


def test_a_grid_has_two_points_at_least() -> None:
    with pytest.raises(QuantityError, match="2 or more points"):
        grid(KnobLink(), 1)
