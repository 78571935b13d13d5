"""What the client and the ends are told of a confirmed pair."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quantum_fabric.control.delivery import delivered, dropped, later_of, withheld
from quantum_fabric.control.estimate import interval, lifetime
from quantum_fabric.messages import (
    Bell,
    Confirmed,
    Delivered,
    LinkRequest,
    Lost,
    PairId,
    Send,
    Substandard,
)

PAIR = PairId("A~B/0#1", "B~C/2#7")
HELD = LinkRequest("A", "C", 0.8, pairs=4, hold=True, name="r")
GIVEN = replace(HELD, hold=False)
AT_A = Confirmed(5, "A", PAIR, Bell.PSI_PLUS, (0.95, 0.95, 0.95), (1.0, 2.0, 3.0), 100, 400, 3)
AT_C = Confirmed(5, "C", PAIR, Bell.PSI_PLUS, (0.9, 0.9, 0.9), (1.0, 2.0, 3.0), 90, 600, 8)


def test_the_end_that_heard_last_speaks() -> None:
    assert later_of(AT_A, AT_C) is AT_C
    assert later_of(AT_C, AT_A) is AT_C
    same = replace(AT_A, at=600)
    assert later_of(AT_C, same) is same


@pytest.mark.parametrize("order", [(AT_A, AT_C), (AT_C, AT_A)])
def test_every_field_of_a_delivered_pair(order: tuple[Confirmed, Confirmed]) -> None:
    low, high = interval(AT_C.quality, 0.05)
    assert delivered(HELD, 2, *order, 0.05) == Delivered(
        request="r",
        number=2,
        pair=PAIR,
        ends=("A", "C"),
        bell=Bell.PSI_PLUS,
        fidelity=pytest.approx(0.925),
        low=low,
        high=high,
        created_at=90,
        delivered_at=600,
        expires_at=600 + lifetime((0.9, 0.9, 0.9), (1.0, 2.0, 3.0), 0.8),
        slots=(3, 8),
    )


def test_a_pair_that_was_handed_over_has_no_slots() -> None:
    assert delivered(GIVEN, 1, AT_A, AT_C, 0.05).slots is None


def test_a_pair_below_the_floor_is_withheld_and_let_go() -> None:
    poor = replace(AT_C, quality=(0.5, 0.5, 0.5))
    verdict = Send("client", Substandard("r", PAIR, 0.625, 0.8))
    assert withheld(GIVEN, poor) == [verdict]
    assert withheld(HELD, poor) == [
        verdict,
        Send("A", Lost(5, "A~B/0#1", "below the floor")),
        Send("C", Lost(5, "B~C/2#7", "below the floor")),
    ]


def test_each_end_is_told_by_the_name_of_its_own_half() -> None:
    assert dropped(HELD, 6, PAIR, "why") == [
        Send("A", Lost(6, "A~B/0#1", "why")),
        Send("C", Lost(6, "B~C/2#7", "why")),
    ]
