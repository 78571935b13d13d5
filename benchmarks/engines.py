"""What the engines need for the networks of `benchmarks.networks`, measured in a process of its own (see `benchmarks.worker`)."""

from __future__ import annotations

import contextlib
import hashlib
import resource
from collections import Counter
from time import perf_counter, process_time
from typing import Any

from benchmarks import networks
from benchmarks.chain import _halves
from benchmarks.networks import Job
from benchmarks.workload import DIM, Chain
from quantum_fabric import ensemble
from quantum_fabric.control import Controller
from quantum_fabric.documents import topology
from quantum_fabric.ensemble import LiveFabric
from quantum_fabric.messages import Accepted, Refused, Send
from quantum_fabric.montecarlo import Results, Scenario, opened, simulate
from quantum_fabric.units import SECOND, Time

FOREVER: Time = 10**6 * SECOND

EVERYTHING = (1 << 12) - 1
"""Bits of all that a native run can show."""


def job_of(kind: str, **numbers: Any) -> Job:
    """The job of this kind."""
    if kind == "link":
        return networks.chain(Chain(2, emission=DIM), "messages", numbers["pairs"])
    if kind == "chain":
        return networks.chain(Chain(numbers["nodes"]), numbers["rules"], numbers["pairs"])
    if kind == "long":
        workload = Chain(numbers["nodes"], fresh=0.999999, coherence=1e4)
        return networks.chain(workload, numbers["rules"], 1)
    if kind == "synchronised":
        joins = _halves(tuple(Chain(numbers["nodes"]).names)) if numbers["nested"] else None
        return networks.synchronised(numbers["nodes"], "messages", joins)
    jobs = {
        "fifty": networks.fifty,
        "tower": networks.tower,
        "waxman": networks.waxman,
        "mesh": networks.mesh,
    }
    return jobs[kind](**numbers)


