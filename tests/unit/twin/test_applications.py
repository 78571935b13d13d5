"""What applications do with halves, against the physics room.

Frequencies are judged at six standard deviations (`near`): a false alarm below 1e-8 each, seeds fixed.
"""

from __future__ import annotations

from collections import Counter
from itertools import product as every
from typing import Any

import numpy as np
import pytest
from tests.unit.twin.bench import Bench, near

from quantum_fabric.errors import ProtocolError
from quantum_fabric.messages import (
    Bell,
    Consume,
    Correct,
    Discard,
    Measure,
    Measured,
    Received,
    Teleport,
    Teleported,
    Truth,
)
from quantum_fabric.physics.correlators import (
    aged,
    decay_rates,
    from_weights,
    measured,
    swap_table,
    to_weights,
)
from quantum_fabric.physics.frames import expected_parity
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.physics.teleport import teleported_density
from quantum_fabric.units import MS, SECOND

WEIGHTS = (0.8, 0.1, 0.07, 0.03)
STATE = from_weights(WEIGHTS)
MEMORY = MemoryNoise(t1=1.0, t2=0.05)
RATES = decay_rates(MEMORY)
LOPSIDED = OperationNoise(readout_error_0=0.15, readout_error_1=0.02)
OTHER = OperationNoise(readout_error_0=0.01, readout_error_1=0.08)

# ------------------------------------------------------------------------------------------ hand over


@pytest.mark.parametrize(("frame", "told"), list(every(range(4), repeat=2)))
@pytest.mark.parametrize("order", ["AB", "BA"])
def test_the_truth_is_relative_to_what_the_consumers_were_told(frame: int, told: int, order: str) -> None:
    bench = Bench("AB")
    bench.pair("A", 0, "B", 3, frame, STATE)
    slots = {"A": 0, "B": 3}
    bench.run(7)
    bench.do(Consume(order[0], slots[order[0]], Bell(told)))
    assert bench.truths == []
    bench.run(9)
    bench.do(Consume(order[1], slots[order[1]], Bell(told)))
    actual = {frame ^ error: weight for error, weight in enumerate(WEIGHTS)}
    (truth,) = bench.truths
    assert truth == Truth((("A", "made#1"), ("B", "made#1")), Bell(told), truth.weights, 9)
    assert truth.weights == pytest.approx([actual[told ^ error] for error in range(4)], abs=1e-15)
    assert bench.empty("A")
    assert bench.empty("B")
    assert bench.tape == []


def test_each_half_ages_until_it_is_consumed() -> None:
    bench = Bench("AB", memory=MEMORY)
    bench.pair("A", 0, "B", 0, 2, STATE)
    bench.run(4 * MS).do(Consume("B", 0, Bell.PSI_PLUS))
    bench.run(30 * MS).do(Consume("A", 0, Bell.PSI_PLUS))
    expected = to_weights(aged(STATE, RATES, 34 * MS / SECOND))
    assert bench.truths[0].weights == pytest.approx(expected, abs=1e-12)


def test_consumers_that_were_told_different_states_are_a_bug_that_is_named() -> None:
    bench = Bench("AB")
    bench.pair("A", 0, "B", 0)
    bench.do(Consume("A", 0, Bell.PHI_PLUS))
    with pytest.raises(ProtocolError) as caught:
        bench.do(Consume("B", 0, Bell.PSI_MINUS))
    assert str(caught.value) == (
        "the ends of made#1 .. made#1 were told different Bell states: PHI_PLUS and PSI_MINUS"
    )
    assert bench.truths == []


def test_a_pair_that_lost_a_half_is_never_revealed() -> None:
    bench = Bench("AB")
    bench.pair("A", 0, "B", 0)
    bench.do(Discard("A", 0), Consume("B", 0, Bell.PHI_PLUS))
    assert bench.truths == []
    assert bench.empty("B")


# -------------------------------------------------------------------------------------------- measure


def both_measured(
    bench: Bench, n: int, bases: str, frame: int, state: Any, order: str = "AB"
) -> Counter[Any]:
    """Counts of (bit at A, bit at B) over n pairs."""
    counts: Counter[Any] = Counter()
    for _ in range(n):
        bench.pair("A", 0, "B", 0, frame, state)
        start = len(bench.tape)
        for node in order:
            bench.do(Measure(node, 0, bases["AB".index(node)]))
            bench.run(bench.clock.now)
        bits = {event.node: event.bit for _, event in bench.tape[start:]}
        counts[bits["A"], bits["B"]] += 1
    return counts


