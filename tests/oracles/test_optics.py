"""Beams, air and Raman light by other ways: quadrature over the aperture, Monte Carlo, integrals along the fibre."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.physics.optics import atmosphere, beams, raman

SEED = 20_241_121


def on_a_grid(aperture: float, beam: float, offset: float) -> float:
    """Share of a Gaussian beam in a disc in polar coordinates of the disc: Gauss's rule outwards, midpoints around."""
    nodes, weights = np.polynomial.legendre.leggauss(300)
    r = 0.5 * aperture * (nodes + 1.0)
    angle = (np.arange(1500) + 0.5) * math.pi / 1500
    distance = r[:, None] ** 2 + offset**2 - 2.0 * r[:, None] * offset * np.cos(angle)
    ring = np.exp(-2.0 * distance / beam**2).mean(axis=1) * 2.0 * math.pi * r
    return float((ring * weights).sum() * 0.5 * aperture * 2.0 / (math.pi * beam**2))


@pytest.mark.parametrize(("aperture", "beam"), [(0.5, 6.0), (0.5, 0.7), (1.0, 1.0), (2.0, 0.5)])
@pytest.mark.parametrize("offset", [0.0, 0.3, 1.0, 2.5])
def test_capture_by_quadrature(aperture: float, beam: float, offset: float) -> None:
    expected = on_a_grid(aperture, beam, offset)
    assert float(beams.capture_off_axis(aperture, beam, offset)) == pytest.approx(
        expected, rel=1e-7, abs=1e-12
    )
    if offset == 0.0:
        assert float(beams.capture(aperture, beam)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("aperture", "beam"), [(0.5, 6.0), (0.5, 1.0), (1.0, 1.2)])
def test_effective_radius_is_the_curvature_of_the_capture(aperture: float, beam: float) -> None:
    step = 0.02 * beam
    centre, beside = (float(beams.capture_off_axis(aperture, beam, x)) for x in (0.0, step))
    # h = h0 (1 - 2 r^2/w_e^2): the quotient below is 1/w_e^2 up to (step/beam)^2
    measured = (1.0 - beside / centre) / (2.0 * step**2)
    assert 1.0 / float(beams.effective_radius(aperture, beam)) ** 2 == pytest.approx(measured, rel=2e-3)


def test_pointing_fades_by_monte_carlo() -> None:
    """Beam of 6 m on 0.5 m, jitter of 1.2 m: exact captures of 200,000 aims.

    Mean within 6 standard errors (1e-8); the distribution by Kolmogorov-Smirnov at 1e-6.
    """
    aperture, beam, jitter, count = 0.5, 6.0, 1.2, 200_000
    generator = np.random.default_rng(SEED)
    miss = np.hypot(*generator.normal(0.0, jitter, (2, count)))
    steps = np.linspace(0.0, miss.max(), 4000)
    exact = np.interp(miss, steps, beams.capture_off_axis(aperture, beam, steps))
    wide = beams.effective_radius(aperture, beam)
    gamma = float(beams.pointing_exponent(wide, jitter))
    top = float(beams.capture(aperture, beam))
    predicted = top * float(beams.pointing_mean(wide, jitter))
    assert abs(exact.mean() - predicted) < 6.0 * exact.std() / math.sqrt(count)
    # P(h <= x) = x^gamma
    ordered = np.sort(exact / top)
    ranks = (np.arange(count) + 0.5) / count
    distance = np.abs(ordered**gamma - ranks).max()
    assert distance < math.sqrt(math.log(2.0 / 1e-6) / 2.0 / count)
    assert float(beams.pointing_quantile(0.1, gamma)) == pytest.approx(
        float(np.quantile(ordered, 0.1)), rel=2e-3
    )


def test_pointing_around_a_fixed_error_by_monte_carlo() -> None:
    generator = np.random.default_rng(SEED + 1)
    x, y = generator.normal(0.0, 0.8, (2, 400_000))
    fades = np.exp(-2.0 * ((x + 1.5) ** 2 + y**2) / 3.0**2)
    expected = float(beams.pointing_mean(3.0, 0.8, 1.5))
    assert abs(fades.mean() - expected) < 6.0 * fades.std() / math.sqrt(fades.size)


