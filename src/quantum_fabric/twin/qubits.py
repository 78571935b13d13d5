"""What the twin holds: nodes, memory slots, halves of pairs, and pairs. Only the twin ever sees these.

How the joint state of a pair is kept is not said here: see `quantum_fabric.twin.states`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import exp
from typing import TypeAlias

from quantum_fabric.kernel.streams import Stream
from quantum_fabric.messages import Distillation, Weights
from quantum_fabric.physics.attempts import Attempts
from quantum_fabric.physics.checks import Complexes as Array
from quantum_fabric.physics.correlators import swap_table
from quantum_fabric.physics.fading import steady_rates, stretched_loss
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.units import Time

Density: TypeAlias = tuple[complex, complex, complex, complex]
"""Density matrix of one qubit, by rows."""


class TwinNode:
    """A node as it truly is: memory slots with their noise, and how long operations take.

    Attributes:
        name: the node's name.
        slots: its memory slots, numbered from 0.
        memory, operations: noise.
        swap_time: duration of a two-qubit gate with readout (Bell measurement, or half a purification), ps.
        measure_time: duration of a single-qubit readout, ps.
        alive: False between a failure and the recovery.
        lanes: the attempts of each lane that ends here, and which end of it that is; kept only where attempts disturb.
    """

    __slots__ = (
        "alive", "lanes", "lossless", "measure_time", "memory", "name", "operations", "outcomes", "rate_xy", "rate_z",
        "simple", "slots", "stretched_rate", "swap_time",
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
        self.rate_xy, _, self.rate_z = (rate * 1e-12 for rate in steady_rates(memory))  # per picosecond
        self.stretched_rate = memory.stretched_rate * 1e-12
        self.simple, self.lossless = memory.simple, memory.lossless
        self.lanes: list[tuple[Attempts, int]] = []
        self.outcomes = swap_table(operations)

    def attempts(self, by: Time) -> int:
        """How many entangling attempts the node has made on all its lanes, that moment included."""
        return sum(lane.made(by, end) for lane, end in self.lanes)

    def retrieves(self, half: Half, now: Time) -> float:
        """Probability that a readout finds the qubit of this half."""
        return 1.0 if self.lossless else self.memory.retrieved((now - half.born) * 1e-12)


class Slot:
    """One memory qubit."""

    __slots__ = ("broken", "busy", "half", "lane", "node", "number")

    def __init__(self, node: TwinNode, number: int) -> None:
        self.node = node
        self.number = number
        self.half: Half | None = None
        self.lane: object | None = None  # the lane this slot is armed for
        self.busy = False  # an operation on it is running
        self.broken = False  # it stores nothing any more, for good


class Half:
    """One half of a pair, in a slot.

    Attributes:
        pair: the pair it belongs to now.
        elementary: name of the elementary pair it was born in; it keeps that name for life.
        node: where it is.
        born: its birth; a stretched decay counts from there, whatever is done to the pair.
        since: time up to which its ageing is in the pair's state.
        attempts: of its node, up to which they are in the pair's state; kept only where attempts disturb.
        slot: its slot; None once consumed or lost.
    """

    __slots__ = ("attempts", "born", "elementary", "node", "pair", "since", "slot")

    def __init__(self, elementary: str, slot: Slot, since: Time) -> None:
        self.elementary = elementary
        self.node = slot.node
        self.slot: Slot | None = slot
        self.born = self.since = since
        self.attempts = self.node.attempts(since) if self.node.lanes else 0
        self.pair: Pair

    def age(self, now: Time) -> None:
        """Bring the pair's state up to ``now`` as far as this half is concerned."""
        elapsed = now - self.since
        if elapsed > 0:
            node = self.node
            coherence = exp(-node.rate_xy * elapsed)
            if not node.simple:
                coherence *= self._rest(now)
            self.since = now
            self.pair.fade(self, coherence, exp(-node.rate_z * elapsed))

    def _rest(self, now: Time) -> float:
        """What is lost besides the steady decay: to the stretched one, and to attempts beside this half."""
        node = self.node
        noise = node.memory
        loss = stretched_loss(node.stretched_rate, noise.exponent, self.since - self.born, now - self.born)
        if node.lanes:
            made = node.attempts(now)
            loss += (made - self.attempts) * noise.loss_per_attempt
            self.attempts = made
        return exp(-loss)


