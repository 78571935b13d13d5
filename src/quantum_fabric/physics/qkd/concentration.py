"""How far a count may be from its mean, or a sample from the rest: the inequalities under every finite key.

Each function takes the failure probability and returns a deviation or a bound that holds except with that probability. Which proof
uses which is said there; the coverage of each is tested by simulation.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range


def check_failure(failure: float, where: str = "failure") -> float:
    """Refuse a failure probability that is not in (0, 1).

    Raises:
        QuantityError: with the value.

    Examples:
        >>> check_failure(1e-10)
        1e-10
    """
    if not 0.0 < failure < 1.0:
        raise QuantityError(found=f"{failure:g}", expected="a probability in (0, 1)", where=where)
    return failure


def hoeffding(trials: ArrayLike, failure: float) -> Floats:
    """Deviation of a sum of ``trials`` independent variables in [0, 1] from its mean, one-sided.

    Equation: ``sqrt(n/2 ln(1/ε))`` (Hoeffding, J. Am. Stat. Assoc. 58, 13 (1963)).

    Args:
        trials: n, shape ``(...)``, >= 0.
        failure: ε, in (0, 1).

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> round(float(hoeffding(1e6, 1e-10)), 3)
        3393.07
    """
    n = check_range(trials, 0.0, math.inf, "trials")
    return np.asarray(np.sqrt(n / 2.0 * math.log(1.0 / check_failure(failure))), dtype=np.float64)


def mean_from_count(count: ArrayLike, failure: float) -> tuple[Floats, Floats]:
    """Interval for the mean of a sum of independent 0/1 variables from the sum itself; each side fails with ``failure``.

    Equation: the two roots μ of ``x ln(x/μ) - x + μ = ln(1/ε)``, the exact Chernoff exponent of a Poisson sum, which bounds that of
    Bernoulli sums. Much narrower than Hoeffding where clicks are rare, because the number of pulses does not enter.

    Args:
        count: x as observed, shape ``(...)``: 0, or at least 1.
        failure: ε for each side, in (0, 1).

    Returns:
        (low, high), each of shape ``(...)``.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> low, high = mean_from_count([0, 10_000], 1e-10)
        >>> low.round(1).tolist(), high.round(1).tolist()
        ([0.0, 9336.6], [23.0, 10694.1])
    """
    x = check_range(count, 0.0, math.inf, "count")
    if np.any((x > 0.0) & (x < 1.0)):
        raise QuantityError(found="a part of one", expected="0, or at least 1", where="count")
    budget = math.log(1.0 / check_failure(failure))
    positive = np.where(x > 0.0, x, 1.0)

    def exponent(mean: Floats) -> Floats:
        return np.where(x > 0.0, x * np.log(positive / mean) - x + mean, mean)

    high_low, high_high = x.copy(), x + budget + np.sqrt(budget * budget + 2.0 * budget * x) + 1.0
    low_low, low_high = np.zeros_like(x), positive.copy()
    for _ in range(200):  # bisection to the last bit of any count
        middle = np.maximum((high_low + high_high) / 2.0, 1e-300)
        inside = exponent(middle) < budget
        high_low, high_high = np.where(inside, middle, high_low), np.where(inside, high_high, middle)
        middle = np.maximum((low_low + low_high) / 2.0, 1e-300)
        inside = exponent(middle) < budget
        low_low, low_high = np.where(inside, low_low, middle), np.where(inside, middle, low_high)
    return (np.where(x > 0.0, low_low, 0.0), high_high)


TILTS: Final = 2.0 ** np.arange(4.0, -21.0, -1.0)
"""Exponents among which `chances_from_count` and `count_from_chances` may choose after the fact; the failure is split among them."""


def chances_from_count(count: ArrayLike, failure: float) -> tuple[Floats, Floats]:
    """Interval for the sum of the chances of events of which each may depend on all before it; each side fails with ``failure``.

    Whoever controls a channel may wait and see before deciding on the next pulse, so that events are not independent; a count still
    stays near the sum of the chances that its events had *at their time*. For every θ > 0 both
    ``exp(-θ Σx + (1 - e^-θ) Σq)`` and ``exp(θ Σx - (e^θ - 1) Σq)`` are supermartingales that begin at 1, because
    ``E[e^(±θx)] = 1 + q (e^(±θ) - 1) <= exp(q (e^(±θ) - 1))``; so neither exceeds 1/ε but with chance ε (Markov).

    Equation: ``max_θ (θ x - L)/(e^θ - 1) <= Σq <= min_θ (θ x + L)/(1 - e^-θ)``, ``L = ln(K/ε)``, over the K values of `TILTS`.
    The martingale method is that of Freedman, Ann. Probab. 3, 100 (1975); rare events cost as little as in `mean_from_count`,
    unlike with Azuma's inequality, into which the number of trials enters.

    Args:
        count: x as observed, shape ``(...)``, at least 0.
        failure: ε for each side, in (0, 1).

    Returns:
        (low, high), each of shape ``(...)``.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> low, high = chances_from_count([0, 10_000], 1e-10)
        >>> low.round(1).tolist(), high.round(1).tolist()
        ([0.0, 9283.8], [26.2, 10748.9])
    """
    x = check_range(count, 0.0, math.inf, "count")[..., None]
    budget = math.log(TILTS.size / check_failure(failure))
    low = ((TILTS * x - budget) / np.expm1(TILTS)).max(axis=-1)
    high = ((TILTS * x + budget) / -np.expm1(-TILTS)).min(axis=-1)
    return (np.maximum(low, 0.0), high)


def count_from_chances(total: ArrayLike, failure: float) -> Floats:
    """Most events that come of chances which add up to at most ``total``, each free to depend on all before it.

    Equation: ``Σx <= min_θ [(e^θ - 1) Σq + L]/θ``, as in `chances_from_count`.

    Args:
        total: bound on the sum of chances, shape ``(...)``, at least 0.
        failure: ε, in (0, 1).

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> count_from_chances([0.0, 10_000.0], 1e-10).round(1).tolist()
        [1.6, 10739.0]
    """
    q = check_range(total, 0.0, math.inf, "total")[..., None]
    budget = math.log(TILTS.size / check_failure(failure))
    return np.asarray(((np.expm1(TILTS) * q + budget) / TILTS).min(axis=-1), dtype=np.float64)


def serfling(sample: ArrayLike, rest: ArrayLike, failure: float) -> Floats:
    """By how much the error rate of the unseen part may exceed that of a random sample drawn without replacement.

    Equation: ``sqrt( (n+k)(k+1)/(n k²) ln(1/ε)/2 )`` for k sampled and n unseen (Serfling, Ann. Stat. 2, 39 (1974), as a bound
    between the two parts).

    Args:
        sample: k, shape ``(...)``, above 0.
        rest: n, shape ``(...)``, above 0.
        failure: ε, in (0, 1).

    Returns:
        A difference of rates, broadcast shape.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> round(float(serfling(1e5, 1e6, 1e-10)), 6)
        0.011254
    """
    k = check_range(sample, 1.0, math.inf, "sample")
    n = check_range(rest, 1.0, math.inf, "rest")
    factor = (n + k) / (n * k) * (k + 1.0) / k
    return np.asarray(np.sqrt(factor * math.log(1.0 / check_failure(failure)) / 2.0), dtype=np.float64)


def published_gap(rate: ArrayLike, sample: ArrayLike, rest: ArrayLike, failure: float) -> Floats:
    """The same as `serfling` by the formula of the decoy-state literature, to reproduce its numbers; `sampling_gap` is the sound one.

    Equation: ``γ = sqrt( (c+d)(1-b) b/(c d ln 2) log2( (c+d)/(c d (1-b) b ε²) ) )`` (Fung, Ma, Chau, PRA 81, 012318 (2010), as used by
    Lim 2014 and Rusca 2018), b the rate in the sample, c the sample, d the rest, ε the failure probability.

    Args:
        rate: b, shape ``(...)``, in [0, 1].
        sample: c, shape ``(...)``.
        rest: d, shape ``(...)``.
        failure: ε, in (0, 1).

    Returns:
        Broadcast shape; 1/2 (nothing is known) where a part is empty or the rate is not inside (0, 1).

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Not a bound where errors are few: with 50 errors among 10,000 items halved, the exact hypergeometric chance of exceeding the
        gap for ε = 1e-10 is 1.5e-8 (the rate *seen* stands in for the rate of the whole). With many errors it is wider than
        needed, since ``log2(...)/ln 2`` converts twice. At b = 0, where it says 0, `serfling` is returned.

    Examples:
        >>> round(float(published_gap(0.02, 1e5, 1e6, 1e-10)), 6)
        0.00416
    """
    b = check_range(rate, 0.0, 1.0, "rate")
    c = check_range(sample, 0.0, math.inf, "sample")
    d = check_range(rest, 0.0, math.inf, "rest")
    check_failure(failure)
    full = (c >= 1.0) & (d >= 1.0)
    inside = full & (b > 0.0) & (b < 1.0)
    c1, d1 = np.where(full, c, 1.0), np.where(full, d, 1.0)
    variance = np.where(inside, (1.0 - b) * b, 0.25)
    spread = (c1 + d1) / (c1 * d1)
    log = np.log2(np.maximum(spread / (variance * failure * failure), 1.0))
    gap = np.sqrt(spread * variance / math.log(2.0) * log)
    plain = np.where(full & (b <= 0.0), serfling(c1, d1, failure), 0.5)
    return np.asarray(np.where(inside, gap, plain), dtype=np.float64)


def sampling_gap(rate: ArrayLike, sample: ArrayLike, rest: ArrayLike, failure: float) -> Floats:
    """By how much the error rate of the unseen part may exceed that of a random sample: a proven bound, near the exact one.

    For every number of errors in the whole, drawing x of them into the sample of c and y into the rest of d (rates b and u, the whole
    q) has a one-sided tail of at most ``exp(-c D(b|q))`` and of at most ``exp(-d D(u|q))``, D the relative entropy: Hoeffding
    1963, whose bound for sums of independent draws holds for draws without replacement. Both are tails of the same event, so the
    better counts.

    Equation: the smallest u above b with ``max[c D(b|q), d D(u|q)] >= ln(1/ε)``, ``q = (c b + d u)/(c + d)``, minus b.

    Args:
        rate: b in the sample, shape ``(...)``, in [0, 1].
        sample: c, shape ``(...)``.
        rest: d, shape ``(...)``.
        failure: ε, in (0, 1).

    Returns:
        Broadcast shape; 1/2 (nothing is known) where a part is empty.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> round(float(sampling_gap(0.02, 1e5, 1e6, 1e-10)), 6)
        0.003468
    """
    b, c, d = np.broadcast_arrays(
        check_range(rate, 0.0, 1.0, "rate"),
        check_range(sample, 0.0, math.inf, "sample"),
        check_range(rest, 0.0, math.inf, "rest"),
    )
    budget = math.log(1.0 / check_failure(failure))
    full = (c >= 1.0) & (d >= 1.0)
    c1, d1 = np.where(full, c, 1.0), np.where(full, d, 1.0)
    low, high = b.copy(), np.ones_like(b)
    for _ in range(60):
        unseen = (low + high) / 2.0
        whole = (c1 * b + d1 * unseen) / (c1 + d1)
        exponent = np.maximum(c1 * _relative_entropy(b, whole), d1 * _relative_entropy(unseen, whole))
        enough = exponent >= budget
        low, high = np.where(enough, low, unseen), np.where(enough, unseen, high)
    return np.asarray(np.where(full, high - b, 0.5), dtype=np.float64)


def _relative_entropy(a: Floats, b: Floats) -> Floats:
    """``D(a|b)`` (nat) of two-valued distributions, for b in (0, 1) wherever a is not b."""
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(a > 0.0, a * np.log(a / b), 0.0)
        second = np.where(a < 1.0, (1.0 - a) * (np.log1p(-a) - np.log1p(-b)), 0.0)
    return np.asarray(np.nan_to_num(first + second, nan=0.0, posinf=math.inf), dtype=np.float64)
