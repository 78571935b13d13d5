"""Satellite double downlink: a pair source in orbit, one photon of each pair to each of two telescopes that measure at once.

The *arms* of the link are the two slant ranges; the carrier is a `Downlink`, which knows the elevation from them. One moment
is a link (`SatelliteDoubleDownlink`); a whole pass is a `Pass`, made by `fly_over`.

References: Yin et al., Science 356, 1140 (2017) and Nature 582, 501 (2020) (scheme); Neumann et al., PRA 104, 022406 (2021)
(coincidences of a continuous source).
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np

from quantum_fabric.devices import Downlink
from quantum_fabric.errors import QuantityError
from quantum_fabric.links.architecture import Architecture, Parameter
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.model import Heralding, Knob
from quantum_fabric.links.pair_distribution import PairDistribution
from quantum_fabric.links.parts import Parts
from quantum_fabric.physics.checks import Floats
from quantum_fabric.physics.merit import chsh_max
from quantum_fabric.physics.optics.globe import Orbit, Place, sight
from quantum_fabric.physics.optics.orbit import slant_range
from quantum_fabric.units import SECOND


@dataclass(frozen=True, slots=True)
class SatelliteDoubleDownlink:
    """A double downlink at one moment; it has no knob.

    Attributes:
        parts: carrier (a `Downlink`, the same kind of telescope at both ends), arms (the two slant ranges), source (a
            `PairSource`, in orbit) and detector; the nodes only measure. ``extra_loss`` tells unequal telescopes apart.

    Raises:
        QuantityError: a carrier that does not come down from a satellite, no pair source, or a range at which the satellite is
            below the horizon or below the lowest elevation.

    Limits:
        Those of `quantum_fabric.links.pair_distribution` and of `quantum_fabric.devices.Downlink`: transmissions are means over
        the fading, which is right for rates of coincidences as long as both arms fade independently.

    Examples:
        >>> from quantum_fabric.devices import Detector, sheet
        >>> node, down, source = sheet("node", "ideal"), sheet("satellite", "micius-downlink"), sheet("pair_source", "micius")
        >>> detector = Detector(efficiency=1.0, dark_rate=100.0, window=2500)
        >>> link = SatelliteDoubleDownlink(Parts(node, node, down, (800e3, 1000e3), detector, source))
        >>> point = link.heralding()
        >>> round(point.success / (point.period / 1e12), 2)  # coincidences per s
        0.79
    """

    architecture: ClassVar[str] = "satellite_double_downlink"
    stores: ClassVar[bool] = False
    knob: ClassVar[Knob | None] = None

    parts: Parts
    _down: Downlink = field(init=False, repr=False)
    _pairs: PairDistribution = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no downlink, and satellites that no telescope sees."""
        carrier = self.parts.fibre
        if not isinstance(carrier, Downlink):
            raise QuantityError(type(carrier).__name__.lower(), "a satellite's downlink", "fibre")
        for arm, distance in zip("ab", self.parts.arms, strict=True):
            try:
                elevation = carrier.elevation(distance)
            except QuantityError as error:
                raise QuantityError(error.found, error.expected, f"arm {arm}") from None
            if elevation < carrier.lowest_elevation - 1e-9:
                expected = (
                    f"at least {math.degrees(carrier.lowest_elevation):.4g} deg, the lowest elevation in use"
                )
                raise QuantityError(f"{math.degrees(elevation):.4g} deg", expected, f"elevation at {arm}")
        object.__setattr__(self, "_down", carrier)
        object.__setattr__(self, "_pairs", PairDistribution(self.parts))

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        """Numbers of the link; one attempt is one pulse or coincidence window.

        Args:
            setting: must be None.
            lanes: attempts that take turns, at least 1.

        Raises:
            QuantityError: a setting, or no lanes.
        """
        point = self._pairs.heralding(setting, lanes)
        # both arms may tell the same thing
        found = dict.fromkeys(c for distance in self.parts.arms for c in self._down.cautions(distance))
        return dataclasses.replace(point, cautions=(*point.cautions, *found))

    def under(self, conditions: Conditions) -> SatelliteDoubleDownlink:
        """The same link, out of alignment."""
        return SatelliteDoubleDownlink(self.parts.under(conditions))

    def total_transmission(self) -> float:
        """Transmission of both arms together."""
        return self.parts.total_transmission()


