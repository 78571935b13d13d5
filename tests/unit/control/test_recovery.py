"""What a controller does when a node or itself lives again, and the journal that it comes back from."""

from __future__ import annotations

import random
from typing import Any

import pytest

from builders import inventory, link, node, plan
from model.parts import frozen
from quantum_fabric.control import Controller, controller
from quantum_fabric.control.recovery import EPOCHS_OF_A_LIFE, Journal
from quantum_fabric.control.transport import Correspondent, Endpoint
from quantum_fabric.documents import topology
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    CONTROLLER,
    Commit,
    ControllerRecovered,
    Holding,
    Inquire,
    LinkReport,
    LinkRequest,
    Prepare,
    Prepared,
    Release,
    Released,
    Restarted,
    Send,
    Stale,
    Undelivered,
    Wake,
)
from quantum_fabric.post import Channel
from quantum_fabric.units import MS, SECOND, US

NETWORK = inventory(
    dict.fromkeys("ABC", node(4)), [("A", "B", link(0.5)), ("B", "C", link(0.5))], 5 * US, "A"
)


@pytest.fixture
def decider(monkeypatch: pytest.MonkeyPatch) -> Controller:
    """One that runs a request over A, B and C in epoch 1."""
    monkeypatch.setattr(controller, "make_plan", lambda *_, **__: plan(NETWORK, "ABC"))
    made = Controller(topology(NETWORK))
    made.handle(LinkRequest("A", "C", 0.6, pairs=9, name="r"), 0)
    for name in "ABC":
        made.handle(Prepared(1, name), 1)
    return made


def letters(actions: Any, kind: type) -> list[tuple[str, Any]]:
    return [
        (each.to, each.message)
        for each in actions
        if isinstance(each, Send) and isinstance(each.message, kind)
    ]


def test_a_node_that_lives_again_has_its_epochs_released_and_installed_anew(decider: Controller) -> None:
    out = decider.handle(Restarted("B", 2, 5), 9)
    assert {to for to, each in letters(out, Release) if each.epoch == 1} == set("ABC")
    assert [to for to, each in letters(out, Release)].count("B") == 1
    assert {(to, each.epoch) for to, each in letters(out, Prepare)} == {(name, 2) for name in "ABC"}
    held = {lease.epoch for lease in decider.ledger.leases() if lease.node == "B"}
    assert held == {1, 2}  # its slots come back at its word, and no earlier
    decider.handle(Released(1, "B"), 10)
    assert {lease.epoch for lease in decider.ledger.leases() if lease.node == "B"} == {2}


def test_old_news_of_a_restart_changes_nothing(decider: Controller) -> None:
    decider.handle(Restarted("B", 2, 5), 9)
    assert decider.handle(Restarted("B", 2, 5), 10) == [Stale(CONTROLLER, "Restarted", 0)]


def test_what_was_sent_to_the_new_life_of_a_node_is_left_alone(decider: Controller) -> None:
    assert decider.handle(Restarted("B", 2, -5), 9) == []


def test_old_reports_of_a_link_are_not_believed(decider: Controller) -> None:
    lit, dark = LinkReport("B", "A~B", True, 2, 1), LinkReport("B", "A~B", False, 1, 1)
    decider.handle(lit, 5)
    assert decider.handle(dark, 6) == [Stale(CONTROLLER, "LinkReport", 0)]
    assert not decider.admission.dark
    decider.handle(LinkReport("B", "A~B", False, 1, 2), 7)  # of its next life
    assert decider.admission.dark == {"A~B"}


def test_a_controller_that_lives_again_asks_everybody_and_gives_other_numbers(decider: Controller) -> None:
    out = decider.handle(ControllerRecovered(2, 0), 9)
    assert letters(out, Inquire) == [(name, Inquire(1)) for name in "ABC"]
    out = decider.handle(LinkRequest("A", "C", 0.6, name="s"), 10)
    assert {each.epoch for _, each in letters(out, Prepare)} == {(2 << EPOCHS_OF_A_LIFE) + 1}


def test_what_a_node_holds_and_no_book_says_is_released(decider: Controller) -> None:
    assert letters(decider.handle(Holding("B", (1, 77), 1), 9), Release) == [("B", Release(77))]


def test_what_a_node_has_let_go_of_is_installed_anew(decider: Controller) -> None:
    out = decider.handle(Holding("B", (), 1), 9)
    assert {each.epoch for _, each in letters(out, Prepare)} == {2}
    assert ("B", Release(1)) in letters(out, Release)


def test_a_prepare_that_may_be_on_its_way_is_waited_for(decider: Controller) -> None:
    decider.handle(LinkRequest("A", "C", 0.6, name="s"), 10)
    assert letters(decider.handle(Holding("B", (1,), 2), 11), Release) == []
    assert letters(decider.handle(Holding("B", (1,), 1), 11), Release) == []


def test_a_commit_that_nobody_got_is_repaired(decider: Controller) -> None:
    out = decider.handle(Undelivered(CONTROLLER, "B", Commit(1), "expired", 5), 9)
    assert {each.epoch for _, each in letters(out, Prepare)} == {2}
    assert decider.handle(Undelivered(CONTROLLER, "B", Release(1), "expired", 5), 9) == []


# ------------------------------------------------------------------------------------------------ the journal


@pytest.mark.parametrize("every", [1, 3, 10**6])
def test_what_comes_back_from_a_journal_is_what_there_was(
    every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each input of a run with faults: the same state, the same reminders to come."""
    fabric = Fabric(NETWORK, seed=4, channel=Channel(loss=0.1, duplication=0.1, jitter=50 * US))
    post = fabric._post
    assert post is not None
    seat = post._seats[CONTROLLER]
    post._journal = journal = Journal(seat, fabric.controller.configuration, every=every)
    dice, checked, rung = random.Random(1), 0, set[Wake]()
    for number in range(4):
        fabric.submit(LinkRequest("AB"[number % 2], "C", 0.6, pairs=5, hold=number == 3), number * MS)

    def look() -> bool:
        nonlocal checked
        if dice.random() < 0.05:
            again, wakes = journal.restored()
            assert frozen(again, {}) == frozen(seat, {})
            assert again.decider is not seat.decider
            coming = [
                handle[4][3]
                for handle in fabric.clock._queue
                if handle[3] is not None and isinstance(handle[4], tuple) and handle[4][0] == CONTROLLER
                and isinstance(handle[4][-1], Wake)
            ]  # fmt: skip
            assert sorted(map(repr, wakes)) == sorted(map(repr, coming))
            checked += 1
        return False

    fabric.run(200 * MS, stop=look)
    assert checked > 10
    assert not rung
    assert journal.inputs < every


def test_secrets_and_topology_are_not_written_into_a_journal() -> None:
    secret = b"not to be written anywhere at all"
    decider = Controller(topology(NETWORK), secret=secret)
    seat = Correspondent(decider, Endpoint(CONTROLLER, {}, SECOND))
    journal = Journal(seat, decider.configuration)
    assert secret not in journal._image
    again = journal.restored()[0].decider
    assert again._secret == secret  # type: ignore[attr-defined]
    assert again.topology is decider.topology  # type: ignore[attr-defined]
