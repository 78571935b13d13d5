"""Whole histories of pairs: what the event path composes out of single steps, against one density matrix carried along.

A step that is right on its own may still be composed wrongly: frames that drift, correlators relative to the wrong
state, noise that is applied twice. So these tests run a history (wait, swap, wait, purify, measure or teleport) on both
sides, branch by branch or with outcomes drawn from a seeded generator, and compare the end. Memories only dephase here,
which the event path does exactly.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from quantum_fabric.physics import bell, circuits, correlators, density, frames
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.physics.teleport import teleported_density

TIGHT = {"rtol": 0.0, "atol": 1e-10}


class Tracked:
    """A pair kept twice: three floats and a label, as the twin does, and a density matrix."""

    def __init__(self, weights, label):
        self.correlators, self.label = correlators.from_weights(tuple(map(float, weights))), label
        self.rho = density.pair([weights[actual ^ label] for actual in range(4)])

    def wait(self, left, right, seconds):
        rates = correlators.added_rates(correlators.decay_rates(left), correlators.decay_rates(right))
        self.correlators = correlators.aged(self.correlators, rates, seconds)
        self.rho = density.damped(density.damped(self.rho, 0, left, seconds), 1, right, seconds)
        return self

    def swap(self, other, noise, outcome):
        probability, self.rho = circuits.swap(self.rho, other.rho, noise, outcome)
        chance, factors = correlators.swap_table(noise)[outcome]
        assert chance == pytest.approx(probability, abs=1e-12)
        self.correlators = correlators.product(
            correlators.product(self.correlators, other.correlators), factors
        )
        self.label = frames.swap_frame(self.label, other.label, outcome)
        return self

    def purify(self, other, kind, a, b):
        frame, flip = frames.purify_frame(kind, self.label, other.label)
        branches = [circuits.purify(kind, self.rho, other.rho, a, b, (bit, bit ^ flip)) for bit in (0, 1)]
        total = sum(p for p, _ in branches)
        self.rho = sum(p * rho for p, rho in branches) / total
        if kind == "bbpssw":
            self.rho = circuits.twirled(self.rho, frame, a, b)
        chance, self.correlators = correlators.purified(self.correlators, other.correlators, kind, a, b, flip)
        assert chance == pytest.approx(total, abs=1e-12)
        self.label = frame
        return self

    def agree(self):
        weights = bell.relabel(bell.from_correlators(self.correlators), self.label)
        np.testing.assert_allclose(bell.density_matrix(weights), self.rho, **TIGHT)
        assert correlators.fidelity(self.correlators) == pytest.approx(
            density.fidelity(self.rho, self.label), abs=1e-10
        )


def plant(seed, worst=0.08):
    """Random memories, operations with no error above ``worst``, and a maker of fresh pairs."""
    rng = np.random.default_rng(seed)
    memories = [MemoryNoise(math.inf, float(t2)) for t2 in rng.uniform(0.5, 3.0, 5)]
    nodes = [OperationNoise(*rng.uniform(0, worst, 4)) for _ in range(5)]

    def fresh():
        weights = rng.dirichlet([20.0, 1.0, 1.0, 1.0])
        return Tracked(weights, int(rng.integers(4)))

    return rng, memories, nodes, fresh


@pytest.mark.parametrize("seed", range(4))
def test_a_chain_of_four_links_with_waiting(seed):
    rng, memories, nodes, fresh = plant(seed)
    pair = fresh()
    for hop in range(1, 4):
        pair.wait(memories[0], memories[hop], float(rng.uniform(0, 0.3)))
        other = fresh().wait(memories[hop], memories[hop + 1], float(rng.uniform(0, 0.3)))
        pair.swap(other, nodes[hop], int(rng.integers(4)))
        pair.agree()


@pytest.mark.parametrize("outcomes", list(itertools.product((0, 3), repeat=3)))
def test_nested_and_sequential_swaps_give_the_same_pair(outcomes):
    """Without waiting the order of swaps changes neither frame nor state, only who waits for whom."""
    _, _, nodes, fresh = plant(9)
    links = [fresh() for _ in range(4)]

    def copy(pair):
        twin = Tracked([1.0, 0.0, 0.0, 0.0], 0)
        twin.correlators, twin.label, twin.rho = pair.correlators, pair.label, pair.rho
        return twin

    one, two, three = outcomes
    chain = (
        copy(links[0])
        .swap(links[1], nodes[1], one)
        .swap(links[2], nodes[2], two)
        .swap(links[3], nodes[3], three)
    )
    left, right = copy(links[0]).swap(links[1], nodes[1], one), copy(links[2]).swap(links[3], nodes[3], three)
    nested = left.swap(right, nodes[2], two)
    chain.agree()
    nested.agree()
    assert chain.label == nested.label
    np.testing.assert_allclose(chain.rho, nested.rho, **TIGHT)


@pytest.mark.parametrize("kind", ["dejmps", "bbpssw"])
@pytest.mark.parametrize("seed", range(3))
def test_links_are_purified_then_swapped(kind, seed):
    rng, memories, nodes, fresh = plant(100 + seed)
    halves = []
    for a, b in ((0, 1), (1, 2)):
        old = fresh().wait(memories[a], memories[b], 0.2)  # the first copy waited for the second
        halves.append(old.purify(fresh(), kind, nodes[a], nodes[b]).wait(memories[a], memories[b], 0.05))
        old.agree()
    halves[0].swap(halves[1], nodes[1], int(rng.integers(4))).agree()


@pytest.mark.parametrize("kind", ["dejmps", "bbpssw"])
def test_three_rounds_end_to_end(kind):
    """Recurrence over swapped pairs: the frames of both inputs are random and the readout is asymmetric."""
    rng, memories, nodes, fresh = plant(7, worst=0.01)

    def swapped():
        pair = fresh().swap(fresh(), nodes[1], int(rng.integers(4)))
        return pair.wait(memories[0], memories[2], 0.05)

    def purified(rounds):
        if rounds == 0:
            return swapped()
        return purified(rounds - 1).purify(purified(rounds - 1), kind, nodes[0], nodes[2])

    start, end = swapped(), purified(3)
    end.agree()
    assert correlators.fidelity(end.correlators) > correlators.fidelity(start.correlators)


@pytest.mark.parametrize("basis", ["X", "Y", "Z"])
def test_measuring_the_end_of_a_history(basis):
    rng, memories, nodes, fresh = plant(5)
    pair = fresh().swap(fresh(), nodes[1], int(rng.integers(4))).wait(memories[0], memories[2], 0.3)
    rho = pair.rho
    if basis != "Z":
        turn = density.HADAMARD if basis == "X" else density.rotation_x(math.pi / 2)
        rho = density.noisy_gate(density.noisy_gate(rho, turn, (0,), nodes[0]), turn, (1,), nodes[2])
    expected = [
        float(density.read(density.read(rho, 1, j, nodes[2]), 0, i, nodes[0]).real.trace())
        for i in (0, 1)
        for j in (0, 1)
    ]
    got = correlators.measured(pair.correlators, pair.label, basis, nodes[0], nodes[2])
    np.testing.assert_allclose(got, expected, **TIGHT)
    wrong = got[1] + got[2] if frames.expected_parity(basis, pair.label) == 0 else got[0] + got[3]
    assert wrong < 0.5  # the announced frame says which parity to expect


@pytest.mark.parametrize("outcome", range(4))
def test_teleporting_over_the_end_of_a_history(outcome):
    rng, memories, nodes, fresh = plant(6)
    pair = fresh().swap(fresh(), nodes[1], int(rng.integers(4))).wait(memories[0], memories[2], 0.3)
    psi = np.array([0.6, 0.8 * np.exp(0.4j)])
    _, expected = circuits.teleport(psi, pair.rho, pair.label, nodes[0], outcome)
    weights = correlators.to_weights(pair.correlators)
    got = teleported_density(psi, weights, nodes[0], (outcome >> 1, outcome & 1))
    np.testing.assert_allclose(got, expected, **TIGHT)
    assert np.vdot(psi, got @ psi).real > 2 / 3


def test_told_the_wrong_frame_the_receiver_gets_another_state():
    """A negative control: relative weights that count from the told frame, as the twin shifts them, carry the mistake."""
    _, _, nodes, fresh = plant(8)
    pair = fresh()
    told = pair.label ^ 2
    psi = np.array([0.6, 0.8])
    relative = correlators.to_weights(pair.correlators)
    shifted = [relative[k ^ pair.label ^ told] for k in range(4)]
    _, expected = circuits.teleport(psi, pair.rho, told, nodes[0], 0)
    np.testing.assert_allclose(teleported_density(psi, shifted, nodes[0], (0, 0)), expected, **TIGHT)
    right = teleported_density(psi, relative, nodes[0], (0, 0))
    assert not np.allclose(right, expected, atol=1e-3)


@pytest.mark.parametrize("label", range(4))
def test_the_event_path_with_relaxation_stays_within_its_stated_error(label):
    """One round of waiting with T1: the fidelity differs from the exact one by gamma_a gamma_b / 4 and no more."""
    memory_a, memory_b, seconds = MemoryNoise(2.0, 1.0), MemoryNoise(3.0, 2.0), 0.4
    pair = Tracked([0.9, 0.04, 0.03, 0.03], label).wait(memory_a, memory_b, seconds)
    bound = (1 - math.exp(-seconds / 2.0)) * (1 - math.exp(-seconds / 3.0)) / 4
    error = correlators.fidelity(pair.correlators) - density.fidelity(pair.rho, label)
    assert 0 < abs(error) <= bound + 1e-12
