"""Toeplitz hashing over GF(2): ``out[i] = Σ_j seed[i - j + n - 1] key[j]``, exact by three ways.

* `by_matrix`: the sum itself, for small n and for tests.
* `by_fft`: a real Fourier transform in double precision, rounded to integers, with a bound on the error that is proven below.
* compiled: products of polynomials over GF(2) by additive transforms over GF(2^64), with no rounding at all.

**Bound.** A Cooley-Tukey transform of N = 2^t points with ‖·‖ the 2-norm has ``‖ŷ - y‖ <= tη/(1 - tη) ‖y‖``, ``η = μ + γ4(√2 + μ)``,
``γ4 = 4u/(1 - 4u)``, u = 2^-53, μ the error of the roots of unity (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
theorem 24.2). Radix 4 and the split for real input do fewer operations for each level; with roots right to 2u, η < 9.1u, and we
take 16u for each level. A cyclic convolution is two transforms, a product and one back: the relative errors of the factors add,
each product adds √5 u (Brent, Percival, Zimmermann, Math. Comp. 76, 1469 (2007)), and ``‖x̂‖ ‖ŷ‖`` bounds the norm of the
products. So each entry of the convolution of a and b is wrong by at most ``(3·16 t u + 4u)·(1 + small)·‖a‖ ‖b‖``; with zeros and
ones ``‖a‖ ‖b‖ <= sqrt((n + m - 1) n)``. Rounding is right while that is below 1/2; `by_fft` refuses what would reach 1/4.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import QuantityError
from quantum_fabric.native import native

_UNIT = 2.0**-53


def by_matrix(seed: NDArray[np.uint8], key: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """The definition, a row at a time.

    Args:
        seed: zeros and ones, shape ``(n + length - 1,)``.
        key: zeros and ones, shape ``(n,)``.
        length: bits of the result, 1 or more.

    Returns:
        Zeros and ones, shape ``(length,)``.

    Raises:
        QuantityError: shapes that do not fit.

    Examples:
        >>> by_matrix(np.array([1, 0, 1, 1], dtype=np.uint8), np.array([1, 1, 0], dtype=np.uint8), 2).tolist()
        [1, 0]
    """
    _check(seed.size, key.size, length)
    backwards = key[::-1].astype(np.int64)
    rows = np.lib.stride_tricks.sliding_window_view(seed, key.size)
    return np.array([int(row @ backwards) & 1 for row in rows], dtype=np.uint8)


def rounding_bound(bits: int, length: int) -> float:
    """How far from an integer `by_fft` can be at most, before rounding.

    Args:
        bits: n, 1 or more.
        length: of the result, 1 or more.

    Examples:
        >>> rounding_bound(10_000_000, 5_000_000) < 1e-5 < rounding_bound(10**14, 10**14)
        True
    """
    levels = _levels(bits + length - 1)
    relative = (48.0 * levels + 4.0) * _UNIT
    return relative * math.exp(3.0 * relative) * math.sqrt(float(bits + length - 1) * bits)


def by_fft(seed: NDArray[np.uint8], key: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """The same by a Fourier transform in double precision.

    Args:
        seed: zeros and ones, shape ``(n + length - 1,)``.
        key: zeros and ones, shape ``(n,)``.
        length: bits of the result.

    Returns:
        Zeros and ones, shape ``(length,)``.

    Raises:
        QuantityError: shapes that do not fit, or so many bits that rounding is not proven right.

    Examples:
        >>> rng = np.random.default_rng(1)
        >>> seed, key = (rng.integers(0, 2, n, dtype=np.uint8) for n in (1099, 1000))
        >>> bool((by_fft(seed, key, 100) == by_matrix(seed, key, 100)).all())
        True
    """
    n = key.size
    _check(seed.size, n, length)
    if rounding_bound(n, length) >= 0.25:
        raise QuantityError(
            found=f"{n} bits", expected="few enough that rounding is proven right", where="key"
        )
    # results n-1 ... n+length-2 of the product lie below seed.size, and what wraps round lands below n-1
    size = 1 << _levels(seed.size)
    spectrum = np.fft.rfft(seed.astype(np.float64), size)
    spectrum *= np.fft.rfft(key.astype(np.float64), size)
    values = np.fft.irfft(spectrum, size)[n - 1 : n - 1 + length]
    return (np.rint(values).astype(np.int64) & 1).astype(np.uint8)


def hashed(seed: bytes, key: bytes, bits: int, length: int, compiled: bool = True) -> bytes:
    r"""Packed seed and key to packed hash, by the fastest exact way there is.

    Args:
        seed: ``bits + length - 1`` bits, packed, the first in the lowest place.
        key: ``bits`` bits, packed.
        bits: n, 1 or more.
        length: of the result, 1 or more.
        compiled: False for NumPy.

    Returns:
        ``length`` bits, packed.

    Raises:
        QuantityError: lengths that do not fit.

    Examples:
        >>> hashed(bytes([0b1101]), bytes([0b011]), 3, 2)
        b'\x01'
    """
    _check(bits + length - 1 if len(seed) == (bits + length + 6) // 8 else -1, bits, length)
    _check(bits + length - 1, bits if len(key) == (bits + 7) // 8 else -1, length)
    kernel = native() if compiled else None
    if kernel is not None:
        return bytes(
            kernel.toeplitz(_cleared(seed, bits + length - 1), _cleared(key, bits), bits, length, _tile(bits))
        )
    result = by_fft(_unpacked(seed, bits + length - 1), _unpacked(key, bits), length)
    return np.packbits(result, bitorder="little").tobytes()


def _check(seed: int, bits: int, length: int) -> None:
    if bits < 1 or length < 1 or seed != bits + length - 1:
        raise QuantityError(
            found=f"a seed of {seed} for {bits} -> {length} bits",
            expected="n + m - 1 bits of seed for n -> m bits",
            where="Toeplitz matrix",
        )


def _levels(size: int) -> int:
    return max(1, (size - 1).bit_length())


def _tile(bits: int) -> int:
    """log2 of the points of a transform: large tiles for long keys, while eight of them stay in the cache."""
    return min(14, max(6, _levels(bits) - 8))


def _cleared(packed: bytes, bits: int) -> bytes:
    return packed if bits % 8 == 0 else packed[:-1] + bytes([packed[-1] & (1 << bits % 8) - 1])


def _unpacked(packed: bytes, bits: int) -> NDArray[np.uint8]:
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=bits, bitorder="little")