CELLS = list(every((0, 1), repeat=2))


@pytest.mark.parametrize("frame", Bell)
@pytest.mark.parametrize("basis", "XYZ")
def test_perfect_pairs_always_give_the_parity_of_their_state(basis: str, frame: Bell) -> None:
    counts = both_measured(Bench("AB"), 100, basis * 2, frame, (1.0, 1.0, 1.0))
    assert {a ^ b for a, b in counts} == {expected_parity(basis, frame)}
    assert len(counts) == 2  # 2^-99 that one bit never changes


@pytest.mark.parametrize("frame", Bell)
@pytest.mark.parametrize("basis", "XYZ")
def test_noisy_pairs_and_lopsided_readout_give_the_bits_of_physics(basis: str, frame: Bell) -> None:
    n = 1_500
    for order in ("AB", "BA"):
        bench = Bench("AB", noise={"A": LOPSIDED, "B": OTHER}, seed=40 + frame)
        counts = both_measured(bench, n, basis * 2, frame, STATE, order)
        chances = measured(STATE, frame, basis, LOPSIDED, OTHER)
        assert all(near(counts[cell], n, chance) for cell, chance in zip(CELLS, chances, strict=True))


@pytest.mark.parametrize("bases", ["XY", "XZ", "YX", "YZ", "ZX", "ZY"])
def test_different_bases_are_not_correlated(bases: str) -> None:
    n = 1_200
    counts = both_measured(Bench("AB", noise=LOPSIDED), n, bases, Bell.PHI_PLUS, (1.0, 1.0, 1.0))
    one = 0.5 * LOPSIDED.readout_error_0 + 0.5 * (1 - LOPSIDED.readout_error_1)
    marginal = (1 - one, one)
    assert all(near(counts[a, b], n, marginal[a] * marginal[b]) for a, b in CELLS)


def test_a_half_whose_partner_was_discarded_or_handed_over_is_fair() -> None:
    bench, n = Bench("AB"), 1_000
    for loss in (Discard("A", 0), Consume("A", 0, Bell.PHI_PLUS)):
        ones = 0
        for _ in range(n):
            bench.pair("A", 0, "B", 0)
            bench.do(loss, Measure("B", 0, "Z"))
            bench.run(bench.clock.now)
            ones += bench.tape[-1][1].bit
        assert near(ones, n, 0.5)


def test_a_measurement_takes_its_time_and_the_half_ages_until_it_is_done() -> None:
    bench = Bench("AB", memory=MEMORY, measure_time=2 * MS)
    pair = bench.pair("A", 1, "B", 0, 0, STATE)
    bench.do(Measure("A", 1, "X"))
    bench.run(MS)
    with pytest.raises(ProtocolError, match="it is busy"):
        bench.do(Measure("A", 1, "Z"))
    bench.run(9 * MS)
    ((time, event),) = bench.tape
    assert (time, event) == (2 * MS, Measured("A", 1, "X", event.bit))
    assert bench.empty("A")
    assert pair.correlators == pytest.approx(aged(STATE, RATES, 0.002), rel=1e-12)


@pytest.mark.parametrize("basis", "XY")
def test_turning_the_basis_costs_a_gate_at_each_end(basis: str) -> None:
    noise, n = OperationNoise(depolarising_1=0.2), 1_500
    counts = both_measured(Bench("AB", noise=noise), n, basis * 2, 0, (1.0, 1.0, 1.0))
    chances = measured((1.0, 1.0, 1.0), 0, basis, noise, noise)
    assert all(near(counts[cell], n, chance) for cell, chance in zip(CELLS, chances, strict=True))


# ------------------------------------------------------------------------------------------- teleport

NOISY = OperationNoise(depolarising_1=0.02, depolarising_2=0.06, readout_error_0=0.1, readout_error_1=0.01)
INPUTS = [(1.0 + 0j, 0j), (0.6 + 0j, 0.8j), (0.5 - 0.5j, 0.5 + 0.5j)]
PAULIS = {
    (0, 0): np.eye(2), (0, 1): np.diag([1, -1]), (1, 0): np.array([[0, 1], [1, 0]]), (1, 1): np.array([[0, -1j], [1j, 0]]),
}  # fmt: skip


