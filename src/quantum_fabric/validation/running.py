"""Run the table: hashes first, then the long work in pieces, then predictions and verdicts."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from quantum_fabric.validation.catalogue import experiment, names
from quantum_fabric.validation.experiment import Experiment, Result, conclude
from quantum_fabric.validation.frozen import DATA, load, verify
from quantum_fabric.validation.parameters import ParameterFile

Progress = Callable[[str, int, int], None]
"""Told the name of an experiment, pieces of work done, and pieces in all."""


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
