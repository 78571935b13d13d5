"""Short events against the kernel, in law, over random chains; the conditions; long clocks.

Laws are compared by the two-sample Kolmogorov-Smirnov statistic at a false-alarm rate of 3e-8 for each of some twenty comparisons of a
chain, so 6e-7 for a chain; seeds are fixed.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from benchmarks import networks
from benchmarks.chain import _halves
from benchmarks.networks import Job

from quantum_fabric import ensemble
from quantum_fabric.devices import Memory, Node
from quantum_fabric.devices.node import Gates
from quantum_fabric.montecarlo import Scenario, simulate
from quantum_fabric.montecarlo.samplers import chosen, why_not
from quantum_fabric.native import look
from quantum_fabric.units import MS, SECOND, US
from sampled_laws import alike, chi_square, distance

native = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")


def compiled(job: Job) -> Scenario:
    with job.planned():
        return ensemble.scenario(job.inventory, job.requests)


def any_chain(seed: int) -> tuple[Scenario, str]:
    """All drawn; one in three without delays, one in two with a cutoff, two in three with swaps that may fail."""
    draw = random.Random(seed)
    links = draw.choice((2, 3, 4, 4, 5, 6, 8))
    grid = seed % 4 == 0  # many things at the same moment
    cutoff = draw.choice((3, 8, 20, 60)) if seed % 2 else None
    job = networks.tower(links, 0.3, cutoff=cutoff, pairs=6)
    models = {}
    for name, link in job.inventory.links.items():
        model: Any = link.model
        period = 110 * US if grid else draw.randrange(60, 160) * US + draw.randrange(1000)
        near, far = draw.randrange(30) * US, draw.randrange(30) * US
        changed = replace(
            model,
            success=draw.choice((0.1, 0.3, 0.6, 1.0)),
            period=period,
            born=(0, 0) if grid else (near, far),
            heard=(100 * US, 100 * US)
            if grid
            else (draw.randrange(30, 180) * US, draw.randrange(30, 180) * US),
        )
        models[name] = replace(link, model=changed)
    nodes = {}
    for name in job.inventory.nodes:
        gates = Gates(
            depolarising_2=draw.choice((0.0, 0.03)),
            readout_error_0=draw.choice((0.0, 0.0, 0.05)),
            swap_success=draw.choice((1.0, 0.8, 0.5)) if seed % 3 else 1.0,
            gate_time=0 if grid else draw.choice((0, 5 * US, 40 * US)),
        )
        nodes[name] = Node(
            memory=Memory(t1=draw.uniform(0.05, 1.0), t2=draw.uniform(0.02, 0.1)), gates=gates, slots=2
        )
    inventory = replace(job.inventory, links=models, nodes=nodes)
    if seed % 3 == 2:  # word takes no time
        inventory = replace(inventory, delays={(a, b): 0 for a in nodes for b in nodes})
    ((at, request),) = job.requests
    asked = [(at, replace(request, fidelity=draw.choice((0.501, 0.501, 0.7))))]
    names = tuple(nodes)
    age = None if cutoff is None else cutoff * 110 * US + (0 if grid else draw.randrange(100) * US)
    plan = networks.plan_by_hand(inventory, names, cutoff=age)
    return compiled(Job(inventory, asked, {(names[0], names[-1]): plan})), f"{links} links, cutoff {cutoff}"


@native
@pytest.mark.parametrize("seed", range(36))
def test_short_events_are_the_kernel_in_law(seed: int) -> None:
    what, _ = any_chain(seed)
    assert why_not(what)["asap"] == ()
    until = 2 * SECOND  # some have a floor or a cutoff that lets hardly a pair through
    kernel = simulate(what, seed=1, replicas=700, keep_pairs=True, until=until)
    mine = simulate(what, seed=2, replicas=700, keep_pairs=True, until=until, sampler="asap")
    assert mine.engine == "native (sampler: short events)"
    if kernel.pairs + mine.pairs > 1000:
        alike(kernel, mine)
    for name in ("first", "ended", "delivered", "withheld"):
        assert distance(kernel.column(name), mine.column(name)) < 3.0


def test_random_chains_are_of_all_kinds() -> None:
    told = [any_chain(seed) for seed in range(36)]
    assert {name.split()[0] for _, name in told} >= {"2", "3", "4", "5", "6", "8"}
    assert sum("None" not in name for _, name in told) == 18


@native
@pytest.mark.parametrize("cutoff", [None, 10])
def test_gaps_have_the_same_histogram(cutoff: int | None) -> None:
    """Replicas of two pairs, so that gaps are independent: beyond 5.7 standard deviations once in 1e8."""
    what = compiled(networks.tower(4, 0.2, swap=0.6, cutoff=cutoff, pairs=2))
    kernel = simulate(what, seed=3, replicas=20_000, beliefs=False)
    mine = simulate(what, seed=4, replicas=20_000, beliefs=False, sampler="auto")
    for name in ("intervals", "latencies"):
        one, two = (getattr(found, name)[0].astype(float) for found in (kernel, mine))
        assert chi_square(one, two) < 5.7
    other = compiled(networks.tower(4, 0.2, swap=0.6, cutoff=7, pairs=2))
    wrong = simulate(other, seed=4, replicas=20_000, beliefs=False)
    assert chi_square(wrong.intervals[0].astype(float), mine.intervals[0].astype(float)) > 10  # it can fail


@native
def test_where_nothing_fails_it_is_the_recurrence() -> None:
    """Two ways to the same law, of which each has its own draws: 100,000 first pairs."""
    what = compiled(networks.tower(8, 0.1, pairs=1))
    one, two = (
        simulate(what, seed=5, replicas=100_000, sampler=each).column("first")
        for each in ("max-plus", "asap")
    )
    assert distance(one, two) < 3.0


@native
def test_a_clock_of_many_hours_is_exact() -> None:
    """Beyond 2^49 ps the clock is set back: without chance every time is the kernel's picosecond."""
    job = networks.tower(3, 1.0, cutoff=10**7, pairs=400)
    slow = {
        name: replace(link, model=replace(link.model, period=(7 + number) * SECOND + number))  # type: ignore[type-var]
        for number, (name, link) in enumerate(job.inventory.links.items())
    }
    inventory = replace(job.inventory, links=slow)
    names = tuple(inventory.nodes)
    plan = networks.plan_by_hand(inventory, names, cutoff=100 * SECOND)
    what = compiled(replace(job, inventory=inventory, plans={(names[0], names[-1]): plan}))
    kernel = simulate(what, beliefs=False, keep_pairs=True)
    mine = simulate(what, beliefs=False, keep_pairs=True, sampler="asap")
    assert kernel.sessions[0, 5] > 2 * 2**49
    assert np.array_equal(kernel.sessions, mine.sessions)
    assert np.array_equal(kernel.deliveries[:, 5:], mine.deliveries[:, 5:])
    assert np.allclose(kernel.states, mine.states, rtol=1e-12, atol=1e-12)


