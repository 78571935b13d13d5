"""The trust boundary, against brute force on graphs."""

from __future__ import annotations

import itertools
import random

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import InputError
from quantum_fabric.keys.relay import trust
from quantum_fabric.keys.relay.statement import HARDWARE, STATIONED, points
from quantum_fabric.keys.relay.trust import Boundary, Need, Site, Tie
from quantum_fabric.links import CATALOGUE


def random_case(seed: int) -> tuple[list[Site], list[Tie]]:
    dice = random.Random(seed)
    sites = [
        Site(name, dice.random() < 0.8, dice.choice([True, None, False]), dice.choice(["", "x", "y"]))
        for name in "ABCDEFG"
    ]
    ties = [
        Tie(a, b, dice.random() < 0.3) for a, b in itertools.combinations("ABCDEFG", 2) if dice.random() < 0.4
    ]
    return sites, ties


def key_graph(sites: list[Site], ties: list[Tie]) -> networkx.Graph:
    """Who can share key without anybody else: neighbours, and ends of a chain of storing links over nodes that swap."""
    relays = {site.name for site in sites if site.relays}
    graph = networkx.Graph()
    graph.add_nodes_from(site.name for site in sites)
    graph.add_edges_from((tie.a, tie.b) for tie in ties)
    for a, b in itertools.combinations([site.name for site in sites], 2):
        part = networkx.Graph((tie.a, tie.b) for tie in ties if tie.stores)
        part.add_nodes_from([a, b])
        part.remove_nodes_from(set(part) - relays - {a, b})
        if networkx.has_path(part, a, b):
            graph.add_edge(a, b)
    return graph


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6))
def test_boundary_is_what_trying_all_nodes_says(seed: int) -> None:
    sites, ties = random_case(seed)
    boundary = Boundary(sites, ties, "ABCDEFG")
    graph = key_graph(sites, ties)
    may = {site.name for site in sites if site.relays and site.trusted is not False}
    tied = {frozenset((tie.a, tie.b)) for tie in ties}
    for pair in boundary.pairs:
        a, b = pair.ends
        inside = graph.subgraph(may | {a, b})
        if graph.has_edge(a, b):
            assert pair.need is (Need.DIRECT if {a, b} in tied else Need.ENTANGLED)
        elif not networkx.has_path(inside, a, b):
            assert pair.need is Need.NONE
        else:
            assert pair.need is Need.RELAYED
            cut = {v for v in may - {a, b} if not networkx.has_path(inside.subgraph(set(inside) - {v}), a, b)}
            assert set(pair.must_trust) == cut
            assert pair.survives == networkx.node_connectivity(inside, a, b) - 1
            assert len(pair.single) - 1 == networkx.shortest_path_length(inside, a, b)
            ways = boundary.ways(pair)
            inner = [node for way in ways for node in way[1:-1] if node not in cut]
            assert len(inner) == len(set(inner)), "paths share what they need not"
            assert all(set(way) <= set(inside) for way in ways)
    for under in ({"C"}, {"C", "D"}, {"A", "F", "G"}):
        one = boundary.exposure("x", under)
        expected = [
            pair.ends
            for pair in boundary.pairs
            if pair.need is Need.RELAYED
            and not under & set(pair.ends)
            and not networkx.has_path(graph.subgraph((may | set(pair.ends)) - under), *pair.ends)
        ]
        assert list(one.certain) == expected
        if len(under) == 1:
            assert boundary.of_node("C").certain == one.certain
            assert boundary.of_node("C").single == one.single
            assert boundary.of_node("C").own == one.own


def test_a_repeater_that_swaps_is_not_trusted_and_one_that_relays_keys_is() -> None:
    sites = [Site("A"), Site("R", trusted=False), Site("B")]
    stored = [Tie("A", "R", True), Tie("R", "B", True)]
    assert Boundary(sites, stored, "AB").pairs[0].need is Need.ENTANGLED, (
        "even a node that is declared not trusted may swap"
    )
    half = [Tie("A", "R", True), Tie("R", "B", False)]
    assert Boundary(sites, half, "AB").pairs[0].need is Need.NONE, "but no key is relayed through it"
    sites[1] = Site("R")
    boundary = Boundary(sites, half, "AB")
    assert boundary.pairs[0].need is Need.RELAYED
    assert boundary.undeclared == ("R",)
    sites[1] = Site("R", relays=False)
    assert Boundary(sites, stored, "AB").pairs[0].need is Need.NONE, "it swaps for nobody"


def test_ends_are_those_that_relay_nothing() -> None:
    sites = [Site("A", relays=False), Site("R"), Site("B", relays=False)]
    ties = [Tie("A", "R", False), Tie("R", "B", False)]
    assert Boundary(sites, ties).ends == ("A", "B")
    assert Boundary([Site("A", relays=False), *map(Site, "RB")], ties).ends == ("A", "B", "R")
    assert Boundary(sites, ties, ["R", "A"]).ends == ("A", "R")


def test_hands_of_operators_and_domains() -> None:
    sites = [
        Site("A"), Site("R", trusted=True, operator="x", domain="AT"), Site("S", trusted=True, operator="x", domain="CH"),
        Site("B"),
    ]  # fmt: skip
    boundary = Boundary(sites, [Tie(a, b, False) for a, b in ("AR", "RB", "AS", "SB")], "AB")
    assert boundary.pairs[0].survives == 1
    assert [(one.name, one.nodes, one.certain) for one in boundary.operators()] == [
        ("x", ("R", "S"), (("A", "B"),))
    ]
    assert [one.certain for one in boundary.domains()] == [(), ()]


def test_many_pairs_are_not_counted_beyond_one(monkeypatch: pytest.MonkeyPatch) -> None:
    sites, ties = [Site(name) for name in "ARSTB"], [Tie(x, y, False) for x in "AB" for y in "RST"]
    assert Boundary(sites, ties, "AB").pairs[0].survives == 2
    monkeypatch.setattr(trust, "MOST_COUNTED", 0)
    assert Boundary(sites, ties, "AB").pairs[0].survives == 1


@pytest.mark.parametrize(
    ("sites", "ties", "ends"),
    [("AA", [], None), ("AB", [Tie("A", "X", True)], None), ("AB", [], "AX")],
)
def test_what_leads_nowhere(sites: str, ties: list[Tie], ends: str | None) -> None:
    with pytest.raises(InputError):
        Boundary([Site(name) for name in sites], ties, ends)


def test_twelve_points_for_every_kind_of_link() -> None:
    assert set(HARDWARE) == set(CATALOGUE) | set(STATIONED), "say what must be trusted in each architecture"
    sites = [Site("A"), Site("R", trusted=True), Site("S"), Site("N", trusted=False), Site("B"), Site("C")]
    ties = [Tie(a, b, False) for a, b in ("AR", "RB", "AS", "SB", "CR", "NA")]
    boundary = Boundary(sites, ties, "ABC")
    found = points(boundary, dict.fromkeys(CATALOGUE, 1))
    assert [point.number for point in found] == list(range(1, 13))
    assert all(point.known and point.yours for point in found)
    text = "\n".join(line for point in found for line in point.known)
    for phrase in (
        "declared trusted: R", "never relayed through: N", "NOT DECLARED although keys would pass: A, B, S",
        "cannot do without one of R", "no single node reads a key", "R alone can stop 2 pairs", "decoy BB84", "BBM92",
    ):  # fmt: skip
        assert phrase in text, phrase
