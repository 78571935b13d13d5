"""`qfabric check` names every fault and changes nothing."""

from __future__ import annotations

from pathlib import Path

GOOD = "kind: workload\nversion: 1\ntitle: One pair\nduration: 1 s\nrequests: [{from: Alice, to: Bob, fidelity: 0.7}]\n"


def test_sound_documents(qfabric, tmp_path: Path) -> None:
    (tmp_path / "load.yaml").write_text(GOOD)
    result = qfabric("check", "lab", "load.yaml")
    assert result.code == 0
    assert "lab: a sound network: Laboratory link (2 nodes, 1 link)" in result.out
    assert "load.yaml: a sound workload: One pair, fits lab" in result.out


def test_a_workload_alone_is_checked_alone(qfabric, tmp_path: Path) -> None:
    (tmp_path / "load.yaml").write_text(GOOD.replace("Alice", "Nobody"))
    assert qfabric("check", "load.yaml").out == "load.yaml: a sound workload: One pair\n"
    result = qfabric("check", "lab", "load.yaml")
    assert result.code == 2
    assert "load.yaml:5: requests[0].from: found 'Nobody', expected a node of Laboratory link" in result.err


def test_all_files_are_checked_even_if_the_first_is_bad(qfabric, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("kind: network\nversion: 1\nnodes: [{name: A, slots: 0}]\n")
    (tmp_path / "load.yaml").write_text(GOOD)
    result = qfabric("check", "bad.yaml", "missing.yaml", "load.yaml")
    assert result.code == 2
    assert "bad.yaml:3: nodes[0].slots: found 0, expected" in result.err
    assert "missing.yaml: found no such file" in result.err
    assert "load.yaml: a sound workload" in result.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.yaml", "load.yaml"]


def test_no_file_is_a_usage_error(qfabric) -> None:
    assert qfabric("check").code == 2


def test_a_caution_is_said_and_is_no_fault(qfabric, tmp_path) -> None:
    text = """\
kind: network
version: 1
nodes:
- {name: A, sheet: transmon, transducer: {sheet: future, overrides: {added_noise: 0.7}}}
- {name: B, sheet: transmon, transducer: future}
links:
- {between: [A, B], length: 1 km}
"""
    (tmp_path / "net.yaml").write_text(text)
    result = qfabric("check", "net.yaml")
    assert result.code == 0
    assert "net.yaml: a sound network" in result.out
    assert "net.yaml: caution: A.transducer.noise: 0.7" in result.out
    assert "below 0.5 added photons" in result.out
