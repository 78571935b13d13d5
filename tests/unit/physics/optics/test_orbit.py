"""Orbits: domains and special points. Vectors against closed forms are in tests/oracles/test_orbit.py."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optics import globe, orbit


def test_zenith_and_horizon() -> None:
    assert float(orbit.slant_range(math.pi / 2, 500e3)) == pytest.approx(500e3, rel=1e-14)
    assert float(orbit.slant_range(0.0, 500e3)) == pytest.approx(
        math.sqrt(2 * orbit.EARTH_RADIUS * 5e5 + 25e10)
    )
    assert float(orbit.elevation_at(orbit.slant_range(0.0, 500e3), 500e3)) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("elevation", [-0.1, 1.6])
def test_below_the_horizon_is_refused(elevation: float) -> None:
    for call in (orbit.slant_range, orbit.central_angle):
        with pytest.raises(
            QuantityError, match=r"^elevation: found .* deg, expected an elevation in \[0 deg, 90 deg\]"
        ):
            call(elevation, 500e3)


@pytest.mark.parametrize("distance", [499e3, 3000e3, math.nan])
def test_ranges_that_no_pass_has(distance: float) -> None:
    with pytest.raises(QuantityError, match=r"^distance: found .* km, expected 500 km to 2573.1 km"):
        orbit.elevation_at(distance, 500e3)


@pytest.mark.parametrize("altitude", [0.0, -1.0, math.inf, math.nan])
def test_altitudes_that_no_orbit_has(altitude: float) -> None:
    with pytest.raises(QuantityError, match="altitude: found"):
        orbit.slant_range(0.5, altitude)
    with pytest.raises(QuantityError, match="altitude: found"):
        globe.Orbit(altitude, 1.0)


def test_places_and_orbits_that_are_none() -> None:
    with pytest.raises(QuantityError, match=r"latitude: found 91 deg, expected \[-90 deg, 90 deg\]"):
        globe.Place.degrees(91.0, 0.0)
    with pytest.raises(QuantityError, match="inclination: found 200 deg"):
        globe.Orbit(500e3, math.radians(200.0))
    with pytest.raises(QuantityError, match=r"inclination: found 28\.5 deg"):
        globe.Orbit.over(globe.Place.degrees(52.0, 4.0), 500e3, math.radians(28.5))


def test_faster_than_light_is_refused() -> None:
    with pytest.raises(QuantityError, match="range rate"):
        orbit.doppler(3.1e8)


def test_arrays_keep_their_shape() -> None:
    flight = globe.Orbit(500e3, 1.0)
    elevation, distance = globe.sight(globe.Place(0.0, 0.0), flight.positions(np.zeros((3, 2))))
    assert elevation.shape == distance.shape == (3, 2)
    assert orbit.slant_range(np.array([0.1, 0.2]), 500e3).shape == (2,)


def test_antipodes() -> None:
    half = globe.great_circle(globe.Place(0.3, 0.2), globe.Place(-0.3, 0.2 + math.pi))
    assert half == pytest.approx(math.pi * orbit.EARTH_RADIUS, rel=1e-9)
