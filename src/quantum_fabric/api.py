"""The Python API: one call from a wish to a link."""

from __future__ import annotations

from quantum_fabric import documents
from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.fabric import Fabric, check_request
from quantum_fabric.messages import LinkRequest, Refused
from quantum_fabric.network.segmentation import segment
from quantum_fabric.network.topology import Topology
from quantum_fabric.services.link import Link, open_link
from quantum_fabric.units import parse

AROUND_THE_EARTH = 4.1e7
"""Metres; no fibre between two places needs to be longer."""


def request_link(
    destination: str,
    distance: float | str | None = None,
    fidelity: float = 0.9,
    *,
    source: str = "Alice",
    pairs: int = 1,
    rate: float = 0.0,
    hardware: str = "future",
    network: str | Fabric | None = None,
    seed: int = 0,
) -> Link | Refused:
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
        network: a bundled network's name, a document's path, or a running `Fabric`.
        seed: of the twin's random draws.

    Returns:
        A `Link` (a context manager and an iterator over pairs), or `Refused` (false in a condition).

    Raises:
        InputError: the request makes no sense on any network.

    Examples:
        >>> link = request_link(destination="Bob", distance=200, fidelity=0.98)
        >>> with link:
        ...     pair = next(link)
        >>> pair.ends, pair.fidelity >= 0.98
        (('Alice', 'Bob'), True)
    """
    request = LinkRequest(source, destination, fidelity, pairs=pairs, rate=rate, hold=True)
    if network is not None:
        if distance is not None:
            raise InputError(
                repr(distance), "no distance where a network is given: it has its own fibres", "distance"
            )
        return open_link(network if isinstance(network, Fabric) else _fabric(network, seed), request)
    if distance is None:
        raise InputError("neither", "a distance, or a network", "distance")
    metres = _metres(distance)
    check_request(request)
    if not 0.0 < metres < AROUND_THE_EARTH:
        raise InputError(f"{metres / 1000:g} km", "more than 0 and less than around the Earth", "distance")

    def make(segments: int) -> Topology:
        return documents.topology(documents.inventory(_chain(segments)))

    def _chain(segments: int) -> documents.NetworkDocument:
        return documents.chain(metres, segments, hardware, source, destination)

    found = segment(metres, fidelity, make, source, destination, request)
    if isinstance(found, Refused):
        return found
    segments, _ = found
    return open_link(Fabric(documents.inventory(_chain(segments)), seed=seed), request)


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
