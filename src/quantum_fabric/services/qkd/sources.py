"""Where the clicks of a block come from: weak pulses, pairs of a known kind, or pairs that a network delivered and measured.

A source knows the link as it *is*, and everything that happens to it (a plan of attacks and cuts over time); the ends know it as it
was *declared*.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.keys.postprocessing.estimation import KeyFormula, decoy_formula, pair_formula
from quantum_fabric.keys.postprocessing.sifting import Record
from quantum_fabric.physics.qkd.attacks import Attack, InterceptResend, Jamming
from quantum_fabric.physics.qkd.clicks import UNWATCHED, Clicks, Watch, sample
from quantum_fabric.physics.qkd.fates import PulseLink
from quantum_fabric.physics.qkd.finite_rate import Setting
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.pair_clicks import MeasuredPairs, intercepted, sample_pairs
from quantum_fabric.services.qkd.alarms import Alarm, Expectation, PairExpectation, Tolerance
from quantum_fabric.units import SECOND, Time


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that is done to the quantum channel for some time.

    Attributes:
        start, end: ps; from the first up to, and without, the second.
        attack: what an eavesdropper does; None where the channel is cut.
        arm: with a station in the middle, whose channel: 0 for the first end, 1 for the second, None for both and for the station.
    """

    start: Time
    end: Time
    attack: Attack | None = None
    arm: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Raw:
    """A block before any classical work.

    Attributes:
        sender, receiver: what the ends noted down.
        detections: that were noted down.
        alarms: what the ends notice in it.
        facts: further numbers, for people.
        checked: (wrong, compared) where most bits of the test basis mean nothing; None where all of them are compared.
    """

    sender: Record
    receiver: Record
    detections: int
    alarms: tuple[Alarm, ...]
    facts: dict[str, float] = field(default_factory=dict)
    checked: tuple[int, int] | None = None

    @property
    def sifted(self) -> int:
        """Detections that both took in the key basis."""
        return int(((self.sender.bases == 0) & (self.receiver.bases == 0)).sum())

    @property
    def error_rate(self) -> float:
        """Of the test basis, as a comparison of all of it shows; 0.5 where there is nothing to compare."""
        if self.checked is not None:
            wrong, size = self.checked
            return wrong / size if size else 0.5
        both = (self.sender.bases == 1) & (self.receiver.bases == 1)
        compared = int(both.sum())
        return int((self.sender.bits != self.receiver.bits)[both].sum()) / compared if compared else 0.5


class Source(Protocol):
    """Gives the clicks of a stretch of time."""

    @property
    def protocol(self) -> str:
        """Name of the protocol."""
        ...

    @property
    def intensities(self) -> int:
        """How many intensities are sent; 1 for pairs."""
        ...

    @property
    def joint(self) -> bool:
        """Whether both ends send, and a station between them measures."""
        ...

    @property
    def guess(self) -> float | None:
        """Error rate of the key where the test basis does not tell it; None where it does."""
        ...

    def block(self, start: Time, end: Time) -> Raw:
        """What the ends noted down between two times, ps."""
        ...

    def formula(self, security: Security) -> KeyFormula:
        """How much key such a block is worth."""
        ...


def stretches(start: Time, end: Time, happenings: Sequence[Happening]) -> list[tuple[Time, Happening | None]]:
    """Cut a stretch of time where something begins or ends.

    Args:
        start: ps.
        end: ps, after it.
        happenings: where several overlap, the first of them counts.

    Returns:
        (length in ps, what happens in it) in order of time.

    Examples:
        >>> cut = Happening(10, 30)
        >>> [(length, what is cut) for length, what in stretches(0, 50, [cut])]
        [(10, False), (20, True), (20, False)]
    """
    edges = {start, end} | {t for each in happenings for t in (each.start, each.end) if start < t < end}
    ordered = sorted(edges)
    return [
        (b - a, next((each for each in happenings if each.start <= a < each.end), None))
        for a, b in pairwise(ordered)
    ]


