"""Classical delays: shortest fibre routes, or what was measured."""

from __future__ import annotations

import itertools
import random

import networkx as nx
import pytest

from quantum_fabric.documents.delays import Delays, parts


def test_routes_are_shortest_in_any_network() -> None:
    """Against networkx, on 20 random graphs."""
    draw = random.Random(7)
    for _ in range(20):
        nodes = [f"n{number}" for number in range(12)]
        fibres = [
            (a, b, draw.randrange(1, 1000))
            for a, b in itertools.combinations(nodes, 2)
            if draw.random() < 0.25
        ]
        graph = nx.Graph()
        graph.add_nodes_from(nodes)
        graph.add_weighted_edges_from(fibres)
        lengths = dict(nx.all_pairs_dijkstra_path_length(graph))
        expected = {(a, b): time for a, row in lengths.items() for b, time in row.items()}
        assert dict(Delays(nodes, fibres)) == expected


def test_parallel_fibres_count_by_the_faster_one() -> None:
    assert Delays("AB", [("A", "B", 9), ("B", "A", 4)])["A", "B"] == 4


def test_what_was_measured_holds_for_that_pair_alone() -> None:
    delays = Delays("ABC", [("A", "B", 5), ("B", "C", 5)], {("B", "A"): 500})
    assert delays["A", "B"] == delays["B", "A"] == 500
    assert delays["A", "C"] == 10
    assert delays.light("A")["B"] == 5


def test_it_is_a_mapping() -> None:
    delays = Delays("AB", [("A", "B", 5)])
    assert len(delays) == 4
    assert delays.get(("A", "X")) is None
    assert ("X", "A") not in delays
    assert ("A", "A") in delays
    assert max(delays.values()) == 5
    assert "2 nodes" in repr(delays)


def test_pairs_without_a_route_are_absent() -> None:
    delays = Delays("ABC", [("A", "B", 5)], {("A", "C"): 7})
    assert ("B", "C") not in delays
    assert delays["C", "A"] == 7
    assert len(delays) == 3 + 2 + 2
    with pytest.raises(KeyError):
        delays["B", "C"]


def test_parts_of_a_graph() -> None:
    assert parts("", []) == []
    assert parts("ABCDE", [("E", "A"), ("C", "B"), ("C", "X")]) == [["A", "E"], ["B", "C"], ["D"]]


@pytest.mark.parametrize("seed", range(60))
def test_the_longest_delay_is_found_without_listing_all(seed: int) -> None:
    """Against the whole table: trees, meshes, several parts, a node alone, no node at all."""
    draw = random.Random(seed)
    nodes = [f"n{number}" for number in range(draw.randrange(0, 16))]
    chance = draw.choice((0.08, 0.2, 0.6))
    fibres = [
        (a, b, draw.randrange(1, 1000)) for a, b in itertools.combinations(nodes, 2) if draw.random() < chance
    ]
    measured = {(nodes[0], nodes[1]): 5000} if len(nodes) > 1 and draw.random() < 0.3 else None
    delays = Delays(nodes, fibres, measured)
    if len(nodes) > 3:
        assert delays[nodes[2], nodes[2]] == 0  # a search that rests half way is no trouble
    assert delays.longest() == max(delays.values(), default=0)
