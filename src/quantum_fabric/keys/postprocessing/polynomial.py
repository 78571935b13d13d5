"""One polynomial hash for two purposes: under a one-time pad it authenticates, under a short Toeplitz matrix it verifies.

``h_r(message) = Σ c_i r^(q + 1 - i) mod 2^130 - 5`` over the 16-byte pieces c_i of the message, each with a one set beyond its
end: the polynomial of Poly1305. For two different messages of at most L bytes and any g, at most ``8 ceil(L/16)`` of the 2^106
values of r give ``h_r(m) - h_r(m') = g mod 2^128`` (Bernstein, The Poly1305-AES message-authentication code, FSE 2005, theorem
3.3): the hash is ``8 ceil(L/16)/2^106``-almost Δ-universal.
"""

from __future__ import annotations

from quantum_fabric.errors import QuantityError
from quantum_fabric.native import native

_PRIME = (1 << 130) - 5
_CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF


def polynomial_hash(point: bytes, message: bytes, compiled: bool = True) -> int:
    r"""``h_r(message)``, in [0, 2^130 - 5).

    Args:
        point: r, 16 bytes; 22 of its bits are not used.
        message: any length.
        compiled: False for the loop in Python.

    Raises:
        QuantityError: a point that is not 16 bytes.

    Examples:
        >>> polynomial_hash(bytes(range(16)), b"") == 0, polynomial_hash(b"\x01" + bytes(15), b"a") == 0x161
        (True, True)
    """
    if len(point) != 16:
        raise QuantityError(found=f"{len(point)} bytes", expected="16 bytes", where="point")
    kernel = native() if compiled else None
    if kernel is not None:
        return int.from_bytes(kernel.polynomial(point, message), "little")
    r, value = int.from_bytes(point, "little") & _CLAMP, 0
    for start in range(0, len(message), 16):
        piece = message[start : start + 16]
        value = (value + int.from_bytes(piece, "little") + (1 << 8 * len(piece))) * r % _PRIME
    return value


def collision_bound(size: int) -> float:
    """Chance over r that two given messages of at most this many bytes differ by a given value: ``8 ceil(size/16)/2^106``.

    Examples:
        >>> f"{collision_bound(1 << 20):.2e}"
        '6.46e-27'
    """
    return 8.0 * max(1, -(-size // 16)) / 2.0**106
