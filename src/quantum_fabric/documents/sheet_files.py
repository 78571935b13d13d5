"""Data sheets of one's own: YAML files in the form of the bundled ones, checked with file, line and field.

A network document names such a file where it could name a bundled sheet: ``sheet: ./my-node.yaml``, a path as seen from the
document. When the document is loaded the sheet is copied into it, under ``sheets``, so that a document (and a journal, which
holds one) stays whole when it is moved or when the file changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from quantum_fabric import devices
from quantum_fabric.devices import Sheet
from quantum_fabric.documents.findings import Findings, Report
from quantum_fabric.documents.reading import Place, Plain, compose, quoted, read_text
from quantum_fabric.errors import DocumentError

MAX_BYTES: Final = 256 * 1024
"""A sheet is a page, not a book."""

PATH: Final = r"\.ya?ml$|^\.\.?/"
"""What the name of a sheet looks like where it is the path of a file."""

ALIKE: Final[Mapping[str, tuple[str, ...]]] = {
    "carrier": ("fibre", "free_space", "satellite", "uplink"),
    "source": ("source", "pair_source", "emitter", "weak_pulse"),
}
"""Field of a link -> kinds of sheet that may stand there; elsewhere it is the kind of that name."""

Own: TypeAlias = Mapping[str, Sheet]
"""Path, as a document writes it -> the sheet."""


def load_sheet(path: str | Path, kind: str | None = None) -> Sheet:
    """Load a data sheet of one's own.

    Args:
        path: of a YAML file: ``kind``, ``title``, ``status``, ``cite``, ``sources``, ``numbers``, as in the bundled sheets.
        kind: of sheet that is expected; None for any.

    Returns:
        The sheet; its ``record`` is the device.

    Raises:
        DocumentError: with every fault that was found: file, line, field, what was found and what was expected.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "glass.yaml"
        ...     _ = file.write_text(sheet_template("fibre"))
        ...     load_sheet(file).status
        'projected'
    """
    return parse_sheet(read_text(Path(path), MAX_BYTES), str(path), kind)


def parse_sheet(text: str, file: str = "sheet", kind: str | None = None) -> Sheet:
    r"""Read a data sheet from text.

    Args:
        text: YAML or JSON.
        file: its name, for findings.
        kind: of sheet that is expected; None for any.

    Raises:
        DocumentError: with every fault that was found.

    Examples:
        >>> page = "kind: transducer\ntitle: Chip\nstatus: projected\nsources: {us: assumed}\nnumbers:\n"
        >>> parse_sheet(page + "  efficiency: {value: 1.2, provenance: P, source: us}\n", "chip.yaml")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.DocumentError: chip.yaml:6: numbers.efficiency.value: found 1.2, expected a fraction in (0, 1]
    """
    tree, already = compose(text, file)
    findings = Findings(file, tree, already)
    page = tree.plain()
    made = _read(page, findings, (kind,) if kind is not None else ())
    findings.stop()
    assert made is not None, "its faults were reported"
    return made


def kinds_of(field: str) -> tuple[str, ...]:
    """Kinds of sheet that may stand in a field of a document.

    Examples:
        >>> kinds_of("node"), kinds_of("carrier")
        (('node',), ('fibre', 'free_space', 'satellite', 'uplink'))
    """
    return ALIKE.get(field, (field,))


def _read(page: Plain, findings: Findings, kinds: tuple[str, ...]) -> Sheet | None:
    """Read a page and report its faults; without ``kinds`` it may be of any kind."""
    written = page.get("kind") if isinstance(page, dict) else None
    if kinds and isinstance(page, dict) and written not in kinds:
        expected = f"a {kinds[0]} sheet" if len(kinds) == 1 else f"a sheet of kind {', '.join(kinds)}"
        findings.report(("kind",), quoted(written), expected)
        return None
    return devices.read_page(page, findings.report)


def is_path(name: str) -> bool:
    """Say whether the name of a sheet is the path of a file.

    Examples:
        >>> is_path("./node"), is_path("sheets/node.yml"), is_path("nv-electron"), is_path("satellite/ideal")
        (True, True, False, False)
    """
    return re.search(PATH, name) is not None


def embed(data: Plain, folder: Path, findings: Findings) -> None:
    """Copy the sheets that a document names by path into the document, under ``sheets``.

    Args:
        data: the document, JSON-shaped; it is changed.
        folder: where it lies.
        findings: told of everything that is wrong in a sheet, with the lines of that sheet.

    Raises:
        DocumentError: a sheet is at fault. Nothing else is looked at then: what the devices are decides about the rest.

    Examples:
        >>> embed({"nodes": [{"name": "A", "sheet": "./none.yaml"}]}, Path("/nowhere"), Findings("net.yaml"))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.DocumentError: net.yaml: nodes[0].sheet: found './none.yaml' (no such file), expected the \
