"""Rotations and pumping from the plan to the pair: rule, command, twin, frames, belief, forecast.

Random plans with random rotations before each round, pumped or not, are served by the twin; the ends are told the state that the pair
is in, to the last digit but for the wait of the first end, and the rate and the fidelity are those that the forecast rehearses.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.contracts.test_frames_and_belief import T2, matched, random_chain, serve, waits

from builders import Tape, chain, link, names, node, nothing_left, plan, request
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import (
    Arm,
    Axes,
    Distillation,
    Order,
    Outcome,
    Plan,
    Purify,
    Rotation,
    Status,
    Turning,
)
from quantum_fabric.network.forecast import Effort, forecast
from quantum_fabric.physics.noise import NOISELESS
from quantum_fabric.physics.pumping import pumping, recurrence
from quantum_fabric.units import SECOND, US

NEVER_TURN = Rotation(Axes.XYZ, Axes.XYZ)


def turned(chosen: Plan, dice: random.Random) -> Plan:
    """The same plan with random rotations for most of its segments; some say nothing of the last round."""
    rounds = {(each.left, each.right): each.rounds for each in chosen.links}
    rounds |= {(each.left, each.right): each.rounds for each in chosen.joins if chosen.order is Order.NESTED}
    rounds[chosen.path[0], chosen.path[-1]] = chosen.end_rounds
    segments = [(place, count) for place, count in rounds.items() if count and dice.random() < 0.8]
    made = []
    for (left, right), count in segments:
        stated = dice.randint(1, count)
        turns = tuple(Rotation(*dice.choices(list(Axes), k=2)) for _ in range(stated))
        made.append(Turning(left, right, turns))
    return replace(chosen, turnings=tuple(made), pumped=dice.random() < 0.5)


@pytest.mark.parametrize("seed", range(80))
def test_told_state_is_the_true_state_whatever_is_turned(seed: int, planned: Callable[[Any], None]) -> None:
    network, chosen = random_chain(seed)
    planned(turned(chosen, random.Random(1000 + seed)))
    fabric, tape, name = serve(network, seed, pairs=6)
    check(fabric, tape, name)


def check(fabric: Fabric, tape: Tape, name: str) -> None:
    outcome = fabric.replies(name)[-1]
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.COMPLETED, outcome
    wait = waits(tape)
    for told, truth in matched(fabric, tape, name):
        assert told.bell is truth.bell
        gap = truth.weights[0] - told.fidelity
        assert -1e-12 <= gap <= 0.75 * wait[told.pair] / T2 + 1e-12
    fabric.finish()
    assert nothing_left(fabric)


def pumped_chain(seed: int, kind: Distillation) -> tuple[Any, Plan]:
    """2 to 4 nodes, up to three rounds at each place, with two lanes for each place where there are rounds, and no more."""
    dice = random.Random(seed)
    row = names(dice.choice([2, 2, 3, 4]))
    order = dice.choice([Order.ASAP, Order.NESTED])
    rounds, end_rounds = dice.choice([2, 3]), dice.choice([0, 2]) if len(row) > 2 else 0
    inner = dice.choice([0, 2]) if order is Order.NESTED and len(row) > 3 else 0
    lanes = 2 + (end_rounds > 0) + (inner > 0)
    each = node(2 * lanes, t1=0.4, t2=T2, swap_time=dice.choice([0, 3 * US]), depolarising_2=0.002)
    model = link(dice.choice([0.3, 1.0]), 100 * US, 0.99, bell=dice.randrange(4))
    network = chain(len(row), model, each, hop_delay=dice.choice([0, 20 * US]), controller=dice.choice(row))
    made = plan(network, row, order, lanes, rounds, inner, end_rounds, None, kind)
    return network, replace(turned(made, dice), pumped=True)


@pytest.mark.parametrize("kind", list(Distillation))
@pytest.mark.parametrize("seed", range(30))
def test_pumping_never_gets_stuck_on_two_lanes_and_is_told_truly(
    seed: int, kind: Distillation, planned: Callable[[Any], None]
) -> None:
    network, chosen = pumped_chain(seed, kind)
    planned(chosen)
    fabric, tape, name = serve(network, seed, pairs=3)
    check(fabric, tape, name)


LOSSY = (0.89, 0.01, 0.05, 0.05)
"""What a single-click pair is like: a tenth |11>, a hundredth of phase flips."""


def served(
    chosen: Plan, pairs: int, planned: Callable[[Any], None], states: str
) -> tuple[Fabric, float, list[float]]:
    """Rate and true fidelities of pairs of a lossy link between nodes that forget nothing."""
    model = FixedLink(0.2, LOSSY, 100 * US, heard=(100 * US, 100 * US))
    network = chain(2, model, node(chosen.links[0].lanes))
    planned(chosen)
    fabric = Fabric(network, seed=5, states=states)
    tape = Tape(fabric)
    name = fabric.submit(request("A", "B", pairs))
    fabric.run(2000 * SECOND, stop=lambda: not fabric.open_requests)
    found = matched(fabric, tape, name)
    times = [told.delivered_at for told, _ in found]
    commands = {command.rotation for _, _, command in tape.of(Purify)}
    assert commands == ({NEVER_TURN} if chosen.turnings else {None})
    return fabric, (pairs - 1) * SECOND / (times[-1] - times[0]), [truth.weights[0] for _, truth in found]


@pytest.mark.parametrize(("pumped", "lanes"), [(False, 3), (False, 5), (True, 2), (True, 4)])
@pytest.mark.parametrize("turns", [None, NEVER_TURN])
@pytest.mark.parametrize("states", ["bell-diagonal", "exact"])
def test_twin_formula_and_forecast_agree(
    states: str, pumped: bool, lanes: int, turns: Rotation | None, planned: Callable[[Any], None]
) -> None:
    """Without waiting losses every pair is what the series of `physics.pumping` ends with; the rate is the rehearsed one."""
    empty = chain(2, FixedLink(0.2, LOSSY, 100 * US, heard=(100 * US, 100 * US)), node(lanes))
    chosen = replace(plan(empty, "AB", lanes=lanes, rounds=2), pumped=pumped)
    if turns is not None:
        chosen = replace(chosen, turnings=(Turning("A", "B", (turns, turns)),))
    pairs = 500 if states == "bell-diagonal" else 60
    fabric, rate, fidelities = served(chosen, pairs, planned, states)
    series = pumping if pumped else recurrence
    words = None if turns is None else turns.words
    expected = float(series(LOSSY, 2, NOISELESS, NOISELESS, rotation=words, find=False).fidelity[-1])
    assert fidelities == pytest.approx([expected] * pairs, abs=1e-12)
    told = forecast(fabric.topology, chosen, Effort(deliveries=2_000, events=200_000))
    assert told.fidelity == pytest.approx(expected, abs=1e-12)
    if states == "bell-diagonal":  # sixty pairs tell no rate
        assert rate == pytest.approx(told.rate, rel=0.15)  # the stated limit of forecasts


def test_two_ends_that_turn_differently_are_left_with_nothing() -> None:
    """The twin does not trust its commands: a round that the two ends turn in different ways tells nothing."""
    network = chain(2, link(1.0, 100 * US), node(2))
    fabric = Fabric(network, seed=1)
    twin = fabric.twin
    for name in ("A", "B"):
        for lane in (0, 1):
            twin.execute(Arm(name, lane, "A~B", lane, 2, None), 0)
    fabric.run(150 * US)
    pairs = [slot.half.pair for slot in twin.nodes["A"].slots if slot.half is not None]
    assert [pair.weights(pair.frame)[0] for pair in pairs] == [1.0, 1.0]
    twin.execute(Purify("A", 0, 1, Distillation.DEJMPS, NEVER_TURN), fabric.now)
    twin.execute(Purify("B", 0, 1, Distillation.DEJMPS), fabric.now)
    fabric.run(151 * US)
    assert pairs[0].weights(pairs[0].frame)[0] == pytest.approx(0.25)
