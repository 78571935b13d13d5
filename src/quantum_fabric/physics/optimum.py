"""Finding the best setting of a link or a protocol, and how far it reaches: small deterministic searches.

Nothing here is random, so that a rate is the same number on every machine. The searches need no derivative; a key rate that is cut off
at zero must be passed *before* the cut, or the search has nothing to climb.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def golden(function: Callable[[float], float], low: float, high: float, tolerance: float = 1e-9) -> float:
    """Where a function with one maximum on ``[low, high]`` has it, by golden-section search.

    Args:
        function: value to make large.
        low: one end.
        high: the other end, above ``low``.
        tolerance: width of the last bracket, relative to ``high - low``.

    Returns:
        The place of the maximum. Near a smooth one a value is known to twice as many digits as its place.

    Raises:
        QuantityError: an empty interval.

    Examples:
        >>> round(golden(lambda x: -(x - 0.3) ** 2, 0.0, 1.0), 6)
        0.3
    """
    if not low < high:
        raise QuantityError(found=f"[{low:g}, {high:g}]", expected="low below high", where="interval")
    width = tolerance * (high - low)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > width:
        if at_left >= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return (low + high) / 2.0


def climb(
    function: Callable[[Floats], Floats],
    low: Sequence[float],
    high: Sequence[float],
    starts: Sequence[Sequence[float]],
    tolerance: float = 1e-5,
) -> tuple[Floats, float]:
    """Best point of a box: pattern search with all ``3^d`` neighbours at once, from several starts.

    Args:
        function: takes points of shape ``(n, d)``, gives values of shape ``(n,)``; ``-inf`` where a point is not allowed.
        low: lower corner, d numbers.
        high: upper corner.
        starts: points to begin from, at least one.
        tolerance: the step at which the search stops, relative to the box.

    Returns:
        (point of shape ``(d,)``, its value): the best that any start reached.

    Raises:
        QuantityError: no start, or corners of different size.

    Limits:
        A local search: with a rugged function the result depends on the starts.

    Examples:
        >>> point, value = climb(lambda p: -((p - [0.2, 0.7]) ** 2).sum(axis=1), [0, 0], [1, 1], [[0.5, 0.5]])
        >>> point.round(4).tolist(), round(value, 6)
        ([0.2, 0.7], -0.0)
    """
    bottom, top = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if bottom.shape != top.shape or not starts:
        raise QuantityError(
            found=f"{len(starts)} starts", expected="a start and corners of one size", where="climb"
        )
    moves = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=bottom.size)))
    best_point, best_value = np.asarray(starts[0], dtype=np.float64), -math.inf
    for start in starts:
        point = np.clip(np.asarray(start, dtype=np.float64), bottom, top)
        value = float(function(point[None, :])[0])
        step = 0.125
        while step > tolerance:
            around = np.clip(point + step * moves * (top - bottom), bottom, top)
            values = np.asarray(function(around))
            index = int(np.argmax(values))
            if values[index] > value:
                point, value = around[index], float(values[index])
            else:
                step /= 2.0
        if value > best_value:
            best_point, best_value = point, value
    return (best_point, best_value)


def reach(rate: Callable[[float], float], limit: float, tolerance: float = 1e-6, samples: int = 64) -> float:
    """Longest length at which a rate is still above zero.

    Args:
        rate: key rate at a length, positive where there is key (m, or whatever the caller counts in).
        limit: look no further than this.
        tolerance: absolute, same unit as ``limit``.
        samples: how many equal steps are looked at before the last positive one is refined.

    Returns:
        The length; 0 where no sample has key, ``limit`` where the last one still has.

    Raises:
        QuantityError: a limit that is not above 0.

    Examples:
        >>> round(reach(lambda x: 1.0 - x / 42.0, 100.0), 4)
        42.0
    """
    if not limit > 0.0:
        raise QuantityError(found=f"{limit:g}", expected="a length above 0", where="limit")
    grid = [limit * index / samples for index in range(samples + 1)]
    alive = [index for index, length in enumerate(grid) if rate(length) > 0.0]
    if not alive:
        return 0.0
    if alive[-1] == samples:
        return limit
    low, high = grid[alive[-1]], grid[alive[-1] + 1]
    while high - low > tolerance:
        middle = (low + high) / 2.0
        if rate(middle) > 0.0:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
