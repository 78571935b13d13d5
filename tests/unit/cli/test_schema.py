"""`qfabric schema` and `qfabric completion` print what an editor and a shell can use."""

from __future__ import annotations

import json

import pytest

from quantum_fabric.cli.completion import LINES


@pytest.mark.parametrize("kind", ["network", "workload", "import"])
def test_a_schema_is_json(qfabric, kind: str) -> None:
    result = qfabric("schema", kind)
    assert result.code == 0
    schema = json.loads(result.out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "kind" in schema["properties"]


def test_network_is_the_default_and_others_are_refused(qfabric) -> None:
    assert qfabric("schema").out == qfabric("schema", "network").out
    assert qfabric("schema", "nonsense").code == 2


@pytest.mark.parametrize("shell", LINES)
def test_completion_names_the_file_and_the_line(qfabric, shell: str) -> None:
    result = qfabric("completion", shell)
    assert result.code == 0
    assert f"_QFABRIC_COMPLETE={shell}_source" in result.out
    assert LINES[shell][0] in result.out
