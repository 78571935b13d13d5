"""Schemes: decisions without a forecast."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.network.believed import fixed, line, names_of

from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.messages import Distillation, Forecast, Join, Order
from quantum_fabric.network.order import nested
from quantum_fabric.network.scheme import Scheme, from_plan, points, simple, to_plan, turnings, turns
from quantum_fabric.units import MS

FORECAST = Forecast(1.0, 0.1, 0.9, 0.8, 5)
LINE = line(fixed(0.1, 0.9), fixed(0.2, 0.95), fixed(0.3, 0.99))
NODES, LINKS = names_of(LINE)


def test_simple_is_the_plainest_scheme() -> None:
    scheme = simple(NODES, LINKS, lanes=2)
    assert (scheme.lanes, scheme.rounds, scheme.order, scheme.cutoff) == (
        (2, 2, 2),
        (0, 0, 0),
        Order.ASAP,
        None,
    )
    assert not scheme.purifies


@pytest.mark.parametrize(
    "change",
    [
        {"links": LINKS[:2]},
        {"lanes": (1, 1)},
        {"settings": (None,)},
        {"rounds": (0,) * 4},
        {"joins": ()},
        {"path": ("A",), "links": (), "lanes": (), "settings": (), "rounds": (), "joins": ()},
    ],
)
def test_the_parts_fit_together(change: dict[str, object]) -> None:
    with pytest.raises(InputError, match="one of each for every hop"):
        replace(simple(NODES, LINKS), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"rounds": (0, 1, 0)},
        {"end_rounds": 2},
        {"order": Order.NESTED, "joins": nested(NODES, [1])},
    ],
)
def test_purification_anywhere_counts(change: dict[str, object]) -> None:
    assert replace(simple(NODES, LINKS), **change).purifies  # type: ignore[arg-type]


def test_a_plan_and_back() -> None:
    scheme = Scheme(
        NODES, LINKS, (1, 2, 3), (None, None, None), (0, 1, 2), Order.NESTED, nested(NODES, [0, 1]), 1,
        Distillation.BBPSSW, 7 * MS,
    )  # fmt: skip
    plan = to_plan(LINE, scheme, FORECAST)
    assert from_plan(plan) == scheme
    assert plan.forecast is FORECAST
    assert plan.joins[-1] == Join(plan.joins[-1].at, "A", "D", 1)
    middle = plan.links[1]
    assert (middle.link, middle.left, middle.right, middle.lanes, middle.rounds) == ("B~C", "B", "C", 2, 1)
    assert (middle.success, middle.period) == (0.2, MS)
    assert middle.fidelity == pytest.approx(0.95)


def test_points_follow_the_path_backwards_too() -> None:
    topology = line(fixed(heard=(3 * MS, 5 * MS)), fixed())
    forward = points(topology, simple(("A", "B", "C"), ("A~B", "B~C")))
    backward = points(topology, simple(("C", "B", "A"), ("B~C", "A~B")))
    assert forward[0].heard == (3 * MS, 5 * MS)
    assert backward[1].heard == (5 * MS, 3 * MS)


def test_unknown_links_are_a_fault() -> None:
    with pytest.raises(UnknownNameError):
        points(LINE, simple(("A", "B"), ("B~A",)))
    with pytest.raises(UnknownNameError):
        points(
            LINE,
            simple(("B", "C"), ("A~B",)).__class__(("C", "D"), ("A~B",), (1,), (None,), (0,), Order.ASAP, ()),
        )


def test_turnings_and_pumping_survive_the_way_into_a_plan_and_back() -> None:
    words = ((0, 1, (("xyz", "zyx"), ("xzy", "yxz"))), (0, 3, (("zxy", "xyz"),)))
    told = turnings(NODES, words)
    assert [(each.left, each.right) for each in told] == [("A", "B"), ("A", "D")]
    scheme = replace(simple(NODES, LINKS), turnings=told, pumped=True)
    assert from_plan(to_plan(LINE, scheme, FORECAST)) == scheme
    assert turns(NODES, told) == words
