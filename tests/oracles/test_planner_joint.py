"""The planner against a joint oracle: paths x swap orders x rounds and where they are made x cutoffs x knobs, all at once.

The oracle knows nothing of the planner's lists: it takes every simple path, every binary swap tree and the order as soon as possible,
every number of rounds on each link for itself and end to end, every way to give the slots to the hops, knobs of each link turned for
itself, and a grid of cutoffs of its own; every scheme is forecast. (Forecasts are shared: they have oracles of their own against exact
chains and against the twin, in `test_exact_forecast.py` and `test_forecast_against_twin.py`.)

Worst gap allowed: `GAP`. The planner turns the knobs of a path together and gives the same rounds to all its links, or to the poor
ones; it has seven cutoffs. What that costs was measured on these networks; sampled rates err by some per cent besides.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import pytest
from tests.unit.network.believed import KnobLink, fixed, line, network

from quantum_fabric.messages import Code, Join, LinkRequest, Order, Plan
from quantum_fabric.network.chain import chain
from quantum_fabric.network.forecast import FULL, QUICK, judge
from quantum_fabric.network.order import asap
from quantum_fabric.network.paths import Path, all_paths
from quantum_fabric.network.planning import plan
from quantum_fabric.network.purify import Strategy, lanes_needed
from quantum_fabric.network.scheme import Scheme
from quantum_fabric.network.topology import Topology

GAP = 0.75
"""Of the rate of the joint optimum that the planner keeps at least."""

LOOKED_AT = 8
"""Schemes that lead by quick samples, which are sampled in full."""

KNOBS = (0.02, 0.06, 0.15, 0.35)
"""Settings of each link of the oracle."""


def trees(low: int, high: int) -> Iterator[tuple[tuple[int, int, int], ...]]:
    """Every binary swap tree over stations ``low`` to ``high``, bottom-up: (at, left, right)."""
    if high - low < 2:
        yield ()
        return
    for at in range(low + 1, high):
        for left, right in product(trees(low, at), trees(at, high)):
            yield (*left, *right, (at, low, high))


def ways_to_spread(hops: int, slots: Sequence[int], needs: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every number of lanes of each hop that fits and that no hop could have one more of."""
    every = [
        lanes
        for lanes in product(*(range(need, max(slots) + 1) for need in needs))
        if all(
            (lanes[k - 1] if k else 0) + (lanes[k] if k < hops else 0) <= slots[k] for k in range(hops + 1)
        )
    ]
    for lanes in every:
        if not any(all(a <= b for a, b in zip(lanes, more, strict=True)) and more != lanes for more in every):
            yield lanes


def schemes(topology: Topology, path: Path, most: int, cutoffs: Sequence[int | None]) -> Iterator[Scheme]:
    """All schemes on one path."""
    hops = len(path.links)
    slots = [topology.nodes[name].slots for name in path.nodes]
    knobs = [KNOBS if topology.links[name].model.knob is not None else (None,) for name in path.links]
    orders: list[tuple[Order, tuple[Join, ...]]] = [(Order.ASAP, asap(path.nodes))]
    if hops > 2:
        orders += [
            (Order.NESTED, tuple(Join(path.nodes[at], path.nodes[a], path.nodes[b]) for at, a, b in tree))
            for tree in trees(0, hops)
        ]
    for (order, joins), rounds in product(orders, product(range(most + 1), repeat=hops)):
        for end in range(most + 1 if hops > 1 else 1):
            ends = (*joins[:-1], replace(joins[-1], rounds=end)) if joins and order is Order.NESTED else joins
            needs = lanes_needed(path.nodes, Strategy(order, rounds, ends, end, ""))
            for lanes in ways_to_spread(hops, slots, needs):
                for settings, cutoff in product(product(*knobs), cutoffs if hops > 1 else (None,)):
                    yield Scheme(
                        path.nodes, path.links, lanes, settings, rounds, order, ends, end, cutoff=cutoff
                    )