@dataclass(slots=True)
class PulseSource:
    """BB84 with decoy states over a link of weak pulses.

    Attributes:
        link: as it is.
        setting: of both ends; two intensities for one decoy, three for two.
        rng: source of draws.
        watch: what is built in.
        declared: the link as the ends know it; as it is where None.
        tolerance: of the alarms.
        happenings: what is done to the channel, and when.

    Limits:
        The link does not drift. Detections keep their order within a stretch of time, not their times.

    Examples:
        >>> link, setting = PulseLink(0.1, 0.2, 1e-6, 0.01, 1e-9), Setting(0.8, (0.5, 0.1), (0.7, 0.3))
        >>> source = PulseSource(link, setting, np.random.default_rng(1))
        >>> raw = source.block(0, SECOND // 1000)
        >>> raw.detections, raw.alarms
        (7508, ())
    """

    link: PulseLink
    setting: Setting
    rng: np.random.Generator
    watch: Watch = UNWATCHED
    declared: PulseLink | None = None
    tolerance: Tolerance = field(default_factory=Tolerance)
    happenings: Sequence[Happening] = ()
    protocol: str = "bb84"
    joint: bool = False
    guess: float | None = None

    @property
    def intensities(self) -> int:
        """How many there are."""
        return len(self.setting.intensities)

    def clicks(self, start: Time, end: Time) -> Clicks:
        """The clicks themselves."""
        whole: Clicks | None = None
        for length, what in stretches(start, end, self.happenings):
            pulses = math.floor(length / SECOND / self.link.period)
            attack, cut = (what.attack, what.attack is None) if what else (None, False)
            part = sample(self.link, self.setting, pulses, self.rng, attack, self.watch, cut)
            whole = part if whole is None else whole.then(part)
        if whole is None:
            raise QuantityError(f"[{start}, {end})", "a time that lasts", "block")
        return whole

    def block(self, start: Time, end: Time) -> Raw:
        """What the ends noted down between two times, ps.

        Raises:
            QuantityError: no time, or more detections than fit into memory.
        """
        seen = self.clicks(start, end)
        (bases, bits, which), (measured, outcomes) = seen.records(self.rng)
        expected = Expectation(self.declared or self.link, self.setting, self.watch, self.tolerance)
        gains = seen.by_intensity / np.maximum(seen.pulses * np.array(self.setting.probabilities), 1.0)
        facts = {f"gain at {mu:g}": float(q) for mu, q in zip(self.setting.intensities, gains, strict=True)}
        return Raw(
            Record(bases, bits, which),
            Record(measured, outcomes),
            int(seen.order.size),
            tuple(expected.alarms(seen)),
            facts,
        )

    def formula(self, security: Security) -> KeyFormula:
        """How much key such a block is worth (Lim 2014, or Rusca 2018 with one decoy)."""
        return decoy_formula(self.setting.intensities, self.setting.probabilities, security)