class Pair(ABC):
    """Two halves and their joint state, which each representation keeps in its own way.

    Attributes:
        ends: the two halves.
        frame: the Bell label that was truly announced.
        purification: a purification that one end has done and the other has not.
        told: Bell label that the first consumer was told.
        measured: (basis, true bit, what turning the basis left of the correlation) of the first half that was measured.
        teleport: a teleportation whose sender's part is done.
        fusion: the GHZ state that one half has gone into; the other half is handed over as a part of that.
    """

    __slots__ = ("ends", "frame", "fusion", "measured", "purification", "teleport", "told")

    def __init__(self, first: Half, second: Half, frame: int) -> None:
        self.ends = (first, second)
        first.pair = second.pair = self
        self.frame = frame
        self.purification: Purification | None = None
        self.told: int | None = None
        self.measured: tuple[str, int, float] | None = None
        self.teleport: Sent | None = None
        self.fusion: object | None = None

    def other(self, half: Half) -> Half:
        """The half that is not this one."""
        first, second = self.ends
        return second if half is first else first

    @abstractmethod
    def fade(self, half: Half, coherence: float, population: float) -> None:
        """One half has waited: what is left of its coherence and of its excited population."""

    @abstractmethod
    def spoil(self, lost: Half | None = None) -> None:
        """A half is gone without a record (``lost``), or nothing is known of the pair any more (None)."""

    @abstractmethod
    def weights(self, told: int) -> Weights:
        """Bell weights relative to the state that somebody was told; the first is the fidelity to it."""

    @abstractmethod
    def twirl_error(self) -> float:
        """About how much the fidelity is off by what this representation cannot hold, both halves aged."""

    @abstractmethod
    def swapped(self, left: Half, right: Half, draws: Stream) -> int:
        """A Bell measurement on two halves at one node, this pair's ``left`` and another's ``right``: makes one pair of two.

        Returns:
            The announced label.
        """

    @abstractmethod
    def half_purified(self, waiting: Purification, draws: Stream) -> int:
        """The first end's gate of a purification that keeps this pair: the announced bit."""

    @abstractmethod
    def purified(self, waiting: Purification, node: TwinNode, draws: Stream) -> int:
        """The second end's gate (at ``node``); both halves of both pairs have aged up to their own end's gate.

        Returns:
            The announced bit.
        """

    @abstractmethod
    def measure(self, half: Half, basis: str, draws: Stream) -> int:
        """A readout of one half in a basis, before the readout's own error: the true bit."""

    @abstractmethod
    def density(self, half: Half) -> Array:
        """Density matrix of the pair with this half first, shape (4, 4)."""

    @abstractmethod
    def turn(self, half: Half, label: int) -> None:
        """The Pauli operator with this label acts on one half."""

    @abstractmethod
    def send(self, half: Half, amplitudes: tuple[complex, complex], draws: Stream) -> int:
        """The sender's Bell measurement of a teleportation: the announced label."""

    @abstractmethod
    def receive(self, sent: Sent, wrong: int) -> Density:
        """The receiver's qubit after the correction for ``sent``, and the Pauli operator ``wrong`` on top of it."""


class Purification:
    """One end's half of a purification, waiting for the other end's.

    Attributes:
        keep, sacrifice: the two pairs.
        distillation: which protocol.
        rotation: how the two pairs are turned first; None for the protocol's own way.
        node: where the first end is.
        bit: that it announced.
    """

    __slots__ = ("bit", "distillation", "keep", "node", "rotation", "sacrifice")

    def __init__(
        self,
        keep: Pair,
        sacrifice: Pair,
        distillation: Distillation,
        node: TwinNode,
        rotation: tuple[str, str] | None = None,
    ) -> None:
        self.keep = keep
        self.sacrifice = sacrifice
        self.distillation = distillation
        self.rotation = rotation
        self.node = node
        self.bit = 0


class Sent:
    """The sender's part of a teleportation.

    Attributes:
        half: the sender's.
        amplitudes: of the qubit that was sent.
        told: Bell label that the sender took the pair to have.
        label: announced.
    """

    __slots__ = ("amplitudes", "half", "label", "told")

    def __init__(self, half: Half, amplitudes: tuple[complex, complex], told: int, label: int) -> None:
        self.half = half
        self.amplitudes = amplitudes
        self.told = told
        self.label = label


def take(half: Half) -> None:
    """Remove a half from its slot: it was measured or handed over."""
    slot = half.slot
    assert slot is not None
    slot.half = half.slot = None
    slot.busy = False
