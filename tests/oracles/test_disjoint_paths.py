"""Disjoint pairs of paths against all pairs of simple paths on small graphs: the least sum, and none where there is none."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from tests.unit.network.believed import fixed, network

from quantum_fabric.network.atlas import METRICS, atlas
from quantum_fabric.network.disjoint import disjoint_pair, disjoint_pairs, disjoint_paths
from quantum_fabric.network.paths import Path, all_paths
from quantum_fabric.network.topology import Topology


def graph(seed: int) -> Topology:
    """4 to 8 nodes, sparse or dense."""
    rng = random.Random(seed)
    names = "ABCDEFGH"[: rng.randint(4, 8)]
    ends = [pair for pair in itertools.combinations(names, 2) if rng.random() < rng.choice((0.3, 0.5, 0.8))]
    ends += [pair for pair in itertools.pairwise(names) if pair not in ends and rng.random() < 0.7]
    links = {pair: fixed(10 ** rng.uniform(-2.5, -0.3), rng.uniform(0.9, 0.999)) for pair in ends}
    return network({**links, ("A", "x"): fixed(), (names[-1], "y"): fixed()}, slots=4)


def disjoint(one: Path, two: Path, nodes: bool) -> bool:
    if set(one.links) & set(two.links):
        return False
    return not nodes or not set(one.nodes[1:-1]) & set(two.nodes[1:-1])


def cost(topology: Topology, paths: tuple[Path, ...], metric: str) -> float:
    return math.fsum(atlas(topology).weight(metric, name) for path in paths for name in path.links)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("nodes", [True, False])
def test_the_least_sum_of_all_pairs(seed: int, nodes: bool) -> None:
    topology = graph(seed)
    goal = sorted(topology.nodes)[-3]
    paths = list(all_paths(topology, "A", goal))
    pairs = [pair for pair in itertools.combinations(paths, 2) if disjoint(*pair, nodes)]
    for metric in METRICS:
        found = disjoint_pair(topology, "A", goal, metric, nodes=nodes)
        if not pairs:
            assert found is None
            continue
        assert found is not None
        assert disjoint(*found, nodes)
        for path in found:
            assert (path.nodes[0], path.nodes[-1]) == ("A", goal)
            assert len(set(path.nodes)) == len(path.nodes)
        best = min(cost(topology, pair, metric) for pair in pairs)
        assert cost(topology, found, metric) == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("seed", range(60, 85))
@pytest.mark.parametrize("nodes", [True, False])
def test_the_least_sum_of_all_triples(seed: int, nodes: bool) -> None:
    """Three paths at once, and fewer, all that there are, where there are no three."""
    topology = graph(seed)
    goal = sorted(topology.nodes)[-3]
    paths = list(all_paths(topology, "A", goal))
    sets = [
        some
        for size in (1, 2, 3)
        for some in itertools.combinations(paths, size)
        if all(disjoint(one, two, nodes) for one, two in itertools.combinations(some, 2))
    ]
    most = max(map(len, sets))
    for metric in METRICS:
        found = disjoint_paths(topology, "A", goal, 3, metric, nodes=nodes)
        assert len(found) == most
        assert all(disjoint(one, two, nodes) for one, two in itertools.combinations(found, 2))
        best = min(cost(topology, some, metric) for some in sets if len(some) == most)
        assert cost(topology, found, metric) == pytest.approx(best, rel=1e-9)


def test_the_best_path_alone_may_stand_in_the_way() -> None:
    """The trap: the cheapest path uses one link of each of the only two that are disjoint."""
    good, poor = fixed(0.5, 0.99), fixed(0.05, 0.95)
    topology = network(
        {("A", "B"): good, ("B", "C"): good, ("C", "Z"): good, ("A", "C"): poor, ("B", "Z"): poor}
    )
    found = disjoint_pair(topology, "A", "Z")
    assert found is not None
    assert {path.nodes for path in found} == {("A", "B", "Z"), ("A", "C", "Z")}
    assert disjoint_pairs(topology, "A", "Z") == (found,)
    assert disjoint_pair(topology, "A", "Z", busy=["C"]) is None
    assert disjoint_pairs(topology, "A", "Z", busy=["C"]) == ()
