"""Requests that must survive a failure: admitted with a second plan, or refused with the name of what nothing outlives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from builders import inventory, link, node, nothing_left
from quantum_fabric.control import Controller
from quantum_fabric.control.survival import single_points
from quantum_fabric.documents import Inventory, topology
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Accepted,
    Ask,
    Cancel,
    Code,
    Commit,
    LinkChanged,
    LinkReport,
    LinkRequest,
    NodeFailed,
    Offered,
    Outcome,
    Plan,
    Prepare,
    Prepared,
    Protected,
    Refused,
    Release,
    Released,
    Renegotiate,
    Renegotiated,
    Rerouted,
    Send,
    Status,
    Survival,
    Unkept,
)
from quantum_fabric.network.finish import finished_by
from quantum_fabric.units import MS, SECOND, US


def network(edges: str, slots: int = 4, fidelity: float = 0.98) -> Inventory:
    """Links between letters, as in "AB BD"; all alike."""
    names = sorted(set(edges.replace(" ", "")))
    return inventory(
        dict.fromkeys(names, node(slots, t2=1.0)),
        [(*sorted(each), link(0.2, 50 * US, fidelity)) for each in edges.split()],  # type: ignore[misc]
        delay=10 * US,
        light=10 * US,
    )


DIAMOND = network("AB BD AC CD")
BRIDGED = network("AB AC BC CD")  # every path to D goes over C and its link
PINCHED = network("AB AC BX CX XE XF ED FD")  # two paths of links, one waist
TRAP = network("AB BC CD AE EC BF FD", slots=6)  # the shortest path is in the way of both disjoint ones
WISH = LinkRequest("A", "D", 0.85, pairs=20, name="r", survives=Survival.LINK)


def sent(actions: Sequence[Any], kind: type) -> list[Any]:
    return [each.message for each in actions if isinstance(each, Send) and isinstance(each.message, kind)]


def start(made: Controller, *wanted: Any, now: int = 0) -> list[Any]:
    told = []
    for each in wanted:
        out = made.handle(each, now)
        told.append(next(action.message for action in out if isinstance(action, Send)))
        ready(made, out, now + 5)
    return told


def ready(made: Controller, out: Sequence[Any], now: int) -> list[Any]:
    return [
        action for each in sent(out, Prepare) for action in made.handle(Prepared(each.epoch, each.node), now)
    ]


def cut(name: str) -> LinkReport:
    return LinkReport(name[0], name, False)


@pytest.mark.parametrize("survives", [Survival.LINK, Survival.NODE])
def test_two_disjoint_plans_and_slots_for_both(survives: Survival) -> None:
    made = Controller(topology(DIAMOND))
    (told,) = start(made, replace(WISH, survives=survives))
    assert isinstance(told, Accepted)
    assert told.backup is not None
    assert {told.plan.path, told.backup.path} == {("A", "B", "D"), ("A", "C", "D")}
    over = told.backup.path[1]
    assert made.ledger.aside == {"A": 2, over: 4, "D": 2}
    assert made.ledger.free()["A"] == 0
    made.handle(Cancel("r"), 10)
    assert made.ledger.aside == {}


def test_it_switches_at_once_and_without_planning(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Controller(topology(DIAMOND))
    (told,) = start(made, WISH)
    monkeypatch.setattr(made.admission, "_planner", None)  # whoever asks, fails
    monkeypatch.setattr(made._repair, "protect", lambda *more: None)
    out = made.handle(cut("A~B" if told.plan.path[1] == "B" else "A~C"), 100)
    assert [each.node for each in sent(out, Prepare)] == list(told.backup.path)
    assert sent(out, Rerouted) == [Rerouted("r", told.backup, f"link A~{told.plan.path[1]} went dark", True)]
    assert {each.epoch for each in sent(out, Release)} == {1}
    assert len(sent(ready(made, out, 120), Commit)) == 3


def test_nothing_is_left_for_a_second_failure_and_that_is_told() -> None:
    made = Controller(topology(DIAMOND))
    (told,) = start(made, WISH)
    one, two = told.plan.path[1], told.backup.path[1]
    out = made.handle(cut(f"A~{one}"), 100)
    (warned,) = sent(out, Protected)
    assert warned.backup is None
    ready(made, out, 110)
    out = made.handle(cut(f"A~{two}"), 200)
    (unkept,), (outcome,) = sent(out, Unkept), sent(out, Outcome)
    assert unkept.refusal.reason == outcome.reason
    assert (outcome.status, outcome.code) == (Status.FAILED, Code.NOROUTE)


def test_what_stands_ready_comes_back_with_the_light() -> None:
    made = Controller(topology(DIAMOND))
    (told,) = start(made, WISH)
    one = told.plan.path[1]
    out = made.handle(cut(f"A~{one}"), 100)
    ready(made, out, 110)
    for name in told.plan.path:
        made.handle(Released(1, name), 120)
    out = made.handle(LinkReport("A", f"A~{one}", True), 300)
    (again,) = sent(out, Protected)
    assert again.backup.path == ("A", one, "D")
    assert made.ledger.aside[one] > 0
    assert not sent(out, Prepare)


def test_a_cut_of_what_only_stands_ready_bothers_no_node() -> None:
    made = Controller(topology(network("AB BD AC CD AE ED")))
    (told,) = start(made, WISH)
    two = told.backup.path[1]
    out = made.handle(cut(f"A~{two}"), 100)
    assert [each.to for each in out if isinstance(each, Send)] == ["client"]
    (news,) = sent(out, Protected)
    assert news.backup.path[1] not in (two, told.plan.path[1])


def test_a_bridge_is_named_and_what_is_offered_is_accepted() -> None:
    made = Controller(topology(BRIDGED))
    (refused,) = start(made, WISH)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.resource) == (Code.UNSUPP, "link C~D")
    assert refused.offer.survives is Survival.NOTHING
    (told,) = start(made, replace(refused.offer, name="again"))
    assert isinstance(told, Accepted)


def test_a_waist_is_named_and_what_survives_links_is_offered() -> None:
    made = Controller(topology(PINCHED))
    wish = replace(WISH, fidelity=0.8, survives=Survival.NODE)
    (refused,) = start(made, wish)
    assert isinstance(refused, Refused)
    assert refused.resource == "node X"
    assert refused.offer == replace(wish, name="", survives=Survival.LINK)
    (told,) = start(made, replace(refused.offer, name="again"))
    assert isinstance(told, Accepted)
    links = [{each.link for each in plan.links} for plan in (told.plan, told.backup)]
    assert links[0].isdisjoint(links[1])
    assert "X" in told.plan.path
    assert "X" in told.backup.path


def test_a_first_path_that_is_in_the_way_of_both_gives_way() -> None:
    made = Controller(topology(TRAP))
    (told,) = start(made, replace(WISH, survives=Survival.NODE))
    assert isinstance(told, Accepted)
    assert {told.plan.path, told.backup.path} == {("A", "B", "F", "D"), ("A", "E", "C", "D")}


def test_too_few_slots_at_the_ends_are_named() -> None:
    made = Controller(topology(network("AB BD AC CD", slots=2)))
    busy = replace(WISH, name="other", survives=Survival.NOTHING)
    start(made, busy)
    (refused,) = start(made, WISH)
    assert isinstance(refused, Refused)
    assert refused.offer is not None
    assert isinstance(start(made, replace(refused.offer, name="again"))[0], Accepted)


def test_a_deadline_holds_though_the_failure_comes_late() -> None:
    made = Controller(topology(DIAMOND))
    (plain,) = start(made, replace(WISH, name="plain", survives=Survival.NOTHING))
    made.handle(Cancel("plain"), 10)
    for name in plain.plan.path:
        made.handle(Released(1, name), 20)
    soon = 100 + finished_by(plain.plan.forecast, WISH.pairs, 0.95) * 11 // 10
    assert isinstance(
        start(made, replace(WISH, name="p", survives=Survival.NOTHING, deadline=soon), now=100)[0], Accepted
    )
    made = Controller(topology(DIAMOND))
    (refused,) = start(made, replace(WISH, deadline=soon), now=100)
    assert isinstance(refused, Refused)
    assert refused.code is Code.NOTIME
    assert refused.offer.survives is Survival.LINK
    assert refused.offer.deadline > soon
    (told,) = start(made, replace(refused.offer, name="again"), now=100)
    assert isinstance(told, Accepted)
    assert told.backup is not None


def test_an_offer_keeps_both_and_gives_both_back() -> None:
    made = Controller(topology(DIAMOND))
    (offered,) = start(made, Ask(WISH))
    assert isinstance(offered, Offered)
    assert offered.backup is not None
    assert made.ledger.aside
    made.handle(cut(f"A~{offered.backup.path[1]}"), 50)
    assert not made.ledger.aside
    assert not made.ledger.leases()


def test_survival_can_be_wished_for_later_and_given_up() -> None:
    made = Controller(topology(network("AB BD AC CD", slots=8)))
    plain = replace(WISH, survives=Survival.NOTHING, rate=1.0)
    start(made, plain)
    out = made.handle(Renegotiate("r", replace(plain, survives=Survival.NODE)), 100)
    ready(made, out, 110)
    assert "r" in made.admission.spares
    assert isinstance(sent(made.handle(Renegotiate("r", plain), 200), Renegotiated)[0], Renegotiated)
    assert len(made.admission.spares) == 0


def test_single_points_are_what_is_on_every_path() -> None:
    believed = topology(PINCHED)
    made = Controller(believed).admission.planned(replace(WISH, fidelity=0.8))
    assert isinstance(made, Plan)
    assert single_points(believed, made, nodes=True) == ("X",)
    assert single_points(believed, made, nodes=False) == ()


@pytest.mark.parametrize(
    "event", [LinkChanged("", "A~B", False), LinkChanged("", "C~D", False), NodeFailed("B"), NodeFailed("C")]
)
def test_on_the_plant_all_pairs_come_whatever_fails(event: LinkChanged | NodeFailed) -> None:
    fabric = Fabric(DIAMOND, seed=5)
    name = fabric.submit(replace(WISH, pairs=60, survives=Survival.NODE))
    fabric.inject(event, 3 * MS)
    fabric.run(5 * SECOND, stop=lambda: not fabric.open_requests)
    outcome = fabric.replies(name)[-1]
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.COMPLETED
    fabric.finish()
    assert nothing_left(fabric)
    assert not fabric.controller.ledger.aside
