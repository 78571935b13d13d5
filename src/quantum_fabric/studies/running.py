"""The run of a study: what is missing is done, kept, looked at, until every point has been run often enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from quantum_fabric.errors import InputError
from quantum_fabric.studies.engine import Row
from quantum_fabric.studies.executors import Alone, Executor
from quantum_fabric.studies.loading import Study
from quantum_fabric.studies.reduction import Rule, rule
from quantum_fabric.studies.store import Store
from quantum_fabric.studies.work import Chunk, Key, Order, Task, cut, work
from quantum_fabric.units import parse_time as _time
from quantum_fabric.units import seconds, show

SECONDS: Final = 1.5
"""Work that a chunk is cut to hold, about: long against the way to a worker, short against somebody's patience."""

PIECES: Final = 8
"""Chunks for each worker, at least, so that the last ones end together."""

MOST_RUNS: Final = 10_000
"""In one chunk."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What a study would cost.

    Attributes:
        points: number of points.
        least, most: runs of engines; the same where nothing is adaptive.
        each: computing time of a run in s, measured at the middle point; None where it was not measured.
    """

    points: int
    least: int
    most: int
    each: float | None = None

    def time(self, workers: int = 1) -> tuple[float, float] | None:
        """Least and most computing time, s; None where nothing was measured."""
        if self.each is None:
            return None
        return self.least * self.each / workers, self.most * self.each / workers

    def text(self, workers: int = 1) -> str:
        """The bill in a sentence.

        Examples:
            >>> Bill(10, 80, 10_000, 0.5).text()
            '10 points, 80 to 10,000 runs, 40 s to 1.4 h of computing'
        """
        runs = f"{self.least:,}" if self.least == self.most else f"{self.least:,} to {self.most:,}"
        text = f"{self.points:,} points, {runs} runs"
        times = self.time(workers)
        if times is None:
            return text
        low, high = (_duration(each) for each in times)
        on = f" on {workers} workers" if workers > 1 else ""
        return f"{text}, {low if low == high else f'{low} to {high}'} of computing{on}"


def _duration(time_s: float) -> str:
    for unit, factor in (("years", 31_557_600.0), ("d", 86_400.0), ("h", 3600.0)):
        if time_s >= 0.95 * factor:
            return (
                f"{time_s / factor:,.2g} {unit}"
                if time_s < 100 * factor
                else f"{time_s / factor:,.0f} {unit}"
            )
    return show(time_s, "time", 2)


