"""What a heralded link is, for everybody who only uses one.

A *link* is two memories in neighbouring nodes, the light between them and whatever tells them that an attempt
worked. However it is built, planners and executors need the same few numbers of it: how long an attempt takes, how
likely each herald is, in which state it leaves the pair, when each half starts to age and when each end hears. These
numbers are a `Heralding`; a `LinkModel` computes them.

Conventions:
    * Times are integer picoseconds and count from the start of the attempt.
    * End ``a`` comes first in every pair of numbers, end ``b`` second.
    * ``weights`` are relative to the announced Bell state: the first one is the fidelity to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from quantum_fabric.errors import Caution
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.units import Time

Weights: TypeAlias = tuple[float, float, float, float]
"""Probabilities of actual XOR announced label = 0, 1, 2, 3 (Φ+, Φ−, Ψ+, Ψ− for an announced Φ+)."""


@dataclass(frozen=True, slots=True)
class HeraldOutcome:
    """One message that the heralding station can send.

    Attributes:
        bell: announced Bell label, 0..3 (Φ+, Φ−, Ψ+, Ψ−).
        probability: of this herald in one attempt, in [0, 1].
        weights: Bell weights *relative* to ``bell`` at birth; they sum to 1 and the first is the fidelity.
        state: the whole state at birth, as the 16 entries of its density matrix in the order |00>, |01>, |10>, |11> of
            (a, b), row by row, *not* relative to ``bell``; None where the Bell-diagonal state is the whole truth.

    Limits:
        ``weights`` are the pair's Bell-diagonal part (Pauli twirl). Each link model says what the twirl drops.
    """

    bell: int
    probability: float
    weights: Weights
    state: tuple[complex, ...] | None = None


@dataclass(frozen=True, slots=True)
class Knob:
    """The one operating parameter that a planner may turn.

    Attributes:
        name: what it is (``"bright_population"``).
        low: least setting that the planner may use.
        high: largest setting that the planner may use.
        good_end: which end gives the better *fidelity*: ``"low"`` or ``"high"`` (the other gives the better rate).
        doc: one sentence for people.
    """

    name: str
    low: float
    high: float
    good_end: str
    doc: str


@dataclass(frozen=True, slots=True)
class Heralding:
    """One link at one operating point: everything an executor needs.

    Attributes:
        period: ps between the starts of two attempts on one lane.
        cycle: ps between the starts of neighbouring lanes, which take turns on the channel.
        born: ps after the start of the attempt at which the half at a, at b, starts to age.
        heard: ps after the start of the attempt at which end a, end b, hears of success.
        outcomes: the heralds that mean success; their probabilities sum to at most 1.
        cautions: where the model was used outside its validity; empty where all is well.

    Examples:
        >>> herald = HeraldOutcome(bell=2, probability=0.1, weights=(0.9, 0.1, 0.0, 0.0))
        >>> twin = HeraldOutcome(bell=3, probability=0.1, weights=(0.9, 0.1, 0.0, 0.0))
        >>> point = Heralding(period=10, cycle=1, born=(0, 0), heard=(10, 10), outcomes=(herald, twin))
        >>> point.success, round(point.fidelity, 12)
        (0.2, 0.9)
    """

    period: Time
    cycle: Time
    born: tuple[Time, Time]
    heard: tuple[Time, Time]
    outcomes: tuple[HeraldOutcome, ...]
    cautions: tuple[Caution, ...] = ()

    @property
    def success(self) -> float:
        """Probability that one attempt is heralded as a success."""
        return math.fsum(outcome.probability for outcome in self.outcomes)

    @property
    def weights(self) -> Weights:
        """Relative Bell weights at birth, averaged over the heralds."""
        total = self.success
        if total == 0.0:
            return (0.25, 0.25, 0.25, 0.25)
        a, b, c, d = (
            math.fsum(outcome.probability * outcome.weights[index] for outcome in self.outcomes) / total
            for index in range(4)
        )
        return (a, b, c, d)

    @property
    def fidelity(self) -> float:
        """Mean fidelity at birth to the state that was announced."""
        return self.weights[0]


class LinkModel(Protocol):
    """What planners and executors ask of any link.

    Attributes:
        architecture: name in the catalogue (``"single_click"``).
        knob: the parameter that the planner may turn, or None.
        stores: False where the photons are measured at both ends and no memory ever holds the pair; such pairs can be
            counted and used for keys, but not swapped or kept.
    """

    @property
    def stores(self) -> bool:
        """True where memories hold the pair."""

    @property
    def architecture(self) -> str:
        """Name of the link's architecture."""

    @property
    def knob(self) -> Knob | None:
        """The parameter that the planner may turn, or None."""

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        """Numbers of the link at one operating point.

        Args:
            setting: value of the knob; None for the value on the data sheet.
            lanes: pairs of memories that share the channel in turn, at least 1.

        Raises:
            QuantityError: a setting outside the knob's range, a setting for a link without a knob, or no lanes.
        """

    def under(self, conditions: Conditions) -> LinkModel:
        """The same link, out of alignment."""

    def total_transmission(self) -> float:
        """Transmission of the whole optical path from end to end, in [0, 1], for bounds such as PLOB."""
