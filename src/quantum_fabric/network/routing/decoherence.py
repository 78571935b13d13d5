"""The slot with classical delays and decaying memories switched on: what fidelity a delivered pair has.

Channels come up at the same moment. Then link states travel k hops; the slowest such message ends the waiting of all, and all swaps
are done. Then the outcomes travel to both ends of each connection. Every memory depolarises with one coherence time:

    w = Π_hops w_e exp(-2 t_k / T) · exp(-(t_A + t_B) / T),        F = (1 + 3 w) / 4,

with the Werner parameter w_e of a fresh pair, t_k the time that link states take, and t_A, t_B the times until the last outcome is at
either end. Swaps add no noise of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, isinf

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.routing.slotted import Connection, SlottedNetwork

FIBRE = 2.0e5
"""Speed of light in fibre, km/s (R)."""


def werner(fidelity: float) -> float:
    """Werner parameter of a fidelity.

    Examples:
        >>> werner(1.0), werner(0.25)
        (1.0, 0.0)
    """
    return (4.0 * fidelity - 1.0) / 3.0


@dataclass(frozen=True, slots=True)
class Decay:
    """Delays and decay of a slot.

    Attributes:
        coherence: T of every memory, s; infinite where memories are perfect and only fresh pairs are not.
        speed: of messages, km/s.

    Raises:
        QuantityError: a time or speed that is not above 0.

    Examples:
        >>> from quantum_fabric.network.routing.slotted import Edge
        >>> net = SlottedNetwork(((0, 0), (10, 0), (20, 0)), (2, 4, 2), (Edge(0, 1, 1, 1.0, 10.0), Edge(1, 2, 1, 1.0, 10.0)), 1.0, 1)
        >>> round(Decay(1e-3).fidelity(net, (0, 1, 2)), 4)  # states, then outcomes: 0.05 ms each
        0.8056
    """

    coherence: float = inf
    speed: float = FIBRE

    def __post_init__(self) -> None:
        """Refuse what is no time."""
        if not self.coherence > 0 or not self.speed > 0:
            raise QuantityError(f"{self.coherence}, {self.speed}", "values above 0", "coherence, speed")

    def telling(self, network: SlottedNetwork) -> float:
        """t_k, s: what the slowest link state needs over `knowledge` hops, along paths of fewest hops, never less than one edge."""
        longest = max(edge.length for edge in network.edges)
        return 0.0 if network.knowledge == 0 else max(longest, self._farthest(network)) / self.speed

    def _farthest(self, network: SlottedNetwork) -> float:
        worst = 0.0
        for start in range(len(network.memories)):
            hops, reached = network.hops[start], {start: 0.0}
            for ring in range(1, network.knowledge + 1):
                for node in [node for node, far in enumerate(hops) if far == ring]:
                    reached[node] = min(
                        reached[other] + network.edges[edge].length
                        for other, edge in network.neighbours[node]
                        if hops[other] == ring - 1
                    )
            worst = max(worst, *reached.values())
        return worst

    def slot(self, network: SlottedNetwork, connections: Sequence[Connection]) -> float:
        """Least length of a slot in which these connections are known at both ends, s, after the channels came up."""
        lengths = [
            sum(network.edges[edge].length for edge in network.along(each.nodes)) for each in connections
        ]
        return self.telling(network) + max(lengths, default=0.0) / self.speed

    def fidelity(self, network: SlottedNetwork, nodes: Sequence[int], telling: float | None = None) -> float:
        """Fidelity of the pair that a connection delivers, when its last news is at both ends.

        Args:
            network: the topology.
            nodes: of the connection.
            telling: `telling` of the network, where the caller has it.
        """
        edges = [network.edges[edge] for edge in network.along(nodes)]
        wait = self.telling(network) if telling is None else telling
        kept = 1.0
        for edge in edges:
            kept *= werner(edge.fidelity)
        if isinf(self.coherence):
            return (1 + 3 * kept) / 4
        length = sum(edge.length for edge in edges)
        news = (2 * length - edges[0].length - edges[-1].length) / self.speed if len(edges) > 1 else 0.0
        return (1 + 3 * kept * exp(-(2 * len(edges) * wait + news) / self.coherence)) / 4

    def factors(self, network: SlottedNetwork) -> tuple[float, ...]:
        """For each edge a factor so that their product along a path is never above its Werner parameter."""
        wait = self.telling(network)
        return tuple(
            werner(edge.fidelity) * exp(-2 * (wait + edge.length / self.speed) / self.coherence)
            for edge in network.edges
        )
