"""The closed form where nothing fails: against fractions, enumeration, the tree, and the bulk engine's sample of the same law."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.network.believed import fixed, line, node
from tests.unit.network.schemes import chain_on

from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.network import pipeline, waiting
from quantum_fabric.network.exact import solve
from quantum_fabric.network.exact.product import Latest, latest, ways
from quantum_fabric.units import MS, US

ALARM = 1e-6


def steps(chances: list[float]) -> Latest:
    """Unequal links in steps of 1 ms."""
    count = len(chances)
    return Latest(tuple(chances), (MS,) * count, ((0,),) * count, (MS,) * count, (1,) * count)


@given(st.lists(st.fractions(Fraction(1, 20), 1, max_denominator=20), min_size=1, max_size=6))
@settings(max_examples=60)
def test_means_are_those_of_inclusion_and_exclusion(chances: list[Fraction]) -> None:
    mean, _ = steps([float(p) for p in chances]).moments()
    assert 1e3 * mean == pytest.approx(float(waiting.heterogeneous_mean(chances)), rel=1e-9)


@pytest.mark.parametrize("links", [1, 2, 8])
def test_spread_and_shares_of_equal_links(links: int) -> None:
    law = Latest((0.1,), (MS,), ((0,),), (MS,), (links,))
    assert 1e3 * law.moments()[1] == pytest.approx(waiting.parallel_std(0.1, links), rel=1e-9)
    for step in (1, 7, 60):
        exact = float(waiting.parallel_cdf(0.1, links, step))
        assert law.share(step * MS) == pytest.approx(exact, rel=1e-12)
        assert law.share((step + 1) * MS - 1) == pytest.approx(exact, rel=1e-12)


def test_quantiles_are_the_first_times() -> None:
    law = Latest((0.3, 0.05), (MS, 333 * US), ((0, 200 * US), (0,)), (MS, 70 * US), (2, 1))
    levels = np.array([0.0, 0.001, 0.3, 0.5, 0.9, 0.999, 0.999999])
    times = law.quantiles(levels)
    assert (law.shares(times) >= levels).all()
    assert (law.shares(times[1:] - 1) < levels[1:]).all()
    with pytest.raises(QuantityError):
        law.quantiles(np.array([1.0]))


def test_rare_successes_are_smooth() -> None:
    """Too many attempts to sum over: against the exact mean of two exponential times and their variance."""
    mean, deviation = Latest((1e-7,), (MS,), ((0,),), (MS,), (2,)).moments()
    assert mean == pytest.approx(1e-3 * float(waiting.parallel_mean(1e-7, 2)), rel=1e-6)
    assert deviation == pytest.approx(1e-3 * 1e7 * math.sqrt(1.25), rel=1e-5)


CHAINS = {
    "long": (9, {}, 1),
    "lanes in step": (3, {}, 3),
    "lanes in turn": (3, {"cycle": 110 * US}, 4),
    "nested": (4, {"middle": 0}, 2),
    "nested, odd": (5, {"middle": 0}, 1),
    "one": (1, {}, 2),
}


@pytest.mark.parametrize("name", list(CHAINS))
@pytest.mark.parametrize("delay", [0, 170 * US])
def test_the_law_of_the_sampled_pipeline(name: str, delay: int) -> None:
    """Kolmogorov-Smirnov at a false-alarm rate of 1e-6 (conservative on a grid)."""
    hops, how, lanes = CHAINS[name]
    how = dict(how)
    cycle = how.pop("cycle", 0)
    models = [
        fixed(p, 0.97, period=period, wait=(90 + 40 * i) * US, cycle=cycle)
        for i, (p, period) in zip(range(hops), itertools.cycle([(0.2, MS), (0.1, 470 * US), (0.3, MS)]))
    ]
    chain = chain_on(line(*models, delay=delay, t2=0.3, swap_time=13 * US), lanes=lanes, **how)
    times = np.sort(np.round(pipeline.firsts(chain, 20_000)[0] * 1e12).astype(np.int64))
    law = latest(chain)
    points = np.unique(times)
    empirical = np.searchsorted(times, points, side="right") / len(times)
    assert np.abs(empirical - law.shares(points)).max() < math.sqrt(-0.5 * math.log(ALARM / 2) / len(times))
    before = np.searchsorted(times, points, side="left") / len(times)
    assert np.abs(before - law.shares(points - 1)).max() < math.sqrt(-0.5 * math.log(ALARM / 2) / len(times))
    mean, deviation = law.moments()
    assert times.mean() / 1e12 == pytest.approx(mean, abs=5 * deviation / math.sqrt(len(times)))


@pytest.mark.parametrize("hops", [1, 2, 4])
def test_the_law_of_the_tree(hops: int) -> None:
    middle = 0 if hops > 1 else None
    chain = chain_on(
        line(*[fixed(0.2, wait=MS // 4)] * hops, delay=MS // 5, swap_time=10 * US), middle=middle
    )
    tree = solve(chain)
    assert tree is not None
    assert tree.exact
    law = latest(chain)
    assert law.moments()[0] == pytest.approx(tree.first.mean, rel=1e-9)
    for level in (0.1, 0.5, 0.99, 0.99999):
        assert law.quantiles(np.array([level]))[0] == round(tree.first.quantile(level) * 1e12)


def test_ways_by_hand() -> None:
    """Heralds after 250 us, 10 us for a swap, 200 us for each hop."""
    chain = chain_on(line(*[fixed(0.2, wait=MS // 4)] * 3, delay=MS // 5, swap_time=10 * US))
    assert ways(chain) == pytest.approx([660e-6, 660e-6, 660e-6])
    short = chain_on(line(fixed(0.2, wait=MS // 4)))
    assert ways(short) == pytest.approx([250e-6])


def test_what_may_fail_is_refused() -> None:
    with pytest.raises(InputError, match="plain"):
        latest(chain_on(line(fixed(), fixed(), nodes=[node("B", swap_success=0.5)])))
