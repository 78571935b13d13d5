"""One slot, sampled: which channels come up, what a router makes of them, which swaps succeed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from quantum_fabric.network.routing.slotted import Connection, Demand, SlotPlan, SlottedNetwork

Up: TypeAlias = list[list[bool]]
"""For each edge, which of its reserved channels came up."""


class Router(Protocol):
    """The one interface of all routers: it reserves, and later chooses what is swapped."""

    @property
    def name(self) -> str:
        """For tables."""
        ...

    def plan(self, demands: Sequence[Demand]) -> SlotPlan:
        """Phase 2: what is reserved for these demands."""
        ...

    def connect(self, plan: SlotPlan, up: Up) -> list[Connection]:
        """Phase 4: which channels are joined, no channel twice."""
        ...


class Luck:
    """The random draws of one slot, the same for every router: channel j of an edge is up or not whoever reserves it.

    Args:
        network: whose channels.
        seed: of the draws.

    Examples:
        >>> from quantum_fabric.network.routing.waxman import waxman
        >>> net = waxman(20, seed=1)
        >>> Luck(net, 3).up([1] * len(net.edges)) == Luck(net, 3).up([1] * len(net.edges))
        True
    """

    def __init__(self, network: SlottedNetwork, seed: int) -> None:
        rng = np.random.default_rng([seed, len(network.edges)])
        widest = max(edge.channels for edge in network.edges)
        chances = np.array([edge.success for edge in network.edges])
        self._up: Up = (rng.random((len(network.edges), widest)) < chances[:, None]).tolist()
        self._swaps: list[float] = rng.random(256).tolist()
        self._swap = network.swap

    def up(self, reserved: Sequence[int]) -> Up:
        """Which of the reserved channels came up."""
        return [row[:number] for row, number in zip(self._up, reserved, strict=True)]

    def swapped(self, connections: Sequence[Connection]) -> list[Connection]:
        """Connections all of whose swaps succeed, one draw for each (the chance is the product)."""
        swap, draws = self._swap, self._swaps
        return [
            each
            for number, each in enumerate(connections)
            if draws[number % len(draws)] < swap ** (len(each.nodes) - 2)
        ]


@dataclass(frozen=True, slots=True)
class SlotResult:
    """What a slot delivered.

    Attributes:
        delivered: connections whose swaps all succeeded: one pair each.
        expected: pairs given the channels that came up, averaged over the swaps.
    """

    delivered: tuple[Connection, ...]
    expected: float

    @property
    def served(self) -> int:
        """Demands with a pair or more."""
        return len({each.demand for each in self.delivered})


def run_slot(network: SlottedNetwork, router: Router, plan: SlotPlan, luck: Luck) -> SlotResult:
    """Phases 3 and 4 of one slot.

    Examples:
        >>> from quantum_fabric.network.routing import QCast, random_demands, waxman
        >>> net = waxman(30, seed=1)
        >>> router = QCast(net)
        >>> plan = router.plan(random_demands(net, 2, seed=1))
        >>> result = run_slot(net, router, plan, Luck(net, seed=1))
        >>> 0 <= result.served <= 2
        True
    """
    connections = router.connect(plan, luck.up(plan.reserved))
    expected = sum(network.swap ** (len(each.nodes) - 2) for each in connections)
    return SlotResult(tuple(luck.swapped(connections)), expected)
