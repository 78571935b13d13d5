"""Swaps as soon as possible that may fail: a Markov chain over the segments that there are.

In each step all links whose two slots are free try; then repeaters swap whatever meets there. A segment occupies one slot at
each of its ends, so links within a long segment may already make the next pair (`run ahead`) or, as the literature has it, wait.

The mean state needs more than the chain: a correlator of the pair at the end is a product over the segments that went into it.
So some segments are *marked* as those that will be in it, and the weight of a state is the mean of the product of the correlators
of its marked segments. Marked and unmarked segments are never swapped with each other, and marked ones are never lost.

Reference: Shchukin, Schmidt, van Loock, PRA 100, 032322 (2019), for the chain without marks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.exact.series import Series, fitted
from quantum_fabric.physics.correlators import PERFECT, Correlators

State: TypeAlias = tuple[tuple[int, int, bool], ...]
"""(left node, right node, marked) of each segment, from left to right."""

MOST_LINKS = 6
"""Longer chains have too many states."""

DONE = 1e-9
"""The chain is followed until this share has not been delivered."""

MOST_STEPS = 200_000
"""Steps that are followed."""

STRETCH = 64
"""Steps that are worked out together."""


@dataclass(frozen=True, slots=True)
class Row:
    """A chain of equal steps.

    Attributes:
        successes: of each link in a step.
        fresh: correlators of its pairs.
        swaps: success of each inner station.
        factors: what its swaps leave of the correlators.
        rates: decay of a half in a step, at each station.
        together: swaps of one step are made at the same time, so that one failure loses all that was to be joined; else from left
            to right, and what is on the right of a failed swap is kept.
        ahead: links within a segment try.

    Raises:
        QuantityError: no link or more than `MOST_LINKS`, or a probability outside its domain.
    """

    successes: tuple[float, ...]
    fresh: tuple[Correlators, ...]
    swaps: tuple[float, ...]
    factors: tuple[Correlators, ...]
    rates: tuple[Correlators, ...]
    together: bool = True
    ahead: bool = True

    def __post_init__(self) -> None:
        if not 1 <= len(self.successes) <= MOST_LINKS:
            raise QuantityError(
                found=f"{len(self.successes)} links", expected=f"1 to {MOST_LINKS}", where="segments"
            )
        for value in (*self.successes, *self.swaps):
            if not 0.0 < value <= 1.0:
                raise QuantityError(found=repr(value), expected="a probability in (0, 1]", where="segments")


def row(
    successes: Sequence[float],
    swap: float,
    rate: Correlators = (0.0, 0.0, 0.0),
    fresh: Correlators = PERFECT,
    together: bool = False,
    ahead: bool = False,
) -> Row:
    """Equal stations, in the convention of the literature unless told otherwise.

    Examples:
        >>> from fractions import Fraction
        >>> round(law(row([0.5] * 3, 0.75)).mean(), 9), round(float(Fraction(11080, 2187)), 9)
        (5.066300869, 5.066300869)
    """
    links = len(successes)
    inner = links - 1
    return Row(
        tuple(successes),
        (fresh,) * links,
        (swap,) * inner,
        (PERFECT,) * inner,
        (rate,) * (links + 1),
        together,
        ahead,
    )


def law(chain: Row) -> Series:
    """Law of the first delivery in steps; channels are chance, x, y, z.

    Raises:
        QuantityError: more than `MOST_STEPS` steps would be needed.
    """
    chance = _absorbed(*_matrix(chain, None), None)
    columns = [chance]
    known: dict[tuple[object, ...], int] = {}
    for axis in range(3):
        key = tuple(
            tuple(each[axis] for each in numbers) for numbers in (chain.fresh, chain.factors, chain.rates)
        )
        if key in known:
            columns.append(columns[known[key]])
            continue
        known[key] = len(columns)
        columns.append(_absorbed(*_matrix(chain, axis), len(chance)))
    return fitted(np.stack(columns))


def _matrix(chain: Row, axis: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Weights from state to state in one step, and to the end; with an axis, of marked states."""
    start: State = ()
    whole = (0, len(chain.successes))
    place: dict[State, int] = {start: 0}
    order = [start]
    entries: list[tuple[int, int, float]] = []
    for state in order:
        if state and state[0][:2] == whole:
            continue
        for to, weight in _step(chain, state, axis):
            if any(
                each[:2] == whole for each in to
            ):  # what else there is belongs to the next pair, or is no state
                if (*whole, axis is not None) not in to or sum(marked for _, _, marked in to) > (
                    axis is not None
                ):
                    continue
                to = ((*whole, axis is not None),)
            if to not in place:
                place[to] = len(order)
                order.append(to)
            entries.append((place[state], place[to], weight))
    size = len(order)
    matrix = np.zeros((size, size))
    for source, target, weight in entries:
        matrix[source, target] += weight
    end = place[((*whole, axis is not None),)]
    out = matrix[:, end].copy()
    matrix[:, end] = 0.0
    matrix[end, :] = 0.0
    return matrix, out


