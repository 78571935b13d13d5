"""Bounds that must never be broken, as properties; network bounds against exhaustive search and against networkx."""

from __future__ import annotations

import itertools
import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.physics import bell, bounds, merit

NODES = ("A", "B", "C", "D", "E", "F")
transmissions = st.floats(0.0, 1.0, exclude_max=True)
edges = st.lists(
    st.tuples(st.sampled_from(NODES), st.sampled_from(NODES), st.floats(1e-6, 0.999), st.integers(1, 3)).map(
        lambda e: bounds.Edge(*e)
    ),
    max_size=14,
)


def capacities(network):
    """Undirected graph with the capacities of parallel edges added, built here on its own."""
    graph = nx.Graph()
    graph.add_nodes_from(NODES)
    for edge in network:
        if edge.a != edge.b:
            width = edge.modes * -math.log1p(-edge.transmission) / math.log(2.0)
            before = graph.edges[edge.a, edge.b]["capacity"] if graph.has_edge(edge.a, edge.b) else 0.0
            graph.add_edge(edge.a, edge.b, capacity=before + width)
    return graph


@settings(max_examples=300, deadline=None)
@given(transmissions, transmissions)
def test_plob_rises_and_stays_below_tgw(one, other):
    low, high = sorted((one, other))
    assert 0.0 <= float(bounds.plob(low)) <= float(bounds.plob(high))
    assert float(bounds.plob(high)) <= float(bounds.tgw(high)) * (1 + 1e-12)


@settings(max_examples=300, deadline=None)
@given(transmissions, st.integers(0, 20))
def test_repeaters_help_and_a_chain_is_no_better_than_its_worst_segment(eta, repeaters):
    chain = float(bounds.equal_chain(eta, repeaters))
    assert chain >= float(bounds.plob(eta)) * (1 - 1e-9)
    assert float(bounds.equal_chain(eta, repeaters + 1)) >= chain * (1 - 1e-9)
    segments = [eta, 0.5, 0.9]
    assert float(bounds.chain(segments)) == pytest.approx(
        min(float(bounds.plob(s)) for s in segments), rel=1e-12
    )


@settings(max_examples=200, deadline=None)
@given(edges)
def test_widest_path_is_the_best_of_all_paths(network):
    graph = capacities(network)
    paths = list(nx.all_simple_paths(graph, "A", "B"))
    widths = [min(graph.edges[hop]["capacity"] for hop in itertools.pairwise(path)) for path in paths]
    width, path = bounds.widest_path(network, "A", "B")
    if not paths:
        assert (width, path) == (0.0, ())
        return
    assert width == pytest.approx(max(widths), rel=1e-12)
    assert list(path) in paths
    assert min(graph.edges[hop]["capacity"] for hop in itertools.pairwise(path)) == pytest.approx(
        width, rel=1e-12
    )


@settings(max_examples=200, deadline=None)
@given(edges)
def test_smallest_cut_is_the_smallest_of_all_cuts(network):
    graph = capacities(network)
    capacity, side = bounds.min_cut(network, "A", "B")
    others = [node for node in NODES if node not in ("A", "B")]
    sides = itertools.chain.from_iterable(
        itertools.combinations(others, size) for size in range(len(others) + 1)
    )
    cuts = [nx.cut_size(graph, {"A", *chosen}, weight="capacity") for chosen in sides]
    assert capacity == pytest.approx(min(cuts), rel=1e-9, abs=1e-12)
    assert capacity == pytest.approx(nx.minimum_cut_value(graph, "A", "B"), rel=1e-9, abs=1e-12)
    assert "A" in side
    assert "B" not in side
    assert capacity == pytest.approx(nx.cut_size(graph, set(side), weight="capacity"), rel=1e-12, abs=1e-15)


@settings(max_examples=200, deadline=None)
@given(edges, st.data())
def test_flooding_beats_one_path_and_more_fibre_never_hurts(network, data):
    assert bounds.widest_path(network, "A", "B")[0] <= bounds.min_cut(network, "A", "B")[0] * (1 + 1e-12)
    if network:
        fewer = list(network)
        fewer.pop(data.draw(st.integers(0, len(network) - 1)))
        assert bounds.min_cut(fewer, "A", "B")[0] <= bounds.min_cut(network, "A", "B")[0] * (1 + 1e-9) + 1e-12


def test_a_thousand_kilometres_do_not_underflow():
    eta = 10.0 ** (-0.02 * 1000)
    assert math.log2((1 + eta) / (1 - eta)) == 0.0  # why the plain form is not used
    assert float(bounds.tgw(eta)) == pytest.approx(2 * 1.442695041e-20, rel=1e-9)
    network = [bounds.Edge("A", "R", eta), bounds.Edge("R", "B", 0.5), bounds.Edge("A", "B", eta)]
    assert bounds.min_cut(network, "A", "B")[0] == pytest.approx(2 * 1.442695041e-20, rel=1e-9)
    assert bounds.widest_path(network, "A", "B")[0] == pytest.approx(1.442695041e-20, rel=1e-9)


def test_lossless_networks_have_no_finite_bound():
    network = [bounds.Edge("A", "R", 1.0), bounds.Edge("R", "B", 1.0)]
    assert bounds.min_cut(network, "A", "B") == (math.inf, frozenset())
    assert bounds.widest_path(network, "A", "B") == (math.inf, ("A", "R", "B"))
    mixed = [bounds.Edge("A", "R", 1.0), bounds.Edge("R", "B", 0.5)]
    assert bounds.min_cut(mixed, "A", "B") == (1.0, frozenset({"A", "R"}))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4).filter(lambda w: sum(w) > 1e-3))
def test_no_pair_beats_quantum_mechanics(shares):
    weights = np.array(shares) / math.fsum(shares)
    s = float(merit.chsh_max(weights))
    assert s <= merit.TSIRELSON + 1e-12
    if weights.max() <= 0.5:  # separable
        assert s <= 2.0 + 1e-12
        assert float(merit.teleportation_fidelity(weights.max())) <= merit.CLASSICAL_TELEPORTATION + 1e-12
        assert float(merit.six_state_fraction(weights)) <= 1e-12
    e_x, _, e_z = merit.qber(weights)
    bb84, six = float(merit.bb84_fraction(e_z, e_x)), float(merit.six_state_fraction(weights))
    assert 0.0 <= bb84 <= six + 1e-12  # six-state knows more about the pair
    # One-way key cannot exceed the entanglement of formation of a Bell-diagonal pair.
    concurrence = max(0.0, 2.0 * float(weights.max()) - 1.0)
    formation = float(merit.binary_entropy((1.0 + math.sqrt(1.0 - concurrence**2)) / 2.0))
    assert six <= formation + 1e-9


def test_purified_chain_of_perfect_links_stays_within_one_ebit():
    assert float(merit.six_state_fraction(bell.werner(1.0))) == 1.0
