"""Where a satellite stands: circular orbits over a round Earth.

Angles are in rad, lengths in m, times in s. Closed forms for one station and a pass of given highest elevation; for several
stations, a given inclination and the turning Earth there are vectors, see `quantum_fabric.physics.optics.globe`.

Limits:
    The Earth is a sphere of mean radius. Against the ellipsoid, distances along the ground are wrong by up to 0.5 % and the
    altitude over a place by up to 14 km (the sphere is 7 km too small at the equator and 14 km too large at the poles), so a
    slant range of 1000 km is off by some km. Orbits are circles without precession (J2 turns the plane by some degrees a day, by
    less than 0.04° in a pass), drag or refraction (0.5° at the horizon, 0.09° at 10°).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.optics.atmosphere import check_elevation
from quantum_fabric.units import SPEED_OF_LIGHT

EARTH_RADIUS: Final = 6_371_008.8
"""Mean radius of the Earth, m (IUGG)."""

GRAVITATION: Final = 3.986_004_418e14
"""Gravitational constant times the mass of the Earth, m³/s² (WGS 84)."""


def slant_range(elevation: ArrayLike, altitude: ArrayLike) -> Floats:
    """Distance to a satellite that is seen at an elevation.

    Equation: L = sqrt(R² sin²h + 2 R H + H²) − R sin h.

    Args:
        elevation: h, rad, in [0, π/2].
        altitude: H above the station, m, above 0.

    Returns:
        m, from ``altitude`` at the zenith to sqrt(2RH + H²) at the horizon.

    Raises:
        QuantityError: below the horizon, or no altitude.

    Examples:
        >>> [round(float(slant_range(math.radians(h), 500e3)) / 1e3, 1) for h in (90, 30, 10)]
        [500.0, 909.4, 1694.6]
    """
    upward = EARTH_RADIUS * np.sin(check_elevation(elevation))
    H = check_altitude(altitude)
    # in this form nothing cancels high in the sky
    rest = 2.0 * EARTH_RADIUS * H + H**2
    return np.asarray(rest / (np.sqrt(upward**2 + rest) + upward))


def elevation_at(distance: ArrayLike, altitude: ArrayLike) -> Floats:
    """Elevation at which a satellite of an altitude stands at a distance: the inverse of `slant_range`.

    Args:
        distance: m, from the altitude to the distance of the horizon.
        altitude: m, above 0.

    Returns:
        rad, in [0, π/2].

    Raises:
        QuantityError: nearer than the altitude, or so far that it is below the horizon.

    Examples:
        >>> round(math.degrees(float(elevation_at(1_000_000.0, 500e3))), 2)
        26.18
        >>> elevation_at(3_000_000.0, 500e3)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: distance: found 3000 km, expected 500 km to 2573.1 km: beyond that the satellite \
