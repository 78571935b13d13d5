"""The search of planning backwards: differential evolution, COBYQA, and pressing each parameter back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from quantum_fabric.errors import FabricError
from quantum_fabric.studies.question import Question, Shares

GENERATIONS: Final = 10
FINE: Final = 4e-3
"""Share of the way to which minima are found."""


class _CarriedError(Exception):
    """Carries a fault of ours through SciPy, which takes a ValueError for one of its own."""

    def __init__(self, fault: FabricError) -> None:
        self.fault = fault


@contextmanager
def _carrying() -> Iterator[None]:
    try:
        yield
    except FabricError as fault:
        raise _CarriedError(fault) from fault


@contextmanager
def _unwrapped() -> Iterator[None]:
    try:
        yield
    except _CarriedError as carried:
        raise carried.fault from None


def evolved(question: Question, *, feasible: bool) -> Shares:
    """Differential evolution over the box, from a population that holds its corners' middle ways."""
    from scipy.optimize import differential_evolution

    d = len(question.knobs)
    size = max(8, 4 * d)
    most = question.cost((1.0,) * d)
    rng = np.random.default_rng(question.study.document.seed)
    begin = rng.random((size, d))
    begin[0] = 1.0
    begin[1 : 1 + d] = 1.0 - 0.5 * np.eye(d)
    seen: dict[Shares, float] = {}

    def merit(x: Any) -> Any:
        points = [tuple(float(value) for value in column) for column in np.atleast_2d(x.T)]
        # a point that costs more than one that is good enough is not worth a question
        open_ = [point for point in points if not feasible or question.cost(point) < question.best]
        with _carrying():
            lacks = question.many(open_)
        for point, lack in zip(open_, lacks):
            cost = question.cost(point)
            seen[point] = lack if not feasible else cost if lack <= 0.0 else most + 1.0 + lack
        return np.array([seen.get(point, most + 0.5) for point in points])

    with _unwrapped():
        differential_evolution(
            merit, [(0.0, 1.0)] * d, init=begin, maxiter=GENERATIONS, rng=rng, polish=False, updating="deferred",
            vectorized=True, tol=1e-3, mutation=(0.4, 0.9), recombination=0.8,
        )  # fmt: skip
    return min(seen, key=lambda point: (seen[point], point))


def polished(question: Question, start: Shares) -> Shares:
    """COBYQA over the parameters that are not whole-numbered."""
    from scipy.optimize import NonlinearConstraint, minimize

    free = [i for i, knob in enumerate(question.knobs) if not knob.span.whole]
    if len(free) < 2:  # one alone is pressed to its bound anyway
        return start
    scale = max(question.cost((1.0,) * len(start)), 1e-12)

    def whole(x: Any) -> Shares:
        point = list(start)
        for i, value in zip(free, x):
            point[i] = min(1.0, max(0.0, float(value)))
        return tuple(point)

    def lacks(x: Any) -> float:
        with _carrying():
            return question.lacks(whole(x))

    constraint = NonlinearConstraint(lacks, -np.inf, 0.0)
    with _unwrapped():
        result = minimize(
            lambda x: question.cost(whole(x)) / scale, np.array([start[i] for i in free]), method="COBYQA",
            bounds=[(0.0, 1.0)] * len(free), constraints=[constraint],
            options={"maxfev": 20 * len(free), "initial_tr_radius": 0.1, "final_tr_radius": FINE},
        )  # fmt: skip
    found = whole(result.x)
    better = question.lacks(found) <= 0.0 and question.cost(found) < question.cost(start)
    return found if better else start


def pressed(question: Question, start: Shares) -> Shares:
    """Each parameter back as far as the goal allows, then each pair against each other, until nothing moves."""
    here = start
    for _ in range(6):
        before = question.cost(here)
        order = sorted(range(len(here)), key=lambda i: -question.knobs[i].cost(here[i]))
        for i in order:
            here = _least(question, here, i)
        for i in order:
            for j in range(len(here)):
                if i != j:
                    here = _exchanged(question, here, i, j)
        if question.cost(here) > before * (1.0 - 1e-3):
            break
    return here


def _least(question: Question, here: Shares, i: int) -> Shares:
    """The least value of one parameter that still meets the goal, by bisection."""

    def with_(share: float) -> Shares:
        return (*here[:i], share, *here[i + 1 :])

    if here[i] <= 0.0:
        return here
    low, high = 0.0, here[i]
    if question.lacks(with_(low)) <= 0.0:
        return with_(low)
    whole = question.knobs[i].span.whole
    while high - low > FINE and not (whole and question.knobs[i].back(high, FINE) <= low):
        middle = (low + high) / 2.0
        if question.lacks(with_(middle)) <= 0.0:
            high = middle
        else:
            low = middle
    if whole:
        high = question.knobs[i].span.share(question.knobs[i].span.number(high))
    return with_(min(1.0, max(0.0, high)))


def _exchanged(question: Question, here: Shares, i: int, j: int) -> Shares:
    """A little more of one parameter for as much less of another as the goal allows, where that is cheaper."""
    if here[i] <= 0.0 or here[j] >= 1.0:
        return here
    moved = list(here)
    moved[j] = min(1.0, here[j] + 0.05)
    budget = question.knobs[i].cost(here[i]) - (
        question.knobs[j].cost(moved[j]) - question.knobs[j].cost(here[j])
    )
    if budget <= 0.0:
        return here
    low, high = 0.0, here[i]
    for _ in range(40):  # as much of the one as the other leaves money for
        middle = (low + high) / 2.0
        low, high = (middle, high) if question.knobs[i].cost(middle) < budget else (low, middle)
    moved[i] = low
    if not question.cost(moved) < question.cost(here) or question.lacks(moved) > 0.0:
        return here
    return _least(question, tuple(moved), i)
