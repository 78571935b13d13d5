"""The double downlink by simulation of fading and clicks, and against what was published of Micius."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from quantum_fabric.devices import Detector, Downlink, PairSource, sheet
from quantum_fabric.links.parts import Parts
from quantum_fabric.links.satellite import Pass, SatelliteDoubleDownlink, fly_over
from quantum_fabric.physics.optics.globe import Orbit, Place
from quantum_fabric.units import SECOND

SEED = 20_241_122
NODE = sheet("node", "ideal")
MICIUS = sheet("satellite", "micius-downlink")
SOURCE = sheet("pair_source", "micius")
DETECTOR = Detector(dark_rate=100.0, window=2500)
DELINGHA, NANSHAN = Place.degrees(37.378786, 97.726947), Place.degrees(43.475461, 87.176686)


def test_coincidences_by_monte_carlo_of_fading_and_clicks() -> None:
    """A leaky downlink with strong jitter: both beams miss at random in every window, photons and noise click or do not.

    Counts and errors of 2 million windows within 5.5 standard errors each (false alarm below 1e-7).
    """
    down = Downlink(
        altitude=500e3,
        divergence=5e-6,
        receiver_radius=1.0,
        pointing_jitter=3e-6,
        zenith_transmission=0.8,
        radiance=2e3,
        field_of_view=1e-4,
        filter_bandwidth=1e-9,
    )
    source = PairSource(
        pair_rate=2e8, drive="continuous", fidelity=0.95, wavelength_a=810e-9, wavelength_b=810e-9
    )
    detector = Detector(efficiency=0.7, dark_rate=1e6, window=2000)
    arms = (600e3, 900e3)
    point = SatelliteDoubleDownlink(Parts(NODE, NODE, down, arms, detector, source)).heralding()

    generator, windows = np.random.default_rng(SEED), 2_000_000
    window = detector.window / SECOND
    pairs = generator.poisson(source.pair_rate * window, windows)
    shares = [fading_shares(down, length, windows, generator) * detector.efficiency for length in arms]
    # the sky over the telescope, in photons per s
    sky = 2e3 * math.pi * 5e-5**2 * math.pi * 1.0**2 * 1e-9 / (6.62607015e-34 * 299_792_458.0 / 810e-9)
    noise = (detector.efficiency * sky + 2.0 * detector.dark_rate) * window
    clicks = generator.poisson(noise / 2.0, (2, 2, windows))  # end, detector, window
    for k in range(int(pairs.max())):
        result = generator.integers(0, 2, windows)
        wrong = generator.random(windows) < 2.0 / 3.0 * (1.0 - source.fidelity)
        for arm, value in enumerate((result, result ^ wrong)):
            hit = (pairs > k) & (generator.random(windows) < shares[arm])
            clicks[arm, 0] += hit & (value == 0)
            clicks[arm, 1] += hit & (value == 1)
    fired = clicks > 0
    coins = generator.integers(0, 2, (2, windows)).astype(bool)
    results = np.where(fired.all(axis=1), coins, fired[:, 1])
    seen = fired.any(axis=1).all(axis=0)
    count, expected = int(seen.sum()), windows * point.success
    assert abs(count - expected) < 5.5 * math.sqrt(expected)
    errors = float((results[0] != results[1])[seen].mean())
    qber = 2.0 / 3.0 * (1.0 - point.fidelity)
    assert abs(errors - qber) < 5.5 * math.sqrt(qber * (1 - qber) / count)


def fading_shares(down: Downlink, length: float, windows: int, generator: np.random.Generator) -> np.ndarray:
    """The way down once more, from its own formulas: transmission in each window, the beam missing at random."""
    ground, up = 6_371_008.8, 6_371_008.8 + down.altitude
    sine = (up**2 - ground**2 - length**2) / (2.0 * ground * length)
    air = down.zenith_transmission ** (
        1.0 / (sine + 0.50572 * (math.degrees(math.asin(sine)) + 6.07995) ** -1.6364)
    )
    beam = math.hypot(down.divergence * length, down.wavelength / (math.pi * down.divergence))
    miss = np.hypot(*generator.normal(0.0, down.pointing_jitter * length, (2, windows)))
    return caught(down.receiver_radius, beam, miss) * air


def caught(aperture: float, beam: float, miss: np.ndarray) -> np.ndarray:
    """Share of a beam in a disc when it misses, from a table of plain polar sums."""
    steps = np.linspace(0.0, miss.max(), 120)
    r = (np.arange(400) + 0.5) * aperture / 400
    angle = (np.arange(400) + 0.5) * math.pi / 400
    table = []
    for step in steps:
        far = r[:, None] ** 2 + step**2 - 2.0 * r[:, None] * step * np.cos(angle)
        table.append((np.exp(-2.0 * far / beam**2).mean(axis=1) * 2.0 * math.pi * r).sum() * aperture / 400)
    return np.interp(miss, steps, np.array(table) * 2.0 / (math.pi * beam**2))


def test_published_attenuation_of_one_downlink() -> None:
    """29 dB at 530 km and 36 dB at 1000 km (abstract of PRL 119, 200501): the first tunes the sheet, the second is predicted."""
    assert MICIUS.loss(530e3) == pytest.approx(29.0, abs=0.05)
    assert MICIUS.loss(1000e3) == pytest.approx(36.0, abs=1.0)


def test_published_attenuation_of_an_uplink() -> None:
    """41 dB at 500 km tunes the sheet, 52 dB at 1400 km (abstract of arXiv:1912.06317) is predicted."""
    up = sheet("uplink", "ali-to-micius")
    assert up.loss(500e3) == pytest.approx(41.0, abs=0.05)
    assert up.loss(1400e3) == pytest.approx(52.0, abs=1.5)


@pytest.mark.parametrize(("half", "decibel"), [(5e-6, 18.6), (10e-6, 24.6)])
def test_the_two_readings_of_ten_microradian(half: float, decibel: float) -> None:
    """1200 km on a mirror of 1 m; a spot of uniform light 12 m across loses 21.6 dB."""
    link = Downlink(altitude=500e3, divergence=half, receiver_radius=0.5, wavelength=850e-9)
    assert link.budget(1200e3)["diffraction"] == pytest.approx(decibel, abs=0.05)
    assert -20.0 * math.log10(0.5 / (5e-6 * 1200e3)) == pytest.approx(21.6, abs=0.05)


def micius(inclination: float = 97.3) -> Pass:
    middle = Place((DELINGHA.latitude + NANSHAN.latitude) / 2, (DELINGHA.longitude + NANSHAN.longitude) / 2)
    orbit = Orbit.over(middle, 500e3, math.radians(inclination), northbound=False)
    parts = Parts(NODE, NODE, MICIUS, (800e3, 800e3), DETECTOR, SOURCE)
    return fly_over(parts, orbit, DELINGHA, NANSHAN, np.arange(-300.0, 301.0, 5.0))


def test_a_pass_of_micius() -> None:
    """About a pair per second during some minutes (published: 1.1 /s in 2017, 2.2 /s in 2020 with better optics)."""
    seen = micius()
    assert 200.0 < seen.duration < 400.0
    assert seen.mean_rate == pytest.approx(1.1, rel=1.0)
    assert 58.0 < seen.loss.min() < 70.0
    assert seen.loss[np.isfinite(seen.loss)].max() < 85.0
    assert 2.0 < seen.chsh < 2.0 * math.sqrt(2.0)


def test_a_pass_is_the_sum_of_its_moments() -> None:
    seen = micius()
    best = int(seen.rate.argmax())
    ranges = (float(seen.ranges[0, best]), float(seen.ranges[1, best]))
    point = SatelliteDoubleDownlink(Parts(NODE, NODE, MICIUS, ranges, DETECTOR, SOURCE)).heralding()
    assert seen.rate[best] == pytest.approx(point.success * SECOND / point.period, rel=1e-9)
    assert seen.weights[best] == pytest.approx(np.array(point.weights), rel=1e-9)
    assert seen.pairs == pytest.approx(float(np.trapezoid(seen.rate, seen.seconds)), rel=0.01)
    mixed = (seen.rate[:, None] * seen.weights).sum(axis=0) / seen.rate.sum()
    assert seen.fidelity == pytest.approx(float(mixed[0]), rel=1e-12)
    # white noise: S = 2 sqrt(2) (4F - 1)/3
    assert seen.chsh == pytest.approx(2.0 * math.sqrt(2.0) * (4.0 * seen.fidelity - 1.0) / 3.0, rel=1e-9)


def test_rate_by_hand_at_one_moment() -> None:
    """B T T t_kept + accidentals, by hand, with dark counts of two detectors and half of the sky in each."""
    detector = dataclasses.replace(DETECTOR, jitter=0.8e-9)
    link = SatelliteDoubleDownlink(Parts(NODE, NODE, MICIUS, (800e3, 1000e3), detector, SOURCE))
    point = link.heralding()
    eta = [10.0 ** (-MICIUS.loss(r) / 10.0) for r in (800e3, 1000e3)]
    window = 2.5e-9
    kept = math.erf(math.sqrt(math.log(2.0)) * window / math.hypot(0.8e-9, 0.8e-9))
    noise = 200.0 + MICIUS.noise(800e3)
    true = 5.9e6 * eta[0] * eta[1] * kept
    accidental = (5.9e6 * eta[0] + noise) * (5.9e6 * eta[1] + noise) * window
    rate = point.success * SECOND / point.period
    assert rate == pytest.approx(true + accidental, rel=1e-4)
    qber = (2.0 / 3.0 * (1.0 - SOURCE.fidelity) * true + 0.5 * accidental) / (true + accidental)
    assert 2.0 / 3.0 * (1.0 - point.fidelity) == pytest.approx(qber, rel=1e-3)
