"""JSON Schema of the documents."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from quantum_fabric import devices, documents, links
from quantum_fabric.errors import UnknownNameError


@pytest.mark.parametrize("kind", ["network", "workload", "import"])
def test_schemas_are_json_and_closed(kind: str) -> None:
    schema = documents.json_schema(kind)
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["title"] == f"Quantum Fabric {kind}"
    assert schema["additionalProperties"] is False
    assert schema["properties"]["kind"]["const"] == kind


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*map(references, value.values()))
    if isinstance(value, list):
        return set().union(*map(references, value))
    return set()


@pytest.mark.parametrize("kind", ["network", "workload", "import"])
def test_every_reference_leads_somewhere(kind: str) -> None:
    schema = documents.json_schema(kind)
    names = {reference.removeprefix("#/$defs/") for reference in references(schema)}
    assert names == set(schema["$defs"])


def test_units_are_said_and_checked() -> None:
    length = documents.json_schema("network")["$defs"]["LinkDocument"]["properties"]["length"]
    assert "Units: nm, um, µm, mm, cm, m, km" in length["description"]
    assert re.search(length["pattern"], "25 km")
    assert not re.search(length["pattern"], "25")
    fidelity = documents.json_schema("workload")["$defs"]["RequestEntry"]["properties"]["fidelity"]
    assert fidelity["anyOf"][0]["exclusiveMinimum"] == 0.5


def test_names_of_sheets_and_architectures_are_offered() -> None:
    definitions = documents.json_schema("network")["$defs"]
    sheets = definitions["NodeEntry"]["properties"]["sheet"]["oneOf"]
    assert [entry["const"] for entry in sheets[:-1]] == list(devices.sheets("node"))
    assert re.search(sheets[-1]["pattern"], "./my-node.yaml")
    assert not any(re.search(sheets[-1]["pattern"], name) for name in devices.sheets("node"))
    assert all(entry["description"] for entry in sheets)
    assert definitions["LinkDocument"]["properties"]["architecture"]["enum"] == list(links.CATALOGUE)
    assert definitions["Defaults"]["properties"]["profile"]["enum"] == list(devices.sheets("profile"))
    fibre = definitions["Fibre"]["anyOf"]
    assert fibre[0]["oneOf"][0]["const"] == devices.sheets("fibre")[0]
    assert set(fibre[1]["properties"]) == {"sheet", "overrides"}


def test_fields_to_override_are_offered_dotted_and_nested() -> None:
    overrides = documents.json_schema("network")["$defs"]["NodeEntry"]["properties"]["overrides"]
    assert "dephasing" in overrides["properties"]["memory.t2"]["description"]
    assert set(overrides["properties"]["memory"]["properties"]) == set(devices.describe(devices.Memory))
    assert overrides["additionalProperties"] is False


def test_nothing_is_null() -> None:
    assert '"null"' not in json.dumps(documents.json_schema("network"))


def test_fields_have_the_names_of_the_document() -> None:
    request = documents.json_schema("workload")["$defs"]["RequestEntry"]
    assert {"from", "to", "every"} <= set(request["properties"])
    assert request["required"] == ["from", "to", "fidelity"]


def test_there_is_no_other_kind() -> None:
    with pytest.raises(UnknownNameError, match="one of network, workload, import"):
        documents.json_schema("journal")
