"""Double downlinks: what is refused, what is warned of, and the shape of a pass."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from quantum_fabric.devices import Detector, sheet
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import Parts
from quantum_fabric.links.satellite import SatelliteDoubleDownlink, fly_over
from quantum_fabric.physics.optics.globe import Orbit, Place
from quantum_fabric.physics.optics.orbit import slant_range

NODE = sheet("node", "ideal")
PARTS = Parts(
    NODE,
    NODE,
    sheet("satellite", "micius-downlink"),
    (800e3, 1000e3),
    Detector(dark_rate=100.0, window=2500),
    sheet("pair_source", "micius"),
)
A, B = Place.degrees(37.4, 97.7), Place.degrees(43.5, 87.2)
ORBIT = Orbit.over(Place.degrees(40.5, 92.5), 500e3, math.radians(97.3))


def with_arms(*arms: float) -> Parts:
    return dataclasses.replace(PARTS, arms=arms)


def test_only_satellites() -> None:
    with pytest.raises(QuantityError, match="fibre: found fibre, expected a satellite's downlink"):
        SatelliteDoubleDownlink(
            dataclasses.replace(
                PARTS, fibre=sheet("fibre", "ideal"), arms=(10.0, 10.0), source=sheet("pair_source", "ideal")
            )
        )
    with pytest.raises(QuantityError, match="source: found nothing"):
        SatelliteDoubleDownlink(dataclasses.replace(PARTS, source=None, fibre=sheet("satellite", "ideal")))


@pytest.mark.parametrize("far", [2600e3, 400e3])
def test_satellites_that_are_not_in_the_sky(far: float) -> None:
    with pytest.raises(QuantityError, match=r"^arm b: found .* km, expected 500 km to 2573.1 km"):
        SatelliteDoubleDownlink(with_arms(800e3, far))


def test_satellites_too_low_to_look_at() -> None:
    low = float(slant_range(math.radians(9.0), 500e3))
    with pytest.raises(QuantityError, match="elevation at a: found 9 deg, expected at least 10 deg"):
        SatelliteDoubleDownlink(with_arms(low, 800e3))


def test_the_model_tells_where_it_is_stretched() -> None:
    down = dataclasses.replace(sheet("satellite", "micius-downlink"), lowest_elevation=0.0)
    low = float(slant_range(math.radians(5.0), 500e3))
    parts = dataclasses.replace(PARTS, fibre=down, arms=(low, low))
    cautions = SatelliteDoubleDownlink(parts).heralding().cautions
    assert [c.where for c in cautions] == ["elevation"]
    assert SatelliteDoubleDownlink(PARTS).heralding().cautions == ()


def test_a_pair_is_never_kept() -> None:
    assert not SatelliteDoubleDownlink(PARTS).stores


def test_a_pass_has_an_end() -> None:
    seen = fly_over(PARTS, ORBIT, A, B, np.arange(-600.0, 601.0, 20.0))
    assert seen.rate[0] == seen.rate[-1] == 0.0
    assert math.isinf(seen.loss[0])
    assert 0.0 < seen.duration < 400.0
    assert seen.pairs == pytest.approx(seen.mean_rate * seen.duration)
    assert seen.weights.sum(axis=1) == pytest.approx(1.0)
    visible = seen.rate > 0.0
    assert (seen.elevations[:, visible] >= math.radians(10.0)).all()
    assert seen.loss[visible].min() < seen.loss[visible][0]


def test_an_orbit_over_the_other_side_of_the_world() -> None:
    away = Orbit.over(Place.degrees(-40.5, -87.5), 500e3, math.radians(97.3))
    seen = fly_over(PARTS, away, A, B, np.arange(-60.0, 61.0, 20.0))
    assert (seen.pairs, seen.duration, seen.mean_rate) == (0.0, 0.0, 0.0)
    assert seen.fidelity == 0.25


@pytest.mark.parametrize("seconds", [[0.0], [0.0, 1.0, 3.0], [1.0, 0.0], [[0.0, 1.0]]])
def test_times_must_be_even(seconds: object) -> None:
    with pytest.raises(QuantityError, match="seconds: found shape"):
        fly_over(PARTS, ORBIT, A, B, np.asarray(seconds))
