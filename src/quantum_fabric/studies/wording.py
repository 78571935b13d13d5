"""Values of points in words."""

from __future__ import annotations

from collections.abc import Sequence

from quantum_fabric.studies.design import Axis
from quantum_fabric.units import show


def shown(axis: Axis, value: float | str) -> str:
    """A coordinate of a point for people.

    Examples:
        >>> shown(Axis("link.distance", "distance_m", "distance / km", "length", None, None), 25000.0)
        '25 km'
    """
    if isinstance(value, str):
        return value
    return f"{value:.4g}" if axis.kind == "fraction" else show(value, axis.kind)


def point(axes: Sequence[Axis], coordinates: Sequence[float | str]) -> str:
    """All coordinates of a point in one line.

    Examples:
        >>> point([Axis("plan.order", "order", "order", "", None, None)], ["nested"])
        'order nested'
    """
    return ", ".join(
        f"{axis.label.split(' / ')[0]} {shown(axis, value)}" for axis, value in zip(axes, coordinates)
    )
