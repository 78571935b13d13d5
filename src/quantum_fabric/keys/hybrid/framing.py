"""Octet strings made of parts, with one reading only: every part is preceded by its length, and the whole by their number.

Two different lists of parts never give the same octets, so what is hashed or signed cannot be read as something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from quantum_fabric.errors import InputError

LONGEST_PART: Final = 1 << 20
"""Octets of one part."""

MOST_PARTS: Final = 256


def pack(parts: Sequence[bytes]) -> bytes:
    r"""Join parts.

    Raises:
        InputError: too many, or too long.

    Examples:
        >>> pack([b"ab", b""])
        b'\x00\x02\x00\x00\x00\x02ab\x00\x00\x00\x00'
        >>> pack([b"a", b"b"]) == pack([b"ab"])
        False
    """
    if len(parts) > MOST_PARTS or any(len(part) > LONGEST_PART for part in parts):
        raise InputError("something longer", f"{MOST_PARTS} parts of {LONGEST_PART} octets at most", "parts")
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return len(parts).to_bytes(2, "big") + framed


def unpack(octets: bytes, where: str) -> list[bytes]:
    """Take them apart again; the only octets that are taken are those that `pack` makes.

    Args:
        octets: from somebody else.
        where: for the message.

    Raises:
        InputError: something else.

    Examples:
        >>> unpack(pack([b"ab", b"", b"c"]), "example")
        [b'ab', b'', b'c']
    """
    number = int.from_bytes(octets[:2], "big")
    parts: list[bytes] = []
    start = 2
    if len(octets) >= 2 and number <= MOST_PARTS:
        while len(parts) < number and start + 4 <= len(octets):
            size = int.from_bytes(octets[start : start + 4], "big")
            if size > LONGEST_PART or start + 4 + size > len(octets):
                break
            parts.append(octets[start + 4 : start + 4 + size])
            start += 4 + size
        if len(parts) == number and start == len(octets):
            return parts
    raise InputError(f"{len(octets)} octets of something else", "framed parts", where)


def words(texts: Sequence[str]) -> bytes:
    """A list of texts as one part."""
    return pack([text.encode() for text in texts])


def texts(octets: bytes, where: str) -> tuple[str, ...]:
    """Read one.

    Raises:
        InputError: something else, or no UTF-8.
    """
    try:
        return tuple(part.decode() for part in unpack(octets, where))
    except UnicodeDecodeError:
        raise InputError("octets", "text in UTF-8", where) from None
