"""Raman light: limits and domains. The integral along the fibre is in tests/oracles/test_optics.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optics import raman

LENGTHS = st.floats(0.0, 5e5)


@given(LENGTHS, st.floats(0.0, 1e-3))
def test_backward_light_is_the_stronger(length: float, attenuation: float) -> None:
    given_ = (1e-3, 2e-3, 1e-10, length, attenuation)
    assert float(raman.backward(*given_)) >= float(raman.forward(*given_)) * (1.0 - 1e-9)


def test_without_attenuation_both_are_alike() -> None:
    assert float(raman.forward(1e-3, 2e-3, 1e-10, 1e4, 0.0)) == pytest.approx(2e-12, rel=1e-12)
    assert float(raman.backward(1e-3, 2e-3, 1e-10, 1e4, 0.0)) == pytest.approx(2e-12, rel=1e-12)
    assert float(raman.backward(1e-3, 2e-3, 1e-10, 1e4, 1e-15)) == pytest.approx(2e-12, rel=1e-9)


def test_backward_light_saturates() -> None:
    far = float(raman.backward(1e-3, 2e-3, 1e-10, 1e6, 0.2e-3))
    assert far == pytest.approx(2e-16 / (2.0 * 0.2e-3 * raman.NEPERS), rel=1e-9)


@given(LENGTHS, st.floats(0.0, 10.0))
def test_linear_in_power(length: float, factor: float) -> None:
    one = float(raman.forward(1e-3, 2e-3, 1e-10, length, 0.2e-3))
    assert float(raman.forward(factor * 1e-3, 2e-3, 1e-10, length, 0.2e-3)) == pytest.approx(
        factor * one, rel=1e-9
    )


@pytest.mark.parametrize("index", range(5))
def test_domains(index: int) -> None:
    names = ("power", "coefficient", "bandwidth", "length", "attenuation")
    arguments = [1e-3, 2e-3, 1e-10, 1e4, 2e-4]
    arguments[index] *= -1.0
    for call in (raman.forward, raman.backward):
        with pytest.raises(QuantityError, match=f"^{names[index]}: found"):
            call(*arguments)
