"""Which bits are wrong, from the difference of two syndromes: layered sum-product in whole numbers.

A check tells each of its bits how much the parity of the others is believed: two by two the lesser of both, corrected by
ln(1 + exp(-|a + b|)) - ln(1 + exp(-|a - b|)) (Hu, Eleftheriou, Arnold, Dholakia, IEEE Globecom 2001), where a straight line stands
for ln(1 + exp(-x)). Rows are worked off one after the other. The compiled kernel does the same operations.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.keys.postprocessing.ldpc_code import COLUMNS, Code
from quantum_fabric.native import native

LIMIT, MESSAGE_LIMIT = 8000, 800

SCALE = 32
"""Units of belief for each natural logarithm of odds."""

Rows: TypeAlias = tuple[tuple[tuple[int, int], ...], ...]


def decode(
    code: Code,
    rows: Rows,
    belief: NDArray[np.int16],
    odd: NDArray[np.uint8],
    rounds: int,
    compiled: bool = True,
) -> tuple[int, NDArray[np.uint8]]:
    """Find the errors.

    Args:
        code: for the size of its circulants.
        rows: of the code, perhaps only the first ones; each with two columns at least.
        belief: that each bit is right, log of odds in units of 1/`SCALE`, shape ``(length,)``.
        odd: difference of the syndromes, shape ``(rows, z)``.
        rounds: at most.
        compiled: False for NumPy.

    Returns:
        (rounds that were needed or -1 where they were not enough, ones where a bit is wrong).

    Examples:
        >>> from quantum_fabric.keys.postprocessing.ldpc_code import mother
        >>> code, errors = mother(128, 16), np.zeros(8192, dtype=np.uint8)
        >>> errors[::90] = 1
        >>> belief = np.full(8192, 140, dtype=np.int16)
        >>> rounds, found = decode(code, code.rows[:128], belief, code.syndrome(errors)[:128], 40)
        >>> rounds > 0, bool((found == errors).all())
        (True, True)
    """
    kernel = native() if compiled else None
    work = belief.astype(np.int16).copy()
    if kernel is not None and hasattr(kernel.LdpcGraph, "solve"):  # kernels of before have another method
        start = np.cumsum([0, *(len(row) for row in rows)]).tolist()
        columns, shifts = zip(*(edge for row in rows for edge in row))
        graph = kernel.LdpcGraph(code.z, COLUMNS, start, list(columns), list(shifts))
        needed = int(graph.solve(work, np.ascontiguousarray(odd.reshape(-1)), rounds))
    else:
        needed = _layers(code.z, rows, work.reshape(COLUMNS, code.z), odd, rounds)
    return needed, (work < 0).astype(np.uint8)


def both(a: NDArray[np.int16], b: NDArray[np.int16]) -> NDArray[np.int16]:
    """How much the parity of two bits is believed, from what is believed of each; none below 0.

    Equation: 2 artanh(tanh(a/2) tanh(b/2)), by straight lines.

    Examples:
        >>> both(np.array([32, 96], dtype=np.int16), np.array([64, 96], dtype=np.int16)).tolist()
        [21, 77]
        >>> [round(2 * 32 * float(np.arctanh(np.tanh(x / 64) * np.tanh(y / 64)))) for x, y in ((32, 64), (96, 96))]
        [24, 74]
    """
    more, less = ((77 - x) >> 2 for x in (a + b, np.abs(a - b)))
    found: NDArray[np.int16] = np.maximum(
        np.minimum(a, b) + np.maximum(more, 0) - np.maximum(less, 0), 0
    ).astype(np.int16)
    return found


def _layers(
    z: int,
    rows: Rows,
    belief: NDArray[np.int16],
    odd: NDArray[np.uint8],
    rounds: int,
) -> int:
    told = [np.zeros((len(row), z), dtype=np.int16) for row in rows]
    places = [
        (
            np.array([c for c, _ in row])[:, None],
            (np.array([s for _, s in row])[:, None] + np.arange(z)) % z,
        )
        for row in rows
    ]
    signs = odd.astype(bool)
    for number in range(1, rounds + 1):
        calm = True
        for r in range(len(rows)):
            was = belief[places[r]]
            calm &= not (np.logical_xor.reduce(was < 0, axis=0) ^ signs[r]).any()
            t = was - told[r]
            others = _others(np.minimum(np.abs(t), MESSAGE_LIMIT).astype(np.int16))
            negative = np.logical_xor.reduce(t < 0, axis=0) ^ signs[r] ^ (t < 0)
            told[r] = np.where(negative, -others, others)
            now = np.clip(t + told[r], -LIMIT, LIMIT).astype(np.int16)
            calm &= not ((now < 0) != (was < 0)).any()
            belief[places[r]] = now
        if calm:
            return number
    return -1


def _others(size: NDArray[np.int16]) -> NDArray[np.int16]:
    """For each edge what the edges before it and those after it say together: ``(degree, z)`` of both."""
    before, after = np.empty_like(size), np.full_like(size[0], 2 * MESSAGE_LIMIT)
    for e, one in enumerate(size):
        before[e] = after
        after = both(after, one)
    after = np.full_like(size[0], 2 * MESSAGE_LIMIT)
    for e in reversed(range(len(size))):
        before[e] = both(before[e], after)
        after = both(after, size[e])
    return before
