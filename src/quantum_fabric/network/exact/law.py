"""The joint law of delivery time and state, in seconds (or in steps, where a tick is one).

What a law knows about the fidelity is its mean for each delivery time: exact, whatever the protocol, because every operation
is linear in each pair that goes into it. A pair whose whole history is known has a fidelity that scatters about that mean;
`quantum_fabric.network.exact.ages` has its law for chains of equal memories.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.exact.series import Array, Series
from quantum_fabric.physics.correlators import Correlators, Weights, to_weights


@dataclass(frozen=True, eq=False)
class Law:
    """When a pair is delivered, and what it then is.

    Attributes:
        series: probabilities and unnormalised correlators by tick.
        tick: s (or steps).
        spread: ticks by which a time may be off; 0 where every time is on the grid. Means suffer far less than that.

    Examples:
        >>> import numpy as np
        >>> step = Series(np.array([[0.0, 0.5], [0.0, 0.4], [0.0, 0.4], [0.0, 0.4]]), 1, np.full(4, 0.5), 0.0)
        >>> law = Law(step, 1e-3)
        >>> law.mean, round(law.fidelity, 3), law.quantile(0.999)
        (0.002, 0.85, 0.01)
    """

    series: Series
    tick: float
    spread: float = 0.0

    @property
    def times(self) -> Array:
        """Delivery times of `chances`, shape (ticks,)."""
        found: Array = np.arange(self.series.ticks) * self.tick
        return found

    @property
    def chances(self) -> Array:
        """Probability of each of `times`; what is later is in the tail."""
        found: Array = self.series.values[0]
        return found

    @property
    def truncation(self) -> float:
        """Probability that is unaccounted for: |1 - values - tail|."""
        return self.series.error

    @property
    def beyond(self) -> float:
        """Probability of the geometric tail after the last of `times`."""
        return self.series.left()

    @cached_property
    def _sums(self) -> tuple[tuple[Any, Any, Any], ...]:
        return tuple(self.series.sums(k) for k in range(len(self.series.values)))

    @property
    def mean(self) -> float:
        """Mean delivery time."""
        return float(self._sums[0][1] / self._sums[0][0]) * self.tick

    @property
    def deviation(self) -> float:
        """Standard deviation of the delivery time."""
        total, first, second = self._sums[0]
        return math.sqrt(max(0.0, second / total - (first / total) ** 2)) * self.tick

    @property
    def rate(self) -> float:
        """One over the mean: deliveries per second, where each delivery is a fresh start."""
        return 1.0 / self.mean

    @property
    def correlators(self) -> Correlators:
        """Mean correlators of a delivered pair."""
        total = self._sums[0][0]
        x, y, z = (float(sums[0] / total) for sums in self._sums[1:])
        return (x, y, z)

    @property
    def weights(self) -> Weights:
        """Mean weights (Φ+, Φ-, Ψ+, Ψ-) of a delivered pair, relative to the announced state."""
        return to_weights(self.correlators)

    @property
    def fidelity(self) -> float:
        """Mean fidelity of a delivered pair."""
        return self.weights[0]

    def survival(self, time: float) -> float:
        """Probability of still waiting after this time.

        Raises:
            QuantityError: a negative time.
        """
        if not time >= 0.0:
            raise QuantityError(found=repr(time), expected="0 or more", where="time")
        return min(1.0, self.series.beyond(math.floor(time / self.tick + 1e-9)))

    def quantile(self, level: float, beyond: float | None = None) -> float:
        """The first time by which a share of the deliveries has been made.

        Args:
            level: the share, in [0, 1).
            beyond: the share that comes later, where ``1 - level`` would lose digits; `level` is ignored then.

        Raises:
            QuantityError: a level outside [0, 1).

        Examples:
            >>> import numpy as np
            >>> fair = Law(Series(np.array([[0.0, 0.5]]), 1, np.array([0.5]), 0.0), 1.0)
            >>> fair.quantile(0.5), fair.quantile(0.0, beyond=2.0**-40)
            (1.0, 40.0)
        """
        share = 1.0 - level if beyond is None else beyond
        if not 0.0 < share <= 1.0:
            raise QuantityError(found=repr(level), expected="a level in [0, 1)", where="quantile")
        share *= 1.0 + 4e-16 * 4
        later = self._survival
        if later[-1] <= share:
            return float(np.argmax(later <= share)) * self.tick
        k, w = float(self.series.ratio[0].real), self.series.block
        if k <= 0.0:
            raise QuantityError(
                found=repr(share), expected=f"a share above {later[-1]:.2g}", where="quantile"
            )
        last = self.series.values[0, -w:].real
        # P(T > t) at the points of a block of the tail, before the factor of its number
        block = k * (np.cumsum(last[::-1])[::-1] + last.sum() * k / (1.0 - k))
        number = max(0, math.floor(math.log(share / block[0]) / math.log(k)))
        while k**number * block[-1] > share:
            number += 1
        inside = int(np.searchsorted(-block, -share / k**number))
        return (self.series.ticks - 1 + number * w + inside) * self.tick

    @cached_property
    def _survival(self) -> Array:
        return self.series.survival(self.series.ticks)

    def states(self) -> Array:
        """Mean weights given each of `times`, shape (ticks, 4); not-a-number where nothing can be delivered."""
        p, x, y, z = self.series.values.real
        with np.errstate(invalid="ignore", divide="ignore"):
            x, y, z = x / p, y / p, z / p
        table = np.stack([1 + x + y + z, 1 - x - y + z, 1 + x - y - z, 1 - x + y - z], axis=1) / 4.0
        table[p <= 0.0] = np.nan
        return table

    def fidelity_quantile(self, level: float) -> float:
        """Quantile of the fidelity that is known from the delivery time alone (its mean given that time).

        Args:
            level: share of the deliveries with at most this fidelity, in [0, 1].

        Raises:
            QuantityError: a level outside [0, 1].

        Limits:
            Pairs of the tail count with the fidelity at the last stored times.
        """
        if not 0.0 <= level <= 1.0:
            raise QuantityError(found=repr(level), expected="a level in [0, 1]", where="fidelity quantile")
        chance = self.chances.copy()
        values = self.states()[:, 0]
        seen = np.flatnonzero(chance > 0.0)
        chance[seen[-1]] += self.beyond
        order = seen[np.argsort(values[seen], kind="stable")]
        total = np.cumsum(chance[order])
        return float(values[order[min(len(order) - 1, int(np.searchsorted(total, level * total[-1])))]])
