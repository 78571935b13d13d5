"""Named sheets: every number has a source, nothing projected passes for published."""

from __future__ import annotations

import pytest

from quantum_fabric import devices
from quantum_fabric.devices import KINDS, RECORDS, Node, Profile, describe, provenance, sheet, sheets, status
from quantum_fabric.errors import UnknownNameError

ALL = [tuple(name.split("/")) for name in sheets()]
DEVICES = [(kind, name) for kind, name in ALL if kind != "profile"]
NODES = ("nv-electron", "nv-carbon", "trapped-ion", "neutral-atom", "ideal", "lab-best", "future")


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_sheet_can_be_read(kind: str, name: str) -> None:
    record = sheet(kind, name)
    assert isinstance(record, RECORDS.get(kind, Profile))
    assert devices.title(kind, name)
    assert status(kind, name) in {"published", "projected", "ideal"}
    assert sheet(kind, name) is record


@pytest.mark.parametrize(("kind", "name"), DEVICES)
def test_every_number_is_there_with_its_source(kind: str, name: str) -> None:
    given = provenance(kind, name)
    assert set(given) == set(describe(RECORDS[kind]))
    for field, origin in given.items():
        assert origin.letter in set("SRMCPD"), field
        assert origin.source, field
        assert origin.value, field


@pytest.mark.parametrize(("kind", "name"), DEVICES)
def test_labels_are_honest(kind: str, name: str) -> None:
    letters = {field: origin.letter for field, origin in provenance(kind, name).items()}
    if status(kind, name) == "published":
        # A published sheet describes one experiment or product; only the detection window is a choice of ours.
        assert {field for field, letter in letters.items() if letter == "P"} <= {"window"}
        assert devices.citation(kind, name)
    if status(kind, name) == "projected":
        assert devices.title(kind, name).startswith("Projected")
        assert devices.citation(kind, name).startswith("none")
        assert "P" in letters.values()
    if status(kind, name) == "ideal":
        assert set(letters.values()) <= {"D", "M"}


@pytest.mark.parametrize("name", NODES)
def test_the_promised_nodes_exist(name: str) -> None:
    assert isinstance(sheet("node", name), Node)


def test_projected_nodes_are_labelled() -> None:
    assert status("node", "lab-best") == status("node", "future") == "projected"
    assert status("profile", "lab-best") == status("profile", "future") == "projected"


@pytest.mark.parametrize("name", sheets("profile"))
def test_profiles_name_sheets_that_exist(name: str) -> None:
    profile = sheet("profile", name)
    assert profile.node in sheets("node")
    assert profile.fibre in sheets("fibre")
    assert profile.detector in sheets("detector")
    assert not profile.source or profile.source in sheets("source")
    parts = [("node", profile.node), ("fibre", profile.fibre), ("detector", profile.detector)]
    if "projected" in {status(*one) for one in parts}:
        assert profile.status == "projected"


def test_the_ideal_node_adds_no_noise() -> None:
    node = sheet("node", "ideal")
    assert node == Node(interface=devices.Interface(capture=1.0), slots=16)


def test_sheets_by_kind_and_all() -> None:
    assert {kind for kind, _ in ALL} == set(KINDS)
    assert sheets("fibre") == tuple(sorted(sheets("fibre")))
    assert len(sheets()) == sum(len(sheets(kind)) for kind in KINDS)


@pytest.mark.parametrize("call", [sheet, provenance, status])
def test_unknown_names_list_the_known_ones(call: object) -> None:
    with pytest.raises(UnknownNameError, match=r"node: found 'nv', expected one of future, ideal, lab-best"):
        call("node", "nv")  # type: ignore[operator]
    with pytest.raises(UnknownNameError, match=r"kind of sheet: found 'gadget', expected one of node, fibre"):
        call("gadget", "nv")  # type: ignore[operator]


def test_a_profile_has_no_numbers_of_its_own() -> None:
    assert provenance("profile", "future") == {}


def test_a_returned_provenance_may_be_changed_without_harm() -> None:
    provenance("node", "ideal").clear()
    assert provenance("node", "ideal")
