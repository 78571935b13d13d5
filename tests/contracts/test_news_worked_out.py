"""News that the native engine works out instead of carrying it: the run is the twin's, where every letter arrives."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from quantum_fabric import ensemble
from quantum_fabric.documents import Inventory
from quantum_fabric.messages import Choice, Join, Order, Plan
from quantum_fabric.montecarlo import Results, Scenario, simulate
from quantum_fabric.montecarlo.running import letters_needed
from quantum_fabric.native import look
from quantum_fabric.units import SECOND
from random_networks import ANY_STATE, PLAIN, Case, case

pytestmark = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")

HORIZON = SECOND // 5
TWINS = range(5000, 5040)
MANY = range(5040, 5400)
LETTERS = range(6000, 6400)
SOAK = range(10_000, 20_000)


def plain(seed: int, hops: int | None = None, **more: object) -> tuple[Inventory, list, Plan]:  # type: ignore[type-arg]
    """A random chain that swaps whatever is ready, one memory for each end of a link; all else as it was drawn."""
    draw = random.Random(seed)
    drawn: Case = case(seed, hops=hops or draw.randint(2, 7), **more)  # type: ignore[arg-type]
    at, request = drawn.requests[0]
    found = drawn.planner(None, request)  # type: ignore[arg-type]
    assert isinstance(found, Plan)
    links = tuple(replace(link, lanes=1, rounds=0) for link in found.links)
    joins = tuple(Join(each, found.path[0], found.path[-1]) for each in found.path[1:-1])
    longest = max(link.light_time for link in drawn.inventory.links.values())
    plan = replace(
        found, links=links, order=Order.ASAP, joins=joins, end_rounds=0, turnings=(), pumped=False,
        choice=draw.choice((Choice.OLDEST, Choice.YOUNGEST)), cutoff=draw.choice((None, longest * draw.randint(1, 12))),
    )  # fmt: skip
    return drawn.inventory, [(at, replace(request, pairs=draw.randint(5, 60), deadline=None))], plan


Planner = Callable[..., Plan]


def plain_many(seed: int) -> tuple[Inventory, list, Planner]:  # type: ignore[type-arg]
    """A random chain with several requests on overlapping parts of it, each as `plain` has one."""
    draw = random.Random(seed)
    drawn = case(seed, hops=draw.randint(3, 7))
    plans: dict[tuple[str, str], Plan] = {}
    requests = []
    for at, request in drawn.requests:
        found = drawn.planner(None, request)
        assert isinstance(found, Plan)
        longest = max(link.light_time for link in drawn.inventory.links.values())
        plans[request.source, request.destination] = replace(
            found, links=tuple(replace(link, lanes=1, rounds=0) for link in found.links), order=Order.ASAP,
            joins=tuple(Join(each, found.path[0], found.path[-1]) for each in found.path[1:-1]), end_rounds=0, turnings=(),
            pumped=False, choice=draw.choice((Choice.OLDEST, Choice.YOUNGEST)),
            cutoff=draw.choice((None, longest * draw.randint(1, 12))),
        )  # fmt: skip
        requests.append((at, replace(request, pairs=draw.randint(5, 60), deadline=None)))
    nodes = {
        name: replace(node, memory=replace(node.memory, attempt_dephasing=0.0))
        for name, node in drawn.inventory.nodes.items()
    }
    inventory = replace(drawn.inventory, nodes=nodes)
    return inventory, requests, lambda _, request, *rest, **named: plans[request.source, request.destination]


def compiled(seed: int, states: str) -> Scenario:
    inventory, requests, plan = plain(seed, kinds=PLAIN if states == "bell-diagonal" else ANY_STATE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", lambda *_, **__: plan)
        return ensemble.scenario(replace(inventory, states=states), requests)


def same_tables(one: Results, two: Results) -> None:
    """Integers are equal; floats differ by rounding at most."""
    for name in ("sessions", "deliveries", "latencies", "intervals"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    for name in ("sums", "states"):
        assert np.allclose(getattr(one, name), getattr(two, name), rtol=1e-11, atol=1e-11), name


def same(one: Results, two: Results) -> None:
    """So are tables, and what is counted, but for events."""
    same_tables(one, two)
    assert one.twirl_error == pytest.approx(two.twirl_error, abs=1e-12)
    for name in ("heralds", "swaps", "failed_swaps", "cutoffs", "deliveries", "withheld"):
        assert one.counts[name] == two.counts[name], name


def both(inventory: Inventory, requests: list, seed: int) -> tuple[Results, Results]:  # type: ignore[type-arg]
    """The same replica on the twin and in the kernel."""
    one, two = (
        ensemble.run(inventory, requests, seed=seed, workers=1, until=HORIZON, keep_pairs=True, engine=engine, sampler="none")
        for engine in ("twin", "native")
    )  # fmt: skip
    return one, two


def as_the_twin(seed: int) -> None:
    inventory, requests, plan = plain(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", lambda *_, **__: plan)
        same_tables(*both(inventory, requests, seed))


def letters_or_not(seed: int) -> tuple[Results, Results]:
    scenario = compiled(seed, "bell-diagonal" if seed % 4 else "exact")
    one, two = (
        simulate(scenario, seed=seed, replicas=3, workers=1, until=HORIZON, keep_pairs=True, letters=letters)
        for letters in (True, False)
    )
    same(one, two)
    return one, two


@pytest.mark.parametrize("seed", TWINS)
def test_the_same_run_as_the_twin(seed: int) -> None:
    as_the_twin(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY)
def test_the_same_run_as_the_twin_on_many_more(seed: int) -> None:
    as_the_twin(seed)


def test_the_same_run_as_with_letters() -> None:
    """Swaps that fail, cutoffs, late heralds, swaps that take time, lost halves: all of it is met, and letters are saved.

    Nearly all of these chains qualify. Those of one or two links have no letter that could be saved: one word comes to each end.
    """
    total: dict[str, int] = {}
    saved = spared = 0
    for seed in LETTERS:
        one, two = letters_or_not(seed)
        saved += one.counts["letters"] - two.counts["letters"]
        spared += one.counts["letters"] > two.counts["letters"]
        for name, count in two.counts.items():
            total[name] = total.get(name, 0) + count
    for name in ("deliveries", "withheld", "cutoffs", "failed_swaps", "stale"):
        assert total[name] > 100, (name, total)
    assert saved > 10_000
    assert spared > len(LETTERS) / 4


@pytest.mark.parametrize("seed", range(7000, 7030))
def test_several_requests_are_as_on_the_twin(seed: int) -> None:
    inventory, requests, planner = plain_many(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", planner)
        same_tables(*both(inventory, requests, seed))


def test_several_requests_are_as_with_letters() -> None:
    total: Counter[str] = Counter()
    for seed in range(7000, 7400):
        inventory, requests, planner = plain_many(seed)
        if len(requests) < 2:
            continue
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("quantum_fabric.control.controller.make_plan", planner)
            scenario = ensemble.scenario(inventory, requests)
        if letters_needed(scenario):
            continue
        one, two = (
            simulate(
                scenario, seed=seed, replicas=3, workers=1, until=HORIZON, keep_pairs=True, letters=letters
            )
            for letters in (True, False)
        )
        same(one, two)
        total += Counter(two.counts)
        total["saved"] += one.counts["letters"] - two.counts["letters"]
        total["networks"] += 1
    assert total["networks"] > 100
    for name in ("deliveries", "withheld", "cutoffs", "failed_swaps", "stale", "saved"):
        assert total[name] > 1000, (name, total)


def test_attempts_that_disturb_another_session_keep_their_letters() -> None:
    inventory, requests, planner = next(
        found for found in map(plain_many, range(7000, 7100)) if len(found[1]) > 1
    )
    node = next(iter(inventory.nodes.values()))
    disturbed = replace(node, memory=replace(node.memory, attempt_dephasing=0.01))
    inventory = replace(inventory, nodes=dict.fromkeys(inventory.nodes, disturbed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", planner)
        assert letters_needed(ensemble.scenario(inventory, requests)) in (
            "attempts of a session disturb what another one stores", "delays that do not add up along the path",
        )  # fmt: skip


@pytest.mark.soak
@pytest.mark.parametrize("seed", SOAK)
def test_the_same_run_as_with_letters_for_hours(seed: int) -> None:
    letters_or_not(seed)
