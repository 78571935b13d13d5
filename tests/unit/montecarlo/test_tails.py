"""Long tails by splitting, against closed forms, the exact solver and plain sampling.

Intervals are asked for at a confidence of 1 - 1e-7 where a test fails outside one, so each such test raises a false alarm once in
ten million seeds, as far as means over the repetitions are normal; seeds are fixed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from benchmarks import networks
from benchmarks.networks import Job
from benchmarks.workload import Chain

from quantum_fabric import ensemble
from quantum_fabric.devices import Memory, Node
from quantum_fabric.devices.node import Gates
from quantum_fabric.documents import topology
from quantum_fabric.errors import InputError, QuantityError, StateError, UnknownNameError
from quantum_fabric.montecarlo import Scenario, simulate
from quantum_fabric.montecarlo.tails import NEVER, Tail, _width, tail
from quantum_fabric.native import look
from quantum_fabric.network.chain import chain
from quantum_fabric.network.exact import solve
from quantum_fabric.network.scheme import from_plan
from quantum_fabric.units import MS

pytestmark = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")

SURE = 1.0 - 1e-7
STEP = 1e-4
"""s: attempts and news of the benchmark's chain."""

P = Chain(3).success


def job(links: int, pairs: int = 1, swap: float = 1.0, fresh: float = 0.99) -> Job:
    """Messages take no time, so that closed forms are short."""
    found = networks.chain(Chain(links + 1, fresh=fresh), "instant", pairs)
    gates = Gates(swap_success=swap)
    node = Node(memory=Memory(t1=0.75, t2=0.75), gates=gates, slots=2)
    return replace(
        found, inventory=replace(found.inventory, nodes=dict.fromkeys(found.inventory.nodes, node))
    )


@cache
def compiled(links: int, pairs: int = 1, swap: float = 1.0, deadline: int | None = None) -> Scenario:
    this = job(links, pairs, swap)
    requests = [(at, replace(request, deadline=deadline)) for at, request in this.requests]
    with this.planned():
        return ensemble.scenario(this.inventory, requests)


def latest(links: int, beyond: float) -> float:
    """Exact quantile of the latest of n geometric numbers, in steps: P(T > k) = 1 - (1 - (1-p)^k)^n."""
    steps = 0
    while -math.expm1(links * math.log1p(-((1.0 - P) ** steps))) > beyond if steps else True:
        steps += 1
    return steps * STEP


@pytest.mark.parametrize(("links", "sampler"), [(1, "auto"), (8, "auto"), (8, "none")])
@pytest.mark.parametrize("beyond", [1e-4, 1e-6, 1e-9])
def test_first_deliveries_follow_the_product_law(links: int, sampler: str, beyond: float) -> None:
    found = tail(compiled(links), reach=beyond, seed=3, copies=100, sampler=sampler).quantile(beyond, SURE)
    true = latest(links, beyond)
    assert found.low - 1e-9 <= true <= found.high + 1e-9
    assert found.high - found.low < 0.25 * true  # and it says something


def test_every_depth_on_the_way_is_right_too() -> None:
    found = tail(compiled(4), reach=1e-8, seed=5, copies=150)
    for beyond in (0.5, 0.1, 1e-2, 1e-3, 1e-5, 1e-7):
        interval = found.quantile(beyond, SURE)
        assert interval.low - 1e-9 <= latest(4, beyond) <= interval.high + 1e-9
    for steps in (5, 20, 60):
        true = -math.expm1(4 * math.log1p(-((1.0 - P) ** steps)))
        share = found.survival(steps * STEP, SURE)
        assert share.low <= true <= share.high


@pytest.mark.parametrize("sampler", ["auto", "none"])
@pytest.mark.parametrize(("links", "swap"), [(2, 0.5), (4, 0.5)])
def test_the_exact_solver_agrees_where_swaps_fail(links: int, swap: float, sampler: str) -> None:
    found = tail(compiled(links, swap=swap), reach=1e-6, seed=11, copies=100, sampler=sampler)
    for beyond in (1e-2, 1e-4, 1e-6):
        interval = found.quantile(beyond, SURE)
        true = solved(links, swap, beyond)
        assert interval.low - 1e-9 <= true <= interval.high + 1e-9


