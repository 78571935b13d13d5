"""What a data sheet says of a single-photon detector."""

# ruff: noqa: RUF009 - `quantity` and `part` return dataclass fields, which ruff cannot see.

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.devices.quantities import check, quantity
from quantum_fabric.units import NS, SECOND, Time


@dataclass(frozen=True, slots=True)
class Detector:
    """Single-photon detector of a heralding station; all detectors of a station are alike.

    Attributes:
        efficiency: system detection efficiency, station optics included.
        dark_rate: dark counts per s of one detector.
        window: ps during which a click counts for one optical mode.
        number_resolving: True tells one photon from two.

    Raises:
        QuantityError: outside the domain.

    Limits:
        No dead time, jitter or afterpulsing: clicks of one window do not depend on those of another.

    Examples:
        >>> round(Detector(efficiency=0.9, dark_rate=100.0, window=10_000).dark_probability, 12)
        1e-06
    """

    efficiency: float = quantity(
        "fraction", 0.0, 1.0, "system detection efficiency", default=1.0, open_low=True
    )
    dark_rate: float = quantity("frequency", 0.0, math.inf, "dark counts of one detector", default=0.0)
    window: Time = quantity("duration", 0.0, math.inf, "detection window", default=10 * NS, open_low=True)
    number_resolving: bool = quantity("flag", 0, 1, "tells one photon from two", default=False)

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        check(self)

    @property
    def dark_probability(self) -> float:
        """Probability of at least one dark count of one detector in one window: 1 - exp(-rate x window)."""
        return self.click_probability(0.0)

    def click_probability(self, noise_rate: float) -> float:
        """Probability of at least one false click of one detector in one window.

        Args:
            noise_rate: detected noise photons per s on this detector besides its dark counts, at least 0.

        Returns:
            1 - exp(-(dark_rate + noise_rate) x window).

        Examples:
            >>> round(Detector(dark_rate=10.0, window=10_000).click_probability(90.0), 12)
            1e-06
        """
        return -math.expm1(-(self.dark_rate + noise_rate) * self.window / SECOND)
