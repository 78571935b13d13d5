"""Gaussian beams between telescopes: diffraction, capture by an aperture, pointing jitter and its fading.

Conventions, stated once:
    * A beam *radius* is where the intensity has fallen to 1/e² of the axis, and a *divergence* is the **half** angle of that
      cone far away. A beam of "10 µrad" is 18.6 dB down on a 1 m mirror at 1200 km if that is the full angle and 24.6 dB if it
      is the half angle; a uniform spot that fills a full angle of 10 µrad loses 21.6 dB.
    * Apertures are given by their *radius*. Pointing jitter is the standard deviation of *one* of the two angles.

Sources: Siegman, Lasers (1986), chapter 17 (beams); Farid and Hranilovic, J. Lightwave Technol. 25, 1702 (2007) (pointing).
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.physics.checks import Floats, check_range

_ERF = np.vectorize(math.erf, otypes=[np.float64])


@cache
def _rule() -> tuple[Floats, Floats]:
    """Gauss-Legendre quadrature over x = sin φ; its nodes take a while, so who needs none pays nothing."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    return np.sin(0.5 * np.pi * nodes), 0.5 * np.pi * np.cos(0.5 * np.pi * nodes) * weights


def divergence(waist: ArrayLike, wavelength: ArrayLike) -> Floats:
    """Half angle of divergence (1/e² of intensity) of a beam of a given waist.

    Equation: θ = λ / (π w0). The same formula turns a divergence into a waist.

    Args:
        waist: 1/e² radius at the waist, m, above 0 (or a half angle in rad).
        wavelength: m, above 0.

    Returns:
        rad (or m).

    Raises:
        QuantityError: outside the domain.

    Limits:
        Paraxial, and a Gaussian profile that no mirror cuts: a truncated or obscured beam spreads more.

    Examples:
        >>> round(float(divergence(0.05, 810e-9)) * 1e6, 3)
        5.157
    """
    return np.asarray(
        check_range(wavelength, 0.0, math.inf, "wavelength")
        / (math.pi * check_range(waist, 1e-300, math.inf, "waist"))
    )


def radius(distance: ArrayLike, waist: ArrayLike, wavelength: ArrayLike) -> Floats:
    """1/e² radius of a Gaussian beam at a distance from its waist.

    Equation: w(L) = w0 sqrt(1 + (L/z_R)²), z_R = π w0² / λ.

    Args:
        distance: m, at least 0.
        waist: m, above 0.
        wavelength: m, above 0.

    Returns:
        m.

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> round(float(radius(1_200_000.0, 0.05, 810e-9)), 3)
        6.188
    """
    spread = check_range(distance, 0.0, math.inf, "distance") * divergence(waist, wavelength)
    return np.asarray(np.hypot(waist, spread))


def capture(aperture: ArrayLike, beam: ArrayLike) -> Floats:
    """Share of a centred Gaussian beam that a round aperture takes.

    Equation: T = 1 − exp(−2 a²/w²).

    Args:
        aperture: radius of the aperture, m, at least 0.
        beam: 1/e² radius of the beam at the aperture, m, above 0.

    Returns:
        In [0, 1].

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> [round(float(-10 * np.log10(capture(0.5, angle * 1.2e6))), 1) for angle in (5e-6, 10e-6)]
        [18.6, 24.6]
    """
    ratio = check_range(aperture, 0.0, math.inf, "aperture") / check_range(beam, 1e-300, math.inf, "beam")
    return np.asarray(-np.expm1(-2.0 * ratio**2))


def capture_off_axis(aperture: ArrayLike, beam: ArrayLike, offset: ArrayLike) -> Floats:
    """Share of a Gaussian beam that a round aperture takes when the beam misses its centre.

    Equation: the beam's intensity integrated over the disc; across the offset in closed form (error function), along it
    by Gauss-Legendre quadrature with 200 nodes.

    Args:
        aperture: radius of the aperture, m, shape ``(...)``, above 0.
        beam: 1/e² radius, m, above 0.
        offset: distance of the beam's axis from the aperture's centre, m, at least 0.

    Returns:
        In [0, 1], the broadcast shape.

    Raises:
        QuantityError: outside the domain.

    Limits:
        Quadrature error below 1e-7.

    Examples:
        >>> bool(np.isclose(capture_off_axis(0.5, 2.0, 0.0), capture(0.5, 2.0), rtol=1e-7))
        True
    """
    a, w, d = np.broadcast_arrays(
        check_range(aperture, 1e-300, math.inf, "aperture"),
        check_range(beam, 1e-300, math.inf, "beam"),
        check_range(offset, 0.0, math.inf, "offset"),
    )
    low, high = np.maximum(-a, d - 6.0 * w), np.minimum(a, d + 6.0 * w)
    half = np.maximum(high - low, 0.0)[..., None] / 2.0
    # sines of the nodes: the chord goes to zero as a square root at the rim, which this makes smooth
    sines, cosines = _rule()
    x = (low + high)[..., None] / 2.0 + half * sines
    chord = np.sqrt(np.maximum(a[..., None] ** 2 - x**2, 0.0))
    along = np.exp(-2.0 * ((x - d[..., None]) / w[..., None]) ** 2)
    across = _ERF(math.sqrt(2.0) * chord / w[..., None])
    scale = math.sqrt(2.0 / math.pi) / w
    return np.asarray((along * across * cosines * half).sum(axis=-1) * scale)


