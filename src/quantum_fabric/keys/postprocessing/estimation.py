"""Parameter estimation: what the compared bits say about those that were not, and how much key a block is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats
from quantum_fabric.physics.qkd.concentration import check_failure, sampling_gap
from quantum_fabric.physics.qkd.entanglement import pair_block_key
from quantum_fabric.physics.qkd.finite_key import Counts, two_decoy_key
from quantum_fabric.physics.qkd.ledger import Ledger, Security
from quantum_fabric.physics.qkd.one_decoy import one_decoy_key
from quantum_fabric.physics.qkd.untrusted_key import PairCounts, untrusted_key


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of a block, by intensity: arrays of shape ``(intensities,)``, of one entry where there is one intensity.

    Attributes:
        key: detections in the key basis.
        test: detections in the test basis.
        test_errors: wrong ones among them.

    Examples:
        >>> Tally(np.array([900.0]), np.array([100.0]), np.array([2.0])).error_rate
        0.02
    """

    key: Floats
    test: Floats
    test_errors: Floats

    @property
    def error_rate(self) -> float:
        """Of the test basis; 0.5 where nothing was compared."""
        compared = float(self.test.sum())
        return float(self.test_errors.sum()) / compared if compared else 0.5

    def error_bound(self, failure: float) -> float:
        """Above the error rate of the key basis, where errors do not depend on the basis, except with this chance.

        Raises:
            QuantityError: a probability outside (0, 1).

        Examples:
            >>> round(Tally(np.array([1e6]), np.array([1e5]), np.array([2e3])).error_bound(1e-10), 6)
            0.023468
        """
        check_failure(failure)
        gap = sampling_gap(self.error_rate, float(self.test.sum()), float(self.key.sum()), failure)
        return min(self.error_rate + float(gap), 0.5)


@dataclass(frozen=True, slots=True)
class Worth:
    """What a block may give.

    Attributes:
        length: bits of key, 0 or more.
        phase_error: the bound it rests on.
        ledger: failure probabilities.
    """

    length: int
    phase_error: float
    ledger: Ledger


KeyFormula: TypeAlias = Callable[[Tally, float], Worth]
"""(counts, bits told by error correction without the tag of verification) -> what the block is worth."""


def decoy_formula(
    intensities: tuple[float, ...], probabilities: tuple[float, ...], security: Security
) -> KeyFormula:
    """Decoy-state BB84 with two decoys (Lim 2014) or one (Rusca 2018), by `quantum_fabric.physics.qkd`.

    Args:
        intensities: strongest first, two or three.
        probabilities: of each.
        security: what is asked.

    Raises:
        QuantityError: another number of intensities.

    Examples:
        >>> formula = decoy_formula((0.5, 0.2, 2e-4), (0.5, 0.3, 0.2), Security(1e-9, 1e-15))
        >>> tally = Tally(*(np.array(n) for n in ([7e6, 2.6e6, 4e5], [2.2e5, 8e4, 1.2e4], [2e3, 8e2, 5e3])))
        >>> formula(tally, 1.6e6).length > 10**6
        True
    """
    if len(intensities) not in (2, 3):
        raise QuantityError(found=str(len(intensities)), expected="two or three", where="intensities")
    extract = two_decoy_key if len(intensities) == 3 else one_decoy_key

    def worth(tally: Tally, told: float) -> Worth:
        counts = Counts(tally.key, np.zeros_like(tally.key), tally.test, tally.test_errors)
        key = extract(counts, intensities, probabilities, security, told)
        return Worth(int(key.length), float(key.phase_error), key.ledger)

    return worth


def pair_formula(security: Security) -> KeyFormula:
    """Entangled pairs or single photons (BBM92, BB84), by `quantum_fabric.physics.qkd`.

    Examples:
        >>> formula = pair_formula(Security(1e-10, 1e-15))
        >>> formula(Tally(np.array([1e6]), np.array([1e5]), np.array([2e3])), 1.64e5).length
        610408
    """

    def worth(tally: Tally, told: float) -> Worth:
        n, k = float(tally.key.sum()), float(tally.test.sum())
        if n < 1.0 or k < 1.0:
            return Worth(0, 0.5, Ledger(verification=security.correctness))
        key = pair_block_key(n, k, tally.error_rate, told, security)
        return Worth(int(key.length), float(key.phase_error), key.ledger)

    return worth


def untrusted_formula(
    intensities: tuple[float, ...], probabilities: tuple[float, ...], security: Security
) -> KeyFormula:
    """Measurement-device-independent QKD with two decoys at each end, by `quantum_fabric.physics.qkd.untrusted_key`.

    Counts come by pairs of intensities, the first end's before the second's: shape ``(9,)``.

    Args:
        intensities: of both ends, strongest first, three.
        probabilities: of each.
        security: what is asked.

    Examples:
        >>> formula = untrusted_formula((0.25, 0.07, 0.0), (0.2, 0.3, 0.5), Security(1e-9, 1e-12))
        >>> formula(Tally(np.zeros(9), np.zeros(9), np.zeros(9)), 0.0).length
        0
    """

    def worth(tally: Tally, told: float) -> Worth:
        counts = PairCounts(*(each.reshape(3, 3) for each in (tally.key, tally.test, tally.test_errors)))
        key = untrusted_key(counts, intensities, probabilities, security, told)
        return Worth(int(key.length), float(key.phase_error), key.ledger)

    return worth


def with_authentication(worth: Worth, failure: float) -> Worth:
    """The same with what the seals may fail.

    Examples:
        >>> with_authentication(Worth(5, 0.1, Ledger()), 1e-20).ledger.authentication
        1e-20
    """
    return replace(worth, ledger=replace(worth.ledger, authentication=failure))
