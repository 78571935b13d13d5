"""Time and fidelity are attributed: by hand-computed timelines, and the parts always add up."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.messages import (
    Bell,
    Calibration,
    Commit,
    Delivered,
    Discard,
    Heralded,
    LinkRequest,
    Message,
    PairId,
    Prepare,
    Purified,
    Swapped,
    Truth,
)
from quantum_fabric.ops.losses import PHASES, Losses
from quantum_fabric.units import MS, SECOND

Stream = list[tuple[int, str, Message]]

NOISE = Calibration(1.0, 0.5, 0.0, 0.0, 0.0, 0.0)


def prepare(node: str) -> Prepare:
    return Prepare(1, "video", node, (), NOISE, 10**15, 10**15)


def delivery(number: int, created: int, at: int) -> Delivered:
    pair = PairId(f"A~R/0#{number}", f"R~B/0#{number}")
    ends = ("A", "B")
    return Delivered("video", number, pair, ends, Bell.PHI_PLUS, 0.9, 0.9, 0.9, created * MS, at * MS, 10**15)


def fold(stream: Stream) -> Losses:
    losses = Losses()
    for item in stream:
        losses(*item)
    return losses


def test_time_is_cut_where_the_messages_say(stream: Stream) -> None:
    time = fold(stream).time["video"]
    parts = dict(zip(PHASES, time.seconds))
    assert time.pairs == 2
    # first pair: asked 100, prepared 102, committed 105, halves born 120 and 130, delivered 142
    # second pair: counts from 142; halves born 160 and 170, delivered 182
    assert parts == pytest.approx(
        {"queue": 0.002, "set-up": 0.003, "attempting": 0.015 + 0.018, "storing": 0.02, "finishing": 0.024}
    )
    assert sum(time.seconds) == pytest.approx(0.082)


def test_fidelity_is_cut_into_parts_that_add_up_to_the_truth(stream: Stream) -> None:
    loss = fold(stream).fidelity["video"]
    x, y, z = 0.98**2, 0.96**2, 0.98**2
    joined = (1 + x + y + z) / 4
    # waits: A 21 ms, R 20 ms and 10 ms, B 11 ms
    waited = 0.062
    quick, slow = math.exp(-waited / 0.5), math.exp(-waited / 1.0)
    aged = (1 + x * quick + y * quick + z * slow) / 4
    assert loss.pairs == 2
    assert loss.elementary == pytest.approx(2 * (1 - joined))
    assert loss.memory == pytest.approx(2 * (joined - aged))
    assert loss.elementary + loss.memory + loss.operations == pytest.approx(2 * (1 - 0.9))


def test_truth_after_the_delivery_gives_the_same_account(stream: Stream) -> None:
    truths = [item for item in stream if isinstance(item[2], Truth)]
    rest = [item for item in stream if not isinstance(item[2], Truth)]
    assert fold([*rest, *truths]).fidelity == fold(stream).fidelity


def test_nothing_is_kept_of_pairs_that_are_over(stream: Stream) -> None:
    losses = fold(stream)
    assert not losses._chains
    assert not losses._stored
    assert not losses._waiting


def test_a_failed_swap_ends_both_pairs() -> None:
    heard = [
        (1, "R", Heralded("R", 0, "A~R", "a", Bell.PHI_PLUS, 1, 1)),
        (2, "R", Heralded("R", 1, "R~B", "b", Bell.PHI_PLUS, 2, 2)),
    ]
    losses = fold([*heard, (3, "R", Swapped("R", 0, 1, None))])
    assert not losses._chains


def test_a_sacrificed_pair_costs_time_but_not_fidelity(stream: Stream) -> None:
    """A pair that was born 5 ms before and is used up for the first: storing starts earlier, the rest is the same."""
    extra = [
        (
            item[0] - 5 * MS,
            item[1],
            replace(item[2], pair="s", slot=item[2].slot + 2, born=115 * MS, partner_born=115 * MS),
        )
        for item in stream
        if isinstance(item[2], Heralded) and item[2].pair == "A~R/0#1"
    ]
    used: Stream = [(121 * MS, "A", Purified("A", 0, 2, 1)), (121 * MS, "R", Purified("R", 0, 2, 1))]
    mixed = sorted([*stream, *extra, *used], key=lambda item: item[0])
    with_purification, without = fold(mixed), fold(stream)
    difference = [
        a - b for a, b in zip(with_purification.time["video"].seconds, without.time["video"].seconds)
    ]
    assert difference == pytest.approx([0.0, 0.0, -0.005, 0.005, 0.0])
    assert with_purification.fidelity == without.fidelity
    assert not with_purification._chains


def test_messages_that_make_no_sense_are_survived(stream: Stream) -> None:
    odd: Stream = [
        (1, "A", Discard("A", 9)),
        (1, "A", Swapped("A", 8, 9, Bell.PHI_PLUS)),
        (1, "A", Purified("A", 8, 9, 0)),
    ]
    assert fold([*odd, *stream]).time == fold(stream).time
    only = [item for item in stream if isinstance(item[2], Delivered | Truth)]
    assert fold(only).fidelity == {}
    assert fold([only[0], only[0]]).fidelity == {}


@st.composite
def lives(draw: st.DrawFn) -> Stream:
    """A request and a few deliveries with random (even senseless) times of heralds, swaps and news."""
    moment = st.integers(0, 1000).map(lambda ms: ms * MS)
    submitted, prepared, committed = sorted(draw(st.tuples(moment, moment, moment)))
    stream: Stream = [(submitted, "controller", LinkRequest("A", "B", 0.6, pairs=9, name="video"))]
    if draw(st.booleans()):
        stream += [
            (prepared, "A", Prepare(1, "video", "A", (), NOISE, 10**15, 10**15)),
            (committed, "A", Commit(1)),
        ]
    for number in range(1, draw(st.integers(1, 4)) + 1):
        left, right = f"A~R/0#{number}", f"R~B/0#{number}"
        born = draw(st.tuples(moment, moment))
        heard = max(born) + draw(moment)
        stream += [
            (heard, "A", Heralded("A", 2 * number, "A~R", left, Bell.PSI_PLUS, born[0], born[0])),
            (heard, "R", Heralded("R", 2 * number, "A~R", left, Bell.PSI_PLUS, born[0], born[0])),
            (heard, "R", Heralded("R", 2 * number + 1, "R~B", right, Bell.PSI_PLUS, born[1], born[1])),
            (heard, "R", Swapped("R", 2 * number, 2 * number + 1, Bell.PHI_PLUS)),
        ]
        stream.append((heard, "client", delivery(number, 0, draw(st.integers(0, 3000)))))
    return stream


@settings(max_examples=100, deadline=None, derandomize=True)
@given(lives())
def test_the_parts_are_never_negative_and_add_up(stream: Stream) -> None:
    losses = fold(stream)
    time = losses.time["video"]
    submitted = stream[0][0]
    last = max(item[2].delivered_at for item in stream if isinstance(item[2], Delivered))
    assert time.pairs == sum(isinstance(item[2], Delivered) for item in stream)
    assert all(part >= 0.0 for part in time.seconds)
    assert sum(time.seconds) == pytest.approx(max(0, last - submitted) / SECOND, abs=1e-9)


def test_a_longer_chain_adds_up_its_memories() -> None:
    """Four nodes, three links, two swaps: every half's wait is counted once."""
    nodes, second = "ABCD", 1000 * MS
    stream: Stream = [(0, node, prepare(node)) for node in nodes]
    pairs = ["ab", "bc", "cd"]
    for index, pair in enumerate(pairs):
        for node, slot in ((nodes[index], 1), (nodes[index + 1], 0)):
            stream.append((0, node, Heralded(node, slot, pair, pair, Bell.PHI_PLUS, 0, 0)))
    stream += [
        (second, "B", Swapped("B", 0, 1, Bell.PHI_PLUS)),
        (2 * second, "C", Swapped("C", 0, 1, Bell.PSI_PLUS)),
    ]
    losses = fold(stream)
    chain = losses._chains["ab"].newest()
    assert chain is losses._chains["cd"].newest()
    assert chain.waited_t1 == pytest.approx(1 + 1 + 2 + 2)  # seconds over a T1 of one second
    assert chain.waited_t2 == pytest.approx(2 * 6)
    assert sorted(chain.halves) == pairs
