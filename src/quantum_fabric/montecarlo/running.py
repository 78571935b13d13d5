"""Runs a scenario in the native kernel: one replica at leisure, or many on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from quantum_fabric.errors import InputError, StateError, UnknownNameError
from quantum_fabric.montecarlo.results import Results, merged
from quantum_fabric.montecarlo.samplers import SAMPLERS, Asked, Sampler, arrays, named, why_not
from quantum_fabric.montecarlo.scenario import Scenario, Tables
from quantum_fabric.native import look
from quantum_fabric.units import SECOND, Time

FOREVER: Time = 10**6 * SECOND
"""End of a run that nobody limits: a million seconds."""

RUNS: Final = {"bell-diagonal": "BellDiagonalRun", "x": "XRun", "exact": "ExactRun"}
"""Which of the kernel's classes keeps states in which way."""

NONE, AUTO = "none", "auto"
"""Samplers that `simulate` takes besides the names of structured ones."""

UNLIMITED: Final = 1 << 62
"""Events of a run that nobody limits."""

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
    most_events: int = UNLIMITED,
    keep_pairs: bool = False,
    beliefs: bool = True,
    letters: bool = False,
    sampler: str = NONE,
    device: str = "cpu",
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
        letters: carry every letter between nodes, also where only the ends act on what it says and its news can be worked out
            (`letters_needed`); the results are the same, `Results.counts` has more events. So it is with a limit of events.
        sampler: ``"none"`` for every event, draw for draw as the twin; ``"auto"`` for the first structured sampler that is the same
            process in law (see `quantum_fabric.montecarlo.samplers`), and every event where there is none; or the name of one.
            `Results.engine` says which it was, `Results.passed_over` why it was no other.
        device: ``"cpu"``; ``"gpu"`` for an accelerator, which max-plus can use (`montecarlo.samplers.arrays`); ``"auto"``
            for an accelerator where there is one and the scenario qualifies. Both make the same draws.
        progress: told how many replicas are done, from time to time.

    Raises:
        InputError: no replicas, or no workers; a sampler by name that is not the same process, or that is to count events; an
            accelerator for what it cannot do.
        UnknownNameError: another sampler or device.
        StateError: the native kernel is not installed; JAX or an accelerator is not here; a run takes longer than
                its sampler can count.
    """
    for name, value in (("replicas", replicas), ("workers", 1 if workers is None else workers)):
        if value < 1:
            raise InputError(found=str(value), expected="at least 1", where=name)
    structured, passed = structured_for(scenario, sampler, most_events)
    threads = workers or os.cpu_count() or 1
    whole = Asked(seed, first, replicas, threads, until, keep_pairs, beliefs)
    place = _accelerator(device, scenario, structured, whole)
    if structured is None:
        run = opened(scenario)
        run.beliefs = beliefs
    carried = (True,) if letters or most_events < UNLIMITED else ()

    def part(start: int, count: int) -> Results:
        if structured is not None:
            asked = replace(whole, first=first + start, replicas=count)
            found = structured.run(scenario, asked) if place is None else arrays.run(scenario, asked, place)
            return replace(found, passed_over=passed)
        tables = run.sample(
            str(seed), first + start, count, threads, until, most_events, keep_pairs, *carried
        )
        return Results(
            scenario.digest, seed, first + start, count, "native", scenario.sessions, passed_over=passed, **tables
        )  # fmt: skip

    step = replicas if progress is None else max(threads, -(-replicas // BATCHES))
    if place is not None:
        step = max(step, arrays.CHUNK)  # few and large batches: a program is compiled for each size
    parts = []
    for start in range(0, replicas, step):
        count = min(step, replicas - start)
        parts.append(part(start, count))
        if progress is not None:
            progress(start + count)
    return merged(parts)


def _accelerator(device: str, scenario: Scenario, structured: Sampler | None, asked: Asked) -> Any:
    """The accelerator to run on; None for the processor."""
    if device not in arrays.DEVICES:
        raise UnknownNameError(repr(device), f"one of {', '.join(arrays.DEVICES)}", "device")
    if device == "cpu":
        return None
    against = list(arrays.objections(scenario, asked))
    if structured is None or structured.name != "max-plus":
        against.append("sampler max-plus is not taken")
    if against and device == "auto":
        return None
    if against:
        raise InputError("; ".join(against), "what max-plus does on an accelerator", "device 'gpu'")
    found, said = arrays.accelerator()
    if found is None and device == "gpu":
        raise StateError(said)
    return found


def structured_for(
    scenario: Scenario, sampler: str = AUTO, most_events: int = UNLIMITED
) -> tuple[Sampler | None, Mapping[str, tuple[str, ...]]]:
    """The structured sampler that stands in for the events of a scenario, None for none; and why each other one does not.

    Args:
        scenario: which.
        sampler: as `simulate` takes it.
        most_events: where they are limited they have to be counted, which only the kernel does.

    Raises:
        InputError: a sampler by name that is not the same process, or that is to count events.
        UnknownNameError: another sampler.

    Examples:
        >>> from quantum_fabric import documents, ensemble
        >>> from quantum_fabric.messages import LinkRequest
        >>> chicago = documents.inventory(documents.load_network("chicago"))
        >>> what = ensemble.scenario(chicago, [(0, LinkRequest("NU", "UChicago_PME", 0.7))])
        >>> structured_for(what)[1]["nested"]
        ('several memories for an end of a link', 'delays that do not add up along the path')
    """
    counts = most_events < UNLIMITED
    names = [each.name for each in SAMPLERS]
    if sampler == NONE:
        return None, dict.fromkeys(names, ("every event was asked for",))
    if sampler == AUTO:
        if counts:
            return None, dict.fromkeys(names, ("events are counted",))
        said = dict(why_not(scenario))
        taken = next((each for each in SAMPLERS if not said[each.name]), None)
        if taken is not None:
            del said[taken.name]
        first = (f"{taken.name} comes first",) if taken else ()
        return taken, {name: reasons or first for name, reasons in said.items()}
    found = named(sampler, scenario)
    if counts:
        raise InputError("a limit of events", "no limit: a sampler has none to count", f"sampler {sampler!r}")
    return found, dict.fromkeys([name for name in names if name != sampler], (f"{sampler} was asked for",))


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


def letters_needed(scenario: Scenario) -> str:
    """Why letters between nodes are events of their own in this scenario; empty where their news is worked out.

    In a chain that swaps whatever is ready, only the ends act on what letters say. Where each session has one memory for each
    end of a link, no purification, no choice by belief, and delays that add up along the path, `simulate` works out when the ends
    know that their pair is whole, and what they believe of it, without carrying each letter: the same draws, times and states with
    half the events or fewer. Runs that somebody watches, runs with faults and limits of events have every letter.

    Raises:
        StateError: the native kernel is not installed.

    Examples:
        >>> from quantum_fabric import documents, ensemble
        >>> from quantum_fabric.messages import LinkRequest
        >>> chicago = documents.inventory(documents.load_network("chicago"))
        >>> letters_needed(ensemble.scenario(chicago, [(0, LinkRequest("NU", "UChicago_PME", 0.7))]))
        'delays that do not add up along the path'
    """
    return str(opened(scenario).why_letters)


def plain(tables: Tables) -> dict[str, Any]:
    """Tables as the kernel takes them."""
    return {name: list(table) if isinstance(table, tuple) else table for name, table in tables.items()}
