"""Counting attempts that nobody makes one by one.

A lane attempts on a grid from a first attempt to the one that succeeds, or until it is stopped. Which one succeeds is drawn at the
start, so the attempts in between need no events; how many of them were made by some time is arithmetic, and exact: whoever stores
a qubit beside the lane suffers as many attempts as if each had been made.
"""

from __future__ import annotations

from bisect import bisect_right

KEPT = 64
"""Runs of a lane that are kept one by one; of older ones only the number of attempts is kept."""


class Attempts:
    """The attempts of one lane, in runs that do not overlap.

    Args:
        slack: share of a period by which an attempt may be late and still count; for times that are rounded floats.
        kept: runs that are kept one by one, at least 1.

    Limits:
        Times before the oldest kept run are taken to be at its beginning: whoever asks about the past asks about a recent one.

    Examples:
        >>> lane = Attempts()
        >>> lane.begin(first=100, last=400, period=100, born=(0, 5))
        >>> lane.made(99, 0), lane.made(100, 0), lane.made(300, 1), lane.made(999, 0)
        (0, 1, 2, 4)
        >>> lane.stop(last=200)
        >>> lane.made(999, 0)
        2
    """

    __slots__ = ("_firsts", "_kept", "_runs", "_slack")

    def __init__(self, slack: float = 0.0, kept: int = KEPT) -> None:
        self._slack = slack
        self._kept = kept
        self._firsts: list[float] = []
        self._runs: list[_Run] = []

    def begin(self, first: float, last: float, period: float, born: tuple[float, float]) -> None:
        """Attempts start at ``first``, every ``period``, up to ``last``; end 0 and 1 emit ``born`` after the start."""
        before = self._runs[-1].before + self._runs[-1].made(last, 0.0) if self._runs else 0
        if len(self._runs) >= 2 * self._kept:
            del self._runs[: self._kept], self._firsts[: self._kept]
        # integers stay integers, and exact
        self._runs.append(_Run(first, last, period, born, before, self._slack * period if self._slack else 0))
        self._firsts.append(first)

    def stop(self, last: float) -> None:
        """The present run ends early: its last attempt started at ``last`` (before its first, if it has made none)."""
        self._runs[-1].last = last

    def made(self, by: float, end: int) -> int:
        """How many times ``end`` has emitted by a time, that moment included."""
        place = bisect_right(self._firsts, by) - 1
        if place < 0:
            return self._runs[0].before if self._runs else 0
        run = self._runs[place]
        inside = run.made(by, run.born[end])
        if inside == 0 and place > 0:  # this run has started, but this end has not emitted yet
            run = self._runs[place - 1]
            inside = run.made(by, run.born[end])
        return run.before + inside


class _Run:
    """Attempts one period apart, and how many there were before them."""

    __slots__ = ("before", "born", "first", "last", "late", "period")

    def __init__(
        self, first: float, last: float, period: float, born: tuple[float, float], before: int, late: float
    ) -> None:
        self.first, self.last, self.period, self.born = first, last, period, born
        self.before = before
        self.late = late

    def made(self, by: float, born: float) -> int:
        return max(0, int((min(by - born, self.last) + self.late - self.first) // self.period) + 1)
