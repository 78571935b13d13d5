"""What a workload stands for: arrivals in picoseconds, streams to draw from, faults to inject."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.documents.delays import parts
from quantum_fabric.documents.findings import Findings, Report, nearest
from quantum_fabric.documents.policy import PolicySpec, check_policy, policy_of
from quantum_fabric.documents.qkd_checks import check_attacks, check_sessions
from quantum_fabric.documents.qkd_entries import AttackSpec, QkdSpec, attack_of, session_of
from quantum_fabric.documents.reading import Plain, Tree, quoted
from quantum_fabric.documents.workload_document import RequestEntry, WorkloadDocument
from quantum_fabric.messages import Bell, LinkRequest, Promise, Route, Service, Survival
from quantum_fabric.units import Time, from_seconds, parse, parse_time


class FaultKind(Enum):
    """What happens to a link or to a node, or what an operator does with a link."""

    CUT = "cut"
    RESTORE = "restore"
    FAIL = "fail"
    RECOVER = "recover"
    CALIBRATE = "calibrate"
    BREAK = "break"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something breaks or is mended.

    Attributes:
        at: when (ps).
        kind: `FaultKind.FAIL`, `FaultKind.RECOVER` and `FaultKind.BREAK` are about a node, the others about a link.
        target: name of the link or node.
        slots: memory slots of the node that break.
    """

    at: Time
    kind: FaultKind
    target: str
    slots: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request and when it is made (ps)."""

    at: Time
    request: LinkRequest


@dataclass(frozen=True, slots=True)
class PoissonSpec:
    """Requests that arrive as a Poisson process.

    Attributes:
        name: of the stream; the requests are NAME#1, NAME#2 and so on.
        mean: mean time between two requests (s).
        start, until: requests fall into [start, until) (ps).
        request: each of them, where ``deadline`` counts from the arrival.
    """

    name: str
    mean: float
    start: Time
    until: Time
    request: LinkRequest

    def draw(self, uniform: Callable[[], float]) -> list[Arrival]:
        """Draw the arrivals: gaps are -mean ln(1 - u), the inverse of the exponential distribution.

        Args:
            uniform: gives numbers in [0, 1).

        Examples:
            >>> stream = PoissonSpec("s", 1.0, 0, 3 * 10**12, LinkRequest("A", "B", 0.9))
            >>> [(a.at, a.request.name) for a in stream.draw(lambda: 1 - math.exp(-1))]
            [(1000000000000, 's#1'), (2000000000000, 's#2')]
        """
        arrivals: list[Arrival] = []
        elapsed = 0.0
        while True:
            elapsed -= self.mean * math.log1p(-uniform())
            at = self.start + from_seconds(elapsed)
            if at >= self.until:
                return arrivals
            arrivals.append(Arrival(at, _at(self.request, at, f"{self.name}#{len(arrivals) + 1}")))


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload in base units.

    Attributes:
        duration: of the run (ps).
        requests: those at fixed times, in order of time.
        streams: those that are drawn.
        faults: in order of time.
        qkd: sessions that make keys.
        attacks: on them.
        policy: how the network is shared.
        title: for people.
        document: as it was written.
        file: name of its file, for findings.
        tree: its lines, for findings.
    """

    duration: Time
    requests: tuple[Arrival, ...]
    streams: tuple[PoissonSpec, ...]
    faults: tuple[Fault, ...]
    title: str
    document: WorkloadDocument
    file: str = field(default="workload", compare=False, repr=False)
    tree: Tree | None = field(default=None, compare=False, repr=False)
    qkd: tuple[QkdSpec, ...] = ()
    attacks: tuple[AttackSpec, ...] = ()
    policy: PolicySpec = field(default_factory=PolicySpec)

    def arrivals(self, uniform_for: Callable[[str], Callable[[], float]]) -> list[Arrival]:
        """All requests of one run, in order of time (fixed ones first where times are equal).

        Args:
            uniform_for: takes the name of a stream and gives its source of numbers in [0, 1), so that a stream does
                not change when another one is added.

        Returns:
            Arrivals with absolute deadlines.

        Examples:
            >>> from quantum_fabric.documents import load_workload
            >>> load_workload("lab").arrivals(lambda name: lambda: 0.5)[0].request.source
            'Alice'
        """
        drawn = [arrival for stream in self.streams for arrival in stream.draw(uniform_for(stream.name))]
        return sorted([*self.requests, *drawn], key=lambda arrival: arrival.at)

    def plain(self) -> dict[str, Plain]:
        """The document as JSON-shaped data; `quantum_fabric.documents.workload_from` reads it back."""
        return self.document.plain()


