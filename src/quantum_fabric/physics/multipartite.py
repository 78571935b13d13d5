"""Entanglement of many parties out of Bell pairs: stabilisers and witnesses, fused GHZ and graph states, three nodes in line.

States are density matrices of `quantum_fabric.physics.multiqubit` (up to ten qubits); stabilisers are words of I, X, Y and Z, which
`quantum_fabric.physics.stabilisers` uses too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Complexes, check_range
from quantum_fabric.physics.multiqubit import (
    Edge,
    apply,
    damped,
    fuse,
    gate,
    joined,
    measured,
    pauli_channel,
    qubits_of,
)
from quantum_fabric.physics.noise import NO_DECAY, NOISELESS, MemoryNoise, OperationNoise


def ghz_stabilisers(n: int) -> tuple[str, ...]:
    """Generators of the stabiliser of a GHZ state: X on all, and Z on each two neighbours.

    Examples:
        >>> ghz_stabilisers(3)
        ('XXX', 'ZZI', 'IZZ')
    """
    return ("X" * n, *("I" * k + "ZZ" + "I" * (n - 2 - k) for k in range(n - 1)))


def graph_stabilisers(n: int, edges: Sequence[Edge]) -> tuple[str, ...]:
    """Generators of the stabiliser of a graph state: X on a vertex, Z on its neighbours.

    Examples:
        >>> graph_stabilisers(3, [(0, 1), (1, 2)])
        ('XZI', 'ZXZ', 'IZX')
    """
    rows = [["I"] * n for _ in range(n)]
    for a, b in edges:
        for one, two in ((a, b), (b, a)):
            rows[one][two] = "I" if rows[one][two] == "Z" else "Z"
    for k in range(n):
        rows[k][k] = "X"
    return tuple("".join(row) for row in rows)


def expectation(rho: Complexes, word: str) -> float:
    """``tr(rho P)`` of a Pauli word, one letter for each qubit.

    Raises:
        QuantityError: a word of another length or with other letters.

    Examples:
        >>> from quantum_fabric.physics.multiqubit import ghz_vector, pure
        >>> [round(expectation(pure(ghz_vector(3)), word), 12) for word in ("XXX", "ZZI", "YYX", "ZII")]
        [1.0, 1.0, -1.0, 0.0]
    """
    n = qubits_of(rho)
    if len(word) != n or set(word) - set("IXYZ"):
        raise QuantityError(repr(word), f"{n} letters out of I, X, Y, Z", "stabiliser")
    x = sum(1 << (n - 1 - q) for q in range(n) if word[q] in "XY")
    z = sum(1 << (n - 1 - q) for q in range(n) if word[q] in "YZ")
    index = np.arange(2**n)
    parity = np.array([(int(i) & z).bit_count() & 1 for i in index])
    # P|i> = i^(number of Y) (-1)^(z·i) |i xor x>
    values = rho[index, index ^ x] * (1.0 - 2.0 * parity)
    return float((1j ** word.count("Y") * values.sum()).real)


def witness(rho: Complexes, generators: Sequence[str]) -> float:
    """Expectation of the stabiliser witness ``(n - 1) - Σ <K_i>``; below 0 it proves genuine n-party entanglement.

    Equation: Tóth & Gühne, PRL 94, 060501 (2005), graph states and GHZ states (their generators, n measured words).

    Args:
        rho: shape ``(2^n, 2^n)``.
        generators: n independent stabilisers of the target state.

    Limits:
        Sufficient, not necessary: white noise must stay below 1/n. The projector witness, fidelity above 1/2, sees more.

    Examples:
        >>> from quantum_fabric.physics.multiqubit import ghz_vector, pure
        >>> round(witness(pure(ghz_vector(4)), ghz_stabilisers(4)), 12)
        -1.0
    """
    return len(generators) - 1.0 - math.fsum(expectation(rho, word) for word in generators)


def ghz_decay(n: int, noise: MemoryNoise, seconds: float) -> float:
    """Fidelity of a GHZ state whose n qubits all wait, exact.

    Equation: with ``γ = 1 - e^(-t/T1)``, ``F = (1 + γ^n + (1-γ)^n)/4 + e^(-n t/T2)/2``: two populations and one coherence
    of the damped state.

    Args:
        n: qubits, at least 2.
        noise: of each memory.
        seconds: >= 0.

    Examples:
        >>> round(ghz_decay(2, MemoryNoise(1.0, 1.0), 0.5), 9)  # the Φ state of `quantum_fabric.physics.memory`
        0.564614111
    """
    check_range(seconds, 0.0, math.inf, "seconds")
    gone = -math.expm1(-seconds / noise.t1)
    return (1.0 + gone**n + (1.0 - gone) ** n) / 4.0 + math.exp(-n * seconds / noise.t2) / 2.0


def ghz_from_pairs(pairs: Sequence[Complexes], nodes: Sequence[OperationNoise]) -> Complexes:
    """A GHZ state over a line of nodes, fused from the Bell pairs between neighbours.

    Args:
        pairs: states of (left half, right half), each of shape (4, 4) and meant to be Φ+; at least one, at most 8.
        nodes: noise of the nodes between, one fewer than pairs.

    Returns:
        One qubit for each node, shape ``(2^(n+1), 2^(n+1))``.

    Raises:
        QuantityError: numbers that do not fit, or more than ten qubits on the way.

    Examples:
        >>> from quantum_fabric.physics.multiqubit import fidelity, ghz_vector, pure
        >>> rho = ghz_from_pairs([pure(ghz_vector(2))] * 3, [OperationNoise(depolarising_2=0.01)] * 2)
        >>> round(fidelity(rho, ghz_vector(4)), 5)
        0.98258
    """
    if not pairs or len(nodes) != len(pairs) - 1:
        found = f"{len(pairs)} pairs and {len(nodes)} nodes between them"
        raise QuantityError(found, "at least one pair, and a node between each two", "pairs")
    rho = pairs[0]
    for pair, noise in zip(pairs[1:], nodes, strict=True):
        n = qubits_of(rho)
        rho = fuse(joined(rho, pair), n - 1, n, [("X", n + 1)], noise)
    return rho


def graph_from_pairs(
    n: int, edges: Sequence[Edge], pairs: Sequence[Complexes], nodes: Sequence[OperationNoise]
) -> Complexes:
    """A graph state over n nodes, fused from one Bell pair for each edge.

    A Hadamard gate on its second half turns Φ+ into the graph state of one edge; each node fuses the halves it holds.

    Args:
        n: nodes, at most 10.
        edges: each at most once; every node must be in one, and at most ten qubits may exist at a time.
        pairs: the Bell pairs, Φ+ wanted, in the order of the edges; shape (4, 4) each.
        nodes: noise of each node.

    Returns:
        Shape ``(2^n, 2^n)``, qubits in the order of the nodes.

    Raises:
        QuantityError: numbers that do not fit, a node without an edge, or too many qubits at a time.

    Examples:
        >>> from quantum_fabric.physics.multiqubit import fidelity, ghz_vector, graph_vector, pure
        >>> square = [(0, 1), (1, 2), (2, 3), (3, 0)]
        >>> rho = graph_from_pairs(4, square, [pure(ghz_vector(2))] * 4, [NOISELESS] * 4)
        >>> round(fidelity(rho, graph_vector(4, square)), 12)
        1.0
    """
    once = len({frozenset(edge) for edge in edges}) == len(edges)
    if (
        len(pairs) != len(edges)
        or len(nodes) != n
        or {q for edge in edges for q in edge} != set(range(n))
        or not once
    ):
        found = f"{len(pairs)} pairs, {len(nodes)} nodes, edges {list(edges)}"
        raise QuantityError(
            found, f"a pair for each edge, each once, and an edge at each of {n} nodes", "edges"
        )
    rho: Complexes | None = None
    place: list[int] = []  # node of each qubit
    for (a, b), pair in zip(edges, pairs, strict=True):
        fresh = gate(pair, "H", (1,), nodes[b])
        rho = fresh if rho is None else joined(rho, fresh)
        place += [a, b]
        for node in (a, b):
            if place.count(node) == 1:
                continue
            new = len(place) - 1 - place[::-1].index(node)
            other = len(place) - 1 - place[::-1].index(b if node == a else a)  # the pair's other half
            rho = fuse(rho, place.index(node), new, [("Z", other)], nodes[node])
            del place[new]
    assert rho is not None
    order = [place.index(node) for node in range(n)]
    return rho.reshape((2,) * (2 * n)).transpose(*order, *(n + q for q in order)).reshape(rho.shape)


@dataclass(frozen=True, slots=True)
class ThreeNodes:
    """Noise of three nodes in line, Alice - Bob - Charlie, after Pompili et al., Science 372, 259 (2021).

    The pair Alice-Bob comes first and Bob puts its half into a storage qubit; then Bob and Charlie try. When they succeed, Bob swaps
    or fuses.

    Attributes:
        store: noise of the gate by which Bob moves its half into the storage qubit: ``depolarising_2`` acts on that half once.
        attempts: attempts on Bob-Charlie until success, above 0 (mean of the truncated distribution, say).
        attempts_to_e: attempts after which the coherence of the storage qubit has fallen to 1/e (Kalb et al., PRA 97, 062330 (2018)).
        waiting: T1 and T2 of Alice's qubit.
        wait: for how long Alice's qubit waits (s).
        middle: Bob's gates and readout.
    """

    store: OperationNoise = NOISELESS
    attempts: float = 0.0
    attempts_to_e: float = math.inf
    waiting: MemoryNoise = field(default=NO_DECAY)
    wait: float = 0.0
    middle: OperationNoise = NOISELESS

    def first_pair(self, pair: Complexes) -> Complexes:
        """The pair Alice-Bob at the moment when Bob-Charlie succeeds, shape (4, 4).

        Equation: the storage qubit's coherence falls by ``exp(-attempts/attempts_to_e)``.

        Examples:
            >>> from quantum_fabric.physics.multiqubit import fidelity, ghz_vector, pure
            >>> aged = ThreeNodes(attempts=1000, attempts_to_e=1000).first_pair(pure(ghz_vector(2)))
            >>> round(fidelity(aged, ghz_vector(2)), 6) == round((1 + math.exp(-1)) / 2, 6)
            True
        """
        flip = -math.expm1(-self.attempts / self.attempts_to_e) / 2.0
        p = self.store.depolarising_2
        stored = pauli_channel(pair, 1, (1.0 - 0.75 * p, 0.25 * p, 0.25 * p, 0.25 * p))
        return damped(pauli_channel(stored, 1, (1.0 - flip, flip, 0.0, 0.0)), 0, self.waiting, self.wait)


def three_node_ghz(
    first: Complexes, second: Complexes, noise: ThreeNodes
) -> tuple[tuple[float, Complexes], tuple[float, Complexes]]:
    """A GHZ state of three nodes out of two calibrated link states, for each bit that Bob announces.

    Args:
        first: fresh state of (Alice, Bob), Φ+ wanted, shape (4, 4).
        second: fresh state of (Bob, Charlie), Φ+ wanted, shape (4, 4).
        noise: of the three nodes.

    Returns:
        ((probability, state) for 0, the same for 1), states of (Alice, Bob, Charlie) *after* the feed-forward X on Charlie,
        shape (8, 8).

    Limits:
        The correction is a Pauli frame without noise or delay; Bob keeps the storage qubit and reads the other one.

    Examples:
        >>> from quantum_fabric.physics.multiqubit import fidelity, ghz_vector, pure
        >>> bell = pure(ghz_vector(2))
        >>> [(round(p, 12), round(fidelity(rho, ghz_vector(3)), 12)) for p, rho in three_node_ghz(bell, bell, ThreeNodes())]
        [(0.5, 1.0), (0.5, 1.0)]
    """
    rho = gate(joined(noise.first_pair(first), second), "CX", (1, 2), noise.middle)
    zero, (p1, state1) = measured(rho, 2, noise.middle)
    return (zero, (p1, apply(state1, "X", (2,))))


def three_node_swap(
    first: Complexes, second: Complexes, noise: ThreeNodes
) -> tuple[tuple[float, Complexes], ...]:
    """Entanglement swapping at the middle of three nodes, for each Bell label that Bob announces.

    Args:
        first: fresh state of (Alice, Bob), Φ+ wanted, shape (4, 4).
        second: fresh state of (Bob, Charlie), Φ+ wanted, shape (4, 4).
        noise: of the three nodes.

    Returns:
        For the labels 0 to 3 (parity bit, phase bit): (probability, state of (Alice, Charlie) after the feed-forward), shape (4, 4).

    Limits:
        As for `three_node_ghz`. With readout that is worse for one bit, some labels carry better pairs: that is the gain of
        keeping only the best of them.

    Examples:
        >>> from quantum_fabric.physics.multiqubit import fidelity, ghz_vector, pure
        >>> bell, lopsided = pure(ghz_vector(2)), ThreeNodes(middle=OperationNoise(readout_error_0=0.05))
        >>> [round(fidelity(rho, ghz_vector(2)), 4) for _, rho in three_node_swap(bell, bell, lopsided)]
        [1.0, 0.9524, 0.9524, 0.907]
    """
    rho = gate(joined(noise.first_pair(first), second), "CX", (1, 2), noise.middle)
    found = []
    for parity, (p, state) in enumerate(measured(rho, 2, noise.middle)):
        for phase, (q, left) in enumerate(measured(state, 1, noise.middle, "X")):
            fixed = apply(left, "X", (1,)) if parity else left
            found.append((p * q, apply(fixed, "Z", (1,)) if phase else fixed))
    return tuple(found)
