"""The joint state after a herald, against 4x4 matrices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.links.joint import Joint

BELLS = np.array([[1, 0, 0, 1], [1, 0, 0, -1], [0, 1, 1, 0], [0, 1, -1, 0]]) / np.sqrt(2)
share = st.floats(0.0, 1.0)


@st.composite
def joints(draw: st.DrawFn) -> Joint:
    p = [draw(st.floats(0.001, 1.0)) for _ in range(4)]
    total = sum(p) / draw(st.floats(0.01, 1.0))
    p = [x / total for x in p]
    odd = draw(st.floats(-1.0, 1.0)) * (p[1] * p[2]) ** 0.5
    even = draw(st.floats(-1.0, 1.0)) * (p[0] * p[3]) ** 0.5
    return Joint(*p, odd, even)


def matrix(joint: Joint) -> np.ndarray:
    return np.array(joint.entries()).reshape(4, 4)


@given(joints())
def test_entries_are_a_state_and_weights_its_bell_diagonal(joint: Joint) -> None:
    rho = matrix(joint)
    assert np.trace(rho) == pytest.approx(1.0)
    assert np.allclose(rho, rho.conj().T)
    assert np.linalg.eigvalsh(rho).min() >= -1e-12
    for bell in range(4):
        expected = [float((BELLS[bell ^ r] @ rho @ BELLS[bell ^ r]).real) for r in range(4)]
        assert joint.weights(bell) == pytest.approx(expected, abs=1e-12)


@given(joints(), share, share)
def test_depolarising_against_partial_traces(joint: Joint, keep_a: float, keep_b: float) -> None:
    rho = matrix(joint).reshape(2, 2, 2, 2)
    half = np.eye(2) / 2
    mixed_a = np.einsum("ij,kl->ikjl", half, np.einsum("akal->kl", rho))
    rho = keep_a * rho + (1 - keep_a) * mixed_a
    mixed_b = np.einsum("ij,kl->ikjl", np.einsum("iaja->ij", rho), half)
    rho = keep_b * rho + (1 - keep_b) * mixed_b
    after = joint.depolarised(keep_a, keep_b)
    assert after.probability == pytest.approx(joint.probability)
    assert np.allclose(matrix(after), rho.reshape(4, 4), atol=1e-12)


def test_a_herald_that_cannot_happen() -> None:
    never = Joint(0.0, 0.0, 0.0, 0.0)
    assert never.weights(2) == (0.25, 0.25, 0.25, 0.25)
    assert np.allclose(matrix(never), np.eye(4) / 4)
    assert never.herald(2).probability == 0.0
