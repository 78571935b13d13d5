"""Do the names in a network document agree with each other? Checked before any device is looked up.

Works on the parts of a document that are sound, so that a slip in one link does not hide a slip in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from quantum_fabric.documents.findings import Report, nearest
from quantum_fabric.documents.network_document import (
    ClassicalEntry,
    Defaults,
    LinkDocument,
    NetworkDocument,
    NodeEntry,
)
from quantum_fabric.documents.reading import Place, Plain, quoted
from quantum_fabric.documents.station_document import SharedStationEntry

Record = TypeVar("Record", bound=BaseModel)

_STAND_INS: Final[Mapping[type[BaseModel], dict[str, str]]] = {
    LinkDocument: {"length": "1 m"},
    ClassicalEntry: {"delay": "1 d"},
}
"""Values for what a record cannot do without; nothing is computed of them when the document is at fault."""

_ESSENTIAL: Final = frozenset({"elevations", "overhead"})
"""Fields without which nothing can be said of the rest of their record: no length stands in for a satellite's."""


@dataclass(frozen=True, slots=True)
class Form:
    """The sound parts of a network document, with the numbers that they have in it.

    Attributes:
        defaults: None where they are not sound.
        nodes, links, classical: number and record.
        controller: name, None where none is given.
        known: names of all nodes in order; None where some cannot be read.
        title: of the document.
        sheets: data sheets of its own, as they are written.
        stations: number and record.
        hubs: names of all shared stations; None where some cannot be read.
    """

    defaults: Defaults | None
    nodes: tuple[tuple[int, NodeEntry], ...]
    links: tuple[tuple[int, LinkDocument], ...]
    classical: tuple[tuple[int, ClassicalEntry], ...]
    controller: str | None
    known: tuple[str, ...] | None
    title: str = ""
    sheets: Mapping[str, Plain] = field(default_factory=dict)
    stations: tuple[tuple[int, SharedStationEntry], ...] = ()
    hubs: tuple[str, ...] | None = ()


def form_of(document: NetworkDocument) -> Form:
    """All parts of a sound document.

    Examples:
        >>> from quantum_fabric.documents import load_network
        >>> len(form_of(load_network("lab")).nodes)
        2
    """
    return Form(
        document.defaults,
        tuple(enumerate(document.nodes)),
        tuple(enumerate(document.links)),
        tuple(enumerate(document.classical)),
        document.controller,
        tuple(node.name for node in document.nodes),
        document.title,
        document.sheets,
        tuple(enumerate(document.stations)),
        tuple(station.name for station in document.stations),
    )


def sound_parts(data: Plain) -> Form:
    """The parts of an unsound document that are sound, where fields that are wrong are left out.

    Args:
        data: JSON-shaped; anything may be missing or wrong.

    Examples:
        >>> form = sound_parts({"nodes": [{"name": "A"}, {"name": "B", "slots": -1}, {"name": ""}]})
        >>> form.nodes[1][1].plain(), len(form.nodes), form.known
        ({'name': 'B'}, 2, None)
    """
    data = data if isinstance(data, dict) else {}
    entries = data.get("nodes")
    nodes = _sound_list(NodeEntry, entries)
    known = tuple(node.name for _, node in nodes)
    controller, sheets = data.get("controller"), data.get("sheets")
    stations = _sound_list(SharedStationEntry, data.get("stations"))
    hubs = tuple(station.name for _, station in stations)
    return Form(
        _sound(Defaults, data.get("defaults", {})),
        nodes,
        _sound_list(LinkDocument, data.get("links")),
        _sound_list(ClassicalEntry, data.get("classical")),
        controller if isinstance(controller, str) else None,
        known if known and len(known) == len(_list(entries)) else None,
        sheets=sheets if isinstance(sheets, dict) else {},
        stations=stations,
        hubs=hubs if len(hubs) == len(_list(data.get("stations"))) else None,
    )


def _sound(model: type[Record], value: Plain) -> Record | None:
    """The record without the fields that are wrong, so that the others are looked at too."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        wrong = {detail["loc"][0] for detail in error.errors(include_url=False) if detail["loc"]}
    if wrong & _ESSENTIAL:
        return None
    left = {key: inner for key, inner in value.items() if key not in wrong} if isinstance(value, dict) else {}
    for attempt in (left, _STAND_INS.get(model, {}) | left):
        try:
            return model.model_validate(attempt)
        except ValidationError:
            continue
    return None


def _sound_list(model: type[Record], values: Plain) -> tuple[tuple[int, Record], ...]:
    found = ((number, _sound(model, value)) for number, value in enumerate(_list(values)))
    return tuple((number, record) for number, record in found if record is not None)


def _list(values: Plain) -> list[Plain]:
    return values if isinstance(values, list) else []


def check_references(form: Form, report: Report) -> None:
    """Report names that stand twice, that nothing has, and links that lead nowhere.

    Args:
        form: sound parts of a document.
        report: told of each fault.
    """
    _once([(("nodes", number), node.name) for number, node in form.nodes], "node", report)
    _links_once(form, report)
    _once([(("stations", number), station.name) for number, station in form.stations], "station", report)
    for number, link in form.links:
        _ends(("links", number), link.between, form.known, report)
        shared = link.station.shared if link.station is not None else None
        if shared is not None and form.hubs is not None and shared not in form.hubs:
            hub: Place = ("links", number, "station", "shared")
            report(hub, quoted(shared), nearest("a station of 'stations'", shared, form.hubs))
    seen: dict[frozenset[str], int] = {}
    for number, entry in form.classical:
        place: Place = ("classical", number)
        _ends(place, entry.between, form.known, report)
        first = seen.setdefault(frozenset(entry.between), number)
        if first != number:
            report(
                place, f"a second delay between these nodes (first is classical[{first}])", "each pair once"
            )
    if form.controller is not None and form.known is not None and form.controller not in form.known:
        report(
            ("controller",),
            quoted(form.controller),
            nearest("a node", form.controller, form.known),
        )


def _once(named: Iterable[tuple[Place, str]], what: str, report: Report) -> None:
    seen: dict[str, Place] = {}
    for place, name in named:
        first = seen.setdefault(name, place)
        if first is not place:
            where = f"{first[0]}[{first[1]}]"
            report((*place, "name"), f"a second {what} {name!r} (first is {where})", "each name once")


def _links_once(form: Form, report: Report) -> None:
    """Names of links, where two fibres between the same nodes need names to be told apart."""
    _once([(("links", number), link.label) for number, link in form.links], "link", report)
    unnamed: dict[frozenset[str], tuple[int, str]] = {}
    for number, link in form.links:
        if link.name is None:
            first, label = unnamed.setdefault(frozenset(link.between), (number, link.label))
            if first != number and label != link.label:
                found = f"a second link between {link.between[0]!r} and {link.between[1]!r} (first is links[{first}])"
                report(("links", number), found, "each link once, or a name for each of parallel links")


def _ends(place: Place, between: tuple[str, str], known: tuple[str, ...] | None, report: Report) -> None:
    for index, name in enumerate(between):
        if known is not None and name not in known:
            report((*place, "between", index), quoted(name), nearest("a node", name, known))
    if between[0] == between[1]:
        report((*place, "between"), f"{between[0]!r} twice", "two different nodes")
