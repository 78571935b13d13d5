"""The slow path: a request comes in, and every letter that goes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from builders import chain, link, node, plan, request
from quantum_fabric.control import Controller
from quantum_fabric.control.rules import slots_wanted
from quantum_fabric.documents import topology
from quantum_fabric.messages import (
    Accepted,
    Bell,
    Cancel,
    Code,
    Commit,
    Confirmed,
    Declined,
    Delivered,
    LinkRequest,
    Message,
    Order,
    Outcome,
    PairId,
    Plan,
    Prepare,
    Prepared,
    Refused,
    Release,
    Released,
    Renew,
    Send,
    Stale,
    Status,
    Substandard,
    Wake,
)
from quantum_fabric.units import MS, SECOND, US

NET = chain(3, link(fidelity=0.95), node(2, t2=1.0, t1=10.0), hop_delay=10 * US)
MODEL = topology(NET)
LEASE = 2 * SECOND
PATIENCE = 4 * 20 * US + MS
PLANNED = plan(NET, "ABC")
ACROSS = replace(PLANNED, forecast=replace(PLANNED.forecast, rate=1.0))
"""Slow enough for a lease of 4 s."""
WIDE = plan(NET, "AB", lanes=2)
NARROW = plan(NET, "BC")
Use = Callable[[Any], None]


def by_ends(*plans: Plan) -> Callable[..., Plan]:
    """A planner that has one plan for each pair of ends, and does not look at the slots."""
    book = {(p.path[0], p.path[-1]): p for p in plans}
    return lambda topology, wanted, free: book[wanted.source, wanted.destination]


def asks(destination: str = "C", source: str = "A", name: str = "r", **more: Any) -> LinkRequest:
    return request(source, destination, name=name, **more)


def sent(actions: Sequence[Any], kind: type, to: str = "") -> list[Any]:
    return [
        each.message
        for each in actions
        if isinstance(each, Send) and isinstance(each.message, kind) and to in ("", each.to)
    ]


def running(planned: Use, wanted: LinkRequest, made: Plan = ACROSS, at: int = 0) -> Controller:
    planned(made)
    decider = Controller(MODEL)
    decider.handle(wanted, at)
    for name in made.path:
        decider.handle(Prepared(1, name), at + 30 * US)
    return decider


def half(name: str, pair: int = 1, at: int = 100, quality: float = 0.96, epoch: int = 1) -> Confirmed:
    c = (4 * quality - 1) / 3
    slot = 0 if name == "A" else 1
    decay = (2.0, 2.0, 0.2)
    return Confirmed(
        epoch, name, PairId(f"l{pair}", f"r{pair}"), Bell.PSI_MINUS, (c, c, c), decay, 40, at, slot
    )


def deliver(decider: Controller, pair: int = 1, at: int = 100, **more: Any) -> list[Any]:
    decider.handle(half("A", pair, at - 10, **more), at + 20)
    return list(decider.handle(half("C", pair, at, **more), at + 30))


# ----------------------------------------------------------------------------------------------- admission


def test_an_accepted_request_prepares_every_node_of_the_path(planned: Use) -> None:
    planned(ACROSS)
    decider = Controller(MODEL)
    out = decider.handle(asks(deadline=9 * SECOND), 1000)
    assert out[0] == Send("client", Accepted("r", ACROSS, False))
    assert out[1] == Wake(9 * SECOND, "deadline", 0, "r")
    assert [each.to for each in out[2:5]] == ["A", "B", "C"]
    for each in out[2:5]:
        told = each.message
        assert isinstance(told, Prepare)
        assert (told.epoch, told.request, told.node, told.lease_until) == (1, "r", each.to, 1000 + 4 * SECOND)
        assert told.retention == 4 * (2 * 10 + 20) * US
    assert out[5:] == [
        Wake(1000 + PATIENCE, "prepared", 1),
        Wake(1000 + 2 * SECOND, "renew", 1),
        Wake(1000 + 4 * SECOND, "expire", 1),
    ]
    assert decider.ledger.free() == {"A": 1, "B": 0, "C": 1}


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (1e6, LEASE),
        (2.0, LEASE),
        (0.5, 8 * SECOND),
        (0.01, 400 * SECOND),
        (1e-9, 600 * SECOND),
        (0.0, 600 * SECOND),
    ],
)
def test_a_slow_plan_leases_for_longer(planned: Use, rate: float, expected: int) -> None:
    slow = replace(ACROSS, forecast=replace(ACROSS.forecast, rate=rate))
    planned(slow)
    decider = Controller(MODEL)
    out = decider.handle(asks(), 0)
    assert {each.lease_until for each in sent(out, Prepare)} == {expected}
    assert {lease.until for lease in decider.ledger.leases()} == {expected}
    assert out[-2:] == [Wake(expected // 2, "renew", 1), Wake(expected, "expire", 1)]


def test_commit_goes_out_when_the_last_node_is_prepared(planned: Use) -> None:
    planned(ACROSS)
    decider = Controller(MODEL)
    decider.handle(asks(), 0)
    assert decider.handle(Prepared(1, "C"), 5) == []
    assert decider.handle(Prepared(1, "C"), 6) == []
    assert decider.handle(Prepared(1, "A"), 7) == []
    assert decider.handle(Prepared(1, "B"), 8) == [Send(name, Commit(1)) for name in "ABC"]
    assert decider.handle(Prepared(1, "B"), 9) == [Stale("controller", "Prepared", 1)]


def test_one_decline_ends_it(planned: Use) -> None:
    planned(ACROSS)
    decider = Controller(MODEL)
    decider.handle(asks(), 0)
    decider.handle(Prepared(1, "A"), 5)
    assert decider.handle(Declined(1, "B", "no slot"), 6) == [
        *(Send(name, Release(1)) for name in "ABC"),
        Send("client", Outcome("r", Status.FAILED, 0, "B declined: no slot", Code.REJECTED)),
    ]
    assert decider.handle(Declined(1, "C", "no slot"), 7) == [Stale("controller", "Declined", 1)]
    assert decider.handle(Prepared(1, "C"), 7) == [Stale("controller", "Prepared", 1)]


def test_slots_are_free_when_each_node_says_so_and_not_before(planned: Use) -> None:
    planned(ACROSS)
    decider = Controller(MODEL)
    decider.handle(asks(), 0)
    decider.handle(Declined(1, "B", "no slot"), 6)
    assert decider.ledger.free() == {"A": 1, "B": 0, "C": 1}
    for name in "ABC":
        decider.handle(Released(1, name), 9)
    assert decider.ledger.free() == {"A": 2, "B": 2, "C": 2}


def test_silence_ends_it_after_the_patience(planned: Use) -> None:
    planned(ACROSS)
    decider = Controller(MODEL)
    decider.handle(asks(), 0)
    decider.handle(Prepared(1, "A"), 5)
    out = decider.handle(Wake(PATIENCE, "prepared", 1), PATIENCE)
    reason = "no answer from B, C within 1.08 ms"
    assert out[-1] == Send("client", Outcome("r", Status.FAILED, 0, reason, Code.TIMEOUT))
    assert running(planned, asks()).handle(Wake(PATIENCE, "prepared", 1), PATIENCE) == []


# ------------------------------------------------------------------------------------------------ delivery


def test_both_confirmations_make_a_pair_and_the_last_pair_ends_it(planned: Use) -> None:
    decider = running(planned, asks(pairs=2))
    assert decider.handle(half("C", 1, 100), 110) == []
    (told,) = decider.handle(half("A", 1, 90), 115)
    assert told.to == "client"
    pair = told.message
    assert isinstance(pair, Delivered)
    assert (pair.request, pair.number, pair.pair, pair.ends) == ("r", 1, PairId("l1", "r1"), ("A", "C"))
    assert (pair.delivered_at, pair.created_at, pair.bell, pair.slots) == (100, 40, Bell.PSI_MINUS, None)
    out = deliver(decider, 2)
    assert (out[0].message.number, out[0].message.delivered_at) == (2, 100)
    assert out[1:] == [
        *(Send(name, Release(1)) for name in "ABC"),
        Send("client", Outcome("r", Status.COMPLETED, 2, "all pairs delivered")),
    ]


def test_confirmations_of_different_pairs_do_not_match(planned: Use) -> None:
    decider = running(planned, asks(pairs=3))
    assert decider.handle(half("A", 1), 5) == []
    assert decider.handle(half("C", 2), 6) == []
    assert len(decider.handle(half("A", 2), 7)) == 1
    assert len(decider.handle(half("C", 1), 8)) == 1


def test_surplus_confirmations_are_stale(planned: Use) -> None:
    decider = running(planned, asks())
    decider.handle(half("A", 2), 50)
    deliver(decider)
    for name in "AC":
        assert decider.handle(half(name, 2), 200) == [Stale("controller", "Confirmed", 1)]
    assert decider.handle(half("A", 3, epoch=99), 200) == [Stale("controller", "Confirmed", 99)]


def test_a_pair_below_the_floor_is_withheld_and_does_not_count(planned: Use) -> None:
    decider = running(planned, asks(fidelity=0.9))
    (told,) = deliver(decider, 1, quality=0.85)
    assert told.to == "client"
    assert told.message == Substandard("r", PairId("l1", "r1"), pytest.approx(0.85), 0.9)
    assert [each.number for each in sent(deliver(decider, 2), Delivered)] == [1]


def test_the_tolerance_of_the_controller_is_the_interval(planned: Use) -> None:
    widths = []
    for tolerance in (0.0, 0.05, 0.5):
        planned(ACROSS)
        decider = Controller(MODEL, tolerance=tolerance)
        decider.handle(asks(), 0)
        for name in "ABC":
            decider.handle(Prepared(1, name), 5)
        (pair,) = sent(deliver(decider), Delivered)
        widths.append(pair.high - pair.low)
    assert widths[0] == pytest.approx(0.0, abs=1e-12)
    assert widths[0] < widths[1] < widths[2]


# ---------------------------------------------------------------------------------- deadline, cancel, lease


def test_the_deadline_ends_an_open_request(planned: Use) -> None:
    wake = Wake(SECOND, "deadline", 0, "r")
    decider = running(planned, asks(pairs=2, deadline=SECOND))
    deliver(decider)
    assert decider.handle(wake, SECOND) == [
        *(Send(name, Release(1)) for name in "ABC"),
        Send("client", Outcome("r", Status.EXPIRED, 1, "1 of 2 pairs by the deadline", Code.TIMEOUT)),
    ]
    assert decider.handle(wake, SECOND) == []


def test_the_deadline_is_nothing_to_a_request_that_is_over(planned: Use) -> None:
    decider = running(planned, asks(deadline=SECOND))
    deliver(decider)
    assert decider.handle(Wake(SECOND, "deadline", 0, "r"), SECOND) == []


def test_cancelling_releases_and_tells_once(planned: Use) -> None:
    decider = running(planned, asks(pairs=5))
    deliver(decider)
    assert decider.handle(Cancel("r"), 300) == [
        *(Send(name, Release(1)) for name in "ABC"),
        Send("client", Outcome("r", Status.CANCELLED, 1, "withdrawn by the caller")),
    ]
    assert decider.handle(Cancel("r"), 301) == []
    assert decider.handle(Cancel("nobody"), 302) == []


def test_cancelling_before_the_commit(planned: Use) -> None:
    planned(ACROSS)
    decider = Controller(MODEL)
    decider.handle(asks(), 0)
    assert sent(decider.handle(Cancel("r"), 1), Release, "B") == [Release(1)]
    assert decider.handle(Prepared(1, "A"), 2) == [Stale("controller", "Prepared", 1)]


def test_leases_are_renewed_at_half_time(planned: Use) -> None:
    fast = replace(ACROSS, forecast=replace(ACROSS.forecast, rate=1e3))
    decider = running(planned, asks(), fast)
    assert decider.handle(Wake(SECOND, "renew", 1), SECOND) == [
        *(Send(name, Renew(1, 3 * SECOND)) for name in "ABC"),
        Wake(2 * SECOND, "renew", 1),
        Wake(3 * SECOND, "expire", 1),
    ]
    assert decider.handle(Wake(2 * SECOND, "expire", 1), 2 * SECOND) == []
    assert len(decider.ledger.leases()) == 4


def test_the_lease_of_a_silent_node_runs_out_and_serves_the_queue(planned: Use) -> None:
    decider = busy(planned, asks("B", name="second"))
    decider.handle(Cancel("first"), 5)
    decider.handle(Released(1, "A"), 6)  # B never answers
    assert decider.handle(Wake(2 * SECOND, "renew", 1), 2 * SECOND) == []  # what was let go is not renewed
    out = decider.handle(Wake(4 * SECOND, "expire", 1), 4 * SECOND)
    assert [(each.request, each.node) for each in sent(out, Prepare)] == [("second", "A"), ("second", "B")]


# --------------------------------------------------------------------------------------------------- queue


def busy(planned: Use, *more: LinkRequest) -> Controller:
    """Two nodes' slots are all taken by "first"; what comes after has to wait."""

    def answer(topology: Any, wanted: LinkRequest, free: Any) -> Plan | Refused:
        made = {("A", "B"): WIDE, ("A", "C"): ACROSS, ("B", "C"): NARROW}[wanted.source, wanted.destination]
        short = free is not None and any(free[x] < n for x, n in slots_wanted(made).items())
        return Refused("", Code.NORES, "memory", "too few slots") if short else made

    planned(answer)
    decider = Controller(MODEL)
    decider.handle(asks("B", name="first"), 0)
    for each in more:
        decider.handle(each, 1)
    return decider


