"""Encoded repeaters of the second generation: planning a line of them, with its rate and its logical fidelity.

Every segment collects a block of n heralded pairs in a window that is the same for all (`quantum_fabric.network.collecting`), may
purify them over that segment, makes them an encoded Bell pair, and every station joins its two encoded pairs at once. Nobody waits for
an answer from far away: the results travel one way to the ends, which then know the frame, or that a block was incomplete.

Source: Jiang et al., PRA 79, 032325 (2009); second generation in the terms of Muralidharan et al., Sci. Rep. 6, 20463 (2016).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from quantum_fabric.errors import Caution
from quantum_fabric.messages import Correlators
from quantum_fabric.network.collecting import block_chance, collected, filled
from quantum_fabric.network.settings import OperatingPoint, grid, operating_point
from quantum_fabric.network.topology import NodeModel, Topology
from quantum_fabric.physics.codes.catalogue import Code
from quantum_fabric.physics.codes.repeater import Line, Logical, sample_line
from quantum_fabric.physics.correlators import added_rates, aged, decay_rates, fidelity, purified, to_weights
from quantum_fabric.physics.memory import pauli_twirl
from quantum_fabric.units import SECOND, Time

MOST_ROUNDS: int = 2
"""Rounds of purification over one segment that are tried."""

MOST_LANES: int = 64
"""Pairs of memories on one segment that are used."""

SETTINGS: int = 4
"""Settings of a link's knob that are tried."""


@dataclass(frozen=True, slots=True)
class Segments:
    """A line of nodes with a scheme, before its window is chosen.

    Attributes:
        nodes: from source to destination.
        links: one name for each hop.
        points: operating points, left end first.
        hop_delays: one-way classical delay of each hop (s).
        end_delay: longest one-way classical delay from a node of the line to an end (s).
        code: of the blocks.
        lanes: m, memory pairs of each segment.
        rounds: of purification on each segment.
        blocks: that each end can keep while it waits for the news.
    """

    nodes: tuple[NodeModel, ...]
    links: tuple[str, ...]
    points: tuple[OperatingPoint, ...]
    hop_delays: tuple[float, ...]
    end_delay: float
    code: Code
    lanes: int
    rounds: int
    blocks: int

    @property
    def tail(self) -> float:
        """Seconds from the last start of an attempt to the end of the window, on the slowest hop."""
        return max((max(p.heard) + (self.lanes - 1) * p.cycle) / SECOND for p in self.points)

    @property
    def after(self) -> float:
        """Seconds from the end of the window until the pairs are purified: each round is a gate, a readout and a message."""
        if not self.rounds:
            return 0.0
        return self.rounds * (max(self.hop_delays) + self.operation)

    @property
    def operation(self) -> float:
        """Seconds of the slowest node's gate and readout."""
        return max(node.swap_time for node in self.nodes) / SECOND

    @property
    def processing(self) -> float:
        """Seconds that encoding and swapping take: two gates with readout, one after the other."""
        return 2.0 * self.operation

    def attempts(self, hop: int, window: float) -> int:
        """Attempts of each lane of a hop that fit into a window (s)."""
        point = self.points[hop]
        left = window * SECOND - max(point.heard) - (self.lanes - 1) * point.cycle
        return 1 + int(left / point.period + 1e-9) if left >= 0.0 else 0

    def pair(self, hop: int, window: float) -> tuple[float, Correlators]:
        """(Probability of a whole block, mean correlators of its pairs when they are used)."""
        point, ends = self.points[hop], (self.nodes[hop], self.nodes[hop + 1])
        attempts = self.attempts(hop, window)
        chance = filled(point.success, attempts)
        if chance <= 0.0:
            return 0.0, (0.0, 0.0, 0.0)
        period = point.period / SECOND
        # the mean lane starts (m-1)/2 cycles after the first; correlators decay little over a cycle, so the mean stands for all
        start = (attempts - 1) * period + (self.lanes - 1) / 2.0 * point.cycle / SECOND
        ages = (window - start - point.born[0] / SECOND, window - start - point.born[1] / SECOND)
        rates = (decay_rates(ends[0].memory), decay_rates(ends[1].memory))
        state = collected(point.fresh, rates, point.success, attempts, period, ages)
        both, shares = added_rates(*rates), []
        for _ in range(self.rounds):
            share, state = purified(state, state, "dejmps", ends[0].operations, ends[1].operations)
            state = aged(state, both, self.after / self.rounds)
            shares.append(share)
        return block_chance(self.lanes, chance, shares, self.code.n), state

    def success(self, window: float) -> float:
        """Probability that all segments have their blocks at the end of the window."""
        total = 1.0
        seen: dict[object, float] = {}
        for hop in range(len(self.links)):
            key = (self.points[hop], self.nodes[hop].memory, self.nodes[hop + 1].memory)
            if key not in seen:
                seen[key] = self.pair(hop, window)[0]
            total *= seen[key]
        return total

    def period(self, window: float) -> float:
        """Seconds from one round to the next: the window and the gates, or what the ends' memories allow."""
        busy = self.processing + self.end_delay
        return max(window + self.after + self.processing, busy / self.blocks)

    def rate(self, window: float) -> float:
        """Logical pairs per second."""
        return self.success(window) / self.period(window)

    def best_window(self) -> float:
        """The window (s) with the best rate, by a search on a logarithmic grid that is refined once."""
        slowest = max(point.period / SECOND / max(point.success, 1e-12) for point in self.points)
        low: float = self.tail + min(point.period for point in self.points) / SECOND * 1e-6
        coarse: list[float] = [low + slowest * 10.0 ** (k / 8.0 - 3.0) for k in range(40)]
        best = max(coarse, key=self.rate)
        near: list[float] = [low + (best - low) * 10.0 ** (k / 32.0) for k in range(-4, 5)]
        return max([best, *near], key=self.rate)

    def line(self, window: float) -> Line:
        """The noise of one round, for the sampler."""
        states = [self.pair(hop, window)[1] for hop in range(len(self.links))]
        pairs = [tuple(max(0.0, weight) for weight in to_weights(state)) for state in states]
        idle = tuple(tuple(pauli_twirl(node.memory, self.processing).tolist()) for node in self.nodes)
        ends = tuple(
            tuple(pauli_twirl(node.memory, self.end_delay).tolist())
            for node in (self.nodes[0], self.nodes[-1])
        )
        total = [math.fsum(weights) for weights in pairs]
        return Line(
            pairs=tuple(tuple(w / t for w in weights) for weights, t in zip(pairs, total, strict=True)),
            nodes=tuple(node.operations for node in self.nodes),
            idle=idle,
            ends=(ends[0], ends[1]),
        )


