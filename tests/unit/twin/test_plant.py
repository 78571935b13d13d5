"""Commands to the plant: refusals that change nothing, swaps, purification."""

from __future__ import annotations

from itertools import product as every
from typing import Any

import pytest
from tests.unit.twin.bench import Bench, fixed, near

from quantum_fabric.errors import ProtocolError
from quantum_fabric.messages import (
    Arm,
    Bell,
    Consume,
    Correct,
    Discard,
    Distillation,
    Measure,
    Purified,
    Purify,
    Swap,
    Swapped,
    Teleport,
)
from quantum_fabric.physics.correlators import aged, decay_rates, product, purified, swap_table
from quantum_fabric.physics.frames import purify_frame, swap_frame
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.ports import Plant
from quantum_fabric.units import MS, SECOND, Time

MEMORY = MemoryNoise(t1=1.0, t2=0.05)
RATES = decay_rates(MEMORY)
NOISY = OperationNoise(depolarising_1=0.01, depolarising_2=0.05, readout_error_0=0.1, readout_error_1=0.02)
ONE, TWO = (0.9, 0.8, 0.85), (0.7, 0.75, 0.95)
PLUS = (1.0, 0.0)

# ------------------------------------------------------------------------------------------- refusals


def furnished() -> Bench:
    """Node A: 0 shares a pair with B, 1 with C; 2 is armed; 3 is empty; 4 is busy; 5 and 6 hold both halves of one pair."""
    bench = Bench("ABC", [("A", "B", fixed(0.5))], slots=7, measure_time=10, memory=MEMORY)
    bench.pair("A", 0, "B", 0)
    bench.pair("A", 1, "C", 0)
    bench.pair("A", 4, "B", 4)
    bench.pair("A", 5, "A", 6)
    bench.arm("A", 2)
    bench.do(Measure("A", 4, "Z"))
    return bench.run(5)


DEJMPS = Distillation.DEJMPS
REFUSED: list[tuple[Any, str]] = [
    *((Arm("A", slot, "A~B", 1, 1, None), f"cannot arm slot {slot} of A: it is in use") for slot in (0, 2, 4)),
    (Arm("A", 7, "A~B", 1, 1, None), "A has no memory slot 7; it has 7"),
    (Arm("A", -1, "A~B", 1, 1, None), "A has no memory slot -1; it has 7"),
    (Arm("A", 3, "A~B", 0, 1, None), "lane 0 of link A~B is armed at A already"),
    (Arm("C", 1, "A~B", 0, 1, None), "C is not an end of link A~B"),
    (Discard("A", 7), "A has no memory slot 7; it has 7"),
    (Swap("A", 0, 0), "cannot swap slots 0 and 0 of A: they are one pair"),
    (Swap("A", 5, 6), "cannot swap slots 5 and 6 of A: they are one pair"),
    (Purify("A", 6, 5, DEJMPS), "cannot purify slots 6 and 5 of A: one pair"),
    (Measure("A", 0, "Q"), "cannot measure in basis 'Q'; expected X, Y, Z, W, V"),
    (Correct("A", 0, (0, 0)), "nothing was teleported to slot 0 of A"),
]  # fmt: skip
ON_ONE = {
    "consume": lambda slot, name="": Consume("A", slot, Bell.PHI_PLUS, name),
    "measure": lambda slot, name="": Measure("A", slot, "X", name),
    "teleport through": lambda slot, name="": Teleport("A", slot, Bell.PHI_PLUS, PLUS, name),
    "correct": lambda slot, name="": Correct("A", slot, (0, 0), name),
}
ON_TWO = {
    "swap": lambda one, two: Swap("A", one, two),
    "purify": lambda one, two: Purify("A", one, two, DEJMPS),
}
BAD_SLOTS = [(2, "empty"), (3, "empty"), (4, "busy")]
for _verb, _make in ON_ONE.items():
    REFUSED += [(_make(slot), f"cannot {_verb} slot {slot} of A: it is {state}") for slot, state in BAD_SLOTS]
    REFUSED += [(_make(9), "A has no memory slot 9; it has 7")]
    REFUSED += [(_make(0, "made#9"), f"cannot {_verb} slot 0 of A: it is taken by another half")]
