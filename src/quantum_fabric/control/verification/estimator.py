"""The estimate of one path as its tests come in: a belief, an eye on sudden changes, and beginning anew after one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Final, NamedTuple

from quantum_fabric.control.verification.belief import WEIGHTS, Belief, Outlook
from quantum_fabric.control.verification.change import Cusum
from quantum_fabric.control.verification.policy import Verification
from quantum_fabric.control.verification.readout import Contrast
from quantum_fabric.messages import Correlators
from quantum_fabric.units import Time

RECENT: Final = 4096
"""Tests that are kept, so that the estimate can begin anew at a change."""


OPENING: Final = 25.0
"""So many sessions the weights of a beginner are worth."""

LEAST: Final = 20
"""Tests below which a session teaches nothing."""


class Finding(NamedTuple):
    """Tests contradict what was believed; see `quantum_fabric.messages.Doubt`."""

    cause: str
    evidence: float
    threshold: float
    tests: int
    since: Time


@dataclass(frozen=True, slots=True)
class _Test:
    basis: int
    agree: bool
    quality: Correlators
    seen: Contrast
    at: Time


class Estimator:
    """Of one path.

    Args:
        policy: how sure an alarm must be, what calibrations are worth.
        tolerance: relative error of the believed losses, two standard deviations.
        age: of the calibrations, ps.
        at: now, ps.
        weights: of the explanations, where earlier estimates have taught them (`Experience`).

    Attributes:
        belief: in force.
        doubted: whether the calibrations have been given up.

    Examples:
        A pair that is believed to be perfect agrees half the time, so there is nothing in it:

        >>> estimator = Estimator(Verification(), 0.05, age=0, at=0)
        >>> bare = Contrast(1.0, 0.0, 0.0)
        >>> found = [estimator.observe(n % 3, n % 2 == 0, (0.9, 0.9, 0.9), bare, n) for n in range(120)]
        >>> sorted({each.cause for several in found for each in several}), estimator.doubted
        (['calibration'], True)
        >>> round(estimator.belief.outlook((0.9, 0.9, 0.9)).fidelity, 1)
        0.3
    """

    def __init__(
        self, policy: Verification, tolerance: float, age: Time, at: Time, weights: Sequence[float] | None = None,
    ) -> None:  # fmt: skip
        self.belief = Belief(policy, tolerance, age, at, weights=weights)
        self.doubted = False
        self._policy = policy
        self._tolerance = tolerance
        self._cusum = Cusum(policy.change)
        self._tests: list[_Test] = []

    def observe(
        self, basis: int, agree: bool, quality: Correlators, seen: Contrast, at: Time
    ) -> list[Finding]:
        """One test (as for `Belief.observe`); what it contradicts."""
        foretold = self.belief.observe(basis, agree, quality, seen, at)
        self._tests.append(_Test(basis, agree, quality, seen, at))
        del self._tests[:-RECENT]
        found = []
        threshold = -log(self._policy.doubt)
        evidence = self.belief.against
        if not self.doubted and evidence >= threshold:
            self.doubted = True
            found.append(Finding("calibration", evidence, threshold, self.belief.tests, self._tests[0].at))
            self.belief.drop()
        cusum = self._cusum
        if cusum.observe(agree, foretold, at):
            self.doubted = True
            found.append(Finding("change", cusum.value, cusum.threshold, self.belief.tests, cusum.since))
            self._begin_anew(cusum.run, cusum.since)
            cusum.reset()
        return found

    def _begin_anew(self, last: int, since: Time) -> None:
        """Only the tests after a change say what there is after it."""
        self._tests = self._tests[-last:]
        self.belief = Belief(self._policy, self._tolerance, 0, since, trusting=False)
        for each in self._tests:
            self.belief.observe(each.basis, each.agree, each.quality, each.seen, each.at)

    def outlook(self, quality: Correlators, asked: float, at: Time) -> Outlook:
        """Of the mean fidelity of pairs that are made now (as for `Belief.outlook`)."""
        return self.belief.outlook(quality, asked, at)


class Experience:
    """How often each explanation was the right one, as far as tests could tell: a network whose calibrations are good earns trust.

    Equation: a Dirichlet prior of `OPENING` sessions with the weights of a beginner, and for each session the posterior probabilities
    of its explanations (one step of online expectation maximisation).

    Examples:
        >>> experience = Experience()
        >>> before = experience.weights[0]
        >>> experience.learn(Belief(Verification(), 0.05, 0, 0))  # no tests: nothing to learn
        >>> experience.weights[0] == before
        True
    """

    def __init__(self) -> None:
        self._counts = [OPENING * weight for weight in WEIGHTS]

    @property
    def weights(self) -> tuple[float, ...]:
        """Of the explanations, for the next session."""
        total = sum(self._counts)
        return tuple(count / total for count in self._counts)

    def learn(self, belief: Belief) -> None:
        """A session is over."""
        if belief.tests >= LEAST:
            self._counts = [old + float(new) for old, new in zip(self._counts, belief.weights, strict=True)]
