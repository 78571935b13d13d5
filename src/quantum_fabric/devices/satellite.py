"""What a data sheet says of the ways between a satellite and a telescope on the ground, down and up."""

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.devices.quantities import check, quantity
from quantum_fabric.errors import Caution
from quantum_fabric.physics.optics import atmosphere, beams, orbit
from quantum_fabric.units import SPEED_OF_LIGHT, Time, from_seconds, show


@dataclass(frozen=True, slots=True)
class SatellitePath:
    """What the ways down and up have in common: a beam between a telescope and a satellite in a circular orbit.

    Its *length* is the slant range. Attributes and equations are those of `Downlink` and `Uplink`.
    """

    altitude: float = quantity("length", 0.0, 1e9, "altitude of the orbit above the station", open_low=True)
    divergence: float = quantity(
        "divergence", 0.0, 0.1, "half angle of the beam at 1/e2 of intensity", open_low=True
    )
    receiver_radius: float = quantity(
        "length", 0.0, math.inf, "radius of the ground telescope", open_low=True
    )
    wavelength: float = quantity("length", 0.0, math.inf, "wavelength", default=810e-9, open_low=True)
    pointing_jitter: float = quantity(
        "divergence", 0.0, 0.1, "rms pointing error in each of two angles", default=0.0
    )
    pointing_bias: float = quantity("divergence", 0.0, 0.1, "fixed pointing error", default=0.0)
    zenith_transmission: float = quantity(
        "fraction", 0.0, 1.0, "transmission of the air to the zenith", default=1.0, open_low=True
    )
    transmitter_loss: float = quantity(
        "loss", 0.0, math.inf, "optics of the transmitter", default=0.0, open_high=True
    )
    receiver_loss: float = quantity(
        "loss", 0.0, math.inf, "optics of the receiver", default=0.0, open_high=True
    )
    fried_parameter: float = quantity(
        "length", 0.0, math.inf, "Fried parameter towards the zenith", default=math.inf, open_low=True
    )
    single_mode: bool = quantity("flag", 0.0, 1.0, "light goes into a single-mode fibre", default=False)
    radiance: float = quantity(
        "radiance", 0.0, math.inf, "light of the background", default=0.0, open_high=True
    )
    field_of_view: float = quantity(
        "divergence", 0.0, math.pi, "full angle that the receiver sees", default=0.0
    )
    filter_bandwidth: float = quantity(
        "length", 0.0, math.inf, "width of the receiver's filter", default=0.0, open_high=True
    )
    lowest_elevation: float = quantity("angle", 0.0, math.pi / 2, "lowest elevation in use", default=0.0)
    band: float = quantity("fraction", 0.0, 1.0, "share by which the wavelength may differ", default=0.02)

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        check(self)

    @property
    def band_low(self) -> float:
        """Shortest wavelength for which its numbers hold, m."""
        return self.wavelength * (1.0 - self.band)

    @property
    def band_high(self) -> float:
        """Longest wavelength, m."""
        return self.wavelength * (1.0 + self.band)

    def elevation(self, length: float) -> float:
        """Elevation, rad, at which the satellite stands at a slant range.

        Args:
            length: m, from the altitude to the horizon.

        Raises:
            QuantityError: nearer than the altitude, or below the horizon.

        Examples:
            >>> link = Downlink(altitude=500e3, divergence=5e-6, receiver_radius=0.5)
            >>> round(math.degrees(link.elevation(1_200_000.0)), 2)
            19.81
        """
        return float(orbit.elevation_at(length, self.altitude))

    def fried(self, elevation: float) -> float:
        """Fried's parameter of the slanted path, m: that towards the zenith x airmass^(−3/5).

        Args:
            elevation: rad, in [0, π/2].

        Raises:
            QuantityError: below the horizon.
        """
        return self.fried_parameter * float(atmosphere.airmass(elevation) ** -0.6)

    def received_fried(self, elevation: float) -> float:
        """Fried's parameter of the waves that reach the receiver, m.

        Args:
            elevation: rad, in [0, π/2].
        """
        return self.fried(elevation)

    def beam(self, length: float) -> float:
        """1/e² radius of the beam at the far end, m.

        Args:
            length: slant range, m.

        Examples:
            >>> round(Downlink(altitude=500e3, divergence=5e-6, receiver_radius=0.5).beam(1_200_000.0), 4)
            6.0002
        """
        waist = float(beams.divergence(self.divergence, self.wavelength))
        return float(beams.radius(length, waist, self.wavelength))

    def fading(self, length: float) -> float:
        """Exponent γ of the log-beta fading by pointing jitter: P(h ≤ x) = x^γ; infinite without jitter.

        Args:
            length: slant range, m.

        Examples:
            >>> link = Downlink(altitude=500e3, divergence=5e-6, receiver_radius=0.5, pointing_jitter=0.5e-6)
            >>> round(link.fading(1_200_000.0), 2)
            25.18
        """
        effective = beams.effective_radius(self.receiver_radius, self.beam(length))
        return float(beams.pointing_exponent(effective, self.pointing_jitter * length))

    def budget(self, length: float) -> dict[str, float]:
        """Loss in dB by cause; together they are `loss`.

        Args:
            length: slant range, m, from the altitude to the horizon.

        Raises:
            QuantityError: nearer than the altitude, or below the horizon.

        Examples:
            >>> link = Downlink(altitude=500e3, divergence=5e-6, receiver_radius=0.5, zenith_transmission=0.8)
            >>> {cause: round(value, 2) for cause, value in link.budget(1_000_000.0).items() if value}
            {'diffraction': 17.03, 'air': 2.19}
        """
        elevation = self.elevation(length)
        wide = beams.effective_radius(self.receiver_radius, self.beam(length))
        aimed = beams.pointing_mean(wide, self.pointing_jitter * length, self.pointing_bias * length)
        shares = {
            "diffraction": float(beams.capture(self.receiver_radius, self.beam(length))),
            "pointing": float(aimed),
            "air": float(atmosphere.air_transmission(elevation, self.zenith_transmission)),
            "fibre coupling": self._coupling(elevation),
        }
        decibels = {cause: abs(10.0 * math.log10(share)) for cause, share in shares.items()}
        return {"transmitter": self.transmitter_loss, **decibels, "receiver": self.receiver_loss}

    def loss(self, length: float, extra: float = 0.0) -> float:
        """Mean loss in dB at a slant range.

        Args:
            length: slant range, m, from the altitude to the horizon.
            extra: dB on top.

        Raises:
            QuantityError: nearer than the altitude, or below the horizon.
        """
        return math.fsum(self.budget(length).values()) + extra

    def transmission(self, length: float, extra: float = 0.0) -> float:
        """Share of the light that arrives behind the receiver's optics, in the mean: 10^(−loss/10).

        Args:
            length: slant range, m, from the altitude to the horizon.
            extra: dB on top.

        Raises:
            QuantityError: nearer than the altitude, or below the horizon.
        """
        return float(10.0 ** (-self.loss(length, extra) / 10.0))

    def latency(self, length: float) -> Time:
        """Time of flight in ps: length / c.

        Args:
            length: slant range, m, at least 0.

        Limits:
            The air adds 8 ns at the zenith and 80 ns at 5° of elevation.

        Examples:
            >>> Downlink(altitude=500e3, divergence=5e-6, receiver_radius=0.5).latency(1_200_000.0)
            4002769142
        """
        return from_seconds(length / SPEED_OF_LIGHT)

    def noise(self, length: float) -> float:  # noqa: ARG002 - the sky fills the field of view at any range
        """Background photons per s that the receiver takes in, behind its optics.

        Args:
            length: slant range, m.

        Limits:
            The same radiance at all elevations. A single-mode fibre takes one mode of the sky, whatever the field of view.
        """
        if self.single_mode:
            light = atmosphere.background_of_mode(self.radiance, self.filter_bandwidth, self.wavelength)
        else:
            light = atmosphere.background(
                self.radiance,
                self.field_of_view,
                self.receiver_radius,
                self.filter_bandwidth,
                self.wavelength,
            )
        return float(light) * float(10.0 ** (-self.receiver_loss / 10.0))

    def carries(self, wavelength: float) -> bool:
        """Say whether its numbers hold at a wavelength (m).

        Examples:
            >>> Downlink(altitude=500e3, divergence=5e-6, receiver_radius=0.5).carries(1550e-9)
            False
        """
        return self.band_low <= wavelength <= self.band_high

    def cautions(self, length: float) -> tuple[Caution, ...]:
        """Say where the way through the air is too long for what is left out.

        Args:
            length: slant range, m, from the altitude to the horizon.

        Examples:
            >>> link = Downlink(altitude=500e3, divergence=5e-6, receiver_radius=0.5)
            >>> link.cautions(1_000_000.0)
            ()
            >>> print(link.cautions(2_200_000.0)[0])
            elevation: 3.64 deg is outside the model's validity (at least 10 deg): refraction, haze and strong scintillation \
are left out
        """
        degrees = math.degrees(self.elevation(length))
        found: list[Caution] = []
        if degrees < 10.0:
            effect = "refraction, haze and strong scintillation are left out"
            found.append(Caution("elevation", f"{degrees:.3g} deg", "at least 10 deg", effect))
        if self.receiver_radius > 0.5 * self.beam(length) and (self.pointing_jitter or self.pointing_bias):
            beam = show(self.beam(length), "length")
            effect = "the loss by pointing is off by some per cent"
            found.append(Caution("beam radius", beam, "at least twice the telescope's radius", effect))
        return tuple(found)

    def _coupling(self, elevation: float) -> float:
        if not self.single_mode:
            return 1.0
        r0 = self.received_fried(elevation)
        return float(atmosphere.fibre_coupling(2.0 * self.receiver_radius, r0))


