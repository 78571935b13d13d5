"""Virtual circuits in the manner of the quantum network protocol (QNP) of Kozlowski, Dahlberg and Wehner, CoNEXT 2020.

The paper's messages and routing entries are written down from memory (M): its text could not be read here. Read (S) was the header
of the
authors' P4 data plane (``v1quantum``, ``headers.p4``: circuit id, pair id, Bell index; link label and pair sequence below it). It is
a manner
and no wire format: names and fields, as records and plain dicts.

A circuit is what a `quantum_fabric.messages.Plan` is where nothing is purified above the links: every node knows the next one on
either side,
the labels of the two links, what the downstream link must give, and when to let go of a half that waits. What a circuit cannot say
(a nested
order of swaps, purification of joined pairs) is refused; purification on a link is the link's own business and hides in its fidelity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from itertools import pairwise
from typing import Any

from quantum_fabric.errors import InputError
from quantum_fabric.messages import (
    Bell,
    Distillation,
    Forecast,
    Join,
    LinkPlan,
    LinkRequest,
    Order,
    Plan,
    Service,
)
from quantum_fabric.network.forecast import forecast
from quantum_fabric.network.settings import grid, operating_point
from quantum_fabric.network.topology import LinkView, Topology
from quantum_fabric.standards import reading
from quantum_fabric.standards.egp import FOREVER, U16
from quantum_fabric.units import SECOND, Time

MOST_NODES = 1024
"""Nodes of a circuit that are read."""


class Kind(Enum):
    """What becomes of the pairs of a request."""

    KEEP = "keep"
    """Handed over when both ends know all."""
    EARLY = "early"
    """Handed over before they know, at the caller's risk."""
    MEASURE = "measure"
    """Measured at once; the outcomes are handed over when both ends know all."""


