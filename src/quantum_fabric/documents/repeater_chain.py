"""A chain of repeaters that somebody only wants the ends of."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from quantum_fabric.documents.loading import network_from
from quantum_fabric.documents.network_document import NetworkDocument
from quantum_fabric.documents.reading import quoted
from quantum_fabric.documents.sketch import kilometres
from quantum_fabric.errors import InputError, QuantityError

MAX_SEGMENTS: Final = 4096


def chain(
    distance_m: float,
    segments: int,
    profile: str = "future",
    source: str = "Alice",
    destination: str = "Bob",
) -> NetworkDocument:
    """Lay out equal fibres in a row, with a repeater between each two.

    Args:
        distance_m: length of fibre from end to end (m), above 0.
        segments: how many fibres, from 1 to `MAX_SEGMENTS`.
        profile: hardware profile of all nodes and fibres.
        source: name of the first node.
        destination: name of the last node, another one.

    Returns:
        A network with nodes ``source``, ``R1``, ``R2``, ..., ``destination``; the controller sits at the source.

    Raises:
        QuantityError: distance or segments outside their domain.
        InputError: source and destination are the same.
        DocumentError: an unknown profile, or a name that is none.

    Examples:
        >>> line = chain(100_000.0, 4)
        >>> [node.name for node in line.nodes], line.links[0].length
        (['Alice', 'R1', 'R2', 'R3', 'Bob'], '25000.0 m')
    """
    if not 0.0 < distance_m < 1e9:
        raise QuantityError(
            found=quoted(distance_m), expected="a distance above 0 and below 1e9 m", where="distance"
        )
    if isinstance(segments, bool) or not isinstance(segments, int) or not 1 <= segments <= MAX_SEGMENTS:
        expected = f"a whole number from 1 to {MAX_SEGMENTS}"
        raise QuantityError(found=quoted(segments), expected=expected, where="segments")
    if source == destination:
        raise InputError(found=quoted(source), expected="two different ends", where="destination")
    prefix = "R"
    while any(end.startswith(prefix) and end[len(prefix) :].isdigit() for end in (source, destination)):
        prefix += "R"
    names = [source, *(f"{prefix}{number}" for number in range(1, segments)), destination]
    length = repr(distance_m / segments) + " m"
    return network_from(
        {
            "kind": "network",
            "version": 1,
            "title": f"{source} to {destination}, {kilometres(distance_m)} in {segments} segment{'s'[: segments > 1]}",
            "defaults": {"profile": profile},
            "nodes": [{"name": name} for name in names],
            "links": [{"between": [a, b], "length": length} for a, b in pairwise(names)],
            "controller": source,
        },
        file="chain",
    )
