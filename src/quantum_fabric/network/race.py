"""The queue of a search: whatever may still win is looked at more closely, the most hopeful first.

Strategies that promise much and keep failing give way to others, so that they cannot use up the budget.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import count
from typing import Protocol, TypeVar

from quantum_fabric.network.candidates import Candidates, Group
from quantum_fabric.network.finish import Serving
from quantum_fabric.network.trials import Found, Place, Serves, Trial, sure_rate

BUDGET = 240
"""Units of work until a race is content with what it has."""

WEARY = 60.0
"""Units of work that halve the turns of a strategy on a path: one that promises much and keeps failing may not use up the budget."""


class Racer(Protocol):
    """What is needed of a search."""

    candidates: Candidates
    work: int

    def begin(self) -> None:
        """A new race."""

    def most(self, group: Group) -> float:
        """The rate that can be hoped of a group before its estimate is made."""

    def trials(self, group: Group, target: float) -> list[Trial]:
        """Where to begin with a group."""

    def look(self, trial: Trial, target: float) -> list[Trial]:
        """Look at a trial more closely, and say what is left to look at."""

    def likeness(self, trial: Trial) -> Hashable:
        """The same for schemes of which one is enough."""

    def confirmed(self) -> Iterator[Found]:
        """All that was sampled in full."""

    def completed(self, found: Found) -> Found:
        """The same scheme with the law of its deliveries."""


Runner = TypeVar("Runner", bound=Racer)


def race(
    searches: Sequence[Runner], target: float, serves: Serves, budget: int = BUDGET
) -> tuple[Runner, Found] | None:
    """The scheme with the highest forecast rate among those of all searches that reach a target and serve.

    Args:
        searches: over one set of candidates each.
        target: least ``fidelity_low``.
        serves: what else the forecast must satisfy (rate, deadline).
        budget: of work; what was sampled before is free.

    Returns:
        The search and what it found, by a full sample; None if nothing did.
    """
    queue: list[tuple[float, Place, float, Runner, Trial | Group]] = []
    for number, search in enumerate(searches):
        search.begin()
        for rank, group in enumerate(search.candidates.groups):
            # the estimate of a group is made when nothing is left that is surely faster
            most = search.most(group)
            queue.append((-most, (0, number, rank, 0), most, search, group))
    heapq.heapify(queue)
    # of equals the one on the earlier path, the cheaper strategy; then the one that was thought of first
    later = count()
    best = best_of(searches, target, serves)
    seen: set[Hashable] = set()
    spent: Counter[Hashable] = Counter()
    while queue:
        _, place, hoped, search, trial = heapq.heappop(queue)
        if best is not None and hoped <= sure_rate(best[1].forecast):
            continue
        if sum(each.work for each in searches) >= budget:
            break
        if isinstance(trial, Group):
            for entry, each in enumerate(search.trials(trial, target)):
                heapq.heappush(queue, (-each.rate, (1, *place[1:3], entry), each.rate, search, each))
            continue
        if not trial.sampled:
            if (twin := search.likeness(trial)) in seen:
                continue
            seen.add(twin)
        before, family = search.work, (search, trial.group.path, trial.group.strategy)
        looked = search.look(trial, target)
        spent[family] += search.work - before
        for after in looked:
            turn = -after.rate * 0.5 ** (spent[family] / WEARY)
            heapq.heappush(queue, (turn, (2, next(later), 0, 0), after.rate, search, after))
        best = best_of([search], target, serves, best)
    return best


def best_of(
    searches: Sequence[Runner], target: float, serves: Serves, best: tuple[Runner, Found] | None = None
) -> tuple[Runner, Found] | None:
    """The fastest of what was ever sampled in full; where a rate or a deadline is asked for, by its law, too."""
    closer = isinstance(serves, Serving) and serves.asks
    for search in searches:
        for found in search.confirmed():
            fit = found.forecast.fidelity_low >= target and serves(found.forecast)
            if not fit or (best is not None and sure_rate(found.forecast) <= sure_rate(best[1].forecast)):
                continue
            if not closer or serves(search.completed(found).forecast):
                best = (search, found)
    return best
