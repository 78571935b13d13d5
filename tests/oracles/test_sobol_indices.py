"""Sobol indices against closed forms: the Ishigami function, and Sobol's g function."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from quantum_fabric.studies.sensitivity import of_function

A, B = 7.0, 0.1


def ishigami(x: Any) -> Any:
    """Ishigami and Homma (1990) on the unit cube: sin t1 + a sin² t2 + b t3⁴ sin t1, t = π (2x - 1)."""
    t = math.pi * (2.0 * x - 1.0)
    return np.sin(t[:, 0]) + A * np.sin(t[:, 1]) ** 2 + B * t[:, 2] ** 4 * np.sin(t[:, 0])


def ishigami_indices() -> tuple[list[float], list[float]]:
    """By integration, term by term."""
    v1 = (1.0 + B * math.pi**4 / 5.0) ** 2 / 2.0
    v2 = A**2 / 8.0
    v13 = B**2 * math.pi**8 * (1.0 / 18.0 - 1.0 / 50.0)
    v = v1 + v2 + v13
    return [v1 / v, v2 / v, 0.0], [(v1 + v13) / v, v2 / v, v13 / v]


def test_ishigami() -> None:
    first, total = ishigami_indices()
    assert first == pytest.approx([0.3139, 0.4424, 0.0], abs=1e-4)  # as tabulated by Saltelli
    assert total == pytest.approx([0.5576, 0.4424, 0.2437], abs=1e-4)
    found = of_function(ishigami, 3, 4096)
    for (alone, whole), s, t in zip(found, first, total):
        assert alone.value == pytest.approx(s, abs=0.01)
        assert whole.value == pytest.approx(t, abs=0.01)
        assert alone.low - 0.01 <= s <= alone.high + 0.01
        assert whole.low - 0.01 <= t <= whole.high + 0.01


def test_g_function() -> None:
    """Sobol's g function in five dimensions: V_i = 1/(3 (1 + a_i)²), V = Π(1 + V_i) - 1."""
    a = np.array([0.0, 0.5, 2.0, 9.0, 99.0])
    parts = 1.0 / (3.0 * (1.0 + a) ** 2)
    whole = float(np.prod(1.0 + parts) - 1.0)
    found = of_function(lambda x: np.prod((np.abs(4.0 * x - 2.0) + a) / (1.0 + a), axis=1), 5, 4096)
    for i, (first, total) in enumerate(found):
        assert first.value == pytest.approx(parts[i] / whole, abs=0.02)
        rest = float(np.prod(np.delete(1.0 + parts, i)))
        assert total.value == pytest.approx(parts[i] * rest / whole, abs=0.02)


def test_against_scipy() -> None:
    """The same function by SciPy's estimators."""
    stats = pytest.importorskip("scipy.stats")
    uniform = [stats.uniform()] * 3
    theirs = stats.sobol_indices(
        func=lambda x: ishigami(x.T)[None, :], n=4096, dists=uniform, rng=np.random.default_rng(5)
    )
    found = of_function(ishigami, 3, 4096)
    for i, (first, total) in enumerate(found):
        assert first.value == pytest.approx(float(np.ravel(theirs.first_order)[i]), abs=0.03)
        assert total.value == pytest.approx(float(np.ravel(theirs.total_order)[i]), abs=0.03)


def test_intervals_hold_the_truth() -> None:
    """Twenty seeds of a linear function: each of 40 intervals of 95 % holds the truth with 0.95 or more, so fewer than 30 of
    40 has a probability below 1e-6."""
    inside = 0
    for seed in range(20):
        found = of_function(lambda x: x[:, 0] + 2.0 * x[:, 1], 2, 128, seed, 200)
        inside += sum(one.low <= truth <= one.high for (one, _), truth in zip(found, (0.2, 0.8)))
    assert inside >= 30
