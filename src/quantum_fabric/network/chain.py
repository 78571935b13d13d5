"""A scheme on a topology as plain numbers: what the forecast engines read, nothing else.

Nodes are counted 0..n along the path, hops 0..n-1; hop i joins nodes i and i+1. Times are float seconds here, because
forecasts average over long and short times alike; nothing in this room compares them with events of the twin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from quantum_fabric.messages import Correlators, Order
from quantum_fabric.network.scheme import Scheme, Turns, points, turns
from quantum_fabric.network.settings import OperatingPoint
from quantum_fabric.network.topology import NodeModel, Topology
from quantum_fabric.physics.correlators import aged, decay_rates, swap_table
from quantum_fabric.physics.fading import steady_rates, stretched_loss
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.units import SECOND, Time


@dataclass(frozen=True, slots=True)
class Hop:
    """One link: success per attempt, timing in s, correlators at birth, lanes, purification rounds."""

    success: float
    period: float
    cycle: float
    born: tuple[float, float]
    heard: tuple[float, float]
    fresh: Correlators
    lanes: int
    rounds: int

    @property
    def mean_time(self) -> float:
        """Mean time of one elementary pair on one lane, s."""
        return self.period / self.success if self.success > 0.0 else math.inf


@dataclass(frozen=True, slots=True)
class Station:
    """One node.

    Attributes:
        rates: decay rates of a half (x, y, z; 1/s), as if it decayed exponentially: (1/T2, 1/T2, 1/T1).
        swap_time: duration of a swap, s.
        swap_success: its probability, what memories do not give back left out.
        factors: what it does to the correlators of a pair, averaged over announced outcomes.
        noise: of its operations.
        memory: noise of its memory.
        steady: the exponential part of the decay alone (x, y, z; 1/s).
    """

    rates: Correlators
    swap_time: float
    swap_success: float
    factors: Correlators
    noise: OperationNoise
    memory: MemoryNoise
    steady: Correlators

    def faded(self, state: Correlators, age: float) -> Correlators:
        """Correlators after one half has been in this node's memory from its birth to this age (s), undisturbed."""
        x, y, z = aged(state, self.steady, age)
        if self.memory.stretched_rate == 0.0:
            return (x, y, z)
        keep = math.exp(-stretched_loss(self.memory.stretched_rate, self.memory.exponent, 0.0, age))
        return (x * keep, y * keep, z)


@dataclass(frozen=True, slots=True)
class Chain:
    """A scheme in numbers.

    Attributes:
        hops: left to right.
        stations: nodes 0..n.
        delay: one-way classical delay between any two nodes of the path, s.
        joins: (middle, left, right, rounds) bottom-up, by index.
        nested: swap exact segments only.
        end_rounds: purification rounds end to end.
        distillation: ``"dejmps"`` or ``"bbpssw"``.
        cutoff: s, None for none.
        turns: rotations of the segments whose rounds do not all make the recurrence's own.
        pumped: rounds spend fresh pairs on one that is kept.
        setup: time from the request until the last node may start, s: the slowest round trip of the first phase and
            the slowest way of the second.
        begins: time from the request until each node may start, s; then engines count from the request. Empty: all start at
            0, and `setup` comes before.

    Examples:
        >>> Hop(0.5, 2.0, 0.0, (0.0, 0.0), (0.0, 0.0), (1.0, 1.0, 1.0), 1, 0).mean_time
        4.0
    """

    hops: tuple[Hop, ...]
    stations: tuple[Station, ...]
    delay: tuple[tuple[float, ...], ...]
    joins: tuple[tuple[int, int, int, int], ...]
    nested: bool
    end_rounds: int
    distillation: str
    cutoff: float | None
    setup: float
    turns: Turns = ()
    pumped: bool = False
    begins: tuple[float, ...] = ()

    @property
    def origin(self) -> float:
        """When the time of the engines is 0, counted from the request, s."""
        return 0.0 if self.begins else self.setup

    @property
    def free(self) -> tuple[float, ...]:
        """When the memories of each node may first be used, in the time of the engines, s."""
        return self.begins or (0.0,) * len(self.stations)

    def begun(self, index: int, lane: int = 0) -> float:
        """Start of the first attempt of a lane, in the time of the engines, s.

        The grid of attempts counts from the request: beliefs do not know when that will be, and a request that comes at a random
        time waits half a period longer on average.
        """
        hop, free = self.hops[index], self.free
        phase = lane * hop.cycle % hop.period
        earliest = max(free[index] - hop.born[0], free[index + 1] - hop.born[1])
        return phase + math.ceil((earliest - phase) / hop.period - 1e-9) * hop.period

    @property
    def plain(self) -> bool:
        """True if nothing is purified, cut off or lost, and a half ages alone: pairs then pass in strict order."""
        return (
            self.cutoff is None
            and self.end_rounds == 0
            and all(hop.rounds == 0 for hop in self.hops)
            and all(join[3] == 0 for join in self.joins)
            and all(node.swap_success >= 1.0 and node.memory.lossless for node in self.stations[1:-1])
            and all(node.memory.attempt_dephasing == 0.0 for node in self.stations)
        )


