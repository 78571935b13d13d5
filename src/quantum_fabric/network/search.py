"""The search for the best scheme: estimates rank, quick samples sift, full samples decide.

Every scheme that may still win stands in one queue with the highest rate that can be hoped of it: an estimate with a
generous factor, then a quick sample with its error, then a full sample as it is. The most hopeful one is looked at more
closely until a scheme that was sampled in full leads: so nothing is given up for a scheme that fails on closer inspection,
and of all that were ever sampled in full the best wins. The same for fidelity: until a scheme is sampled in full it is
left out only if even a favourable reading misses the target. `race` compares several searches (counts of segments) in one queue.

Budgets count work, not seconds, so that the same request gives the same plan.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import replace
from itertools import pairwise

from quantum_fabric.network.candidates import PLAIN_SLACK, SLACK, Candidates, Group
from quantum_fabric.network.chain import chain
from quantum_fabric.network.forecast import FULL, QUICK, completed, judge
from quantum_fabric.network.race import BUDGET, best_of, race
from quantum_fabric.network.scheme import Scheme
from quantum_fabric.network.trials import RETRIES, Found, Serves, Trial, sure_rate

HOPE = 2.0
"""A group is sampled only if this many times its estimated rate beats the best forecast so far (nine in ten rehearsed rates lie
below it)."""

PLAIN_HOPE = 1.6
"""The same for a group without purification, whose estimate is better."""

PLAIN, SIFTED, REHEARSED = 1, 3, 10
"""Units of work: a sample of a plain chain, a quick rehearsal, a full one; about 20 ms each."""

LEAST_FLOW = 0.03
"""A cutoff that leaves less than this share of the rate is not offered."""

FINEST = 6
"""Groups that are sampled when the best fidelity is looked for."""

FAVOUR, FAVOUR_ERROR = 0.7, 0.05
"""A quick sample may yet turn out better: so much of the way from its low to its mean fidelity, so much of its infidelity."""

ALIKE = 100
"""Estimates that agree to one part in so many count as equal."""

SLOWER = 1.5
"""A strategy whose knobs have to be turned further may keep so many times the rate that its estimate says."""

LEARNED = 0.9
"""A tighter cutoff brings the estimate of a strategy nearer: the root of what it was off by counts, and so much of that."""

STRIDE = 4
"""Steps of the knobs by which a group is sifted; the one that leads is refined to single steps."""

__all__ = ["Found", "Search", "Serves", "race", "sure_rate"]


class Search:
    """Samples candidates, each scheme once with each effort.

    Args:
        candidates: what there is.

    Attributes:
        sampled: the best sample of each scheme that has one.
        work: units spent in the present race.
    """

    def __init__(self, candidates: Candidates) -> None:
        self.candidates = candidates
        self.sampled: dict[Scheme, Found] = {}
        self.work = 0
        self._full: dict[Scheme, Found] = {}
        self._completed: dict[Scheme, Found] = {}
        self._left: set[Group] = set()
        self._off: dict[Hashable, float] = {}
        self._tighter: dict[Group, tuple[float, Group, int]] = {}
        self._finest: Found | None = None

    def begin(self) -> None:
        """A new race; what was sampled is kept."""
        self.work = 0
        self._left.clear()

    def fastest(
        self, target: float, serves: Serves, last_resort: bool = True, budget: int = BUDGET
    ) -> Found | None:
        """The scheme with the highest forecast rate among those that reach the target and serve.

        Args:
            target: least ``fidelity_low``.
            serves: what else the forecast must satisfy (rate, deadline).
            last_resort: try the schemes with the best fidelity if nothing else does.
            budget: of work; with 0 what was sampled before must do.

        Returns:
            None if none was found.
        """
        best = race([self], target, serves, budget)
        if best is None and last_resort:
            self.finest()
            best = best_of([self], target, serves)
        return None if best is None else best[1]

    def completed(self, found: Found) -> Found:
        """The same scheme with the law of its deliveries."""
        scheme = found.scheme
        if scheme not in self._completed:
            topology = self.candidates.believed
            light = [topology.link(name).model.total_transmission() for name in scheme.links]
            forecast = completed(chain(topology, scheme), found.forecast, light)
            self._completed[scheme] = replace(found, forecast=forecast)
        return self._completed[scheme]

    def confirmed(self) -> Iterator[Found]:
        """All schemes that were sampled in full."""
        yield from self._full.values()

    def finest(self) -> Found | None:
        """The scheme with the best ``fidelity_low`` that was found; None if there is no candidate at all."""
        if self._finest is None:
            options = list(self.by_fidelity())
            options = options[:FINEST]
            options.sort(key=lambda each: self.sample(*each).forecast.fidelity_low, reverse=True)
            confirmed = [self._in_full(*each) for each in options[:2]]
            self._finest = max(confirmed, key=lambda each: each.forecast.fidelity_low, default=None)
        return self._finest

    def cover(self) -> None:
        """Sample the most promising scheme of each path that has none yet, so that a survey can speak of it."""
        seen = {found.scheme.path for found in self.sampled.values()}
        for path in self.candidates.paths:
            groups = [group for group in self.candidates.groups if group.path == path]
            if path.nodes not in seen and groups:
                seen.add(path.nodes)
                self.sample(groups[0], self.candidates.finest_step(groups[0]))

    def most(self, group: Group) -> float:
        """The rate that can be hoped of a group before its estimate is made; no less than what is hoped afterwards."""
        return self.candidates.most(group) * (HOPE if group.strategy.total else PLAIN_HOPE)

    def ranked(self, target: float) -> list[tuple[float, Group, int]]:
        """Groups that may reach the target, by estimated rate; with cutoffs where these may help."""
        found = [entry for group in self.candidates.groups for entry in self._reaching(group, target)]
        found.sort(key=lambda entry: -entry[0])
        return found

    def _reaching(self, group: Group, target: float) -> list[tuple[float, Group, int]]:
        found = []
        step = self.candidates.first_step(group, target)
        rate = 0.0 if step is None else self.candidates.estimate(group, step).rate
        if step is not None:
            found.append((rate, group, step))
        # where knobs can be turned up, a cutoff that removes the late pairs may be worth its losses
        if group.strategy.total <= 1 and (step is None or self.candidates.steps > 1):
            found += [entry for entry in self._cut(group, target, step) if entry[0] > rate]
        return found

    def trials(self, group: Group, target: float) -> list[Trial]:
        """Where a race begins with a group, with what can be hoped."""
        return [self._trial(*entry) for entry in self._reaching(group, target)]

    def look(self, trial: Trial, target: float) -> list[Trial]:
        """Look at a trial more closely, and say what is left to look at."""
        group = trial.group
        if not trial.sampled:
            bracket = self._bracket(group, trial.step, target)
            if bracket is None:
                # what starves already is not helped by a tighter cutoff
                starved = self.sample(group, trial.step).forecast.rate <= 0.0
                return [] if starved else self._instead(group, target, trial.step)
            missed, step = bracket
            # in between the rate is no greater than where the target was missed
            rate = self.hoped(group, step if step - missed < 2 or missed < 0 else missed)
            if step >= trial.step:  # else the knobs may be left turned for more rate than the estimate had it
                rate = min(rate, trial.rate)
            return [replace(trial, step=step, missed=missed, rate=rate, sampled=True)]
        step = (
            self._narrowed(group, trial.missed, trial.step, target)
            if trial.retries == RETRIES
            else trial.step
        )
        found = self._in_full(group, step)
        rate, left = found.forecast.rate + found.forecast.rate_error, trial.retries - 1
        if self._reaches(found, target):
            if trial.retries == RETRIES or step - trial.missed < 2 or left < 0:
                # a tighter cutoff may leave the knobs turned for rate
                return self._instead(group, target, step) if step > 0 else []
            return [replace(trial, step=(trial.missed + step) // 2, retries=left)]
        if step < self.candidates.finest_step(group) and left >= 0:
            further, slower = self._further(group, step, found, target)
            onwards = replace(trial, step=further, missed=step, rate=min(rate, slower), retries=left)
            # a tighter cutoff may be the better way
            return [onwards, *self._instead(group, target, step)]
        return self._instead(group, target, step)

    def _further(self, group: Group, step: int, found: Found, target: float) -> tuple[int, float]:
        """Where to look after a sample that misses the target, and the rate that is left where the estimate has it reach that."""
        last = self.candidates.finest_step(group)
        wanted = (1.0 - target) / (1.0 - found.forecast.fidelity_low)
        wanted *= 1.0 - self.candidates.estimate(group, step).usual
        beyond = range(step + 1, last)
        reaches = (each for each in beyond if 1.0 - self.candidates.estimate(group, each).usual <= wanted)
        need = next(reaches, last)
        slower = self.candidates.estimate(group, need).rate / max(
            self.candidates.estimate(group, step).rate, 1e-30
        )
        return min(need, step + 2 * STRIDE), SLOWER * slower * (
            found.forecast.rate + found.forecast.rate_error
        )

    def likeness(self, trial: Trial) -> Hashable:
        """The same for schemes that differ in their path alone and are estimated alike: one of them is looked at."""
        guess = self.candidates.estimate(trial.group, trial.step)
        group = trial.group
        near = (max(guess.rate, 1e-30), max(1.0 - guess.usual, 1e-12), float(group.cutoff or 1))
        logs = (round(ALIKE * math.log(each)) for each in near)
        return (group.strategy.label, group.lanes, trial.step, *logs)

    def _trial(self, rate: float, group: Group, step: int) -> Trial:
        return Trial(group, step, rate * (HOPE if group.strategy.total else PLAIN_HOPE))

    def hoped(self, group: Group, step: int) -> float:
        """The rate that a sampled step may turn out to have: quick samples start cold, so the estimate has its say, too."""
        found = self.sample(group, step)
        if found.scheme in self._full:
            return found.forecast.rate
        quick = found.forecast.rate + 2.0 * found.forecast.rate_error
        return max(quick, self.candidates.estimate(group, step).rate)

    def _instead(self, group: Group, target: float, step: int) -> list[Trial]:
        """What to try where a group has failed: a cutoff, or a tighter one; once for each group."""
        if group in self._left:
            return []
        self._left.add(group)
        if group.cutoff is not None:
            return self._tightened(group, target)
        if group.strategy.total > 1:
            return []
        return [self._trial(*entry) for entry in self._cut(group, target, step)]

    def _tightened(self, group: Group, target: float) -> list[Trial]:
        """The next tighter cutoff that may reach the target, from a step on that what was sampled of the strategy leaves open."""
        off = self._off.get((group.path, group.strategy, group.lanes), 0.0)
        slack = SLACK if group.strategy.total else PLAIN_SLACK
        wanted = max(target, 1.0 - (1.0 - slack) * (1.0 - target) / max(LEARNED * math.sqrt(off), 1e-9))
        while group in self._tighter:
            _, group, least = self._tighter[group]
            step = self.candidates.first_step(group, wanted)
            if step is not None:
                step = max(step, least)
                return [self._trial(self.candidates.estimate(group, step).rate, group, step)]
        return []

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

    def _bracket(self, group: Group, step: int, target: float) -> tuple[int, int] | None:
        """(Greatest step sampled that misses the target or -1, least step sampled that may reach it), from a step on."""
        stride, missed = STRIDE, -1
        if not self._may_reach(self.sample(group, step), target):
            last = self.candidates.finest_step(group)
            while True:
                missed = max(missed, step)
                if step >= last:
                    return None
                step, stride = min(last, step + stride), 2 * stride
                if self._may_reach(self.sample(group, step), target):
                    return missed, step
        while step > 0:
            faster = max(0, step - stride)
            if not self._may_reach(self.sample(group, faster), target):
                return faster, step
            step, stride = faster, 2 * stride
        return missed, step

    def _narrowed(self, group: Group, missed: int, step: int, target: float) -> int:
        """The fastest step above ``missed`` that may reach the target, by bisection."""
        while step - missed > 1 and step > 0:
            middle = (missed + step) // 2
            if self._may_reach(self.sample(group, middle), target):
                step = middle
            else:
                missed = middle
        return step

    @staticmethod
    def _reaches(found: Found, target: float) -> bool:
        return found.forecast.fidelity_low >= target

    def _may_reach(self, found: Found, target: float) -> bool:
        return self.reading(found) >= target

    def reading(self, found: Found) -> float:
        """``fidelity_low`` in a favourable reading, where a full sample may still tell better."""
        mean, low = found.forecast.fidelity, found.forecast.fidelity_low
        if found.scheme in self._full:
            return low
        return low + FAVOUR * (mean - low) + FAVOUR_ERROR * (1.0 - mean)

    def sample(self, group: Group, step: int) -> Found:
        """The best sample of a group at a step, a quick one if there is none."""
        scheme = self.candidates.scheme(group, step)
        found = self.sampled.get(scheme)
        if found is None:
            numbers = self.candidates.numbers(group, step)
            if numbers.plain:
                return self._in_full(group, step)
            self.work += SIFTED
            found = self.sampled[scheme] = Found(scheme, judge(numbers, QUICK), group.strategy.label)
        return found

    def _in_full(self, group: Group, step: int) -> Found:
        """The same with the full effort."""
        scheme = self.candidates.scheme(group, step)
        found = self._full.get(scheme)
        if found is None:
            numbers = self.candidates.numbers(group, step)
            self.work += PLAIN if numbers.plain else REHEARSED
            found = self._full[scheme] = Found(scheme, judge(numbers, FULL), group.strategy.label)
            self.sampled[scheme] = found
            # how much of the infidelity that was estimated there really is
            usual = 1.0 - self.candidates.estimate(group, step).usual
            self._off[group.path, group.strategy, group.lanes] = (1.0 - found.forecast.fidelity_low) / max(
                usual, 1e-9
            )
        return found
