"""What two ends agree on before a session, and what each has after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from quantum_fabric.errors import QuantityError
from quantum_fabric.keys.postprocessing.cascade_plan import LEAN
from quantum_fabric.keys.postprocessing.estimation import KeyFormula
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.physics.qkd.ledger import Ledger

Random: TypeAlias = Callable[[int], bytes]
"""So many random bytes, independent of everything an eavesdropper had before."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What both ends agreed on beforehand; public.

    Attributes:
        session: names the session, under every seal.
        formula: counts and leak -> key length.
        correctness: ε_cor, the same as in the formula.
        intensities: how many there are, 1 to 4.
        engine: ``cascade`` (fewest bits told) or ``ldpc`` (fewest rounds).
        waves: see `cascade_plan.plan_for`.
        replenish: bits of each key that go to the authentication budget.
        least: bits of sifted key below which a block is not worked on.
        error_rate: guess for error correction; None for the rate of the test basis.
        compiled: False for NumPy.
        joint: whether both ends choose intensities (a station between them measures): counts are then by pairs of intensities, and the
            key is made of windows in which both chose the strongest.

    Raises:
        QuantityError: a field outside its domain.
    """

    session: bytes
    formula: KeyFormula
    correctness: float
    intensities: int = 1
    engine: str = "cascade"
    waves: int = LEAN
    replenish: int = 512
    least: int = 1000
    error_rate: float | None = None
    compiled: bool = True
    joint: bool = False

    def __post_init__(self) -> None:
        if self.engine not in ("cascade", "ldpc"):
            raise QuantityError(found=self.engine, expected="cascade or ldpc", where="engine")
        if not 1 <= self.intensities <= 4 or self.least < 64 or self.replenish < 0:
            raise QuantityError(
                found=f"{self.intensities}, {self.least}, {self.replenish}",
                expected="1 to 4 intensities, blocks of 64 bits or more, 0 or more to replenish",
                where="terms",
            )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one end has in the end.

    Attributes:
        key: the secret key; empty where there is none.
        reason: why there is none; empty where there is one.
        ledger: failure probabilities, authentication included.
        sifted: bits of the key basis.
        error_rate: of the test basis.
        corrected: errors that were found in the key basis.
        told: bits about the key that the sender announced: error correction and verification.
        rounds: messages of error correction, each end's.
        renewed: bits that went to the authentication budget.
    """

    key: SecretBits
    reason: str
    ledger: Ledger
    sifted: int
    error_rate: float
    corrected: int = 0
    told: int = 0
    rounds: int = 0
    renewed: int = 0