def station(node: NodeModel) -> Station:
    """Numbers of a node; equal nodes share one record.

    Examples:
        >>> from quantum_fabric.physics.noise import MemoryNoise
        >>> station(NodeModel("A", 1, MemoryNoise(2.0, 1.0), OperationNoise(), 0)).rates
        (1.0, 1.0, 0.5)
    """
    return _station(node.memory, node.operations, node.swap_time)


@lru_cache(maxsize=4096)
def _station(memory: MemoryNoise, operations: OperationNoise, swap_time: Time) -> Station:
    table = swap_table(operations)
    x, y, z = (math.fsum(chance * factors[axis] for chance, factors in table) for axis in range(3))
    return Station(
        rates=decay_rates(memory),
        swap_time=swap_time / SECOND,
        swap_success=operations.swap_success,
        factors=(x, y, z),
        noise=operations,
        memory=memory,
        steady=steady_rates(memory),
    )


@dataclass(frozen=True, slots=True)
class Route:
    """What all schemes on one path have in common: see the attributes of `Chain`."""

    path: tuple[str, ...]
    stations: tuple[Station, ...]
    delay: tuple[tuple[float, ...], ...]
    setup: float
    begins: tuple[float, ...] = ()


def route(topology: Topology, path: tuple[str, ...], whole: bool = True) -> Route:
    """Stations, delays and set-up time of a path.

    The set-up has two phases, prepare and its answer, then commit; each takes as long as its slowest message.

    Args:
        topology: what is believed.
        path: its nodes.
        whole: with the delays between all of them; else only those to the right neighbour and to the two ends (as long as those from
            there) are asked for, which is all that the estimate of swaps as soon as possible needs; the others are not numbers. To
            the ends it is then the time along the path, which is never too short.

    Raises:
        UnknownNameError: a node, or a delay between two of them or to the controller, is not in the topology.
    """
    seat = topology.controller
    there = [topology.delay(seat, name) for name in path]
    back = max(way + topology.delay(name, seat) for way, name in zip(there, path, strict=True))
    return Route(
        path=path,
        stations=tuple(station(topology.node(name)) for name in path),
        delay=_delays(topology, path, whole),
        setup=(max(there) + back) / SECOND,
        begins=tuple((back + way) / SECOND for way in there),
    )


def _delays(topology: Topology, path: tuple[str, ...], whole: bool) -> tuple[tuple[float, ...], ...]:
    if whole:
        return tuple(tuple(topology.delay(a, b) / SECOND for b in path) for a in path)
    last = len(path) - 1
    rows = [[math.nan] * (last + 1) for _ in path]
    along = topology.along(path)
    for here, name in enumerate(path):
        for end in (0, last):
            # asked from the ends on, which have been asked before
            way = topology.delay(path[end], name) if along is None else abs(along[end] - along[here])
            rows[here][end] = way / SECOND
        rows[0][here], rows[last][here] = rows[here][0], rows[here][last]
        if here < last:
            step = topology.delay(name, path[here + 1]) if along is None else along[here + 1] - along[here]
            rows[here][here + 1] = step / SECOND
    return tuple(map(tuple, rows))


def chain(topology: Topology, scheme: Scheme, along: Route | None = None) -> Chain:
    """A scheme in numbers.

    Args:
        topology: the believed network.
        scheme: what to do on it.
        along: the route of the scheme's path, where it is known already.

    Raises:
        UnknownNameError: the scheme uses what the topology does not have.
    """
    along = along or route(topology, scheme.path)
    found = zip(points(topology, scheme), scheme.lanes, scheme.rounds, strict=True)
    return assemble(scheme, along, tuple(hop(point, lanes, rounds) for point, lanes, rounds in found))


def hop(point: OperatingPoint, lanes: int, rounds: int) -> Hop:
    """Numbers of a link at an operating point.

    Examples:
        >>> hop(OperatingPoint(None, 0.5, 1_000_000, 0, (0, 0), (0, 0), (1.0, 1.0, 1.0)), 2, 0).period
        1e-06
    """
    return Hop(
        success=point.success,
        period=point.period / SECOND,
        cycle=point.cycle / SECOND,
        born=(point.born[0] / SECOND, point.born[1] / SECOND),
        heard=(point.heard[0] / SECOND, point.heard[1] / SECOND),
        fresh=point.fresh,
        lanes=lanes,
        rounds=rounds,
    )


def assemble(scheme: Scheme, along: Route, hops: tuple[Hop, ...]) -> Chain:
    """A scheme in numbers, from the numbers of its route and hops."""
    place = {name: index for index, name in enumerate(scheme.path)}
    return Chain(
        hops=hops,
        stations=along.stations,
        delay=along.delay,
        joins=tuple(
            (place[join.at], place[join.left], place[join.right], join.rounds) for join in scheme.joins
        ),
        nested=scheme.order is Order.NESTED,
        end_rounds=scheme.end_rounds,
        distillation=scheme.distillation.value,
        cutoff=None if scheme.cutoff is None else scheme.cutoff / SECOND,
        setup=along.setup,
        turns=turns(scheme.path, scheme.turnings),
        pumped=scheme.pumped,
        begins=along.begins,
    )
