"""How far a satellite is: from elevations at the stations, or from where it stands and where they are.

Angles on a sphere, as everywhere with satellites: see the limits of `quantum_fabric.physics.optics.orbit`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from quantum_fabric.devices import Downlink, SatellitePath
from quantum_fabric.documents.findings import Report
from quantum_fabric.documents.network_document import LinkDocument, Overhead, Position
from quantum_fabric.documents.reading import Place
from quantum_fabric.physics.optics import globe
from quantum_fabric.physics.optics.orbit import EARTH_RADIUS, central_angle, slant_range
from quantum_fabric.units import parse, show

Positions = Mapping[str, Position | None]
"""Name of each node -> where it is."""

ROUNDED: Final = math.radians(0.2)
"""Elevations and positions are rounded and the Earth is not round: by so much they may disagree, rad at the Earth's centre."""


def ranges(
    entry: LinkDocument,
    carrier: SatellitePath,
    both: bool,
    positions: Positions,
    place: Place,
    report: Report,
) -> tuple[float, float] | None:
    """Slant ranges of a link through space (m).

    Args:
        entry: the link, with ``elevations`` or ``overhead``.
        carrier: its way down or up; says the altitude and the lowest elevation in use.
        both: True where the satellite stands between two stations, False where it is an end of the link.
        positions: of the nodes.
        place: of the link.
        report: told of each fault.

    Returns:
        From each station to the satellite; where the satellite is an end, the whole way and 0. None where something is at fault.

    Examples:
        >>> down = Downlink(altitude=500e3, divergence=5e-6, receiver_radius=0.5)
        >>> link = LinkDocument(between=("A", "B"), elevations=("30 deg", "90 deg"))
        >>> [round(one / 1e3, 1) for one in ranges(link, down, True, {}, ("links", 0), print)]
        [909.4, 500.0]
        >>> low = LinkDocument(between=("A", "B"), elevations=("30 deg", "-2 deg"))
        >>> ranges(low, down, True, {}, ("links", 0), print)
        ('links', 0, 'elevations', 1) '-2 deg' an elevation from 0 deg, the horizon, to 90 deg
    """
    stations: tuple[str, ...] = entry.between if both else (_station(entry, carrier),)
    if entry.elevations is not None:
        if len(entry.elevations) != len(stations):
            found, expected = (
                f"a list of {len(entry.elevations)}",
                f"the elevation at {' and at '.join(stations)}",
            )
            report((*place, "elevations"), found, expected)
            return None
        angles = [parse(text, "angle") for text in entry.elevations]
        places: list[Place] = [(*place, "elevations", number) for number in range(len(angles))]
        if not _all_high(entry.elevations, angles, carrier, places, report):
            return None
        if both and not _meet(angles, carrier, [positions.get(name) for name in stations]):
            found = " and ".join(entry.elevations)
            expected = (
                f"elevations at which {stations[0]} and {stations[1]} see one satellite at {_height(carrier)}"
            )
            report((*place, "elevations"), found, expected)
            return None
        found_ranges = [float(slant_range(angle, carrier.altitude)) for angle in angles]
    else:
        assert entry.overhead is not None
        seen = _looks(entry.overhead, carrier, stations, positions, (*place, "overhead"), report)
        if seen is None:
            return None
        angles = [angle for angle, _ in seen]
        words = [
            f"{math.degrees(angle):.3g} deg at {name}" for angle, name in zip(angles, stations, strict=True)
        ]
        if not _all_high(words, angles, carrier, [(*place, "overhead")] * len(words), report):
            return None
        # rounding must not bring the satellite nearer than it flies
        found_ranges = [max(distance, carrier.altitude) for _, distance in seen]
    return (found_ranges[0], found_ranges[1] if both else 0.0)


def _station(entry: LinkDocument, carrier: SatellitePath) -> str:
    """The end of a link that stands on the ground: light goes from the first end to the second one."""
    return entry.between[1 if isinstance(carrier, Downlink) else 0]


def _all_high(
    words: tuple[str, ...] | list[str],
    angles: list[float],
    carrier: SatellitePath,
    places: list[Place],
    report: Report,
) -> bool:
    """Say whether every station sees the satellite high enough; report each that does not."""
    sound = True
    for word, angle, place in zip(words, angles, places, strict=True):
        lowest = carrier.lowest_elevation
        if not 0.0 <= angle <= math.pi / 2 + 1e-12:
            report(place, repr(word), "an elevation from 0 deg, the horizon, to 90 deg")
        elif angle < lowest - 1e-9:
            report(place, repr(word), f"at least {math.degrees(lowest):.4g} deg, the lowest elevation in use")
        else:
            continue
        sound = False
    return sound


def _meet(angles: list[float], carrier: SatellitePath, positions: list[Position | None]) -> bool:
    """Whether one satellite can be seen at both elevations, as far as the stations' places are known."""
    if any(position is None or position.lon is None for position in positions):
        return True
    first, second = (_place(position) for position in positions if position is not None)
    apart = globe.great_circle(first, second) / EARTH_RADIUS
    a, b = (float(central_angle(angle, carrier.altitude)) for angle in angles)
    return abs(a - b) - ROUNDED <= apart <= a + b + ROUNDED


def _looks(
    overhead: Overhead,
    carrier: SatellitePath,
    stations: tuple[str, ...],
    positions: Positions,
    place: Place,
    report: Report,
) -> list[tuple[float, float]] | None:
    """Elevation and range of the satellite from each station."""
    for name in stations:
        position = positions.get(name)
        if position is None or position.lon is None:
            report(place, f"{name} without lon and lat", "stations whose position is given in degrees")
            return None
    below = globe.Place.degrees(overhead.lat, overhead.lon)
    if overhead.inclination is None:
        # where it flies to does not matter: over the pole and back, at time 0
        orbit, after = globe.Orbit.over(below, carrier.altitude, math.pi / 2), 0.0
    else:
        tilt = parse(overhead.inclination, "angle")
        if not abs(below.latitude) <= min(tilt, math.pi - tilt) + 1e-12:
            expected = f"an inclination whose orbit passes over latitude {overhead.lat:g}"
            report((*place, "inclination"), repr(overhead.inclination), expected)
            return None
        after = parse(overhead.after or "0 s", "time")
        orbit = globe.Orbit.over(below, carrier.altitude, tilt, northbound=overhead.heading == "north")
    where = orbit.positions(after)
    looks = []
    for name in stations:
        position = positions[name]
        assert position is not None
        elevation, distance = globe.sight(_place(position), where)
        looks.append((float(elevation), float(distance)))
    return looks


def _place(position: Position) -> globe.Place:
    assert position.lon is not None
    assert position.lat is not None
    return globe.Place.degrees(position.lat, position.lon)


def _height(carrier: SatellitePath) -> str:
    return show(carrier.altitude, "length", 4)
