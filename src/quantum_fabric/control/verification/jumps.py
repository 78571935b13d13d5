"""Sudden changes as explanations: at any time, and at a rate that is learnt, what holds may end and something else begin.

Each *run* is "it changed here, and has held since". A run foretells tests like any other explanation, so it gains weight as soon as
tests are better explained by it, long before an alarm may be raised; and until a test has spoken, the chance that something has
changed unseen is in the interval, the more the longer nobody has looked.

Equation:
    Bayesian on-line change points (Adams and MacKay 2007, arXiv:0710.3742; from memory): with hazard λ, a run that begins after a
    time t without a beginning has prior odds ``exp(λt) − 1`` against all that went on, and from then on the evidence of its own.

Limits:
    A change is taken to have come just before one of every `BLOCK` tests. Of more than `MOST` runs, the two neighbours with the
    least probability are made one with the same first two moments.
"""

from __future__ import annotations

from math import expm1
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

JUMP: Final = 1.0
"""Standard deviation of the logarithm by which a loss is multiplied at once: of the order of e, to either side."""

BLOCK: Final = 5
"""Tests between two times at which a change may have come."""

MOST: Final = 8
"""Runs that are told apart."""


class Runs:
    """Those of one belief.

    Args:
        explanations: of what there was first, the one without a model included.
        hazard: sudden changes per hour.
        rate: at which the losses of a run wander, variance per second.

    Attributes:
        logs: logarithm of prior times evidence of each run, in the order of their births.
        origins: probabilities of what held before its change, one row for each run.
        waited: hours since the last birth.

    Examples:
        >>> runs = Runs(2, 0.01, 0.0)
        >>> runs.waited = 1.0
        >>> round(runs.chance, 5)
        0.00995
        >>> runs.born(-5.0, np.array([0.5, 0.5]))
        >>> len(runs.logs), runs.chance
        (1, 0.0)
    """

    def __init__(self, explanations: int, hazard: float, rate: float) -> None:
        self.hazard = hazard
        self.rate = rate
        self.logs: Array = np.zeros(0)
        self.origins: Array = np.zeros((0, explanations))
        self.waited = 0.0

    @property
    def chance(self) -> float:
        """That something has changed since the last birth."""
        return -expm1(-self.hazard * self.waited)

    def born(self, log: float, origin: Array) -> None:
        """One more run."""
        self.logs = np.append(self.logs, log)
        self.origins = np.append(self.origins, origin[None], 0)
        self.waited = 0.0

    def merged(self, mean: Array, cov: Array) -> tuple[Array, Array] | None:
        """Moments with two runs made one, where there are too many; the two youngest are left alone.

        Args:
            mean: of each run, shape (runs, n).
            cov: shape (runs, n, n).
        """
        if len(self.logs) <= MOST:
            return None
        both = np.logaddexp(self.logs[:-3], self.logs[1:-2])
        at = int(np.argmin(both))
        one, two = (float(each) for each in np.exp(self.logs[at : at + 2] - both[at]))
        mid = one * mean[at] + two * mean[at + 1]
        off = mean[at] - mean[at + 1]
        spread = one * cov[at] + two * cov[at + 1] + one * two * np.outer(off, off)
        self.origins[at] = one * self.origins[at] + two * self.origins[at + 1]
        self.logs[at] = both[at]
        self.origins, self.logs = np.delete(self.origins, at + 1, 0), np.delete(self.logs, at + 1)
        mean, cov = np.delete(mean, at + 1, 0), np.delete(cov, at + 1, 0)
        mean[at], cov[at] = mid, spread
        return mean, cov


def log_sum(logs: Array) -> float:
    """Logarithm of a sum of exponentials.

    Examples:
        >>> round(log_sum(np.log([0.25, 0.5])), 9) == round(float(np.log(0.75)), 9)
        True
    """
    top = float(logs.max())
    return top + float(np.log(np.exp(logs - top).sum()))