def test_drawn_fades_have_the_moments_of_log_beta() -> None:
    gamma, count = 3.7, 300_000
    draws = beams.pointing_samples(gamma, count, np.random.default_rng(SEED + 2))
    for power in (1, 2, 3):
        moment, spread = (draws**power).mean(), (draws**power).std() / math.sqrt(count)
        assert abs(moment - gamma / (gamma + power)) < 6.0 * spread


def test_a_gaussian_beam_solves_the_wave_equation() -> None:
    """Fresnel integral of the field at the waist, by quadrature over rings with the Bessel function J0."""
    waist, wavelength, distance = 0.02, 810e-9, 3000.0
    k = 2.0 * math.pi / wavelength
    r = np.linspace(0.0, 6.0 * waist, 6001)
    angles = (np.arange(400) + 0.5) * math.pi / 400
    w = float(beams.radius(distance, waist, wavelength))
    field = []
    for out in (0.0, w):
        bessel = np.cos(k * r[:, None] * out / distance * np.cos(angles)).mean(axis=1)
        field.append(np.trapezoid(np.exp(-((r / waist) ** 2) + 0.5j * k * r**2 / distance) * bessel * r, r))
    # at the radius w the intensity is down to exp(-2)
    assert abs(field[1] / field[0]) ** 2 == pytest.approx(math.exp(-2.0), rel=1e-4)


@pytest.mark.parametrize("elevation", [90.0, 45.0, 20.0])
def test_fried_parameter_by_quadrature(elevation: float) -> None:
    heights = np.linspace(0.0, 60_000.0, 600_001)
    column = np.trapezoid(atmosphere.turbulence(heights), heights)
    k = 2.0 * math.pi / 810e-9
    expected = (0.423 * k**2 * column / math.sin(math.radians(elevation))) ** -0.6
    # sec z and the airmass differ by 0.4 % here
    assert float(atmosphere.fried(810e-9, math.radians(elevation))) == pytest.approx(expected, rel=5e-3)


def curved_airmass(elevation: float) -> float:
    """Airmass of an exponential atmosphere (8.4 km) over the round Earth, straight rays."""
    radius, scale = 6.371e6, 8400.0
    s = np.linspace(0.0, 2.0e6, 400_001)
    height = np.sqrt(radius**2 + s**2 + 2.0 * radius * s * math.sin(elevation)) - radius
    return float(np.trapezoid(np.exp(-height / scale), s)) / scale


@pytest.mark.parametrize(
    ("degrees", "tolerance"), [(90, 1e-3), (45, 3e-3), (20, 6e-3), (10, 0.02), (5, 0.05)]
)
def test_airmass_against_a_round_atmosphere(degrees: float, tolerance: float) -> None:
    """Another profile, no refraction: the two agree as far as the profile does not matter."""
    elevation = math.radians(degrees)
    assert float(atmosphere.airmass(elevation)) == pytest.approx(curved_airmass(elevation), rel=tolerance)
    if degrees >= 20:
        assert float(atmosphere.plane_airmass(elevation)) == pytest.approx(
            curved_airmass(elevation), rel=0.02
        )


def test_long_term_radius_limits() -> None:
    wavelength, distance, waist = 810e-9, 1e6, 0.08
    still = float(beams.radius(distance, waist, wavelength))
    assert float(atmosphere.long_term_radius(still, distance, wavelength, math.inf)) == pytest.approx(
        still, rel=1e-9
    )
    weak = float(atmosphere.long_term_radius(still, distance, wavelength, 20.0 * waist))
    start = wavelength * distance / (math.pi * still)
    first = 1.0 + 3.44 * 2.0 ** (5 / 6) * math.gamma(11 / 6) * (start / (20.0 * waist)) ** (5 / 3)
    assert (weak / still) ** 2 == pytest.approx(first, rel=2e-3)
    # far in the turbulence the waist does not matter: sqrt(8) λL/(π r0)
    strong = float(atmosphere.long_term_radius(still, distance, wavelength, 0.001))
    assert strong == pytest.approx(math.sqrt(8.0) * wavelength * distance / (math.pi * 0.001), rel=2e-3)


