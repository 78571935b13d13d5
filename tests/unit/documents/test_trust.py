"""What owners declare about trust: optional, checked, and kept in every format."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantum_fabric import documents
from quantum_fabric.errors import DocumentError

TEXT = """\
kind: network
version: 1
nodes:
- {name: A}
- {name: R, trust: {operator: Telekom, trusted: true, domain: AT}}
- {name: S, trust: {trusted: false}}
links:
- {between: [A, R], length: 1 km}
- {between: [R, S], length: 1 km}
"""


def test_it_is_read_and_written_as_it_was(tmp_path: Path) -> None:
    network = documents.parse_document(TEXT)
    assert isinstance(network, documents.NetworkDocument)
    a, r, s = (node.trust for node in network.nodes)
    assert a is None
    assert r is not None
    assert (r.operator, r.trusted, r.domain) == ("Telekom", True, "AT")
    assert s is not None
    assert (s.operator, s.trusted) == (None, False)
    assert documents.parse_document(documents.dump(network)) == network
    assert documents.network_from(network.plain()) == network
    path = tmp_path / "net.graphml"
    documents.export_graphml(network, path)
    assert documents.import_graphml(path).nodes == network.nodes


@pytest.mark.parametrize(
    ("found", "place"),
    [
        ("{operator: 7}", "trust.operator"),
        ("{trusted: 1}", "trust.trusted"),
        ("{domian: AT}", "trust.domian"),
        ("yes", "trust"),
    ],
)
def test_what_is_wrong_is_named(found: str, place: str) -> None:
    with pytest.raises(DocumentError) as caught:
        documents.parse_document(TEXT.replace("{trusted: false}", found))
    assert [finding.field for finding in caught.value.findings] == [f"nodes[2].{place}"]
    assert caught.value.findings[0].line == 6


def test_editors_know_it() -> None:
    schema = documents.json_schema("network")["$defs"]
    assert set(schema["Trust"]["properties"]) == {"operator", "trusted", "domain"}
    assert schema["NodeEntry"]["properties"]["trust"]["$ref"] == "#/$defs/Trust"
