"""What waiting leaves of a chain that swaps as soon as possible: moments of the correlator in closed form.

Convention of `quantum_fabric.network.waiting`: integer steps, instant and certain swaps, no delays; ends measure at once, so only the
repeaters' waits count. At repeater j the earlier of its two links waits ``|T_j - T_{j+1}|`` steps, in each of which the end-to-end
correlator loses a factor λ_j; its mean is

    E[Π_j λ_j^|T_j - T_{j+1}|] = Σ over T_1, ..., T_n of a product of neighbours,

a chain of sums. Each sum over a geometric T turns a sum of powers ``Σ c a^t`` into another one with one power more, so n links need n
powers, and no grid. The k-th moment is the mean with λ^k.

Reference: Goodenough, Coopmans, Towsley, Quantum 9, 1744 (2025), who have generating functions for up to 25 segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.waiting import Number, probability

MOST = 64
"""Links; fractions grow with each."""

NUDGE = Fraction(1, 2**40)
"""Relative change of a factor that happens to equal a power: the mean of both sides is right to its square."""


def asap_decay(successes: Sequence[Number], factors: Sequence[Number], moment: int = 1) -> Fraction:
    """Mean, or a higher moment, of what waiting at the repeaters leaves of the correlator.

    Args:
        successes: p of each link, in (0, 1].
        factors: λ of each repeater, in [0, 1]: what a step of waiting there leaves; one fewer than links.
        moment: k, at least 1.

    Returns:
        Exact, but for a relative error below 1e-23 where a λ^k equals a product of miss probabilities and so nudging is needed.

    Raises:
        QuantityError: an argument outside its domain, or more than `MOST` links.

    Examples:
        >>> asap_decay([Fraction(1, 10)] * 2, [Fraction(1, 2)])  # two links: waiting.decay
        Fraction(29, 209)
        >>> round(float(asap_decay([0.5] * 5, [0.9] * 4)), 6)
        0.60724
    """
    links = [probability(success) for success in successes]
    if not 1 <= len(links) <= MOST:
        raise QuantityError(f"{len(links)} links", f"1 to {MOST}", "successes")
    if len(factors) != len(links) - 1:
        raise QuantityError(f"{len(factors)} factors", f"{len(links) - 1}, one for each repeater", "factors")
    if moment < 1:
        raise QuantityError(str(moment), "1 or more", "moment")
    if not all(0 <= factor <= 1 for factor in factors):
        raise QuantityError(str(list(factors)), "factors in [0, 1]", "factors")
    powers = [Fraction(factor) ** moment for factor in factors]
    found = _chained(links, powers)
    if found is not None:
        return found
    total = Fraction(0)
    for side in (NUDGE, -NUDGE):
        beside = _chained(links, [power * (1 + side) if power else NUDGE**4 for power in powers])
        if beside is None:
            raise QuantityError(str(list(factors)), "factors apart from products of misses", "factors")
        total += beside / 2
    return total


def _chained(links: list[Fraction], powers: list[Fraction]) -> Fraction | None:
    """Sum over all times; None where two powers coincide, so that a sum would be a polynomial times a power."""
    terms: dict[Fraction, Fraction] = {
        Fraction(1): Fraction(1)
    }  # what is on the left of link j, as a function of T_j
    for p, factor in zip(links[:-1], powers, strict=True):
        after: dict[Fraction, Fraction] = {}
        for base, weight in terms.items():
            # Σ_s p (1-p)^(s-1) base^s factor^|s-t|: s up to t, then beyond
            each = (1 - p) * base
            if each == factor:
                return None
            scale = weight * p * base
            _add(after, each, scale / (each - factor) + scale * factor / (1 - each * factor))
            _add(after, factor, -scale / (each - factor))
        # times start at 1, so powers of 0 are nothing
        terms = {base: weight for base, weight in after.items() if base}
    p = links[-1]
    return sum(
        (weight * p * base / (1 - (1 - p) * base) for base, weight in terms.items()),
        Fraction(0),
    )


def _add(terms: dict[Fraction, Fraction], base: Fraction, weight: Fraction) -> None:
    terms[base] = terms.get(base, Fraction(0)) + weight
