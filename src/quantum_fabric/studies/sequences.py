"""Points in the unit cube: uniform, Latin hypercube, Sobol; every number from a named stream, so that a sample is a document's.

Equation: Sobol's sequence in the order of Antonov and Saleev (1979), ``x_(n+1) = x_n XOR v_c`` where c is the lowest zero bit of n,
with the direction numbers of Joe and Kuo (2008); then a random digital shift, one for each dimension, which keeps what makes the
sequence even and makes means over it unbiased (Owen 1995 has the better scramble; L'Ecuyer and Lemieux 2000 this one).
Latin hypercube: McKay, Beckman, Conover, Technometrics 21, 239 (1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from quantum_fabric.errors import InputError
from quantum_fabric.kernel import Streams
from quantum_fabric.studies.direction_numbers import DIRECTIONS

BITS: Final = 32
"""Binary digits of a coordinate, so a sequence has at most 2^32 points."""

MOST_DIMENSIONS: Final = len(DIRECTIONS) + 1
METHODS: Final = ("uniform", "latin-hypercube", "sobol")


def sample(method: str, count: int, dimensions: int, streams: Streams) -> Any:
    """Points in the open unit cube.

    Args:
        method: one of `METHODS`.
        count: number of points.
        dimensions: of the cube.
        streams: of the study; each dimension draws from a stream of its own.

    Returns:
        Shape (count, dimensions), each coordinate in (0, 1).

    Raises:
        InputError: too many dimensions or points for the Sobol sequence.

    Examples:
        >>> points = sample("latin-hypercube", 4, 2, Streams(1))
        >>> sorted((4 * points[:, 0]).astype(int).tolist())
        [0, 1, 2, 3]
    """
    if method == "sobol":
        return _shifted(sobol(count, dimensions), dimensions, streams)
    columns = []
    for dimension in range(dimensions):
        stream = streams.stream(f"sample/{method}/{dimension}")
        inside = np.array([stream.uniform() for _ in range(count)])
        if method == "latin-hypercube":
            strata = _shuffled(count, streams.stream(f"sample/order/{dimension}"))
            inside = (np.array(strata) + inside) / count
        columns.append(inside)
    return np.stack(columns, axis=1) if columns else np.empty((count, 0))


def sobol(count: int, dimensions: int) -> Any:
    """The first points of the Sobol sequence, as whole numbers of 2^-32.

    Args:
        count: at most 2^32.
        dimensions: at most `MOST_DIMENSIONS`.

    Returns:
        Shape (count, dimensions), 64-bit unsigned integers below 2^32; the first point is the origin.

    Raises:
        InputError: beyond these bounds.

    Examples:
        >>> (sobol(4, 2) / 2**32).tolist()
        [[0.0, 0.0], [0.5, 0.5], [0.75, 0.25], [0.25, 0.75]]
    """
    if dimensions > MOST_DIMENSIONS:
        expected = (
            f"at most {MOST_DIMENSIONS} dimensions (sensitivity needs two for each thing that is varied)"
        )
        raise InputError(f"{dimensions} dimensions of a Sobol sequence", expected)
    if count > 1 << BITS:
        raise InputError(f"{count} points of a Sobol sequence", f"at most 2^{BITS}")
    table = [_directions(dimension) for dimension in range(dimensions)]
    points = np.zeros((count, dimensions), dtype=np.uint64)
    state = [0] * dimensions
    for n in range(1, count):
        zero = ((~(n - 1)) & n).bit_length() - 1  # the lowest zero bit of n - 1
        state = [value ^ directions[zero] for value, directions in zip(state, table)]
        points[n] = state
    return points


def _directions(dimension: int) -> list[int]:
    """Direction numbers v_1, v_2, ... of a dimension, as whole numbers of 2^-32."""
    if dimension == 0:
        return [1 << (BITS - 1 - i) for i in range(BITS)]
    polynomial, first = DIRECTIONS[dimension - 1]
    degree = len(first)
    m = list(first)
    for i in range(degree, BITS):
        value = m[i - degree] ^ (m[i - degree] << degree)
        for k in range(1, degree):
            if (polynomial >> (degree - k)) & 1:
                value ^= m[i - k] << k
        m.append(value)
    return [m[i] << (BITS - 1 - i) for i in range(BITS)]


def _shifted(points: Any, dimensions: int, streams: Streams) -> Any:
    shifts = [streams.stream(f"sample/shift/{d}").bits() >> (64 - BITS) for d in range(dimensions)]
    moved = points ^ np.array(shifts, dtype=np.uint64)
    return (moved.astype(np.float64) + 0.5) / float(1 << BITS)


def _shuffled(count: int, stream: Any) -> Sequence[int]:
    """A random order (Fisher and Yates)."""
    order = list(range(count))
    for last in range(count - 1, 0, -1):
        other = int(stream.uniform() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order
