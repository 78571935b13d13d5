"""Fibre sheets: loss, latency and band."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Fibre, build, sheet, sheets
from quantum_fabric.errors import QuantityError

LENGTHS = st.floats(0.0, 1e6)


def test_textbook_loss_and_latency() -> None:
    fibre = Fibre(attenuation=0.2e-3)
    assert fibre.transmission(50_000.0) == pytest.approx(0.1, rel=1e-14)
    assert fibre.transmission(0.0) == 1.0
    # 1.468 / c is 4.897 us per km; hollow core 3.346
    assert fibre.latency(1000.0) == pytest.approx(4_897_000, abs=500)
    assert Fibre(attenuation=0.0, group_index=1.003).latency(1000.0) == pytest.approx(3_346_000, abs=500)


@given(LENGTHS, LENGTHS)
def test_stretches_compose(one: float, two: float) -> None:
    fibre = Fibre(attenuation=0.2e-3)
    assert fibre.transmission(one + two) == pytest.approx(
        fibre.transmission(one) * fibre.transmission(two), rel=1e-9
    )
    assert abs(fibre.latency(one + two) - fibre.latency(one) - fibre.latency(two)) <= 1


@given(LENGTHS, st.floats(0.0, 30.0), st.floats(0.0, 30.0))
def test_losses_add_in_decibel(length: float, fixed: float, extra: float) -> None:
    fibre = Fibre(attenuation=0.3e-3, fixed_loss=fixed)
    assert fibre.loss(length, extra) == pytest.approx(0.3e-3 * length + fixed + extra)
    assert fibre.transmission(length, extra) == pytest.approx(10 ** (-fibre.loss(length, extra) / 10))
    assert 0.0 <= fibre.transmission(length, extra) <= 1.0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attenuation", -1e-4),
        ("attenuation", math.inf),
        ("group_index", 0.9),
        ("fixed_loss", -1.0),
        ("band_low", -1.0),
    ],
)
def test_domains(field: str, value: float) -> None:
    with pytest.raises(QuantityError, match=rf"^{field}: found"):
        Fibre(**{"attenuation": 0.0, field: value})


def test_attenuation_must_be_given() -> None:
    with pytest.raises(
        QuantityError, match="attenuation: found nothing, expected an attenuation of at least 0 dB/km"
    ):
        build(Fibre, {"group_index": 1.5})


def test_band() -> None:
    assert Fibre(attenuation=0.0).carries(637e-9)
    assert not Fibre(attenuation=0.0, band_low=1.5e-6, band_high=1.6e-6).carries(637e-9)


LIT = Fibre(attenuation=0.2e-3, classical_power=1e-4, counter_power=5e-5, raman=2e-3, filter_bandwidth=1e-10)


def test_a_dark_fibre_is_dark() -> None:
    assert Fibre(attenuation=0.2e-3, raman=2e-3, filter_bandwidth=1e-10).noise(50_000.0) == 0.0
    assert LIT.noise(0.0) == 0.0


def test_both_directions_of_classical_light_add_up() -> None:
    along, against = (
        dataclasses.replace(LIT, **{field: 0.0}).noise(30_000.0)
        for field in ("counter_power", "classical_power")
    )
    assert LIT.noise(30_000.0) == pytest.approx(along + against, rel=1e-12)
    assert along > 0.0
    assert against > 0.0


def test_shorter_waves_have_dearer_photons() -> None:
    blue = dataclasses.replace(LIT, wavelength=1310e-9)
    assert blue.noise(1e4) / LIT.noise(1e4) == pytest.approx(1310 / 1550)


def test_dispersion() -> None:
    fibre = sheet("fibre", "smf-28")
    assert fibre.broadening(1000.0, 1e-9) == pytest.approx(17e-12)
    assert dataclasses.replace(fibre, dispersion=-17e-6).broadening(1000.0, 1e-9) == pytest.approx(17e-12)
    assert fibre.delay_split(100_000.0) == pytest.approx(0.4e-12)
    hollow = sheet("fibre", "hollow-core")
    assert hollow.broadening(1e4, 1e-9) < fibre.broadening(1e4, 1e-9)
    assert hollow.raman < 1e-2 * fibre.raman


@given(st.floats(0.0, 1e6))
def test_drifts_of_sections_add_in_squares(length: float) -> None:
    fibre = sheet("fibre", "installed")
    assert fibre.phase_wander(4.0 * length) == pytest.approx(2.0 * fibre.phase_wander(length))
    assert fibre.polarisation_wander(1000.0) == fibre.polarisation_drift


def test_phase_drift_of_installed_fibre() -> None:
    """One-sided spectrum h/f² of 44 rad² Hz per km: the variance of the phase difference grows by 2π² h per s.

    By the sum of the spectrum: <(φ(t+τ) - φ(t))²> = 4 ∫ S(f) sin²(π f τ) df.
    """
    tau = 0.3
    f = np.geomspace(1e-5, 1e5, 2_000_001)
    variance = 4.0 * np.trapezoid(44.0 / f**2 * np.sin(math.pi * f * tau) ** 2, f)
    rate = sheet("fibre", "installed").phase_drift
    assert rate**2 * tau == pytest.approx(variance, rel=5e-3)


@pytest.mark.parametrize("name", sheets("fibre"))
def test_sheets_are_of_one_piece(name: str) -> None:
    fibre = sheet("fibre", name)
    assert fibre.carries(fibre.wavelength)
    assert fibre.noise(10_000.0) == 0.0 or name == "lit"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("classical_power", "1 dB"),
        ("classical_power", "-1 mW"),
        ("raman", "2e-9"),
        ("dispersion", "17"),
        ("polarisation_drift", "-1 deg/sqrt(h)"),
        ("polarization_drift", "1 deg/sqrt(h)"),
    ],
)
def test_bad_sheets_name_the_field(field: str, text: str) -> None:
    with pytest.raises(QuantityError, match=rf"^links\[0\]\.fibre\.{field}: found"):
        build(Fibre, {"attenuation": "0.2 dB/km", field: text}, where="links[0].fibre")


def test_bands_that_contradict() -> None:
    with pytest.raises(QuantityError, match="band_high: found 1500 nm"):
        Fibre(attenuation=0.0, band_low=1.6e-6, band_high=1.5e-6)
    with pytest.raises(QuantityError, match="wavelength: found 637 nm, expected 1500 nm to 1600 nm"):
        dataclasses.replace(LIT, band_low=1.5e-6, band_high=1.6e-6, wavelength=637e-9)
