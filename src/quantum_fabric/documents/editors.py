"""JSON Schema of the documents, so that an editor completes fields and underlines slips while one types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from quantum_fabric import devices, links
from quantum_fabric.documents.reading import quoted
from quantum_fabric.documents.sheet_files import PATH, kinds_of
from quantum_fabric.errors import UnknownNameError

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_NAMING: Final = {"NodeEntry": "node", "NodeDefaults": "node", "Station": "station", "Switch": "switch"}
"""Record of a document that names a sheet among its own fields -> kind of that sheet."""

_SHORT: Final = ("Switch",)
"""Those of them for which the bare name of a sheet may stand."""


def schema_of(kind: str, forms: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """JSON Schema of one kind of document.

    Args:
        kind: of document.
        forms: kind -> its record.

    Returns:
        Draft 2020-12, with units and examples in the descriptions, the names of sheets and the fields that may be
        overridden.

    Raises:
        UnknownNameError: another kind.

    Examples:
        >>> from quantum_fabric.documents.workload_document import WorkloadDocument
        >>> schema_of("workload", {"workload": WorkloadDocument})["title"]
        'Quantum Fabric workload'
    """
    if kind not in forms:
        raise UnknownNameError(
            found=quoted(kind), expected=f"one of {', '.join(forms)}", where="kind of document"
        )
    schema = forms[kind].model_json_schema(by_alias=True)
    definitions: dict[str, Any] = schema.get("$defs", {})
    chosen: set[str] = set()
    for name, record in (("", schema), *definitions.items()):
        _tidy(record)
        if name in _NAMING:
            record["properties"] |= _device(_NAMING[name])
        for field, value in record.get("properties", {}).items():
            if value.get("$ref") == "#/$defs/Choice":
                value["$ref"] = f"#/$defs/{field.capitalize()}"
                chosen.add(field)
    if definitions.pop("Choice", None):
        definitions |= {device.capitalize(): _choice(device) for device in sorted(chosen)}
    for name in _SHORT:
        if name in definitions:
            sheet = definitions[name]["properties"]["sheet"]
            definitions[name] = {"title": f"{name.lower()} device", "anyOf": [sheet, definitions[name]]}
    return {"$schema": DIALECT, **schema, "title": f"Quantum Fabric {kind}"}


def _choice(kind: str) -> dict[str, Any]:
    """A device: the name of a sheet, or a sheet with overrides."""
    long = {"type": "object", "properties": _device(kind), "additionalProperties": False}
    return {"title": f"{kind} device", "anyOf": [_device(kind)["sheet"], long]}


def _device(kind: str) -> dict[str, Any]:
    """The fields ``sheet`` and ``overrides``, with the names that they may have."""
    names: list[dict[str, Any]] = [
        {"const": name if one == kind else f"{one}/{name}", "description": devices.title(one, name)}
        for one in kinds_of(kind)
        for name in devices.sheets(one)
    ]
    names.append(
        {"type": "string", "pattern": PATH, "description": "path of a sheet, seen from the document"}
    )
    fields: dict[str, Any] = {
        name: {"type": ["string", "number", "boolean"], "description": f"{field.doc}: {field.domain}"}
        for one in reversed(kinds_of(kind))  # of fields that several kinds have, the first kind says it
        for name, field in devices.describe(devices.RECORDS[one]).items()
    }
    for name in list(fields):
        head, _, rest = name.partition(".")
        if rest:
            inner = fields.setdefault(
                head, {"type": "object", "properties": {}, "additionalProperties": False}
            )
            inner["properties"][rest] = fields[name]
    overrides = {
        "type": "object",
        "description": "fields of the sheet with other values, such as {memory.t2: 10 ms}",
        "properties": fields,
        "additionalProperties": False,
    }
    return {
        "sheet": {"description": f"name of a {kind} sheet, or the path of a file with one", "oneOf": names},
        "overrides": overrides,
    }


def _tidy(record: dict[str, Any]) -> None:
    """Drop titles that repeat the name, and ``null``: leaving a field out is the way to not give it."""
    names = {"architecture": tuple(links.CATALOGUE), "profile": devices.sheets("profile")}
    record.pop("title", None)
    for name, field in record.get("properties", {}).items():
        field.pop("title", None)
        if field.get("default", 0) is None:
            del field["default"]
        options = [option for option in field.get("anyOf", []) if option != {"type": "null"}]
        if len(options) == 1:
            del field["anyOf"]
            unit = options[0].get("description")
            words = [text for text in (field.get("description"), unit) if text]
            field |= options[0] | ({"description": "; ".join(words)} if words else {})
        if name in names:
            field["enum"] = list(names[name])
