"""The estimate of one path as its tests come in: a belief, an eye on sudden changes, and beginning anew after one."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import NamedTuple

from quantum_fabric.control.verification.belief import Belief, Outlook
from quantum_fabric.control.verification.change import Alarm
from quantum_fabric.control.verification.policy import Verification
from quantum_fabric.control.verification.readout import Contrast
from quantum_fabric.messages import Correlators
from quantum_fabric.units import Time


class Lesson(NamedTuple):
    """What the tests of a session, or of a part of it between two alarms, say of each explanation.

    Attributes:
        steady: logarithms of the evidence of the explanations if nothing changed at once.
        jumped: likewise if something did.
        hours: of the tests.
        tests: how many.
        first: whether it began with the calibrations; else it says nothing of how good they are.
    """

    steady: tuple[float, ...]
    jumped: tuple[float, ...]
    hours: float
    tests: int
    first: bool


class Finding(NamedTuple):
    """Tests contradict what was believed; see `quantum_fabric.messages.Doubt`."""

    cause: str
    evidence: float
    threshold: float
    tests: int
    since: Time


class Estimator:
    """Of one path.

    Args:
        policy: how sure an alarm must be, what calibrations are worth.
        tolerance: relative error of the believed losses, two standard deviations.
        age: of the calibrations, ps.
        at: now, ps.
        weights: of the explanations, where earlier estimates have taught them (`Experience`).
        jumps: sudden changes per hour, likewise.

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
        jumps: float | None = None,
    ) -> None:  # fmt: skip
        self.belief = Belief(policy, tolerance, age, at, weights=weights, jumps=jumps)
        self.doubted = False
        self._jumps = jumps
        self._lessons: list[Lesson] = []
        self._policy = policy
        self._tolerance = tolerance
        self._alarm = Alarm(policy.change)
        self._since: Time | None = None

    def observe(
        self, basis: int, agree: bool, quality: Correlators, seen: Contrast, at: Time
    ) -> list[Finding]:
        """One test (as for `Belief.observe`); what it contradicts."""
        foretold = self.belief.observe(basis, agree, quality, seen, at)
        self._since = at if self._since is None else self._since
        found = []
        threshold = -log(self._policy.doubt)
        evidence = self.belief.against
        if not self.doubted and evidence >= threshold:
            self.doubted = True
            found.append(Finding("calibration", evidence, threshold, self.belief.tests, self._since))
            self.belief.drop()
        alarm = self._alarm
        if alarm.observe(agree, foretold, at):
            self.doubted = True
            found.append(Finding("change", alarm.value, alarm.threshold, self.belief.tests, alarm.since))
            self._begin_anew(at)
            alarm.reset()
        return found

    def _begin_anew(self, at: Time) -> None:
        """Only tests after the alarm count: those that raised it were picked by it, and say too much."""
        self._lessons.append(self._lesson())
        self.belief = Belief(self._policy, self._tolerance, 0, at, trusting=False, jumps=self._jumps)

    def lessons(self) -> list[Lesson]:
        """Of the whole session."""
        return [*self._lessons, self._lesson()]

    def _lesson(self) -> Lesson:
        belief = self.belief
        steady, jumped = (
            tuple(float(each) for each in logs) for logs in (belief.evidence, belief.evidence_jumped)
        )
        return Lesson(steady, jumped, belief.hours, belief.tests, not self._lessons)

    def outlook(self, quality: Correlators, asked: float, at: Time) -> Outlook:
        """Of the mean fidelity of pairs that are made now (as for `Belief.outlook`)."""
        return self.belief.outlook(quality, asked, at)
