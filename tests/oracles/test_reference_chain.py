"""Chains of repeaters against a table from another program, and against exact means.

The table was made by a compiled loop of 110 lines that shares no code with this project (own calculation, provenance C): attempts
every
L/c until both photons of one are detected, one memory for each link end, swaps as soon as possible that take no time and are known
everywhere at once, one period of decay at the herald. 200,000 pairs each, 20,000 for 33 and 65 nodes. A second program by others,
ReQuSim 0.4 (density matrices), agrees with it within its own errors; `python -m benchmarks w2` runs that one beside ours.

Limits of agreement are 3 standard errors of both sides and the rounding of the table; seeds are fixed.
"""

from __future__ import annotations

import math

import pytest
from benchmarks import networks
from benchmarks.workload import Chain

from quantum_fabric import ensemble
from quantum_fabric.montecarlo import Results, simulate
from quantum_fabric.native import look
from quantum_fabric.units import SECOND

needs_native = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")

TABLE = {
    2: (0.6201, 0.98980),
    3: (0.9028, 0.97864),
    5: (1.1956, 0.95705),
    9: (1.3544, 0.91578),
    17: (1.4234, 0.84045),
    33: (1.4490, 0.71457),
    65: (1.4528, 0.53783),
}
"""Nodes -> ms between pairs, mean fidelity."""

ROUNDING = 1.0 / math.sqrt(12.0)
"""Standard deviation of a rounded number, in units of its last digit."""


def pairs_of_the_table(nodes: int) -> int:
    return 200_000 if nodes <= 17 else 20_000


def served(nodes: int, replicas: int, pairs: int, rules: str = "instant", letters: bool = False) -> Results:
    job = networks.chain(Chain(nodes), rules, pairs)
    with job.planned():
        return simulate(
            ensemble.scenario(job.inventory, job.requests),
            seed=4,
            replicas=replicas,
            workers=1,
            beliefs=False,
            letters=letters,
        )


def wait(found: Results) -> tuple[float, float]:
    """ms between pairs and its standard error between replicas."""
    rate, error = found.rate()
    return 1e3 / rate, 1e3 * error / rate**2


@needs_native
@pytest.mark.parametrize("nodes", TABLE)
def test_the_table(nodes: int) -> None:
    pairs = pairs_of_the_table(nodes)
    found = served(nodes, 40, pairs // 40)
    (mine, error), (fidelity, fidelity_error) = wait(found), found.fidelity()
    table_wait, table_fidelity = TABLE[nodes]
    # the table's own errors are those of as many pairs as ours
    assert abs(mine - table_wait) < 3.0 * math.hypot(error, error, ROUNDING * 1e-4)
    assert abs(fidelity - table_fidelity) < 3.0 * math.hypot(fidelity_error, fidelity_error, ROUNDING * 1e-5)
    # the comparison means something: two percent of time, or of what is left of the entanglement, would show
    assert error < 0.005 * mine
    assert fidelity_error < 0.005 * (fidelity - 0.25)


@pytest.mark.parametrize(("nodes", "pairs"), [(2, 400), (3, 300), (5, 200)])
def test_the_table_on_the_twin(nodes: int, pairs: int) -> None:
    """The same in pure Python, coarser. Its floor is far below what is delivered, so nothing is withheld."""
    job = networks.chain(Chain(nodes), "instant", pairs)
    with job.planned():
        found = ensemble.run(job.inventory, job.requests, seed=5, replicas=6, workers=1, engine="twin")
    (mine, error), (fidelity, fidelity_error) = wait(found), found.fidelity()
    table_wait, table_fidelity = TABLE[nodes]
    assert found.column("withheld").sum() == 0
    assert abs(mine - table_wait) < 4.0 * error  # six replicas: the error itself is uncertain by a third
    assert abs(fidelity - table_fidelity) < 4.0 * fidelity_error + 1e-5


def test_exact_numbers_of_the_workload() -> None:
    """One link: 1/p attempts. Two: the larger of two geometric numbers, (3 - 2p)/(p(2 - p))."""
    p = Chain(2).success
    assert 1.0 / p == pytest.approx(6.2022, abs=5e-5)
    assert (3.0 - 2.0 * p) / (p * (2.0 - p)) == pytest.approx(9.031, abs=5e-4)


@needs_native
def test_exact_means() -> None:
    """False-alarm rate: 5 standard errors, 6e-7 each."""
    p, period = Chain(2).success, 0.1  # ms
    for nodes, exact in ((2, period / p), (3, period * (3.0 - 2.0 * p) / (p * (2.0 - p)))):
        mine, error = wait(served(nodes, 100, 5_000))
        assert abs(mine - exact) < 5.0 * error
        assert error < 0.002 * exact


@needs_native
@pytest.mark.parametrize("rules", ["instant", "messages"])
def test_fidelity_of_one_link_is_exact(rules: str) -> None:
    """Werner factor of a fresh pair times exp(-4t/3T) for each of two memories, t the one period until the herald."""
    link = Chain(2)
    factor = (4.0 * link.fresh - 1.0) / 3.0 * math.exp(-2.0 * 4.0 / 3.0 * 1e-4 / link.coherence)
    fidelity, _ = served(2, 2, 50, rules).fidelity()
    assert fidelity == pytest.approx((1.0 + 3.0 * factor) / 4.0, abs=1e-12)


@needs_native
def test_one_pair_costs_five_events_for_each_link() -> None:
    """5 (n - 1), less the letter to the client: each link is heard of at two ends, each swap ends once and is told to two nodes, both
    ends
    confirm. It is what an engine that follows every message cannot do without."""
    for nodes in (3, 9, 17):
        found = served(nodes, 4, 2_000, letters=True)
        assert found.counts["events"] / found.pairs == pytest.approx(Chain(nodes).events - 1, rel=0.01)


# ------------------------------------------------------------------------------------------------- no stall

SPAN = 6 * SECOND // 10


@pytest.fixture(scope="module")
def through() -> dict[int, list[float]]:
    """Pairs in each third of 0.6 s on a line of six nodes that forgets nothing, by memories for each link end: 8 replicas together."""
    found = {}
    for memories in range(1, 11):
        job = networks.chain(Chain(6, coherence=math.inf), "messages", networks.ENDLESS, lanes=memories)
        with job.planned():
            scenario = ensemble.scenario(job.inventory, job.requests)
        counts = [
            simulate(scenario, seed=memories, replicas=8, workers=1, until=third * SPAN // 3).pairs for third in (1, 2, 3)
        ]  # fmt: skip
        found[memories] = [float(later - sooner) for sooner, later in zip([0, *counts], counts, strict=False)]
    return found


@needs_native
@pytest.mark.parametrize("memories", range(1, 11))
def test_no_stall_however_many_memories(through: dict[int, list[float]], memories: int) -> None:
    """Another simulator's line of six with two or three memories and long coherence stops after some forty pairs. Here each third of
    the time brings as many pairs as the one before, but for 6 standard deviations of a Poisson process (waits vary less)."""
    first, second, third = through[memories]
    assert first > 8 * 50 * memories
    for one, two in ((first, second), (second, third)):
        assert abs(one - two) < 6.0 * math.sqrt(one + two) + 8 * 5 * memories  # and what the start takes


@needs_native
def test_memories_add_up(through: dict[int, list[float]]) -> None:
    """With M memories at least M times as many pairs: halves of different lanes find each other sooner."""
    alone = sum(through[1])
    for memories in range(2, 11):
        assert sum(through[memories]) > memories * alone * 0.98
        assert sum(through[memories]) > sum(through[memories - 1])
