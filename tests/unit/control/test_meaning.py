"""What a request means, and what it cannot mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import chain, link, node, plan
from quantum_fabric.control.meaning import capacity, check_meaning, end_rules, floor_of, gathers, too_small
from quantum_fabric.control.reading import epoch_key
from quantum_fabric.control.sense import check_request
from quantum_fabric.errors import InputError
from quantum_fabric.messages import (
    Bell,
    Code,
    DeliverRule,
    LinkRequest,
    Order,
    Promise,
    Reading,
    Route,
    Service,
)

ASK = LinkRequest("A", "C", 0.9, pairs=3)
KEY = epoch_key(b"secret", 1)
NET = chain(3, link(), node(8))


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"window": 0, "hold": True}, "window"),
        ({"window": -5, "hold": True}, "window"),
        ({"window": 1.5, "hold": True}, "window"),
        ({"window": 10}, "hold"),
        ({"promise": Promise.END}, "hold"),
        ({"service": Service.MEASURE, "hold": True}, "hold"),
        ({"service": Service.MEASURE, "window": 10}, "window"),
        ({"service": Service.PREPARE, "window": 10, "hold": True}, "window"),
        ({"service": Service.PREPARE, "promise": Promise.END, "hold": True}, "promise"),
        ({"service": Service.MEASURE, "bases": ()}, "bases"),
        ({"service": Service.PREPARE, "bases": ("X", "Q")}, "bases"),
    ],
)
def test_what_contradicts_itself_is_refused(wrong: dict[str, Any], where: str) -> None:
    for check in (check_meaning, check_request):
        with pytest.raises(InputError) as caught:
            check(replace(ASK, **wrong))
        assert caught.value.where == where


@pytest.mark.parametrize(
    "right",
    [
        {}, {"window": 10, "hold": True}, {"promise": Promise.END, "hold": True}, {"promise": Promise.AVERAGE},
        {"service": Service.MEASURE}, {"service": Service.PREPARE, "hold": True, "bases": ("Y",)},
        {"service": Service.MEASURE, "promise": Promise.AVERAGE, "bell": Bell.PSI_MINUS},
        {"window": 10, "hold": True, "promise": Promise.AVERAGE},
    ],
)  # fmt: skip
def test_what_means_something_is_not(right: dict[str, Any]) -> None:
    check_request(replace(ASK, **right))


def test_what_is_gathered_and_how_low_a_pair_may_be() -> None:
    assert not gathers(ASK)
    assert gathers(replace(ASK, window=7))
    assert gathers(replace(ASK, promise=Promise.END))
    assert floor_of(ASK) == floor_of(replace(ASK, promise=Promise.END)) == 0.9
    assert floor_of(replace(ASK, promise=Promise.AVERAGE)) == 0.5


def test_a_plain_request_has_plain_rules() -> None:
    assert end_rules(ASK, KEY) == (DeliverRule("C", False), DeliverRule("A", False))
    held = end_rules(replace(ASK, hold=True), KEY)
    assert held == (DeliverRule("C", True), DeliverRule("A", True))


def test_who_measures_and_who_turns() -> None:
    tests = Reading(("X", "Y", "Z"), 0.02)
    asked = replace(ASK, service=Service.MEASURE, bell=Bell.PSI_MINUS)
    here, there = end_rules(asked, KEY, tests)
    assert here.tests == there.tests == replace(tests, key=KEY)
    assert here.reading == Reading(("X", "Z"), 1.0, KEY, "source")
    assert there.reading == Reading(("X", "Z"), 1.0, KEY, "destination")
    assert here.bell is there.bell is Bell.PSI_MINUS
    assert (here.turns, there.turns) == (False, True)
    here, there = end_rules(replace(asked, service=Service.PREPARE, bell=None), KEY)
    assert here.reading is not None
    assert (there.reading, there.turns) == (None, False)


@pytest.mark.parametrize(
    ("made", "room"),
    [
        (plan(NET, "ABC", lanes=4), 4),
        (plan(NET, "ABC", lanes=(2, 4)), 2),
        (plan(NET, "ABC", lanes=4, rounds=1), 3),
        (plan(NET, "ABC", lanes=4, end_rounds=2), 2),
        (plan(NET, "ABC", Order.NESTED, lanes=4, rounds=1, end_rounds=2), 1),
        (plan(NET, "AB", lanes=3, rounds=2), 1),
        (plan(NET, "AB", lanes=1, rounds=2), -1),
    ],
)
def test_how_many_pairs_the_ends_can_hold(made: Any, room: int) -> None:
    assert capacity(made) == room


def test_a_set_that_does_not_fit_is_refused_and_what_fits_is_offered() -> None:
    made = plan(NET, "ABC", lanes=2)
    assert too_small(replace(ASK, hold=True), made) is None  # one by one
    asked = replace(ASK, hold=True, window=10**9, name="r")
    refused = too_small(asked, made)
    assert refused is not None
    assert refused.code is Code.NORES
    assert refused.offer == replace(asked, pairs=2, name="")
    assert refused.offer is not None
    assert too_small(refused.offer, made) is None
    none = too_small(asked, plan(NET, "AB", lanes=1, rounds=2))
    assert none is not None
    assert none.offer is None


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"source": ""}, "source"),
        ({"destination": ""}, "destination"),
        ({"destination": None}, "destination"),
        ({"pairs": True}, "pairs"),
        ({"pairs": "3"}, "pairs"),
        ({"pairs": 10**16}, "pairs"),
        ({"pairs": -(10**5000)}, "pairs"),
        ({"deadline": "5 s"}, "deadline"),
        ({"deadline": 1.5}, "deadline"),
        ({"hold": "yes"}, "hold"),
        ({"service": "measure"}, "service"),
        ({"promise": "end"}, "promise"),
        ({"survives": "link"}, "survives"),
        ({"bell": "phi+"}, "bell"),
        ({"tenant": None}, "tenant"),
        ({"key": 5}, "key"),
        ({"route": None}, "route"),
        ({"route": Route(avoid="Mars")}, "route.avoid"),  # type: ignore[arg-type]
        ({"route": Route(disjoint=(1,))}, "route.disjoint"),  # type: ignore[arg-type]
    ],
)
def test_what_is_of_the_wrong_kind_is_said_and_not_passed_over(more: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError) as error:
        check_request(replace(LinkRequest("A", "B", 0.9), **more))
    assert error.value.where == where


def test_a_deadline_that_is_past_says_when_it_is_asked() -> None:
    with pytest.raises(InputError, match=r"found 5 ps, expected a time after the request \(at 1 s\)"):
        check_request(LinkRequest("A", "B", 0.9, deadline=5), 10**12)