@dataclass(frozen=True, slots=True)
class Downlink(SatellitePath):
    """A beam from a satellite in a circular orbit into a ground telescope. Its *length* is the slant range.

    Attributes:
        altitude: of the orbit above the station, m.
        divergence: **half** angle of the beam at 1/e² of its intensity, rad, far from the satellite.
        receiver_radius: **radius** of the ground telescope's aperture, m.
        wavelength: m.
        pointing_jitter: standard deviation of the beam's direction in **each** of two angles, rad.
        pointing_bias: fixed pointing error, rad.
        zenith_transmission: of the clear air towards the zenith.
        transmitter_loss: dB of the optics on board.
        receiver_loss: dB of the optics on the ground, up to the detector.
        fried_parameter: r0 of the air towards the zenith at ``wavelength``, m; infinite for still air.
        single_mode: True where the light goes into a single-mode fibre without adaptive optics.
        radiance: of the sky, W per m², sr and m of wavelength.
        field_of_view: **full** angle that the receiver sees, rad.
        filter_bandwidth: width of the receiver's filter, m of wavelength.
        lowest_elevation: below which the telescope does not look, rad.
        band: share of the wavelength by which the light may differ from ``wavelength``.

    Raises:
        QuantityError: outside the domain.

    Equation:
        T = (1 − exp(−2a²/w²)) · w²/(w²+4σ²L²) · T_zenith^airmass · optics, w² = w0² + (θL)², w0 = λ/(πθ); the elevation follows
        from the range and the altitude. With a fibre, 0.8145/(1+(D/r0)²) on top. See
        `quantum_fabric.physics.optics.beams`, `quantum_fabric.physics.optics.atmosphere` and
        `quantum_fabric.physics.optics.orbit`.

    Limits:
        Clear night. A mean transmission: `fading` gives the exponent of the log-beta distribution by pointing; scintillation and
        the fading of the fibre coupling are left out. The spread of a downlink by the air is nothing beside the beam (0.1 m against
        metres). The telescope has no central obstruction.

    Examples:
        >>> link = Downlink(altitude=500e3, divergence=5e-6, receiver_radius=0.5)
        >>> round(link.loss(1_200_000.0), 1)  # 10 urad of full angle on 1 m at 1200 km
        18.6
        >>> link.transmission(400e3)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: distance: found 400 km, expected 500 km to 2573.1 km: beyond that the satellite \
is below the horizon (elevation in [0 deg, 90 deg])
    """


