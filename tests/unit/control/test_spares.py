"""What is set aside for failures: enough for any one, no more, against all failures tried one by one."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import inventory, link, node, plan
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.rules import lanes_wanted, slots_wanted
from quantum_fabric.control.spares import Spares, risks, spare
from quantum_fabric.messages import Plan

NODES = "ABCDEF"
WHOLE = inventory(dict.fromkeys(NODES, node(40)), [(a, b, link()) for a in NODES for b in NODES if a < b])


def on(path: str, lanes: int = 1) -> Plan:
    return plan(WHOLE, path, lanes=lanes)


def book() -> tuple[Ledger, Spares]:
    ledger = Ledger(dict.fromkeys(NODES, 40))
    return ledger, Spares(ledger)


def test_those_that_cannot_fail_together_share() -> None:
    ledger, spares = book()
    spares.put("r", on("AB"), on("ACB"))
    spares.put("s", on("ADB"), on("ACB"))
    assert ledger.aside == {"A": 1, "B": 1, "C": 2}


def test_those_that_fail_together_do_not() -> None:
    ledger, spares = book()
    spares.put("r", on("ADB"), on("ACB"))
    spares.put("s", on("EDF"), on("ECF"))  # D is common
    assert ledger.aside == {"A": 1, "B": 1, "C": 4, "E": 1, "F": 1}
    assert spares.shared(("slots", "C"), on("ADF")) == 4
    assert spares.shared(("slots", "C"), on("ABF")) == 2  # r ends at B
    assert spares.shared(("slots", "C"), on("AF")) == 0


def test_an_end_that_fails_seems_to_be_links_that_failed() -> None:
    """What ends where another passes reaches for its spare for a moment: that of the other must not be the one it finds."""
    ledger, spares = book()
    spares.put("r", on("ADB"), on("ACB"))
    spares.put("s", on("DE"), on("DCE"))
    assert ledger.aside["C"] == 4
    spares.drop("r")
    assert ledger.aside["C"] == 2


def test_what_is_dropped_is_free_and_is_told() -> None:
    ledger, spares = book()
    second = on("ACB", lanes=3)
    spares.put("r", on("AB"), second)
    assert (ledger.free()["C"], ledger.taken("A~C")) == (34, 3)
    assert spares["r"] is second
    assert (spares.over("A~C"), spares.at("C"), len(spares)) == (("r",), ("r",), 1)
    assert spares.drop("r") is second
    assert spares.drop("r") is None
    assert (ledger.aside, ledger.taken("A~C"), len(spares)) == ({}, 0, 0)


PATHS = st.permutations(NODES).flatmap(
    lambda names: st.integers(2, 4).map(lambda count: "".join(names[:count]))
)
PAIRS = st.tuples(PATHS, PATHS, st.integers(1, 3))


def uses(path: str, what: str) -> bool:
    return what in path[1:-1] or any(what in (f"{a}~{b}", f"{b}~{a}") for a, b in pairwise(path))


@settings(max_examples=40)
@given(st.lists(PAIRS, max_size=8), st.data())
def test_enough_is_set_aside_for_any_single_failure(
    drawn: list[tuple[str, str, int]], data: st.DataObject
) -> None:
    ledger, spares = book()
    for number, (one, two, lanes) in enumerate(drawn):
        new = spare(on(one), on(two, lanes))
        told = {thing: spares.needed(thing, new) for thing in new.wanted}
        spares.put(f"r{number}", on(one), on(two, lanes))
        assert told == {thing: spares.needed(thing) for thing in new.wanted}
    gone = data.draw(st.sets(st.integers(0, 7)))
    for number in gone:
        spares.drop(f"r{number}")
    left = [each for number, each in enumerate(drawn) if number not in gone]
    things = set().union(*(risks(on(one)) for one, _, _ in left)) if left else set()
    slots: Counter[str] = Counter()
    lanes_aside: Counter[str] = Counter()
    for failure in things:
        here: Counter[str] = Counter()
        there: Counter[str] = Counter()
        for one, two, lanes in left:
            if uses(one, failure) or failure in (one[0], one[-1]):
                here.update(slots_wanted(on(two, lanes)))
                there.update(lanes_wanted(on(two, lanes)))
        slots |= here
        lanes_aside |= there
    assert ledger.aside == dict(slots)
    assert all(ledger.taken(name) == lanes_aside[name] for name in WHOLE.links)