is below the horizon (elevation in [0 deg, 90 deg])
    """
    L, H = np.broadcast_arrays(np.asarray(distance, dtype=np.float64), check_altitude(altitude))
    far = np.sqrt(2.0 * EARTH_RADIUS * H + H**2)
    inside = (L >= H * (1.0 - 1e-12)) & (far * (1.0 + 1e-12) >= L)
    if not inside.all():
        found, low, high = (float(array[~inside].flat[0]) / 1e3 for array in (L, H, far))
        domain = f"{low:.5g} km to {high:.5g} km: beyond that the satellite is below the horizon"
        raise QuantityError(f"{found:.5g} km", f"{domain} (elevation in [0 deg, 90 deg])", "distance")
    sine = (2.0 * EARTH_RADIUS * H + H**2 - L**2) / (2.0 * EARTH_RADIUS * L)
    return np.asarray(np.arcsin(np.clip(sine, 0.0, 1.0)))


def central_angle(elevation: ArrayLike, altitude: ArrayLike) -> Floats:
    """Angle at the Earth's centre between the station and the point below a satellite.

    Equation: c = arccos(R cos h / (R + H)) − h.

    Args:
        elevation: h, rad, in [0, π/2].
        altitude: H, m, above 0.

    Returns:
        rad; times the Earth's radius it is the distance along the ground.

    Raises:
        QuantityError: below the horizon, or no altitude.

    Examples:
        >>> round(math.degrees(float(central_angle(0.0, 500e3))), 2)
        21.99
    """
    h, H = check_elevation(elevation), check_altitude(altitude)
    return np.asarray(np.arccos(EARTH_RADIUS * np.cos(h) / (EARTH_RADIUS + H)) - h)


def elevation_over(angle: ArrayLike, altitude: ArrayLike) -> Floats:
    """Elevation, negative below the horizon, of a satellite that stands over a point at an angle from the station.

    Equation: tan h = (cos c − R/(R+H)) / sin c.

    Args:
        angle: c at the Earth's centre, rad, in [0, π].
        altitude: H, m, above 0.

    Returns:
        rad.

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> round(math.degrees(float(elevation_over(0.0, 500e3))), 9)
        90.0
    """
    c = check_range(angle, 0.0, math.pi, "angle")
    share = EARTH_RADIUS / (EARTH_RADIUS + check_altitude(altitude))
    return np.asarray(np.arctan2(np.cos(c) - share, np.sin(c)))


def range_over(angle: ArrayLike, altitude: ArrayLike) -> Floats:
    """Distance to a satellite that stands over a point at an angle from the station.

    Equation: L² = H² + 4 R (R + H) sin²(c/2). Over the middle between two stations c is half their separation over R, and
    both see it at the same range: the shortest summed range of a double downlink.

    Args:
        angle: c at the Earth's centre, rad, in [0, π].
        altitude: H, m, above 0.

    Returns:
        m; the satellite may be below the horizon, see `elevation_over`.

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> middle = 1_203_000.0 / 2 / EARTH_RADIUS  # Delingha and Lijiang; published: summed ranges from 1600 km on
        >>> round(2 * float(range_over(middle, 500e3)) / 1e3)
        1600
    """
    half = np.sin(check_range(angle, 0.0, math.pi, "angle") / 2.0)
    H = check_altitude(altitude)
    return np.asarray(np.sqrt(H**2 + 4.0 * EARTH_RADIUS * (EARTH_RADIUS + H) * half**2))


def farthest_stations(altitude: ArrayLike, lowest: ArrayLike = 0.0) -> Floats:
    """Largest distance along the ground of two stations that can see a satellite at the same time.

    Equation: 2 R c_low, with `central_angle` c.

    Args:
        altitude: m, above 0.
        lowest: elevation above which a station looks, rad, in [0, π/2].

    Returns:
        m.

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> round(float(farthest_stations(500e3, math.radians(10.0))) / 1e3)
        3126
    """
    return np.asarray(2.0 * EARTH_RADIUS * central_angle(lowest, altitude))


def angular_speed(altitude: ArrayLike) -> Floats:
    """Angular speed of a circular orbit, rad/s: sqrt(GM/(R+H)³).

    Examples:
        >>> round(2 * math.pi / float(angular_speed(500e3)) / 60, 2)  # minutes
        94.47
    """
    return np.asarray(np.sqrt(GRAVITATION / (EARTH_RADIUS + check_altitude(altitude)) ** 3))


def pass_duration(highest: ArrayLike, altitude: ArrayLike, lowest: ArrayLike = 0.0) -> Floats:
    """How long a satellite stays above an elevation during a pass.

    Equation: T = (2/n) arccos(cos c_low / cos c_high), with `central_angle` c and `angular_speed` n.

    Args:
        highest: highest elevation of the pass, rad, in [0, π/2].
        altitude: m, above 0.
        lowest: elevation above which it counts, rad, in [0, π/2].

    Returns:
        s; 0 where the pass stays below ``lowest``.

    Raises:
        QuantityError: outside the domain.

    Limits:
        The Earth stands still: with an inclined orbit its turning changes the duration by up to 7 %.

    Examples:
        >>> round(float(pass_duration(math.pi / 2, 500e3, math.radians(10.0))), 1)
        442.6
    """
    ratio = np.cos(central_angle(lowest, altitude)) / np.cos(central_angle(highest, altitude))
    return np.asarray(2.0 * np.arccos(np.minimum(ratio, 1.0)) / angular_speed(altitude))


def pass_elevation(seconds: ArrayLike, highest: ArrayLike, altitude: ArrayLike) -> Floats:
    """Elevation in the course of a pass.

    Equation: cos c(t) = cos c_high · cos(n t).

    Args:
        seconds: time from the highest point, s.
        highest: highest elevation, rad, in [0, π/2].
        altitude: m, above 0.

    Returns:
        rad, negative below the horizon.

    Raises:
        QuantityError: outside the domain.

    Limits:
        As for `pass_duration`.

    Examples:
        >>> round(math.degrees(float(pass_elevation(120.0, math.radians(60.0), 500e3))), 1)
        24.4
    """
    along = np.cos(angular_speed(altitude) * np.asarray(seconds, dtype=np.float64))
    cosine = np.cos(central_angle(highest, altitude)) * along
    return elevation_over(np.arccos(np.clip(cosine, -1.0, 1.0)), altitude)


def doppler(range_rate: ArrayLike, speed: ArrayLike = 0.0) -> Floats:
    """Received over emitted frequency.

    Equation: f'/f = sqrt(1 − v²/c²) / (1 + L'/c), emitter moving with speed v, range growing by L' per s.

    Args:
        range_rate: L', m/s, positive when they part.
        speed: v of the emitter against the receiver, m/s; 0 leaves the time dilation out.

    Returns:
        Ratio of frequencies.

    Raises:
        QuantityError: as fast as light.

    Limits:
        Gravity is left out (5·10⁻¹¹ at 500 km, against 2·10⁻⁵ of the motion).

    Examples:
        >>> round((float(doppler(-7000.0)) - 1.0) * 1e6, 2)
        23.35
    """
    beta = check_range(speed, 0.0, SPEED_OF_LIGHT * (1.0 - 1e-9), "speed") / SPEED_OF_LIGHT
    limit = SPEED_OF_LIGHT * (1.0 - 1e-9)
    return np.asarray(
        np.sqrt(1.0 - beta**2) / (1.0 + check_range(range_rate, -limit, limit, "range rate") / SPEED_OF_LIGHT)
    )


def point_ahead(cross_speed: ArrayLike) -> Floats:
    """Angle between where a satellite is seen and where a beam must be sent to meet it: 2 v_⊥/c.

    Args:
        cross_speed: speed across the line of sight, m/s, at least 0.

    Returns:
        rad.

    Raises:
        QuantityError: negative.

    Examples:
        >>> round(float(point_ahead(7612.0)) * 1e6, 1)
        50.8
    """
    return np.asarray(2.0 * check_range(cross_speed, 0.0, math.inf, "speed") / SPEED_OF_LIGHT)


def check_altitude(altitude: ArrayLike) -> Floats:
    """Turn altitudes into an array, refusing any that no orbit has.

    Raises:
        QuantityError: not above 0, or not finite.

    Examples:
        >>> check_altitude(-500e3)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: altitude: found -500 km, expected an altitude above 0 km
    """
    H = np.asarray(altitude, dtype=np.float64)
    sound = (H > 0.0) & np.isfinite(H)
    if not sound.all():
        found = float(H[~sound].flat[0]) / 1e3
        raise QuantityError(f"{found:g} km", "an altitude above 0 km", "altitude")
    return H