@dataclass(frozen=True, slots=True)
class Uplink(SatellitePath):
    """A beam from a telescope on the ground to a satellite in a circular orbit. Its *length* is the slant range.

    Attributes: those of `Downlink`, with ``divergence`` that of the telescope on the ground, ``receiver_radius`` that of the one
    in orbit, ``transmitter_loss`` on the ground, ``receiver_loss`` on board and ``radiance`` that of the Earth at night.

    Raises:
        QuantityError: outside the domain.

    Equation:
        As for `Downlink`, with w the long-term radius of a beam whose turbulence lies at its start, see
        `quantum_fabric.physics.optics.atmosphere.long_term_radius`; r0 falls as airmass^(−3/5).

    Limits:
        Mean over the wander of the beam, which is part of the long-term radius. The telescope points ahead by 2v/c and does not
        correct the wave front.

    Examples:
        >>> up = Uplink(altitude=500e3, divergence=5e-6, receiver_radius=0.15, fried_parameter=0.1)
        >>> down = Downlink(altitude=500e3, divergence=5e-6, receiver_radius=0.15, fried_parameter=0.1)
        >>> round(up.loss(1000e3) - down.loss(1000e3), 1)  # dB that turbulence at the start costs
        8.4
    """

    def beam(self, length: float) -> float:
        """Long-term 1/e² radius of the beam at the satellite, m.

        Args:
            length: slant range, m, from the altitude to the horizon.

        Raises:
            QuantityError: nearer than the altitude, or below the horizon.
        """
        still = SatellitePath.beam(self, length)
        r0 = self.fried(self.elevation(length))
        return float(atmosphere.long_term_radius(still, length, self.wavelength, r0))

    def received_fried(self, elevation: float) -> float:  # noqa: ARG002 - at any elevation
        """Infinite: far above the air the waves that reach the satellite are flat again."""
        return math.inf
