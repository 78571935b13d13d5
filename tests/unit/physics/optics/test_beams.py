"""Beams: conventions, limits and domains. Independent calculations are in tests/oracles/test_optics.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optics import beams

SIZES = st.floats(1e-3, 50.0)


def test_the_three_readings_of_ten_microradian() -> None:
    """1200 km, 1 m mirror: full angle, half angle and a uniform spot of the full angle."""
    losses = [float(-10.0 * np.log10(beams.capture(0.5, angle * 1.2e6))) for angle in (5e-6, 10e-6)]
    assert losses == pytest.approx([18.6, 24.6], abs=0.05)
    assert -20.0 * math.log10(0.5 / 6.0) == pytest.approx(21.6, abs=0.05)


@given(SIZES)
def test_divergence_and_waist_are_each_other_turned_round(waist: float) -> None:
    half = beams.divergence(waist, 810e-9)
    assert float(beams.divergence(half, 810e-9)) == pytest.approx(waist, rel=1e-12)
    assert float(beams.radius(1e12, waist, 810e-9)) == pytest.approx(float(half) * 1e12, rel=1e-4)
    assert float(beams.radius(0.0, waist, 810e-9)) == waist


@given(SIZES, SIZES, st.floats(0.0, 50.0))
def test_a_beam_that_misses_loses(aperture: float, beam: float, offset: float) -> None:
    centred, missed = (float(beams.capture_off_axis(aperture, beam, x)) for x in (0.0, offset))
    assert 0.0 <= missed <= centred + 1e-9
    assert centred == pytest.approx(float(beams.capture(aperture, beam)), abs=1e-7)


@given(SIZES, SIZES)
def test_effective_radius_is_at_least_the_beam(aperture: float, beam: float) -> None:
    assert float(beams.effective_radius(aperture, beam)) >= beam * (1.0 - 1e-12)


@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.5])
def test_pointing_loss_of_a_small_aperture_is_right_to_a_per_cent(ratio: float) -> None:
    """Documented validity: jitter of half a beam radius, aperture up to half a beam radius."""
    beam, jitter = 1.0, 0.25
    r = np.linspace(0.0, 8.0 * jitter, 4001)
    density = r / jitter**2 * np.exp(-(r**2) / (2.0 * jitter**2))
    exact = np.trapezoid(density * beams.capture_off_axis(ratio, beam, r), r) / float(
        beams.capture(ratio, beam)
    )
    assert float(beams.pointing_mean(beams.effective_radius(ratio, beam), jitter)) == pytest.approx(
        exact, rel=0.01
    )


def test_no_jitter_no_fading() -> None:
    assert float(beams.pointing_exponent(3.0, 0.0)) == math.inf
    assert float(beams.pointing_mean(3.0, 0.0)) == 1.0
    assert float(beams.pointing_quantile(0.3, math.inf)) == 1.0


@given(SIZES, st.floats(1e-3, 10.0))
def test_mean_of_the_log_beta(beam: float, jitter: float) -> None:
    gamma = float(beams.pointing_exponent(beam, jitter))
    assert float(beams.pointing_mean(beam, jitter)) == pytest.approx(gamma / (1.0 + gamma), rel=1e-9)


def test_quantiles_broadcast() -> None:
    assert beams.pointing_quantile(np.linspace(0, 1, 5)[:, None], [1.0, 2.0]).shape == (5, 2)


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: beams.capture(-1.0, 1.0), "aperture"),
        (lambda: beams.capture(1.0, 0.0), "beam"),
        (lambda: beams.radius(-1.0, 1.0, 1e-6), "distance"),
        (lambda: beams.divergence(0.0, 1e-6), "waist"),
        (lambda: beams.pointing_mean(1.0, -1.0), "jitter"),
        (lambda: beams.pointing_quantile(1.5, 1.0), "share"),
        (lambda: beams.pointing_exponent(1.0, math.nan), "jitter"),
    ],
)
def test_domains(call: object, where: str) -> None:
    with pytest.raises(QuantityError, match=f"^{where}: found"):
        call()  # type: ignore[operator]