def workload_of(document: WorkloadDocument, file: str = "workload", tree: Tree | None = None) -> Workload:
    """Turn a checked document into base units.

    Args:
        document: whose form has been checked.
        file: where it came from, for `check_workload`.
        tree: its lines.
    """
    duration = parse_time(document.duration)
    fixed: list[Arrival] = []
    streams: list[PoissonSpec] = []
    for entry, name in zip(document.requests, _names(document.requests), strict=True):
        request = _request(entry)
        if entry.every is None:
            at = parse_time(entry.at or "0 s")
            fixed.append(Arrival(at, _at(request, at, name)))
        else:
            start, until = (
                parse_time(entry.start or "0 s"),
                min(parse_time(entry.until or document.duration), duration),
            )
            streams.append(PoissonSpec(name, parse(entry.every, "time"), start, until, request))
    faults = [
        Fault(parse_time(entry.at), kind, target, entry.slots or ())
        for entry in document.faults
        for kind in FaultKind
        if (target := entry.target(kind.value)) is not None
    ]
    fixed.sort(key=lambda arrival: arrival.at)
    faults.sort(key=lambda fault: fault.at)
    return Workload(
        duration, tuple(fixed), tuple(streams), tuple(faults), document.title, document, file, tree,
        tuple(session_of(entry, duration) for entry in document.qkd),
        tuple(attack_of(entry, duration) for entry in document.attacks),
        policy_of(document),
    )  # fmt: skip


def check_workload(workload: Workload, inventory: Inventory) -> None:
    """Check that a network has what a workload speaks of.

    Args:
        workload: from `quantum_fabric.documents.load_workload`.
        inventory: of the network it is to run on.

    Raises:
        DocumentError: unknown nodes and links, ends that no path joins, a link restored that was not cut.

    Examples:
        >>> from quantum_fabric.documents import inventory, load_network, workload_from
        >>> ask = {"from": "Alice", "to": "Bobby", "fidelity": 0.9}
        >>> workload = workload_from({"kind": "workload", "version": 1, "duration": "1 s", "requests": [ask]})
        >>> check_workload(workload, inventory(load_network("lab")))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.DocumentError: workload: requests[0].to: found 'Bobby', expected a node of Laboratory link \
(did you mean 'Bob'?): Alice, Bob
    """
    findings = Findings(workload.file, workload.tree)
    known = sorted(inventory.nodes)
    for number, entry in enumerate(workload.document.requests):
        ends = {"from": entry.source, "to": entry.destination}
        wrong = {key: name for key, name in ends.items() if name not in inventory.nodes}
        for key, name in wrong.items():
            expected = nearest(f"a node of {inventory.title or 'the network'}", name, known)
            findings.report(("requests", number, key), quoted(name), expected)
        if not wrong and not joined(inventory, entry.source, entry.destination):
            found = f"{entry.source!r} and {entry.destination!r}, which no path joins"
            findings.report(
                ("requests", number), found, "two nodes that are joined by links and relaying nodes"
            )
        _check_route(number, entry, inventory, findings.report)
    _check_faults(workload, inventory, findings.report)
    asking = [entry.tenant for entry in workload.document.requests]
    check_policy(workload.policy, asking, inventory, findings.report)
    check_sessions(workload.qkd, inventory, findings.report)
    check_attacks(workload.attacks, workload.qkd, inventory, findings.report)
    findings.stop()


def joined(inventory: Inventory, a: str, b: str) -> bool:
    """Say whether a path of links leads from one node to another through nodes that relay.

    Examples:
        >>> from quantum_fabric.documents import inventory, load_network
        >>> joined(inventory(load_network("hefei-star")), "Node A", "Node B")
        True
    """
    usable = inventory.relays | {a, b}
    pairs = [(link.a, link.b) for link in inventory.links.values() if link.a in usable and link.b in usable]
    return any(a in part and b in part for part in parts(inventory.nodes, pairs))