def _absorbed(matrix: np.ndarray, out: np.ndarray, steps: int | None) -> np.ndarray:
    """Weight that ends in each step, from the empty chain on.

    A stretch of steps at a time: what each state sends to the end in each of the next steps, and one matrix for the whole stretch.
    """
    ahead = np.empty((len(matrix), STRETCH))
    power = np.eye(len(matrix))
    for step in range(STRETCH):
        ahead[:, step] = out if step == 0 else matrix @ ahead[:, step - 1]
    for bit in bin(STRETCH)[2:]:
        power = power @ power
        power = power @ matrix if bit == "1" else power
    now = np.zeros(len(matrix))
    now[0] = 1.0
    found = [np.zeros(1)]
    left, made = 1.0, 1
    while left > DONE if steps is None else made < steps:
        found.append(now @ ahead)
        left -= float(found[-1].sum())
        made += STRETCH
        now = now @ power
        if made > MOST_STEPS + STRETCH:
            raise QuantityError(found=f"more than {MOST_STEPS} steps", expected="fewer", where="segments")
    return np.concatenate(found)[:steps]


def _step(chain: Row, state: State, axis: int | None) -> Iterator[tuple[State, float]]:
    """Where one step leads, with what weight; marked segments age before it."""
    faded = 1.0
    if axis is not None:
        faded = math.exp(
            -sum(chain.rates[low][axis] + chain.rates[high][axis] for low, high, marked in state if marked)
        )
    lows, highs = {low for low, _, _ in state}, {high for _, high, _ in state}
    links = len(chain.successes)
    sure = all(chance == 1.0 for chance in chain.swaps)
    if chain.ahead and not sure:  # a link that runs ahead matters when what it is ahead of fails
        missing = [i for i in range(links) if i not in lows and i + 1 not in highs]
    else:
        missing = [i for i in range(links) if not any(low <= i < high for low, high, _ in state)]
    # what a link may do: not come, come unmarked (to be lost), come marked
    ways = (0, 1) if axis is None else (0, 2) if sure else (0, 1, 2)
    for came in product(ways, repeat=len(missing)):
        weight = faded
        new = []
        for link, how in zip(missing, came, strict=True):
            weight *= chain.successes[link] if how else 1.0 - chain.successes[link]
            if how == 2 and axis is not None:
                weight *= chain.fresh[link][axis]
            if how:
                new.append((link, link + 1, how == 2))
        if weight:
            for to, further in _swapped(chain, tuple(sorted((*state, *new))), axis):
                yield to, weight * further


def _swapped(chain: Row, state: State, axis: int | None) -> Iterator[tuple[State, float]]:
    """What the swaps of one step make of some segments."""
    ends = {high: segment for segment in state for high in (segment[1],)}
    met = next(((ends[two[0]], two) for two in state if two[0] in ends), None)
    if met is None:
        yield state, 1.0
        return
    run = [*met]
    if chain.together:  # all that hang together; the leftmost pair was found first
        while (after := next((each for each in state if each[0] == run[-1][1]), None)) is not None:
            run.append(after)
    nodes = [each[0] for each in run[1:]]
    chance = math.prod(chain.swaps[node - 1] for node in nodes)
    rest = tuple(each for each in state if each not in run)
    marks = {marked for _, _, marked in run}
    if len(marks) == 1:
        kept = chance
        if axis is not None and True in marks:
            kept *= math.prod(chain.factors[node - 1][axis] for node in nodes)
        joined = (run[0][0], run[-1][1], run[0][2])
        for to, weight in _swapped(chain, tuple(sorted((*rest, joined))), axis):
            yield to, kept * weight
    if chance < 1.0 and True not in marks:
        for to, weight in _swapped(chain, rest, axis):
            yield to, (1.0 - chance) * weight
