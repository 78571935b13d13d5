"""Laws of waiting times, by stepping Markov chains, and how well a histogram follows one.

This is another way than the closed forms and the elimination of `quantum_fabric.network`, from which it imports nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from quantum_fabric.physics.checks import Floats


@dataclass(frozen=True, slots=True)
class Chain:
    """A repeater chain that the whole stack runs.

    Attributes:
        name: of its results.
        successes: of each link and attempt.
        swap: success of a swap.
        memory: T1 = T2 of a qubit in steps.
        leftmost_first: the inner repeaters hear one picosecond late, so that the leftmost swap is decided first.
    """

    name: str
    successes: tuple[Fraction, ...]
    swap: Fraction = Fraction(1)
    memory: float = math.inf
    leftmost_first: bool = False


def law(chain: Chain, cutoff: int, most: int) -> Floats:
    """Probability of 0, 1, 2, ... steps, by stepping a Markov chain: another way than the solver of the means.

    Args:
        chain: which.
        cutoff: steps that the first of two links may wait; -1 for ever.
        most: steps that are worked out.
    """
    matrix, start, done = _markov(chain, cutoff)
    state = np.zeros(len(matrix))
    state[start] = 1.0
    reached = np.zeros(most)
    for step in range(most):
        reached[step] = state[done]
        state = state @ matrix
    return np.diff(reached, prepend=0.0)


def _markov(chain: Chain, cutoff: int) -> tuple[Floats, int, int]:
    if cutoff >= 0:
        return _with_cutoff(float(chain.successes[0]), cutoff)
    after = _nested_after if len(chain.successes) == 4 else _asap_after
    nothing = tuple([0] * len(chain.successes))
    states: dict[Any, int] = {nothing: 0, "done": 1}
    rows: list[dict[Any, float]] = []
    waiting_for = [nothing]
    order: list[Any] = [nothing, "done"]
    while waiting_for:
        state = waiting_for.pop(0)
        row = _attempted(chain, state, after)
        rows.append(row)
        for to in row:
            if to not in states:
                states[to] = len(order)
                order.append(to)
                waiting_for.append(to)
    matrix = np.zeros((len(order), len(order)))
    matrix[1, 1] = 1.0
    for state, row in zip([each for each in order if each != "done"], rows, strict=True):
        for to, chance in row.items():
            matrix[states[state], states[to]] += chance
    return matrix, 0, 1


State: TypeAlias = tuple[int, ...]
"""For each link: 0 missing, 1 there, 2 part of a swapped segment."""


def _attempted(
    chain: Chain, state: State, after: Callable[[State, float], Mapping[Any, float]]
) -> dict[Any, float]:
    missing = [index for index, here in enumerate(state) if not here]
    found: dict[Any, float] = {}
    for bits in range(1 << len(missing)):
        chance, new = 1.0, list(state)
        for place, index in enumerate(missing):
            p = float(chain.successes[index])
            here = bits >> place & 1
            chance *= p if here else 1.0 - p
            new[index] = here
        for to, weight in after(tuple(new), float(chain.swap)).items():
            if weight:
                found[to] = found.get(to, 0.0) + chance * weight
    return found


def _asap_after(state: State, q: float) -> dict[Any, float]:
    """Two or three links, swapped as soon as possible, the leftmost first; a failed swap destroys both inputs."""
    if len(state) == 2:
        return {"done": q, (0, 0): 1.0 - q} if all(state) else {state: 1.0}
    a, b, c = state
    if 2 in state:  # two links are one segment already
        return {"done": q, (0, 0, 0): 1.0 - q} if all(state) else {state: 1.0}
    if a and b and c:
        return {"done": q * q, (0, 0, 0): q * (1.0 - q), (0, 0, 1): 1.0 - q}
    if a and b:
        return {(2, 2, 0): q, (0, 0, 0): 1.0 - q}
    if b and c:
        return {(0, 2, 2): q, (0, 0, 0): 1.0 - q}
    return {state: 1.0}


def _nested_after(state: State, q: float) -> dict[Any, float]:
    """Four links: each half is swapped when it is complete, then both halves."""
    found: dict[Any, float] = {state: 1.0}
    for half in (slice(0, 2), slice(2, 4)):
        after: dict[Any, float] = {}
        for each, chance in found.items():
            if each[half] == (1, 1):
                for value, weight in ((2, q), (0, 1.0 - q)):
                    new = list(each)
                    new[half] = [value, value]
                    after[tuple(new)] = after.get(tuple(new), 0.0) + chance * weight
            else:
                after[each] = after.get(each, 0.0) + chance
        found = after
    whole = found.pop((2, 2, 2, 2), 0.0)
    if whole:
        found["done"] = whole * q
        found[0, 0, 0, 0] = found.get((0, 0, 0, 0), 0.0) + whole * (1.0 - q)
    return found


def _with_cutoff(p: float, cutoff: int) -> tuple[Floats, int, int]:
    """States: 0 nothing, 1 .. m a link that has waited 0 .. m-1 steps, last: done."""
    size = cutoff + 2
    matrix = np.zeros((size, size))
    matrix[-1, -1] = 1.0
    if cutoff == 0:
        matrix[0] = [1.0 - p * p, p * p]
        return matrix, 0, 1
    matrix[0, [0, 1, -1]] = [(1.0 - p) ** 2, 2.0 * p * (1.0 - p), p * p]
    for waited in range(1, cutoff + 1):
        matrix[waited, -1] += p
        matrix[waited, waited + 1 if waited < cutoff else 0] += 1.0 - p
    return matrix, 0, size - 1


def chi_square(counts: Floats, probabilities: Floats) -> tuple[float, int]:
    """Pearson's chi-square with bins of 10 expected counts at least, and its degrees of freedom.

    Examples:
        >>> import numpy as np
        >>> chi_square(np.array([50.0, 50.0]), np.array([0.5, 0.5]))
        (0.0, 1)
    """
    runs = counts.sum()
    size = max(counts.size, probabilities.size)
    seen = np.pad(counts, (0, size - counts.size))
    expected = np.pad(probabilities, (0, size - probabilities.size)) * runs
    bins: list[tuple[float, float]] = []
    here = [0.0, 0.0]
    for found, mean in zip(seen, expected, strict=True):
        here[0] += float(found)
        here[1] += float(mean)
        if here[1] >= 10.0:
            bins.append((here[0], here[1]))
            here = [0.0, 0.0]
    last = bins.pop()
    rest = max(float(runs) - float(expected.sum()), 0.0)
    bins.append((last[0] + here[0], last[1] + here[1] + rest))
    return sum((found - mean) ** 2 / mean for found, mean in bins), len(bins) - 1


def normal_deviate(chi: float, freedom: int) -> float:
    """A chi-square as a standard normal deviate (Wilson and Hilferty, PNAS 17, 684 (1931)).

    Limits:
        Approximate, to a few hundredths within four deviations for five degrees of freedom and more.

    Examples:
        >>> abs(normal_deviate(50.0, 50)) < 0.1
        True
    """
    width = 2.0 / (9.0 * freedom)
    return float((chi / freedom) ** (1.0 / 3.0) - (1.0 - width)) / math.sqrt(width)