@pytest.mark.parametrize("sampler", ["auto", "none"])
def test_low_fidelities_follow_their_closed_form(sampler: str) -> None:
    """Two links: the pair fades while the earlier half waits, P(|G - G'| >= k) = 2 (1-p)^k / (2-p) for k >= 1."""
    found = tail(compiled(2), reach=1e-6, seed=2, copies=200, sampler=sampler)
    for below in (1e-2, 1e-4, 1e-6):
        k = 1
        while 2.0 * (1.0 - P) ** k / (2.0 - P) > below:
            k += 1
        # poorer than a wait of k - 1 steps: a wait of k and more; one half of each link waits for the other, twice a rate of 1/T1
        interval = found.fidelity_quantile(below, SURE)
        w = (4.0 * 0.99 - 1.0) / 3.0
        least = (3.0 * w * w * math.exp(-2.0 * (k - 1) * STEP / 0.75 - _always()) + 1.0) / 4.0
        assert interval.low - 1e-9 <= least <= interval.high + 1e-9


def _always() -> float:
    """Fading of the ends of a chain of two links while their heralds are on the way: two pairs of halves, one step."""
    return 4.0 * STEP / 0.75


@pytest.mark.parametrize(("links", "swap", "beyond"), [(1, 1.0, 1e-3), (8, 1.0, 1e-6), (2, 0.5, 1e-6)])
def test_intervals_hold_the_truth_as_often_as_they_say(links: int, swap: float, beyond: float) -> None:
    """Of 100 intervals at 90 %, 72 or fewer hold it with a probability of 6e-7 (binomial)."""
    asked, runs = 0.9, 100
    true = latest(links, beyond) if swap == 1.0 else solved(links, swap, beyond)
    held = 0
    for seed in range(runs):
        interval = tail(
            compiled(links, swap=swap), reach=beyond, seed=seed, copies=40, repetitions=8
        ).quantile(beyond, asked)
        held += interval.low - 1e-9 <= true <= interval.high + 1e-9
    assert held > 72


def solved(links: int, swap: float, beyond: float) -> float:
    """The exact solver's quantile, s."""
    this = job(links, swap=swap)
    (plan,) = this.plans.values()
    numbers = chain(topology(this.inventory), from_plan(plan))
    solution = solve(numbers)
    assert solution is not None
    assert solution.exact
    return solution.first.quantile(0.0, beyond=beyond) + numbers.origin


@pytest.mark.parametrize("cutoff", [None, 12])
def test_short_events_and_the_kernel_have_the_same_tail(cutoff: int | None) -> None:
    """Where nothing is exact: intervals at 1 - 1e-7 each meet."""
    this = networks.tower(4, 0.2, swap=0.6, cutoff=cutoff, pairs=3)
    with this.planned():
        what = ensemble.scenario(this.inventory, this.requests)
    for timed in ("pair", "interval", "end"):
        one, two = (
            tail(what, reach=1e-5, timed=timed, pair=2, seed=3, copies=60, repetitions=12, sampler=sampler)
            for sampler in ("auto", "none")
        )
        assert (one.engine, two.engine) == ("native (sampler: short events)", "native")
        for beyond in (0.3, 1e-2, 1e-5):
            mine, kernels = one.quantile(beyond, SURE), two.quantile(beyond, SURE)
            assert mine.low <= kernels.high + 1e-12
            assert kernels.low <= mine.high + 1e-12
    with pytest.raises(UnknownNameError, match="auto or none"):
        tail(what, sampler="max-plus")


@pytest.mark.parametrize("sampler", ["auto", "none"])
def test_the_interval_before_a_pair_and_the_end_agree_with_plain_sampling(sampler: str) -> None:
    what = compiled(3, pairs=6)
    plain = simulate(what, seed=1, replicas=20_000, keep_pairs=True)
    number, told = plain.deliveries[:, 2], plain.deliveries[:, 6]
    samples = {
        "pair": told[number == 4],
        "interval": told[number == 4] - told[number == 3],
        "end": plain.column("ended"),
    }
    for timed, times in samples.items():
        found = tail(what, reach=1e-4, timed=timed, pair=4, seed=8, copies=100, sampler=sampler)
        for share in (0.3, 0.05, 0.003):
            time = float(np.quantile(times, 1.0 - share, method="inverted_cdf")) * 1e-12
            mine = found.survival(time, SURE)
            rate = float((times > round(time * 1e12)).mean())
            allowed = 5.5 * math.sqrt(share / len(times))  # 4e-8, of plain sampling alone
            assert mine.low - allowed <= rate <= mine.high + allowed


