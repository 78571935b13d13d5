"""From a plan to the rules of each node."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from builders import chain, inventory, link, node, plan, werner
from quantum_fabric.control.rules import calibration, compile_rules, lanes_wanted, retention, slots_wanted
from quantum_fabric.documents import topology
from quantum_fabric.messages import (
    Axes,
    Calibration,
    CutoffRule,
    DeliverRule,
    Distillation,
    GenerateRule,
    Order,
    Plan,
    PurifyRule,
    Rotation,
    Rule,
    Side,
    SwapRule,
    Turning,
)
from quantum_fabric.physics.correlators import from_weights
from quantum_fabric.units import MS, US

PATH = ("A", "B", "C", "D", "E")
NET = chain(5, link(0.5, fidelity=0.9), node(8, t1=2.0, t2=0.5, depolarising_2=0.01, readout_error_1=0.02))
MODEL = topology(NET)
NOISE = Calibration(2.0, 0.5, 0.0, 0.01, 0.0, 0.02)


def compiled(made: Plan, hold: bool = False) -> dict[str, tuple[Rule, ...]]:
    wanted = slots_wanted(made)
    slots = {name: tuple(range(2, 2 + count)) for name, count in wanted.items()}
    lanes = {name: tuple(range(count)) for name, count in lanes_wanted(made).items()}
    return compile_rules(made, MODEL, slots, lanes, hold)


def only(rules: tuple[Rule, ...], kind: type) -> list[Any]:
    return [rule for rule in rules if isinstance(rule, kind)]


def test_slots_and_lanes_of_a_plan() -> None:
    made = plan(NET, PATH, lanes=[1, 2, 3, 1])
    assert slots_wanted(made) == {"A": 1, "B": 3, "C": 5, "D": 4, "E": 1}
    assert lanes_wanted(made) == {"A~B": 1, "B~C": 2, "C~D": 3, "D~E": 1}


def test_calibration_is_what_is_believed() -> None:
    assert calibration(MODEL.nodes["C"]) == NOISE
    assert calibration(topology(chain(2, link())).nodes["A"]).t1 == math.inf


def test_one_hop() -> None:
    made = plan(NET, ("B", "A"), lanes=2, rounds=1, cutoff=MS)
    fresh, decay = from_weights(werner(0.9)), (2.0, 2.0, 0.5)
    rules = compiled(made, hold=True)
    assert rules == {
        "B": (
            GenerateRule("A~B", "A", Side.RIGHT, (2, 3), (0, 1), None, pytest.approx(fresh), decay),
            PurifyRule("A", 1, Distillation.DEJMPS, True, NOISE),
            DeliverRule("A", True),
        ),
        "A": (
            GenerateRule("A~B", "B", Side.LEFT, (2, 3), (0, 1), None, pytest.approx(fresh), decay),
            PurifyRule("B", 1, Distillation.DEJMPS, False, NOISE),
            DeliverRule("B", True),
        ),
    }


def test_each_slot_serves_one_link_and_the_first_ones_the_left() -> None:
    rules = compiled(plan(NET, PATH, lanes=[1, 2, 3, 1]))
    assert [(r.partner, r.side, r.slots, r.lanes) for r in only(rules["C"], GenerateRule)] == [
        ("B", Side.LEFT, (2, 3), (0, 1)),
        ("D", Side.RIGHT, (4, 5, 6), (0, 1, 2)),
    ]
    for left, right in pairwise(PATH):
        (one,) = [r for r in only(rules[left], GenerateRule) if r.side is Side.RIGHT]
        (two,) = [r for r in only(rules[right], GenerateRule) if r.side is Side.LEFT]
        assert (one.link, one.lanes, one.partner, two.partner) == (two.link, two.lanes, right, left)


def test_as_soon_as_possible_each_repeater_swaps_with_anybody() -> None:
    rules = compiled(plan(NET, PATH, cutoff=5 * MS))
    assert {name: only(those, SwapRule) for name, those in rules.items()} == {
        "A": [],
        "B": [SwapRule(("A",), ("C", "D", "E"))],
        "C": [SwapRule(("A", "B"), ("D", "E"))],
        "D": [SwapRule(("A", "B", "C"), ("E",))],
        "E": [],
    }
    assert {name for name, those in rules.items() if only(those, CutoffRule) == [CutoffRule(5 * MS)]} == set(
        "BCD"
    )
    assert only(rules["A"], DeliverRule) == [DeliverRule("E", False)]
    assert only(rules["E"], DeliverRule) == [DeliverRule("A", False)]
    assert not any(only(rules[name], DeliverRule) for name in "BCD")


def test_nested_repeaters_swap_exact_segments() -> None:
    rules = compiled(plan(NET, PATH, Order.NESTED))
    assert [only(rules[name], SwapRule) for name in "BCD"] == [
        [SwapRule(("A",), ("C",))],
        [SwapRule(("A",), ("E",))],
        [SwapRule(("C",), ("E",))],
    ]
    assert not any(only(those, CutoffRule) for those in rules.values())


def purifications(rules: dict[str, tuple[Rule, ...]]) -> dict[tuple[str, str], tuple[int, bool]]:
    return {
        (name, rule.partner): (rule.rounds, rule.initiator)
        for name, those in rules.items()
        for rule in only(those, PurifyRule)
    }


def test_nested_purification_of_each_level() -> None:
    rules = compiled(plan(NET, PATH, Order.NESTED, rounds=1, inner=2, end_rounds=3))
    expected = {}
    for left, right, rounds in (
        *((a, b, 1) for a, b in pairwise(PATH)), ("A", "C", 2), ("C", "E", 2), ("A", "E", 3),
    ):  # fmt: skip
        expected[left, right] = (rounds, True)  # the end nearer to the source asks
        expected[right, left] = (rounds, False)
    assert purifications(rules) == expected


def test_as_soon_as_possible_only_links_and_the_whole_are_purified() -> None:
    made = plan(NET, PATH, rounds=2, end_rounds=1, distillation=Distillation.BBPSSW)
    rules = compiled(made)
    segments = dict.fromkeys(pairwise(PATH), 2) | {("A", "E"): 1}
    assert purifications(rules) == {
        key: value
        for (a, b), rounds in segments.items()
        for key, value in (((a, b), (rounds, True)), ((b, a), (rounds, False)))
    }
    kinds = {r.distillation for those in rules.values() for r in only(those, PurifyRule)}
    assert kinds == {Distillation.BBPSSW}
    assert not purifications(compiled(plan(NET, PATH)))


def test_retention_covers_there_and_back_of_every_delay() -> None:
    slow = {frozenset("AB"): 3 * US, frozenset("BC"): 4 * US, frozenset("AC"): 20 * US}
    uneven = link(heard=(1 * US, 6 * US))
    net = inventory(
        {name: node(4, swap_time=2 * US) for name in "ABC"},
        [("A", "B", uneven), ("B", "C", link())],
        lambda a, b: slow[frozenset((a, b))],
    )
    assert retention(plan(net, "ABC"), topology(net)) == 4 * (7 + 20 + 3 * 2 + 5) * US
    assert retention(plan(net, "AB"), topology(net)) == 4 * (3 + 3 + 2 * 2 + 5) * US


def test_rotations_and_pumping_reach_both_ends() -> None:
    turns = (Rotation(Axes.XYZ, Axes.ZYX), Rotation(Axes.XZY, Axes.XZY))
    made = plan(NET, PATH, rounds=2, end_rounds=2)
    made = replace(made, turnings=(Turning("B", "C", turns), Turning("A", "E", turns[:1])), pumped=True)
    rules = compiled(made)
    told = {(node, r.partner): r.rotations for node, those in rules.items() for r in only(those, PurifyRule)}
    assert {place: turns for place, turns in told.items() if turns} == {
        ("B", "C"): turns, ("C", "B"): turns, ("A", "E"): turns[:1], ("E", "A"): turns[:1],
    }  # fmt: skip
    assert all(r.pumped for those in rules.values() for r in only(those, PurifyRule))
