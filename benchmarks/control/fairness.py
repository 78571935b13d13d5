"""Fairness, utilisation and acceptance of each discipline, from little load to overload.

A ring of six links with four lanes each. Four tenants of equal weight ask for paths of one to three links; the fourth asks for half of
all, the others for a sixth each. A request holds one lane of each of its links for an exponential time (mean 1 s) and is given up when
it has not begun within 1 to 7 s. Load 1 is where all lanes would be taken all the time.

Satisfaction of a tenant is what it was served over its max-min fair allocation of the whole; Jain's index is taken of these.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from quantum_fabric.control.scheduling.allocation import Demand, jain, water_fill
from quantum_fabric.control.scheduling.disciplines import (
    Discipline,
    EarliestDeadline,
    Fifo,
    LongestQueue,
    StrictPriority,
    Waiting,
    serve,
)
from quantum_fabric.control.scheduling.shares import MaxMinFair, ProportionalShare, WeightedFair
from quantum_fabric.units import SECOND, Time, from_seconds

LINKS, LANES = 6, 4
PATIENCE = (1.0, 7.0)
"""How long requests wait, s: from, to (uniform)."""

TENANTS = {"a": 1 / 6, "b": 1 / 6, "c": 1 / 6, "d": 1 / 2}
"""Share of the offered load."""

STATIC = "static shares"
"""The baseline: a lane of each link for each tenant alone (time division in the long run)."""

DISCIPLINES: dict[str, Callable[[], Discipline]] = {
    "first come": Fifo,
    "first come, in line": lambda: Fifo(overtakes=False),
    "strict priority": StrictPriority,
    "earliest deadline": EarliestDeadline,
    "longest queue": LongestQueue,
    "weighted fair": WeightedFair,
    "proportional": ProportionalShare,
    "max-min": MaxMinFair,
    STATIC: Fifo,
}
LOADS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0)
FIGURE = Path(__file__).parents[2] / "docs" / "explanation" / "figures" / "fairness.png"


def requests(load: float, seconds: float, seed: int) -> list[tuple[Waiting, tuple[int, ...]]]:
    """Requests in order of their arrival, each with its links."""
    rng = np.random.default_rng([seed, int(1000 * load)])
    out = []
    clock = 0.0
    rate = load * LINKS * LANES / 2.0  # a request holds two lanes on average, for a second
    names = sorted(TENANTS)
    shares = [TENANTS[name] for name in names]
    while True:
        clock += float(rng.exponential(1.0 / rate))
        if clock >= seconds:
            return out
        tenant = names[int(rng.choice(len(names), p=shares))]
        first, hops = int(rng.integers(LINKS)), int(rng.integers(1, 4))
        held = float(rng.exponential(1.0))
        now = from_seconds(clock)
        job = Waiting(
            f"{tenant}{len(out)}", tenant, priority=names.index(tenant), arrived=now,
            deadline=now + from_seconds(float(rng.uniform(*PATIENCE))), cost=held * hops, queue=str(first),
        )  # fmt: skip
        out.append((job, tuple((first + k) % LINKS for k in range(hops))))


def run(name: str, load: float, seconds: float, seed: int) -> dict[str, Any]:
    """One discipline at one load."""
    discipline = DISCIPLINES[name]()
    coming = requests(load, seconds, seed)
    paths = {job.name: links for job, links in coming}
    # a lane for each tenant alone, or lanes for all
    owners = tuple(TENANTS) if name == STATIC else ("",)
    room = {(link, who): LANES // len(owners) for link in range(LINKS) for who in owners}
    events: list[tuple[Time, int, str]] = [(job.arrived, 1, job.name) for job, _ in coming]
    jobs = {job.name: job for job, _ in coming}
    heapq.heapify(events)
    waiting: list[Waiting] = []
    served = dict.fromkeys(TENANTS, 0.0)
    begun = 0
    end = from_seconds(seconds)

    def lanes(job: Waiting) -> list[tuple[int, str]]:
        return [(link, job.tenant if name == STATIC else "") for link in paths[job.name]]

    while events and events[0][0] < end:
        now, rank, which = heapq.heappop(events)
        if rank == 1:
            waiting.append(jobs[which])
            discipline.arrived(jobs[which], now)
        else:
            for lane in lanes(jobs[which]):
                room[lane] += 1
            discipline.ended(jobs[which], now)
        for job in [job for job in waiting if job.deadline is not None and job.deadline < now]:
            waiting.remove(job)
            discipline.ended(job, now)

        def begin(job: Waiting, now: Time = now) -> bool:
            wanted = lanes(job)
            if any(room[lane] < 1 for lane in wanted):
                return False
            for lane in wanted:
                room[lane] -= 1
            held = from_seconds(job.cost / len(wanted))
            heapq.heappush(events, (now + held, 0, job.name))
            inside = min(end, now + held) - now
            served[job.tenant] += inside / SECOND * len(wanted)
            return True

        found = serve(discipline, waiting, begin, now)
        begun += len(found.begun)
        gone = {job.name for job in (*found.begun, *found.dropped)}
        for job in found.dropped:
            discipline.ended(job, now)
        waiting = [job for job in waiting if job.name not in gone]
    total = LINKS * LANES * seconds
    fair = water_fill(
        [Demand(tenant, {"lanes": 1.0}, most=share * load * total) for tenant, share in TENANTS.items()],
        {"lanes": total},
    )
    return {
        "discipline": name, "load": load, "jain": jain([served[tenant] / fair[tenant] for tenant in TENANTS]),
        "utilisation": sum(served.values()) / total, "acceptance": begun / max(1, len(coming)),
    }  # fmt: skip


def measure(quick: bool = False, progress: Callable[[str], None] = print) -> list[dict[str, Any]]:
    """Rows of the table: every discipline at every load, averaged over seeds."""
    rows = []
    seeds, seconds = (range(1), 60.0) if quick else (range(3), 120.0)
    for name in DISCIPLINES:
        for load in (0.4, 1.0, 2.0) if quick else LOADS:
            progress(f"fairness: {name}, load {load:g}")
            found = [run(name, load, seconds, seed) for seed in seeds]
            means = {
                key: float(np.mean([each[key] for each in found]))
                for key in ("jain", "utilisation", "acceptance")
            }
            rows.append({"discipline": name, "load": load, **means})
    return rows


def draw(rows: list[dict[str, Any]], path: Path = FIGURE) -> None:
    """Three plots side by side."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(13, 4.2), sharex=True)
    titles = {
        "jain": "Jain's index of satisfaction",
        "utilisation": "utilisation of lanes",
        "acceptance": "requests served",
    }
    for axis, (key, title) in zip(axes, titles.items(), strict=True):
        for name in DISCIPLINES:
            mine = [(row["load"], row[key]) for row in rows if row["discipline"] == name]
            style = "--" if name == STATIC else "-"
            axis.plot(*zip(*mine, strict=True), style, marker=".", label=name)
        axis.set_title(title)
        axis.set_xlabel("offered load")
        axis.set_ylim(0.0, 1.05)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=7, loc="lower left")
    figure.tight_layout()
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
