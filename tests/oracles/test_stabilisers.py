"""Stim's networks against density matrices (up to ten qubits), and against a product formula beyond."""

from __future__ import annotations

import numpy as np
import pytest

from quantum_fabric.physics import density
from quantum_fabric.physics.multipartite import (
    expectation,
    ghz_from_pairs,
    ghz_stabilisers,
    graph_from_pairs,
    graph_stabilisers,
)
from quantum_fabric.physics.multiqubit import damped, fidelity, ghz_vector, graph_vector
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.physics.stabilisers import Plot, expectations, fidelity_of, ghz_network, graph_network

WEIGHTS = (0.9, 0.05, 0.03, 0.02)
NODE = OperationNoise(depolarising_1=0.02, depolarising_2=0.03, readout_error_0=0.04, readout_error_1=0.01)
SHOTS = 200_000
SIX = 6.0
"""Standard deviations that a sampled share may be off: a false alarm in 5e8 draws."""


def near(share: float, truth: float) -> bool:
    return abs(share - truth) < SIX * np.sqrt(truth * (1.0 - truth) / SHOTS) + 1e-12


@pytest.mark.parametrize("n", [2, 4, 6])
def test_ghz_by_detectors_and_by_samples(n: int) -> None:
    memory = MemoryNoise(float("inf"), 1.0)
    rho = ghz_from_pairs([density.pair(WEIGHTS)] * (n - 1), [NODE] * (n - 2))
    for q in range(n):
        rho = damped(rho, q, memory, 0.05)
    circuit = ghz_network(n, [(k, k + 1) for k in range(n - 1)], Plot(WEIGHTS, NODE, memory, 0.05))
    assert near(fidelity_of(circuit, SHOTS, seed=n).value, fidelity(rho, ghz_vector(n)))
    for found, word in zip(expectations(circuit, SHOTS, seed=n), ghz_stabilisers(n), strict=True):
        assert near(found.value, (1.0 + expectation(rho, word)) / 2.0)


@pytest.mark.parametrize("edges", [[(0, 1), (1, 2), (2, 0)], [(1, 0), (1, 2), (1, 3), (2, 3), (0, 4)]])
def test_graph_by_detectors_and_by_samples(edges: list[tuple[int, int]]) -> None:
    n = 1 + max(max(edge) for edge in edges)
    rho = graph_from_pairs(n, edges, [density.pair(WEIGHTS)] * len(edges), [NODE] * n)
    circuit = graph_network(n, edges, Plot(WEIGHTS, NODE))
    assert near(fidelity_of(circuit, SHOTS, seed=1).value, fidelity(rho, graph_vector(n, edges)))
    for found, word in zip(expectations(circuit, SHOTS, seed=2), graph_stabilisers(n, edges), strict=True):
        assert near(found.value, (1.0 + expectation(rho, word)) / 2.0)


def test_a_line_of_hundreds_of_nodes_has_its_product_formula() -> None:
    """Phase flips of pairs only: a GHZ state over 401 nodes keeps its fidelity iff an even number of 400 pairs is flipped."""
    n, flip = 401, 1e-3
    circuit = ghz_network(n, [(k, k + 1) for k in range(n - 1)], Plot((1 - flip, flip, 0.0, 0.0)))
    truth = (1.0 + (1.0 - 2.0 * flip) ** (n - 1)) / 2.0
    found = fidelity_of(circuit, 50_000, seed=7).value
    assert abs(found - truth) < SIX * np.sqrt(truth * (1 - truth) / 50_000)
