"""Long tails: times that one delivery in a million takes, and fidelities that one pair in a million has.

Plain sampling sees nothing of them. Multilevel splitting on elapsed time does: copies of a run go on together, the half that was
quickest is given up, and the others are forked in their place with fresh futures, again and again. Each copy that is given up is a
sample of the law with a known weight. Weights sum to the right share on average, whatever the levels, also where times lie on a
grid and many are equal; independent repetitions say how sure that is.

References:
    Cérou, Guyader, *Adaptive multilevel splitting for rare event analysis*, Stoch. Anal. Appl. 25, 417 (2007).
    Bréhier, Gazeau, Goudenège, Lelièvre, Rousset, *Unbiasedness of some generalized adaptive multilevel splitting algorithms*,
    Ann. Appl. Probab. 26, 3559 (2016): all copies up to the level are given up, ties included.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from quantum_fabric.errors import InputError, QuantityError, StateError, UnknownNameError
from quantum_fabric.montecarlo.running import AUTO, FOREVER, NONE, opened
from quantum_fabric.montecarlo.samplers import Asked, asap
from quantum_fabric.montecarlo.scenario import Integers, Reals, Scenario
from quantum_fabric.native import look
from quantum_fabric.units import Time

TIMED: Final = ("pair", "interval", "end")
"""What may be timed: a pair from the request, a pair from the pair before it, the session's end from the request."""

DEEPEST = 1e-30
"""Share of a law that nobody asks for."""

NEVER: Final = (1 << 63) - 1
"""The time of what does not come."""

MOST_COPIES = 10**7
"""Copies times repetitions that nobody waits for."""

LEAST_SEEN = 20
"""Samples beyond a fidelity without which nothing is said of it."""

CLASSES: Final = {"bell-diagonal": "BellDiagonalTail", "x": "XTail", "exact": "ExactTail"}
"""Which of the kernel's classes keeps states in which way."""


