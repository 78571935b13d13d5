"""What is written on a data sheet: a title, a standing, sources, and numbers that each name where they come from.

Works on JSON-shaped data and knows neither files nor lines: a fault is reported with its place in the data, and whoever read
the file says on which line that is.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from quantum_fabric.devices.kinds import RECORDS
from quantum_fabric.devices.quantities import build, describe
from quantum_fabric.errors import QuantityError

LETTERS: Final[Mapping[str, str]] = {
    "S": "found in the primary text (abstract, caption, publisher's record)",
    "R": "found in a secondary text (a later paper, comments in public code, a summary)",
    "M": "recalled, unverified: it may parametrise a model, it is never presented as a fact",
    "C": "computed from other numbers",
    "P": "projected: assumed here",
    "D": "holds by definition",
}
"""Letter of provenance -> what it means."""

STANDINGS: Final[Mapping[str, str]] = {
    "published": "one experiment or product, cited; at least one number was found in a text",
    "tuned": "one experiment, cited, but some numbers were chosen so that a model gives its results: agreement proves nothing",
    "recalled": "a device that exists, but every number is from memory",
    "projected": "an assumption, or records of different devices combined, which nobody has shown in one",
    "ideal": "no imperfection",
}
"""Standing of a sheet -> what it means."""

Report: TypeAlias = Callable[[tuple[str | int, ...], str, str], None]
"""Takes the place of a fault, what was found there and what was expected."""

_CITED: Final = ("published", "tuned")
_FOUND: Final = frozenset("SRC")
_KEYS: Final = ("kind", "title", "status", "cite", "sources", "numbers")
_ENTRY: Final = ("value", "provenance", "source", "note")
_CHOSEN: Final = frozenset({"window"})
"""Fields that belong to the user of a device rather than to the device: a published sheet may set them."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one number of a sheet comes from.

    Attributes:
        value: as the sheet writes it, with unit.
        letter: a key of `LETTERS`.
        source: in words.
        note: how it was obtained; empty where there is nothing to say.
    """

    value: str
    letter: str
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A data sheet.

    Attributes:
        kind: key of `RECORDS`.
        title: what it describes, in one line.
        status: a key of `STANDINGS`.
        cite: the experiment or product; empty where none is named.
        record: what it says, as the record of its kind.
        numbers: dotted field name -> value, letter, source and note of each number that the sheet gives; the others are the
            defaults of the record.
    """

    kind: str
    title: str
    status: str
    cite: str
    record: Any
    numbers: Mapping[str, Provenance]


def read_page(page: object, report: Report, kind: str | None = None) -> Sheet | None:
    """Read what is written on a sheet, and report everything that is wrong with it.

    Args:
        page: JSON-shaped: ``title``, ``status``, ``cite``, ``sources`` (name -> words) and ``numbers`` (dotted field ->
            ``value``, ``provenance``, ``source`` and perhaps ``note``); ``kind`` where no other is given.
        report: told of each fault.
        kind: of sheet, where the page need not say it; a page that says another is at fault.

    Returns:
        The sheet; None where something was reported.

    Examples:
        >>> page = {"title": "Glass", "status": "projected", "sources": {"us": "assumed here"},
        ...         "numbers": {"attenuation": {"value": "0.2 dB/km", "provenance": "P", "source": "us"}}}
        >>> read_page(page, print, "fibre").record.attenuation
        0.0002
        >>> page["numbers"]["attenuation"]["value"] = "0.2"
        >>> read_page(page, print, "fibre")
        ('numbers', 'attenuation', 'value') '0.2' an attenuation such as '0.2 dB/km' (units: dB/km, dB/m)
    """
    faults = 0

    def tell(place: tuple[str | int, ...], found: str, expected: str) -> None:
        nonlocal faults
        faults += 1
        report(place, found, expected)

    if not isinstance(page, Mapping):
        tell((), _quoted(page), f"a mapping with {', '.join(_KEYS)}")
        return None
    kind = _kind(page, kind, tell)
    for key in page:
        if key not in _KEYS:
            tell((key,), f"the unknown field {key!r}", _nearest("a field of a sheet", key, _KEYS))
    title, cite = _text(page, "title", tell), _text(page, "cite", tell, needed=False)
    sources = _sources(page, tell)
    numbers = _numbers(page, sources, tell)
    status = _status(page, cite, numbers, tell)
    record = _record(kind, numbers, page, tell) if kind is not None else None
    if faults or kind is None:
        return None
    return Sheet(kind, title, status, cite, record, {name: one for name, (_, one) in numbers.items()})


_Numbers: TypeAlias = dict[str, tuple[Any, Provenance]]


def _kind(page: Mapping[str, Any], kind: str | None, report: Report) -> str | None:
    written = page.get("kind", kind)
    if not _among(written, RECORDS):
        report(("kind",), _quoted(written), _nearest("a kind of sheet", str(written), RECORDS))
        return None
    if kind is not None and written != kind:
        report(("kind",), _quoted(written), f"a {kind} sheet")
        return None
    return str(written)


