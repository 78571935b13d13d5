"""Runs a scenario in the native kernel: one replica at leisure, or many on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.montecarlo.results import Results, merged
from quantum_fabric.montecarlo.samplers import Sampler, chosen, named
from quantum_fabric.montecarlo.scenario import Scenario, Tables
from quantum_fabric.native import look
from quantum_fabric.units import SECOND, Time

FOREVER: Time = 10**6 * SECOND
"""End of a run that nobody limits: a million seconds."""

RUNS: Final = {"bell-diagonal": "BellDiagonalRun", "x": "XRun", "exact": "ExactRun"}
"""Which of the kernel's classes keeps states in which way."""

KERNEL, AUTO = "kernel", "auto"
"""Samplers that `simulate` takes besides the names of structured ones."""

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
    sampler: str = KERNEL,
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
        sampler: ``"kernel"`` for every event, draw for draw as the twin; ``"auto"`` for the first structured sampler that is the same
            process in law (see `quantum_fabric.montecarlo.samplers`) where only statistics are asked for, that is without limits,
            lists of pairs and beliefs, and else the kernel; or the name of one. `Results.engine` says which it was.
        progress: told how many replicas are done, from time to time.

    Raises:
        InputError: no replicas, or no workers; a sampler by name that is not the same process, or of which more is asked than it does.
        UnknownNameError: another sampler.
        StateError: the native kernel is not installed.
    """
    for name, value in (("replicas", replicas), ("workers", 1 if workers is None else workers)):
        if value < 1:
            raise InputError(found=str(value), expected="at least 1", where=name)
    threads = workers or os.cpu_count() or 1
    statistics = until >= FOREVER and most_events >= 1 << 62 and not keep_pairs and not beliefs
    structured = _structured(sampler, scenario, statistics)
    if structured is None:
        run = opened(scenario)
        run.beliefs = beliefs

    def part(start: int, count: int) -> Results:
        if structured is not None:
            return structured.run(scenario, seed, first + start, count, threads)
        found = run.sample(str(seed), first + start, count, threads, until, most_events, keep_pairs)
        return Results(scenario.digest, seed, first + start, count, "native", scenario.sessions, **found)

    step = replicas if progress is None else max(threads, -(-replicas // BATCHES))
    parts = []
    for start in range(0, replicas, step):
        count = min(step, replicas - start)
        parts.append(part(start, count))
        if progress is not None:
            progress(start + count)
    return merged(parts)


def _structured(sampler: str, scenario: Scenario, statistics: bool) -> Sampler | None:
    """The structured sampler to take; None for the kernel."""
    if sampler == KERNEL:
        return None
    if sampler == AUTO:
        return chosen(scenario) if statistics else None
    found = named(sampler, scenario)
    if not statistics:
        raise InputError(
            "limits, lists of pairs or beliefs", "statistics only (beliefs=False)", f"sampler {sampler!r}"
        )
    return found


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
