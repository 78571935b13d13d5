"""Means over very many requests that are added up as they come, and written to a file in six numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

SIGMAS = 4.9
"""Of a normal variable, exceeded with about that probability on one side."""

FEW = 100
"""Samples below which a mean is not judged as normal."""


@dataclass(slots=True)
class Sums:
    """What is left of many ratios that are each a sum over so many parts: enough for their mean and its error.

    Attributes:
        count: requests.
        parts: of all of them.
        total: of the ratios times their parts.
        squares: sums of value², value · parts and parts².

    Examples:
        >>> pace = Sums()
        >>> pace.add(3.0, 2), pace.add(1.0, 2)
        (None, None)
        >>> pace.mean()
        (1.0, 0.35355339059327373)
    """

    count: int = 0
    parts: int = 0
    total: float = 0.0
    squares: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])

    def add(self, value: float, parts: int) -> None:
        """One request: a sum over so many parts."""
        self.merge(Sums(1, parts, value, [value * value, value * parts, float(parts * parts)]))

    def merge(self, other: Sums) -> None:
        """Add others."""
        self.count += other.count
        self.parts += other.parts
        self.total += other.total
        self.squares = [one + two for one, two in zip(self.squares, other.squares, strict=True)]

    def mean(self) -> tuple[float, float] | None:
        """Weighted mean and its standard error, requests being independent; None for too few."""
        if self.count < 2:
            return None
        mean = self.total / self.parts
        a, b, c = self.squares
        return mean, math.sqrt(max(0.0, a - 2.0 * mean * b + mean * mean * c)) / self.parts

    def slower(self, what: str) -> list[str]:
        """A sentence where the mean is beyond 1, and beyond chance."""
        measured = self.mean()
        if measured is None or self.count < FEW:
            return []
        mean, error = measured
        return [f"{what}: {mean:.4f} ± {error:.4f}"] if mean - SIGMAS * error > 1.0 else []
