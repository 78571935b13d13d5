"""Time and fidelity are attributed: by hand-computed timelines, and the parts always add up."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from quantum_fabric.messages import Bell, Delivered, Discard, Heralded, Message, Purified, Swapped, Truth
from quantum_fabric.ops.losses import PHASES, Losses
from quantum_fabric.units import MS

Stream = list[tuple[int, str, Message]]


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
