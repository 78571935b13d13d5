"""Extreme photon loss: shapes, limits, domain; that it is right is checked in tests/oracles/test_purification.py."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics import epl
from quantum_fabric.physics.noise import NOISELESS, OperationNoise

PAIR = epl.single_click([0.02, 0.44, 0.44, 0.1], 0.9)


def test_epl_batches_and_limits():
    p, w = epl.epl(np.array([0.0, 0.5, 1.0]), 1.0)
    np.testing.assert_allclose(p, [0.0, 0.25, 0.5])
    assert w.shape == (3, 4)
    np.testing.assert_allclose(w.sum(axis=-1), 1.0)
    np.testing.assert_allclose(w[:, 0], 1.0)
    assert epl.epl(1.0, 1.0, phase=math.pi)[1][0] == pytest.approx(0.0, abs=1e-15)
    assert epl.epl(1.0, 1.0, 0.0)[1][0] == 0.5


@pytest.mark.parametrize("arguments", [(1.1, 1.0), (1.0, -0.1), (1.0, 1.0, 2.0), (1.0, 1.0, 1.0, -1.0)])
def test_epl_domain(arguments):
    with pytest.raises(QuantityError, match="expected values in"):
        epl.epl(*arguments)


def test_the_closed_form_is_a_case_of_the_density_form():
    populations = [[0.0, f / 2, f / 2, 1.0 - f] for f in (0.4, 0.9)]
    p, rho = epl.epl_density(epl.single_click(populations, 0.8, 0.5), epl.single_click(populations, 0.7))
    closed_p, w = epl.epl([0.4, 0.9], [0.4, 0.9], 0.8, 0.7, 0.5)
    np.testing.assert_allclose(p, closed_p, atol=1e-14)
    np.testing.assert_allclose((rho[:, 1, 1] + rho[:, 2, 2] + 2 * rho[:, 1, 2].real) / 2, w[:, 0], atol=1e-14)


def test_a_success_that_cannot_happen_leaves_nothing():
    bright = epl.single_click([0.0, 0.0, 0.0, 1.0])
    p, rho = epl.epl_density(bright, bright)
    assert float(p) == 0.0
    assert not rho.any()


def test_a_broken_cnot_leaves_noise():
    p, rho = epl.epl_density(
        PAIR, PAIR, OperationNoise(depolarising_2=1.0), OperationNoise(depolarising_2=1.0)
    )
    assert float(p) == pytest.approx(0.25)
    np.testing.assert_allclose(rho, np.eye(4) / 4, atol=1e-15)


def test_single_click_states_are_states():
    rho = epl.single_click([0.1, 0.3, 0.4, 0.2], 1.0, [0.0, 2.0])
    assert rho.shape == (2, 4, 4)
    np.testing.assert_allclose(rho, np.conj(np.swapaxes(rho, -1, -2)))
    assert np.linalg.eigvalsh(rho).min() > -1e-15


@pytest.mark.parametrize(
    "call",
    [
        lambda: epl.single_click([0.5, 0.5, 0.5, 0.5]),
        lambda: epl.single_click([1.5, -0.5, 0.0, 0.0]),
        lambda: epl.single_click([0.5, 0.5, 0.0]),
        lambda: epl.single_click([0.0, 0.5, 0.5, 0.0], 1.2),
        lambda: epl.compared(np.eye(4)[:3], PAIR, NOISELESS, NOISELESS),
        lambda: epl.compared(PAIR, PAIR, NOISELESS, NOISELESS, common=-1.0),
        lambda: epl.dephased(PAIR, math.nan),
        lambda: epl.epl_density(PAIR, PAIR, fast=-0.1),
    ],
)
def test_what_is_no_state_is_refused(call):
    with pytest.raises(QuantityError):
        call()
