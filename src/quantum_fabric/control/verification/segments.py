"""Which part of a path is tested next: keyed, so that nobody without the key can foresee it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from itertools import combinations

from quantum_fabric.errors import InputError


def segment(key: str, path: Sequence[str], number: int) -> tuple[str, str]:
    """The ends of the part of a path that test number ``number`` is for; every part of one or more links is as likely.

    Args:
        key: 64 hexadecimal digits.
        path: nodes in their order, two at least.
        number: of the test, from 0.

    Raises:
        InputError: a path without a link, or a key that is none.

    Examples:
        >>> [segment("00" * 32, "ABCD", number) for number in range(3)]
        [('A', 'C'), ('C', 'D'), ('C', 'D')]
    """
    if len(path) < 2:
        raise InputError(repr(tuple(path)), "a path of two or more nodes", "path")
    try:
        secret = bytes.fromhex(key)
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise InputError("something else", "64 hexadecimal digits", "key")
    parts = list(combinations(path, 2))
    drawn = blake2b(number.to_bytes(8, "little"), key=secret, digest_size=16, person=b"segment").digest()
    return parts[int.from_bytes(drawn, "little") % len(parts)]
