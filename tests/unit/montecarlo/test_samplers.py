"""Structured samplers against the kernel, in law, and the conditions under which they stand in for it.

Laws are compared by the two-sample Kolmogorov-Smirnov statistic at a false-alarm rate below 1e-7 for each comparison; seeds are fixed.
On a lattice that test errs towards agreement, so gaps are compared by chi-square as well, at 1e-8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from benchmarks import networks
from benchmarks.chain import _halves
from benchmarks.networks import Job
from benchmarks.workload import Chain

from quantum_fabric import ensemble
from quantum_fabric.devices import Memory, Node
from quantum_fabric.devices.node import Gates
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.montecarlo import Results, Scenario, simulate
from quantum_fabric.montecarlo.samplers import SAMPLERS, chosen, named, why_not
from quantum_fabric.native import look
from quantum_fabric.units import MS, US

native = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")


def unequal(job: Job) -> Job:
    """Every link and node another one, swaps that take time and depolarise, halves that are born and heard of at different times."""
    links, nodes = {}, {}
    for number, (name, link) in enumerate(job.inventory.links.items()):
        model: Any = link.model
        born = (number * 7 * US, 3 * US)
        changed = replace(
            model, success=0.1 + 0.03 * number, period=(90 + 7 * number) * US, born=born, heard=(100 * US, (101 + number) * US)
        )  # fmt: skip
        links[name] = replace(link, model=changed)
    for number, name in enumerate(job.inventory.nodes):
        memory = Memory(t1=0.4 + 0.1 * number, t2=0.2 + 0.05 * number)
        nodes[name] = Node(
            memory=memory, gates=Gates(depolarising_2=0.01 * number, gate_time=number * US), slots=2
        )
    return replace(job, inventory=replace(job.inventory, links=links, nodes=nodes))


@cache
def compiled(nodes: int, rules: str, pairs: int, nested: bool = False, uneven: bool = False) -> Scenario:
    joins = _halves(tuple(Chain(nodes).names)) if nested else None
    job = networks.chain(Chain(nodes), rules, pairs, joins)
    if uneven:
        job = unequal(job)
    with job.planned():
        return ensemble.scenario(job.inventory, job.requests)


def distance(a: Any, b: Any) -> float:
    """Two-sample Kolmogorov-Smirnov statistic, in units of its scale: beyond 3 with probability 2 exp(-18) = 3e-8."""
    both = np.concatenate([a, b])
    one = np.searchsorted(np.sort(a), both, side="right") / len(a)
    two = np.searchsorted(np.sort(b), both, side="right") / len(b)
    return float(np.abs(one - two).max()) * math.sqrt(len(a) * len(b) / (len(a) + len(b)))


def chi_square(a: Any, b: Any) -> float:
    """Standard deviations by which two histograms of independent counts differ more than they should."""
    whole = a + b
    often = whole > 20
    one, two = float(a.sum()), float(b.sum())
    terms = (a[often] * math.sqrt(two / one) - b[often] * math.sqrt(one / two)) ** 2 / whole[often]
    freedom = max(1, int(often.sum()) - 1)
    cube = (float(terms.sum()) / freedom) ** (1 / 3)  # Wilson, Hilferty
    return (cube - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))


CASES = [
    (2, "messages", False, False),
    (3, "instant", False, False),
    (5, "messages", False, False),
    (4, "messages", False, True),
    (7, "instant", False, True),
    (9, "messages", True, False),
    (5, "messages", True, True),
]


@native
@pytest.mark.parametrize(("nodes", "rules", "nested", "uneven"), CASES)
def test_the_recurrence_is_the_kernel_in_law(nodes: int, rules: str, nested: bool, uneven: bool) -> None:
    for pairs, replicas in ((1, 6000), (30, 1500)):
        what = compiled(nodes, rules, pairs, nested, uneven)
        kernel = simulate(what, seed=1, replicas=replicas, beliefs=False)
        mine = simulate(what, seed=2, replicas=replicas, beliefs=False, sampler="auto")
        assert kernel.engine == "native"
        assert mine.engine == "native, sampler: max-plus recurrence"
        for name in ("first", "ended", "fidelity", "interval", "interval_squared"):
            # sums of the same fidelities in another order differ in the last bits
            a, b = np.round(kernel.column(name), 9), np.round(mine.column(name), 9)
            assert distance(a, b) < 3.0, name
        assert (
            0.2 * kernel.twirl_error <= mine.twirl_error <= 5.0 * kernel.twirl_error
        )  # of the worst pair, which scatters
        for name in ("status", "delivered", "withheld", "replica"):
            assert np.array_equal(kernel.column(name), mine.column(name))
        assert kernel.column("believed").tolist() == mine.column("believed").tolist()
        assert kernel.counts["deliveries"] == mine.counts["deliveries"]


@native
def test_gaps_have_the_same_histogram() -> None:
    """Replicas of two pairs, so that gaps are independent: beyond 5.7 standard deviations once in 1e8."""
    what = compiled(5, "messages", 2)
    kernel = simulate(what, seed=3, replicas=20_000, beliefs=False)
    mine = simulate(what, seed=4, replicas=20_000, beliefs=False, sampler="max-plus")
    assert mine.intervals.sum() == mine.latencies.sum() == 20_000
    assert chi_square(kernel.intervals[0].astype(float), mine.intervals[0].astype(float)) < 5.7
    assert chi_square(kernel.latencies[0].astype(float), mine.latencies[0].astype(float)) < 5.7
    other = simulate(compiled(4, "messages", 2), seed=4, replicas=20_000, beliefs=False)
    assert chi_square(other.intervals[0].astype(float), mine.intervals[0].astype(float)) > 10  # it can fail


@native
def test_a_sure_link_gives_the_very_numbers_of_the_kernel() -> None:
    """Without chance there is one run: every time is the same picosecond, every fidelity the same to rounding."""
    job = unequal(networks.chain(Chain(5), "messages", 40))
    links = {
        name: replace(link, model=replace(link.model, success=1.0))  # type: ignore[type-var]
        for name, link in job.inventory.links.items()
    }
    job = replace(job, inventory=replace(job.inventory, links=links))
    with job.planned():
        what = ensemble.scenario(job.inventory, job.requests)
    kernel = simulate(what, beliefs=False)
    mine = simulate(what, beliefs=False, sampler="max-plus")
    assert np.array_equal(kernel.sessions, mine.sessions)
    assert np.allclose(kernel.sums, mine.sums, rtol=1e-12)
    assert np.array_equal(kernel.intervals, mine.intervals)
    assert np.array_equal(kernel.latencies, mine.latencies)
    assert mine.twirl_error == pytest.approx(kernel.twirl_error, rel=1e-9)


@native
def test_the_first_delivery_follows_the_product_law() -> None:
    """Instant messages: P(T <= k) = (1 - (1-p)^k)^n; Kolmogorov distance beyond 3/sqrt(n) with probability 3e-8."""
    replicas, p = 100_000, Chain(9).success
    found = simulate(compiled(9, "instant", 1), seed=5, replicas=replicas, beliefs=False, sampler="auto")
    steps = np.sort(found.column("first") // (100 * US))
    for k in range(1, 80):
        law = (1.0 - (1.0 - p) ** k) ** 8
        assert abs(np.searchsorted(steps, k, side="right") / replicas - law) < 3.0 / math.sqrt(replicas)


@native
def test_neither_workers_nor_batches_change_a_bit() -> None:
    what = compiled(5, "messages", 20)

    def same(a: Results, b: Results) -> bool:
        return all(
            np.array_equal(getattr(a, name), getattr(b, name))
            for name in ("sessions", "sums", "latencies", "intervals")
        )

    whole = simulate(what, seed=2, replicas=100, beliefs=False, sampler="auto", workers=1)
    assert same(whole, simulate(what, seed=2, replicas=100, beliefs=False, sampler="auto", workers=2))
    assert same(
        whole, simulate(what, seed=2, replicas=100, beliefs=False, sampler="auto", progress=lambda _: None)
    )
    assert not same(whole, simulate(what, seed=3, replicas=100, beliefs=False, sampler="auto"))
    one = simulate(what, seed=2, replicas=1, first=57, beliefs=False, sampler="auto")
    assert np.array_equal(one.sums[0], whole.sums[57])


@native
def test_more_than_statistics_is_the_kernels() -> None:
    what = compiled(3, "instant", 2)
    for more in ({"keep_pairs": True}, {"beliefs": True}, {"until": MS}, {"most_events": 10}):
        asked: dict[str, Any] = {"beliefs": False, **more}
        assert simulate(what, sampler="auto", **asked).engine == "native"
        with pytest.raises(InputError, match="statistics only"):
            simulate(what, sampler="max-plus", **asked)
    assert simulate(what, beliefs=False).engine == "native"  # identical runs unless somebody asks for less
    with pytest.raises(UnknownNameError, match="max-plus"):
        simulate(what, sampler="nonsense")


def _lanes() -> Job:
    return networks.chain(Chain(3), "instant", 2, lanes=2)


def _failing() -> Job:
    return networks.tower(2, 0.1, swap=0.5, pairs=2)


def _cut() -> Job:
    return networks.tower(2, 0.1, cutoff=50, pairs=2)


def _misread() -> Job:
    job = networks.chain(Chain(3), "instant", 2)
    node = Node(memory=Memory(t1=1.0, t2=1.0), gates=Gates(readout_error_0=0.1), slots=2)
    return replace(job, inventory=replace(job.inventory, nodes=dict.fromkeys(job.inventory.nodes, node)))


def _stretched() -> Job:
    job = networks.chain(Chain(3), "instant", 2)
    node = Node(memory=Memory(t1=1.0, t2=0.5, decay=1.5), slots=2)
    return replace(job, inventory=replace(job.inventory, nodes=dict.fromkeys(job.inventory.nodes, node)))


def _deadline() -> Job:
    job = networks.chain(Chain(3), "instant", 2)
    return replace(job, requests=[(at, replace(one, deadline=MS)) for at, one in job.requests])


def _crooked() -> Job:
    job = networks.chain(Chain(4), "messages", 2)
    one, _, two, _ = Chain(4).names
    delays = {**job.inventory.delays, (one, two): 7 * MS, (two, one): 7 * MS}
    return replace(job, inventory=replace(job.inventory, delays=delays))


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (_lanes, "several memories"),
        (_failing, "swaps that may fail"),
        (_cut, "a cutoff"),
        (_misread, "different states"),
        (_stretched, "exponentially"),
        (_deadline, "a deadline"),
        (_crooked, "do not add up"),
    ],
)
def test_what_does_not_qualify_says_why(job: Callable[[], Job], said: str) -> None:
    this = job()
    with this.planned():
        what = ensemble.scenario(this.inventory, this.requests)
    assert chosen(what) is None
    assert any(said in each for each in why_not(what)["max-plus"])
    with pytest.raises(InputError, match=said):
        named("max-plus", what)


def test_nested_joins_that_no_tree_makes_are_refused() -> None:
    """A rule that waits for a partner which will have swapped on by then."""
    what = compiled(5, "messages", 1, True)
    rules = dict(what.installations[0])
    circuits = np.array(rules["circuits"])
    circuits[1, 3] = 1  # as it was: node 1 joins 0 and 2
    circuits[2, 2:4] = (1, 2)  # node 2 wants node 1 itself for a partner, which never waits for it
    rules["circuits"] = circuits
    assert why_not(replace(what, installations=(rules,)))["max-plus"]


def test_every_sampler_has_its_condition() -> None:
    assert all(each.condition and each.title for each in SAMPLERS)
