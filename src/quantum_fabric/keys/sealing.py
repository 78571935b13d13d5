"""Keys at rest: AES-256 key wrap under a key-encryption key (KEK).

What is wrapped is the identifier of the thing followed by its bits, so a row that somebody swapped for another row of the
same store does not open.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from quantum_fabric.errors import InputError, StateError, UnknownNameError
from quantum_fabric.keys.material import KeyMaterial

KEK_OCTETS: Final = 32
"""AES-256."""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class SealError(StateError):
    """A wrapped key does not open: wrong KEK, a changed row, or a row in another's place."""


class WrappingKey(Protocol):
    """What a ring is made of: a KEK in memory (`Kek`), or one that never leaves its token (`quantum_fabric.server.pkcs11`)."""

    @property
    def name(self) -> str:
        """By which rows remember it."""

    def wrap(self, plain: bytes) -> bytes:
        """Encrypt, so that a change shows."""

    def unwrap(self, octets: bytes) -> bytes | None:
        """Decrypt; None where it was changed, or wrapped by another."""


def kek_name(name: str) -> str:
    """Check the name of a KEK: 1 to 64 letters, digits, ``.``, ``_`` and ``-``.

    Raises:
        InputError: it is something else.
    """
    if not _NAME.fullmatch(name):
        raise InputError(repr(name), "1 to 64 of letters, digits, '.', '_' and '-'", "name of the KEK")
    return name


@dataclass(frozen=True, slots=True)
class Kek:
    """A key-encryption key in memory, with the name by which rows remember it.

    Attributes:
        name: letters, digits, ``.``, ``_`` and ``-``; at most 64.
        secret: 256 bits.

    Raises:
        InputError: another size or an odd name.
    """

    name: str
    secret: KeyMaterial

    def __post_init__(self) -> None:
        kek_name(self.name)
        if len(self.secret) != KEK_OCTETS:
            raise InputError(f"{self.secret.bits} bits", f"{8 * KEK_OCTETS} bits", f"KEK {self.name}")

    def wrap(self, plain: bytes) -> bytes:
        """AES-256 key wrap with padding (RFC 5649)."""
        return aes_key_wrap_with_padding(bytes(self.secret.octets), plain)

    def unwrap(self, octets: bytes) -> bytes | None:
        """Its inverse; None where the integrity check fails."""
        try:
            return aes_key_unwrap_with_padding(bytes(self.secret.octets), octets)
        except (InvalidUnwrap, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A wrapped key. Safe to store and, being ciphertext, left out of what is printed only because it says nothing.

    Attributes:
        kek: name of the KEK that opens it.
        octets: ciphertext.
    """

    kek: str
    octets: bytes

    def __repr__(self) -> str:
        """The KEK and the size."""
        return f"Sealed({self.kek}, {len(self.octets)} octets)"


class KeyRing:
    """The KEKs of a store: one that seals, and older ones that still open.

    Args:
        current: seals from now on.
        older: open what was sealed before a rotation.

    Equation:
        ``KWP-AE(KEK, identifier || key)``: RFC 5649 with AES-256 (NIST SP 800-38F, section 6.3).

    Raises:
        InputError: two KEKs of one name.

    Examples:
        >>> ring = KeyRing(Kek("2026", KeyMaterial(bytes(32))))
        >>> name = UUID("00000000-0000-4000-8000-000000000001")
        >>> sealed = ring.seal(name, KeyMaterial(b"sixteen octets.."))
        >>> sealed
        Sealed(2026, 40 octets)
        >>> ring.open(name, sealed)
        <128 secret bits>
    """

    def __init__(self, current: WrappingKey, older: Iterable[WrappingKey] = ()) -> None:
        self.current = current
        self._keks: dict[str, WrappingKey] = {current.name: current}
        for kek in older:
            if kek.name in self._keks:
                raise InputError(f"two KEKs of the name {kek.name}", "one for each name", "key ring")
            self._keks[kek.name] = kek

    @property
    def names(self) -> frozenset[str]:
        """Of the KEKs on it."""
        return frozenset(self._keks)

    def seal(self, identifier: UUID, material: KeyMaterial) -> Sealed:
        """Wrap a key under the current KEK; the material itself is left as it is."""
        plain = identifier.bytes + bytes(material.octets)
        return Sealed(self.current.name, self.current.wrap(plain))

    def open(self, identifier: UUID, sealed: Sealed) -> KeyMaterial:
        """Unwrap a key.

        Raises:
            UnknownNameError: its KEK is not on this ring.
            SealError: it does not open, or belongs to another identifier. The message holds no key bits.
        """
        kek = self._keks.get(sealed.kek)
        if kek is None:
            raise UnknownNameError(sealed.kek, f"one of the KEKs {sorted(self._keks)}", "KEK")
        plain = kek.unwrap(sealed.octets)
        if plain is None:  # a value and no exception, whose locals would hold more than the reader should see
            raise SealError(f"key {identifier} does not open under KEK {sealed.kek}")
        ours = len(plain) > 16 and hmac.compare_digest(plain[:16], identifier.bytes)
        material = KeyMaterial(memoryview(plain)[16:]) if ours else None
        del plain  # a traceback that shows locals shows none of this
        if material is None:
            raise SealError(f"what is stored as key {identifier} belongs to another identifier")
        return material

    def renew(self, identifier: UUID, sealed: Sealed) -> Sealed:
        """Wrap again under the current KEK; the same object where it already is."""
        if sealed.kek == self.current.name:
            return sealed
        material = self.open(identifier, sealed)
        try:
            return self.seal(identifier, material)
        finally:
            material.wipe()
