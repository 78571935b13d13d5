"""How far satellites are, against the law of cosines and vectors of their own; and what is refused."""

from __future__ import annotations

import math

import pytest

from quantum_fabric import documents
from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.errors import DocumentError

RADIUS, ALTITUDE = 6_371_008.8, 500e3
NETWORK = """\
kind: network
version: 1
nodes:
- {{name: A, position: {{lon: 0, lat: 0}}}}
- {{name: B, position: {{lon: {lon}, lat: 0}}}}
links:
- between: [A, B]
  architecture: {architecture}
  source: {source}
  carrier: {carrier}
  {way}
"""
DOUBLE = {
    "architecture": "satellite_double_downlink",
    "source": "pair_source/ideal",
    "carrier": "satellite/ideal",
}
ONE = {"architecture": "direct_transmission", "source": "emitter/ideal", "carrier": "satellite/ideal"}


def write(way: str, lon: float = 8.0, kind: dict[str, str] = DOUBLE) -> str:
    return NETWORK.format(way=way, lon=lon, **kind)


def load(text: str) -> Inventory:
    made = documents.parse_document(text, "sky.yaml")
    assert isinstance(made, documents.NetworkDocument)
    return documents.inventory(made)


def arms(text: str) -> tuple[float, float]:
    return load(text).links["A~B"].model.parts.arms  # type: ignore[attr-defined,no-any-return]


def by_cosines(elevation: float) -> float:
    """Slant range from the triangle of the station, the satellite and the Earth's centre, by bisection over the angle there."""
    low, high = 0.0, math.acos(RADIUS / (RADIUS + ALTITUDE))
    for _ in range(80):
        angle = 0.5 * (low + high)
        x, y = (RADIUS + ALTITUDE) * math.sin(angle), (RADIUS + ALTITUDE) * math.cos(angle) - RADIUS
        low, high = (angle, high) if math.atan2(y, x) > elevation else (low, angle)
    return math.hypot(x, y)


def test_ranges_of_elevations() -> None:
    """Stations 8 degrees apart: with 40 degrees at each the feet of the satellite are 4.6 + 4.6 degrees away."""
    got = arms(write("elevations: [50 deg, 0.6 rad]", lon=8.5))
    assert got == pytest.approx((by_cosines(math.radians(50)), by_cosines(0.6)), rel=1e-9)


def test_ranges_of_a_place() -> None:
    text = write("overhead: {lon: 3, lat: 0}")
    for got, degrees in zip(arms(text), (3.0, 5.0), strict=True):
        c = math.radians(degrees)
        orbit = RADIUS + ALTITUDE
        assert got == pytest.approx(
            math.sqrt(RADIUS**2 + orbit**2 - 2 * RADIUS * orbit * math.cos(c)), rel=1e-9
        )


def test_a_moment_later_the_satellite_has_flown_on() -> None:
    """Over the equator, eastwards: n = sqrt(GM/r^3) against the turning Earth, 7.292e-5 rad/s."""
    orbit = RADIUS + ALTITUDE
    seconds = 30.0
    east = (math.sqrt(3.986004418e14 / orbit**3) - 7.292115e-5) * seconds
    got = arms(write("overhead: {lon: 3, lat: 0, inclination: 0 deg, after: 30 s}"))
    for length, degrees in zip(got, (3.0, -5.0), strict=True):
        c = math.radians(degrees) + east
        assert length == pytest.approx(
            math.sqrt(RADIUS**2 + orbit**2 - 2 * RADIUS * orbit * math.cos(c)), rel=1e-9
        )
    north, south = (
        arms(
            write(
                f"overhead: {{lon: 4, lat: 0, inclination: 90 deg, heading: {way}, after: {sign}20 s}}",
                lon=9.0,
            )
        )
        for way, sign in (("north", ""), ("south", ""))
    )
    assert north == pytest.approx(south, rel=1e-12)  # by the symmetry of stations on the equator


def test_one_way_down_and_up() -> None:
    """The satellite is one end: the first for a way down, the second for a way up."""
    down = load(write("elevations: [50 deg]", kind=ONE)).links["A~B"]
    assert down.length == pytest.approx(by_cosines(math.radians(50)), rel=1e-9)
    assert down.light_time == pytest.approx(down.length / 299_792_458.0 * 1e12, abs=1)
    seen = load(write("overhead: {lon: 8, lat: 2}", kind=ONE)).links["A~B"]
    up = {
        **ONE,
        "carrier": "uplink/ali-to-micius",
        "source": "{sheet: emitter/ideal, overrides: {wavelength: 780 nm}}",
    }
    lifted = load(write("overhead: {lon: 0, lat: 2}", kind=up)).links["A~B"]
    assert lifted.length == pytest.approx(seen.length, rel=1e-9)  # from A now, which stands as far from it


