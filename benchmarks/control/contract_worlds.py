"""Networks and demands for the contract table: chains, rings, grids, stars, trees, random graphs, and networks that are there.

A world is a network with customers, a way to plan (thorough, or swift), and what goes wrong meanwhile (`Kind`). Each customer has
one wish (ends, fidelity, pairs, rate, deadline, confidence, promise), drawn near the edge of what the idle network can do, and asks it
again and again, at the times of a Poisson process. What the planner forecasts is only used to draw wishes that are neither hopeless
nor trivial; the judge does not know it.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from quantum_fabric import documents
from quantum_fabric.control import Controller
from quantum_fabric.control.outliving import surest_deadline, switching
from quantum_fabric.control.promises import reached
from quantum_fabric.devices import Gates, Memory, Node
from quantum_fabric.documents import Inventory, LinkEntry
from quantum_fabric.documents.atlas import read_atlas
from quantum_fabric.documents.delays import Delays
from quantum_fabric.documents.sketch import Sketch
from quantum_fabric.errors import InputError
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import Accepted, DryRun, Judged, LinkRequest, Plan, Promise, Send, Survival
from quantum_fabric.network import plan as planned
from quantum_fabric.network.finish import NEVER, finish_time, finished_by
from quantum_fabric.network.methods import Method
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import SECOND, US, Time

CONFIDENCES = (0.5, 0.8, 0.9, 0.95, 0.99)

DETOUR = 1.5
"""Fibre over great circle."""

LARGE = 24
"""Nodes above which only swift planning is tried (a thorough plan takes some seconds there), and half as many requests."""

SLACK = (0.7, 1.6)
"""Deadlines of requests that must survive a failure, in times of what a quick look says two paths surely need for it."""


class Kind(Enum):
    """What goes wrong in a world, and what is judged."""

    PLAIN = "plain"
    """Nothing goes wrong."""
    HELD = "held"
    """Pairs are held, for packets and for sets that must be good at their end; nothing goes wrong."""
    FAULTS = "faults"
    """Fibres and nodes fail at random; nobody asked to survive that, and deadlines are not judged."""
    HELD_FAULTS = "held, faults"
    """The same, with pairs that are held."""
    SURVIVES = "survives"
    """Requests must survive a failure; links and nodes fail in turn. Deadlines are judged where no more than that came."""

    @property
    def held(self) -> bool:
        """Whether pairs are held in memory."""
        return self in (Kind.HELD, Kind.HELD_FAULTS)


Edges = list[tuple[int, int]]
NO_LENGTHS: Mapping[tuple[int, int], float] = {}


@dataclass(frozen=True, slots=True)
class Wish:
    """What one customer asks again and again.

    Attributes:
        request: with its deadline counted from the request.
    """

    request: LinkRequest

    def at(self, time: Time, name: str) -> LinkRequest:
        """The request that is asked at a time."""
        deadline = self.request.deadline
        return replace(self.request, name=name, deadline=None if deadline is None else time + deadline)


@dataclass(frozen=True, slots=True)
class World:
    """A network and who asks when.

    Attributes:
        name: of the network.
        inventory: the plant, which is believed to be what it is.
        asked: time and request, in order of time.
        states: how states of pairs are kept.
        kind: what goes wrong.
        method: how plans are looked for.
        usual: mean time that a request takes in an idle network, ps.
    """

    name: str
    inventory: Inventory
    asked: Sequence[tuple[Time, LinkRequest]]
    states: str
    kind: Kind = Kind.PLAIN
    method: Method = Method.THOROUGH
    usual: Time = SECOND


# -------------------------------------------------------------------------------------------------- networks


def chain(nodes: int) -> Edges:
    """Nodes in a row."""
    return list(itertools.pairwise(range(nodes)))


def ring(nodes: int) -> Edges:
    """Nodes in a ring."""
    return [*chain(nodes), (nodes - 1, 0)]


def grid(side: int) -> Edges:
    """A square of nodes."""
    across = [(side * y + x, side * y + x + 1) for y in range(side) for x in range(side - 1)]
    return across + [(side * y + x, side * y + x + side) for y in range(side - 1) for x in range(side)]


def star(leaves: int) -> Edges:
    """One node in the middle."""
    return [(0, leaf) for leaf in range(1, leaves + 1)]


def tree(nodes: int) -> Edges:
    """A binary tree."""
    return [((node - 1) // 2, node) for node in range(1, nodes)]


def scattered(nodes: int, more: int, seed: int) -> Edges:
    """A random tree with some edges more."""
    draw = random.Random(seed)
    edges = {(draw.randrange(node), node) for node in range(1, nodes)}
    while len(edges) < nodes - 1 + more:
        a, b = sorted(draw.sample(range(nodes), 2))
        edges.add((a, b))
    return sorted(edges)


SHAPES: dict[str, Callable[[], Edges]] = {
    "pair": lambda: chain(2), "chain of 3": lambda: chain(3), "chain of 4": lambda: chain(4), "chain of 6": lambda: chain(6),
    "ring of 5": lambda: ring(5), "ring of 8": lambda: ring(8), "grid 3 x 3": lambda: grid(3), "grid 4 x 4": lambda: grid(4),
    "star of 4": lambda: star(4), "star of 7": lambda: star(7), "tree of 7": lambda: tree(7), "tree of 15": lambda: tree(15),
    **{f"random {n}+{more}": (lambda n=n, more=more: scattered(n, more, 100 * n + more))  # type: ignore[misc]
       for n, more in ((5, 2), (7, 3), (9, 5), (12, 6), (16, 10), (20, 14))},
}  # fmt: skip
"""Drawn networks."""

BUNDLED = ("lab", "chicago", "campus", "hefei-star", "delft-the-hague", "germany50")
"""Networks of the library whose links store pairs."""

ATLAS = (
    "sndlib/abilene", "sndlib/polska", "sndlib/nobel-us", "sndlib/nobel-germany", "sndlib/geant", "sndlib/janos-us",
    "sndlib/nobel-eu", "topozoo/Sanren", "topozoo/Getnet", "topozoo/Airtel", "topozoo/Cesnet1999", "topozoo/Sprint",
    "topozoo/Nsfnet", "topozoo/Garr199901", "topozoo/Ibm", "topozoo/Renater2001", "topozoo/Sunet",
)  # fmt: skip
"""Real networks of the package topohub, national ones most of them, with drawn devices."""

RINGED = (
    "ring of 5", "ring of 8", "grid 3 x 3", "grid 4 x 4", "random 7+3", "random 9+5", "random 12+6", "random 16+10", "chicago",
    "campus", "sndlib/abilene", "sndlib/polska", "sndlib/nobel-us", "sndlib/nobel-germany", "sndlib/geant", "topozoo/Airtel",
    "topozoo/Sprint", "topozoo/Ibm", "germany50",
)  # fmt: skip
"""Those with a second way about, where a failure can be survived."""

BIG = ("germany50", "sndlib/nobel-eu", "sndlib/janos-us", "topozoo/Sunet")
"""Those of more than `LARGE` nodes."""

SMALL = (
    "pair",
    "chain of 3",
    "chain of 4",
    "ring of 5",
    "star of 4",
    "tree of 7",
    "grid 3 x 3",
    "random 5+2",
)
"""Those that the twin runs too, with pairs that are held."""


def drawn(
    name: str, edges: Edges, seed: int, lengths: Mapping[tuple[int, int], float] = NO_LENGTHS
) -> Inventory:
    """A network of this shape with drawn devices: noisy memories, gates that fail, links of 2 to 60 km where no length is given."""
    draw = random.Random(f"{name} {seed}")
    names = [f"n{number}" for number in range(1 + max(itertools.chain(*edges)))]
    best = draw.random() < 0.3
    nodes = {each: _node(draw, best) for each in names}
    links, fibres = {}, []
    for one, two in edges:
        a, b = names[one], names[two]
        km = lengths.get((one, two)) or draw.uniform(2.0, 60.0)
        light = round(5 * km * US)
        fibres.append((a, b, light))
        links[f"{a}~{b}"] = LinkEntry(f"{a}~{b}", a, b, _link(draw, light), 1e3 * km, light)
    return Inventory(
        nodes=nodes, links=links, delays=Delays(names, fibres, {}), controller=draw.choice(names), positions={}, title=name,
        relays=frozenset(names),
    )  # fmt: skip


def _node(draw: random.Random, best: bool) -> Node:
    t1 = draw.choice((math.inf, 10.0, 2.0))
    t2 = min(2.0 * t1, draw.choice((0.05, 0.2, 1.0, 5.0)))
    gates = Gates(
        depolarising_2=0.0 if best else draw.uniform(0.0, 0.01),
        readout_error_0=0.0 if best else draw.uniform(0.0, 0.005),
        readout_error_1=0.0 if best else draw.uniform(0.0, 0.005),
        swap_success=1.0 if best else draw.choice((1.0, 1.0, 0.9, 0.6)),
        gate_time=draw.choice((0, US, 20 * US)),
        readout_time=draw.choice((0, 5 * US)),
    )
    return Node(memory=Memory(t1=t1, t2=t2), gates=gates, slots=draw.choice((4, 6, 8, 12)))


def _link(draw: random.Random, light: Time) -> FixedLink:
    fidelity = draw.uniform(0.93, 0.995)
    parts = [draw.random() for _ in range(3)]
    rest = [(1.0 - fidelity) * part / sum(parts) for part in parts]
    period = light * draw.choice((1, 1, 2))
    return FixedLink(
        10.0 ** draw.uniform(-2.0, -0.4), (fidelity, rest[0], rest[1], rest[2]), period, heard=(light, light)
    )


def names(quick: bool) -> list[str]:
    """Networks of the table."""
    if quick:
        return ["pair", "chain of 4", "ring of 5", "grid 3 x 3", "random 7+3", "chicago"]
    return [*SHAPES, *BUNDLED, *(name for name in ATLAS if _atlas(name) is not None)]


def _atlas(name: str) -> Sketch | None:
    try:
        return read_atlas(name, DETOUR)
    except InputError:  # the package is an extra
        return None


def _drawn_atlas(name: str, seed: int) -> Inventory:
    sketch = _atlas(name)
    assert sketch is not None
    order = {spot.name: number for number, spot in enumerate(sketch.spots)}
    lengths = {(order[span.a], order[span.b]): span.length / 1e3 for span in sketch.spans}
    return drawn(name, list(lengths), seed, lengths)


def network(name: str, seed: int) -> Inventory:
    """The network of a name; drawn devices follow the seed."""
    if name in BUNDLED:
        return documents.inventory(documents.load_network(name))
    return drawn(name, SHAPES[name](), seed) if name in SHAPES else _drawn_atlas(name, seed)


# --------------------------------------------------------------------------------------------------- demands


def wishes(
    topology: Topology, draw: random.Random, count: int, kind: Kind, method: Method = Method.THOROUGH
) -> list[tuple[Wish, Time]]:
    """Wishes that an idle network could about grant, each with the mean time that it takes."""
    found: list[tuple[Wish, Time]] = []
    nodes = sorted(topology.nodes)
    for _ in range(40 * count):
        source, destination = draw.sample(nodes, 2)
        pairs = draw.choice((1, 1, 2, 3, 6, 12, 30) if not kind.held else (1, 2, 2, 3))
        base = LinkRequest(source, destination, round(draw.uniform(0.51, 0.97), 3), pairs)
        answer = planned(topology, base, None, method=method)
        if isinstance(answer, Plan) and finish_time(answer.forecast, pairs) < 600 * SECOND:
            wish = (
                _outliving(topology, base, draw, method)
                if kind is Kind.SURVIVES
                else _edge(base, answer, draw, kind.held)
            )
            if wish is not None:
                found.append((Wish(wish), finish_time(answer.forecast, pairs)))
            if len(found) == count:
                break
    return found


def _outliving(
    topology: Topology, base: LinkRequest, draw: random.Random, method: Method
) -> LinkRequest | None:
    """A wish near the edge of what two paths give that share nothing of what may fail; None where a quick look finds no two."""
    # more confidence than the usual is planned thoroughly, whatever the method: seconds for what has no second path
    confidences = CONFIDENCES if method is Method.THOROUGH else CONFIDENCES[:-1]
    confidence = draw.choice(confidences)
    wish = replace(
        base,
        survives=draw.choice((Survival.LINK, Survival.NODE)),
        confidence=min(confidence, CONFIDENCES[-2]),
    )
    told = Controller(topology, planning=Method.SWIFT).handle(DryRun(wish), 0)[0]
    answer = told.message.answer if isinstance(told, Send) and isinstance(told.message, Judged) else None
    if not isinstance(answer, Accepted) or answer.backup is None:
        return None
    wish = replace(wish, confidence=confidence)
    one, two = answer.plan.forecast, answer.backup.forecast
    sure = surest_deadline(wish, one, two, switching(answer.plan, topology), 1)
    if draw.random() < 0.8 and sure is not None:
        wish = replace(wish, deadline=max(1, round(sure * draw.uniform(*SLACK))))
    if draw.random() < 0.4:
        wish = replace(wish, rate=min(one.rate, two.rate) * draw.uniform(0.3, 1.1))
    return wish


def _edge(base: LinkRequest, plan: Plan, draw: random.Random, held: bool) -> LinkRequest:
    """A wish near the edge of what this plan gives."""
    forecast, pairs = plan.forecast, base.pairs
    confidence = draw.choice(CONFIDENCES)
    wish = replace(base, confidence=confidence)
    if draw.random() < 0.6:
        sure = finished_by(forecast, pairs, confidence)
        if sure < NEVER:
            wish = replace(
                wish,
                deadline=max(
                    1, round(sure * draw.choice((0.9, 1.0, 1.0, 1.1, 1.5, 4.0)) * draw.uniform(1.0, 1.1))
                ),
            )
    if draw.random() < 0.4:
        wish = replace(wish, rate=forecast.rate * draw.uniform(0.3, 1.1))
    if draw.random() < 0.3:
        wish = replace(wish, fidelity=min(0.999, max(wish.fidelity, reached(forecast, confidence) - 1e-4)))
    if held:
        kind = draw.choice(("plain", "end", "end", "window"))
        window = None if kind != "window" else max(1, round(SECOND / forecast.rate * draw.uniform(1.0, 6.0)))
        promise = Promise.END if kind == "end" else Promise.DELIVERY
        return replace(wish, hold=True, promise=promise, window=window)
    if draw.random() < 0.3:
        wish = replace(wish, promise=Promise.AVERAGE)
    if draw.random() < 0.15 and forecast.law is not None:
        wish = replace(wish, jitter=round(forecast.law.gap_deviation * draw.uniform(0.9, 1.5) * SECOND))
    return wish


def requests(nodes: int, most: int, method: Method) -> int:
    """How many requests a world has: fewer in larger networks, where plans cost more."""
    if method is Method.SWIFT:
        return most if nodes <= LARGE else most // 2
    return max(min(most, 100), min(most, 36 * most // nodes**2))


def world(
    name: str,
    seed: int,
    sessions: int,
    kind: Kind = Kind.PLAIN,
    customers: int = 5,
    method: Method = Method.THOROUGH,
) -> World | None:
    """The world of a network and a seed; None where nothing can be had there.

    Args:
        name: of `names`.
        seed: of devices, wishes and times.
        sessions: how many requests at most (`requests`).
        kind: what goes wrong.
        customers: how many have a wish.
        method: how plans are looked for.
    """
    draw = random.Random(
        f"{name} {seed} {kind.held}" if kind is not Kind.SURVIVES else f"{name} {seed} {kind.value}"
    )
    inventory = network(name, seed)
    topology = documents.topology(inventory)
    menu = wishes(topology, draw, customers, kind, method)
    if not menu:
        return None
    # each customer brings about the same load, whatever it takes to serve it; what stands ready takes as much again
    loads = (0.2, 0.5, 1.0) if kind is Kind.SURVIVES else (0.2, 0.5, 1.0, 2.0)
    load = draw.choice(loads) * max(1.0, len(inventory.nodes) / 4.0) / len(menu)
    middle = sorted(time for _, time in menu)[len(menu) // 2]
    pace = [min(1.0 / time, 20.0 / middle) for _, time in menu]
    rate = load * sum(pace)
    asked, clock = [], 0.0
    for number in range(requests(len(inventory.nodes), sessions, method)):
        clock += draw.expovariate(rate)
        (wish, _), at = draw.choices(menu, pace)[0], round(clock)
        asked.append((at, wish.at(at, f"s{number}")))
    states = "exact" if draw.random() < 0.3 else "bell-diagonal"
    usual = round(sum(each * time for each, (_, time) in zip(pace, menu, strict=True)) / sum(pace))
    return World(name, inventory, asked, states, kind, method, usual)