@dataclass(frozen=True, slots=True)
class Request:
    """REQUEST, from the application at the head of a circuit.

    Attributes:
        request_id: unique on the circuit.
        kind: what becomes of the pairs.
        number: of pairs.
        state: Bell state that is wanted; None for any, announced.
        end_time: absolute, ps; None for no limit.
        rate: least mean rate, pairs/s; 0 for none.

    Raises:
        InputError: out of range.
    """

    request_id: int
    kind: Kind
    number: int
    state: Bell | None = None
    end_time: Time | None = None
    rate: float = 0.0

    def __post_init__(self) -> None:
        reading.integer(self.request_id, 0, U16, "REQUEST.request_id")
        reading.integer(self.number, 1, 2**31, "REQUEST.number")
        reading.number(self.rate, 0.0, 1e12, "REQUEST.rate")
        if self.end_time is not None:
            reading.integer(self.end_time, 0, FOREVER, "REQUEST.end_time")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is installed of a circuit at one node.

    Attributes:
        circuit_id: of the circuit, 16 bits.
        node: where.
        upstream, downstream: next node towards the head and towards the tail; None at the end itself.
        upstream_label, downstream_label: names of the links to them.
        downstream_fidelity: that pairs of the downstream link must have when they are handed over; 0 at the tail.
        downstream_rate: most pairs/s that the downstream link may make for the circuit; 0 at the tail.
        circuit_rate: most end-to-end pairs/s.
        cutoff: how long a half may wait here, ps; None for no cutoff.

    Raises:
        InputError: out of range, or half of a side.

    Examples:
        >>> Entry(1, "B", "A", None, "A~B", "B~C", 0.9, 10.0, 5.0, None)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: circuit 1 at B: found label 'B~C' and no node downstream, expected both or neither
    """

    circuit_id: int
    node: str
    upstream: str | None
    downstream: str | None
    upstream_label: str | None
    downstream_label: str | None
    downstream_fidelity: float
    downstream_rate: float
    circuit_rate: float
    cutoff: Time | None

    def __post_init__(self) -> None:
        reading.integer(self.circuit_id, 0, U16, "circuit_id")
        where = f"circuit {self.circuit_id} at {reading.text(self.node, 'node')}"
        for side in ("upstream", "downstream"):
            name, label = getattr(self, side), getattr(self, f"{side}_label")
            if (name is None) != (label is None):
                found = (
                    f"label {reading.shown(label)} and no node {side}" if name is None else f"no label {side}"
                )
                raise InputError(found, "both or neither", where)
            if name is not None:
                reading.text(name, f"{where}, {side}")
                reading.text(label, f"{where}, {side}_label")
        if self.upstream is None and self.downstream is None:
            raise InputError("no node on either side", "one at least", where)
        reading.number(self.downstream_fidelity, 0.0, 1.0, f"{where}, downstream_fidelity")
        reading.number(self.downstream_rate, 0.0, 1e15, f"{where}, downstream_rate")
        reading.number(self.circuit_rate, 0.0, 1e15, f"{where}, circuit_rate")
        if self.cutoff is not None:
            reading.integer(self.cutoff, 0, FOREVER, f"{where}, cutoff")


def circuit_of(
    plan: Plan, circuit_id: int, fidelities: Mapping[str, float] | None = None
) -> tuple[Entry, ...]:
    """The entries that make a plan a virtual circuit, the head first.

    Args:
        plan: what was decided.
        circuit_id: name of the circuit, 16 bits.
        fidelities: what links must give, by name; where nothing is said, what the plan expects of a fresh pair.

    Raises:
        InputError: the plan does what no circuit says; it names what.

    Examples:
        >>> from quantum_fabric import documents
        >>> from quantum_fabric.network import planning
        >>> network = documents.topology(documents.inventory(documents.load_network("lab")))
        >>> entries = circuit_of(planning.plan(network, LinkRequest("Alice", "Bob", 0.7)), 7)
        >>> [entry.node for entry in entries], plan_of(entries, network).path
        (['Alice', 'Bob'], ('Alice', 'Bob'))
    """
    _check(plan)
    entries = []
    for place, node in enumerate(plan.path):
        up = plan.links[place - 1] if place else None
        down = plan.links[place] if place < len(plan.links) else None
        repeater = up is not None and down is not None
        fidelity = 0.0 if down is None else (fidelities or {}).get(down.link, down.fidelity)
        entries.append(
            Entry(
                circuit_id, node, None if up is None else up.left, None if down is None else down.right,
                None if up is None else up.link, None if down is None else down.link, fidelity,
                0.0 if down is None else down.lanes * down.success * SECOND / down.period, plan.forecast.rate,
                plan.cutoff if repeater else None,
            )
        )  # fmt: skip
    return tuple(entries)


def _check(plan: Plan) -> None:
    """Raises InputError for what no circuit says."""
    said = (
        (len(plan.links) > 2 and plan.order is Order.NESTED, "a nested order of swaps", "every node swaps as soon as it can"),
        (any(join.rounds for join in plan.joins), "purification of joined pairs", "none above the links"),
        (len(plan.links) > 1 and plan.end_rounds > 0, "purification between the ends", "none above the links"),
        (any(link.rounds for link in plan.links), "purification on a link", "links that give what is asked for by themselves"),
    )  # fmt: skip
    for there, found, expected in said:
        if there:
            raise InputError(found, expected, f"plan {' – '.join(plan.path)}")


def plan_of(entries: Sequence[Entry], topology: Topology, lanes: int | None = None) -> Plan:
    """The plan that a circuit is, on a network.

    Args:
        entries: the head first.
        topology: what is believed of the network.
        lanes: of each link; as many as keep within `Entry.downstream_rate` and the slots of both ends where None.

    Returns:
        With every link at the fastest setting that gives `Entry.downstream_fidelity`, and the forecast of that.

    Raises:
        InputError: the entries are no chain, or a link cannot give what they ask for.
        UnknownNameError: a node or link that is not in the network.

    Examples:
        >>> from quantum_fabric import documents
        >>> from quantum_fabric.network import planning
        >>> network = documents.topology(documents.inventory(documents.load_network("lab")))
        >>> entries = circuit_of(planning.plan(network, LinkRequest("Alice", "Bob", 0.7)), 7)
        >>> plan_of(entries, network).path
        ('Alice', 'Bob')
    """
    _chained(entries)
    links = []
    for here, there in pairwise(entries):
        label = here.downstream_label
        assert label is not None, "a chain"
        view = topology.link(label)
        if {view.a, view.b} != {here.node, there.node}:
            raise InputError(
                f"{view.a} and {view.b}", f"{here.node} and {there.node}", f"ends of link {label}"
            )
        links.append(_link_plan(here, there.node, view, topology, lanes))
    path = tuple(entry.node for entry in entries)
    cutoffs = {entry.cutoff for entry in entries[1:-1]}
    if len(cutoffs) > 1:
        raise InputError("several cutoffs", "the same at every node", f"circuit {entries[0].circuit_id}")
    joins = tuple(Join(node, path[0], path[-1]) for node in path[1:-1])
    nothing = Forecast(0.0, 0.0, 0.0, 0.0, 0)
    order, kind = Order.ASAP, Distillation.DEJMPS
    made = Plan(path, tuple(links), order, joins, 0, kind, next(iter(cutoffs), None), nothing)
    return Plan(path, tuple(links), order, joins, 0, kind, made.cutoff, forecast(topology, made))


def _chained(entries: Sequence[Entry]) -> None:
    if not 2 <= len(entries) <= MOST_NODES:
        raise InputError(f"{len(entries)} entries", f"2 to {MOST_NODES}", "circuit")
    names = [entry.node for entry in entries]
    if len(set(names)) < len(names):
        raise InputError("a node twice", "each node once", "circuit")
    for place, entry in enumerate(entries):
        up = entries[place - 1].node if place else None
        down = entries[place + 1].node if place + 1 < len(entries) else None
        label = entries[place - 1].downstream_label if place else None
        where = f"circuit {entry.circuit_id} at {entry.node}"
        if (entry.upstream, entry.downstream, entry.upstream_label) != (up, down, label):
            raise InputError(
                f"{entry.upstream} – {entry.downstream}", f"{up} – {down}, by the same links", where
            )
        if entry.circuit_id != entries[0].circuit_id:
            raise InputError(f"circuit {entry.circuit_id}", f"circuit {entries[0].circuit_id}", where)


def _link_plan(entry: Entry, right: str, view: LinkView, topology: Topology, lanes: int | None) -> LinkPlan:
    """The link at the fastest setting that is good enough."""
    ends = 1 if entry.upstream is None else 2
    most = min(topology.node(entry.node).slots // ends, topology.node(right).slots)
    found: LinkPlan | None = None
    for setting in grid(view.model):
        point = operating_point(view, entry.node, setting, 1)
        fidelity = view.model.heralding(setting, 1).fidelity
        if fidelity >= entry.downstream_fidelity - 1e-12 and (found is None or point.success > found.success):
            single = point.success * SECOND / point.period
            room = max(1, min(most, round(entry.downstream_rate / single))) if single > 0.0 else 1
            count = lanes or room
            period = view.model.heralding(setting, count).period
            found = LinkPlan(view.name, entry.node, right, count, setting, 0, point.success, period, fidelity)
    if found is None:
        best = max(view.model.heralding(setting, 1).fidelity for setting in grid(view.model))
        raise InputError(
            f"{entry.downstream_fidelity:g}", f"at most {best:.6g}, which it can give", f"link {view.name}"
        )
    return found


def link_request(request: Request, entries: Sequence[Entry], fidelity: float) -> LinkRequest:
    """What a REQUEST on a circuit asks of our network.

    Args:
        request: the REQUEST.
        entries: of its circuit, the head first.
        fidelity: that the circuit was made for; a REQUEST has none of its own.

    Raises:
        InputError: EARLY: nobody is handed a pair here before both ends can know that it exists.

    Examples:
        >>> link_request(Request(1, Kind.EARLY, 2), [], 0.9)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: REQUEST 1: found EARLY, expected KEEP or MEASURE: no pair is handed over before both ends \
