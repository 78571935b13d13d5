"""Plain chains in bulk, against closed forms and hand-made timelines.

Sampled means are compared within 5 standard errors: with fixed keys the tests cannot flicker, and a right engine would have
failed one of them with a probability below 1e-6.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from tests.unit.network.believed import fixed, line
from tests.unit.network.schemes import chain_on

from quantum_fabric.network import pipeline, waiting
from quantum_fabric.units import MS, US

SIGMAS = 5.0


@pytest.mark.parametrize("lanes", [1, 2, 5])
@pytest.mark.parametrize("success", [1.0, 0.5, 0.03])
def test_one_link_delivers_at_its_own_rate(lanes: int, success: float) -> None:
    sample = pipeline.run(chain_on(line(fixed(success)), lanes=lanes), 40_000)
    assert sample.rate == pytest.approx(lanes * success * 1000, abs=SIGMAS * sample.rate_error + 1e-6)
    assert sample.fidelity == pytest.approx(1.0)


@pytest.mark.parametrize("hops", [2, 3, 5, 8])
@pytest.mark.parametrize("success", [0.5, 0.1])
def test_the_first_delivery_waits_for_the_slowest_link(hops: int, success: float) -> None:
    deliveries = 200_000
    sample = pipeline.run(chain_on(line(*[fixed(success)] * hops)), deliveries)
    replicas = deliveries / 14  # 20 steps, 6 of them to warm up
    error = waiting.parallel_std(success, hops) * 1e-3 / math.sqrt(replicas)
    assert sample.first == pytest.approx(
        float(waiting.parallel_mean(success, hops)) * 1e-3, abs=SIGMAS * error
    )


def test_unequal_links() -> None:
    sample = pipeline.run(chain_on(line(fixed(0.5), fixed(0.25))), 200_000)
    assert sample.rate == pytest.approx(1000 / 4.4, abs=SIGMAS * sample.rate_error)


@pytest.mark.parametrize("middle", [None, 0])
def test_two_links_deliver_at_the_exact_rate(middle: int | None) -> None:
    sample = pipeline.run(chain_on(line(fixed(0.1), fixed(0.1)), middle=middle), 100_000)
    assert sample.rate == pytest.approx(1000 * 19 / 280, abs=SIGMAS * sample.rate_error)


def test_two_links_decay_by_the_exact_law() -> None:
    # only the repeater ages: the earlier link loses exp(-|T1 - T2| / T2) of x and y there, and nothing of z
    from tests.unit.network.believed import node

    topology = line(fixed(0.1), fixed(0.1), nodes=[node("B", t2=0.02)])
    sample = pipeline.run(chain_on(topology), 200_000)
    born_to_heard = (
        math.exp(-0.001 / 0.02) ** 2
    )  # both halves in the repeater wait one period for their herald
    kept = float(waiting.decay(0.1, math.exp(-1 / 20))) * born_to_heard
    assert sample.fidelity == pytest.approx((1 + 2 * kept + 1) / 4, abs=SIGMAS * sample.fidelity_error)


def test_a_hand_made_timeline() -> None:
    """Certain links, 1 ms period, heard after 1 ms; hops of 2 ms; swap 10 us."""
    topology = line(fixed(1.0), fixed(1.0), delay=2 * MS, swap_time=10 * US, t2=1.0)
    sample = pipeline.run(replace(chain_on(topology), begins=()), 10)  # as if all began at 0
    # heard at 1 ms, swapped at 1.01 ms, the ends hear at 3.01 ms; the next attempt starts on the grid at 4 ms
    assert sample.first == pytest.approx(3.01e-3)
    assert sample.rate == pytest.approx(250.0)
    assert sample.rate_error == pytest.approx(0.0, abs=1e-9)
    ages = 2 * 3.01e-3 + 2 * 1.01e-3
    assert sample.fidelity == pytest.approx((2 + 2 * math.exp(-ages)) / 4)


def test_a_hand_made_nested_timeline() -> None:
    """Four certain links: B and D swap at 1 ms, C knows of both at 2 ms, the ends hear from C at 4 ms."""
    topology = line(*[fixed(1.0)] * 4, delay=MS)
    at_once, nested = (replace(chain_on(topology, **how), begins=()) for how in ({}, {"middle": 0}))
    assert pipeline.run(nested, 10).first == pytest.approx(4e-3)
    assert pipeline.run(at_once, 10).first == pytest.approx(4e-3)  # from D it takes 3 hops to A


def test_links_begin_when_both_their_ends_are_told() -> None:
    """Controller at A, hops of 1 ms: prepared at 8 ms, C is told at 10 ms, D at 11 ms, E at 12 ms; D~E is heard at 13 ms."""
    topology = line(*[fixed(1.0)] * 4, delay=MS)
    numbers = chain_on(topology)
    assert numbers.begins == pytest.approx([8e-3, 9e-3, 10e-3, 11e-3, 12e-3])
    # D has swapped at 13 ms; A hears of it at 16 ms
    assert pipeline.run(numbers, 10).first == pytest.approx(16e-3)


def test_lanes_start_one_after_the_other() -> None:
    topology = line(fixed(1.0, period=10 * MS, wait=0, cycle=MS))
    sample = pipeline.run(chain_on(topology, lanes=4), 10)
    assert sample.first == 0.0
    assert sample.rate == pytest.approx(400.0, rel=0.05)


def test_a_lane_attempts_once_in_a_period() -> None:
    sample = pipeline.run(chain_on(line(fixed(1.0, wait=0))), 10)
    assert sample.rate == pytest.approx(1000.0)


def test_late_birth_lets_an_attempt_start_before_its_slot_is_free() -> None:
    """A photon that is emitted late needs its slot late: the executor's grid is full although the herald takes 1.5 ms."""
    topology = line(fixed(1.0, born=(MS, MS), heard=(2 * MS, 2 * MS)))
    assert pipeline.run(chain_on(topology), 10).rate == pytest.approx(1000.0)


