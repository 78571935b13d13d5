"""How long the controller takes for a request: over sizes of networks, active requests and lengths of paths.

    python -m benchmarks.control.latency                     1,000 nodes, 500 active requests
    python -m benchmarks.control.latency --profile           where the time goes

A decision is all that `Controller.handle(LinkRequest)` does: look up what is free, plan, find what to offer instead, lease, write the
rules of every node and the letters that install them. Requests are new ones of the mesh (ends 2 to 8 links apart) or between
any two nodes; each is withdrawn before the next, so that the same ones stay active. Times are those of the processor (one
thread), then those of the clock on the wall; nothing is repeated and no time is left out. How they grow: `benchmarks.control.growth`.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.networks import mesh
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
    from benchmarks.run import Run

FLOORS = (0.7, 0.8, 0.85, 0.9, 0.95)

SLOTS = 384
"""Memories of a node: a request that asks for no rate gets all lanes that help, up to 32 on a link."""


SPARED = 300
"""Requests that are kept back for what is timed: a network that is full may take fewer than it is asked to."""


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
        job = mesh(nodes, min(max(active + 900, 2 * active), nodes * 4), seed, by_hand=False)
        inventory = replace(
            job.inventory,
            nodes={name: replace(each, slots=SLOTS) for name, each in job.inventory.nodes.items()},
        )
        self.controller = Controller(believed(inventory), planning=Method.SWIFT)
        self.now: Time = 0
        self.draw = random.Random(seed)
        self.waiting = [request for _, request in job.requests]
        self.active = self.asked = 0
        while self.active < active and len(self.waiting) > SPARED:
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
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    chosen = parser.parse_args()
    if chosen.profile:
        scene = Scene(chosen.nodes, chosen.active)
        scene.timed(scene.near(20))
        requests, profile = [*scene.near(chosen.count), *scene.anywhere(chosen.count)], cProfile.Profile()
        profile.runcall(scene.timed, requests)
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)
    else:
        table(chosen.nodes, chosen.active, chosen.count)


if __name__ == "__main__":
    main()
