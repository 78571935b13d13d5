"""GHZ states that one node fuses out of pairs with others: what they really are when the last qubit has been handed over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from quantum_fabric.errors import ProtocolError
from quantum_fabric.kernel.clock import Clock
from quantum_fabric.kernel.order import Priority, ranked
from quantum_fabric.kernel.streams import Stream
from quantum_fabric.messages import Event, Fuse, Fused, SharedTruth
from quantum_fabric.physics.checks import Complexes
from quantum_fabric.physics.multipartite import expectation
from quantum_fabric.physics.multiqubit import fidelity, gate, ghz_vector, joined, measured, qubits_of
from quantum_fabric.physics.noise import OperationNoise
from quantum_fabric.twin.qubits import Half, take
from quantum_fabric.units import Time

OPERATION = ranked(Priority.OPERATION)

MOST = 8
"""Nodes that may share one state."""

Finder: TypeAlias = Callable[..., Half]


class Fusion:
    """One GHZ state on its way.

    Everything that happens to a far half after the fusion acts on that half alone, and so commutes with what the centre did: the
    state is worked out at the end, from the pairs as they are then and the bits that were announced.

    Attributes:
        halves: the centre's, the one that is kept first.
        bits: announced, for all but the first.
        owed: far halves that have not been handed over.
    """

    __slots__ = ("bits", "halves", "owed")

    def __init__(self, halves: tuple[Half, ...], bits: tuple[int, ...]) -> None:
        self.halves = halves
        self.bits = bits
        self.owed = {id(half.pair.other(half)) for half in halves}

    def state(self) -> Complexes:
        """Centre first, then the others, shape (2^n, 2^n)."""
        _, rho = fused([half.pair.density(half) for half in self.halves], self.bits, _noise(self.halves[0]))
        return rho


def fused(
    pairs: list[Complexes], bits: tuple[int, ...], noise: OperationNoise
) -> tuple[tuple[float, float], Complexes]:
    """The state of n nodes after fusions at a centre, one for each of the bits.

    Args:
        pairs: with the centre's half first, shape (4, 4); one more than bits.
        bits: announced so far.
        noise: of the centre.

    Returns:
        Probabilities of the last bit (0, 1), and the state: the centre's qubit, then the far ones, in the order of ``pairs``.

    Examples:
        >>> from quantum_fabric.physics.multiqubit import pure
        >>> chances, rho = fused([pure(ghz_vector(2))] * 2, (0,), OperationNoise())
        >>> [round(p, 12) for p in chances], round(fidelity(rho, ghz_vector(3)), 12)
        ([0.5, 0.5], 1.0)
    """
    rho, chances = pairs[0], (1.0, 0.0)
    for pair, bit in zip(pairs[1:], bits, strict=False):
        n = qubits_of(rho)
        branches = measured(gate(joined(rho, pair), "CX", (0, n), noise), n, noise)
        chances = (branches[0][0], branches[1][0])
        rho = branches[bit][1]
    return chances, rho


class Fusions:
    """The command that makes them.

    Args:
        clock: the run's clock.
        draws: the stream of operations of each node.
        emit: called with (node, event) where and when an event happens.
        reveal: called with the truth of a state when all its qubits were handed over.
        half: finds the half in a slot.
    """

    def __init__(
        self,
        clock: Clock,
        draws: Mapping[str, Stream],
        emit: Callable[[str, Event], None],
        reveal: Callable[[SharedTruth], None],
        half: Finder,
    ) -> None:
        self._clock = clock
        self._draws = draws
        self._emit = emit
        self._reveal = reveal
        self._half = half

    def fuse(self, command: Fuse, now: Time) -> None:
        """Start; a gate and a readout for each half that is read, one after the other."""
        slots = (command.slot, *command.others)
        names = command.halves or ("",) * len(slots)
        if not 2 <= len(slots) < MOST or len(set(slots)) < len(slots) or len(names) != len(slots):
            raise ProtocolError(
                f"cannot fuse slots {slots} of {command.node}: 2 to {MOST - 1} different ones, each with its name"
            )
        halves = tuple(
            self._half(command.node, slot, "fuse", name) for slot, name in zip(slots, names, strict=True)
        )
        parties = {half.pair.other(half).node.name for half in halves}
        if len(parties) < len(halves) or command.node in parties:
            raise ProtocolError(
                f"cannot fuse slots {slots} of {command.node}: two of their pairs end at one node"
            )
        for half in halves:
            assert half.slot is not None
            half.slot.busy = True
        done = now + len(command.others) * halves[0].node.swap_time
        self._clock.schedule(done, OPERATION, self._fused, (command, halves))

    def _fused(self, operation: tuple[Fuse, tuple[Half, ...]]) -> None:
        command, halves = operation
        now, node = self._clock.now, halves[0].node
        if any(
            half.slot is None for half in halves
        ):  # the node failed or let go; nobody waits for the result
            for half in halves:
                if half.slot is not None:
                    half.slot.busy = False
            return
        draws, chance = self._draws[node.name], 1.0
        for half in halves:
            half.age(now)
            take(half)
            chance *= node.retrieves(half, now)
        chance *= node.operations.swap_success ** len(command.others)
        bits: tuple[int, ...] | None = None
        if draws.flip(chance):
            bits = self._bits(halves, draws)
            fusion = Fusion(halves, bits)
            for half in halves:
                half.pair.fusion = fusion
        else:
            for half in halves:
                half.pair.spoil(half)
        self._emit(node.name, Fused(command.node, command.slot, command.others, bits))

    @staticmethod
    def _bits(halves: tuple[Half, ...], draws: Stream) -> tuple[int, ...]:
        pairs = [half.pair.density(half) for half in halves]
        bits: tuple[int, ...] = ()
        for count in range(2, len(pairs) + 1):
            chances, _ = fused(pairs[:count], (*bits, 0), _noise(halves[0]))
            bits = (*bits, int(draws.flip(min(1.0, max(0.0, chances[1])))))
        return bits

    def handed_over(self, half: Half, now: Time) -> None:
        """A far half has aged up to now and is the application's."""
        fusion = half.pair.fusion
        assert isinstance(fusion, Fusion)
        fusion.owed.discard(id(half))
        if fusion.owed:
            return
        rho = fusion.state()
        n = qubits_of(rho)
        nodes = (fusion.halves[0].node.name, *(each.pair.other(each).node.name for each in fusion.halves))
        words = ("X" * n, *("Z" + "I" * i + "Z" + "I" * (n - 2 - i) for i in range(n - 1)))
        shown = tuple(expectation(rho, word) for word in words)
        self._reveal(SharedTruth(nodes, fidelity(rho, ghz_vector(n)), shown, now))


def _noise(half: Half) -> OperationNoise:
    return half.node.operations
