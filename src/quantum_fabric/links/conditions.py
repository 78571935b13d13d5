"""How far a link has drifted from the alignment that its data sheets assume."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from quantum_fabric.errors import QuantityError


@dataclass(frozen=True, slots=True)
class Conditions:
    """The state of alignment of one link at one time.

    Attributes:
        phase: optical phase between the two paths that nobody corrects, rad.
        polarisation: angle by which each arm has turned the polarisation (on the Poincaré sphere, about an axis that nobody
            knows), rad, a first.
        loss: dB that each arm has lost by misalignment, at least 0.
        detectors: efficiency of the detectors relative to the data sheet, in [0, 1].

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> Conditions(loss=(0.5, 0.0)).loss
        (0.5, 0.0)
        >>> Conditions(detectors=1.2)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: detectors: found 1.2, expected a share in [0, 1]
    """

    phase: float = 0.0
    polarisation: tuple[float, float] = (0.0, 0.0)
    loss: tuple[float, float] = (0.0, 0.0)
    detectors: float = 1.0

    def __post_init__(self) -> None:
        """Refuse conditions that no link has."""
        if not math.isfinite(self.phase):
            raise QuantityError(str(self.phase), "a finite angle", "phase")
        for angle in self.polarisation:
            if not math.isfinite(angle):
                raise QuantityError(str(angle), "a finite angle", "polarisation")
        for loss in self.loss:
            if not 0.0 <= loss < math.inf:
                raise QuantityError(f"{loss} dB", "a loss of at least 0 dB", "loss")
        if not 0.0 <= self.detectors <= 1.0:
            raise QuantityError(str(self.detectors), "a share in [0, 1]", "detectors")


ALIGNED: Final = Conditions()
"""A link right after its calibration."""


def turned(angle: float) -> float:
    """Factor of each correlator of a polarisation-encoded pair when one photon is turned about an unknown axis.

    Equation: ``(1 + 2 cos θ)/3``, the mean over axes, so that ``F = cos²(θ/2)`` for a perfect pair.

    Args:
        angle: θ on the Poincaré sphere, rad.

    Examples:
        >>> turned(0.0), round((1 + 3 * turned(0.4)) / 4 - math.cos(0.2) ** 2, 15)
        (1.0, 0.0)
    """
    return (1.0 + 2.0 * math.cos(angle)) / 3.0


def analysed(angle: float) -> float:
    """Loss in dB where a turned photon meets a polariser: ``-20 log10 cos(θ/2)``, at most 60 dB.

    Args:
        angle: θ on the Poincaré sphere, rad.

    Limits:
        The part that the polariser takes is gone; a photon that is turned by π is not there at all.

    Examples:
        >>> analysed(0.0), round(analysed(math.pi / 2), 2)
        (0.0, 3.01)
    """
    share = math.cos(0.5 * angle) ** 2
    return -10.0 * math.log10(max(share, 1e-6)) + 0.0
