"""EXT and the search for it, against enumeration: every outcome of every channel, and every simple path of small graphs."""

from __future__ import annotations

from itertools import combinations, product
from math import comb, prod

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.network.routing.search import (
    Chart,
    best_of_widths,
    best_route,
    cheapest_paths,
    extended_dijkstra,
)
from quantum_fabric.network.routing.slotted import Edge, Residual, SlottedNetwork
from quantum_fabric.network.routing.throughput import expected_throughput
from quantum_fabric.network.routing.waxman import random_demands, waxman


def by_recursion(successes: list[float], width: int, swap: float) -> float:
    """The paper's recursion over hops with the law of the least number."""

    def exactly(p: float, up: int) -> float:
        return comb(width, up) * p**up * (1 - p) ** (width - up)

    law = [exactly(successes[0], up) for up in range(width + 1)]
    for p in successes[1:]:
        new = [exactly(p, up) for up in range(width + 1)]
        law = [law[i] * sum(new[i:]) + new[i] * sum(law[i + 1 :]) for i in range(width + 1)]
    return swap ** (len(successes) - 1) * sum(up * chance for up, chance in enumerate(law))


def by_enumeration(successes: list[float], width: int, swap: float) -> float:
    """Every channel up or down."""
    total = 0.0
    for outcome in product((0, 1), repeat=width * len(successes)):
        hops = [outcome[i * width : (i + 1) * width] for i in range(len(successes))]
        chance = prod(p if up else 1 - p for p, hop in zip(successes, hops, strict=True) for up in hop)
        total += chance * min(map(sum, hops))
    return total * swap ** (len(successes) - 1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.integers(1, 7), st.floats(0.1, 1))
def test_the_product_is_the_recursion(successes: list[float], width: int, swap: float) -> None:
    assert expected_throughput(successes, width, swap) == pytest.approx(
        by_recursion(successes, width, swap), abs=1e-9
    )


@pytest.mark.parametrize(("hops", "width"), [(1, 3), (2, 3), (3, 2), (4, 3), (2, 5)])
def test_it_is_the_mean_over_all_outcomes(hops: int, width: int) -> None:
    successes = np.random.default_rng(hops * 10 + width).random(hops).tolist()
    assert expected_throughput(successes, width, 0.9) == pytest.approx(
        by_enumeration(successes, width, 0.9), rel=1e-12
    )


def small(seed: int, nodes: int = 7) -> SlottedNetwork:
    """A random graph with everything random."""
    rng = np.random.default_rng(seed)
    edges = tuple(
        Edge(a, b, int(rng.integers(2, 6)), float(rng.uniform(0.2, 1)), 1.0, float(rng.uniform(0.9, 1)))
        for a, b in combinations(range(nodes), 2)
        if rng.random() < 0.5
    )
    memories = tuple(rng.integers(2, 13, size=nodes).tolist())
    return SlottedNetwork(
        tuple((0.0, float(i)) for i in range(nodes)), memories, edges, float(rng.uniform(0.9, 1)), 3
    )


def exhaustive(
    network: SlottedNetwork, source: int, target: int, width: int, factors: tuple[float, ...], least: float
) -> float:
    """Best EXT over all simple paths that fit and keep the floor; 0 where there is none."""
    graph = nx.Graph([edge[:2] for edge in network.edges])
    graph.add_nodes_from(range(len(network.memories)))
    free, best = Residual(network), 0.0
    for nodes in nx.all_simple_paths(graph, source, target):
        edges = network.along(nodes)
        if free.widest(nodes) >= width and prod(factors[edge] for edge in edges) >= least:
            value = expected_throughput([network.edges[edge].success for edge in edges], width, network.swap)
            best = max(best, value)
    return best


@pytest.mark.parametrize("least", [0.0, 0.85])
def test_the_search_is_exact_and_extended_dijkstra_is_no_better(least: float) -> None:
    for seed in range(40):
        network = small(seed)
        factors = tuple(edge.fidelity for edge in network.edges)
        chart = Chart(network, factors)
        for width in (1, 2, 4):
            truth = exhaustive(network, 0, 6, width, factors, least)
            found = best_route(chart, Residual(network), 0, 6, width, least)
            assert (found.expected if found else 0.0) == pytest.approx(truth, abs=1e-12)
            if least == 0.0:
                greedy = extended_dijkstra(chart, Residual(network), 0, 6, width)
                assert (greedy is None) == (truth == 0.0)
                assert greedy is None or greedy.expected <= truth + 1e-12


def test_extended_dijkstra_misses_some_paths_of_the_published_kind() -> None:
    """Against the exact search, which the test above compares with all paths. The seeds are fixed: no false alarm."""
    network = waxman(100, 1)
    chart, lost = Chart(network), []
    for slot in range(10):
        for source, target in random_demands(network, 5, slot):
            for width in (2, 4):
                exact = best_route(chart, Residual(network), source, target, width)
                greedy = extended_dijkstra(chart, Residual(network), source, target, width)
                assert (exact is None) == (greedy is None)
                if exact is not None and greedy is not None:
                    lost.append(1 - greedy.expected / exact.expected)
    assert min(lost) > -1e-9
    assert 0 < sum(each > 1e-9 for each in lost) < len(lost) / 4
    assert max(lost) < 0.25


def test_the_smallest_case_in_which_extended_dijkstra_errs() -> None:
    """At node 1 the direct hop has the larger sum, the way over 2 the larger chance of one channel: behind a weak hop that wins."""
    edges = (Edge(0, 1, 2, 0.70), Edge(0, 2, 2, 0.82), Edge(1, 2, 2, 0.82), Edge(1, 3, 2, 0.30))
    network = SlottedNetwork(((0, 0), (1, 0), (1, 1), (2, 0)), (2, 4, 4, 2), edges, 1.0, 3)
    exact = best_route(Chart(network), Residual(network), 0, 3, 2)
    greedy = extended_dijkstra(Chart(network), Residual(network), 0, 3, 2)
    assert exact is not None
    assert greedy is not None
    assert (exact.nodes, greedy.nodes) == ((0, 2, 1, 3), (0, 1, 3))
    assert exact.expected == pytest.approx(0.51 * 0.9676**2 + 0.09 * 0.6724**2)
    assert greedy.expected == pytest.approx(0.51 * 0.91 + 0.09 * 0.49)


@pytest.mark.parametrize("seed", range(40))
def test_the_best_width_is_found(seed: int) -> None:
    network = small(seed)
    ones = (1.0,) * len(network.edges)
    truth = max(exhaustive(network, 0, 6, width, ones, 0.0) for width in range(1, 9))
    found = best_of_widths(Chart(network), Residual(network), 0, 6)
    assert (found.expected if found else 0.0) == pytest.approx(truth, abs=1e-12)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_cheapest_paths_come_in_order_and_none_is_missed(seed: int, number: int) -> None:
    network = small(seed, 6)
    costs = tuple(1 / edge.success for edge in network.edges)
    graph = nx.Graph([edge[:2] for edge in network.edges])
    graph.add_nodes_from(range(6))
    totals = sorted(sum(costs[e] for e in network.along(p)) for p in nx.all_simple_paths(graph, 0, 5))
    found = cheapest_paths(network, costs, 0, 5, number)
    assert [sum(costs[e] for e in network.along(p)) for p in found] == pytest.approx(totals[:number])
    assert len(set(found)) == len(found)