def native(
    kind: str,
    replicas: int = 1,
    span: float | None = None,
    keep: bool = False,
    beliefs: bool = True,
    sampler: str = "none",
    letters: bool = False,
    **numbers: Any,
) -> dict[str, Any]:
    """Replicas of a scenario in the native kernel: CPU of the run alone, and of compiling the scenario.

    Args:
        kind: of the job, see `job_of`.
        replicas: how many.
        span: virtual seconds of each; to the end of the requests where None.
        keep: list every pair.
        beliefs: whether nodes work out what they believe.
        sampler: none for every event, or a structured sampler.
        letters: carry every letter between nodes, also where its news can be worked out.
        numbers: of the job.
    """
    job = job_of(kind, **numbers)
    began = process_time()
    with job.planned():
        scenario = ensemble.scenario(job.inventory, job.requests)
    compiled = process_time() - began
    until = FOREVER if span is None else round(span * SECOND)
    simulate(scenario, seed=2, workers=1, until=min(until, SECOND // 50), most_events=20_000)
    began = process_time()
    found = simulate(
        scenario, replicas=replicas, workers=1, until=until, keep_pairs=keep, beliefs=beliefs, sampler=sampler, letters=letters
    )  # fmt: skip
    cpu = process_time() - began
    return {
        **_told(found),
        "cpu": cpu,
        "setup": compiled,
        "simulated": 0.0 if span is None else span * replicas,
        **_weight(),
    }


def _told(found: Results) -> dict[str, Any]:
    sums = found.sums.sum(axis=0)
    gaps = found.pairs - len([first for first in found.sessions[:, 6] if first >= 0])
    return {
        "pairs": found.pairs,
        "events": found.counts["events"],
        "engine": found.engine,
        "heralds": found.counts["heralds"],
        "ms_per_pair": 1e3 * float(sums[3]) / gaps if gaps else 0.0,
        "fidelity": float(sums[0]) / found.pairs if found.pairs else 0.0,
        "listed": len(found.deliveries),
    }


def _weight() -> dict[str, float]:
    return {"resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def hooked(pairs: int, calls: bool = True) -> dict[str, Any]:
    """A chain of 17 nodes in the native kernel, with an empty function in Python called for all that can be watched, or none."""
    job = job_of("chain", nodes=17, rules="messages", pairs=pairs)
    with job.planned():
        run = opened(ensemble.scenario(job.inventory, job.requests))
    heard = 0
    run.begin("1", 0)
    if calls:
        run.watch(lambda kind: None, EVERYTHING, kinds=True)
    began = process_time()
    run.run(FOREVER, while_open=True)
    cpu = process_time() - began
    if calls:  # how many calls that were: the same run once more

        def count(kind: int) -> None:
            nonlocal heard
            heard += 1

        run.begin("1", 0)
        run.watch(count, EVERYTHING, kinds=True)
        run.run(FOREVER, while_open=True)
    return {"cpu": cpu, "events": run.counts["events"], "pairs": run.counts["deliveries"], "calls": heard}


def cores(replicas: int, pairs: int) -> dict[str, Any]:
    """The same replicas on one core and on two: wall time, CPU, and whether every bit is the same."""
    job = job_of("chain", nodes=17, rules="messages", pairs=pairs)
    with job.planned():
        scenario = ensemble.scenario(job.inventory, job.requests)
    walls: list[float] = []
    cpus: list[float] = []
    hashes: list[str] = []
    for workers in (1, 2):
        wall, cpu = perf_counter(), process_time()
        found = simulate(scenario, replicas=replicas, workers=workers, keep_pairs=True)
        walls.append(perf_counter() - wall)
        cpus.append(process_time() - cpu)
        hashes.append(_hash(found))
    return {
        "one": walls[0], "two": walls[1], "cpu_one": cpus[0], "cpu_two": cpus[1], "same": hashes[0] == hashes[1],
        "hash": hashes[0], "pairs": pairs * replicas,
    }  # fmt: skip


def _hash(found: Results) -> str:
    whole = hashlib.blake2b(digest_size=8)
    for name in ("sessions", "sums", "latencies", "intervals", "deliveries", "states"):
        whole.update(getattr(found, name).tobytes())
    return whole.hexdigest()


def live(
    nodes: int, requests: int, span: float, emission: float = 1.0, letters: bool = False
) -> dict[str, Any]:
    """A mesh that lives with its controller in Python: CPU of admitting and installing, then of virtual time passing.

    Plans are given by hand. The controller admits, leases, installs and renews. Pairs are counted by the kernel, or with `letters`
    the controller hears of each from both ends, estimates it and tells its client.
    """
    job = networks.mesh(nodes, requests, emission=emission, pairs=10**9)
    began = process_time()
    with job.planned():
        fabric = LiveFabric(job.inventory, seed=1, letters=letters)
        seen: Counter[str] = Counter()

        def count(time: Time, place: str, message: object) -> None:
            queued = isinstance(message, Accepted) and message.queued
            seen["queued" if queued else type(message).__name__] += 1

        fabric.watch(count, Accepted, Refused)
        names = [fabric.submit(request, at) for at, request in job.requests]
        fabric.run(SECOND // 20)
        admitted = process_time() - began
        pairs = sum(len(fabric.pairs(name)) for name in names)
        events, began = fabric.clock.events, process_time()
        fabric.run(SECOND // 20 + round(span * SECOND))
        cpu = process_time() - began
        pairs = sum(len(fabric.pairs(name)) for name in names) - pairs
    return {
        "cpu": cpu, "setup": admitted, "simulated": span, "pairs": pairs,
        "events": fabric.clock.events - events, "accepted": seen["Accepted"], "queued": seen["queued"],
        "refused": seen["Refused"], **_weight(),
    }  # fmt: skip


def admission(nodes: int, requests: int) -> dict[str, Any]:
    """CPU of the planner and the controller for a few requests on an idle mesh, each taken alone."""
    job = networks.mesh(nodes, requests, by_hand=False, pairs=1000)
    times, accepted = [], 0
    plain = topology(job.inventory)
    for at, request in job.requests:
        controller = Controller(plain)
        began = process_time()
        answers = controller.handle(request, at)
        times.append(process_time() - began)
        accepted += any(isinstance(each, Send) and isinstance(each.message, Accepted) for each in answers)
    return {"cpu": sum(times) / len(times), "worst": max(times), "accepted": accepted, "requests": len(times)}


def first_result() -> None:
    """From nothing to the first native result: what a fresh interpreter is asked to do."""
    job = job_of("chain", nodes=5, rules="messages", pairs=10)
    with job.planned():
        found = simulate(ensemble.scenario(job.inventory, job.requests), workers=1)
    assert found.pairs == 10


def scenario_of(kind: str, **numbers: Any) -> Scenario:
    """The scenario of a job, for tests and for looking at it."""
    job = job_of(kind, **numbers)
    with contextlib.ExitStack() as stack:
        stack.enter_context(job.planned())
        return ensemble.scenario(job.inventory, job.requests)