@dataclass(frozen=True, slots=True)
class Pass:
    """What two stations see and get while a satellite flies over; arrays over time.

    Attributes:
        seconds: times at which the pass was looked at, shape ``(n,)``, evenly spaced.
        elevations: rad at a and at b, shape ``(2, n)``, negative below the horizon.
        ranges: m, shape ``(2, n)``.
        rate: coincidences per s, shape ``(n,)``; 0 where the satellite is too low for either station.
        weights: Bell weights of the coincidences relative to the source's state, shape ``(n, 4)``; white where there are none.
        loss: dB of both arms together, shape ``(n,)``; infinite where the satellite is too low.
    """

    seconds: Floats
    elevations: Floats
    ranges: Floats
    rate: Floats
    weights: Floats
    loss: Floats

    @property
    def step(self) -> float:
        """Seconds between two looks."""
        return float(self.seconds[1] - self.seconds[0])

    @property
    def duration(self) -> float:
        """Seconds for which both stations see the satellite high enough."""
        return float(np.count_nonzero(self.rate > 0.0)) * self.step

    @property
    def pairs(self) -> float:
        """Coincidences of the whole pass (rectangle rule: each look stands for one step)."""
        return float(self.rate.sum()) * self.step

    @property
    def mean_rate(self) -> float:
        """Coincidences per s while both stations see the satellite."""
        return self.pairs / self.duration if self.duration > 0.0 else 0.0

    @property
    def mean_weights(self) -> Floats:
        """Bell weights of all coincidences of the pass together, shape ``(4,)``."""
        if self.pairs == 0.0:
            return np.full(4, 0.25)
        return np.asarray(self.rate @ self.weights / self.rate.sum())

    @property
    def fidelity(self) -> float:
        """Mean fidelity of the coincidences of the pass."""
        return float(self.mean_weights[0])

    @property
    def chsh(self) -> float:
        """CHSH parameter of all coincidences together, at the best settings."""
        return float(chsh_max(self.mean_weights))


