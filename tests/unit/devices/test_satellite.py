"""Downlinks: sheet, geometry, budget. The published attenuation is checked in tests/oracles/test_satellite_link.py."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Carrier, Downlink, SatellitePath, Uplink, build, sheet
from quantum_fabric.errors import QuantityError

DOWN = Downlink(
    altitude=500e3,
    divergence=5e-6,
    receiver_radius=0.6,
    pointing_jitter=0.5e-6,
    zenith_transmission=0.8,
    transmitter_loss=1.0,
    receiver_loss=3.0,
)
RANGES = st.floats(500e3, 2500e3)


def test_it_is_a_carrier() -> None:
    carrier: Carrier = DOWN
    assert carrier.latency(299_792_458.0 * 1e-3) == 1_000_000_000
    assert carrier.carries(810e-9)


@given(RANGES, st.floats(0.0, 20.0))
def test_budget_adds_up(length: float, extra: float) -> None:
    assert DOWN.loss(length, extra) == pytest.approx(sum(DOWN.budget(length).values()) + extra, rel=1e-12)
    assert DOWN.transmission(length, extra) == pytest.approx(
        10.0 ** (-DOWN.loss(length, extra) / 10.0), rel=1e-12
    )
    assert min(DOWN.budget(length).values()) >= 0.0


@given(RANGES, RANGES)
def test_farther_is_lower_and_darker(one: float, other: float) -> None:
    near, far = sorted((one, other))
    assert DOWN.elevation(near) >= DOWN.elevation(far)
    assert DOWN.loss(near) <= DOWN.loss(far) + 1e-9


@pytest.mark.parametrize("length", [0.0, 499e3, 2600e3])
def test_ranges_that_the_orbit_does_not_have(length: float) -> None:
    with pytest.raises(QuantityError, match=r"below the horizon \(elevation in \[0 deg, 90 deg\]\)"):
        DOWN.transmission(length)


def test_a_fixed_error_costs_like_a_missed_beam() -> None:
    steady = dataclasses.replace(DOWN, pointing_jitter=0.0, pointing_bias=2.5e-6)
    # half a beam radius off: exp(-1/2) of the intensity, for a small telescope
    assert steady.budget(1000e3)["pointing"] == pytest.approx(10.0 * 0.5 / math.log(10.0), rel=0.03)


def test_single_mode_fibre_without_adaptive_optics() -> None:
    coupled = dataclasses.replace(DOWN, single_mode=True, fried_parameter=0.1)
    high, low = coupled.budget(500e3)["fibre coupling"], coupled.budget(1500e3)["fibre coupling"]
    assert high == pytest.approx(-10.0 * math.log10(0.8145 / 145.0), abs=0.05)
    assert low > high
    assert DOWN.budget(500e3)["fibre coupling"] == 0.0
    calm = dataclasses.replace(coupled, fried_parameter=math.inf)
    assert calm.budget(500e3)["fibre coupling"] == pytest.approx(0.891, abs=1e-3)


def test_low_satellites_are_not_silent() -> None:
    assert DOWN.cautions(1000e3) == ()
    assert [c.where for c in DOWN.cautions(2000e3)] == ["elevation"]
    wide = dataclasses.replace(DOWN, receiver_radius=3.0)
    assert [c.where for c in wide.cautions(1000e3)] == ["beam radius"]


def test_background() -> None:
    lit = dataclasses.replace(DOWN, radiance=1e3, field_of_view=1e-4, filter_bandwidth=1e-9)
    assert lit.noise(500e3) == lit.noise(1500e3) > 0.0
    fibre = dataclasses.replace(lit, single_mode=True, fried_parameter=0.1)
    assert 0.0 < fibre.noise(500e3) < 1e-3 * lit.noise(500e3)
    assert dataclasses.replace(lit, receiver_loss=13.0).noise(5e5) == pytest.approx(lit.noise(5e5) / 10.0)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("altitude", "-500 km"),
        ("altitude", "0 km"),
        ("divergence", "10"),
        ("zenith_transmission", "1.2"),
        ("lowest_elevation", "-5 deg"),
        ("lowest_elevation", "95 deg"),
        ("elevation", "10 deg"),
        ("receiver_loss", "-1 dB"),
    ],
)
def test_bad_sheets_name_the_field(field: str, text: str) -> None:
    good = {"altitude": "500 km", "divergence": "10 urad", "receiver_radius": "0.6 m"}
    with pytest.raises(QuantityError, match=rf"^link\.{field}: found"):
        build(Downlink, {**good, field: text}, where="link")


def test_simulated_satellite() -> None:
    """3 µrad half angle, 1 µrad jitter, 1 m telescope at 400 km: by hand 5.34 dB and 1.4 dB at the zenith."""
    budget = sheet("satellite", "simulated-leo").budget(400e3)
    assert budget["diffraction"] == pytest.approx(5.34, abs=0.01)
    assert budget["pointing"] == pytest.approx(1.4, abs=0.1)


def test_the_way_up_is_spread_by_the_air_and_the_way_down_is_not() -> None:
    down = dataclasses.replace(DOWN, fried_parameter=0.05)
    fields = {one.name: getattr(down, one.name) for one in dataclasses.fields(SatellitePath)}
    up = Uplink(**fields)
    assert up.beam(1000e3) > 2.0 * down.beam(1000e3) == 2.0 * DOWN.beam(1000e3)
    # the same telescopes without turbulence: the two ways are one
    assert Uplink(**{**fields, "fried_parameter": math.inf}).loss(1000e3) == pytest.approx(
        DOWN.loss(1000e3), rel=1e-9
    )
    # the light reaches the satellite with flat waves: a fibre there takes what a fibre can
    assert dataclasses.replace(up, single_mode=True).budget(1000e3)["fibre coupling"] == pytest.approx(
        0.891, abs=1e-3
    )
