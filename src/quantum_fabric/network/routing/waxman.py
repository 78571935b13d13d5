"""Random slotted networks as the evaluation of Q-CAST makes them, and demands.

Reference: Shi, Qian, SIGCOMM 2020, section 6, and the rules of the program that the authors published (provenance S): nodes in a
square of 100 km with a least spacing, edges no longer than twice the mean spacing that fall off with length, a rate of fall that
gives the wanted mean degree; 10 to 14 memories for a node, 3 to 7 channels for an edge, one attenuation for all edges that gives
the wanted mean success of a channel. `topped` does what the program does and the paper does not say: a node with fewer
than ten edges gets more to its nearest nodes, often beside an edge that is there, so that memories and not channels are scarce.
"""

from __future__ import annotations

from collections import Counter
from math import dist, exp, sqrt

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.routing.slotted import Demand, Edge, SlottedNetwork

SIDE = 100.0
"""Of the square, km."""

TRIES = 50
"""Draws for an edge, the best of which counts."""


def waxman(
    nodes: int,
    seed: int,
    *,
    degree: float = 6.0,
    success: float = 0.6,
    swap: float = 0.9,
    knowledge: int = 3,
    fidelities: tuple[float, float] = (1.0, 1.0),
    topped: bool = True,
) -> SlottedNetwork:
    """A random network; the same seed gives the same one.

    Args:
        nodes: 4 or more.
        seed: of the generator.
        degree: mean number of neighbours before `topped`.
        success: mean success of a channel in a slot.
        swap: chance that a swap succeeds.
        knowledge: hops to which link states are told.
        fidelities: the fidelity of an edge is uniform between them.
        topped: edges are added as by the authors' program.

    Raises:
        QuantityError: too few nodes.

    Examples:
        >>> net = waxman(100, seed=1)
        >>> len(net.memories), 5.0 < 2 * len(net.edges) / 100 < 9.0
        (100, True)
        >>> mean = sum(e.channels * e.success for e in net.edges) / sum(e.channels for e in net.edges)
        >>> round(mean, 3)
        0.6
    """
    if nodes < 4:
        raise QuantityError(str(nodes), "4 nodes or more", "nodes")
    rng = np.random.default_rng([seed, nodes])
    spacing = sqrt(SIDE * SIDE / nodes)
    places: list[tuple[float, float]] = []
    while len(places) < nodes:
        place = (float(rng.random() * SIDE), float(rng.random() * SIDE))
        if all(dist(place, other) > spacing / 1.2 for other in places):
            places.append(place)
    drawn = _edges(places, spacing, degree, rng)
    drawn += _joined(places, drawn)
    if topped:
        drawn += _topped(places, drawn)
    channels: Counter[tuple[int, int]] = Counter()
    for pair in drawn:
        channels[pair] += int(rng.integers(3, 8))
    lengths = {pair: dist(places[pair[0]], places[pair[1]]) for pair in channels}
    alpha = _attenuation(channels, lengths, success)
    low, high = fidelities
    made = tuple(
        Edge(*pair, channels[pair], exp(-alpha * lengths[pair]), lengths[pair], low + (high - low) * float(rng.random()))
        for pair in sorted(channels)
    )  # fmt: skip
    memories = tuple(int(each) for each in rng.integers(10, 15, size=nodes))
    return SlottedNetwork(tuple(places), memories, made, swap, knowledge)


def random_demands(network: SlottedNetwork, pairs: int, seed: int) -> tuple[Demand, ...]:
    """Pairs of nodes, no node in two of them; the same seed gives the same ones.

    Raises:
        QuantityError: more pairs than the network has nodes for.

    Examples:
        >>> len(random_demands(waxman(20, seed=1), 3, seed=2))
        3
    """
    if not 1 <= pairs <= len(network.memories) // 2:
        raise QuantityError(str(pairs), f"1 to {len(network.memories) // 2} pairs", "pairs")
    chosen = np.random.default_rng([seed, pairs]).permutation(len(network.memories))[: 2 * pairs].tolist()
    return tuple(Demand(a, b) for a, b in zip(chosen[::2], chosen[1::2], strict=True))


def _edges(
    places: list[tuple[float, float]], spacing: float, degree: float, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Edges whose number is as near to the wanted one as bisection gets; one set of draws for all rates of fall."""
    close = [
        (a, b, dist(places[a], places[b]))
        for a in range(len(places))
        for b in range(a + 1, len(places))
        if dist(places[a], places[b]) < 2 * spacing
    ]
    luck = rng.random((len(close), TRIES)).min(axis=1)
    lengths = np.array([length for *_, length in close])
    low, high = 0.0, 20.0
    for _ in range(60):
        beta = (low + high) / 2
        taken = luck < np.exp(-beta * lengths)
        if 2 * taken.sum() / len(places) > degree:
            low = beta
        else:
            high = beta
    return [(a, b) for (a, b, _), yes in zip(close, taken.tolist(), strict=True) if yes]


def _joined(places: list[tuple[float, float]], drawn: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Up to three edges from each smaller component to the largest one."""
    parent = list(range(len(places)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in drawn:
        parent[root(a)] = root(b)
    groups: dict[int, list[int]] = {}
    for node in range(len(places)):
        groups.setdefault(root(node), []).append(node)
    largest, *others = sorted(groups.values(), key=len, reverse=True)
    added = []
    for group in others:
        for node in group[:3]:
            near = min(largest, key=lambda other, here=node: dist(places[other], places[here]))  # type: ignore[misc]
            added.append((min(node, near), max(node, near)))
    return added


def _topped(places: list[tuple[float, float]], drawn: list[tuple[int, int]]) -> list[tuple[int, int]]:
    degrees = Counter(node for pair in drawn for node in pair)
    added = []
    for node in range(len(places)):
        half = degrees[node] // 2
        if half < 5:
            order = sorted(range(len(places)), key=lambda other, here=node: dist(places[other], places[here]))  # type: ignore[misc]
            added += [(min(node, other), max(node, other)) for other in order[1 : 6 - half]]
    return added


def _attenuation(
    channels: Counter[tuple[int, int]], lengths: dict[tuple[int, int], float], success: float
) -> float:
    low, high = 0.0, 10.0
    total = sum(channels.values())
    for _ in range(80):
        alpha = (low + high) / 2
        mean = sum(number * exp(-alpha * lengths[pair]) for pair, number in channels.items()) / total
        low, high = (alpha, high) if mean > success else (low, alpha)
    return (low + high) / 2
