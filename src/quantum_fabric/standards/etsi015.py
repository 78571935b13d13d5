"""An entanglement network in the tree of ETSI GS QKD 015 V2.1.1, for an SDN controller that knows no other: values in, trees out.

Read (S): revision 2022-01-30 of the YANG module ``etsi-qkd-sdn-node`` and of ``etsi-qkd-node-types``. The model was made for key
distribution.
What an entanglement network has that fits is said, and what does not fit is left out rather than bent:

====================  ========================================================================================
in the model          here
====================  ========================================================================================
node                  a node of the network
interface             the node's end of one link; no ``qkdi_type``, as the model's technologies are those of QKD
link, PHYS            a link between neighbours
link, VIRT            an admitted request, at every node of its path: the hop before and the hop after
application           an admitted request, at its two ends
skr, virt_bandwidth   bits/s of key that the pairs would give: pairs/s (1 - h(e_x) - h(e_z)), all of them measured
expected_consumption  what admitted requests may take of a link, in the same unit
QBER                  (e_x + e_z) / 2 of a fresh pair, in per cent (the model names no unit and has three decimals)
====================  ========================================================================================

Every key rate is asymptotic, one-way, with ideal error correction (Shor and Preskill 2000), and so an upper end (C).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

from quantum_fabric.errors import UnknownNameError
from quantum_fabric.messages import LinkPlan, Plan, Weights
from quantum_fabric.network.topology import LinkView, Topology
from quantum_fabric.units import SECOND

NAMES: Final = UUID("9a6f2a0c-6f0e-5b67-9a55-0f1f6f5f7c15")
"""The name space of the UUIDs that are made here."""

TYPES: Final = "etsi-qkd-node-types"
LARGEST: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that is served.

    Attributes:
        name: of the request.
        plan: by which.
        priority: of the request.
    """

    name: str
    plan: Plan
    priority: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the network at a moment.

    Attributes:
        dark: names of links without light.
        down: names of nodes that have failed.
        measured: (pairs/s, weights) that were seen of a link, by name; what is believed of a fresh pair where nothing was.
    """

    dark: Collection[str] = ()
    down: Collection[str] = ()
    measured: Mapping[str, tuple[float, Weights]] | None = None


def name_of(kind: str, name: str) -> str:
    """The UUID of a node, link or request: the same at every node that speaks of it.

    Examples:
        >>> name_of("node", "Alice") == name_of("node", "Alice") != name_of("link", "Alice")
        True
    """
    return str(uuid5(NAMES, f"{kind}/{name}"))


def key_fraction(weights: Weights) -> float:
    """Secret bits for each pair that both ends measure, half of the pairs or fewer in the second basis.

    Equation:
        r = max(0, 1 - h(e_x) - h(e_z)), with e_z the weight of a flipped bit and e_x that of a flipped phase (Shor and Preskill 2000).

    Args:
        weights: relative Bell weights of a pair.

    Examples:
        >>> key_fraction((1.0, 0.0, 0.0, 0.0)), key_fraction((0.25, 0.25, 0.25, 0.25))
        (1.0, 0.0)
    """
    e_x, e_z = error_rates(weights)
    return max(0.0, 1.0 - _entropy(e_x) - _entropy(e_z))


def error_rates(weights: Weights) -> tuple[float, float]:
    """(e_x, e_z): how often the ends disagree when both measure in X, in Z.

    Examples:
        >>> error_rates((0.9, 0.05, 0.03, 0.02))
        (0.07, 0.05)
    """
    _, phase, parity, both = weights
    return phase + both, parity + both


def _entropy(p: float) -> float:
    return 0.0 if p <= 0.0 or p >= 1.0 else -p * math.log2(p) - (1.0 - p) * math.log2(1.0 - p)


def node(
    topology: Topology, name: str, version: str, admitted: Sequence[Admitted] = (), state: State | None = None
) -> dict[str, Any]:
    """The tree below ``qkd_node`` of one node, as RFC 7951 JSON.

    Args:
        topology: what is believed of the network.
        name: of the node.
        version: of the program.
        admitted: requests that are served.
        state: what is known at the moment.

    Raises:
        UnknownNameError: no such node.

    Limits:
        Performance of a link is that of one lane at the setting of its data sheet, unless it was measured; ``eskr`` is ``skr`` less
        what admitted requests may take.

    Examples:
        >>> from quantum_fabric.documents import inventory, load_network, topology
        >>> lab = topology(inventory(load_network("lab")))
        >>> tree = node(lab, "Alice", "0.1")
        >>> tree["qkdn_status"], len(tree["qkd_interfaces"]["qkd_interface"])
        ('etsi-qkd-node-types:OPERATING', 1)
    """
    topology.node(name)
    state = State() if state is None else state
    views = topology.links_at(name)
    here = [one for one in admitted if name in one.plan.path]
    for one in here:
        for used in one.plan.links:
            topology.link(used.link)
    links = [_physical(topology, name, view, place, admitted, state) for place, view in enumerate(views)]
    return {
        "qkdn_id": name_of("node", name),
        "qkdn_status": _identity("FAILURE" if name in state.down else "OPERATING"),
        "qkdn_version": version,
        "qkdn_location_id": name,
        "qkdn_capabilities": {
            "link_stats_support": True, "application_stats_support": False, "key_relay_mode_enable": False,
        },
        "qkd_applications": {"qkd_app": [_application(one) for one in here if name in _ends(one.plan)]},
        "qkd_interfaces": {"qkd_interface": [_interface(place, view, state) for place, view in enumerate(views)]},
        "qkd_links": {"qkd_link": links + [_virtual(one, name) for one in here]},
    }  # fmt: skip


def _ends(plan: Plan) -> tuple[str, str]:
    return plan.path[0], plan.path[-1]


def _identity(name: str) -> str:
    return f"{TYPES}:{name}"


def _whole(value: float) -> int:
    """A rate in the model's 32 bits."""
    return max(0, min(LARGEST, math.floor(value)))


