"""How long the controller takes for a request: over sizes of networks, active requests and lengths of paths.

    python -m benchmarks.control.latency                     1,000 nodes, 500 active requests
    python -m benchmarks.control.latency --growth            100 to 10,000 nodes, 50 to 2,000 requests, with the plot of the docs
    python -m benchmarks.control.latency --profile           where the time goes

A decision is all that `Controller.handle(LinkRequest)` does: look up what is free, plan, find what to offer instead, lease, write the
rules of every node and the letters that install them. Requests are new ones of the mesh (ends 2 to 8 links apart) or between
any two nodes; each is withdrawn before the next, so that the same ones stay active. Times are those of the processor (one
thread), then those of the clock on the wall; nothing is repeated and no time is left out.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import math
import pstats
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.networks import mesh
from benchmarks.processes import ROOT
from benchmarks.records import Goal, Row
from quantum_fabric.control import Controller
from quantum_fabric.documents.assembly import topology as believed
from quantum_fabric.messages import (
    Accepted,
    Cancel,
    LinkRequest,
    Message,
    Prepare,
    Prepared,
    Release,
    Released,
    Send,
)
from quantum_fabric.network.methods import Method
from quantum_fabric.units import MS, Time

if TYPE_CHECKING:
    from benchmarks.suites import Run

FLOORS = (0.7, 0.8, 0.85, 0.9, 0.95)

SLOTS = 384
"""Memories of a node: a request that asks for no rate gets all lanes that help, up to 32 on a link."""

FIGURE = ROOT / "docs" / "explanation" / "figures" / "decision-latency.png"

SIZES, LOADS = (100, 300, 1000, 3000, 10000), (50, 100, 200, 500, 1000, 2000)


@dataclass(frozen=True, slots=True)
class Times:
    """Decisions, one entry each: seconds of the processor and of the wall, links of the path (0: refused), whether it waits."""

    processor: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    hops: list[int] = field(default_factory=list)
    queued: list[bool] = field(default_factory=list)

    @property
    def admitted(self) -> int:
        return sum(each > 0 for each in self.hops)

    def quantiles(self, wall: bool = False) -> tuple[float, float, float]:
        """Median, 99 % and greatest, ms."""
        found = np.quantile(self.wall if wall else self.processor, (0.5, 0.99, 1.0)) * 1e3
        return float(found[0]), float(found[1]), float(found[2])


class Scene:
    """A mesh whose controller serves requests already.

    Args:
        nodes: how many.
        active: requests that are installed.
        seed: of the mesh and of the requests.
    """

    def __init__(self, nodes: int, active: int, seed: int = 1) -> None:
        job = mesh(nodes, min(active + 900, nodes * 4), seed, by_hand=False)
        inventory = replace(
            job.inventory,
            nodes={name: replace(each, slots=SLOTS) for name, each in job.inventory.nodes.items()},
        )
        self.controller = Controller(believed(inventory), planning=Method.SWIFT)
        self.now: Time = 0
        self.draw = random.Random(seed)
        self.waiting = [request for _, request in job.requests]
        self.active = self.asked = 0
        while self.active < active and self.waiting:
            wish = self.waiting.pop()
            if self._asked(LinkRequest(wish.source, wish.destination, 0.7, pairs=wish.pairs)):
                self.active += 1

    def _asked(self, request: LinkRequest) -> bool:
        """Ask and let all nodes agree; whether it runs now. What has to wait is withdrawn."""
        named = self._named(request)
        out = self.controller.handle(named, self.now)
        said = next(each.message for each in out if isinstance(each, Send))
        if isinstance(said, Accepted) and not said.queued:
            self._answered(out)
            return True
        self._withdrawn(named)
        return False

    def _named(self, request: LinkRequest) -> LinkRequest:
        self.asked += 1
        self.now += MS
        return replace(request, name=f"asked-{self.asked}")

    def _answered(self, out: Sequence[object]) -> None:
        """What the nodes say to what they are sent."""
        for each in out:
            answer: Message | None = None
            if isinstance(each, Send) and isinstance(each.message, Prepare):
                answer = Prepared(each.message.epoch, each.to)
            elif isinstance(each, Send) and isinstance(each.message, Release):
                answer = Released(each.message.epoch, each.to)
            if answer is not None:
                self._answered(self.controller.handle(answer, self.now))

    def _withdrawn(self, request: LinkRequest) -> None:
        self._answered(self.controller.handle(Cancel(request.name), self.now))

    def near(self, count: int) -> list[LinkRequest]:
        """Requests of the mesh that were not asked yet, ends 2 to 8 links apart."""
        chosen, self.waiting = self.waiting[:count], self.waiting[count:]
        return [
            LinkRequest(each.source, each.destination, self.draw.choice(FLOORS), pairs=100) for each in chosen
        ]

    def anywhere(self, count: int) -> list[LinkRequest]:
        """Requests between any two nodes."""
        names = sorted(self.controller.topology.nodes)
        return [
            LinkRequest(*self.draw.sample(names, 2), self.draw.choice(FLOORS), pairs=100)
            for _ in range(count)
        ]

    def timed(self, requests: Sequence[LinkRequest]) -> Times:
        """Decide each request, and withdraw it."""
        found = Times()
        gc.collect()
        gc.freeze()  # as a server does when it has started: the network is not looked through for garbage
        for request in requests:
            named = self._named(request)
            wall, processor = time.perf_counter(), time.process_time()
            out = self.controller.handle(named, self.now)
            found.processor.append(time.process_time() - processor)
            found.wall.append(time.perf_counter() - wall)
            said = next(each.message for each in out if isinstance(each, Send))
            found.hops.append(len(said.plan.links) if isinstance(said, Accepted) else 0)
            found.queued.append(isinstance(said, Accepted) and said.queued)
            self._answered(out)
            self._withdrawn(named)
        gc.unfreeze()
        return found


def exponent(sizes: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Slope of the least-squares line through the logarithms, and its standard error."""
    x, y = np.log(sizes), np.log(values)
    (slope, start), centred = np.polyfit(x, y, 1), x - x.mean()
    rest = y - slope * x - start
    error = math.sqrt(float(rest @ rest) / (len(x) - 2) / float(centred @ centred))
    return float(slope), error


