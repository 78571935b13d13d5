"""Random small networks under random requests, losses, cuts and failures: the contracts hold at every step.

Contracts of the architecture page that are checked after each step: 1 (nobody uses a pair before both ends can know of it, no
message is early), 2 (no slot is leased twice, every lease ends), 5 (a refusal is a value with a reason, its offer is accepted) and
6 (every accepted request has exactly one outcome).

Two machines: one with plans made by dice, which reach corners that a sensible planner avoids, and one with the real planner.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from audit import Auditor
from builders import inventory, link, names, node, nothing_left, plan
from quantum_fabric.control import controller
from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.errors import StateError
from quantum_fabric.fabric import MESSAGE, Fabric
from quantum_fabric.messages import (
    Accepted,
    Code,
    Commit,
    Confirmed,
    Declined,
    Delivered,
    Distillation,
    Drain,
    LinkChanged,
    LinkReport,
    LinkRequest,
    NodeFailed,
    NodeRecovered,
    Order,
    Outcome,
    Plan,
    Prepare,
    Prepared,
    Refused,
    Release,
    Released,
    Renew,
    Send,
)
from quantum_fabric.network.topology import Topology
from quantum_fabric.services.link import Pair
from quantum_fabric.units import MS, SECOND, US

CHAOTIC = Prepare | Prepared | Declined | Commit | Renew | Drain | Release | Released | Confirmed | LinkReport

STEPS: Counter[str] = Counter()
"""Steps that were made, by machine and by rule."""

DELIVERED: Counter[int] = Counter()
"""Pairs that were delivered, by the number of links of their path."""

REAL_PLANNER = controller.make_plan


def random_network(dice: random.Random, most: int) -> Inventory:
    """3 to ``most`` connected nodes; classical delays that may be zero, a metric, or anything."""
    row = names(dice.randint(3, most))
    edges = {(dice.choice(row[:place]), row[place]) for place in range(1, len(row))}
    for _ in range(dice.randint(0, 3)):
        a, b = sorted(dice.sample(row, 2))
        edges.add((a, b))
    kind = dice.choice(["none", "equal", "wild", "wild"])
    top = dice.choice([5 * US, 60 * US, 400 * US])
    table = {
        frozenset((a, b)): {"none": 0, "equal": top, "wild": dice.randint(0, top)}[kind]
        for a in row
        for b in row
    }
    nodes = {
        name: node(
            slots=dice.randint(2, 8),
            t1=5.0,
            t2=dice.choice([0.5, 2.0]),
            swap_time=dice.choice([0, 0, 2 * US, 30 * US]),
            swap_success=dice.choice([1.0, 1.0, 0.7]),
        )
        for name in row
    }
    links = []
    for a, b in sorted(edges):
        near, far = sorted((dice.randint(1, 40), dice.randint(1, 40)))
        heard = dice.choice([(far * US, far * US), (near * US, far * US), (far * US, near * US)])
        model = link(dice.choice([0.3, 0.7, 1.0]), 40 * US, 0.99, heard=heard, born=(dice.choice([0, US]), 0))
        links.append((a, b, model) if dice.random() < 0.5 else (b, a, model))
    return inventory(
        nodes, links, lambda a, b: table[frozenset((a, b))], dice.choice(row), light=dice.choice([0, 7 * US])
    )


def dice_plan(network: Inventory, salt: int) -> Any:
    """A planner that takes any path, any order, any purification and any cutoff, within the free slots."""

    def make(
        topology: Topology, asked: LinkRequest, free: Mapping[str, int] | None = None, **_: Any
    ) -> Plan | Refused:
        dice = random.Random(f"{salt} {asked.source} {asked.destination} {asked.pairs} {len(topology.links)}")
        path = any_path(topology, asked.source, asked.destination, dice)
        if path is None:
            return Refused(asked.name, Code.NOROUTE, "links", "no path between the ends")
        order = dice.choice([Order.ASAP, Order.NESTED])
        hops = len(path) - 1
        rounds, end_rounds = dice.choice([0, 0, 0, 1]), dice.choice([0, 0, 0, 1])
        inner = dice.choice([0, 0, 1]) if order is Order.NESTED and hops > 2 else 0
        if hops == 1:
            end_rounds = 0
        levels = rounds + end_rounds + (inner * max(0, (hops - 1).bit_length() - 1))

        def room(book: Mapping[str, int] | None) -> int:
            return min(
                (topology.nodes[name].slots if book is None else book[name])
                // (1 if name in (path[0], path[-1]) else 2)
                for name in path
            )

        if room(free) < 1 or room(None) < 1:
            return Refused(asked.name, Code.NORES, "memory", "not enough slots")
        lanes = min(1 + levels + dice.choice([0, 1]), room(free))
        if lanes <= levels:
            rounds = inner = end_rounds = 0
        # news of a segment must reach its ends before the cutoff, or nothing is ever delivered
        alone = order is Order.ASAP and not rounds
        cutoff = dice.choice([None, None, 6 * MS, 150 * US if alone else 9 * MS])
        kind = dice.choice(list(Distillation))
        return plan(network, path, order, lanes, rounds, inner, end_rounds, cutoff, kind)

    return make


def any_path(topology: Topology, source: str, destination: str, dice: random.Random) -> list[str] | None:
    """Some simple path, not always a short one."""
    stack = [[source]]
    while stack:
        path = stack.pop()
        if path[-1] == destination:
            return path
        onward = [name for name in topology.neighbours(path[-1]) if name not in path]
        dice.shuffle(onward)
        stack += [[*path, name] for name in onward]
    return None


class NetworkMachine(RuleBasedStateMachine):
    """Plans made by dice."""

    most_nodes = 6
    planner: str = "dice"

    @initialize(seed=st.integers(0, 2**32))
    def build(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.network = random_network(self.dice, self.most_nodes)
        controller.make_plan = dice_plan(self.network, seed) if self.planner == "dice" else REAL_PLANNER
        self.fabric = Fabric(self.network, seed=seed)
        self.fabric.controller.installations.least = self.dice.choice(
            [4 * MS, 2 * SECOND]
        )  # short ones are renewed all the time
        self.auditor = Auditor(self.fabric)
        self.cut: set[str] = set()
        self.failed: set[str] = set()
        self.taken: set[tuple[str, int]] = set()
        self.disturb()

    def disturb(self) -> None:
        """Nothing here."""

    def tick(self, what: str) -> None:
        STEPS[type(self).__name__] += 1
        STEPS[what] += 1

    # --------------------------------------------------------------------------------------------- rules

    @rule(
        ends=st.tuples(st.integers(0, 5), st.integers(0, 4)),
        pairs=st.integers(1, 5),
        hold=st.booleans(),
        hurry=st.booleans(),
    )
    def submit(self, ends: tuple[int, int], pairs: int, hold: bool, hurry: bool) -> None:
        self.tick("submit")
        row = list(self.network.nodes)
        source = row[ends[0] % len(row)]
        destination = [name for name in row if name != source][ends[1] % (len(row) - 1)]
        deadline = self.fabric.now + 3 * MS if hurry else None
        self.ask(LinkRequest(source, destination, self.floor(), pairs, 0.0, deadline, hold))

    def floor(self) -> float:
        return 0.5000001

    def ask(self, asked: LinkRequest) -> str:
        name = self.fabric.submit(asked)
        self.auditor.requests[name] = asked
        return name

    @rule(dt=st.sampled_from([0, 1, 7 * US, 60 * US, 300 * US]))
    def advance(self, dt: int) -> None:
        self.tick("advance")
        self.fabric.run(self.fabric.now + dt)

    @rule()
    def wait(self) -> None:
        self.tick("wait")
        self.fabric.run(self.fabric.now + 4 * MS)

    @rule(events=st.integers(1, 40))
    def step(self, events: int) -> None:
        """Stop between two events, so that what follows hits the middle of something."""
        self.tick("step")
        left = iter(range(events - 1))
        self.fabric.run(self.fabric.now + 5 * MS, stop=lambda: next(left, None) is None)

    @precondition(lambda self: len(self.cut) < 2)
    @rule(which=st.integers(0, 20))
    def cut_link(self, which: int) -> None:
        self.tick("cut")
        name = list(self.network.links)[which % len(self.network.links)]
        self.cut.add(name)
        self.fabric.inject(LinkChanged("plant", name, False))

    @precondition(lambda self: self.cut)
    @rule(which=st.integers(0, 20))
    def restore_link(self, which: int) -> None:
        self.tick("restore")
        name = sorted(self.cut)[which % len(self.cut)]
        self.cut.discard(name)
        self.fabric.inject(LinkChanged("plant", name, True))

    @precondition(lambda self: len(self.failed) < 2)
    @rule(which=st.integers(0, 5))
    def fail_node(self, which: int) -> None:
        self.tick("fail")
        name = list(self.network.nodes)[which % len(self.network.nodes)]
        self.failed.add(name)
        self.fabric.inject(NodeFailed(name))

    @precondition(lambda self: self.failed)
    @rule(which=st.integers(0, 5))
    def recover_node(self, which: int) -> None:
        self.tick("recover")
        name = sorted(self.failed)[which % len(self.failed)]
        self.failed.discard(name)
        self.fabric.inject(NodeRecovered(name))

    @rule(which=st.integers(0, 20), dark=st.sampled_from([0, 1, 2 * US, 20 * US]), fibre=st.booleans())
    def blink(self, which: int, dark: int, fibre: bool) -> None:
        """A fault that is over before its light could tell of it."""
        self.tick("blink")
        if fibre:
            name = list(self.network.links)[which % len(self.network.links)]
            if name in self.cut:
                return
            faults = (LinkChanged("plant", name, False), LinkChanged("plant", name, True))
        else:
            name = list(self.network.nodes)[which % len(self.network.nodes)]
            if name in self.failed:
                return
            faults = (NodeFailed(name), NodeRecovered(name))
        self.fabric.inject(faults[0])
        self.fabric.inject(faults[1], at=self.fabric.now + dark)
        self.fabric.run(self.fabric.now + dark)

    @precondition(lambda self: self.auditor.requests)
    @rule(which=st.integers(0, 50))
    def cancel(self, which: int) -> None:
        self.tick("cancel")
        names_ = sorted(self.auditor.requests)
        self.fabric.cancel(names_[which % len(names_)])

    @precondition(lambda self: self.held())
    @rule(which=st.integers(0, 50), how=st.sampled_from(["X", "Z", "teleport"]))
    def use(self, which: int, how: str) -> None:
        """An application uses a pair that it was given: it works, or the pair is gone and that is said."""
        self.tick("use")
        held = self.held()
        told = held[which % len(held)]
        self.taken.add((told.request, told.number))
        pair = Pair(told, self.fabric)
        try:
            if how == "teleport":
                pair.teleport("+")
            else:
                pair.measure(how)
        except StateError:
            pass

    def held(self) -> list[Delivered]:
        return [
            reply
            for name in sorted(self.auditor.requests)
            for reply in self.fabric.replies(name)
            if isinstance(reply, Delivered) and reply.slots and (name, reply.number) not in self.taken
        ]

    @invariant()
    def contracts(self) -> None:
        if hasattr(self, "auditor"):
            self.auditor.check()

    # ---------------------------------------------------------------------------------------------- end

    def teardown(self) -> None:
        if not hasattr(self, "fabric"):
            return
        fabric = self.fabric
        if self.dice.random() < 0.5:
            self.heal_and_wait()
        fabric.finish()
        fabric.run(fabric.now)  # a lease that ran out may do so a little later at the node than in the ledger
        self.auditor.check()
        assert nothing_left(fabric)
        for name in self.auditor.requests:
            outcomes = [reply for reply in fabric.replies(name) if isinstance(reply, Outcome)]
            assert len(outcomes) == 1, f"{name} has {len(outcomes)} outcomes"
            first = fabric.replies(name)[0]
            if isinstance(first, Accepted):
                DELIVERED[len(first.plan.links)] += outcomes[0].delivered

    def heal_and_wait(self) -> None:
        """Nobody waits forever once everything works: each request ends on its own."""
        for name in sorted(self.failed):
            self.fabric.inject(NodeRecovered(name))
        for name in sorted(self.cut):
            self.fabric.inject(LinkChanged("plant", name, True))
        for name in sorted(self.auditor.requests):  # pairs that are kept would fill the memories
            if self.auditor.requests[name].hold:
                self.fabric.cancel(name)
        self.fabric.run(self.fabric.now + 20 * SECOND, stop=lambda: not self.fabric.open_requests)
        assert not self.fabric.open_requests, "a request hangs"


class ChaosMachine(NetworkMachine):
    """The controller's letters are lost, doubled or late. Contract 2 holds: no slot is leased twice, every lease ends.

    What was promised to a request may fail (nobody sends a letter again); that it has one outcome, and its leases, may not.
    """

    def disturb(self) -> None:
        self.auditor.punctual = False
        honest = self.fabric._carry

        def carry(seat: str, send: Send) -> None:
            luck = self.dice.random() if isinstance(send.message, CHAOTIC) else 1.0
            if luck < 0.05:
                return
            honest(seat, send)
            if luck < 0.1:
                honest(seat, send)
            elif luck < 0.15:
                late = self.fabric.now + self.fabric.delay(seat, send.to) + self.dice.randrange(MS)
                self.fabric.clock.schedule(late, MESSAGE, self.fabric._arrive, (send.to, send.message))

        self.fabric._carry = carry  # type: ignore[method-assign]

    def heal_and_wait(self) -> None:
        pass


class PlannerMachine(NetworkMachine):
    """The real planner, with requests that it sometimes has to refuse."""

    most_nodes = 4
    planner = "real"

    def floor(self) -> float:
        return self.dice.choice([0.55, 0.8, 0.9, 0.95, 0.98])

    def ask(self, asked: LinkRequest) -> str:
        name = super().ask(asked)
        self.fabric.run(self.fabric.now)
        first = self.fabric.replies(name)[0]
        if isinstance(first, Refused) and first.offer is not None:
            self.take_offer(first.offer)
        return name

    def take_offer(self, offer: LinkRequest) -> None:
        """Nothing has changed since it was made, so it is accepted."""
        self.tick("offer")
        second = super().ask(replace(offer, name=""))
        self.fabric.run(self.fabric.now)
        answer = self.fabric.replies(second)[0]
        assert isinstance(answer, Accepted), f"{offer} was offered and then refused: {answer}"


def run(machine: type[NetworkMachine], examples: int, steps: int) -> None:
    checks = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(machine, settings=checks)
    finally:
        controller.make_plan = REAL_PLANNER


def test_contracts_in_a_short_run() -> None:
    run(NetworkMachine, examples=20, steps=30)


def test_leases_end_whatever_becomes_of_the_letters() -> None:
    run(ChaosMachine, examples=20, steps=30)


def test_contracts_with_the_real_planner() -> None:
    run(PlannerMachine, examples=10, steps=20)


@pytest.mark.slow
def test_contracts_with_the_real_planner_for_longer() -> None:
    class LongPlannerMachine(PlannerMachine):
        pass

    run(LongPlannerMachine, examples=60, steps=40)
    assert STEPS["LongPlannerMachine"] >= 1000


@pytest.mark.slow
def test_contracts_in_ten_thousand_steps() -> None:
    class LongMachine(NetworkMachine):
        pass

    run(LongMachine, examples=800, steps=60)
    assert STEPS["LongMachine"] >= 10_000
    for kind in ("submit", "cut", "restore", "fail", "recover", "blink", "cancel", "use"):
        assert STEPS[kind] >= 100, f"too few steps of kind {kind}"
    assert min(DELIVERED[hops] for hops in (1, 2, 3)) >= 50, DELIVERED
