"""Random networks that are stranger than those of `random_networks`: what nobody builds, but documents can say.

No delay at all, or classical channels slower than any light; swaps that last longer than the light takes; twelve hops; links side by
side; real architectures with their knobs; cutoffs and deadlines at the very picosecond of other events; the same ends asked again.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from functools import cache
from typing import Any

from quantum_fabric.devices import Gates, Node, sheet
from quantum_fabric.documents import Inventory, LinkEntry
from quantum_fabric.documents.delays import Delays
from quantum_fabric.links.double_click import DoubleClick
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.links.parts import Parts
from quantum_fabric.links.single_click import SingleClick
from quantum_fabric.messages import LinkRequest, Plan, Refused
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import Time
from random_networks import MICROSECOND, PLAIN, Case, _node, _plan

CLICKS = (SingleClick, DoubleClick)
POPULATIONS = (0.01, 0.05, 0.2, 0.5)


@cache
def clicking(kind: type[Any], metres: float) -> Any:
    """A link of a real architecture; made once, for the search for the best setting takes its time."""
    emitter = sheet("node", "lab-best")
    return kind(
        Parts(emitter, emitter, sheet("fibre", "smf-28"), (metres, metres), sheet("detector", "snspd"))
    )


def wild(
    seed: int,
    hops: int | None = None,
    kinds: tuple[type[FixedLink], ...] = PLAIN,
    slots: int = 400,
    perfect: bool = False,
    pauli: bool = False,
    apart: bool = False,
) -> Case:
    """The strange network of this number.

    Args:
        seed: its number.
        hops: links of its chain; drawn where it is not given.
        kinds: of links with fixed numbers.
        slots: of each node; with few of them requests wait for each other.
        perfect: no noise.
        pauli: as in `random_networks.case`.
        apart: requests also come when others are over. A live controller lends them the same slots and lanes again, a scenario
            does not: the laws are the same, but not the draws.
    """
    draw = random.Random(f"wild {seed}")
    hops = hops or draw.choice((1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 12))
    names = [f"n{i}" for i in range(hops + 1)]
    lanes = [draw.choice((1, 1, 2, 3, 4, 8)) for _ in range(hops)]
    grid = draw.choice((1, 10, 10, 100)) * MICROSECOND
    light = [_light(draw, grid) for _ in range(hops)]
    nodes = {name: _slow(draw, _node(draw, perfect, slots, pauli), grid) for name in names}
    links: dict[str, LinkEntry] = {}
    beside: dict[str, str] = {}
    for number, (a, b) in enumerate(itertools.pairwise(names)):
        for name in (f"{a}~{b}", *([f"{a}~{b}'"] if draw.random() < 0.2 else [])):
            ends = (a, b) if draw.random() < 0.5 else (b, a)
            if draw.random() < 0.2:
                model = clicking(draw.choice(CLICKS), draw.choice((50.0, 2000.0)))
            else:
                model = _fixed(draw, light[number], grid, kinds)
            links[name] = LinkEntry(name, *ends, model, 1.0, light[number])
            if name.endswith("'"):
                beside[name[:-1]] = name
    measured = {}
    for _ in range(
        draw.choice((0, 0, 1, 3, 8))
    ):  # slow channels, or quicker than light: no triangle inequality
        a, b = draw.sample(names, 2)
        measured[a, b] = draw.choice((0, 1, draw.randint(0, 40) * grid, draw.randint(0, 10**9)))
    fibres = [(a, b, light[i]) for i, (a, b) in enumerate(itertools.pairwise(names))]
    controller = draw.choice((names[len(names) // 2], draw.choice(names)))
    inventory = Inventory(
        nodes=nodes, links=links, delays=Delays(names, fibres, measured), controller=controller, positions={},
        title=f"wild {seed}", relays=frozenset(names),
    )  # fmt: skip
    plans: dict[str, Plan] = {}
    requests: list[tuple[Time, LinkRequest]] = []
    latest = 0
    for number in range(draw.choice((1, 1, 2, 3, 5, 8))):
        path = _path(draw, names, requests)
        name = f"r{number}"
        plans[name] = _strange(draw, _plan(draw, path, lanes, light), links, beside, grid)
        latest = draw.choice((latest, latest + draw.randint(0, 40) * grid, draw.randint(0, 400) * grid))
        at = latest if number and apart else 0
        deadline = at + draw.choice((1, 2, draw.randint(1, 40), draw.randint(40, 4000))) * grid
        requests.append(
            (at, LinkRequest(
                path[0], path[-1], draw.choice((0.501, 0.501, 0.501, 0.7)), pairs=draw.randint(1, 6),
                deadline=deadline if draw.random() < 0.4 else None, name=name,
            ))
        )  # fmt: skip
    wanted = {
        (each.source, each.destination, each.fidelity, each.pairs): name
        for name, (_, each) in zip(plans, requests, strict=True)
    }

    def planner(topology: Topology, request: LinkRequest, *rest: object, **named: object) -> Plan | Refused:
        # the controller asks without the name, and for the pairs that are owed; any of the plans between these ends will do
        key = (request.source, request.destination, request.fidelity, request.pairs)
        found = wanted.get(key) or next(
            name for (source, destination, *_), name in wanted.items() if (source, destination) == key[:2]
        )
        return plans[found]

    return Case(inventory, requests, planner)


def _light(draw: random.Random, grid: Time) -> Time:
    kind = draw.random()
    if kind < 0.15:
        return 0
    return grid * draw.randint(1, 5) if kind < 0.8 else draw.choice((1, 2, draw.randint(1, 10**8)))


def _slow(draw: random.Random, node: Node, grid: Time) -> Node:
    """Now and then a node whose swaps last longer than the light between nodes."""
    if draw.random() < 0.75:
        return node
    long = draw.choice((grid, 7 * grid, 13 * grid + 1))
    gates = node.gates
    return (
        replace(node, gates=replace(gates, gate_time=long, readout_time=draw.choice((0, grid))))
        if isinstance(gates, Gates)
        else node
    )


def _fixed(draw: random.Random, light: Time, grid: Time, kinds: tuple[type[FixedLink], ...]) -> FixedLink:
    fidelity = draw.uniform(0.8, 1.0)
    rest = [draw.random() for _ in range(3)]
    weights = (fidelity, *((1.0 - fidelity) * each / sum(rest) for each in rest))
    heard = draw.choice(
        (
            (light, light),
            (0, 0),
            (light, 3 * light),
            (5 * light, light),
            (light // 2, light),
            (light, light + 1),
        )
    )
    soon = min(heard)  # nobody hears of a half before it is born
    born = draw.choice(((0, 0), (soon, soon), (soon, 0), (0, soon), (soon // 2, soon // 3)))
    return draw.choice(kinds)(
        success=draw.choice((1.0, 0.5, 0.2, 0.03)), weights=weights, period=draw.choice((grid, 2 * grid, max(light, grid) + 7)),
        born=born, heard=heard, bell=draw.randint(0, 3), cycle=draw.choice((0, 0, 0, 1, grid // 9)),
    )  # fmt: skip


def _path(draw: random.Random, names: list[str], asked: list[tuple[Time, LinkRequest]]) -> list[str]:
    """A stretch of the chain, in either direction; now and then one that was asked for before."""
    if asked and draw.random() < 0.4:
        _, other = draw.choice(asked)
        first, last = names.index(other.source), names.index(other.destination)
    else:
        first, last = draw.sample(range(len(names)), 2)
        if not asked and draw.random() < 0.6:
            first, last = 0, len(names) - 1
    return names[first : last + 1] if first < last else names[last : first + 1][::-1]


def _strange(
    draw: random.Random, plan: Plan, links: dict[str, LinkEntry], beside: dict[str, str], grid: Time
) -> Plan:
    """Over links side by side, with settings where links have a knob, and cutoffs of any length."""
    used = []
    for each in plan.links:
        name = beside.get(each.link, each.link) if draw.random() < 0.5 else each.link
        model: Any = links[name].model
        setting = draw.choice((None, *POPULATIONS)) if isinstance(model, SingleClick) else None
        room = 400
        if isinstance(model, FixedLink) and model.cycle:
            room = max(1, model.period // model.cycle)
        count = min(each.lanes, room)
        used.append(
            replace(each, link=name, setting=setting, lanes=count, rounds=min(each.rounds, count - 1))
        )
    cutoff = plan.cutoff
    if draw.random() < 0.3:
        cutoff = draw.choice((0, 1, grid, grid * draw.randint(1, 30)))
    return replace(plan, links=tuple(used), cutoff=cutoff)
