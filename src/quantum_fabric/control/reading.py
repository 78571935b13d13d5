"""Which pairs are measured at their ends, and in which basis: keyed, so that both ends agree and nobody between them can know.

A decider owns no random numbers. What has to look random is a keyed function (BLAKE2b, RFC 7693) of the pair's identity: who has no
key can tell neither which pair will be tested nor how it will be measured, and therefore treats all alike (the randomised
checks against a hijacked repeater of Satoh et al. 2020, "Attacking the Quantum Internet").
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from quantum_fabric.errors import InputError
from quantum_fabric.messages import PairId, Reading
from quantum_fabric.physics.chsh import DIRECTIONS

BASES = tuple(DIRECTIONS)
"""In which the plant can measure."""

KEY_BYTES = 32


def epoch_key(secret: bytes, epoch: int) -> str:
    """The key of one installation, in hexadecimal: its two ends get it, and it says nothing of any other installation's.

    Args:
        secret: of the controller, at most 64 bytes.
        epoch: number of the installation.

    Examples:
        >>> len(epoch_key(b"a secret", 7)), epoch_key(b"a secret", 7) == epoch_key(b"a secret", 8)
        (64, False)
    """
    message = epoch.to_bytes(16, "little", signed=True)
    return blake2b(message, key=secret, digest_size=KEY_BYTES, person=b"reading").hexdigest()


class Reader:
    """Answers for one rule, at one end.

    Args:
        reading: the rule.

    Raises:
        InputError: no bases or unknown ones, a share outside of (0, 1], or a key that is none.

    Examples:
        >>> tests = Reader(Reading(("X", "Z"), 0.5, epoch_key(b"a secret", 7)))
        >>> [tests.basis(PairId(f"A~B/0#{n}", f"B~C/0#{n}")) for n in range(6)]
        ['X', None, None, None, None, None]
    """

    def __init__(self, reading: Reading) -> None:
        check_bases(reading.bases, "bases")
        if not 0.0 < reading.share <= 1.0:
            raise InputError(repr(reading.share), "a share in (0, 1]", "share")
        try:
            self._key = bytes.fromhex(reading.key)
        except ValueError:
            self._key = b""
        if len(self._key) != KEY_BYTES:
            raise InputError("something else", f"{2 * KEY_BYTES} hexadecimal digits", "key")
        self._bases = reading.bases
        self._all = reading.share >= 1.0
        self._below = int(reading.share * 2.0**64)
        self._own = reading.own.encode()

    def basis(self, pair: PairId) -> str | None:
        """In which basis this end measures its half of a pair; None where it does not.

        Equation: with 64 bits h of the keyed hash, a pair is measured where h < share·2^64, and the basis is number h' mod n of the n,
        h' from another hash. So a share is exact to 2^-64, and so is each basis.
        """
        name = "\n".join(pair).encode()
        if not self._all and self._hash(name, b"which") >= self._below:
            return None
        if len(self._bases) == 1:
            return self._bases[0]
        return self._bases[self._hash(name + b"\n" + self._own, b"basis") % len(self._bases)]

    def _hash(self, message: bytes, purpose: bytes) -> int:
        return int.from_bytes(
            blake2b(message, key=self._key, digest_size=8, person=purpose).digest(), "little"
        )


def check_bases(bases: Sequence[str], where: str) -> None:
    """Refuse bases that the plant cannot measure in.

    Raises:
        InputError: none, one that is none of `BASES`, or one twice.

    Examples:
        >>> check_bases(("X", "X"), "bases")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: bases: found ('X', 'X'), expected one or more of X, Y, Z, W and V, each once
    """
    if not bases or len(set(bases)) < len(bases) or any(each not in BASES for each in bases):
        raise InputError(repr(bases), "one or more of X, Y, Z, W and V, each once", where)
