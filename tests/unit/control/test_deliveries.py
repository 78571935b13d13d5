"""What the controller makes of two confirmations: tests, bits, promises on average and at the end, packets."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from builders import chain, link, node, plan, request
from quantum_fabric.control import Controller
from quantum_fabric.documents import topology
from quantum_fabric.messages import (
    Bell,
    Confirmed,
    Delivered,
    Drain,
    Lost,
    Outcome,
    Outcomes,
    Packet,
    PairId,
    Prepared,
    Promise,
    Read,
    Release,
    Send,
    Service,
    Status,
    Substandard,
    Tested,
    Unread,
    Wake,
)
from quantum_fabric.physics.frames import expected_parity
from quantum_fabric.units import MS, US, from_seconds

NET = chain(3, link(fidelity=0.95), node(8, t2=0.5), hop_delay=10 * US)
PLAN = plan(NET, "ABC", lanes=4)
RATE = 4.0


@pytest.fixture(autouse=True)
def _plan(planned: Callable[[Any], None]) -> None:
    planned(PLAN)


def start(pairs: int = 2, **more: Any) -> Controller:
    decider = Controller(topology(NET))
    decider.handle(request("A", "C", pairs, **{"fidelity": 0.8, "name": "r", **more}), 0)
    for name in "ABC":
        decider.handle(Prepared(1, name), 5)
    return decider


def name_of(pair: int) -> PairId:
    return PairId(f"A~B/0#{pair}", f"B~C/0#{pair}")


def half(
    node: str,
    pair: int,
    at: int,
    fidelity: float = 0.925,
    read: Read | None = None,
    bell: Bell = Bell.PSI_MINUS,
) -> Confirmed:
    c = (4.0 * fidelity - 1.0) / 3.0
    return Confirmed(1, node, name_of(pair), bell, (c, c, c), (RATE, RATE, 0.0), at - 9, at, pair, (), read)


def tell(
    decider: Controller, pair: int, at: int, fidelity: float = 0.925, reads: tuple[Read | None, Read | None] = (None, None),
    bell: Bell = Bell.PSI_MINUS,
) -> list[Any]:  # fmt: skip
    first = decider.handle(half("A", pair, at, fidelity, reads[0], bell), at)
    assert list(first) == []
    return list(decider.handle(half("C", pair, at, fidelity, reads[1], bell), at))


def told(actions: Sequence[Any], *kinds: type) -> list[Any]:
    return [each.message for each in actions if isinstance(each, Send) and isinstance(each.message, kinds)]


def gone(actions: Sequence[Any], why: str) -> set[tuple[str, str]]:
    return {
        (each.to, each.message.mine)
        for each in actions
        if isinstance(each, Send) and isinstance(each.message, Lost) and each.message.why == why
    }


def both_ends(pair: int) -> set[tuple[str, str]]:
    return {("A", f"A~B/0#{pair}"), ("C", f"B~C/0#{pair}")}


# ------------------------------------------------------------------------------------------------- measured


@pytest.mark.parametrize("bell", Bell)
def test_bits_are_told_as_they_were_read(bell: Bell) -> None:
    decider = start(1, service=Service.MEASURE)
    out = tell(decider, 1, 100, reads=(Read("X", 1), Read("Z", 0)), bell=bell)
    pair, bits, end = told(out, Delivered, Outcomes, Outcome)
    assert (pair.number, pair.bell, pair.slots) == (1, bell, None)
    assert bits == Outcomes("r", 1, name_of(1), bell, ("X", "Z"), (1, 0), "", False, 100)
    assert end.status is Status.COMPLETED


@pytest.mark.parametrize("bell", Bell)
@pytest.mark.parametrize("basis", ["X", "Y", "Z"])
@pytest.mark.parametrize("bit", [0, 1])
def test_what_the_destination_holds_after_the_source_has_measured(bell: Bell, basis: str, bit: int) -> None:
    decider = start(1, service=Service.PREPARE, hold=True)
    (bits,) = told(tell(decider, 1, 100, reads=(Read(basis, bit), None), bell=bell), Outcomes)
    there = bit ^ expected_parity(basis, bell)
    names = {("X", 0): "+", ("X", 1): "-", ("Y", 0): "+i", ("Y", 1): "-i", ("Z", 0): "0", ("Z", 1): "1"}
    assert (bits.prepared, bits.flip) == (names[basis, there], bool(there))
    assert (bits.bases, bits.bits) == ((basis, ""), (bit, None))


def test_a_bit_that_a_memory_had_lost_is_no_delivery() -> None:
    decider = start(1, service=Service.MEASURE)
    assert told(tell(decider, 1, 100, reads=(Read("X", None), Read("Z", 0))), Unread, Delivered) == [
        Unread("r", name_of(1), ("A",))
    ]
    assert told(tell(decider, 2, 100, reads=(Read("X", 1), Read("Z", 0))), Delivered)[0].number == 1


@pytest.mark.parametrize(
    ("service", "reads"),
    [
        (Service.MEASURE, (Read("X", 0), None)),
        (Service.PREPARE, (None, Read("X", 0))),
        (Service.PREPARE, (Read("X", 0), Read("X", 0))),
        (Service.KEEP, (None, Read("X", 0))),
    ],
)
def test_ends_that_do_not_do_the_same_deliver_nothing(service: Service, reads: Any) -> None:
    decider = start(1, service=service)
    assert told(tell(decider, 1, 100, reads=reads), Unread, Delivered) == [
        Unread("r", name_of(1), ("A", "C"))
    ]


def test_what_is_too_poor_is_withheld_with_its_bits() -> None:
    decider = start(1, service=Service.MEASURE)
    out = tell(decider, 1, 100, 0.7, (Read("X", 1), Read("X", 0)))
    assert [type(each) for each in told(out, Substandard, Outcomes, Delivered)] == [Substandard]


@pytest.mark.parametrize("bell", Bell)
@pytest.mark.parametrize("basis", ["X", "Y", "Z"])
@pytest.mark.parametrize("bits", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_test_is_told_and_counts_for_nothing(bell: Bell, basis: str, bits: tuple[int, int]) -> None:
    decider = start(1)
    out = tell(decider, 1, 100, 0.9, (Read(basis, bits[0], True), Read(basis, bits[1], True)), bell)
    agree = (bits[0] == bits[1]) == (expected_parity(basis, bell) == 0)
    assert out == [Send("client", Tested("r", name_of(1), bell, basis, agree, pytest.approx(0.9), 100))]
    assert told(tell(decider, 2, 200), Delivered)[0].number == 1


@pytest.mark.parametrize(
    ("reads", "basis"),
    [
        ((Read("X", None, True), Read("X", 0, True)), "X"),
        ((Read("X", 1, True), Read("Z", 0, True)), ""),
        ((Read("X", 1, True), Read("X", 0, False)), ""),
        ((Read("X", 1, True), None), ""),
    ],
)
def test_a_test_that_shows_nothing_says_so(reads: Any, basis: str) -> None:
    (told_of,) = told(tell(start(1), 1, 100, reads=reads), Tested)
    assert (told_of.agree, told_of.basis) == (None, basis)


# ------------------------------------------------------------------------------------------------ on average


def test_a_pair_below_the_mean_is_delivered_from_what_others_have_over() -> None:
    decider = start(4, promise=Promise.AVERAGE)
    assert told(tell(decider, 1, 100, 0.79), Substandard) == [
        Substandard("r", name_of(1), pytest.approx(0.79), 0.8)
    ]
    assert told(tell(decider, 2, 200, 0.85), Delivered)
    assert told(tell(decider, 3, 300, 0.751), Delivered)  # the mean is now 0.8005
    refused = told(tell(decider, 4, 400, 0.798), Substandard)
    assert refused[0].floor == pytest.approx(0.799)
    assert told(tell(decider, 5, 500, 0.7995), Delivered)


def test_the_mean_never_falls_below_what_is_promised() -> None:
    decider, dice, estimates, poor = start(300, promise=Promise.AVERAGE), random.Random(7), [], 0
    for pair in range(1000):
        out = tell(decider, pair, 100 * pair + 100, dice.uniform(0.55, 0.98))
        for each in told(out, Delivered):
            estimates.append(each.fidelity)
            poor += each.fidelity < 0.8
            assert sum(estimates) / len(estimates) >= 0.8 - 1e-12
        if told(out, Outcome):
            break
    assert len(estimates) == 300
    assert poor > 50


def test_no_average_makes_a_worthless_pair_good() -> None:
    decider = start(9, promise=Promise.AVERAGE)
    for pair in range(3):
        tell(decider, pair, 100, 0.99)
    assert told(tell(decider, 3, 100, 0.49), Substandard)[0].floor == 0.5


# ------------------------------------------------------------------------------------------ set and packet


def waits(actions: Sequence[Any]) -> Wake:
    (found,) = [each for each in actions if isinstance(each, Wake) and each.purpose == "pair"]
    assert isinstance(found, Wake)
    return found


def test_pairs_of_a_set_are_told_together_at_its_end() -> None:
    decider = start(3, promise=Promise.END, hold=True)
    assert told(tell(decider, 1, 1000), object) == []
    assert told(tell(decider, 2, 2 * MS), object) == []
    out = tell(decider, 3, 9 * MS)
    pairs = told(out, Delivered)
    assert [pair.number for pair in pairs] == [1, 2, 3]
    assert all(pair.delivered_at == 9 * MS for pair in pairs)
    for pair, since in zip(pairs, (1000, 2 * MS, 9 * MS), strict=True):
        keep = math.exp(-RATE * (9 * MS - since) * 1e-12)
        assert pair.fidelity == pytest.approx((1 + 0.9 * (2 * keep + 1)) / 4, rel=1e-12)
        assert pair.low < pair.fidelity < pair.high
    assert told(out, Outcome)[0].status is Status.COMPLETED
    assert told(out, Packet) == []
    assert {each.to for each in out if isinstance(each, Send) and isinstance(each.message, Drain)} == {
        "A",
        "C",
    }


def test_a_pair_that_falls_below_before_the_end_is_made_anew() -> None:
    decider = start(2, promise=Promise.END, hold=True)
    wake = waits(tell(decider, 1, 1000))
    life = from_seconds(math.log(2 * 0.9 / (4 * 0.8 - 1 - 0.9)) / RATE)
    assert wake.at == pytest.approx(1000 + life, abs=1000)
    out = list(decider.handle(wake, wake.at))
    assert gone(out, "below the floor") == both_ends(1)
    assert told(tell(decider, 2, wake.at + 5), Delivered) == []
    assert len(told(tell(decider, 3, wake.at + 9), Delivered)) == 2


def test_a_packet_is_told_after_its_pairs() -> None:
    decider = start(2, window=10 * MS, hold=True)
    tell(decider, 1, 1 * MS)
    out = tell(decider, 2, 5 * MS)
    assert [type(each).__name__ for each in told(out, object)][:3] == ["Delivered", "Delivered", "Packet"]
    assert told(out, Packet) == [Packet("r", (name_of(1), name_of(2)), 1 * MS - 9, 5 * MS)]


def test_a_pair_that_is_older_than_the_window_is_made_anew() -> None:
    decider = start(2, window=10 * MS, hold=True)
    wake = waits(tell(decider, 1, 1 * MS))
    assert wake.at == 11 * MS - 9
    assert gone(decider.handle(wake, wake.at), "older than the window") == both_ends(1)
    assert told(tell(decider, 2, 12 * MS), Packet) == []


def test_the_timer_of_a_pair_that_was_delivered_means_nothing() -> None:
    decider = start(2, window=10 * MS, hold=True)
    wake = waits(tell(decider, 1, 1 * MS))
    tell(decider, 2, 5 * MS)
    assert list(decider.handle(wake, wake.at)) == []


def test_a_pair_that_is_too_old_when_the_last_one_comes_does_not_count() -> None:
    decider = start(2, window=10 * MS, hold=True)
    tell(decider, 1, 1 * MS)
    out = tell(decider, 2, 11 * MS)  # its timer is yet to strike
    assert gone(out, "older than the window") == both_ends(1)
    assert told(out, Packet, Delivered) == []


def test_a_packet_on_average_makes_the_worst_pair_anew() -> None:
    decider = start(3, window=10 * MS, hold=True, promise=Promise.AVERAGE)
    tell(decider, 1, 1 * MS, 0.7)
    tell(decider, 2, 1 * MS + 1, 0.82)
    out = tell(decider, 3, 1 * MS + 2, 0.82)
    assert gone(out, "below the floor") == both_ends(1)
    out = tell(decider, 4, 1 * MS + 3, 0.77)
    pairs = told(out, Delivered)
    assert sorted(round(pair.fidelity, 6) for pair in pairs) == [0.77, 0.82, 0.82]
    assert len(told(out, Packet)) == 1


def test_a_set_that_is_not_complete_leaves_nothing() -> None:
    decider = start(2, window=10 * MS, hold=True, deadline=8 * MS)
    tell(decider, 1, 1 * MS)
    out = list(decider.handle(Wake(8 * MS, "deadline", 0, "r"), 8 * MS))
    assert told(out, Delivered) == []
    assert told(out, Outcome)[0].delivered == 0
    assert {each.to for each in out if isinstance(each, Send) and isinstance(each.message, Release)} == {
        *"ABC"
    }
