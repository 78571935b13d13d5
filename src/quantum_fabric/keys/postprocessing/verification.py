"""Do both ends hold the same string? A short tag under a random hash says so, except with a stated chance.

The string goes through `polynomial_hash` at an announced point, and the 130 bits of that through a Toeplitz matrix of t rows: a
``2^-t``-universal family (Krawczyk, CRYPTO 1994) after a ``δ``-universal one. Different strings agree with at most ``2^-t + δ``.
The t bits count as leaked; the hash is announced after error correction and used once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.errors import QuantityError
from quantum_fabric.keys.postprocessing.polynomial import collision_bound, polynomial_hash
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.physics.qkd.concentration import check_failure

_BITS = 130


@dataclass(frozen=True, slots=True)
class VerificationHash:
    """One hash out of the family.

    Attributes:
        point: 16 random bytes.
        rows: ``130 + length - 1`` random bits, packed in an integer.
        length: t, bits of the tag.

    Examples:
        >>> chosen = VerificationHash.drawn(bytes(range(50)), 1e-10)
        >>> chosen.length, chosen.tag(SecretBits.of([1, 0])) == chosen.tag(SecretBits.of([1, 1]))
        (35, False)
    """

    point: bytes
    rows: int
    length: int

    @staticmethod
    def length_for(correctness: float) -> int:
        """Bits of the tag: half of ε for the matrix, so ``ceil(log2(2/ε))``.

        Raises:
            QuantityError: a probability outside (0, 1).

        Examples:
            >>> VerificationHash.length_for(1e-15)
            51
        """
        return math.ceil(math.log2(2.0 / check_failure(correctness, "correctness")))

    @classmethod
    def random_bytes(cls, correctness: float) -> int:
        """How many bytes `drawn` wants."""
        return 16 + (_BITS + cls.length_for(correctness) - 1 + 7) // 8

    @classmethod
    def drawn(cls, random: bytes, correctness: float) -> VerificationHash:
        """From random bytes.

        Raises:
            QuantityError: too few of them.
        """
        length, size = cls.length_for(correctness), cls.random_bytes(correctness)
        if len(random) < size:
            raise QuantityError(found=f"{len(random)} bytes", expected=f"{size} bytes", where="random")
        rows = int.from_bytes(random[16:size], "little") & (1 << (_BITS + length - 1)) - 1
        return cls(bytes(random[:16]), rows, length)

    def tag(self, key: SecretBits) -> int:
        """The t bits of a key."""
        value = polynomial_hash(self.point, len(key).to_bytes(8, "little") + key.reveal())
        return sum(((value & (self.rows >> i)).bit_count() & 1) << i for i in range(self.length))

    def failure(self, bits: int) -> float:
        """Chance that two different strings of this many bits have one tag."""
        return 2.0**-self.length + collision_bound(8 + (bits + 7) // 8)
