"""What the ends are told of a pair against what the pair is, over random chains.

Belief comes from the same inventory as the truth here, so every difference is a mistake of bookkeeping: a lost or doubled
Pauli frame, a wrong age, a factor that was applied twice.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from builders import Tape, chain, inventory, link, names, node, nothing_left, plan, request
from quantum_fabric.control.circuit import Circuit
from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.errors import ProtocolError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Bell,
    Confirmed,
    Delivered,
    Distillation,
    Joined,
    Order,
    Outcome,
    PairId,
    Plan,
    Send,
    Status,
    Truth,
)
from quantum_fabric.units import MS, SECOND, US

SEEDS = range(250)
T1, T2 = 0.4, 0.3


def random_chain(seed: int) -> tuple[Inventory, Plan]:
    """A chain of 2 to 9 nodes with random everything; the delays need not obey the triangle inequality."""
    dice = random.Random(seed)
    count = dice.choice([2, 3, 3, 4, 5, 5, 6, 9])
    row = names(count)
    order = dice.choice([Order.ASAP, Order.NESTED])
    rounds, end_rounds = dice.choice([0, 0, 1]), dice.choice([0, 0, 1])
    inner = dice.choice([0, 1]) if order is Order.NESTED else 0
    # one slot for a pair that waits at each level of purification, and one to make the next with
    levels = rounds + end_rounds + inner * max(0, math.ceil(math.log2(count - 1)) - 1)
    lanes = 1 + levels + dice.choice([0, 0, 1])
    wild = dice.choice([False, True])
    base = dice.choice([0, 10 * US, 150 * US])
    table = {
        frozenset(pair): dice.randrange(0, 2 * base + 1) if wild else base * abs(i - j)
        for i, a in enumerate(row)
        for j, b in enumerate(row)
        if len(pair := (a, b)) == 2 and a < b
    }
    nodes = {
        name: node(
            slots=2 * lanes,
            t1=T1,
            t2=T2,
            swap_time=dice.choice([0, 3 * US, 40 * US]),
            swap_success=dice.choice([1.0, 1.0, 0.8]),
            depolarising_1=dice.choice([0.0, 0.001]),
            depolarising_2=dice.choice([0.0, 0.005]),
            readout_error_0=dice.choice([0.0, 0.01]),
            readout_error_1=dice.choice([0.0, 0.002]),
        )
        for name in row
    }
    links = []
    for a, b in itertools.pairwise(row):
        early, late = sorted(dice.sample(range(1, 120), 2))
        heard = dice.choice([(late * US, late * US), (early * US, late * US), (late * US, early * US)])
        born = dice.choice([(0, 0), (US // 2, 0), (0, US)])
        model = link(
            dice.choice([0.2, 0.5, 1.0]),
            dice.choice([100 * US, 120 * US]),
            0.995,
            born=born,
            heard=heard,
            bell=dice.randrange(4),
        )
        links.append((a, b, model) if dice.random() < 0.5 else (b, a, model))
    network = inventory(
        nodes, links, lambda a, b: table[frozenset((a, b))], controller=dice.choice(row), light=2 * US
    )
    cutoff = dice.choice([None, 5 * MS, 50 * MS])
    kind = dice.choice(list(Distillation))
    return network, plan(network, row, order, lanes, rounds, inner, end_rounds, cutoff, kind)


def serve(network: Inventory, seed: int, pairs: int = 12, hold: bool = False) -> tuple[Fabric, Tape, str]:
    fabric = Fabric(network, seed=seed)
    tape = Tape(fabric)
    ends = fabric.inventory.nodes
    name = fabric.submit(request(min(ends), max(ends), pairs, hold=hold, fidelity=0.5000001))
    fabric.run(200 * SECOND, stop=lambda: not fabric.open_requests)
    return fabric, tape, name


def matched(fabric: Fabric, tape: Tape, name: str) -> list[tuple[Delivered, Truth]]:
    truths = {frozenset(half for _, half in truth.ends): truth for _, _, truth in tape.of(Truth)}
    replies = [reply for reply in fabric.replies(name) if isinstance(reply, Delivered)]
    return [(told, truths[frozenset((told.pair.left, told.pair.right))]) for told in replies]


def waits(tape: Tape) -> dict[PairId, float]:
    """How long, in seconds, the end that was first to take each pair took it before the other."""
    times: dict[PairId, list[int]] = {}
    for _, _, news in tape.of(Confirmed):
        times.setdefault(news.pair, []).append(news.at)
    return {pair: (max(both) - min(both)) / SECOND for pair, both in times.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_told_state_is_the_true_state(seed: int, planned: Callable[[Any], None]) -> None:
    """The same Bell state (the twin raises if its two ends disagree), the same fidelity but for the wait of the first end."""
    network, chosen = random_chain(seed)
    planned(chosen)
    fabric, tape, name = serve(network, seed)
    outcome = fabric.replies(name)[-1]
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.COMPLETED, outcome
    wait = waits(tape)
    for told, truth in matched(fabric, tape, name):
        assert told.bell is truth.bell
        assert max(truth.weights) == truth.weights[0] > 0.5
        assert truth.at == told.delivered_at
        # the estimate takes both halves to age until the later one is taken; the earlier one has aged less
        gap = truth.weights[0] - told.fidelity
        assert -1e-12 <= gap <= 0.75 * wait[told.pair] / T2 + 1e-12
    fabric.finish()
    assert nothing_left(fabric)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_belief_is_exact_when_both_ends_take_a_pair_at_once(
    count: int, planned: Callable[[Any], None]
) -> None:
    """Equal arms, and a swap in the middle last: both ends hear of everything at the same picosecond."""
    each = node(
        2, t1=T1, t2=T2, swap_time=7 * US, depolarising_1=0.001, depolarising_2=0.01, readout_error_0=0.02, readout_error_1=0.005
    )  # fmt: skip
    network = chain(count, link(1.0, 50 * US, 0.98, bell=3), each, hop_delay=30 * US)
    row = names(count)
    planned(plan(network, row, Order.NESTED))
    fabric, tape, name = serve(network, 3, pairs=20)
    pairs = matched(fabric, tape, name)
    assert len(pairs) == 20
    assert set(waits(tape).values()) == {0.0}
    for told, truth in pairs:
        assert told.fidelity == pytest.approx(truth.weights[0], abs=1e-12)


def test_wrong_belief_shows_in_the_truth_alone(planned: Callable[[Any], None]) -> None:
    """The control plane that takes its memories for ten times better promises more than it delivers, and cannot know."""
    model, row = link(0.3, 100 * US, 0.99), names(3)
    true = chain(3, model, node(2, t1=0.02, t2=0.02))
    believed = chain(3, model, node(2, t1=0.2, t2=0.2))
    planned(plan(true, row))
    fabric = Fabric(true, believed=believed, seed=5)
    tape = Tape(fabric)
    name = fabric.submit(request("A", "C", 200))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    pairs = matched(fabric, tape, name)
    assert len(pairs) == 200
    assert all(told.fidelity > truth.weights[0] for told, truth in pairs)
    assert sum(told.low > truth.weights[0] for told, truth in pairs) > 100, (
        "the interval cannot save a wrong model"
    )


# ------------------------------------------------------------------------------------------------ mutations


def tampered(monkeypatch: pytest.MonkeyPatch, change: Callable[[Joined], Joined]) -> None:
    """Let every repeater change the letter to its right-hand side."""
    honest = Circuit.swapped

    def swapped(self: Circuit, event: Any, now: int) -> Any:
        actions = honest(self, event, now)
        letters = [
            place
            for place, action in enumerate(actions)
            if isinstance(action, Send) and isinstance(action.message, Joined)
        ]
        if letters:
            last = letters[-1]
            actions[last] = replace(actions[last], message=change(actions[last].message))
        return actions

    monkeypatch.setattr(Circuit, "swapped", swapped)


def test_a_wrong_frame_does_not_go_unseen(
    planned: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = chain(3, link())
    planned(plan(network, names(3)))
    tampered(monkeypatch, lambda news: replace(news, frame=Bell(news.frame ^ 1)))
    with pytest.raises(ProtocolError, match="told different Bell states"):
        serve(network, 1)


def test_a_wrong_quality_does_not_go_unseen(
    planned: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = chain(3, link(fidelity=0.97))
    planned(plan(network, names(3)))
    tampered(monkeypatch, lambda news: replace(news, quality=(0.9, 0.9, 0.9)))
    fabric, tape, name = serve(network, 1)
    assert any(abs(told.fidelity - truth.weights[0]) > 0.01 for told, truth in matched(fabric, tape, name))


# ------------------------------------------------------------------------------------------------ determinism


def trace(network: Inventory, seed: int) -> list[Any]:
    fabric, tape, _ = serve(network, seed)
    fabric.finish()
    return tape.entries


@pytest.mark.parametrize("seed", range(0, 40, 4))
def test_same_seed_same_messages(seed: int, planned: Callable[[Any], None]) -> None:
    network, chosen = random_chain(seed)
    planned(chosen)
    assert trace(network, seed) == trace(network, seed)


def test_another_seed_another_run(planned: Callable[[Any], None]) -> None:
    network, chosen = random_chain(1)
    planned(chosen)
    assert trace(network, 1) != trace(network, 2)


def test_what_else_exists_changes_no_draw(planned: Callable[[Any], None]) -> None:
    """Streams are named: nodes and links beside the path leave every message of a run as it was."""
    alone = chain(4, link(0.3, 50 * US, 0.98), node(2, swap_success=0.8), hop_delay=20 * US)
    planned(plan(alone, names(4)))
    nodes = {"Z": node(6), **alone.nodes, "Y": node(2)}
    others = [("Z", "A", link(0.5)), ("C", "Y", link(0.1))]
    links = [(entry.a, entry.b, entry.model) for entry in alone.links.values()]
    among = inventory(
        nodes, [others[0], *links, others[1]], lambda a, b: alone.delays.get((a, b), 500 * US), controller="A"
    )

    def run(network: Inventory) -> list[Any]:
        fabric = Fabric(network, seed=9)
        tape = Tape(fabric)
        fabric.submit(request("A", "D", 30))
        fabric.run(SECOND, stop=lambda: not fabric.open_requests)
        return tape.entries

    assert run(alone) == run(among)
