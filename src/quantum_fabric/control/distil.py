"""Purification between two nodes that know that they share two pairs.

The initiator measures first and asks; the responder measures its halves of the same two pairs, compares the bits and
answers. Each end's gate is local, so the order in time does not matter to the state, and nobody acts on a pair that the
other end does not hold: if the responder no longer has both, it says so and both ends let go. Which two pairs meet is the
initiator's choice: two with equal rounds, or, where the plan pumps, the one with most rounds and a fresh one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from quantum_fabric.control.qubit import Qubit, State
from quantum_fabric.messages import (
    Bell,
    Calibration,
    Correlators,
    Lost,
    Purified,
    Purify,
    PurifyAnswer,
    PurifyAsk,
    PurifyRule,
    Rotation,
    Send,
    Stale,
)
from quantum_fabric.physics.correlators import product, purified
from quantum_fabric.physics.frames import purify_frame
from quantum_fabric.physics.noise import OperationNoise
from quantum_fabric.ports import Action
from quantum_fabric.units import Time


class Keeper(Protocol):
    """What the distiller needs of the circuit that it works for."""

    def free(self, qubit: Qubit, now: Time, out: list[Action], discard: bool = False) -> None:
        """Empty a slot and let it try again."""

    def find(self, name: str) -> Qubit | None:
        """The slot that holds the half of that name."""

    def awaits(self, name: str) -> bool:
        """Whether a half of that name is not here yet (and was not here before)."""

    def own_ageing(self, qubit: Qubit, now: Time) -> Correlators:
        """Believed factor of this node's half since its birth."""


