"""Exact pairs on the bench: relaxation, lost halves, readout that tells, teleportation; and what the twirl gets wrong."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from tests.unit.twin.bench import Bench

from builders import werner
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.links.model import Heralding, HeraldOutcome
from quantum_fabric.messages import (
    Bell,
    Consume,
    Correct,
    Discard,
    Heralded,
    Measure,
    Measured,
    Received,
    Swap,
    Swapped,
    Teleport,
    Teleported,
)
from quantum_fabric.physics import circuits, density
from quantum_fabric.physics.instruments import Array, bell_mixture, from_entries, weights_of
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.twin.exact import Exact
from quantum_fabric.twin.qubits import Half
from quantum_fabric.twin.states import STATES
from quantum_fabric.units import MS

RELAXING = MemoryNoise(t1=0.1, t2=0.1)
NOISY = OperationNoise(0.02, 0.05, 0.03, 0.08)


class Lopsided(FixedLink):
    """A link whose herald leaves a state that is not Bell-diagonal."""

    ENTRIES: tuple[complex, ...] = tuple(circuits.single_click_pair(0.8, 0.9, 0.4).reshape(16).tolist())

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        usual = super().heralding(setting, lanes)
        weights = density.bell_weights(np.array(self.ENTRIES).reshape(4, 4))
        a, b, c, d = (float(weights[label ^ 2]) for label in range(4))
        outcome = HeraldOutcome(2, usual.success, (a, b, c, d), self.ENTRIES)
        return Heralding(usual.period, usual.cycle, usual.born, usual.heard, (outcome,))


def put(bench: Bench, a: str, slot_a: int, b: str, slot_b: int, rho: Array, frame: int = 0) -> Exact:
    halves = []
    for node, number in ((a, slot_a), (b, slot_b)):
        slot = bench.nodes[node].slots[number]
        slot.half = Half(f"{a}{b}", slot, bench.clock.now)
        halves.append(slot.half)
    return Exact(halves[0], halves[1], frame, rho)


def perfect(label: int) -> Array:
    return bell_mixture((1.0, 0.0, 0.0, 0.0), label)


@pytest.mark.parametrize(
    ("label", "exact"), [(0, 0.564614111), (1, 0.564614111), (2, 0.487205050), (3, 0.487205050)]
)
def test_the_size_of_the_twirl_error(label: int, exact: float) -> None:
    """Both halves wait for T1/2 with T2 = T1: the twirl says 0.526 of every Bell state."""
    bench = Bench("ABCD", memory=RELAXING)
    pair = put(bench, "A", 0, "B", 0, perfect(label), label)
    rough = bench.pair("C", 0, "D", 0, frame=label)
    for half in (*pair.ends, *rough.ends):
        half.age(50 * MS)
    assert pair.weights(label)[0] == pytest.approx(exact, abs=1e-9)
    assert rough.weights(label)[0] == pytest.approx(0.525909581, abs=1e-9)
    # the estimate of the error is meant for small ones, and is never below the true one
    assert abs(exact - 0.525909581) <= rough.twirl_error() <= 2.0 * abs(exact - 0.525909581)
    assert pair.twirl_error() == 0.0


@pytest.mark.parametrize("seed", range(6))
def test_a_swap_of_relaxed_pairs_against_the_circuit(seed: int) -> None:
    """Two pairs relax, are swapped and relax again: every step against Kraus operators."""
    bench = Bench("AMB", memory=RELAXING, noise=NOISY, seed=seed)
    dice = np.random.default_rng(seed)
    left_label, right_label = (int(label) for label in dice.integers(0, 4, size=2))
    put(bench, "A", 0, "M", 0, perfect(left_label), left_label)
    put(bench, "B", 0, "M", 1, perfect(right_label), right_label)  # the other way round
    bench.run(20 * MS)
    bench.do(Swap("M", 0, 1))
    bench.run(50 * MS)
    outcome = bench.of(Swapped)[0].outcome
    for node in "AB":
        bench.half(node, 0).age(50 * MS)
    pair = bench.half("A", 0).pair

    def waited(rho: Any, first: float, second: float) -> Any:
        return density.damped(density.damped(rho, 0, RELAXING, first), 1, RELAXING, second)

    left = density.damped(density.pair(np.eye(4)[left_label]), 1, RELAXING, 0.02)
    right = density.damped(density.pair(np.eye(4)[right_label]), 0, RELAXING, 0.02)
    _, rho = circuits.swap(left, right, NOISY, int(outcome))
    expected = density.bell_weights(waited(rho, 0.05, 0.05))
    told = left_label ^ right_label ^ int(outcome)
    assert pair.frame == told
    assert pair.weights(told) == pytest.approx([expected[told ^ label] for label in range(4)], abs=1e-12)


def test_announced_labels_of_relaxed_pairs_are_lopsided() -> None:
    """Relaxed halves are more often 0: a Bell measurement announces even parity more often than 1 in 2."""
    counts: Counter[int] = Counter()
    for seed in range(400):
        bench = Bench("AMB", memory=RELAXING, seed=seed)
        put(bench, "A", 0, "M", 0, perfect(0))
        put(bench, "M", 1, "B", 0, perfect(0))
        bench.run(100 * MS)
        bench.do(Swap("M", 0, 1))
        bench.run(101 * MS)
        counts[int(bench.of(Swapped)[0].outcome) >> 1] += 1
    even = 0.5 * (1.0 + (1.0 - math.exp(-1.0)) ** 2)  # each near half is 0 with probability (1 + γ)/2
    assert abs(counts[0] - 400 * even) < 5.0 * math.sqrt(400 * even * (1.0 - even))
    assert counts[0] > 230  # and not a half


def test_what_a_herald_says_is_what_is_stored() -> None:
    bench = Bench("AB", links=[("A", "B", Lopsided(1.0, werner(0.9), 100))], states="exact")
    for node in "AB":
        bench.arm(node)
    bench.run(200)
    assert bench.of(Heralded)[0].bell is Bell.PSI_PLUS
    pair = bench.half("A", 0).pair
    assert isinstance(pair, Exact)
    assert pair.rho.reshape(16) == pytest.approx(Lopsided.ENTRIES)


def test_a_discarded_half_is_traced_out() -> None:
    bench = Bench("AB")
    state = np.zeros((2, 2, 2, 2), dtype=complex)
    state[1, 1, 1, 1] = 1.0
    pair = put(bench, "A", 0, "B", 0, state)
    bench.do(Discard("A", 0))
    assert pair.rho.reshape(4, 4).diagonal().real == pytest.approx([0.0, 0.5, 0.0, 0.5])


@pytest.mark.parametrize("basis", ["X", "Y", "Z"])
def test_readout_of_a_relaxed_pair(basis: str) -> None:
    """Frequencies of both bits against the circuit, readout errors included."""
    counts: Counter[tuple[int, int]] = Counter()
    runs = 600
    for seed in range(runs):
        bench = Bench("AB", memory=RELAXING, noise=NOISY, seed=seed)
        put(bench, "A", 0, "B", 0, perfect(1), 1)
        bench.run(60 * MS)
        bench.do(Measure("A", 0, basis))
        bench.run(60 * MS)
        bench.do(Measure("B", 0, basis))
        bench.run(60 * MS)
        first, second = bench.of(Measured)
        counts[first.bit, second.bit] += 1
    rho = density.pair([0, 1, 0, 0])
    for qubit in (0, 1):
        rho = density.damped(rho, qubit, RELAXING, 0.06)
    if basis != "Z":
        gate = density.HADAMARD if basis == "X" else density.HADAMARD @ np.diag([1, -1j])
        for qubit in (0, 1):
            rho = density.noisy_gate(rho, gate, (qubit,), NOISY)
    for bits in ((0, 0), (0, 1), (1, 0), (1, 1)):
        chance = float(density.read(density.read(rho, 1, bits[1], NOISY), 0, bits[0], NOISY).real.trace())
        assert abs(counts[bits] - runs * chance) < 5.0 * math.sqrt(runs * chance * (1.0 - chance))


def test_teleportation_through_a_lopsided_state() -> None:
    amplitudes = (0.6, 0.8j)
    resource = np.array(Lopsided.ENTRIES).reshape(4, 4)
    for seed in range(12):
        bench = Bench("AB", memory=RELAXING, noise=NOISY, seed=seed)
        put(bench, "B", 0, "A", 0, from_entries(Lopsided.ENTRIES), 2)  # the receiver's half first
        bench.do(Teleport("A", 0, Bell.PSI_PLUS, amplitudes))
        bench.run(10 * MS)
        bits = bench.of(Teleported)[0].bits
        bench.do(Correct("B", 0, bits))
        flipped = density.apply(resource, np.eye(4)[[0, 2, 1, 3]], (0, 1))  # the sender's half first
        waited = density.damped(flipped, 1, RELAXING, 0.01)
        _, expected = circuits.teleport(amplitudes, waited, 2, NOISY, bits[0] << 1 | bits[1])
        assert bench.of(Received)[0].density == pytest.approx(expected.reshape(4), abs=1e-12)


def test_truth_of_an_exact_pair() -> None:
    bench = Bench("AB")
    put(bench, "A", 0, "B", 0, from_entries(Lopsided.ENTRIES), 2)
    for node in "AB":
        bench.do(Consume(node, 0, Bell.PSI_PLUS))
    weights = bench.truths[0].weights
    assert weights == pytest.approx(tuple(weights_of(from_entries(Lopsided.ENTRIES), 2)))
    assert weights[0] == pytest.approx(0.8 * (1.0 + 0.9 * math.cos(0.4)) / 2.0)


def test_every_way_to_keep_states_has_a_name() -> None:
    assert set(STATES) == {"bell-diagonal", "exact", "auto"}
