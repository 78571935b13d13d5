"""The points of a study: every combination of the grids, times the joint sample, numbered from 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from quantum_fabric.kernel import Streams
from quantum_fabric.studies.quantities import Span, Value, number_of
from quantum_fabric.studies.sequences import sample

MOST_SAMPLED: Final = 10_000_000
"""Sampled points that are ever made; far above any limit of runs that makes sense."""


@dataclass(frozen=True)
class Axis:
    """One thing that is varied.

    Attributes:
        path: where its value stands.
        column: its name in tables, with its unit.
        label: its name for people, with its unit.
        kind: of quantity; empty for names.
        values: of a grid or range; None where it is sampled.
        span: of a sampled one; None for a grid.
        log: shown on a logarithmic scale.
        factor: base units in one unit of the label.
    """

    path: str
    column: str
    label: str
    kind: str
    values: tuple[Value, ...] | None
    span: Span | None
    log: bool = False
    factor: float = 1.0

    def number(self, value: Value) -> float | str:
        """A value as it stands in tables: in base units, or the name that it is.

        Examples:
            >>> Axis("links[0].length", "length_m", "length / km", "length", ("1 km",), None).number("2 km")
            2000.0
        """
        return number_of(value, self.kind) if self.kind else str(value)


@dataclass(frozen=True)
class Design:
    """All points of a study; made lazily, since there may be more than anybody wants.

    Attributes:
        axes: what is varied.
        method, count: of the joint sample; count 1 where nothing is sampled.
        seed: of the study.
        saltelli: the sample is that of a sensitivity analysis: ``count`` base samples, d + 2 points each.

    Examples:
        >>> grid = Axis("request.fidelity", "fidelity", "fidelity", "fraction", (0.8, 0.9), None)
        >>> other = Axis("link.segments", "segments", "segments", "fraction", (1, 2, 4), None)
        >>> design = Design((grid, other), "sobol", 1, 1)
        >>> design.points, design.settings(5)
        (6, (('request.fidelity', 0.9), ('link.segments', 4)))
    """

    axes: tuple[Axis, ...]
    method: str
    count: int
    seed: int
    saltelli: bool = False

    @cached_property
    def sampled(self) -> tuple[Axis, ...]:
        """The axes that are sampled."""
        return tuple(axis for axis in self.axes if axis.values is None)

    @property
    def samples(self) -> int:
        """Points of the joint sample."""
        return self.count * (len(self.sampled) + 2) if self.saltelli else self.count

    @property
    def points(self) -> int:
        """Number of points."""
        return math.prod(len(axis.values) for axis in self.axes if axis.values is not None) * self.samples

    @cached_property
    def _cube(self) -> Any:
        """Coordinates of the joint sample in the unit cube, shape (samples, d)."""
        d = len(self.sampled)
        streams = Streams(self.seed)
        if not d:
            return np.empty((1, 0))
        if not self.saltelli:
            return sample(self.method, self.count, d, streams)
        both = sample("sobol", self.count, 2 * d, streams)
        return blocks(both[:, :d], both[:, d:])

    def settings(self, point: int) -> tuple[tuple[str, Value], ...]:
        """Paths and values of one point; the last axis changes fastest, the joint sample slowest of all."""
        found: dict[str, Value] = {}
        rest = point
        for axis in reversed(self.axes):
            if axis.values is not None:
                rest, index = divmod(rest, len(axis.values))
                found[axis.path] = axis.values[index]
        for axis, share in zip(self.sampled, self._cube[rest] if self.sampled else ()):
            assert axis.span is not None, "a sampled axis has a span"
            found[axis.path] = axis.span.at(float(share))
        return tuple((axis.path, found[axis.path]) for axis in self.axes)

    def coordinates(self, point: int) -> tuple[float | str, ...]:
        """The values of one point as they stand in tables."""
        return tuple(axis.number(value) for axis, (_, value) in zip(self.axes, self.settings(point)))


def blocks(a: Any, b: Any) -> Any:
    """The points of a sensitivity analysis: A, B, then A with each column in turn taken from B.

    Equation: Saltelli et al., Comput. Phys. Commun. 181, 259 (2010), the radial design of table 2.

    Args:
        a: a sample, shape (n, d).
        b: an independent one.

    Returns:
        Shape (n (d + 2), d): all of A, all of B, all of A with column 0 of B, ...

    Examples:
        >>> blocks(np.zeros((1, 2)), np.ones((1, 2))).tolist()
        [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    """
    mixed = []
    for column in range(a.shape[1]):
        one = a.copy()
        one[:, column] = b[:, column]
        mixed.append(one)
    return np.concatenate([a, b, *mixed])


def evenly(first: Span, count: int) -> tuple[Value, ...]:
    """So many equally spaced values of a span, both ends included; each once where they are rounded.

    Examples:
        >>> from quantum_fabric.studies.quantities import span
        >>> evenly(span("10 km", "30 km"), 3)
        ('10.0 km', '20.0 km', '30.0 km')
    """
    values: Sequence[Value] = [first.at(step / (count - 1)) for step in range(count)]
    return tuple(dict.fromkeys(values))