@native
def test_neither_workers_nor_batches_change_a_bit() -> None:
    what, _ = any_chain(1)
    whole = simulate(what, seed=2, replicas=100, keep_pairs=True, sampler="asap", workers=1)
    for how in ({"workers": 2}, {"progress": lambda _: None}):
        again = simulate(what, seed=2, replicas=100, keep_pairs=True, sampler="asap", **how)  # type: ignore[arg-type]
        for name in ("sessions", "sums", "latencies", "intervals", "deliveries", "states"):
            assert np.array_equal(getattr(whole, name), getattr(again, name))
    bare = simulate(what, seed=2, replicas=100, sampler="asap")
    assert np.array_equal(whole.sums, bare.sums)  # lists change no draw
    one = simulate(what, seed=2, replicas=1, first=57, sampler="asap")
    assert np.array_equal(one.sums[0], whole.sums[57])


def test_what_is_taken_and_what_is_not() -> None:
    cut = compiled(networks.tower(4, 0.1, swap=0.5, cutoff=50, pairs=2))
    taken = chosen(cut)
    assert taken is not None
    assert taken.name == "asap"
    job = networks.tower(4, 0.1, swap=0.5, pairs=2)
    names = tuple(job.inventory.nodes)
    nested = networks.plan_by_hand(job.inventory, names, joins=_halves(names), cutoff=5 * MS)
    waits = compiled(replace(job, plans={(names[0], names[-1]): nested}))
    assert why_not(waits)["asap"] == ("swaps that wait for a partner",)
    assert chosen(waits) is None
    assert why_not(compiled(networks.tower(1, 0.1, pairs=2)))["asap"] == ("no repeater",)
    rare = compiled(networks.tower(2, 1e-9, pairs=2))
    assert "hardly ever" in why_not(rare)["asap"][0]