def fly_over(parts: Parts, orbit: Orbit, a: Place, b: Place, seconds: Floats) -> Pass:
    """Integrate a pass over two stations.

    Equation: at each time the two slant ranges follow from the orbit, and the rate from `SatelliteDoubleDownlink`:
    R(t) = p(t)/attempt; pairs = Σ R Δt.

    Args:
        parts: of the link; their arms are replaced by the ranges of the pass. The carrier is a `Downlink`.
        orbit: of the satellite; its altitude takes the place of the carrier's.
        a: station of the first arm.
        b: station of the second arm.
        seconds: when to look, shape ``(n,)``, evenly spaced, n at least 2; a second is fine enough for a low orbit.

    Returns:
        The pass.

    Raises:
        QuantityError: a carrier that does not come down from a satellite, or times that are not evenly spaced.

    Limits:
        Clear sky all the time, trackers that never lose the satellite, detectors and source always on.
        The elevation comes from the vectors for what is seen, and from range and altitude for the loss; with stations on the
        sphere they agree.

    Examples:
        >>> from quantum_fabric.devices import Detector, sheet
        >>> node, down, source = sheet("node", "ideal"), sheet("satellite", "micius-downlink"), sheet("pair_source", "micius")
        >>> detector = Detector(efficiency=1.0, dark_rate=100.0, window=2500)
        >>> parts = Parts(node, node, down, (1e6, 1e6), detector, source)
        >>> delingha, nanshan = Place.degrees(37.378786, 97.726947), Place.degrees(43.475461, 87.176686)
        >>> orbit = Orbit.over(Place.degrees(40.6, 92.7), 500e3, math.radians(97.3))
        >>> seen = fly_over(parts, orbit, delingha, nanshan, np.arange(-300.0, 301.0, 10.0))
        >>> seen.duration, 0.3 < seen.mean_rate < 1.2, seen.chsh > 2.0
        (310.0, True, True)
    """
    if not isinstance(parts.fibre, Downlink):
        raise QuantityError(type(parts.fibre).__name__.lower(), "a satellite's downlink", "fibre")
    times = np.asarray(seconds, dtype=np.float64)
    steps = np.diff(times)
    if times.ndim != 1 or times.size < 2 or not np.allclose(steps, steps[0], rtol=1e-6) or steps[0] <= 0.0:
        raise QuantityError(f"shape {times.shape}", "at least two evenly spaced, rising times", "seconds")
    carrier = dataclasses.replace(parts.fibre, altitude=orbit.altitude)
    positions = orbit.positions(times)
    looks = [sight(place, positions) for place in (a, b)]
    elevations, ranges = (np.stack([look[part] for look in looks]) for part in (0, 1))
    # a station above the sphere would see the satellite a little nearer than the carrier's altitude allows
    nearest, farthest = orbit.altitude, float(slant_range(carrier.lowest_elevation, orbit.altitude))
    visible = (elevations >= carrier.lowest_elevation).all(axis=0)
    rate, loss = np.zeros(times.size), np.full(times.size, math.inf)
    weights = np.full((times.size, 4), 0.25)
    for index in np.flatnonzero(visible):
        first, second = (float(r) for r in np.clip(ranges[:, index], nearest, farthest))
        link = SatelliteDoubleDownlink(dataclasses.replace(parts, fibre=carrier, arms=(first, second)))
        point = link.heralding()
        rate[index] = point.success * SECOND / point.period
        weights[index] = point.weights
        loss[index] = -10.0 * math.log10(link.total_transmission())
    return Pass(times, elevations, ranges, rate, weights, loss)


ARCHITECTURE: Final = Architecture(
    name="satellite_double_downlink",
    title="pair source on a satellite, two telescopes on the ground that measure at once",
    make=SatelliteDoubleDownlink,
    needs=("pair source", "satellite"),
    bells=(0, 1, 2, 3),
    parameters=(
        Parameter("satellite", "pointing_jitter", "", "low", (0.0, 20e-6)),
        Parameter("satellite", "receiver_radius", "", "high", (0.1, 1.5)),
        Parameter("satellite", "zenith_transmission", "", "high", (0.2, 1.0)),
        Parameter("satellite", "receiver_loss", "", "low", (0.0, 20.0)),
        Parameter("satellite", "radiance", "low", "", (0.0, 1e6)),
        Parameter("link", "arms", "", "low", (500e3, 1600e3)),
        Parameter("detector", "efficiency", "", "high", (0.1, 1.0)),
        Parameter("detector", "dark_rate", "low", "", (0.0, 1e4)),
        Parameter("pair_source", "pair_rate", "", "high", (1e4, 1e7)),
        Parameter("pair_source", "fidelity", "high", "", (0.6, 1.0)),
    ),
    equation=(
        "arms T = (1 - e^(-2a²/w²)) · w²/(w²+4σ²L²) · T_zenith^airmass · optics at the elevation of the range L; coincidences "
        "B T_a T_b erf(√ln2 t/FWHM) true and (B T_a + d_a)(B T_b + d_b) t accidental"
    ),
    source="Yin et al., Science 356, 1140 (2017); Neumann et al., PRA 104, 022406 (2021)",
    limits="mean transmissions, clear sky, round Earth; white noise; a pair that is never kept",
    bound="end to end",
    oracle="tests/oracles/test_satellite_link.py::test_coincidences_by_monte_carlo_of_fading_and_clicks",
    example="""\
from quantum_fabric.devices import Detector, sheet
from quantum_fabric.links import build

node, down, source = sheet("node", "ideal"), sheet("satellite", "micius-downlink"), sheet("pair_source", "micius")
detector = Detector(dark_rate=100.0, window=2_500)
link = build("satellite_double_downlink", node, node, down, (800e3, 1_000e3), detector, source)
""",
)
"""Record of the catalogue."""
