"""Random networks with random plans on them: everything that rules can say, in every mixture.

Plans are drawn, not planned, so that they hold what a planner would seldom choose: several rounds, both protocols, other turnings,
cutoffs in the middle of everything, failing swaps and readouts, links that tell their ends at different times.
"""

from __future__ import annotations

import cmath
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from quantum_fabric.devices import Gates, Memory, Node
from quantum_fabric.documents import Inventory, LinkEntry
from quantum_fabric.documents.delays import Delays
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.links.model import Heralding, HeraldOutcome
from quantum_fabric.messages import (
    Choice,
    Distillation,
    Forecast,
    Join,
    LinkPlan,
    LinkRequest,
    Order,
    Plan,
    Refused,
    Rotation,
    Turning,
)
from quantum_fabric.messages.states import Axes
from quantum_fabric.network.topology import Topology
from quantum_fabric.physics import density
from quantum_fabric.units import Time

MICROSECOND: Time = 1_000_000


@dataclass(frozen=True, slots=True)
class TwoHeralds(FixedLink):
    """A link with two heralds, the second one less likely and in another state."""

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        plain = FixedLink.heralding(self, setting, lanes)
        (one,) = plain.outcomes
        other = HeraldOutcome(one.bell ^ 1, one.probability / 3, (0.85, 0.1, 0.03, 0.02))
        return replace(plain, outcomes=(replace(one, probability=2 * one.probability / 3), other))


@dataclass(frozen=True, slots=True)
class SingleClicks(FixedLink):
    """A link whose two heralds leave X-states, as single clicks do: parts |01> and |10> with a phase, |11>, and a little |00>."""

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        plain = FixedLink.heralding(self, setting, lanes)
        states = [self.whole(sign) for sign in (1, -1)]
        heralds = [
            HeraldOutcome(
                label, self.success / 2, relative_weights(rho, label), tuple(rho.reshape(16).tolist())
            )
            for label, rho in zip((2, 3), states, strict=True)
        ]
        return replace(plain, outcomes=tuple(heralds))

    def whole(self, sign: int) -> np.ndarray:
        """The state after one of the two heralds; the numbers of the link double as populations, coherences and a phase."""
        good, bright, dark, uneven = self.weights
        rho = np.diag([dark / 2, good / 2 + uneven, good / 2, bright + dark / 2]).astype(complex)
        rho[1, 2] = sign * 0.9 * good / 2 * cmath.exp(2j * uneven)
        rho[0, 3] = 0.5j * math.sqrt(rho[0, 0].real * rho[3, 3].real)
        rho[2, 1], rho[3, 0] = rho[1, 2].conjugate(), rho[0, 3].conjugate()
        return rho


@dataclass(frozen=True, slots=True)
class Tilted(SingleClicks):
    """A link whose heralds leave states of no particular shape."""

    def whole(self, sign: int) -> np.ndarray:
        rho = super(Tilted, self).whole(sign)
        one, two = (_turned(axis, 3.0 * weight) for axis, weight in zip("XY", self.weights[1:3], strict=True))
        both = np.kron(one, two @ _turned("X", self.weights[3]))
        return both @ rho @ both.conj().T


def _turned(axis: str, angle: float) -> np.ndarray:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -1j * s], [-1j * s, c]] if axis == "X" else [[c, -s], [s, c]])


def relative_weights(rho: np.ndarray, label: int) -> tuple[float, float, float, float]:
    """Bell weights of a state relative to a label."""
    a, b, c, d = (float(density.bell_weights(rho)[each ^ label]) for each in range(4))
    return (a, b, c, d)


PLAIN = (FixedLink, FixedLink, TwoHeralds)
X_SHAPED = (SingleClicks, SingleClicks, TwoHeralds)
ANY_STATE = (SingleClicks, Tilted, TwoHeralds)


