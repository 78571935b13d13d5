"""What air does to a beam: extinction along a slanted path, turbulence, and the light of the sky.

Elevations are in rad above the horizon. Turbulence is Kolmogorov's, described by Fried's parameter r0 of the path.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.optics.raman import photon_energy

GROUND_TURBULENCE: Final = 1.7e-14
"""Cn² at the ground of the model HV 5/7, m^(-2/3)."""

HIGH_WIND: Final = 21.0
"""Wind at altitude of the model HV 5/7, m/s."""

FIBRE_COUPLING: Final = 0.8145
"""Largest share of a plane wave that a round aperture couples into a single-mode fibre (Shaklan and Roddier 1988)."""


@cache
def _rule() -> tuple[Any, Any]:
    """Nodes and weights of Gauss-Legendre quadrature; they take a while, so who needs none pays nothing."""
    return np.polynomial.legendre.leggauss(400)


def airmass(elevation: ArrayLike) -> Floats:
    """Mass of air along the line of sight over that towards the zenith.

    Equation (Kasten and Young, Appl. Opt. 28, 4735 (1989)), h in degrees:
    m = 1 / (sin h + 0.50572 (h + 6.07995)^(−1.6364)).

    Args:
        elevation: apparent elevation, rad, in [0, π/2].

    Returns:
        1 at the zenith (0.9997 by the fit), 38 at the horizon.

    Raises:
        QuantityError: below the horizon or beyond the zenith.

    Limits:
        A fit to the standard atmosphere over the whole sky, by its authors to 0.5 %; the elevation is the apparent one
        (refraction lifts a source at the horizon by about half a degree). Haze and ozone have other profiles than air.

    Examples:
        >>> [round(float(airmass(math.radians(h))), 3) for h in (90, 30, 10, 0)]
        [1.0, 1.994, 5.586, 37.92]
    """
    h = check_elevation(elevation)
    return np.asarray(1.0 / (np.sin(h) + 0.50572 * (np.degrees(h) + 6.07995) ** -1.6364))


def plane_airmass(elevation: ArrayLike) -> Floats:
    """Airmass of a flat atmosphere, 1/sin h: the limit of `airmass` high in the sky.

    Args:
        elevation: rad, in (0, π/2].

    Returns:
        At least 1.

    Raises:
        QuantityError: at or below the horizon.

    Limits:
        0.3 % too large at 30°, 3 % at 10°, infinite at the horizon.

    Examples:
        >>> round(float(plane_airmass(math.radians(30.0))), 6)
        2.0
    """
    return np.asarray(1.0 / np.sin(check_range(elevation, 1e-12, math.pi / 2, "elevation")))


def air_transmission(elevation: ArrayLike, zenith: ArrayLike) -> Floats:
    """Transmission of the air on a slanted path: that to the zenith to the power of the airmass (Beer and Lambert).

    Args:
        elevation: rad, in [0, π/2].
        zenith: transmission towards the zenith, in [0, 1].

    Returns:
        In [0, 1].

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> round(float(air_transmission(math.radians(30.0), 0.8)), 4)
        0.6408
    """
    return np.asarray(check_range(zenith, 0.0, 1.0, "zenith") ** airmass(elevation))


def turbulence(height: ArrayLike, ground: float = GROUND_TURBULENCE, wind: float = HIGH_WIND) -> Floats:
    """Strength of turbulence Cn² at a height above the ground.

    Equation (Hufnagel-Valley): 0.00594 (v/27)² (10⁻⁵ h)^10 e^(−h/1000) + 2.7·10⁻¹⁶ e^(−h/1500) + A e^(−h/100).

    Args:
        height: m, at least 0.
        ground: A, Cn² at the ground, m^(-2/3).
        wind: v, rms wind between 5 and 20 km, m/s.

    Returns:
        m^(-2/3).

    Raises:
        QuantityError: outside the domain.

    Limits:
        A mean profile of a temperate inland site at night; single nights differ by an order of magnitude.

    Examples:
        >>> f"{float(turbulence(0.0)):.3e} {float(turbulence(10_000.0)):.3e}"
        '1.727e-14 1.666e-17'
    """
    h = check_range(height, 0.0, math.inf, "height")
    high = 0.00594 * (wind / 27.0) ** 2 * (1e-5 * h) ** 10 * np.exp(-h / 1000.0)
    return np.asarray(high + 2.7e-16 * np.exp(-h / 1500.0) + ground * np.exp(-h / 100.0))


def fried(
    wavelength: ArrayLike,
    elevation: ArrayLike = math.pi / 2,
    ground: float = GROUND_TURBULENCE,
    wind: float = HIGH_WIND,
) -> Floats:
    """Fried's parameter of the path between the ground and space.

    Equation (Fried, J. Opt. Soc. Am. 56, 1372 (1966)): r0 = [0.423 k² m ∫ Cn²(h) dh]^(−3/5), with m the `airmass` in the
    place of sec z.

    Args:
        wavelength: m, above 0.
        elevation: rad, in [0, π/2].
        ground: Cn² at the ground, m^(-2/3).
        wind: rms wind at altitude, m/s.

    Returns:
        m. It describes a plane wave that comes down, and as well a beam that goes up to a satellite far above the air.

    Raises:
        QuantityError: outside the domain.

    Limits:
        Weak turbulence; below about 20° the scintillation is strong and r0 alone does not describe the beam.

    Examples:
        >>> round(float(fried(500e-9)), 4)  # HV 5/7 is named after the 5 cm
        0.0496
    """
    k = 2.0 * math.pi / check_range(wavelength, 1e-300, math.inf, "wavelength")
    # each exponential of the profile has its own integral; 30 km of quadrature would add nothing but error
    column = 0.00594 * (wind / 27.0) ** 2 * 1e-50 * math.factorial(10) * 1000.0**11
    column += 2.7e-16 * 1500.0 + ground * 100.0
    return np.asarray((0.423 * k**2 * airmass(elevation) * column) ** -0.6)


def fried_level(wavelength: ArrayLike, distance: ArrayLike, strength: ArrayLike) -> Floats:
    """Fried's parameter of a level path with constant turbulence, for the spread of a beam that starts on it.

    Equation: r0 = [0.423 k² (3/8) Cn² L]^(−3/5) (spherical wave seen from the transmitter).

    Args:
        wavelength: m, above 0.
        distance: L, m, above 0.
        strength: Cn², m^(-2/3), at least 0.

    Returns:
        m, infinite without turbulence.

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> round(float(fried_level(810e-9, 10_000.0, 1e-15)), 4)
        0.0649
    """
    k = 2.0 * math.pi / check_range(wavelength, 1e-300, math.inf, "wavelength")
    path = check_range(distance, 0.0, math.inf, "distance") * check_range(strength, 0.0, math.inf, "strength")
    with np.errstate(divide="ignore", over="ignore"):  # infinite without turbulence or path
        return np.asarray((0.423 * k**2 * 0.375 * path) ** -0.6)


def long_term_radius(beam: ArrayLike, distance: ArrayLike, wavelength: ArrayLike, r0: ArrayLike) -> Floats:
    """Radius of a beam after turbulence at its start, averaged over its wander.

    Equation (extended Huygens-Fresnel principle, on-axis mean intensity): with x = λL/(π w r0),
    w_LT² = w² / ∫₀^∞ exp(−s − 3.44 (√(2s) x)^(5/3)) ds. For strong turbulence w_LT = w √8 x.

    Args:
        beam: radius w at the far end without turbulence, m, above 0.
        distance: L, m, above 0.
        wavelength: m, above 0.
        r0: Fried's parameter seen from the transmitter, m, above 0, infinite for none.

    Returns:
        m, at least ``beam``.

    Raises:
        QuantityError: outside the domain.

    Limits:
        The turbulence lies near the transmitter: an uplink. On a downlink it lies in the last 0.02 of the way and its spread,
        about λ h_air/r0 ~ 0.1 m, is nothing beside a beam of metres; so a downlink's r0 here is infinite.
        The profile is no longer Gaussian; this radius keeps the intensity on the axis right.

    Examples:
        >>> round(float(long_term_radius(5.157, 1e6, 810e-9, 0.09)), 2)
        9.85
    """
    w = check_range(beam, 1e-300, math.inf, "beam")
    path = check_range(distance, 0.0, math.inf, "distance")
    start = check_range(wavelength, 1e-300, math.inf, "wavelength") * path / (math.pi * w)
    x = np.asarray(start / check_range(r0, 1e-300, math.inf, "r0"))
    scale = np.asarray(1.0 / (1.0 + 8.0 * x**2))[..., None]
    # nodes crowd towards 0, where s^(5/6) is not smooth
    nodes, weights = _rule()
    t = (nodes + 1.0) / 2.0
    s = scale * 60.0 * t**3
    integrand = np.exp(-s - 3.44 * (np.sqrt(2.0 * s) * x[..., None]) ** (5.0 / 3.0))
    share = (integrand * scale * 180.0 * t**2 * weights / 2.0).sum(axis=-1)
    return np.asarray(w / np.sqrt(share))


def wander(waist: ArrayLike, wavelength: ArrayLike, r0: ArrayLike) -> Floats:
    """Standard deviation of the angle, along one axis, by which turbulence at its start tilts a beam (an uplink).

    Equation: the tilt of the phase weighted with the beam's intensity has the variance
    ½ · 0.2732 λ² w0^(−1/3) r0^(−5/3) in each axis (½∇² of the phase structure function 6.88 (ρ/r0)^(5/3), averaged over two
    points of the beam: 0.2732 = 6.88 · (25/18) · Γ(5/6) / (4π²)).

    Args:
        waist: 1/e² radius of the beam at the transmitter, m, above 0.
        wavelength: m, above 0.
        r0: Fried's parameter, m, above 0.

    Returns:
        rad. It is part of the spread of `long_term_radius`: use one or the other.

    Raises:
        QuantityError: outside the domain.

    Limits:
        Infinite outer scale (a real one makes it smaller), collimated beam. Independent of the wavelength, since r0 goes as
        λ^(6/5).

    Examples:
        >>> round(float(wander(0.075, 810e-9, 0.09)) * 1e6, 2)
        3.43
    """
    variance = (
        0.2732 / 2.0
        * check_range(wavelength, 0.0, math.inf, "wavelength") ** 2
        * check_range(waist, 1e-300, math.inf, "waist") ** (-1.0 / 3.0)
        * check_range(r0, 1e-300, math.inf, "r0") ** (-5.0 / 3.0)
    )  # fmt: skip
    return np.asarray(np.sqrt(variance))


def fibre_coupling(diameter: ArrayLike, r0: ArrayLike) -> Floats:
    """Mean share of the light in a telescope that couples into a single-mode fibre without adaptive optics.

    Equation: 0.8145 / (1 + (D/r0)²).

    Args:
        diameter: of the round, clear aperture, m, above 0.
        r0: Fried's parameter at the telescope, m, above 0, infinite for none.

    Returns:
        In (0, 0.8145].

    Raises:
        QuantityError: outside the domain.

    Limits:
        Interpolates between the diffraction limit and (r0/D)²; within a factor 1.5 of the integral over the mode for D up to
        20 r0. The mean only: the instantaneous coupling fades as speckles do.

    Examples:
        >>> round(float(fibre_coupling(1.0, 0.1)), 5)
        0.00806
    """
    ratio = check_range(diameter, 0.0, math.inf, "diameter") / check_range(r0, 1e-300, math.inf, "r0")
    return np.asarray(FIBRE_COUPLING / (1.0 + ratio**2))


def background(
    radiance: ArrayLike,
    field_of_view: ArrayLike,
    aperture: ArrayLike,
    bandwidth: ArrayLike,
    wavelength: ArrayLike,
) -> Floats:
    """Photons of the sky that a telescope takes in, per s.

    Equation (Miao et al., New J. Phys. 7, 215 (2005)): N = H Ω A Δλ / (hν), Ω = π (fov/2)², A = π a².

    Args:
        radiance: H, W per m², sr and m of wavelength, at least 0.
        field_of_view: **full** angle, rad, at least 0.
        aperture: radius a of the telescope, m, at least 0.
        bandwidth: Δλ of the filter, m, at least 0.
        wavelength: m, above 0.

    Returns:
        Photons per s before the receiver's own losses.

    Raises:
        QuantityError: outside the domain.

    Limits:
        Both polarisations together, small field of view, uniform sky.

    Examples:
        >>> round(float(background(1.5e-6 * 1e9, 100e-6, 0.5, 1e-9, 810e-9)), 1)
        37729.3
    """
    solid = math.pi * (check_range(field_of_view, 0.0, math.pi, "field of view") / 2.0) ** 2
    area = math.pi * check_range(aperture, 0.0, math.inf, "aperture") ** 2
    light = check_range(radiance, 0.0, math.inf, "radiance") * check_range(
        bandwidth, 0.0, math.inf, "bandwidth"
    )
    return np.asarray(light * solid * area / photon_energy(wavelength))


def background_of_mode(radiance: ArrayLike, bandwidth: ArrayLike, wavelength: ArrayLike) -> Floats:
    """Photons of the sky that enter one single-mode fibre, per s: its area times its solid angle is λ², whatever the telescope.

    Equation: N = H λ² Δλ / (hν).

    Args:
        radiance: H, W per m², sr and m of wavelength, at least 0.
        bandwidth: Δλ of the filter, m, at least 0.
        wavelength: m, above 0.

    Returns:
        Photons per s before the receiver's own losses, both polarisations together.

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> round(float(background_of_mode(1.5e-6 * 1e9, 1e-9, 810e-9)), 3)
        4.013
    """
    light = check_range(radiance, 0.0, math.inf, "radiance") * check_range(
        bandwidth, 0.0, math.inf, "bandwidth"
    )
    return np.asarray(light * np.square(wavelength) / photon_energy(wavelength))


def check_elevation(elevation: ArrayLike, where: str = "elevation") -> Floats:
    """Turn elevations into an array, refusing any below the horizon or beyond the zenith.

    Args:
        elevation: rad.
        where: name for the error.

    Raises:
        QuantityError: outside [0, π/2].

    Examples:
        >>> check_elevation(math.radians(-5.0))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: elevation: found -5 deg, expected an elevation in [0 deg, 90 deg], above the horizon
    """
    array = np.asarray(elevation, dtype=np.float64)
    inside = (array >= 0.0) & (array <= math.pi / 2 * (1.0 + 1e-12))
    if not inside.all():
        first = math.degrees(float(array[~inside].flat[0]))
        raise QuantityError(f"{first:.6g} deg", "an elevation in [0 deg, 90 deg], above the horizon", where)
    return array
