"""Key bits that never print themselves.

`KeyMaterial` holds finished keys; bits on their way to a key are in `quantum_fabric.keys.postprocessing.secret`. Whatever a
careless line does with it (print, log, format, pickle, copy, compare, put it into an exception or a set), the bits do not
come out; they come out of `octets` and nowhere else, so that a search for that word finds every place where a key is in the
clear.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from quantum_fabric.errors import InputError, StateError


class KeyMaterial:
    """A whole number of secret octets, held in memory that can be overwritten.

    Args:
        octets: the bits, copied; 1 octet or more. The caller's copy is the caller's to destroy.

    Raises:
        InputError: no octets at all.

    Limits:
        `wipe` overwrites this object's memory. Python may hold other copies that nobody can reach: the `bytes` that
        a library returned, the text of an HTTP answer, a page in the swap file. A process that serves keys should be
        small, unswappable and short of core dumps.

    Examples:
        >>> key = KeyMaterial(bytes(range(32)))
        >>> key
        <256 secret bits>
        >>> f"{key} {key!r} {[key]}"
        '<256 secret bits> <256 secret bits> [<256 secret bits>]'
        >>> key == KeyMaterial(bytes(range(32)))
        True
        >>> key.wipe()
        >>> key
        <wiped>
    """

    __slots__ = ("__octets",)

    def __init__(self, octets: bytes | bytearray | memoryview) -> None:
        self.__octets = _Octets()
        if not len(octets):
            raise InputError("no octets", "key material of 1 octet or more", "key material")
        self.__octets = _Octets(octets)

    @property
    def octets(self) -> memoryview:
        """The secret itself, read-only and without a copy. It shows zeros once the material is wiped.

        Raises:
            StateError: it was wiped before.
        """
        if not self.__octets:
            raise StateError("this key material was wiped")
        return memoryview(self.__octets).toreadonly()

    @property
    def bits(self) -> int:
        """How many bits there are; 0 once wiped."""
        return 8 * len(self.__octets)

    def wipe(self) -> None:
        """Overwrite the bits with zeros and forget them; twice does no harm."""
        self.__octets[:] = bytes(len(self.__octets))
        self.__octets = _Octets()

    def split(self, sizes: Sequence[int]) -> tuple[KeyMaterial, ...]:
        """Cut into pieces, in order, and wipe the whole.

        Args:
            sizes: octets of each piece, 1 or more; together all there are.

        Raises:
            InputError: the sizes do not add up to the whole; nothing was cut.

        Examples:
            >>> whole = KeyMaterial(b"abcdef")
            >>> [piece.bits for piece in whole.split([4, 2])], whole
            ([32, 16], <wiped>)
        """
        whole = self.octets
        if any(size < 1 for size in sizes) or sum(sizes) != len(whole):
            raise InputError(
                f"pieces of {list(sizes)} octets", f"pieces that add up to {len(whole)}", "sizes"
            )
        pieces, start = [], 0
        for size in sizes:
            pieces.append(KeyMaterial(whole[start : start + size]))
            start += size
        self.wipe()
        return tuple(pieces)

    @classmethod
    def join(cls, pieces: Iterable[KeyMaterial]) -> KeyMaterial:
        """Put pieces together, in order, and wipe them.

        Examples:
            >>> KeyMaterial.join([KeyMaterial(b"ab"), KeyMaterial(b"cd")]) == KeyMaterial(b"abcd")
            True
        """
        pieces = list(pieces)
        whole = bytearray().join(piece.octets for piece in pieces)
        joined = cls(whole)
        whole[:] = bytes(len(whole))
        for piece in pieces:
            piece.wipe()
        return joined

    def __len__(self) -> int:
        """Number of octets."""
        return len(self.__octets)

    def __eq__(self, other: object) -> bool:
        """Compare in a time that does not depend on where they differ."""
        if not isinstance(other, KeyMaterial):
            return NotImplemented
        return hmac.compare_digest(self.__octets, other.__octets)

    __hash__ = None  # type: ignore[assignment]  # a hash is a value derived from the key

    def __repr__(self) -> str:
        """Say how much there is, never what."""
        return f"<{self.bits} secret bits>" if self.__octets else "<wiped>"

    def __format__(self, spec: str) -> str:
        """As `repr`, whatever is asked."""
        return repr(self)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse to be pickled or copied: each copy is one more to destroy."""
        raise StateError("key material is not pickled or copied; hand the object over")


class _Octets(bytearray):
    """Memory that is overwritten when the last holder lets go, as far as Python tells us; who looks at it is a holder."""

    __slots__ = ()

    def __del__(self) -> None:
        self[:] = bytes(len(self))
