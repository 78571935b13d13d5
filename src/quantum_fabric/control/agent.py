"""The decider at one node: holds leases, acts on installed rules, reports what its monitors see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from quantum_fabric.control.choosing import Policy
from quantum_fabric.control.circuit import Circuit
from quantum_fabric.errors import InputError
from quantum_fabric.messages import (
    CONTROLLER,
    Calibrated,
    Commit,
    Consume,
    Declined,
    Drain,
    Fused,
    GenerateRule,
    Heralded,
    Holding,
    Inquire,
    Joined,
    LinkChanged,
    LinkReport,
    Lost,
    Measured,
    Message,
    NodeFailed,
    NodeRecovered,
    Prepare,
    Prepared,
    Purified,
    PurifyAnswer,
    PurifyAsk,
    Received,
    Release,
    Released,
    Renew,
    Restarted,
    Send,
    SlotsBroken,
    SlotsLost,
    Stale,
    Swapped,
    Teleported,
    Undelivered,
    Wake,
)
from quantum_fabric.ports import Action
from quantum_fabric.units import Time


class NodeAgent:
    """Acts for one node inside valid epochs only.

    Args:
        name: the node's name.
        slots: how many memory slots the node has.
        policy: chooses what is swapped, instead of the rules.
    """

    def __init__(self, name: str, slots: int, policy: Policy | None = None) -> None:
        self._policy = policy
        self.name = name
        self.slots = slots
        self._circuits: dict[int, Circuit] = {}
        self._leases: dict[int, Circuit] = {}  # slot -> the one circuit that may use it
        self._broken: set[int] = set()  # slots that load no more
        self._over: set[int] = set()  # epochs that were released; a letter of theirs may still be on its way
        self._life = 1
        self._reports: dict[str, int] = {}  # link -> how many reports of it this life has written
        self._handlers: dict[type, Callable[[Any, Time], Sequence[Action]]] = {
            Heralded: self._heralded,
            Swapped: self._swapped,
            Purified: self._purified,
            Joined: self._joined,
            Lost: self._lost,
            PurifyAsk: self._asked,
            PurifyAnswer: self._answered,
            Wake: self._wake,
            Prepare: self._prepare,
            Commit: self._commit,
            Renew: self._renew,
            Drain: self._drain,
            Release: self._release,
            Inquire: self._inquired,
            Undelivered: self._undelivered,
            Consume: self._consume,
            Measured: self._measured,
            Teleported: self._used,
            Received: self._used,
            Fused: self._fused,
            LinkChanged: self._link_changed,
            Calibrated: self._calibrated,
            SlotsBroken: self._slots_broken,
            NodeFailed: self._failed,
            NodeRecovered: self._recovered,
        }

    def handle(self, message: Message, now: Time) -> Sequence[Action]:
        """Answer one message."""
        return self._handlers[type(message)](message, now)

    @property
    def leases(self) -> dict[int, int]:
        """Which epoch each leased slot belongs to."""
        return {slot: circuit.epoch for slot, circuit in self._leases.items()}

    def circuit(self, epoch: int) -> Circuit | None:
        """The installation of that epoch, if this node holds it."""
        return self._circuits.get(epoch)

    # ------------------------------------------------------------------------------------ installation

    def _prepare(self, message: Prepare, now: Time) -> Sequence[Action]:
        if message.epoch in self._circuits:
            return [Send(CONTROLLER, Prepared(message.epoch, self.name))]
        if message.epoch in self._over:
            return self._stale(message, message.epoch)
        wanted = [slot for rule in message.rules if isinstance(rule, GenerateRule) for slot in rule.slots]
        taken = [slot for slot in wanted if slot in self._leases]
        unknown = [slot for slot in wanted if not 0 <= slot < self.slots]
        if taken or unknown or message.lease_until <= now:
            reason = (
                f"slots {taken} are leased already" if taken
                else f"there are no slots {unknown}" if unknown
                else "the lease is over before it began"
            )  # fmt: skip
            return [Send(CONTROLLER, Declined(message.epoch, self.name, reason))]
        try:
            circuit = self._circuits[message.epoch] = Circuit(message, self._policy, self._broken)
        except InputError as error:  # rules that nobody can follow
            return [Send(CONTROLLER, Declined(message.epoch, self.name, str(error)))]
        for slot in wanted:
            self._leases[slot] = circuit
        return [
            Send(CONTROLLER, Prepared(message.epoch, self.name)),
            Wake(message.lease_until, "lease", message.epoch),
        ]

    def _commit(self, message: Commit, now: Time) -> Sequence[Action]:
        circuit = self._circuits.get(message.epoch)
        return circuit.start() if circuit else self._stale(message, message.epoch)

    def _renew(self, message: Renew, now: Time) -> Sequence[Action]:
        circuit = self._circuits.get(message.epoch)
        if circuit is None:  # whoever renews it takes it to be here
            return self._release(message, now)
        circuit.lease_until = max(circuit.lease_until, message.lease_until)
        return [Wake(circuit.lease_until, "lease", message.epoch)]

    def _drain(self, message: Drain, now: Time) -> Sequence[Action]:
        circuit = self._circuits.get(message.epoch)
        return circuit.drain(now) if circuit else self._stale(message, message.epoch)

    def _release(self, message: Release | Renew, now: Time) -> Sequence[Action]:
        answer = Send(CONTROLLER, Released(message.epoch, self.name))
        self._over.add(message.epoch)
        circuit = self._circuits.pop(message.epoch, None)
        if circuit is None:
            return [answer]  # released already (or never held): say so again, the controller is waiting
        return [*self._let_go(circuit), answer]

    def _inquired(self, message: Inquire, now: Time) -> Sequence[Action]:
        return [Send(CONTROLLER, Holding(self.name, tuple(sorted(self._circuits)), message.upto))]

    def _undelivered(self, message: Undelivered, now: Time) -> Sequence[Action]:
        """Whoever cannot be told what happened in an epoch would wait for ever: leave it, and say so."""
        epoch = getattr(message.content, "epoch", 0)
        return self._release(Release(epoch), now) if epoch in self._circuits else ()

    def _let_go(self, circuit: Circuit) -> list[Action]:
        for slot in circuit.qubits:
            del self._leases[slot]
        return circuit.stop()

    def _wake(self, message: Wake, now: Time) -> Sequence[Action]:
        circuit = self._circuits.get(message.epoch)
        if circuit is None:
            return ()
        if message.purpose == "cutoff":
            return circuit.cutoff(message.key, now)
        if message.purpose == "lease" and now >= circuit.lease_until:
            del self._circuits[message.epoch]
            self._over.add(message.epoch)
            return [*self._let_go(circuit), Send(CONTROLLER, Released(message.epoch, self.name))]
        return ()

    # ------------------------------------------------------------------------------- events and news

    def _holder(self, slot: int) -> Circuit | None:
        circuit = self._leases.get(slot)
        return circuit if circuit is not None and circuit.active else None

    def _heralded(self, event: Heralded, now: Time) -> Sequence[Action]:
        circuit = self._holder(event.slot)
        return circuit.heralded(event, now) if circuit else self._stale(event, 0)

    def _swapped(self, event: Swapped, now: Time) -> Sequence[Action]:
        circuit = self._holder(event.left)
        return circuit.swapped(event, now) if circuit else self._stale(event, 0)

    def _purified(self, event: Purified, now: Time) -> Sequence[Action]:
        circuit = self._holder(event.keep)
        if circuit is None:
            return self._stale(event, 0)
        out: list[Action] = []
        circuit.distiller.purified(event, now, out)
        circuit.react(now, out)
        return out

    def _joined(self, news: Joined, now: Time) -> Sequence[Action]:
        circuit = self._circuits.get(news.epoch)
        return circuit.joined(news, now) if circuit else self._stale(news, news.epoch)

    def _lost(self, news: Lost, now: Time) -> Sequence[Action]:
        circuit = self._circuits.get(news.epoch)
        return circuit.lost(news, now) if circuit else self._stale(news, news.epoch)

    def _asked(self, ask: PurifyAsk, now: Time) -> Sequence[Action]:
        circuit = self._circuits.get(ask.epoch)
        if circuit is None:
            return self._stale(ask, ask.epoch)
        out: list[Action] = []
        circuit.distiller.asked(ask, now, out)
        circuit.react(now, out)
        return out

    def _answered(self, answer: PurifyAnswer, now: Time) -> Sequence[Action]:
        circuit = self._circuits.get(answer.epoch)
        if circuit is None:
            return self._stale(answer, answer.epoch)
        out: list[Action] = []
        circuit.distiller.answered(answer, now, out)
        circuit.react(now, out)
        return out

    def _measured(self, event: Measured, now: Time) -> Sequence[Action]:
        circuit = self._holder(event.slot)
        return circuit.measured(event, now) if circuit else ()

    def _used(self, event: Teleported | Received, now: Time) -> Sequence[Action]:
        """A service has used a held half: its slot is free again."""
        circuit = self._holder(event.slot)
        return circuit.consumed(event.slot, now) if circuit else ()

    def _fused(self, event: Fused, now: Time) -> Sequence[Action]:
        """A service has made one state of several held halves."""
        out: list[Action] = []
        for slot in (event.slot, *event.others):
            circuit = self._holder(slot)
            out.extend(circuit.consumed(slot, now) if circuit else ())
        return out

    def _consume(self, command: Consume, now: Time) -> Sequence[Action]:
        """A service took the half out of the slot by a command of its own."""
        circuit = self._holder(command.slot)
        return circuit.consumed(command.slot, now) if circuit else ()

    # ------------------------------------------------------------------------------------------- plant

    def _link_changed(self, event: LinkChanged, now: Time) -> Sequence[Action]:
        number = self._reports[event.link] = self._reports.get(event.link, 0) + 1
        return [Send(CONTROLLER, LinkReport(self.name, event.link, event.up, number, self._life))]

    def _calibrated(self, event: Calibrated, now: Time) -> Sequence[Action]:
        """The slots stayed armed all the while, and the plant tries on by itself."""
        return ()

    def _slots_broken(self, event: SlotsBroken, now: Time) -> Sequence[Action]:
        """What is in them is worth nothing: whoever has the other half is told; the controller moves their installations."""
        self._broken.update(event.slots)
        out: list[Action] = [Send(CONTROLLER, SlotsLost(self.name, event.slots))]
        for slot in event.slots:
            circuit = self._leases.get(slot)
            out.extend(circuit.broke(slot, now) if circuit else ())
        return out

    def _failed(self, event: NodeFailed, now: Time) -> Sequence[Action]:
        self._circuits.clear()
        self._leases.clear()
        self._broken.clear()  # the monitor says it again
        return ()

    def _recovered(self, event: NodeRecovered, now: Time) -> Sequence[Action]:
        self._life += 1
        self._reports.clear()
        return [Send(CONTROLLER, Restarted(self.name, self._life, now))]

    def _stale(self, message: Message, epoch: int) -> Sequence[Action]:
        return [Stale(self.name, type(message).__name__, epoch)]
