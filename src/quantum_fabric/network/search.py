"""The search for the best scheme: estimates rank, samples decide.

Groups of candidates are sampled in the order of their estimated rate. A group's knobs start where the estimate meets the
target and move step by step until the forecast does. The search ends when no group left could beat the best one, or
when its budget is spent; budgets count work, not seconds, so that the same request gives the same plan.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from quantum_fabric.messages import Forecast
from quantum_fabric.network.candidates import Candidates, Group
from quantum_fabric.network.forecast import FULL, QUICK, forecast, judge
from quantum_fabric.network.scheme import Scheme

HOPE = 1.6
"""A group is sampled only if this many times its estimated rate beats the best forecast so far."""

PLAIN_HOPE = 1.25
"""The same for a group without purification, whose estimate is better."""

BUDGET = 48
"""Units of work: 1 for a plain sample, `REHEARSAL` for a rehearsal; twice as many while nothing good was found."""

REHEARSAL = 8

LEAST_FLOW = 0.03
"""A cutoff that leaves less than this share of the rate is not offered."""

FINEST = 6
"""Groups that are sampled when the best fidelity is looked for."""


Serves: TypeAlias = Callable[[Forecast], bool]
"""Whether a forecast satisfies what a request asks besides fidelity."""


@dataclass(frozen=True, slots=True)
class Found:
    """A scheme that was sampled."""

    scheme: Scheme
    forecast: Forecast
    label: str


def sure_rate(forecast: Forecast) -> float:
    """Rate less one standard error: what schemes are compared by, lest the luckiest sample wins.

    Examples:
        >>> sure_rate(Forecast(4.0, 0.5, 0.95, 0.95, 0))
        3.5
    """
    return forecast.rate - forecast.rate_error


def _hope(group: Group) -> float:
    return HOPE if group.strategy.total else PLAIN_HOPE


class Search:
    """Samples candidates, each scheme once.

    Args:
        candidates: what there is.
        quick: be content with quick samples; may be changed between searches.
    """

    def __init__(self, candidates: Candidates, quick: bool = False) -> None:
        self.candidates = candidates
        self.quick = quick
        self.sampled: dict[Scheme, Found] = {}
        self._full: set[Scheme] = set()
        self._tighter: dict[Group, tuple[float, Group, int]] = {}
        self._finest: Found | None = None
        self._work = 0

    def fastest(self, target: float, serves: Serves, last_resort: bool = True) -> Found | None:
        """The scheme with the highest forecast rate among those that reach the target and serve.

        Args:
            target: least ``fidelity_low``.
            serves: what else the forecast must satisfy (rate, deadline).
            last_resort: try the schemes with the best fidelity if nothing else does.

        Returns:
            None if none was found.
        """
        good: list[Found] = []
        top = 0.0
        self._work = BUDGET
        # by rate, of equals the one that was ranked first: the one on the earlier path, the cheaper strategy
        queue = [
            (-rate * _hope(group), place, group, step)
            for place, (rate, group, step) in enumerate(self.ranked(target))
        ]
        places = len(queue)
        while queue:
            hoped, _, group, step = heapq.heappop(queue)
            if -hoped < top or self._work <= (0 if good else -BUDGET):
                break
            found = self._refined(group, step, target)
            if found is not None and serves(found.forecast):
                good.append(found)
                top = max(top, sure_rate(found.forecast))
            elif found is None:
                for rate, cut, cut_step in self._instead(group, target, step):
                    heapq.heappush(queue, (-rate * _hope(cut), places, cut, cut_step))
                    places += 1
        good.sort(key=lambda found: -sure_rate(found.forecast))
        for found in good:
            full = self._in_full(found)  # the best of the quick samples may have been lucky
            if self._reaches(full, target) and serves(full.forecast):
                return full
        finest = self.finest() if last_resort else None
        if finest is not None and self._reaches(finest, target) and serves(finest.forecast):
            return finest
        return None

    def finest(self) -> Found | None:
        """The scheme with the best ``fidelity_low`` that was found; None if there is no candidate at all."""
        if self._finest is None:
            options = list(self.by_fidelity())
            found = [self._sample(group, step) for group, step in options[:FINEST]]
            found.sort(key=lambda each: each.forecast.fidelity_low, reverse=True)
            confirmed = [self._in_full(each) for each in found[:2]]
            self._finest = max(confirmed, key=lambda each: each.forecast.fidelity_low, default=None)
        return self._finest

    def cover(self) -> None:
        """Sample the most promising scheme of each path that has none yet, so that a survey can speak of it."""
        seen = {found.scheme.path for found in self.sampled.values()}
        for path in self.candidates.paths:
            groups = [group for group in self.candidates.groups if group.path == path]
            if path.nodes not in seen and groups:
                seen.add(path.nodes)
                self._sample(groups[0], self.candidates.finest_step(groups[0]))

    def ranked(self, target: float) -> list[tuple[float, Group, int]]:
        """Groups that may reach the target, by estimated rate; with cutoffs where these may help."""
        found = []
        for group in self.candidates.groups:
            step = self.candidates.first_step(group, target)
            rate = 0.0 if step is None else self.candidates.estimate(group, step).rate
            if step is not None:
                found.append((rate, group, step))
            # where knobs can be turned up, a cutoff that removes the late pairs may be worth its losses
            if group.strategy.total <= 1 and (step is None or self.candidates.steps > 1):
                found += [entry for entry in self._cut(group, target, step) if entry[0] > rate]
        found.sort(key=lambda entry: -entry[0])
        return found

    def _instead(self, group: Group, target: float, step: int) -> list[tuple[float, Group, int]]:
        """What to try where a group has failed: a cutoff, or a tighter one."""
        if group.cutoff is not None:
            return [self._tighter[group]] if group in self._tighter else []
        return self._cut(group, target, step) if group.strategy.total <= 1 else []

    def _cut(self, group: Group, target: float, step: int | None) -> list[tuple[float, Group, int]]:
        """The gentlest cutoff that may reach the target; the tighter ones are kept for when it does not."""
        found = []
        scale = self.candidates.finest_step(group) if step is None else step
        for cut in self.candidates.with_cutoffs(group, scale):
            first = self.candidates.first_step(cut, target)
            if first is not None:
                found.append((self.candidates.estimate(cut, first).rate, cut, first))
        for gentle, tight in pairwise(found):
            self._tighter[gentle[1]] = tight
        return found[:1]

    def by_fidelity(self) -> list[tuple[Group, int]]:
        """Groups at their finest step, with cutoffs too, by estimated fidelity, the best first."""
        options = []
        for group in self.candidates.groups:
            step = self.candidates.finest_step(group)
            plain = self.candidates.estimate(group, step)
            options.append((plain.usual, group, step))
            if group.strategy.total <= 1:
                for cut in self.candidates.with_cutoffs(group, step):
                    found = self.candidates.estimate(cut, step)
                    # a cutoff that lets nothing through is no offer
                    if found.usual > plain.usual and found.rate > LEAST_FLOW * plain.rate:
                        options.append((found.usual, cut, step))
        options.sort(key=lambda entry: -entry[0])
        return [(group, step) for _, group, step in options]

    def _refined(self, group: Group, step: int, target: float) -> Found | None:
        """Move the knobs from the estimated step to the fastest one whose forecast reaches the target."""
        found = self._sample(group, step)
        if self._reaches(found, target):
            stride = 1
            while step > 0:
                step = max(0, step - stride)
                faster = self._sample(group, step)
                if not self._reaches(faster, target):
                    return found
                found, stride = faster, 2 * stride
            return found
        best, low, high = None, step + 1, self.candidates.finest_step(group)
        while low <= high:
            middle = (low + high) // 2
            found = self._sample(group, middle)
            if self._reaches(found, target):
                best, high = found, middle - 1
            else:
                low = middle + 1
        return best

    @staticmethod
    def _reaches(found: Found, target: float) -> bool:
        return found.forecast.fidelity_low >= target

    def _sample(self, group: Group, step: int) -> Found:
        scheme = self.candidates.scheme(group, step)
        found = self.sampled.get(scheme)
        if found is None:
            numbers = self.candidates.numbers(group, step)
            self._work -= 1 if numbers.plain else REHEARSAL
            result = judge(numbers, FULL if numbers.plain else QUICK)
            found = self.sampled[scheme] = Found(scheme, result, group.strategy.label)
            if numbers.plain:
                self._full.add(scheme)
        return found

    def _in_full(self, found: Found) -> Found:
        """The same scheme with the full effort."""
        if self.quick or found.scheme in self._full:
            return self.sampled[found.scheme]
        result = forecast(self.candidates.topology, found.scheme, FULL)
        better = self.sampled[found.scheme] = Found(found.scheme, result, found.label)
        self._full.add(found.scheme)
        return better
