"""Links with numbers given by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.links import FixedLink, Heralding, HeraldOutcome, LinkModel

GOOD: dict[str, Any] = {"success": 0.5, "weights": (0.9, 0.1, 0.0, 0.0), "period": 100}


def test_the_numbers_come_back() -> None:
    link: LinkModel = FixedLink(**GOOD, born=(1, 2), heard=(30, 40), bell=3, cycle=7, transmission=0.25)
    assert link.heralding() == Heralding(
        100, 7, (1, 2), (30, 40), (HeraldOutcome(3, 0.5, (0.9, 0.1, 0.0, 0.0)),)
    )
    assert (link.architecture, link.knob, link.total_transmission()) == ("fixed", None, 0.25)


def test_lanes_stretch_the_period_only_when_they_must() -> None:
    link = FixedLink(**GOOD, cycle=30)
    assert [link.heralding(lanes=n).period for n in (1, 3, 4)] == [100, 100, 120]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("success", 0.0),
        ("success", 1.5),
        ("success", math.nan),
        ("weights", (0.5, 0.5, 0.5, 0.5)),
        ("weights", (1.2, -0.2, 0.0, 0.0)),
        ("weights", (0.5, 0.5)),
        ("period", 0),
        ("cycle", -1),
        ("born", (-1, 0)),
        ("born", (5, 0)),
        ("heard", (0, -1)),
        ("bell", 4),
        ("transmission", 1.1),
    ],
)
def test_domains(field: str, value: object) -> None:
    with pytest.raises(QuantityError) as caught:
        FixedLink(**{**GOOD, field: value})
    assert caught.value.where == ("heard" if field == "born" else field)


def test_nobody_hears_of_a_half_before_it_is_born() -> None:
    """Else a herald would come before the attempt that it is of, wherever the other end was armed late."""
    with pytest.raises(QuantityError, match="born <= heard"):
        FixedLink(**GOOD, born=(5, 0), heard=(9, 4))
    assert FixedLink(**GOOD, born=(5, 0), heard=(9, 5)).heralding().heard == (9, 5)


def test_no_setting_and_no_fewer_than_one_lane() -> None:
    with pytest.raises(
        QuantityError, match=r"setting: found 0\.1, expected no setting: a fixed link has no knob"
    ):
        FixedLink(**GOOD).heralding(0.1)
    with pytest.raises(QuantityError, match="lanes: found 0"):
        FixedLink(**GOOD).heralding(lanes=0)
