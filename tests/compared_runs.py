"""Whole runs beside each other: what has to be equal, and what may differ by rounding."""

from __future__ import annotations

import pytest


def close(one: object, two: object) -> bool:
    """Equal, but for the rounding of floats."""
    if isinstance(one, float) and isinstance(two, float):
        return one == pytest.approx(two, rel=1e-9, abs=1e-12)
    if isinstance(one, tuple) and isinstance(two, tuple):
        return len(one) == len(two) and all(map(close, one, two))
    if hasattr(one, "__slots__") and type(one) is type(two) and not isinstance(one, int | str):
        return all(close(getattr(one, name), getattr(two, name)) for name in one.__slots__)
    return one == two
