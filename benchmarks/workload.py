"""The chain workload: repeaters in a row, one memory per link end, endless delivery from end to end.

Each link is a heralded one with its analyser in the middle. Both photons must be detected, and linear optics tells two of
the four Bell states apart, so an attempt succeeds with ``½ (η_m η_d 10^(−α L/20))²`` (α in dB/km, L/2 of fibre on each
arm). A fresh pair is a Werner state. Each memory is a Pauli channel of total rate 1/T with X, Y and Z alike, which multiplies
all three correlators by ``exp(−4t/3T)``: as memory times, T1 = T2 = 3T/4. Swaps are perfect and take no time; there
is no cutoff and no purification.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LENGTHS = (3, 5, 9, 17)
"""Numbers of nodes that are measured."""

DIM = 0.05
"""Chance that a photon enters the fibre where the workload is dim: an attempt on 20 km succeeds once in 2,481."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of equal hops.

    Attributes:
        nodes: how many, ends included; at least 2.
        hop: fibre between neighbours, m.
        attenuation: dB/km.
        light_speed: in fibre, m/s.
        detector: efficiency.
        fresh: fidelity of an elementary pair at its birth.
        coherence: T of a memory, s.
        emission: chance that a memory's photon enters the fibre.
    """

    nodes: int
    hop: float = 20e3
    attenuation: float = 0.2
    light_speed: float = 2e8
    detector: float = 0.9
    fresh: float = 0.99
    coherence: float = 1.0
    emission: float = 1.0

    @property
    def names(self) -> list[str]:
        """Of the nodes, in order."""
        return [f"n{number:02d}" for number in range(self.nodes)]

    @property
    def success(self) -> float:
        """Probability of one attempt on one link.

        Examples:
            >>> round(Chain(3).success, 4)
            0.1612
            >>> round(Chain(2, emission=DIM).success, 7)
            0.0004031
        """
        arm = self.emission * self.detector * 10 ** (-self.attenuation * self.hop / 1e3 / 2 / 10)
        return 0.5 * arm * arm

    @property
    def delay(self) -> int:
        """One-way time of light over a hop, ps.

        Examples:
            >>> Chain(3).delay
            100000000
        """
        return round(self.hop / self.light_speed * 1e12)

    @property
    def memory_time(self) -> float:
        """T1 and T2 of a memory, s."""
        return 0.75 * self.coherence

    @property
    def events(self) -> int:
        """Events that one delivered pair costs us where messages take no time.

        Each of the n−1 links is heard of at both ends, each of the n−2 swaps ends once and is told to two nodes, each end
        confirms, and the client hears: 2(n−1) + 3(n−2) + 3.

        Examples:
            >>> Chain(3).events, Chain(17).events
            (10, 80)
        """
        return 5 * (self.nodes - 1)

    def numbers(self) -> dict[str, Any]:
        """Everything a peer's driver needs, JSON-shaped."""
        return asdict(self)
