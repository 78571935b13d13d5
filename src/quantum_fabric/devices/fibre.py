"""What a data sheet says of a fibre."""

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.devices.quantities import check, quantity
from quantum_fabric.units import SPEED_OF_LIGHT, Time, from_seconds


@dataclass(frozen=True, slots=True)
class Fibre:
    """A kind of optical fibre in the band in which it is used.

    Attributes:
        attenuation: dB per m, at least 0.
        group_index: c over the speed of a pulse, at least 1.
        fixed_loss: dB of connectors and switches for each stretch, at least 0.
        band_low: shortest wavelength for which the attenuation holds, m.
        band_high: longest such wavelength, m.

    Raises:
        QuantityError: outside the domain.

    Limits:
        Attenuation is constant over the band; no dispersion, polarisation drift or Raman noise.

    Examples:
        >>> fibre = Fibre(attenuation=0.2e-3)
        >>> round(fibre.transmission(50_000.0), 12), fibre.latency(25_000.0)
        (0.1, 122418023)
    """

    attenuation: float = quantity("attenuation", 0.0, math.inf, "loss for each length", open_high=True)
    group_index: float = quantity(
        "number", 1.0, 10.0, "speed of light in vacuum over that of a pulse", default=1.468
    )
    fixed_loss: float = quantity(
        "loss", 0.0, math.inf, "connectors of each stretch", default=0.0, open_high=True
    )
    band_low: float = quantity("length", 0.0, math.inf, "shortest wavelength", default=0.0)
    band_high: float = quantity("length", 0.0, math.inf, "longest wavelength", default=math.inf)

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        check(self)

    def loss(self, length: float, extra: float = 0.0) -> float:
        """Loss of a stretch in dB: attenuation x length + fixed losses.

        Args:
            length: m, at least 0.
            extra: dB on top (a switch, a splice).

        Examples:
            >>> round(Fibre(attenuation=0.2e-3, fixed_loss=0.6).loss(10_000.0), 12)
            2.6
        """
        return self.attenuation * length + self.fixed_loss + extra

    def transmission(self, length: float, extra: float = 0.0) -> float:
        """Share of the light that arrives: 10^(-loss/10).

        Args:
            length: m, at least 0.
            extra: dB on top.

        Examples:
            >>> Fibre(attenuation=0.0).transmission(1000.0)
            1.0
        """
        return float(10.0 ** (-self.loss(length, extra) / 10.0))

    def latency(self, length: float) -> Time:
        """Time of flight in ps: group_index x length / c, nearest integer.

        Args:
            length: m, at least 0.

        Examples:
            >>> Fibre(attenuation=0.0).latency(1000.0)
            4896721
        """
        return from_seconds(self.group_index * length / SPEED_OF_LIGHT)

    def noise(self, length: float) -> float:  # noqa: ARG002 - a dark fibre adds none at any length
        """Noise photons per s that leave the far end: none in a dark fibre.

        Args:
            length: m, at least 0.

        Examples:
            >>> Fibre(attenuation=0.0).noise(1000.0)
            0.0
        """
        return 0.0

    def carries(self, wavelength: float) -> bool:
        """Say whether the attenuation holds at a wavelength (m).

        Examples:
            >>> Fibre(attenuation=0.0, band_low=1.5e-6, band_high=1.6e-6).carries(637e-9)
            False
        """
        return self.band_low <= wavelength <= self.band_high
