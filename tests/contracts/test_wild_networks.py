"""The native engine is the twin also where nobody would build: see `wild_networks`."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from compared_runs import close
from quantum_fabric import ensemble
from quantum_fabric.ensemble import LiveFabric
from quantum_fabric.errors import StateError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Accepted,
    Confirmed,
    Delivered,
    Heralded,
    LinkChanged,
    Message,
    NodeFailed,
    NodeRecovered,
    Outcome,
    Prepared,
    Purified,
    Released,
    Substandard,
    Swapped,
    Truth,
)  # fmt: skip
from quantum_fabric.montecarlo import Results
from quantum_fabric.native import look
from quantum_fabric.units import SECOND, Time
from random_networks import ANY_STATE, PLAIN, Case
from wild_networks import wild

pytestmark = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")

HORIZON = SECOND // 40
TOLD = (
    Delivered,
    Substandard,
    Outcome,
    Truth,
    Heralded,
    Swapped,
    Purified,
    Confirmed,
    Prepared,
    Released,
    Accepted,
)
FEW, MANY = range(9000, 9008), range(9008, 9300)


def same(one: Results, two: Results) -> None:
    """Everything that is counted or timed is equal, and floats are equal but for rounding."""
    for name in ("sessions", "deliveries", "latencies", "intervals"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    for name in ("sums", "states"):
        assert np.allclose(getattr(one, name), getattr(two, name), rtol=1e-10, atol=1e-10), name
    assert one.twirl_error == pytest.approx(two.twirl_error, abs=1e-12)


def compare(seed: int, states: str) -> int:
    """The same replica in both engines: how many pairs; 0 where requests have to wait for lanes."""
    drawn = wild(seed, kinds=PLAIN if states == "bell-diagonal" else ANY_STATE)
    inventory = replace(drawn.inventory, states=states)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        try:
            one, two = (
                ensemble.run(
                    inventory, drawn.requests, seed=seed, first=seed, workers=1, until=HORIZON, keep_pairs=True, engine=engine
                )
                for engine in ("twin", "native")
            )  # fmt: skip
        except StateError:
            return 0
    same(one, two)
    return one.pairs


@pytest.mark.parametrize("states", ["bell-diagonal", "exact"])
def test_the_same_run_as_the_twin(states: str) -> None:
    assert sum(compare(seed, states) for seed in FEW) > 10


@pytest.mark.soak
@pytest.mark.parametrize("states", ["bell-diagonal", "exact"])
def test_the_same_run_as_the_twin_on_many_more(states: str) -> None:
    assert sum(compare(seed, states) for seed in MANY) > 400


def troubles(seed: int, drawn: Case) -> list[tuple[Time, LinkChanged | NodeFailed | NodeRecovered | str]]:
    """Faults and cancels, many of them at the picosecond of something else."""
    draw = random.Random(f"troubles {seed}")
    links, nodes = list(drawn.inventory.links), list(drawn.inventory.nodes)
    light = [link.light_time for link in drawn.inventory.links.values()]
    grid = min((time for time in light if time > 1000), default=10**7)
    found: list[tuple[Time, LinkChanged | NodeFailed | NodeRecovered | str]] = []
    for _ in range(draw.choice((0, 1, 2, 4, 8))):
        asked = draw.choice(drawn.requests)[0]
        at = draw.choice(
            (
                draw.randint(0, 60) * grid,
                draw.randint(0, HORIZON),
                asked + draw.choice(light) * draw.randint(0, 9),
            )
        )
        later = at + draw.choice((0, 1, grid, draw.randint(1, 100) * grid, HORIZON // 3))
        link, node = draw.choice(links), draw.choice(nodes)
        found += draw.choice((
            [(at, LinkChanged("", link, False)), (later, LinkChanged("", link, True))],
            [(at, NodeFailed(node)), (later, NodeRecovered(node))],
            [(at, draw.choice(drawn.requests)[1].name)],
        ))  # fmt: skip
    return sorted(found, key=lambda each: each[0])


def live(fabric: Fabric, seed: int, drawn: Case) -> list[tuple[Time, str, Message]]:
    """All that can be seen of a run with troubles, until every lease has come home."""
    seen: list[tuple[Time, str, Message]] = []
    fabric.watch(lambda time, place, message: seen.append((time, place, message)), *TOLD)
    for at, request in drawn.requests:
        fabric.submit(request, at)
    found = troubles(seed, drawn)
    for at, event in found:
        if not isinstance(event, str):
            fabric.inject(event, at)
    for at, event in found:
        if isinstance(event, str) and at <= HORIZON:
            fabric.run(at)
            fabric.cancel(event)
    fabric.run(HORIZON)
    fabric.finish()
    return seen


def compare_live(seed: int, states: str) -> int:
    slots = random.Random(seed).choice((400, 12, 6))
    drawn = wild(seed, kinds=PLAIN if states == "bell-diagonal" else ANY_STATE, slots=slots, apart=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        fabrics = [kind(drawn.inventory, seed=seed, states=states) for kind in (Fabric, LiveFabric)]
        one, two = (live(fabric, seed, drawn) for fabric in fabrics)
    for mine, other in zip(one, two, strict=False):
        assert close(mine, other), (mine, other)
    assert len(one) == len(two)
    return len(one)


@pytest.mark.parametrize("states", ["bell-diagonal", "exact"])
def test_the_same_troubles_as_on_the_twin(states: str) -> None:
    """Requests queue for slots, leases of nodes that failed run out, fibres are cut for no time at all."""
    assert sum(compare_live(seed, states) for seed in range(9500, 9515)) > 1000


@pytest.mark.soak
@pytest.mark.parametrize("states", ["bell-diagonal", "exact"])
def test_the_same_troubles_on_many_more(states: str) -> None:
    assert sum(compare_live(seed, states) for seed in range(9515, 9700)) > 10_000


@pytest.mark.parametrize("seed", [9500, 9559, 9667, 9798, 9833])
def test_nothing_is_left_behind_by_troubles(seed: int) -> None:
    """Pairs and letters of nodes that failed are given back as well."""
    drawn = wild(seed, apart=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        fabric = LiveFabric(drawn.inventory, seed=seed)
        live(fabric, seed, drawn)
        for node in drawn.inventory.nodes:
            fabric.inject(NodeFailed(node))
        fabric.run(fabric.now + 10 * SECOND)
    assert fabric._run.pairs_alive == 0
    assert fabric._run.letters_out == 0
