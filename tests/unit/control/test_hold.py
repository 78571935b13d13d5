"""Pairs that are held in memory: each until its own expiry, beyond the end of the request."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from builders import Tape, chain, link, node, nothing_left, plan, request
from quantum_fabric.control import Controller
from quantum_fabric.control.estimate import FOREVER
from quantum_fabric.documents import topology
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Bell,
    Cancel,
    Confirmed,
    Consume,
    Delivered,
    Drain,
    LinkReport,
    Lost,
    Outcome,
    PairId,
    Prepared,
    Release,
    Released,
    Renew,
    Send,
    Status,
    Substandard,
    Truth,
    Wake,
)
from quantum_fabric.units import MS, SECOND, US, from_seconds

NET = chain(3, link(fidelity=0.95), node(4, t2=0.5), hop_delay=10 * US)
PLANNED = plan(NET, "ABC", lanes=2)
PLAN = replace(PLANNED, forecast=replace(PLANNED.forecast, rate=1.0))
"""Slow enough for a lease of 4 s."""
RATE = 4.0
LIFE = from_seconds(math.log(2 * 0.9 / (4 * 0.8 - 1 - 0.9)) / RATE)
"""Of a pair whose coherence decays at `RATE`, from 0.925 to 0.8."""


@pytest.fixture(autouse=True)
def _plan(planned: Callable[[Any], None]) -> None:
    planned(PLAN)


def start(pairs: int = 2, **more: Any) -> Controller:
    decider = Controller(topology(NET))
    decider.handle(request("A", "C", pairs, fidelity=0.8, hold=True, name="r", **more), 0)
    for name in "ABC":
        decider.handle(Prepared(1, name), 5)
    return decider


def half(node: str, pair: int, at: int, c: float = 0.9, rate: float = RATE) -> Confirmed:
    names = PairId(f"A~B/0#{pair}", f"B~C/0#{pair}")
    return Confirmed(1, node, names, Bell.PHI_MINUS, (c, c, c), (rate, rate, 0.0), at - 9, at, pair)


def deliver(decider: Controller, pair: int = 1, at: int = 100, **more: Any) -> list[Any]:
    decider.handle(half("A", pair, at, **more), at)
    return list(decider.handle(half("C", pair, at, **more), at))


def whom(actions: Sequence[Any], message: object) -> str:
    return "".join(each.to for each in actions if isinstance(each, Send) and each.message == message)


def letters(actions: Sequence[Any]) -> list[tuple[str, Any]]:
    return [(each.to, each.message) for each in actions if isinstance(each, Send)]


def test_a_held_pair_has_slots_and_a_reminder_of_its_expiry() -> None:
    told, wake = deliver(start())
    pair = told.message
    assert isinstance(pair, Delivered)
    assert pair.slots == (1, 1)
    assert pair.expires_at == pytest.approx(100 + LIFE, rel=1e-9)
    assert (wake.at, wake.purpose, wake.epoch) == (pair.expires_at, "pair", 1)


def test_each_pair_is_let_go_at_its_own_expiry() -> None:
    decider = start(3)
    wakes = [deliver(decider, pair, at)[1] for pair, at in ((1, 100), (2, 500))]
    assert wakes[1].at - wakes[0].at == 400
    for pair, wake in zip((1, 2), wakes, strict=True):
        assert letters(decider.handle(wake, wake.at)) == [
            ("A", Lost(1, f"A~B/0#{pair}", "expired")),
            ("C", Lost(1, f"B~C/0#{pair}", "expired")),
        ]


def test_names_with_spaces_expire_too() -> None:
    """Link names come from node names, and node names may hold spaces."""
    decider = start(3)
    pair = PairId("New York~Boston/0#1", "Boston~Rhode Island/0#1")
    for name in "AC":
        told = Confirmed(1, name, pair, Bell.PHI_PLUS, (0.9, 0.9, 0.9), (RATE, RATE, 0.0), 1, 100, 0)
        out = decider.handle(told, 100)
    (wake,) = [each for each in out if isinstance(each, Wake)]
    assert letters(decider.handle(wake, wake.at)) == [
        ("A", Lost(1, pair.left, "expired")),
        ("C", Lost(1, pair.right, "expired")),
    ]


def test_completing_drains_the_ends_and_releases_the_repeaters() -> None:
    decider = start(1)
    out = deliver(decider)
    assert (whom(out, Drain(1)), whom(out, Release(1))) == ("AC", "B")
    assert letters(out)[-1] == ("client", Outcome("r", Status.COMPLETED, 1, "all pairs delivered"))
    (wake,) = [each for each in out if isinstance(each, Wake) and each.purpose == "held"]
    assert letters(decider.handle(wake, wake.at)) == [(name, Release(1)) for name in "ABC"]
    assert decider.handle(wake, wake.at) == []
    assert decider.handle(Cancel("r"), wake.at) == []


def test_the_installation_is_kept_until_the_last_of_its_pairs_expires() -> None:
    decider = start(2)
    deliver(decider, 1, 100, rate=0.001)
    out = deliver(decider, 2, 200, rate=50.0)
    times = {each.purpose: each.at for each in out if isinstance(each, Wake)}
    assert times["pair"] < times["held"]
    assert times["held"] == pytest.approx(100 + LIFE * RATE / 0.001, rel=1e-6)


def test_ends_that_hold_are_renewed_and_nobody_else() -> None:
    decider = start(1)
    deliver(decider)
    out = decider.handle(Wake(2 * SECOND, "renew", 1), 2 * SECOND)
    assert whom(out, Renew(1, 6 * SECOND)) == "AC"
    decider.handle(Released(1, "B"), 2 * SECOND)
    assert {lease.until for lease in decider.ledger.leases()} == {6 * SECOND}


@pytest.mark.parametrize("when", ["deadline", "dark"])
def test_held_pairs_outlive_the_end_of_their_epoch(when: str) -> None:
    decider = start(2, deadline=SECOND)
    deliver(decider)
    message = Wake(SECOND, "deadline", 0, "r") if when == "deadline" else LinkReport("A", "A~B", False)
    out = decider.handle(message, SECOND // 1000)
    assert (whom(out, Drain(1)), whom(out, Release(1))) == ("AC", "B")


def test_closing_lets_go_of_what_is_held() -> None:
    decider = start(1)
    wake = deliver(decider)[1]
    out = decider.handle(Cancel("r"), 300)
    assert letters(out) == [(name, Release(1)) for name in "ABC"]
    assert decider.handle(Cancel("r"), 301) == []
    for name in "ABC":
        decider.handle(Released(1, name), 400)
    assert decider.handle(wake, wake.at) == []  # nobody is told about a pair that is gone
    assert not decider.ledger.leases()


def test_cancelling_an_open_request_lets_go_of_its_pairs_too() -> None:
    decider = start(2)
    deliver(decider)
    out = decider.handle(Cancel("r"), 300)
    assert (whom(out, Release(1)), whom(out, Drain(1))) == ("ABC", "")
    assert letters(out)[-1][1].status is Status.CANCELLED


def test_a_held_pair_below_the_floor_is_let_go_at_once() -> None:
    out = deliver(start(), c=0.7)
    assert letters(out) == [
        ("client", Substandard("r", PairId("A~B/0#1", "B~C/0#1"), pytest.approx(0.775), 0.8)),
        ("A", Lost(1, "A~B/0#1", "below the floor")),
        ("C", Lost(1, "B~C/0#1", "below the floor")),
    ]


def test_a_pair_that_has_expired_when_it_is_delivered_is_let_go_at_once() -> None:
    decider = start()
    decider.handle(half("A", 1, 100, rate=1e9), 100)
    out = decider.handle(half("C", 1, 100, rate=1e9), 10**6)
    assert [each.at for each in out if isinstance(each, Wake)] == [10**6]


# ------------------------------------------------------------------------------------------ with the plant


def test_held_pairs_fill_the_memory_and_what_is_used_makes_room() -> None:
    fabric = Fabric(NET, seed=2)
    truths = Tape(fabric, Truth)
    name = fabric.submit(request("A", "C", 5, hold=True))
    fabric.run(5 * MS)

    def told() -> list[Delivered]:
        return [each for each in fabric.replies(name) if isinstance(each, Delivered)]

    assert len(told()) == 2  # as many as there are lanes
    for node_name, slot in zip("AC", told()[0].slots or (), strict=True):
        fabric.perform(Consume(node_name, slot, told()[0].bell))
    assert len(truths.entries) == 1
    fabric.run(10 * MS)
    assert len(told()) == 3
    fabric.finish()
    assert nothing_left(fabric)


def test_pairs_that_nobody_takes_expire_and_are_made_anew(planned: Callable[[Any], None]) -> None:
    short = chain(2, link(fidelity=0.95), node(1, t2=0.001), hop_delay=10 * US)
    planned(plan(short, "AB"))
    fabric = Fabric(short, seed=2)
    losses = Tape(fabric, Lost)
    name = fabric.submit(request("A", "B", 10, fidelity=0.9, hold=True))
    fabric.run(5 * MS)
    told = [each for each in fabric.replies(name) if isinstance(each, Delivered)]
    assert len(told) == 10
    for one, two in pairwise(told):
        assert two.created_at > one.expires_at
    assert sorted((time, place) for time, place, _ in losses.entries) == sorted(
        (pair.expires_at + delay, end) for pair in told for end, delay in (("A", 0), ("B", 10 * US))
    )
    fabric.finish()
    assert nothing_left(fabric)


def test_perfect_memories_hold_for_ever_until_closed(planned: Callable[[Any], None]) -> None:
    calm = chain(2, link(), node(1), hop_delay=10 * US)
    planned(plan(calm, "AB"))
    fabric = Fabric(calm, seed=2)
    name = fabric.submit(request("A", "B", 1, hold=True))
    fabric.run(100 * SECOND)
    pair = next(each for each in fabric.replies(name) if isinstance(each, Delivered))
    assert pair.expires_at == pair.delivered_at + FOREVER
    assert len(fabric.controller.ledger.leases()) == 2
    fabric.cancel(name)
    fabric.run(101 * SECOND)
    assert nothing_left(fabric)
