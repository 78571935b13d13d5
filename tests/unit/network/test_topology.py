"""The frozen snapshot of the believed network."""

from __future__ import annotations

import dataclasses

import pytest
from tests.unit.network.believed import fixed, line, network, node

from quantum_fabric.errors import InputError, QuantityError, UnknownNameError
from quantum_fabric.network.topology import LinkView, NodeModel, Topology
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise

MODEL = fixed()


def test_a_node_has_no_negative_slots() -> None:
    with pytest.raises(QuantityError, match="node A: found -1, expected 0 or more memory slots"):
        NodeModel("A", -1, MemoryNoise(1.0, 1.0), OperationNoise(), 0)


def test_a_swap_takes_no_negative_time() -> None:
    with pytest.raises(QuantityError, match="swap time of 0 or more"):
        NodeModel("A", 1, MemoryNoise(1.0, 1.0), OperationNoise(), -5)


def test_the_other_end_of_a_link() -> None:
    link = LinkView("A~B", "A", "B", MODEL, 0, 1.0)
    assert (link.other("A"), link.other("B")) == ("B", "A")
    with pytest.raises(UnknownNameError, match="link A~B: found 'C', expected A or B"):
        link.other("C")


def test_records_are_frozen() -> None:
    topology = line(MODEL)
    with pytest.raises(dataclasses.FrozenInstanceError):
        topology.controller = "B"  # type: ignore[misc]


def test_keys_are_the_names_of_what_they_name() -> None:
    with pytest.raises(InputError, match="name of a node"):
        Topology({"A": node("B")}, {}, {}, "A")
    view = LinkView("A~B", "A", "B", MODEL, 0, 1.0)
    with pytest.raises(InputError, match="name of a link"):
        Topology({"A": node("A"), "B": node("B")}, {"other": view}, {}, "A")


def test_a_link_joins_two_different_known_nodes() -> None:
    loop = LinkView("A~A", "A", "A", MODEL, 0, 1.0)
    with pytest.raises(InputError, match="two different ends"):
        Topology({"A": node("A")}, {"A~A": loop}, {}, "A")
    view = LinkView("A~B", "A", "B", MODEL, 0, 1.0)
    with pytest.raises(UnknownNameError, match="link A~B: found 'B', expected one of A"):
        Topology({"A": node("A")}, {"A~B": view}, {}, "A")


def test_unknown_names_say_what_there_is() -> None:
    topology = line(MODEL)
    with pytest.raises(UnknownNameError, match="expected one of A, B"):
        topology.node("Z")
    with pytest.raises(UnknownNameError, match="expected one of A~B"):
        topology.link("Z")
    empty = Topology({}, {}, {}, "A")
    with pytest.raises(UnknownNameError, match="no node at all"):
        empty.node("A")
    with pytest.raises(UnknownNameError, match="no link at all"):
        empty.link("A")


def test_delays_hold_in_both_directions_and_may_differ() -> None:
    nodes = {name: node(name) for name in "ABC"}
    topology = Topology(nodes, {}, {("A", "B"): 5, ("B", "C"): 7, ("C", "B"): 9}, "A")
    assert (topology.delay("A", "B"), topology.delay("B", "A")) == (5, 5)
    assert (topology.delay("B", "C"), topology.delay("C", "B")) == (7, 9)
    assert topology.delay("A", "A") == 0
    with pytest.raises(UnknownNameError, match="found A to C"):
        topology.delay("A", "C")


def test_neighbours_and_links_at_a_node() -> None:
    topology = network({("A", "B"): MODEL, ("B", "C"): MODEL, ("A", "C"): MODEL})
    assert topology.neighbours("A") == ("B", "C")
    assert [link.name for link in topology.links_at("C")] == ["A~C", "B~C"]
    with pytest.raises(UnknownNameError):
        topology.neighbours("Z")


def test_fibres_side_by_side() -> None:
    nodes = {name: node(name) for name in "AB"}
    links = {name: LinkView(name, "A", "B", MODEL, 0, 1.0) for name in ("second", "first")}
    topology = Topology(nodes, links, {("A", "B"): 0}, "A")
    assert [link.name for link in topology.between("A", "B")] == ["first", "second"]
    assert topology.neighbours("A") == ("B",)
    assert topology.graph().edges["A", "B"]["links"] == ("first", "second")


def test_without_takes_out_links_and_nodes_and_leaves_the_rest() -> None:
    topology = network({("A", "B"): MODEL, ("B", "C"): MODEL, ("A", "C"): MODEL}, delay=3)
    cut = topology.without(links=["A~C", "never was"])
    assert set(cut.links) == {"A~B", "B~C"}
    assert set(topology.links) == {"A~B", "B~C", "A~C"}
    down = topology.without(nodes=["A"])
    assert (set(down.nodes), set(down.links)) == ({"B", "C"}, {"B~C"})
    assert down.controller == "A"
    assert down.delay("A", "C") == 6  # classical messages still pass
    assert down.neighbours("B") == ("C",)


def test_the_graph_has_every_node_and_edge() -> None:
    topology = network({("A", "B"): MODEL, ("C", "B"): MODEL}, nodes=[node("Z")])
    graph = topology.graph()
    assert sorted(graph.nodes) == ["A", "B", "C", "Z"]
    assert {frozenset(edge) for edge in graph.edges} == {frozenset("AB"), frozenset("BC")}
