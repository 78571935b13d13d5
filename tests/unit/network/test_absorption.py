"""Small chains as absorbing Markov chains; the tables are in tests/oracles."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.absorption import absorption_mean, nested_four_mean, swap_asap_mean

HALF = Fraction(1, 2)


def test_a_geometric_wait() -> None:
    p = Fraction(2, 7)
    assert absorption_mean(lambda _: {0: 1 - p, 1: p}, 0, lambda state: state == 1) == 1 / p


def test_a_gamblers_walk() -> None:
    """From 0 to 5 with a wall at 0: k steps up take k (k + 1) in all."""

    def step(state: int) -> dict[int, Fraction]:
        return {1: Fraction(1)} if state == 0 else {state - 1: HALF, state + 1: HALF}

    assert absorption_mean(step, 0, lambda state: state == 5) == 25


def test_a_start_that_is_done_still_takes_the_first_step() -> None:
    assert absorption_mean(lambda _: {1: Fraction(1)}, 0, lambda state: state == 1) == 1


def test_a_chain_that_never_ends() -> None:
    with pytest.raises(QuantityError, match="a chain that never ends"):
        absorption_mean(lambda _: {0: Fraction(1)}, 0, lambda state: state == 1)


def test_states_that_cannot_be_left() -> None:
    def step(state: int) -> dict[int, Fraction]:
        return {2: Fraction(1)} if state == 2 else {1: HALF, 2: HALF}

    with pytest.raises(QuantityError):
        absorption_mean(step, 0, lambda state: state == 1)


@pytest.mark.parametrize("links", [0, 5])
def test_how_many_links(links: int) -> None:
    with pytest.raises(QuantityError, match="1 to 4 links"):
        swap_asap_mean([HALF] * links, 1)


def test_probabilities() -> None:
    for bad in (0, 1.5):
        with pytest.raises(QuantityError):
            swap_asap_mean([HALF, bad], 1)
        with pytest.raises(QuantityError):
            nested_four_mean(HALF, bad)


def test_one_link_has_nothing_to_swap() -> None:
    assert swap_asap_mean([Fraction(1, 7)], HALF) == 7


def test_failures_cost_time() -> None:
    times = [swap_asap_mean([HALF, Fraction(1, 3), HALF], q) for q in (1, Fraction(3, 4), HALF)]
    assert times == sorted(times)
    assert times[0] < times[-1]


def test_the_order_of_the_links_matters_only_when_swaps_fail() -> None:
    one, two = [HALF, Fraction(1, 5), HALF], [Fraction(1, 5), HALF, HALF]
    assert swap_asap_mean(one, 1) == swap_asap_mean(two, 1)
    assert swap_asap_mean(one, HALF) != swap_asap_mean(two, HALF)


def test_four_links_by_simulation() -> None:
    """Nested, 20,000 runs, within 5 standard errors (false-alarm rate below 1e-6)."""
    rnd, p, q = random.Random(3), 0.5, 0.75
    runs = []
    for _ in range(20_000):
        state, time = [0, 0], 0
        while True:
            time += 1
            for side in (0, 1):
                if state[side] < 2:
                    state[side] += sum(rnd.random() < p for _ in range(2 - state[side]))
                    if state[side] == 2 and rnd.random() >= q:
                        state[side] = 0
            if state == [2, 2]:
                state = [0, 0]
                if rnd.random() < q:
                    break
        runs.append(time)
    mean = sum(runs) / len(runs)
    spread = (sum((run - mean) ** 2 for run in runs) / len(runs)) ** 0.5
    assert mean == pytest.approx(float(nested_four_mean(p, q)), abs=5 * spread / len(runs) ** 0.5)
