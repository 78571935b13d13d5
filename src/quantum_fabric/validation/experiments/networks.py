"""Row 12: a control plane and not a link calculator. Delays to the microsecond, conservation exact, published claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from quantum_fabric import documents
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Delivered, Heralded, LinkRequest, Outcome, Prepare, Prepared, Status
from quantum_fabric.units import SECOND, Time, seconds
from quantum_fabric.validation.comparison import Predicted, Prediction, Values
from quantum_fabric.validation.drawing import MEASURED, MODEL, NULL
from quantum_fabric.validation.experiment import Experiment
from quantum_fabric.validation.watching import watcher

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quantum_fabric.validation.experiment import Result

TABLE: Final = {
    "rt_argonne1_fermilab1": ("Argonne_1", "Fermilab_1"),
    "rt_argonne1_nu": ("Argonne_1", "NU"),
    "rt_argonne1_starlight": ("Argonne_1", "StarLight"),
    "rt_argonne1_pme": ("Argonne_1", "UChicago_PME"),
    "rt_nu_starlight": ("NU", "StarLight"),
    "rt_fermilab1_pme": ("Fermilab_1", "UChicago_PME"),
    "rt_starlight_pme": ("StarLight", "UChicago_PME"),
    "rt_argonne2_argonne3": ("Argonne_2", "Argonne_3"),
}
"""Result -> the two nodes."""

OUTER: Final = ("Node A", "Node B", "Node C")


def sample(values: Values, piece: int) -> dict[str, float]:
    """One of the three networks."""
    return (chicago, star, backbone)[piece](values)


def chicago(values: Values) -> dict[str, float]:
    """Round trips: of the inventory, and where the controller is one end, of a letter and its answer in the running network."""
    inventory = documents.inventory(documents.load_network("chicago"))
    found = {name: seconds(inventory.delays[a, b] + inventory.delays[b, a]) for name, (a, b) in TABLE.items()}
    fabric = Fabric(inventory, seed=int(values["seed"]))
    asked: dict[str, Time] = {}
    sent: list[Time] = []
    answered: dict[str, Time] = {}
    fabric.watch(watcher(lambda time, place, _: asked.setdefault(place, time)), Prepare)
    fabric.watch(watcher(lambda time, _place, message: answered.setdefault(message.node, time)), Prepared)
    fabric.watch(watcher(lambda time, _place, _message: sent.append(time)), LinkRequest)
    for a, b in (("NU", "StarLight"), ("StarLight", "UChicago_PME"), ("Argonne_1", "StarLight")):
        asked.clear()
        answered.clear()
        sent.clear()
        name = fabric.submit(LinkRequest(a, b, 0.6, pairs=1))
        far = a if b == inventory.controller else b
        fabric.run(fabric.now + SECOND, stop=lambda far=far: far in answered)  # type: ignore[misc]
        key = next(each for each, ends in TABLE.items() if set(ends) == {a, b})
        found[key] = seconds(answered[far] - sent[0])
        fabric.cancel(name)
        fabric.run(
            fabric.now + SECOND,
            stop=lambda: not fabric.open_requests and not fabric.controller.ledger.leases(),
        )
    return found


def star(values: Values) -> dict[str, float]:
    """Three links to one server at once, then the three pairs of outer nodes through it."""
    inventory = documents.inventory(documents.load_network("hefei-star"))
    server = replace(inventory.nodes["Server"], slots=int(values["server_slots"]))
    inventory = replace(inventory, nodes={**inventory.nodes, "Server": server})
    fabric = Fabric(inventory, seed=int(values["seed"]))
    served: dict[str, list[Time]] = {}
    balance = _balance(fabric)
    fabric.watch(
        watcher(lambda time, _place, message: served.setdefault(message.request, []).append(time)), Delivered
    )
    for ends in ([("Server", node) for node in OUTER], list(combinations(OUTER, 2))):
        for a, b in ends:
            fabric.submit(LinkRequest(a, b, 0.9, pairs=int(values["pairs"]), name=f"{a} - {b}"))
        fabric.run(fabric.now + 600 * SECOND, stop=lambda: not fabric.open_requests)
    fabric.finish()
    links = [served[f"Server - {node}"] for node in OUTER]
    at_once = max(sum(times[0] <= now <= times[-1] for times in links) for each in links for now in each)
    light = next(iter(inventory.links.values())).light_time
    return {
        "star_delivered": float(sum(len(times) for times in served.values())),
        "star_balance": float(balance()),
        "star_concurrent": float(at_once),
        "star_storage": server.memory.t2 / (2.0 * seconds(light)),
    }


def _balance(fabric: Fabric) -> Any:
    """Watch the elementary pairs of a run; returns a function that counts those that are unaccounted for at its end."""
    heralded: set[str] = set()
    twice = [0]
    ends: dict[tuple[str, ...], int] = {}

    def herald(_time: Time, place: str, event: Any) -> None:
        if place == event.node and event.node == event.pair.split("~")[0]:
            twice[0] += event.pair in heralded
            heralded.add(event.pair)

    def deliver(_time: Time, _place: str, message: Any) -> None:
        ends[tuple(message.pair)] = ends.get(tuple(message.pair), 0) + 1

    fabric.watch(watcher(herald), Heralded)
    fabric.watch(watcher(deliver), Delivered)

    def unaccounted() -> int:
        reused = sum(count - 1 for count in ends.values())
        unknown = sum(half not in heralded for pair in ends for half in pair)
        left = sum(
            slot.half is not None or slot.lane is not None
            for node in fabric.twin.nodes.values()
            for slot in node.slots
        )
        leased = len(fabric.controller.ledger.leases())
        return twice[0] + reused + unknown + left + leased

    return unaccounted


def backbone(values: Values) -> dict[str, float]:
    """Pairs of all hops at once, a key bit of each pair, then a key relayed from end to end, one pad of every hop a bit."""
    hops, count = int(values["hops"]), int(values["key_pairs"])
    inventory = documents.inventory(
        documents.chain(values["backbone"], hops, "future", "Beijing", "Shanghai")
    )
    fabric = Fabric(inventory, seed=int(values["seed"]))
    names = ["Beijing", *(f"R{place}" for place in range(1, hops)), "Shanghai"]
    requests = [f"{a}~{b}" for a, b in pairwise(names)]
    pairs: dict[str, list[tuple[str, ...]]] = {name: [] for name in requests}
    fabric.watch(
        watcher(lambda _t, _p, message: pairs[message.request].append(tuple(message.pair))), Delivered
    )
    for name, (a, b) in zip(requests, pairwise(names), strict=True):
        fabric.submit(LinkRequest(a, b, 0.8, pairs=count, name=name))
    fabric.run(36_000 * SECOND, stop=lambda: not fabric.open_requests)
    outcomes = [reply for name in requests for reply in fabric.replies(name) if isinstance(reply, Outcome)]
    fabric.finish()
    complete = all(each.status is Status.COMPLETED for each in outcomes) and len(outcomes) == hops
    every = [pair for each in pairs.values() for pair in each]
    wrong, left = _relayed([len(pairs[name]) for name in requests], int(values["seed"]))
    return {
        "backbone_delivered": float(sum(each.delivered for each in outcomes)),
        "backbone_reuse": float(len(every) - len(set(every)) + left + (not complete)),
        "backbone_key": float(wrong),
    }


def _relayed(pads: Sequence[int], seed: int) -> tuple[int, int]:
    """Relay as long a key as the shortest store of pads allows: each node announces the XOR of its two pads.

    Returns:
        Bits that arrive wrong, and pads that are left over.
    """
    length = min(pads)
    stores = np.random.default_rng([seed, len(pads)]).integers(0, 2, (len(pads), length))
    announced = stores[:-1] ^ stores[1:]
    received = stores[-1] ^ np.bitwise_xor.reduce(announced, axis=0)
    return int((received != stores[0]).sum()), sum(pads) - length * len(pads)


def predict(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001 (the protocol)
    """What the three networks did."""
    return {name: Predicted(value) for each in samples for name, value in each.items()}


def null(values: Values) -> Mapping[str, float]:  # noqa: ARG001 (the protocol)
    """Classical messages at the speed of light in the fibre, as link calculators assume."""
    inventory = documents.inventory(documents.load_network("chicago"))
    lengths = {"rt_argonne1_fermilab1": 53, "rt_argonne1_nu": 74, "rt_argonne1_starlight": 54, "rt_argonne1_pme": 42,
               "rt_nu_starlight": 20, "rt_fermilab1_pme": 82}  # fmt: skip
    per_km = seconds(inventory.links["NU~StarLight"].light_time) / 20.0
    return {name: 2.0 * km * per_km for name, km in lengths.items()}


def draw(result: Result, figure: Figure) -> None:
    """Round trips: published, in the running network, and at the speed of light in the fibre."""
    axes = figure.add_subplot()
    rows = [row for row in result.comparisons if row.name in TABLE]
    for place, row in enumerate(reversed(rows)):
        axes.plot([1e3 * row.measured.number.value], [place], "o", ms=9, color=MEASURED, mfc="white")
        axes.plot([1e3 * row.predicted], [place], "o", ms=4.5, color=MODEL)
        if row.null is not None:
            axes.plot([1e3 * row.null], [place], "D", ms=5, color=NULL, mfc="white")
    axes.set_xscale("log")
    ticks = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_yticks(range(len(rows)), [" – ".join(TABLE[row.name]) for row in reversed(rows)])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("classical round trip / ms")
    axes.plot([], [], "o", ms=9, color=MEASURED, mfc="white", label="published, or worked out")
    axes.plot([], [], "o", ms=4.5, color=MODEL, label="in the network")
    axes.plot([], [], "D", ms=5, color=NULL, mfc="white", label="null model: light in the fibre")
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3)


EXPERIMENTS: Final = (
    Experiment(
        name="networks",
        model=(
            "documents.inventory and Fabric (planner, controller, agents, twin) on the bundled networks chicago and hefei-star "
            "and on a chain of 31 hops"
        ),
        null_model="classical messages take the light time of the fibre",
        predict=predict,
        null=null,
        draw=draw,
        height=3.8,
        sample=sample,
        pieces=3,
    ),
)
