"""An ensemble: many replicas of one network that serves the same requests, in the fastest engine that gives the same results.

A structured sampler stands in for the events where the scenario qualifies for one: the same in law. Else the native kernel runs every
event where it is installed, and where it is not the twin does, replica by replica in processes: the same draws, so the same tables.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any, Final

import numpy as np

from quantum_fabric.control import Controller
from quantum_fabric.documents import Inventory, topology
from quantum_fabric.errors import InputError, StateError, UnknownNameError
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.upkeep import NO_UPKEEP
from quantum_fabric.messages import Delivered, LinkRequest, Message, Outcome, Status, Substandard, Truth
from quantum_fabric.montecarlo import Results, Scenario, compiled, simulate
from quantum_fabric.montecarlo.results import (
    COMPLETED,
    DELIVERIES,
    EXPIRED,
    FAILED,
    OPEN,
    SESSIONS,
    STATES,
    SUMS,
    bin_edges,
    merged,
)
from quantum_fabric.montecarlo.running import AUTO, FOREVER, NONE, structured_for
from quantum_fabric.montecarlo.scenario import integers, reals
from quantum_fabric.native import look
from quantum_fabric.units import SECOND, Time

_LOG = logging.getLogger("quantum_fabric.ensemble")

Asked = tuple[Time, LinkRequest]
"""When a request is asked (ps), and what it is."""

ENGINES: Final = ("auto", "native", "twin")

_STATUS: Final = {Status.COMPLETED: COMPLETED, Status.EXPIRED: EXPIRED, Status.FAILED: FAILED}


def scenario(inventory: Inventory, requests: Sequence[Asked], believed: Inventory | None = None) -> Scenario:
    """Compile a network that serves these requests.

    Args:
        inventory: the plant as it is.
        requests: when each is asked, and what; see `quantum_fabric.montecarlo.compiled` for what cannot be compiled.
        believed: the plant as the control plane takes it to be; the same where it is not given.

    Raises:
        StateError: a request has to wait for memory, a link drifts or is calibrated, or stations are shared: such networks need a
            live run.
        InputError: pairs are to be held in memory.

    Examples:
        >>> from quantum_fabric import documents
        >>> lab = documents.inventory(documents.load_network("lab"))
        >>> found = scenario(lab, [(0, LinkRequest("Alice", "Bob", 0.8, pairs=10))])
        >>> len(found.sessions), found.sessions[0].pairs
        (1, 10)
    """
    if inventory.stations:
        shared = ", ".join(sorted(inventory.stations))
        raise StateError(f"links share the analysers of station {shared}, which only a live run follows")
    for link in inventory.links.values():
        if link.upkeep != NO_UPKEEP:
            raise StateError(f"link {link.name} drifts or is calibrated, which only a live run follows")
    return compiled(
        inventory.nodes,
        inventory.links,
        inventory.delays,
        inventory.controller,
        _named(requests),
        Controller(topology(believed or inventory)),
        inventory.states,
    )


def _named(requests: Sequence[Asked]) -> list[Asked]:
    """Requests in the order of time, each with a name."""
    ordered = sorted(requests, key=lambda each: each[0])
    return [
        (at, request if request.name else replace(request, name=f"request-{number + 1}"))
        for number, (at, request) in enumerate(ordered)
    ]


def run(
    inventory: Inventory,
    requests: Sequence[Asked],
    *,
    seed: int = 0,
    replicas: int = 1,
    first: int = 0,
    workers: int | None = None,
    until: Time = FOREVER,
    keep_pairs: bool = False,
    engine: str = "auto",
    sampler: str = AUTO,
    device: str = "cpu",
    believed: Inventory | None = None,
    progress: Callable[[int], None] | None = None,
) -> Results:
    """Serve the same requests in many replicas of a network.

    Args:
        inventory: the plant as it is.
        requests: when each is asked (ps), and what.
        seed: of all draws.
        replicas: how many.
        first: number of the first replica.
        workers: threads or processes; all cores where it is not given. The results do not depend on it.
        until: virtual time (ps) at which a replica ends at the latest.
        keep_pairs: list every pair, not only sums and histograms.
        engine: ``"native"``, ``"twin"``, or ``"auto"``: native where it is installed, with a line in the log where it is not.
        sampler: ``"auto"``: where no engine is asked for by name, the structured sampler that the scenario qualifies for
            (`quantum_fabric.montecarlo.samplers`); ``"none"``: every event, draw for draw the same on all engines; or a sampler by
            name. `Results.engine` says who answered, `Results.passed_over` why no other sampler did.
        device: ``"cpu"``, ``"gpu"`` for an accelerator, or ``"auto"``; see `quantum_fabric.montecarlo.simulate`.
        believed: the plant as the control plane takes it to be; the same where it is not given.
        progress: told how many replicas are done, from time to time.

    Limits:
        A scenario gives each request slots and lanes of its own; on the twin a request that comes when an earlier one is over is
        lent what that one had. From then on the two engines draw from other lanes: the same laws, but not the same draws.

    Raises:
        UnknownNameError: another engine or sampler.
        InputError: a sampler by name for which the scenario does not qualify, or on the twin. See `scenario` for more.
        StateError: see `scenario`.

    Examples:
        >>> from quantum_fabric import documents
        >>> lab = documents.inventory(documents.load_network("lab"))
        >>> found = run(lab, [(0, LinkRequest("Alice", "Bob", 0.8, pairs=5))], replicas=2, workers=1)
        >>> found.pairs, found.column("status").tolist()
        (10, [1, 1])
        >>> run(lab, [(0, LinkRequest("Alice", "Bob", 0.8))], sampler="none").passed_over["max-plus"]
        ('every event was asked for',)
    """
    if engine not in ENGINES:
        raise UnknownNameError(found=repr(engine), expected=f"one of {', '.join(ENGINES)}", where="engine")
    what = scenario(inventory, requests, believed)
    module, said = look()
    if engine != "auto" and sampler == AUTO:
        sampler = NONE
    if engine == "twin" and sampler != NONE:
        raise InputError(f"engine {engine!r}", "the native kernel: the twin has none", f"sampler {sampler!r}")
    if (
        engine == "native"
        or (engine == "auto" and module is not None)
        or sampler not in (NONE, AUTO)
        or device == "gpu"
    ):
        return simulate(
            what, seed=seed, replicas=replicas, first=first, workers=workers, until=until, keep_pairs=keep_pairs, sampler=sampler,
            device=device,
            progress=progress,
        )  # fmt: skip
    if engine == "auto":
        _LOG.warning("%s: the twin runs the same replicas, slower", said)
    if replicas < 1:
        raise InputError(found=str(replicas), expected="at least 1", where="replicas")
    tasks = [
        (what, inventory, believed, _named(requests), seed, first + number, until, keep_pairs) for number in range(replicas)
    ]  # fmt: skip
    parts = []
    for part in _spread(tasks, min(workers or os.cpu_count() or 1, replicas)):
        parts.append(part)
        if progress is not None:
            progress(len(parts))
    return replace(merged(parts), passed_over=structured_for(what, NONE)[1])


def _spread(tasks: list[tuple[Any, ...]], workers: int) -> Any:
    if workers == 1:
        return map(_replica, tasks)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return iter(list(pool.map(_replica, tasks, chunksize=max(1, len(tasks) // (8 * workers)))))


def _replica(task: tuple[Any, ...]) -> Results:
    """One replica on the twin."""
    what, inventory, believed, requests, seed, replica, until, keep_pairs = task
    return _Record(what, requests).results(
        Fabric(inventory, believed=believed, seed=seed, replica=replica), seed, replica, until, keep_pairs
    )


class _Record:
    """Watches one replica on the twin and tells of it as the kernel would."""

    def __init__(self, what: Scenario, requests: Sequence[Asked]) -> None:
        self._what = what
        self._requests = requests
        self._numbers = {session.request: number for number, session in enumerate(what.sessions)}
        self._truths: dict[frozenset[str], Truth] = {}
        self._rows: list[list[int]] = []
        self._states: list[list[float]] = []
        self._ends: dict[int, tuple[int, Time]] = {}

    def results(self, fabric: Fabric, seed: int, replica: int, until: Time, keep_pairs: bool) -> Results:
        """Run the replica."""
        fabric.watch(self._see, Delivered, Substandard, Truth, Outcome)
        for at, request in self._requests:
            if request.name in self._numbers:
                fabric.submit(request, at)
        fabric.run(until, stop=lambda: not fabric.open_requests)
        rows, states = integers(self._rows, len(DELIVERIES)), reals(self._states, len(STATES))
        rows[:, 0] = replica
        order = np.lexsort(
            (rows[:, 1], rows[:, 7])
        )  # of pairs told at one moment, those of an earlier session come first
        rows, states = rows[order], states[order]
        sessions, sums, latencies, intervals = self._reduced(rows, states, replica)
        if not keep_pairs:
            rows, states = rows[:0], states[:0]
        counts = {
            "events": fabric.clock.events,
            "deliveries": int(sessions[:, 3].sum()),
            "withheld": int(sessions[:, 4].sum()),
        }
        return Results(
            self._what.digest, seed, replica, 1, "twin", self._what.sessions, sessions, sums, latencies, intervals, rows,
            states, counts, fabric.twin.twirl_error,
        )  # fmt: skip

    def _see(self, time: Time, place: str, message: Message) -> None:  # noqa: ARG002 (the port)
        if isinstance(message, Truth):
            (_, one), (_, two) = message.ends
            self._truths[frozenset((one, two))] = message
        elif isinstance(message, Outcome):
            status = _STATUS.get(message.status, OPEN)
            self._ends[self._numbers[message.request]] = (status, time)
        elif isinstance(message, Delivered):
            truth = self._truths.pop(frozenset(message.pair))
            session = self._numbers[message.request]
            row = [
                0,
                session,
                message.number,
                int(message.bell),
                1,
                message.created_at,
                message.delivered_at,
                time,
            ]
            self._rows.append(row)
            self._states.append([message.fidelity, *truth.weights])
        elif isinstance(message, Substandard):
            truth = self._truths.pop(frozenset(message.pair))
            session = self._numbers[message.request]
            self._rows.append([0, session, 0, int(truth.bell), 1, -1, truth.at, time])
            self._states.append([message.fidelity, *truth.weights])

    def _reduced(self, rows: Any, states: Any, replica: int) -> tuple[Any, Any, Any, Any]:
        count = len(self._what.sessions)
        edges = bin_edges()
        latencies = np.zeros((count, len(edges)), dtype=np.uint64)
        intervals = np.zeros((count, len(edges)), dtype=np.uint64)
        sessions, sums = [], []
        for number, session in enumerate(self._what.sessions):
            status, ended = self._ends.get(number, (OPEN, -1))
            mine = rows[:, 1] == number
            good = mine & (rows[:, 2] > 0)
            told = rows[good, 6]
            gaps = np.diff(told)
            first = int(told[0]) if len(told) else -1
            sessions.append(
                [replica, number, status, int(good.sum()), int(mine.sum() - good.sum()), ended, first]
            )
            true, believed = states[good, 1], states[good, 0]
            spans = [int(gap) / SECOND for gap in gaps]
            sums.append(
                [
                    _total(true),
                    _total(true * true),
                    _total(believed),
                    _total(spans),
                    _total(s * s for s in spans),
                ]
            )
            if len(told):
                latencies[number, _bin(first - session.at, edges)] += 1
            for gap in gaps:
                intervals[number, _bin(int(gap), edges)] += 1
        return integers(sessions, len(SESSIONS)), reals(sums, len(SUMS)), latencies, intervals


def _total(values: Any) -> float:
    """The sum from the first to the last, one after the other, as the kernel adds."""
    total = 0.0
    for value in values:
        total += float(value)
    return total


def _bin(time: Time, edges: Any) -> int:
    """Number of the bin of a time; pairs may be told of in another order than they were delivered, so an interval may be negative."""
    return max(0, int(np.searchsorted(edges, time, side="right")) - 1)
