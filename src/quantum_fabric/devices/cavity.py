"""What a data sheet says of a spin in a cavity from which photons are reflected."""

from __future__ import annotations

from dataclasses import dataclass

from quantum_fabric.devices.quantities import check, quantity
from quantum_fabric.errors import QuantityError


@dataclass(frozen=True, slots=True)
class Cavity:
    """Reflection of a photon from a cavity with one spin, and the weak light that probes it.

    Equation:
        On resonance a spin that couples with cooperativity C leaves ``R = |1 - 2k/(1+C)|²``, one that does not ``|1 - 2k|²``
        (Nguyen et al., PRB 100, 165428 (2019)); k is the share of the cavity's loss that goes into the waveguide.

    Attributes:
        bright: reflectivity (of the power) in the spin state that couples, in [0, 1]; 0 for a node without a cavity.
        dark: reflectivity in the other spin state, in [0, bright].
        insertion: transmission of one passage between fibre and cavity, both ways together, in (0, 1].
        mean_photons: mean photon number of the time-bin pulse that probes the first cavity of a link, in (0, 1].

    Raises:
        QuantityError: outside the domain, or brighter in the dark state.

    Limits:
        Both amplitudes are real (probed on resonance). Light that is not reflected tells the spin state to the environment.

    Examples:
        >>> Cavity(bright=0.9, dark=0.02).contrast
        45.0
        >>> Cavity(bright=0.1, dark=0.2)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: dark: found 0.2, expected at most bright = 0.1
    """

    bright: float = quantity(
        "fraction", 0.0, 1.0, "reflectivity of the coupled spin state; 0 for no cavity", default=0.0
    )
    dark: float = quantity("fraction", 0.0, 1.0, "reflectivity of the other spin state", default=0.0)
    insertion: float = quantity(
        "fraction", 0.0, 1.0, "transmission between fibre and cavity, in and out", default=1.0, open_low=True
    )
    mean_photons: float = quantity(
        "number",
        0.0,
        1.0,
        "mean photons of the pulse that probes the first cavity",
        default=0.05,
        open_low=True,
    )

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        check(self)
        if self.dark > self.bright:
            raise QuantityError(f"{self.dark:g}", f"at most bright = {self.bright:g}", "dark")

    @property
    def contrast(self) -> float:
        """Ratio of the two reflectivities; inf for a perfectly dark state."""
        return self.bright / self.dark if self.dark else float("inf")