def test_long_term_radius_against_speckle_by_phase_screens() -> None:
    """Mean far-field intensity on the axis behind random Kolmogorov screens, against a still beam.

    The screens are sums of plane waves (their low frequencies added by hand as tilts would be would need an infinite
    screen), so the spread is a few per cent small: 10 %.
    """
    generator = np.random.default_rng(SEED + 3)
    waist, r0, count = 0.06, 0.08, 160
    x = (np.arange(64) - 31.5) * (5.0 * waist / 64)
    X, Y = np.meshgrid(x, x)
    amplitude = np.exp(-(X**2 + Y**2) / waist**2)
    still = abs(amplitude.sum()) ** 2
    # logarithmic shells of wave numbers from 1/(300 m) on: power 0.023 r0^(-5/3) f^(-11/3) in two dimensions
    edges = np.geomspace(1.0 / 300.0, 60.0, 41)
    f = np.sqrt(edges[1:] * edges[:-1])
    shell = 0.0229 * r0 ** (-5 / 3) * f ** (-11 / 3) * math.pi * (edges[1:] ** 2 - edges[:-1] ** 2)
    total = 0.0
    for _ in range(count):
        phase = np.zeros_like(X)
        for power, frequency in zip(shell, f, strict=True):
            for _ in range(4):
                turn, shift = generator.uniform(0.0, 2.0 * math.pi, 2)
                wave = 2.0 * math.pi * frequency * (math.cos(turn) * X + math.sin(turn) * Y)
                phase += math.sqrt(2.0 * power / 4.0) * np.cos(wave + shift)
        total += abs((amplitude * np.exp(1j * phase)).sum()) ** 2
    measured = math.sqrt(still / (total / count))
    # in the far field λL/(πw) is the waist
    predicted = float(atmosphere.long_term_radius(1.0, math.pi * waist / 810e-9, 810e-9, r0))
    assert predicted == pytest.approx(measured, rel=0.1)


def test_wander_by_averaging_the_tilt() -> None:
    """Monte Carlo over pairs of points of the beam: half the Laplacian of the structure function, averaged."""
    generator = np.random.default_rng(SEED + 4)
    waist, wavelength, r0, count = 0.075, 810e-9, 0.09, 2_000_000
    one, other = generator.normal(0.0, waist / 2.0, (2, 2, count))
    apart = np.hypot(*(one - other))
    # the Laplacian of 6.88 (ρ/r0)^(5/3) in two dimensions is 6.88 (25/9) ρ^(-1/3) r0^(-5/3)
    gradient = 0.5 * 6.88 * (25.0 / 9.0) * apart ** (-1.0 / 3.0) * r0 ** (-5.0 / 3.0)
    angle = math.sqrt(gradient.mean() / 2.0) * wavelength / (2.0 * math.pi)
    assert float(atmosphere.wander(waist, wavelength, r0)) == pytest.approx(angle, rel=2e-3)


