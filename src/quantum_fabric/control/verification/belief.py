"""What is known of the fidelity of pairs that are made one like the other, from calibrations and tests: a mixture of explanations.

The unknowns are three logarithms x, y, z: by what factor the loss of each correlator differs from what is believed
(``c = q^exp(x)``), and one more, the error of the believed readout contrast. Explanations differ in how far the calibrations may be
off and in whether the losses wander; one of them believes no model at all and has only the counts. Each foretells every test before
it is seen, and what it foretold decides its weight (Bayes). So the calibrations carry young estimates, count for less the older they
are, and count for nothing once tests contradict them. Whatever holds may end at once (`quantum_fabric.control.verification.jumps`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import log
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.control.verification.jumps import BLOCK, JUMP, Runs, log_sum
from quantum_fabric.control.verification.policy import Verification
from quantum_fabric.control.verification.readout import Contrast
from quantum_fabric.messages import Correlators
from quantum_fabric.units import SECOND, Time

Array = NDArray[np.float64]

HOUR: Final = 3600.0

EXPLANATIONS: Final = (
    (1.0, 0.0, 0.365), (1.0, 1.0, 0.255), (1.0, 5.0, 0.08), (4.0, 0.0, 0.115), (4.0, 1.0, 0.10), (4.0, 5.0, 0.055),
    (0.0, 0.0, 0.01), (0.0, 5.0, 0.01),
)  # fmt: skip
"""(how many tolerances the calibrations may be off, 0 for WIDE; how many times the stated drift; weight)."""

FREE: Final = 0.01
"""Weight of the explanation without a model. With more than the tail of an interval it would make every young one useless."""

CALIBRATED: Final = 2
"""So many explanations, the first, take the calibrations to be right to their tolerance."""

ANCHORED: Final = 3
"""So many take them to have been right when they were made."""

WEIGHTS: Final = (*(weight for _, _, weight in EXPLANATIONS), FREE)
"""Of all explanations before any test."""

STEADY: Final = (*(n for n, (_, drift, _) in enumerate(EXPLANATIONS) if drift <= 1.0), len(EXPLANATIONS))
"""Explanations in which nothing wanders faster than is stated, the one without a model included."""

PLAUSIBLE: Final = log(0.01)
"""An explanation is plausible while it is not a hundred times less likely than the best of `STEADY`."""

WIDE: Final = 0.7
"""Standard deviation of the logarithm of a loss about which only its order is believed."""

COMMON: Final = 0.5
"""Part of the variance of a loss that all three correlators have in common."""

FLOOR: Final = 0.01
"""Loss that may be there although none is believed: a relative error of 0 would stay 0."""

POINTS: Final = 401
"""Correlators that the explanation without a model tells apart."""


class Outlook(NamedTuple):
    """Of the mean fidelity.

    Attributes:
        fidelity: the posterior mean.
        low, high: the interval.
        measured_low, measured_high: the interval without any model.
        below: probability that it is below what was asked for.
        changed: probability that what holds now came all at once, after the calibrations; the interval has it in.
    """

    fidelity: float
    low: float
    high: float
    measured_low: float
    measured_high: float
    below: float
    changed: float = 0.0


@cache
def _nodes() -> tuple[Array, Array, Array]:
    """Quadrature for two independent standard normals: 11 points of one, 5 of the other."""
    one, weight_one = np.polynomial.hermite_e.hermegauss(11)
    two, weight_two = np.polynomial.hermite_e.hermegauss(5)
    weights = np.outer(weight_one, weight_two).ravel()
    return np.repeat(one, 5), np.tile(two, 11), weights / weights.sum()


@cache
def _normals() -> Array:
    """512 fixed points for three standard normals, a quadrature rule: evenly mirrored, mean 0 and unit covariance exactly."""
    half = np.random.Generator(np.random.Philox(key=5)).standard_normal((256, 3))
    both = np.concatenate([half, -half])
    spread = np.linalg.cholesky(both.T @ both / len(both))
    points: Array = np.linalg.solve(spread, both.T).T
    return points


def _wander() -> Array:
    """Correlation of the three losses."""
    return COMMON * np.ones((3, 3)) + (1.0 - COMMON) * np.eye(3)


class Belief:
    """Of one path.

    Args:
        policy: what calibrations are worth.
        tolerance: relative error of the believed losses, two standard deviations.
        age: of the calibrations, ps.
        at: now, ps.
        trusting: False where the calibrations are known to be wrong.
        weights: of the explanations and the one without a model, where more is known of them than `WEIGHTS`.
        jumps: sudden changes per hour, where more is known of them than the policy says.

    Attributes:
        tests: so far.
        hours: that they span.

    Examples:
        >>> belief = Belief(Verification(), 0.05, age=0, at=0)
        >>> young = belief.outlook((0.9, 0.9, 0.9))
        >>> for number in range(300):
        ...     _ = belief.observe(number % 3, number % 20 != 0, (0.9, 0.9, 0.9), Contrast(1.0, 0.0, 0.0), number * SECOND)
        >>> old = belief.outlook((0.9, 0.9, 0.9))
        >>> old.measured_high - old.measured_low < young.measured_high - young.measured_low
        True
        >>> old.low < 0.925 < old.high
        True
    """

    def __init__(
        self, policy: Verification, tolerance: float, age: Time, at: Time, trusting: bool = True,
        weights: Sequence[float] | None = None, jumps: float | None = None,
    ) -> None:  # fmt: skip
        self.confidence = policy.confidence
        self.tests = 0
        self.hours = 0.0
        self._at = at
        models = np.array(EXPLANATIONS)
        prior = np.array(WEIGHTS if weights is None else weights, dtype=float)
        if not trusting:
            prior[:ANCHORED] = 0.0
        with np.errstate(divide="ignore"):
            self.prior: Array = np.log(prior / prior.sum())
        self.evidence: Array = np.zeros(len(prior))
        scale = np.where(models[:, 0] > 0.0, models[:, 0] * tolerance / 2.0, WIDE)
        self._rates: Array = (models[:, 1] * policy.drift) ** 2 / HOUR
        self._runs = Runs(len(prior), policy.jumps if jumps is None else jumps, policy.drift**2 / HOUR)
        aged = policy.drift**2 * max(age, 0) / SECOND / HOUR
        self._mean: Array = np.zeros((len(models), 4))
        self._cov: Array = np.zeros((len(models), 4, 4))
        self._cov[:, :3, :3] = (scale**2 + aged)[:, None, None] * _wander()
        self._spread = 0.0
        self._grid: Array = np.linspace(-1.0, 1.0, POINTS)
        self._free: Array = np.ones((3, POINTS)) / POINTS
        self._touched = [False, False, False]

    # ------------------------------------------------------------------------------------------- weights

    @property
    def weights(self) -> Array:
        """Posterior probabilities of the explanations, the one without a model last: what is missing to 1 are sudden changes."""
        logs = self.prior + self.evidence
        found: Array = np.exp(logs - self._total())
        return found

    @property
    def began(self) -> Array:
        """Posterior probabilities of what held at first, before any sudden change."""
        return self.weights + np.exp(self._runs.logs - self._total()) @ self._runs.origins

    @property
    def evidence_jumped(self) -> Array:
        """As `evidence`, if something has changed at once since the beginning; whatever its rate."""
        if not len(self._runs.logs):
            return self.evidence
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(np.exp(self._runs.logs - self._runs.logs.max()) @ self._runs.origins) - self.prior
        odds = float(np.log(np.expm1(self._runs.hazard * self.hours)))
        return np.where(np.isfinite(self.prior), logs + self._runs.logs.max() - odds, self.evidence)

    @property
    def changed(self) -> float:
        """Probability that there was a sudden change."""
        return float(np.exp(self._runs.logs - self._total()).sum())

    @property
    def trust(self) -> float:
        """Probability that the calibrations are right to their tolerance."""
        return float(self.weights[:CALIBRATED].sum())

    @property
    def against(self) -> float:
        """Logarithm of how many times likelier the tests are if the calibrations are wrong.

        While they are right this ratio is a martingale of mean 1, so the chance that it ever reaches A is at most 1/A (Ville 1939).
        """
        if not np.isfinite(self.prior[0]):
            return 0.0
        one, other = slice(0, CALIBRATED), slice(CALIBRATED, None)
        return _log_mean(self.prior[other], self.evidence[other]) - _log_mean(
            self.prior[one], self.evidence[one]
        )

    def _total(self) -> float:
        return log_sum(np.concatenate([self.prior + self.evidence, self._runs.logs]))

    def drop(self) -> None:
        """The calibrations count for nothing any more."""
        self.prior[:CALIBRATED] = -np.inf

    # --------------------------------------------------------------------------------------------- tests

    def observe(self, basis: int, agree: bool, quality: Correlators, seen: Contrast, at: Time) -> float:
        """One test.

        Args:
            basis: 0, 1 or 2 for X, Y or Z.
            agree: its result.
            quality: what was believed of the pair.
            seen: contrast of the two measurements.
            at: when, ps.

        Returns:
            The least chance of agreement that was foretold by what is plausible, if nothing changes at once nor wanders faster than
            is stated.
        """
        self._age(at)
        if self.tests % BLOCK == 0:
            self._jump()
        self._uncertain(seen.spread)
        foretold, chances = self._follow(basis, agree, quality[basis], seen)
        free = self._count(basis, agree, seen)
        models, chance = len(EXPLANATIONS), np.append(foretold[: len(EXPLANATIONS)], free[0])
        sure = (self.prior + self.evidence)[list(STEADY)]
        steady = float(chance[list(STEADY)][sure >= sure.max() + PLAUSIBLE].min())
        self.evidence += np.log(np.append(chances[:models], free[1]))
        self._runs.logs += np.log(chances[models:])
        self.tests += 1
        return steady

    def _age(self, at: Time) -> None:
        """Losses that wander have wandered since the last test, and may have jumped."""
        waited = max(0, at - self._at) / SECOND
        if waited > 0.0:
            self._at = at
            self.hours += waited / HOUR
            self._runs.waited += waited / HOUR
            self._cov[:, :3, :3] += (self._rates * waited)[:, None, None] * _wander()

    def _jump(self) -> None:
        """What may have begun since the last time that this was asked is one more explanation."""
        chance = self._runs.chance
        if chance <= 0.0:
            return
        mean, cov = self._after_jump()
        weights = self.began
        born = self._total() + float(np.log(chance) - np.log1p(-chance))
        self._mean, self._cov = np.append(self._mean, mean[None], 0), np.append(self._cov, cov[None], 0)
        self._runs.born(born, weights)
        models = len(EXPLANATIONS)
        merged = self._runs.merged(self._mean[models:], self._cov[models:])
        if merged is not None:
            self._mean = np.concatenate([self._mean[:models], merged[0]])
            self._cov = np.concatenate([self._cov[:models], merged[1]])
        self._rates = np.append(self._rates[:models], np.full(len(self._runs.logs), self._runs.rate))

    def _after_jump(self) -> tuple[Array, Array]:
        """Moments after a sudden change now: those of all that may hold, and `JUMP` more."""
        share = self._shares()
        share = share / share.sum() if share.sum() > 0.0 else np.full(len(share), 1.0 / len(share))
        mean = share @ self._mean
        off = self._mean - mean
        cov = np.einsum("m,mij->ij", share, self._cov) + np.einsum("m,mi,mj->ij", share, off, off)
        cov[:3, :3] += JUMP**2 * _wander()
        return mean, cov

    def _shares(self) -> Array:
        """Posterior probabilities of all that have moments."""
        return np.concatenate([self.weights[:-1], np.exp(self._runs.logs - self._total())])

    def _uncertain(self, spread: float) -> None:
        """The contrast is one number for the whole path: its uncertainty is put in once."""
        if spread > self._spread:
            self._cov[:, 3, 3] += spread**2 - self._spread**2
            self._spread = spread

    def _follow(self, basis: int, agree: bool, believed: float, seen: Contrast) -> tuple[Array, Array]:
        """Moments of (x_basis, contrast) by quadrature, of the rest by regression on them (assumed-density filtering)."""
        one, two, weight = _nodes()
        pick = [basis, 3]
        part = self._cov[:, pick][:, :, pick]
        side = np.sqrt(np.maximum(part[:, 0, 0], 1e-12))
        cross = part[:, 0, 1] / side
        rest = np.sqrt(np.maximum(part[:, 1, 1] - cross**2, 1e-12))
        off_x = side[:, None] * one
        off_c = cross[:, None] * one + rest[:, None] * two
        correlator = _correlator(believed, self._mean[:, basis, None] + off_x)
        kept = seen.kept * (1.0 + self._mean[:, 3, None] + off_c)
        yes = np.clip(0.5 * (1.0 + seen.lean + kept * correlator), 1e-6, 1.0 - 1e-6)
        foretold = yes @ weight
        mass = (yes if agree else 1.0 - yes) * weight
        chance = mass.sum(axis=1)
        mass /= chance[:, None]
        mean_x, mean_c = (mass * off_x).sum(axis=1), (mass * off_c).sum(axis=1)
        moved = np.stack([mean_x, mean_c], axis=1)
        new = np.empty_like(part)
        new[:, 0, 0] = (mass * off_x**2).sum(axis=1) - mean_x**2
        new[:, 1, 1] = (mass * off_c**2).sum(axis=1) - mean_c**2
        new[:, 0, 1] = new[:, 1, 0] = (mass * off_x * off_c).sum(axis=1) - mean_x * mean_c
        old = np.empty_like(part)
        old[:, 0, 0], old[:, 1, 1] = side**2, cross**2 + rest**2
        old[:, 0, 1] = old[:, 1, 0] = side * cross
        gain = self._cov[:, :, pick] @ np.linalg.inv(old)
        self._mean += (gain @ moved[:, :, None])[:, :, 0]
        self._cov += gain @ (new - old) @ gain.transpose(0, 2, 1)
        return foretold, chance

    def _count(self, basis: int, agree: bool, seen: Contrast) -> tuple[float, float]:
        """What the explanation without a model foretold (agreement, what happened), and its new distribution."""
        yes = np.clip(0.5 * (1.0 + seen.lean + seen.kept * self._grid), 1e-6, 1.0 - 1e-6)
        row = self._free[basis]
        if not self._touched[basis]:  # Jeffreys' prior of a chance, as far as a correlator can make it
            row = 1.0 / np.sqrt(np.maximum(yes * (1.0 - yes), 1e-4))
            row /= row.sum()
            self._touched[basis] = True
        foretold = float(row @ yes)
        row = row * (yes if agree else 1.0 - yes)
        chance = float(row.sum())
        self._free[basis] = row / chance
        return foretold, chance

    # ------------------------------------------------------------------------------------------ estimate

    def outlook(self, quality: Correlators, asked: float = 0.0, at: Time | None = None) -> Outlook:
        """Of the mean fidelity of pairs of which this is believed.

        Args:
            quality: the mean of their believed correlators.
            asked: fidelity that was asked for.
            at: for when, ps; for the last test where it is not given.
        """
        if at is not None:
            self._age(at)
        mean, cov = self._after_jump()
        fresh = self._runs.chance
        root = np.linalg.cholesky(np.append(self._cov, cov[None], 0)[:, :3, :3] + 1e-12 * np.eye(3))
        x = np.append(self._mean, mean[None], 0)[:, None, :3] + _normals() @ root.transpose(0, 2, 1)
        total = np.ones(x.shape[:2])
        for axis in range(3):
            total += _correlator(quality[axis], x[:, :, axis])
        shares = np.append((1.0 - fresh) * self._shares(), fresh)
        values, sizes = total.ravel() / 4.0, np.repeat(shares / x.shape[1], x.shape[1])
        grid, free = self._counted()
        low, high = quantiles(grid, free, self.confidence)
        everything = np.concatenate([values, grid])
        masses = np.concatenate([sizes, (1.0 - fresh) * self.weights[-1] * free])
        down, up = quantiles(everything, masses, self.confidence)
        below = float(masses[everything < asked].sum())
        changed = fresh + (1.0 - fresh) * self.changed
        return Outlook(float(everything @ masses), down, up, low, high, below, changed)

    def _counted(self) -> tuple[Array, Array]:
        """The distribution of the fidelity without a model: three independent correlators."""
        sums = np.convolve(np.convolve(self._free[0], self._free[1]), self._free[2])
        fidelity = (1.0 + np.linspace(-3.0, 3.0, len(sums))) / 4.0
        keep = fidelity >= 0.0
        return fidelity[keep], sums[keep] / sums[keep].sum()


def _correlator(believed: float, x: Array) -> Array:
    """``q^exp(x)``, with a small loss that scales with it where none is believed."""
    loss = -log(min(max(believed, 1e-4), 1.0))
    found: Array = np.exp(np.minimum(-loss * np.exp(x) - FLOOR * np.expm1(x), 0.0))
    return found


def _log_mean(prior: Array, evidence: Array) -> float:
    """Logarithm of the mean of exp(evidence), weighted by exp(prior)."""
    top = evidence.max()
    share = np.exp(prior)
    return float(top + np.log((share * np.exp(evidence - top)).sum() / share.sum()))


def quantiles(values: Array, masses: Array, confidence: float) -> tuple[float, float]:
    """Both ends of the central interval of a discrete distribution, interpolated between its points.

    Examples:
        >>> low, high = quantiles(np.linspace(0.0, 1.0, 1001), np.full(1001, 1 / 1001), 0.9)
        >>> round(low, 3), round(high, 3)
        (0.05, 0.95)
    """
    order = np.argsort(values)
    sums = np.cumsum(masses[order]) - 0.5 * masses[order]
    tail = 0.5 * (1.0 - confidence)
    low, high = np.interp([tail, 1.0 - tail], sums / masses.sum(), values[order])
    return float(low), float(high)
