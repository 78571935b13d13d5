"""Load documents: read, check against the form, check against each other, look up the devices; or say all that is wrong.

Nothing is half done: a document is returned whole, or a `DocumentError` with every finding in the order of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from quantum_fabric import devices
from quantum_fabric.documents import bundle
from quantum_fabric.documents.checking import check_form, check_network
from quantum_fabric.documents.fields import Entry
from quantum_fabric.documents.findings import Findings, kind_of, nearest
from quantum_fabric.documents.importing import ImportDocument, expand
from quantum_fabric.documents.network_document import NetworkDocument
from quantum_fabric.documents.reading import Plain, compose, quoted, read_text
from quantum_fabric.documents.sheet_files import embed
from quantum_fabric.documents.study_document import StudyDocument
from quantum_fabric.documents.workload import Workload, workload_of
from quantum_fabric.documents.workload_document import WorkloadDocument, check_workload_form
from quantum_fabric.documents.writing import to_yaml
from quantum_fabric.errors import DocumentError, Finding

KINDS: Final[dict[str, type[Entry]]] = {
    "network": NetworkDocument,
    "workload": WorkloadDocument,
    "import": ImportDocument,
    "study": StudyDocument,
}
"""Kind of document -> its form."""


def load(path: str | Path) -> NetworkDocument | Workload:
    """Load any document by its ``kind``; an import becomes the network that it describes.

    Args:
        path: of a file, or the name of a bundled network or workload.

    Raises:
        DocumentError: with every fault that was found.

    Examples:
        >>> load("lab").title
        'Laboratory link'
    """
    return _load(bundle.path_of(path), path)


def load_network(path_or_name: str | Path) -> NetworkDocument:
    """Load a network document, or an import of a network.

    Args:
        path_or_name: of a file, or the name of a bundled network (a file of that name: ``./chicago``).

    Raises:
        DocumentError: with every fault that was found; also where it is another kind of document.

    Examples:
        >>> [node.name for node in load_network("lab").nodes]
        ['Alice', 'Bob']
        >>> load_network("chigaco")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.DocumentError: chigaco: found no such file, expected a YAML document, or a bundled network \
(did you mean 'chicago'?): barcelona, boston, campus, chicago, delft-the-hague, \
frankfurt-kehl, germany50, hefei-star, lab, malta-sicily, metro-star, micius, munich, vienna-bratislava
    """
    try:
        document = load(path_or_name)
    except DocumentError as error:
        raise _offer(error, "network", str(path_or_name), bundle.networks()) from None
    if not isinstance(document, NetworkDocument):
        raise DocumentError([Finding(str(path_or_name), 1, "kind", "'workload'", "a network")])
    return document


def load_workload(path: str | Path) -> Workload:
    """Load a workload document.

    Args:
        path: of a file, or the name of a bundled workload.

    Raises:
        DocumentError: with every fault that was found; also where it is another kind of document.

    Examples:
        >>> load_workload("lab").title
        'Pairs across the laboratory'
    """
    try:
        document = _load(bundle.workload_path_of(path), path)
    except DocumentError as error:
        raise _offer(error, "workload", str(path), bundle.workloads()) from None
    if not isinstance(document, Workload):
        raise DocumentError([Finding(str(path), 1, "kind", "'network'", "a workload")])
    return document


def parse_document(text: str, file: str = "document") -> NetworkDocument | Workload:
    r"""Load a document from text.

    Args:
        text: YAML or JSON.
        file: name for findings.

    Raises:
        DocumentError: with every fault that was found.

    Examples:
        >>> parse_document("kind: network\nversion: 1\nnodes: [{name: A}]\n").nodes[0].name
        'A'
        >>> parse_document("kind: network\nversion: 1\nnodes: [{name: A, slots: 0}]\n", "net.yaml")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.DocumentError: net.yaml:3: nodes[0].slots: found 0, expected a number of at least 1
    """
    return _parse(text, file, Path())


def network_from(data: Mapping[str, Plain], file: str = "network") -> NetworkDocument:
    """Make a network document from JSON-shaped data, such as `NetworkDocument.plain` gives.

    Raises:
        DocumentError: with every fault that was found.

    Examples:
        >>> network_from({"kind": "network", "version": 1, "nodes": [{"name": "A"}]}).plain()["nodes"]
        [{'name': 'A'}]
    """
    return check_network(dict(data), Findings(file))


def workload_from(data: Mapping[str, Plain], file: str = "workload") -> Workload:
    """Make a workload from JSON-shaped data, such as `Workload.plain` gives.

    Raises:
        DocumentError: with every fault that was found.

    Examples:
        >>> workload = workload_from({"kind": "workload", "version": 1, "duration": "2 s"})
        >>> workload.duration, workload.arrivals(lambda name: lambda: 0.5)
        (2000000000000, [])
    """
    return _workload(dict(data), Findings(file))


def dump(document: NetworkDocument | WorkloadDocument | Workload) -> str:
    """Write a document as YAML; loading it gives the same document.

    Examples:
        >>> print(dump(network_from({"kind": "network", "version": 1, "nodes": [{"name": "A"}]})), end="")
        kind: network
        version: 1
        nodes:
        - {name: A}
    """
    return to_yaml(document.plain())


def json_schema(kind: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of one kind of document, for editors.

    Args:
        kind: ``"network"``, ``"workload"``, ``"import"`` or ``"study"``.

    Raises:
        UnknownNameError: another kind.

    Examples:
        >>> json_schema("network")["$defs"]["LinkDocument"]["properties"]["length"]["examples"]
        ['25 km']
    """
    from quantum_fabric.documents.editors import schema_of

    return schema_of(kind, KINDS)


def _load(file: Path, asked: str | Path) -> NetworkDocument | Workload:
    name = str(asked) if file == Path(asked) else file.name
    return _parse(read_text(file), name, file.parent)


def _parse(text: str, file: str, folder: Path) -> NetworkDocument | Workload:
    tree, already = compose(text, file)
    findings = Findings(file, tree, already)
    data = tree.plain()
    kind = kind_of(data)
    if kind in ("network", "import"):
        embed(data, folder, findings)
    if kind == "network":
        return check_network(data, findings)
    if kind == "workload":
        return _workload(data, findings)
    if kind == "import":
        return expand(data, findings, folder)
    if isinstance(data, dict):
        found = quoted(data.get("kind"))
        what = "a kind of document"
        if kind == "study":
            what = "a network, a workload or an import (a study is checked by 'qfabric study FILE --dry-run')"
            findings.report(("kind",), found, what)
            findings.stop()
        if kind in devices.RECORDS:
            what += " (a data sheet is checked by 'qfabric devices check FILE')"
        findings.report(("kind",), found, nearest(what, kind, KINDS))
    else:
        findings.report((), quoted(data), "a mapping that starts with 'kind: network' or 'kind: workload'")
    findings.stop()
    raise AssertionError("stop raises")


def _workload(data: Plain, findings: Findings) -> Workload:
    document = check_form(WorkloadDocument, data, findings)
    check_workload_form(data, findings.report)
    findings.stop()
    assert document is not None, "its faults were reported"
    return workload_of(document, findings.file, findings.tree)


def _offer(error: DocumentError, what: str, name: str, known: list[str]) -> DocumentError:
    """Where a name is neither a file nor bundled, say what is."""
    finding = error.findings[0]
    if finding.found != "no such file":
        return error
    expected = nearest(f"{finding.expected}, or a bundled {what}", name, known)
    return DocumentError([Finding(finding.file, 0, "", finding.found, expected)])
