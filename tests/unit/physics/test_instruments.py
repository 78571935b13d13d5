"""The exact event path against Kraus operators on whole density matrices, for any states and any noise."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from quantum_fabric.physics import circuits, density
from quantum_fabric.physics import instruments as exact
from quantum_fabric.physics.frames import AXES, turned_label
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise

SEEDS = range(8)


def any_state(dice: np.random.Generator, qubits: int = 2) -> density.Complexes:
    size = 2**qubits
    root = dice.normal(size=(size, size)) + 1j * dice.normal(size=(size, size))
    rho = root @ root.conj().T
    return np.asarray(rho / np.trace(rho))


def any_noise(dice: np.random.Generator) -> OperationNoise:
    return OperationNoise(*dice.uniform(0.0, 0.3, size=4))


def tensor(rho: density.Complexes) -> exact.Array:
    return rho.reshape(2, 2, 2, 2)


def matrix(pair: exact.Array) -> exact.Array:
    return pair.reshape(4, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_swaps(seed: int) -> None:
    dice = np.random.default_rng(seed)
    left, right, noise = any_state(dice), any_state(dice), any_noise(dice)
    effects = exact.bell_effects(noise)
    chances = exact.swap_chances(tensor(left), tensor(right), effects)
    for outcome in range(4):
        chance, rho = circuits.swap(left, right, noise, outcome)
        assert chances[outcome] == pytest.approx(chance, abs=1e-13)
        found = exact.swapped(tensor(left), tensor(right), effects[outcome])
        assert matrix(found) == pytest.approx(rho, abs=1e-13)
    assert sum(chances) == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["dejmps", "bbpssw"])
def test_purifications(seed: int, kind: str) -> None:
    dice = np.random.default_rng(seed)
    keep, spent, a, b = any_state(dice), any_state(dice), any_noise(dice), any_noise(dice)
    axes = ("xzy", "xzy") if kind == "dejmps" else ("xyz", "xyz")
    first, second = (
        exact.half_purifiers(a, axes, conjugate=False),
        exact.half_purifiers(b, axes, conjugate=True),
    )
    marginals = [0.0, 0.0]
    for bits in itertools.product((0, 1), repeat=2):
        chance, rho = circuits.purify(kind, keep, spent, a, b, bits)
        found, state = exact.purified(tensor(keep), tensor(spent), first[bits[0]], second[bits[1]])
        assert found == pytest.approx(chance, abs=1e-13)
        assert matrix(state) == pytest.approx(rho, abs=1e-12)
        marginals[bits[0]] += chance
    for bit in (0, 1):
        own = [exact.marginal(tensor(each), 0) for each in (keep, spent)]
        assert exact.bit_chance(*own, first[bit]) == pytest.approx(marginals[bit], abs=1e-13)


@pytest.mark.parametrize("axes", AXES)
def test_rotations_do_to_bell_states_what_frames_say(axes: str) -> None:
    u = exact._ROTATIONS[axes]
    for label in range(4):
        rho = matrix(exact.bell_mixture((1.0, 0.0, 0.0, 0.0), label))
        both = np.kron(u, u.conj())
        turned = tensor(both @ rho @ both.conj().T)
        assert exact.weights_of(turned, turned_label(label, axes))[0] == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize("seed", SEEDS)
def test_twirl(seed: int) -> None:
    dice = np.random.default_rng(seed)
    rho, a, b = any_state(dice), any_noise(dice), any_noise(dice)
    keep = (1.0 - a.depolarising_1) * (1.0 - b.depolarising_1)
    for frame in range(4):
        found = exact.twirled(tensor(rho), frame, keep)
        assert matrix(found) == pytest.approx(circuits.twirled(rho, frame, a, b), abs=1e-13)


@pytest.mark.parametrize("seed", SEEDS)
def test_teleportation(seed: int) -> None:
    dice = np.random.default_rng(seed)
    resource, noise = any_state(dice), any_noise(dice)
    raw = dice.normal(size=2) + 1j * dice.normal(size=2)
    amplitudes = tuple(complex(each) for each in raw / np.linalg.norm(raw))
    effects = exact.bell_effects(noise)
    chances = exact.teleport_chances(amplitudes, exact.marginal(tensor(resource), 0), effects)
    for frame, outcome in itertools.product(range(4), repeat=2):
        chance, rho = circuits.teleport(amplitudes, resource, frame, noise, outcome)
        found = exact.corrected(
            exact.teleported(amplitudes, tensor(resource), effects[outcome]), frame ^ outcome
        )
        assert chances[outcome] == pytest.approx(chance, abs=1e-13)
        assert found == pytest.approx(rho, abs=1e-13)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("which", [0, 1])
def test_waiting(seed: int, which: int) -> None:
    dice = np.random.default_rng(seed)
    rho, t1 = any_state(dice), float(dice.uniform(0.2, 2.0))
    noise = MemoryNoise(t1, float(dice.uniform(0.1, 2.0)) * t1)
    seconds = float(dice.uniform(0.0, 1.0))
    found = exact.faded(tensor(rho), which, np.exp(-seconds / noise.t2), np.exp(-seconds / t1))
    assert matrix(found) == pytest.approx(density.damped(rho, which, noise, seconds), abs=1e-13)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("basis", ["X", "Y", "Z"])
@pytest.mark.parametrize("which", [0, 1])
def test_readout_of_one_half(seed: int, basis: str, which: int) -> None:
    dice = np.random.default_rng(seed)
    rho, noise = any_state(dice), OperationNoise(depolarising_1=0.2)
    # gates that turn the basis into Z: H for X, H S† for Y
    gate = {"Z": density.I, "X": density.HADAMARD, "Y": density.HADAMARD @ np.diag([1, -1j])}[basis]
    turned = rho if basis == "Z" else density.noisy_gate(rho, gate, (which,), noise)
    one, rest = exact.reading(tensor(rho), which, basis, 1.0 if basis == "Z" else 0.8)
    for bit in (0, 1):
        expected = density.read(turned, which, bit, OperationNoise())
        assert rest[bit] == pytest.approx(expected, abs=1e-13)
    assert one == pytest.approx(np.trace(rest[1]).real, abs=1e-13)


@pytest.mark.parametrize("which", [0, 1])
def test_a_lost_half_leaves_the_other_as_it_was(which: int) -> None:
    rho = tensor(any_state(np.random.default_rng(3)))
    left = exact.without(rho, which)
    assert exact.marginal(left, 1 - which) == pytest.approx(exact.marginal(rho, 1 - which), abs=1e-14)
    assert exact.marginal(left, which) == pytest.approx(np.eye(2) / 2, abs=1e-14)
