"""How many pairs tests may cost, and how many they did."""

from __future__ import annotations

from math import exp, log
from typing import Final

RESERVE: Final = 0.9
"""Part of the cap that is planned for, so that chance seldom takes more than the cap;"""

STEADY: Final = 0.5
"""of which this part where much is known and nothing is amiss."""

YOUNG: Final = 300
"""Tests of one path below which it is young: the interval of tests alone is then wider than about 0.05."""


class Account:
    """Pairs and tests of a whole controller.

    Which pair is tested is chosen by a keyed function at both ends, at a share that is fixed for each installation, because ends that
    changed it at different times would spoil pairs. So the share is set when an installation begins.

    Args:
        cap: the share that tests may cost.

    Attributes:
        pairs: complete pairs, tests included.
        spent: pairs that were measured only as a test.

    Examples:
        >>> account = Account(0.02)
        >>> [round(account.share(*known), 4) for known in ((0,), (1000,), (1000, True))]
        [0.018, 0.009, 0.018]
        >>> account.pairs, account.spent = 1000, 21
        >>> account.share(tests=0)
        0.0
    """

    def __init__(self, cap: float) -> None:
        self.cap = cap
        self.pairs = 0
        self.spent = 0

    def share(self, tests: int, suspicious: bool = False) -> float:
        """The share for an installation that begins now; 0 where the cap is overdrawn.

        Args:
            tests: that there are of its path.
            suspicious: something was found there.
        """
        if self.spent > self.cap * self.pairs:
            return 0.0
        if self.cap >= 1.0:
            return 1.0
        planned = RESERVE * self.cap
        return planned if suspicious or tests < YOUNG else STEADY * planned


def overdraft_chance(pairs: int, cap: float, share: float) -> float:
    """Bound of the chance that tests take more than the cap of so many pairs.

    Equation: Chernoff, ``exp(−n D(cap ‖ share))``, D the relative entropy of two biased coins.

    Examples:
        >>> overdraft_chance(200_000, 0.02, 0.018) < 1e-9
        True
    """
    if not share < cap < 1.0:
        return 1.0 if share >= cap else 0.0
    if share <= 0.0:
        return 0.0
    entropy = cap * log(cap / share) + (1.0 - cap) * log((1.0 - cap) / (1.0 - share))
    return exp(-pairs * entropy)
