"""When a QKD link does not behave as declared: statistics of a block, what was expected, and how unlikely the difference is.

An alarm wants two things: the statistic lies outside a tolerance (links drift, lasers are calibrated to a per cent or two), and a link
at the edge of the tolerance would bring it there with a chance below `ALARM_CHANCE`. So noise raises no alarm in practice, and a
change of the weather neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from numpy.typing import NDArray

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.qkd.clicks import Clicks, Watch, chances, flash_chance
from quantum_fabric.physics.qkd.fates import PulseLink, fates
from quantum_fabric.physics.qkd.finite_rate import Setting
from quantum_fabric.physics.qkd.pair_clicks import PLUS, MeasuredPairs, X, Z, agreement

Table: TypeAlias = NDArray[Any]

ALARM_CHANCE: Final = 1e-10
"""Bound on the chance that one statistic of one block of a sound link raises an alarm."""


LEAST_CHANCE: Final = 1e-300
"""Chances below this are shown as this."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A statistic where no sound link would bring it.

    Attributes:
        name: what was noticed.
        found: value of the statistic.
        low, high: between which values it was expected, tolerance included.
        samples: counts behind it.
        chance: bound on the chance of such a value at the edge of the tolerance.
        evidence: in words.
    """

    name: str
    found: float
    low: float
    high: float
    samples: int
    chance: float
    evidence: str


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far from the declared values is no alarm.

    Attributes:
        error: by how much an error rate may lie above the declared one.
        gain: factors of the signal gain.
        yields: relative, of the ratio of two intensities' gains.
        doubles: factors of the number of double clicks, on top of the square of the gain.
        balance: how far from a half the shares of detectors and of halves of the gate may lie.
        flashes: factor, at least, of the clicks of the self-test.
        returns: factor, at most, of the counts of the sender's monitor.
        chsh: by how much the CHSH value may lie below the declared one.
        correction: share of blocks whose error correction fails; the engines are measured to stay below it.

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> Tolerance(error=0.02).gain
        (0.5, 1.5)
    """

    error: float = 0.03
    gain: tuple[float, float] = (0.5, 1.5)
    yields: float = 0.1
    doubles: tuple[float, float] = (0.25, 4.0)
    balance: float = 0.05
    flashes: float = 0.7
    returns: float = 2.0
    chsh: float = 0.2
    correction: float = 1e-3

    def __post_init__(self) -> None:
        for name in ("error", "yields", "balance", "flashes", "returns", "chsh", "correction"):
            if not getattr(self, name) >= 0.0:
                raise QuantityError(f"{getattr(self, name):g}", "0 or more", name)
        for name in ("gain", "doubles"):
            low, high = getattr(self, name)
            if not 0.0 <= low <= 1.0 <= high:
                raise QuantityError(f"({low:g}, {high:g})", "factors at most and at least 1", name)


