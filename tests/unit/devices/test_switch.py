"""Switches and couplers as extra loss in a path."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Coupler, Fibre, Switch, build, sheet
from quantum_fabric.errors import QuantityError


def test_a_path_through_two_switches() -> None:
    switch, fibre = sheet("switch", "beam-steering"), Fibre(attenuation=0.2e-3)
    assert fibre.loss(10_000.0, switch.loss(2)) == pytest.approx(2.0 + 2.0 * switch.insertion_loss)
    assert switch.loss(0) == 0.0


def test_crosstalk_in_photons() -> None:
    assert Switch(insertion_loss=1.0, crosstalk=40.0).leak(1e6) == pytest.approx(100.0)
    assert Switch(insertion_loss=1.0).leak(1e12) == 0.0


@given(st.floats(0.0, 1.0), st.floats(0.0, 10.0))
def test_a_coupler_makes_no_light(splitting: float, excess: float) -> None:
    coupler = Coupler(splitting, excess)
    total = coupler.transmission(1) + coupler.transmission(2)
    assert total == pytest.approx(10.0 ** (-excess / 10.0), rel=1e-12)


def test_no_light_at_all_is_infinite_loss() -> None:
    assert Coupler(splitting=1.0).loss(2) == math.inf
    assert Coupler(splitting=1.0).loss(1) == 0.0


@pytest.mark.parametrize(
    ("cls", "fields", "where"),
    [
        (Switch, {"insertion_loss": "-1 dB"}, "insertion_loss"),
        (Switch, {"insertion_loss": "1"}, "insertion_loss"),
        (Switch, {"insertion_loss": "1 dB", "ports": "0"}, "ports"),
        (Switch, {"insertion_loss": "1 dB", "switching_time": "-1 ms"}, "switching_time"),
        (Coupler, {"splitting": "110 %"}, "splitting"),
    ],
)
def test_bad_sheets_name_the_field(cls: type, fields: dict[str, str], where: str) -> None:
    with pytest.raises(QuantityError, match=f"^{where}: found"):
        build(cls, fields)


def test_wrong_use() -> None:
    with pytest.raises(QuantityError, match="output: found 3"):
        Coupler().transmission(3)
    with pytest.raises(QuantityError, match="passages: found -1"):
        Switch(insertion_loss=1.0).loss(-1)
    with pytest.raises(QuantityError, match="photons"):
        Switch(insertion_loss=1.0).leak(-1.0)
