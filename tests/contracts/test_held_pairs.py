"""Pairs that applications hold, in a live run of the native kernel: the same run as on the twin, whatever is done with them."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from compared_runs import close
from quantum_fabric.ensemble import LiveFabric
from quantum_fabric.errors import ProtocolError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Bell,
    Confirmed,
    Consume,
    Delivered,
    Heralded,
    LinkRequest,
    Measure,
    Measured,
    Message,
    NodeFailed,
    NodeRecovered,
    Outcome,
    Promise,
    Purified,
    Released,
    Substandard,
    Swapped,
    Teleport,
    Truth,
)
from quantum_fabric.native import look
from quantum_fabric.services import open_link
from quantum_fabric.units import SECOND, Time
from random_networks import ANY_STATE, PLAIN, Case, case

pytestmark = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")

STEP = SECOND // 500
TOLD = (Delivered, Substandard, Outcome, Truth, Heralded, Swapped, Purified, Confirmed, Released, Measured)
USES = ("consume", "measure", "measure", "each its own", "one end", "twice", "wait", "let expire")


def drawn_of(seed: int, states: str) -> Case:
    """A random network whose requests hold their pairs; some wait for a set of them."""
    draw = random.Random(seed)
    drawn = case(seed, kinds=PLAIN if states == "bell-diagonal" else ANY_STATE)
    requests = []
    for at, request in drawn.requests:
        promise = draw.choice((Promise.DELIVERY, Promise.DELIVERY, Promise.END))
        requests.append((at, replace(request, hold=True, promise=promise, pairs=draw.randint(1, 6))))
    return Case(replace(drawn.inventory, states=states), requests, drawn.planner)


class Application:
    """Uses the pairs that it was told of, now and then, as its own dice say."""

    def __init__(self, fabric: Fabric, names: list[str], seed: int, counts: Counter[str]) -> None:
        self._fabric, self._names, self._counts = fabric, names, counts
        self._draw = random.Random(seed)
        self._done: set[tuple[str, int]] = set()
        self.said: list[object] = []

    def act(self) -> None:
        """One look at what has been delivered."""
        for name in self._names:
            told = [each for each in self._fabric.replies(name) if isinstance(each, Delivered)]
            for pair in told:
                if (name, pair.number) in self._done:
                    continue
                use = self._draw.choice(USES)
                if use == "wait":
                    continue
                self._done.add((name, pair.number))
                self._use(pair, use)

    def _use(self, pair: Delivered, use: str) -> None:
        assert pair.slots is not None
        halves = list(zip(pair.ends, pair.slots, (pair.pair.left, pair.pair.right), strict=True))
        halves = {"let expire": [], "one end": halves[:1], "twice": [*halves, halves[0]]}.get(use, halves)
        one = self._draw.choice("XYZ")
        for node, slot, half in halves:
            basis = self._draw.choice("XYZ") if use == "each its own" else one
            consumed = use in ("consume", "twice")
            command = Consume(node, slot, pair.bell, half) if consumed else Measure(node, slot, basis, half)
            try:
                answer = self._fabric.perform(command)
            except ProtocolError as error:
                self.said.append(str(error))
                self._counts["refused"] += 1
            else:
                self.said.append(answer)
                self._counts[type(answer).__name__] += 1


def lived(
    fabric: Fabric, drawn: Case, seed: int, faults: list[tuple[Time, object]], counts: Counter[str]
) -> list[object]:
    """Everything that is seen of a run with applications in it, and what these are answered."""
    seen: list[object] = []
    fabric.watch(lambda time, place, message: seen.append((time, place, message)), *TOLD)
    names = [fabric.submit(request, at) for at, request in drawn.requests]
    application = Application(fabric, names, seed, counts)
    for at, event in faults:
        fabric.inject(event, at)  # type: ignore[arg-type]
    for step in range(1, 26):
        fabric.run(max(fabric.now, step * STEP))
        application.act()
    fabric.finish()
    assert not fabric.controller.ledger.leases()
    return [*seen, *application.said, *([each for name in names for each in fabric.replies(name)])]


def compare(seed: int, states: str, faults: bool = False) -> Counter[str]:
    drawn, counts = drawn_of(seed, states), Counter[str]()
    nodes = list(drawn.inventory.nodes)
    events = [
        (5 * STEP + seed, NodeFailed(nodes[seed % len(nodes)])),
        (9 * STEP, NodeRecovered(nodes[seed % len(nodes)])),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        one, two = (
            lived(kind(drawn.inventory, seed=seed), drawn, seed, events if faults else [], counts) for kind in (Fabric, LiveFabric)
        )  # fmt: skip
    for mine, other in zip(one, two, strict=False):
        assert close(mine, other), (mine, other)
    assert len(one) == len(two)
    counts.update(type(each[2]).__name__ for each in two if isinstance(each, tuple))
    return counts


@pytest.mark.parametrize("seed", range(600, 630))
def test_the_same_run_as_on_the_twin(seed: int) -> None:
    compare(seed, "bell-diagonal")


@pytest.mark.parametrize("seed", range(630, 650))
def test_the_same_run_in_any_state(seed: int) -> None:
    compare(seed, "exact")


@pytest.mark.parametrize("seed", range(650, 665))
def test_the_same_run_where_a_node_stops_with_what_it_holds(seed: int) -> None:
    compare(seed, "bell-diagonal", faults=True)


def test_the_runs_exercise_everything() -> None:
    total: Counter[str] = Counter()
    for seed in range(600, 620):
        total += compare(seed, "bell-diagonal")
    for name in ("Delivered", "Truth", "Measured", "NoneType", "Substandard", "refused"):
        assert total[name] > 5, (name, total)


# ------------------------------------------------------------------------------------------------- one pair


def one_pair(kind: type[Fabric], seed: int = 3) -> tuple[Fabric, Delivered]:
    drawn = case(seed, hops=1, perfect=True)
    fabric = kind(drawn.inventory, seed=seed)
    name = fabric.submit(LinkRequest("n0", "n1", 0.6, hold=True))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    (pair,) = (each for each in fabric.replies(name) if isinstance(each, Delivered))
    return fabric, pair


@pytest.mark.parametrize("kind", [Fabric, LiveFabric])
def test_what_makes_no_sense_is_refused_and_changes_nothing(kind: type[Fabric]) -> None:
    fabric, pair = one_pair(kind)
    assert pair.slots is not None
    (node, other), (slot, there) = pair.ends, pair.slots
    wrong = Bell(pair.bell ^ 1)
    with pytest.raises(ProtocolError, match="basis 'Q'"):
        fabric.perform(Measure(node, slot, "Q"))
    with pytest.raises(ProtocolError, match="has no memory slot 999"):
        fabric.perform(Measure(node, 999, "Z"))
    with pytest.raises(ProtocolError, match="is taken by another half"):
        fabric.perform(Measure(node, slot, "Z", "nobody#1"))
    free = next(number for number in range(40) if number != slot)
    with pytest.raises(ProtocolError, match="is empty"):
        fabric.perform(Consume(node, free, pair.bell))
    assert fabric.perform(Consume(node, slot, pair.bell, pair.pair.left)) is None
    with pytest.raises(ProtocolError, match=f"different Bell states: {pair.bell.name} and {wrong.name}"):
        fabric.perform(Consume(other, there, wrong))
    assert fabric.perform(Consume(other, there, pair.bell)) is None
    with pytest.raises(ProtocolError, match="cannot consume slot"):
        fabric.perform(Consume(other, there, pair.bell, pair.pair.right))


def test_what_needs_the_twin_is_refused() -> None:
    fabric, pair = one_pair(LiveFabric)
    assert pair.slots is not None
    with pytest.raises(ProtocolError, match="Teleport: in a live run applications consume and measure"):
        fabric.perform(Teleport(pair.ends[0], pair.slots[0], pair.bell, (1.0, 0.0)))


@pytest.mark.parametrize("kind", [Fabric, LiveFabric])
def test_a_link_hands_out_pairs_to_measure(kind: type[Fabric]) -> None:
    drawn = case(3, hops=1, perfect=True)
    link = open_link(kind(drawn.inventory, seed=1), LinkRequest("n0", "n1", 0.6, pairs=20, hold=True))
    bits = [pair.measure("Z") for pair in link]
    assert len(bits) == 20
    assert {one for one, _ in bits} == {0, 1}


@pytest.mark.parametrize("kind", [Fabric, LiveFabric])
def test_a_client_uses_its_pair_when_it_hears_of_it(kind: type[Fabric]) -> None:
    drawn = case(3, hops=1, perfect=True)
    fabric = kind(drawn.inventory, seed=1)
    used: list[int] = []

    def use(time: Time, place: str, message: Message) -> None:
        assert isinstance(message, Delivered)
        assert message.slots is not None
        for node, slot in zip(message.ends, message.slots, strict=True):
            fabric.perform(Consume(node, slot, message.bell))
        used.append(message.number)

    fabric.watch(use, Delivered)
    fabric.submit(LinkRequest("n0", "n1", 0.6, pairs=7, hold=True))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    assert used == [1, 2, 3, 4, 5, 6, 7]
