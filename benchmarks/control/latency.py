"""How long an admission decision takes: over sizes of networks, requests that are active and lengths of paths.

    python -m benchmarks.control_latency                      # 1,000 nodes, 500 active requests
    python -m benchmarks.control_latency --growth latency.png # 100 to 10,000 nodes, with a plot

A decision is what the controller does between a request and its answer: ask the ledger what is free, plan swiftly, or refuse. Requests
are those of the mesh (ends 2 to 8 links apart) or between any two nodes. *Cold* is the first time that a request is seen by a
topology whose landmarks are known; *warm* is the second time; *best of three* takes of each decision the least of three times, which
leaves out what other programs on a shared machine do to it. Times are those of the processor (one thread), then those of the
clock on the wall.
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.networks import mesh
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.rules import slots_wanted
from quantum_fabric.documents.assembly import topology as believed
from quantum_fabric.messages import LinkRequest, Plan
from quantum_fabric.network.atlas import METRICS, atlas
from quantum_fabric.network.planning import plan
from quantum_fabric.network.scheme import to_plan
from quantum_fabric.network.swift import Look, swift
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import SECOND

SHARE = 8
"""Slots of a node that one request may have, so that many are active side by side."""

FLOORS = (0.7, 0.8, 0.85, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Times:
    """Decisions, one entry each: seconds of the processor and of the wall, hops (0: refused)."""

    processor: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    hops: list[int] = field(default_factory=list)

    @property
    def admitted(self) -> int:
        return sum(each > 0 for each in self.hops)

    def quantiles(self, wall: bool = False) -> tuple[float, float, float]:
        """Median, 99 % and greatest, ms."""
        found = np.quantile(self.wall if wall else self.processor, (0.5, 0.99, 1.0)) * 1e3
        return float(found[0]), float(found[1]), float(found[2])


class Scene:
    """A mesh with requests that are served already.

    Args:
        nodes: how many.
        active: requests that hold slots.
        seed: of the mesh and of the requests.
    """

    def __init__(self, nodes: int, active: int, seed: int = 1) -> None:
        asked = [
            request for _, request in mesh(nodes, min(active + 600, nodes * 4), seed, by_hand=False).requests
        ]
        inventory = mesh(nodes, 1, seed, by_hand=False).inventory
        self.topology: Topology = believed(inventory)
        chart = atlas(self.topology)
        start = time.process_time()
        for metric in METRICS:
            chart.landmarks(metric)
        self.prepared = time.process_time() - start
        self.ledger = Ledger({name: node.slots for name, node in self.topology.nodes.items()})
        self.active = 0
        self.draw = random.Random(seed)
        self.waiting = asked
        while self.active < active and self.waiting:
            found = swift(self.topology, self.waiting.pop(), self.free())
            if isinstance(found, Plan):
                self.active += 1
                self.ledger.lease(self.active, slots_wanted(found), 10**6 * SECOND)

    def free(self) -> dict[str, int]:
        """What one more request may have."""
        return {name: min(SHARE, slots) for name, slots in self.ledger.free().items()}

    def near(self, count: int) -> list[LinkRequest]:
        """Requests of the mesh that were not asked yet, ends 2 to 8 links apart."""
        return [
            LinkRequest(each.source, each.destination, self.draw.choice(FLOORS))
            for each in self.waiting[:count]
        ]

    def anywhere(self, count: int) -> list[LinkRequest]:
        """Requests between any two nodes."""
        names = sorted(self.topology.nodes)
        return [LinkRequest(*self.draw.sample(names, 2), self.draw.choice(FLOORS)) for _ in range(count)]

    def timed(self, requests: Sequence[LinkRequest]) -> Times:
        """Decide each request; nothing is leased."""
        found = Times()
        gc.collect()
        for request in requests:
            wall, processor = time.perf_counter(), time.process_time()
            answer = swift(self.topology, request, self.free())
            found.processor.append(time.process_time() - processor)
            found.wall.append(time.perf_counter() - wall)
            found.hops.append(len(answer.links) if isinstance(answer, Plan) else 0)
        return found

    def best(self, requests: Sequence[LinkRequest], times: int = 3) -> Times:
        """Of each decision the least of several times."""
        runs = [self.timed(requests) for _ in range(times)]
        processor = [min(each) for each in zip(*(run.processor for run in runs), strict=True)]
        wall = [min(each) for each in zip(*(run.wall for run in runs), strict=True)]
        return Times(processor, wall, runs[0].hops)

    def phases(self, requests: Sequence[LinkRequest]) -> dict[str, float]:
        """Share of the time that each phase takes."""
        spent = dict.fromkeys(("free slots", "paths", "lanes and estimates", "record"), 0.0)

        def clocked(phase: str, work: Callable[[], object]) -> object:
            start = time.process_time()
            done = work()
            spent[phase] += time.process_time() - start
            return done

        for request in requests:
            free = clocked("free slots", self.free)
            look = clocked("paths", lambda free=free, request=request: Look(self.topology, request, free, 0))  # type: ignore[misc]
            assert isinstance(look, Look)
            best = clocked("lanes and estimates", look.fastest)
            if best is None:
                clocked("record", look.refused)
            else:
                clocked("record", lambda best=best: to_plan(self.topology, best.scheme, best.forecast))  # type: ignore[misc]
        whole = math.fsum(spent.values())
        return {phase: value / whole for phase, value in spent.items()}


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Slope of a line through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def thorough(scene: Scene, count: int = 20) -> tuple[list[float], int]:
    """The thorough planner on such requests: seconds of the processor, and how many it admits that the quick look refuses."""
    times, missed = [], 0
    for request in scene.near(count):
        start = time.process_time()
        found = plan(scene.topology, request, scene.free())
        times.append(time.process_time() - start)
        missed += isinstance(found, Plan) and not isinstance(
            swift(scene.topology, request, scene.free()), Plan
        )
    return times, missed


def row(name: str, times: Times) -> str:
    own, wall = times.quantiles(), times.quantiles(wall=True)
    both = " ".join(f"{value:8.2f}" for value in (*own, *wall))
    return f"{name:34s} {both}   {times.admitted} of {len(times.hops)} admitted"


def at_size(nodes: int, active: int, count: int) -> Times:
    """The table for one size; returns the warm times of near requests."""
    scene = Scene(nodes, active)
    print(
        f"\n{nodes} nodes, {len(scene.topology.links)} links, {scene.active} active; landmarks in {scene.prepared:.2f} s"
    )
    print(f"{'ms':34s} {'median':>8s} {'99 %':>8s} {'most':>8s} {'(wall)':>8s} {'99 %':>8s} {'most':>8s}")
    near, anywhere = scene.near(count), scene.anywhere(count)
    warm = Times()
    for name, requests in (("2 to 8 links apart", near), ("any two nodes", anywhere)):
        print(row(f"{name}, cold", scene.timed(requests)))
        times = scene.timed(requests)
        print(row(f"{name}, warm", times))
        times = scene.best(requests)
        print(row(f"{name}, best of three", times))
        shares = ", ".join(f"{phase} {share:.0%}" for phase, share in scene.phases(requests).items())
        print(f"    {shares}")
        for low, high in ((1, 2), (3, 4), (5, 8), (9, 16), (17, 99)):
            chosen = [t for t, hops in zip(times.processor, times.hops, strict=True) if low <= hops <= high]
            if len(chosen) >= 5:
                print(f"    {low} to {high} links: median {np.median(chosen) * 1e3:.2f} ms ({len(chosen)})")
        warm = warm if warm.wall else times
    return warm


def growth(count: int, plot: Path | None) -> None:
    """Sizes from 100 to 10,000 nodes, and loads at 1,000."""
    sizes = (100, 300, 1000, 3000, 10000)
    found = [at_size(nodes, min(500, nodes // 2), count) for nodes in sizes]
    medians, tails = ([times.quantiles()[which] for times in found] for which in (0, 1))
    print(
        f"\nmedian grows as nodes^{exponent(sizes, medians):.2f}, 99 % as nodes^{exponent(sizes, tails):.2f}"
    )
    loads = (50, 100, 200, 500)
    loaded = [Scene(1000, load) for load in loads]
    under = [scene.timed(scene.near(count)).quantiles()[0] for scene in loaded]
    print(
        f"at 1000 nodes, median grows as active^{exponent(loads, under):.2f}: {[round(each, 2) for each in under]} ms"
    )
    if plot is None:
        return
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4))
    axes.loglog(sizes, medians, "o-", label="median")
    axes.loglog(sizes, tails, "s-", label="99 %")
    axes.axhline(5.0, linestyle=":", label="target at 1000 nodes")
    axes.set(
        xlabel="nodes",
        ylabel="decision (ms of the processor)",
        title="Admission decisions, requests 2 to 8 links apart",
    )
    axes.legend()
    figure.tight_layout()
    figure.savefig(plot)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--active", type=int, default=500)
    parser.add_argument("--count", type=int, default=500, help="decisions that are timed")
    parser.add_argument(
        "--growth",
        type=Path,
        nargs="?",
        const=Path("control-latency.png"),
        help="sizes up to 10,000 nodes, plotted",
    )
    parser.add_argument(
        "--thorough", action="store_true", help="time the thorough planner on 20 of the requests, too"
    )
    chosen = parser.parse_args()
    Scene(100, 10).timed(Scene(100, 10).near(20))  # imports and tables
    if chosen.growth is not None:
        growth(chosen.count, chosen.growth)
        return
    at_size(chosen.nodes, chosen.active, chosen.count)
    if chosen.thorough:
        times, missed = thorough(Scene(chosen.nodes, chosen.active))
        middle, most = np.median(times) * 1e3, max(times) * 1e3
        print(
            f"\nthorough: median {middle:.0f} ms, most {most:.0f} ms; it admits {missed} of {len(times)} more"
        )


if __name__ == "__main__":
    main()