class Distiller:
    """Both roles of a purification at one node, for one installation.

    Args:
        node, epoch: where and for which installation.
        noise: believed noise of this node's operations.
        rules: by partner.
        keeper: the circuit.
        retention: for how long a letter may come twice, ps.
    """

    def __init__(
        self, node: str, epoch: int, noise: OperationNoise, rules: Mapping[str, PurifyRule], keeper: Keeper,
        retention: Time,
    ) -> None:  # fmt: skip
        self._node = node
        self._epoch = epoch
        self._noise = noise
        self._rules = rules
        self._keeper = keeper
        self._partner_noise = {
            partner: operation_noise(rule.partner_calibration) for partner, rule in rules.items()
        }
        self._running: dict[int, tuple[Qubit, Qubit, PurifyAsk | None]] = {}
        self._early: list[PurifyAsk] = []
        self._taken: dict[tuple[str, str], Time] = {}  # asks that were acted on: the two pairs, and when
        self._retention = retention

    def react(self, qubits: Iterable[Qubit], now: Time, out: list[Action]) -> None:
        """Start what can be started: asks that came early, then purifications that this node initiates."""
        early, self._early = self._early, []
        for ask in early:
            self.asked(ask, now, out)
        waiting: dict[tuple[str, int], list[Qubit]] = {}
        for qubit in qubits:
            rule = self._rules.get(qubit.partner) if qubit.state is State.LIVE else None
            if rule is not None and rule.initiator and qubit.rounds < rule.rounds:
                level = 0 if rule.pumped else qubit.rounds
                waiting.setdefault((qubit.partner, level), []).append(qubit)
        for (partner, _), group in waiting.items():
            group.sort(key=lambda qubit: (qubit.born, qubit.slot))
            for sacrifice, keep in _pumped(group) if self._rules[partner].pumped else _equals(group):
                self._begin(keep, sacrifice, State.ASKING, None, out)

    def _begin(
        self, keep: Qubit, sacrifice: Qubit, state: State, ask: PurifyAsk | None, out: list[Action]
    ) -> None:
        keep.move(state)
        sacrifice.move(state)
        self._running[keep.slot] = (keep, sacrifice, ask)
        rule = self._rules[keep.partner]
        rotation = rotation_before(rule, keep.rounds)
        out.append(Purify(self._node, keep.slot, sacrifice.slot, rule.distillation, rotation))

    def purified(self, event: Purified, now: Time, out: list[Action]) -> None:
        """This node's gate is done."""
        keep, sacrifice, ask = self._running.pop(event.keep)
        if ask is None:
            self._ask(keep, sacrifice, event.bit, now, out)
        else:
            self._answer(keep, sacrifice, ask, event.bit, now, out)

    def _ask(self, keep: Qubit, sacrifice: Qubit, bit: int | None, now: Time, out: list[Action]) -> None:
        ageing = self._keeper.own_ageing
        if bit is None or keep.broken or sacrifice.broken:
            whole = [qubit for qubit in (keep, sacrifice) if not qubit.broken]
            out.extend(
                Send(qubit.partner, Lost(self._epoch, qubit.far, "purification broken")) for qubit in whole
            )
            self._keeper.free(sacrifice, now, out)
            self._keeper.free(keep, now, out, discard=True)
            return
        keep.quality = product(keep.quality, ageing(keep, now))
        keep.born = now
        spent = product(sacrifice.quality, ageing(sacrifice, now))
        ask = PurifyAsk(
            self._epoch, keep.far, sacrifice.far, self._node, keep.mine, bit, keep.rounds, keep.quality, spent, now
        )  # fmt: skip
        out.append(Send(keep.partner, ask))
        keep.move(State.ASKED)
        self._keeper.free(sacrifice, now, out)

    def asked(self, ask: PurifyAsk, now: Time, out: list[Action]) -> None:
        """The other end has measured its halves: measure ours, or say that we cannot."""
        keep, sacrifice = self._keeper.find(ask.keep), self._keeper.find(ask.sacrifice)
        usable = [qubit for qubit in (keep, sacrifice) if qubit is not None and qubit.state is State.LIVE]
        if self._twice(ask, now):
            out.append(Stale(self._node, "PurifyAsk", self._epoch))
        elif self._keeper.awaits(ask.keep) or self._keeper.awaits(ask.sacrifice):
            self._early.append(ask)  # a herald is still on its way to us
        elif keep is None or sacrifice is None or len(usable) < 2:
            self._decline(ask, usable, now, out)
        elif keep.partner != ask.asker or sacrifice.partner != ask.asker:
            self._early.append(ask)  # news of the swap that made the segment is still on its way to us
        elif (keep.rounds, sacrifice.rounds) != (ask.rounds, self._spent_rounds(ask)):
            self._decline(ask, usable, now, out)
        else:
            self._taken[ask.keep, ask.sacrifice] = now
            self._begin(keep, sacrifice, State.ANSWERING, ask, out)

    def _twice(self, ask: PurifyAsk, now: Time) -> bool:
        """Whether an ask has come before: it has, or will have, its answer, and a second one would take that back."""
        while self._taken and next(iter(self._taken.values())) < now - self._retention:
            del self._taken[next(iter(self._taken))]
        return (ask.keep, ask.sacrifice) in self._taken or ask in self._early

    def _spent_rounds(self, ask: PurifyAsk) -> int:
        """Rounds that the sacrificed pair of an ask must have had."""
        return 0 if self._rules[ask.asker].pumped else ask.rounds

    def _decline(self, ask: PurifyAsk, usable: list[Qubit], now: Time, out: list[Action]) -> None:
        for qubit in usable:
            self._keeper.free(qubit, now, out, discard=True)
        out.append(Send(ask.asker, _answer_to(ask, False, Bell.PHI_PLUS, (0.0, 0.0, 0.0), now)))

    def _answer(
        self, keep: Qubit, sacrifice: Qubit, ask: PurifyAsk, bit: int | None, now: Time, out: list[Action]
    ) -> None:
        rule = self._rules[ask.asker]
        kind = rule.distillation.value
        rotation = rotation_before(rule, keep.rounds)
        words = None if rotation is None else rotation.words
        label, flip = purify_frame(kind, keep.frame, sacrifice.frame, words)
        frame = Bell(label)
        success = bit is not None and (ask.outcome ^ bit) == flip and not (keep.broken or sacrifice.broken)
        ageing = self._keeper.own_ageing
        kept = product(ask.quality_keep, ageing(keep, now))
        spent = product(ask.quality_sacrifice, ageing(sacrifice, now))
        _, quality = purified(kept, spent, kind, self._partner_noise[ask.asker], self._noise, flip, words)
        out.append(Send(ask.asker, _answer_to(ask, success, frame, quality, now)))
        self._keeper.free(sacrifice, now, out)
        if success:
            keep.move(State.LIVE)
            keep.frame, keep.quality = frame, quality
            keep.born, keep.far_born = now, ask.at
            keep.rounds += 1
        else:
            self._keeper.free(keep, now, out, discard=True)

    def answered(self, answer: PurifyAnswer, now: Time, out: list[Action]) -> None:
        """The other end has compared the bits."""
        keep = self._keeper.find(answer.keep)
        earlier = keep is not None and answer.at < keep.born  # of a round before this one, come twice
        if keep is None or keep.state is not State.ASKED or earlier:
            out.append(Stale(self._node, "PurifyAnswer", self._epoch))
        elif answer.success:
            keep.move(State.LIVE)
            keep.frame, keep.quality = answer.frame, answer.quality
            keep.far_born = answer.at
            keep.rounds += 1
            keep.catch_up()
        else:
            self._keeper.free(keep, now, out, discard=True)


def rotation_before(rule: PurifyRule, rounds: int) -> Rotation | None:
    """How the two pairs are turned before the round that follows on so many; None for the protocol's own way."""
    return rule.rotations[rounds] if rounds < len(rule.rotations) else None


def _equals(group: list[Qubit]) -> list[tuple[Qubit, Qubit]]:
    """(Sacrificed, kept) of pairs with equal rounds, the oldest first: the younger one is kept."""
    return list(zip(group[::2], group[1::2], strict=False))


def _pumped(group: list[Qubit]) -> list[tuple[Qubit, Qubit]]:
    """(Sacrificed, kept): fresh pairs go to those with most rounds; what is left of them starts anew, two by two."""
    fresh = [qubit for qubit in group if qubit.rounds == 0]
    begun = sorted((qubit for qubit in group if qubit.rounds > 0), key=lambda qubit: -qubit.rounds)
    return list(zip(fresh, begun, strict=False)) + _equals(fresh[len(begun) :])


def operation_noise(calibration: Calibration) -> OperationNoise:
    """The believed noise of a node's operations, as the physics room takes it."""
    return OperationNoise(
        depolarising_1=calibration.depolarising_1,
        depolarising_2=calibration.depolarising_2,
        readout_error_0=calibration.readout_error_0,
        readout_error_1=calibration.readout_error_1,
    )


def _answer_to(ask: PurifyAsk, success: bool, frame: Bell, quality: Correlators, now: Time) -> PurifyAnswer:
    return PurifyAnswer(ask.epoch, ask.answer_to, success, frame, quality, now)
