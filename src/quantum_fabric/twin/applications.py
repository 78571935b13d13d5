"""What applications do with a half that they hold: hand over, measure, turn, teleport through it, correct, fuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from quantum_fabric.errors import ProtocolError
from quantum_fabric.kernel.clock import Clock
from quantum_fabric.kernel.order import Priority, ranked
from quantum_fabric.kernel.streams import Stream
from quantum_fabric.messages import (
    Bell,
    Consume,
    Correct,
    Event,
    Fuse,
    Measure,
    Measured,
    Received,
    SharedTruth,
    Teleport,
    Teleported,
    Truth,
    Turn,
)
from quantum_fabric.physics.chsh import DIRECTIONS
from quantum_fabric.twin.fusions import Fusions
from quantum_fabric.twin.qubits import Half, Pair, Sent, take
from quantum_fabric.units import Time

OPERATION = ranked(Priority.OPERATION)


class Finder(Protocol):
    """Finds the half in a slot, or raises `ProtocolError`."""

    def __call__(self, node: str, number: int, verb: str, name: str = "") -> Half:
        """The half in slot ``number`` of ``node``, which is to be ``verb``-ed; ``name`` is the one that is meant."""


class Applications:
    """The commands of applications.

    Args:
        clock: the run's clock.
        draws: the stream of operations of each node.
        emit: called with (node, event) where and when an event happens.
        reveal: called with the truth of a pair when both its halves were handed over.
        half: finds the half in a slot.

    Attributes:
        twirl_error: about how much the fidelity of the worst pair so far is off by what its representation cannot hold.
    """

    def __init__(
        self,
        clock: Clock,
        draws: Mapping[str, Stream],
        emit: Callable[[str, Event], None],
        reveal: Callable[[Truth | SharedTruth], None],
        half: Finder,
    ) -> None:
        self._clock = clock
        self._draws = draws
        self._emit = emit
        self._reveal = reveal
        self._half = half
        self._fusions = Fusions(clock, draws, emit, reveal, half)
        self.twirl_error = 0.0

    @property
    def commands(self) -> dict[type, Callable[..., None]]:
        """What does which command."""
        return {
            Consume: self._consume,
            Measure: self._measure,
            Teleport: self._teleport,
            Correct: self._correct,
            Turn: self._turn,
            Fuse: self._fusions.fuse,
        }

    def _doubt(self, pair: Pair) -> None:
        self.twirl_error = max(self.twirl_error, pair.twirl_error())

    def _consume(self, command: Consume, now: Time) -> None:
        half = self._half(command.node, command.slot, "consume", command.half)
        if half.pair.fusion is not None:
            self._hand_over(half, now)
            return
        pair, told = half.pair, half.pair.told
        first, second = pair.ends
        if told is not None and told != command.bell:
            raise ProtocolError(
                f"the ends of {first.elementary} .. {second.elementary} were told different Bell states: "
                f"{Bell(told).name} and {command.bell.name}"
            )
        half.age(now)
        take(half)
        if told is None:
            pair.told = int(command.bell)
            return
        ends = ((first.node.name, first.elementary), (second.node.name, second.elementary))
        self._doubt(pair)
        self._reveal(Truth(ends, Bell(told), pair.weights(told), now))

    def _hand_over(self, half: Half, now: Time) -> None:
        """A part of a GHZ state."""
        half.age(now)
        take(half)
        self._doubt(half.pair)
        self._fusions.handed_over(half, now)

    def _measure(self, command: Measure, now: Time) -> None:
        if command.basis not in DIRECTIONS:
            raise ProtocolError(
                f"cannot measure in basis {command.basis!r}; expected {', '.join(DIRECTIONS)}"
            )
        half = self._half(command.node, command.slot, "measure", command.half)
        assert half.slot is not None
        half.slot.busy = True
        done = now + half.node.measure_time
        self._clock.schedule(done, OPERATION, self._measured, (command, half))

    def _measured(self, operation: tuple[Measure, Half]) -> None:
        command, half = operation
        if half.slot is None:
            return
        now, node = self._clock.now, half.node
        half.age(now)
        take(half)
        draws = self._draws[node.name]
        bit: int | None = None
        self._doubt(half.pair)
        if node.lossless or draws.flip(node.retrieves(half, now)):
            true = half.pair.measure(half, command.basis, draws)
            noise = node.operations
            bit = true ^ int(draws.flip(noise.readout_error_1 if true else noise.readout_error_0))
        else:
            half.pair.spoil(half)
        self._emit(node.name, Measured(command.node, command.slot, command.basis, bit))

    def _teleport(self, command: Teleport, now: Time) -> None:
        half = self._half(command.node, command.slot, "teleport through", command.half)
        assert half.slot is not None
        half.slot.busy = True
        done = now + half.node.swap_time
        self._clock.schedule(done, OPERATION, self._teleported, (command, half))

    def _teleported(self, operation: tuple[Teleport, Half]) -> None:
        command, half = operation
        if half.slot is None:
            return
        now, node = self._clock.now, half.node
        half.age(now)
        take(half)
        draws = self._draws[node.name]
        if not draws.flip(node.operations.swap_success * node.retrieves(half, now)):
            half.pair.spoil(half)
            self._emit(node.name, Teleported(command.node, command.slot, None))
            return
        label = half.pair.send(half, command.amplitudes, draws)
        half.pair.teleport = Sent(half, command.amplitudes, int(command.bell), label)
        self._emit(node.name, Teleported(command.node, command.slot, (label >> 1, label & 1)))

    def _correct(self, command: Correct, now: Time) -> None:
        half = self._half(command.node, command.slot, "correct", command.half)
        pair = half.pair
        if pair.teleport is None:
            raise ProtocolError(f"nothing was teleported to slot {command.slot} of {command.node}")
        sent = pair.teleport
        half.age(now)
        take(half)
        self._doubt(pair)
        wrong = (sent.label >> 1 ^ command.bits[0]) << 1 | (sent.label & 1 ^ command.bits[1])
        self._emit(command.node, Received(command.node, command.slot, pair.receive(sent, wrong)))

    def _turn(self, command: Turn, now: Time) -> None:
        """At once and without noise, like the operator of a correction."""
        half = self._half(command.node, command.slot, "turn", command.half)
        half.age(now)
        half.pair.turn(half, int(command.label))
