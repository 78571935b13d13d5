"""A catalogue of whole scenarios: network documents, requests and plans, made from a seed, for engines that must agree.

Every scenario is plain data, so that any engine can be given the same one: a network document (JSON-shaped), a request, and how the
request is to be served (order of swaps, lanes, purification, cutoff), which a plan is made of. Nothing is tuned to pass; what a
scenario asks is drawn from the ranges below.

    topology        a line of 1 to 5 links; the hub of a star; the shorter way round a ring; across a grid; two towns of a tree
    link            single click, double click, midpoint source, sender and receiver, DLCZ; equal or unequal lengths
    swaps           nested or as soon as possible, certain or failing, with or without duration
    memory          one to four lanes; T1, T2 from comfortable to tight; exponential or stretched decay; readout that may fail
    purification    none, on links, on segments, end to end; one or two rounds; DEJMPS or BBPSSW
    cutoff          none, gentle, tight

    python -m tests.scenario_catalogue          names and what each is
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import builders
from quantum_fabric import documents
from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.messages import Distillation, LinkRequest, Order, Plan

SEED = 20_260_401
COUNT = 240

LINKS = ("single_click", "double_click", "midpoint_source", "sender_receiver", "dlcz")
TOPOLOGIES = ("line", "star", "ring", "grid", "tree")


@dataclass(frozen=True)
class Scenario:
    """One scenario.

    Attributes:
        name: number and the choices, for people.
        document: of the network, JSON-shaped.
        path: nodes of the request's path.
        how: keywords of `builders.plan`, but for the cutoff.
        cutoff: in units of the mean time of an elementary pair on the slowest link; None for none.
    """

    name: str
    document: Mapping[str, Any]
    path: tuple[str, ...]
    how: Mapping[str, Any] = field(default_factory=dict)
    cutoff: float | None = None

    def inventory(self) -> Inventory:
        """What the document stands for."""
        return documents.inventory(documents.network_from(self.document))

    def request(self, pairs: int = 1) -> LinkRequest:
        """The request; its fidelity is so low that no pair is withheld."""
        return LinkRequest(self.path[0], self.path[-1], 0.500001, pairs)

    def plan(self, inventory: Inventory) -> Plan:
        """How it is served."""
        made = builders.plan(inventory, self.path, **self.how)
        if self.cutoff is None:
            return made
        slowest = max(link.period / link.success for link in made.links)
        return builders.plan(inventory, self.path, **self.how, cutoff=round(self.cutoff * slowest))


def catalogue(count: int = COUNT, seed: int = SEED) -> tuple[Scenario, ...]:
    """So many scenarios; the same seed gives the same ones, and the first of many are the same as of few."""
    return tuple(scenario(number, seed) for number in range(count))


def scenario(number: int, seed: int = SEED) -> Scenario:
    """One scenario of a catalogue."""
    draw = random.Random(f"{seed}/{number}")
    topology = TOPOLOGIES[number % len(TOPOLOGIES)]
    link = LINKS[number // len(TOPOLOGIES) % len(LINKS)]
    hops = {"line": draw.randint(1, 5), "star": 2, "ring": draw.randint(2, 3), "grid": 3, "tree": 4}[topology]
    purified = draw.random() < 0.25
    how = _how(draw, hops, purified)
    cutoff = draw.choice([0.7, 2.0, 5.0]) if hops > 1 and draw.random() < 0.3 else None
    fails = hops > 1 and draw.random() < 0.5
    edges, path = _graph(topology, hops)
    special = draw.choice([{}] * 5 + [{"memory.decay": 2.0}, {"memory.retrieval": 0.9}])
    alike = draw.random() < 0.6
    lengths = [draw.randint(2, 12)] * len(edges) if alike else [draw.randint(2, 12) for _ in edges]
    nodes = sorted({end for edge in edges for end in edge})
    document = {
        "kind": "network",
        "version": 1,
        "title": f"scenario {number}",
        "defaults": {"profile": "future"},
        "nodes": [{"name": name, "slots": 16, "overrides": _node(draw, fails) | special} for name in nodes],
        "links": [
            {"between": list(edge), "length": f"{km} km", "architecture": link, **_source(link)}
            for edge, km in zip(edges, lengths, strict=True)
        ],
        "controller": draw.choice(nodes),
    }
    words = [
        f"{number:03d}", topology, f"{hops} x {link}", "alike" if alike else "unequal", how["order"].value,
        f"{how['lanes']} lanes", *(f"{how[key]} {key}" for key in ("rounds", "inner", "end_rounds") if how[key]),
        *(["swaps fail"] if fails else []), *([f"cutoff {cutoff:g}"] if cutoff else []), *special,
    ]  # fmt: skip
    return Scenario(", ".join(words), document, path, how, cutoff)


def _how(draw: random.Random, hops: int, purified: bool) -> dict[str, Any]:
    order = draw.choice([Order.ASAP, Order.NESTED]) if hops > 1 else Order.ASAP
    rounds = inner = end = 0
    if purified:
        where = draw.choice(
            ["links", "ends", "both"] + (["within"] if order is Order.NESTED and hops > 2 else [])
        )
        rounds = draw.randint(1, 2) if where == "links" else int(where == "both")
        end = int(where in ("ends", "both")) if hops > 1 else 0
        inner = int(where == "within")
        rounds = rounds or int(hops == 1)
    return {
        "order": order,
        "lanes": 1 + rounds + inner + end + draw.choice([0, 0, 0, 0, 0, 1, 2]),
        "rounds": rounds,
        "inner": inner,
        "end_rounds": end,
        "distillation": draw.choice(list(Distillation)),
    }


def _node(draw: random.Random, fails: bool) -> dict[str, Any]:
    t2 = draw.choice([20, 100, 1000])
    return {
        "memory.t1": f"{10 * t2} ms",
        "memory.t2": f"{t2} ms",
        "gates.depolarising_2": draw.choice([0.0, 0.005]),
        "gates.gate_time": draw.choice(["0 s", "5 us"]),
        "gates.readout_time": draw.choice(["0 s", "10 us"]),
        "gates.swap_success": draw.choice([0.5, 0.75]) if fails else 1.0,
    }


def _source(link: str) -> dict[str, Any]:
    return {"source": "ideal"} if link == "midpoint_source" else {}


def _graph(topology: str, hops: int) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Edges, and the path of the request."""
    row = [chr(ord("A") + place) for place in range(hops + 1)]
    match topology:
        case "star":
            return [("A", "Hub"), ("B", "Hub"), ("C", "Hub")], ("A", "Hub", "C")
        case "ring":
            others = [*row, "Y", "Z"]
            return list(pairwise([*others, "A"])), tuple(row)
        case "grid":
            across = [("A1", "A2"), ("A2", "A3"), ("B1", "B2"), ("B2", "B3")]
            down = [("A1", "B1"), ("A2", "B2"), ("A3", "B3")]
            return [*across, *down], ("A1", "A2", "B2", "B3")
        case "tree":
            edges = [("Root", "L"), ("Root", "R"), ("L", "L1"), ("L", "L2"), ("R", "R1"), ("R", "R2")]
            return edges, ("L1", "L", "Root", "R", "R2")
    return list(pairwise(row)), tuple(row)


def main() -> None:
    """Print the catalogue."""
    for each in catalogue():
        print(each.name)


if __name__ == "__main__":
    main()