@dataclass(frozen=True, slots=True)
class EncodedPlan:
    """A line of encoded repeaters with everything decided, and what it is expected to give.

    Attributes:
        segments: nodes, links, code, lanes, rounds.
        window: in which blocks are collected.
        period: from one round to the next.
        success: probability that a round gives a logical pair.
        rate: logical pairs per second.
        logical: sampled logical weights and fidelity of a pair at delivery.
        latency: from the end of the window to delivery at both ends.
        first: mean time to the first pair.
        pair_fidelity: mean fidelity of the physical pairs that are used, on the worst hop.
        cautions: where the numbers are outside what the model can say.
    """

    segments: Segments
    window: Time
    period: Time
    success: float
    rate: float
    logical: Logical
    latency: Time
    first: Time
    pair_fidelity: float
    cautions: tuple[Caution, ...] = ()

    @property
    def path(self) -> tuple[str, ...]:
        """Names of the nodes."""
        return tuple(node.name for node in self.segments.nodes)

    @property
    def slots(self) -> int:
        """Memories that a repeater needs: lanes and a block on each side, and one more where preparations are checked."""
        code = self.segments.code
        return 2 * (self.segments.lanes + code.n) + code.helpers


def slots_needed(code: Code, rounds: int = 0) -> int:
    """Least number of memories of a repeater.

    Examples:
        >>> from quantum_fabric.physics.codes.catalogue import CODES
        >>> slots_needed(CODES["repetition-3"]), slots_needed(CODES["steane"])
        (12, 29)
    """
    return 2 * code.n * (1 + int(2**rounds)) + code.helpers


def schemes(topology: Topology, path: Sequence[str], links: Sequence[str], code: Code) -> Iterator[Segments]:
    """All schemes worth trying on one line: settings of the knob, rounds of purification.

    Args:
        topology: the believed network.
        path: names of the nodes.
        links: names of the links between them.
        code: of the blocks.
    """
    nodes = tuple(topology.node(name) for name in path)
    inner = [node.slots for node in nodes[1:-1]]
    ends = min(nodes[0].slots, nodes[-1].slots) - code.helpers
    room = min([(slots - code.helpers) // 2 - code.n for slots in inner] + [ends - code.n])
    delays = [[topology.delay(a, b) / SECOND for b in (path[0], path[-1])] for a in path]
    knobs = [grid(topology.link(name).model) for name in links]
    most = max(len(settings) for settings in knobs)
    for step in sorted({round(k * (most - 1) / (SETTINGS - 1)) for k in range(SETTINGS)}):
        for rounds in range(MOST_ROUNDS + 1):
            lanes = min(room, MOST_LANES)
            if lanes < code.n * 2**rounds:
                break
            points = tuple(
                operating_point(topology.link(name), left, settings[min(step, len(settings) - 1)], lanes)
                for name, left, settings in zip(links, path, knobs, strict=False)
            )
            if any(point.success <= 0.0 for point in points):
                continue
            yield Segments(
                nodes=nodes,
                links=tuple(links),
                points=points,
                hop_delays=tuple(topology.delay(a, b) / SECOND for a, b in pairwise(path)),
                end_delay=max(max(row) for row in delays),
                code=code,
                lanes=lanes,
                rounds=rounds,
                blocks=max(1, (ends - lanes) // code.n),
            )


def evaluated(segments: Segments, window: float, shots: int, seed: int = 1) -> EncodedPlan:
    """A scheme with a window, its logical fidelity sampled.

    Args:
        segments: the scheme.
        window: s.
        shots: of the sampler; the same seed gives the same answer.
        seed: of the sampler.

    Raises:
        InputError: Stim (or PyMatching) is not installed.
    """
    period, success = segments.period(window), segments.success(window)
    logical = sample_line(segments.code, segments.line(window), shots, seed)
    states = [fidelity(segments.pair(hop, window)[1]) for hop in range(len(segments.links))]
    latency = segments.after + segments.processing + segments.end_delay
    rounds = period / success if success > 0.0 else math.inf
    first = window + latency + segments.end_delay + (rounds - period if success > 0.0 else 0.0)
    cautions = []
    if (1.0 - logical.fidelity.value) * shots < 10:
        found = f"{round((1.0 - logical.fidelity.value) * shots)} errors in {shots} shots"
        cautions.append(
            Caution(
                "logical.fidelity", found, "at least 10 errors", "only the interval's lower end is known well"
            )
        )
    return EncodedPlan(
        segments=segments,
        window=round(window * SECOND),
        period=round(period * SECOND),
        success=success,
        rate=success / period,
        logical=logical,
        latency=round(latency * SECOND),
        first=round(first * SECOND) if math.isfinite(first) else 0,
        pair_fidelity=min(states),
        cautions=tuple(cautions),
    )