can know that it exists
    """
    if request.kind is Kind.EARLY:
        expected = "KEEP or MEASURE: no pair is handed over before both ends can know that it exists"
        raise InputError("EARLY", expected, f"REQUEST {request.request_id}")
    keep = request.kind is Kind.KEEP
    return LinkRequest(
        entries[0].node, entries[-1].node, fidelity, request.number, request.rate, request.end_time, hold=keep,
        name=f"qnp/{entries[0].circuit_id}/{request.request_id}", bell=request.state,
        service=Service.KEEP if keep else Service.MEASURE,
    )  # fmt: skip


def plain(record: Request | Entry) -> dict[str, Any]:
    """A record as a dict of numbers and names.

    Examples:
        >>> plain(Request(1, Kind.KEEP, 2, Bell.PSI_PLUS))
        {'request_id': 1, 'kind': 'KEEP', 'number': 2, 'state': 'PSI_PLUS', 'end_time': None, 'rate': 0.0}
    """
    shape = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: value.name if isinstance(value, Enum) else value for name, value in shape.items()}


def entry_of(shape: object) -> Entry:
    """The entry that a dict came from.

    Raises:
        InputError: a missing, unknown or unusable field.

    Examples:
        >>> from quantum_fabric import documents
        >>> from quantum_fabric.network import planning
        >>> network = documents.topology(documents.inventory(documents.load_network("lab")))
        >>> head, tail = circuit_of(planning.plan(network, LinkRequest("Alice", "Bob", 0.7)), 7)
        >>> entry_of(plain(head)) == head
        True
    """
    names = [field.name for field in fields(Entry)]
    return Entry(**reading.fields(shape, names, "circuit entry"))


def request_of(shape: object) -> Request:
    """The REQUEST that a dict came from.

    Raises:
        InputError: a missing, unknown or unusable field.

    Examples:
        >>> request_of(plain(Request(1, Kind.KEEP, 2))) == Request(1, Kind.KEEP, 2)
        True
    """
    names = [field.name for field in fields(Request)]
    top = dict(reading.fields(shape, names, "REQUEST"))
    top["kind"] = reading.named(Kind, top["kind"], "REQUEST.kind")
    if top["state"] is not None:
        top["state"] = reading.named(Bell, top["state"], "REQUEST.state")
    return Request(**top)
