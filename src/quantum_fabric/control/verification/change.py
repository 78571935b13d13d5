"""Has what is delivered changed at once? CUSUM on the tests."""

from __future__ import annotations

from math import log
from typing import Final

from quantum_fabric.units import Time

STEP: Final = 0.2
"""Fall of a correlator that is looked for; a larger one is found sooner."""


class Cusum:
    """Sum of log-likelihood ratios, kept at or above 0.

    Args:
        mean_tests: tests until a false alarm, at least, in the mean.

    Equation:
        Page 1954: ``S ← max(0, S + log p₁(bit)/p₀(bit))``, alarm at ``S ≥ h = log(mean_tests)``. Lorden 1971: without a change the
        mean time to an alarm is at least eʰ tests. With the change it is about ``h / D`` tests, D the relative entropy of p₁ to p₀.

    Limits:
        The bound is for a p₀ that is right. Here p₀ is what the estimator foretells, so an estimator that follows a slow drift
        hides it from this test, and the drift is for the estimate to show.

    Attributes:
        value: of the sum.
        since: time of the first test after the sum was last 0: when the change has happened, if there is one.
        run: tests since then.

    Examples:
        >>> page = Cusum(100.0)
        >>> [page.observe(False, 0.95, n) for n in range(5)]
        [False, False, False, False, True]
    """

    def __init__(self, mean_tests: float) -> None:
        self.threshold = log(mean_tests)
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.value, self.since, self.run = 0.0, 0, 0

    def observe(self, agree: bool, foretold: float, at: Time, step: float = STEP / 2.0) -> bool:
        """One test.

        Args:
            agree: its result.
            foretold: chance of agreement without a change.
            at: when, ps.
            step: by how much that chance is lower after a change.

        Returns:
            Whether the sum has reached the threshold.
        """
        before = min(max(foretold, 2e-6), 1.0 - 1e-6)
        after = max(before - step, before * 0.5)
        gain = log(after / before) if agree else log((1.0 - after) / (1.0 - before))
        if self.value == 0.0:
            self.since, self.run = at, 0
        self.run += 1
        self.value = max(0.0, self.value + gain)
        return self.value >= self.threshold
