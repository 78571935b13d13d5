"""Has what is delivered changed at once? Falls of several sizes are weighed against none, as the tests come."""

from __future__ import annotations

from math import exp, inf, log, log1p
from typing import Final

from quantum_fabric.units import Time

FALLS: Final = (0.05, 0.1, 0.2, 0.35)
"""Falls of the chance of agreement that are looked for, evenly: half as much as the correlators fall."""


class Alarm:
    """Shiryaev-Roberts statistics of several falls, and their mean.

    Args:
        mean_tests: tests until a false alarm, at least, in the mean.

    Equation:
        ``R ← (1 + R) p₁(bit)/p₀(bit)`` for each fall, alarm when the mean of all R reaches A = mean_tests. Without a change every
        ``R − tests`` is a martingale, so their mean is one, and by optional stopping the mean time to an alarm is at least A
        (Pollak, Ann. Stat. 13, 206 (1985); M). After a change it takes about ``(ln A + ln 4)/D`` tests, D the relative entropy
        of the nearest p₁ to p₀. Where the change was, Page's sum of that fall says: it was last 0 there.

    Limits:
        The bound is for a p₀ that is not above the truth. Here p₀ is the least that any plausible explanation foretells in which
        losses wander no faster than is stated: a faster drift is told as a change, too, and so may be, seldom, a bad calibration.

    Attributes:
        value: logarithm of the mean of the statistics.

    Examples:
        >>> alarm = Alarm(100.0)
        >>> [alarm.observe(False, 0.95, n) for n in range(4)]
        [False, False, True, True]
        >>> alarm.since, alarm.run
        (0, 4)
    """

    def __init__(self, mean_tests: float) -> None:
        self.threshold = log(mean_tests)
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.value = -inf
        self._logs = [-inf] * len(FALLS)
        self._sums = [0.0] * len(FALLS)
        self._since: list[tuple[Time, int]] = [(0, 0)] * len(FALLS)

    @property
    def since(self) -> Time:
        """Time of the first test after the change, if there is one."""
        return self._since[self._best][0]

    @property
    def run(self) -> int:
        """Tests since then."""
        return self._since[self._best][1]

    @property
    def _best(self) -> int:
        return max(range(len(FALLS)), key=self._logs.__getitem__)

    def observe(self, agree: bool, foretold: float, at: Time) -> bool:
        """One test.

        Args:
            agree: its result.
            foretold: chance of agreement without a change.
            at: when, ps.

        Returns:
            Whether the alarm is to be raised.
        """
        before = min(max(foretold, 2e-6), 1.0 - 1e-6)
        for number, fall in enumerate(FALLS):
            after = max(before - fall, before * 0.5)
            gain = log(after / before) if agree else log((1.0 - after) / (1.0 - before))
            old = self._logs[number]
            self._logs[number] = gain + max(old, 0.0) + log1p(exp(-abs(old)))
            begun, run = self._since[number]
            self._since[number] = (begun, run + 1) if self._sums[number] > 0.0 else (at, 1)
            self._sums[number] = max(0.0, self._sums[number] + gain)
        top = max(self._logs)
        self.value = top + log(sum(exp(each - top) for each in self._logs) / len(FALLS))
        return self.value >= self.threshold
