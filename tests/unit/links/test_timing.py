"""When halves are born and heralds heard."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.links import HeraldOutcome
from quantum_fabric.links.timing import (
    Timetable,
    leave_the_middle,
    meet_in_the_middle,
    multiplexed,
    schedule,
    send_across,
    with_modes,
)

LATENCY = st.integers(0, 10**12)
CYCLE = st.integers(1, 10**9)
MODES = st.integers(1, 100)


@given(LATENCY, LATENCY)
def test_photons_meet_at_the_station(arm_a: int, arm_b: int) -> None:
    table = meet_in_the_middle(arm_a, arm_b)
    assert table.born[0] + arm_a == table.born[1] + arm_b == max(arm_a, arm_b)
    assert min(table.born) == 0
    assert table.busy == 2 * max(arm_a, arm_b)


@given(LATENCY, LATENCY)
def test_photons_leave_the_source_together(arm_a: int, arm_b: int) -> None:
    table = leave_the_middle(arm_a, arm_b)
    assert table.born[0] - arm_a == table.born[1] - arm_b
    assert min(table.born) == 0
    # news of the catch at one end crosses both arms to the other
    assert table.heard == (table.born[1] + arm_a + arm_b, table.born[0] + arm_a + arm_b)
    assert table.busy == 2 * max(arm_a, arm_b)


@given(LATENCY)
def test_a_sent_photon_is_born_twice(length: int) -> None:
    table = send_across(length)
    assert table.born == (0, length)
    assert table.heard == (2 * length, length)
    assert table.busy == 2 * length


@given(LATENCY, LATENCY, CYCLE, MODES, st.integers(1, 50))
def test_period_leaves_room_for_everything(
    arm_a: int, arm_b: int, cycle: int, modes: int, lanes: int
) -> None:
    table = meet_in_the_middle(arm_a, arm_b)
    plan = schedule(table, cycle, modes, lanes)
    assert plan.cycle == modes * cycle
    assert plan.period >= lanes * plan.cycle
    assert plan.period >= max(h - b for h, b in zip(plan.heard, plan.born, strict=True))
    # and for nothing else
    assert plan.period in (lanes * plan.cycle, table.busy + (modes - 1) * cycle)


def test_a_train_of_pulses_delays_the_news() -> None:
    plan = schedule(Timetable((0, 0), (100, 100)), local_cycle=50, modes=1, lanes=1, pulses=40)
    assert (plan.period, plan.heard) == (140, (140, 140))


@given(st.floats(0.0, 1.0), MODES)
def test_modes_are_independent_trials(probability: float, modes: int) -> None:
    assert multiplexed(probability, modes) == pytest.approx(1.0 - (1.0 - probability) ** modes, abs=1e-13)


def test_rare_events_keep_their_digits() -> None:
    assert multiplexed(1e-18, 1000) == pytest.approx(1e-15, rel=1e-12)


@given(st.floats(1e-9, 0.5), st.floats(0.0, 0.5), MODES)
def test_modes_keep_the_ratio_of_the_heralds(first: float, second: float, modes: int) -> None:
    heralds = (HeraldOutcome(2, first, (1.0, 0.0, 0.0, 0.0)), HeraldOutcome(3, second, (0.5, 0.5, 0.0, 0.0)))
    many = with_modes(heralds, modes)
    assert math.fsum(o.probability for o in many) == pytest.approx(
        multiplexed(first + second, modes), rel=1e-12
    )
    assert many[1].probability * first == pytest.approx(many[0].probability * second, rel=1e-12)
    assert [(o.bell, o.weights) for o in many] == [(o.bell, o.weights) for o in heralds]


def test_modes_of_a_dead_link() -> None:
    dead = (HeraldOutcome(0, 0.0, (1.0, 0.0, 0.0, 0.0)),)
    assert with_modes(dead, 9) == dead
