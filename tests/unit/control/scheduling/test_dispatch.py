"""Turns on the twin: preemption, tenants, disciplines and windows of upkeep, with the planner and the agents that run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import inventory, link, node, nothing_left
from quantum_fabric.control.scheduling.maintenance import Upkeep
from quantum_fabric.control.scheduling.tenancy import Tenancy, Tenant
from quantum_fabric.control.scheduling.turns import Scheduling
from quantum_fabric.errors import UnknownNameError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Accepted,
    Code,
    Commit,
    Delivered,
    LinkChanged,
    LinkRequest,
    Message,
    Outcome,
    Prepare,
    Refused,
    Send,
    Status,
    Survival,
)
from quantum_fabric.units import MS, SECOND, US

PAIR = inventory({"A": node(1), "B": node(1)}, [("A", "B", link(0.01, fidelity=0.95))], delay=10 * US)
DIAMOND = inventory(
    {"A": node(1), "B": node(2), "C": node(2), "D": node(1)},
    [("A", "B", link(0.01, fidelity=0.98)), ("B", "D", link(0.01, fidelity=0.98)),
     ("A", "C", link(0.005, fidelity=0.98)), ("C", "D", link(0.005, fidelity=0.98))],
    delay=10 * US,
)  # fmt: skip


class Heard:
    """What callers heard, with the time."""

    def __init__(self, fabric: Fabric) -> None:
        self.fabric = fabric
        self.tape: list[tuple[int, Message]] = []
        fabric.watch(lambda now, place, message: self.tape.append((now, message)))

    def of(self, kind: type, name: str) -> list[tuple[int, Any]]:
        found = []
        for now, message in self.tape:
            inner = message.message if isinstance(message, Send) else message
            if isinstance(inner, kind) and getattr(inner, "request", None) == name:
                found.append((now, inner))
        return found

    def outcome(self, name: str) -> tuple[int, Outcome]:
        return next(iter(self.of(Outcome, name)))


def ask(name: str, pairs: int = 5, ends: str = "AB", **more: Any) -> LinkRequest:
    return LinkRequest(ends[0], ends[1], 0.9, pairs=pairs, name=name, **more)


def test_a_high_priority_gets_its_slots_and_the_rest_is_delivered_later() -> None:
    fabric = Fabric(PAIR, seed=3)
    heard = Heard(fabric)
    fabric.submit(ask("low", pairs=200, preemptible=True))
    fabric.submit(ask("high", pairs=5, priority=1), at=5 * MS)
    fabric.run(until=SECOND)
    low, high = heard.of(Delivered, "low"), heard.of(Delivered, "high")
    assert [each.number for _, each in low] == list(range(1, 201))
    assert [each.number for _, each in high] == [1, 2, 3, 4, 5]
    before = [now for now, _ in low if now < high[0][0]]
    assert 1 < len(before) < 200
    between = [now for now, _ in low if high[0][0] <= now <= high[-1][0]]
    assert between == []  # one slot at each end: they cannot both run
    assert heard.outcome("high")[0] < heard.outcome("low")[0]
    assert heard.outcome("low")[1].status is heard.outcome("high")[1].status is Status.COMPLETED
    assert len({now for now, _ in heard.of(Prepare, "low")}) >= 2  # it was installed twice
    assert nothing_left(fabric)


@pytest.mark.parametrize(
    ("first", "second", "policy"),
    [
        ({"preemptible": False}, {"priority": 1}, Scheduling()),
        ({"preemptible": True, "priority": 1}, {"priority": 1}, Scheduling()),
        ({"preemptible": True}, {"priority": 1}, Scheduling(preempts=False)),
        (
            {"preemptible": True, "tenant": "a"},
            {"priority": 1, "tenant": "b"},
            Scheduling(Tenancy.of([Tenant("a", put_off=0), Tenant("b")])),
        ),
        (
            {"preemptible": True, "tenant": "a"},
            {"priority": 1, "tenant": "b"},
            Scheduling(Tenancy.of([Tenant("a"), Tenant("b", preempts=0)])),
        ),
    ],
)
def test_nobody_else_is_put_off(first: Any, second: Any, policy: Scheduling) -> None:
    fabric = Fabric(PAIR, seed=3, scheduling=policy)
    heard = Heard(fabric)
    fabric.submit(ask("first", pairs=100, **first))
    fabric.submit(ask("second", **second), at=MS)
    fabric.run(until=SECOND)
    assert heard.outcome("first")[0] < heard.of(Delivered, "second")[0][0]
    assert heard.outcome("second")[1].status is Status.COMPLETED


def test_who_was_put_off_in_vain_goes_on() -> None:
    """The one for whom others were put off is withdrawn before it could begin."""
    fabric = Fabric(PAIR, seed=3)
    heard = Heard(fabric)
    fabric.submit(ask("low", pairs=50, preemptible=True))
    fabric.submit(ask("high", priority=1), at=5 * MS)
    fabric.run(until=5 * MS)
    fabric.cancel("high")
    fabric.run(until=SECOND)
    assert heard.outcome("high")[1].status is Status.CANCELLED
    assert heard.outcome("low")[1].status is Status.COMPLETED
    assert len(heard.of(Delivered, "low")) == 50
    assert nothing_left(fabric)


def test_higher_priority_goes_first() -> None:
    fabric = Fabric(PAIR, seed=3)
    heard = Heard(fabric)
    for name, priority in (("running", 0), ("low", 0), ("high", 2), ("mid", 1)):
        fabric.submit(ask(name, priority=priority))
    fabric.run(until=SECOND)
    ends = [heard.outcome(name)[0] for name in ("running", "high", "mid", "low")]
    assert ends == sorted(ends)


def test_unknown_tenants_and_quotas_are_refused() -> None:
    policy = Scheduling(Tenancy.of([Tenant("a", slots=2), Tenant("b", requests=1), Tenant("c", rate=3.0)]))
    fabric = Fabric(PAIR, seed=3, scheduling=policy)
    heard = Heard(fabric)
    fabric.submit(ask("nobody"))
    fabric.submit(ask("a1", pairs=50, tenant="a"))
    fabric.submit(ask("a2", tenant="a"), at=1)
    fabric.submit(ask("b1", tenant="b"), at=2)
    fabric.submit(ask("b2", tenant="b"), at=3)
    fabric.submit(ask("c1", tenant="c", rate=4.0), at=4)
    fabric.submit(ask("a3", tenant="a"), at=SECOND)
    fabric.run(until=2 * SECOND)
    refusals = {name: heard.of(Refused, name)[0][1] for name in ("nobody", "a2", "b2", "c1")}
    assert refusals["nobody"].code is Code.REJECTED
    assert refusals["nobody"].resource == "tenant ''"
    assert {name: refusals[name].resource for name in ("a2", "b2", "c1")} == {
        "a2": "quota of tenant a: memory slots",
        "b2": "quota of tenant b: open requests",
        "c1": "quota of tenant c: pairs per second",
    }
    assert all(refusals[name].code is Code.NORES for name in ("a2", "b2", "c1"))
    # the next available time is about when the other one ends: all but one in twenty end sooner
    assert heard.outcome("a1")[0] < refusals["a2"].available < 2 * heard.outcome("a1")[0]
    assert refusals["c1"].available is None  # it alone is too much
    assert heard.outcome("a3")[1].status is Status.COMPLETED


def test_shares_follow_the_weights() -> None:
    tenants = Tenancy.of([Tenant("gold", weight=3.0), Tenant("iron")])
    fabric = Fabric(PAIR, seed=3, scheduling=Scheduling(tenants, discipline="weighted fair"))
    heard = Heard(fabric)
    for k in range(12):
        for tenant in ("iron", "gold"):
            fabric.submit(ask(f"{tenant}{k}", tenant=tenant))
    fabric.run(until=SECOND)
    ends = sorted(
        (heard.outcome(f"{tenant}{k}")[0], tenant) for tenant in ("iron", "gold") for k in range(12)
    )
    first = [tenant for _, tenant in ends[:12]]
    assert 8 <= first.count("gold") <= 10  # three of four


def test_earliest_deadline_drops_what_is_too_late() -> None:
    fabric = Fabric(PAIR, seed=3, scheduling=Scheduling(discipline="earliest deadline"))
    heard = Heard(fabric)
    fabric.submit(ask("running", pairs=20))
    fabric.submit(ask("none", pairs=5))
    fabric.submit(ask("soon", pairs=5, deadline=900 * MS))
    fabric.run(until=SECOND)
    told = [name for name in ("running", "soon", "none") if heard.of(Accepted, name)]
    ends = [heard.outcome(name)[0] for name in told]
    assert ends == sorted(ends)


def upkeep(target: str, start: int, end: int, **more: Any) -> Scheduling:
    return Scheduling(upkeep=(Upkeep(target, start, end, **more),))


def test_maintenance_drains_before_it_begins() -> None:
    start, end = 10 * MS, 60 * MS
    fabric = Fabric(PAIR, seed=3, scheduling=upkeep("A~B", start, end, notice=MS))
    heard = Heard(fabric)
    fabric.submit(ask("long", pairs=200))
    fabric.run(until=SECOND)
    times = [now for now, _ in heard.of(Delivered, "long")]
    assert [now for now in times if start <= now < end] == []
    assert 1 < len([now for now in times if now < start]) < 200
    assert len(times) == 200
    assert heard.outcome("long")[1].status is Status.COMPLETED
    assert nothing_left(fabric)


def test_another_path_during_maintenance() -> None:
    fabric = Fabric(DIAMOND, seed=3, scheduling=upkeep("B", 10 * MS, 500 * MS, notice=MS))
    heard = Heard(fabric)
    fabric.submit(ask("long", pairs=100, ends="AD"))
    fabric.run(until=400 * MS)
    paths = [set(), set()]
    for now, message in heard.of(Prepare, "long"):
        paths[now > 8 * MS].add(message.node)
    assert paths == [{"A", "B", "D"}, {"A", "C", "D"}]
    assert heard.outcome("long")[1].status is Status.COMPLETED


def test_a_deadline_beyond_a_window_is_refused_or_planned_around() -> None:
    policy = upkeep("A~B", 5 * MS, 500 * MS, notice=MS)
    alone = Fabric(PAIR, seed=3, scheduling=policy)
    heard = Heard(alone)
    alone.submit(ask("late", pairs=100, deadline=400 * MS))
    alone.submit(ask("soon", pairs=1, deadline=400 * MS))
    alone.run(until=SECOND)
    refused = heard.of(Refused, "late")[0][1]
    assert (refused.code, refused.resource, refused.available) == (
        Code.NOTIME, "maintenance of A~B", 500 * MS,
    )  # fmt: skip
    assert heard.outcome("soon")[1].status is Status.COMPLETED  # done before the window
    again = Fabric(PAIR, seed=3, scheduling=policy)
    told = Heard(again)
    again.submit(replace(refused.offer, name="offer"))
    again.run(until=2 * SECOND)
    assert told.outcome("offer")[1].status is Status.COMPLETED

    around = Fabric(DIAMOND, seed=3, scheduling=upkeep("B", 5 * MS, 500 * MS, notice=MS))
    heard = Heard(around)
    around.submit(ask("late", pairs=100, ends="AD", deadline=400 * MS))
    around.run(until=SECOND)
    assert heard.of(Accepted, "late")[0][1].plan.path == ("A", "C", "D")
    assert heard.outcome("late")[1].status is Status.COMPLETED


def test_what_breaks_during_a_window_is_broken_after_it() -> None:
    fabric = Fabric(PAIR, seed=3, scheduling=upkeep("A~B", 5 * MS, 50 * MS))
    heard = Heard(fabric)
    fabric.submit(ask("long", pairs=200))
    fabric.inject(LinkChanged("", "A~B", False), at=20 * MS)
    fabric.run(until=SECOND)
    at, told = heard.outcome("long")
    assert (at >= 50 * MS, told.status) == (True, Status.FAILED)
    assert "went dark" in told.reason
    assert all(now < 5 * MS for now, _ in heard.of(Commit, "long"))


def test_a_target_that_is_not_there() -> None:
    with pytest.raises(
        UnknownNameError, match="upkeep: found 'X', expected a link, a node or a shared station"
    ):
        Fabric(PAIR, scheduling=upkeep("X", 1, 2))
    with pytest.raises(UnknownNameError, match="discipline: found 'lottery'"):
        Fabric(PAIR, scheduling=Scheduling(discipline="lottery"))


@pytest.mark.parametrize("window", ["C", "B", None])
def test_upkeep_of_what_stands_ready_counts_too(window: str | None) -> None:
    """Two paths, and a window of upkeep on either of them: nothing could take over there, so survival cannot be promised."""
    wide = inventory(
        {name: node(4) for name in "ABCD"},
        [("A", "B", link(0.01, fidelity=0.98)), ("B", "D", link(0.01, fidelity=0.98)),
         ("A", "C", link(0.005, fidelity=0.98)), ("C", "D", link(0.005, fidelity=0.98))],
        delay=10 * US,
    )  # fmt: skip
    policy = {} if window is None else {"scheduling": upkeep(window, 5 * MS, 500 * MS, notice=MS)}
    fabric = Fabric(wide, seed=3, **policy)
    heard = Heard(fabric)
    wish = ask("wish", pairs=60, ends="AD", deadline=400 * MS)
    fabric.submit(replace(wish, survives=Survival.LINK))
    fabric.run(until=2 * MS)
    if window is None:
        accepted = heard.of(Accepted, "wish")[0][1]
        assert (accepted.plan.path, accepted.backup.path) == (("A", "B", "D"), ("A", "C", "D"))
        return
    refused = heard.of(Refused, "wish")[0][1]
    assert (refused.code, refused.resource) == (Code.NOTIME, f"maintenance of {window}")
