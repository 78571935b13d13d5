"""Links that go dark and nodes that fail: what runs over them is planned anew, the rest is left alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from builders import Tape, inventory, link, node, nothing_left, plan, request
from quantum_fabric.control import Controller
from quantum_fabric.control.rules import slots_wanted
from quantum_fabric.documents import topology
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Accepted,
    Bell,
    Cancel,
    Code,
    Commit,
    Confirmed,
    Declined,
    Delivered,
    LinkChanged,
    LinkReport,
    LinkRequest,
    NodeFailed,
    NodeRecovered,
    Outcome,
    PairId,
    Plan,
    Prepare,
    Prepared,
    Refused,
    Release,
    Released,
    Send,
    Stale,
    Status,
    Wake,
)
from quantum_fabric.units import MS, SECOND, US

DIAMOND = inventory(
    dict.fromkeys("ABCD", node(2)),
    [("A", "B", link()), ("B", "D", link()), ("A", "C", link()), ("C", "D", link())],
    delay=10 * US,
    light=10 * US,
)
MODEL = topology(DIAMOND)
UPPER, LOWER = plan(DIAMOND, "ABD"), plan(DIAMOND, "ACD")
NO_WAY = Refused("", Code.NOROUTE, "network", "no working path from A to D")
DARK = LinkReport("A", "A~B", False)
Use = Callable[[Any], None]


@pytest.fixture(autouse=True)
def _plans(planned: Use) -> None:
    """The upper path where its links are lit, else the lower one; one hop where that is what is asked."""

    def answer(topology: Any, wanted: LinkRequest, free: Any) -> Plan | Refused:
        ends = (wanted.source, wanted.destination)
        paths = [UPPER, LOWER] if ends == ("A", "D") else [plan(DIAMOND, ends, lanes=2)]
        for made in paths:
            if all(each.link in topology.links for each in made.links):
                wants = slots_wanted(made)
                if free is None or all(free[name] >= count for name, count in wants.items()):
                    return made
        return NO_WAY

    planned(answer)


def asks(destination: str = "D", source: str = "A", name: str = "r", **more: Any) -> LinkRequest:
    return request(source, destination, **{"name": name, "pairs": 3, **more})


def start(*wanted: LinkRequest) -> Controller:
    decider = Controller(MODEL)
    for each in wanted or (asks(),):
        out = decider.handle(each, 0)
        for told in sent(out, Prepare):
            decider.handle(Prepared(told.epoch, told.node), 5)
    return decider


def sent(actions: Sequence[Any], kind: type) -> list[Any]:
    return [each.message for each in actions if isinstance(each, Send) and isinstance(each.message, kind)]


def whom(actions: Sequence[Any], message: object) -> str:
    return "".join(each.to for each in actions if isinstance(each, Send) and each.message == message)


def deliver(decider: Controller, epoch: int = 1, pair: int = 1, at: int = 50) -> list[Any]:
    one = (1.0, 1.0, 1.0)
    for name, slot in (("A", 0), ("D", 1)):
        half = Confirmed(
            epoch, name, PairId(f"l{pair}", f"r{pair}"), Bell.PHI_PLUS, one, (0.0,) * 3, 1, at, slot
        )
        out = decider.handle(half, at)
    return list(out)


def test_a_dark_link_moves_its_sessions_to_another_path() -> None:
    decider = start()
    out = decider.handle(DARK, 100)
    assert whom(out, Release(1)) == "ABD"
    assert [(each.node, each.epoch, each.request) for each in sent(out, Prepare)] == [
        ("A", 2, "r"), ("C", 2, "r"), ("D", 2, "r"),
    ]  # fmt: skip
    assert not sent(out, Outcome)
    for name in "AC":
        assert decider.handle(Prepared(2, name), 120) == []
    assert whom(decider.handle(Prepared(2, "D"), 120), Commit(2)) == "ACD"
    assert [each.number for each in sent(deliver(decider, 2), Delivered)] == [1]


def test_the_second_end_of_a_dark_link_changes_nothing_more() -> None:
    decider = start()
    decider.handle(DARK, 100)
    assert decider.handle(LinkReport("B", "A~B", False), 101) == []


def test_only_what_is_owed_is_planned_with_the_time_that_is_left(planned: Use) -> None:
    decider = start(asks(pairs=3, deadline=10 * MS, rate=2.0))
    deliver(decider)
    seen: list[LinkRequest] = []

    def note(topology: Any, wanted: LinkRequest, free: Any = None) -> Plan:
        seen.append(wanted)
        assert set(topology.links) == {"B~D", "A~C", "C~D"}
        return LOWER

    planned(note)
    decider.handle(DARK, 400)
    # word of a pair takes 10 us from D to the controller
    assert [(each.pairs, each.deadline, each.rate) for each in seen] == [(2, 10 * MS - 400 - 10 * US, 2.0)]
    out = deliver(decider, 2, 2)
    assert [type(each) for each in out] == [Stale]  # not before the new epoch is committed
    for name in "ACD":
        decider.handle(Prepared(2, name), 420)
    assert [each.number for each in sent(deliver(decider, 2, 2), Delivered)] == [2]
    out = deliver(decider, 2, 3)
    assert sent(out, Outcome) == [Outcome("r", Status.COMPLETED, 3, "all pairs delivered")]


def test_what_is_late_from_the_old_epoch_is_stale() -> None:
    decider = start()
    decider.handle(DARK, 100)
    late = [Prepared(1, "A"), Declined(1, "A", "x"), deliver]
    assert decider.handle(late[0], 110) == [Stale("controller", "Prepared", 1)]
    assert decider.handle(late[1], 110) == [Stale("controller", "Declined", 1)]
    assert deliver(decider, 1) == [Stale("controller", "Confirmed", 1)]
    for purpose in ("renew", "prepared", "expire", "held"):
        assert decider.handle(Wake(120, purpose, 1), 120) == []


def test_without_another_path_it_fails_and_says_why() -> None:
    decider = start()
    decider.handle(LinkReport("C", "C~D", False), 50)
    out = decider.handle(DARK, 100)
    assert whom(out, Release(1)) == "ABD"
    reason = "link A~B went dark; no working path from A to D"
    assert out[-1] == Send("client", Outcome("r", Status.FAILED, 0, reason, Code.NOROUTE))
    assert not sent(out, Prepare)


def test_a_link_that_goes_dark_twice_is_repaired_twice() -> None:
    decider = start()
    decider.handle(DARK, 100)
    assert decider.handle(LinkReport("A", "A~B", True), 200) == []
    out = decider.handle(LinkReport("C", "A~C", False), 300)
    assert [each.node for each in sent(out, Prepare)] == []  # D's slots are not home yet: it waits
    for name in "ABD":
        out = decider.handle(Released(1, name), 310)
    assert [each.node for each in sent(out, Prepare)] == ["A", "B", "D"]


def test_what_runs_elsewhere_is_left_alone() -> None:
    decider = start(asks("D", "C", "other"))
    assert decider.handle(DARK, 100) == []
    assert sent(decider.handle(asks("B", "A", "late"), 101), Outcome)[0].status is Status.REFUSED


def test_a_request_after_the_cut_takes_the_other_path() -> None:
    decider = Controller(MODEL)
    decider.handle(DARK, 0)
    assert sent(decider.handle(asks(), 10), Accepted)[0].plan is LOWER
    decider.handle(LinkReport("B", "A~B", True), 20)
    assert sent(decider.handle(asks(name="s"), 30), Accepted)[0].plan is UPPER


def test_one_that_waits_is_planned_anew_too() -> None:
    decider = start(asks("B", name="first"))
    assert sent(decider.handle(asks("D", name="waits"), 1), Accepted)[0].queued
    out = decider.handle(LinkReport("D", "B~D", False), 10)
    assert sent(out, Prepare) == []  # A has no slot for the other path either
    decider.handle(Cancel("first"), 20)
    decider.handle(Released(1, "B"), 30)
    out = decider.handle(Released(1, "A"), 31)
    assert [each.node for each in sent(out, Prepare)] == ["A", "C", "D"]


def test_one_that_waits_and_has_no_other_path_fails() -> None:
    decider = start(asks("B", name="first"))
    decider.handle(asks("B", name="waits"), 1)
    out = decider.handle(DARK, 10)
    assert {each.request: each.status for each in sent(out, Outcome)} == {
        "first": Status.FAILED,
        "waits": Status.FAILED,
    }
    for name in "AB":
        assert decider.handle(Released(1, name), 20) == []


def test_light_that_comes_back_serves_what_waits() -> None:
    decider = start(asks("B", name="first"))
    decider.handle(asks("B", name="waits"), 1)
    decider.handle(Cancel("first"), 2)
    decider.ledger.release(1, "A")
    decider.ledger.release(1, "B")
    out = decider.handle(LinkReport("A", "A~C", True), 3)
    assert [each.request for each in sent(out, Prepare)] == ["waits", "waits"]


# ------------------------------------------------------------------------------------------ with the plant


def fabric() -> Fabric:
    return Fabric(DIAMOND, seed=3)


def test_a_cut_fibre_is_seen_and_the_rest_comes_over_the_other_path() -> None:
    made = fabric()
    tape = Tape(made, LinkReport, Prepare)
    name = made.submit(asks(pairs=60))
    made.inject(LinkChanged("", "A~B", False), 200 * US)
    made.run(20 * MS)
    replies = made.replies(name)
    assert [each.number for each in replies if isinstance(each, Delivered)] == list(range(1, 61))
    assert replies[-1] == Outcome(name, Status.COMPLETED, 60, "all pairs delivered")
    reports = [(time, each.node) for time, _, each in tape.of(LinkReport)]
    assert reports == [(205 * US, "A"), (215 * US, "B")]  # 5 us of light, then the way to the controller
    assert [each.node for time, _, each in tape.of(Prepare) if time > 200 * US] == ["A", "C", "D"]
    made.finish()
    assert nothing_left(made)


def test_a_repeater_that_fails_is_replaced_and_its_lease_runs_out() -> None:
    made = fabric()
    name = made.submit(asks(pairs=60))
    made.inject(NodeFailed("B"), 200 * US)
    made.run(20 * MS)
    outcome = made.replies(name)[-1]
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.COMPLETED
    assert {lease.node for lease in made.controller.ledger.leases()} == {"B"}
    made.inject(NodeRecovered("B"))
    made.finish()
    assert nothing_left(made)


def test_an_end_that_fails_fails_the_request() -> None:
    made = fabric()
    name = made.submit(asks(pairs=10**6))
    made.inject(NodeFailed("D"), 200 * US)
    made.run(MS)
    outcome = made.replies(name)[-1]
    assert isinstance(outcome, Outcome)
    assert (outcome.status, outcome.reason) == (
        Status.FAILED,
        "link C~D went dark; no working path from A to D",
    )
    made.run(10 * SECOND)
    assert nothing_left(made)
