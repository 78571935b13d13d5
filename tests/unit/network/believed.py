"""Hand-made topologies for the tests of planning."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.links.model import Heralding, HeraldOutcome, Knob
from quantum_fabric.network.topology import LinkView, NodeModel, Topology
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.units import MS, Time


def werner(fidelity: float) -> tuple[float, float, float, float]:
    rest = (1.0 - fidelity) / 3.0
    return (fidelity, rest, rest, rest)


def node(
    name: str, slots: int = 4, t2: float = math.inf, swap_time: Time = 0, relays: bool = True, **noise: float
) -> NodeModel:
    return NodeModel(name, slots, MemoryNoise(math.inf, t2), OperationNoise(**noise), swap_time, relays)


def fixed(
    success: float = 0.1, fidelity: float = 1.0, period: Time = MS, wait: Time | None = None, **more: object
) -> FixedLink:
    """A link that both ends hear of one period after the start, unless ``wait`` says otherwise."""
    heard = period if wait is None else wait
    return FixedLink(success, werner(fidelity), period, **{"heard": (heard, heard), **more})  # type: ignore[arg-type]


def network(
    links: Mapping[tuple[str, str], FixedLink],
    delay: Time = 0,
    controller: str = "",
    nodes: Sequence[NodeModel] = (),
    **more: object,
) -> Topology:
    """Links by their two ends; the same delay for each hop between any two nodes' places in the alphabet of names."""
    names = sorted({end for ends in links for end in ends} | {each.name for each in nodes})
    made = {name: node(name, **more) for name in names}  # type: ignore[arg-type]
    made.update({each.name: each for each in nodes})
    views = {f"{a}~{b}": LinkView(f"{a}~{b}", a, b, model, delay, 1.0) for (a, b), model in links.items()}
    delays = {(a, b): abs(names.index(a) - names.index(b)) * delay for a in names for b in names}
    return Topology(made, views, delays, controller or names[0])


def line(*models: FixedLink, delay: Time = 0, nodes: Sequence[NodeModel] = (), **more: object) -> Topology:
    """A chain A, B, C, ... with these links."""
    names = [chr(ord("A") + index) for index in range(len(models) + 1)]
    ends = itertools.pairwise(names)
    return network(dict(zip(ends, models, strict=True)), delay, nodes=nodes, **more)


def names_of(topology: Topology) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Nodes and links of a `line`, in order."""
    return tuple(sorted(topology.nodes)), tuple(sorted(topology.links))


@dataclass(frozen=True, slots=True)
class KnobLink:
    """Success grows with the setting, fidelity falls: a caricature of single-click."""

    efficiency: float = 0.1
    period: Time = MS
    good_end: str = "low"
    dark: float = 0.0

    stores = True

    @property
    def architecture(self) -> str:
        return "knob"

    @property
    def knob(self) -> Knob:
        return Knob("brightness", 0.001, 0.5, self.good_end, "for tests")

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        alpha = 0.1 if setting is None else setting
        alpha = alpha if self.good_end == "low" else 0.501 - alpha
        fidelity = (1.0 - alpha) * alpha / (alpha + self.dark) if self.dark else 1.0 - alpha
        outcome = HeraldOutcome(2, alpha * self.efficiency, (fidelity, 1.0 - fidelity, 0.0, 0.0))
        return Heralding(self.period, 0, (0, 0), (self.period, self.period), (outcome,))

    def total_transmission(self) -> float:
        return self.efficiency


def random_network(seed: int, most: int = 6, slots: int = 2, t2: float = 2.0) -> Topology:
    """A connected graph of 3 to ``most`` nodes A, B, ... with random links, delays and memories."""
    rnd = random.Random(seed)
    names = [chr(ord("A") + index) for index in range(rnd.randint(3, most))]
    ends = {tuple(sorted((name, rnd.choice(names[:index])))) for index, name in enumerate(names) if index}
    while len(ends) < min(len(names) + 1, len(names) * (len(names) - 1) // 2):
        ends.add(tuple(sorted(rnd.sample(names, 2))))
    links = {
        (a, b): fixed(
            10 ** rnd.uniform(-2.5, -0.3), rnd.uniform(0.9, 0.995), round(10 ** rnd.uniform(-0.5, 0.5) * MS)
        )
        for a, b in sorted(ends)
    }
    nodes = [
        node(name, slots, t2 * rnd.uniform(0.5, 2.0), depolarising_2=rnd.uniform(0.0, 0.01)) for name in names
    ]
    return network(links, delay=round(rnd.uniform(0.0, 0.3) * MS), nodes=nodes)
