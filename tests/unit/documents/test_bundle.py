"""What comes with the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantum_fabric import documents
from quantum_fabric.documents import bundle


def test_entries_say_what_their_documents_say() -> None:
    for entry in documents.bundled():
        document = documents.load_network(entry.name)
        assert entry.title == document.title
        assert entry.description == " ".join(document.description.split())
        assert "\n" not in entry.description


def test_workloads_belong_to_the_network_whose_name_they_start_with() -> None:
    entries = {entry.name: entry.workloads for entry in documents.bundled()}
    assert entries["chicago"] == ("chicago", "chicago-cut")
    assert entries["lab"] == ("lab",)


def test_names_are_sorted() -> None:
    assert [entry.name for entry in documents.bundled()] == sorted(bundle.networks())
    assert bundle.workloads() == sorted(bundle.workloads())
    assert documents.workloads() == bundle.workloads()


@pytest.mark.parametrize("name", bundle.networks())
def test_paths_of_networks(name: str) -> None:
    assert bundle.path_of(name) == bundle.FOLDER / f"{name}.yaml"
    assert bundle.path_of(name).is_file()


@pytest.mark.parametrize("name", bundle.workloads())
def test_paths_of_workloads(name: str) -> None:
    assert bundle.workload_path_of(name) == bundle.FOLDER / "workloads" / f"{name}.yaml"
    assert bundle.workload_path_of(name).is_file()


@pytest.mark.parametrize("name", ["none", "lab.yaml", "./lab", "workloads/lab", "", "../bundled/lab", "LAB"])
def test_everything_else_is_a_path(name: str) -> None:
    assert bundle.path_of(name) == Path(name)
    assert bundle.workload_path_of(name) == Path(name)


def test_a_path_is_never_a_name() -> None:
    assert bundle.path_of(Path("lab")) == Path("lab")
    assert bundle.workload_path_of(Path("lab")) == Path("lab")


def test_bundled_files_are_within_the_package_and_plain() -> None:
    """They are read like any other file: UTF-8, no tabs, lines that fit a screen."""
    for path in bundle.FOLDER.rglob("*.yaml"):
        text = path.read_text("utf-8")
        assert "\t" not in text
        assert text.endswith("\n")
        assert max(map(len, text.splitlines())) <= 135
