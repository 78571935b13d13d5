"""What a data sheet says of a triggered emitter of single photons (quantum dot, colour centre, molecule)."""

# ruff: noqa: RUF009 - `quantity` returns dataclass fields, which ruff cannot see.

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.devices.quantities import check, quantity
from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optics.photon_statistics import Few, dephased_overlap, emitted, hom_visibility
from quantum_fabric.units import NS, Time, show


@dataclass(frozen=True, slots=True)
class Emitter:
    """A source that is asked for one photon in each pulse and gives none, one or two.

    Attributes:
        brightness: probability that a pulse brings any photon into the fibre.
        g2: second-order correlation of the pulses at zero delay.
        lifetime: T1 of the optical transition, s.
        coherence: T2 of the optical transition, s, at most 2 T1.
        overlap: overlap of two photons of this source but for dephasing (spectral wandering, polarisation).
        state_error: probability that a photon is prepared in the wrong state, errors taken as white.
        pulse_period: ps between pulses.
        wavelength: m.

    Raises:
        QuantityError: outside the domain, T2 above 2 T1, or a g2 that at most two photons cannot have.

    Limits:
        At most two photons in a pulse. Emission does not blink.

    Examples:
        >>> dot = Emitter(brightness=0.5, g2=0.02, lifetime=100e-12, coherence=190e-12)
        >>> round(dot.indistinguishability, 12), round(dot.double_excitation, 6)
        (0.95, 0.005051)
    """

    brightness: float = quantity(
        "fraction", 0.0, 1.0, "probability that a pulse brings a photon", default=1.0, open_low=True
    )
    g2: float = quantity("number", 0.0, math.inf, "second-order correlation at zero delay", default=0.0)
    lifetime: float = quantity(
        "time", 0.0, math.inf, "T1 of the transition", default=1e-9, open_low=True, open_high=True
    )
    coherence: float = quantity(
        "time", 0.0, math.inf, "T2 of the transition", default=2e-9, open_low=True, open_high=True
    )
    overlap: float = quantity("fraction", 0.0, 1.0, "overlap of photons but for dephasing", default=1.0)
    state_error: float = quantity("fraction", 0.0, 0.5, "photons prepared in the wrong state", default=0.0)
    pulse_period: Time = quantity(
        "duration", 0.0, math.inf, "time between pulses", default=10 * NS, open_low=True
    )
    wavelength: float = quantity(
        "length", 0.0, math.inf, "wavelength of the photons", default=1550e-9, open_low=True
    )

    def __post_init__(self) -> None:
        """Refuse values outside their domain and those that contradict each other."""
        check(self)
        if self.coherence > 2.0 * self.lifetime * (1.0 + 1e-12):
            most = show(2.0 * self.lifetime, "time")
            raise QuantityError(
                show(self.coherence, "time"), f"at most {most}, twice the lifetime", "coherence"
            )
        _ = self.photons

    @property
    def photons(self) -> Few:
        """Probabilities of 0, 1 and 2 photons in a pulse."""
        return emitted(self.brightness, self.g2)

    @property
    def double_excitation(self) -> float:
        """Probability that a pulse with a photon holds a second one."""
        return self.photons.two / self.brightness

    @property
    def indistinguishability(self) -> float:
        """Mean overlap V of two of its photons: overlap x T2/(2 T1)."""
        return self.overlap * float(dephased_overlap(self.coherence, self.lifetime))

    @property
    def visibility(self) -> float:
        """Hong-Ou-Mandel visibility that a measurement on a balanced splitter shows: V/(1 + g2).

        Examples:
            >>> round(Emitter(g2=0.25, overlap=0.9).visibility, 12)
            0.72
        """
        return float(hom_visibility(self.indistinguishability, self.g2, self.g2))
