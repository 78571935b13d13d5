"""Encoded links at work: logical pairs that are handed out one by one, from rounds of encoded repeaters in virtual time.

A round draws what the plant would do: when each lane of each segment gets its pair (from the link's own model and streams), in
which herald, how old the pair is when it is used, whether a purification works, which Pauli error each pair, gate and readout has
(Stim), and what every station's decoder makes of it. A logical pair carries its true error, which nobody who only sees messages
would know.

Limits:
    An encoded link runs on a clock of its own and not on the event twin: it shares no memories, fibres or faults with other requests
    of a network, and its rounds cannot be watched as messages. Its pairs can be measured in X and Z; they are not teleported over.
    The same seed gives the same run on the same machine and version of Stim; Stim does not promise it across machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from types import TracebackType

import numpy as np

from quantum_fabric.errors import QuantityError, StateError
from quantum_fabric.kernel import Clock, Stream, Streams
from quantum_fabric.links.model import Heralding
from quantum_fabric.messages import Bell, Correlators, LinkRequest, Outcome, Refused, Status
from quantum_fabric.network.encoded import EncodedPlan
from quantum_fabric.network.encoded_planning import plan_distance, plan_line
from quantum_fabric.network.paths import usable
from quantum_fabric.network.refusal import no_route
from quantum_fabric.network.topology import Topology
from quantum_fabric.physics.codes.blocks import Block, encoded_pairs, encoded_swap, waited
from quantum_fabric.physics.codes.catalogue import Bools, code
from quantum_fabric.physics.codes.decoding import logical_flips
from quantum_fabric.physics.codes.repeater import NO_WAIT, end_errors
from quantum_fabric.physics.correlators import (
    added_rates,
    aged,
    decay_rates,
    from_weights,
    purified,
    to_weights,
)
from quantum_fabric.physics.noise import OperationNoise
from quantum_fabric.units import SECOND, Time, from_seconds

PATIENCE = 1000.0
"""Mean waiting times after which silence is a fault."""


@dataclass(slots=True)
class LogicalPair:
    """One logical Bell pair, each half in a block of physical qubits.

    Attributes:
        number: 1, 2, 3, ... within the link.
        ends: the two nodes, source first.
        bell: Bell state it is announced in: the frame that all stations' results add up to.
        fidelity: estimate of the plan.
        interval: of the estimate.
        created_at: birth of its oldest physical pair (ps).
        delivered_at: from when both ends know its frame (ps).
        error: true Bell label relative to the announced one, 0 for none; what perfect decoders at both ends would find. From the twin:
            it is there to check the estimate, and nobody who only sees messages could know it.
    """

    number: int
    ends: tuple[str, str]
    bell: Bell
    fidelity: float
    interval: tuple[float, float]
    created_at: Time
    delivered_at: Time
    error: int
    _link: EncodedLink = field(repr=False)
    _swaps: int = field(repr=False)
    _blocks: tuple[Block, Block] = field(repr=False)
    _used: bool = field(default=False, repr=False)

    def measure(self, basis: str) -> tuple[int, int]:
        """Read both blocks qubit by qubit in one basis and decode the strings; returns the logical bits of (source, destination).

        Args:
            basis: ``X`` or ``Z``.

        Raises:
            QuantityError: another basis.
            StateError: the pair was measured already.
        """
        if basis not in ("X", "Z"):
            raise QuantityError(repr(basis), "'X' or 'Z' (the transversal ones)", "basis")
        if self._used:
            raise StateError(f"logical pair {self.number} was used already")
        self._used = True
        return self._link.read(self, basis)


@dataclass(frozen=True, slots=True)
class _Collected:
    """One segment's block in one round: Bell labels of its n pairs, and the oldest birth (ps)."""

    labels: tuple[int, ...]
    born: Time


