"""Collecting a block of pairs in a window of fixed length: exact order statistics, and the state of what was collected.

Each of m lanes tries until it has a pair and then keeps it; a block needs n of them (after purification). At the end of the window
both ends know how many they have, without asking anybody else; that is what makes encoded repeaters fast.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from quantum_fabric.errors import QuantityError
from quantum_fabric.messages import Correlators


def filled(success: float, attempts: int) -> float:
    """Probability that one lane has its pair after so many attempts: ``1 - (1-p)^K``.

    Examples:
        >>> round(filled(0.1, 2), 12), filled(1.0, 1), filled(0.5, 0)
        (0.19, 1.0, 0.0)
    """
    if attempts <= 0 or success <= 0.0:
        return 0.0
    return 1.0 if success >= 1.0 else -math.expm1(attempts * math.log1p(-success))


def binomial(trials: int, chance: float) -> list[float]:
    """Probabilities of 0..trials successes.

    Examples:
        >>> binomial(2, 0.5)
        [0.25, 0.5, 0.25]
    """
    return [math.comb(trials, k) * chance**k * (1.0 - chance) ** (trials - k) for k in range(trials + 1)]


def block_chance(lanes: int, chance: float, rounds: Sequence[float], needed: int) -> float:
    """Probability that a block is complete: at least n pairs left of m lanes.

    Equation: the n-th order statistic of m lanes, ``P(Bin(m, s) >= n)`` with s from `filled`; a round of purification leaves
    ``Bin(floor(S/2), q)`` of S pairs.

    Args:
        lanes: m, at least 1.
        chance: s, that a lane has its pair by the end of the window.
        rounds: success probability q of each round of purification, in order; none for raw pairs.
        needed: n, at least 1.

    Raises:
        QuantityError: no lanes, or nothing needed.

    Examples:
        >>> round(block_chance(3, 0.5, (), 3), 12), round(block_chance(3, 0.5, (), 2), 12)
        (0.125, 0.5)
        >>> round(block_chance(2, 0.5, (0.8,), 1), 12)  # both lanes, then one round
        0.2
    """
    if lanes < 1 or needed < 1:
        raise QuantityError(f"{lanes} lanes for {needed} pairs", "at least one of each", "block")
    law = binomial(lanes, chance)
    for q in rounds:
        after = [0.0] * (len(law) // 2 + 1)
        for have, p in enumerate(law):
            for left, share in enumerate(binomial(have // 2, q)):
                after[left] += p * share
        law = after
    return min(1.0, math.fsum(law[needed:]))


def mean_attempts(success: float, lanes: int, needed: int) -> float:
    """Mean number of attempts until n of m lanes have their pair: the mean of the n-th order statistic of geometric laws.

    Equation: ``E = Σ_t P(T > t)`` with ``P(T <= t) = P(Bin(m, 1-(1-p)^t) >= n)``, summed until nothing is added any more (an
    alternating sum over lanes would lose its digits).

    Args:
        success: p, in (0, 1].
        lanes: m.
        needed: n, from 1 to m.

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> round(mean_attempts(0.1, 2, 2), 9), round(mean_attempts(0.25, 1, 1), 9)  # the slower of two: 280/19
        (14.736842105, 4.0)
    """
    if not 0.0 < success <= 1.0 or not 1 <= needed <= lanes:
        raise QuantityError(f"{needed} of {lanes} lanes at {success}", "0 < p <= 1 and 1 <= n <= m", "block")
    total, x = 0.0, 1.0
    while True:
        done = 1.0 - x
        tail = math.fsum(binomial(lanes, done)[:needed])
        total += tail
        x *= 1.0 - success
        if tail < 1e-16 * total or x == 0.0:
            return total


def collected(
    fresh: Correlators, rates: tuple[Correlators, Correlators], success: float, attempts: int, period: float,
    ages: tuple[float, float],
) -> Correlators:  # fmt: skip
    """Mean correlators at the end of the window of a pair that was born in one of its attempts.

    Equation: attempt k of K has the chance ``p (1-p)^(k-1) / (1-(1-p)^K)``, whatever the other lanes did; the pair's halves are
    then ``age + (K-k) period`` old, and each correlator decays with the sum of their rates: a geometric series.

    Args:
        fresh: correlators at birth.
        rates: decay rates of the halves at both ends (x, y, z; 1/s).
        success: p of one attempt, in (0, 1].
        attempts: K, at least 1.
        period: between attempts (s).
        ages: of the two halves at the end of the window, had the pair been born in the last attempt (s).

    Examples:
        >>> decay = (1.0, 1.0, 0.0)
        >>> x, y, z = collected((1.0, 1.0, 1.0), (decay, decay), 1.0, 1, 0.5, (0.1, 0.2))
        >>> round(x, 6) == round(math.exp(-0.3), 6), z
        (True, 1.0)
    """
    whole = filled(success, attempts)
    out = []
    for axis in range(3):
        a, b = rates[0][axis], rates[1][axis]
        step = math.exp(-(a + b) * period)
        # Σ_{j=0}^{K-1} p (1-p)^(K-1-j) step^j, j attempts before the end
        miss = 1.0 - success
        if attempts > 1 and abs(step - miss) > 1e-9 * step:
            series = success * (step**attempts - miss**attempts) / (step - miss)
        else:
            series = success * attempts * step ** (attempts - 1)
        out.append(fresh[axis] * math.exp(-(a * ages[0] + b * ages[1])) * series / whole)
    return (out[0], out[1], out[2])
