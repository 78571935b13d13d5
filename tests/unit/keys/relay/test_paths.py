"""Disjoint paths and flows, against networkx."""

from __future__ import annotations

import random

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyrelay import ladder, links
from quantum_fabric.keys.relay.paths import Weigh, disjoint, most_flow, reach, unavoidable
from quantum_fabric.keys.relay.supply import KeyLink, KeyNetwork, pairs


def net(seed: int, nodes: int = 9, density: float = 0.35) -> tuple[KeyNetwork, Weigh]:
    """A random network whose ends 0 and 1 are no neighbours, and a cost for each hop."""
    dice = random.Random(seed)
    names = [str(number) for number in range(nodes)]
    rows = [
        KeyLink(a, b, dice.randrange(1, 50), dice.randrange(1, 50))
        for index, a in enumerate(names)
        for b in names[index + 1 :]
        if dice.random() < density and (a, b) != ("0", "1")
    ]
    relays = frozenset(name for name in names if dice.random() < 0.9)
    cost = {frozenset((link.a, link.b)): dice.randrange(1, 100) for link in rows}
    return KeyNetwork(tuple(rows), relays), lambda a, b: (1, cost[frozenset((a, b))])


def split_graph(network: KeyNetwork, weigh: Weigh, number: int) -> networkx.DiGraph:
    """The same question in the shape that networkx takes: nodes cut in two, so many units from 0 to 1."""
    graph = networkx.DiGraph()
    inside = network.relays | {"0", "1"}
    for name in inside:
        graph.add_edge((name, "in"), (name, "out"), capacity=number if name in "01" else 1, weight=0)
    for link in network.links:
        for a, b in ((link.a, link.b), (link.b, link.a)):
            if a in inside and b in inside and a != "1" and b != "0":
                graph.add_edge((a, "out"), (b, "in"), capacity=1, weight=weigh(a, b)[1])
    graph.add_node(("0", "out"), demand=-number)
    graph.add_node(("1", "in"), demand=number)
    return graph


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_disjoint_paths_are_a_cheapest_flow(seed: int, number: int) -> None:
    network, weigh = net(seed)
    if not {"0", "1"} <= set(network.nodes):
        return
    found = disjoint(network, "0", "1", number, weigh)
    inner = [node for path in found for node in path[1:-1]]
    assert len(inner) == len(set(inner)), "a node on two paths"
    assert set(inner) <= network.relays
    assert all(path[0] == "0" and path[-1] == "1" for path in found)
    graph = split_graph(network, weigh, number)
    most = networkx.maximum_flow_value(
        graph.edge_subgraph(graph.edges), ("0", "out"), ("1", "in"), capacity="capacity"
    )
    assert len(found) == min(number, most)
    cost = sum(weigh(*hop)[1] for path in found for hop in pairs(path))
    exact = networkx.min_cost_flow_cost(split_graph(network, weigh, len(found))) if found else 0
    assert cost == exact


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**6))
def test_what_cannot_be_avoided_is_what_separates(seed: int) -> None:
    network, weigh = net(seed, 8, 0.28)
    if not {"0", "1"} <= set(network.nodes):
        return
    graph = networkx.Graph((link.a, link.b) for link in network.links)
    graph.remove_nodes_from(set(graph) - network.relays - {"0", "1"})
    joined = networkx.has_path(graph, "0", "1")
    cut = set()
    for node in set(graph) - {"0", "1"}:
        rest = graph.copy()
        rest.remove_node(node)
        if joined and not networkx.has_path(rest, "0", "1"):
            cut.add(node)
    assert unavoidable(network, "0", "1", weigh) == cut
    assert (reach(network, "0", "1", weigh) is not None) == joined


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**6))
def test_flow_is_that_of_networkx(seed: int) -> None:
    network, _ = net(seed)
    if not {"0", "1"} <= set(network.nodes):
        return
    capacities = {
        hop: network.stored(*hop) for link in network.links for hop in ((link.a, link.b), (link.b, link.a))
    }
    graph = networkx.DiGraph()
    graph.add_nodes_from("01")
    inside = network.relays | {"0", "1"}
    graph.add_edges_from(
        (a, b, {"capacity": bits}) for (a, b), bits in capacities.items() if a in inside and b in inside
    )
    assert most_flow(network, "0", "1", capacities) == networkx.maximum_flow_value(graph, "0", "1")


def test_nodes_that_may_be_shared() -> None:
    network = KeyNetwork(links("AX XR XS RY SY YB"), frozenset("XRSY"))
    weigh: Weigh = lambda a, b: (1, 1)  # noqa: E731
    assert disjoint(network, "A", "B", 2, weigh) == [tuple("AXRYB")]
    wide: Weigh = lambda a, b: (5, 1)  # noqa: E731
    assert disjoint(network, "A", "B", 2, wide, "XY") == [tuple("AXRYB"), tuple("AXSYB")]
    assert len(disjoint(network, "A", "B", 2, weigh, "XY")) == 1, "the hop A → X carries one only"


def test_a_hop_between_shared_nodes_has_its_capacity() -> None:
    network = KeyNetwork(links("AX XB"), frozenset("X"))
    for capacity in (1, 2, 3):
        assert len(disjoint(network, "A", "B", 3, lambda a, b: (capacity, 1), "X")) == capacity  # noqa: B023


def test_a_direct_link_is_one_path() -> None:
    network = KeyNetwork((*ladder().links, KeyLink("A", "B")), frozenset("RST"))
    assert len(disjoint(network, "A", "B", 9, lambda a, b: (9, 1))) == 3


@pytest.mark.parametrize("ends", [("A", "R"), ("R", "A")])
def test_neighbours_cannot_be_separated(ends: tuple[str, str]) -> None:
    assert unavoidable(ladder(), *ends, lambda a, b: (1, 1)) == frozenset()