path of a sheet, as seen from the document
    """
    if not isinstance(data, dict):
        return
    held = data.get("sheets", {})
    if not isinstance(held, dict):
        return
    found: dict[str, Plain] = {}
    sound = True
    for place, name, kind in _references(data):
        if not is_path(name) or name in held or name in found:
            continue
        page = _fetch(name, kind, folder, place, findings)
        sound = sound and page is not None
        found[name] = page
    if not sound:
        findings.stop()
    if found:
        data["sheets"] = {**held, **found}


def _fetch(name: str, kind: str, folder: Path, place: Place, findings: Findings) -> Plain:
    """What a sheet file says, JSON-shaped; None where it is at fault, which is reported."""
    if Path(name).is_absolute():
        findings.report(place, quoted(name), "a path as seen from the document, such as './node.yaml'")
        return None
    file = folder / name
    try:
        text = read_text(file, MAX_BYTES)
    except DocumentError as error:
        found = f"{quoted(name)} ({error.found})"
        findings.report(place, found, "the path of a sheet, as seen from the document")
        return None
    try:
        tree, already = compose(text, str(file))
        inside = Findings(str(file), tree, already)
        page = tree.plain()
        _read(page, inside, kinds_of(kind))
        inside.stop()
    except DocumentError as error:
        findings.include(error.findings)
        return None
    return page


def _references(data: Mapping[str, Plain]) -> Iterator[tuple[Place, str, str]]:
    """Each name of a sheet in a document: where it stands, the name, and the kind of sheet."""
    defaults = data.get("defaults")
    yield from _devices(defaults, ("defaults",))
    for number, node in enumerate(_list(data.get("nodes"))):
        yield from _choice(node, "node", ("nodes", number))
        yield from _devices(node, ("nodes", number))
    for number, link in enumerate(_list(data.get("links"))):
        yield from _devices(link, ("links", number))
        station = link.get("station") if isinstance(link, dict) else None
        yield from _devices(station, ("links", number, "station"))
        if isinstance(station, dict):
            yield from _choice(station, "station", ("links", number, "station"))
        switches = link.get("switches") if isinstance(link, dict) else None
        for end, row in switches.items() if isinstance(switches, dict) else ():
            for place, switch in enumerate(_list(row)):
                yield from _choice(switch, "switch", ("links", number, "switches", end, place))


def _devices(entry: Plain, place: Place) -> Iterator[tuple[Place, str, str]]:
    for kind in (*devices.RECORDS, "carrier"):
        if isinstance(entry, dict) and kind in entry and kind != "station":
            yield from _choice(entry[kind], kind, (*place, kind))


def _choice(choice: Plain, kind: str, place: Place) -> Iterator[tuple[Place, str, str]]:
    if isinstance(choice, str):
        yield place, choice, kind
    elif isinstance(choice, dict) and isinstance(choice.get("sheet"), str):
        yield (*place, "sheet"), choice["sheet"], kind


def _list(value: Plain) -> list[Plain]:
    return value if isinstance(value, list) else []


def own_sheets(pages: Mapping[str, Any], report: Report) -> dict[str, Sheet]:
    """The sheets that a document carries with it.

    Args:
        pages: path -> what the sheet says.
        report: told of each fault.

    Returns:
        Those that are sound.

    Examples:
        >>> own_sheets({"./a.yaml": {"kind": "lamp"}}, lambda place, found, expected: print(place, found))
        ('sheets', './a.yaml', 'kind') 'lamp'
        ('sheets', './a.yaml', 'title') nothing
        ('sheets', './a.yaml', 'sources') nothing
        ('sheets', './a.yaml', 'numbers') nothing
        ('sheets', './a.yaml', 'status') nothing
        {}
    """
    found = {}
    for name, page in pages.items():

        def tell(place: Place, what: str, expected: str, name: str = name) -> None:
            report(("sheets", name, *place), what, expected)

        if not is_path(name):
            report(("sheets", name), quoted(name), "the path of a sheet, such as './node.yaml'")
            continue
        sheet = devices.read_page(page, tell)
        if sheet is not None:
            found[name] = sheet
    return found


def sheet_template(kind: str) -> str:
    """A sheet to start from: every field with its meaning, domain and default.

    Args:
        kind: of sheet.

    Returns:
        YAML that is a sound sheet as it stands; fields that have a default are comments.

    Raises:
        UnknownNameError: no such kind.

    Examples:
        >>> print(sheet_template("transducer").splitlines()[3])
        kind: transducer
        >>> parse_sheet(sheet_template("station")).record.success
        0.5
    """
    from quantum_fabric.documents.blank_sheet import template

    return template(kind)
