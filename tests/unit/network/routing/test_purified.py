"""Purification-aware routing against enumeration, and what every plan must keep."""

from __future__ import annotations

from itertools import combinations, pairwise, product
from math import prod

import networkx as nx
import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.routing.purified import (
    Purified,
    Request,
    Stock,
    cheapest_purified,
    greedy_rounds,
    ours,
    pumped,
    q_leap,
    q_path,
)

WAYS = {"ours": ours, "Q-PATH": q_path, "Q-LEAP": q_leap}


def edges(seed: int, nodes: int = 6, capacity: int = 5) -> list[tuple[int, int, int, float]]:
    rng = np.random.default_rng(seed)
    return [
        (a, b, int(rng.integers(1, capacity + 1)), float(rng.uniform(0.75, 0.99)))
        for a, b in combinations(range(nodes), 2)
        if rng.random() < 0.6
    ]


def cheapest_by_enumeration(told: list[tuple[int, int, int, float]], floor: float) -> int | None:
    """Least cost over all simple paths and all rounds."""
    table = {}
    for a, b, pairs, fresh in told:
        kept = [fresh]
        while len(kept) < pairs:
            kept.append(pumped(kept[-1], fresh)[0])
        table[a, b] = table[b, a] = kept
    graph = nx.Graph([(a, b) for a, b, *_ in told])
    graph.add_nodes_from(range(6))
    costs = [
        len(rounds) + sum(rounds)
        for nodes in nx.all_simple_paths(graph, 0, 5, cutoff=4)
        for rounds in product(*(range(len(table[hop])) for hop in pairwise(nodes)))
        if prod(table[hop][r] for hop, r in zip(pairwise(nodes), rounds, strict=True)) >= floor
    ]
    return min(costs, default=None)


@pytest.mark.parametrize("floor", [0.6, 0.8, 0.9, 0.97])
def test_the_cheapest_purified_path_is_found(floor: float) -> None:
    for seed in range(12):
        told = edges(seed, capacity=4)
        found = cheapest_purified(Stock(6, told, floor), Request(0, 5, floor, 1))
        assert (None if found is None else len(found[1]) + sum(found[1])) == cheapest_by_enumeration(
            told, floor
        )


@pytest.mark.parametrize("name", WAYS)
def test_no_edge_gives_more_than_it_has_and_every_pair_keeps_the_floor(name: str) -> None:
    served = 0.0
    for seed in range(30):
        told, floor = edges(seed, 9, 20), 0.7 + 0.01 * (seed % 25)
        plan: list[Purified] = WAYS[name](Stock(9, told, floor), Request(0, 8, floor, 15))
        left = {(a, b): pairs for a, b, pairs, _ in told}
        for each in plan:
            assert each.fidelity >= floor - 1e-12
            assert (each.nodes[0], each.nodes[-1]) == (0, 8)
            for hop, rounds in zip(zip(each.nodes, each.nodes[1:], strict=False), each.rounds, strict=True):
                left[min(hop), max(hop)] -= each.units * (rounds + 1)
        assert min(left.values()) >= 0
        served += sum(each.pairs for each in plan)
    assert served > 50


def test_greedy_rounds_reach_the_floor_or_say_that_nothing_does() -> None:
    stock = Stock(3, [(0, 1, 4, 0.8), (1, 2, 4, 0.9)], 0.85)
    rounds = greedy_rounds(stock, (0, 1, 2))
    assert rounds is not None
    assert prod(stock.table(a, b)[r][0] for (a, b), r in zip([(0, 1), (1, 2)], rounds, strict=True)) >= 0.85
    assert greedy_rounds(Stock(3, [(0, 1, 1, 0.9), (1, 2, 1, 0.9)], 0.85), (0, 1, 2)) is None


@pytest.mark.parametrize("bad", [(0, 0, 0.9, 1), (0, 1, 1.0, 1), (0, 1, 0.9, 0)])
def test_what_cannot_be_asked_is_refused(bad: tuple[int, int, float, float]) -> None:
    with pytest.raises(QuantityError):
        Request(*bad)
    with pytest.raises(QuantityError):
        Stock(2, [(0, 1, 1, 0.4)], 0.9)
