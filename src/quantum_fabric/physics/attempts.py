"""Counting attempts that nobody makes one by one.

A lane attempts on a grid from a first attempt to the one that succeeds, or until it is stopped. Which one succeeds is drawn at the
start, so the attempts in between need no events; how many of them were made by some time is arithmetic, and exact: whoever stores
a qubit beside the lane suffers as many attempts as if each had been made.
"""

from __future__ import annotations

KEPT = 64
"""Runs of a lane that are kept one by one; older ones are only a number, since nobody asks about times before them."""


class Attempts:
    """The attempts of one lane.

    Args:
        slack: share of a period by which an attempt may be late and still count; for times that are rounded floats.

    Examples:
        >>> lane = Attempts()
        >>> lane.begin(first=100, last=400, period=100, born=(0, 5))
        >>> lane.made(99, 0), lane.made(100, 0), lane.made(300, 1), lane.made(999, 0)
        (0, 1, 2, 4)
        >>> lane.stop(last=200)
        >>> lane.made(999, 0)
        2
    """

    __slots__ = ("_before", "_runs", "_slack")

    def __init__(self, slack: float = 0.0) -> None:
        self._slack = slack
        self._before = 0
        self._runs: list[list[float]] = []

    def begin(self, first: float, last: float, period: float, born: tuple[float, float]) -> None:
        """Attempts start at ``first``, every ``period``, up to ``last``; end 0 and 1 emit ``born`` after the start."""
        if len(self._runs) > KEPT:
            self._before += _count(self._runs.pop(0))
        self._runs.append([first, last, period, born[0], born[1]])

    def stop(self, last: float) -> None:
        """The present run ends early: its last attempt started at ``last`` (before its first, if it has made none)."""
        self._runs[-1][1] = last

    def made(self, by: float, end: int) -> int:
        """How many times ``end`` has emitted by a time, that moment included."""
        total = self._before
        for run in self._runs:
            first, last, period = run[0], run[1], run[2]
            late = self._slack * period if self._slack else 0  # integers stay integers, and exact
            total += max(0, int((min(by - run[3 + end], last) + late - first) // period) + 1)
        return total


def _count(run: list[float]) -> int:
    return max(0, int((run[1] - run[0]) // run[2]) + 1)
