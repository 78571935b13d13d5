"""A measurement, its goal, its verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log10
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit that a value is to keep.

    Examples:
        >>> Goal(2.0).met(1.0), Goal(10.0, at_least=True).met(1.0)
        (True, False)
        >>> Goal(2.0).decibels(1.0) > 0
        True
    """

    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether the value keeps the limit."""
        return value >= self.limit if self.at_least else value <= self.limit

    def decibels(self, value: float) -> float:
        """How far on the good side of the limit (negative: how far off)."""
        decibels = 10 * log10(max(value, 1e-300) / self.limit)
        return decibels if self.at_least else -decibels

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:.4g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report.

    Attributes:
        name: what was measured.
        quantity: which number, with its unit.
        ours: our value; None where the measurement failed.
        goal: what ours is to be; None for what is only reported.
        peer: the peer's value in the same run; None where there is no peer or it failed.
        peer_name: the peer with its version, or why there is no value.
        ratio_goal: least number of times that ours is to be better than the peer's.
        count: events, or another thing that is counted; the same on every machine.
        counted: what `count` counts.
        count_goal: what it is to be.
        failure: why there is no value of ours.
        details: everything else that was measured.
        others: further peers' values, by name with version.
    """

    name: str
    quantity: str
    ours: float | None
    goal: Goal | None
    peer: float | None = None
    peer_name: str = ""
    ratio_goal: float | None = None
    count: float | None = None
    counted: str = ""
    count_goal: Goal | None = None
    failure: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    others: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times better ours is than the peer's."""
        if self.ours is None or self.peer is None:
            return None
        more = self.goal is not None and self.goal.at_least
        return self.ours / self.peer if more else self.peer / self.ours

    @property
    def fast(self) -> bool:
        """Whether the goals that need a clock are met."""
        if self.ours is None:
            return False
        beats = self.ratio is None or self.ratio_goal is None or self.ratio >= self.ratio_goal
        return (self.goal is None or self.goal.met(self.ours)) and beats

    @property
    def sound(self) -> bool:
        """Whether it ran, and what does not depend on the machine is as it should be."""
        if self.ours is None:
            return False
        return self.count is None or self.count_goal is None or self.count_goal.met(self.count)

    def verdict(self) -> str:
        """Met? In a word."""
        if self.failure:
            return "failed"
        if not self.sound:
            return "no: count"
        if self.goal is None and self.ratio_goal is None:
            return "-"
        return "yes" if self.fast else "no"