@dataclass(slots=True)
class PairSource:
    """BBM92, E91 or the six-state protocol over pairs of one kind that arrive at random times.

    Attributes:
        weights: Bell weights of the pairs as they are, relative to what is announced.
        rate: pairs per second that both ends measure.
        rng: source of draws.
        protocol: ``bbm92``, ``e91`` or ``six_state``.
        key_basis: see `quantum_fabric.physics.qkd.pair_clicks.choices`.
        declared: weights as the ends know them; as they are where None.
        tolerance: of the alarms.
        happenings: what is done to the channel, and when.

    Limits:
        The key is that of the two bases Z and X (see `pair_formula`), for all three protocols: E91 reports its CHSH value and the
        six-state protocol its third error rate, and neither makes the key longer here.

    Examples:
        >>> source = PairSource((0.97, 0.01, 0.01, 0.01), 1e5, np.random.default_rng(1))
        >>> source.block(0, SECOND).alarms
        ()
    """

    weights: tuple[float, ...]
    rate: float
    rng: np.random.Generator
    protocol: str = "bbm92"
    key_basis: float = 0.7
    declared: tuple[float, ...] | None = None
    tolerance: Tolerance = field(default_factory=Tolerance)
    happenings: Sequence[Happening] = ()
    intensities: int = 1
    joint: bool = False
    guess: float | None = None

    def block(self, start: Time, end: Time) -> Raw:
        """What the ends noted down between two times, ps."""
        whole: MeasuredPairs | None = None
        declared = 0.0
        for length, what in stretches(start, end, self.happenings):
            seconds = length / SECOND
            declared += self.rate * seconds
            attack = what.attack if what else None
            left = (0.0 if attack is None else 1.0) if what else 1.0
            if isinstance(attack, Jamming) and attack.channel == "quantum":
                left = 1.0 - attack.fraction
            pairs = int(self.rng.poisson(self.rate * seconds * left))
            part = sample_pairs(self.weights, pairs, self.rng, self.protocol, self.key_basis, attack)
            whole = part if whole is None else whole.then(part)
        if whole is None:
            raise QuantityError(f"[{start}, {end})", "a time that lasts", "block")
        return noted(whole, PairExpectation(self.declared or self.weights, self.tolerance), declared)

    def formula(self, security: Security) -> KeyFormula:
        """How much key such a block is worth (Tomamichel 2012)."""
        return pair_formula(security)


def noted(seen: MeasuredPairs, expected: PairExpectation, declared: float | None = None) -> Raw:
    """A block of measured pairs with its alarms.

    Args:
        seen: the pairs.
        expected: what sound ones show.
        declared: how many were expected; None where nobody expects a number.

    Examples:
        >>> seen = sample_pairs((1.0, 0.0, 0.0, 0.0), 100, np.random.default_rng(1))
        >>> noted(seen, PairExpectation((1.0, 0.0, 0.0, 0.0))).detections
        100
    """
    alarms, pairs = expected.alarms(seen), seen.bits.shape[1]
    if declared is not None:
        low = expected.tolerance.gain[0] * declared
        # Poisson tail (Chernoff): P(N <= k) <= exp(k - m - k ln(k/m)) for k below the mean m
        exponent = pairs - low - (pairs * math.log(pairs / low) if pairs else 0.0)
        if pairs < low and exponent < math.log(1e-10):
            says = f"{pairs} pairs, {declared:.0f} declared"
            high = expected.tolerance.gain[1] * declared
            alarms.append(Alarm("gain", float(pairs), low, high, pairs, math.exp(exponent), says))
    (a, x), (b, y) = seen.sifted()
    rates = seen.error_rates()
    facts = {f"errors in {name}": wrong / n for name, (wrong, n) in rates.items() if n}
    value, sizes = seen.chsh()
    if min(sizes):
        facts["S"] = value
    return Raw(Record(a, x), Record(b, y), pairs, tuple(alarms), facts)


@dataclass(slots=True)
class MeasuredSource:
    """Pairs that a network has delivered and both ends have measured, handed in block by block.

    Attributes:
        declared: weights as the ends know them.
        rng: source of draws, for attacks.
        protocol: for people.
        tolerance: of the alarms.
        attack: an `InterceptResend` on the half of the second end, or None.
        pairs: what was measured since; a block takes all there is.
    """

    declared: tuple[float, ...]
    rng: np.random.Generator
    protocol: str = "bbm92"
    tolerance: Tolerance = field(default_factory=Tolerance)
    attack: InterceptResend | None = None
    pairs: MeasuredPairs = field(default_factory=MeasuredPairs.none)
    intensities: int = 1
    joint: bool = False
    guess: float | None = None

    def block(self, start: Time, end: Time) -> Raw:  # noqa: ARG002 (the shape of a source)
        """All pairs that were measured."""
        seen = self.pairs if self.attack is None else intercepted(self.pairs, self.attack, self.rng)
        return noted(seen, PairExpectation(self.declared, self.tolerance))

    def formula(self, security: Security) -> KeyFormula:
        """How much key such a block is worth (Tomamichel 2012)."""
        return pair_formula(security)