@dataclass(frozen=True, slots=True)
class Case:
    """One network with its requests, and who plans for them."""

    inventory: Inventory
    requests: list[tuple[Time, LinkRequest]]
    planner: Callable[..., Plan | Refused]


def case(
    seed: int,
    hops: int | None = None,
    perfect: bool = False,
    kinds: tuple[type[FixedLink], ...] = PLAIN,
    pauli: bool = False,
) -> Case:
    """The random network of this number.

    Args:
        seed: its number.
        hops: links of its chain; drawn where it is not given.
        perfect: no noise.
        kinds: of links.
        pauli: Pauli noise alone: nothing relaxes, and readouts are as wrong for 0 as for 1.
    """
    draw = random.Random(seed)
    hops = hops or draw.randint(1, 6)
    chains = draw.choice((1, 1, 2, 3))
    names = [f"n{i}" for i in range(hops + 1)]
    lanes = [draw.choice((1, 1, 2, 3)) for _ in range(hops)]
    grid = draw.choice((1, 10, 100)) * MICROSECOND
    light = [
        grid * draw.randint(1, 5) if draw.random() < 0.8 else draw.randint(1, 10**8) for _ in range(hops)
    ]
    nodes = {name: _node(draw, perfect, 40, pauli) for name in names}
    links = {}
    for number, (a, b) in enumerate(itertools.pairwise(names)):
        ends = (a, b) if draw.random() < 0.7 else (b, a)
        links[f"{a}~{b}"] = LinkEntry(
            f"{a}~{b}", *ends, _link(draw, light[number], chains == 1, kinds), 1.0, light[number]
        )
    measured = {}
    if draw.random() < 0.15:  # a slow classical channel: delays need not obey the triangle inequality
        a, b = draw.sample(names, 2)
        measured[a, b] = draw.randint(0, 20) * grid
    fibres = [(a, b, light[i]) for i, (a, b) in enumerate(itertools.pairwise(names))]
    inventory = Inventory(
        nodes=nodes, links=links, delays=Delays(names, fibres, measured), controller=draw.choice(names), positions={},
        title=f"random {seed}", relays=frozenset(names),
    )  # fmt: skip
    plans: dict[tuple[str, str], Plan] = {}
    requests = []
    for number in range(chains):
        first = draw.randint(0, hops - 1)
        last = hops if number == 0 and first == 0 else draw.randint(first + 1, hops)
        path = names[first : last + 1]
        path = path if draw.random() < 0.7 else path[::-1]
        if (path[0], path[-1]) in plans:
            continue
        plans[path[0], path[-1]] = _plan(draw, path, lanes, light)
        floor = draw.choice((0.501, 0.501, 0.6, 0.8))
        deadline = draw.randint(200, 4000) * grid if draw.random() < 0.2 else None
        requests.append(
            (draw.randint(0, 3) * grid if number else 0,
             LinkRequest(path[0], path[-1], floor, pairs=draw.randint(1, 12), deadline=deadline, name=f"r{number}"))
        )  # fmt: skip

    def planner(topology: Topology, request: LinkRequest, *rest: object, **named: object) -> Plan | Refused:
        return plans[request.source, request.destination]

    return Case(inventory, requests, planner)


def _node(draw: random.Random, perfect: bool, slots: int, pauli: bool) -> Node:
    if perfect:
        return Node(slots=slots)
    t1 = draw.choice((math.inf, draw.uniform(0.01, 1.0)))
    t2 = min(2.0 * t1, draw.uniform(0.005, 0.5))
    lossy = draw.random() < 0.15
    memory = Memory(
        t1=t1,
        t2=draw.choice((t2, t2 / 3)),
        decay=draw.choice((1.0, 1.0, 1.0, 2.0, 1.5)),
        attempt_dephasing=draw.choice((0.0, 0.0, 0.0, 0.002)),
        retrieval=0.95 if lossy else 1.0,
        retrieval_lifetime=0.5 if lossy else math.inf,
    )
    gates = Gates(
        depolarising_1=draw.choice((0.0, 0.002)),
        depolarising_2=draw.choice((0.0, 0.01)),
        readout_error_0=draw.choice((0.0, 0.01)),
        readout_error_1=draw.choice((0.0, 0.02)),
        swap_success=draw.choice((1.0, 1.0, 0.9, 0.5)),
        gate_time=draw.choice((0, MICROSECOND, 3 * MICROSECOND)),
        readout_time=draw.choice((0, 2 * MICROSECOND)),
    )
    if pauli:
        memory, gates = replace(memory, t1=math.inf), replace(gates, readout_error_1=gates.readout_error_0)
    return Node(memory=memory, gates=gates, slots=slots)


