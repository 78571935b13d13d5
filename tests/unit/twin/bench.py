"""A twin on a bench: a few nodes and links, a tape of what it says, and pairs put into slots by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from builders import werner
from quantum_fabric.kernel import Clock, Streams
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import Arm, Command, Event, Truth
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.twin import STATES, Twin, TwinLink, TwinNode
from quantum_fabric.twin.bell_diagonal import BellDiagonal
from quantum_fabric.twin.qubits import Half, Pair
from quantum_fabric.units import Time

IDEAL = OperationNoise()
FOREVER = MemoryNoise(math.inf, math.inf)


def fixed(success: float = 1.0, period: Time = 100, fidelity: float = 1.0, **more: Any) -> FixedLink:
    return FixedLink(success, werner(fidelity), period, **more)


class Bench:
    """Nodes by name with their noise, links in order; `tape` holds (time, event), `truths` what was revealed."""

    def __init__(
        self,
        nodes: str = "AB",
        links: Sequence[tuple[str, str, Any]] = (),
        seed: int = 1,
        slots: int = 4,
        memory: MemoryNoise = FOREVER,
        noise: OperationNoise | dict[str, OperationNoise] = IDEAL,
        swap_time: Time = 0,
        measure_time: Time = 0,
        light: Time = 0,
        states: str = "bell-diagonal",
    ) -> None:
        self.clock, self.streams = Clock(), Streams(seed)
        self.tape: list[tuple[Time, Any]] = []
        self.truths: list[Truth] = []
        self.react: Callable[[Any], None] = lambda event: None
        self.nodes = {
            name: TwinNode(
                name, slots, memory, noise.get(name, IDEAL) if isinstance(noise, dict) else noise, swap_time, measure_time
            )
            for name in nodes
        }  # fmt: skip
        self.links = [
            TwinLink(f"{a}~{b}", self.nodes[a], self.nodes[b], model, light, rank, STATES[states])
            for rank, (a, b, model) in enumerate(links)
        ]
        self.twin = Twin(self.nodes, self.links, self.clock, self.streams, self._emit, self.truths.append)
        self._made = 0

    def _emit(self, node: str, event: Event) -> None:
        assert event.node == node
        self.tape.append((self.clock.now, event))
        self.react(event)

    def do(self, *commands: Command) -> None:
        for command in commands:
            self.twin.execute(command, self.clock.now)

    def run(self, until: Time) -> Bench:
        self.clock.run(until)
        return self

    def arm(self, node: str, slot: int = 0, link: str = "A~B", lane: int = 0, lanes: int = 1) -> None:
        self.do(Arm(node, slot, link, lane, lanes, None))

    def pair(
        self, a: str, slot_a: int, b: str, slot_b: int, frame: int = 0, correlators: Any = (1.0, 1.0, 1.0)
    ) -> BellDiagonal:
        """A pair that was born now, its halves in these slots."""
        self._made += 1
        halves = []
        for node, number in ((a, slot_a), (b, slot_b)):
            slot = self.nodes[node].slots[number]
            assert slot.half is None
            slot.half = Half(f"made#{self._made}", slot, self.clock.now)
            halves.append(slot.half)
        return BellDiagonal(halves[0], halves[1], frame, correlators)

    def of(self, kind: type) -> list[Any]:
        return [event for _, event in self.tape if isinstance(event, kind)]

    def times(self, kind: type) -> list[tuple[Time, str]]:
        return [(time, event.node) for time, event in self.tape if isinstance(event, kind)]

    def half(self, node: str, slot: int) -> Half:
        half = self.nodes[node].slots[slot].half
        assert half is not None
        return half

    def empty(self, node: str) -> bool:
        return all(s.half is None and s.lane is None and not s.busy for s in self.nodes[node].slots)

    def snapshot(self) -> Any:
        """Everything that a refused command must leave as it is."""
        slots = [(slot.busy, id(slot.lane), slot.half) for node in self.nodes.values() for slot in node.slots]
        halves = [half for _, _, half in slots if half is not None]
        return (
            [(busy, lane, id(half)) for busy, lane, half in slots],
            [(half.since, id(half.slot), id(half.pair)) for half in halves],
            [tuple(getattr(half.pair, name) for name in (*Pair.__slots__, *BellDiagonal.__slots__)) for half in halves],
            [(link.up, {n: self._lane(lane) for n, lane in link.lanes.items()}) for link in self.links],
            {name: stream.draws for name, stream in self.streams._open.items() if stream.draws},
            len(self.clock._queue), self.clock.now, len(self.tape), len(self.truths),
        )  # fmt: skip

    @staticmethod
    def _lane(lane: Any) -> Any:
        return (
            *lane.arms, *lane._armed_at, lane._start, lane.heralds,
            None if lane._pending is None else lane._pending[0],
        )  # fmt: skip


def near(count: int, trials: int, chance: float) -> bool:
    """Whether a number of hits is within six standard deviations (false alarm below 1e-8), exact where it is certain."""
    return abs(count - trials * chance) <= 6 * math.sqrt(trials * chance * (1 - chance)) + 1e-9
