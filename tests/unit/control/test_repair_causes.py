"""Repair by cause: links that wear out, slots that break, several links at once, what is being made when a link goes dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from builders import Tape, inventory, link, node, nothing_left
from quantum_fabric.control import Controller, NodeAgent
from quantum_fabric.documents import Inventory, topology
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    CONTROLLER,
    Accepted,
    Code,
    Commit,
    Kept,
    LinkChanged,
    LinkReport,
    LinkRequest,
    LinkWorn,
    Outcome,
    Prepare,
    Prepared,
    Refused,
    Release,
    Renegotiate,
    Rerouted,
    Send,
    SlotsBroken,
    SlotsLost,
    Stale,
    Status,
    Unkept,
)
from quantum_fabric.units import MS, SECOND, US


def network(slots: int = 8, edges: str = "AB BD AC CD") -> Inventory:
    names = sorted(set(edges.replace(" ", "")))
    return inventory(
        dict.fromkeys(names, node(slots, t2=1.0)),
        [(each[0], each[1], link(0.2, 50 * US, 0.98)) for each in edges.split()],
        delay=10 * US,
        light=10 * US,
    )


WISH = LinkRequest("A", "D", 0.85, pairs=50, name="r")


def sent(actions: Sequence[Any], kind: type) -> list[Any]:
    return [each.message for each in actions if isinstance(each, Send) and isinstance(each.message, kind)]


def ready(made: Controller, out: Sequence[Any], now: int) -> list[Any]:
    return [
        action for each in sent(out, Prepare) for action in made.handle(Prepared(each.epoch, each.node), now)
    ]


def busy(made: Controller, request: LinkRequest = WISH, slots: int = 4) -> Accepted:
    """A request that leaves room for another path at its ends."""
    epoch = made.count_from(0) + 1
    made.count_from(epoch)
    made.ledger.lease(epoch, {"A": slots, "D": slots}, until=SECOND)
    out = made.handle(request, 0)
    for name in "AD":
        made.ledger.release(epoch, name)
    (told,) = sent(out, Accepted)
    ready(made, out, 5)
    assert isinstance(told, Accepted)
    return told


def test_a_worn_link_is_left_when_the_new_path_is_there_and_not_before() -> None:
    made = Controller(topology(network()))
    told = busy(made)
    old = told.plan.path[1]
    out = made.handle(LinkWorn(f"A~{old}", True), 100)
    assert sent(out, Prepare)
    assert not sent(out, Release)
    assert not sent(out, Outcome)
    done = ready(made, out, 120)
    assert {each.epoch for each in sent(done, Commit)} == {sent(out, Prepare)[0].epoch}
    assert [each.to for each in done if isinstance(each, Send) and isinstance(each.message, Release)] == list(
        told.plan.path
    )
    (moved,) = sent(done, Rerouted)
    assert moved.plan.path[1] != old
    assert moved.reason == f"link A~{old}: drift"
    assert made.handle(LinkWorn(f"A~{old}", True), 130) == [Stale(CONTROLLER, "LinkWorn", 0)]


def test_where_there_is_nothing_better_a_worn_link_goes_on() -> None:
    made = Controller(topology(network(edges="AB BD")))
    told = busy(made)
    assert made.handle(LinkWorn("A~B", True), 100) == []
    assert made.sessions["r"].plan is told.plan
    out = made.handle(LinkReport("A", "A~B", False), 200)  # but when it goes dark, that is the end
    (unkept,), (outcome,) = sent(out, Unkept), sent(out, Outcome)
    assert (outcome.status, outcome.code) == (Status.FAILED, Code.NOROUTE)
    assert unkept.refusal.reason == outcome.reason


def test_light_does_not_mend_what_is_worn() -> None:
    made = Controller(topology(network()))
    made.handle(LinkWorn("A~B", True), 0)
    made.handle(LinkReport("A", "A~B", False), 10)
    made.handle(LinkReport("A", "A~B", True), 20)
    assert made.admission.dark == {"A~B"}
    made.handle(LinkWorn("A~B", False), 30)
    assert made.admission.dark == set()


def test_what_is_moved_on_the_plant_never_pauses_and_leaves_nothing() -> None:
    fabric = Fabric(network(), seed=2)
    first = fabric.submit(replace(WISH, name="", source="A", destination="B"))  # takes slots of A
    fabric.run(100 * US)
    tape = Tape(fabric, Release, Commit)
    name = fabric.submit(replace(WISH, pairs=400))
    fabric.run(MS)
    (told, *_) = fabric.replies(name)
    assert isinstance(told, Accepted)
    fabric.act(CONTROLLER, fabric.controller.handle(LinkWorn(f"A~{told.plan.path[1]}", True), fabric.now))
    fabric.run(5 * SECOND, stop=lambda: not fabric.open_requests)
    assert fabric.replies(name)[-1].status is Status.COMPLETED  # type: ignore[union-attr]
    assert fabric.replies(first)
    assert tape.entries
    fabric.finish()
    assert nothing_left(fabric)


def test_a_link_that_goes_dark_cancels_what_is_being_made_over_it() -> None:
    made = Controller(topology(network()))
    told = busy(made)
    new = "C" if told.plan.path[1] == "B" else "B"
    wish = replace(WISH, route=replace(WISH.route, avoid=(told.plan.path[1],)))
    out = made.handle(Renegotiate("r", wish), 100)
    assert {each.node for each in sent(out, Prepare)} == {"A", new, "D"}
    epoch = sent(out, Prepare)[0].epoch
    out = made.handle(LinkReport("A", f"A~{new}", False), 110)
    (kept,) = sent(out, Kept)
    assert kept.refusal.reason == f"link A~{new} went dark"
    assert {each.epoch for each in sent(out, Release)} == {epoch}  # the old one is not touched
    assert made.sessions["r"].plan is told.plan
    assert made.handle(Prepared(epoch, "A"), 120) == [Stale(CONTROLLER, "Prepared", epoch)]


def test_where_the_old_path_goes_dark_what_is_being_made_takes_over() -> None:
    made = Controller(topology(network()))
    told = busy(made)
    old = told.plan.path[1]
    wish = replace(WISH, route=replace(WISH.route, avoid=(old,)))
    out = made.handle(Renegotiate("r", wish), 100)
    dark = made.handle(LinkReport("A", f"A~{old}", False), 110)
    assert not sent(dark, Prepare)
    assert len(sent(dark, Release)) == 3
    assert len(sent(ready(made, out, 120), Commit)) == 3
    assert made.sessions["r"].plan.path[1] != old


def test_a_broken_slot_leaves_the_books_and_only_its_holder_is_installed_anew() -> None:
    made = Controller(topology(network(slots=4)))
    one = busy(made, replace(WISH, name="one", destination="B"), slots=0)
    start = made.handle(replace(WISH, name="two", source="C", destination="D"), 10)
    ready(made, start, 15)
    assert "A" in one.plan.path
    (agent,) = [NodeAgent("A", 4)]
    (told,) = sent(agent.handle(SlotsBroken("A", (0,)), 20), SlotsLost)
    out = made.handle(told, 20)
    assert {each.request for each in sent(out, Prepare)} <= {"one"}
    assert sent(out, Rerouted)[0].reason == "memory slot 0 of A broke"
    assert not any(isinstance(each, Send) and getattr(each.message, "request", "") == "two" for each in out)
    assert made.ledger.slots("A") == 3
    assert made.admission.topology.nodes["A"].slots == 3


def test_those_who_matter_most_move_first() -> None:
    made = Controller(topology(network(slots=24)))
    made.handle(LinkReport("A", "A~C", False), 0)
    for name, priority in (("low", 0), ("high", 5)):
        busy(made, replace(WISH, name=name, priority=priority), slots=18 if name == "low" else 12)
    made.handle(LinkReport("A", "A~C", True), 20)
    out = made.handle(LinkReport("A", "A~B", False), 50)
    told = [each.request for each in [*sent(out, Rerouted), *sent(out, Unkept)]]
    assert told == ["high", "low"]


def test_a_station_that_fails_is_all_its_links_at_once() -> None:
    """No path goes on over any of them, whatever the order of the reports."""
    edges = "AB BD AC CD AE ED"
    for dark in (("A~B", "A~C", "B~D"), ("B~D", "A~C", "A~B")):
        made = Controller(topology(network(edges=edges)))
        busy(made)
        out = [action for name in dark for action in made.handle(LinkReport(name[0], name, False), 50)]
        assert not sent(out, Outcome)
        assert made.sessions["r"].plan.path == ("A", "E", "D")


def test_an_offer_of_a_refused_wish_is_taken_when_it_is_wished_for() -> None:
    made = Controller(topology(network()))
    busy(made)
    (kept,) = sent(made.handle(Renegotiate("r", replace(WISH, fidelity=0.9999999)), 100), Kept)
    assert isinstance(kept.refusal, Refused)
    if kept.refusal.offer is not None:
        out = made.handle(Renegotiate("r", kept.refusal.offer), 110)
        assert not sent(out, Kept)


def test_a_cut_elsewhere_reaches_nobody() -> None:
    fabric = Fabric(network(edges="AB BD AC CD DE"), seed=4)
    name = fabric.submit(replace(WISH, pairs=200))
    fabric.run(MS)
    tape = Tape(fabric, Prepare, Release, Commit)
    before = len(fabric.replies(name))
    fabric.inject(LinkChanged("", "D~E", False))
    fabric.run(fabric.now + 200 * US)
    assert tape.entries == []
    assert not any(isinstance(each, Rerouted) for each in fabric.replies(name)[before:])
