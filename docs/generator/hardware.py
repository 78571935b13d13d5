"""Pages about hardware: device records, data sheets, link architectures."""

from __future__ import annotations

import dataclasses
import inspect
import math
import sys
from collections.abc import Iterator
from typing import Any

from generator import figures
from generator.markdown import code, fenced, page, plain, prose, read, table
from quantum_fabric import devices as room
from quantum_fabric.devices import sheets as reader
from quantum_fabric.links import CATALOGUE, Architecture, FixedLink
from quantum_fabric.units import show

LETTERS = {
    "S": "found in the primary text",
    "R": "found in a secondary text",
    "M": "recalled, unverified: not a fact",
    "C": "computed from other numbers",
    "P": "projected: assumed here",
    "D": "holds by definition",
}
"""Letter of provenance -> its meaning in a few words; the test compares the letters with those of the sheets."""


def devices() -> str:
    """The index of the kinds of device, and what the letters mean."""
    intro = (
        "A data sheet is a named device. Documents name a sheet and may override single fields, for example "
        "`{sheet: nv-electron, overrides: {memory.t2: 500 ms}}`. Every number has a letter that says where it is from."
    )
    letters = table(("letter", "the number was"), LETTERS.items())
    standing = [
        "A sheet is **published** (one experiment or product), **projected** (an assumption, or records of different "
        "devices put together, which nobody has shown in one), or **ideal** (no imperfection). Profiles put sheets together.",
        "",
    ]
    kinds = table(
        ("kind", "what it is", "sheets"),
        [(f"[{kind}]({device_file(kind)})", _what(kind), str(len(room.sheets(kind)))) for kind in room.KINDS],
    )
    return page("Devices", intro, letters, standing, kinds)


def device_file(kind: str) -> str:
    """Name of the page of one kind of device."""
    return f"device-{kind.replace('_', '-')}.md"


def _what(kind: str) -> str:
    return "sheets that go together" if kind == "profile" else read(room.RECORDS[kind]).summary


def device(kind: str) -> str:
    """The page of one kind of device: equation, fields, limits, figure, sheets."""
    back = "[All devices, and what the letters of provenance mean](devices.md)."
    title = kind.replace("_", " ").capitalize()
    if kind == "profile":
        return page(title, f"Sheets that go together. {back}", _sheets(kind))
    drawn = [f"![{figures.DEVICES[kind][0]}](figures/{figures.device_figure(kind)})", ""]
    return page(title, f"{_what(kind)} {back}", _about(kind), drawn, _fields(kind), _sheets(kind))


def _about(kind: str) -> Iterator[str]:
    record = read(room.RECORDS[kind])
    rest = record.prose.split("\n\n", 1)[1:]
    yield from [prose(part) for part in rest]
    yield ""
    for name in ("Equation", "Source", "Limits"):
        if name in record.sections:
            yield from [f"**{name}.** {plain(' '.join(record.sections[name].split()))}", ""]


def _fields(kind: str) -> Iterator[str]:
    record = room.RECORDS[kind]
    yield "## Fields"
    yield ""
    defaults = _defaults(record)
    rows = [
        (code(name), one.doc, one.domain, defaults.get(name, "required"))
        for name, one in room.describe(record).items()
    ]
    yield from table(("field", "meaning", "domain", "default"), rows)


def _defaults(record: type[Any], before: str = "") -> dict[str, str]:
    """Dotted name of a field -> its default as a person writes it."""
    found: dict[str, str] = {}
    quantities = room.describe(record)
    for one in dataclasses.fields(record):
        if one.default_factory is not dataclasses.MISSING:
            inner = type(one.default_factory())
            found |= {f"{one.name}.{name}": text for name, text in _defaults(inner).items()}
        elif one.default is not dataclasses.MISSING and one.name in quantities:
            found[before + one.name] = quantities[one.name].write(one.default)
    return found


def _sheets(kind: str) -> Iterator[str]:
    yield "## Sheets" if kind != "profile" else "## Profiles"
    yield ""
    names = room.sheets(kind)
    rows = [
        (f"[{name}](#{_anchor(kind, name)})", _standing(kind, name), room.title(kind, name)) for name in names
    ]
    yield from table(("name", "standing", "what it is"), rows)
    for name in names:
        yield from _profile(name) if kind == "profile" else _sheet(kind, name)


def _anchor(kind: str, name: str) -> str:
    return f"{kind}-{name}"


def _standing(kind: str, name: str) -> str:
    standing = room.status(kind, name)
    return f"**{standing}**" if standing == "projected" else standing