REFUSED = [
    ("elevations: [50 deg, -1 deg]", DOUBLE,
     "11: links[0].elevations[1]: found '-1 deg', expected an elevation from 0 deg, the horizon, to 90 deg"),
    ("elevations: [91 deg, 20 deg]", DOUBLE,
     "11: links[0].elevations[0]: found '91 deg', expected an elevation from 0 deg, the horizon, to 90 deg"),
    ("elevations: [50 deg]", DOUBLE, "11: links[0].elevations: found a list of 1, expected the elevation at A and at B"),
    ("elevations: [50 deg, 40 deg]", ONE, "11: links[0].elevations: found a list of 2, expected the elevation at B"),
    ("elevations: []", DOUBLE, "11: links[0].elevations: found a list of 0, expected a list of 1"),
    ("elevations: [50 km, 40 deg]", DOUBLE,
     "11: links[0].elevations[0]: found '50 km', expected an angle such as '15 deg' (units: rad, mrad, deg, °)"),
    ("elevations: [85 deg, 85 deg]", DOUBLE,
     "11: links[0].elevations: found 85 deg and 85 deg, expected elevations at which A and B see one satellite at 500 km"),
    ("overhead: {lon: 60, lat: 0}", DOUBLE,
     "11: links[0].overhead: found '-26.3 deg at A', expected an elevation from 0 deg, the horizon, to 90 deg"),
    ("overhead: {lon: 3, lat: 0, after: 20 s}", DOUBLE,
     "11: links[0].overhead: found after alone, expected inclination and after, or neither"),
    ("overhead: {lon: 3, lat: 60, inclination: 40 deg, after: 20 s}", DOUBLE,
     "11: links[0].overhead.inclination: found '40 deg', expected an inclination whose orbit passes over latitude 60"),
    ("overhead: {lon: 3, lat: 91}", DOUBLE, "11: links[0].overhead.lat: found 91, expected a number of at most 90"),
    ("overhead: {lon: 3, lat: 0, height: 5 km}", DOUBLE, "11: links[0].overhead.height: found the unknown field 'height'"),
    ("overhead: {lon: 3, lat: 0}\n  elevations: [50 deg, 40 deg]", DOUBLE,
     "7: links[0]: found elevations beside overhead, expected one of them: "),
    ("elevations: [50 deg, 40 deg]\n  length: 900 km", DOUBLE, "7: links[0]: found elevations beside length, expected one of"),
    ("elevations: [50 deg]", {**ONE, "carrier": "fibre/ideal"},
     "11: links[0].elevations: found elevations of a fibre path, expected a length: only the way from or to a satellite"),
    ("elevations: [5 deg, 40 deg]", {**DOUBLE, "carrier": "{sheet: satellite/ideal, overrides: {lowest_elevation: 10 deg}}"},
     "11: links[0].elevations[0]: found '5 deg', expected at least 10 deg, the lowest elevation in use"),
]  # fmt: skip


@pytest.mark.parametrize(("way", "kind", "told"), REFUSED)
def test_what_no_station_sees_is_refused(way: str, kind: dict[str, str], told: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load(write(way, kind=kind))
    lines = [line.removeprefix("sky.yaml:") for line in str(caught.value).splitlines()]
    assert lines[0].startswith(told)
    assert len(lines) == (2 if "deg at A" in told else 1)  # where both stations are too low, both are told


def test_stations_need_positions_in_degrees() -> None:
    text = write("overhead: {lon: 3, lat: 0}").replace("{lon: 0, lat: 0}", "{x: 0 km, y: 0 km}")
    with pytest.raises(
        DocumentError, match="A without lon and lat, expected stations whose position is given"
    ):
        load(text.replace(", position: {lon: 8.0, lat: 0}", ", position: {x: 900 km, y: 0 km}"))


def test_low_in_the_sky_is_cautioned_once() -> None:
    network = load(write("elevations: [6 deg, 6 deg]", lon=30.0))
    [caution] = network.cautions
    assert str(caution).startswith("A~B.elevation: 6 deg is outside the model's validity (at least 10 deg)")
