"""Ebits per slot against load for every router, on the same topologies, demands and channels.

Setting: reference of Shi, Qian 2020 (100 nodes, mean success 0.6, swaps 0.9, k = 3, mean degree 6 before the program tops up).
Means are over topologies, and so are standard errors; differences to ours are paired by topology. An entry is the mean number of
pairs given the channels that came up, over the swaps, which has the same mean as a count and less noise.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import mean, median, stdev
from typing import TYPE_CHECKING

from benchmarks.records import Goal, Row
from quantum_fabric.network.routing import (
    Connection,
    Greedy,
    Luck,
    Metric,
    QCast,
    QPass,
    Router,
    SinglePath,
    SlottedNetwork,
    Windowed,
    random_demands,
    waxman,
)
from quantum_fabric.network.routing.decoherence import Decay

if TYPE_CHECKING:
    from benchmarks.run import Run

STUDENT = {2: 4.303, 3: 3.182, 4: 2.776, 9: 2.262}
"""97.5 % quantile of Student's distribution by degrees of freedom."""

PUBLISHED = {
    10: {"Q-CAST": 15.96, "Q-CAST without recovery": 15.52, "Q-PASS": 12.78,
        "greedy, hops": 10.97, "greedy, geographic": 11.40, "SLMP": 3.18},
    1: {"Q-CAST": 2.25, "Q-PASS": 2.65,
        "greedy, geographic": 2.32},
    2: {"Q-CAST": 4.33, "Q-PASS": 4.62,
        "greedy, geographic": 3.73},
    4: {"Q-CAST": 7.58, "Q-CAST without recovery": 7.83, "Q-PASS": 7.32,
        "greedy, hops": 6.19, "greedy, geographic": 6.44, "SLMP": 1.54},
    6: {"Q-CAST": 11.02, "Q-CAST without recovery": 10.66, "Q-PASS": 9.56,
        "greedy, hops": 7.63, "greedy, geographic": 8.08, "SLMP": 1.82},
    8: {"Q-CAST": 13.33, "Q-CAST without recovery": 13.40, "Q-PASS": 11.24,
        "greedy, hops": 9.14, "greedy, geographic": 9.86, "SLMP": 2.51},
}  # fmt: skip
"""Ebits per slot of the authors' program, run on one topology of its generator (provenance C: run for this
project, 100 to 400 slots)."""

FIDELITIES = (0.94, 1.0)
"""Of fresh pairs, uniform over edges, in the settings with a floor. Ours: the papers have no fidelity."""

FLOOR = 0.8
"""End to end."""

COHERENCE = 0.01
"""s, of every memory, in the setting with decay."""

PLANNING_GOAL = 50.0
"""ms for a slot of 100 nodes and 10 pairs."""


@dataclass(slots=True)
class Measured:
    """One setting at one load: for each router one number per topology.

    Attributes:
        pairs: ebits per slot that keep the floor (all of them where there is none).
        below: share of ebits below the floor.
        planning: CPU ms of each plan.
    """

    pairs: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    below: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    planning: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def error(self, name: str) -> float:
        """Standard error over topologies."""
        return stdev(self.pairs[name]) / math.sqrt(len(self.pairs[name]))

    def best(self) -> str:
        """The best router that is not ours."""
        return max(
            (name for name in self.pairs if not name.startswith("ours")),
            key=lambda name: mean(self.pairs[name]),
        )

    def ahead(self, other: str) -> tuple[float, float]:
        """How far ours is ahead of another one: mean and half of the 95 % interval, paired by topology."""
        gaps = [a - b for a, b in zip(self.pairs["ours"], self.pairs[other], strict=True)]
        return mean(gaps), STUDENT[len(gaps) - 1] * stdev(gaps) / math.sqrt(len(gaps))


Makes = Callable[[SlottedNetwork], list[Router]]


def family(network: SlottedNetwork) -> list[Router]:
    """What is compared with ours."""
    return [
        QCast(network), QCast(network, recovery=False), QPass(network), Greedy(network), Greedy(network, geographic=True),
        QCast(network, single=True), *(SinglePath(network, metric) for metric in Metric),
    ]  # fmt: skip


def _plain(network: SlottedNetwork) -> list[Router]:
    return [Windowed(network), Windowed(network, shared=False), *family(network)]