@pytest.mark.parametrize("count", [2, 3, 6, 7, 20, 41])
def test_widths_are_those_of_student(count: int) -> None:
    special = pytest.importorskip("scipy.special")
    for confidence in (0.5, 0.95, 0.9999999):
        assert math.isclose(
            _width(count, confidence), special.stdtrit(count - 1, 0.5 + confidence / 2), rel_tol=1e-6
        )


def test_any_number_of_workers_gives_the_same_samples() -> None:
    one, two, other = (
        tail(compiled(4), reach=1e-3, seed=seed, copies=30, repetitions=6, workers=workers)
        for seed, workers in ((1, 1), (1, 2), (2, 1))
    )
    for name in ("times", "weights", "fidelities", "owners", "lost"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    assert not np.array_equal(one.times, other.times)


def test_weights_of_a_repetition_sum_to_one() -> None:
    found = tail(compiled(4), reach=1e-6, seed=4, copies=50, repetitions=7)
    sums = np.bincount(found.owners, found.weights)
    assert np.allclose(sums[found.lost == 0.0], 1.0, atol=1e-12)


def test_what_cannot_take_longer_has_an_end() -> None:
    what = compiled(2, pairs=1000, deadline=20 * MS)
    found = tail(what, reach=1e-6, timed="end", copies=20, repetitions=5)
    assert found.quantile(1e-6) == (0.02, 0.02, 0.02)


def test_what_may_never_come_takes_for_ever() -> None:
    what = compiled(2, deadline=1 * MS)
    found = tail(what, reach=1e-2, copies=50, repetitions=5)
    assert (found.times == NEVER).any()
    assert math.isinf(found.quantile(1e-2).value)


def test_a_law_that_falls_too_steeply_is_not_called_certain() -> None:
    """Where no copy is slower than a level, the upper end says how much may have been missed."""
    times = np.array([10**9] * 50, dtype=np.int64)
    owners = np.repeat(np.arange(5), 10)
    found = Tail(
        "", 0, "pair", 10, 5, times, np.full(50, 0.1), np.ones(50), owners, np.ones(5), 1e-6, NEVER, 0, 0
    )
    assert found.quantile(1e-3) == (1e-3, 1e-3, math.inf)
    assert found.quantile(0.2).high == 1e-3  # ln 20 / 50 is less


def test_fidelities_that_nobody_saw_are_not_made_up() -> None:
    found = tail(compiled(2, swap=0.5), reach=1e-6, seed=2, copies=10, repetitions=5)
    with pytest.raises(StateError, match="take more copies"):
        found.fidelity_quantile(1e-6)
    with pytest.raises(StateError, match="no fidelity"):
        tail(compiled(2), reach=0.1, timed="end", copies=10, repetitions=5).fidelity_quantile(0.1)


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ({"reach": 0.0}, "reach"),
        ({"reach": 1.0}, "reach"),
        ({"reach": math.nan}, "reach"),
        ({"timed": "first"}, "timed"),
        ({"pair": 2}, "pair"),
        ({"pair": 0}, "pair"),
        ({"session": 1}, "session"),
        ({"copies": 2}, "copies"),
        ({"copies": 10**9}, "copies"),
        ({"repetitions": 1}, "repetitions"),
        ({"workers": 0}, "workers"),
    ],
)
def test_bad_numbers_are_refused(what: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError, match=where):
        tail(compiled(2), **what)


def test_nothing_is_said_beyond_the_reach() -> None:
    found = tail(compiled(1), reach=1e-2, copies=20, repetitions=5)
    with pytest.raises(QuantityError, match=r"from 0\.01 to 1"):
        found.quantile(1e-3)
    with pytest.raises(QuantityError, match="confidence"):
        found.quantile(0.1, 1.0)
