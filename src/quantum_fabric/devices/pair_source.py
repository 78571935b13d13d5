"""What a data sheet says of a source of polarisation-entangled photon pairs by down-conversion, pulsed or continuous."""

# ruff: noqa: RUF009 - `quantity` and `choice` return dataclass fields, which ruff cannot see.

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.devices.quantities import check, choice, quantity
from quantum_fabric.errors import QuantityError
from quantum_fabric.units import NS, SECOND, Time


@dataclass(frozen=True, slots=True)
class PairSource:
    """A down-conversion (or four-wave mixing) source with all of its photon numbers.

    Attributes:
        pair_rate: pairs made per s, before any loss.
        drive: ``pulsed`` or ``continuous``.
        pulse_period: ps between pulses; of no meaning for a continuous source.
        fidelity: fidelity of a single pair to ``bell``, errors taken as white.
        bell: Bell label of the pairs, 0..3 (Phi+, Phi-, Psi+, Psi-).
        collection_a: share of the photons towards a that enter its channel (heralding efficiency).
        collection_b: the same towards b.
        wavelength_a: of the photons towards a, m.
        wavelength_b: of the photons towards b, m.
        linewidth: full width at half maximum of the photons' spectrum behind the filters, m.
        schmidt_modes: equally filled spectral modes in a pulse, at least 1; a continuous source has very many.

    Raises:
        QuantityError: outside the domain.

    Limits:
        Errors of a single pair are white. Modes are filled alike. Nothing drifts.

    Examples:
        >>> source = PairSource(pair_rate=1e7, pulse_period=10_000)
        >>> round(source.mean_pairs, 12), source.squeezed_mean == source.mean_pairs / 2
        (0.1, True)
    """

    pair_rate: float = quantity("frequency", 0.0, math.inf, "pairs made per s", open_low=True, open_high=True)
    drive: str = choice(("pulsed", "continuous"), "how the crystal is pumped", default="pulsed")
    pulse_period: Time = quantity("duration", 0.0, math.inf, "time between pulses", default=NS, open_low=True)
    fidelity: float = quantity("fraction", 0.25, 1.0, "fidelity of a single pair", default=1.0)
    bell: int = quantity("count", 0, 3, "Bell label of the pairs", default=0)
    collection_a: float = quantity(
        "fraction", 0.0, 1.0, "share of the photons that enters the channel to a", default=1.0, open_low=True
    )
    collection_b: float = quantity(
        "fraction", 0.0, 1.0, "share of the photons that enters the channel to b", default=1.0, open_low=True
    )
    wavelength_a: float = quantity(
        "length", 0.0, math.inf, "wavelength of the photons to a", default=1550e-9, open_low=True
    )
    wavelength_b: float = quantity(
        "length", 0.0, math.inf, "wavelength of the photons to b", default=1550e-9, open_low=True
    )
    linewidth: float = quantity("length", 0.0, math.inf, "spectral full width at half maximum", default=0.0)
    schmidt_modes: float = quantity("number", 1.0, math.inf, "spectral modes in a pulse", default=1.0)

    def __post_init__(self) -> None:
        """Refuse values outside their domain, and a spectrum wider than its wavelength."""
        check(self)
        if self.linewidth >= min(self.wavelength_a, self.wavelength_b):
            raise QuantityError(f"{self.linewidth:g} m", "less than the wavelength", "linewidth")

    @property
    def mean_pairs(self) -> float:
        """Mean number of pairs in a pulse: pair_rate x pulse_period."""
        return self.pair_rate * self.pulse_period / SECOND

    @property
    def squeezed_mean(self) -> float:
        """λ, mean number of pairs in a pulse for each of the two polarisations."""
        return 0.5 * self.mean_pairs

    @property
    def contrast(self) -> float:
        """What is left of each correlator of a single pair, (4F − 1)/3.

        Examples:
            >>> round(PairSource(pair_rate=1e6, fidelity=0.97).contrast, 12)
            0.96
        """
        return (4.0 * self.fidelity - 1.0) / 3.0