def row(name: str, times: Times) -> str:
    own, wall = times.quantiles(), times.quantiles(wall=True)
    both = " ".join(f"{value:8.2f}" for value in (*own, *wall))
    return f"{name:28s} {both}   {times.admitted} of {len(times.hops)} admitted, {sum(times.queued)} wait"


def at_size(nodes: int, active: int, count: int) -> dict[str, Times]:
    """Decisions at one size."""
    scene = Scene(nodes, active)
    scene.timed(scene.near(20))  # landmarks, tables
    return {
        "2 to 8 links apart": scene.timed(scene.near(count)),
        "any two nodes": scene.timed(scene.anywhere(count)),
    }


def table(nodes: int, active: int, count: int) -> None:
    """Print the table for one size."""
    print(f"{nodes} nodes, {active} active, ms")
    print(f"{'':28s} {'median':>8s} {'99 %':>8s} {'most':>8s} {'(wall)':>8s} {'99 %':>8s} {'most':>8s}")
    for name, times in at_size(nodes, active, count).items():
        print(row(name, times))
        for low, high in ((1, 2), (3, 4), (5, 8), (9, 16), (17, 99)):
            chosen = [t for t, hops in zip(times.processor, times.hops, strict=True) if low <= hops <= high]
            if len(chosen) >= 5:
                print(f"    {low} to {high} links: median {np.median(chosen) * 1e3:.2f} ms ({len(chosen)})")