def _link(draw: random.Random, light: Time, alone: bool, kinds: tuple[type[FixedLink], ...]) -> FixedLink:
    fidelity = draw.uniform(0.85, 0.99)
    rest = [draw.random() for _ in range(3)]
    weights = (fidelity, *((1.0 - fidelity) * each / sum(rest) for each in rest))
    heard = draw.choice(((light, light), (light, 2 * light), (light // 2, light), (2 * light, light)))
    born = draw.choice(((0, 0), (heard[0] // 2, heard[1] // 2)))
    kind = draw.choice(kinds)
    return kind(
        success=draw.choice((0.5, 0.2, 0.05)), weights=weights, period=draw.choice((light, light, 2 * light + 7)), born=born,
        heard=heard, bell=draw.randint(0, 3), cycle=draw.choice((0, light // 3)) if alone else 0,
    )  # fmt: skip


def _plan(draw: random.Random, path: list[str], lanes: list[int], light: list[Time]) -> Plan:
    def wide(a: str, b: str) -> int:
        return lanes[min(int(a[1:]), int(b[1:]))]

    purified = draw.random() < 0.5
    links = []
    for a, b in itertools.pairwise(path):
        count = wide(a, b) + (2 if purified else 0)
        rounds = draw.choice((0, 1, 1, 2)) if purified else 0
        name = f"{a}~{b}" if int(a[1:]) < int(b[1:]) else f"{b}~{a}"
        links.append(LinkPlan(name, a, b, count, None, min(rounds, count - 1), 0.1, 1, 0.9))
    order = draw.choice((Order.ASAP, Order.NESTED))
    joins = (
        _tree(draw, path, purified)
        if order is Order.NESTED
        else [Join(at, path[0], path[-1]) for at in path[1:-1]]
    )
    end_rounds = (
        joins[-1].rounds
        if order is Order.NESTED and joins
        else int(purified and draw.random() < 0.5 and len(path) > 2)
    )
    turnings = []
    if purified and draw.random() < 0.3:
        a, b = path[0], path[1]
        turned = Rotation(draw.choice(list(Axes)), draw.choice(list(Axes)))
        turnings.append(Turning(a, b, (turned, Rotation(Axes.XZY, Axes.XZY))))
    cutoff = draw.choice((None, None, max(light) * draw.randint(2, 12)))
    return Plan(
        path=tuple(path), links=tuple(links), order=order, joins=tuple(joins), end_rounds=end_rounds,
        distillation=draw.choice(tuple(Distillation)), cutoff=cutoff, forecast=Forecast(1000.0, 0.0, 0.9, 0.9, 10**9),
        turnings=tuple(turnings), pumped=purified and draw.random() < 0.3, choice=draw.choice(tuple(Choice)),
    )  # fmt: skip


def _tree(draw: random.Random, path: list[str], purified: bool) -> list[Join]:
    """A random swap tree, bottom up."""
    if len(path) < 3:
        return []
    middle = draw.randint(1, len(path) - 2)
    below = [*_tree(draw, path[: middle + 1], purified), *_tree(draw, path[middle:], purified)]
    rounds = int(purified and draw.random() < 0.3)
    return [*below, Join(path[middle], path[0], path[-1], rounds)]
