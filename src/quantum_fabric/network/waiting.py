"""Exact waiting times of repeater chains in steps: closed forms, and the nested recursion.

Convention: a link needs Geometric(p) integer steps (1, 2, ...); swaps and messages take no time; a failed swap destroys
both inputs and generation starts again at the next step.

Probabilities may be `fractions.Fraction`, which keeps everything rational, or floats, which are taken at their exact
binary value. Results are fractions, so that no cancellation can hide; `float()` rounds them once. Only `nested_mean` is
floating point. Chains that are no closed form are in `quantum_fabric.network.absorption`.

References: Shchukin, Schmidt, van Loock, PRA 100, 032322 (2019); Brand, Coopmans, Elkouss, IEEE JSAC 38, 619 (2020);
Coopmans, Brand, Elkouss, PRA 105, 012608 (2022).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import TypeAlias

import numpy as np

from quantum_fabric.errors import QuantityError

Number: TypeAlias = Fraction | float
"""A probability: a fraction, or a float that is taken at its exact binary value."""


def parallel_mean(success: Number, links: int) -> Fraction:
    """Mean of the slowest of n equal links, and of any chain with deterministic swaps.

    ``E = Σ_k C(n,k) (-1)^(k+1) / (1 - (1-p)^k)``, k = 1..n (inclusion-exclusion).

    Args:
        success: p in (0, 1].
        links: n, at least 1.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> parallel_mean(Fraction(1, 10), 2)
        Fraction(280, 19)
    """
    p = probability(success)
    _at_least_one(links, "links")
    return sum(
        (_sign(k) * math.comb(links, k) / (1 - (1 - p) ** k) for k in range(1, links + 1)), Fraction(0)
    )


def parallel_std(success: Number, links: int) -> float:
    """Standard deviation of the slowest of n equal links.

    From ``E[T²] = Σ_t (2t+1) P(T > t) = Σ_k C(n,k) (-1)^(k+1) (1+x) / (1-x)²`` with ``x = (1-p)^k``.

    Args:
        success: p in (0, 1].
        links: n, at least 1.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> round(parallel_std(0.5, 2), 7)
        1.6329932
    """
    p = probability(success)
    mean = parallel_mean(success, links)
    square = Fraction(0)
    for k in range(1, links + 1):
        x = (1 - p) ** k
        square += _sign(k) * math.comb(links, k) * (1 + x) / (1 - x) ** 2
    return math.sqrt(square - mean**2)


def parallel_cdf(success: Number, links: int, steps: int) -> Fraction:
    """Probability that all of n equal links are there after so many steps: ``(1 - (1-p)^t)^n``.

    Args:
        success: p in (0, 1].
        links: n, at least 1.
        steps: t, at least 0.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> parallel_cdf(Fraction(1, 2), 2, 2)
        Fraction(9, 16)
    """
    p = probability(success)
    _at_least_one(links, "links")
    if steps < 0:
        raise QuantityError(found=str(steps), expected="0 or more", where="steps")
    return (1 - (1 - p) ** steps) ** links


def heterogeneous_mean(successes: Sequence[Number]) -> Fraction:
    """Mean of the slowest of different links, by inclusion-exclusion over all subsets.

    Args:
        successes: p of each link, in (0, 1]; at most 16.

    Raises:
        QuantityError: no link, more than 16, or a probability outside its domain.

    Examples:
        >>> heterogeneous_mean([Fraction(1, 2), Fraction(1, 4)])
        Fraction(22, 5)
    """
    if not 1 <= len(successes) <= 16:
        raise QuantityError(found=str(len(successes)), expected="1 to 16 links", where="successes")
    misses = [1 - probability(success) for success in successes]
    total = Fraction(0)
    for size in range(1, len(misses) + 1):
        for subset in combinations(misses, size):
            total += _sign(size) / (1 - math.prod(subset))
    return total


def two_segments_mean(success: Number, swap: Number) -> Fraction:
    """Two links and a swap that succeeds with probability q: ``(3-2p) / (p (2-p) q)``.

    Args:
        success: p in (0, 1].
        swap: q in (0, 1].

    Raises:
        QuantityError: a probability outside its domain.

    Examples:
        >>> two_segments_mean(Fraction(1, 2), Fraction(3, 4))
        Fraction(32, 9)
    """
    return parallel_mean(success, 2) / probability(swap, "swap")


def nested_mean(success: float, swap: float, levels: int) -> float:
    """Mean time of a nested chain of 2^levels segments, swaps alone.

    The law of each level from the one below (Brand, Coopmans, Elkouss 2020): the later of two squares the distribution
    function, and a geometric number of tries turns its generating function m into ``q m / (1 - (1-q) m)``, here one
    division of spectra.

    Args:
        success: p in (0, 1].
        swap: q in (0, 1].
        levels: at least 0.

    Returns:
        Steps, to a relative error of 1e-9 where tabulated (p >= 1/100, q >= 1/2, levels <= 3).

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Memory grows with the mean time: 50 (3/2q)^(levels-1) / p steps are kept.

    Examples:
        >>> round(nested_mean(0.1, 0.5, 2), 8)
        84.81758041
    """
    p, q = float(probability(success)), float(probability(swap, "swap"))
    if levels < 0:
        raise QuantityError(found=str(levels), expected="0 or more", where="levels")
    if levels == 0:
        return 1.0 / p
    size = 1 << math.ceil(math.log2(50.0 * (1.5 / q) ** (levels - 1) / p + 64))
    below = -np.expm1(np.arange(size) * math.log1p(-p)) if p < 1.0 else np.minimum(np.arange(size), 1.0)
    for _ in range(levels - 1):
        spectrum = np.fft.rfft(np.diff(below**2, prepend=0.0))
        law = np.fft.irfft(q * spectrum / (1.0 - (1.0 - q) * spectrum), size)
        below = np.minimum(np.cumsum(law), 1.0)
    return float(np.sum(1.0 - below**2)) / q


def difference_chance(success: Number, steps: int) -> Fraction:
    """Probability that two equal links are so many steps apart: ``p/(2-p)`` for 0, ``2p(1-p)^k/(2-p)`` for k.

    Args:
        success: p in (0, 1].
        steps: k, at least 0.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> difference_chance(Fraction(1, 2), 1)
        Fraction(1, 3)
    """
    p = probability(success)
    if steps < 0:
        raise QuantityError(found=str(steps), expected="0 or more", where="steps")
    return (p if steps == 0 else 2 * p * (1 - p) ** steps) / (2 - p)


def decay(success: Number, factor: Number) -> Fraction:
    """Mean of ``λ^|T1-T2|``: what waiting for each other leaves of two equal links.

    ``p/(2-p) (1 + (1-p)λ) / (1 - (1-p)λ)``.

    Args:
        success: p in (0, 1].
        factor: λ in [0, 1], what one step leaves.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> decay(Fraction(1, 10), Fraction(1, 2))
        Fraction(29, 209)
    """
    p, x = probability(success), _factor(factor)
    return p / (2 - p) * (1 + (1 - p) * x) / (1 - (1 - p) * x)


def cutoff_mean(success: Number, cutoff: int | None) -> Fraction:
    """Mean time of two links when the older is thrown away after it has waited so many steps.

    ``(1 + 2(1-p)s) / (p (p + 2(1-p)s))``, ``s = 1 - (1-p)^m``; 1/p² for m = 0.

    Args:
        success: p in (0, 1].
        cutoff: m, at least 0; None for no cutoff.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> round(float(cutoff_mean(Fraction(1, 10), 5)), 9)
        20.751172475
    """
    p, s = probability(success), _inside(success, cutoff)
    return (1 + 2 * (1 - p) * s) / (p * (p + 2 * (1 - p) * s))


def cutoff_decay(success: Number, cutoff: int | None, factor: Number) -> Fraction:
    """Mean of ``λ^age`` of the older link when it meets its partner within the cutoff.

    Weights of age 0 and k: ``p²`` and ``2p²(1-p)^k``, k = 1..m.

    Args:
        success: p in (0, 1].
        cutoff: m, at least 0; None for no cutoff.
        factor: λ in [0, 1].

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> round(float(cutoff_decay(0.1, 5, math.exp(-1 / 20))), 9)
        0.887216432
    """
    p, x, s = probability(success), _factor(factor), _inside(success, cutoff)
    y = (1 - p) * x
    aged = y / (1 - y) * (1 if cutoff is None else 1 - y**cutoff)
    return (p + 2 * p * aged) / (p + 2 * (1 - p) * s)


def three_over_two(success: Number, swap: Number, levels: int) -> Fraction:
    """Upper bound ``(3/2q)^n / p`` on the mean time of a nested chain of 2^n segments (Coopmans et al. 2022).

    Limits:
        A bound and no reference: at 8 segments the true value is 66 to 92 % of it.

    Args:
        success: p in (0, 1].
        swap: q in (0, 1].
        levels: n, at least 0.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> three_over_two(Fraction(1, 2), 1, 1)
        Fraction(3, 1)
    """
    if levels < 0:
        raise QuantityError(found=str(levels), expected="0 or more", where="levels")
    return (Fraction(3, 2) / probability(swap, "swap")) ** levels / probability(success)


def _sign(k: int) -> Fraction:
    return Fraction(1 if k % 2 else -1)


def probability(value: Number, where: str = "success") -> Fraction:
    """A probability as a fraction.

    Raises:
        QuantityError: not in (0, 1].

    Examples:
        >>> probability(0.5)
        Fraction(1, 2)
    """
    if not 0 < value <= 1:
        raise QuantityError(found=str(value), expected="a probability in (0, 1]", where=where)
    return Fraction(value)


def _factor(value: Number) -> Fraction:
    if not 0 <= value <= 1:
        raise QuantityError(found=str(value), expected="a factor in [0, 1]", where="factor")
    return Fraction(value)


def _at_least_one(value: int, where: str) -> None:
    if value < 1:
        raise QuantityError(found=str(value), expected="1 or more", where=where)


def _inside(success: Number, cutoff: int | None) -> Fraction:
    if cutoff is None:
        return Fraction(1)
    if cutoff < 0:
        raise QuantityError(found=str(cutoff), expected="0 or more steps", where="cutoff")
    return 1 - (1 - probability(success)) ** cutoff
