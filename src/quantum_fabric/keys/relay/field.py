"""The field of 2^128 elements, for one purpose: a key that a relay has changed on its way is noticed at its end.

A share can be changed by whoever relays it, and the change goes into the key as it is: XOR hides and does not protect. An
algebraic manipulation detection code does: with the data ``x_1 … x_d`` go a random ``r`` and ``t = r^(d+2) + Σ x_i r^i``.
Whoever adds anything to ``(x, r, t)`` without knowing ``r`` is found out except with probability ``(d+1)/2^128`` (Cramer, Dodis,
Fehr, Padró, Wichs, EUROCRYPT 2008, theorem 2); d has to be odd, as the field has characteristic 2.
"""

from __future__ import annotations

import hmac
from typing import Final

from quantum_fabric.errors import QuantityError

OCTETS: Final = 16
_POLYNOMIAL: Final = (1 << 128) | 0b10000111
"""x^128 + x^7 + x^2 + x + 1, irreducible (the polynomial of GHASH, NIST SP 800-38D)."""


def times(a: int, b: int) -> int:
    """The product of two elements, in [0, 2^128).

    Examples:
        >>> times(1 << 127, 2) == 0b10000111, times(3, 3)
        (True, 5)
    """
    product = 0
    while b:
        low = b & -b
        product ^= a * low
        b ^= low
    for place in range(product.bit_length() - 129, -1, -1):
        if product >> (place + 128) & 1:
            product ^= _POLYNOMIAL << place
    return product


def mark(data: bytes | memoryview, r: bytes) -> bytes:
    """The check value t of some data, 16 octets.

    Args:
        data: a whole number of octets; filled up with zeros to an odd number of elements, so its length must be known.
        r: 16 random octets that nobody else knows.

    Raises:
        QuantityError: an r of another size.

    Examples:
        >>> mark(b"", bytes([0] * 15 + [2])).hex()
        '00000000000000000000000000000008'
    """
    if len(r) != OCTETS:
        raise QuantityError(found=f"{len(r)} octets", expected=f"{OCTETS} octets", where="r")
    point = int.from_bytes(r, "big")
    pieces = [
        int.from_bytes(bytes(data[start : start + OCTETS]).ljust(OCTETS, b"\0"), "big")
        for start in range(0, len(data), OCTETS)
    ]
    if len(pieces) % 2 == 0:
        pieces.append(0)
    # Horner: r^(d+2) + x_d r^d + … + x_1 r, from the highest power down
    value = times(point, point)
    for piece in reversed(pieces):
        value = times(value ^ piece, point)
    return value.to_bytes(OCTETS, "big")


def fits(data: bytes | memoryview, r: bytes, t: bytes) -> bool:
    """Whether a check value belongs to the data, compared in constant time."""
    return hmac.compare_digest(mark(data, r), t)


def escape_bound(octets: int) -> float:
    """Chance that a change of data of this size is not found: ``(d+1)/2^128``.

    Examples:
        >>> f"{escape_bound(1024):.1e}"
        '1.9e-37'
    """
    pieces = -(-octets // OCTETS)
    return (pieces + (pieces % 2 == 0) + 1) / 2.0**128
