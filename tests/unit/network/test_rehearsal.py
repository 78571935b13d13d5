"""The rehearsal of any chain, against exact waiting times, the bulk engine and hand-made timelines.

Sampled means are compared within 5 standard errors (false-alarm rate below 1e-6 for a right engine); keys are fixed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from tests.unit.network.believed import fixed, line, node, werner
from tests.unit.network.schemes import chain_on

from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import Distillation
from quantum_fabric.network import absorption, pipeline, rehearsal, waiting
from quantum_fabric.physics.correlators import fidelity, from_weights, purified
from quantum_fabric.physics.noise import OperationNoise
from quantum_fabric.physics.pumping import pumping
from quantum_fabric.units import MS, US

SIGMAS = 5.0
PERFECT = OperationNoise()


def firsts(count: int, success: float, swap: float, middle: int | None = None) -> list[float]:
    """First deliveries of fresh chains, in steps."""
    numbers = chain_on(line(*[fixed(success)] * count, swap_success=swap), middle=middle)
    found = []
    for number in range(2_000):
        stage = rehearsal.Stage(numbers, number)
        stage.play(1, 100_000)
        found.append(stage.delivered[0][0] * 1000)
    return found


def agrees(values: list[float], mean: float) -> bool:
    average = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - average) ** 2 for value in values) / (len(values) - 1))
    return abs(average - mean) < SIGMAS * spread / math.sqrt(len(values))


@pytest.mark.parametrize(("success", "swap"), [(0.5, 1.0), (0.5, 0.75), (0.5, 0.5), (0.1, 0.5)])
def test_three_segments_as_soon_as_possible(success: float, swap: float) -> None:
    exact = absorption.swap_asap_mean([Fraction(success)] * 3, Fraction(swap))
    assert agrees(firsts(3, success, swap), float(exact))


@pytest.mark.parametrize(("success", "swap"), [(0.5, 1.0), (0.5, 0.5)])
def test_two_segments_whose_swap_fails(success: float, swap: float) -> None:
    assert agrees(firsts(2, success, swap), float(waiting.two_segments_mean(success, swap)))


def test_four_nested_segments_are_at_least_as_fast_as_the_exact_model() -> None:
    """After a failure at the top, links in the middle may have begun again already, which the exact model forbids."""
    found = firsts(4, 0.5, 0.5, middle=0)
    exact = float(absorption.nested_four_mean(0.5, 0.5))
    mean = math.fsum(found) / len(found)
    assert 0.8 * exact < mean < 1.02 * exact
    assert agrees(firsts(4, 0.5, 1.0, middle=0), float(waiting.parallel_mean(0.5, 4)))


@pytest.mark.parametrize(
    ("hops", "lanes", "middle"),
    [(1, 1, None), (1, 3, None), (2, 1, None), (3, 2, None), (5, 1, None), (4, 1, 0), (4, 3, 0)],
)
def test_plain_chains_as_the_bulk_engine_has_them(hops: int, lanes: int, middle: int | None) -> None:
    topology = line(
        *[fixed(0.2, 0.97, wait=MS // 4)] * hops, delay=MS // 5, t2=0.3, depolarising_2=0.01, swap_time=9 * US
    )
    numbers = chain_on(topology, lanes=lanes, middle=middle)
    bulk, one = pipeline.run(numbers, 50_000), rehearsal.run(numbers, 4_000, 400_000)
    assert one.rate == pytest.approx(bulk.rate, abs=SIGMAS * math.hypot(one.rate_error, bulk.rate_error))
    error = math.hypot(one.fidelity_error, bulk.fidelity_error)
    assert one.fidelity == pytest.approx(bulk.fidelity, abs=SIGMAS * error + 1e-9)


@pytest.mark.parametrize("cutoff", [1, 5, 20])
def test_two_segments_with_a_cutoff(cutoff: int) -> None:
    """Heralds come 1 ns before the next attempt, so what is thrown away between the two loses no step."""
    topology = line(fixed(0.1, wait=MS - 1000), fixed(0.1, wait=MS - 1000), nodes=[node("B", t2=0.02)])
    numbers = chain_on(topology, cutoff=(cutoff + 1) * MS - 500)
    sample = rehearsal.run(numbers, 8_000, 800_000)
    assert 1000 / sample.rate == pytest.approx(
        float(waiting.cutoff_mean(Fraction(1, 10), cutoff)), rel=SIGMAS * sample.rate_error / sample.rate
    )
    kept = float(waiting.cutoff_decay(Fraction(1, 10), cutoff, math.exp(-1 / 20))) * math.exp(-0.1)
    assert sample.fidelity == pytest.approx((2 + 2 * kept) / 4, abs=SIGMAS * sample.fidelity_error)


@pytest.mark.parametrize("cutoff", [1, 5])
def test_a_herald_at_the_end_of_a_cutoff_is_in_time(cutoff: int) -> None:
    """As in the twin, where timers come last: heralds fall on the very instants at which cutoffs end."""
    numbers = chain_on(line(fixed(0.1), fixed(0.1)), cutoff=(cutoff + 1) * MS)
    sample = rehearsal.run(numbers, 8_000, 800_000)
    assert 1000 / sample.rate == pytest.approx(
        float(waiting.cutoff_mean(Fraction(1, 10), cutoff)), rel=SIGMAS * sample.rate_error / sample.rate
    )


def test_cold_starts_are_not_broken_off_for_the_budget() -> None:
    """A budget that ends within a start would drop long starts and make the mean too small."""
    numbers = chain_on(line(*[fixed(0.05, 0.97)] * 2, swap_success=0.5))
    found = rehearsal.firsts(numbers, 4_000, 20_000)
    assert 100 < len(found) < 4_000
    exact = 1e-3 * float(waiting.two_segments_mean(0.05, 0.5))
    mean = math.fsum(time for time, _ in found) / len(found)
    assert mean == pytest.approx(exact, rel=SIGMAS / math.sqrt(len(found)))


def test_a_cutoff_that_is_never_reached_changes_nothing() -> None:
    topology = line(*[fixed(0.3, 0.98)] * 3, t2=0.5)
    without, far = (rehearsal.run(chain_on(topology, cutoff=cutoff), 500) for cutoff in (None, 10**6 * MS))
    assert (without.rate, without.fidelity) == (far.rate, far.fidelity)


def test_a_hand_made_purification() -> None:
    """One link, two certain lanes, 1 ms: heard at 1 ms, asked at 3 ms, the answer is back at 5 ms."""
    topology = line(fixed(1.0, 0.9), delay=2 * MS)
    sample = rehearsal.run(chain_on(topology, rounds=1), 2_000, 200_000)
    state = (4 * 0.9 - 1) / 3
    chance, after = purified((state,) * 3, (state,) * 3, "dejmps", PERFECT, PERFECT)
    assert sample.fidelity == pytest.approx(fidelity(after))
    assert sample.fidelity == pytest.approx(0.926395939)
    # after a round one lane is free at 3 ms, the other at 5 ms, so there is a round every 5 ms
    assert sample.rate == pytest.approx(chance * 200, abs=SIGMAS * sample.rate_error)
    # set-up takes 6 ms; a failed round costs 5 ms
    assert sample.first == pytest.approx(
        6e-3 + 5e-3 / chance, abs=SIGMAS * 5e-3 * math.sqrt(1 - chance) / math.sqrt(40)
    )


@pytest.mark.parametrize(
    ("kind", "second"), [(Distillation.BBPSSW, 0.947207793), (Distillation.DEJMPS, 0.988763545)]
)
def test_two_rounds_reach_the_tabulated_fidelity(kind: Distillation, second: float) -> None:
    numbers = chain_on(line(fixed(0.5, 0.9)), rounds=2, distillation=kind)
    assert rehearsal.run(numbers, 50).fidelity == pytest.approx(second)


def test_noise_of_the_operations_enters_the_purification() -> None:
    noise = OperationNoise(depolarising_2=0.02, readout_error_0=0.01, readout_error_1=0.03)
    topology = line(fixed(1.0, 0.9), depolarising_2=0.02, readout_error_0=0.01, readout_error_1=0.03)
    state = (4 * 0.9 - 1) / 3
    _, after = purified((state,) * 3, (state,) * 3, "dejmps", noise, noise)
    assert rehearsal.run(chain_on(topology, rounds=1), 50).fidelity == pytest.approx(fidelity(after))


@pytest.mark.parametrize(
    "how",
    [
        {"rounds": 2},
        {"end": 2},
        {"rounds": 1, "end": 1},
        {"middle": 1, "end": 1},
        {"rounds": 1, "middle": 1, "end": 2},
        {"rounds": 1, "cutoff": 30 * MS},
        {"middle": 1, "cutoff": 60 * MS},
    ],
)
@pytest.mark.parametrize("extra", [0, 2])
@pytest.mark.parametrize("swap", [1.0, 0.7])
def test_nothing_gets_stuck_with_as_many_lanes_as_needed(
    how: dict[str, int], extra: int, swap: float
) -> None:
    topology = line(
        *[fixed(0.4, 0.97, wait=MS // 3)] * 4, delay=MS // 2, t2=2.0, swap_success=swap, swap_time=US
    )
    numbers = chain_on(topology, lanes=1 + extra, **how)
    stage = rehearsal.Stage(numbers, 0)
    stage.play(60, 300_000)
    assert len(stage.delivered) == 60
    times = [time for time, _ in stage.delivered]
    assert times == sorted(times)
    assert all(0.25 <= quality <= 1.0 for _, quality in stage.delivered)


def test_purification_helps_and_costs() -> None:
    topology = line(fixed(0.3, 0.93), fixed(0.3, 0.93))
    plain, links, ends = (rehearsal.run(chain_on(topology, **how)) for how in ({}, {"rounds": 1}, {"end": 1}))
    assert plain.fidelity < links.fidelity
    assert plain.fidelity < ends.fidelity
    assert links.rate < plain.rate
    assert ends.rate < plain.rate


def test_lost_work_after_a_failed_swap_is_told_at_the_speed_of_messages() -> None:
    """Certain links whose swap always fails: the ends hear of it one delay later and begin again."""
    topology = line(fixed(1.0), fixed(1.0), delay=10 * MS, swap_success=1e-12)
    stage = rehearsal.Stage(replace(chain_on(topology), begins=()), 0)
    # a cycle: heard at 1 ms (4 events), a swap, two messages at 11 ms; then both ends try again
    stage.play(1, 7 * 20)
    assert stage.delivered == []
    assert stage.now == pytest.approx(20 * 11e-3, rel=0.05)


def test_too_little_effort_shows_in_the_errors() -> None:
    topology = line(*[fixed(0.01, 0.97)] * 4, t2=1.0, swap_success=0.5)
    some = rehearsal.run(chain_on(topology), 500, 1_000)
    assert 0 < some.deliveries < 12
    assert some.rate_error > 0.25 * some.rate
    none = rehearsal.run(chain_on(topology), 500, 5)
    assert (none.deliveries, none.rate, none.fidelity) == (0, 0.0, 0.0)


def test_a_few_deliveries_are_judged_by_their_spread() -> None:
    topology = line(fixed(0.5, 0.97), fixed(0.5, 0.97))
    few = rehearsal.run(chain_on(topology, rounds=1), 6)
    assert few.deliveries <= 12
    assert few.fidelity_error < 1e-9  # nothing ages, so all are alike
    stage = rehearsal.Stage(chain_on(topology, rounds=1), 0)
    events = stage.play(2, 1_000)
    two = rehearsal.run(chain_on(topology, rounds=1), 500, events)
    assert two.deliveries <= 2
    assert two.fidelity_error > 0.1  # but two say little


def test_the_same_chain_gives_the_same_numbers() -> None:
    numbers = chain_on(line(*[fixed(0.2, 0.95)] * 3, t2=1.0), rounds=1, lanes=3)
    assert rehearsal.run(numbers, 200) == rehearsal.run(numbers, 200)


def test_rotations_enter_the_purification_round_by_round() -> None:
    """A second round without one that is stated makes the recurrence's own."""
    lossy = FixedLink(0.5, (0.8, 0.02, 0.1, 0.08), MS, heard=(MS, MS))
    numbers = replace(chain_on(line(lossy), rounds=2), turns=((0, 1, (("xyz", "zyx"),)),))
    state = from_weights(lossy.weights)
    _, once = purified(state, state, "dejmps", PERFECT, PERFECT, None, ("xyz", "zyx"))
    _, twice = purified(once, once, "dejmps", PERFECT, PERFECT)
    assert rehearsal.run(numbers, 50).fidelity == pytest.approx(fidelity(twice), abs=1e-12)


