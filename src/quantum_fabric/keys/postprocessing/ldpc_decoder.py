"""Which bits are wrong, from the difference of two syndromes: layered normalised min-sum in whole numbers.

A check tells each of its bits the least of what the others believe, times 13/16, with the sign that makes the check hold (Chen
and Fossorier, IEEE Trans. Commun. 50, 406 (2002)); rows are worked off one after the other. The compiled kernel does the same
operations.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.keys.postprocessing.ldpc_code import COLUMNS, Code
from quantum_fabric.native import native

LIMIT, MESSAGE_LIMIT = 4095, 127


def decode(
    code: Code,
    rows: tuple[tuple[tuple[int, int], ...], ...],
    belief: NDArray[np.int16],
    odd: NDArray[np.uint8],
    rounds: int,
    compiled: bool = True,
) -> tuple[int, NDArray[np.uint8]]:
    """Find the errors.

    Args:
        code: for the size of its circulants.
        rows: of the code, perhaps combined: see `Code.combined`.
        belief: that each bit is right, scaled log likelihood, shape ``(length,)``.
        odd: difference of the syndromes, shape ``(rows, z)``.
        rounds: at most.
        compiled: False for NumPy.

    Returns:
        (rounds that were needed or -1 where they were not enough, ones where a bit is wrong).

    Examples:
        >>> from quantum_fabric.keys.postprocessing.ldpc_code import mother
        >>> code, errors = mother(128, 16), np.zeros(8192, dtype=np.uint8)
        >>> errors[::90] = 1
        >>> belief = np.full(8192, 16, dtype=np.int16)
        >>> rounds, found = decode(code, code.combined(0), belief, _sum(code, errors, 0), 40)
        >>> rounds > 0, bool((found == errors).all())
        (True, True)
    """
    kernel = native() if compiled else None
    work = belief.astype(np.int16).copy()
    if kernel is not None:
        start = np.cumsum([0, *(len(row) for row in rows)]).tolist()
        columns, shifts = zip(*(edge for row in rows for edge in row))
        graph = kernel.LdpcGraph(code.z, COLUMNS, start, list(columns), list(shifts))
        needed = int(graph.decode(work, np.ascontiguousarray(odd.reshape(-1)), rounds))
    else:
        needed = _layers(code.z, rows, work.reshape(COLUMNS, code.z), odd, rounds)
    return needed, (work < 0).astype(np.uint8)


def _sum(code: Code, bits: NDArray[np.uint8], pairs: int) -> NDArray[np.uint8]:
    """Syndrome of combined rows."""
    return combine(code.syndrome(bits), pairs)


def combine(syndrome: NDArray[np.uint8], pairs: int) -> NDArray[np.uint8]:
    """The syndrome of all rows to that of the rows that `Code.combined` gives, in its order.

    Examples:
        >>> combine(np.array([[0], [1], [1], [1]], dtype=np.uint8), 1).tolist()
        [[0], [1], [0]]
    """
    half = len(syndrome) // 2
    apart = half - pairs
    whole = np.stack([syndrome[:apart], syndrome[half : half + apart]], axis=1).reshape(
        2 * apart, syndrome.shape[1]
    )
    return np.concatenate([whole, syndrome[apart:half] ^ syndrome[half + apart :]])


def _layers(
    z: int,
    rows: tuple[tuple[tuple[int, int], ...], ...],
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
            before = belief[places[r]]
            calm &= not (np.logical_xor.reduce(before < 0, axis=0) ^ signs[r]).any()
            t = before - told[r]
            size = np.abs(t)
            least, second = np.sort(np.minimum(size, MESSAGE_LIMIT), axis=0)[:2]
            other = np.where(size <= least, second, least)
            negative = np.logical_xor.reduce(t < 0, axis=0) ^ signs[r] ^ (t < 0)
            scaled = ((other * 13) >> 4).astype(np.int16)
            told[r] = np.where(negative, -scaled, scaled)
            after = np.clip(t + told[r], -LIMIT, LIMIT).astype(np.int16)
            calm &= not ((after < 0) != (before < 0)).any()
            belief[places[r]] = after
        if calm:
            return number
    return -1
