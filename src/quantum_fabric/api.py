"""The Python API: one call from a wish to a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, overload

from quantum_fabric import documents
from quantum_fabric.control.sense import check_request
from quantum_fabric.encoded import EncodedLink, open_encoded, open_encoded_line
from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    DryRun,
    Explain,
    Explained,
    Judged,
    LinkRequest,
    Refused,
    Route,
    Supposed,
    WhatIf,
)
from quantum_fabric.network.segmentation import segment
from quantum_fabric.network.topology import Topology
from quantum_fabric.services.link import Link, open_link
from quantum_fabric.units import parse

Answered = TypeVar("Answered", Judged, Explained, Supposed)

AROUND_THE_EARTH = 4.1e7
"""Metres; no fibre between two places needs to be longer."""

MOST_MEMORIES = 10_000
"""Memory slots that each node of a chain may have: each slot is simulated."""


@dataclass(frozen=True, slots=True)
class Line:
    """A distance to be bridged by a chain of repeaters: what documents say of it for any number of segments.

    Attributes:
        metres: of fibre from end to end.
        hardware: device profile of all nodes and fibres.
        source, destination: names of the ends.
        memories: memory slots of each node; of the data sheet where None.
        overrides: further numbers of the nodes' data sheet, as documents write them (``{"memory.t2": "50 ms"}``).

    Examples:
        >>> line = Line(100e3, "future", "Alice", "Bob", memories=30)
        >>> {node.slots for node in line.topology(3).nodes.values()}
        {30}
    """

    metres: float
    hardware: str
    source: str
    destination: str
    memories: int | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)

    def inventory(self, segments: int) -> documents.Inventory:
        """The plant with so many segments.

        Raises:
            InputError: an unknown profile, a name that is none, or numbers outside their domain.
        """
        found = documents.chain(self.metres, segments, self.hardware, self.source, self.destination)
        if self.memories is not None or self.overrides:
            entry = found.plain()
            node: dict[str, object] = {"overrides": dict(self.overrides)} if self.overrides else {}
            if self.memories is not None:
                node["slots"] = self.memories
            entry["defaults"]["node"] = node
            found = documents.network_from(entry)
        return documents.inventory(found)

    def topology(self, segments: int) -> Topology:
        """What planning believes of it."""
        return documents.topology(self.inventory(segments))


@overload
def request_link(  # noqa: D418
    destination: str,
    distance: float | str | None = None,
    fidelity: float = 0.9,
    *,
    source: str = "Alice",
    pairs: int = 1,
    rate: float = 0.0,
    hardware: str = "future",
    memories: int | None = None,
    paths: int = 1,
    error_correction: None = None,
    network: str | Fabric | None = None,
    seed: int = 0,
) -> Link | Refused:
    """Physical pairs."""


@overload
def request_link(  # noqa: D418
    destination: str,
    distance: float | str | None = None,
    fidelity: float = 0.9,
    *,
    source: str = "Alice",
    pairs: int = 1,
    rate: float = 0.0,
    hardware: str = "future",
    memories: int | None = None,
    paths: int = 1,
    error_correction: str,
    network: str | Fabric | None = None,
    seed: int = 0,
) -> EncodedLink | Refused:
    """Logical pairs."""


def request_link(
    destination: str,
    distance: float | str | None = None,
    fidelity: float = 0.9,
    *,
    source: str = "Alice",
    pairs: int = 1,
    rate: float = 0.0,
    hardware: str = "future",
    memories: int | None = None,
    paths: int = 1,
    error_correction: str | None = None,
    network: str | Fabric | None = None,
    seed: int = 0,
) -> Link | EncodedLink | Refused:
    """Ask for entanglement and get a link that hands out pairs, or a refusal that says why and what can be had.

    Without ``network``, a chain of repeaters from ``source`` to ``destination`` is planned for the distance: how many segments,
    how to swap and purify, and with what settings of the links. With ``network``, the request goes to that network.

    Args:
        destination: name of the far end.
        distance: of fibre between the ends: a number of kilometres, or a length such as ``"200 km"``. Left out on a network.
        fidelity: least fidelity of each pair at delivery, in (0.5, 1).
        source: name of the near end.
        pairs: how many pairs.
        rate: least mean rate, pairs per second; 0 asks for none.
        hardware: device profile of the chain: ``today``, ``lab-best`` or ``future`` (the last two are projections).
        memories: memory slots of each node of the chain; the number of its data sheet where None.
        paths: how many disjoint paths of a network serve it at once; their rates add up.
        error_correction: a code (``steane``, ``bacon-shor``, ``repetition-3``, ``phase-repetition-3``, ...): repeaters keep each
            half in a block of that code and correct errors instead of telling each other what failed. Needs the extra ``codes``.
        network: a bundled network's name, a document's path, or a running `Fabric`.
        seed: of the twin's random draws.

    Returns:
        A `Link` (a context manager and an iterator over pairs), an `EncodedLink` (the same over logical pairs) where
        ``error_correction`` is asked for, or `Refused` (false in a condition).

    Raises:
        InputError: the request makes no sense on any network.

    Limits:
        ``error_correction`` gives logical pairs on a clock of their own: see `quantum_fabric.encoded`.

    Examples:
        >>> link = request_link(destination="Bob", distance=200, fidelity=0.98)
        >>> with link:
        ...     pair = next(link)
        >>> pair.ends, pair.fidelity >= 0.98
        (('Alice', 'Bob'), True)
        >>> coded = request_link("Bob", 100, 0.95, error_correction="steane", memories=48)
        >>> pair = next(coded)
        >>> pair.interval[0] >= 0.95, coded.plan.segments.code.n
        (True, 7)
    """
    request = LinkRequest(
        source,
        destination,
        fidelity,
        pairs=pairs,
        rate=rate,
        hold=error_correction is None,
        route=Route(paths=paths),
    )
    if paths != 1 and (network is None or error_correction is not None):
        what = "several are found on a network only" if network is None else "logical pairs take one"
        raise InputError(repr(paths), f"1 path: {what}", "paths")
    if network is not None:
        for name, value in (("distance", distance), ("memories", memories)):
            if value is not None:
                expected = f"no {name} where a network is given: it has its own"
                raise InputError(repr(value), expected, name)
        if error_correction is not None:
            asked = network if isinstance(network, Fabric) else _fabric(network, seed)
            return open_encoded(asked.topology, request, error_correction, seed)
        return open_link(network if isinstance(network, Fabric) else _fabric(network, seed), request)
    if distance is None:
        raise InputError("neither", "a distance, or a network", "distance")
    metres = _metres(distance)
    check_request(request)
    if not 0.0 < metres < AROUND_THE_EARTH:
        expected = f"more than 0 and less than {AROUND_THE_EARTH / 1000:g} km, which is around the Earth"
        raise InputError(f"{metres / 1000:g} km", expected, "distance")
    if memories is not None and not (type(memories) is int and 1 <= memories <= MOST_MEMORIES):
        raise InputError(repr(memories), f"a whole number from 1 to {MOST_MEMORIES}", "memories")
    line = Line(metres, hardware, source, destination, memories)
    if error_correction is not None:
        return open_encoded_line(line.topology, request, error_correction, seed)
    found = segment(metres, fidelity, line.topology, source, destination, request)
    if isinstance(found, Refused):
        return found
    segments, _ = found
    return open_link(Fabric(line.inventory(segments), seed=seed), request)


def dry_run(request: LinkRequest, network: str | Fabric) -> Judged:
    """What would be answered to a request now, with what that guarantees; nothing is reserved and nothing changes.

    Args:
        request: what would be asked.
        network: a bundled network's name, a document's path, or a running `Fabric`, whose present load counts.

    Raises:
        InputError: the request makes no sense on any network.

    Examples:
        >>> judged = dry_run(LinkRequest("Alice", "Bob", 0.8, pairs=5), "lab")
        >>> bool(judged.answer), judged.guaranteed.fidelity >= 0.8
        (True, True)
    """
    check_request(request)
    return _inquired(network, DryRun(request), Judged)


def explain(request: LinkRequest, network: str | Fabric) -> Explained:
    """Why a request would be answered as it is: what binds, and the plans that lost, with reasons.

    Args:
        request: what would be asked.
        network: as for `dry_run`.

    Raises:
        InputError: the request makes no sense on any network.

    Examples:
        >>> explain(LinkRequest("Alice", "Bob", 0.9999), "lab").answer.code.name
        'UNSUPP'
    """
    check_request(request)
    return _inquired(network, Explain(request), Explained)


def what_if(
    network: str | Fabric,
    requests: Sequence[LinkRequest] = (),
    *,
    without: Sequence[str] = (),
    load: Sequence[LinkRequest] = (),
) -> Supposed:
    """What would be answered, and what would become of running requests, on a changed network; nothing changes.

    Args:
        network: as for `dry_run`.
        requests: asked one after the other, each beside those before it that got a plan.
        without: names of nodes and links that are taken away.
        load: requests that are served before.

    Examples:
        >>> wish = LinkRequest("NU", "UChicago_PME", 0.9)
        >>> (answer,) = what_if("chicago", [wish], without=["StarLight"]).answers
        >>> answer.code.name
        'NOROUTE'
    """
    for each in (*requests, *load):
        check_request(each)
    named = tuple(
        replace(each, name=each.name or f"supposed-{number}") for number, each in enumerate(requests, 1)
    )
    return _inquired(network, WhatIf("what-if", named, tuple(without), tuple(load)), Supposed)


def _inquired(network: str | Fabric, message: DryRun | Explain | WhatIf, kind: type[Answered]) -> Answered:
    fabric = network if isinstance(network, Fabric) else _fabric(network, 0)
    answer = fabric.inquire(message)
    assert isinstance(answer, kind)  # a controller answers such a question at once
    return answer


def _metres(distance: float | str) -> float:
    if isinstance(distance, str):
        try:
            return parse(distance, "length")
        except QuantityError as error:
            raise QuantityError(error.found, error.expected, "distance") from None
    if isinstance(distance, bool) or not isinstance(distance, int | float):
        raise InputError(repr(distance), "a number of kilometres, or a length such as '200 km'", "distance")
    return float(distance) * 1000.0


def _fabric(name: str, seed: int) -> Fabric:
    return Fabric(documents.inventory(documents.load_network(name)), seed=seed)
