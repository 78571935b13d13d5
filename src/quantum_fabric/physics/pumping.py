"""Many rounds in a row: recurrence, entanglement pumping, and pumping nested in itself, with what they cost.

*Recurrence* joins equals: ``2^n`` pairs for n rounds, and n + 1 memories at each end. *Pumping* keeps one pair and spends fresh
ones on it, one after the other: two memories at each end are enough, but the fresh pair is never better than it was, so the fidelity
stops at a fixed point below one. *Nested pumping* pumps with pairs that were pumped themselves: one more memory for each level.
Before each round the best rotation is found, unless one is stated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_weights
from quantum_fabric.physics.frames import Rotation
from quantum_fabric.physics.noise import OperationNoise
from quantum_fabric.physics.purification import purify
from quantum_fabric.physics.rotations import best_rotations

TURNS_IN_VAIN = 1_000
"""Steps after which pumping is taken to go round in circles."""


@dataclass(frozen=True, slots=True, eq=False)
class Rounds:
    """What a series of rounds gives, round by round; entry 0 is the start.

    Attributes:
        weights: relative weights of the kept pair, shape ``(..., n + 1, 4)``.
        success: chance of success of each round, shape ``(..., n)``.
        pairs: elementary pairs that a kept pair has cost on average, failures included, shape ``(..., n + 1)``.
        rotations: of each round, for each pair of the flattened batch.
    """

    weights: Floats
    success: Floats
    pairs: Floats
    rotations: tuple[tuple[Rotation, ...], ...]

    @property
    def fidelity(self) -> Floats:
        """Fidelity after each round, shape ``(..., n + 1)``."""
        return self.weights[..., 0]

    @property
    def yields(self) -> Floats:
        """Kept pairs for each elementary pair, shape ``(..., n + 1)``; 0 where a round cannot succeed."""
        return np.where(np.isfinite(self.pairs), 1.0 / self.pairs, 0.0)


def recurrence(
    weights: ArrayLike,
    rounds: int,
    a: OperationNoise,
    b: OperationNoise,
    kind: str = "dejmps",
    rotation: Rotation | None = None,
    find: bool = True,
) -> Rounds:
    """Rounds between equals: both pairs of a round have had all the rounds before it.

    Args:
        weights: of an elementary pair, shape ``(..., 4)``.
        rounds: how many, at least 0.
        a: noise of the operations at one end.
        b: noise at the other end.
        kind: ``"dejmps"`` (no twirl) or ``"bbpssw"``.
        rotation: of every round; None finds the best for the rounds to come.
        find: False uses the protocol's own rotation where none is stated.

    Raises:
        QuantityError: not probability distributions, or a negative number of rounds.
        UnknownNameError: another kind, or axes that there are not.

    Equation: Deutsch et al., PRL 77, 2818 (1996); cost ``N_k = 2 N_(k-1) / p_k``.

    Examples:
        >>> from quantum_fabric.physics.bell import werner
        >>> from quantum_fabric.physics.noise import NOISELESS
        >>> made = recurrence(werner(0.8), 2, NOISELESS, NOISELESS)
        >>> made.fidelity.round(6).tolist(), made.pairs.round(3).tolist()
        ([0.8, 0.83815, 0.943639], [1.0, 2.601, 6.987])
    """
    fresh = check_weights(weights, "weights")
    state, cost = fresh, np.ones(fresh.shape[:-1])
    series = _Series(fresh, cost)
    for left in range(_count(rounds, "rounds"), 0, -1):
        p, state, turns = _round(kind, (state, state), (a, b), rotation, left if find else 0)
        cost = _share(2.0 * cost, p)
        series.add(p, state, cost, turns)
    return series.done()


def pumping(
    weights: ArrayLike,
    steps: int,
    a: OperationNoise,
    b: OperationNoise,
    kind: str = "dejmps",
    rotation: Rotation | None = None,
    find: bool = True,
    levels: int = 1,
) -> Rounds:
    """One pair is kept, and fresh ones are spent on it one after the other.

    Args:
        weights: of an elementary pair, shape ``(..., 4)``.
        steps: fresh pairs that are spent on the kept one, at least 0.
        a: noise of the operations at one end.
        b: noise at the other end.
        kind: ``"dejmps"`` (no twirl) or ``"bbpssw"``.
        rotation: of every step; None finds the best for the rounds to come.
        find: False uses the protocol's own rotation where none is stated.
        levels: 1 pumps with elementary pairs, 2 with pairs that were pumped ``steps`` times, and so on.

    Returns:
        The steps of the last level. A failure costs everything that was spent.

    Raises:
        QuantityError: not probability distributions, a negative number of steps, or no level.
        UnknownNameError: another kind, or axes that there are not.

    Equation: Dür, Briegel, Cirac & Zoller, PRA 59, 169 (1999); cost ``N_k = (N_(k-1) + N_fresh) / p_k``.

    Examples:
        >>> from quantum_fabric.physics.bell import werner
        >>> from quantum_fabric.physics.noise import NOISELESS
        >>> made = pumping(werner(0.8), 3, NOISELESS, NOISELESS)
        >>> made.fidelity.round(4).tolist()
        [0.8, 0.8382, 0.8874, 0.8954]
    """
    if levels < 1:
        raise QuantityError(found=str(levels), expected="1 or more levels", where="levels")
    fresh = check_weights(weights, "weights")
    price = np.ones(fresh.shape[:-1])
    for level in range(levels):
        state, cost = fresh, price
        series = _Series(state, cost)
        for left in range(_count(steps, "steps"), 0, -1):
            p, state, turns = _round(kind, (state, fresh), (a, b), rotation, left if find else 0, fresh)
            cost = _share(cost + price, p)
            series.add(p, state, cost, turns)
        if level < levels - 1:
            fresh, price = state, cost
    return series.done()


def pumping_limit(
    weights: ArrayLike,
    a: OperationNoise,
    b: OperationNoise,
    kind: str = "dejmps",
    rotation: Rotation | None = None,
    tolerance: float = 1e-12,
) -> Floats:
    """Weights at which pumping stops: another fresh pair changes nothing.

    Args:
        weights: of an elementary pair, shape ``(..., 4)``.
        a: noise of the operations at one end.
        b: noise at the other end.
        kind: ``"dejmps"`` or ``"bbpssw"``.
        rotation: of every step; None for the protocol's own.
        tolerance: change of a weight over *two* steps below which it stops (a rotation may swap two weights each step).

    Returns:
        Shape ``(..., 4)``.

    Raises:
        QuantityError: not probability distributions.
        UnknownNameError: another kind, or axes that there are not.

    Limits:
        By iteration. Where two weights change places each step, the one of the last step is returned; where the iteration has not come
        to rest after `TURNS_IN_VAIN` steps, so is that. With a rotation found anew in each step there need not be a limit.

    Examples:
        >>> from quantum_fabric.physics.bell import werner
        >>> from quantum_fabric.physics.noise import NOISELESS
        >>> pumping_limit(werner(0.9), NOISELESS, NOISELESS).round(4).tolist()
        [0.9602, 0.037, 0.0014, 0.0014]
    """
    fresh = check_weights(weights, "weights")
    before = state = fresh
    for _ in range(TURNS_IN_VAIN):
        after = purify(kind, state, fresh, a, b, None, rotation)[1]
        if float(np.max(np.abs(after - before), initial=0.0)) < tolerance:
            break
        before, state = state, after
    return after


class _Series:
    """Collects rounds."""

    def __init__(self, weights: Floats, cost: Floats) -> None:
        self._weights, self._success, self._costs = [weights], [], [cost]  # type: tuple[list[Floats], list[Floats], list[Floats]]
        self._turns: list[list[Rotation]] = []

    def add(self, success: Floats, weights: Floats, cost: Floats, turns: list[Rotation]) -> None:
        """One more round."""
        self._weights.append(weights)
        self._success.append(success)
        self._costs.append(cost)
        self._turns.append(turns)

    def done(self) -> Rounds:
        """The record."""
        batch = self._weights[0].shape[:-1]
        return Rounds(
            weights=np.stack(self._weights, axis=-2),
            success=np.stack(self._success, axis=-1) if self._success else np.empty((*batch, 0)),
            pairs=np.stack(self._costs, axis=-1),
            rotations=tuple(tuple(each) for each in self._turns),
        )


def _count(number: int, where: str) -> int:
    if number < 0:
        raise QuantityError(found=str(number), expected="0 or more", where=where)
    return number


def _share(cost: Floats, p: Floats) -> Floats:
    return np.divide(cost, p, out=np.full_like(cost, np.inf), where=p > 0.0)


def _round(
    kind: str,
    pairs: tuple[Floats, Floats],
    ends: tuple[OperationNoise, OperationNoise],
    rotation: Rotation | None,
    left: int,
    later: Floats | None = None,
) -> tuple[Floats, Floats, list[Rotation]]:
    """One round of a whole batch; where rotations are found (for so many rounds to come), each entry has its own."""
    keep, sacrifice = pairs
    if rotation is not None or left == 0:
        p, weights = purify(kind, keep, sacrifice, *ends, None, rotation)
        return p, weights, [rotation] * p.size if rotation is not None else []
    turns = best_rotations(keep, sacrifice, kind, *ends, "fidelity", left, later)
    p = np.empty(len(turns))
    weights = np.empty((len(turns), 4))
    rows = zip(keep.reshape(-1, 4), sacrifice.reshape(-1, 4), turns, strict=True)
    for index, (one, two, turn) in enumerate(rows):
        p[index], weights[index] = purify(kind, one, two, *ends, None, turn)
    return p.reshape(keep.shape[:-1]), weights.reshape(keep.shape), turns
