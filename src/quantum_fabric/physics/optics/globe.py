"""Orbits and ground stations as vectors over the turning Earth: several stations, a given inclination, a whole pass.

Frame: fixed to the Earth, origin at its centre, x towards latitude 0 and longitude 0, z towards the North Pole; m and s.
Limits are those of `quantum_fabric.physics.optics.orbit`: a sphere, and circles that do not precess.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats
from quantum_fabric.physics.optics.orbit import EARTH_RADIUS, angular_speed, check_altitude

EARTH_ROTATION: Final = 7.292_115e-5
"""Angular speed of the Earth against the stars, rad/s (WGS 84)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A ground station.

    Attributes:
        latitude: rad, in [−π/2, π/2].
        longitude: rad east.
        height: above the sphere, m.

    Raises:
        QuantityError: a latitude beyond the poles.

    Limits:
        Geographic latitude is used on the sphere as it is (it differs from the geocentric one by up to 0.2°).

    Examples:
        >>> round(float(np.linalg.norm(Place(0.6, 1.7).position)))
        6371009
    """

    latitude: float
    longitude: float
    height: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is on no globe."""
        if not abs(self.latitude) <= math.pi / 2:
            raise QuantityError(f"{math.degrees(self.latitude):.6g} deg", "[-90 deg, 90 deg]", "latitude")

    @classmethod
    def degrees(cls, latitude: float, longitude: float, height: float = 0.0) -> Place:
        """Make a place of degrees, as maps give them.

        Examples:
            >>> round(Place.degrees(45.0, 90.0).latitude, 6)
            0.785398
        """
        return cls(math.radians(latitude), math.radians(longitude), height)

    @property
    def position(self) -> Floats:
        """Vector from the Earth's centre in the frame that turns with it, m, shape ``(3,)``."""
        r, flat = EARTH_RADIUS + self.height, math.cos(self.latitude)
        east = (flat * math.cos(self.longitude), flat * math.sin(self.longitude))
        return np.asarray([r * east[0], r * east[1], r * math.sin(self.latitude)])


def great_circle(a: Place, b: Place) -> float:
    """Distance of two places along the sphere, m (haversine; heights do not count).

    Examples:
        >>> delingha, nanshan = Place.degrees(37.378786, 97.726947), Place.degrees(43.475461, 87.176686)
        >>> round(great_circle(delingha, nanshan) / 1e3, 1)
        1119.7
    """
    rise = math.sin((b.latitude - a.latitude) / 2.0) ** 2
    turn = math.sin((b.longitude - a.longitude) / 2.0) ** 2
    square = rise + math.cos(a.latitude) * math.cos(b.latitude) * turn
    return 2.0 * EARTH_RADIUS * math.asin(math.sqrt(min(square, 1.0)))


@dataclass(frozen=True, slots=True)
class Orbit:
    """A circular orbit.

    Attributes:
        altitude: m above the sphere, above 0.
        inclination: rad, in [0, π].
        node: longitude, at time 0, of the point where the orbit crosses the equator northwards, rad.
        phase: angle from there to the satellite at time 0, along the orbit, rad.

    Raises:
        QuantityError: no altitude, or an inclination outside its domain.

    Examples:
        >>> orbit = Orbit.over(Place.degrees(35.0, 98.0), 500e3, math.radians(97.3))
        >>> below = orbit.positions(0.0) / np.linalg.norm(orbit.positions(0.0))
        >>> round(math.degrees(math.asin(below[2])), 9)
        35.0
    """

    altitude: float
    inclination: float
    node: float = 0.0
    phase: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what does not orbit."""
        check_altitude(self.altitude)
        if not 0.0 <= self.inclination <= math.pi:
            raise QuantityError(
                f"{math.degrees(self.inclination):.6g} deg", "[0 deg, 180 deg]", "inclination"
            )

    @classmethod
    def over(cls, place: Place, altitude: float, inclination: float, *, northbound: bool = True) -> Orbit:
        """Make the orbit that passes over a place at time 0.

        Args:
            place: below the satellite at time 0.
            altitude: m.
            inclination: rad.
            northbound: flying north at that moment, or south.

        Raises:
            QuantityError: the inclination never reaches that latitude.
        """
        sine = math.sin(place.latitude) / max(math.sin(inclination), 1e-300)
        if abs(sine) > 1.0 + 1e-12:
            expected = (
                f"at least {abs(math.degrees(place.latitude)):.6g} deg from the equator's plane, the latitude"
            )
            raise QuantityError(f"{math.degrees(inclination):.6g} deg", expected, "inclination")
        phase = math.asin(max(-1.0, min(1.0, sine)))
        if not northbound:
            phase = math.pi - phase
        east = math.atan2(math.sin(phase) * math.cos(inclination), math.cos(phase))
        return cls(altitude, inclination, place.longitude - east, phase)

    def positions(self, seconds: ArrayLike) -> Floats:
        """Where the satellite is, in the frame that turns with the Earth.

        Args:
            seconds: shape ``(...)``.

        Returns:
            m, shape ``(..., 3)``.
        """
        t = np.asarray(seconds, dtype=np.float64)
        u = self.phase + angular_speed(self.altitude) * t
        node = self.node - EARTH_ROTATION * t
        tilt = math.cos(self.inclination)
        x = np.cos(node) * np.cos(u) - np.sin(node) * np.sin(u) * tilt
        y = np.sin(node) * np.cos(u) + np.cos(node) * np.sin(u) * tilt
        z = np.sin(u) * math.sin(self.inclination)
        return np.asarray((EARTH_RADIUS + self.altitude) * np.stack([x, y, z], axis=-1))


def sight(place: Place, positions: ArrayLike) -> tuple[Floats, Floats]:
    """Elevation and range of a satellite seen from a place.

    Args:
        place: the station.
        positions: of the satellite, m, shape ``(..., 3)``, as `Orbit.positions` gives them.

    Returns:
        Elevation in rad (negative below the horizon) and range in m, each of shape ``(...)``.

    Examples:
        >>> orbit = Orbit.over(Place.degrees(35.0, 98.0), 500e3, math.radians(97.3))
        >>> elevation, distance = sight(Place.degrees(35.0, 98.0), orbit.positions(0.0))
        >>> round(math.degrees(float(elevation)), 3), round(float(distance))
        (90.0, 500000)
    """
    station = place.position
    way = np.asarray(positions, dtype=np.float64) - station
    distance = np.linalg.norm(way, axis=-1)
    sine = way @ (station / np.linalg.norm(station)) / distance
    return np.asarray(np.arcsin(np.clip(sine, -1.0, 1.0))), np.asarray(distance)


def range_rate(orbit: Orbit, place: Place, seconds: ArrayLike) -> Floats:
    """How fast the range grows, m/s, by a central difference over 2 ms (error below 1e-3 m/s).

    Args:
        orbit: of the satellite.
        place: the station.
        seconds: shape ``(...)``.

    Returns:
        Shape ``(...)``, negative while the satellite comes nearer.

    Examples:
        >>> orbit = Orbit.over(Place.degrees(35.0, 98.0), 500e3, math.radians(97.3))
        >>> bool(abs(range_rate(orbit, Place.degrees(35.0, 98.0), 0.0)) < 1e-3)
        True
    """
    t = np.asarray(seconds, dtype=np.float64)
    later, earlier = (sight(place, orbit.positions(t + step))[1] for step in (1e-3, -1e-3))
    return np.asarray((later - earlier) / 2e-3)
