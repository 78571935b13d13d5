"""Run the table: hashes first, then the long work in pieces, then predictions and verdicts."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantum_fabric.validation.catalogue import experiment, names
from quantum_fabric.validation.comparison import Comparison, Standing, Values, fitted, judge, propagated
from quantum_fabric.validation.experiment import Experiment
from quantum_fabric.validation.frozen import DATA, load, verify
from quantum_fabric.validation.parameters import Number, ParameterFile

Progress = Callable[[str, int, int], None]
"""Told the name of an experiment, pieces of work done, and pieces in all."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one experiment.

    Attributes:
        experiment: the experiment.
        file: its frozen parameters.
        parameters: as used, the fitted one replaced.
        comparisons: one for each result of the file.
        samples: what the long work gave, for the figure.
    """

    experiment: Experiment
    file: ParameterFile
    parameters: dict[str, Number]
    comparisons: tuple[Comparison, ...]
    samples: tuple[Any, ...]

    @property
    def claims(self) -> tuple[Comparison, ...]:
        """Comparisons that claim something: neither fitted, nor with a recalled result."""
        return tuple(
            row for row in self.comparisons if row.standing not in (Standing.FITTED, Standing.RECALLED)
        )

    @property
    def recalled(self) -> tuple[Comparison, ...]:
        """Comparisons with a recalled result: they agree or disagree, and nothing follows from it."""
        return tuple(row for row in self.comparisons if row.standing is Standing.RECALLED)

    @property
    def passed(self) -> bool:
        """Whether every claim holds."""
        return all(row.passed for row in self.claims)

    @property
    def verdict(self) -> str:
        """PASS or FAIL by its claims; ``agrees`` or ``disagrees`` where all its results are recalled."""
        if self.claims:
            return "PASS" if self.passed else "FAIL"
        return "agrees" if all(row.passed for row in self.recalled) else "disagrees"

    @property
    def values(self) -> dict[str, float]:
        """The parameters as used, in SI base units."""
        return {name: number.value for name, number in self.parameters.items()}

    def row(self, name: str) -> Comparison:
        """The comparison of one result."""
        return next(row for row in self.comparisons if row.name == name)


def validate(
    chosen: Sequence[str] = (),
    workers: int = 1,
    folder: Path = DATA,
    tell: Progress | None = None,
) -> list[Result]:
    """Run experiments.

    Args:
        chosen: names; all where there are none.
        workers: processes, at least 1; the results do not depend on it.
        folder: of the parameter files.
        tell: is told of the progress.

    Raises:
        UnknownNameError: no such experiment.
        InputError: a parameter file differs from the lock; nothing was computed.

    Examples:
        >>> result, = validate(["stephenson2020"])
        >>> result.passed
        True
    """
    verify(folder)
    experiments = [experiment(name) for name in (chosen or names())]
    files = {each.name: load(each.name, folder) for each in experiments}
    samples = _sampled(experiments, files, workers, tell or (lambda *_: None))
    return [conclude(each, files[each.name], samples[each.name]) for each in experiments]


def conclude(one: Experiment, file: ParameterFile, samples: Sequence[Any] = ()) -> Result:
    """Fit, predict and judge, once the long work is there."""

    def predict(values: Values) -> Any:
        return one.predict(values, samples)

    parameters = fitted(lambda values: (one.fitting or one.predict)(values, samples), file)
    predicted = propagated(predict, parameters)
    null = one.null({name: number.value for name, number in parameters.items()})
    return Result(one, file, parameters, judge(file, parameters, predicted, null), tuple(samples))


def _sampled(
    experiments: Sequence[Experiment], files: dict[str, ParameterFile], workers: int, tell: Progress
) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {each.name: [None] * each.pieces for each in experiments}
    work = [
        (each.name, piece, files[each.name].values()) for each in experiments for piece in range(each.pieces)
    ]
    done = 0
    if workers <= 1 or len(work) < 2:
        for name, piece, values in work:
            tell(name, done, len(work))
            found[name][piece] = _piece(name, piece, values)
            done += 1
    else:
        # spawn: the same on every platform, and no half-copied threads of a progress bar
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(workers, len(work)), mp_context=context) as pool:
            jobs = {pool.submit(_piece, *each): each for each in work}
            for job in as_completed(jobs):
                name, piece, _ = jobs[job]
                found[name][piece] = job.result()
                done += 1
                tell(name, done, len(work))
    tell("", len(work), len(work))
    return found


def _piece(name: str, piece: int, values: dict[str, float]) -> Any:
    sample = experiment(name).sample
    assert sample is not None
    return sample(values, piece)