class Interval(NamedTuple):
    """A number and where it lies with the confidence that was asked for."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Tail:
    """Weighted samples of how long something took, far into the tail.

    Attributes:
        digest: of the scenario.
        seed: of the draws.
        timed: one of `TIMED`.
        copies, repetitions: how many copies each of how many independent repetitions held.
        times: ps, shape (samples,); `NEVER` where it did not come before the run ended.
        weights: of the samples, shape (samples,); those of a repetition sum to 1, or to less where it ran dry.
        fidelities: true fidelity of the pair, shape (samples,); negative where there is no pair.
        owners: number of the repetition of each sample, shape (samples,).
        lost: weight of the level that no copy was slower than, by repetition; 0 for none.
        reach: share of the law down to which there are levels.
        bound: ps that it cannot take longer than; `NEVER` where nothing bounds it.
        events, runs: what it took.
        engine: what made the runs.
    """

    digest: str
    seed: int
    timed: str
    copies: int
    repetitions: int
    times: Integers
    weights: Reals
    fidelities: Reals
    owners: Integers
    lost: Reals
    reach: float
    bound: Time
    events: int
    runs: int
    engine: str = "native"

    def __repr__(self) -> str:
        return f"Tail({self.timed}, to {self.reach:g}, {self.repetitions} x {self.copies} copies, scenario {self.digest[:8]})"

    def survival(self, time: float, confidence: float = 0.95) -> Interval:
        """Probability that it takes longer than a time.

        Args:
            time: s.
            confidence: that the interval holds it.
        """
        later = np.where(self.times > round(time * 1e12), self.weights, 0.0)
        shares = np.bincount(self.owners, later, self.repetitions)
        mean, error = float(shares.mean()), float(shares.std(ddof=1)) / math.sqrt(self.repetitions)
        if mean == 0.0:
            return Interval(0.0, 0.0, self._unseen(confidence))
        factor = math.exp(_width(self.repetitions, confidence) * error / mean)
        return Interval(mean, mean / factor, min(1.0, mean * factor))

    def quantile(self, beyond: float, confidence: float = 0.95) -> Interval:
        """The shortest time (s) that it exceeds with at most this probability; infinite where it may never come.

        Args:
            beyond: the probability, from `reach` to 1.
            confidence: that the interval holds the true quantile.

        Raises:
            QuantityError: a probability that is not in this range.

        Limits:
            The interval holds those times that the interval of the survival there does not exclude. That one takes the logarithm of
            the mean over repetitions as normal, by the delta method: take some hundred copies.
        """
        self._check(beyond)
        places, mean, factor = self._curve(self.times, confidence)
        top = np.where(mean > 0.0, mean * factor, self._unseen(confidence))
        ends = [_first(places, curve, beyond) for curve in (mean, mean / factor, top)]
        value, low, high = (min(end, float(self.bound)) for end in ends)
        return Interval(*(each / 1e12 if each < NEVER else math.inf for each in (value, low, high)))

    def fidelity_quantile(self, below: float, confidence: float = 0.95) -> Interval:
        """The highest fidelity that a pair falls short of with at most this probability.

        Args:
            below: the probability, from `reach` to 1.
            confidence: that the interval holds the true quantile.

        Raises:
            QuantityError: a probability that is not in this range.
            StateError: too few samples are so poor, or it is a session's end that was timed.

        Limits:
            Levels of time lead to pairs that are poor because they waited, counted from where the clock started. That is so for first
            pairs. A pair that is poor for another reason (a rare herald with a poor state of its own, a half that was stored long
            before the clock started) is found no more often than by plain sampling; where too few are found, nothing is said.
        """
        self._check(below)
        if self.timed == "end":
            raise StateError("the end of a session has no fidelity: time a pair")
        keys = np.where(self.fidelities < 0.0, -2.0, -np.round(self.fidelities, 12))
        places, mean, factor = self._curve(keys, confidence)
        value, high, low = (-_first(places, curve, below) for curve in (mean, mean / factor, mean * factor))
        poor = self.owners[keys >= -value]
        if len(poor) < LEAST_SEEN or len(np.unique(poor)) < self.repetitions / 2:
            raise StateError(
                f"only {len(poor)} samples are as poor as one pair in {1 / below:.3g}: take more copies"
            )
        return Interval(value, low, high)

    def _check(self, share: float) -> None:
        if not self.reach <= share < 1.0:
            raise QuantityError(repr(share), f"a probability from {self.reach:g} to 1", "quantile")

    def _unseen(self, confidence: float) -> float:
        """What the share of something may be that no copy did at a level that all repetitions had reached (the rule of three)."""
        return float(self.lost.mean()) * -math.log(1.0 - confidence) / (self.copies * self.repetitions)

    def _curve(self, values: Reals | Integers, confidence: float) -> tuple[Reals, Reals, Reals]:
        """Share above each of the values that there are: mean over repetitions, and the factor to the ends of its interval."""
        places, where = np.unique(values, return_inverse=True)
        total, square = np.zeros(len(places)), np.zeros(len(places))
        for one in range(self.repetitions):
            mine = self.owners == one
            at = np.bincount(where[mine], self.weights[mine], len(places))
            above = np.append(np.cumsum(at[:0:-1])[::-1], 0.0)
            total += above
            square += above * above
        count = self.repetitions
        mean = total / count
        error = np.sqrt(np.maximum(square / count - mean * mean, 0.0) / (count - 1))
        relative = np.divide(error, mean, out=np.zeros_like(mean), where=mean > 0.0)
        return (
            places.astype(np.float64),
            mean,
            np.exp(np.minimum(_width(count, confidence) * relative, 700.0)),
        )


def tail(
    scenario: Scenario,
    *,
    reach: float = 1e-6,
    timed: str = "pair",
    pair: int = 1,
    session: int = 0,
    seed: int = 0,
    copies: int = 400,
    repetitions: int = 20,
    workers: int | None = None,
    until: Time = FOREVER,
    beliefs: bool = True,
    sampler: str = AUTO,
) -> Tail:
    """Sample the long tail of a scenario.

    Args:
        scenario: what to run.
        reach: share of the law that quantiles will be asked for at most, such as 1e-6.
        timed: ``"pair"``: delivery of a pair since the request; ``"interval"``: since the pair before it; ``"end"``: the session.
        pair: which, from 1; of no meaning for the end.
        session: which of the scenario's.
        seed: of all draws. They have nothing to do with those of `simulate`.
        copies: of each repetition; the error of a probability falls as their root.
        repetitions: independent ones, of which the intervals are made; at least 5.
        workers: threads; all cores where it is not given. It changes no bit of the result.
        until: virtual time (ps) by which a copy ends at the latest; what has not come by then counts as later than all.
        beliefs: as `quantum_fabric.montecarlo.simulate`.
        sampler: ``"auto"`` takes the short events of `montecarlo.samplers.asap` where the scenario qualifies: the same law, ten times
            faster; ``"none"`` takes every event of the kernel.

    Raises:
        InputError: something is out of its range.
        UnknownNameError: another sampler.
        StateError: the native kernel is not installed.

    Limits:
        Every copy of a repetition is kept in memory, for each thread: some kB for a chain, some MB for a network of a thousand nodes.

    Examples:
        >>> from quantum_fabric import documents, ensemble
        >>> from quantum_fabric.messages import LinkRequest
        >>> lab = documents.inventory(documents.load_network("lab"))
        >>> found = tail(ensemble.scenario(lab, [(0, LinkRequest("Alice", "Bob", 0.8))]), reach=1e-3, copies=50)
        >>> first = found.quantile(1e-3)
        >>> first.low <= first.value <= first.high
        True
    """
    threads = os.cpu_count() or 1 if workers is None else workers
    sessions = len(scenario.sessions)
    checks: tuple[tuple[bool, str, object, str], ...] = (
        (DEEPEST <= reach < 1.0, "reach", reach, f"a probability from {DEEPEST:g} to 1"),
        (timed in TIMED, "timed", timed, f"one of {', '.join(TIMED)}"),
        (0 <= session < sessions, "session", session, f"one of the scenario's {sessions}"),
        (threads >= 1, "workers", threads, "at least 1"),
        (copies >= 10 and copies * repetitions <= MOST_COPIES, "copies", copies, f"from 10, and {MOST_COPIES:.0e} in all repetitions"),
        (repetitions >= 5, "repetitions", repetitions, "at least 5"),
    )  # fmt: skip
    for good, where, value, expected in checks:
        if not good:
            raise InputError(str(value), expected, where)
    asked = scenario.sessions[session]
    if not 1 <= pair <= asked.pairs:
        raise InputError(str(pair), f"from 1 to the {asked.pairs} that are asked for", "pair")
    if sampler not in (AUTO, NONE):
        raise UnknownNameError(repr(sampler), f"{AUTO} or {NONE}", "sampler")
    # kernels that were built before there were short events have none
    short = (
        getattr(look()[0], "asap_tail", None) if sampler == AUTO and not asap.objections(scenario) else None
    )
    number = 0 if timed == "end" else pair
    how = (number, timed == "interval", reach, copies, repetitions, min(threads, repetitions), until)
    if short is not None:
        chain = asap.tables(scenario, Asked(seed, 0, 1, 1, until, beliefs=beliefs))
        found = short(chain, str(seed), *how)
    else:
        run = opened(scenario, CLASSES)
        run.beliefs = beliefs
        found = run.split(str(seed), session, *how)
    bounded = timed == "end" and asked.deadline is not None
    bound = asked.deadline - asked.at if bounded and asked.deadline is not None else NEVER
    return Tail(
        scenario.digest, seed, timed, copies, repetitions, found["times"], found["weights"], found["fidelities"],
        found["repetitions"], found["lost"], reach, bound, found["events"], found["runs"],
        f"native (sampler: {asap.TITLE})" if short is not None else "native",
    )  # fmt: skip


def _width(count: int, confidence: float) -> float:
    """Standard errors on each side of a mean of so many repetitions: the quantile of Student's t.

    Examples:
        >>> round(_width(20, 0.95), 6), round(_width(9, 0.999), 6)
        (2.093024, 5.041305)
    """
    if not 0.0 < confidence < 1.0:
        raise QuantityError(repr(confidence), "a number in (0, 1)", "confidence")
    low, high = 0.0, math.pi / 2.0
    for _ in range(100):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _within(count - 1, middle) < confidence else (low, middle)
    return math.tan(low) * math.sqrt(count - 1)


def _within(freedom: int, angle: float) -> float:
    """Probability that Student's t lies within ±tan(angle)·√freedom: the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4."""
    cosine = math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(2 + odd, freedom, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    total *= math.sin(angle)
    return 2.0 / math.pi * (angle + total) if odd else total


def _first(places: Reals, curve: Reals, share: float) -> float:
    """The first place where a curve is at or below a share; infinite where there is none.

    Examples:
        >>> _first(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.1, 0.0]), 0.1)
        2.0
    """
    low = np.flatnonzero(curve <= share)
    return float(places[low[0]]) if len(low) else math.inf