def _floored(decay: Decay) -> Makes:
    def made(network: SlottedNetwork) -> list[Router]:
        ours = Windowed(network, decay=decay, floor=FLOOR)
        return [ours, QCast(network), QPass(network), Greedy(network), Greedy(network, geographic=True)]

    return made


def sweep(
    loads: Sequence[int],
    topologies: int,
    slots: int,
    makes: Makes,
    decay: Decay | None,
    tell: Callable[[str], None],
) -> dict[int, Measured]:
    """Every load on every topology."""
    found = {load: Measured() for load in loads}
    for seed in range(topologies):
        network = waxman(100, seed, fidelities=(1.0, 1.0) if decay is None else FIDELITIES)
        telling = decay.telling(network) if decay else 0.0
        routers = makes(network)
        for load in loads:
            tell(f"{load} pairs, topology {seed + 1} of {topologies}")
            for router in routers:
                good = bad = 0.0
                for slot in range(slots):
                    demands = random_demands(network, load, 1000 * seed + slot)
                    started = time.process_time()
                    plan = router.plan(demands)
                    found[load].planning[router.name].append(1e3 * (time.process_time() - started))
                    up = Luck(network, 1000 * seed + slot).up(plan.reserved)
                    for each in router.connect(plan, up):
                        if decay is None or _keeps(network, each, decay, telling):
                            good += network.swap ** (len(each.nodes) - 2)
                        else:
                            bad += network.swap ** (len(each.nodes) - 2)
                found[load].pairs[router.name].append(good / slots)
                found[load].below[router.name].append(bad / (good + bad) if good + bad else 0.0)
    return found


def _keeps(network: SlottedNetwork, each: Connection, decay: Decay, telling: float) -> bool:
    return decay.fidelity(network, each.nodes, telling) >= FLOOR - 1e-12


def rows(run: Run) -> list[Row]:
    """Lines of the table: one for each setting and load."""
    topologies, slots = (3, 3) if run.quick else (10, 12)
    loads = (1, 4, 10) if run.quick else tuple(range(1, 11))
    made: list[Row] = []
    settings: tuple[tuple[str, Makes, Decay | None, Sequence[int]], ...] = (
        ("plain", _plain, None, loads),
        ("floor", _floored(Decay()), Decay(), (1, 4, 10)),
        ("decay", _floored(Decay(COHERENCE)), Decay(COHERENCE), (1, 4, 10)),
    )
    for name, makes, decay, those in settings:
        found = sweep(those, topologies, slots, makes, decay, partial(_tell, run, name))
        made += [_row(name, load, each, topologies * slots) for load, each in found.items()]
        if name == "plain":
            made.append(_planning(found[10]))
    run.note("control/routing: peer is the best router of the family at that load; the goal is its mean")
    return made


def _tell(run: Run, setting: str, text: str) -> None:
    run.progress(f"routing, {setting}: {text}")


def _row(setting: str, load: int, found: Measured, slots: int) -> Row:
    best = found.best()
    gap, half = found.ahead(best)
    names = [name for name in found.pairs if name != "ours"]
    return Row(
        name=f"control/routing/{setting}/{load:02d}",
        quantity="ebits/slot",
        ours=mean(found.pairs["ours"]),
        goal=Goal(mean(found.pairs[best]), at_least=True),
        peer=mean(found.pairs[best]),
        peer_name=best,
        ratio_goal=1.0,
        count=100 * mean(found.below["ours"]) if setting != "plain" else None,
        counted="% below floor" if setting != "plain" else "",
        count_goal=Goal(0.0) if setting != "plain" else None,
        others={name: mean(found.pairs[name]) for name in names if name != best},
        details={
            "errors": {name: found.error(name) for name in found.pairs},
            "ahead": gap,
            "interval": half,
            "below": {name: mean(values) for name, values in found.below.items()},
            "published": PUBLISHED.get(load, {}) if setting == "plain" else {},
            "slots": slots,
        },
    )


def _planning(found: Measured) -> Row:
    return Row(
        name="control/routing/planning",
        quantity="CPU ms/slot",
        ours=median(found.planning["ours"]),
        goal=Goal(PLANNING_GOAL),
        others={
            name: median(values) for name, values in found.planning.items() if not name.startswith("ours")
        },
        details={"most": max(found.planning["ours"])},
    )
