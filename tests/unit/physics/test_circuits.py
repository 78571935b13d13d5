"""The oracle's circuits on their own: normalisation, symmetry, textbook cases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from quantum_fabric.errors import UnknownNameError
from quantum_fabric.physics import circuits, density
from quantum_fabric.physics.noise import NOISELESS, OperationNoise

RNG = np.random.default_rng(31)
NOISY = OperationNoise(0.02, 0.04, 0.1, 0.03)
BITS = list(itertools.product((0, 1), repeat=2))


def random_pair():
    m = RNG.normal(size=(4, 4)) + 1j * RNG.normal(size=(4, 4))
    rho = m @ m.conj().T
    return rho / np.trace(rho)


@pytest.mark.parametrize("noise", [NOISELESS, NOISY])
def test_swap_branches_are_a_distribution_of_states(noise):
    left, right = random_pair(), random_pair()
    branches = [circuits.swap(left, right, noise, outcome) for outcome in range(4)]
    assert sum(p for p, _ in branches) == pytest.approx(1.0, abs=1e-14)
    for _, rho in branches:
        assert np.trace(rho).real == pytest.approx(1.0, abs=1e-14)
        assert np.linalg.eigvalsh(rho).min() >= -1e-14


def test_the_mean_over_swap_outcomes_is_a_product_of_the_outer_halves():
    left, right = random_pair(), random_pair()
    mean = sum(p * rho for p, rho in (circuits.swap(left, right, NOISY, outcome) for outcome in range(4)))
    np.testing.assert_allclose(
        mean, density.joined(density.traced(left, 1), density.traced(right, 0)), atol=1e-14
    )


@pytest.mark.parametrize("label", range(4))
def test_bell_measurement_recognises_each_bell_state(label):
    state = density.projector(density.bell_vector(label))
    for control, target in ((0, 1), (1, 0)):  # a Bell state looks the same from both ends
        for outcome in range(4):
            chance = np.trace(circuits.bell_measurement(state, control, target, NOISELESS, outcome)).real
            assert chance == pytest.approx(float(outcome == label), abs=1e-14)


@pytest.mark.parametrize("kind", ["dejmps", "bbpssw"])
@pytest.mark.parametrize("noise", [NOISELESS, NOISY])
def test_purification_branches_are_a_distribution(kind, noise):
    keep, sacrifice = random_pair(), random_pair()
    branches = [circuits.purify(kind, keep, sacrifice, noise, NOISELESS, bits) for bits in BITS]
    assert sum(p for p, _ in branches) == pytest.approx(1.0, abs=1e-14)


def test_purification_refuses_unknown_protocols():
    with pytest.raises(UnknownNameError, match="kind"):
        circuits.purify("other", random_pair(), random_pair(), NOISELESS, NOISELESS, (0, 0))


@pytest.mark.parametrize("frame", range(4))
def test_twirl_keeps_one_fidelity_and_levels_the_rest(frame):
    rho = random_pair()
    out = circuits.twirled(rho, frame, NOISELESS, NOISELESS)
    kept = density.fidelity(rho, frame)
    weights = [(1 - kept) / 3] * 4
    weights[frame] = kept
    np.testing.assert_allclose(out, density.pair(weights), atol=1e-14)


def test_twirl_gates_depolarise_once_at_each_end():
    noise = OperationNoise(depolarising_1=0.1)
    out = circuits.twirled(density.pair([1, 0, 0, 0]), 0, noise, noise)
    assert density.fidelity(out, 0) == pytest.approx((1 + 3 * 0.81) / 4, abs=1e-14)


def test_epl_needs_both_photons_on_different_sides():
    both = density.projector([0, 0, 0, 1])
    p, rho = circuits.epl(both, both, NOISELESS, NOISELESS)
    assert p == 0.0
    np.testing.assert_array_equal(rho, np.zeros((4, 4)))


def test_epl_cancels_a_common_phase():
    one = circuits.single_click_pair(0.8, phase=1.1)
    p, rho = circuits.epl(one, one, NOISELESS, NOISELESS)
    assert p == pytest.approx(0.32, abs=1e-14)
    assert density.fidelity(rho, 2) == pytest.approx(1.0, abs=1e-14)


def test_single_click_pairs_are_states():
    rho = circuits.single_click_pair(0.7, 0.9, 2.0)
    assert np.trace(rho).real == pytest.approx(1.0, abs=1e-15)
    assert np.linalg.eigvalsh(rho).min() >= -1e-15


@pytest.mark.parametrize("frame", range(4))
@pytest.mark.parametrize("outcome", range(4))
def test_teleportation_over_each_perfect_bell_state(frame, outcome):
    psi = np.array([0.6, 0.8 * np.exp(0.7j)])
    p, rho = circuits.teleport(psi, density.projector(density.bell_vector(frame)), frame, NOISELESS, outcome)
    assert p == pytest.approx(0.25, abs=1e-14)
    np.testing.assert_allclose(rho, density.projector(psi), atol=1e-14)


def test_the_pauli_of_each_label_makes_its_bell_state():
    for label in range(4):
        rho = density.apply(density.pair([1, 0, 0, 0]), circuits.pauli(label), (1,))
        assert density.fidelity(rho, label) == pytest.approx(1.0, abs=1e-15)
