"""Hand-made networks and plans, for tests that must know every number."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from quantum_fabric.devices import Gates, Memory, Node
from quantum_fabric.documents.assembly import Inventory, LinkEntry
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import (
    Distillation,
    Forecast,
    Heralded,
    Join,
    LinkPlan,
    LinkRequest,
    Message,
    Order,
    Plan,
    Swapped,
    Truth,
)
from quantum_fabric.units import US, Time

PERFECT = (1.0, 0.0, 0.0, 0.0)
FORECAST = Forecast(rate=1000.0, rate_error=0.0, fidelity=0.9, fidelity_low=0.9, latency=0)


def werner(fidelity: float) -> tuple[float, float, float, float]:
    rest = (1.0 - fidelity) / 3.0
    return (fidelity, rest, rest, rest)


def node(
    slots: int = 2,
    t1: float = math.inf,
    t2: float = math.inf,
    swap_time: Time = 0,
    measure_time: Time = 0,
    **gates: float,
) -> Node:
    """A node; ``swap_time`` includes ``measure_time``."""
    times: dict[str, Any] = {"gate_time": swap_time - measure_time, "readout_time": measure_time}
    return Node(memory=Memory(t1, t2), gates=Gates(**gates, **times), slots=slots)


def link(success: float = 1.0, period: Time = US, fidelity: float = 1.0, **more: Any) -> FixedLink:
    """A link that is heard one period after each attempt starts, unless told otherwise."""
    return FixedLink(success, werner(fidelity), period, **{"heard": (period, period), **more})


def inventory(
    nodes: Mapping[str, Node],
    links: Iterable[tuple[str, str, FixedLink]],
    delay: Time | Callable[[str, str], Time] = 0,
    controller: str = "",
    light: Time = 0,
) -> Inventory:
    """A network; ``delay`` is one number for all pairs of nodes or a function of two of them."""
    entries = {f"{a}~{b}": LinkEntry(f"{a}~{b}", a, b, model, 0.0, light) for a, b, model in links}
    delays = {
        (a, b): 0 if a == b else delay(a, b) if callable(delay) else delay for a in nodes for b in nodes
    }
    return Inventory(
        nodes=dict(nodes),
        links=entries,
        delays=delays,
        controller=controller or next(iter(nodes)),
        positions={},
        title="hand-made",
        relays=frozenset(nodes),
    )


def names(count: int) -> list[str]:
    return [chr(ord("A") + place) for place in range(count)]


def chain(
    count: int,
    model: FixedLink | Sequence[FixedLink],
    each: Node | None = None,
    hop_delay: Time = 0,
    controller: str = "A",
) -> Inventory:
    """Nodes A, B, C, ... in a row; classical delays grow with the number of hops."""
    row = names(count)
    models = [model] * (count - 1) if isinstance(model, FixedLink) else list(model)
    place = {name: index for index, name in enumerate(row)}
    return inventory(
        dict.fromkeys(row, each or node()),
        [(a, b, m) for a, b, m in zip(row[:-1], row[1:], models, strict=True)],
        lambda a, b: hop_delay * abs(place[a] - place[b]),
        controller,
    )


def plan(
    network: Inventory,
    path: Sequence[str],
    order: Order = Order.ASAP,
    lanes: int | Sequence[int] = 1,
    rounds: int = 0,
    inner: int = 0,
    end_rounds: int = 0,
    cutoff: Time | None = None,
    distillation: Distillation = Distillation.DEJMPS,
) -> Plan:
    """A plan along a path; nested plans halve it again and again, with ``inner`` rounds on the segments between."""
    hops = list(pairwise(path))
    per_hop = [lanes] * len(hops) if isinstance(lanes, int) else list(lanes)
    links = []
    for (left, right), count in zip(hops, per_hop, strict=True):
        entry = next(x for x in network.links.values() if {x.a, x.b} == {left, right})
        point = entry.model.heralding(None, count)
        links.append(
            LinkPlan(
                entry.name, left, right, count, None, rounds, point.success, point.period, point.fidelity
            )
        )
    if order is Order.ASAP:
        joins = tuple(Join(at, path[0], path[-1]) for at in path[1:-1])
    else:
        joins = tuple(
            Join(path[m], path[i], path[j], end_rounds if j - i == len(path) - 1 else inner)
            for m, i, j in halved(0, len(path) - 1)
        )
    if len(hops) == 1:
        end_rounds = rounds
    return Plan(tuple(path), tuple(links), order, joins, end_rounds, distillation, cutoff, FORECAST)


def halved(i: int, j: int) -> list[tuple[int, int, int]]:
    """(middle, left, right) of each join of a balanced swap tree, bottom-up."""
    if j - i == 1:
        return []
    m = (i + j) // 2
    return [*halved(i, m), *halved(m, j), (m, i, j)]


def relabelled(network: Inventory, **changes: Any) -> Inventory:
    return replace(network, **changes)


class Tape:
    """A watcher that keeps everything it sees as (time, place, message)."""

    def __init__(self, fabric: Fabric, *types: type) -> None:
        self.entries: list[tuple[Time, str, Message]] = []
        fabric.watch(self, *types)

    def __call__(self, time: Time, place: str, message: Message) -> None:
        self.entries.append((time, place, message))

    def of(self, kind: type) -> list[tuple[Time, str, Any]]:
        return [entry for entry in self.entries if isinstance(entry[2], kind)]

    def timeline(self) -> list[tuple[Time, str, str]]:
        return [(time, place, type(message).__name__) for time, place, message in self.entries]


def request(source: str = "A", destination: str = "B", pairs: int = 1, **more: Any) -> LinkRequest:
    return LinkRequest(source, destination, **{"fidelity": 0.500001, "pairs": pairs, **more})


def nothing_left(fabric: Fabric) -> bool:
    """No lease in the ledger, no lease at an agent, no half and no armed slot in the plant."""
    return (
        not fabric.controller.ledger.leases()
        and not any(agent.leases for agent in fabric.agents.values())
        and all(
            slot.half is None and slot.lane is None and not slot.busy
            for each in fabric.twin.nodes.values()
            for slot in each.slots
        )
    )


__all__ = [
    "FORECAST", "PERFECT", "Heralded", "Swapped", "Tape", "Truth", "chain", "halved", "inventory", "link", "names",
    "node", "nothing_left", "plan", "request", "werner",
]  # fmt: skip
