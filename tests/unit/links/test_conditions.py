"""Conditions of a link: domains and what a turned polarisation does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.links.conditions import ALIGNED, Conditions, analysed, turned


@pytest.mark.parametrize(
    "wrong",
    [{"phase": math.nan}, {"polarisation": (math.inf, 0.0)}, {"loss": (-0.1, 0.0)}, {"detectors": 1.1}],
)
def test_domains(wrong: dict[str, object]) -> None:
    with pytest.raises(QuantityError, match=next(iter(wrong))):
        Conditions(**wrong)  # type: ignore[arg-type]
    assert Conditions() == ALIGNED


def test_a_turn_about_an_unknown_axis_against_rotations_of_a_pair() -> None:
    """Mean over axes (quadrature) of the overlap of (U x 1) Φ+ with Φ+: |Tr U|²/4 = cos²(θ/2), and white."""
    theta = 0.9
    rho = np.zeros((4, 4), dtype=complex)
    phi = np.array([1, 0, 0, 1]) / math.sqrt(2)
    paulis = [np.array(m) for m in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]
    nodes, weights = np.polynomial.legendre.leggauss(8)
    for z, weight in zip(nodes, weights, strict=True):
        for azimuth in np.arange(8) * math.pi / 4:
            r = math.sqrt(1 - z * z)
            axis = (r * math.cos(azimuth), r * math.sin(azimuth), z)
            u = math.cos(theta / 2) * np.eye(2) - 1j * math.sin(theta / 2) * sum(
                n * p for n, p in zip(axis, paulis, strict=True)
            )
            psi = np.kron(u, np.eye(2)) @ phi
            rho += weight / 16 * np.outer(psi, psi.conj())
    w = turned(theta)
    werner = w * np.outer(phi, phi) + (1 - w) * np.eye(4) / 4
    assert np.allclose(rho, werner, atol=1e-12)


def test_a_polariser_takes_what_was_turned() -> None:
    for theta in (0.0, 0.3, 1.5):
        assert 10 ** (-analysed(theta) / 10) == pytest.approx(math.cos(theta / 2) ** 2)
    assert analysed(math.pi) == pytest.approx(60.0)
