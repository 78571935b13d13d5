"""Sifting: which detections were prepared and measured in the same basis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quantum_fabric.errors import QuantityError

KEY, TEST = 0, 1
"""The two bases: bits of the key, bits that are compared."""


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """What one end knows of the detections of a block; never printed.

    Attributes:
        bases: `KEY` or `TEST` for each detection, shape ``(n,)``.
        bits: zeros and ones, shape ``(n,)``.
        intensities: which of the intensities each pulse had, 0 to 3, shape ``(n,)``; None where it is not this end that chooses.

    Raises:
        QuantityError: shapes that differ, or values outside.

    Examples:
        >>> Record([0, 1, 0], [1, 1, 0])
        <record of 3 detections>
    """

    bases: NDArray[np.uint8]
    bits: NDArray[np.uint8]
    intensities: NDArray[np.uint8] | None = None

    def __init__(self, bases: ArrayLike, bits: ArrayLike, intensities: ArrayLike | None = None) -> None:
        object.__setattr__(self, "bases", _small(bases, 1, "bases"))
        object.__setattr__(self, "bits", _small(bits, 1, "bits"))
        which = None if intensities is None else _small(intensities, 3, "intensities")
        object.__setattr__(self, "intensities", which)
        if self.bases.shape != self.bits.shape or (which is not None and which.shape != self.bits.shape):
            raise QuantityError(
                found=f"{self.bases.size} bases, {self.bits.size} bits",
                expected="one of each for each detection",
                where="record",
            )

    def __len__(self) -> int:
        return int(self.bits.size)

    def __repr__(self) -> str:
        return f"<record of {len(self)} detections>"


def _small(values: ArrayLike, top: int, where: str) -> NDArray[np.uint8]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and (array.min() < 0 or array.max() > top)):
        raise QuantityError(found="another array", expected=f"values 0 to {top}, shape (n,)", where=where)
    return array.astype(np.uint8)


def packed(bits: NDArray[np.uint8]) -> bytes:
    r"""Zeros and ones to bytes, the first in the lowest place.

    Examples:
        >>> packed(np.array([1, 0, 1], dtype=np.uint8))
        b'\x05'
    """
    return np.packbits(bits, bitorder="little").tobytes()


def unpacked(data: bytes, size: int) -> NDArray[np.uint8]:
    r"""The opposite of `packed`.

    Examples:
        >>> unpacked(b"\x05", 3).tolist()
        [1, 0, 1]
    """
    return np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=size, bitorder="little")


def same_basis(ours: bytes, theirs: bytes, size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    r"""Which detections both took in the key basis, and which in the test basis: masks of zeros and ones, shape ``(n,)``.

    Bases come packed, as they are announced, and are compared eight at a time.

    Examples:
        >>> key, test = same_basis(b"\x06", b"\x0c", 4)
        >>> key.tolist(), test.tolist()
        ([1, 0, 0, 0], [0, 0, 1, 0])
    """
    a, b = (np.frombuffer(each, dtype=np.uint8) for each in (ours, theirs))
    key, test = ~(a | b), a & b
    return unpacked(key.tobytes(), size), unpacked(test.tobytes(), size)
