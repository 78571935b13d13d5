"""Do the margins of swift planning hold on networks that they were not read off? `python -m benchmarks.control.margins`

A swift plan promises a rate and a fidelity without a sample (`quantum_fabric.network.swift`). Here plans are made on the bundled
networks and on grids that mix link kinds, noises, memories and slots, and each is sampled in full. A promise is broken where the
sampled rate, or the fidelity that nineteen pairs in twenty reach, less the margin of the thorough planner, is below it.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

from benchmarks.records import Goal, Row
from quantum_fabric.documents import inventory, load_network
from quantum_fabric.documents.assembly import topology as believed
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import LinkRequest, Plan
from quantum_fabric.network.chain import chain
from quantum_fabric.network.forecast import judge
from quantum_fabric.network.scheme import from_plan
from quantum_fabric.network.swift import swift
from quantum_fabric.network.topology import LinkView, NodeModel, Topology
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.units import MS

if TYPE_CHECKING:
    from benchmarks.run import Run

FLOORS = (0.55, 0.6, 0.7, 0.8, 0.9, 0.95)

BUNDLED = ("chicago", "germany50", "hefei-star", "lab", "boston", "barcelona", "munich", "delft-the-hague")
"""Bundled networks whose links store pairs."""

FOLDS = ("bundled", "grid", "knobs", "fading")


@dataclass(frozen=True, slots=True)
class Broken:
    """One plan: promised and sampled rate (1/s) and low fidelity, and what made it."""

    family: str
    label: str
    purified: bool
    rate: tuple[float, float]
    low: tuple[float, float]

    @property
    def broken(self) -> bool:
        return self.rate[1] < self.rate[0] or self.low[1] < self.low[0]


def grid(seed: int, family: str) -> Topology:
    """Four by four nodes and a few chords; links of all sorts side by side.

    ``grid``: FixedLinks from Werner to purely dephased. ``knobs``: single-click links of two efficiencies beside them.
    ``fading``: memories that decay as a stretched exponential, feel attempts beside them, lose what they hold, and swaps that fail.
    """
    draw = random.Random(f"{family}{seed}")
    size = 4
    names = [f"{chr(65 + row)}{column}" for row in range(size) for column in range(size)]
    ends = [
        (f"{chr(65 + row)}{column}", f"{chr(65 + row + down)}{column + right}")
        for row in range(size)
        for column in range(size)
        for down, right in ((0, 1), (1, 0), (1, 1))
        if row + down < size and column + right < size and (down + right == 1 or draw.random() < 0.2)
    ]
    single = _bright(draw) if family == "knobs" else []
    views = {}
    for a, b in ends:
        light = round(draw.uniform(0.02, 0.5) * MS)
        model = draw.choice(single) if single and draw.random() < 0.6 else _dim(draw, light)
        views[f"{a}~{b}"] = LinkView(f"{a}~{b}", a, b, model, light, light * 2e-4)  # type: ignore[arg-type]
    nodes = {name: _node(draw, name, family == "fading") for name in names}
    place = {name: divmod(index, size) for index, name in enumerate(names)}
    delays = {(a, b): round(0.3 * MS * math.dist(place[a], place[b])) for a in names for b in names}
    return Topology(nodes, views, delays, names[0])


def _bright(draw: random.Random) -> list[object]:
    """Models of real single-click links, with their knobs."""
    names = ("lab", "delft-the-hague")
    return [next(iter(believed(inventory(load_network(name))).links.values())).model for name in names]


def _dim(draw: random.Random, light: int) -> FixedLink:
    lost = 10.0 ** draw.uniform(-2.7, -1.1)
    tilt = draw.choice((0.0, 1.0, draw.random()))  # from even to phase flips alone
    even, odd = lost * (1.0 - tilt) / 3.0, lost * (1.0 + 2.0 * tilt) / 3.0
    weights = (1.0 - 2.0 * even - odd, odd, even, even)
    period = round(10 ** draw.uniform(-0.7, 0.3) * MS)
    return FixedLink(10.0 ** draw.uniform(-2.5, -0.3), weights, period, heard=(light, light))


def _node(draw: random.Random, name: str, fading: bool) -> NodeModel:
    t1 = draw.choice((math.inf, 10.0 ** draw.uniform(0.3, 2.0)))
    t2 = min(10.0 ** draw.uniform(-0.3, 1.5), 2.0 * t1)
    memory = MemoryNoise(t1, t2)
    swap = 1.0
    if fading:
        memory = MemoryNoise(
            t1, min(t2, t1), draw.choice((1.0, 2.0, 3.0)), draw.choice((0.0, 1e-4, 1e-3)),
            draw.choice((1.0, 0.8)), draw.choice((math.inf, 5.0)),
        )  # fmt: skip
        swap = draw.choice((1.0, 0.5))
    noise = OperationNoise(
        0.0, draw.uniform(0.0, 0.02), draw.uniform(0.0, 0.01), draw.uniform(0.0, 0.01), swap
    )
    return NodeModel(name, draw.choice((2, 4, 8, 16, 32)), memory, noise, round(draw.uniform(0.0, 0.5) * MS))


def asked(family: str, count: int) -> Iterator[tuple[str, Topology, LinkRequest]]:
    """Requests of a family, the same for the same count."""
    draw = random.Random(family)
    if family == "bundled":
        networks = {name: believed(inventory(load_network(name))) for name in BUNDLED}
        pairs = {name: sorted(permutations(sorted(each.nodes), 2)) for name, each in networks.items()}
        for number in range(count):
            name = BUNDLED[0] if number % 3 == 0 else draw.choice(BUNDLED)
            yield name, networks[name], LinkRequest(*draw.choice(pairs[name]), draw.choice(FLOORS))
        return
    for seed in range(count):
        made = grid(seed // 3, family)
        yield (
            f"{family} {seed // 3}",
            made,
            LinkRequest(*draw.sample(sorted(made.nodes), 2), draw.choice(FLOORS)),
        )


def sampled(family: str, count: int) -> list[Broken]:
    """Swift plans of a family beside their full sample."""
    found, seen = [], set()
    for label, made, request in asked(family, count):
        plan = swift(made, request)
        if not isinstance(plan, Plan):
            continue
        scheme = from_plan(plan)
        if (label, scheme) in seen:
            continue
        seen.add((label, scheme))
        told = judge(chain(made, scheme))
        promised = plan.forecast
        found.append(
            Broken(
                family, f"{label} {'-'.join(plan.path)} rounds {scheme.rounds}+{scheme.end_rounds} lanes {scheme.lanes}",
                scheme.purifies, (promised.rate, told.rate), (promised.fidelity_low, told.fidelity_low),
            )
        )  # fmt: skip
    return found


def rows(run: Run) -> list[Row]:
    """One line for each family: share of plans that keep both promises."""
    lines = []
    for family in FOLDS:
        run.progress(f"margins of swift plans: {family}")
        found = sampled(family, 30 if run.quick else 500)
        broken = [each for each in found if each.broken]
        lines.append(
            Row(
                name=f"control/margins/{family}",
                quantity="% of swift plans that keep what they promise",
                ours=100.0 * (1.0 - len(broken) / max(1, len(found))),
                goal=Goal(99.0, at_least=True),
                details={
                    "plans": len(found),
                    "purified": sum(each.purified for each in found),
                    "broken": len(broken),
                },
            )
        )
    return lines


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=500, help="requests of each family")
    parser.add_argument("families", nargs="*", default=FOLDS)
    chosen = parser.parse_args()
    for family in chosen.families:
        found = sampled(family, chosen.count)
        broken = [each for each in found if each.broken]
        worked = [each for each in found if each.purified]
        print(f"{family}: {len(found)} plans ({len(worked)} purified), {len(broken)} broken", flush=True)
        for group, name in (([e for e in found if not e.purified], "plain"), (worked, "purified")):
            if group:
                share = sorted(each.rate[1] / each.rate[0] for each in group)
                worst = sorted((1 - each.low[1]) / max(1e-9, 1 - each.low[0]) for each in group)
                print(
                    f"  {name}: sampled/promised rate from {share[0]:.3f} ({share[len(share) // 100]:.3f} at 1 %), "
                    f"infidelity up to {worst[-1]:.3f} ({worst[-1 - len(worst) // 100]:.3f} at 99 %)"
                )
        for each in broken[:25]:
            print(
                f"    {each.label[:110]}: rate {each.rate[1] / each.rate[0]:.3f}, low {each.low[0]:.4f} -> {each.low[1]:.4f}"
            )


if __name__ == "__main__":
    main()
