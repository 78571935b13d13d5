"""Low-density parity-check codes of our own, of any rate: quasi-cyclic, from a seed, with rows that can be combined.

A code is a small graph of *circulants*: block (r, c) of the matrix is a cyclic shift of the identity of size z, or zero. Columns
get their numbers of rows from a degree distribution, rows the least loaded first (progressive edge growth, Hu, Eleftheriou,
Arnold, IEEE Trans. Inf. Theory 51, 386 (2005), on the small graph), shifts are drawn until the lifted graph has no cycle of 4.
Columns with two rows form a chain, as in an accumulator.

Rows come in pairs without a common column. A *combined* pair is one row that is the sum of both: fewer bits are told, and each
pair that is taken apart later costs one row more, because the other half follows (row combining: Wei, Ma, arXiv:1305.6244).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import QuantityError

COLUMNS = 512
"""Columns of circulants."""

MOTHERS = (48, 64, 92, 128, 184, 256)
"""Rows of circulants of the codes: each has about 0.7 times the rows of the next."""


@dataclass(frozen=True, slots=True)
class Code:
    """A quasi-cyclic code.

    Attributes:
        z: size of a circulant.
        rows: for each row, its (column, shift) pairs; rows r and r + len/2 are a pair.

    Examples:
        >>> code = mother(64, 16)
        >>> len(code.rows), code.length, {c for c, _ in code.rows[0]} & {c for c, _ in code.rows[32]}
        (64, 8192, set())
    """

    z: int
    rows: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def length(self) -> int:
        """Bits of a frame."""
        return COLUMNS * self.z

    def combined(self, pairs: int) -> tuple[tuple[tuple[int, int], ...], ...]:
        """The rows with the last ``pairs`` pairs combined: first whole rows in order, then sums.

        Raises:
            QuantityError: more pairs than there are.
        """
        half = len(self.rows) // 2
        if not 0 <= pairs <= half:
            raise QuantityError(found=str(pairs), expected=f"0 to {half}", where="pairs")
        apart = half - pairs
        whole = [row for r in range(apart) for row in (self.rows[r], self.rows[r + half])]
        return (*whole, *(self.rows[r] + self.rows[r + half] for r in range(apart, half)))

    def syndrome(self, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Parities of all rows: ``(length,)`` -> ``(rows, z)``.

        Examples:
            >>> int(mother(64, 16).syndrome(np.ones(8192, dtype=np.uint8)).max()) <= 1
            True
        """
        twice = np.tile(bits.reshape(COLUMNS, self.z), 2)  # a rotation becomes a slice
        out = np.zeros((len(self.rows), self.z), dtype=np.uint8)
        for r, row in enumerate(self.rows):
            for column, shift in row:
                out[r] ^= twice[column, shift : shift + self.z]
        return out


def degrees(rows: int) -> list[int]:
    """Number of rows that each column meets, small ones first.

    Many columns with two rows bring the threshold near the limit, as long as their chain is stable, and a few with many rows start the
    decoding (Richardson, Shokrollahi, Urbanke, IEEE Trans. Inf. Theory 47, 619 (2001)).

    The shares were tried out on frames of 131,072 bits; they are not the optimum of a density evolution.

    Examples:
        >>> found = degrees(256)
        >>> len(found), found.count(2), found[-1]
        (512, 153, 14)
    """
    two, five, many = int(0.6 * rows), round(0.2 * COLUMNS), round(0.1 * COLUMNS)
    return [2] * two + [3] * (COLUMNS - two - five - many) + [5] * five + [14] * many


@lru_cache(maxsize=8)
def mother(rows: int, z: int) -> Code:
    """The code with so many rows of circulants, always the same.

    Args:
        rows: one of `MOTHERS`.
        z: size of a circulant, 16 or more.

    Raises:
        QuantityError: an argument outside its domain.
    """
    if rows not in MOTHERS or z < 16:
        raise QuantityError(found=f"{rows}, {z}", expected=f"one of {MOTHERS}, 16 or more", where="code")
    rng = np.random.default_rng([20_010_619, rows, z])
    half, load = rows // 2, np.zeros(rows, dtype=int)
    met: list[dict[int, int]] = [{} for _ in range(rows)]
    used: set[tuple[int, int, int]] = set()
    for column, degree in enumerate(degrees(rows)):
        chosen: list[int] = []
        if degree == 2:
            chosen = [column, column + 1]
        while len(chosen) < degree:
            blocked = {(r + half) % rows for r in chosen} | set(chosen)
            free = [r for r in range(rows) if r not in blocked]
            least = min(load[r] for r in free)
            chosen.append(int(rng.choice([r for r in free if load[r] == least])))
        shifts = _shifts(chosen, used, z, rng)
        for row, shift in zip(chosen, shifts):
            met[row][column] = shift
            load[row] += 1
    return Code(z, tuple(tuple(sorted(row.items())) for row in met))


def _shifts(rows: list[int], used: set[tuple[int, int, int]], z: int, rng: np.random.Generator) -> list[int]:
    """Shifts of one column so that no two columns meet two rows at the same distance: no cycle of 4."""
    best: tuple[int, list[int], set[tuple[int, int, int]]] | None = None
    for _ in range(200):
        shifts = [int(s) for s in rng.integers(0, z, len(rows))]
        here = {
            (min(a, b), max(a, b), (sa - sb) % z if a < b else (sb - sa) % z)
            for i, (a, sa) in enumerate(zip(rows, shifts))
            for b, sb in list(zip(rows, shifts))[:i]
        }
        clash = len(here & used)
        if best is None or clash < best[0]:
            best = (clash, shifts, here)
        if not clash:
            break
    assert best is not None
    used |= best[2]
    return best[1]
