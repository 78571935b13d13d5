"""A node agent: leases, epochs, and which installation a message is for."""

from __future__ import annotations

import math

import pytest

from quantum_fabric.control import NodeAgent
from quantum_fabric.messages import (
    Arm,
    Bell,
    Calibration,
    Commit,
    Confirmed,
    Consume,
    CutoffRule,
    Declined,
    DeliverRule,
    Discard,
    Drain,
    GenerateRule,
    Heralded,
    Joined,
    LinkChanged,
    LinkReport,
    Lost,
    Measured,
    Message,
    NodeFailed,
    NodeRecovered,
    Prepare,
    Prepared,
    Purified,
    PurifyAnswer,
    PurifyAsk,
    Received,
    Release,
    Released,
    Renew,
    Restarted,
    Send,
    Side,
    Stale,
    Swapped,
    SwapRule,
    Teleported,
    Wake,
)

PERFECT = Calibration(math.inf, math.inf, 0.0, 0.0, 0.0, 0.0)
ONE = (1.0, 1.0, 1.0)
STAYS = (0.0, 0.0, 0.0)


def prepare(epoch: int = 1, *slots: int, until: int = 100, hold: bool = True) -> Prepare:
    numbers = slots or (0,)
    rules = (
        GenerateRule("A~B", "B", Side.RIGHT, numbers, numbers, None, ONE, STAYS),
        DeliverRule("B", hold),
    )
    return Prepare(epoch, "r", "A", rules, PERFECT, until, 50)


def arm(slot: int, of: int = 1) -> Arm:
    return Arm("A", slot, "A~B", slot, of, None)


def herald(slot: int = 0, number: int = 1) -> Heralded:
    return Heralded("A", slot, "A~B", f"p{number}", Bell.PHI_PLUS, 0, 0)


def tell(message: Message) -> Send:
    return Send("controller", message)


def agent(*prepares: Prepare, commit: bool = True) -> NodeAgent:
    made = NodeAgent("A", 4)
    for each in prepares:
        made.handle(each, 0)
        if commit:
            made.handle(Commit(each.epoch), 0)
    return made


def test_prepare_leases_and_waits_for_commit() -> None:
    made = NodeAgent("A", 4)
    assert made.handle(prepare(1, 1, 3), 5) == [tell(Prepared(1, "A")), Wake(100, "lease", 1)]
    assert made.leases == {1: 1, 3: 1}
    assert made.handle(herald(1), 6) == [Stale("A", "Heralded", 0)]
    assert made.handle(Commit(1), 7) == [arm(1, 2), arm(3, 2)]
    assert made.handle(Commit(1), 8) == []


def test_prepare_twice_is_prepared_twice_and_leased_once() -> None:
    made = agent(prepare(1))
    circuit = made.circuit(1)
    assert made.handle(prepare(1, until=500), 5) == [tell(Prepared(1, "A"))]
    assert made.circuit(1) is circuit
    assert made.leases == {0: 1}


@pytest.mark.parametrize(
    ("asked", "now", "reason"),
    [
        (prepare(2, 2, 1), 0, "slots [1] are leased already"),
        (prepare(2, 3, 4, 9), 0, "there are no slots [4, 9]"),
        (prepare(2, -1), 0, "there are no slots [-1]"),
        (prepare(2, 3), 100, "the lease is over before it began"),
    ],
)
def test_prepare_is_declined_with_a_reason_and_leases_nothing(asked: Prepare, now: int, reason: str) -> None:
    made = agent(prepare(1, 0, 1, until=10**6))
    assert made.handle(asked, now) == [tell(Declined(2, "A", reason))]
    assert made.leases == {0: 1, 1: 1}
    assert made.circuit(2) is None


@pytest.mark.parametrize(
    "message",
    [
        Commit(9),
        Drain(9),
        Joined(9, "p", "p", "C", "c", Bell.PHI_PLUS, ONE, 0, STAYS),
        Lost(9, "p", "why"),
        PurifyAsk(9, "p", "q", "B", "p", 0, 0, ONE, ONE, 0),
        PurifyAnswer(9, "p", True, Bell.PHI_PLUS, ONE, 0),
    ],
)
def test_a_message_of_an_unknown_epoch_is_stale(message: Message) -> None:
    assert agent(prepare(1)).handle(message, 5) == [Stale("A", type(message).__name__, 9)]


@pytest.mark.parametrize("event", [herald(2), Swapped("A", 2, 3, Bell.PHI_PLUS), Purified("A", 2, 3, 0)])
def test_an_event_in_a_slot_that_nobody_leases_is_stale(event: Message) -> None:
    assert agent(prepare(1)).handle(event, 5) == [Stale("A", type(event).__name__, 0)]


@pytest.mark.parametrize(
    "event",
    [
        Measured("A", 2, "Z", 0), Teleported("A", 2, (0, 0)), Received("A", 2, (1, 0, 0, 0)),
        Consume("A", 2, Bell.PHI_PLUS), Wake(5, "cutoff", 9, "p"), Wake(5, "lease", 9),
    ],
)  # fmt: skip
def test_what_needs_no_answer(event: Message) -> None:
    assert list(agent(prepare(1)).handle(event, 5)) == []


