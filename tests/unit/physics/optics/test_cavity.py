"""Reflection from a cavity with one emitter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optics.cavity import reflection


@given(st.floats(0, 1e4), st.floats(0.01, 1.0), st.floats(-50, 50), st.floats(-50, 50))
def test_no_gain(c: float, k: float, emitter: float, cavity: float) -> None:
    assert abs(complex(reflection(c, k, emitter, cavity))) <= 1.0 + 1e-12


def test_known_points() -> None:
    assert reflection([0.0, 1.0, 105.0]) == pytest.approx(np.array([0.0, 0.5, 105 / 106]))
    assert complex(reflection(0.0, 1.0)) == pytest.approx(-1.0)  # one perfect mirror: all light, sign flipped
    assert complex(reflection(1e9, 1.0)) == pytest.approx(1.0)
    assert complex(reflection(100.0, 0.5, emitter_detuning=1e6)) == pytest.approx(0.0, abs=1e-4)


def test_against_steady_state_of_the_equations_of_motion() -> None:
    """a' = -(κ/2 + iδκ)a - i g s + √(κ_w) in, s' = -(γ/2 + iδγ)s - i g a; out = in - √(κ_w) a, with κ = 1."""
    gamma, g, share, d_a, d_c = 0.3, 1.7, 0.4, 0.8, -0.6
    matrix = np.array([[0.5 + 1j * d_c, 1j * g], [1j * g, gamma / 2 + 1j * d_a * gamma]])
    field = np.linalg.solve(matrix, np.array([np.sqrt(share), 0.0]))[0]
    expected = 1.0 - np.sqrt(share) * field
    assert complex(reflection(4 * g * g / gamma, share, d_a, d_c)) == pytest.approx(expected)


def test_domain() -> None:
    for wrong in (
        {"cooperativity": -1.0},
        {"cooperativity": 1.0, "coupling": 0.0},
        {"cooperativity": 1.0, "coupling": 1.5},
    ):
        with pytest.raises(QuantityError):
            reflection(**wrong)
