"""Slots, halves and pairs: lazy ageing against the physics room, and labels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.physics import memory
from quantum_fabric.physics.correlators import aged, decay_rates, from_weights, swap_table, to_weights
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.twin.bell_diagonal import BellDiagonal, draw_label
from quantum_fabric.twin.qubits import Half, TwinNode, take
from quantum_fabric.units import MS, SECOND, Time

GOOD, BAD = MemoryNoise(t1=5.0, t2=0.8), MemoryNoise(t1=0.3, t2=0.02)
START = from_weights((0.9, 0.05, 0.03, 0.02))


def pair(a: MemoryNoise, b: MemoryNoise, born: tuple[Time, Time] = (0, 0), frame: int = 0) -> BellDiagonal:
    halves = []
    for name, noise, since in (("A", a, born[0]), ("B", b, born[1])):
        slot = TwinNode(name, 1, noise, OperationNoise()).slots[0]
        slot.half = Half("pair", slot, since)
        halves.append(slot.half)
    return BellDiagonal(halves[0], halves[1], frame, START)


def test_a_node_is_ready_for_the_event_path() -> None:
    noise = OperationNoise(depolarising_2=0.02, readout_error_0=0.01)
    node = TwinNode("A", 3, GOOD, noise, swap_time=7, measure_time=2)
    assert [slot.number for slot in node.slots] == [0, 1, 2]
    assert all((s.node, s.half, s.lane, s.busy) == (node, None, None, False) for s in node.slots)
    assert (node.alive, node.swap_time, node.measure_time) == (True, 7, 2)
    rates = decay_rates(GOOD)
    assert (node.rate_xy * SECOND, node.rate_z * SECOND) == pytest.approx((rates[0], rates[2]), rel=1e-15)
    assert node.outcomes == swap_table(noise)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 40 * MS)), max_size=12),
    st.integers(0, 60 * MS),
    st.integers(0, 60 * MS),
)
def test_ageing_in_any_steps_equals_one_step(
    steps: list[tuple[bool, Time]], last_a: Time, last_b: Time
) -> None:
    walked, jumped = pair(GOOD, BAD), pair(GOOD, BAD)
    now = 0
    for second, step in steps:
        now += step
        walked.ends[second].age(now)
    ends = (now + last_a, now + last_b)
    for which in (walked, jumped):
        for half, end in zip(which.ends, ends, strict=True):
            half.age(end)
    assert walked.correlators == pytest.approx(jumped.correlators, rel=1e-12, abs=0)
    assert [half.since for half in walked.ends] == list(ends)
    expected = aged(aged(START, decay_rates(GOOD), ends[0] / SECOND), decay_rates(BAD), ends[1] / SECOND)
    assert walked.correlators == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize("milliseconds", [0, 1, 7, 40, 500])
def test_aged_weights_are_those_of_the_memory_room(milliseconds: int) -> None:
    subject = pair(GOOD, BAD)
    for half in subject.ends:
        half.age(milliseconds * MS)
    expected = memory.idle(np.array(to_weights(START)), GOOD, BAD, milliseconds * 1e-3)
    assert subject.weights(0) == pytest.approx(tuple(expected), abs=1e-12)


def test_one_waiting_half_has_the_fidelity_of_exact_amplitude_damping() -> None:
    subject = pair(BAD, MemoryNoise(math.inf, math.inf))
    subject.x = subject.y = subject.z = 1.0
    for half in subject.ends:
        half.age(13 * MS)
    assert subject.weights(0)[0] == pytest.approx(float(memory.one_half_fidelity(BAD, 0.013)), abs=1e-12)
    textbook = (1 + 2 * math.exp(-0.013 / 0.02) + math.exp(-0.013 / 0.3)) / 4
    assert subject.weights(0)[0] == pytest.approx(textbook, abs=1e-12)


def test_a_half_ages_from_its_own_birth_and_never_backwards() -> None:
    subject = pair(GOOD, BAD, born=(0, 5 * MS))
    subject.ends[1].age(3 * MS)  # not born yet
    assert (subject.correlators, subject.ends[1].since) == (START, 5 * MS)
    subject.ends[1].age(5 * MS)
    assert subject.correlators == START
    subject.ends[0].age(8 * MS)
    older = subject.correlators
    subject.ends[0].age(2 * MS)
    assert (subject.correlators, subject.ends[0].since) == (older, 8 * MS)


def test_a_perfect_memory_forgets_nothing() -> None:
    subject = pair(*[MemoryNoise(math.inf, math.inf)] * 2)
    for half in subject.ends:
        half.age(10**18)
    assert subject.correlators == START


def test_the_ends_know_each_other() -> None:
    subject = pair(GOOD, GOOD)
    first, second = subject.ends
    assert subject.other(first) is second
    assert subject.other(second) is first
    assert first.pair is second.pair is subject


@pytest.mark.parametrize("frame", range(4))
@pytest.mark.parametrize("told", range(4))
def test_weights_count_from_what_somebody_was_told(frame: int, told: int) -> None:
    subject = pair(GOOD, GOOD, frame=frame)
    actual = {frame ^ error: weight for error, weight in enumerate((0.9, 0.05, 0.03, 0.02))}
    expected = tuple(actual[told ^ error] for error in range(4))
    assert subject.weights(told) == pytest.approx(expected, abs=1e-15)


def test_a_spoilt_pair_is_maximally_mixed() -> None:
    subject = pair(GOOD, GOOD, frame=3)
    subject.spoil()
    assert [subject.weights(told) for told in range(4)] == [(0.25,) * 4] * 4


def test_taking_a_half_frees_its_slot() -> None:
    subject = pair(GOOD, GOOD)
    half = subject.ends[0]
    slot = half.slot
    assert slot is not None
    slot.busy = True
    take(half)
    assert (slot.half, slot.busy, half.slot) == (None, False, None)
    assert half.node.name == "A"  # it remembers where it was


@pytest.mark.parametrize(
    ("u", "label"), [(0.0, 0), (0.0999, 0), (0.1001, 1), (0.299, 1), (0.301, 2), (0.59, 2), (0.61, 3), (1.0, 3)]
)  # fmt: skip
def test_labels_are_drawn_by_their_share(u: float, label: int) -> None:
    table = [(0.1, None), (0.2, None), (0.3, None), (0.4, None)]
    assert draw_label(u, table) == label


def test_a_label_without_a_chance_is_never_drawn() -> None:
    table = [(0.0, None), (0.5, None), (0.0, None), (0.5, None)]
    assert {draw_label(k / 64 + 1e-9, table) for k in range(64)} == {1, 3}
