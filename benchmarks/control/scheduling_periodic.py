"""Periodic demands on the H topology: whole network, whole path or segments reserved; admitted in order or by value.

After Skrzypczyk and Wehner, arXiv:2111.13124; their figures (provenance R: mean of six random task sets, their own code). Four end
nodes, three repeaters in a bar (0-3, 6-3, 3-4, 4-5, 5-2, 5-8), links of 5 km, one communication qubit at each node, slots of
10 ms. A demand asks for a pair every 2^i slots.

Ours, where theirs could only be read in part: a demand gets the slowest link capability of their table that its fidelity allows,
with ideal swaps of Werner pairs, if need be after one round of BBPSSW of two pairs (decoherence of stored pairs is left out in both,
except that theirs inflates the fidelity asked for). Links that share a node take turns, so a path of two links or more takes two
phases. Rates are drawn from the powers of two that the path alone could do and that do not exceed what is missing of the load (the
least of them, 0.195/s, where all do), until the load is reached.

- *uni-resource block*: the whole network belongs to one demand for its two phases;
- *multi-resource block*: the nodes of its path do;
- *multi-resource segment*: each node only in the phases in which one of its links generates;
- *ours*: segments, and of all demands a set of much value is taken (`selection.by_value`), instead of one after the other;
  windows are laid down by `Calendar`, and if one finds no place its demand is left out.

Limits:
    Their generator of protocols is not reproduced, so throughputs compare in kind, not demand by demand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np

from quantum_fabric.control.scheduling.calendar import Calendar, Conflict, Reservation
from quantum_fabric.control.scheduling.selection import Offer, by_value

SLOT = 0.01
"""s"""

FIDELITIES = (0.8771, 0.8338, 0.7906, 0.7473, 0.7041, 0.6608, 0.6175, 0.5743, 0.5310, 0.4877)

CAPABILITY: dict[int, tuple[float, ...]] = {
    5: (14.2, 20.8, 27.8, 34.0, 39.2, 45.6, 51.3, 57.7, 61.6, 75.7),
    10: (7.8, 11.1, 14.8, 18.4, 22.6, 24.5, 29.2, 31.1, 38.3, 37.8),
    15: (5.3, 7.9, 10.1, 12.3, 14.5, 16.9, 20.4, 22.0, 24.5, 26.9),
    25: (3.2, 4.4, 6.5, 7.6, 9.7, 10.7, 12.3, 13.3, 14.5, 16.1),
    50: (1.7, 2.4, 3.2, 4.0, 4.5, 5.1, 5.7, 6.7, 7.2, 8.6),
}
"""Pairs per second of a link by its length in km, at each of `FIDELITIES` (R: the authors' table)."""

THEIRS = {
    (0.55, 1): (1.17, 1.17, 1.17),
    (0.55, 5): (5.08, 5.08, 5.08),
    (0.55, 10): (7.36, 7.75, 7.78),
    (0.55, 20): (5.44, 5.50, 5.57),
    (0.65, 5): (3.35, 3.48, 3.55),
    (0.65, 20): (2.90, 3.19, 3.65),
}
"""(fidelity, offered pairs per second) -> throughput of uni block, multi block, multi segment (R)."""

GRAPH: nx.Graph = nx.Graph([(0, 3), (6, 3), (3, 4), (4, 5), (5, 2), (5, 8)])
ENDS = (0, 2, 6, 8)
CYCLE = 512
"""Slots: the longest period, and a multiple of all."""


def _werner(fidelity: float) -> float:
    return (4.0 * fidelity - 1.0) / 3.0


def _distilled(fidelity: float) -> tuple[float, float]:
    """Fidelity and chance of one round of BBPSSW on two equal Werner pairs (Bennett et al., PRL 76, 722 (1996))."""
    f, g = fidelity, (1.0 - fidelity) / 3.0
    chance = (f + g) ** 2 + (2.0 * g) ** 2
    return (f * f + g * g) / chance, chance


def slots_for(fidelity: float, hops: int, length: int = 5) -> int | None:
    """Slots in which a link makes, on average, a pair good enough for so many hops; None where it cannot.

    Examples:
        >>> slots_for(0.55, 2), slots_for(0.55, 4), slots_for(0.95, 4)
        (3, 8, None)
    """
    needed = _werner(fidelity) ** (1.0 / hops)
    found = []
    for each, rate in zip(FIDELITIES, CAPABILITY[length], strict=True):
        if _werner(each) >= needed:
            found.append(math.ceil(1.0 / (rate * SLOT)))
        better, chance = _distilled(each)
        if each > 0.5 and _werner(better) >= needed:
            found.append(math.ceil(2.0 / (rate * chance * SLOT)))
    return min(found, default=None)


@dataclass(frozen=True, slots=True)
class Demand:
    """A pair every `period` slots over `path`; each phase takes `phase` slots."""

    name: str
    path: tuple[int, ...]
    phase: int
    period: int

    @property
    def phases(self) -> int:
        """One for a single link, two for more: links that share a node take turns."""
        return min(2, len(self.path) - 1)

    @property
    def rate(self) -> float:
        """Pairs per second."""
        return 1.0 / (self.period * SLOT)

    def windows(self, kind: str) -> list[tuple[int, int, tuple[str, ...]]]:
        """What it takes, from its start on: (from, to, resources) in slots."""
        whole = self.phases * self.phase
        if kind == "uni block":
            return [(0, whole, ("network",))]
        if kind == "multi block":
            return [(0, whole, tuple(f"node {n}" for n in self.path))]
        out = []
        for turn in range(self.phases):
            nodes = {n for k, pair in enumerate(pairwise(self.path)) if k % 2 == turn for n in pair}
            out.append(
                (turn * self.phase, (turn + 1) * self.phase, tuple(f"node {n}" for n in sorted(nodes)))
            )
        return out


RESOURCES = {"network": 1, **{f"node {n}": 1 for n in GRAPH}}


def demands(fidelity: float, load: float, seed: int) -> list[Demand]:
    """Draw demands until the offered load is reached."""
    rng = np.random.default_rng([seed, int(fidelity * 1000), int(load * 10)])
    out: list[Demand] = []
    while (missing := load - sum(each.rate for each in out)) > 1e-9:
        a, b = (int(n) for n in rng.choice(ENDS, 2, replace=False))
        path = tuple(nx.shortest_path(GRAPH, a, b))
        phase = slots_for(fidelity, len(path) - 1)
        if phase is None:
            continue
        able = [2**i for i in range(10) if 2**i >= 2 * phase]
        if able:
            fine = [period for period in able if 1.0 / (period * SLOT) <= missing] or able[-1:]
            out.append(Demand(f"d{len(out)}", path, phase, int(rng.choice(fine))))
    return out


def placed(demand: Demand, book: Calendar, kind: str) -> bool:
    """Lay down all windows of a demand in one cycle, each at the first place in its period; or none of them."""
    names: list[str] = []
    for turn in range(CYCLE // demand.period):
        start, deadline = turn * demand.period, (turn + 1) * demand.period
        windows = demand.windows(kind)
        whole = windows[-1][1]
        done = False
        while start + whole <= deadline and not done:
            made: list[str] = []
            for begin, end, resources in windows:
                name = f"{demand.name}#{turn}#{begin}"
                needs = dict.fromkeys(resources, 1)
                found = book.reserve(Reservation(name, needs, start + begin, start + end))
                if isinstance(found, Conflict):
                    assert found.available is not None  # the book has an end
                    start = found.available - begin
                    break
                made.append(name)
            else:
                names += made
                done = True
            if not done:
                for name in made:
                    book.release(name)
        if not done:
            for name in names:
                book.release(name)
            return False
    return True


def scheduled(offered: Sequence[Demand], kind: str) -> list[Demand]:
    """Take demands in turn, shortest period first within what is laid down (earliest deadline), as they come where they fit."""
    book = Calendar(RESOURCES)
    return [demand for demand in offered if placed(demand, book, kind)]


def chosen(offered: Sequence[Demand]) -> list[Demand]:
    """Ours: a set of much value first, then whatever still fits, best value for its load first; the best of a few orders."""
    offers = [Offer(each.name, each.rate, _load(each)) for each in offered]
    by_name = {each.name: each for each in offered}
    wanted = [by_name[o.name] for o in by_value(offers, dict.fromkeys(RESOURCES, 1.0), rounds=3)]
    rest = [each for each in offered if each not in wanted]

    def dear(each: Demand) -> float:
        return sum(_load(each).values()) / each.rate

    orders = (
        [*sorted(wanted, key=lambda each: each.period), *sorted(rest, key=dear)],
        [*sorted(wanted, key=lambda each: -each.period), *sorted(rest, key=dear)],
        sorted(offered, key=dear),
        sorted(offered, key=lambda each: (dear(each), each.period)),
        list(offered),
    )
    return max((scheduled(order, "segment") for order in orders), key=throughput)


def _load(demand: Demand) -> dict[str, float]:
    load: dict[str, float] = {}
    for begin, end, resources in demand.windows("segment"):
        for name in resources:
            load[name] = load.get(name, 0.0) + (end - begin) / demand.period
    return load


def throughput(taken: Sequence[Demand]) -> float:
    """Pairs per second."""
    return sum(each.rate for each in taken)


def measure(quick: bool = False, progress: Callable[[str], None] = print) -> list[dict[str, Any]]:
    """Rows of the table: throughput and share of demands of each scheduler, beside the published throughputs."""
    rows = []
    for (fidelity, load), theirs in THEIRS.items():
        progress(f"H, fidelity {fidelity}, {load} pairs/s")
        row: dict[str, Any] = {"fidelity": fidelity, "load": load}
        found: dict[str, list[float]] = {}
        for seed in range(2 if quick else 6):
            offered = demands(fidelity, load, seed)
            for kind in ("uni block", "multi block", "segment"):
                found.setdefault(kind, []).append(throughput(scheduled(offered, kind)))
            found.setdefault("ours", []).append(throughput(chosen(offered)))
            found.setdefault("offered", []).append(throughput(offered))
        row |= {kind: float(np.mean(each)) for kind, each in found.items()}
        row |= {
            f"theirs {k}": v for k, v in zip(("uni block", "multi block", "segment"), theirs, strict=True)
        }
        rows.append(row)
    return rows
