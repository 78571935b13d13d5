"""Looks into the twin, the agents and the ledgers, and puts the entanglement table beside them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from quantum_fabric.control.agent import NodeAgent
from quantum_fabric.control.entangled import Pair, PairState
from quantum_fabric.control.entangled.table import EntanglementTable
from quantum_fabric.control.qubit import State
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import CONTROLLER, Confirmed, Delivered, Fuse, Message
from quantum_fabric.twin.qubits import Half
from quantum_fabric.units import Time

MAKING = (PairState.ELEMENTARY, PairState.JOINED, PairState.SWAPPING, PairState.PURIFYING, PairState.GATHERED)
"""States of pairs that nobody has used a half of."""


@dataclass
class Audit:
    """Looks into the plant, the agents and the ledger, and puts the table beside them."""

    fabric: Fabric
    table: EntanglementTable
    counts: Counter[str] = field(default_factory=Counter)
    fused: set[tuple[str, str]] = field(default_factory=set)  # halves that somebody has begun to fuse

    def __post_init__(self) -> None:
        self.fabric.watch(self._note, Fuse)

    def _note(self, time: Time, place: str, message: Fuse) -> None:
        slots = self.fabric.twin.nodes[message.node].slots
        halves = [slots[each].half for each in (message.slot, *message.others)]
        self.fused |= {(message.node, half.elementary) for half in halves if half is not None}

    def check(self) -> None:
        twin = self.fabric.twin
        rows = self.table.view.pairs.values()
        there = {
            (end.node, end.slot): (end.half, pair)
            for pair in rows
            if pair.state is not PairState.ATTEMPTING
            for end in pair.ends
            if end.there
        }
        held = {
            (n.name, s.number): s.half for n in twin.nodes.values() for s in n.slots if s.half is not None
        }
        for key in (
            held.keys() - there.keys()
        ):  # nobody has heard of it: its other end let go before the light could tell
            half = held.pop(key)
            assert half.pair.other(half).slot is None
            assert half.elementary not in {end.half for pair in rows for end in pair.ends}
            self.counts["unheard of"] += 1
        assert {key: half.elementary for key, half in held.items()} == {
            key: name for key, (name, _) in there.items()
        }
        for key, half in held.items():
            far = half.pair.other(half)
            pair = there[key][1]
            if pair.state in MAKING:
                assert far.slot is not None, (key, pair)
            if half.pair.fusion is not None:
                assert pair.state in (PairState.FUSED, PairState.LOST), (key, pair)
            if far.slot is None:
                assert not (pair.alive and all(end.there for end in pair.ends))
            else:
                assert {(e.node, e.slot, e.half) for e in pair.ends} >= {(*key, half.elementary)}
                assert there[far.slot.node.name, far.slot.number][1] is pair or not pair.alive, pair
                assert pair.bell == half.pair.frame or not pair.alive, pair
            self.counts["halves"] += 1
            self.counts[pair.state.name] += 1
        self.check_work(held)
        self.check_lanes(set(held))
        self.check_agents(there)
        booked = {(lease.node, lease.slot): lease for lease in self.fabric.controller.ledger.leases()}
        for key, (_, pair) in there.items():
            lease = booked.get(key)
            agent = self.fabric.agents[key[0]]
            if lease is None:  # the ledger's clock may strike first, in the same picosecond
                circuit = agent.circuit(pair.epoch)
                assert circuit is not None
                assert circuit.lease_until == self.fabric.now
            else:
                assert lease.epoch == pair.epoch

    def check_work(self, held: dict[tuple[str, int], Half]) -> None:
        """A pair that something is said to be done to has a half that the plant works on; a pair that is said to be idle has none."""
        busy = {(half.node.name, half.elementary) for half in held.values() if half.slot and half.slot.busy}
        for pair in self.table.view.pairs.values():
            works = any((end.node, end.half) in busy for end in pair.ends if end.there)
            if pair.state in (PairState.SWAPPING, PairState.USING):
                assert works, pair
            elif pair.usable and works:  # a fusion of which another half was let go of ends in silence
                assert any((end.node, end.half) in self.fused for end in pair.ends), pair
                self.counts["broken off"] += 1

    def check_lanes(self, held: set[tuple[str, int]]) -> None:
        """Slots that try are those of the plant, but for those whose half nobody can know of yet."""
        trying = {
            (end.node, end.slot)
            for pair in self.table.view.pairs.values()
            if pair.state is PairState.ATTEMPTING
            for end in pair.ends
            if end.there
        }
        armed = {
            (n.name, s.number) for n in self.fabric.twin.nodes.values() for s in n.slots if s.lane is not None
        }
        assert armed <= trying, armed - trying
        for node, slot in trying - armed:
            half = self.fabric.twin.nodes[node].slots[slot].half
            assert half is not None, (node, slot)
            assert half.pair.other(half).slot is None, (node, slot)
        self.counts["lanes"] += len(armed)

    def check_agents(self, there: dict[tuple[str, int], tuple[str, Pair]]) -> None:
        """What an end is said to know is what its agent believes; what an agent holds is in the table."""
        for name, agent in self.fabric.agents.items():
            self.check_agent(name, agent, there)

    def check_agent(
        self, name: str, agent: NodeAgent, there: dict[tuple[str, int], tuple[str, Pair]]
    ) -> None:
        for slot, epoch in agent.leases.items():
            circuit = agent.circuit(epoch)
            assert circuit is not None
            qubit = circuit.qubits[slot]
            if not qubit.mine:
                if (name, slot) in there:  # heralded at the other end; this one has not heard
                    self.counts["unheard"] += 1
                    (end,) = [e for e in there[name, slot][1].ends if e.node == name]
                    assert not end.knows
                continue
            half, pair = there[name, slot]
            assert half == qubit.mine
            (end,) = [e for e in pair.ends if (e.node, e.slot) == (name, slot)]
            (far,) = [e for e in pair.ends if (e.node, e.slot) != (name, slot)]
            believed = (qubit.partner, qubit.far)
            if end.knows:
                assert believed == (far.node, far.half)
                # what is complete may be turned at its other end, or by the application
                if qubit.state not in (State.HELD, State.READING):
                    assert qubit.frame == pair.bell, pair
                self.counts["knows"] += 1
            else:
                waits = qubit.state in (State.ASKING, State.ASKED)
                assert waits or believed != (far.node, far.half) or not pair.alive
                self.counts["not told"] += 1


@dataclass
class Beside:
    """Puts the table's estimates beside what the nodes say of complete pairs: two computations of the same belief."""

    table: EntanglementTable
    counts: Counter[str]
    turned: bool = (
        False  # whether Bell states are asked for: the ends confirm what they will have made of a pair
    )
    tested: bool = False  # whether pairs are tested: what tests have shown is known to the controller only

    def __call__(self, time: Time, place: str, message: Message) -> None:
        if isinstance(message, Confirmed):
            assert place == CONTROLLER
            pair = self.table.view.pairs.get(message.pair)
            if pair is None or pair.state is PairState.LOST:
                self.counts["confirmed, but lost"] += 1
                return
            assert pair.correlators(message.at) == pytest.approx(message.quality, rel=1e-9, abs=1e-12)
            assert self.turned or pair.bell == message.bell
            rates = [a + b for a, b in zip(pair.ends[0].rates, pair.ends[1].rates, strict=True)]
            assert rates == pytest.approx(message.decay)
            assert {e.stretch for e in pair.ends} - {None} == set(message.stretches)
            self.counts["confirmed"] += 1
        elif isinstance(message, Delivered):
            pair = self.table.view.pairs[message.pair]
            told = (message.fidelity, message.low, message.high)
            if not self.tested:
                assert pair.estimate(message.delivered_at) == pytest.approx(told, rel=1e-9)
            assert pair.announced == told
            assert pair.number == message.number
            self.counts["delivered"] += 1
