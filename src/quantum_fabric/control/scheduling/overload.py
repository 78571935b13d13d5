"""Rate control where more is asked for than there is: buckets of tokens, AIMD, and prices that maximise utility."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quantum_fabric.control.scheduling.allocation import Demand
from quantum_fabric.errors import QuantityError
from quantum_fabric.units import SECOND, Time


class TokenBucket:
    """So many a second, with bursts: whatever is taken in any window of T seconds is at most burst + rate T.

    Args:
        rate: tokens per second, above 0.
        burst: most that it holds, above 0; it begins full.

    Raises:
        QuantityError: a rate or burst that is not above 0 and finite.

    Examples:
        >>> bucket = TokenBucket(rate=2.0, burst=3.0)
        >>> [bucket.take(1.0, now=0) for _ in range(4)]
        [True, True, True, False]
        >>> bucket.available(1.0, now=0)  # half a second, in ps
        500000000000
    """

    def __init__(self, rate: float, burst: float) -> None:
        for name, value in (("rate", rate), ("burst", burst)):
            if not 0.0 < value < math.inf:
                raise QuantityError(found=repr(value), expected="a number above 0", where=name)
        self.rate, self.burst = rate, burst
        self._tokens, self._at = burst, 0

    def take(self, amount: float, now: Time) -> bool:
        """Take tokens if there are enough; a clock that jumps back gives none."""
        self._fill(now)
        if self._tokens + 1e-9 < amount:
            return False
        self._tokens -= amount
        return True

    def available(self, amount: float, now: Time) -> Time | None:
        """When so many tokens will be there if none is taken; None where it never holds so many."""
        if amount > self.burst:
            return None
        self._fill(now)
        return max(now, self._at) + max(0, math.ceil((amount - self._tokens) / self.rate * SECOND))

    def _fill(self, now: Time) -> None:
        if now > self._at:
            self._tokens = min(self.burst, self._tokens + self.rate * (now - self._at) / SECOND)
            self._at = now


@dataclass
class Aimd:
    """Additive increase, multiplicative decrease of a rate.

    Equation: Chiu and Jain, Comput. Netw. ISDN 17, 1 (1989): of linear rules with one bit of feedback the one that tends to equal
    shares; each decrease shrinks the difference of two rates by `factor`, no increase changes it.

    Attributes:
        rate: now, per second.
        step: by how much it grows where there is room, above 0.
        factor: by what it is multiplied where there is not, in (0, 1).
        least, most: between which it stays.

    Examples:
        >>> flow = Aimd(rate=8.0, step=1.0, factor=0.5)
        >>> flow.tell(congested=True), flow.tell(congested=False)
        (4.0, 5.0)
    """

    rate: float
    step: float
    factor: float = 0.5
    least: float = 0.0
    most: float = math.inf

    def __post_init__(self) -> None:
        if not (self.step > 0.0 and 0.0 < self.factor < 1.0 and 0.0 <= self.least <= self.most):
            found = f"step {self.step!r}, factor {self.factor!r}, from {self.least!r} to {self.most!r}"
            raise QuantityError(found=found, expected="step > 0, factor in (0, 1), 0 <= least <= most")

    def tell(self, congested: bool) -> float:
        """What the network says; the rate from now on."""
        wanted = self.rate * self.factor if congested else self.rate + self.step
        self.rate = min(self.most, max(self.least, wanted))
        return self.rate


class Prices:
    """Rates that maximise Σ weight log(rate): each resource has a price, each demand answers the prices on its way.

    Distributed by nature: a resource needs to know only its own load, a demand only the sum of its prices.

    Equation: dual gradient of Low and Lapsley, IEEE/ACM Trans. Netw. 7, 861 (1999), with a step that is relative to the price
    (multiplicative weights), so that it needs no scale: p ← p exp(γ (load / capacity - 1)); rate = min(most, weight / Σ use p).

    Limits:
        Converges for γ up to about 0.5 where no demand takes one resource many times over (tested on random networks against a
        solver, within 1 %). While it converges the load may exceed the capacity: rates are answers to prices, not grants.

    Args:
        demands: with the weights of their utilities.
        capacities: of the resources, above 0.
        gain: γ, in (0, 1].

    Raises:
        QuantityError: a capacity or gain outside its domain.

    Examples:
        >>> both = [Demand("long", {"x": 1, "y": 1}), Demand("a", {"x": 1}), Demand("b", {"y": 1})]
        >>> rates = Prices(both, {"x": 1.0, "y": 1.0}).settle()
        >>> [round(rates[name], 3) for name in ("long", "a", "b")]  # proportional fairness: 1/3, 2/3, 2/3
        [0.333, 0.667, 0.667]
    """

    def __init__(self, demands: Sequence[Demand], capacities: Mapping[str, float], gain: float = 0.2) -> None:
        if not 0.0 < gain <= 1.0 or any(not 0.0 < each < math.inf for each in capacities.values()):
            found = f"gain {gain!r}, capacities {dict(capacities)!r}"
            raise QuantityError(found=found, expected="a gain in (0, 1] and capacities above 0")
        self._demands, self._capacities, self._gain = demands, capacities, gain
        total = math.fsum(demand.weight for demand in demands)
        self.prices = {name: max(total, 1e-12) / capacity for name, capacity in capacities.items()}

    def rates(self) -> dict[str, float]:
        """What each demand takes at the prices of now."""
        out = {}
        for demand in self._demands:
            price = math.fsum(use * self.prices[name] for name, use in demand.use.items())
            out[demand.name] = min(demand.most, demand.weight / price) if price > 0.0 else demand.most
        return out

    def step(self) -> dict[str, float]:
        """Every resource looks at its load and changes its price; returns the rates before."""
        rates = self.rates()
        for name, capacity in self._capacities.items():
            load = math.fsum(d.use.get(name, 0.0) * rates[d.name] for d in self._demands)
            change = self._gain * min(2.0, load / capacity - 1.0)
            self.prices[name] = max(1e-300, self.prices[name] * math.exp(change))
        return rates

    def settle(self, steps: int = 5000, tolerance: float = 1e-6) -> dict[str, float]:
        """Step until no rate changes by more than a relative tolerance, or for so many steps."""
        before = self.step()
        for _ in range(steps):
            after = self.step()
            if all(abs(after[n] - before[n]) <= tolerance * before[n] for n in before):
                return after
            before = after
        return before
