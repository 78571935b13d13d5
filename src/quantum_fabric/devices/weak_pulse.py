"""What a data sheet says of a sender of weak coherent pulses."""

# ruff: noqa: RUF009 - `quantity` returns dataclass fields, which ruff cannot see.

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.devices.quantities import check, quantity
from quantum_fabric.errors import QuantityError
from quantum_fabric.units import NS, Time


@dataclass(frozen=True, slots=True)
class WeakPulse:
    """An attenuated laser whose pulses have random phases, with up to three intensities.

    Attributes:
        signal: mean number of photons in a signal pulse.
        decoy: mean number in a decoy pulse, below ``signal``.
        vacuum: mean number in a pulse that should be empty, below ``decoy`` (or 0 with it).
        signal_share: probability of a signal pulse.
        decoy_share: probability of a decoy pulse; the rest is "vacuum". 0 means no decoys.
        state_error: probability that a photon is prepared in the wrong state, errors taken as white.
        pulse_period: ps between pulses.
        wavelength: m.

    Raises:
        QuantityError: outside the domain; intensities out of order; shares above 1.

    Limits:
        Phases are perfectly random, so that the photon number is Poissonian and nothing else is known of a pulse.

    Examples:
        >>> WeakPulse(signal=0.48, decoy=0.05, signal_share=0.9, decoy_share=0.05).has_decoys
        True
    """

    signal: float = quantity(
        "number", 0.0, math.inf, "mean photons in a signal pulse", default=0.5, open_low=True, open_high=True
    )
    decoy: float = quantity("number", 0.0, math.inf, "mean photons in a decoy pulse", default=0.0)
    vacuum: float = quantity("number", 0.0, math.inf, "mean photons in an empty pulse", default=0.0)
    signal_share: float = quantity(
        "fraction", 0.0, 1.0, "probability of a signal pulse", default=1.0, open_low=True
    )
    decoy_share: float = quantity("fraction", 0.0, 1.0, "probability of a decoy pulse", default=0.0)
    state_error: float = quantity("fraction", 0.0, 0.5, "photons prepared in the wrong state", default=0.0)
    pulse_period: Time = quantity("duration", 0.0, math.inf, "time between pulses", default=NS, open_low=True)
    wavelength: float = quantity(
        "length", 0.0, math.inf, "wavelength of the photons", default=1550e-9, open_low=True
    )

    def __post_init__(self) -> None:
        """Refuse values outside their domain and those that contradict each other."""
        check(self)
        if self.signal_share + self.decoy_share > 1.0 + 1e-12:
            raise QuantityError(
                f"{self.decoy_share:g}", f"at most {1.0 - self.signal_share:g}", "decoy_share"
            )
        if self.decoy >= self.signal:
            raise QuantityError(f"{self.decoy:g}", f"below the signal, {self.signal:g}", "decoy")
        if self.vacuum > 0.0 and self.vacuum >= self.decoy:
            raise QuantityError(f"{self.vacuum:g}", f"below the decoy, {self.decoy:g}", "vacuum")

    @property
    def has_decoys(self) -> bool:
        """True where a second intensity is sent, which tells single photons from pairs."""
        return self.decoy_share > 0.0 and self.signal_share < 1.0