def tail(found: int, trials: float, low: float, high: float) -> float:
    """Bound on the chance that a binomial count lies as far outside an interval of success chances as this one.

    Equation: ``exp(-n D(k/n || p))``, p the nearer edge (Chernoff); 1 inside the interval, and never below `LEAST_CHANCE`, but 0 where
    the edge itself is 0 or 1.

    Args:
        found: k.
        trials: n, at least k.
        low: least chance of a success, in [0, 1].
        high: largest.

    Returns:
        In [0, 1].

    Examples:
        >>> tail(50, 1000, 0.0, 0.06), f"{tail(200, 1000, 0.0, 0.1):.1e}", tail(1, 10, 0.0, 0.0)
        (1.0, '5.2e-20', 0.0)
    """
    if trials <= 0.0:
        return 1.0
    rate = found / trials
    if low <= rate <= high:
        return 1.0
    edge = high if rate > high else low
    if not 0.0 < edge < 1.0:
        return 0.0
    exponent = 0.0
    for observed, expected in ((rate, edge), (1.0 - rate, 1.0 - edge)):
        if observed > 0.0:
            exponent += observed * math.log(observed / expected)
    return max(math.exp(-trials * exponent), LEAST_CHANCE)  # smaller ones are no numbers any more


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a sound prepare-and-measure link shows, as it was declared.

    Attributes:
        link: as declared.
        setting: of both ends.
        watch: what is built in.
        tolerance: how far from it is no alarm.
    """

    link: PulseLink
    setting: Setting
    watch: Watch = field(default_factory=Watch)
    tolerance: Tolerance = field(default_factory=Tolerance)

    def alarms(self, seen: Clicks) -> list[Alarm]:
        """Everything about a block that raises an alarm.

        Examples:
            >>> import numpy as np
            >>> from quantum_fabric.physics.qkd.attacks import InterceptResend
            >>> from quantum_fabric.physics.qkd.clicks import sample
            >>> link, setting = PulseLink(0.1, 0.2, 1e-6, 0.01, 1e-9), Setting(0.8, (0.5, 0.1), (0.7, 0.3))
            >>> expected, rng = Expectation(link, setting), np.random.default_rng(1)
            >>> expected.alarms(sample(link, setting, 10**7, rng, watch=expected.watch))
            []
            >>> [alarm.name for alarm in expected.alarms(sample(link, setting, 10**7, rng, InterceptResend(), Watch()))]
            ['error rate']
        """
        table = chances(self.link, self.setting, fates(self.link, self.setting.intensities[0]))
        found = [
            self._error_rate(seen, table),
            self._gain(seen, table),
            *self._yields(seen),
            self._doubles(seen, table),
            *self._balance(seen),
            self._flashes(seen),
            self._returns(seen),
        ]
        return [alarm for alarm in found if alarm is not None]

    def error_rate(self) -> float:
        """Of the test basis."""
        table = chances(self.link, self.setting, fates(self.link, self.setting.intensities[0]))
        wrong, compared = _errors(table)
        return float(wrong / compared) if compared else 0.5

    def _error_rate(self, seen: Clicks, table: Table) -> Alarm | None:
        wrong, compared = _errors(seen.counts)
        declared, base = _errors(table)
        honest = declared / base if base else 0.5
        high = min(honest + self.tolerance.error, 1.0)
        says = (
            f"{wrong / compared:.2%} of the compared bits are wrong, {honest:.2%} declared"
            if compared
            else ""
        )
        # a double click counts as half an error, so the counts are rounded down
        return _judge("error rate", int(wrong), int(compared), 0.0, high, says)

    def _gain(self, seen: Clicks, table: Table) -> Alarm | None:
        # of all pulses, because how many of them were signals is drawn as well
        clicks = int(seen.by_intensity[0])
        honest = float(table[0].sum())
        low, high = (min(honest * factor, 1.0) for factor in self.tolerance.gain)
        says = f"{clicks} clicks of signal pulses, {honest * seen.pulses:.0f} declared"
        return _judge("gain", clicks, seen.pulses, low, high, says)

    def _yields(self, seen: Clicks) -> list[Alarm | None]:
        """Each weaker intensity against the signal, at the transmission that the signal shows: a loss that changes is no attack."""
        setting, counts = self.setting, seen.by_intensity
        pulses = seen.pulses * setting.probabilities[0]
        gain = min(float(counts[0]) / pulses, 0.999999) if pulses else 0.0
        quiet = (1.0 - self.link.dark) ** 2
        light = max(-math.log((1.0 - gain) / quiet), 0.0) / setting.intensities[0]
        found: list[Alarm | None] = []
        for k, mu in enumerate(setting.intensities[1:], start=1):
            q = 1.0 - quiet * math.exp(-light * mu)
            weight, base = setting.probabilities[k] * q, setting.probabilities[0] * gain
            both = int(counts[k] + counts[0])
            if not both or not weight:
                continue
            wide = self.tolerance.yields if mu * light > 10.0 * self.link.dark else 0.5
            low, high = ((f * weight) / (f * weight + base) for f in (1.0 - wide, 1.0 + wide))
            ratio = counts[k] / max(both * weight / (weight + base), 1e-300)
            says = f"pulses of intensity {mu:g} click {ratio:.2f} times as often as the signal says"
            found.append(_judge("decoy yields", int(counts[k]), both, low, high, says))
        return found

    def _doubles(self, seen: Clicks, table: Table) -> Alarm | None:
        per_click = float(table[..., 4].sum() / table.sum())
        clicks = int(seen.order.size)
        gains = self.tolerance.gain
        low, high = (
            min(per_click * factor * gain, 1.0)
            for factor, gain in zip(self.tolerance.doubles, gains, strict=True)
        )
        says = f"{seen.doubles} double clicks, {per_click * clicks:.1f} declared for as many detections"
        return _judge("double clicks", seen.doubles, clicks, low, high, says)

    def _balance(self, seen: Clicks) -> list[Alarm | None]:
        (early_0, late_0), (early_1, late_1) = seen.early
        zero, one = early_0 + late_0, early_1 + late_1
        low, high = 0.5 - self.tolerance.balance, 0.5 + self.tolerance.balance
        found = [
            _judge(
                "detector balance",
                zero,
                zero + one,
                low,
                high,
                f"{zero} clicks of one detector, {one} of the other",
            )
        ]
        if self.watch.timing:
            for detector, early, all_ in ((0, early_0, zero), (1, early_1, one)):
                says = f"{early} of {all_} clicks of detector {detector} in the early half of the gate"
                found.append(_judge("arrival times", early, all_, low, high, says))
        return found

    def _flashes(self, seen: Clicks) -> Alarm | None:
        honest = flash_chance(self.link, self.watch)
        says = f"{seen.test_clicks} clicks of {seen.tests} flashes from inside, {honest * seen.tests:.0f} declared"
        return _judge("self-test", seen.test_clicks, seen.tests, honest * self.tolerance.flashes, 1.0, says)

    def _returns(self, seen: Clicks) -> Alarm | None:
        if self.watch.back_light == 0.0:
            return None
        pulses = seen.pulses + seen.tests
        high = min(self.watch.back_dark * self.tolerance.returns, 1.0)
        says = f"{seen.returns} counts of light that comes out of the sender backwards, {self.watch.back_dark * pulses:.1f} declared"
        return _judge("back light", seen.returns, max(pulses, seen.returns), 0.0, high, says)


@dataclass(frozen=True, slots=True)
class PairExpectation:
    """What sound pairs show.

    Attributes:
        weights: declared Bell weights.
        tolerance: how far from them is no alarm.
    """

    weights: tuple[float, ...]
    tolerance: Tolerance = field(default_factory=Tolerance)

    def alarms(self, seen: MeasuredPairs) -> list[Alarm]:
        """Everything about a block that raises an alarm.

        Examples:
            >>> import numpy as np
            >>> from quantum_fabric.physics.qkd.attacks import InterceptResend
            >>> from quantum_fabric.physics.qkd.pair_clicks import sample_pairs
            >>> good = (0.97, 0.01, 0.01, 0.01)
            >>> seen = sample_pairs(good, 8000, np.random.default_rng(1), "e91", 0.5, InterceptResend())
            >>> [alarm.name for alarm in PairExpectation(good).alarms(seen)]
            ['error rate', 'error rate', 'CHSH value']
        """
        equal, found = agreement(self.weights), []
        for name, basis in (("Z", 0), ("X", 1), ("Y", 2)):
            wrong, compared = seen.error_rates()[name]
            if compared:
                honest = float(1.0 - equal[basis, basis])
                says = f"{wrong / compared:.2%} of the bits in {name} differ, {honest:.2%} declared"
                found.append(
                    _judge("error rate", wrong, compared, 0.0, min(honest + self.tolerance.error, 1.0), says)
                )
        found.append(self._chsh(seen))
        return [alarm for alarm in found if alarm is not None]

    def _chsh(self, seen: MeasuredPairs) -> Alarm | None:
        value, sizes = seen.chsh()
        if min(sizes) == 0:
            return None
        table = agreement(self.weights)
        declared = sum(
            sign * (2.0 * float(table[a, b]) - 1.0)
            for a, b, sign in ((Z, PLUS, 1), (Z, PLUS + 1, 1), (X, PLUS, 1), (X, PLUS + 1, -1))
        )
        low = declared - self.tolerance.chsh
        if value >= low:
            return None
        # S is a sum of independent terms of weight 2/n each and range 1 (Hoeffding)
        chance = math.exp(-2.0 * (low - value) ** 2 / sum(4.0 / n for n in sizes))
        if chance > ALARM_CHANCE:
            return None
        says = f"S = {value:.3f}, {declared:.3f} declared; without entanglement at most 2"
        return Alarm("CHSH value", value, low, declared, sum(sizes), chance, says)


def correction_alarm(failed: Sequence[bool], high: float = Tolerance().correction) -> Alarm | None:
    """Whether error correction fails more often than the engines do: somebody changes what the ends say to each other.

    One such block is no alarm: correction may fail without an enemy.

    Args:
        failed: of the last blocks that were corrected, whether the strings still differed.
        high: share of such blocks that is no alarm.

    Examples:
        >>> correction_alarm([True, True, True]) is None, correction_alarm([False] * 6 + [True] * 4) is None
        (True, True)
        >>> correction_alarm([True] * 4).evidence
        'error correction failed in 4 of the last 4 blocks'
    """
    found = sum(failed)
    says = f"error correction failed in {found} of the last {len(failed)} blocks"
    return _judge("verification", found, len(failed), 0.0, high, says) if failed else None


def _judge(name: str, found: int, trials: int, low: float, high: float, says: str) -> Alarm | None:
    chance = tail(found, trials, low, high)
    if chance > ALARM_CHANCE:
        return None
    return Alarm(name, found / trials, low, high, trials, chance, says)


def _errors(counts: Table) -> tuple[float, float]:
    """(wrong, compared) in the test basis; a double click is wrong half the time."""
    test = counts[:, 1, :, 1, :].sum(axis=0)
    wrong = test[0, 2:4].sum() + test[1, 0:2].sum() + test[:, 4].sum() / 2.0
    return (float(wrong), float(test.sum()))