def optimum(
    topology: Topology, target: float, most: int, cutoffs: Sequence[int | None], beat: float
) -> float:
    """The best rate over all paths and schemes that reach a target; what seems to beat a rate is sampled in full."""
    ends = ("A", max(topology.nodes))
    found = []
    for path in all_paths(topology, *ends):
        for scheme in schemes(topology, path, most, cutoffs):
            numbers = chain(topology, scheme)
            quick = judge(numbers, QUICK)
            if quick.rate > beat and quick.fidelity_low >= target - 0.01:
                found.append((quick.rate, numbers))
    found.sort(key=lambda entry: -entry[0])
    full = [judge(numbers, FULL) for _, numbers in found[:LOOKED_AT]]
    return max((each.rate - each.rate_error for each in full if each.fidelity_low >= target), default=0.0)


def keeps(topology: Topology, targets: Sequence[float], most: int, cutoffs: Sequence[int | None]) -> None:
    for target in targets:
        answer = plan(topology, LinkRequest("A", max(topology.nodes), target))
        if isinstance(answer, Plan):
            rate = answer.forecast.rate
            assert answer.forecast.fidelity_low >= target
            best = optimum(topology, target, most, cutoffs, beat=rate)
            assert rate >= GAP * best, (target, rate, best)
        else:
            assert answer.code is Code.UNSUPP
            assert optimum(topology, min(0.999, target + 0.01), most, cutoffs, beat=0.0) == 0.0


def cuts(topology: Topology, *times: float) -> tuple[int | None, ...]:
    """None, and so many mean waiting times of the slowest link."""
    slowest = max(
        each.model.heralding().period / each.model.heralding().success for each in topology.links.values()
    )
    return (None, *(round(time * slowest) for time in times))


@pytest.mark.parametrize("seed", range(6))
def test_two_links_with_rounds_lanes_and_cutoffs(seed: int) -> None:
    rng = random.Random(seed)
    models = [fixed(10 ** rng.uniform(-2.0, -0.5), rng.uniform(0.93, 0.99)) for _ in range(2)]
    topology = line(*models, slots=4, t2=10 ** rng.uniform(-0.7, 0.7))
    keeps(topology, (0.7, 0.85, 0.92), 1, cuts(topology, 0.3, 0.8, 2.0))


@pytest.mark.parametrize("seed", range(10, 13))
def test_knobs_of_each_link_for_itself(seed: int) -> None:
    rng = random.Random(seed)
    topology = line(*[KnobLink(10 ** rng.uniform(-1.2, -0.3)) for _ in range(2)], slots=3, t2=2.0)  # type: ignore[arg-type]
    keeps(topology, (0.6, 0.75, 0.85), 1, cuts(topology, 0.5, 1.5))


@pytest.mark.parametrize("seed", range(20, 23))
def test_swap_trees_of_three_and_four_links(seed: int) -> None:
    rng = random.Random(seed)
    count = 3 + seed % 2
    models = [fixed(10 ** rng.uniform(-1.5, -0.4), rng.uniform(0.96, 0.995)) for _ in range(count)]
    topology = line(*models, slots=2, t2=10 ** rng.uniform(0.0, 1.0))
    keeps(topology, (0.6, 0.8), 0, cuts(topology, 0.5, 1.5))


def test_paths_of_a_small_grid() -> None:
    """2 x 3 nodes: four simple paths from corner to corner, of three and of five links."""
    rng = random.Random(30)
    names = {(row, column): "ABCDEF"[3 * row + column] for row in range(2) for column in range(3)}
    links = {
        (name, names[other]): fixed(10 ** rng.uniform(-1.2, -0.4), rng.uniform(0.95, 0.99))
        for (row, column), name in names.items()
        for other in ((row + 1, column), (row, column + 1))
        if other in names
    }
    keeps(network(links, slots=2, t2=1.0), (0.6, 0.75, 0.85), 0, (None,))


def test_the_oracle_sees_what_the_planner_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planner without cutoffs would fail here: so the test can."""
    topology = line(*[fixed(0.01, 0.98, wait=0)] * 2, t2=0.3, slots=2)
    keeps(topology, (0.85,), 0, cuts(topology, 0.1, 0.25, 0.5, 1.0))
    monkeypatch.setattr("quantum_fabric.network.candidates.choices", lambda _: (None,))
    with pytest.raises(AssertionError):
        keeps(
            line(*[fixed(0.01, 0.98, wait=0)] * 2, t2=0.3, slots=2),
            (0.85,),
            0,
            cuts(topology, 0.1, 0.25, 0.5, 1.0),
        )
