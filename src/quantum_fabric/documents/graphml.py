"""GraphML in and out: the format in which graph editors and topology collections exchange networks.

What Quantum Fabric writes it reads back without loss: plain fields become attributes that other programs can use
(``length_km``, ``lon``, ``lat``), structured ones (overrides, stations, defaults) text in JSON. Of graphs from elsewhere the
usual spellings are understood; what is not understood is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET
from xml.parsers import expat

from quantum_fabric.documents.network_document import LinkDocument, NetworkDocument, NodeEntry
from quantum_fabric.documents.reading import MAX_VALUES, Plain, quoted, read_text
from quantum_fabric.documents.sketch import Sketch, Span, Spot, has_arms, printable
from quantum_fabric.errors import DocumentError, Finding
from quantum_fabric.units import parse

NAMESPACE: Final = "http://graphml.graphdrawing.org/xmlns"
_KILOMETRES: Final = ("length_km", "km", "dist_km", "distance_km", "dist", "distance")
_METRES: Final = ("length_m", "metres", "meters")
_LON: Final = ("lon", "longitude", "lng")
_LAT: Final = ("lat", "latitude")
_NODE_FIELDS: Final = tuple(name for name in NodeEntry.model_fields if name not in ("name", "position"))
_LINK_FIELDS: Final = tuple(name for name in LinkDocument.model_fields if name not in ("between", "length"))
_JSON: Final = frozenset(
    (
        "slots",
        "modes",
        "frequency_modes",
        "space_modes",
        "relays",
        "trust",
        "overrides",
        "fibre",
        "station",
        "carrier",
        "source",
        "switches",
        "elevations",
        "overhead",
        "drift",
        "calibration",
        "provenance",
        "sheets",
        "transducer",
        "converter",
        "defaults",
        "classical",
    )
)
_GRAPH_FIELDS: Final = (
    "title",
    "description",
    "controller",
    "provenance",
    "sheets",
    "defaults",
    "classical",
    "states",
)


def read_graphml(path: Path) -> Sketch:
    """Read a graph.

    Nodes: the name is ``name``, ``label`` or the id; the position is ``lon``/``longitude`` and ``lat``/``latitude``, or ``x`` and
    ``y`` with units. Edges: the length is ``length`` with a unit, ``length_km``/``km``/``dist`` or ``length_m``. An edge in either
    direction is one link.

    Args:
        path: of the file, at most 16 MiB.

    Raises:
        DocumentError: no XML, no GraphML, a document type definition, an edge to an unknown node, a length that is no length.
    """
    reader = _Reader(str(path))
    reader.parse(read_text(path))
    return reader.sketch()


def write_graphml(document: NetworkDocument, path: Path) -> None:
    """Write a network as GraphML.

    Args:
        document: what to write.
        path: of the file, which is replaced.

    Raises:
        OSError: it cannot be written.
    """
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(f"{{{NAMESPACE}}}graphml")
    keys: dict[tuple[str, str], str] = {}
    plain = document.plain()
    graph = ET.Element(f"{{{NAMESPACE}}}graph", id="network", edgedefault="undirected")
    _write(graph, "graph", {name: plain[name] for name in _GRAPH_FIELDS if name in plain}, keys, root)
    for node in plain["nodes"]:
        element = ET.SubElement(graph, f"{{{NAMESPACE}}}node", id=node["name"])
        fields = {name: node[name] for name in _NODE_FIELDS if name in node}
        _write(element, "node", fields | node.get("position", {}), keys, root)
    for link in plain.get("links", []):
        a, b = link["between"]
        element = ET.SubElement(graph, f"{{{NAMESPACE}}}edge", source=a, target=b)
        fields = {name: link[name] for name in ("length", *_LINK_FIELDS) if name in link}
        # a link may be given by the arms of its station alone; other programs look for a length
        spans = [link["length"]] if "length" in link else link.get("station", {}).get("arms", [])
        if spans:
            fields["length_km"] = round(sum(parse(span, "length") for span in spans) / 1000.0, 9)
        _write(element, "edge", fields, keys, root)
    root.append(graph)
    ET.indent(root)
    path.write_text(ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n", encoding="utf-8")


def _write(
    element: ET.Element,
    of: str,
    fields: Mapping[str, Plain],
    keys: dict[tuple[str, str], str],
    root: ET.Element,
) -> None:
    for name, value in fields.items():
        if value is None:
            continue
        if (of, name) not in keys:
            keys[of, name] = f"{of}_{name}"
            kind = {bool: "boolean", int: "int", float: "double"}.get(type(value), "string")
            kind = "double" if name in ("lon", "lat") else kind
            attributes = {"id": keys[of, name], "for": of, "attr.name": name, "attr.type": kind}
            ET.SubElement(root, f"{{{NAMESPACE}}}key", attributes)
        text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
        ET.SubElement(element, f"{{{NAMESPACE}}}data", key=keys[of, name]).text = text


class _Reader:
    """Collects nodes and edges with their attributes and lines while the parser runs."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.names: dict[str, str] = {}
        self.defaults: dict[str, dict[str, str]] = {"node": {}, "edge": {}, "graph": {}}
        self.nodes: list[tuple[int, str, dict[str, str]]] = []
        self.edges: list[tuple[int, str, str, dict[str, str]]] = []
        self.graph: dict[str, str] = {}
        self.owners: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] | None = None
        self.key = ""
        self.of = ""
        self.seen_root = False
        self.parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(self, found: str, expected: str, line: int | None = None) -> DocumentError:
        here = self.parser.CurrentLineNumber if line is None else line
        return DocumentError([Finding(self.file, here, "", found, expected)])

    def parse(self, text: str) -> None:
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.data
        self.parser.StartDoctypeDeclHandler = self.doctype
        try:
            self.parser.Parse(text, True)
        except expat.ExpatError as error:
            raise self.refuse(expat.ErrorString(error.code), "well-formed XML", error.lineno) from None
        if not self.seen_root:
            raise self.refuse("no 'graphml' element", "GraphML", 1)

    def doctype(self, *_: Any) -> None:
        raise self.refuse("a document type definition", "GraphML without one")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        line, name = self.parser.CurrentLineNumber, tag.rpartition(" ")[2]
        if not self.seen_root and name != "graphml":
            raise self.refuse(f"the element {quoted(name)}", "GraphML, which starts with 'graphml'")
        self.seen_root = True
        if len(self.nodes) + len(self.edges) > MAX_VALUES // 4:
            raise self.refuse("too many nodes and edges", "a smaller graph")
        if name == "key":
            self.key = attributes.get("id", "")
            self.of = attributes.get("for", "all")
            self.names[self.key] = attributes.get("attr.name", self.key)
        elif name == "graph":
            if self.owners:
                raise self.refuse("a graph inside a graph", "one flat graph")
            self.owners.append((name, self.graph))
        elif name == "node":
            own: dict[str, str] = {}
            self.nodes.append((line, attributes.get("id", ""), own))
            self.owners.append((name, own))
        elif name == "edge":
            own = {}
            self.edges.append((line, attributes.get("source", ""), attributes.get("target", ""), own))
            self.owners.append((name, own))
        elif name in ("data", "default"):
            self.text = []
            if name == "data":
                self.key = attributes.get("key", "")

    def data(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)

    def end(self, tag: str) -> None:
        name = tag.rpartition(" ")[2]
        if name in ("data", "default") and self.text is not None:
            value, self.text = "".join(self.text), None
            if name == "data" and self.owners:
                self.owners[-1][1][self.names.get(self.key, self.key)] = value
            elif name == "default":
                for of in self.defaults if self.of == "all" else [self.of]:
                    self.defaults.setdefault(of, {})[self.names[self.key]] = value
        elif name in ("graph", "node", "edge") and self.owners:
            self.owners.pop()

    def sketch(self) -> Sketch:
        names = self.node_names()
        spots = tuple(
            Spot(names[key], self.node_fields(line, {**self.defaults["node"], **own}), line)
            for line, key, own in self.nodes
        )
        spans: dict[tuple[str, str, str], Span] = {}
        for line, source, target, own in self.edges:
            for end in (source, target):
                if end not in names:
                    self.note(line, f"an edge to {quoted(end)}", "the id of a node")
            if source in names and target in names:
                span = self.span(line, names[source], names[target], {**self.defaults["edge"], **own})
                a, b = sorted((span.a, span.b))
                spans.setdefault((a, b, str(span.fields.get("name", ""))), span)
        fields = self.fields(0, {**self.defaults["graph"], **self.graph}, _GRAPH_FIELDS)
        if self.findings:
            raise DocumentError(sorted(self.findings, key=lambda finding: finding.line))
        return Sketch(spots, tuple(spans.values()), fields)

    def node_names(self) -> dict[str, str]:
        """Name of each id: the label where labels tell the nodes apart."""
        ids = [key for _, key, _ in self.nodes]
        seen: set[str] = set()
        for line, key, _ in self.nodes:
            if key in seen:
                self.note(line, f"the id {quoted(key)} a second time", "each id once")
            seen.add(key)
        for attribute in ("name", "label"):
            labels = [own.get(attribute, "") for _, _, own in self.nodes]
            if all(labels) and len(set(labels)) == len(labels):
                return {key: printable(label) for key, label in zip(ids, labels, strict=True)}
        return {key: printable(key) for key in ids}

    def node_fields(self, line: int, own: Mapping[str, str]) -> dict[str, Plain]:
        fields = self.fields(line, own, _NODE_FIELDS)
        lower = {name.lower(): value for name, value in own.items()}
        lon, lat = (next((lower[n] for n in names if n in lower), None) for names in (_LON, _LAT))
        if lon is not None and lat is not None:
            fields["position"] = {
                "lon": self.number(line, lon, "degrees"),
                "lat": self.number(line, lat, "degrees"),
            }
        elif any(letter.isalpha() for letter in lower.get("x", "")) and "y" in lower:
            fields["position"] = {"x": lower["x"], "y": lower["y"]}
        return fields

    def span(self, line: int, a: str, b: str, own: Mapping[str, str]) -> Span:
        fields = self.fields(line, own, _LINK_FIELDS)
        lower = {name.lower(): value for name, value in own.items()}
        if "length" in lower:
            text = lower["length"]
            if _is_number(text):
                expected = "a length with its unit such as '25 km', or the attribute length_km"
                self.note(line, f"the length {quoted(text)}", expected)
                return Span(a, b, None, fields, line)
            return Span(a, b, None, {"length": text, **fields}, line)
        if has_arms(fields):
            return Span(a, b, None, fields, line)
        for names, factor in ((_KILOMETRES, 1000.0), (_METRES, 1.0)):
            text = next((lower[name] for name in names if name in lower), "")
            if text:
                return Span(a, b, factor * self.number(line, text, "a length"), fields, line)
        return Span(a, b, None, fields, line)

    def fields(self, line: int, own: Mapping[str, str], known: tuple[str, ...]) -> dict[str, Plain]:
        """Fields of the document among the attributes, JSON where they are structured."""
        found: dict[str, Plain] = {}
        for name in known:
            if name not in own:
                continue
            text = own[name]
            found[name] = text
            if name in _JSON:
                try:
                    found[name] = json.loads(text)
                except (ValueError, RecursionError):
                    self.note(line, f"{name} {quoted(text)}", "a value in JSON")
        return found

    def number(self, line: int, text: str, what: str) -> float:
        if not _is_number(text):
            self.note(line, quoted(text), f"{what}: a number")
            return 0.0
        return float(text)

    def note(self, line: int, found: str, expected: str) -> None:
        self.findings.append(Finding(self.file, line, "", found, expected))


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False
