"""Loading documents from files, names, text and data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quantum_fabric import documents
from quantum_fabric.documents.bundle import networks, path_of, workload_path_of
from quantum_fabric.errors import DocumentError

NETWORK = "kind: network\nversion: 1\ntitle: mine\nnodes: [{name: A}]\n"
WORKLOAD = "kind: workload\nversion: 1\ntitle: mine\nduration: 1 s\n"


def test_files(tmp_path: Path) -> None:
    network, workload = tmp_path / "n.yaml", tmp_path / "w.yaml"
    network.write_text(NETWORK)
    workload.write_text(WORKLOAD)
    assert (
        documents.load_network(network) == documents.load(str(network)) == documents.parse_document(NETWORK)
    )
    assert documents.load_workload(str(workload)) == documents.load(workload)
    assert isinstance(documents.load(workload), documents.Workload)


def test_json_files(tmp_path: Path) -> None:
    file = tmp_path / "n.json"
    chicago = documents.load_network("chicago")
    file.write_text(json.dumps(chicago.plain(), indent=1))
    assert documents.load_network(file) == chicago


def test_a_bundled_name_wins_over_a_file_and_a_path_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab").write_text(NETWORK)
    assert documents.load_network("lab").title == "Laboratory link"
    assert documents.load_network("./lab").title == "mine"
    assert documents.load_network(Path("lab")).title == "mine"


def test_networks_and_workloads_of_the_same_name() -> None:
    assert isinstance(documents.load("chicago"), documents.NetworkDocument)
    assert isinstance(documents.load_workload("chicago"), documents.Workload)
    assert isinstance(documents.load("chicago-cut"), documents.Workload)
    assert path_of("chicago").parent.name == "bundled"
    assert workload_path_of("chicago").parent.name == "workloads"


@pytest.mark.parametrize("name", ["", ".", "..", "chicago/..", "no such", "chicago.yaml", "CHICAGO"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(DocumentError):
        documents.load_network(name)


def test_an_unknown_name_offers_the_known_ones() -> None:
    with pytest.raises(DocumentError) as caught:
        documents.load_network("hefei")
    [finding] = caught.value.findings
    assert finding.expected.endswith(": " + ", ".join(networks()))
    with pytest.raises(DocumentError, match=r"a bundled workload \(did you mean 'chicago-cut'\?\)"):
        documents.load_workload("chicago-cuts")


def test_findings_name_the_file_as_it_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("n.yaml").write_text(NETWORK.replace("A", ""))
    with pytest.raises(DocumentError, match=r"^n\.yaml:4: nodes\[0\]\.name"):
        documents.load("n.yaml")


def test_documents_cannot_be_changed() -> None:
    document = documents.load_network("lab")
    with pytest.raises(ValueError, match="frozen"):
        document.title = "x"  # type: ignore[misc]


def test_plain_data_has_nothing_but_what_was_written() -> None:
    document = documents.parse_document(NETWORK)
    assert document.plain() == {"kind": "network", "version": 1, "title": "mine", "nodes": [{"name": "A"}]}
    assert json.loads(json.dumps(document.plain())) == document.plain()


def test_comments_are_for_people() -> None:
    assert documents.parse_document(
        "# hello\n" + NETWORK.replace("mine", "mine # yours")
    ) == documents.parse_document(NETWORK)