for _verb, _both in ON_TWO.items():
    for _slot, _state in BAD_SLOTS:
        text = f"cannot {_verb} slot {_slot} of A: it is {_state}"
        REFUSED += [(_both(_slot, 0), text), (_both(0, _slot), text)]
    REFUSED += [(_both(0, 7), "A has no memory slot 7; it has 7")]


@pytest.mark.parametrize(("command", "text"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_refused_command_says_why_and_changes_nothing(command: Any, text: str) -> None:
    bench = furnished()
    before = bench.snapshot()
    with pytest.raises(ProtocolError) as caught:
        bench.do(command)
    assert str(caught.value) == text
    assert bench.snapshot() == before


def test_the_snapshot_would_notice() -> None:
    for command in (Consume("A", 0, Bell.PHI_PLUS), Measure("A", 0, "X"), Swap("A", 0, 1), Discard("A", 2)):
        bench = furnished()
        before = bench.snapshot()
        bench.do(command)
        assert bench.snapshot() != before


def test_a_half_may_be_meant_by_name() -> None:
    bench = furnished()
    bench.do(Consume("A", 0, Bell.PHI_PLUS, "made#1"))
    assert bench.nodes["A"].slots[0].half is None


def test_discarding_nothing_is_harmless_and_discarding_a_half_spoils_its_pair() -> None:
    bench = furnished()
    before = bench.snapshot()
    bench.do(Discard("A", 3))
    assert bench.snapshot() == before
    bench.do(Discard("A", 0))
    assert bench.nodes["A"].slots[0].half is None
    assert bench.half("B", 0).pair.correlators == (0.0, 0.0, 0.0)


def test_the_twin_is_a_plant() -> None:
    assert isinstance(furnished().twin, Plant)


# ---------------------------------------------------------------------------------------------- swaps


def swapped(bench: Bench, a: int = 0, b: int = 0) -> Any:
    bench.pair("A", 0, "B", 0, a, ONE)
    bench.pair("B", 1, "C", 0, b, TWO)
    bench.do(Swap("B", 0, 1))
    bench.run(bench.clock.now + bench.nodes["B"].swap_time)
    return bench.tape[-1][1].outcome


def clear(bench: Bench) -> None:
    for name, node in bench.nodes.items():
        bench.do(*(Discard(name, slot.number) for slot in node.slots))


@pytest.mark.parametrize(("a", "b"), list(every(range(4), repeat=2)))
def test_a_swap_joins_the_far_ends_and_composes_frames(a: int, b: int) -> None:
    bench = Bench("ABC", noise=NOISY)
    seen = set()
    for _ in range(80):
        outcome = swapped(bench, a, b)
        left, right = bench.half("A", 0), bench.half("C", 0)
        assert left.pair is right.pair
        assert left.pair.ends == (left, right)
        assert left.pair.frame == swap_frame(a, b, outcome)
        expected = product(product(ONE, TWO), swap_table(NOISY)[outcome][1])
        assert left.pair.correlators == pytest.approx(expected, rel=1e-14)
        assert bench.empty("B")
        seen.add(outcome)
        clear(bench)
    assert seen == set(Bell)  # one is missed with a chance of 4 (1 - 0.21)^80 = 2e-8


def test_swap_outcomes_come_as_often_as_the_table_says() -> None:
    bench, n = Bench("ABC", noise={"B": NOISY}), 3_000
    outcomes = []
    for _ in range(n):
        outcomes.append(swapped(bench))
        clear(bench)
    for label, (chance, _) in enumerate(swap_table(NOISY)):
        assert near(outcomes.count(label), n, chance)
    assert bench.streams.stream("B/operations").draws == n  # one each; nobody else's stream is touched
    assert bench.streams.stream("A/operations").draws == 0


def test_a_swap_takes_its_time_and_its_halves_age_until_it_is_done() -> None:
    bench = Bench("ABC", memory=MEMORY, swap_time=3 * MS)
    swapped(bench)
    assert bench.times(Swapped) == [(3 * MS, "B")]
    pair = bench.half("A", 0).pair
    lazy = aged(
        aged(product(ONE, TWO), RATES, 0.003), RATES, 0.003
    )  # both halves at B; the ends have not been looked at
    assert pair.correlators == pytest.approx(lazy, rel=1e-12)
    assert [half.since for half in pair.ends] == [0, 0]


def test_slots_are_busy_while_a_swap_lasts() -> None:
    bench = Bench("ABC", swap_time=10)
    bench.pair("A", 0, "B", 0)
    bench.pair("B", 1, "C", 0)
    bench.do(Swap("B", 0, 1))
    bench.run(9)
    assert [slot.busy for slot in bench.nodes["B"].slots] == [True, True, False, False]
    with pytest.raises(ProtocolError, match="it is busy"):
        bench.do(Consume("B", 0, Bell.PHI_PLUS))
    bench.run(10)
    assert bench.empty("B")


def test_a_bell_measurement_may_fail() -> None:
    bench, n = Bench("ABC", noise=OperationNoise(swap_success=0.7)), 2_000
    failures = 0
    for _ in range(n):
        if swapped(bench) is None:
            failures += 1
            assert bench.empty("B")
            left, right = bench.half("A", 0).pair, bench.half("C", 0).pair
            assert left is not right
            assert left.correlators == right.correlators == (0.0, 0.0, 0.0)
        clear(bench)
    assert near(failures, n, 0.3)


@pytest.mark.parametrize("order", ["BC", "CB"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_swaps_does_not_matter_to_what_remains(order: str, seed: int) -> None:
    bench = Bench("ABCD", noise=NOISY, seed=seed)
    bench.pair("A", 0, "B", 0, 1, ONE)
    bench.pair("B", 1, "C", 0, 2, TWO)
    bench.pair("C", 1, "D", 0, 3, ONE)
    for node in order:
        bench.do(Swap(node, 1, 0))  # left and right are only names
    bench.run(0)
    one, two = (event.outcome for event in bench.of(Swapped))
    pair = bench.half("A", 0).pair
    assert pair is bench.half("D", 0).pair
    assert pair.frame == 1 ^ 2 ^ 3 ^ one ^ two
    table = swap_table(NOISY)
    expected = product(product(product(ONE, TWO), ONE), product(table[one][1], table[two][1]))
    assert pair.correlators == pytest.approx(expected, rel=1e-13)


# --------------------------------------------------------------------------------------- purification


def purify(bench: Bench, order: str, kind: Distillation, frames: tuple[int, int], apart: Time = 0) -> int:
    """One round on slots 0 (kept) and 1; returns the parity of the two announced bits."""
    bench.pair("A", 0, "B", 0, frames[0], ONE)
    bench.pair("A", 1, "B", 1, frames[1], TWO)
    for place, node in enumerate(order):
        bench.run(bench.clock.now + place * apart)
        bench.do(Purify(node, 0, 1, kind))
        bench.run(bench.clock.now + bench.nodes[node].swap_time)
    first, second = (event for _, event in bench.tape[-2:])
    assert (first.node, second.node) == tuple(order)
    assert isinstance(first, Purified)
    return int(first.bit ^ second.bit)


@pytest.mark.parametrize("order", ["AB", "BA"])
@pytest.mark.parametrize("kind", Distillation)
def test_perfect_operations_announce_success_by_the_frames(kind: Distillation, order: str) -> None:
    bench = Bench("AB")
    for frames in every(range(4), repeat=2):
        announced = set()
        for _ in range(40):
            parity = purify(bench, order, kind, frames)
            frame, flip = purify_frame(kind.value, *frames)
            pair = bench.half("A", 0).pair
            assert pair is bench.half("B", 0).pair
            assert pair.frame == frame
            assert pair.purification is None
            _, joint = purified(ONE, TWO, kind.value, OperationNoise(), OperationNoise(), flip)
            success = parity == flip
            assert pair.correlators == pytest.approx(joint if success else (0, 0, 0), rel=1e-13)
            assert [s.half is None for s in bench.nodes["A"].slots] == [False, True, True, True]
            assert not any(s.busy for node in bench.nodes.values() for s in node.slots)
            announced.add(bench.tape[-1][1].bit)
            clear(bench)
        assert announced == {0, 1}


@pytest.mark.parametrize("order", ["AB", "BA"])
@pytest.mark.parametrize("kind", Distillation)
@pytest.mark.parametrize("frames", [(0, 0), (1, 2)])
def test_noisy_rounds_succeed_as_often_as_physics_says(
    kind: Distillation, order: str, frames: tuple[int, int]
) -> None:
    lean = OperationNoise(depolarising_1=0.01, depolarising_2=0.05, readout_error_0=0.3)
    other = OperationNoise(depolarising_2=0.02, readout_error_1=0.25)
    bench, n = Bench("AB", noise={"A": lean, "B": other}), 1_500
    frame, flip = purify_frame(kind.value, *frames)
    noises = (lean, other) if order == "AB" else (other, lean)
    chance, joint = purified(ONE, TWO, kind.value, *noises, flip)
    successes = ones = 0
    for _ in range(n):
        success = purify(bench, order, kind, frames) == flip
        pair = bench.half("A", 0).pair
        assert pair.correlators == pytest.approx(joint if success else (0, 0, 0), rel=1e-13)
        assert pair.frame == frame
        successes += success
        ones += next(e for _, e in bench.tape[-2:] if e.node == "A").bit
        clear(bench)
    assert near(successes, n, chance)
    if order == "AB":  # the first end reads a qubit that is 0 or 1 with equal chance
        assert near(ones, n, 0.5 * lean.readout_error_0 + 0.5 * (1 - lean.readout_error_1))


def test_all_four_halves_age_up_to_the_gate_at_their_own_end() -> None:
    bench = Bench("AB", memory=MEMORY, swap_time=MS, seed=5)
    flip = purify_frame("dejmps", 0, 0)[1]
    parity = purify(bench, "AB", DEJMPS, (0, 0), apart=6 * MS)
    assert bench.times(Purified) == [(MS, "A"), (8 * MS, "B")]
    old = [aged(state, RATES, (MS + 8 * MS) / SECOND) for state in (ONE, TWO)]
    _, joint = purified(*old, "dejmps", OperationNoise(), OperationNoise(), flip)
    assert parity == flip  # with this seed
    assert bench.half("A", 0).pair.correlators == pytest.approx(joint, rel=1e-12)
    assert [half.since for half in bench.half("A", 0).pair.ends] == [MS, 8 * MS]


def test_ends_that_sacrifice_different_pairs_learn_nothing_and_keep_nothing() -> None:
    bench, n, even = Bench("AB"), 1_500, 0
    for _ in range(n):
        for slot in (0, 1, 2):
            bench.pair("A", slot, "B", slot)
        bench.do(Purify("A", 0, 1, DEJMPS), Purify("B", 0, 2, DEJMPS))
        bench.run(bench.clock.now)
        assert bench.half("A", 0).pair.correlators == (0.0, 0.0, 0.0)
        assert bench.half("A", 0).pair.purification is None
        even += bench.tape[-1][1].bit == bench.tape[-2][1].bit
        clear(bench)
    assert near(even, n, 0.5)


def test_rounds_follow_each_other() -> None:
    bench, kind = Bench("AB", seed=2), Distillation.DEJMPS
    for slot in (0, 1, 2):
        bench.pair("A", slot, "B", slot)
    for sacrifice, order in ((1, "AB"), (2, "BA")):
        bench.do(*(Purify(node, 0, sacrifice, kind) for node in order))
        bench.run(bench.clock.now)
        assert bench.tape[-1][1].bit == bench.tape[-2][1].bit
    assert bench.half("A", 0).pair.correlators == (1.0, 1.0, 1.0)
    assert [slot.half is None for slot in bench.nodes["B"].slots] == [False, True, True, True]
