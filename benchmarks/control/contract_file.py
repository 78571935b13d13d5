"""The file of the contract table: one line of JSON for each world, with its verdict and the revision that ran it.

Lines are added as worlds are done, by several processes, in any order; a world whose line is there is not run again. A line that was
cut off (the machine stopped while it was written) is passed over. Lines of several files may be put together: their worlds are told
apart by name, and a world that is there twice counts once.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import quantum_fabric
from benchmarks.control.contract import Found, Stop, Table, visited
from benchmarks.control.contract_judge import Verdict
from benchmarks.control.contract_worlds import Kind
from quantum_fabric.network.methods import Method

WORLDS_OF_A_PROCESS = 8
"""After so many a worker is replaced: what it remembers of networks is given back."""


def revision() -> str:
    """Of the library that is used, with a plus where files were changed since; "unknown" outside of a repository."""
    here = Path(quantum_fabric.__file__).parent
    try:
        name = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=here, capture_output=True, text=True, check=True
        )
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--", "."], cwd=here, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name.stdout.strip() + ("+" if changed.stdout.strip() else "")


def line(stop: Stop, found: Found | None, seconds: float, made_by: str) -> dict[str, Any]:
    """What is written of a world.

    Args:
        stop: which.
        found: there; None where nothing can be had.
        seconds: of CPU time that it took.
        made_by: revision.
    """
    record: dict[str, Any] = {
        "where": stop.where, "name": stop.name, "seed": stop.seed, "kind": stop.kind.value, "method": stop.method.value,
        "revision": made_by, "CPU s": round(seconds, 2),
    }  # fmt: skip
    if found is not None:
        record |= {"leases": found.leases, "halves": found.halves, "verdict": found.verdict.packed()}
    return record


def records(path: Path) -> list[dict[str, Any]]:
    """Lines of a file, each world once."""
    found: dict[str, dict[str, Any]] = {}
    for text in path.read_text().splitlines() if path.exists() else ():
        with suppress(json.JSONDecodeError):
            record = json.loads(text)
            found[record["where"]] = record
    return list(found.values())


def add(table: Table, record: dict[str, Any]) -> None:
    """Add what a line says."""
    if "verdict" not in record:
        return
    stop = Stop(record["name"], record["seed"], Kind(record["kind"]), Method(record["method"]))
    table.add(stop, Found(Verdict.unpacked(record["verdict"]), record["leases"], record["halves"]))


def read(path: Path) -> Table:
    """The table of a file.

    Raises:
        FileNotFoundError: there is none.
    """
    if not path.exists():
        raise FileNotFoundError(path)
    table = Table()
    for record in records(path):
        add(table, record)
    return table


def _visit(stop: Stop, quick: bool, made_by: str) -> dict[str, Any]:
    begun = time.process_time()
    found = visited(stop, quick)
    return line(stop, found, time.process_time() - begun, made_by)


def go_on(
    sessions: int,
    stops: Iterator[Stop],
    quick: bool,
    out: Path | None,
    workers: int,
    told: Callable[[str, Table], bool],
) -> Table:
    """Run worlds until so many sessions were accepted, those in the file counted.

    Args:
        sessions: how many at least.
        stops: worlds, without end.
        quick: short runs.
        out: file to which lines are added; None for none.
        workers: processes.
        told: of each world that is done; True to stop.
    """
    table, done = Table(), set()
    for record in records(out) if out is not None else ():
        add(table, record)
        done.add(record["where"])
    if table.sessions >= sessions:
        return table
    new = (stop for stop in stops if stop.where not in done)
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, maxtasksperchild=WORLDS_OF_A_PROCESS) as pool:
        visit = partial(_visit, quick=quick, made_by=revision())
        waiting = [pool.apply_async(visit, (next(new),)) for _ in range(workers)]
        while table.sessions < sessions:
            ready = next((each for each in waiting if each.ready()), None)
            if ready is None:
                time.sleep(0.05)
                continue
            waiting.remove(ready)
            record = ready.get()
            waiting.append(pool.apply_async(visit, (next(new),)))
            add(table, record)
            if out is not None:
                with out.open("a") as file:
                    file.write(json.dumps(record) + "\n")
            if told(record["where"], table):
                break
        pool.terminate()
    return table


def summary(table: Table) -> str:
    """The table, and what was asked: how many were refused, and why."""
    return json.dumps(table.numbers(), indent=1)
