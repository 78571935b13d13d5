"""What many sessions have taught: how often calibrations are right, and how often something changes at once."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.control.verification.belief import WEIGHTS
from quantum_fabric.control.verification.estimator import Estimator, Lesson

Array = NDArray[np.float64]

OPENING: Final = 25.0
"""So many sessions the weights of a beginner are worth."""

SEEN: Final = 0.5
"""So many sudden changes the rate of a beginner is worth: one session with a change outweighs it."""

LEAST: Final = 20
"""Tests below which a session teaches nothing."""

LATEST: Final = 400
"""Sessions that are remembered."""

ROUNDS: Final = 10
"""Of expectation maximisation after each session, from where the last one ended."""


class Experience:
    """How often each explanation was the right one, as far as tests could tell: a network whose calibrations are good earns trust.

    Args:
        jumps: sudden changes per hour that are expected at first.

    Equation: type-II maximum likelihood with a prior ("empirical Bayes"). Each of the `LATEST` sessions gives the evidence of each
    explanation, without a sudden change and with one. Expectation maximisation finds weights under a Dirichlet prior of `OPENING`
    sessions with the weights of a beginner, and a rate under a gamma prior of `SEEN` changes in ``SEEN / jumps`` hours.

    Examples:
        >>> from quantum_fabric.control.verification import Verification
        >>> experience = Experience(0.01)
        >>> before = experience.weights[0], experience.jumps
        >>> experience.learn(Estimator(Verification(), 0.05, 0, 0))  # no tests: nothing to learn
        >>> (experience.weights[0], experience.jumps) == before
        True
    """

    def __init__(self, jumps: float) -> None:
        self._weights: Array = np.array(WEIGHTS) / sum(WEIGHTS)
        self._opening: Array = OPENING * self._weights
        self._first = self._rate = jumps
        self._lessons: deque[Lesson] = deque(maxlen=LATEST)

    @property
    def weights(self) -> tuple[float, ...]:
        """Of the explanations, for the next session."""
        return tuple(float(each) for each in self._weights)

    @property
    def jumps(self) -> float:
        """Sudden changes per hour, for the next session; 0 stays 0."""
        return self._rate

    def learn(self, estimator: Estimator) -> None:
        """A session is over."""
        lessons = [each for each in estimator.lessons() if each.tests >= LEAST]
        if not lessons:
            return
        self._lessons.extend(lessons)
        steady = np.array([each.steady for each in self._lessons])
        jumped = np.array([each.jumped for each in self._lessons])
        hours = np.array([each.hours for each in self._lessons])
        first = np.array([each.first for each in self._lessons])
        for _ in range(ROUNDS):
            self._improve(steady, jumped, hours, first)

    def _improve(self, steady: Array, jumped: Array, hours: Array, first: NDArray[np.bool_]) -> None:
        """One round: whose session it was, under what is believed; then what is to be believed."""
        with np.errstate(divide="ignore"):
            chance = -np.expm1(-self._rate * hours)
            logs = np.log(self._weights) + np.concatenate(
                [steady + np.log1p(-chance)[:, None], jumped + np.log(chance)[:, None]], axis=1
            ).reshape(len(hours), 2, -1)
        logs -= logs.max(axis=(1, 2), keepdims=True)
        share = np.exp(logs)
        share /= share.sum(axis=(1, 2), keepdims=True)
        counts = self._opening + share[first].sum(axis=(0, 1))
        self._weights = counts / counts.sum()
        if self._first > 0.0:
            changes = SEEN + share[:, 1].sum()
            self._rate = float(changes / (SEEN / self._first + hours.sum()))
