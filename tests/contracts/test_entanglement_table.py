"""The audit of the entanglement table: after faults of every kind it agrees with the twin's truth, the agents and the ledger.

What may differ, and for how long:

* *The table and the plant never differ* in what any node can know. Which half is in which slot, and which two halves are one pair, is
  the same at all times: the table is told what happens at a node when it happens there. What no node can know is one thing only: a
  half whose other end let go before either end heard the herald, until the light is there.
* *A node knows later.* An end that has not been told yet is marked (`End.knows`), from the moment something happened elsewhere
  until the letter has arrived, and not longer. Where it is marked as knowing, the node's own agent says the same.
* *A half whose partner is gone* stays in its slot until its node has been told; its row is `LOST` meanwhile (or `CONSUMED`: a half
  that is to be sacrificed), so no living row has it.
* *At rest* (`Fabric.finish`) there is nothing left: no half, no living row, no lease.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from quantum_fabric.control.agent import NodeAgent
from quantum_fabric.control.entanglement import Change, Pair, PairState, View, fold
from quantum_fabric.control.entanglement_table import EntanglementTable
from quantum_fabric.control.qubit import State
from quantum_fabric.fabric import MESSAGE, Fabric
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    ClockStep,
    Confirmed,
    Delivered,
    LinkChanged,
    LinkRequest,
    Message,
    NodeFailed,
    NodeRecovered,
    Outcome,
    Partition,
    Send,
)
from quantum_fabric.post import Channel
from quantum_fabric.units import MS, SECOND, US, Time
from random_networks import Case, case

HORIZON = SECOND // 20


@dataclass
class Audit:
    """Looks into the plant, the agents and the ledger, and puts the table beside them."""

    fabric: Fabric
    table: EntanglementTable
    counts: Counter[str] = field(default_factory=Counter)

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
            if pair.alive and pair.state is not PairState.HELD:
                assert far.slot is not None, (key, pair)
            if far.slot is None:
                assert not (pair.alive and all(end.there for end in pair.ends))
            else:
                assert {(e.node, e.slot, e.half) for e in pair.ends} >= {(*key, half.elementary)}
                assert there[far.slot.node.name, far.slot.number][1] is pair or not pair.alive, pair
            self.counts["halves"] += 1
            self.counts[pair.state.name] += 1
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
                assert qubit.frame == pair.bell
                self.counts["knows"] += 1
            else:
                waits = qubit.state in (State.ASKING, State.ASKED)
                assert waits or believed != (far.node, far.half) or not pair.alive
                self.counts["not told"] += 1


def disturb(fabric: Fabric, seed: int) -> None:
    """Letters between the controller and nodes are lost, doubled or late."""
    dice, carry = random.Random(seed), fabric._carry

    def careless(seat: str, send: Send) -> None:
        if CLIENT in (seat, send.to) or CONTROLLER not in (seat, send.to):
            carry(seat, send)
            return
        for _ in range(dice.choice((0, 1, 1, 1, 1, 1, 1, 1, 2))):
            if dice.random() < 0.3:
                late = fabric.now + fabric.delay(seat, send.to) + dice.randrange(HORIZON // 20)
                fabric.clock.schedule(late, MESSAGE, fabric._arrive, (send.to, send.message))
            else:
                carry(seat, send)

    fabric._carry = careless  # type: ignore[method-assign]


def run(
    drawn: Case,
    seed: int,
    faults: list[tuple[Time, object]],
    hold: bool = False,
    careless: bool = False,
    channel: Channel | None = None,
) -> tuple[Audit, list[Change]]:
    """A run with the table attached, audited after many of its events and at rest."""
    stream: list[Change] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        fabric = Fabric(drawn.inventory, seed=seed, channel=channel)
        if careless:
            disturb(fabric, seed)
        table = EntanglementTable(listener=stream.append)
        fabric.watch(table, *table.SEES)
        audit = Audit(fabric, table)
        fabric.watch(Beside(table, audit.counts), Confirmed, Delivered)
        for at, request in drawn.requests:
            fabric.submit(
                LinkRequest(
                    request.source, request.destination, request.fidelity, request.pairs, request.rate, request.deadline,
                    hold, request.name,
                ),
                at,
            )  # fmt: skip
        for at, event in faults:
            if isinstance(event, Restart):
                fabric.restart_controller(event.down_for, at, event.survives)
            else:
                fabric.inject(event, at)  # type: ignore[arg-type]

        def look() -> bool:
            audit.counts["events"] += 1
            if audit.counts["events"] % (3 if audit.counts["events"] < 5000 else 100) == 0:
                audit.check()
                audit.counts["audits"] += 1
            return False

        fabric.run(HORIZON, stop=look)
        audit.check()
        fabric.finish()
        fabric.run(fabric.now)  # a lease that ran out may do so a little later at the node than in the ledger
        audit.check()
    return audit, stream


@dataclass(frozen=True)
class Restart:
    """The controller starts again."""

    down_for: Time
    survives: bool


@dataclass
class Beside:
    """Puts the table's estimates beside what the nodes say of complete pairs: two computations of the same belief."""

    table: EntanglementTable
    counts: Counter[str]

    def __call__(self, time: Time, place: str, message: Message) -> None:
        if isinstance(message, Confirmed):
            assert place == CONTROLLER
            pair = self.table.view.pairs.get(message.pair)
            if pair is None or pair.state is PairState.LOST:
                self.counts["confirmed, but lost"] += 1
                return
            assert pair.correlators(message.at) == pytest.approx(message.quality, rel=1e-9, abs=1e-12)
            assert pair.bell == message.bell
            rates = [a + b for a, b in zip(pair.ends[0].rates, pair.ends[1].rates, strict=True)]
            assert rates == pytest.approx(message.decay)
            assert {e.stretch for e in pair.ends} - {None} == set(message.stretches)
            self.counts["confirmed"] += 1
        elif isinstance(message, Delivered):
            pair = self.table.view.pairs[message.pair]
            estimate = pair.estimate(message.delivered_at)
            assert estimate == pytest.approx((message.fidelity, message.low, message.high), rel=1e-9)
            assert pair.number == message.number
            self.counts["delivered"] += 1


