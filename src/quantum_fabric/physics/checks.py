"""Checks of array arguments: one uniform sentence for every wrong shape or range.

Array functions in this room take their batch axes first; the last axes have the shape that the docstring says.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quantum_fabric.errors import QuantityError

Floats: TypeAlias = NDArray[np.float64]
"""Real array."""

Complexes: TypeAlias = NDArray[np.complex128]
"""Complex array."""

ROUNDING = 1e-9
"""How far the sum of probabilities or a norm may be from one before it is an error."""


def check_shape(array: NDArray[Any], trailing: tuple[int, ...], where: str) -> None:
    """Refuse an array whose last axes are not ``trailing``.

    Raises:
        QuantityError: with the shape that was found and the one that was expected.

    Examples:
        >>> check_shape(np.zeros((5, 4)), (4,), "weights")
        >>> check_shape(np.zeros((5, 3)), (4,), "weights")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: weights: found shape (5, 3), expected shape (..., 4)
    """
    if array.shape[-len(trailing) :] != trailing:
        sizes = ", ".join(map(str, trailing))
        raise QuantityError(found=f"shape {array.shape}", expected=f"shape (..., {sizes})", where=where)


def check_range(values: ArrayLike, low: float, high: float, where: str) -> Floats:
    """Turn numbers of any shape into an array, refusing any outside ``[low, high]`` (and any that is not a number).

    Raises:
        QuantityError: with the first value outside.

    Examples:
        >>> check_range([0.5, 1.2], 0.0, 1.0, "fidelity")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: fidelity: found 1.2, expected values in [0, 1]
    """
    array = np.asarray(values, dtype=np.float64)
    inside = (array >= low) & (array <= high)
    if not inside.all():
        first = float(array[~inside].flat[0])
        raise QuantityError(found=f"{first:.12g}", expected=f"values in [{low:g}, {high:g}]", where=where)
    return array


def check_weights(weights: ArrayLike, where: str) -> Floats:
    """Turn Bell weights of shape ``(..., 4)`` into an array, refusing what is not a probability distribution.

    Raises:
        QuantityError: wrong shape, a negative weight, or a sum that is not one.

    Examples:
        >>> check_weights([0.5, 0.5, 0.5, 0.5], "keep")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: keep: found weights that sum to 2, expected a sum of 1
    """
    array = np.asarray(weights, dtype=np.float64)
    check_shape(array, (4,), where)
    check_range(array, -ROUNDING, 1.0 + ROUNDING, where)
    sums = array.sum(axis=-1)
    wrong = np.abs(sums - 1.0) > ROUNDING
    if wrong.any():
        raise QuantityError(
            found=f"weights that sum to {float(sums[wrong].flat[0]):.12g}", expected="a sum of 1", where=where
        )
    return array