def test_what_does_not_fit_now_waits_and_is_served_in_order(planned: Use) -> None:
    decider = busy(planned)
    for name in ("second", "third"):
        assert decider.handle(asks("B", name=name), 5) == [Send("client", Accepted(name, WIDE, True))]
    decider.handle(Cancel("first"), 6)
    assert decider.handle(Released(1, "A"), 7) == []
    out = decider.handle(Released(1, "B"), 8)
    assert [(each.request, each.epoch) for each in sent(out, Prepare)] == [("second", 2), ("second", 2)]


def test_a_later_request_that_fits_goes_ahead(planned: Use) -> None:
    decider = busy(planned, asks("C", name="long"), asks("C", "B", name="short"))
    decider.handle(Cancel("first"), 6)
    out = decider.handle(Released(1, "B"), 7)  # A has not said so yet: "long" does not fit
    assert [each.request for each in sent(out, Prepare)] == ["short", "short"]
    for name in "BC":
        decider.handle(Prepared(2, name), 8)
    decider.handle(Released(1, "A"), 9)
    decider.handle(Cancel("short"), 10)
    decider.handle(Released(2, "C"), 11)
    out = decider.handle(Released(2, "B"), 12)
    assert [each.request for each in sent(out, Prepare)] == ["long"] * 3