def teleport(bench: Bench, frame: int, told: int, amplitudes: Any) -> Any:
    """The announced bits of a teleportation from A to B."""
    bench.pair("A", 0, "B", 0, frame, STATE)
    bench.do(Teleport("A", 0, Bell(told), amplitudes))
    bench.run(bench.clock.now + bench.nodes["A"].swap_time)
    return bench.tape[-1][1].bits


def received(bench: Bench) -> Any:
    event = bench.tape[-1][1]
    assert isinstance(event, Received)
    return np.array(event.density).reshape(2, 2)


@pytest.mark.parametrize(("frame", "told"), [(0, 0), (1, 1), (2, 2), (3, 3), (3, 1), (0, 2)])
@pytest.mark.parametrize("amplitudes", INPUTS)
def test_the_corrected_qubit_is_that_of_physics(amplitudes: Any, frame: int, told: int) -> None:
    bench = Bench("AB", noise=NOISY)
    relative = [0.0] * 4
    for error, weight in enumerate(WEIGHTS):
        relative[frame ^ error ^ told] = weight
    seen = set()
    for _ in range(80):
        bits = teleport(bench, frame, told, amplitudes)
        bench.do(Correct("B", 0, bits))
        assert received(bench) == pytest.approx(
            teleported_density(amplitudes, relative, NOISY, bits), abs=1e-14
        )
        assert bench.empty("A")
        assert bench.empty("B")
        seen.add(bits)
    assert seen == set(CELLS)  # one is missed with a chance below 4 (1 - 0.2)^80 = 7e-8


@pytest.mark.parametrize("wrong", [cell for cell in CELLS if cell != (0, 0)])
@pytest.mark.parametrize("amplitudes", INPUTS)
def test_bits_that_were_not_announced_leave_the_wrong_pauli(amplitudes: Any, wrong: tuple[int, int]) -> None:
    bench = Bench("AB", noise=NOISY)
    for _ in range(8):
        bits = teleport(bench, 0, 0, amplitudes)
        bench.do(Correct("B", 0, (bits[0] ^ wrong[0], bits[1] ^ wrong[1])))
        right = teleported_density(amplitudes, WEIGHTS, NOISY, bits)
        pauli = PAULIS[wrong]
        assert received(bench) == pytest.approx(pauli @ right @ pauli.conj().T, abs=1e-14)


def test_announced_bits_come_as_often_as_the_table_says() -> None:
    bench, n, counts = Bench("AB", noise=NOISY), 2_000, Counter[Any]()
    for _ in range(n):
        counts[teleport(bench, 0, 0, INPUTS[0])] += 1
        bench.do(Discard("B", 0))
    table = swap_table(NOISY)
    assert all(near(counts[bits], n, table[bits[0] << 1 | bits[1]][0]) for bits in CELLS)


def test_each_half_ages_until_its_own_part_of_a_teleportation() -> None:
    bench = Bench("AB", memory=MEMORY, swap_time=3 * MS)
    bits = teleport(bench, 0, 0, INPUTS[1])
    assert bench.tape == [(3 * MS, Teleported("A", 0, bits))]
    bench.run(20 * MS).do(Correct("B", 0, bits))
    assert bench.tape[1][0] == 20 * MS
    weights = to_weights(aged(STATE, RATES, 23 * MS / SECOND))
    assert received(bench) == pytest.approx(
        teleported_density(INPUTS[1], weights, OperationNoise(), bits), abs=1e-12
    )


def test_a_teleportation_may_fail_and_then_there_is_nothing_to_correct() -> None:
    bench, n, failures = Bench("AB", noise=OperationNoise(swap_success=0.6)), 1_500, 0
    for _ in range(n):
        if teleport(bench, 0, 0, INPUTS[0]) is None:
            failures += 1
            assert bench.half("B", 0).pair.correlators == (0.0, 0.0, 0.0)
            with pytest.raises(ProtocolError, match="nothing was teleported to slot 0 of B"):
                bench.do(Correct("B", 0, (0, 0)))
        bench.do(Discard("B", 0))
    assert near(failures, n, 0.4)


def test_nothing_can_be_corrected_before_the_sender_is_done() -> None:
    bench = Bench("AB", swap_time=10)
    bench.pair("A", 0, "B", 0)
    bench.do(Teleport("A", 0, Bell.PHI_PLUS, INPUTS[0]))
    bench.run(9)
    before = bench.snapshot()
    with pytest.raises(ProtocolError, match="nothing was teleported"):
        bench.do(Correct("B", 0, (0, 0)))
    assert bench.snapshot() == before
