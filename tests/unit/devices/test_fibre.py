"""Fibre sheets: loss, latency and band."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Fibre, build
from quantum_fabric.errors import QuantityError

LENGTHS = st.floats(0.0, 1e6)


def test_textbook_loss_and_latency() -> None:
    fibre = Fibre(attenuation=0.2e-3)
    assert fibre.transmission(50_000.0) == pytest.approx(0.1, rel=1e-14)
    assert fibre.transmission(0.0) == 1.0
    # 1.468 / c is 4.897 us per km; hollow core 3.346
    assert fibre.latency(1000.0) == pytest.approx(4_897_000, abs=500)
    assert Fibre(attenuation=0.0, group_index=1.003).latency(1000.0) == pytest.approx(3_346_000, abs=500)


@given(LENGTHS, LENGTHS)
def test_stretches_compose(one: float, two: float) -> None:
    fibre = Fibre(attenuation=0.2e-3)
    assert fibre.transmission(one + two) == pytest.approx(
        fibre.transmission(one) * fibre.transmission(two), rel=1e-9
    )
    assert abs(fibre.latency(one + two) - fibre.latency(one) - fibre.latency(two)) <= 1


@given(LENGTHS, st.floats(0.0, 30.0), st.floats(0.0, 30.0))
def test_losses_add_in_decibel(length: float, fixed: float, extra: float) -> None:
    fibre = Fibre(attenuation=0.3e-3, fixed_loss=fixed)
    assert fibre.loss(length, extra) == pytest.approx(0.3e-3 * length + fixed + extra)
    assert fibre.transmission(length, extra) == pytest.approx(10 ** (-fibre.loss(length, extra) / 10))
    assert 0.0 <= fibre.transmission(length, extra) <= 1.0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attenuation", -1e-4),
        ("attenuation", math.inf),
        ("group_index", 0.9),
        ("fixed_loss", -1.0),
        ("band_low", -1.0),
    ],
)
def test_domains(field: str, value: float) -> None:
    with pytest.raises(QuantityError, match=rf"^{field}: found"):
        Fibre(**{"attenuation": 0.0, field: value})


def test_attenuation_must_be_given() -> None:
    with pytest.raises(
        QuantityError, match="attenuation: found nothing, expected an attenuation of at least 0 dB/km"
    ):
        build(Fibre, {"group_index": 1.5})


def test_band() -> None:
    assert Fibre(attenuation=0.0).carries(637e-9)
    assert not Fibre(attenuation=0.0, band_low=1.5e-6, band_high=1.6e-6).carries(637e-9)