@pytest.mark.parametrize("rounds", [2, 3, 4])
@pytest.mark.parametrize("lanes", [2, 3, 6])
def test_pumping_on_any_number_of_lanes_gives_the_pumped_state(rounds: int, lanes: int) -> None:
    numbers = replace(chain_on(line(fixed(0.5, 0.9))), pumped=True)
    numbers = replace(numbers, hops=(replace(numbers.hops[0], rounds=rounds, lanes=lanes),))
    made = pumping(werner(0.9), rounds, PERFECT, PERFECT, find=False)
    assert rehearsal.run(numbers, 50).fidelity == pytest.approx(made.fidelity[-1], abs=1e-12)


def test_a_hand_made_pumping() -> None:
    """Two certain lanes, 1 ms each, no delays: both pairs at 1 ms, then a fresh one every millisecond."""
    numbers = replace(chain_on(line(fixed(1.0, 0.9))), pumped=True)
    numbers = replace(numbers, hops=(replace(numbers.hops[0], rounds=3, lanes=2),))
    one, two, three = pumping(werner(0.9), 3, PERFECT, PERFECT, find=False).success
    # a round takes no time, and a failed one frees both lanes: 1 ms for each round that is begun
    expected = (1.0 + one + one * two) / (one * two * three)
    sample = rehearsal.run(numbers, 4_000, 400_000)
    assert sample.rate == pytest.approx(1000.0 / expected, abs=SIGMAS * sample.rate_error)
