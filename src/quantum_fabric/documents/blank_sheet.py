"""A sheet to start from, for those who add a device."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from quantum_fabric import devices
from quantum_fabric.devices import Quantity
from quantum_fabric.errors import UnknownNameError

_HEAD: Final = """\
# A data sheet of a {kind}. Change it, then:   qfabric devices check FILE
# In a network document:                    {use}
#
kind: {kind}
title: "Projected: what it is, in one line"
# {standings}
status: projected
# for published and tuned: the one experiment or product, such as "Humphreys et al., Nature 558, 268 (2018)"
cite: none; assumed here
# where numbers were found, under short names
sources:
  us: assumed here
# Each number: {{value: number with unit, provenance: letter, source: one of the names above, note: "if need be"}}
{letters}
# A field that is left out has the default, which has no effect.
numbers:
"""
_USES: Final = {
    "node": "nodes: [{name: Alice, sheet: ./FILE}]",
    "converter": "nodes: [{name: Alice, converter: ./FILE}]",
    "transducer": "nodes: [{name: Alice, transducer: ./FILE}]",
    "detector": "links: [{..., station: {detector: ./FILE}}]",
    "station": "links: [{..., station: {sheet: ./FILE}}]",
    "switch": "links: [{..., switches: {Alice: [./FILE]}}]",
    "fibre": "links: [{..., fibre: ./FILE}]",
    **dict.fromkeys(("free_space", "satellite", "uplink"), "links: [{..., carrier: ./FILE}]"),
    **dict.fromkeys(("source", "pair_source", "emitter", "weak_pulse"), "links: [{..., source: ./FILE}]"),
}


def template(kind: str) -> str:
    """A sound sheet with every field of its kind; see `quantum_fabric.documents.sheet_files.sheet_template`.

    Raises:
        UnknownNameError: no such kind.

    Examples:
        >>> "#   attenuation" in template("fibre"), "  attenuation: {value:" in template("fibre")
        (False, True)
    """
    if kind not in devices.RECORDS:
        raise UnknownNameError(repr(kind), f"one of {', '.join(devices.RECORDS)}", "kind of sheet")
    head = _HEAD.format(
        kind=kind,
        use=_USES.get(kind, "(by a program)"),
        standings="one of " + ", ".join(devices.STANDINGS),
        letters="\n".join(f"#   {letter}  {meaning}" for letter, meaning in devices.LETTERS.items()),
    )
    fields = devices.describe(devices.RECORDS[kind])
    defaults = _defaults(devices.RECORDS[kind])
    # a sheet says at least one number: the first one, where none has to be given
    given = {name for name in fields if name not in defaults} or {next(iter(fields))}
    lines = []
    for name, field in fields.items():
        value = defaults.get(name) or _example(field)
        lines.append(f"  # {field.doc}: {field.domain}")
        mark = "" if name in given else "# "
        lines.append(f"  {mark}{name}: {{value: {value}, provenance: P, source: us}}")
    return head + "\n".join(lines) + "\n"


def _example(field: Quantity) -> str:
    """A value in the domain of a field that has no default."""
    if field.words:
        return field.words[0]
    for value in (0.01, 0.5, 1.0, 1e-6, field.low, field.high):
        if field.holds(value):
            return _written(field, value)
    raise AssertionError(f"no example for {field}")


def _defaults(record: type[Any], before: str = "") -> dict[str, str]:
    """Dotted field -> its default as a sheet writes it."""
    found: dict[str, str] = {}
    declared = devices.describe(record)
    for one in dataclasses.fields(record):
        if one.default_factory is not dataclasses.MISSING:
            found |= _defaults(type(one.default_factory()), f"{before}{one.name}.")
        elif one.default is not dataclasses.MISSING and one.name in declared:
            found[before + one.name] = _written(declared[one.name], one.default)
    return found


def _written(field: Quantity, value: Any) -> str:
    """A value as YAML, with its unit."""
    return f"{value:.12g}" if field.kind in {"number", "fraction"} else field.write(value)
