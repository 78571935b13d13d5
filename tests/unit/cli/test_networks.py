"""`qfabric networks`: list, show, export, import."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_the_list(qfabric) -> None:
    result = qfabric("networks")
    assert result.code == 0
    for name in ("chicago", "delft-the-hague", "germany50", "hefei-star", "lab"):
        assert name in result.out


def test_one_network_with_its_nodes_links_and_sources(qfabric) -> None:
    result = qfabric("networks", "chicago")
    assert result.code == 0
    for text in (
        "Chicago metropolitan network",
        "controller at StarLight",
        "NU~StarLight",
        "20 km",
        "assumed",
    ):
        assert text in result.words


def test_out_to_graphml_and_yaml_and_back(qfabric, tmp_path: Path) -> None:
    assert qfabric("networks", "chicago", "--export", "c.graphml").out == "c.graphml: 9 nodes, 10 links\n"
    assert (
        qfabric("networks", "--import", "c.graphml", "--export", "c.yaml").out
        == "c.yaml: 9 nodes, 10 links\n"
    )
    assert qfabric("check", "c.yaml").code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"c.graphml", "c.yaml"}


def test_in_from_topohub_with_a_detour_and_repeaters(qfabric) -> None:
    result = qfabric(
        "networks",
        "--import",
        "topohub:sndlib/germany50",
        "--detour",
        "1.4",
        "--max-span",
        "100 km",
        "--export",
        "g.yaml",
    )
    assert result.code == 0
    text = Path("g.yaml").read_text()
    assert "detour factor of 1.4" in text
    assert qfabric("networks", "g.yaml").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chicago", "--import", "x.graphml"], "NAME: found 'chicago' beside --import"),
        (
            ["chicago", "--export", "x.json"],
            "--export: found 'x.json', expected a name that ends in .graphml or .yaml",
        ),
        (["--export", "x.yaml"], "NAME: found none"),
        (["chicago", "--detour", "2"], "--import: found none"),
        (["nowhere"], "no such file"),
        (["--import", "topohub:sndlib/nowhere"], "expected a graph of topohub"),
        (["--import", "topohub:sndlib/germany50", "--detour", "0.5"], "0.5"),
        (["--import", "missing.graphml"], "missing.graphml"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(
    qfabric, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = qfabric("networks", *arguments)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["chicago", "delft-the-hague", "hefei-star", "lab"])
def test_every_small_network_survives_the_way_out_and_back(qfabric, name: str) -> None:
    for target in ("copy.yaml", "copy.graphml"):
        assert qfabric("networks", name, "--export", target).code == 0
    original = qfabric("networks", name).out
    assert qfabric("networks", "copy.yaml").out == original
    assert qfabric("networks", "--import", "copy.graphml").out == original


@pytest.mark.parametrize("name", ["chicago", "delft-the-hague", "germany50", "hefei-star", "lab"])
def test_every_bundled_network_is_sound_and_fits_its_workloads(qfabric, name: str) -> None:
    from quantum_fabric import documents

    loads = next(entry.workloads for entry in documents.bundled() if entry.name == name)
    for load in loads:
        documents.check_workload(
            documents.load_workload(load), documents.inventory(documents.load_network(name))
        )
    assert qfabric("check", name).code == 0