class EncodedLink:
    """Logical pairs between two nodes, handed out one by one. A context manager and an iterator, as a `Link` is.

    Attributes:
        request: what was asked for.
        plan: how it is served.
        rounds: rounds that have been run.
        incomplete: of them, without a whole block on every segment.

    Args:
        topology: the plant; the models of its links are sampled.
        request: what was asked for.
        plan: made for this topology.
        seed: of every random draw.
    """

    def __init__(self, topology: Topology, request: LinkRequest, plan: EncodedPlan, seed: int = 0) -> None:
        self.request = request
        self.plan = plan
        self.rounds = self.incomplete = 0
        self._topology = topology
        self._streams = Streams(seed)
        self._clock = Clock()
        self._line = plan.segments.line(plan.window / SECOND)
        self._heralds = [self._heralding(hop) for hop in range(len(plan.segments.links))]
        self._ready: list[LogicalPair] = []
        self._made = self._taken = 0
        self._closed = False
        self._clock.schedule(from_seconds(plan.segments.end_delay), 0, self._round)

    # ------------------------------------------------------------------------------------------ outside

    @property
    def now(self) -> Time:
        """Virtual time, ps."""
        return self._clock.now

    @property
    def outcome(self) -> Outcome | None:
        """How the request ended; None while it is open."""
        if self._taken == self.request.pairs:
            return Outcome(self.request.name, Status.COMPLETED, self._taken, "all pairs delivered")
        if self._closed:
            return Outcome(self.request.name, Status.CANCELLED, self._taken, "closed by the caller")
        return None

    def __iter__(self) -> Iterator[LogicalPair]:
        return self

    def __next__(self) -> LogicalPair:
        if self._taken == self.request.pairs:
            raise StopIteration
        if self._closed:
            raise StateError("the link is closed")
        limit = self.now + from_seconds(PATIENCE / self.plan.rate) + int(PATIENCE) * self.plan.latency
        if not self._ready:
            self._clock.run(limit, stop=lambda: bool(self._ready))
        if not self._ready:
            raise StateError("no logical pair came within a thousand mean waiting times")
        self._taken += 1
        return self._ready.pop(0)

    def close(self) -> None:
        """Stop. Closing twice is harmless."""
        self._closed = True

    def __enter__(self) -> EncodedLink:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        name, path = self.plan.segments.code.name, self.plan.path
        hops = len(path) - 1
        return f"<EncodedLink {path[0]} – {path[-1]}, {name}, {hops} segments, {self._taken} of {self.request.pairs} pairs taken>"

    def read(self, pair: LogicalPair, basis: str) -> tuple[int, int]:
        """Read the blocks of a pair (see `LogicalPair.measure`)."""
        segments = self.plan.segments
        kind, bit = ("x", 2) if basis == "Z" else ("z", 1)
        stream = self._streams.stream(f"reading of pair {pair.number}")
        wrong = bool(pair._swaps & bit)
        for block, node in zip(pair._blocks, (segments.nodes[0], segments.nodes[-1]), strict=True):
            flips = (block.x if kind == "x" else block.z)[0]
            extra = [_misread(node.operations, basis, stream) for _ in flips]
            wrong ^= bool(logical_flips(segments.code, kind, flips ^ np.array(extra, dtype=np.bool_)))
        one = int(stream.flip(0.5))
        return one, one ^ int(bool(pair.bell & bit)) ^ int(wrong)

    # ------------------------------------------------------------------------------------------ inside

    def _heralding(self, hop: int) -> Heralding:
        segments = self.plan.segments
        link = self._topology.link(segments.links[hop])
        return link.model.heralding(segments.points[hop].setting, segments.lanes)

    def _round(self, _: object) -> None:
        """One round: collect on every segment, and if all blocks are whole, encode, swap and send the news."""
        if self._closed or self._made == self.request.pairs:
            return
        self.rounds += 1
        start = self.now
        self._clock.schedule(start + self.plan.period, 0, self._round)
        blocks = [self._collect(hop, start) for hop in range(len(self._heralds))]
        whole = [block for block in blocks if block is not None]
        if len(whole) < len(blocks):
            self.incomplete += 1
            return
        self._made += 1
        pair = self._encoded(whole, start)
        self._clock.schedule(pair.delivered_at, 0, self._ready.append, pair)

    def _collect(self, hop: int, start: Time) -> _Collected | None:
        """The pairs of one segment in one window, purified if the plan says so; None if they are too few."""
        segments, heralding = self.plan.segments, self._heralds[hop]
        name = segments.links[hop]
        link = self._topology.link(name)
        ends = (self._topology.node(link.a), self._topology.node(link.b))
        rates = tuple(decay_rates(end.memory) for end in ends)
        attempts = segments.attempts(hop, self.plan.window / SECOND)
        have: list[tuple[Correlators, Time]] = []
        for lane in range(segments.lanes):
            stream = self._streams.stream(f"{name} lane {lane}")
            tried = stream.geometric(heralding.success)
            if tried > attempts:
                continue
            at = (tried - 1) * heralding.period + lane * heralding.cycle
            found = heralding.outcomes[
                stream.choose(np.cumsum([o.probability for o in heralding.outcomes]).tolist())
            ]
            state = from_weights(found.weights)
            for rate, born in zip(rates, heralding.born, strict=True):
                state = aged(state, rate, (self.plan.window - at - born) / SECOND)
            have.append((state, start + at + min(heralding.born)))
        chooser = self._streams.stream(f"{name} choice")
        for _ in range(segments.rounds):
            have = self._purified(have, hop, chooser)
        if len(have) < segments.code.n:
            return None
        # which of them are used does not depend on how old they are
        order = sorted(range(len(have)), key=lambda _: chooser.uniform())[: segments.code.n]
        labels = [chooser.choose(np.cumsum(np.maximum(0.0, to_weights(have[k][0]))).tolist()) for k in order]
        return _Collected(tuple(labels), min(have[k][1] for k in order))

    def _purified(
        self, have: list[tuple[Correlators, Time]], hop: int, stream: Stream
    ) -> list[tuple[Correlators, Time]]:
        segments = self.plan.segments
        a, b = segments.nodes[hop], segments.nodes[hop + 1]
        both = added_rates(decay_rates(a.memory), decay_rates(b.memory))
        left = []
        for (keep, one), (sacrifice, _) in zip(have[::2], have[1::2], strict=False):
            chance, state = purified(keep, sacrifice, "dejmps", a.operations, b.operations)
            if stream.flip(chance):
                left.append((aged(state, both, segments.after / segments.rounds), one))
        return left

    def _alike(self, hops: int) -> dict[tuple[OperationNoise, OperationNoise], list[int]]:
        """Hops by the noise of their ends."""
        nodes = self._line.nodes
        found: dict[tuple[OperationNoise, OperationNoise], list[int]] = {}
        for hop in range(hops):
            found.setdefault((nodes[hop], nodes[hop + 1]), []).append(hop)
        return found

    def _encoded(self, blocks: list[_Collected], start: Time) -> LogicalPair:
        plan, segments, line = self.plan, self.plan.segments, self._line
        kind, stream = segments.code, self._streams.stream("encoding")
        rng = np.random.default_rng(stream.bits())
        halves: dict[int, tuple[Block, Block]] = {}
        for (a, b), alike in self._alike(
            len(blocks)
        ).items():  # one call of the simulator for all that are alike
            labels = np.array([blocks[hop].labels for hop in alike])
            errors = Block(labels >= 2, (labels & 1) == 1)
            left, right = encoded_pairs(kind, errors, a, b, NO_WAIT, stream.bits() >> 24)
            for row, hop in enumerate(alike):
                one, two = (Block(block.x[row : row + 1], block.z[row : row + 1]) for block in (left, right))
                halves[hop] = (waited(one, line.idle[hop], rng), waited(two, line.idle[hop + 1], rng))
        swaps = 0
        stations: dict[OperationNoise, list[int]] = {}
        for station in range(1, len(blocks)):
            stations.setdefault(line.nodes[station], []).append(station)
        for noise, group in stations.items():
            near, far = (
                Block(np.concatenate([b.x for b in side]), np.concatenate([b.z for b in side]))
                for side in ([halves[k - 1][1] for k in group], [halves[k][0] for k in group])
            )
            parity, phase = encoded_swap(kind, near, far, noise, stream.bits() >> 24)
            swaps ^= 2 * (int(parity.sum()) & 1) + (int(phase.sum()) & 1)
        last = halves[len(blocks) - 1][1]
        ends = (waited(halves[0][0], line.ends[0], rng), waited(last, line.ends[1], rng))
        estimate = plan.logical.fidelity
        return LogicalPair(
            number=self._made,
            ends=(plan.path[0], plan.path[-1]),
            bell=Bell(stream.bits() & 3),  # all results of a Bell measurement are equally likely
            fidelity=estimate.value,
            interval=(estimate.low, estimate.high),
            created_at=min(block.born for block in blocks),
            delivered_at=start + plan.window + plan.latency,
            error=swaps ^ _label(*end_errors(kind, *ends)),
            _link=self,
            _swaps=swaps,
            _blocks=ends,
        )


