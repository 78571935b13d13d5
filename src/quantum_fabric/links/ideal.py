"""A link whose numbers are given by hand: for tests, benchmarks and measured links.

Limits:
    Nothing is derived, so nothing is checked against physics beyond the shape of the numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from quantum_fabric.errors import QuantityError
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.model import Heralding, HeraldOutcome, Knob, Weights
from quantum_fabric.links.timing import require_lanes, require_no_setting
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class FixedLink:
    """A link with fixed numbers.

    Attributes:
        success: probability of one attempt, in (0, 1].
        weights: Bell weights relative to ``bell``, each at least 0, together 1.
        period: ps between attempts on one lane, at least 1.
        born: ps after the start of the attempt at which the half at a, at b, starts to age.
        heard: ps after the start of the attempt at which end a, end b, hears; not before both halves are born.
        bell: announced label, 0..3.
        cycle: ps between the starts of neighbouring lanes; 0 lets all lanes start together.
        transmission: end-to-end optical transmission that bounds are to use, in [0, 1].

    Raises:
        QuantityError: a number outside its domain.

    Examples:
        >>> link = FixedLink(success=0.5, weights=(0.97, 0.01, 0.01, 0.01), period=1_000_000)
        >>> link.heralding(lanes=3).fidelity
        0.97
        >>> FixedLink(success=1.5, weights=(1.0, 0.0, 0.0, 0.0), period=1)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: success: found 1.5, expected a probability in (0, 1]
    """

    architecture: ClassVar[str] = "fixed"
    stores: ClassVar[bool] = True
    knob: ClassVar[Knob | None] = None

    success: float
    weights: Weights
    period: Time
    born: tuple[Time, Time] = (0, 0)
    heard: tuple[Time, Time] = (0, 0)
    bell: int = 0
    cycle: Time = 0
    transmission: float = 1.0

    def __post_init__(self) -> None:
        """Refuse numbers that no link can have."""
        if not 0.0 < self.success <= 1.0:
            raise QuantityError(str(self.success), "a probability in (0, 1]", "success")
        shape = len(self.weights) == 4 and all(w >= 0.0 for w in self.weights)
        if not shape or not math.isclose(math.fsum(self.weights), 1.0, abs_tol=1e-9):
            raise QuantityError(str(self.weights), "four probabilities that sum to 1", "weights")
        if self.period < 1:
            raise QuantityError(str(self.period), "at least 1 ps", "period")
        if self.cycle < 0:
            raise QuantityError(str(self.cycle), "at least 0 ps", "cycle")
        if min(self.born) < 0 or min(self.heard) < max(self.born):
            raise QuantityError(
                f"{self.born}, {self.heard}", "0 <= born <= heard, at either end of either half", "heard"
            )
        if self.bell not in range(4):
            raise QuantityError(str(self.bell), "a Bell label 0, 1, 2 or 3", "bell")
        if not 0.0 <= self.transmission <= 1.0:
            raise QuantityError(str(self.transmission), "a transmission in [0, 1]", "transmission")

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        """The numbers that were given; the period stretches when the lanes need longer than it.

        Args:
            setting: must be None, for there is no knob.
            lanes: pairs of memories that share the channel, at least 1.

        Raises:
            QuantityError: a setting, or no lanes.

        Examples:
            >>> link = FixedLink(success=0.5, weights=(1.0, 0.0, 0.0, 0.0), period=100, cycle=40)
            >>> link.heralding(lanes=2).period, link.heralding(lanes=3).period
            (100, 120)
        """
        require_no_setting(setting, self.architecture)
        require_lanes(lanes)
        return Heralding(
            period=max(self.period, lanes * self.cycle),
            cycle=self.cycle,
            born=self.born,
            heard=self.heard,
            outcomes=(HeraldOutcome(self.bell, self.success, self.weights),),
        )

    def under(self, conditions: Conditions) -> FixedLink:  # noqa: ARG002 - its numbers are fixed
        """The same link: fixed numbers do not drift."""
        return self

    def total_transmission(self) -> float:
        """End-to-end optical transmission, as given.

        Examples:
            >>> FixedLink(success=0.5, weights=(1.0, 0.0, 0.0, 0.0), period=1).total_transmission()
            1.0
        """
        return self.transmission
