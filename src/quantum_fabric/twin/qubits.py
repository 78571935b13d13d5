"""What the twin holds: memory slots, halves of pairs, and pairs as correlators. Only the twin ever sees these."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from quantum_fabric.messages import Correlators, Distillation, Weights
from quantum_fabric.physics.correlators import decay_rates, swap_table, to_weights
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.units import Time


class TwinNode:
    """A node as it truly is: memory slots with their noise, and how long operations take.

    Attributes:
        name: the node's name.
        slots: its memory slots, numbered from 0.
        memory, operations: noise.
        swap_time: duration of a two-qubit gate with readout (Bell measurement, or half a purification), ps.
        measure_time: duration of a single-qubit readout, ps.
        alive: False between a failure and the recovery.
    """

    __slots__ = (
        "alive", "measure_time", "memory", "name", "operations", "outcomes", "rate_xy", "rate_z", "slots", "swap_time",
    )  # fmt: skip

    def __init__(
        self, name: str, slots: int, memory: MemoryNoise, operations: OperationNoise,
        swap_time: Time = 0, measure_time: Time = 0,
    ) -> None:  # fmt: skip
        self.name = name
        self.memory = memory
        self.operations = operations
        self.swap_time = swap_time
        self.measure_time = measure_time
        self.alive = True
        self.slots = [Slot(self, number) for number in range(slots)]
        self.rate_xy, _, self.rate_z = (rate * 1e-12 for rate in decay_rates(memory))  # per picosecond
        self.outcomes = swap_table(operations)


class Slot:
    """One memory qubit."""

    __slots__ = ("busy", "half", "lane", "node", "number")

    def __init__(self, node: TwinNode, number: int) -> None:
        self.node = node
        self.number = number
        self.half: Half | None = None
        self.lane: object | None = None  # the lane this slot is armed for
        self.busy = False  # an operation on it is running


class Half:
    """One half of a pair, in a slot.

    Attributes:
        pair: the pair it belongs to now.
        elementary: name of the elementary pair it was born in; it keeps that name for life.
        node: where it is.
        since: time up to which its ageing is in the pair's correlators.
        slot: its slot; None once consumed or lost.
    """

    __slots__ = ("elementary", "node", "pair", "since", "slot")

    def __init__(self, elementary: str, slot: Slot, since: Time) -> None:
        self.elementary = elementary
        self.node = slot.node
        self.slot: Slot | None = slot
        self.since = since
        self.pair: Pair

    def age(self, now: Time) -> None:
        """Bring the pair's correlators up to ``now`` as far as this half is concerned (Pauli-twirled T1 and T2)."""
        elapsed = now - self.since
        if elapsed > 0:
            self.since = now
            node, pair = self.node, self.pair
            transverse = exp(-node.rate_xy * elapsed)
            pair.x *= transverse
            pair.y *= transverse
            pair.z *= exp(-node.rate_z * elapsed)


class Pair:
    """Two halves and their joint state: correlators relative to ``frame``, the Bell label that was truly announced.

    Attributes:
        ends: the two halves.
        frame: Bell label.
        x, y, z: correlators, each half aged up to its own ``since``.
        purification: a purification that one end has done and the other has not.
        told: Bell label that the first consumer was told.
        measured: (basis, true bit, what turning the basis left of the correlation) of the first half that was measured.
        teleport: a teleportation whose sender's part is done.
    """

    __slots__ = ("ends", "frame", "measured", "purification", "teleport", "told", "x", "y", "z")

    def __init__(self, first: Half, second: Half, frame: int, correlators: Correlators) -> None:
        self.ends = (first, second)
        first.pair = second.pair = self
        self.frame = frame
        self.x, self.y, self.z = correlators
        self.purification: Purification | None = None
        self.told: int | None = None
        self.measured: tuple[str, int, float] | None = None
        self.teleport: tuple[tuple[complex, complex], int, OperationNoise, tuple[int, int]] | None = None

    def other(self, half: Half) -> Half:
        """The half that is not this one."""
        first, second = self.ends
        return second if half is first else first

    def spoil(self) -> None:
        """A half is gone: what remains is maximally mixed."""
        self.x = self.y = self.z = 0.0

    @property
    def correlators(self) -> Correlators:
        """(x, y, z) as they stand."""
        return (self.x, self.y, self.z)

    def weights(self, told: int) -> Weights:
        """Bell weights relative to the state that somebody was told; the first is the fidelity to it."""
        relative = to_weights(self.correlators)
        shift = self.frame ^ told
        return (relative[shift], relative[shift ^ 1], relative[shift ^ 2], relative[shift ^ 3])


class Purification:
    """One end's half of a purification, waiting for the other end's."""

    __slots__ = ("bit", "distillation", "keep", "node", "sacrifice")

    def __init__(
        self, keep: Pair, sacrifice: Pair, distillation: Distillation, node: TwinNode, bit: int
    ) -> None:
        self.keep = keep
        self.sacrifice = sacrifice
        self.distillation = distillation
        self.node = node
        self.bit = bit


def take(half: Half) -> None:
    """Remove a half from its slot: it was measured or handed over."""
    slot = half.slot
    assert slot is not None
    slot.half = half.slot = None
    slot.busy = False


def draw_label(u: float, table: Sequence[tuple[float, object]]) -> int:
    """Announced label for a uniform draw, from a table of (probability, factors)."""
    for label in (0, 1, 2):
        u -= table[label][0]
        if u < 0.0:
            return label
    return 3
