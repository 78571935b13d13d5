"""The documents of one point of a study, with its values put in: what an engine is asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from quantum_fabric import documents
from quantum_fabric.documents import Inventory, NetworkDocument, Workload
from quantum_fabric.documents.reading import Plain, quoted
from quantum_fabric.errors import InputError
from quantum_fabric.messages import LinkRequest, Order
from quantum_fabric.network.topology import Topology
from quantum_fabric.studies.places import place, put
from quantum_fabric.studies.quantities import Value
from quantum_fabric.units import Time, parse, parse_time

REQUEST: Final = "study"
"""Name of the request of a point."""


@dataclass(frozen=True)
class Papers:
    """The resolved documents of one point.

    Attributes:
        base: what does not vary, JSON-shaped: ``network`` or ``link``, ``request`` or ``workload``, ``network_time``.
        settings: paths and the values that this point puts there.

    Examples:
        >>> base = {"link": {"distance": "100 km", "segments": 2}, "request": {"fidelity": 0.9}}
        >>> papers = Papers(base, (("link.distance", "50 km"), ("nodes.*.slots", 7)))
        >>> network = papers.network()
        >>> network.links[0].length, network.nodes[1].slots, papers.request.fidelity
        ('25000.0 m', 7, 0.9)
    """

    base: Mapping[str, Plain]
    settings: tuple[tuple[str, Value], ...] = field(default=())

    def _with(self, name: str) -> Any:
        """One document of the base with the settings that belong to it."""
        found = self.base.get(name)
        for path, value in self.settings if found is not None else ():
            where = place(path)
            if where.document == name:
                found = put(found, where, value)
        return found

    @cached_property
    def line(self) -> dict[str, Any] | None:
        """The question over a distance; None where there is a network."""
        found: dict[str, Any] | None = self._with("link")
        return found

    @cached_property
    def segments(self) -> int | None:
        """Number of segments of the line; None where it is to be chosen, or on a network.

        Raises:
            InputError: not a whole number of 1 or more.
        """
        wanted = (self.line or {}).get("segments")
        if wanted is None:
            return None
        if (
            isinstance(wanted, bool)
            or not isinstance(wanted, int | float)
            or wanted != int(wanted)
            or wanted < 1
        ):
            raise InputError(quoted(wanted), "a whole number of at least 1", "link.segments")
        return int(wanted)

    @cached_property
    def metres(self) -> float:
        """Length of the line, m."""
        return parse((self.line or {})["distance"], "length")

    def network(self, segments: int | None = None) -> NetworkDocument:
        """The network, checked.

        Args:
            segments: of a line; as its question says where None.

        Raises:
            DocumentError: a value does not fit where it is put.
            UnknownNameError: a place that is not there.
        """
        if self.line is None:
            return documents.network_from(self._with("network"), "network")
        count = segments if segments is not None else self.segments
        assert count is not None, "whoever asks has chosen a number of segments"
        ends = (self.line.get("source", "Alice"), self.line.get("destination", "Bob"))
        plain = documents.chain(self.metres, count, self.line.get("devices", "future"), *ends).plain()
        memories = self.line.get("memories")
        if memories is not None:
            plain["defaults"]["node"] = {"slots": _whole(memories, "link.memories")}
        for path, value in self.settings:
            where = place(path)
            if where.document == "network":
                plain = put(plain, where, value)
        return documents.network_from(plain, "network")

    def inventory(self, segments: int | None = None) -> Inventory:
        """What the network stands for."""
        return documents.inventory(self.network(segments))

    def topology(self, segments: int | None = None) -> Topology:
        """What planning believes of it."""
        return documents.topology(self.inventory(segments))

    @cached_property
    def request(self) -> LinkRequest | None:
        """The request of the point; None where there is a workload.

        Raises:
            InputError: values that make no sense.
        """
        asked = self._with("request")
        if asked is None:
            return None
        line = self.line or {}
        return LinkRequest(
            source=asked.get("from") or line.get("source", "Alice"),
            destination=asked.get("to") or line.get("destination", "Bob"),
            fidelity=_fidelity(asked["fidelity"]),
            pairs=_whole(asked.get("pairs", 100), "request.pairs"),
            rate=parse(asked["rate"], "frequency") if asked.get("rate") is not None else 0.0,
            name=REQUEST,
        )

    @cached_property
    def workload(self) -> Workload | None:
        """The workload, checked on its own; None where there is a request.

        Raises:
            DocumentError: a value does not fit where it is put.
        """
        found = self._with("workload")
        return None if found is None else documents.workload_from(found, "workload")

    @cached_property
    def network_time(self) -> Time:
        """Time in the network after which a run ends, ps."""
        return parse_time(self.base.get("network_time", "1 h"))

    @cached_property
    def plan(self) -> dict[str, Any]:
        """Decisions of the planner that the point makes instead: ``cutoff`` (ps or None), ``order``, ``rounds``, ``end_rounds``.

        Raises:
            InputError: values that make no sense.

        Examples:
            >>> Papers({}, (("plan.cutoff", "5 ms"), ("plan.order", "nested"))).plan["cutoff"]
            5000000000
        """
        found: dict[str, Any] = {}
        for path, value in self.settings:
            where = place(path)
            if where.document != "plan":
                continue
            name = where.parts[1]
            if name == "cutoff":
                found[name] = None if value == "none" else parse_time(str(value))
            elif name == "order":
                known = [order.value for order in Order]
                if value not in known:
                    raise InputError(quoted(value), f"one of {', '.join(known)}", path)
                found[name] = Order(value)
            else:
                found[name] = _whole(value, path, least=0)
        return found

    def check(self) -> None:
        """Resolve everything that can be without planning.

        Raises:
            InputError: with `errors.DocumentError`, what does not fit.
        """
        _ = (self.plan, self.segments)
        request = self.request
        if self.line is None:
            inventory = self.inventory()
            if self.workload is not None:
                documents.check_workload(self.workload, inventory)
        else:
            inventory = self.inventory(self.segments or 2)
        for end in (request.source, request.destination) if request is not None else ():
            if end not in inventory.nodes:
                raise InputError(quoted(end), f"a node: {', '.join(sorted(inventory.nodes)[:20])}", "request")


def _whole(value: Any, where: str, least: int = 1) -> int:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not whole or value != int(value) or value < least:
        raise InputError(quoted(value), f"a whole number of at least {least}", where)
    return int(value)


def _fidelity(value: Any) -> float:
    number = parse(value, "fraction")
    if not 0.5 < number < 1.0:
        raise InputError(quoted(value), "a fidelity in (0.5, 1)", "request.fidelity")
    return number