def bill(study: Study, measure: bool = True) -> Bill:
    """What a study would cost; nothing is kept.

    Args:
        study: which has been loaded.
        measure: run the middle point once, or twice where the first run was short, and look at the clock.

    Raises:
        InputError: the middle point makes no sense.

    Examples:
        >>> from quantum_fabric.studies.loading import load_study
        >>> bill(load_study("distance"), measure=False).text()
        '24 points, 24 runs'
    """
    points = study.design.points
    asked = rule(study.document.repeat)
    each = None
    if measure:
        each = min(_timed(study, points // 2) for _ in range(2))
    return Bill(points, points * asked.first, points * asked.at_most, each)


def _timed(study: Study, point: int) -> float:
    before = time.perf_counter()
    # the sample of an absurdly large study is never made: its grids say enough
    settings = study.design.settings(point) if study.design.samples <= 1_000_000 else ()
    work(order_of(study), Chunk((Task(point, settings, 0, 1),)))
    return time.perf_counter() - before


def check_limits(study: Study, found: Bill, workers: int = 1) -> None:
    """Refuse a study that costs more than its limits allow.

    Raises:
        InputError: says how many runs it would need, for how long, and what the limit is.

    Examples:
        >>> from quantum_fabric.studies.loading import load_study
        >>> check_limits(load_study("distance"), Bill(10**9, 10**12, 10**12, 0.3))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: distance.yaml: found a study of 1,000,000,000 points, 1,000,000,000,000 runs, 9,506 years \
of computing, expected at most 1,000,000 runs (limits.runs): fewer values, fewer runs, or a higher limit
    """
    limits = study.document.limits
    if found.least > limits.runs:
        expected = f"at most {limits.runs:,} runs (limits.runs): fewer values, fewer runs, or a higher limit"
        raise InputError(f"a study of {found.text(workers)}", expected, study.file)
    times = found.time(workers)
    if limits.time is not None and times is not None and times[0] > seconds(_time(limits.time)):
        expected = (
            f"at most {limits.time} of computing (limits.time): fewer values, fewer runs, or a higher limit"
        )
        raise InputError(f"a study of {found.text(workers)}", expected, study.file)


def order_of(study: Study) -> Order:
    """What all chunks of a study share."""
    return Order(study.base, study.engine.name, study.document.seed, study.wanted)


@dataclass
class State:
    """How far a study is.

    Attributes:
        rows: of each run that is finished.
        targets: for each point, how many runs it is to have, as far as is known.
        done: runs that count towards them.
    """

    rows: dict[Key, Row]
    targets: list[int]
    rule: Rule
    done: int = 0

    @property
    def total(self) -> int:
        """Runs in all, as far as is known; an adaptive study may find that it needs more."""
        return sum(self.targets)

    def runs(self, point: int) -> list[Row]:
        """The runs of a point in their order, up to its target or to the first that is missing."""
        found = []
        for run in range(self.targets[point]):
            row = self.rows.get((point, run))
            if row is None:
                break
            found.append(row)
        return found

    def advance(self) -> None:
        """Let each point whose runs are all there say whether it needs more."""
        for point, target in enumerate(self.targets):
            while True:
                rows = self.runs(point)
                if len(rows) < target:
                    break
                wanted = self.rule.target(rows)
                if wanted <= target:
                    break
                self.targets[point] = target = wanted
        self.count()

    def count(self) -> None:
        """Count the runs that are there."""
        self.done = sum(run < self.targets[point] for point, run in self.rows)

    def missing(self, study: Study) -> list[Task]:
        """What is still to be done."""
        tasks = []
        for point, target in enumerate(self.targets):
            run = 0
            while run < target:
                if (point, run) in self.rows:
                    run += 1
                    continue
                first = run
                while run < target and (point, run) not in self.rows:
                    run += 1
                tasks.append(Task(point, study.design.settings(point), first, run))
        return tasks


Tell = Callable[[State], None]


@dataclass
class Run:
    """A study on its way.

    Attributes:
        study: which.
        folder: where finished work is kept.
        executor: who does it.
        tell: hears of progress.
        batch: runs of a chunk; by the clock where None. The result does not depend on it.
        expected: computing time of a run, s, to begin with.
        damaged: files that were put aside.
        kept: runs that were there already.
    """

    study: Study
    folder: Path
    executor: Executor = field(default_factory=Alone)
    tell: Tell = lambda _: None
    batch: int | None = None
    expected: float = 0.5
    damaged: Sequence[Path] = ()
    kept: int = 0

    def go(self) -> State:
        """Do what is missing; return when every point has been run often enough.

        Returns:
            All runs that count, and no others.

        Raises:
            InputError: the folder is not for this study, or a point makes no sense.
            StateError: the disk or the workers are at fault. What was finished is kept, as it is where the program is killed.

        Examples:
            >>> import tempfile
            >>> from quantum_fabric.studies.loading import load_study
            >>> state = Run(load_study("swap-order"), Path(tempfile.mkdtemp())).go()
            >>> state.done == state.total
            True
        """
        store = Store(self.folder, self.study)
        with store.opened():
            asked = rule(self.study.document.repeat)
            state = State(store.read(), [asked.first] * self.study.design.points, asked)
            self.damaged = tuple(store.damaged)
            state.advance()
            self.kept = state.done
            self.tell(state)
            while tasks := state.missing(self.study):
                for chunk, rows in self.executor.run(order_of(self.study), self._cut(tasks)):
                    store.write(chunk, rows)
                    state.rows.update(rows)
                    state.count() if len(state.rows) < 1000 else self._add(state, rows)
                    self.tell(state)
                state.advance()
            self.tell(state)
        beyond = [key for key in state.rows if key[1] >= state.targets[key[0]]]
        for key in beyond:  # an interrupted run with another stage may have left more than this one needs
            del state.rows[key]
        return state

    def _add(self, state: State, rows: dict[Key, Row]) -> None:
        state.done += len(rows)

    def _cut(self, tasks: list[Task]) -> Iterator[Chunk]:
        if self.batch is not None:
            if self.batch < 1:
                raise InputError(str(self.batch), "at least 1", "batch")
            return cut(tasks, self.batch)
        runs = sum(task.last - task.first for task in tasks)
        by_time = max(1, round(SECONDS / max(self.expected, 1e-4)))
        by_share = max(1, runs // (PIECES * self.executor.workers))
        return cut(tasks, min(by_time, by_share, MOST_RUNS))
