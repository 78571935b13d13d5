"""A bare graph on its way to becoming a network document: what importers have in common.

Other people's graphs say little of what a quantum network needs. A sketch keeps what they say, fills in fibre lengths
from coordinates, merges nodes that stand at one place and puts repeaters on long fibres; each of these only when asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from quantum_fabric.documents.fields import MAX_NAME
from quantum_fabric.documents.reading import Plain, Tree
from quantum_fabric.errors import QuantityError

EARTH_RADIUS: Final = 6_371_008.8
"""Mean radius in m (IUGG)."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A node of a sketch.

    Attributes:
        name: unique.
        fields: of a node entry of a document, without the name.
        line: where it stands in the file it came from; 0 for none.
    """

    name: str
    fields: Mapping[str, Plain] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A link of a sketch.

    Attributes:
        a, b: names of its ends.
        length: m; None where it is not known, 0 for nodes at one place.
        fields: of a link entry of a document, without ends and length.
        line: as for `Spot`.
    """

    a: str
    b: str
    length: float | None
    fields: Mapping[str, Plain] = field(default_factory=dict)
    line: int = 0


def has_arms(fields: Mapping[str, Plain]) -> bool:
    """Whether the fields of a link give its length by the arms of its station, or by where a satellite stands."""
    station = fields.get("station")
    by_arms = isinstance(station, Mapping) and "arms" in station
    return by_arms or bool({"elevations", "overhead"} & set(fields))


@dataclass(frozen=True, slots=True)
class Sketch:
    """A graph with whatever is known of it.

    Attributes:
        spots: its nodes.
        spans: its links.
        fields: of the document (title, description, defaults).
    """

    spots: tuple[Spot, ...]
    spans: tuple[Span, ...]
    fields: Mapping[str, Plain] = field(default_factory=dict)


def printable(text: str) -> str:
    r"""Turn any text into a valid name.

    Examples:
        >>> printable(" Den\nHaag "), printable("")
        ('Den Haag', 'unnamed')
    """
    clean = "".join(letter if letter.isprintable() else " " for letter in text).strip()
    return clean[:MAX_NAME].strip() or "unnamed"


