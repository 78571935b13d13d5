"""Domains and identities of the exact waiting times; the tables are in tests/oracles."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction

import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.network import waiting


@pytest.mark.parametrize(
    "call",
    [
        lambda: waiting.parallel_mean(0.0, 1),
        lambda: waiting.parallel_mean(1.5, 1),
        lambda: waiting.parallel_mean(0.5, 0),
        lambda: waiting.parallel_std(-0.1, 2),
        lambda: waiting.parallel_cdf(0.5, 2, -1),
        lambda: waiting.parallel_cdf(0.5, 0, 1),
        lambda: waiting.heterogeneous_mean([]),
        lambda: waiting.heterogeneous_mean([0.5] * 17),
        lambda: waiting.heterogeneous_mean([0.5, 0.0]),
        lambda: waiting.two_segments_mean(0.5, 0.0),
        lambda: waiting.nested_mean(0.5, 0.5, -1),
        lambda: waiting.nested_mean(0.5, 2.0, 1),
        lambda: waiting.difference_chance(0.5, -1),
        lambda: waiting.decay(0.5, 1.1),
        lambda: waiting.decay(0.0, 0.5),
        lambda: waiting.cutoff_mean(0.5, -1),
        lambda: waiting.cutoff_decay(0.5, 3, -0.1),
        lambda: waiting.three_over_two(0.5, 0.5, -1),
    ],
)
def test_what_is_outside_the_domain_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(QuantityError):
        call()


def test_errors_name_the_argument() -> None:
    with pytest.raises(QuantityError, match=r"swap: found 0.0, expected a probability in \(0, 1\]"):
        waiting.two_segments_mean(0.5, 0.0)


def test_certain_links_take_one_step() -> None:
    assert waiting.parallel_mean(1, 7) == 1
    assert waiting.parallel_std(1.0, 7) == 0.0
    assert waiting.nested_mean(1.0, 1.0, 3) == pytest.approx(1.0)
    assert waiting.nested_mean(1.0, 0.5, 2) == pytest.approx(float(2 * (2 + 2 - Fraction(4, 3))))
    assert waiting.decay(1, 0.5) == 1
    assert waiting.cutoff_mean(1, 0) == 1


@pytest.mark.parametrize("links", [1, 2, 5])
def test_the_mean_is_the_sum_over_the_distribution(links: int) -> None:
    p = Fraction(1, 3)
    tail = sum(1 - waiting.parallel_cdf(p, links, steps) for steps in range(400))
    assert float(tail) == pytest.approx(float(waiting.parallel_mean(p, links)), rel=1e-12)


def test_the_spread_is_that_of_the_distribution() -> None:
    p = Fraction(1, 4)
    square = sum((2 * t + 1) * (1 - waiting.parallel_cdf(p, 3, t)) for t in range(600))
    assert waiting.parallel_std(p, 3) == pytest.approx(math.sqrt(square - waiting.parallel_mean(p, 3) ** 2))


def test_a_fast_link_does_not_matter_beside_a_slow_one() -> None:
    assert float(waiting.heterogeneous_mean([0.999999, 0.01])) == pytest.approx(100.0, rel=1e-4)


def test_differences_sum_to_one() -> None:
    p = Fraction(1, 5)
    assert float(sum(waiting.difference_chance(p, k) for k in range(300))) == pytest.approx(1.0, abs=1e-12)


def test_nothing_decays_without_decay() -> None:
    assert waiting.decay(Fraction(1, 7), 1) == 1
    assert waiting.cutoff_decay(Fraction(1, 7), 3, 1) == 1


def test_no_cutoff_is_the_limit_of_a_long_one() -> None:
    p, x = Fraction(1, 10), Fraction(9, 10)
    assert float(waiting.cutoff_mean(p, 2_000)) == pytest.approx(float(waiting.cutoff_mean(p, None)))
    assert waiting.cutoff_mean(p, None) == waiting.parallel_mean(p, 2)
    assert waiting.cutoff_decay(p, None, x) == waiting.decay(p, x)
    assert waiting.cutoff_mean(p, 0) == 1 / p**2


def test_a_shorter_cutoff_takes_longer_and_keeps_more() -> None:
    means = [waiting.cutoff_mean(Fraction(1, 10), cutoff) for cutoff in range(10)]
    kept = [waiting.cutoff_decay(Fraction(1, 10), cutoff, Fraction(9, 10)) for cutoff in range(10)]
    assert means == sorted(means, reverse=True)
    assert kept == sorted(kept, reverse=True)


@pytest.mark.parametrize("seed", range(5))
def test_nested_chains_by_simulation(seed: int) -> None:
    """Two levels, 20,000 runs, within 5 standard errors (false-alarm rate below 1e-6)."""
    rnd = random.Random(seed)
    p, q = rnd.uniform(0.2, 0.9), rnd.uniform(0.4, 1.0)

    def link() -> int:
        return 1 + math.floor(math.log(1.0 - rnd.random()) / math.log(1.0 - p))

    def level(part: Callable[[], int]) -> int:
        time = 0
        while True:
            time += max(part(), part())
            if rnd.random() < q:
                return time

    runs = [level(lambda: level(link)) for _ in range(20_000)]
    mean = sum(runs) / len(runs)
    spread = math.sqrt(sum((run - mean) ** 2 for run in runs) / len(runs))
    assert mean == pytest.approx(waiting.nested_mean(p, q, 2), abs=5 * spread / math.sqrt(len(runs)))
