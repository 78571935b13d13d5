"""Runs a scenario in the native kernel: one replica at leisure, or many on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.montecarlo.results import Results, merged
from quantum_fabric.montecarlo.scenario import Scenario, Tables
from quantum_fabric.native import look
from quantum_fabric.units import SECOND, Time

FOREVER: Time = 10**6 * SECOND
"""End of a run that nobody limits: a million seconds."""

RUNS: Final = {"bell-diagonal": "BellDiagonalRun", "x": "XRun", "exact": "ExactRun"}
"""Which of the kernel's classes keeps states in which way."""

BATCHES = 50
"""In how many parts work is handed out, so that progress can be told and a user can stop it."""


def simulate(
    scenario: Scenario,
    *,
    seed: int = 0,
    replicas: int = 1,
    first: int = 0,
    workers: int | None = None,
    until: Time = FOREVER,
    most_events: int = 1 << 62,
    keep_pairs: bool = False,
    beliefs: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Results:
    """Run replicas of a scenario, each until all its sessions have had their outcome.

    Args:
        scenario: what to run.
        seed: of all draws.
        replicas: how many, at least 1.
        first: number of the first one; replicas of one seed differ in their numbers only.
        workers: threads; all cores where it is not given. It changes no bit of the results, nor does the size of a batch.
        until: virtual time (ps) at which a replica ends at the latest.
        most_events: after so many events a replica ends as well.
        keep_pairs: list every pair, not only sums and histograms.
        beliefs: work out what nodes believe of their pairs; without, every pair is delivered whatever its session's floor.
        progress: told how many replicas are done, from time to time.

    Raises:
        InputError: no replicas, or no workers.
        StateError: the native kernel is not installed.
    """
    for name, value in (("replicas", replicas), ("workers", 1 if workers is None else workers)):
        if value < 1:
            raise InputError(found=str(value), expected="at least 1", where=name)
    run = opened(scenario)
    run.beliefs = beliefs
    threads = workers or os.cpu_count() or 1
    step = replicas if progress is None else max(threads, -(-replicas // BATCHES))
    parts = []
    for start in range(0, replicas, step):
        count = min(step, replicas - start)
        found = run.sample(str(seed), first + start, count, threads, until, most_events, keep_pairs)
        parts.append(
            Results(scenario.digest, seed, first + start, count, "native", scenario.sessions, **found)
        )
        if progress is not None:
            progress(start + count)
    return merged(parts)


def opened(scenario: Scenario, classes: Mapping[str, str] = RUNS) -> Any:
    """A native run that holds the scenario; it stands at time 0 once it is told ``begin(seed, replica)``.

    Args:
        scenario: what it holds.
        classes: the kernel's classes, by the way in which states are kept.

    Raises:
        StateError: the native kernel is not installed.
    """
    module, said = look()
    if module is None:
        raise StateError(
            f"a scenario needs the native kernel; {said}. The twin runs the same requests, slower"
        )
    run = getattr(module, classes[scenario.states])(plain(scenario.plant))
    for tables in scenario.installations:
        run.install(plain(tables))
    for each in scenario.sessions:
        deadline = -1 if each.deadline is None else each.deadline
        run.session(each.installation, each.at, each.pairs, each.floor, deadline)
    return run


def plain(tables: Tables) -> dict[str, Any]:
    """Tables as the kernel takes them."""
    return {name: list(table) if isinstance(table, tuple) else table for name, table in tables.items()}
