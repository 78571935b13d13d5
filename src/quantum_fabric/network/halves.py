"""What a rehearsal moves about: halves, pairs, and the memories in which they age."""

from __future__ import annotations

import math
from typing import TypeAlias

from quantum_fabric.messages import Correlators
from quantum_fabric.network.chain import Chain
from quantum_fabric.physics.attempts import Attempts
from quantum_fabric.physics.fading import stretched_loss

EVERY = 1 << 30
"""Runs of attempts to remember: all of them, since a half may have waited for long."""

Segment: TypeAlias = tuple[int, int, int]
"""Left node, right node, rounds of purification so far."""


class Half:
    """One qubit of a pair: node, slot (hop and lane) and side, birth, the time up to which it has aged."""

    __slots__ = (
        "aged",
        "born",
        "busy_until",
        "hop",
        "known",
        "lane",
        "left",
        "node",
        "pair",
        "there",
        "timed",
    )

    def __init__(self, node: int, hop: int, lane: int, left: bool, born: float) -> None:
        self.node, self.hop, self.lane, self.left = node, hop, lane, left
        self.born = self.aged = born
        self.there = True  # still in its slot
        self.timed = False  # its cutoff is running
        self.busy_until = -math.inf  # end of the operation that it is in
        self.known: Segment | None = None  # what its node has heard last
        self.pair: Pair


class Pair:
    """Two halves; ``into`` is the longer pair that it became part of."""

    __slots__ = ("heard", "into", "left", "right", "state")

    def __init__(self, left: Half, right: Half, state: Correlators) -> None:
        self.left, self.right, self.state = left, right, state
        self.heard = [0.0, 0.0]  # when the left, right end has heard of everything
        self.into: Pair | None = None
        left.pair = right.pair = self

    def latest(self) -> Pair:
        """What this pair is part of now."""
        pair = self
        while pair.into is not None:
            pair = pair.into
        return pair


class Memories:
    """How halves age in the nodes of a chain: by the law of their memory, and with the attempts that are made beside them.

    Args:
        chain: the chain that is rehearsed.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._simple = all(node.memory.simple for node in chain.stations)
        self._attempts = [[Attempts(slack=1e-9, kept=EVERY) for _ in range(hop.lanes)] for hop in chain.hops]
        self._beside: list[list[tuple[Attempts, int]]] = [[] for _ in chain.stations]
        for index, lanes in enumerate(self._attempts):
            for end in (0, 1):
                if chain.stations[index + end].memory.attempt_dephasing > 0.0:
                    self._beside[index + end] += [(lane, end) for lane in lanes]

    def disturb(self, index: int, lane: int, first: float, last: float) -> None:
        """A lane of a hop attempts from one time to another."""
        if not self._simple:
            hop = self._chain.hops[index]
            self._attempts[index][lane].begin(first, last, hop.period, hop.born)

    def aged(self, pair: Pair, left: float, right: float) -> Correlators:
        """State of a pair whose halves are aged up to these times."""
        a, b = pair.left, pair.right
        p, q = self._chain.stations[a.node].steady, self._chain.stations[b.node].steady
        s, t = left - a.aged, right - b.aged
        rest = 1.0 if self._simple else math.exp(-self._rest(a, left) - self._rest(b, right))
        a.aged, b.aged = left, right
        x, y, z = pair.state
        pair.state = (
            x * math.exp(-p[0] * s - q[0] * t) * rest,
            y * math.exp(-p[1] * s - q[1] * t) * rest,
            z * math.exp(-p[2] * s - q[2] * t),
        )
        return pair.state

    def _rest(self, half: Half, until: float) -> float:
        """What a half loses besides the steady decay, as an exponent."""
        noise = self._chain.stations[half.node].memory
        loss = 0.0
        if noise.stretched_rate > 0.0:
            ages = (half.aged - half.born, until - half.born)
            loss = stretched_loss(noise.stretched_rate, noise.exponent, *ages)
        beside = self._beside[half.node]
        made = sum(lane.made(until, end) - lane.made(half.aged, end) for lane, end in beside)
        return loss + made * noise.loss_per_attempt

    def read(self, half: Half) -> float:
        """Probability that the readout of a half, aged up to now, found it."""
        memory = self._chain.stations[half.node].memory
        return 1.0 if memory.lossless else memory.retrieved(half.aged - half.born)
