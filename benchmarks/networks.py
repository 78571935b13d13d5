"""Networks that the engines are timed on, with plans made by hand where the workload says how pairs are to be made.

All links are heralded ones with the analyser in the middle, as in `benchmarks.workload`. A plan by hand leases so many lanes on each
link of a shortest path and swaps as soon as possible, or in the order that is asked for.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

from benchmarks.chain import inventory as chain_inventory
from benchmarks.workload import Chain
from quantum_fabric.devices import Gates, Memory, Node
from quantum_fabric.documents import Inventory, LinkEntry
from quantum_fabric.documents.delays import Delays
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import Distillation, Forecast, Join, LinkPlan, LinkRequest, Order, Plan
from quantum_fabric.units import SECOND, Time

ENDLESS = 10**9
"""Pairs that nobody waits for: the run ends at a time."""

FIFTY = Path(__file__).with_name("random50.json")

MESH_SLOTS = 96
"""Memories of a node: no request waits for memory that another one holds."""

Path_ = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """A network and what it is asked for.

    Attributes:
        inventory: the plant.
        requests: when each is asked (ps), and what.
        plans: how requests are served, by their ends; empty where the planner decides.
    """

    inventory: Inventory
    requests: list[tuple[Time, LinkRequest]]
    plans: Mapping[tuple[str, str], Plan]

    @contextmanager
    def planned(self) -> Iterator[None]:
        """Let the controller take the plans as they are; it admits and installs as ever."""
        if not self.plans:
            yield
            return

        def plan(topology: object, request: LinkRequest, *rest: object, **named: object) -> Plan:
            return self.plans[request.source, request.destination]

        with patch("quantum_fabric.control.controller.make_plan", plan):
            yield


def plan_by_hand(
    inventory: Inventory,
    path: Path_,
    lanes: int = 1,
    cutoff: Time | None = None,
    joins: tuple[Join, ...] | None = None,
) -> Plan:
    """So many lanes on each link of a path; swaps as soon as possible, or as the joins say."""
    links = []
    for a, b in pairwise(path):
        name = f"{a}~{b}" if f"{a}~{b}" in inventory.links else f"{b}~{a}"
        model = inventory.links[name].model.heralding(None, lanes)
        links.append(LinkPlan(name, a, b, lanes, None, 0, model.success, model.period, model.fidelity))
    order = Order.ASAP if joins is None else Order.NESTED
    tree = joins if joins is not None else tuple(Join(at, path[0], path[-1]) for at in path[1:-1])
    # long leases: nobody is to spend time on renewing them
    forecast = Forecast(rate=1.0, rate_error=0.0, fidelity=0.9, fidelity_low=0.9, latency=10 * SECOND)
    return Plan(path, tuple(links), order, tree, 0, Distillation.DEJMPS, cutoff, forecast)


# ----------------------------------------------------------------------------------------------------- chains


def chain(
    workload: Chain, rules: str, pairs: int, joins: tuple[Join, ...] | None = None, lanes: int = 1
) -> Job:
    """One request from end to end of a chain, so many memories (one) for each link end."""
    inventory = chain_inventory(workload, rules)
    nodes = {name: replace(node, slots=2 * lanes) for name, node in inventory.nodes.items()}
    inventory = replace(inventory, nodes=nodes)
    names = tuple(workload.names)
    request = LinkRequest(names[0], names[-1], fidelity=0.51, pairs=pairs)
    plan = plan_by_hand(inventory, names, lanes, joins=joins)
    return Job(inventory, [(0, request)], {(names[0], names[-1]): plan})


def synchronised(nodes: int, rules: str, joins: tuple[Join, ...] | None) -> Job:
    """Links that all make one pair at the same moment, surely, and no other in this run."""
    job = chain(Chain(nodes, fresh=0.999999, coherence=1e4), rules, 1, joins)
    once = {
        name: replace(link, model=replace(link.model, success=1.0, period=100 * SECOND))  # type: ignore[type-var]
        for name, link in job.inventory.links.items()
    }
    return replace(job, inventory=replace(job.inventory, links=once))


MICROSECOND: Time = 10**6


def tower(links: int, success: float, swap: float = 1.0, cutoff: int | None = None, pairs: int = 1000) -> Job:
    """The chain of the C++ prototype: attempts of 110 µs, news at the light's 100 µs for each link.

    Fresh pairs (0.96, 0.01, 0.02, 0.01), swaps that depolarise by 2 % and succeed with a probability, a cutoff in attempts.
    """
    names = tuple(f"n{number:03d}" for number in range(links + 1))
    model = FixedLink(
        success, (0.96, 0.01, 0.02, 0.01), 110 * MICROSECOND, heard=(100 * MICROSECOND, 100 * MICROSECOND)
    )
    node = Node(memory=Memory(t1=1.0, t2=0.5), gates=Gates(depolarising_2=0.02, swap_success=swap), slots=2)
    fibres = [(a, b, 100 * MICROSECOND) for a, b in pairwise(names)]
    inventory = _inventory(names, fibres, node, {f"{a}~{b}": model for a, b, _ in fibres}, "tower")
    request = LinkRequest(names[0], names[-1], fidelity=0.501, pairs=pairs)
    age = None if cutoff is None else cutoff * 110 * MICROSECOND
    return Job(inventory, [(0, request)], {(names[0], names[-1]): plan_by_hand(inventory, names, cutoff=age)})


# --------------------------------------------------------------------------------------------------- networks


def fifty(pairs: int = ENDLESS) -> Job:
    """W3: 50 nodes, 74 links of 20 km, 10 requests on given shortest paths, two memories for each link end and request."""
    told = json.loads(FIFTY.read_text(encoding="utf-8"))
    link = Chain(3)
    fibres = [(a, b, link.delay) for a, b in told["edges"]]
    rest = (1.0 - link.fresh) / 3
    model = FixedLink(
        link.success, (link.fresh, rest, rest, rest), link.delay, heard=(link.delay, link.delay)
    )
    paths = [tuple(path) for path in told["paths"]]
    slots = 4 * max(sum(name in path for path in paths) for name in told["nodes"])
    node = Node(memory=Memory(t1=link.memory_time, t2=link.memory_time), slots=slots)
    names = tuple(told["nodes"])
    inventory = _inventory(names, fibres, node, {f"{a}~{b}": model for a, b, _ in fibres}, "random50")
    return _along(inventory, paths, pairs, 2, None)


def mesh(
    nodes: int,
    requests: int,
    seed: int = 1,
    by_hand: bool = True,
    pairs: int = ENDLESS,
    emission: float = 1.0,
) -> Job:
    """Nodes thrown on a square, joined to those within 28 km: about 6 links each of about 19 km.

    Requests are between nodes 2 to 8 links apart, one lane each by hand; cutoff 20 ms.
    """
    draw = random.Random(seed)
    reach = 28.0
    side = reach * math.sqrt(nodes * math.pi / 6.0)
    spots = [(draw.uniform(0, side), draw.uniform(0, side)) for _ in range(nodes)]
    names = tuple(f"n{number:05d}" for number in range(nodes))
    fibres, models = [], {}
    for i, j, km in _joined(spots, list(_near(spots, reach))):
        arm = Chain(3, hop=1e3 * km, emission=emission)
        rest = (1.0 - arm.fresh) / 3
        fibres.append((names[i], names[j], arm.delay))
        models[f"{names[i]}~{names[j]}"] = FixedLink(
            arm.success, (arm.fresh, rest, rest, rest), arm.delay, heard=(arm.delay, arm.delay)
        )
    node = Node(memory=Memory(t1=1.0, t2=1.0), slots=MESH_SLOTS)
    inventory = _inventory(names, fibres, node, models, f"mesh of {nodes}")
    paths = _walks(draw, names, fibres, requests)
    if by_hand:
        return _along(inventory, paths, pairs, 1, 20_000 * MICROSECOND)
    asked = [
        (0, LinkRequest(path[0], path[-1], 0.8, pairs=pairs, name=f"r{k}")) for k, path in enumerate(paths)
    ]
    return Job(inventory, asked, {})


def waxman(nodes: int, requests: int, seed: int = 1) -> Job:
    """The network of the C++ prototype, as near as our rules allow: a Waxman graph, success 0.003 to 0.1, swaps that succeed 9 in 10.

    The prototype's requests share eight memories of each link through a queue. Ours lease two lanes each.
    """
    draw = random.Random(seed)
    names = tuple(f"n{number:04d}" for number in range(nodes))
    side = 12.0 * math.sqrt(nodes)
    spots = [(draw.uniform(0, side), draw.uniform(0, side)) for _ in range(nodes)]
    fibres, models = [], {}
    drawn = [each for each in _near(spots, 60.0) if draw.random() < 0.9 * math.exp(-each[2] / 10.0)]
    for i, j, km in _joined(spots, drawn):
        delay = round(km / 2e5 * 1e12)
        fibres.append((names[i], names[j], delay))
        chance = 0.1 * (0.03 ** draw.random())
        models[f"{names[i]}~{names[j]}"] = FixedLink(
            chance, (0.96, 0.01, 0.02, 0.01), delay + 10 * MICROSECOND, heard=(delay, delay)
        )
    node = Node(
        memory=Memory(t1=1.0, t2=0.5), gates=Gates(depolarising_2=0.02, swap_success=0.9), slots=MESH_SLOTS
    )
    inventory = _inventory(names, fibres, node, models, f"Waxman {nodes}")
    return _along(inventory, _walks(draw, names, fibres, requests), ENDLESS, 2, 20_000 * MICROSECOND)


def _along(inventory: Inventory, paths: list[Path_], pairs: int, lanes: int, cutoff: Time | None) -> Job:
    """Requests on given paths, and all delays that they need worked out beforehand: ten thousand nodes have 10^8 pairs."""
    light = inventory.delays.light(inventory.controller)  # type: ignore[attr-defined]
    delays = {(inventory.controller, name): time for name, time in light.items()}
    for path in paths:
        along = [0]
        for a, b in pairwise(path):
            name = f"{a}~{b}" if f"{a}~{b}" in inventory.links else f"{b}~{a}"
            along.append(along[-1] + inventory.links[name].light_time)
        for i, a in enumerate(path):
            delays.update({(a, b): along[i + k] - along[i] for k, b in enumerate(path[i:])})
    delays |= {(b, a): time for (a, b), time in delays.items()}
    inventory = replace(inventory, delays=delays)
    requests, plans = [], {}
    for number, path in enumerate(paths):
        plans[path[0], path[-1]] = plan_by_hand(inventory, path, lanes, cutoff)
        requests.append((0, LinkRequest(path[0], path[-1], fidelity=0.51, pairs=pairs, name=f"r{number}")))
    return Job(inventory, requests, plans)


def _inventory(
    names: Path_, fibres: list[tuple[str, str, Time]], node: Node, models: Mapping[str, FixedLink], title: str
) -> Inventory:
    links = {
        f"{a}~{b}": LinkEntry(f"{a}~{b}", a, b, models[f"{a}~{b}"], time * 2e-4, time) for a, b, time in fibres
    }  # fmt: skip
    return Inventory(
        nodes=dict.fromkeys(names, node), links=links, delays=Delays(names, fibres), controller=names[0],
        positions={}, title=title, relays=frozenset(names),
    )  # fmt: skip


def _near(spots: list[tuple[float, float]], reach: float) -> Iterator[tuple[int, int, float]]:
    """Pairs of spots that are not farther apart than this (km), by cells."""
    cells: dict[tuple[int, int], list[int]] = {}
    for number, (x, y) in enumerate(spots):
        cells.setdefault((int(x // reach), int(y // reach)), []).append(number)
    for i, (x, y) in enumerate(spots):
        column, row = int(x // reach), int(y // reach)
        around = (cells.get((column + dx, row + dy), []) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
        for j in sorted(other for cell in around for other in cell if other > i):
            km = math.hypot(x - spots[j][0], y - spots[j][1])
            if km <= reach:
                yield i, j, max(km, 0.5)


def _joined(
    spots: list[tuple[float, float]], edges: list[tuple[int, int, float]]
) -> list[tuple[int, int, float]]:
    """The edges, and the shortest one from every part that hangs on nothing to the largest part."""
    part = list(range(len(spots)))

    def top(node: int) -> int:
        while part[node] != node:
            part[node] = part[part[node]]
            node = part[node]
        return node

    for i, j, _ in edges:
        part[top(i)] = top(j)
    groups: dict[int, list[int]] = {}
    for node in range(len(spots)):
        groups.setdefault(top(node), []).append(node)
    largest, *others = sorted(groups.values(), key=len, reverse=True)
    found = list(edges)
    for group in others:
        km, i, j = min((math.dist(spots[a], spots[b]), a, b) for a in group for b in largest)
        found.append((min(i, j), max(i, j), max(km, 0.5)))
    return found


def _walks(draw: random.Random, names: Path_, fibres: list[tuple[str, str, Time]], count: int) -> list[Path_]:
    """The light's shortest paths, of 2 to 8 links, between random nodes not far apart; no two with the same ends."""
    around: dict[str, list[tuple[str, Time]]] = {name: [] for name in names}
    for a, b, time in fibres:
        around[a].append((b, time))
        around[b].append((a, time))
    found: dict[tuple[str, str], Path_] = {}
    while len(found) < count:
        paths = [path for path in _around(draw.choice(names), around) if 3 <= len(path) <= 9]
        if paths:
            path = draw.choice(paths)
            found.setdefault((path[0], path[-1]), path)
    return list(found.values())


def _around(start: str, around: Mapping[str, list[tuple[str, Time]]]) -> list[Path_]:
    """The light's shortest paths from a node to all within 800 µs."""
    done: dict[str, Path_] = {}
    waiting: list[tuple[Time, str, Path_]] = [(0, start, (start,))]
    while waiting:
        time, here, path = heappop(waiting)
        if here in done:
            continue
        done[here] = path
        for other, step in around[here]:
            if other not in done and time + step <= 800 * MICROSECOND:
                heappush(waiting, (time + step, other, (*path, other)))
    return list(done.values())
