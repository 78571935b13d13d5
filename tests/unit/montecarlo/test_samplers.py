"""Structured samplers against the kernel, in law, and the conditions under which they stand in for it.

Laws are compared by the two-sample Kolmogorov-Smirnov statistic at a false-alarm rate below 1e-7 for each comparison; seeds are fixed.
On a lattice that test errs towards agreement, so gaps are compared by chi-square as well, at 1e-8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from benchmarks import networks
from benchmarks.chain import _halves
from benchmarks.networks import Job
from benchmarks.workload import Chain

from quantum_fabric import documents, ensemble
from quantum_fabric.devices import Memory, Node
from quantum_fabric.devices.node import Gates
from quantum_fabric.errors import InputError, StateError, UnknownNameError
from quantum_fabric.messages import LinkRequest
from quantum_fabric.montecarlo import Results, Scenario, simulate
from quantum_fabric.montecarlo.running import FOREVER
from quantum_fabric.montecarlo.samplers import SAMPLERS, Asked, chosen, named, why_not
from quantum_fabric.native import look
from quantum_fabric.units import MS, US
from sampled_laws import alike, chi_square, unequal

native = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")


@cache
def compiled(nodes: int, rules: str, pairs: int, nested: bool = False, uneven: bool = False) -> Scenario:
    joins = _halves(tuple(Chain(nodes).names)) if nested else None
    job = networks.chain(Chain(nodes), rules, pairs, joins)
    if uneven:
        job = unequal(job)
    with job.planned():
        return ensemble.scenario(job.inventory, job.requests)


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
        kernel = simulate(what, seed=1, replicas=replicas, keep_pairs=True)
        mine = simulate(what, seed=2, replicas=replicas, keep_pairs=True, sampler="max-plus")
        assert kernel.engine == "native"
        assert mine.engine == "native (sampler: max-plus recurrence)"
        alike(kernel, mine)


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
def test_counted_events_are_the_kernels() -> None:
    what = compiled(3, "instant", 2)
    counted = simulate(what, sampler="auto", most_events=10)
    assert counted.engine == "native"
    assert counted.passed_over == dict.fromkeys(("max-plus", "nested", "asap"), ("events are counted",))
    with pytest.raises(InputError, match="a limit of events"):
        simulate(what, sampler="max-plus", most_events=10)
    assert simulate(what).engine == "native"  # identical runs unless somebody asks for less
    with pytest.raises(UnknownNameError, match="max-plus"):
        simulate(what, sampler="nonsense")


@native
@pytest.mark.parametrize("sampler", ["max-plus", "nested"])
def test_runs_end_in_time_and_poor_pairs_are_withheld(sampler: str) -> None:
    """A floor that some pairs miss and an end that some replicas reach; without beliefs all are delivered."""
    what = compiled(5, "messages", 20, True)
    rough = simulate(what, seed=1, replicas=400, keep_pairs=True)
    floor = float(np.median(rough.states[:, 0]))
    poor = replace(what, sessions=(replace(what.sessions[0], floor=floor),))
    until = int(np.median(simulate(poor, seed=1, replicas=400).column("ended")))
    kernel = simulate(poor, seed=2, replicas=3000, until=until, keep_pairs=True)
    mine = simulate(poor, seed=3, replicas=3000, until=until, keep_pairs=True, sampler=sampler)
    alike(kernel, mine)
    assert mine.counts["withheld"] > 10_000
    assert 1000 < mine.column("status").sum() < 2000
    assert (mine.column("ended") <= until).all()
    open_minded = simulate(poor, seed=3, replicas=10, beliefs=False, sampler=sampler)
    assert open_minded.pairs == 200
    assert open_minded.column("believed").tolist() == [5.0] * 10


@native
@pytest.mark.parametrize("sampler", ["max-plus", "nested"])
def test_hopeless_floors_are_told_of_instead_of_tried_forever(sampler: str) -> None:
    what = compiled(3, "instant", 1)
    hopeless = replace(what, sessions=(replace(what.sessions[0], floor=0.999999),))
    with pytest.raises(StateError, match="longer than its sampler counts"):
        simulate(hopeless, sampler=sampler)


@native
@pytest.mark.parametrize("sampler", ["max-plus", "nested"])
def test_seeds_of_their_own_are_replica_0_of_each(sampler: str) -> None:
    what = compiled(5, "messages", 3, True)
    run = next(each.run for each in SAMPLERS if each.name == sampler)
    many = run(what, Asked(0, 0, 40, 2, FOREVER, seeds=tuple(range(7, 47))))
    for number in (0, 31, 39):
        one = simulate(what, seed=7 + number, sampler=sampler)
        assert np.array_equal(one.sums[0], many.sums[number])
        assert np.array_equal(one.sessions[0, 2:], many.sessions[number, 2:])


@native
def test_an_ensemble_takes_the_sampler_that_qualifies() -> None:
    lab = documents.inventory(documents.load_network("lab"))
    asked = [(0, LinkRequest("Alice", "Bob", 0.8, pairs=3))]
    found = ensemble.run(lab, asked, replicas=3)
    assert found.engine == "native (sampler: max-plus recurrence)"
    assert found.passed_over == {"nested": ("max-plus comes first",), "asap": ("no repeater",)}
    assert (
        ensemble.run(lab, asked, replicas=3, sampler="nested").engine == "native (sampler: nested recursion)"
    )
    for exact in ({"engine": "native"}, {"sampler": "none"}):
        assert ensemble.run(lab, asked, replicas=3, **exact).engine == "native"  # type: ignore[arg-type]
    with pytest.raises(InputError, match="the twin has none"):
        ensemble.run(lab, asked, engine="twin", sampler="nested")


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
    assert "max-plus" not in [each.name for each in [chosen(what)] if each]
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
