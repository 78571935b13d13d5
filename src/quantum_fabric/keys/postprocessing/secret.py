"""Secret bits: a string of bits that never shows itself in a log, a trace, an exception or a pickle."""

from __future__ import annotations

import hmac
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quantum_fabric.errors import QuantityError, StateError


class SecretBits:
    """Bits that only two parties may know, packed eight to a byte, the first in the lowest place.

    Args:
        packed: bytes; bits beyond the length are cleared.
        length: number of bits, 0 or more.

    Raises:
        QuantityError: fewer bytes than bits.

    Limits:
        `wipe` clears this copy. Python and NumPy make others (slices, hashes, messages), which go when their memory is used again.

    Examples:
        >>> key = SecretBits.of([1, 0, 1, 1])
        >>> print(key), len(key), key == SecretBits.of([1, 0, 1, 1])
        <4 secret bits>
        (None, 4, True)
    """

    __slots__ = ("_length", "_packed")

    def __init__(self, packed: bytes | bytearray | NDArray[np.uint8], length: int) -> None:
        size = (length + 7) // 8
        data = np.frombuffer(packed, dtype=np.uint8) if isinstance(packed, (bytes, bytearray)) else packed
        if length < 0 or data.size < size:
            raise QuantityError(found=f"{8 * data.size} bits", expected=f"{length} or more", where="packed")
        self._packed = np.array(data[:size], dtype=np.uint8)
        self._length = length
        if length % 8:
            self._packed[-1] &= (1 << (length % 8)) - 1

    @classmethod
    def of(cls, bits: ArrayLike) -> SecretBits:
        """From an array of 0 and 1, shape ``(n,)``.

        Raises:
            QuantityError: another shape or another value.

        Examples:
            >>> len(SecretBits.of(np.ones(9, dtype=int)))
            9
        """
        array = np.asarray(bits)
        if array.ndim != 1 or (array.size and not np.isin(array, (0, 1)).all()):
            raise QuantityError(found="another array", expected="zeros and ones, shape (n,)", where="bits")
        return cls(np.packbits(array.astype(np.uint8), bitorder="little"), array.size)

    def __len__(self) -> int:
        return self._length

    def array(self) -> NDArray[np.uint8]:
        r"""Zeros and ones, shape ``(n,)``.

        Examples:
            >>> SecretBits(b"\x05", 3).array().tolist()
            [1, 0, 1]
        """
        return np.unpackbits(self._packed, count=self._length, bitorder="little")

    def reveal(self) -> bytes:
        r"""The bytes, for whoever may have them.

        Examples:
            >>> SecretBits.of([1, 1]).reveal()
            b'\x03'
        """
        return self._packed.tobytes()

    def part(self, start: int, stop: int) -> SecretBits:
        """Bits ``[start, stop)``.

        Raises:
            QuantityError: not inside.

        Examples:
            >>> SecretBits.of([1, 0, 1, 1]).part(1, 3).array().tolist()
            [0, 1]
        """
        if not 0 <= start <= stop <= self._length:
            raise QuantityError(
                found=f"[{start}, {stop})", expected=f"a part of {self._length} bits", where="part"
            )
        first, last = start // 8, (stop + 7) // 8
        bits = np.unpackbits(self._packed[first:last], bitorder="little")[start - 8 * first :]
        return SecretBits(np.packbits(bits, bitorder="little"), stop - start)

    def wipe(self) -> None:
        """Overwrite the bits with zeros and forget their number.

        Examples:
            >>> key = SecretBits.of([1, 1])
            >>> key.wipe()
            >>> len(key)
            0
        """
        self._packed[:] = 0
        self._length = 0

    def __eq__(self, other: object) -> bool:
        """In a time that depends on the lengths only."""
        if not isinstance(other, SecretBits):
            return NotImplemented
        same = hmac.compare_digest(self._packed.tobytes(), other._packed.tobytes())
        return same and self._length == other._length

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{self._length} secret bits>"

    def __reduce__(self) -> NoReturn:
        raise StateError("secret bits are not pickled")

    def __deepcopy__(self, memo: dict[int, Any]) -> SecretBits:
        return SecretBits(self._packed, self._length)