def faults_of(drawn: Case, seed: int) -> list[tuple[Time, object]]:
    """A fibre is cut and mended, a node stops and starts."""
    links, nodes = list(drawn.inventory.links), list(drawn.inventory.nodes)
    at = HORIZON // 8
    return [
        (at, LinkChanged("", links[seed % len(links)], False)),
        (3 * at, LinkChanged("", links[seed % len(links)], True)),
        (2 * at + seed, NodeFailed(nodes[seed % len(nodes)])),
        (5 * at, NodeRecovered(nodes[seed % len(nodes)])),
    ]


def faults_of_the_plane(drawn: Case, seed: int) -> list[tuple[Time, object]]:
    """A partition heals, a clock jumps within and beyond the guard, the controller starts again, at times beside its former self."""
    dice, nodes = random.Random(seed), list(drawn.inventory.nodes)
    start = dice.randrange(HORIZON // 2)
    return [
        (start, Partition(tuple(dice.sample(nodes, dice.randint(1, len(nodes) - 1))), start + HORIZON // 5)),
        (dice.randrange(HORIZON), ClockStep(dice.choice(nodes), dice.randrange(-MS, MS))),
        (dice.randrange(HORIZON), ClockStep(dice.choice(nodes), dice.choice((-1, 1)) * 5 * MS)),
        (dice.randrange(HORIZON // 2), Restart(dice.randrange(HORIZON // 10), seed % 2 == 0)),
        (HORIZON // 2 + dice.randrange(HORIZON // 2), Restart(dice.randrange(HORIZON // 10), False)),
    ]


def at_rest(audit: Audit, stream: list[Change]) -> None:
    """Nothing is left, and the stream tells all of it."""
    states = {pair.state for pair in audit.table.view.pairs.values()}
    assert states <= {PairState.DELIVERED, PairState.CONSUMED, PairState.LOST}
    assert not any(end.there for pair in audit.table.view.pairs.values() for end in pair.ends)
    assert not audit.fabric.controller.ledger.leases()
    again: View = fold(stream)
    assert again.pairs == audit.table.snapshot().pairs


@pytest.mark.parametrize("seed", range(500, 520))
def test_the_table_agrees_with_the_truth(seed: int) -> None:
    audit, stream = run(case(seed), seed, [])
    assert audit.counts["audits"] > 0
    at_rest(audit, stream)


@pytest.mark.parametrize("seed", range(520, 550))
def test_the_table_agrees_with_the_truth_under_faults(seed: int) -> None:
    drawn = case(seed, hops=3)
    audit, stream = run(drawn, seed, faults_of(drawn, seed), hold=seed % 5 == 0)
    assert audit.counts["audits"] > 0
    at_rest(audit, stream)


@pytest.mark.parametrize("seed", range(550, 580))
def test_the_table_agrees_with_the_truth_though_letters_are_lost_doubled_and_late(seed: int) -> None:
    drawn = case(seed, hops=3)
    audit, stream = run(drawn, seed, faults_of(drawn, seed), careless=True)
    at_rest(audit, stream)


def test_the_audit_has_seen_everything() -> None:
    """Together the runs come to every state, to ends that have not been told, and to numbers beside the nodes' own."""
    counts: Counter[str] = Counter()
    for seed in (402, 405, 420, 424, 429, 436):
        drawn = case(seed, hops=3)
        counts += run(drawn, seed, faults_of(drawn, seed), hold=seed % 5 == 0)[0].counts
    wanted = (
        "ELEMENTARY",
        "JOINED",
        "SWAPPING",
        "PURIFYING",
        "HELD",
        "CONSUMED",
        "LOST",
        "knows",
        "not told",
        "unheard",
    )
    assert all(counts[each] > 0 for each in (*wanted, "confirmed", "delivered")), counts


@pytest.mark.parametrize("deaf", ["Swapped", "Discard", "Joined", "NodeFailed"])
def test_the_audit_would_see_a_table_that_misses_something(
    deaf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = case(402, hops=3)
    monkeypatch.setattr(
        EntanglementTable, "SEES", tuple(each for each in EntanglementTable.SEES if each.__name__ != deaf)
    )
    with pytest.raises(AssertionError):
        at_rest(*run(drawn, 402, faults_of(drawn, 402)))


@pytest.mark.parametrize("seed", range(580, 620))
def test_the_table_agrees_with_the_truth_on_a_plane_that_fails_under_a_controller_that_restarts(
    seed: int,
) -> None:
    drawn = case(seed, hops=3)
    plane = Channel(loss=0.1, duplication=0.1, jitter=seed % 3 * 200 * US, patience=20 * MS, guard=MS)
    faults = faults_of(drawn, seed) + faults_of_the_plane(drawn, seed)
    audit, stream = run(drawn, seed, faults, hold=seed % 5 == 0, channel=plane)
    assert audit.counts["audits"] > 0
    at_rest(audit, stream)
    for _, request in drawn.requests:
        replies = audit.fabric.replies(request.name)
        assert sum(isinstance(reply, Outcome) for reply in replies) == 1
        numbers = [reply.number for reply in replies if isinstance(reply, Delivered)]
        assert numbers == list(range(1, len(numbers) + 1))
