"""What a data sheet says of a free-space path along the ground, telescope to telescope."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from quantum_fabric.devices.quantities import check, quantity
from quantum_fabric.errors import Caution
from quantum_fabric.physics.optics import atmosphere, beams
from quantum_fabric.units import SPEED_OF_LIGHT, Time, from_seconds

AIR_INDEX: Final = 1.00027
"""Group index of air at the ground in the near infrared."""

STRONG: Final = 1.0
"""Rytov variance above which the turbulence is strong."""


@dataclass(frozen=True, slots=True)
class FreeSpacePath:
    """A level path through the air between two telescopes.

    Attributes:
        wavelength: m.
        waist: 1/e² **radius** (of intensity) of the beam at the transmitter, m.
        receiver_radius: radius of the receiver's aperture, m.
        pointing_jitter: standard deviation of the beam's direction in **each** of two angles, rad.
        attenuation: of the air, dB per m.
        fixed_loss: dB of all optics at both ends.
        turbulence: Cn² of the air, in m^(-2/3), the same along the path.
        radiance: of the background, W per m², sr and m of wavelength.
        field_of_view: **full** angle that the receiver sees, rad.
        filter_bandwidth: width of the receiver's filter, m of wavelength.
        band: share of the wavelength by which the light may differ from ``wavelength``.

    Raises:
        QuantityError: outside the domain.

    Equation:
        T = (1 − exp(−2a²/w²)) · γ/(1+γ) · 10^(−loss/10), w the long-term radius of the collimated Gaussian beam in turbulence,
        γ = w_e²/(4 σ² L²). See `quantum_fabric.physics.optics.beams` and `quantum_fabric.physics.optics.atmosphere`.

    Limits:
        A mean transmission: `fading` gives the exponent of its log-beta distribution by pointing; scintillation is left out. The
        beam is collimated and no mirror cuts it. Weak turbulence, see `cautions`.

    Examples:
        >>> path = FreeSpacePath(waist=0.02, receiver_radius=0.05, wavelength=810e-9)
        >>> round(path.loss(1000.0), 3), path.latency(1000.0)
        (0.001, 3336542)
    """

    waist: float = quantity("length", 0.0, math.inf, "beam radius at the transmitter", open_low=True)
    receiver_radius: float = quantity(
        "length", 0.0, math.inf, "radius of the receiver's aperture", open_low=True
    )
    wavelength: float = quantity("length", 0.0, math.inf, "wavelength", default=810e-9, open_low=True)
    pointing_jitter: float = quantity(
        "divergence", 0.0, math.pi / 2, "rms pointing error in each of two angles", default=0.0
    )
    attenuation: float = quantity(
        "attenuation", 0.0, math.inf, "loss of the air", default=0.0, open_high=True
    )
    fixed_loss: float = quantity("loss", 0.0, math.inf, "optics at both ends", default=0.0, open_high=True)
    turbulence: float = quantity(
        "number",
        0.0,
        math.inf,
        "structure constant of the air's index, in m^(-2/3)",
        default=0.0,
        open_high=True,
    )
    radiance: float = quantity(
        "radiance", 0.0, math.inf, "light of the background", default=0.0, open_high=True
    )
    field_of_view: float = quantity(
        "divergence", 0.0, math.pi, "full angle that the receiver sees", default=0.0
    )
    filter_bandwidth: float = quantity(
        "length", 0.0, math.inf, "width of the receiver's filter", default=0.0, open_high=True
    )
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

    def beam(self, length: float) -> float:
        """Long-term radius of the beam at the receiver, m.

        Args:
            length: m, at least 0.

        Examples:
            >>> round(FreeSpacePath(waist=0.02, receiver_radius=0.05).beam(10_000.0), 4)
            0.1305
            >>> round(FreeSpacePath(waist=0.02, receiver_radius=0.05, turbulence=1e-15).beam(10_000.0), 4)
            0.1787
        """
        still = float(beams.radius(length, self.waist, self.wavelength))
        r0 = float(atmosphere.fried_level(self.wavelength, length, self.turbulence))
        return (
            still
            if math.isinf(r0)
            else float(atmosphere.long_term_radius(still, length, self.wavelength, r0))
        )

    def fading(self, length: float) -> float:
        """Exponent γ of the log-beta fading by pointing jitter: P(h ≤ x) = x^γ; infinite without jitter.

        Args:
            length: m, at least 0.

        Examples:
            >>> path = FreeSpacePath(waist=0.02, receiver_radius=0.05, pointing_jitter=5e-6)
            >>> round(path.fading(10_000.0), 3)
            1.978
        """
        effective = beams.effective_radius(self.receiver_radius, self.beam(length))
        return float(beams.pointing_exponent(effective, self.pointing_jitter * length))

    def loss(self, length: float, extra: float = 0.0) -> float:
        """Mean loss in dB: −10 log10 of the transmission.

        Args:
            length: m, at least 0.
            extra: dB on top.

        Examples:
            >>> round(FreeSpacePath(waist=0.02, receiver_radius=0.05).loss(10_000.0), 3)
            5.942
        """
        return abs(10.0 * math.log10(self.transmission(length, extra)))

    def transmission(self, length: float, extra: float = 0.0) -> float:
        """Share of the light that arrives, in the mean.

        Args:
            length: m, at least 0.
            extra: dB on top.
        """
        caught = float(beams.capture(self.receiver_radius, self.beam(length)))
        exponent = self.fading(length)
        aimed = 1.0 if math.isinf(exponent) else exponent / (1.0 + exponent)
        return caught * aimed * float(10.0 ** (-(self.attenuation * length + self.fixed_loss + extra) / 10.0))

    def latency(self, length: float) -> Time:
        """Time of flight in ps.

        Args:
            length: m, at least 0.
        """
        return from_seconds(AIR_INDEX * length / SPEED_OF_LIGHT)

    def noise(self, length: float) -> float:  # noqa: ARG002 - the background fills the field of view at any distance
        """Background photons per s that the receiver takes in, behind its optics.

        Args:
            length: m, at least 0.

        Examples:
            >>> path = FreeSpacePath(
            ...     waist=0.02, receiver_radius=0.05, radiance=1.5, field_of_view=1e-4, filter_bandwidth=1e-9
            ... )
            >>> round(path.noise(1000.0), 3)
            0.377
        """
        light = atmosphere.background(
            self.radiance, self.field_of_view, self.receiver_radius, self.filter_bandwidth, self.wavelength
        )
        return float(light) * float(10.0 ** (-self.fixed_loss / 10.0))

    def carries(self, wavelength: float) -> bool:
        """Say whether its numbers hold at a wavelength (m).

        Examples:
            >>> FreeSpacePath(waist=0.02, receiver_radius=0.05).carries(1550e-9)
            False
        """
        return self.band_low <= wavelength <= self.band_high

    def cautions(self, length: float) -> tuple[Caution, ...]:
        """Say where the turbulence is too strong for a mean beam to describe the path.

        Equation: Rytov variance 1.23 Cn² k^(7/6) L^(11/6), at most 1.

        Args:
            length: m, at least 0.

        Examples:
            >>> FreeSpacePath(waist=0.02, receiver_radius=0.05, turbulence=1e-15).cautions(1000.0)
            ()
            >>> print(FreeSpacePath(waist=0.02, receiver_radius=0.05, turbulence=1e-14).cautions(10_000.0)[0])
            turbulence: Rytov variance 29 is outside the model's validity (at most 1): deep fades of scintillation are left out
        """
        k = 2.0 * math.pi / self.wavelength
        rytov = 1.23 * self.turbulence * k ** (7.0 / 6.0) * length ** (11.0 / 6.0)
        if rytov <= STRONG:
            return ()
        effect = "deep fades of scintillation are left out"
        return (Caution("turbulence", f"Rytov variance {rytov:.2g}", f"at most {STRONG:g}", effect),)
