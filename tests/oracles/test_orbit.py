"""Orbits: closed forms against vectors in three dimensions, and both against published distances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.physics.optics import globe, orbit

ALTITUDES = st.floats(200e3, 36_000e3)
ELEVATIONS = st.floats(0.0, math.pi / 2)


@given(ELEVATIONS, ALTITUDES)
def test_slant_range_by_vectors(elevation: float, altitude: float) -> None:
    """Walk from the station along the line of sight: the end lies at the altitude."""
    distance = float(orbit.slant_range(elevation, altitude))
    end = np.array([distance * math.cos(elevation), orbit.EARTH_RADIUS + distance * math.sin(elevation)])
    assert np.linalg.norm(end) == pytest.approx(orbit.EARTH_RADIUS + altitude, rel=1e-12)
    ground = math.atan2(end[0], end[1])
    assert float(orbit.central_angle(elevation, altitude)) == pytest.approx(ground, abs=1e-8)
    assert float(orbit.elevation_over(ground, altitude)) == pytest.approx(elevation, abs=1e-6)


@given(ELEVATIONS, ALTITUDES)
def test_elevation_is_the_inverse_of_range(elevation: float, altitude: float) -> None:
    distance = orbit.slant_range(elevation, altitude)
    assert altitude * (1 - 1e-12) <= float(distance)
    # near the zenith the range hardly depends on the elevation
    assert math.sin(float(orbit.elevation_at(distance, altitude))) == pytest.approx(
        math.sin(elevation), abs=1e-9
    )


def test_published_coordinates() -> None:
    """Delingha and Nanshan are 1120 km apart (Yin et al., Nature 582, 501 (2020)); also by the angle of two vectors."""
    delingha, nanshan = globe.Place.degrees(37.378786, 97.726947), globe.Place.degrees(43.475461, 87.176686)
    distance = globe.great_circle(delingha, nanshan)
    assert distance == pytest.approx(1_119_700.0, abs=50.0)
    chord = np.linalg.norm(delingha.position - nanshan.position)
    assert distance == pytest.approx(
        2 * orbit.EARTH_RADIUS * math.asin(chord / 2 / orbit.EARTH_RADIUS), rel=1e-12
    )


def test_period_of_geostationary_orbit() -> None:
    """A satellite at 42,164 km from the centre turns with the Earth."""
    assert float(orbit.angular_speed(42_164_170.0 - orbit.EARTH_RADIUS)) == pytest.approx(
        globe.EARTH_ROTATION, rel=1e-6
    )


def still(altitude: float, aside: float) -> tuple[globe.Orbit, globe.Place]:
    """A polar orbit and a station beside it; with the closed forms the Earth does not turn."""
    return globe.Orbit(altitude, math.pi / 2), globe.Place(0.0, aside)


@pytest.mark.parametrize("highest", [85.0, 60.0, 30.0, 15.0])
def test_pass_by_vectors(highest: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(globe, "EARTH_ROTATION", 0.0)
    top = math.radians(highest)
    flight, station = still(500e3, float(orbit.central_angle(top, 500e3)))
    times = np.linspace(-400.0, 400.0, 801)
    elevation, distance = globe.sight(station, flight.positions(times))
    assert np.allclose(elevation, orbit.pass_elevation(times, top, 500e3), atol=1e-9)
    seen = elevation > 0.0
    assert np.allclose(distance[seen], orbit.slant_range(elevation[seen], 500e3), rtol=1e-9)
    # duration above 10 degrees: where the sampled elevation crosses it
    fine = np.linspace(0.0, 400.0, 400_001)
    above = globe.sight(station, flight.positions(fine))[0] > math.radians(10.0)
    assert float(orbit.pass_duration(top, 500e3, math.radians(10.0))) == pytest.approx(
        2e-3 * above.sum(), abs=0.01
    )


def test_a_pass_too_low_has_no_duration() -> None:
    assert float(orbit.pass_duration(math.radians(9.0), 500e3, math.radians(10.0))) == 0.0


def test_the_turning_earth_changes_a_pass_by_some_per_cent() -> None:
    """Retrograde 97.3 degrees against the closed form: the documented 7 % is not exceeded for the directions that there are."""
    worst = 0.0
    for inclination in (0.0, 51.6, 97.3, 180.0):
        place = globe.Place(0.0, 0.0)
        flight = globe.Orbit.over(place, 500e3, math.radians(inclination))
        times = np.linspace(-400.0, 400.0, 80_001)
        above = globe.sight(place, flight.positions(times))[0] > math.radians(10.0)
        closed = float(orbit.pass_duration(math.pi / 2, 500e3, math.radians(10.0)))
        worst = max(worst, abs(0.01 * above.sum() / closed - 1.0))
    assert 0.03 < worst < 0.08


@given(st.floats(-1.2, 1.2), st.floats(-3.0, 3.0), st.floats(1.3, 1.8), st.booleans())
def test_orbit_over_a_place(latitude: float, longitude: float, inclination: float, northbound: bool) -> None:
    place = globe.Place(latitude, longitude)
    flight = globe.Orbit.over(place, 600e3, inclination, northbound=northbound)
    elevation, distance = globe.sight(place, flight.positions(0.0))
    assert float(distance) == pytest.approx(600e3, rel=1e-9)
    assert float(elevation) == pytest.approx(math.pi / 2, abs=1e-5)
    climbs = flight.positions(1.0)[2] > flight.positions(0.0)[2]
    assert bool(climbs) == northbound or abs(abs(latitude) - min(inclination, math.pi - inclination)) < 0.02


def test_doppler_from_ranges() -> None:
    """Count wave fronts: the change of range over a second against the rate, at the rise and at the top of a pass."""
    place = globe.Place.degrees(37.4, 97.7)
    flight = globe.Orbit.over(place, 500e3, math.radians(97.3))
    times = np.array([-200.0, -100.0, 0.0, 150.0])
    rate = globe.range_rate(flight, place, times)
    halves = [globe.sight(place, flight.positions(times + step))[1] for step in (0.05, -0.05)]
    assert np.allclose(rate, (halves[0] - halves[1]) / 0.1, atol=0.1)
    assert rate[0] < rate[1] < -1000.0
    assert abs(rate[2]) < 1.0
    shift = orbit.doppler(rate) - 1.0
    assert shift[0] == pytest.approx(-rate[0] / 299_792_458.0, rel=1e-4)
    assert 1e-5 < shift[0] < 3e-5  # a low satellite: some 2e-5
    # the exact factor of special relativity for head-on motion, sqrt((1-b)/(1+b))
    beta = 7600.0 / 299_792_458.0
    assert float(orbit.doppler(7600.0, 7600.0)) == pytest.approx(
        math.sqrt((1 - beta) / (1 + beta)), rel=1e-14
    )


def test_point_ahead_of_a_low_satellite() -> None:
    """While light goes up and down again the satellite moves on: exact to first order in v/c."""
    altitude = 500e3
    speed = float(orbit.angular_speed(altitude)) * (orbit.EARTH_RADIUS + altitude)
    trip = 2.0 * altitude / 299_792_458.0
    assert float(orbit.point_ahead(speed)) == pytest.approx(speed * trip / altitude, rel=1e-12)
    assert float(orbit.point_ahead(speed)) == pytest.approx(50.8e-6, rel=2e-3)


def test_two_stations_see_one_satellite() -> None:
    """Delingha and Lijiang, 1203 km apart: a pass over the middle has summed ranges from some 1600 to 2400 km (published)."""
    delingha, lijiang = globe.Place.degrees(37.378786, 97.726947), globe.Place.degrees(26.694, 100.029)
    assert globe.great_circle(delingha, lijiang) == pytest.approx(1_203_000.0, rel=0.01)
    middle = globe.Place(
        (delingha.latitude + lijiang.latitude) / 2, (delingha.longitude + lijiang.longitude) / 2
    )
    flight = globe.Orbit.over(middle, 500e3, math.radians(97.3), northbound=False)
    times = np.linspace(-300.0, 300.0, 601)
    seen = [globe.sight(place, flight.positions(times)) for place in (delingha, lijiang)]
    both = np.minimum(seen[0][0], seen[1][0]) > math.radians(10.0)
    total = (seen[0][1] + seen[1][1])[both]
    assert total.min() == pytest.approx(1600e3, rel=0.05)
    assert 1900e3 < total.max() < 2500e3
    assert 150 < both.sum() < 320  # seconds


@given(st.floats(0.0, 0.5), ALTITUDES)
def test_view_from_two_stations_over_their_middle(half: float, altitude: float) -> None:
    """Two places, a satellite over the point between them: vectors against the closed forms."""
    places = globe.Place(0.0, -half), globe.Place(0.0, half)
    above = np.array([orbit.EARTH_RADIUS + altitude, 0.0, 0.0])
    for place in places:
        elevation, distance = globe.sight(place, above)
        assert float(distance) == pytest.approx(float(orbit.range_over(half, altitude)), rel=1e-12)
        assert float(elevation) == pytest.approx(float(orbit.elevation_over(half, altitude)), abs=1e-6)
    apart = globe.great_circle(*places)
    if apart <= float(orbit.farthest_stations(altitude)) - 1.0:
        assert globe.sight(places[0], above)[0] > 0.0
    if apart >= float(orbit.farthest_stations(altitude)) + 1.0:
        assert globe.sight(places[0], above)[0] < 0.0
