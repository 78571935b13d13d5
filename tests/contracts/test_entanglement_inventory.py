"""The entanglement table through every service: no pair is missing from it and none lingers, whatever becomes of pairs.

Random workloads keep, measure, prepare, gather, turn, teleport, fuse and test pairs, on chains with purification and cutoffs, around a
shared station and over several domains, while fibres are cut, nodes stop, slots break and letters are lost. After every few events the
table, the agents and the ledgers are put beside the twin (`entanglement_audit`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from builders import chain, inventory, link, node
from entanglement_audit import Audit, Beside
from quantum_fabric.control.entangled import Change, PairState, fold
from quantum_fabric.control.entangled.shapes import change_of, plain
from quantum_fabric.control.entangled.shared import shared
from quantum_fabric.control.entangled.table import EntanglementTable
from quantum_fabric.control.verification import Verification
from quantum_fabric.errors import ProtocolError
from quantum_fabric.fabric import Fabric
from quantum_fabric.federation import Domain, Federation
from quantum_fabric.links.hub import SharedStation
from quantum_fabric.messages import (
    Accept,
    Ask,
    Bell,
    Confirmed,
    Consume,
    Correct,
    Delivered,
    Fuse,
    LinkChanged,
    LinkRequest,
    Measure,
    NodeFailed,
    NodeRecovered,
    Offered,
    Partition,
    Promise,
    Renegotiate,
    Service,
    SharedTruth,
    Teleport,
    Teleported,
    Tested,
    Turn,
)
from quantum_fabric.post import Channel
from quantum_fabric.units import MS, US, Time
from random_networks import case

HORIZON: Time = 60 * MS
STEP: Time = MS


@dataclass
class Drive:
    """Applications that do with held pairs whatever can be done with them, at random."""

    fabric: Fabric
    dice: random.Random
    counts: Counter[str]
    taken: set[tuple[str, int]] = field(default_factory=set)  # deliveries that something was done with

    def use(self, names: Sequence[str]) -> None:
        """Do one thing with each of some of the pairs that are held now."""
        held = [
            reply
            for name in names
            for reply in self.fabric.replies(name)
            if isinstance(reply, Delivered) and reply.slots and reply.expires_at > self.fabric.now
            and (name, reply.number) not in self.taken
        ]  # fmt: skip
        for pair in held:
            if self.dice.random() < 0.5:
                self.taken.add((pair.request, pair.number))
                others = [each for each in held if (each.request, each.number) not in self.taken]
                verbs = [self._measure, self._consume, self._teleport, self._turn, self._half, self._fuse]
                verb = self.dice.choice(verbs)
                if len(self._parts(pair, others)) > 1 and self.dice.random() < 0.8:
                    verb = self._fuse
                try:
                    verb(pair, others)
                    self.counts[verb.__name__] += 1
                except ProtocolError:  # a fault, or its expiry, was quicker
                    self.counts["too late"] += 1

    def _ends(self, pair: Delivered) -> list[tuple[str, int, str]]:
        assert pair.slots is not None
        return list(zip(pair.ends, pair.slots, pair.pair, strict=True))

    def _measure(self, pair: Delivered, others: list[Delivered]) -> None:
        for at, slot, half in self._ends(pair):
            self.fabric.perform(Measure(at, slot, self.dice.choice("XYZ"), half))

    def _consume(self, pair: Delivered, others: list[Delivered]) -> None:
        for at, slot, half in self._ends(pair):
            self.fabric.perform(Consume(at, slot, pair.bell, half))

    def _half(self, pair: Delivered, others: list[Delivered]) -> None:
        at, slot, half = self.dice.choice(self._ends(pair))
        self.fabric.perform(Measure(at, slot, "Z", half))

    def _turn(self, pair: Delivered, others: list[Delivered]) -> None:
        label = Bell(self.dice.randrange(4))
        ends = self._ends(pair)
        at, slot, half = self.dice.choice(ends)
        self.fabric.perform(Turn(at, slot, label, half))
        for at, slot, half in ends:
            self.fabric.perform(Consume(at, slot, Bell(pair.bell ^ label), half))

    def _teleport(self, pair: Delivered, others: list[Delivered]) -> None:
        (at, slot, half), (to, there, far) = self._ends(pair)
        answer = self.fabric.perform(Teleport(at, slot, pair.bell, (0.6, 0.8j), half))
        if isinstance(answer, Teleported) and answer.bits is not None and self.dice.random() < 0.8:
            self.fabric.perform(Correct(to, there, answer.bits, far))

    def _parts(self, pair: Delivered, others: list[Delivered]) -> list[Delivered]:
        """Pairs of one node with different others."""
        parts = [pair]
        for other in others:
            nodes = {node for each in (*parts, other) for node in each.ends}
            if pair.ends[0] in other.ends and len(nodes) == len(parts) + 2:
                parts.append(other)
        return parts

    def _fuse(self, pair: Delivered, others: list[Delivered]) -> None:
        """A state of several nodes, where there are pairs for it; a nonsensical one where there are none."""
        centre, parts = pair.ends[0], self._parts(pair, others)
        near = [next(end for end in self._ends(each) if end[0] == centre) for each in parts]
        slots = [slot for _, slot, _ in near] if len(parts) > 1 else [near[0][1]] * 2
        halves = tuple(half for _, _, half in near) if len(parts) > 1 else ()
        self.taken |= {(each.request, each.number) for each in parts}
        done = self.fabric.perform(Fuse(centre, slots[0], tuple(slots[1:]), halves))
        self.counts["fused"] += done is not None
        for each in parts:
            if self.dice.random() < 0.8:
                at, slot, half = next(end for end in self._ends(each) if end[0] != centre)
                self.fabric.perform(Consume(at, slot, each.bell, half))


def wishes(
    dice: random.Random, ends: Sequence[tuple[str, str]], count: int, floor: float
) -> list[LinkRequest]:
    """Requests of every kind."""
    found = []
    for number in range(count):
        a, b = dice.choice(list(ends))
        plain_one = LinkRequest(a, b, floor, pairs=dice.randint(1, 5), name=f"w{number}")
        bell = dice.choice((None, None, Bell.PHI_PLUS, Bell.PSI_MINUS))
        held = replace(plain_one, hold=True)
        found.append(dice.choice((
            replace(plain_one, bell=bell),
            held, held, replace(held, bell=bell), replace(held, pairs=2, window=dice.choice((5, 20, 100)) * MS),
            replace(held, pairs=dice.randint(1, 3), promise=Promise.END), replace(plain_one, promise=Promise.AVERAGE),
            replace(plain_one, service=Service.MEASURE, bases=("X", "Y", "Z"), bell=bell),
            replace(plain_one, service=Service.PREPARE), replace(held, service=Service.PREPARE, bell=bell),
            replace(plain_one, pairs=40, service=Service.MEASURE),
        )))  # fmt: skip
    return found


@dataclass
class Watched:
    """A fabric that is audited all the while."""

    fabric: Fabric
    tested: bool = False
    every: int = 3
    stream: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        fabric = self.fabric
        self.table = EntanglementTable(listener=self.stream.append)
        fabric.watch(self.table, *self.table.SEES)
        self.audit = Audit(fabric, self.table)
        self.counts = self.audit.counts
        self.truths: list[SharedTruth] = []
        self.tests: list[Tested] = []
        fabric.watch(lambda time, place, message: self.tests.append(message), Tested)
        fabric.watch(lambda time, place, message: self.truths.append(message), SharedTruth)
        if not isinstance(fabric, Federation):  # there a pair is confirmed to several controllers in turn
            fabric.watch(
                Beside(self.table, self.counts, turned=True, tested=self.tested), Confirmed, Delivered
            )
        live = fabric.run

        def run(until: Time, stop: Callable[[], bool] | None = None) -> None:
            def look() -> bool:
                self.counts["events"] += 1
                awaited = fabric._hands._awaited is not None  # an application's operation is running
                if (
                    awaited
                    or self.counts["events"] % (self.every if self.counts["events"] < 6000 else 200) == 0
                ):
                    self.audit.check()
                    self.counts["audits"] += 1
                return stop is not None and stop()

            live(until, look)

        fabric.run = run  # type: ignore[method-assign]

    def live(
        self, requests: Sequence[LinkRequest], seed: int, asks: bool = False, until: Time = HORIZON
    ) -> None:
        """Ask for all of it, use what comes, withdraw some, and end."""
        fabric, dice = self.fabric, random.Random(seed)
        drive = Drive(fabric, dice, self.counts)
        for request in requests:
            offer = asks and dice.random() < 0.3
            fabric.submit(Ask(request) if offer else request, fabric.now + dice.randrange(until // 2))
        names = [request.name for request in requests]
        end = fabric.now + until
        while fabric.now < end:
            fabric.run(fabric.now + STEP)
            self.audit.check()
            shared(self.table.view, fabric.now)
            drive.use(names)
            if asks:
                self._change_mind(requests, dice)
            if dice.random() < 0.02:
                fabric.cancel(dice.choice(names))
        self.rest()

    def _change_mind(self, requests: Sequence[LinkRequest], dice: random.Random) -> None:
        for request in requests:
            replies = self.fabric.replies(request.name)
            if replies and isinstance(replies[-1], Offered) and dice.random() < 0.5:
                self.fabric.inquire(Accept(request.name))
            elif request.name in self.fabric.open_requests and dice.random() < 0.02 and replies:
                wish = replace(request, fidelity=request.fidelity - 0.01, pairs=request.pairs + 3)
                self.fabric.inquire(Renegotiate(request.name, wish))
                self.counts["renegotiated"] += 1

    def rest(self) -> None:
        """Nothing is left of any pair, and the stream tells all of it."""
        fabric = self.fabric
        fabric.finish()
        fabric.run(fabric.now)
        self.audit.check()
        rows = self.table.view.pairs.values()
        ended = {PairState.DELIVERED, PairState.CONSUMED, PairState.TESTED, PairState.LOST}
        assert {pair.state for pair in rows} <= ended
        assert not any(end.there for pair in rows for end in pair.ends)
        states = {pair.id: pair.state for pair in rows}
        assert all(states[each.pair] in (PairState.TESTED, PairState.LOST) for each in self.tests)
        assert not fabric.controller.ledger.leases()
        assert not self.table.halves
        assert not self.table.rows
        assert fold(self.stream).pairs == self.table.snapshot().pairs
        for change in self.stream[:: max(1, len(self.stream) // 300)]:
            assert change_of(plain(change)) == change
        for change in self.stream:
            if change.pair is not None:
                self.counts[change.pair.state.name] += 1


def faults(fabric: Fabric, dice: random.Random, until: Time = HORIZON) -> None:
    """Fibres are cut and mended, nodes stop and start."""
    links, nodes = list(fabric.inventory.links), list(fabric.inventory.nodes)
    for _ in range(2):
        name, at = dice.choice(links), dice.randrange(until)
        fabric.inject(LinkChanged("", name, False), at)
        fabric.inject(LinkChanged("", name, True), at + until // 8)
    name, at = dice.choice(nodes), dice.randrange(until)
    fabric.inject(NodeFailed(name), at)
    fabric.inject(NodeRecovered(name), at + until // 8)


def on_a_chain(seed: int, monkeypatch: pytest.MonkeyPatch, channel: Channel | None = None) -> Counter[str]:
    """Random chains: purification, nested swaps, cutoffs, memories that lose their halves."""
    drawn, dice = case(seed, hops=1 + seed % 3), random.Random(seed)
    monkeypatch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
    tests = Verification(share=0.2) if seed % 2 else None
    fabric = Fabric(drawn.inventory, seed=seed, verification=tests, channel=channel)
    watched = Watched(fabric, tested=tests is not None)
    ends = [(request.source, request.destination) for _, request in drawn.requests]
    if seed % 3 == 0:
        faults(fabric, dice)
    watched.live(wishes(dice, ends, 7, 0.501), seed)
    return watched.counts


def on_a_star(seed: int) -> Counter[str]:
    """Links around a shared station, planned by the planner; pairs of one centre are fused."""
    dice = random.Random(seed)
    ends = ("AB", "AC", "AD", "BC", "CD", "AE")
    device = {"t2": 0.5, "swap_time": 300 * US, "measure_time": 100 * US, "readout_error_0": 0.01}
    made = inventory(
        {name: node(slots=24 if name == "A" else 6, **device) for name in "ABCDE"},  # type: ignore[arg-type]
        [(a, b, link(0.05, 10 * US, 0.95)) for a, b in ends],
        delay=20 * US,
    )
    hub = SharedStation("hub", ("A~B", "B~C", "C~D"), 1 + seed % 2, 50 * US)
    made = replace(made, stations={"hub": hub})
    tests = Verification(share=0.2) if seed % 2 else None
    fabric = Fabric(made, seed=seed, verification=tests, states="exact" if seed % 5 == 0 else None)
    watched = Watched(fabric, tested=tests is not None)
    if seed % 3 == 0:
        faults(fabric, dice)
    wanted = wishes(dice, [(a, b) for a, b in ends], 8, 0.8)
    wanted += [LinkRequest("A", each, 0.6, pairs=6, hold=True, name=f"to {each}") for each in "BDE"]
    watched.live(wanted, seed, asks=True)
    watched.counts["truths"] += len(watched.truths)
    return watched.counts


THREE = {
    "west": Domain(("A", "B", "C"), public=("A",)),
    "mid": Domain(("D", "E", "F"), public=()),
    "east": Domain(("G", "H", "I"), public=("I",)),
}


def over_domains(seed: int) -> Counter[str]:
    """Requests within domains and over several of them; letters are lost, controllers start again."""
    dice = random.Random(seed)
    made = chain(9, link(0.05, 10 * US, 0.985), node(slots=12, t2=1.0), hop_delay=50 * US)
    fabric = Federation(made, THREE, seed=seed, loss=0.1, duplication=0.1, refresh=20 * MS)
    watched = Watched(fabric)
    fabric.run(30 * MS)
    if seed % 2:
        fabric.inject(Partition(("east",), fabric.now + HORIZON // 2), fabric.now + dice.randrange(HORIZON))
        fabric.restart_domain(dice.choice(list(THREE)), 5 * MS, fabric.now + dice.randrange(HORIZON))
    watched.live(wishes(dice, [("A", "I"), ("I", "A"), ("A", "C"), ("G", "I"), ("D", "F")], 6, 0.7), seed)
    return watched.counts


@pytest.mark.parametrize("seed", range(24))
def test_on_random_chains(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert on_a_chain(seed, monkeypatch)["audits"] > 0


@pytest.mark.parametrize("seed", range(6))
def test_on_a_plane_that_fails(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plane = Channel(loss=0.1, duplication=0.1, jitter=seed % 3 * 200 * US, patience=20 * MS, guard=MS)
    assert on_a_chain(100 + seed, monkeypatch, plane)["audits"] > 0


@pytest.mark.parametrize("seed", range(8))
def test_around_a_shared_station(seed: int) -> None:
    assert on_a_star(seed)["audits"] > 0


def few_on_a_star() -> Counter[str]:
    return sum((on_a_star(seed) for seed in (1, 2, 3)), Counter[str]())


def test_the_audit_has_seen_every_state_and_every_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Together a few runs come to each; otherwise the audit would prove nothing of it."""
    counts = few_on_a_star() + on_a_chain(5, monkeypatch) + on_a_chain(11, monkeypatch)
    assert {each.name for each in PairState} - {"GATHERED"} <= set(counts)
    assert all(
        counts[each] > 0
        for each in ("_teleport", "_turn", "_half", "fused", "truths", "renegotiated", "lanes")
    ), counts


@pytest.mark.parametrize("deaf", ["Fused", "Measured", "Teleport", "Turn", "Tested"])
def test_a_table_that_misses_something_would_be_seen(deaf: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = tuple(each for each in EntanglementTable.SEES if each.__name__ != deaf)
    monkeypatch.setattr(EntanglementTable, "SEES", heard)
    with pytest.raises((AssertionError, KeyError)):
        few_on_a_star()


@pytest.mark.parametrize("seed", range(4))
def test_over_domains(seed: int) -> None:
    assert over_domains(seed)["audits"] > 0
