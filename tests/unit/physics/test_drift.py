"""Random walks of the alignment: laws, and steps that may be split."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.physics.drift import (
    Magnitudes,
    angle_of,
    coherence,
    isotropic,
    pointing_loss,
    turned,
    walked,
)

FALSE_ALARM = 5.0  # standard errors: below 1e-6


def test_phase_walk_leaves_the_mean_coherence() -> None:
    rng = np.random.default_rng(11)
    rate, steps, seconds = 0.3, 10, 0.7
    cosines = []
    for _ in range(20_000):
        phase = 0.0
        for normal in rng.standard_normal(steps):
            phase = walked(phase, rate, seconds, normal)
        cosines.append(math.cos(phase))
    error = np.std(cosines) / math.sqrt(len(cosines))
    assert abs(np.mean(cosines) - coherence(rate, steps * seconds)) < FALSE_ALARM * error


def test_polarisation_walk_is_isotropic_diffusion() -> None:
    """The mean of (1 + 2 cos θ)/3 is exp(-rate² t), and no axis is preferred."""
    rng = np.random.default_rng(12)
    rate, steps, seconds = 0.05, 60, 1.0
    ends = []
    for _ in range(4_000):
        rotation = (1.0, 0.0, 0.0, 0.0)
        for normals in rng.standard_normal((steps, 3)):
            rotation = turned(rotation, rate, seconds, (normals[0], normals[1], normals[2]))
        ends.append(rotation)
    factor = np.array([(1 + 2 * math.cos(angle_of(rotation))) / 3 for rotation in ends])
    error = factor.std() / math.sqrt(len(factor))
    assert abs(factor.mean() - isotropic(rate, steps * seconds)) < FALSE_ALARM * error + steps * rate**4
    axes = np.array(ends)[:, 1:]
    assert np.all(np.abs(axes.mean(axis=0)) < FALSE_ALARM * axes.std(axis=0) / math.sqrt(len(ends)))
    assert axes.var(axis=0) == pytest.approx(axes.var(), rel=0.15)


def test_a_step_turns_by_the_angle_it_says_and_keeps_the_length() -> None:
    rotation = (1.0, 0.0, 0.0, 0.0)
    for normals in np.random.default_rng(13).standard_normal((100, 3)):
        after = turned(rotation, 0.2, 1.0, (normals[0], normals[1], normals[2]))
        assert math.hypot(*after) == pytest.approx(1.0, abs=1e-14)
        overlap = math.fsum(a * b for a, b in zip(rotation, after, strict=True))
        assert overlap == pytest.approx(math.cos(0.1 * math.hypot(*normals)), abs=1e-12)
        rotation = after


def test_turns_about_one_axis_add() -> None:
    rotation = (1.0, 0.0, 0.0, 0.0)
    for _ in range(3):
        rotation = turned(rotation, 0.1, 1.0, (2.0, 0.0, 0.0))
    assert angle_of(rotation) == pytest.approx(0.6)


def test_pointing_loss_is_the_overlap_of_two_gaussian_modes() -> None:
    x = np.linspace(-8, 8, 4001)
    d = 0.37
    mode = np.exp(-(x**2))
    overlap = (np.sum(mode * np.exp(-((x - d) ** 2))) / np.sum(mode**2)) ** 2
    assert 10 ** (-pointing_loss((d, 0.0)) / 10) == pytest.approx(overlap, rel=1e-9)


def test_nothing_wanders_by_default() -> None:
    assert Magnitudes().still
    assert not Magnitudes(detectors=1e-6).still
    assert walked(1.0, 0.0, 10.0, 3.0) == 1.0
