"""What a data sheet says of a station: the Bell measurement between two links."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from quantum_fabric.devices.quantities import check, choice, quantity
from quantum_fabric.errors import QuantityError

SUCCESS_LIMITS: Final[Mapping[str, float]] = {
    "linear-optics": 0.5,
    "linear-optics-with-ancillas": 0.75,
    "deterministic": 1.0,
}
"""Kind of Bell measurement -> how often it can at best tell all four Bell states apart."""


@dataclass(frozen=True, slots=True)
class Station:
    """A station that makes Bell measurements on photons.

    Attributes:
        measurement: ``linear-optics`` (beam splitters and detectors alone), ``linear-optics-with-ancillas`` (with further
            photons that are put in), or ``deterministic`` (with the gates of a memory at which the photons arrive).
        success: probability that the measurement announces a Bell state when both photons are there and seen, at most
            the limit of its kind.
        insertion_loss: loss in dB of each photon between the fibre's end and the detectors.
        reflectance: of the beam splitter at which the photons meet, in (0, 1); 1/2 is balanced.
        detectors: number of detectors; each of them adds its dark counts.

    Raises:
        QuantityError: outside the domain, or a success above the limit of the kind.

    Equation:
        Without ancillas linear optics tells at most 1/2 of the Bell states apart (Calsamiglia and Lütkenhaus, Appl. Phys.
        B 72, 67 (2001)); four more single photons reach 3/4 (Ewert and van Loock, PRL 113, 140403 (2014); Grice, PRA 84,
        042331 (2011), with entangled ones).

    Limits:
        The gates of a node (a QPU) have their own errors, times and readout in ``Gates``; a station holds no qubits. The
        3/4 is the limit of these two schemes: more ancillas reach more.

    Examples:
        >>> Station().success
        0.5
        >>> Station(success=0.6)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: success: found 0.6, expected at most 0.5 for linear-optics
    """

    measurement: str = choice(tuple(SUCCESS_LIMITS), "how it measures", default="linear-optics")
    success: float = quantity(
        "fraction",
        0.0,
        1.0,
        "probability of a Bell state when both photons are seen",
        default=0.5,
        open_low=True,
    )
    insertion_loss: float = quantity("loss", 0.0, math.inf, "loss between fibre and detectors", default=0.0)
    reflectance: float = quantity(
        "fraction", 0.0, 1.0, "reflectance of the beam splitter", default=0.5, open_low=True, open_high=True
    )
    detectors: int = quantity("count", 0, math.inf, "number of detectors", default=4)

    def __post_init__(self) -> None:
        """Refuse values outside their domain, and more than the kind of measurement can do."""
        check(self)
        limit = SUCCESS_LIMITS[self.measurement]
        if self.success > limit:
            raise QuantityError(f"{self.success:g}", f"at most {limit:g} for {self.measurement}", "success")

    @property
    def transmission(self) -> float:
        """Share of the photons that gets from the fibre to the detectors.

        Examples:
            >>> round(Station(insertion_loss=3.0).transmission, 6)
            0.501187
        """
        return float(10.0 ** (-self.insertion_loss / 10.0))

    @property
    def interference(self) -> float:
        """Hong-Ou-Mandel visibility that its beam splitter leaves of perfect photons: 2 R T / (R^2 + T^2).

        Equation:
            Coincidences of like photons (R - T)^2 over those of unlike ones R^2 + T^2 (Hong, Ou, Mandel, PRL 59, 2044
            (1987)), without loss in the splitter.

        Examples:
            >>> Station().interference, round(Station(reflectance=0.45).interference, 6)
            (1.0, 0.980198)
        """
        reflected, through = self.reflectance, 1.0 - self.reflectance
        return 2.0 * reflected * through / (reflected**2 + through**2)

    @property
    def contrast(self) -> float:
        """Factor by which its beam splitter lowers the visibility of a heralded link: 4 R T, at most 1.

        Equation:
            One click: the two paths have amplitudes sqrt(T) and sqrt(R), which leaves the coherence 2 sqrt(R T), and links take
            the root of the visibility. Two clicks: in different detectors the amplitudes are T and -R, in the same one they
            are alike; on average the coherence is (R^2 + T^2) 2 R T/(R^2 + T^2) + 2 R T (calculated here; a test adds up the
            amplitudes). It differs from `interference`, which is that of the coincidences alone.

        Examples:
            >>> Station().contrast, round(Station(reflectance=0.45).contrast, 6)
            (1.0, 0.99)
        """
        return 4.0 * self.reflectance * (1.0 - self.reflectance)

    def swap_success(self, efficiency: float = 1.0) -> float:
        """Probability that a Bell measurement on two photons at its door is announced.

        Args:
            efficiency: of each detector, in [0, 1].

        Returns:
            success x (transmission x efficiency)^2.

        Raises:
            QuantityError: no efficiency.

        Limits:
            Ancilla photons are taken as perfect. Dark counts announce more, wrongly.

        Examples:
            >>> Station().swap_success(0.5)
            0.125
        """
        if not 0.0 <= efficiency <= 1.0:
            raise QuantityError(repr(efficiency), "a fraction in [0, 1]", "efficiency")
        return self.success * (self.transmission * efficiency) ** 2
