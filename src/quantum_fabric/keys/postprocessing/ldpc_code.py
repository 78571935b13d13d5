"""Low-density parity-check codes of our own, of any rate: quasi-cyclic, from a seed, with rows to be told later.

A code is a small graph of *circulants*: block (r, c) of the matrix is a cyclic shift of the identity of size z, or zero. Columns
get their numbers of rows from a degree distribution, rows the least loaded first (progressive edge growth, Hu, Eleftheriou,
Arnold, IEEE Trans. Inf. Theory 51, 386 (2005), on the small graph), shifts are chosen so that the lifted graph has as few cycles of
4 as can be. Columns with two rows form a chain, as in an accumulator.

Behind the rows of the code proper stand as many *later* rows, each over columns of its own turn: where the syndrome of the first does
not do, that of some later ones is told as well, and all that was told before still counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from quantum_fabric.errors import QuantityError

COLUMNS = 512
"""Columns of circulants."""

FEWEST, MOST_ROWS = 4, 256
"""Rows of circulants of a code proper."""


@dataclass(frozen=True, slots=True)
class Code:
    """A quasi-cyclic code.

    Attributes:
        z: size of a circulant.
        rows: for each row, its (column, shift) pairs: first those of the code proper, then as many later ones.

    Examples:
        >>> code = mother(64, 16)
        >>> len(code.rows), code.length, code.proper
        (128, 8192, 64)
    """

    z: int
    rows: tuple[tuple[tuple[int, int], ...], ...]
    _windows: NDArray[np.int64] = field(init=False, repr=False, compare=False)
    _first: NDArray[np.int64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        windows = [column * 2 * self.z + shift for row in self.rows for column, shift in row]
        object.__setattr__(self, "_windows", np.array(windows))
        object.__setattr__(self, "_first", np.cumsum([0, *(len(row) for row in self.rows)]))

    @property
    def length(self) -> int:
        """Bits of a frame."""
        return COLUMNS * self.z

    @property
    def proper(self) -> int:
        """Rows of the code proper."""
        return len(self.rows) // 2

    def syndrome(self, bits: NDArray[np.uint8], which: slice = slice(None)) -> NDArray[np.uint8]:
        """Parities of rows: ``(length,)`` -> ``(rows, z)``.

        Args:
            bits: of a frame.
            which: rows; all where not given.

        Examples:
            >>> int(mother(64, 16).syndrome(np.ones(8192, dtype=np.uint8)).max()) <= 1
            True
        """
        twice = np.tile(bits.reshape(COLUMNS, self.z), 2).reshape(-1)  # a rotation becomes a window
        start, stop, _ = which.indices(len(self.rows))
        edges = self._windows[self._first[start] : self._first[stop]]
        parts = sliding_window_view(twice, self.z)[edges]
        return np.bitwise_xor.reduceat(parts, self._first[start:stop] - self._first[start], axis=0)


def degrees(rows: int) -> list[int]:
    """Number of rows of the code proper that each column meets, small ones first.

    Nearly as many columns with two rows as there are rows bring the threshold near the limit; some with many rows start the decoding
    (Richardson, Shokrollahi, Urbanke, IEEE Trans. Inf. Theory 47, 619 (2001)).

    The shares were found by a random search with the decoder of this room, on frames of 131,072 bits at error rates of 1 to 5 %; they
    are not the optimum of a density evolution.

    Examples:
        >>> found = degrees(158)
        >>> len(found), found.count(2), found[-1]
        (512, 127, 20)
    """
    many = round(0.16 * COLUMNS)
    six = round(0.12 * COLUMNS)
    two = min(int(0.81 * rows), COLUMNS - many - six)
    most = [min(degree, rows // 2) for degree in [3] * (COLUMNS - two - six - many) + [6] * six + [20] * many]
    return [2] * two + most


@lru_cache(maxsize=8)
def mother(rows: int, z: int) -> Code:
    """The code with so many rows of circulants, always the same.

    Args:
        rows: of the code proper, `FEWEST` to `MOST_ROWS`.
        z: size of a circulant, 16 or more.

    Raises:
        QuantityError: an argument outside its domain.
    """
    if not FEWEST <= rows <= MOST_ROWS or z < 16:
        raise QuantityError(
            found=f"{rows}, {z}", expected=f"{FEWEST} to {MOST_ROWS}, 16 or more", where="code"
        )
    rng = np.random.default_rng([20_090_114, rows, z])
    load = np.zeros(rows, dtype=int)
    columns: list[list[int]] = []
    for column, degree in enumerate(degrees(rows)):
        chosen = [column, column + 1] if degree == 2 and column + 1 < rows else []
        while len(chosen) < degree:
            order = rng.permutation([r for r in range(rows) if r not in chosen])
            chosen.append(int(order[np.argmin(load[order])]))
        load[chosen] += 1
        columns.append(chosen)
    _later(columns, rows, round(load.sum() / rows), rng)
    met: list[dict[int, int]] = [{} for _ in range(2 * rows)]
    used = np.zeros((2 * rows, 2 * rows, z), dtype=bool)
    for column, chosen in enumerate(columns):
        for row, shift in zip(chosen, _shifts(chosen, used, z, rng)):
            met[row][column] = shift
    return Code(z, tuple(tuple(sorted(row.items())) for row in met))


def _later(columns: list[list[int]], rows: int, degree: int, rng: np.random.Generator) -> None:
    """Give columns to the later rows, all of them equally often."""
    turn = rng.permutation(COLUMNS).tolist()
    for row in range(rows, 2 * rows):
        for _ in range(min(degree, COLUMNS)):
            columns[turn.pop()].append(row)
            turn = turn or rng.permutation(COLUMNS).tolist()
            while row in columns[turn[-1]]:  # a new turn may begin with a column of the old one
                turn.insert(0, turn.pop())


def _shifts(rows: list[int], used: NDArray[np.bool_], z: int, rng: np.random.Generator) -> list[int]:
    """Shifts of one column so that no two columns meet two rows at the same distance: no cycle of 4, where that can be."""
    shifts: list[int] = []
    for i, row in enumerate(rows):
        clashes = np.zeros(z, dtype=int)
        for other, shift in zip(rows[:i], shifts):
            clashes += np.roll(used[row, other], shift)
        order = rng.permutation(z)
        best = int(order[np.argmin(clashes[order])])
        for other, shift in zip(rows[:i], shifts):
            used[row, other, (best - shift) % z] = used[other, row, (shift - best) % z] = True
        shifts.append(best)
    return shifts
