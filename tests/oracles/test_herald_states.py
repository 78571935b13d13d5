"""The whole state after a single-click herald, against the Fock-space sum; and what it is good for: extreme photon loss."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from tests.oracles.test_link_formulas import SINGLE, WINDOWS, _click_matrix, _dephased, _gauss, _lost

from quantum_fabric.links.single_click import Emission, herald_state
from quantum_fabric.links.station import Window
from quantum_fabric.physics import circuits, density
from quantum_fabric.physics.noise import NOISELESS

PHASES = (0.0, 0.7, -2.0)


def fock_states(emission: Emission, window: Window) -> dict[str, np.ndarray]:
    """What each detector leaves, not normalised: every photon lost or not, every phase of the fast noise."""
    spins = [
        np.array([math.sqrt(1.0 - alpha), math.sqrt(alpha)]) for alpha in (emission.alpha_a, emission.alpha_b)
    ]
    start = np.kron(np.outer(spins[0], spins[0]), np.outer(spins[1], spins[1]))
    start = _dephased(_dephased(start, 0, emission.double_a), 1, emission.double_b)
    total = {"c": np.zeros((4, 4), complex), "d": np.zeros((4, 4), complex)}
    for fast, share in _gauss(emission.phase_sigma):
        for (k_a, sent_a), (k_b, sent_b) in itertools.product(_lost(emission.eta_a), _lost(emission.eta_b)):
            kraus = np.kron(k_a, k_b)
            rho = kraus @ start @ kraus.T
            lit = {2 * i + j: (sent_a and i == 1, sent_b and j == 1) for i in (0, 1) for j in (0, 1)}
            phase = fast + emission.phase
            clicks = _click_matrix(lit, window.visibility, phase, window.dark, window.number_resolving)
            for detector, operator in clicks.items():
                total[detector] += share * rho * operator
    return total


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("emission", SINGLE, ids=range(len(SINGLE)))
def test_every_entry_of_the_state(emission: Emission, window: Window, phase: float) -> None:
    """Populations of |00> and |11>, imbalance, sign of the detector, and the phase that stays."""
    emission = replace(emission, phase=phase)
    joint = herald_state(emission, window)
    found = np.array(joint.entries()).reshape(4, 4)
    for detector, sign in (("c", 1.0), ("d", -1.0)):
        exact = fock_states(emission, window)[detector]
        chance = float(np.trace(exact).real)
        assert chance == pytest.approx(joint.probability / 2.0, rel=1e-10)
        expected = found.copy()
        expected[1, 2] *= sign
        expected[2, 1] *= sign
        assert exact / chance == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("phase", PHASES)
def test_two_pairs_with_the_same_slow_phase_make_one_good_one(phase: float) -> None:
    """Extreme photon loss does not care about the phase that both share, nor about |11>; the fast part costs as ever."""
    window = Window(dark=0.0, visibility=1.0, number_resolving=True)
    quiet = herald_state(Emission(0.2, 0.2, 1e-3, 1e-3, phase=phase), window)
    rho = np.array(quiet.entries()).reshape(4, 4)
    before = density.fidelity(rho, 2)
    chance, kept = circuits.epl(rho, rho, NOISELESS, NOISELESS)
    assert density.fidelity(kept, 2) == pytest.approx(1.0, abs=1e-9)
    assert before < 0.81
    assert chance == pytest.approx(0.5 * (1.0 - rho[3, 3].real) ** 2, rel=1e-9)
    noisy = herald_state(Emission(0.2, 0.2, 1e-3, 1e-3, phase_sigma=0.4, phase=phase), window)
    rho = np.array(noisy.entries()).reshape(4, 4)
    _, kept = circuits.epl(rho, rho, NOISELESS, NOISELESS)
    assert density.fidelity(kept, 2) == pytest.approx((1.0 + math.exp(-(0.4**2))) / 2.0, abs=1e-9)


def test_pairs_with_different_phases_do_not() -> None:
    window = Window(dark=0.0, visibility=1.0, number_resolving=True)
    one, two = (
        np.array(herald_state(Emission(0.2, 0.2, 1e-3, 1e-3, phase=phase), window).entries()).reshape(4, 4)
        for phase in (0.3, 1.1)
    )
    _, kept = circuits.epl(one, two, NOISELESS, NOISELESS)
    assert density.fidelity(kept, 2) == pytest.approx(math.cos(0.4) ** 2, abs=1e-9)