def _interface(place: int, view: LinkView, state: State) -> dict[str, Any]:
    return {
        "qkdi_id": place,
        "qkdi_model": f"{view.model.architecture} of {view.name}",
        "qkdi_capabilities": {"role_support": _identity("TRANSCEIVER")},
        "qkdi_status": _identity("FAILED" if _out(view, state) else "ENABLED"),
    }


def _out(view: LinkView, state: State) -> bool:
    return view.name in state.dark or view.a in state.down or view.b in state.down


def _fresh(view: LinkView, state: State) -> tuple[float, Weights]:
    """(pairs/s, weights) of a link."""
    seen = (state.measured or {}).get(view.name)
    if seen is not None:
        return seen
    point = view.model.heralding(None, 1)
    return point.success * SECOND / point.period, point.weights


def _physical(
    topology: Topology, name: str, view: LinkView, place: int, admitted: Sequence[Admitted], state: State
) -> dict[str, Any]:
    far = view.other(name)
    rate, weights = _fresh(view, state)
    wanted = sum(_taken(used) for one in admitted for used in one.plan.links if used.link == view.name)
    bits = 0.0 if _out(view, state) else rate * key_fraction(weights)
    there = [other.name for other in topology.links_at(far)].index(view.name)
    users = [one for one in admitted if any(used.link == view.name for used in one.plan.links)]
    error = sum(error_rates(weights)) / 2.0
    return {
        "qkdl_id": name_of("link", view.name),
        "qkdl_status": _identity("OFF" if _out(view, state) else "ACTIVE" if users else "PASSIVE"),
        "qkdl_enable": True,
        "qkdl_local": {"qkdn_id": name_of("node", name), "qkdi_id": place},
        "qkdl_remote": {"qkdn_id": name_of("node", far), "qkdi_id": there},
        "qkdl_type": _identity("PHYS"),
        "qkdl_applications": [name_of("request", one.name) for one in users if name in _ends(one.plan)],
        "phys_qkd_role": _identity("TRANSCEIVER"),
        "qkdl_performance": {
            "expected_consumption": _whole(wanted),
            "skr": _whole(bits),
            "eskr": _whole(bits - wanted),
            "phys_perf": [{"perf_type": _identity("QBER"), "value": f"{100.0 * error:.3f}"}],
        },
    }


def _taken(used: LinkPlan) -> float:
    """Bits/s of key that a plan takes of a link: its lanes try all the time."""
    rest = (1.0 - used.fidelity) / 3.0
    pairs = used.lanes * used.success * SECOND / used.period
    return pairs * key_fraction((used.fidelity, rest, rest, rest))


def _bandwidth(plan: Plan) -> float:
    """Bits/s of key that the delivered pairs would give, their errors even."""
    rest = (1.0 - plan.forecast.fidelity) / 3.0
    return plan.forecast.rate * key_fraction((plan.forecast.fidelity, rest, rest, rest))


def _virtual(one: Admitted, name: str) -> dict[str, Any]:
    path = one.plan.path
    place = path.index(name)
    head, tail = _ends(one.plan)
    bits = _whole(_bandwidth(one.plan))
    about: dict[str, Any] = {
        "qkdl_id": name_of("request", one.name),
        "qkdl_status": _identity("ACTIVE"),
        "qkdl_enable": True,
        "qkdl_local": {"qkdn_id": name_of("node", head)},
        "qkdl_remote": {"qkdn_id": name_of("node", tail)},
        "qkdl_type": _identity("VIRT"),
        "qkdl_applications": [name_of("request", one.name)] if name in (head, tail) else [],
        "virt_bandwidth": bits,
        "qkdl_performance": {"expected_consumption": bits, "skr": bits, "eskr": 0},
    }
    if place:
        about["virt_prev_hop"] = name_of("node", path[place - 1])
    if place + 1 < len(path):
        about["virt_next_hop"] = [name_of("node", path[place + 1])]
    return about


def _application(one: Admitted) -> dict[str, Any]:
    head, tail = _ends(one.plan)
    return {
        "app_id": name_of("request", one.name),
        "app_status": _identity("ON"),
        "app_type": _identity("CLIENT"),
        "app_priority": max(0, one.priority),
        "app_qos": {"max_bandwidth": _whole(_bandwidth(one.plan))},
        "backing_qkdl_id": [name_of("request", one.name)],
        "local_qkdn_id": name_of("node", head),
        "remote_qkdn_id": name_of("node", tail),
    }


def tree(
    topology: Topology, name: str, version: str, admitted: Sequence[Admitted] = (), state: State | None = None
) -> dict[str, Any]:
    """One node as a whole document, with the name of the module; see `node`.

    Raises:
        UnknownNameError: no such node.

    Examples:
        >>> from quantum_fabric import documents
        >>> network = documents.topology(documents.inventory(documents.load_network("lab")))
        >>> list(tree(network, "Alice", "0.1.0"))
        ['etsi-qkd-sdn-node:qkd_node']
    """
    if name not in topology.nodes:
        raise UnknownNameError(repr(name), f"one of {', '.join(sorted(topology.nodes))}", "node")
    return {"etsi-qkd-sdn-node:qkd_node": node(topology, name, version, admitted, state)}
