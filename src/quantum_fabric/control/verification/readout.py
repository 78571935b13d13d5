"""From a correlator to the chance that two ends agree, through gates and readouts that err."""

from __future__ import annotations

from math import hypot
from typing import NamedTuple

from quantum_fabric.messages import Bell
from quantum_fabric.physics.frames import expected_parity
from quantum_fabric.physics.noise import OperationNoise


class Contrast(NamedTuple):
    """Chance of agreement ``(1 + lean + kept·c)/2`` for a correlator c relative to the announced state.

    Attributes:
        kept: what the two measurements leave of a correlator.
        lean: how much likelier ends agree on bits that mean nothing, because readout errors of 0 and 1 differ.
        spread: relative standard deviation of ``kept``, from that of the readout errors.
    """

    kept: float
    lean: float
    spread: float

    def agreement(self, correlator: float) -> float:
        """Chance that the ends agree, kept off 0 and 1 by 1e-6 so that no single bit is impossible."""
        return min(max(0.5 * (1.0 + self.lean + self.kept * correlator), 1e-6), 1.0 - 1e-6)


def contrast(a: OperationNoise, b: OperationNoise, basis: str, bell: Bell, tolerance: float) -> Contrast:
    """Of one basis, for a pair announced in a Bell state.

    Args:
        a: noise at one end.
        b: noise at the other.
        basis: "X", "Y" or "Z".
        bell: announced state.
        tolerance: relative standard deviation of each believed readout error.

    Equation: a readout turns the true sign s of a bit into one of mean ``α + β s``, with β = 1 − e₀ − e₁ and α = e₁ − e₀. The
    marginals of a Bell-diagonal pair are even, so the mean product is ``α α' + β β' c``. Gates of the turn to X or Y depolarise first.

    Limits: exact for Bell-diagonal pairs.

    Examples:
        >>> contrast(OperationNoise(readout_error_0=0.1), OperationNoise(), "Z", Bell.PHI_PLUS, 0.0).agreement(1.0)
        0.95
    """
    turn = 1.0 if basis == "Z" else (1.0 - a.depolarising_1) * (1.0 - b.depolarising_1)
    kept, lean, spread = turn, 1.0, 0.0
    for end in (a, b):
        zero, one = end.readout_error_0, end.readout_error_1
        kept *= 1.0 - zero - one
        lean *= one - zero
        spread = hypot(spread, tolerance * hypot(zero, one) / max(abs(1.0 - zero - one), 1e-3))
    return Contrast(kept, -lean if expected_parity(basis, bell) else lean, spread)
