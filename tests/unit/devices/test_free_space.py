"""Paths through the air: sheet, limits and cautions."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Carrier, FreeSpacePath, build, sheet
from quantum_fabric.errors import QuantityError

PATH = FreeSpacePath(
    waist=0.03,
    receiver_radius=0.075,
    pointing_jitter=5e-6,
    attenuation=0.5e-3,
    fixed_loss=2.0,
    turbulence=1e-15,
)


def test_it_is_a_carrier() -> None:
    carrier: Carrier = PATH
    assert carrier.carries(810e-9)
    assert not carrier.carries(1550e-9)
    assert carrier.band_low < 810e-9 < carrier.band_high


@given(st.floats(0.0, 50e3), st.floats(0.0, 30.0))
def test_loss_and_transmission_agree(length: float, extra: float) -> None:
    assert PATH.transmission(length, extra) == pytest.approx(
        10.0 ** (-PATH.loss(length, extra) / 10.0), rel=1e-9
    )
    assert 0.0 <= PATH.transmission(length, extra) <= 1.0


@given(st.floats(0.0, 30e3), st.floats(0.0, 30e3))
def test_farther_is_darker(one: float, other: float) -> None:
    near, far = sorted((one, other))
    assert PATH.loss(near) <= PATH.loss(far) + 1e-9


def test_each_cause_costs() -> None:
    still = dataclasses.replace(PATH, turbulence=0.0, pointing_jitter=0.0, attenuation=0.0, fixed_loss=0.0)
    base = still.loss(5e3)
    for field, value in (
        ("turbulence", 1e-14),
        ("pointing_jitter", 1e-5),
        ("attenuation", 1e-3),
        ("fixed_loss", 1.0),
    ):
        assert dataclasses.replace(still, **{field: value}).loss(5e3) > base


def test_light_in_air_is_hardly_slower_than_in_vacuum() -> None:
    assert PATH.latency(299_792.458) == pytest.approx(1e9 * 1.00027, abs=1)


def test_background_is_what_the_optics_let_through() -> None:
    lit = dataclasses.replace(PATH, radiance=1e3, field_of_view=1e-4, filter_bandwidth=1e-9)
    assert PATH.noise(1e3) == 0.0
    assert lit.noise(1e3) == lit.noise(9e3) > 0.0
    assert dataclasses.replace(lit, fixed_loss=12.0).noise(1e3) == pytest.approx(lit.noise(1e3) / 10.0)


def test_strong_turbulence_is_not_silent() -> None:
    assert PATH.cautions(1e3) == ()
    (caution,) = dataclasses.replace(PATH, turbulence=1e-13).cautions(3e3)
    assert caution.where == "turbulence"
    assert "scintillation" in str(caution)


def test_fading_exponent_without_jitter() -> None:
    assert dataclasses.replace(PATH, pointing_jitter=0.0).fading(1e3) == math.inf


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("waist", "0 cm"),
        ("pointing_jitter", "10"),
        ("turbulence", "-1e-15"),
        ("field_of_view", "4 rad"),
        ("radius", "1 m"),
    ],
)
def test_bad_sheets_name_the_field(field: str, text: str) -> None:
    good = {"waist": "3 cm", "receiver_radius": "7.5 cm"}
    with pytest.raises(QuantityError, match=rf"^path\.{field}: found"):
        build(FreeSpacePath, {**good, field: text}, where="path")


def test_islands() -> None:
    """143 km between two islands: some 16 dB in the mean by recalled numbers; far from the 36 dB of the same length of fibre."""
    assert 10.0 < sheet("free_space", "la-palma-tenerife").loss(143e3) < 30.0
