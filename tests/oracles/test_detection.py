"""Detectors against clicks drawn one by one and against quadrature."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest

from quantum_fabric.devices import Detector
from quantum_fabric.physics.optics.detection import click_rate, in_window, live_fraction


def clicks(
    rng: np.random.Generator,
    rate: float,
    dead: float,
    *,
    paralysable: bool = False,
    recovery: float = 0.0,
    trapped: float = 0.0,
    decay: float = 0.0,
    count: int = 100_000,
) -> tuple[float, float]:
    """Clicks per s of a detector simulated trap by trap, and the Fano factor of its counts in blocks."""
    now = blind = 0.0
    last = -math.inf
    traps: list[float] = []
    arrival = rng.exponential(1.0 / rate)
    stamps: list[float] = []
    while len(stamps) < count:
        if traps and traps[0] < arrival:
            now = heapq.heappop(traps)
        else:
            now = arrival
            arrival = now + rng.exponential(1.0 / rate)
        if now < blind:
            if paralysable:
                blind = now + dead
            continue
        if recovery and rng.random() > 1.0 - math.exp(-(now - last - dead) / recovery):
            continue
        stamps.append(now)
        last, blind = now, now + dead
        for _ in range(rng.poisson(trapped) if trapped else 0):
            heapq.heappush(traps, now + rng.exponential(decay))
    blocks = np.histogram(stamps, bins=500, range=(0.0, now))[0]
    return count / now, float(blocks.var() / blocks.mean())


@pytest.mark.parametrize("model", ["non_paralysable", "paralysable"])
@pytest.mark.parametrize(("rate", "dead"), [(1e6, 40e-9), (1e6, 1e-6), (3e5, 5e-6)])
def test_dead_time_click_by_click(model: str, rate: float, dead: float) -> None:
    rng = np.random.default_rng(1)
    seen, fano = clicks(rng, rate, dead, paralysable=model == "paralysable")
    expected = rate * float(live_fraction(rate, dead, model))
    # dead time makes counts smoother than Poissonian: five standard errors of these counts
    assert seen == pytest.approx(expected, rel=5.0 * math.sqrt(max(fano, 0.05) / 100_000) * 1.1)


@pytest.mark.parametrize(
    ("rate", "dead", "recovery"), [(1e7, 20e-9, 20e-9), (1e6, 0.0, 1e-6), (2e6, 1e-7, 2e-7)]
)
def test_gradual_recovery_click_by_click(rate: float, dead: float, recovery: float) -> None:
    seen, _ = clicks(np.random.default_rng(2), rate, dead, recovery=recovery)
    expected = rate * float(live_fraction(rate, dead, recovery=recovery))
    assert seen == pytest.approx(expected, rel=5.0 / math.sqrt(100_000))


@pytest.mark.parametrize("k", [1e-3, 0.2, 1.0, 7.0, 300.0])
def test_gradual_recovery_by_quadrature(k: float) -> None:
    """Mean waiting time = integral of the survival: rate n = 1, recovery k, no dead time."""
    s = np.linspace(0.0, 40.0 + 12.0 * math.sqrt(k), 400_001)
    survival = np.exp(-(s + k * np.expm1(-s / k)))
    mean = float(np.sum(0.5 * (survival[1:] + survival[:-1])) * (s[1] - s[0]))
    assert float(live_fraction(1.0, 0.0, recovery=k)) == pytest.approx(1.0 / mean, rel=1e-5)


@pytest.mark.parametrize(
    ("rate", "dead", "trapped", "decay"),
    [
        (1e5, 1e-5, 0.3, 5e-6),
        (1e4, 1e-5, 0.3, 5e-6),
        (1e5, 1e-6, 0.3, 5e-6),
        (1e5, 1e-6, 0.1, 5e-5),
        (1e4, 1e-5, 0.1, 5e-5),
    ],
)
@pytest.mark.parametrize("paralysable", [False, True])
def test_afterpulses_trap_by_trap(
    rate: float, dead: float, trapped: float, decay: float, paralysable: bool
) -> None:
    model = "paralysable" if paralysable else "non_paralysable"
    rng = np.random.default_rng(3)
    seen, fano = clicks(rng, rate, dead, paralysable=paralysable, trapped=trapped, decay=decay)
    expected = float(click_rate(rate, dead, model, afterpulse=trapped, decay=decay))
    error = 5.0 * math.sqrt(max(fano, 1.0) * 1.2 / 100_000)
    # the limits that the model states for itself
    assert seen == pytest.approx(expected, rel=error + (0.03 if paralysable else 0.01))
    if not paralysable:  # and the afterpulses are there at all: most of their effect is explained
        without = float(click_rate(rate, dead, model))
        assert abs(seen - expected) < 0.35 * abs(seen - without) + 5.0 * seen * math.sqrt(fano / 100_000)


def test_regression_numbers() -> None:
    assert 1e6 * float(live_fraction(1e6, 40e-9)) == pytest.approx(961538.4615, abs=1e-4)
    assert 1e6 * float(live_fraction(1e6, 40e-9, "paralysable")) == pytest.approx(960789.4392, abs=1e-4)


def test_jitter_by_drawing() -> None:
    rng = np.random.default_rng(4)
    window, sigma, offset = 1.0, 0.4, 0.3
    times = rng.normal(offset, sigma, 400_000)
    seen = float(np.mean(np.abs(times) < 0.5 * window))
    expected = float(in_window(window, sigma, offset))
    assert seen == pytest.approx(expected, abs=5.0 * math.sqrt(expected * (1 - expected) / 400_000))
    half_width = Detector(window=1000, jitter=2.0 * math.sqrt(2.0 * math.log(2.0)) * 0.4e-9)
    assert half_width.in_window == pytest.approx(math.erf(1.0 / (2.0 * math.sqrt(2.0) * 0.4)), rel=1e-12)


def test_a_detector_puts_it_all_together() -> None:
    """Efficiency, dark counts, noise, dead time and afterpulses at once, click by click."""
    detector = Detector(
        efficiency=0.25, dark_rate=1e3, dead_time=10e-6, afterpulse=0.15, afterpulse_decay=5e-6, window=10_000
    )
    photons, noise = 1e5, 4e3
    would_be = 0.25 * photons + 1e3 + 0.25 * noise
    seen, fano = clicks(np.random.default_rng(5), would_be, 10e-6, trapped=0.15, decay=5e-6)
    assert detector.observed_rate(would_be) == pytest.approx(
        seen, rel=0.005 + 5.0 * math.sqrt(fano / 100_000)
    )
    # photons and false clicks together are all clicks
    registered = 0.25 * photons * detector.live_fraction(would_be) + detector.false_rate(
        would_be, 0.25 * noise
    )
    assert registered == pytest.approx(detector.observed_rate(would_be), rel=1e-12)