def test_swap_noise_multiplies() -> None:
    topology = line(*[fixed(1.0, 0.97)] * 3, depolarising_2=0.04)
    werner = ((4 * 0.97 - 1) / 3) ** 3 * 0.96**2
    assert pipeline.run(chain_on(topology), 10).fidelity == pytest.approx((3 * werner + 1) / 4)


def test_nested_swaps_are_never_sooner() -> None:
    topology = line(*[fixed(0.2)] * 8, delay=MS, t2=1.0)
    soon, late = (pipeline.run(chain_on(topology, middle=middle), 20_000) for middle in (None, 0))
    assert late.first > soon.first
    assert late.rate < soon.rate
    assert late.fidelity < soon.fidelity


def test_more_lanes_are_more_than_so_many_chains() -> None:
    topology = line(*[fixed(0.1)] * 4, slots=8)
    one, four = (pipeline.run(chain_on(topology, lanes=lanes), 20_000) for lanes in (1, 4))
    assert four.rate > 4.0 * one.rate


def test_the_same_chain_gives_the_same_numbers() -> None:
    numbers = chain_on(line(*[fixed(0.1)] * 3, t2=1.0), lanes=2)
    assert pipeline.run(numbers) == pipeline.run(numbers)


def test_errors_shrink_with_the_root_of_the_effort() -> None:
    numbers = chain_on(line(*[fixed(0.1)] * 3, t2=0.1))
    little, much = pipeline.run(numbers, 4_000), pipeline.run(numbers, 64_000)
    assert much.rate_error == pytest.approx(little.rate_error / 4, rel=0.25)
    assert much.fidelity_error == pytest.approx(little.fidelity_error / 4, rel=0.25)
    assert abs(little.rate - much.rate) < SIGMAS * little.rate_error
    assert much.deliveries >= 64_000


def test_the_exact_mean_is_the_fraction_of_the_table() -> None:
    assert float(waiting.parallel_mean(Fraction(1, 10), 2)) == pytest.approx(280 / 19)