def open_encoded_line(
    make: Callable[[int], Topology], request: LinkRequest, error_correction: str, seed: int = 0
) -> EncodedLink | Refused:
    """Plan a chain of encoded repeaters, its number of segments being free, and open a link over it.

    Args:
        make: builds the chain with so many segments, its nodes in order from the source.
        request: what is asked for.
        error_correction: name of a code.
        seed: of every random draw.

    Returns:
        The link, or the refusal.

    Raises:
        UnknownNameError: there is no such code.
        InputError: Stim (or PyMatching) is not installed.

    Examples:
        >>> from quantum_fabric.api import Line
        >>> line = Line(10e3, "future", "A", "B", memories=16)
        >>> link = open_encoded_line(lambda n: line.topology(min(n, 2)), LinkRequest("A", "B", 0.9), "bare")
        >>> next(link).ends
        ('A', 'B')
    """
    found = plan_distance(make, request, code(error_correction))
    if isinstance(found, Refused):
        return found
    return EncodedLink(make(len(found.segments.links)), request, found, seed)


def open_encoded(
    topology: Topology, request: LinkRequest, error_correction: str, seed: int = 0
) -> EncodedLink | Refused:
    """Plan encoded repeaters on the shortest path of a network, and open a link over it.

    Args:
        topology: of the network; it is taken for the truth as well.
        request: what is asked for; the ends are its nodes.
        error_correction: name of a code.
        seed: of every random draw.

    Returns:
        The link, or the refusal; ``NOROUTE`` where no memories connect the ends.

    Raises:
        UnknownNameError: there is no such code, or no such node.
        InputError: Stim (or PyMatching) is not installed.

    Limits:
        Only the path with the least fibre is tried.

    Examples:
        >>> from quantum_fabric.api import Line
        >>> line = Line(10e3, "future", "A", "B", memories=16).topology(2)
        >>> link = open_encoded(line, LinkRequest("A", "B", 0.9), "phase-repetition-3")
        >>> next(link).number, link.plan.path
        (1, ('A', 'R1', 'B'))
    """
    import networkx

    kind = code(error_correction)
    for end, name in (("source", request.source), ("destination", request.destination)):
        topology.node(name, where=end)
    kept = usable(topology, request.source, request.destination)
    graph: networkx.Graph[str] = networkx.Graph()
    for link in sorted(kept.links.values(), key=lambda link: -link.length):
        if link.model.stores:
            graph.add_edge(
                link.a, link.b, length=link.length, name=link.name
            )  # the shortest of parallel ones is last
    try:
        path = networkx.shortest_path(graph, request.source, request.destination, weight="length")
    except (networkx.NetworkXNoPath, networkx.NodeNotFound):
        return no_route(kept, request)
    links = [graph.edges[a, b]["name"] for a, b in pairwise(path)]
    found = plan_line(kept, path, links, request, kind)
    return found if isinstance(found, Refused) else EncodedLink(kept, request, found, seed)


def _label(parity: Bools, phase: Bools) -> int:
    return 2 * int(parity[0]) + int(phase[0])


def _misread(noise: OperationNoise, basis: str, stream: Stream) -> bool:
    turned = basis == "X" and stream.flip(noise.depolarising_1 / 2.0)  # the gate that turns X into Z
    return turned ^ stream.flip((noise.readout_error_0 + noise.readout_error_1) / 2.0)