@pytest.mark.parametrize(
    ("message", "status"),
    [(Cancel("second"), Status.CANCELLED), (Wake(SECOND, "deadline", 0, "second"), Status.EXPIRED)],
)
def test_a_waiting_request_can_end(planned: Use, message: Message, status: Status) -> None:
    decider = busy(planned, asks("B", name="second", deadline=SECOND))
    (told,) = decider.handle(message, SECOND)
    assert (told.message.status, told.message.delivered) == (status, 0)
    decider.handle(Cancel("first"), SECOND)
    decider.handle(Released(1, "A"), SECOND)
    assert decider.handle(Released(1, "B"), SECOND) == []


# ------------------------------------------------------------------------------------------------ refusals


def test_planning_sees_deadlines_from_now_and_the_client_from_the_start(planned: Use) -> None:
    seen: list[Any] = []
    offer = asks(deadline=70, fidelity=0.6, name="")

    def refuse(topology: Any, wanted: LinkRequest, free: Any) -> Refused:
        seen.append((wanted.deadline, free))
        return Refused("", Code.UNSUPP, "link A~B", "too far", offer)

    planned(refuse)
    news = max(MODEL.delays[end, MODEL.controller] for end in (offer.source, offer.destination))
    out = Controller(MODEL).handle(asks(deadline=1050 + news), 1000)
    assert seen == [(50, None), (70, None)]  # complete at the ends by then; and the offer is looked at, too
    assert out == [
        Send(
            "client", Refused("r", Code.UNSUPP, "link A~B", "too far", replace(offer, deadline=1070 + news))
        ),
        Send("client", Outcome("r", Status.REFUSED, 0, "too far", Code.UNSUPP)),
    ]


@pytest.mark.parametrize("offer", [None, asks(fidelity=0.6)])
def test_a_refusal_without_a_deadline_passes_as_it_is(planned: Use, offer: LinkRequest | None) -> None:
    planned(Refused("", Code.NOROUTE, "network", "no way", offer))
    decider = Controller(MODEL)
    (refusal, _) = sent(decider.handle(asks(), 5), (Refused, Outcome))  # type: ignore[arg-type]
    assert refusal == Refused("r", Code.NOROUTE, "network", "no way", offer)
    assert decider.ledger.free() == {"A": 2, "B": 2, "C": 2}
    assert decider.sessions == {}


def test_rules_go_to_the_slots_and_lanes_of_the_ledger(planned: Use) -> None:
    planned(by_ends(NARROW, plan(NET, "BA", Order.NESTED)))
    decider = Controller(MODEL)
    decider.handle(asks("C", "B", name="one"), 0)
    two = {each.node: each for each in sent(decider.handle(asks("C", "B", name="two"), 0), Prepare)}
    assert {name: (each.rules[0].slots, each.rules[0].lanes) for name, each in two.items()} == {
        "B": ((1,), (1,)),
        "C": ((1,), (1,)),
    }
