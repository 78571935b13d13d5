"""What the two ends say to each other: one record, whose kind tells whether its bits are about the key.

A bit counts as *told* where it is a function of the sifted key: parities, syndromes, the tag of verification. Bases, bits of the test
basis (they never enter the key) and random seeds are public and cost nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from quantum_fabric.errors import ProtocolError


class Kind(IntEnum):
    """What a message is."""

    BASES = 1
    SETTINGS = 2
    TEST_BITS = 3
    START = 4
    PARITIES = 5
    SYNDROME = 6
    NEED = 7
    HASH = 8
    TAG = 9
    VERDICT = 10
    SEED = 11
    SEAL = 12


ABOUT_THE_KEY = frozenset({Kind.PARITIES, Kind.SYNDROME, Kind.TAG})
"""Kinds whose bits are functions of the key."""

_HEADER = struct.Struct("<BQQ")


@dataclass(frozen=True, slots=True)
class Message:
    r"""A number of bits with a kind.

    Attributes:
        kind: what it is.
        bits: how many bits the data holds.
        data: packed, the first bit in the lowest place.

    Raises:
        ProtocolError: data of another length than the bits need.

    Examples:
        >>> said = Message(Kind.PARITIES, 3, b"\x05")
        >>> Message.read(said.written()) == said, said.told
        (True, 3)
    """

    kind: Kind
    bits: int
    data: bytes

    def __post_init__(self) -> None:
        if self.bits < 0 or len(self.data) != (self.bits + 7) // 8:
            raise ProtocolError(f"{len(self.data)} bytes of data, {self.bits} bits announced")

    @property
    def told(self) -> int:
        """Bits about the key."""
        return self.bits if self.kind in ABOUT_THE_KEY else 0

    def written(self) -> bytes:
        """As it goes over the line; what is authenticated."""
        return _HEADER.pack(self.kind, self.bits, len(self.data)) + self.data

    @classmethod
    def read(cls, written: bytes) -> Message:
        """The opposite of `written`.

        Raises:
            ProtocolError: not a message.
        """
        if len(written) < _HEADER.size:
            raise ProtocolError("a message that is too short")
        kind, bits, size = _HEADER.unpack_from(written)
        if size != len(written) - _HEADER.size or kind not in set(Kind):
            raise ProtocolError("not a message")
        return cls(Kind(kind), bits, written[_HEADER.size :])

    def __repr__(self) -> str:
        return f"Message({self.kind.name}, {self.bits} bits)"


def message(kind: Kind, data: bytes) -> Message:
    r"""Whole bytes as a message.

    Examples:
        >>> message(Kind.VERDICT, b"\x01")
        Message(VERDICT, 8 bits)
    """
    return Message(kind, 8 * len(data), data)
