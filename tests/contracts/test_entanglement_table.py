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
from dataclasses import dataclass

import pytest

from entanglement_audit import Audit, Beside
from quantum_fabric.control.entangled import Change, PairState, View, fold
from quantum_fabric.control.entangled.table import EntanglementTable
from quantum_fabric.fabric import MESSAGE, Fabric
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    ClockStep,
    Confirmed,
    Delivered,
    LinkChanged,
    LinkRequest,
    NodeFailed,
    NodeRecovered,
    Outcome,
    Partition,
    Send,
    SlotsBroken,
)
from quantum_fabric.post import Channel
from quantum_fabric.units import MS, SECOND, US, Time
from random_networks import Case, case

HORIZON = SECOND // 20


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


OPEN = pytest.mark.xfail(
    strict=True,
    reason="a pair over a cut link counts as usable with no half of it at rest; not yet understood",
)


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=OPEN) if seed == 527 else seed for seed in range(520, 550)]
)
def test_the_table_agrees_with_the_truth_under_faults(seed: int) -> None:
    drawn = case(seed, hops=3)
    audit, stream = run(drawn, seed, faults_of(drawn, seed), hold=seed % 5 == 0)
    assert audit.counts["audits"] > 0
    at_rest(audit, stream)


def broken_slots(drawn: Case, seed: int) -> list[tuple[Time, object]]:
    """Memory slots break one after the other, at a time two of a node; some of them twice."""
    dice = random.Random(seed)
    nodes = {name: node.slots for name, node in drawn.inventory.nodes.items() if node.slots}
    faults: list[tuple[Time, object]] = []
    for _ in range(8):
        name = dice.choice(list(nodes))
        which = tuple(dice.sample(range(nodes[name]), min(nodes[name], dice.randint(1, 2))))
        faults.append((dice.randrange(HORIZON), SlotsBroken(name, which)))
    return faults


@pytest.mark.parametrize("seed", range(620, 650))
def test_the_table_agrees_with_the_truth_while_memory_slots_break(seed: int) -> None:
    drawn = case(seed, hops=3)
    faults = broken_slots(drawn, seed) + (faults_of(drawn, seed) if seed % 3 == 0 else [])
    audit, stream = run(drawn, seed, faults, hold=seed % 5 == 0)
    assert audit.counts["audits"] > 0
    at_rest(audit, stream)
    broken = {
        (fault.node, slot) for _, fault in faults if isinstance(fault, SlotsBroken) for slot in fault.slots
    }
    plant = {(n.name, s.number) for n in audit.fabric.twin.nodes.values() for s in n.slots if s.broken}
    assert plant == broken
    ledger = audit.fabric.controller.ledger
    for name, node in audit.fabric.twin.nodes.items():
        assert ledger.slots(name) == len(node.slots) - sum(each == name for each, _ in broken)


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