def effective_radius(aperture: ArrayLike, beam: ArrayLike) -> Floats:
    """Radius w_e of the Gaussian exp(−2 r²/w_e²) by which the capture falls when the beam misses by a small r.

    Equation: w_e² = w² (e^u − 1)/u, u = 2a²/w². It follows from the curvature of the capture at r = 0, which is exactly
    −(16 a²/w⁴) e^(−u) (divergence theorem on the disc). Farid and Hranilovic have
    its analogue for a square of the same area.

    Args:
        aperture: radius of the aperture, m, above 0.
        beam: 1/e² radius, m, above 0.

    Returns:
        m, at least ``beam``.

    Raises:
        QuantityError: outside the domain.

    Limits:
        Exact to second order in r. The capture over a jitter r ~ w/2 is right to 1 % for a ≤ w/2; for an aperture wider than
        the beam use `capture_off_axis`.

    Examples:
        >>> round(float(effective_radius(0.5, 6.0)), 4)
        6.0209
    """
    w = check_range(beam, 1e-300, math.inf, "beam")
    u = 2.0 * (check_range(aperture, 1e-300, math.inf, "aperture") / w) ** 2
    with np.errstate(
        over="ignore"
    ):  # an aperture that takes the whole beam does not mind where it falls: infinite
        return np.asarray(w * np.sqrt(np.expm1(u) / u))


def pointing_exponent(beam: ArrayLike, jitter: ArrayLike) -> Floats:
    """Exponent γ of the fading h = exp(−2 r²/w²) that Gaussian pointing jitter makes.

    Equation: r is Rayleigh distributed with s = jitter, so P(h ≤ x) = x^γ and p(h) = γ h^(γ−1) on (0, 1] (log-beta), with
    γ = w²/(4 s²).

    Args:
        beam: 1/e² radius of the beam (or `effective_radius`), m, above 0.
        jitter: standard deviation of the displacement along one axis at the aperture, m, at least 0 (angle x distance).

    Returns:
        γ, infinite without jitter.

    Raises:
        QuantityError: outside the domain.

    Limits:
        Both axes jitter alike and without a fixed offset.

    Examples:
        >>> float(pointing_exponent(12.0, 1.2))
        25.0
    """
    w = check_range(beam, 1e-300, math.inf, "beam")
    s = check_range(jitter, 0.0, math.inf, "jitter")
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray((w / (2.0 * s)) ** 2)


def pointing_mean(beam: ArrayLike, jitter: ArrayLike, bias: ArrayLike = 0.0) -> Floats:
    """Mean of the fading exp(−2 r²/w²) under jitter, around a fixed pointing error.

    Equation: w²/(w² + 4 s²) · exp(−2 b²/(w² + 4 s²)); without bias it is γ/(1+γ).

    Args:
        beam: 1/e² radius (or `effective_radius`), m, above 0.
        jitter: standard deviation along one axis at the aperture, m, at least 0.
        bias: fixed displacement, m, at least 0.

    Returns:
        In (0, 1].

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> round(float(pointing_mean(12.0, 1.2)), 6)
        0.961538
    """
    w = check_range(beam, 1e-300, math.inf, "beam")
    wide = 4.0 * (check_range(jitter, 0.0, math.inf, "jitter") / w) ** 2
    missed = (check_range(bias, 0.0, math.inf, "bias") / w) ** 2
    return np.asarray(np.exp(-2.0 * missed / (1.0 + wide)) / (1.0 + wide))


def pointing_quantile(share: ArrayLike, exponent: ArrayLike) -> Floats:
    """Fading that is not exceeded for a share of the time: h = p^(1/γ).

    Args:
        share: probability p, in [0, 1].
        exponent: γ of `pointing_exponent`, above 0.

    Returns:
        In [0, 1]; draw p uniformly to sample the fading.

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> round(float(pointing_quantile(0.01, 25.0)), 4)
        0.8318
    """
    p = check_range(share, 0.0, 1.0, "share")
    return np.asarray(p ** (1.0 / check_range(exponent, 1e-300, math.inf, "exponent")))


def pointing_samples(exponent: float, count: int, generator: np.random.Generator) -> Floats:
    """Draw independent fadings.

    Args:
        exponent: γ of `pointing_exponent`, above 0.
        count: how many.
        generator: source of randomness.

    Returns:
        Shape ``(count,)``, in (0, 1].

    Raises:
        QuantityError: outside the domain.

    Limits:
        Successive draws are independent; real jitter is correlated over milliseconds.

    Examples:
        >>> draws = pointing_samples(25.0, 1000, np.random.default_rng(1))
        >>> bool(abs(draws.mean() - 25 / 26) < 0.01)
        True
    """
    return pointing_quantile(1.0 - generator.random(count), exponent)
