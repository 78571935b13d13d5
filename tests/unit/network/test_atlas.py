"""Path finding: bounds by landmarks and k shortest paths, against networkx and brute force."""

from __future__ import annotations

import itertools
import math
import random

import networkx
import pytest
from tests.unit.network.believed import fixed, network, random_network

from quantum_fabric.network.atlas import FAR, METRICS, Atlas, atlas
from quantum_fabric.network.topology import Topology


def grid(width: int, seed: int) -> Topology:
    """A square grid of unequal links, and an island."""
    rng = random.Random(seed)
    names = {(x, y): f"n{x}{y}" for x in range(width) for y in range(width)}
    links = {
        (names[x, y], names[to]): fixed(10.0 ** rng.uniform(-3, -0.5), rng.uniform(0.9, 0.999))
        for (x, y) in names
        for to in ((x + 1, y), (x, y + 1))
        if to in names
    }
    return network({**links, ("x0", "x1"): fixed(0.5, 0.9)}, slots=4)


def graph_of(chart: Atlas, costs: list[float], closed: set[int]) -> networkx.Graph:
    graph: networkx.Graph = networkx.Graph()
    for here, ways in enumerate(chart.around):
        graph.add_edges_from((here, there, {"cost": costs[edge]}) for there, edge in ways)
    graph.remove_nodes_from(closed)
    return graph


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("metric", METRICS)
def test_the_cheapest_paths_are_those_of_networkx(seed: int, metric: str) -> None:
    chart = atlas(grid(6, seed))
    busy = random.Random(seed).sample([name for name in chart.names if name not in ("n00", "n55")], 5)
    graph = graph_of(chart, chart.costs(metric), chart.shut(busy, ("n00", "n55")))
    start, goal = chart.index["n00"], chart.index["n55"]
    expected = [
        networkx.path_weight(graph, path, "cost")
        for path in itertools.islice(networkx.shortest_simple_paths(graph, start, goal, "cost"), 12)
    ]
    found = list(itertools.islice(chart.ranked(metric, "n00", "n55", busy), 12))
    assert [cost for cost, _, _ in found] == pytest.approx(expected, rel=1e-12)
    for cost, nodes, edges in found:
        assert len(set(nodes)) == len(nodes) == len(edges) + 1
        assert math.fsum(chart.costs(metric)[edge] for edge in edges) == pytest.approx(cost)
    assert len({nodes for _, nodes, _ in found}) == len(found)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("metric", METRICS)
def test_inherited_bounds_never_exceed_the_way_that_is_left(seed: int, metric: str) -> None:
    whole = grid(5, seed)
    atlas(whole)
    rng = random.Random(seed)
    less = whole.without(links=rng.sample(sorted(whole.links), 6), nodes=rng.sample(sorted(whole.nodes), 2))
    once_more = less.without(links=rng.sample(sorted(less.links), 4))
    for topology in (whole, less, once_more):
        chart = atlas(topology)
        goal = chart.names[-3]
        bounds, true = chart._left(metric, goal), chart.distances(chart.costs(metric), chart.index[goal])
        assert all(bound <= way * (1 + 1e-12) for bound, way in zip(bounds, true, strict=True))
        fresh = Atlas(Topology(topology.nodes, topology.links, topology.delays, topology.controller))
        assert fresh.costs(metric) == chart.costs(metric)
        assert fresh.around == chart.around


def test_landmarks_are_inherited_and_not_searched_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = grid(5, 1)
    list(itertools.islice(atlas(whole).ranked("time", "n00", "n44", ()), 1))
    less = whole.without(links=["n00~n01"])
    monkeypatch.setattr(Atlas, "_mark", None)
    ways = list(itertools.islice(atlas(less).ranked("time", "n00", "n44", ()), 3))
    assert len(ways) == 3
    assert atlas(less) is atlas(less)


def test_islands() -> None:
    chart = atlas(grid(3, 0))
    assert list(chart.ranked("hops", "n00", "x0", ())) == []
    assert chart.distances(chart.costs("hops"), chart.index["n00"])[chart.index["x1"]] == FAR


def test_what_is_derived_is_what_would_be_made() -> None:
    whole = random_network(3)
    less = whole.without(links=[min(whole.links)], nodes=["B"])
    again = Topology(less.nodes, less.links, less.delays, less.controller)
    assert less == again
    for name in less.nodes:
        assert less.links_at(name) == again.links_at(name)
        assert less.neighbours(name) == again.neighbours(name)
    assert "B" in whole.nodes
