"""Candidate paths."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.network.believed import KnobLink, fixed, line, network, node, random_network

from quantum_fabric.errors import QuantityError, UnknownNameError
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import Code, LinkRequest, Refused
from quantum_fabric.network.paths import Path, all_paths, best_paths, usable
from quantum_fabric.network.planning import plan
from quantum_fabric.network.topology import LinkView, Topology

GOOD = fixed(0.1, 0.99)


def square() -> Topology:
    """A-B-D has few swaps and bad pairs, A-C-E-D one more swap and better ones."""
    return network(
        {
            ("A", "B"): fixed(0.2, 0.9),
            ("B", "D"): fixed(0.2, 0.9),
            ("A", "C"): GOOD,
            ("C", "E"): GOOD,
            ("D", "E"): GOOD,
        }
    )


def test_each_metric_brings_its_own_best() -> None:
    found = [path.nodes for path in best_paths(square(), "A", "D", k=1)]
    assert ("A", "B", "D") in found
    assert ("A", "C", "E", "D") in found


def test_links_go_with_the_nodes() -> None:
    for path in best_paths(square(), "A", "D"):
        assert [set(name.split("~")) for name in path.links] == [
            {a, b} for a, b in zip(path.nodes, path.nodes[1:], strict=False)
        ]


def test_paths_are_found_once() -> None:
    found = best_paths(square(), "A", "D", k=9)
    assert len(set(found)) == len(found) == 2


@pytest.mark.parametrize("seed", range(10))
def test_enough_paths_are_all_paths_of_a_small_graph(seed: int) -> None:
    topology = random_network(seed)
    ends = (min(topology.nodes), max(topology.nodes))
    assert set(best_paths(topology, *ends, k=50)) == set(all_paths(topology, *ends))


def test_ends_that_are_not_connected() -> None:
    topology = network({("A", "B"): GOOD, ("C", "D"): GOOD})
    assert best_paths(topology, "A", "D") == ()
    assert list(all_paths(topology, "A", "D")) == []


def test_only_relays_with_two_slots_may_stand_between() -> None:
    closed = line(GOOD, GOOD, nodes=[node("B", relays=False)])
    poor = line(GOOD, GOOD, nodes=[node("B", slots=1)])
    for topology in (closed, poor):
        assert best_paths(topology, "A", "C") == ()
        assert best_paths(topology, "A", "B")[0].nodes == ("A", "B")
        assert "B" not in usable(topology, "A", "C").nodes


def test_nothing_is_copied_where_all_may_relay() -> None:
    topology = line(GOOD, GOOD)
    assert usable(topology, "A", "C") is topology


def test_the_better_of_two_fibres() -> None:
    topology = line(GOOD)
    fast = LinkView("fast", "A", "B", fixed(0.9, 0.8), 0, 1.0)
    both = replace(topology, links={**topology.links, "fast": fast})
    found = best_paths(both, "A", "B")
    assert {path.links for path in found} == {("A~B",), ("fast",)}
    assert set(all_paths(both, "A", "B")) == set(found)


def test_links_with_a_knob_are_ranked_too() -> None:
    topology = network({("A", "B"): KnobLink(), ("B", "C"): KnobLink(), ("A", "C"): GOOD})  # type: ignore[dict-item]
    assert {path.nodes for path in best_paths(topology, "A", "C")} == {("A", "C"), ("A", "B", "C")}


def test_faults() -> None:
    with pytest.raises(UnknownNameError):
        best_paths(square(), "A", "Z")
    with pytest.raises(UnknownNameError):
        list(all_paths(square(), "Z", "A"))
    with pytest.raises(QuantityError, match="1 or more paths"):
        best_paths(square(), "A", "D", k=0)


def test_all_paths_are_simple() -> None:
    for path in all_paths(random_network(3), "A", "B"):
        assert isinstance(path, Path)
        assert len(set(path.nodes)) == len(path.nodes)


class Fleeting(FixedLink):
    """Photons that are measured at both ends."""

    stores = False  # type: ignore[misc]


def test_links_that_store_nothing_are_no_hops_and_the_refusal_says_so() -> None:
    fleeting = Fleeting(0.5, (1.0, 0.0, 0.0, 0.0), 1_000)
    whole = network({("A", "B"): GOOD, ("B", "C"): GOOD, ("A", "C"): fleeting})
    assert [path.nodes for path in best_paths(whole, "A", "C")] == [("A", "B", "C")]
    broken = whole.without(links=["A~B"])
    assert best_paths(broken, "A", "C") == ()
    refused = plan(broken, LinkRequest("A", "C", fidelity=0.9))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.resource) == (Code.UNSUPP, "memories at the links A~C")
    cut = plan(broken.without(links=["A~C"]), LinkRequest("A", "C", fidelity=0.9))
    assert isinstance(cut, Refused)
    assert cut.code is Code.NOROUTE
