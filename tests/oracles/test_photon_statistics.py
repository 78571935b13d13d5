"""Photon numbers and interference against operators, quadrature and wave packets drawn one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from quantum_fabric.physics.optics.photon_statistics import (
    delayed_overlap,
    emitted,
    filtered,
    hom_visibility,
    photon_numbers,
)


@pytest.mark.parametrize(("mean", "modes"), [(0.05, 1), (0.7, 2), (2.0, 5)])
def test_photon_numbers_are_sums_of_thermal_ones(mean: float, modes: int) -> None:
    one = np.array([(mean / modes) ** n / (1.0 + mean / modes) ** (n + 1) for n in range(40)])
    total = np.array([1.0])
    for _ in range(modes):
        total = np.convolve(total, one)
    assert photon_numbers(mean, modes, 30) == pytest.approx(total[:31], abs=1e-9)


def test_a_polarisation_source_has_the_numbers_of_the_paper() -> None:
    """Ma, Fung, Lo 2007: P(n) = (n+1) λ^n / (1+λ)^(n+2)."""
    lam = 0.3
    paper = [(n + 1) * lam**n / (1.0 + lam) ** (n + 2) for n in range(20)]
    assert photon_numbers(2.0 * lam, 2.0, 19) == pytest.approx(paper, rel=1e-12)


def test_many_modes_are_poissonian() -> None:
    assert photon_numbers(0.5, 1e9, 8) == pytest.approx(photon_numbers(0.5, math.inf, 8), rel=1e-7)


@pytest.mark.parametrize(("brightness", "g2"), [(0.5, 0.02), (1.0, 0.5), (0.1, 1.0), (0.03, 0.0)])
def test_emitted_numbers_have_the_brightness_and_the_g2(brightness: float, g2: float) -> None:
    few = emitted(brightness, g2)
    assert few.none + few.one + few.two == pytest.approx(1.0, abs=1e-15)
    assert few.one + few.two == pytest.approx(brightness)
    n = np.arange(3)
    chances = np.array([few.none, few.one, few.two])
    assert (chances @ (n * (n - 1))) / (chances @ n) ** 2 == pytest.approx(g2, abs=1e-12)


def lowering(dimension: int) -> np.ndarray:
    return np.diag(np.sqrt(np.arange(1.0, dimension)), 1)


def on(mode: int, operator: np.ndarray, modes: int) -> np.ndarray:
    result = np.eye(1)
    for place in range(modes):
        result = np.kron(result, operator if place == mode else np.eye(operator.shape[0]))
    return result


@pytest.mark.parametrize("overlap", [0.0, 0.6, 1.0])
@pytest.mark.parametrize(
    ("a", "b", "reflected"),
    [
        ((0.0, 1.0, 0.0), (0.0, 1.0, 0.0), 0.5),
        ((0.5, 0.45, 0.05), (0.5, 0.45, 0.05), 0.5),
        ((0.3, 0.6, 0.1), (0.7, 0.28, 0.02), 0.37),
    ],
)
def test_hong_ou_mandel_with_operators(
    a: tuple[float, ...], b: tuple[float, ...], reflected: float, overlap: float
) -> None:
    """Coincidences <c+ d+ d c> of two density matrices, b in a mode with the given overlap with that of a."""
    # modes: 0 is a's shape at input a, 1 a's shape at input b, 2 the shape orthogonal to it at input b
    low = lowering(3)
    bare = [on(mode, low, 3) for mode in range(3)]
    source_b = math.sqrt(overlap) * bare[1] + math.sqrt(1.0 - overlap) * bare[2]
    empty = np.zeros(27)
    empty[0] = 1.0
    t, r = math.sqrt(1.0 - reflected), math.sqrt(reflected)
    c = [t * bare[0] + 1j * r * bare[1], 1j * r * bare[2]]
    d = [1j * r * bare[0] + t * bare[1], t * bare[2]]
    coincidences = 0.0
    for (n, p_n), (m, p_m) in itertools.product(enumerate(a), enumerate(b)):
        state = np.linalg.matrix_power(bare[0].T, n) @ np.linalg.matrix_power(source_b.T, m) @ empty
        state = state / math.sqrt(math.factorial(n) * math.factorial(m))
        coincidences += (
            p_n * p_m * sum(float(np.linalg.norm(two @ one @ state) ** 2) for one in c for two in d)
        )
    means = [sum(n * p for n, p in enumerate(x)) for x in (a, b)]
    g2 = [2.0 * x[2] / mean**2 for x, mean in zip((a, b), means, strict=True)]
    apart = reflected * (1 - reflected) * (g2[0] * means[0] ** 2 + g2[1] * means[1] ** 2)
    apart += (reflected**2 + (1 - reflected) ** 2) * means[0] * means[1]
    seen = 1.0 - coincidences / apart
    assert float(hom_visibility(overlap, g2[0], g2[1], means[0] / means[1], reflected)) == pytest.approx(
        seen, abs=1e-12
    )


def test_weak_pulses_interfere_by_half() -> None:
    """Two coherent states with random phases, averaged over the phase."""
    phases = np.linspace(0.0, 2.0 * math.pi, 1000, endpoint=False)
    first = np.abs(1.0 + 1j * np.exp(1j * phases)) ** 2 / 2.0
    second = np.abs(1j + np.exp(1j * phases)) ** 2 / 2.0
    visibility = 1.0 - float(np.mean(first * second)) / (np.mean(first) * np.mean(second))
    assert float(hom_visibility(1.0, 1.0, 1.0)) == pytest.approx(visibility, abs=1e-12)


@pytest.mark.parametrize(("t1", "t2", "window"), [(1.0, 2.0, 0.7), (1.0, 1.0, 0.3), (0.5, 0.2, 5.0)])
def test_filtered_visibility_on_a_grid(t1: float, t2: float, window: float) -> None:
    """Coincidences at (t, t') of two decaying, dephasing photons: [I I' - |g(t, t')|²]/2 against [I I']/2."""
    times = (np.arange(1200) + 0.5) * 10.0 * t1 / 1200
    t, other = np.meshgrid(times, times)
    bright = np.exp(-(t + other) / t1) / t1**2
    rate = 1.0 / t2 - 1.0 / (2.0 * t1)  # pure dephasing
    crossed = bright * np.exp(-2.0 * rate * np.abs(t - other))
    inside = np.abs(t - other) < window
    share, visibility = filtered(t2, t1, window)
    assert float(share) == pytest.approx(bright[inside].sum() / bright.sum(), abs=8e-3)
    assert float(visibility) == pytest.approx(crossed[inside].sum() / bright[inside].sum(), abs=8e-3)


def test_filtering_trades_rate_for_visibility() -> None:
    windows = np.geomspace(0.01, 30.0, 20)
    share, visibility = filtered(1.0, 1.0, windows)
    assert np.all(np.diff(share) > 0.0)
    assert np.all(np.diff(visibility) < 0.0)
    assert visibility[-1] == pytest.approx(0.5, abs=1e-9)
    assert visibility[0] == pytest.approx(1.0, abs=1e-2)


@pytest.mark.parametrize("shape", ["exponential", "gaussian"])
def test_delay_by_quadrature(shape: str) -> None:
    width, delay = 0.8, 0.5
    t = np.linspace(-20.0, 40.0, 600_001)

    def intensity(start: float) -> np.ndarray:
        if shape == "gaussian":
            return np.exp(-((t - start) ** 2) / (2.0 * width**2)) / (width * math.sqrt(2.0 * math.pi))
        return np.where(t >= start, np.exp(-np.maximum(t - start, 0.0) / width) / width, 0.0)

    overlap = float(np.sum(np.sqrt(intensity(0.0) * intensity(delay))) * (t[1] - t[0])) ** 2
    assert float(delayed_overlap(delay, width, shape)) == pytest.approx(overlap, rel=1e-3)