def test_release_discards_frees_and_says_so_as_often_as_it_is_told() -> None:
    made = agent(prepare(1, 0, 1), prepare(2, 2))
    assert made.handle(Release(1), 5) == [Discard("A", 0), Discard("A", 1), tell(Released(1, "A"))]
    assert made.leases == {2: 2}
    assert made.handle(Release(1), 6) == [tell(Released(1, "A"))]
    assert made.handle(prepare(3, 0, 1), 7)[0] == tell(Prepared(3, "A"))


def test_a_release_before_commit_has_nothing_to_discard() -> None:
    made = agent(prepare(1), commit=False)
    assert made.handle(Release(1), 5) == [tell(Released(1, "A"))]
    assert made.handle(Commit(1), 6) == [Stale("A", "Commit", 1)]


def test_a_lease_runs_out_by_itself() -> None:
    made = agent(prepare(1))
    assert list(made.handle(Wake(99, "lease", 1), 99)) == []
    assert made.handle(Wake(100, "lease", 1), 100) == [Discard("A", 0), tell(Released(1, "A"))]
    assert made.leases == {}
    assert list(made.handle(Wake(100, "lease", 1), 100)) == []


def test_a_renewed_lease_outlives_its_first_end_and_is_never_shortened() -> None:
    made = agent(prepare(1))
    assert made.handle(Renew(1, 200), 50) == [Wake(200, "lease", 1)]
    assert made.handle(Renew(1, 150), 60) == [Wake(200, "lease", 1)]
    assert list(made.handle(Wake(100, "lease", 1), 100)) == []
    assert made.handle(Wake(200, "lease", 1), 200) == [Discard("A", 0), tell(Released(1, "A"))]


def test_a_node_that_failed_forgets_everything() -> None:
    made = agent(prepare(1), prepare(2, 1))
    assert list(made.handle(NodeFailed("A"), 5)) == []
    assert made.leases == {}
    assert made.circuit(1) is made.circuit(2) is None
    assert list(made.handle(NodeRecovered("A"), 6)) == [tell(Restarted("A", 2, 6))]
    assert made.handle(herald(), 7) == [Stale("A", "Heralded", 0)]
    assert made.handle(Renew(1, 900), 8) == [tell(Released(1, "A"))]
    assert made.handle(Release(1), 9) == [tell(Released(1, "A"))]


def test_a_link_that_changes_is_reported() -> None:
    made = NodeAgent("A", 1)
    for number, up in enumerate((False, True), 1):
        assert made.handle(LinkChanged("A", "A~B", up), 5) == [tell(LinkReport("A", "A~B", up, number, 1))]


def test_each_slot_serves_the_installation_that_leases_it() -> None:
    made = agent(prepare(1, 0, hold=False), prepare(2, 1))
    (told, consume, again) = made.handle(herald(0), 5)
    assert (told.message.epoch, consume, again) == (1, Consume("A", 0, Bell.PHI_PLUS), arm(0))
    (told,) = made.handle(herald(1, 2), 6)
    assert isinstance(told.message, Confirmed)
    assert (told.to, told.message.epoch, told.message.slot) == ("controller", 2, 1)


@pytest.mark.parametrize(
    "used",
    [
        Measured("A", 0, "X", 1),
        Teleported("A", 0, None),
        Received("A", 0, (1, 0, 0, 0)),
        Consume("A", 0, Bell(0)),
    ],
)
def test_a_held_half_that_was_used_makes_room(used: Message) -> None:
    made = agent(prepare(1))
    made.handle(herald(), 5)
    assert made.handle(used, 6) == [arm(0)]
    assert list(made.handle(used, 7)) == []


def test_drain_keeps_the_lease_and_the_held_half() -> None:
    made = agent(prepare(1, 0, 1))
    made.handle(herald(0), 5)
    assert made.handle(Drain(1), 6) == [Discard("A", 1)]
    assert made.leases == {0: 1, 1: 1}
    assert list(made.handle(Measured("A", 0, "X", 1), 7)) == []
    assert made.handle(Release(1), 8) == [tell(Released(1, "A"))]


def test_a_repeater_swaps_and_cuts_off_by_its_rules() -> None:
    rules = (
        GenerateRule("K~A", "K", Side.LEFT, (0,), (0,), None, ONE, STAYS),
        GenerateRule("A~B", "B", Side.RIGHT, (1,), (0,), None, ONE, STAYS),
        SwapRule(("K",), ("B",)),
        CutoffRule(30),
    )
    made = agent(Prepare(1, "r", "A", rules, PERFECT, 100, 50))
    left = Heralded("A", 0, "K~A", "k", Bell.PHI_PLUS, 0, 0)
    assert made.handle(left, 5) == [Wake(30, "cutoff", 1, "k")]
    assert made.handle(Wake(30, "cutoff", 1, "k"), 30)[:2] == [
        Send("K", Lost(1, "k", "cutoff")),
        Discard("A", 0),
    ]
    made.handle(left, 40)
    made.handle(Heralded("A", 1, "A~B", "b", Bell.PHI_PLUS, 40, 40), 41)
    out = made.handle(Swapped("A", 0, 1, None), 42)
    assert out[:2] == [Send("K", Lost(1, "k", "swap failed")), Send("B", Lost(1, "b", "swap failed"))]
