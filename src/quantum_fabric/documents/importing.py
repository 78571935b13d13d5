"""Networks from elsewhere: graphs of topohub and GraphML files, as functions and as documents of kind ``import``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from quantum_fabric.documents.atlas import read_atlas
from quantum_fabric.documents.checking import check_form, check_network
from quantum_fabric.documents.equipment import attempt, equipment
from quantum_fabric.documents.fields import Entry, Flag, Length, Name, Text
from quantum_fabric.documents.findings import Findings
from quantum_fabric.documents.graphml import read_graphml, write_graphml
from quantum_fabric.documents.network_document import Defaults, NetworkDocument, Provenance, Sheets
from quantum_fabric.documents.reading import Plain, Tree
from quantum_fabric.documents.sheet_files import own_sheets
from quantum_fabric.documents.sketch import Sketch, check_detour, merged, spanned, stretched, tree_of
from quantum_fabric.errors import InputError
from quantum_fabric.units import parse

DETOUR: Final = 1.5
"""Fibre length over great circle where nothing else is said; 1.2 to 3 are found."""


class ImportDocument(Entry):
    """A network that is made of a graph from elsewhere each time it is loaded."""

    kind: Literal["import"]
    version: Literal[1]
    title: Text = Field("", description="one line for people")
    description: Text = Field("", description="what it is, and what of it is assumed")
    provenance: tuple[Provenance, ...] = Field((), description="where the numbers come from")
    topohub: Text | None = Field(
        None, description="a graph of the package topohub", examples=["sndlib/germany50"]
    )
    graphml: Text | None = Field(None, description="a GraphML file, seen from this document")
    detour: Annotated[float, Field(strict=True, ge=1, le=10, allow_inf_nan=False)] = Field(
        DETOUR, description="fibre length over great circle, where only the latter is known"
    )
    max_span: Length | None = Field(None, description="longest fibre; repeaters are put on longer ones")
    merge: Flag = Field(False, description="true: nodes that an edge of length 0 joins become one")
    sheets: Sheets = Field(default_factory=dict)
    defaults: Defaults = Field(default_factory=Defaults)  # type: ignore[arg-type]
    controller: Name | None = Field(None, description="node where the controller sits")

    @model_validator(mode="after")
    def _one_origin(self) -> ImportDocument:
        if (self.topohub is None) == (self.graphml is None):
            found = "neither topohub nor graphml" if self.topohub is None else "topohub beside graphml"
            raise InputError(found=found, expected="one of topohub and graphml")
        return self


def import_topohub(
    key: str,
    *,
    detour: float = DETOUR,
    max_span: float | None = None,
    merge: bool = False,
    defaults: Mapping[str, Plain] | None = None,
) -> NetworkDocument:
    """Make a network of a graph of the package ``topohub``.

    Args:
        key: collection and name, such as ``"sndlib/germany50"``.
        detour: fibre length over great circle, from 1 to 10.
        max_span: longest fibre (m); repeaters are put on longer ones. None leaves fibres as they are.
        merge: True makes one node of nodes that an edge of length 0 joins.
        defaults: as in a network document.

    Returns:
        The network, written out: a document that depends on topohub no more.

    Raises:
        InputError: an unknown graph, abstract coordinates, edges of length 0, a factor or length outside its domain.
        DocumentError: what becomes of it is no sound network (several parts, unknown sheets).

    Limits:
        The lengths are great circles times one factor for all: no route of a real fibre. Delft to Den Haag has a factor of 2.9.

    Examples:
        >>> surfnet = import_topohub("topozoo/Surfnet", detour=2.0)
        >>> len(surfnet.nodes), surfnet.links[0].label, surfnet.links[0].length
        (50, 'Westerbork~Dwingeloo', '32.3 km')
    """
    sketch = read_atlas(key, detour, merge=merge)
    header: dict[str, Plain] = {"title": key, "description": _origin(f"topohub {key}", detour, max_span)}
    return _finish(sketch, header, detour, max_span, merge, defaults, key)


def import_graphml(
    path: str | Path,
    *,
    detour: float = DETOUR,
    max_span: float | None = None,
    merge: bool = False,
    defaults: Mapping[str, Plain] | None = None,
) -> NetworkDocument:
    """Make a network of a GraphML file.

    Args:
        path: of the file.
        detour: factor on the great circle for edges without a length, from 1 to 10.
        max_span: longest fibre (m); repeaters are put on longer ones. None leaves fibres as they are.
        merge: True makes one node of nodes that an edge of length 0 joins.
        defaults: as in a network document; what the file itself says wins.

    Raises:
        InputError: a factor or length outside its domain.
        DocumentError: with line, what is wrong in the file or in the network that becomes of it.

    Examples:
        >>> import tempfile
        >>> from quantum_fabric.documents import export_graphml, load_network
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     export_graphml(load_network("chicago"), f"{folder}/chicago.graphml")
        ...     import_graphml(f"{folder}/chicago.graphml") == load_network("chicago")
        True
    """
    check_detour(detour)
    return _finish(read_graphml(Path(path)), {}, detour, max_span, merge, defaults, str(path))


def export_graphml(document: NetworkDocument, path: str | Path) -> None:
    """Write a network as GraphML; `import_graphml` reads the same document back.

    Args:
        document: what to write.
        path: of the file, which is replaced.

    Raises:
        OSError: the file cannot be written.

    Examples:
        >>> import tempfile
        >>> from quantum_fabric.documents import load_network
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     export_graphml(load_network("lab"), f"{folder}/lab.graphml")
        ...     "Alice" in Path(f"{folder}/lab.graphml").read_text()
        True
    """
    write_graphml(document, Path(path))


def expand(data: Plain, findings: Findings, folder: Path) -> NetworkDocument:
    """Make the network that a document of kind ``import`` describes.

    Args:
        data: the document, JSON-shaped.
        findings: of reading it.
        folder: where it lies.

    Raises:
        DocumentError: in the document, or in the graph that it names.
    """
    document = check_form(ImportDocument, data, findings)
    if document is not None:
        equipment(document.defaults, findings.report, own_sheets(document.sheets, findings.report))
    findings.stop()
    assert document is not None, "its faults were reported"
    span = parse(document.max_span, "length") if document.max_span is not None else None
    plain = document.plain()
    kept = ("title", "description", "provenance", "sheets", "controller")
    header = {name: plain[name] for name in kept if name in plain}
    key = document.topohub
    if key is not None:
        sketch = attempt(
            lambda: read_atlas(key, document.detour, merge=document.merge), ("topohub",), findings.report
        )
        findings.stop()
        assert sketch is not None, "its faults were reported"
        made = _tree(sketch, header, document.detour, span, document.merge, plain.get("defaults"))
        return check_network(made.plain(), findings)
    file = folder / (document.graphml or "")
    return _finish(
        read_graphml(file), header, document.detour, span, document.merge, plain.get("defaults"), str(file)
    )


def _finish(
    sketch: Sketch,
    header: Mapping[str, Plain],
    detour: float,
    max_span: float | None,
    merge: bool,
    defaults: Mapping[str, Plain] | None,
    file: str,
) -> NetworkDocument:
    tree = _tree(sketch, header, detour, max_span, merge, defaults)
    findings = Findings(file, tree)
    for number, span in enumerate(sketch.spans if not merge else ()):
        if span.length == 0.0:
            expected = "a length above 0, or merge, which makes one node of both ends"
            findings.report(("links", number), f"length 0 between {span.a!r} and {span.b!r}", expected)
    findings.stop()
    return check_network(tree.plain(), findings)


def _tree(
    sketch: Sketch,
    header: Mapping[str, Plain],
    detour: float,
    max_span: float | None,
    merge: bool,
    defaults: Mapping[str, Plain] | None,
) -> Tree:
    """The network document of a sketch, after everything that was asked for has been done to it."""
    sketch = stretched(sketch, detour)
    if merge:
        sketch = merged(sketch)
    if max_span is not None:
        sketch = spanned(sketch, max_span)
    fields = {**header, **({"defaults": dict(defaults)} if defaults else {}), **sketch.fields}
    return tree_of(Sketch(sketch.spots, sketch.spans, fields))


def _origin(what: str, detour: float, max_span: float | None) -> str:
    text = f"Imported from {what}. Lengths are great circles times a detour factor of {detour:g}."
    if max_span is not None:
        text += f" Repeaters stand at most {max_span / 1000:g} km apart."
    return text