def great_circle(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """Distance over the ground between two positions (haversine formula).

    Args:
        a: ``lon`` and ``lat`` in degrees.
        b: the same of the other place.

    Returns:
        m, on a sphere with the mean radius of the Earth.

    Limits:
        The Earth is no sphere: wrong by up to 0.6 %.

    Examples:
        >>> delingha, nanshan = {"lat": 37.378786, "lon": 97.726947}, {"lat": 43.475461, "lon": 87.176686}
        >>> round(great_circle(delingha, nanshan) / 1000)
        1120
    """
    phi_a, phi_b = math.radians(a["lat"]), math.radians(b["lat"])
    half_lat, half_lon = (phi_b - phi_a) / 2, math.radians(b["lon"] - a["lon"]) / 2
    h = math.sin(half_lat) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS * math.asin(min(1.0, math.sqrt(h)))


def check_detour(detour: float) -> float:
    """Check a detour factor.

    Raises:
        QuantityError: below 1 (a fibre cannot be shorter than the great circle) or above 10.

    Examples:
        >>> check_detour(0.9)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: detour: found 0.9, expected a factor from 1 to 10 such as 1.5
    """
    if not 1.0 <= detour <= 10.0:
        raise QuantityError(found=str(detour), expected="a factor from 1 to 10 such as 1.5", where="detour")
    return detour


def stretched(sketch: Sketch, detour: float) -> Sketch:
    """Give each span without a length the great circle between its ends times a detour factor.

    Spans whose ends have no position in degrees stay without.
    """
    places = {spot.name: spot.fields.get("position") for spot in sketch.spots}
    spans = []
    for span in sketch.spans:
        a, b = places[span.a], places[span.b]
        known = span.length is not None or has_arms(span.fields)
        if not known and a and b and "lon" in a and "lon" in b:
            span = replace(span, length=detour * great_circle(a, b))
        spans.append(span)
    return replace(sketch, spans=tuple(spans))


def merged(sketch: Sketch) -> Sketch:
    """Merge nodes that spans of length 0 join; the first one of them in the sketch gives its name.

    Of spans that thereby come to lie side by side, the shortest stays.

    Examples:
        >>> spans = (Span("A", "B", 0.0), Span("A", "C", 5.0), Span("B", "C", 4.0))
        >>> merged(Sketch((Spot("A"), Spot("B"), Spot("C")), spans)).spans
        (Span(a='A', b='C', length=4.0, fields={}, line=0),)
    """
    stands_for = {spot.name: spot.name for spot in sketch.spots}
    order = {spot.name: number for number, spot in enumerate(sketch.spots)}

    def head(name: str) -> str:
        while stands_for[name] != name:
            name = stands_for[name]
        return name

    for span in sketch.spans:
        if span.length == 0.0:
            first, second = sorted((head(span.a), head(span.b)), key=order.__getitem__)
            stands_for[second] = first
    kept: dict[frozenset[str], Span] = {}
    for span in sketch.spans:
        joined = replace(span, a=head(span.a), b=head(span.b))
        ends = frozenset((joined.a, joined.b))
        if len(ends) == 2 and (ends not in kept or (joined.length or 0.0) < (kept[ends].length or 0.0)):
            kept[ends] = joined
    spots = tuple(spot for spot in sketch.spots if head(spot.name) == spot.name)
    return replace(sketch, spots=spots, spans=tuple(kept.values()))


def spanned(sketch: Sketch, max_span: float) -> Sketch:
    """Put repeaters on long spans, evenly, so that no fibre is longer than asked.

    The repeaters on a span from A to B are ``A~B#1``, ``A~B#2`` and so on, and the links between them ``A~B:1`` and so
    on. A span with a station or a measured total loss is left as it is: nobody measured its pieces.

    Args:
        sketch: with lengths.
        max_span: longest fibre (m).

    Raises:
        QuantityError: a longest fibre of 0 or less.

    Examples:
        >>> both = spanned(Sketch((Spot("A"), Spot("B")), (Span("A", "B", 90e3),)), 50e3)
        >>> [spot.name for spot in both.spots], [(s.a, s.b, s.length) for s in both.spans]
        (['A', 'B', 'A~B#1'], [('A', 'A~B#1', 45000.0), ('A~B#1', 'B', 45000.0)])
    """
    if not max_span > 0:
        raise QuantityError(found=str(max_span), expected="a length above 0", where="max_span")
    places = {spot.name: spot.fields.get("position") for spot in sketch.spots}
    spots, spans = list(sketch.spots), []
    for span in sketch.spans:
        pieces = math.ceil((span.length or 0.0) / max_span)
        if pieces < 2 or span.length is None or {"station", "loss"} & set(span.fields):
            spans.append(span)
            continue
        label = str(span.fields.get("name", f"{span.a}~{span.b}"))
        names = [span.a, *(f"{label}#{number}" for number in range(1, pieces)), span.b]
        for number, name in enumerate(names[1:-1], start=1):
            position = _between(places[span.a], places[span.b], number / pieces)
            spots.append(Spot(name, {"position": position} if position else {}, span.line))
        for number, (a, b) in enumerate(pairwise(names), start=1):
            spans.append(
                Span(a, b, span.length / pieces, {**span.fields, "name": f"{label}:{number}"}, span.line)
            )
    return replace(sketch, spots=tuple(spots), spans=tuple(spans))


def _between(a: Plain, b: Plain, share: float) -> dict[str, float] | None:
    """A point on the straight line on the map between two positions in degrees."""
    if not (isinstance(a, dict) and isinstance(b, dict) and "lon" in a and "lon" in b):
        return None
    return {key: round(a[key] + share * (b[key] - a[key]), 5) for key in ("lon", "lat")}


def kilometres(length: float) -> str:
    """Write a length as documents do.

    Examples:
        >>> kilometres(16_150.0), kilometres(2.0)
        ('16.15 km', '0.002 km')
    """
    return f"{length / 1000:.6g} km"


def tree_of(sketch: Sketch) -> Tree:
    """The network document that a sketch stands for, with the lines of the file it came from.

    Examples:
        >>> tree_of(Sketch((Spot("A"), Spot("B")), (Span("A", "B", 5e3),))).plain()["links"]
        [{'between': ['A', 'B'], 'length': '5 km'}]
    """
    nodes = [grow({"name": spot.name, **spot.fields}, spot.line) for spot in sketch.spots]
    links = []
    for span in sketch.spans:
        length = {"length": kilometres(span.length)} if span.length is not None else {}
        links.append(grow({"between": [span.a, span.b], **length, **span.fields}, span.line))
    root = grow({"kind": "network", "version": 1, **sketch.fields}, 1)
    assert isinstance(root.value, dict)
    root.value["nodes"], root.value["links"] = Tree(nodes, 1), Tree(links, 1)
    root.keys["nodes"] = root.keys["links"] = 1
    return root


def grow(value: Plain, line: int) -> Tree:
    """A tree of plain data that all stands on one line.

    Examples:
        >>> grow({"a": [1]}, 7).line_of(("a", 0))
        7
    """
    if isinstance(value, Mapping):
        return Tree(
            {key: grow(inner, line) for key, inner in value.items()}, line, dict.fromkeys(value, line)
        )
    if isinstance(value, list | tuple):
        return Tree([grow(inner, line) for inner in value], line)
    return Tree(value, line)
