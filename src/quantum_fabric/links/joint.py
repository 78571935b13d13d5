"""The joint state of two memories right after a herald, as far as herald schemes can tell: an X-state.

Heralds that count photons leave populations of |00>, |01>, |10>, |11> and at most two coherences: between |01> and |10>, and
between |00> and |11>. All else averages out, because the total photon number (or the time bin) is known only up to the herald.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.links.model import HeraldOutcome, Weights


@dataclass(frozen=True, slots=True)
class Joint:
    """An X-state of (a, b), not normalised: populations and coherences carry the probability of the herald.

    Attributes:
        p_00, p_01, p_10, p_11: populations, a first, each at least 0.
        odd: coherence <01|ρ|10>; positive for Ψ+, negative for Ψ−, complex where a phase is left.
        even: coherence <00|ρ|11>; positive for Φ+, negative for Φ−, complex where a phase is left.

    Examples:
        >>> Joint(0.0, 0.25, 0.25, 0.0, odd=-0.25).weights(3)
        (1.0, 0.0, 0.0, 0.0)
    """

    p_00: float
    p_01: float
    p_10: float
    p_11: float
    odd: complex = 0.0
    even: complex = 0.0

    @property
    def probability(self) -> float:
        """Sum of the populations.

        Examples:
            >>> Joint(0.1, 0.2, 0.2, 0.1).probability
            0.6
        """
        return self.p_00 + self.p_01 + self.p_10 + self.p_11

    def depolarised(self, keep_a: float, keep_b: float) -> Joint:
        """Each half is replaced by the maximally mixed qubit with probability 1 - keep.

        Args:
            keep_a: share of halves at a that stay as they are, in [0, 1].
            keep_b: the same at b.

        Examples:
            >>> Joint(0.0, 0.5, 0.5, 0.0, odd=0.5).depolarised(0.0, 1.0).weights(2)
            (0.25, 0.25, 0.25, 0.25)
        """
        rows = ((self.p_00, self.p_01), (self.p_10, self.p_11))
        side_a = [math.fsum(row) for row in rows]
        side_b = [rows[0][k] + rows[1][k] for k in (0, 1)]
        total = self.probability

        def mixed(j: int, k: int) -> float:
            return (
                keep_a * keep_b * rows[j][k]
                + keep_a * (1.0 - keep_b) * side_a[j] / 2.0
                + (1.0 - keep_a) * keep_b * side_b[k] / 2.0
                + (1.0 - keep_a) * (1.0 - keep_b) * total / 4.0
            )

        both = keep_a * keep_b
        return Joint(mixed(0, 0), mixed(0, 1), mixed(1, 0), mixed(1, 1), both * self.odd, both * self.even)

    def weights(self, bell: int) -> Weights:
        """Normalised Bell weights relative to an announced label; (1/4, ...) where the herald cannot happen.

        The imaginary part of a coherence lies between two Bell states and is no part of their weights.

        Args:
            bell: announced Bell label, 0..3.
        """
        total = self.probability
        if total <= 0.0:
            return (0.25, 0.25, 0.25, 0.25)
        even, odd = (self.p_00 + self.p_11) / 2.0, (self.p_01 + self.p_10) / 2.0
        plus, cross = self.even.real, self.odd.real
        actual = (even + plus, even - plus, odd + cross, odd - cross)
        # a coherence never exceeds its populations; the clamp is for the last bit only
        a, b, c, d = (max(actual[bell ^ label], 0.0) / total for label in range(4))
        return (a, b, c, d)

    def entries(self) -> tuple[complex, ...]:
        """The 16 entries of the normalised density matrix, row by row, order |00>, |01>, |10>, |11>."""
        total = self.probability
        flat = [0j] * 16
        if total <= 0.0:
            for index in range(4):
                flat[5 * index] = 0.25 + 0j
            return tuple(flat)
        for index, population in enumerate((self.p_00, self.p_01, self.p_10, self.p_11)):
            flat[5 * index] = complex(population / total)
        odd, even = complex(self.odd / total), complex(self.even / total)
        flat[6], flat[9] = odd, odd.conjugate()
        flat[3], flat[12] = even, even.conjugate()
        return tuple(flat)

    def herald(self, bell: int) -> HeraldOutcome:
        """The herald that announces ``bell`` and leaves this state.

        Examples:
            >>> Joint(0.0, 0.1, 0.1, 0.0, odd=0.1).herald(2).probability
            0.2
        """
        return HeraldOutcome(bell, self.probability, self.weights(bell), self.entries())
