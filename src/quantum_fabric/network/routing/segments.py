"""Joining leftover channels segment by segment: what Q-PASS does last, and our router too.

A segment is decided over the channels of which both its ends hear. Which channels earlier paths have used is taken as known, as in
the program of Q-PASS's authors; see docs/explanation/routing.md for what that costs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from itertools import pairwise

from quantum_fabric.network.routing.slotted import SlottedNetwork


def heard(network: SlottedNetwork) -> list[frozenset[int]]:
    """For each node, the edges that it hears of."""
    edges = range(len(network.edges))
    return [
        frozenset(edge for edge in edges if network.knows(node, edge))
        for node in range(len(network.memories))
    ]


def shortest(
    network: SlottedNetwork, edges: Container[int], source: int, target: int, barred: Container[int] = ()
) -> tuple[int, ...] | None:
    """Fewest hops over some edges and between the ends through no barred node; None where there is no way.

    Examples:
        >>> from quantum_fabric.network.routing.slotted import Edge
        >>> edges = (Edge(0, 1, 1, 0.5), Edge(0, 2, 1, 0.5), Edge(1, 2, 1, 0.5))
        >>> net = SlottedNetwork(((0, 0), (1, 1), (2, 0)), (2, 2, 2), edges, 0.9, 3)
        >>> shortest(net, {0, 1, 2}, 0, 2), shortest(net, {0, 2}, 0, 2), shortest(net, {0}, 0, 2)
        ((0, 2), (0, 1, 2), None)
    """
    before = {source: source}
    queue = deque([source])
    while queue:
        node = queue.popleft()
        for other, edge in network.neighbours[node]:
            if edge in edges and other not in before and (other == target or other not in barred):
                before[other] = node
                if other == target:
                    nodes = [other]
                    while nodes[-1] != source:
                        nodes.append(before[nodes[-1]])
                    return tuple(reversed(nodes))
                queue.append(other)
    return None


def joined(
    network: SlottedNetwork, known: list[frozenset[int]], nodes: tuple[int, ...], pool: list[int]
) -> tuple[int, ...] | None:
    """A connection between the ends of a path over channels in the pool, in as few segments as it takes.

    Args:
        network: the topology.
        known: what each node hears of (`heard`).
        nodes: the path; segments end in nodes of it.
        pool: channels of each edge that are up and free.

    Returns:
        Its nodes, or None. The pool is not changed.
    """
    step = len(nodes) - 1
    while step >= 1:
        marks = [*range(0, len(nodes) - 1, step), len(nodes) - 1]
        spent = list(pool)
        walked = nodes[:1]
        for start, end in pairwise(marks):
            common = known[nodes[start]] & known[nodes[end]]
            part = shortest(network, {edge for edge in common if spent[edge]}, nodes[start], nodes[end])
            if part is None:
                break
            for edge in network.along(part):
                spent[edge] -= 1
            walked += part[1:]
        else:
            return walked
        step //= 2
    return None