def _check_route(number: int, entry: RequestEntry, inventory: Inventory, report: Report) -> None:
    nodes = sorted(inventory.nodes)
    for key, names, known, what in (
        ("avoid", entry.avoid, [*nodes, *sorted(inventory.links)], "a node or link of the network"),
        ("trusted", entry.trusted or (), nodes, "a node of the network"),
    ):
        for place, name in enumerate(names):
            if name not in known:
                report(("requests", number, key, place), quoted(name), nearest(what, name, known))
            elif name in (entry.source, entry.destination) and key == "avoid":
                report(
                    ("requests", number, key, place), quoted(name), "nodes other than the ends of the request"
                )
            elif key == "trusted" and name in entry.avoid:
                report(("requests", number, key, place), quoted(name), "nodes that are not in avoid as well")


def _check_faults(workload: Workload, inventory: Inventory, report: Report) -> None:
    down: set[tuple[str, str]] = set()
    entries = enumerate(workload.document.faults)
    for number, entry in sorted(entries, key=lambda numbered: parse_time(numbered[1].at)):
        for kind in FaultKind:
            target = entry.target(kind.value)
            if target is None:
                continue
            what = "node" if kind in (FaultKind.FAIL, FaultKind.RECOVER, FaultKind.BREAK) else "link"
            known = sorted(inventory.links if what == "link" else inventory.nodes)
            place = ("faults", number, kind.value)
            breaks = kind in (FaultKind.CUT, FaultKind.FAIL)
            if target not in known:
                report(place, quoted(target), nearest(f"a {what} of the network", target, known))
            elif kind is FaultKind.CALIBRATE:
                if inventory.links[target].upkeep.calibrations is None:
                    report(place, quoted(target), "a link with 'calibration: {takes: TIME}' in its document")
            elif kind is FaultKind.BREAK:
                has = inventory.nodes[target].slots
                for which, slot in enumerate(entry.slots or ()):
                    if slot >= has:
                        expected = f"a memory slot of {target}: 0 to {has - 1}"
                        report(("faults", number, "slots", which), str(slot), expected)
            elif breaks == ((what, target) in down):
                state = "down" if breaks else "working"
                report(place, f"{target!r}, which is {state} at {entry.at}", f"a {what} in the other state")
            elif breaks:
                down.add((what, target))
            else:
                down.remove((what, target))


def _names(entries: Iterable[RequestEntry]) -> list[str]:
    """Labels: those given, and FROM-TO, FROM-TO.2 and so on for the others."""
    entries = list(entries)
    taken = {entry.name for entry in entries if entry.name is not None}
    names: list[str] = []
    for entry in entries:
        name = entry.name
        number = 1
        while name is None or (entry.name is None and name in taken):
            name = f"{entry.source}-{entry.destination}".replace("#", ".") + (
                f".{number}" if number > 1 else ""
            )
            number += 1
        taken.add(name)
        names.append(name)
    return names


def _request(entry: RequestEntry) -> LinkRequest:
    """The request with a deadline that counts from its arrival."""
    return LinkRequest(
        source=entry.source,
        destination=entry.destination,
        fidelity=parse(entry.fidelity, "fraction"),
        pairs=entry.pairs,
        rate=parse(entry.rate, "frequency") if entry.rate is not None else 0.0,
        deadline=parse_time(entry.deadline) if entry.deadline is not None else None,
        hold=entry.hold,
        service=Service(entry.service),
        bell=None if entry.bell is None else next(each for each in Bell if each.symbol == entry.bell),
        confidence=parse(entry.confidence, "fraction"),
        promise=Promise(entry.promise),
        window=parse_time(entry.window) if entry.window is not None else None,
        jitter=parse_time(entry.jitter) if entry.jitter is not None else None,
        tenant=entry.tenant,
        priority=entry.priority,
        preemptible=entry.preemptible,
        survives=Survival(entry.survives),
        route=Route(entry.avoid, entry.trusted, entry.disjoint, entry.paths),
        key=entry.key,
    )


def _at(request: LinkRequest, at: Time, name: str) -> LinkRequest:
    deadline = request.deadline + at if request.deadline is not None else None
    return replace(request, deadline=deadline, name=name)
