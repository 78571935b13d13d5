"""A topology from link states: what a seat believes of a network that it knows only from what others told.

What is flooded of a link is its curve: numbers at some operating points (`quantum_fabric.network.told`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from quantum_fabric.control.rules import calibration
from quantum_fabric.messages import LinkNews, LinkState, NodeNews
from quantum_fabric.network.settings import grid
from quantum_fabric.network.told import CurveLink, curve_point
from quantum_fabric.network.topology import LinkView, NodeModel, Topology
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.units import Time

POINTS = 9
"""Operating points of a link with a knob that are told to others."""


def node_news(node: NodeModel, free: int) -> NodeNews:
    """What is told of a node."""
    memory = node.memory
    return NodeNews(
        node.name, node.slots, free, calibration(node), node.swap_time, node.relays, node.operations.swap_success,
        memory.attempt_dephasing, memory.retrieval, memory.retrieval_lifetime,
    )  # fmt: skip


def link_news(link: LinkView, up: bool) -> LinkNews:
    """What is told of a link: its curve; an empty one while it is dark."""
    knob = link.model.knob
    settings = sorted(grid(link.model, POINTS)) if knob else [None]  # type: ignore[type-var]
    curve = tuple(curve_point(link.model.heralding(each), each) for each in settings) if up else ()
    return LinkNews(link.name, link.a, link.b, curve, knob.good_end if knob else "high")


def node_model(news: NodeNews, slots: int) -> NodeModel:
    """A node as it was told, with this many slots."""
    told = news.calibration
    memory = MemoryNoise(
        told.t1, told.t2, told.exponent, news.attempt_dephasing, news.retrieval, news.retrieval_lifetime
    )  # fmt: skip
    gates = OperationNoise(
        told.depolarising_1, told.depolarising_2, told.readout_error_0, told.readout_error_1, news.swap_success
    )  # fmt: skip
    return NodeModel(news.name, slots, memory, gates, news.swap_time, news.relays)


def believed(
    states: Iterable[LinkState], delays: Mapping[tuple[str, str], Time], home: str, slots: Mapping[str, int] | None = None
) -> Topology:  # fmt: skip
    """The network that these link states tell of.

    A link counts where all who tell of it have it up: after a cut, one end is enough to take it out. Links whose other end nobody has
    told of are left out.

    Args:
        states: that are valid.
        delays: classical delays, which everybody can measure.
        home: node where the seat is.
        slots: how many slots of a node are to be counted; all that it has where a node is not named.
    """
    nodes: dict[str, NodeModel] = {}
    told: dict[str, LinkNews] = {}
    dark: set[str] = set()
    for state in sorted(states, key=lambda each: each.origin):
        for news in state.nodes:
            count = news.slots if slots is None else slots.get(news.name, news.slots)
            nodes[news.name] = node_model(news, count)
        for link in state.links:
            if not link.curve:
                dark.add(link.name)
            told.setdefault(link.name, link)
    links = {
        name: LinkView(name, link.a, link.b, CurveLink(link.curve, link.good_end, link.segment), 0, 0.0)
        for name, link in told.items()
        if name not in dark and link.a in nodes and link.b in nodes
    }
    return Topology(nodes, links, delays, home)
