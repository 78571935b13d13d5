"""Bounds: values, domains, batches; the properties that must never fail are in tests/oracles."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics import bounds
from quantum_fabric.physics.bounds import Edge

DIAMOND = [
    Edge("A", "U", 0.5),
    Edge("U", "B", 0.75),
    Edge("A", "V", 0.75),
    Edge("V", "B", 0.5),
    Edge("U", "V", 0.5),
]


def test_plob_values_and_shape():
    np.testing.assert_allclose(bounds.plob([[0.0, 0.5], [0.75, 0.875]]), [[0, 1], [2, 3]], atol=1e-15)
    assert float(bounds.plob(1.0)) == math.inf


def test_plob_of_a_tiny_transmission_is_proportional_to_it():
    assert float(bounds.plob(1e-300)) == pytest.approx(1e-300 / math.log(2), rel=1e-12)


def test_tgw_values():
    assert float(bounds.tgw(0.0)) == 0.0
    assert float(bounds.tgw(1 / 3)) == pytest.approx(1.0)
    assert float(bounds.tgw(1.0)) == math.inf


@pytest.mark.parametrize("function", [bounds.plob, bounds.tgw, bounds.chain])
@pytest.mark.parametrize("eta", [[-0.1], [1.1], [math.nan]])
def test_transmissions_outside_the_unit_interval(function, eta):
    with pytest.raises(QuantityError, match="transmission"):
        function(eta)


def test_chain_of_a_batch():
    np.testing.assert_allclose(bounds.chain([[0.5, 0.9], [0.9, 0.75]]), [1.0, 2.0])


@pytest.mark.parametrize("nothing", [0.5, [], np.zeros((3, 0))])
def test_chain_without_segments(nothing):
    with pytest.raises(QuantityError, match="expected shape"):
        bounds.chain(nothing)


def test_equal_chain_of_no_repeater_is_plob():
    eta = np.logspace(-12, 0, 7)
    np.testing.assert_allclose(bounds.equal_chain(eta, 0), bounds.plob(eta), rtol=1e-12)
    with pytest.raises(QuantityError, match="repeaters"):
        bounds.equal_chain(0.5, -1)


def test_edges_count_all_their_modes():
    assert Edge("A", "B", 0.5, modes=4).capacity == 4.0
    assert Edge("A", "B", 1.0, modes=0).capacity == 0.0
    with pytest.raises(QuantityError, match="modes"):
        Edge("A", "B", 0.5, modes=-1)
    with pytest.raises(QuantityError, match="transmission"):
        Edge("A", "B", 1.5)


def test_diamond():
    assert bounds.widest_path(DIAMOND, "A", "B")[0] == 1.0
    capacity, side = bounds.min_cut(DIAMOND, "A", "B")
    assert capacity == 3.0
    assert side in ({"A"}, {"A", "U", "V"})


def test_direction_does_not_matter():
    assert bounds.widest_path(DIAMOND, "B", "A")[0] == bounds.widest_path(DIAMOND, "A", "B")[0]
    assert bounds.min_cut(DIAMOND, "B", "A")[0] == bounds.min_cut(DIAMOND, "A", "B")[0]


def test_parallel_fibres_are_one_edge_with_their_sum():
    network = [Edge("A", "B", 0.5), Edge("B", "A", 0.75)]
    assert bounds.widest_path(network, "A", "B") == (3.0, ("A", "B"))
    assert bounds.min_cut(network, "A", "B") == (3.0, frozenset({"A"}))


def test_loops_carry_nothing():
    assert bounds.min_cut([Edge("A", "A", 0.9)], "A", "B") == (0.0, frozenset({"A"}))


@pytest.mark.parametrize(
    "network", [[], [Edge("A", "C", 0.5)], [Edge("A", "C", 0.5), Edge("D", "B", 0.5)], [Edge("A", "B", 0.0)]]
)
def test_unconnected_nodes(network):
    assert bounds.widest_path(network, "A", "B") == (0.0, ())
    capacity, side = bounds.min_cut(network, "A", "B")
    assert capacity == 0.0
    assert "B" not in side


@pytest.mark.parametrize("function", [bounds.widest_path, bounds.min_cut])
def test_a_node_is_not_its_own_destination(function):
    with pytest.raises(QuantityError, match="two different nodes"):
        function(DIAMOND, "A", "A")


def test_a_cut_that_needs_flow_to_be_taken_back():
    """Found by search: augmenting paths that are never undone stop at a cut of 4."""
    hops = [
        "AD",
        "DH",
        "BH",
        "BH",
        "FH",
        "AC",
        "AC",
        "AC",
        "CF",
        "CF",
        "CF",
        "DG",
        "DG",
        "DG",
        "AF",
        "BG",
        "CH",
        "CH",
    ]
    capacity, side = bounds.min_cut([Edge(a, b, 0.5) for a, b in hops], "A", "B")
    assert capacity == 3.0
    assert side == set("ACDFGH")
