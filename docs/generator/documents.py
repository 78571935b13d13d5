"""Pages about documents: fields of each kind, and units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.markdown import code, page, table
from quantum_fabric.documents import bundled, json_schema, workloads
from quantum_fabric.units import UNITS

KINDS = ("network", "workload", "import", "study")
DEVICES = ("Carrier", "Converter", "Detector", "Fibre", "Source", "Switch", "Transducer")
_UNIT = re.compile(r"(?:^|; )(An? [a-z]+ .*?)\. Units: .*$")


def documents() -> str:
    """The page of the fields of documents."""
    intro = (
        "Documents are YAML (JSON is YAML too). A quantity is a number with a unit; [units](units.md) lists them. A field that "
        "is not listed here is refused. `qfabric schema` prints the same as JSON Schema, for editors."
    )
    return page("Documents", intro, *(_kind(kind) for kind in KINDS), _bundled())


def _kind(kind: str) -> Iterator[str]:
    schema = json_schema(kind)
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    yield f"## kind: {kind}"
    yield ""
    yield f"{schema['description'].split(chr(10))[0]}"
    yield from _table(schema, kind)
    for name in sorted(definitions, key=lambda one: _first_use(one, schema, definitions)):
        if name in DEVICES:
            continue
        record = definitions[name]
        yield f"### {kind}: {name}"
        yield ""
        yield record["description"].split("\n")[0]
        yield from _table(record, kind)
    if any(name in definitions for name in DEVICES):
        yield (
            "A **device** (carrier, converter, detector, fibre, source, switch, transducer) is the name of a "
            "[sheet](devices.md), or a mapping with `sheet` and `overrides`. A sheet of another kind than the field's is named "
            "with its kind: `carrier: free_space/rooftop`, `source: pair_source/micius`. "
            "`overrides` gives single fields of the sheet another value, by dotted name or nested: "
            "`{memory.t2: 10 ms}`. The fields are on the page of the [devices](devices.md)."
        )
        yield ""
    if "Switch" in definitions:
        beside = definitions["Switch"]["anyOf"][1]["properties"]["beside"]
        yield f"A switch may also say `beside`: {_meaning('beside', beside)}."
        yield ""


def _first_use(name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> int:
    """Order of sections: as the fields that lead to them."""
    order: list[str] = []
    waiting: list[Any] = [schema["properties"]]
    while waiting:
        text = repr(waiting.pop(0))
        for found in re.findall(r"#/\$defs/(\w+)", text):
            if found not in order:
                order.append(found)
                waiting.append(definitions[found])
    return order.index(name) if name in order else len(order)


def _table(record: Mapping[str, Any], kind: str) -> list[str]:
    required = record.get("required", [])
    rows = [
        (code(name), _value(name, field, kind), _default(name, field, required), _meaning(name, field))
        for name, field in record["properties"].items()
    ]
    return table(("field", "value", "default", "meaning"), rows)


def _default(name: str, field: Mapping[str, Any], required: list[str]) -> str:
    if name in required:
        return "**required**"
    value = field.get("default")
    if value in (None, "", [], {}):
        return "–"
    return code(str(value).lower() if isinstance(value, bool) else str(value))


def _meaning(name: str, field: Mapping[str, Any]) -> str:
    text = _UNIT.sub("", field.get("description", "")).strip()
    return text.removeprefix(f"{name}: ")


def _value(name: str, field: Mapping[str, Any], kind: str) -> str:
    """What may stand there, in words."""
    if "const" in field:
        return code(str(field["const"]))
    if name in ("sheet", "overrides"):
        return "name of a [sheet](devices.md)" if name == "sheet" else "fields of the [sheet](devices.md)"
    if "enum" in field:
        return "one of " + ", ".join(code(str(one)) for one in field["enum"])
    if "$ref" in field:
        return _reference(field["$ref"], kind)
    if field.get("type") == "array":
        if "$ref" not in field.get("items", {}) and "examples" not in field:
            return "a list"
        if "prefixItems" in field or "$ref" not in field["items"]:
            if "maxItems" in field and field.get("minItems") != field["maxItems"]:
                return f"{field.get('minItems', 0)} to {field['maxItems']} of them, such as {code(_flow(field['examples'][0]))}"
            return f"two of them, such as {code(_flow(field['examples'][0]))}"
        return f"a list of {_reference(field['items']['$ref'], kind)}"
    unit = _UNIT.search(field.get("description", ""))
    if unit:
        quantity = unit[1][0].lower() + unit[1][1:]
        return re.sub(r" of at least -inf", "", quantity).replace("'", "`")
    if "pattern" in field:
        return f"a quantity such as {code(field['examples'][0])}"
    return _plain(field, kind)


def _reference(target: str, kind: str) -> str:
    name = target.rpartition("/")[2]
    return (
        f"a [{name.lower()} device](devices.md)" if name in DEVICES else f"[{name}](#{kind}-{name.lower()})"
    )


def _flow(values: list[Any]) -> str:
    return f"[{', '.join(map(str, values))}]"


def _plain(field: Mapping[str, Any], kind: str) -> str:
    if isinstance(field.get("additionalProperties"), dict) and "items" in field["additionalProperties"]:
        name = field["additionalProperties"]["items"]["$ref"].rpartition("/")[2].lower()
        return f"a mapping from the name of an end to a list of [{name} devices](devices.md)"
    if "anyOf" in field and "examples" not in field:
        return ", or ".join(_value("", option, kind) for option in field["anyOf"])
    if "anyOf" in field:
        return "such as " + " or ".join(code(str(one)) for one in field["examples"])
    word = {
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "string": "text",
        "object": "a mapping",
    }[field["type"]]
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        return f"{word} from {low} to {high}"
    if low is not None:
        return f"{word} of at least {low}"
    if field.get("maxLength"):
        return f"{word} of at most {field['maxLength']} characters"
    return word


def _bundled() -> Iterator[str]:
    yield "## Bundled networks and workloads"
    rows = [
        (code(one.name), one.title, ", ".join(map(code, one.workloads)), one.description) for one in bundled()
    ]
    yield from table(("network", "title", "workloads", "what it is, and what of it is assumed"), rows)
    alone = sorted(set(workloads()) - {name for one in bundled() for name in one.workloads})
    if alone:
        yield f"Other workloads: {', '.join(map(code, alone))}."


def units() -> str:
    """The page of the units."""
    intro = (
        "A person writes a number and a unit; the program keeps times as integers of picoseconds and everything else in base "
        "units. A bare number is accepted for a fraction only."
    )
    rows = [
        (kind, ", ".join(code(unit) if unit else "(none)" for unit in found), _base(kind, found))
        for kind, found in UNITS.items()
    ]
    return page("Units", intro, table(("kind", "units", "kept in"), rows))


_BASES = {
    "fraction": "1",
    "dispersion": "s/m²",
    "polarisation mode dispersion": "s/√m",
    "Raman coefficient": "1/m²",
    "radiance": "W/(m² sr m)",
}
"""Kind of quantity -> its base unit, where nobody writes that."""


def _base(kind: str, found: Mapping[str, float]) -> str:
    return _BASES.get(kind) or next(unit for unit, factor in found.items() if factor == 1.0)
