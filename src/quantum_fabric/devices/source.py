"""What a data sheet says of a source of entangled photon pairs."""

# ruff: noqa: RUF009 - `quantity` and `part` return dataclass fields, which ruff cannot see.

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.devices.quantities import check, quantity
from quantum_fabric.units import NS, Time


@dataclass(frozen=True, slots=True)
class Source:
    """A pulsed source of photon pairs that stands between two nodes.

    Attributes:
        pair_probability: probability that a pulse holds at least one pair, collected into both fibres.
        double_pair: probability that a pulse with a pair holds a second one.
        fidelity: fidelity of a single pair to ``bell``, errors taken as white.
        bell: Bell label of the pairs, 0..3 (Phi+, Phi-, Psi+, Psi-).
        pulse_period: ps between pulses.
        pulses: pulses in one round; each side keeps the first photon that it catches.
        wavelength: of both photons, m.

    Raises:
        QuantityError: outside the domain.

    Limits:
        A pulse has 0, 1 or 2 pairs. Down-conversion has all numbers; with mean number mu per pulse the terms that
        are dropped are of order mu^2 beside the first.

    Examples:
        >>> Source(pair_probability=0.01).pulses
        1
    """

    pair_probability: float = quantity(
        "fraction", 0.0, 1.0, "probability of a pair in a pulse", open_low=True
    )
    double_pair: float = quantity(
        "fraction", 0.0, 1.0, "probability of a second pair in a pulse with one", default=0.0
    )
    fidelity: float = quantity("fraction", 0.25, 1.0, "fidelity of a single pair", default=1.0)
    bell: int = quantity("count", 0, 3, "Bell label of the pairs", default=0)
    pulse_period: Time = quantity("duration", 0.0, math.inf, "time between pulses", default=NS, open_low=True)
    pulses: int = quantity("count", 1, math.inf, "pulses in a round", default=1)
    wavelength: float = quantity(
        "length", 0.0, math.inf, "wavelength of both photons", default=1550e-9, open_low=True
    )

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        check(self)

    @property
    def round_time(self) -> Time:
        """Picoseconds of a round: pulses x pulse_period.

        Examples:
            >>> Source(pair_probability=0.1, pulses=10, pulse_period=200).round_time
            2000
        """
        return self.pulses * self.pulse_period
