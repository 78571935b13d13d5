"""Disciplines by name, so that a policy is plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quantum_fabric.control.scheduling.disciplines import (
    Discipline,
    EarliestDeadline,
    Fifo,
    LongestQueue,
    StrictPriority,
)
from quantum_fabric.control.scheduling.shares import MaxMinFair, ProportionalShare, WeightedFair
from quantum_fabric.errors import UnknownNameError

DISCIPLINES: dict[str, Callable[[Mapping[str, float]], Discipline]] = {
    "first come": lambda _: Fifo(),
    "in line": lambda _: Fifo(overtakes=False),
    "strict priority": lambda _: StrictPriority(),
    "earliest deadline": lambda _: EarliestDeadline(),
    "longest queue": lambda _: LongestQueue(),
    "weighted fair": lambda weights: WeightedFair(weights=weights),
    "proportional share": lambda weights: ProportionalShare(weights=weights),
    "max-min": lambda weights: MaxMinFair(weights=weights),
}
"""Name -> maker, which is given the weights of the tenants."""


def make(name: str, weights: Mapping[str, float]) -> Discipline:
    """A new discipline.

    Raises:
        UnknownNameError: no such name.

    Examples:
        >>> make("in line", {}).overtakes
        False
        >>> make("lottery", {})
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.UnknownNameError: discipline: found 'lottery', expected one of first come, in line, strict priority, \
earliest deadline, longest queue, weighted fair, proportional share, max-min
    """
    found = DISCIPLINES.get(name)
    if found is None:
        raise UnknownNameError(
            found=repr(name), expected=f"one of {', '.join(DISCIPLINES)}", where="discipline"
        )
    return found(weights)