def _sheet(kind: str, name: str) -> Iterator[str]:
    yield f"### {kind} {name}"
    yield ""
    yield f"{room.title(kind, name)}. Standing: {_standing(kind, name)}."
    yield ""
    if room.citation(kind, name):
        yield f"Source: {room.citation(kind, name)}."
        yield ""
    rows = [
        (code(field), one.value, one.letter, one.source, one.note)
        for field, one in room.provenance(kind, name).items()
    ]
    yield from table(("field", "value", "letter", "source", "note"), rows)


def _profile(name: str) -> Iterator[str]:
    profile = room.sheet("profile", name)
    yield f"### profile {name}"
    yield ""
    yield f"{room.title('profile', name)}. Standing: {_standing('profile', name)}."
    yield ""
    parts = [
        (part, f"[{getattr(profile, part)}]({device_file(part)}#{part}-{getattr(profile, part)})")
        for part in ("node", "fibre", "detector", "source")
        if getattr(profile, part)
    ]
    parts += [
        ("architecture", f"[{profile.architecture}]({link_file(profile.architecture)})"),
        ("modes", str(profile.modes)),
    ]
    yield from table(("part", "sheet"), parts)


def letters_in_sheets() -> set[str]:
    """The letters that the sheets use, and those that the room explains: for the test."""
    kinds = [kind for kind in room.KINDS if kind != "profile"]
    used = {
        one.letter
        for kind in kinds
        for name in room.sheets(kind)
        for one in room.provenance(kind, name).values()
    }
    explained = {
        line.split()[0]
        for line in (reader.__doc__ or "").splitlines()
        if line[:1].isupper() and line[1:3] == "  "
    }
    return used | explained


def links() -> str:
    """The index of the link architectures."""
    intro = (
        "A link is two memories in neighbouring nodes, the light between them, and whatever tells them that an attempt "
        "worked. Each architecture below is one record of `quantum_fabric.links.CATALOGUE`. The tests compute each of them a "
        "second way."
    )
    rows = [
        (
            f"[{one.name}]({link_file(one.name)})",
            one.title,
            "memories" if _stores(one) else "detectors",
            one.bound,
        )
        for one in CATALOGUE.values()
    ]
    head = ("architecture", "what it is", "ends are", "bounded by the capacity of")
    return page("Link architectures", intro, table(head, rows), _fixed())


def link_file(name: str) -> str:
    """Name of the page of one architecture."""
    return f"link-{name.replace('_', '-')}.md"


def _stores(one: Architecture) -> bool:
    return bool(getattr(one.make, "stores", True))


def link(name: str) -> str:
    """The page of one architecture: equation, source, limits, figure, parameters, example."""
    return page(
        name,
        f"{CATALOGUE[name].title[0].upper()}{CATALOGUE[name].title[1:]}.",
        _architecture(CATALOGUE[name]),
    )


def _architecture(one: Architecture) -> Iterator[str]:
    yield "[All link architectures](links.md)."
    yield ""
    doc = sys.modules[one.make.__module__].__doc__ or ""
    yield prose(inspect.cleandoc(doc).split("\n\n", 1)[-1])
    yield ""
    rows = [
        ("announces", ", ".join(("Φ+", "Φ−", "Ψ+", "Ψ−")[label] for label in one.bells)),
        ("needs", ", ".join(one.needs)),
        ("equation", code(one.equation.replace("|", "¦")) if "|" in one.equation else code(one.equation)),
        ("source", one.source),
        ("limits", plain(one.limits)),
        ("bounded by", f"the capacity of the fibre, {one.bound}"),
        ("computed a second way in", code(one.oracle)),
    ]
    yield from table(("", ""), rows)
    yield f"![Success and fidelity of {one.name}](figures/{figures.link_figure(one.name)})"
    yield ""
    yield "What it depends on, and which end of each range is the good one:"
    yield from table(
        ("part", "field", "meaning", "tested within", "good for fidelity", "good for success"),
        [
            (
                p.part,
                code(p.field),
                p.quantity.doc,
                _within(p.quantity.kind, p.within),
                p.fidelity or "–",
                p.success or "–",
            )
            for p in one.parameters
        ],
    )
    model = read(one.make)
    if "Limits" in model.sections:
        yield from ["**Limits of the model.**", "", prose(model.sections["Limits"]), ""]
    yield "Made by hand:"
    yield from fenced(one.example, "python")


def _within(kind: str, within: tuple[float, float]) -> str:
    kind = "time" if kind == "duration" else kind
    low, high = (
        show(value, kind) if kind not in ("number", "count") and math.isfinite(value) else f"{value:g}"
        for value in within
    )
    return f"{low} to {high}"


def _fixed() -> Iterator[str]:
    doc = read(FixedLink)
    yield "## fixed"
    yield ""
    yield "A link whose numbers are given by hand, for tests, benchmarks and measured links. Made in Python only."
    yield from table(
        ("attribute", "meaning"), [(code(name), text) for name, text in doc.entries("Attributes")]
    )
    yield from fenced(doc.sections["Examples"], "pycon")
