"""What an end does with a complete pair: hand its half over, keep it for the application, turn it, or measure it."""

from __future__ import annotations

from typing import Protocol

from quantum_fabric.control.ageing import Ageing
from quantum_fabric.control.qubit import Qubit, State
from quantum_fabric.control.reading import Reader
from quantum_fabric.messages import (
    CONTROLLER,
    Bell,
    Confirmed,
    Consume,
    DeliverRule,
    Measure,
    Measured,
    PairId,
    Read,
    Send,
    Side,
    Turn,
)
from quantum_fabric.physics.correlators import product
from quantum_fabric.physics.frames import expected_parity
from quantum_fabric.ports import Action
from quantum_fabric.units import Time


class Keeper(Protocol):
    """What the handover needs of the circuit that it works for."""

    def free(self, qubit: Qubit, now: Time, out: list[Action], discard: bool = False) -> None:
        """Empty a slot and let it try again."""


class Handover:
    """One end of one installation.

    Args:
        node, epoch: where and for which installation.
        rule: what is done with complete pairs.
        ageing: what is believed of how halves fade.
        keeper: the circuit.

    Raises:
        InputError: the rule asks for readings that nobody can make.
    """

    def __init__(self, node: str, epoch: int, rule: DeliverRule, ageing: Ageing, keeper: Keeper) -> None:
        self._node = node
        self._epoch = epoch
        self._rule = rule
        self._ageing = ageing
        self._keeper = keeper
        self._tests = None if rule.tests is None else Reader(rule.tests)
        self._reading = None if rule.reading is None else Reader(rule.reading)
        self._running: dict[int, tuple[str, bool]] = {}  # slot -> basis, and whether it is a test

    def complete(self, qubit: Qubit, now: Time, out: list[Action]) -> None:
        """A pair is complete as far as this end can know."""
        rule = self._rule
        if self._tests is not None or self._reading is not None:
            basis, test = self._asked(identity(qubit))
            if basis is not None:
                qubit.move(State.READING)
                self._running[qubit.slot] = (basis, test)
                out.append(Measure(self._node, qubit.slot, basis, qubit.mine))
                return
        if rule.bell is not None and qubit.frame is not rule.bell:
            if rule.turns:
                out.append(Turn(self._node, qubit.slot, Bell(qubit.frame ^ rule.bell), qubit.mine))
            qubit.frame = rule.bell
        out.append(Send(CONTROLLER, self._confirmation(qubit, now)))
        if rule.hold:
            qubit.move(State.HELD)
        else:
            out.append(Consume(self._node, qubit.slot, qubit.frame))
            self._keeper.free(qubit, now, out)

    def _asked(self, pair: PairId) -> tuple[str | None, bool]:
        """The basis in which a pair is measured here (None where it is not), and whether that is a test."""
        basis = None if self._tests is None else self._tests.basis(pair)
        if basis is not None:
            return basis, True
        return (None if self._reading is None else self._reading.basis(pair)), False

    def measured(self, qubit: Qubit, event: Measured, now: Time, out: list[Action]) -> None:
        """The half has been read: say so, unless word came meanwhile that its pair is gone."""
        basis, test = self._running.pop(qubit.slot)
        bit, wanted = event.bit, self._rule.bell
        if wanted is not None:
            if bit is not None and self._rule.turns:
                bit ^= expected_parity(basis, qubit.frame) ^ expected_parity(basis, wanted)
            qubit.frame = wanted
        if not qubit.broken:
            out.append(Send(CONTROLLER, self._confirmation(qubit, now, Read(basis, bit, test))))
        self._keeper.free(qubit, now, out)

    def _confirmation(self, qubit: Qubit, now: Time, read: Read | None = None) -> Confirmed:
        ageing = self._ageing
        quality = product(qubit.quality, product(ageing.here(qubit, now), ageing.there(qubit, now)))
        born = min(qubit.born, qubit.far_born)
        rates, stretches = ageing.rates(qubit), ageing.stretches(qubit)
        return Confirmed(
            self._epoch, self._node, identity(qubit), qubit.frame, quality, rates, born, now, qubit.slot, stretches, read
        )  # fmt: skip


def identity(qubit: Qubit) -> PairId:
    """The pair that an end's half belongs to, in the direction of the path."""
    mine_is_left = qubit.side is Side.RIGHT  # a source's pairs lie to its right
    return PairId(qubit.mine, qubit.far) if mine_is_left else PairId(qubit.far, qubit.mine)
