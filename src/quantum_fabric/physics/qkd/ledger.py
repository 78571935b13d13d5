"""The epsilon ledger: by which step of a protocol the promise on a key may fail, and with what probability.

Probabilities of failure add (union bound). A key is *correct* except with ``correctness`` (the two ends differ unnoticed) and *secret*
except with ``secrecy`` (it is not uniform to the eavesdropper); with authentication on top, the total is what composes: two keys used
together, or a key over two hops, fail at most with the sum of their totals.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.qkd.concentration import check_failure


@dataclass(frozen=True, slots=True)
class Ledger:
    """Failure probabilities of one key block, each in [0, 1).

    Attributes:
        sifting: that sifting leaks or biases (0 for a fixed block length with bases chosen before the announcement).
        estimation: that a statistical bound of parameter estimation, smoothing included, does not hold.
        correction: that correction leaves an error that verification is then asked to find: adds nothing by itself, 0 by default.
        verification: that two different strings pass the comparison of hashes.
        amplification: distance from uniform that privacy amplification leaves.
        authentication: that a forged message was accepted.

    Raises:
        QuantityError: a field outside [0, 1), or a sum of 1 or more.

    Examples:
        >>> ledger = Ledger(estimation=8e-10, amplification=2e-10, verification=1e-15, authentication=1e-12)
        >>> f"{ledger.secrecy:.1e} {ledger.correctness:.1e} {ledger.total:.6e}"
        '1.0e-09 1.0e-15 1.001001e-09'
    """

    sifting: float = 0.0
    estimation: float = 0.0
    correction: float = 0.0
    verification: float = 0.0
    amplification: float = 0.0
    authentication: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0.0 <= value < 1.0:
                raise QuantityError(found=f"{value!r}", expected="a probability in [0, 1)", where=field.name)
        if self.total >= 1.0:
            raise QuantityError(
                found=f"{self.total:g}", expected="a sum below 1", where="sum of failure probabilities"
            )

    @property
    def correctness(self) -> float:
        """That the two ends hold different keys and do not know it."""
        return self.correction + self.verification

    @property
    def secrecy(self) -> float:
        """Distance of the key from one that is uniform to the eavesdropper."""
        return self.sifting + self.estimation + self.amplification

    @property
    def total(self) -> float:
        """What composes."""
        return self.correctness + self.secrecy + self.authentication

    def and_then(self, other: Ledger) -> Ledger:
        """The ledger of both together: line by line the sum (relays, concatenated blocks).

        Raises:
            QuantityError: the sum reaches 1.

        Examples:
            >>> Ledger(verification=1e-15).and_then(Ledger(verification=1e-15, amplification=1e-10))
            Ledger(sifting=0.0, estimation=0.0, correction=0.0, verification=2e-15, amplification=1e-10, authentication=0.0)
        """
        return Ledger(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


@dataclass(frozen=True, slots=True)
class Security:
    """What is asked of a key block.

    Attributes:
        secrecy: ε_sec, in (0, 1).
        correctness: ε_cor, in (0, 1).
        authentication: failure probability of all authenticated messages of the block, in [0, 1).

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> Security(secrecy=1e-9, correctness=1e-15).authentication
        0.0
    """

    secrecy: float
    correctness: float
    authentication: float = 0.0

    def __post_init__(self) -> None:
        check_failure(self.secrecy, "secrecy")
        check_failure(self.correctness, "correctness")
        if not 0.0 <= self.authentication < 1.0:
            raise QuantityError(
                found=f"{self.authentication!r}", expected="a probability in [0, 1)", where="authentication"
            )

    def in_equal_shares(self, shares: int) -> Ledger:
        """Split ε_sec into equal shares, one of them for privacy amplification, the rest for estimation and smoothing.

        Raises:
            QuantityError: fewer than two shares.

        Examples:
            >>> f"{Security(2.1e-9, 1e-15).in_equal_shares(21).amplification:.2e}"
            '1.00e-10'
        """
        if shares < 2:
            raise QuantityError(found=repr(shares), expected="two shares or more", where="shares")
        share = self.secrecy / shares
        return Ledger(
            estimation=self.secrecy - share,
            verification=self.correctness,
            amplification=share,
            authentication=self.authentication,
        )
