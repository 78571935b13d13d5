"""When the kernel works news out instead of carrying letters, when it does not, and that a watcher brings them back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.engines import job_of, scenario_of
from benchmarks.networks import Job

from quantum_fabric import ensemble
from quantum_fabric.devices import Gates
from quantum_fabric.messages import Choice, Distillation, Plan
from quantum_fabric.montecarlo import Scenario, letters_needed, opened, simulate
from quantum_fabric.native import look
from quantum_fabric.units import SECOND

pytestmark = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")

LINKS = 5
EVERYTHING = (1 << 12) - 1


def tower(**more: object) -> Job:
    return job_of("tower", links=LINKS, success=0.2, pairs=40, **more)


def with_plan(**changes: object) -> Scenario:
    """The chain, by another plan."""
    job = tower()
    ((ends, plan),) = job.plans.items()
    job = replace(job, plans={ends: replace(plan, **changes)})
    with job.planned():
        return ensemble.scenario(job.inventory, job.requests)


def events(scenario: Scenario, **how: object) -> int:
    return int(simulate(scenario, workers=1, **how).counts["events"])  # type: ignore[arg-type]


def test_a_plain_chain_needs_none() -> None:
    """A herald and word of it for each link, a swap for each repeater, and for each end a word of completion and one home."""
    scenario = scenario_of("tower", links=LINKS, success=0.2, pairs=400)
    assert letters_needed(scenario) == ""
    found = simulate(scenario, workers=1)
    # those of the setup and of pairs that were under way when the last one was delivered come on top
    assert found.counts["events"] / found.pairs == pytest.approx(2 * LINKS + (LINKS - 1) + 4, rel=0.03)
    assert events(scenario, letters=True) > 1.4 * found.counts["events"]


def test_rules_that_act_on_news_need_letters() -> None:
    job = job_of("synchronised", nodes=5, nested=True)
    with job.planned():
        nested = ensemble.scenario(job.inventory, job.requests)
    for scenario, why in ((with_plan(choice=Choice.BEST), "believe"), (nested, "order")):
        assert why in letters_needed(scenario)
        assert events(scenario) == events(scenario, letters=True)


def test_several_memories_need_letters_and_several_requests_do_not() -> None:
    for kind, numbers, why in (
        ("fifty", {}, "several memories"),
        ("waxman", {"nodes": 30, "requests": 1}, "several memories"),
    ):
        scenario = scenario_of(kind, **numbers)  # type: ignore[arg-type]
        assert why in letters_needed(scenario)
    assert letters_needed(scenario_of("mesh", nodes=30, requests=10)) == ""


def test_purified_pairs_need_letters() -> None:
    job = job_of("waxman", nodes=30, requests=1)
    ((ends, plan),) = job.plans.items()
    assert isinstance(plan, Plan)
    links = tuple(replace(link, rounds=1) for link in plan.links)
    job = replace(job, plans={ends: replace(plan, links=links, distillation=Distillation.DEJMPS)})
    with job.planned():
        assert letters_needed(ensemble.scenario(job.inventory, job.requests)) != ""


def test_a_watcher_has_every_letter() -> None:
    """A run of its own, which Python may watch and change, always carries them: watched or not it has the same events."""
    scenario = scenario_of("tower", links=LINKS, success=0.2, pairs=40)
    assert letters_needed(scenario) == ""
    every = events(scenario, seed=3, letters=True)
    for watched in (False, True):
        run = opened(scenario)
        run.begin("3", 0)
        seen: list[int] = []
        if watched:
            run.watch(seen.append, EVERYTHING, kinds=True)
        run.run(10**6 * SECOND, while_open=True)
        assert run.counts["events"] == every
        assert bool(seen) == watched


def test_a_limit_of_events_counts_every_letter() -> None:
    scenario = scenario_of("tower", links=LINKS, success=0.2, pairs=40)
    assert events(scenario, most_events=900) == 900
    assert events(scenario, most_events=1 << 40) == events(scenario, letters=True)


@pytest.mark.parametrize("swap", [1.0, 0.5])
@pytest.mark.parametrize("cutoff", [None, 8])
@pytest.mark.parametrize("beliefs", [True, False])
def test_breaks_and_cutoffs_are_heard_of_as_with_letters(
    swap: float, cutoff: int | None, beliefs: bool
) -> None:
    job = tower(swap=swap, cutoff=cutoff)
    nodes = {
        name: replace(node, gates=replace(node.gates, gate_time=3 * 10**7)) if number == 2 else node
        for number, (name, node) in enumerate(job.inventory.nodes.items())
    }
    assert isinstance(next(iter(nodes.values())).gates, Gates)
    # one swap takes time: news can come in the middle of it
    job = replace(job, inventory=replace(job.inventory, nodes=nodes))
    with job.planned():
        scenario = ensemble.scenario(job.inventory, job.requests)
    assert letters_needed(scenario) == ""
    one, two = (
        simulate(scenario, seed=5, replicas=4, workers=1, keep_pairs=True, beliefs=beliefs, letters=letters)
        for letters in (True, False)
    )
    assert two.counts["letters"] < one.counts["letters"]
    assert np.array_equal(one.deliveries, two.deliveries)
    assert np.array_equal(one.sessions, two.sessions)
    assert np.allclose(one.states, two.states, rtol=1e-12, atol=1e-12)
    assert np.allclose(one.sums, two.sums, rtol=1e-12, atol=1e-12)


def test_neither_workers_nor_batches_change_a_bit() -> None:
    scenario = scenario_of("tower", links=LINKS, success=0.2, pairs=40, swap=0.8)
    one, *others = (
        simulate(scenario, replicas=30, keep_pairs=True, **how)  # type: ignore[arg-type]
        for how in ({"workers": 1}, {"workers": 2}, {"workers": 2, "progress": lambda done: None})
    )
    for other in others:
        for name in ("sessions", "sums", "latencies", "intervals", "deliveries", "states"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name
        assert one.counts == other.counts
