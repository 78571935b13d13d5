"""The nested recursion against the kernel, in law; what it is exact for, and where the textbook recursion is not the agents' process.

Laws are compared by the two-sample Kolmogorov-Smirnov statistic at a false-alarm rate below 1e-7 for each comparison; seeds are fixed.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from benchmarks import networks
from benchmarks.chain import _halves
from benchmarks.networks import Job
from benchmarks.workload import Chain

from quantum_fabric import ensemble
from quantum_fabric.devices import Memory, Node
from quantum_fabric.devices.node import Gates
from quantum_fabric.montecarlo import Scenario, simulate
from quantum_fabric.montecarlo.samplers import chosen, why_not
from quantum_fabric.native import look
from quantum_fabric.units import US
from sampled_laws import alike, distance, unequal

native = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")


def tower(
    links: int,
    success: float,
    swap: float,
    pairs: int,
    *,
    uneven: bool = False,
    floor: float = 0.501,
    misread: float = 0.0,
) -> Scenario:
    """A chain whose swaps join halves and may fail."""
    job = networks.tower(links, success, swap=swap, pairs=pairs)
    if uneven:
        job = unequal(job)
    nodes = {
        name: replace(node, gates=replace(node.gates, swap_success=swap, readout_error_0=misread, readout_error_1=misread / 2))
        for name, node in job.inventory.nodes.items()
    }  # fmt: skip
    inventory = replace(job.inventory, nodes=nodes)
    names = tuple(nodes)
    plan = networks.plan_by_hand(inventory, names, joins=_halves(names))
    asked = [(0, replace(job.requests[0][1], fidelity=floor))]
    return compiled(Job(inventory, asked, {(names[0], names[-1]): plan}))


def compiled(job: Job) -> Scenario:
    with job.planned():
        return ensemble.scenario(job.inventory, job.requests)


CASES = {
    "one swap": tower(2, 0.1, 0.5, 10),
    "three links": tower(3, 0.1, 0.6, 8),
    "four links": tower(4, 0.1, 0.5, 10),
    "four unlike links": tower(4, 0.05, 0.7, 10, uneven=True),
    "eight links": tower(8, 0.2, 0.6, 4),
    "seven unlike links": tower(7, 0.2, 0.7, 4, uneven=True),
    "a floor that pairs miss": tower(4, 0.1, 0.6, 5, floor=0.799),
    "readout that errs": tower(4, 0.2, 0.8, 5, misread=0.05),
}


@native
@pytest.mark.parametrize("name", CASES)
def test_the_recursion_is_the_kernel_in_law(name: str) -> None:
    what = CASES[name]
    taken = chosen(what)
    assert taken is not None
    assert taken.name == "nested"
    kernel = simulate(what, seed=1, replicas=1500, keep_pairs=True)
    mine = simulate(what, seed=2, replicas=1500, keep_pairs=True, sampler="auto")
    assert mine.engine == "native (sampler: nested recursion)"
    alike(kernel, mine)
    if name == "a floor that pairs miss":
        assert mine.counts["withheld"] > 100


@native
def test_labels_and_states_belong_together() -> None:
    """Where readout errs the announced label says something of the state: the joint law is the kernel's."""
    what = tower(2, 0.5, 1.0, 1, misread=0.2)
    kernel = simulate(what, seed=1, replicas=20_000, keep_pairs=True)
    mine = simulate(what, seed=2, replicas=20_000, keep_pairs=True, sampler="nested")
    means = [
        [found.states[found.deliveries[:, 3] == bell, 1] for bell in range(4)] for found in (kernel, mine)
    ]
    for one, two in zip(*means, strict=True):
        assert distance(one.round(9), two.round(9)) < 3.0
    assert max(each.mean() for each in means[0]) - min(each.mean() for each in means[0]) > 0.1


def instant(links: int, success: float, swap: float) -> Scenario:
    """Messages take no time: everything happens at the ends of slots."""
    chain = Chain(links + 1)
    names = tuple(chain.names)
    job = networks.chain(chain, "instant", 1, _halves(names))
    node = Node(memory=Memory(t1=1.0, t2=1.0), gates=Gates(swap_success=swap), slots=2)
    links_by_name = {
        name: replace(link, model=replace(link.model, success=success))  # type: ignore[type-var]
        for name, link in job.inventory.links.items()
    }
    inventory = replace(job.inventory, links=links_by_name, nodes=dict.fromkeys(job.inventory.nodes, node))
    plan = networks.plan_by_hand(inventory, names, joins=_halves(names))
    return compiled(replace(job, inventory=inventory, plans={(names[0], names[-1]): plan}))


def textbook(level: int, success: float, swap: float, count: int, draw: np.random.Generator) -> np.ndarray:
    """Slots until a chain of 2^level links has its pair, if all of a part starts anew when the swap above it fails."""
    if level == 0:
        return draw.geometric(success, count)
    tries = draw.geometric(swap, count)
    both = [textbook(level - 1, success, swap, int(tries.sum()), draw) for _ in range(2)]
    return np.add.reduceat(np.maximum(*both), np.append(0, np.cumsum(tries)[:-1]))


@native
@pytest.mark.parametrize(
    ("level", "success", "swap", "replicas"),
    [(1, 0.1, 0.5, 20_000), (2, 0.1, 0.5, 20_000), (4, 0.2, 0.8, 100_000)],
)
def test_the_textbook_recursion_is_the_process_up_to_four_links(
    level: int, success: float, swap: float, replicas: int
) -> None:
    """Beyond, links in the middle start anew before the textbook lets them: with 16 links the agents are 3 % faster.

    Means of independent samples: beyond 5.5 standard errors once in 3e7.
    """
    what = instant(2**level, success, swap)
    slots = simulate(what, seed=3, replicas=replicas, sampler="nested").column("first") / (100 * US)
    book = textbook(level, success, swap, replicas, np.random.default_rng(5))
    off = (slots.mean() - book.mean()) / (math.hypot(slots.std(), book.std()) / math.sqrt(replicas))
    if level <= 2:
        assert distance(np.round(slots), book) < 3.0
        assert abs(off) < 5.5
    else:
        assert off < -5.5
        assert slots.mean() > 0.96 * book.mean()


@native
def test_neither_workers_nor_batches_change_a_bit() -> None:
    what = CASES["four links"]
    whole = simulate(what, seed=2, replicas=100, keep_pairs=True, sampler="auto", workers=1)
    for how in ({"workers": 2}, {"progress": lambda _: None}):
        again = simulate(what, seed=2, replicas=100, keep_pairs=True, sampler="auto", **how)  # type: ignore[arg-type]
        for name in ("sessions", "sums", "latencies", "intervals", "deliveries", "states"):
            assert np.array_equal(getattr(whole, name), getattr(again, name))
    bare = simulate(what, seed=2, replicas=100, sampler="auto")
    assert np.array_equal(whole.sums, bare.sums)  # lists change no draw
    one = simulate(what, seed=2, replicas=1, first=57, sampler="auto")
    assert np.array_equal(one.sums[0], whole.sums[57])


def test_what_makes_no_tree_says_so() -> None:
    job = networks.tower(4, 0.1, swap=0.5, pairs=2)  # whoever has two pairs swaps
    assert why_not(compiled(job))["nested"] == ("swaps that take more than one partner",)
    never = tower(2, 0.1, 1e-12, 1)
    assert why_not(never)["nested"] == ("a run may take longer than doubles can count in picoseconds",)