def _text(
    page: Mapping[str, Any],
    key: str,
    report: Report,
    place: tuple[str | int, ...] = (),
    *,
    needed: bool = True,
) -> str:
    """A line of text; empty where it is missing or wrong."""
    value = page.get(key)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or not value.strip():
        report((*place, key), _quoted(value), "a line of text")
        return ""
    return value


def _sources(page: Mapping[str, Any], report: Report) -> dict[str, str]:
    written = page.get("sources")
    if not isinstance(written, Mapping) or not written:
        report(
            ("sources",),
            _quoted(written),
            "a mapping from a short name to where numbers were found, in words",
        )
        return {}
    return {name: _text(written, name, report, ("sources",)) for name in written}


def _numbers(page: Mapping[str, Any], sources: Mapping[str, str], report: Report) -> _Numbers:
    """What stands under ``numbers``, as far as it is sound; whether the fields exist is looked at elsewhere."""
    written = page.get("numbers")
    if not isinstance(written, Mapping) or not written:
        report(("numbers",), _quoted(written), "a mapping from a field to its value, provenance and source")
        return {}
    found: _Numbers = {}
    for field, entry in written.items():
        place = ("numbers", field)
        if not isinstance(entry, Mapping):
            report(place, _quoted(entry), "a mapping with value, provenance and source")
            continue
        for key in entry:
            if key not in _ENTRY:
                report(
                    (*place, key), f"the unknown field {key!r}", _nearest("a field of a number", key, _ENTRY)
                )
        letter, source = entry.get("provenance"), entry.get("source")
        if not _among(letter, LETTERS):
            report((*place, "provenance"), _quoted(letter), f"a letter of {', '.join(LETTERS)}")
        if not _among(source, sources) and (sources or source is None):
            report((*place, "source"), _quoted(source), _nearest("one of the sources", str(source), sources))
        value = entry.get("value")
        if value is None:
            report((*place, "value"), "nothing", "a value with its unit")
            continue
        words = sources.get(str(source), "")
        note = _text(entry, "note", report, place, needed=False)
        found[str(field)] = (value, Provenance(str(value), str(letter), words, note))
    return found


def _status(page: Mapping[str, Any], cite: str, numbers: _Numbers, report: Report) -> str:
    """The standing, and whether the numbers bear it."""
    status = page.get("status")
    if not _among(status, STANDINGS):
        report(("status",), _quoted(status), f"one of {', '.join(STANDINGS)}")
        return ""
    letters = {one.letter for _, one in numbers.values()}
    if status in _CITED:
        if not cite or cite.startswith("none"):
            report(
                ("cite",),
                _quoted(cite or None),
                f"the one experiment or product that a {status} sheet describes",
            )
        for field, (_, one) in numbers.items():
            if one.letter == "P" and field.rpartition(".")[2] not in _CHOSEN:
                expected = f"a letter other than P in a {status} sheet (or status: projected)"
                report(("numbers", field, "provenance"), "'P'", expected)
    if status == "published" and numbers and not letters & _FOUND:
        report(("status",), "'published', with no number that was found in a text", "status: recalled")
    if status == "ideal" and letters - set("DM"):
        report(("status",), "'ideal', with numbers of another letter than D", "status: projected")
    return str(status)


def _record(kind: str, numbers: _Numbers, page: Mapping[str, Any], report: Report) -> Any:
    """The record; None where something was reported."""
    fields = describe(RECORDS[kind])
    nested: dict[str, Any] = {}
    sound = True
    for name, (value, _) in numbers.items():
        if name not in fields:
            report(
                ("numbers", name), f"the unknown field {name!r}", _nearest(f"a field of {kind}", name, fields)
            )
            sound = False
            continue
        try:
            fields[name].read(value, name)
        except QuantityError as error:
            report(("numbers", name, "value"), error.found, error.expected)
            sound = False
        head, _, rest = name.partition(".")
        if rest:
            nested.setdefault(head, {})[rest] = value
        else:
            nested[head] = value
    written = page.get("numbers")
    for name in _required(kind):
        if isinstance(written, Mapping) and name not in written:
            report(("numbers", name), "nothing", fields[name].domain)
            sound = False
    if not sound:
        return None
    try:
        return build(RECORDS[kind], nested)
    except QuantityError as error:  # numbers that contradict each other
        place = (error.where, "value") if error.where in numbers else ()
        where = "" if place or not error.where else f"{error.where}: "
        report(("numbers", *place), f"{where}{error.found}", error.expected)
        return None


def _required(kind: str) -> tuple[str, ...]:
    """Fields of the record itself that have no default; records inside a record all have one."""
    fields = dataclasses.fields(RECORDS[kind])
    missing = dataclasses.MISSING
    return tuple(one.name for one in fields if one.default is missing and one.default_factory is missing)


def _among(value: object, names: Iterable[str]) -> bool:
    return isinstance(value, str) and value in names


def _nearest(what: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    return f"{what}{meant}: {', '.join(names)}" if names else f"{what}, but there is none"


def _quoted(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