def growth(count: int, figure: Path | None = FIGURE) -> dict[str, object]:
    """Sizes, loads and lengths of paths: medians and 99 % (ms of the processor), exponents, a plot."""
    sizes = {nodes: at_size(nodes, min(500, nodes // 2), count) for nodes in SIZES}
    loads: dict[int, Times] = {}
    for active in LOADS:
        scene = Scene(1000, active)
        scene.timed(scene.near(20))
        loads[active] = scene.timed(scene.near(count))
    near = {nodes: found["2 to 8 links apart"].quantiles()[:2] for nodes, found in sizes.items()}
    anywhere = {nodes: found["any two nodes"].quantiles()[:2] for nodes, found in sizes.items()}
    under = {active: times.quantiles()[:2] for active, times in loads.items()}
    far = sizes[max(SIZES)]["any two nodes"]
    lengths = {}
    for hops in sorted(set(far.hops) - {0}):
        chosen = [t for t, each in zip(far.processor, far.hops, strict=True) if each == hops]
        if len(chosen) >= 3:
            lengths[hops] = (float(np.median(chosen)) * 1e3, len(chosen))
    told: dict[str, object] = {"near": near, "anywhere": anywhere, "active": under, "links": lengths}
    exponents = {}
    for name, each in (("near", near), ("anywhere", anywhere), ("active", under), ("links", lengths)):
        exponents[name] = exponent(list(each), [values[0] for values in each.values()])
        slope, error = exponents[name]
        print(
            f"median grows as {name}^({slope:.2f} ± {error:.2f}): { {k: round(v[0], 2) for k, v in each.items()} }"
        )
    told["exponents"] = exponents
    if figure is not None:
        plot(near, anywhere, under, lengths, figure)
    return told


def plot(near, anywhere, under, lengths, figure: Path) -> None:  # type: ignore[no-untyped-def]
    """Three panels: nodes, active requests, links of the path."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    made, (first, second, third) = pyplot.subplots(1, 3, figsize=(11, 3.6), sharey=True)
    for name, each, mark in (("2 to 8 links", near, "o"), ("any two nodes", anywhere, "s")):
        for place, line in ((0, "-"), (1, "--")):
            values = [value[place] for value in each.values()]
            first.loglog(list(each), values, mark + line, label=f"{name}, {('median', '99 %')[place]}")
    for place, line in ((0, "-"), (1, "--")):
        second.loglog(
            list(under),
            [value[place] for value in under.values()],
            "o" + line,
            label=("median", "99 %")[place],
        )
    third.loglog(list(lengths), [value[0] for value in lengths.values()], "o", label="median, 10,000 nodes")
    for axis, label in (
        (first, "nodes"),
        (second, "active requests (1,000 nodes)"),
        (third, "links of the path"),
    ):
        axis.axhline(5.0, color="grey", linestyle=":")
        axis.set_xlabel(label)
        axis.legend(fontsize=7)
    first.set_ylabel("decision (ms of the processor)")
    made.tight_layout()
    figure.parent.mkdir(exist_ok=True)
    made.savefig(figure, dpi=110, metadata={"Software": None})
    pyplot.close(made)


def rows(run: Run) -> list[Row]:
    """Lines for `qfabric bench control`: 99 % at 1,000 nodes with 500 active."""
    run.progress("decisions of the controller")
    nodes, active, count = (200, 100, 50) if run.quick else (1000, 500, 400)
    lines = []
    for name, times in at_size(nodes, active, count).items():
        median, most, worst = times.quantiles()
        lines.append(
            Row(
                name=f"control/latency/{name}, {nodes} nodes, {active} active",
                quantity="ms CPU per admission, 99 %",
                ours=most,
                goal=Goal(5.0),
                details={
                    "median": median,
                    "most": worst,
                    "wall": times.quantiles(wall=True),
                    "admitted": times.admitted,
                },
            )
        )
    return lines


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--active", type=int, default=500)
    parser.add_argument("--count", type=int, default=400, help="decisions that are timed")
    parser.add_argument(
        "--growth", action="store_true", help="up to 10,000 nodes and 2,000 requests, plotted"
    )
    parser.add_argument("--keep", type=Path, help="write the numbers of --growth here (JSON)")
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    chosen = parser.parse_args()
    if chosen.growth:
        told = growth(chosen.count)
        if chosen.keep is not None:
            chosen.keep.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    elif chosen.profile:
        scene = Scene(chosen.nodes, chosen.active)
        scene.timed(scene.near(20))
        requests, profile = [*scene.near(chosen.count), *scene.anywhere(chosen.count)], cProfile.Profile()
        profile.runcall(scene.timed, requests)
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)
    else:
        table(chosen.nodes, chosen.active, chosen.count)


if __name__ == "__main__":
    main()
