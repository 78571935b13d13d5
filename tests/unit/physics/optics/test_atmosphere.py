"""Air: limits and domains. Independent calculations are in tests/oracles/test_optics.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optics import atmosphere

ELEVATIONS = st.floats(0.0, math.pi / 2)


def test_airmass_of_the_published_table() -> None:
    """Kasten and Young tabulate 38.1 at the horizon, 10.3 at 5 degrees and 1.99 at 30 degrees (recalled)."""
    values = atmosphere.airmass(np.radians([0.0, 5.0, 30.0, 90.0]))
    assert values == pytest.approx([38.0, 10.31, 1.994, 1.0], rel=5e-3)


def test_plane_air_is_the_limit_high_in_the_sky() -> None:
    for degrees, excess in ((90, 0.0), (60, 0.001), (30, 0.003), (10, 0.031)):
        h = math.radians(degrees)
        assert float(atmosphere.plane_airmass(h) / atmosphere.airmass(h)) == pytest.approx(
            1.0 + excess, abs=1.5e-3
        )


@given(ELEVATIONS, ELEVATIONS, st.floats(0.01, 1.0))
def test_more_air_less_light(one: float, other: float, zenith: float) -> None:
    low, high = sorted((one, other))
    assert (
        float(atmosphere.air_transmission(low, zenith))
        <= float(atmosphere.air_transmission(high, zenith)) + 1e-12
    )
    assert float(atmosphere.airmass(high)) <= float(atmosphere.airmass(low))


@pytest.mark.parametrize("elevation", [-1e-3, -1.0, 2.0, math.nan])
def test_below_the_horizon_is_refused(elevation: float) -> None:
    domain = r"an elevation in \[0 deg, 90 deg\], above the horizon"
    for call in (
        atmosphere.airmass,
        lambda h: atmosphere.fried(810e-9, h),
        lambda h: atmosphere.air_transmission(h, 0.8),
    ):
        with pytest.raises(QuantityError, match=rf"^elevation: found .* deg, expected {domain}"):
            call(elevation)


@given(st.floats(300e-9, 5e-6), st.floats(0.1, math.pi / 2))
def test_fried_parameter_grows_with_the_wavelength(wavelength: float, elevation: float) -> None:
    one, two = atmosphere.fried([wavelength, 2.0 * wavelength], elevation)
    assert two / one == pytest.approx(2.0**1.2, rel=1e-12)


def test_wander_does_not_depend_on_the_wavelength() -> None:
    angles = [float(atmosphere.wander(0.075, w, atmosphere.fried(w))) for w in (500e-9, 1550e-9)]
    assert angles[0] == pytest.approx(angles[1], rel=1e-12)


def test_still_air() -> None:
    assert float(atmosphere.fried_level(810e-9, 1e4, 0.0)) == math.inf
    assert float(atmosphere.wander(0.1, 810e-9, math.inf)) == 0.0
    assert float(atmosphere.fibre_coupling(1.0, math.inf)) == atmosphere.FIBRE_COUPLING
    assert float(atmosphere.long_term_radius(5.0, 1e6, 810e-9, math.inf)) == pytest.approx(5.0, rel=1e-9)


@given(st.floats(0.005, 1.0), st.floats(0.005, 1.0))
def test_turbulence_only_widens(one: float, other: float) -> None:
    strong, weak = sorted((one, other))
    wide, narrow = atmosphere.long_term_radius(5.0, 1e6, 810e-9, [strong, weak])
    assert wide >= narrow * (1 - 1e-9) >= 5.0 * (1 - 1e-9)


def test_background_goes_with_area_and_angle() -> None:
    base = float(atmosphere.background(1.0, 1e-4, 0.5, 1e-9, 810e-9))
    assert float(atmosphere.background(1.0, 2e-4, 0.5, 1e-9, 810e-9)) == pytest.approx(4.0 * base)
    assert float(atmosphere.background(1.0, 1e-4, 1.0, 2e-9, 810e-9)) == pytest.approx(8.0 * base)
    with pytest.raises(QuantityError, match="radiance"):
        atmosphere.background(-1.0, 1e-4, 0.5, 1e-9, 810e-9)
