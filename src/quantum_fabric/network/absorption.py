"""Exact mean waiting times of small repeater chains as absorbing Markov chains, in rational arithmetic.

The same convention as `quantum_fabric.network.waiting`: integer steps, instant swaps, a failed swap destroys both inputs.

Reference: Shchukin, Schmidt, van Loock, PRA 100, 032322 (2019).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, product
from typing import TypeAlias, TypeVar

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.waiting import Number, probability

State = TypeVar("State", bound=Hashable)


def absorption_mean(
    step: Callable[[State], Mapping[State, Fraction]], start: State, done: Callable[[State], bool]
) -> Fraction:
    """Mean number of steps of a Markov chain until it is done, by exact elimination.

    Args:
        step: probabilities of the next states.
        start: first state.
        done: whether a state is final.

    Raises:
        QuantityError: the chain need never be done.

    Examples:
        >>> coin = lambda state: {0: Fraction(1, 2), 1: Fraction(1, 2)}
        >>> absorption_mean(coin, 0, lambda state: state == 1)
        Fraction(2, 1)
    """
    order: list[State] = [start]
    rows: dict[State, dict[State, Fraction]] = {}
    for state in order:
        rows[state] = {to: chance for to, chance in step(state).items() if chance and not done(to)}
        order += [to for to in rows[state] if to not in rows and to not in order]
    # m(s) = 1 + Σ P(s, t) m(t): remove the states one by one, the last first
    ones = {state: Fraction(1) for state in order}
    for state in reversed(order):
        row = rows[state]
        stay = row.pop(state, Fraction(0))
        if stay == 1:
            raise QuantityError(found="a chain that never ends", expected="one that does", where="step")
        ones[state] /= 1 - stay
        rows[state] = row = {to: chance / (1 - stay) for to, chance in row.items()}
        for other in order:
            if other == state:
                break
            weight = rows[other].pop(state, Fraction(0))
            if weight:
                ones[other] += weight * ones[state]
                for to, chance in row.items():
                    rows[other][to] = rows[other].get(to, Fraction(0)) + weight * chance
    return ones[start]


def nested_four_mean(success: Number, swap: Number) -> Fraction:
    """Mean time of four segments, nested, as a fraction: two pairs of links side by side as a Markov chain.

    Args:
        success: p in (0, 1].
        swap: q in (0, 1].

    Raises:
        QuantityError: a probability outside its domain.

    Examples:
        >>> nested_four_mean(Fraction(1, 2), Fraction(1, 2))
        Fraction(21056, 1395)
    """
    p, q = probability(success), probability(swap, "swap")

    def pair(links: int) -> dict[int, Fraction]:
        """One step of a pair of links: 0 or 1 links there, 2 for a swapped pair."""
        if links == 2:
            return {2: Fraction(1)}
        both = p * p if links == 0 else p
        one = 2 * p * (1 - p) if links == 0 else 1 - p
        none = (1 - p) ** 2 if links == 0 else Fraction(0)
        return {0: none + both * (1 - q), 1: one, 2: both * q}

    def step(state: tuple[int, int]) -> dict[tuple[int, int], Fraction]:
        left, right = pair(state[0]), pair(state[1])
        return {(a, b): left[a] * right[b] for a, b in product(left, right)}

    return absorption_mean(step, (0, 0), lambda state: state == (2, 2)) / q


def swap_asap_mean(successes: Sequence[Number], swap: Number) -> Fraction:
    """Mean time of a chain that swaps as soon as possible, by a Markov chain over its segments.

    In each step all missing links try; then adjacent segments are swapped, the leftmost two first, until none are left. A
    failed swap destroys both segments.

    Args:
        successes: p of each link, in (0, 1]; 1 to 4 links.
        swap: q in (0, 1].

    Raises:
        QuantityError: no link, more than 4, or a probability outside its domain.

    Examples:
        >>> swap_asap_mean([Fraction(1, 2)] * 3, Fraction(1, 2))
        Fraction(1204, 117)
    """
    links = len(successes)
    if not 1 <= links <= 4:
        raise QuantityError(found=str(links), expected="1 to 4 links", where="successes")
    chances = [probability(success) for success in successes]
    q = probability(swap, "swap")
    whole: _Segments = ((0, links),)

    def step(state: _Segments) -> dict[_Segments, Fraction]:
        missing = [i for i in range(links) if not any(low <= i < high for low, high in state)]
        after: dict[_Segments, Fraction] = {}
        for came in product((False, True), repeat=len(missing)):
            weight = math.prod(
                (chances[i] if here else 1 - chances[i] for i, here in zip(missing, came, strict=True)),
                start=Fraction(1),
            )
            new = [(i, i + 1) for i, here in zip(missing, came, strict=True) if here]
            for end, chance in _swapped(tuple(sorted([*state, *new])), q).items():
                after[end] = after.get(end, Fraction(0)) + weight * chance
        return after

    nothing: _Segments = ()
    return absorption_mean(step, nothing, lambda state: state == whole)


_Segments: TypeAlias = tuple[tuple[int, int], ...]


def _swapped(segments: _Segments, q: Fraction) -> dict[_Segments, Fraction]:
    """What becomes of segments when the leftmost adjacent two are swapped, again and again."""
    for index, (one, two) in enumerate(pairwise(segments)):
        if one[1] == two[0]:
            before, after = segments[:index], segments[index + 2 :]
            found: dict[_Segments, Fraction] = {}
            for rest, chance in (((*before, (one[0], two[1]), *after), q), ((*before, *after), 1 - q)):
                if chance:
                    for end, further in _swapped(rest, q).items():
                        found[end] = found.get(end, Fraction(0)) + chance * further
            return found
    return {segments: Fraction(1)}
