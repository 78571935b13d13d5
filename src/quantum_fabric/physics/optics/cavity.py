"""Light reflected from a cavity that holds one emitter: the gate of reflection schemes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import check_range


def reflection(
    cooperativity: ArrayLike,
    coupling: ArrayLike = 0.5,
    emitter_detuning: ArrayLike = 0.0,
    cavity_detuning: ArrayLike = 0.0,
) -> np.ndarray[tuple[int, ...], np.dtype[np.complex128]]:
    """Amplitude with which a cavity reflects weak light.

    Equation: input-output theory, Nemoto et al., PRX 4, 031022 (2014), Nguyen et al., PRB 100, 165428 (2019):
    ``r = 1 - 2 k / (1 + 2iδ_c + C/(1 + 2iδ_a))`` with ``k`` the share of the cavity's loss that goes into the waveguide,
    ``C = 4g²/(κγ)``, and detunings δ_c in units of the cavity's linewidth κ, δ_a of the emitter's γ.

    Args:
        cooperativity: C, at least 0; 0 for a spin state that does not couple.
        coupling: k in (0, 1]; 1/2 is critical coupling (dark without the emitter), 1 a cavity with one perfect mirror.
        emitter_detuning: δ_a, light minus emitter.
        cavity_detuning: δ_c, light minus cavity.

    Returns:
        Complex amplitudes, ``|r| <= 1``.

    Raises:
        QuantityError: outside the domain.

    Limits:
        Weak light (far less than one photon per lifetime), pulses much longer than the cavity's ring-down.

    Examples:
        >>> complex(reflection(0.0)), round(abs(complex(reflection(105.0))), 4)
        (0j, 0.9906)
    """
    c = check_range(cooperativity, 0.0, np.inf, "cooperativity")
    k = check_range(coupling, 0.0, 1.0, "coupling")
    if np.any(k == 0.0):
        raise QuantityError("0", "a coupling in (0, 1]", "coupling")
    line = 1.0 + 2j * np.asarray(emitter_detuning, dtype=np.float64)
    result = 1.0 - 2.0 * k / (1.0 + 2j * np.asarray(cavity_detuning, dtype=np.float64) + c / line)
    return np.asarray(result, dtype=np.complex128)
