"""What a data sheet says of a fibre."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from quantum_fabric.devices.quantities import check, quantity
from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optics import raman
from quantum_fabric.units import SPEED_OF_LIGHT, Time, from_seconds, show

REFERENCE_LENGTH: Final = 1000.0
"""Length of fibre, m, whose drift a data sheet gives."""


@dataclass(frozen=True, slots=True)
class Fibre:
    """A kind of optical fibre in the band in which it is used.

    Attributes:
        attenuation: dB per m, at least 0.
        group_index: c over the speed of a pulse, at least 1.
        fixed_loss: dB of connectors and switches for each stretch, at least 0.
        band_low: shortest wavelength for which the attenuation holds, m.
        band_high: longest such wavelength, m.
        dispersion: chromatic dispersion, s/m² (delay for each metre of fibre and of wavelength); may be negative.
        mode_dispersion: polarisation mode dispersion, s/sqrt(m).
        polarisation_drift: rms angle, rad/sqrt(s), by which 1 km of it turns the Poincaré sphere about **each** of three
            axes: an isotropic random walk, as `quantum_fabric.physics.drift` has it. Nothing corrects it here.
        phase_drift: rms phase, rad/sqrt(s), of 1 km of it: a random walk.
        classical_power: W of classical light launched with the quantum light; 0 is a dark fibre.
        counter_power: W of classical light that the receiver's end launches against it.
        raman: Raman coefficient at the spacing of the two channels, per m of fibre and per m of wavelength.
        filter_bandwidth: width of the receiver's filter, m of wavelength.
        wavelength: of the quantum channel, m; tells the energy of a noise photon.

    Raises:
        QuantityError: outside the domain, a band that is upside down, or a lit fibre whose quantum channel is out of band.

    Equation:
        loss = attenuation x length + fixed losses (dB); latency = group_index x length / c; broadening = dispersion x length x
        spectral width; noise after Eraerds et al., New J. Phys. 12, 063027 (2010), see
        `quantum_fabric.physics.optics.raman`. Drifts of sections add in squares, so they grow with the square root of the
        length and of the time; a polarisation walk of rms angle σ about each axis leaves exp(−σ²) of every correlator, a phase
        walk of rms σ leaves exp(−σ²/2) of the coherence.

    Limits:
        Attenuation and dispersion are constant over the band. Fixed losses do not weaken the noise. Phase is a random walk only
        above some 10 ms (a published spectrum falls as 1/f² up to 100 Hz and faster beyond): for shorter times the drift
        is overestimated.

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
    dispersion: float = quantity("dispersion", -1.0, 1.0, "chromatic dispersion", default=0.0)
    mode_dispersion: float = quantity(
        "polarisation mode dispersion",
        0.0,
        math.inf,
        "polarisation mode dispersion",
        default=0.0,
        open_high=True,
    )
    polarisation_drift: float = quantity(
        "wander", 0.0, math.inf, "random walk of the polarisation of 1 km", default=0.0, open_high=True
    )
    phase_drift: float = quantity(
        "wander", 0.0, math.inf, "random walk of the optical phase of 1 km", default=0.0, open_high=True
    )
    classical_power: float = quantity(
        "power", 0.0, math.inf, "classical light launched along", default=0.0, open_high=True
    )
    counter_power: float = quantity(
        "power", 0.0, math.inf, "classical light launched against", default=0.0, open_high=True
    )
    raman: float = quantity(
        "Raman coefficient", 0.0, math.inf, "spontaneous Raman scattering", default=0.0, open_high=True
    )
    filter_bandwidth: float = quantity(
        "length", 0.0, math.inf, "width of the receiver's filter", default=0.0, open_high=True
    )
    wavelength: float = quantity(
        "length", 0.0, math.inf, "wavelength of the quantum channel", default=1550e-9, open_low=True
    )

    def __post_init__(self) -> None:
        """Refuse values outside their domain, and numbers that contradict each other."""
        check(self)
        if self.band_high < self.band_low:
            low = show(self.band_low, "length")
            raise QuantityError(show(self.band_high, "length"), f"at least band_low, {low}", "band_high")
        if (self.classical_power or self.counter_power) and not self.carries(self.wavelength):
            band = f"{show(self.band_low, 'length')} to {show(self.band_high, 'length')}"
            raise QuantityError(
                show(self.wavelength, "length"), f"{band}, the band of the fibre", "wavelength"
            )

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

    def noise(self, length: float) -> float:
        """Noise photons per s that leave the far end inside the receiver's filter: Raman light of classical channels.

        Args:
            length: m, at least 0.

        Examples:
            >>> Fibre(attenuation=0.2e-3).noise(50_000.0)  # a dark fibre adds none
            0.0
            >>> lit = Fibre(attenuation=0.2e-3, classical_power=1e-4, raman=2e-3, filter_bandwidth=1e-10)
            >>> round(lit.noise(50_000.0))
            780288
        """
        path = (self.raman, self.filter_bandwidth, length, self.attenuation)
        power = raman.forward(self.classical_power, *path) + raman.backward(self.counter_power, *path)
        return float(power / raman.photon_energy(self.wavelength))

    def broadening(self, length: float, spectral_width: float) -> float:
        """Seconds by which chromatic dispersion stretches light: abs(D) x length x spectral width.

        Args:
            length: m, at least 0.
            spectral_width: m of wavelength; the answer is a width of the same kind (full at half maximum, or rms).

        Limits:
            To be added in squares to the width that the light had. A photon whose width in time is set by its spectrum
            (transform limited) narrows its own estimate: this holds once the broadening is the larger of the two.

        Examples:
            >>> round(Fibre(attenuation=0.0, dispersion=17e-6).broadening(100_000.0, 1e-9) * 1e12, 6)  # ps
            1700.0
        """
        return abs(self.dispersion) * length * spectral_width

    def delay_split(self, length: float) -> float:
        """Seconds between the slow and the fast polarisation, in the mean: mode_dispersion x sqrt(length).

        Args:
            length: m, at least 0.

        Examples:
            >>> fibre = Fibre(attenuation=0.0, mode_dispersion=0.04e-12 / 1000.0**0.5)
            >>> round(fibre.delay_split(100_000.0) * 1e12, 12)  # ps
            0.4
        """
        return self.mode_dispersion * math.sqrt(length)

    def polarisation_wander(self, length: float) -> float:
        """Random walk of the polarisation after a length, rad/sqrt(s) about each axis of the Poincaré sphere.

        Args:
            length: m, at least 0.

        Examples:
            >>> round(Fibre(attenuation=0.0, polarisation_drift=0.01).polarisation_wander(100_000.0), 12)
            0.1
        """
        return self.polarisation_drift * math.sqrt(length / REFERENCE_LENGTH)

    def phase_wander(self, length: float) -> float:
        """Random walk of the optical phase after a length, rad/sqrt(s).

        Args:
            length: m, at least 0.

        Examples:
            >>> round(Fibre(attenuation=0.0, phase_drift=30.0).phase_wander(25_000.0), 12)
            150.0
        """
        return self.phase_drift * math.sqrt(length / REFERENCE_LENGTH)

    def carries(self, wavelength: float) -> bool:
        """Say whether the attenuation holds at a wavelength (m).

        Examples:
            >>> Fibre(attenuation=0.0, band_low=1.5e-6, band_high=1.6e-6).carries(637e-9)
            False
        """
        return self.band_low <= wavelength <= self.band_high
