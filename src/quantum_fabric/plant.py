"""The twin of the plant that an inventory describes."""

from __future__ import annotations

from collections.abc import Callable

from quantum_fabric.documents import Inventory
from quantum_fabric.errors import UnknownNameError
from quantum_fabric.kernel import Clock, Streams
from quantum_fabric.messages import Drifted, Event, SharedTruth, Truth
from quantum_fabric.twin import STATES, Twin, TwinLink, TwinNode
from quantum_fabric.twin.hubs import Hub


def build_twin(
    inventory: Inventory,
    clock: Clock,
    streams: Streams,
    emit: Callable[[str, Event], None],
    reveal: Callable[[Truth | SharedTruth | Drifted], None],
    states: str = "bell-diagonal",
) -> Twin:
    """The plant that an inventory describes.

    Raises:
        UnknownNameError: no such way to keep the states of pairs.
    """
    if states not in STATES:
        raise UnknownNameError(found=repr(states), expected=f"one of {', '.join(STATES)}", where="states")
    nodes = {
        name: TwinNode(
            name, node.slots, node.memory_noise(), node.operation_noise(), node.swap_time, node.measure_time
        )
        for name, node in inventory.nodes.items()
    }  # fmt: skip
    kept = STATES[states]
    hubs = [Hub(station) for station in inventory.stations.values()]
    shared = {name: hub for hub in hubs for name in hub.station.links}
    links = [
        TwinLink(
            each.name, nodes[each.a], nodes[each.b], each.model, each.light_time, rank, kept, each.upkeep, shared.get(each.name)
        )
        for rank, each in enumerate(inventory.links.values())
    ]  # fmt: skip
    return Twin(nodes, links, clock, streams, emit, reveal)
