"""What every carrier of light between two places answers, be it glass, air or vacuum."""

from __future__ import annotations

from typing import Protocol

from quantum_fabric.units import Time


class Carrier(Protocol):
    """A way for photons: a fibre, a free-space path, the way down from a satellite.

    Attributes:
        band_low: shortest wavelength for which its numbers hold, m.
        band_high: longest wavelength, m.
    """

    @property
    def band_low(self) -> float:
        """Shortest wavelength for which its numbers hold, m."""

    @property
    def band_high(self) -> float:
        """Longest wavelength for which its numbers hold, m."""

    def loss(self, length: float, extra: float = 0.0) -> float:
        """Loss in dB of a stretch of ``length`` m, with ``extra`` dB on top."""

    def transmission(self, length: float, extra: float = 0.0) -> float:
        """Share of the light that arrives, in [0, 1]: 10^(-loss/10)."""

    def latency(self, length: float) -> Time:
        """Time of flight in ps."""

    def noise(self, length: float) -> float:
        """Noise photons per s that leave the far end inside the receiver's filter (Raman light, background)."""

    def carries(self, wavelength: float) -> bool:
        """Say whether its numbers hold at a wavelength (m)."""
