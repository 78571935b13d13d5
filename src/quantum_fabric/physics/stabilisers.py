"""Large Clifford networks through Stim: GHZ and graph states over hundreds of nodes, out of noisy Bell pairs.

The protocol is that of `quantum_fabric.physics.multipartite` (one pair for each edge, halves fused at each node by a gate, a
readout and a feed-forward), written as a Stim circuit. Its noise is Pauli noise, so the state is diagonal in the basis of the
target's stabiliser: the fidelity is the probability that all generators are +1, and counting shots estimates it without bias.

Needs the extra ``codes``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import check_weights
from quantum_fabric.physics.extras import Sampled, extra, sampled
from quantum_fabric.physics.memory import pauli_twirl
from quantum_fabric.physics.multipartite import ghz_stabilisers, graph_stabilisers
from quantum_fabric.physics.multiqubit import Edge
from quantum_fabric.physics.noise import NO_DECAY, NOISELESS, MemoryNoise, OperationNoise


@dataclass(frozen=True, slots=True)
class Plot:
    """What the pairs and nodes of a network are like, all alike.

    Attributes:
        pair: relative Bell weights of each pair when it is used (Φ+, Φ−, Ψ+, Ψ−).
        node: noise of each node's gates and readout.
        memory: of each node, in which its one qubit waits at the end.
        wait: for how long (s).

    Limits:
        Readout errors enter as their mean: the bits of a fusion are 0 and 1 equally often, so the averaged state is exact, its
        dependence on the announced bit is not kept. T1 is Pauli-twirled (`quantum_fabric.physics.memory`).
    """

    pair: tuple[float, float, float, float]
    node: OperationNoise = NOISELESS
    memory: MemoryNoise = NO_DECAY
    wait: float = 0.0


def ghz_network(n: int, edges: Sequence[Edge], plot: Plot) -> Any:
    """Circuit that fuses a GHZ state over a tree of nodes and checks its generators.

    Args:
        n: nodes, at least 2.
        edges: of a tree over the nodes, each one joining a node that is in already (the first one starts).
        plot: what pairs and nodes are like.

    Returns:
        A `stim.Circuit` with one detector for each generator of the GHZ state.

    Raises:
        QuantityError: edges that do not grow a tree over all nodes.
        InputError: Stim is not installed.

    Examples:
        >>> star = [(0, k) for k in range(1, 200)]
        >>> circuit = ghz_network(200, star, Plot((1.0, 0.0, 0.0, 0.0)))
        >>> circuit.num_detectors, fidelity_of(circuit, 100).value
        (200, 1.0)
    """
    network = _Network(plot)
    for a, b in edges:
        known = [node for node in (a, b) if node in network.place]
        if len(known) != min(1, len(network.place)) or a == b or not 0 <= min(a, b) <= max(a, b) < n:
            raise QuantityError(f"edge {(a, b)}", "an edge that joins one new node to the tree", "edges")
        root = known[0] if known else a
        leaf = b if root == a else a
        near, far = network.pair()
        if known:
            network.fuse(network.place[root], near, "X", far)
        else:
            network.place[root] = near
        network.place[leaf] = far
    return network.checked(n, ghz_stabilisers(n))


def graph_network(n: int, edges: Sequence[Edge], plot: Plot) -> Any:
    """Circuit that fuses a graph state over n nodes, one pair for each edge, and checks its generators.

    Args:
        n: nodes, at least 2.
        edges: each at most once; every node must be in one.
        plot: what pairs and nodes are like.

    Returns:
        A `stim.Circuit` with one detector for each generator of the graph state.

    Raises:
        QuantityError: a node without an edge, or an edge that is none or named twice.
        InputError: Stim is not installed.

    Examples:
        >>> ring = [(k, (k + 1) % 300) for k in range(300)]
        >>> circuit = graph_network(300, ring, Plot((0.999, 0.001, 0.0, 0.0)))
        >>> found = fidelity_of(circuit, 2000, seed=1)
        >>> found.low < 0.999**300 < found.high
        True
    """
    once = len({frozenset(edge) for edge in edges}) == len(edges)
    if not once or any(a == b for a, b in edges) or {q for edge in edges for q in edge} != set(range(n)):
        raise QuantityError(f"{len(edges)} edges", f"different edges that touch each of {n} nodes", "edges")
    network = _Network(plot)
    for a, b in edges:
        near, far = network.pair()
        network.turn(far)
        for node, half in ((a, near), (b, far)):
            if node in network.place:
                other = network.place[a] if node == b else far
                network.fuse(network.place[node], half, "Z", other)
            else:
                network.place[node] = half
    return network.checked(n, graph_stabilisers(n, edges))


def fidelity_of(circuit: Any, shots: int, seed: int = 0) -> Sampled:
    """Fidelity to the target state by detectors: the share of shots in which no generator is violated.

    Args:
        circuit: of `ghz_network` or `graph_network`.
        shots: at least 1.
        seed: of Stim's generator.

    Examples:
        >>> fidelity_of(ghz_network(2, [(0, 1)], Plot((0.0, 1.0, 0.0, 0.0))), 64).value
        0.0
    """
    violated = np.asarray(circuit.compile_detector_sampler(seed=seed).sample(shots)).any(axis=1)
    return sampled(int(shots - violated.sum()), shots)


def expectations(circuit: Any, shots: int, seed: int = 0) -> tuple[Sampled, ...]:
    """How often each generator was *measured* +1, by whole shots of the circuit instead of flips: the second way to the same numbers.

    The expectation value of a generator is twice this, less one. `fidelity_of` only follows how errors flip detectors; this runs
    the measurements themselves, random outcomes and feed-forward included.

    Examples:
        >>> [each.value for each in expectations(ghz_network(3, [(0, 1), (1, 2)], Plot((1.0, 0.0, 0.0, 0.0))), 64)]
        [1.0, 1.0, 1.0]
    """
    bits = np.asarray(circuit.compile_sampler(seed=seed).sample(shots))[:, -circuit.num_detectors :]
    return tuple(sampled(int(shots - column.sum()), shots) for column in bits.T)


class _Network:
    """A circuit in the making; ``place`` says where each node keeps its qubit."""

    def __init__(self, plot: Plot) -> None:
        self.circuit = extra("stim").Circuit()
        self.plot = plot
        self.place: dict[int, int] = {}
        self._qubits = 0
        weights = check_weights(plot.pair, "pair")
        self._errors = [float(weights[2]), float(weights[3]), float(weights[1])]  # X, Y, Z
        self._flip = (plot.node.readout_error_0 + plot.node.readout_error_1) / 2.0

    def pair(self) -> tuple[int, int]:
        near, far = self._qubits, self._qubits + 1
        self._qubits += 2
        self.circuit.append("H", [near])
        self.circuit.append("CX", [near, far])
        self.circuit.append("PAULI_CHANNEL_1", [far], self._errors)
        return near, far

    def turn(self, qubit: int) -> None:
        self.circuit.append("H", [qubit])
        # Stim's DEPOLARIZE1(q) applies each of three Paulis with q/3; the mixed state with probability p is q = 3p/4
        self.circuit.append("DEPOLARIZE1", [qubit], 0.75 * self.plot.node.depolarising_1)

    def fuse(self, keep: int, drop: int, letter: str, other: int) -> None:
        stim = extra("stim")
        self.circuit.append("CX", [keep, drop])
        self.circuit.append("DEPOLARIZE2", [keep, drop], 0.9375 * self.plot.node.depolarising_2)
        self.circuit.append("M", [drop], self._flip)
        self.circuit.append(f"C{letter}", [stim.target_rec(-1), other])

    def checked(self, n: int, generators: Sequence[str]) -> Any:
        if len(self.place) != n:
            raise QuantityError(f"{len(self.place)} nodes with an edge", f"all {n}", "edges")
        stim = extra("stim")
        if self.plot.wait > 0.0 and not (math.isinf(self.plot.memory.t1) and math.isinf(self.plot.memory.t2)):
            _, z, x, y = pauli_twirl(self.plot.memory, self.plot.wait)
            self.circuit.append("PAULI_CHANNEL_1", list(self.place.values()), [float(x), float(y), float(z)])
        for word in generators:
            letters = [f"{letter}{self.place[node]}" for node, letter in enumerate(word) if letter != "I"]
            self.circuit.append_from_stim_program_text("MPP " + "*".join(letters))
        for k in range(len(generators)):
            self.circuit.append("DETECTOR", [stim.target_rec(k - len(generators))])
        return self.circuit