@pytest.mark.parametrize("ratio", [0.0, 1.0, 3.0, 10.0, 20.0])
def test_fibre_coupling_by_the_integral_over_the_mode(ratio: float) -> None:
    """Mean coupling of a plane wave with Kolmogorov coherence into the best Gaussian mode, by quadrature.

    The product of the mode at two points integrated over their sum is taken from a Monte Carlo over the disc.
    """
    generator = np.random.default_rng(SEED + 5)
    count = 1_500_000
    radius = np.sqrt(generator.random((2, count)))
    angle = generator.uniform(0.0, 2.0 * math.pi, (2, count))
    mode = np.exp(-((1.121 * radius) ** 2)).prod(axis=0)
    apart = np.hypot(
        radius[0] * np.cos(angle[0]) - radius[1] * np.cos(angle[1]),
        radius[0] * np.sin(angle[0]) - radius[1] * np.sin(angle[1]),
    )
    coherence = np.exp(-3.44 * (apart * ratio / 2.0) ** (5.0 / 3.0))
    # overlap of the field in the disc (power 1 per π) with the mode (norm π/(2·1.121²)), both in units of the radius
    coupled = float((mode * coherence).mean()) * math.pi**2 / (math.pi * math.pi / (2.0 * 1.121**2))
    simple = float(atmosphere.fibre_coupling(ratio, 1.0))
    if ratio == 0.0:
        assert coupled == pytest.approx(simple, rel=3e-3)
    assert coupled / 1.5 < simple < coupled * 1.5


def test_uplinks_lose_more_than_downlinks() -> None:
    """The same two telescopes, both ways: turbulence at the start spreads the beam, at the end it does not."""
    wavelength, distance, waist, aperture = 810e-9, 1e6, 0.15, 0.15
    still = float(beams.radius(distance, waist, wavelength))
    r0 = float(atmosphere.fried(wavelength, math.radians(30.0)))
    up = float(atmosphere.long_term_radius(still, distance, wavelength, r0))
    gain = 10.0 * math.log10(float(beams.capture(aperture, still)) / float(beams.capture(aperture, up)))
    assert 10.0 < gain < 20.0


@pytest.mark.parametrize(
    ("length", "attenuation"), [(1e3, 0.2e-3), (50e3, 0.2e-3), (200e3, 0.17e-3), (30e3, 0.0)]
)
def test_raman_light_by_integration_along_the_fibre(length: float, attenuation: float) -> None:
    """Each stretch scatters classical light; what it scatters still has to reach the receiver."""
    power, beta, width = 2e-4, 2.3e-3, 0.4e-9
    alpha = attenuation * math.log(10.0) / 10.0
    z = (np.arange(200_000) + 0.5) * length / 200_000
    step = length / 200_000
    forward = power * np.exp(-alpha * z) * beta * width * np.exp(-alpha * (length - z))
    # launched at the receiver (z = 0 there), scattered back to it
    backward = power * np.exp(-alpha * z) * beta * width * np.exp(-alpha * z)
    given = (power, beta, width, length, attenuation)
    assert float(raman.forward(*given)) == pytest.approx(forward.sum() * step, rel=1e-8)
    assert float(raman.backward(*given)) == pytest.approx(backward.sum() * step, rel=1e-8)


def test_forward_raman_light_peaks_at_the_absorption_length() -> None:
    lengths = np.linspace(1e3, 100e3, 991)
    noise = raman.forward(1e-3, 2e-3, 1e-10, lengths, 0.2e-3)
    assert lengths[noise.argmax()] == pytest.approx(10.0 / math.log(10.0) / 0.2e-3, rel=3e-3)  # 21.7 km


def test_background_by_counting_modes() -> None:
    """Thermal light of one photon per mode, H = h c²/λ⁵ · 2 per polarisation pair: N = 2 AΩ/λ² · Δν."""
    wavelength, width, aperture, view = 810e-9, 1e-9, 0.5, 50e-6
    radiance = 2.0 * raman.PLANCK * 299_792_458.0**2 / wavelength**5
    modes = math.pi * aperture**2 * math.pi * (view / 2.0) ** 2 / wavelength**2
    expected = 2.0 * modes * 299_792_458.0 * width / wavelength**2
    measured = float(atmosphere.background(radiance, view, aperture, width, wavelength))
    assert measured == pytest.approx(expected, rel=1e-12)
    # one mode of a fibre: a photon per mode is two polarisations times the bandwidth in Hz
    fibre = float(atmosphere.background_of_mode(radiance, width, wavelength))
    assert fibre == pytest.approx(2.0 * 299_792_458.0 * width / wavelength**2, rel=1e-12)
