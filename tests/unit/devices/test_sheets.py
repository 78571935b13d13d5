"""Named sheets: every number has a source, nothing projected passes for published."""

from __future__ import annotations

import pytest

from quantum_fabric import devices
from quantum_fabric.devices import (
    KINDS,
    LETTERS,
    RECORDS,
    STANDINGS,
    Node,
    Profile,
    describe,
    provenance,
    sheet,
    sheets,
    status,
)
from quantum_fabric.errors import UnknownNameError

ALL = [tuple(name.split("/")) for name in sheets()]
DEVICES = [(kind, name) for kind, name in ALL if kind != "profile"]
NODES = ("nv-electron", "nv-carbon", "trapped-ion", "neutral-atom", "ideal", "lab-best", "future")


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_sheet_can_be_read(kind: str, name: str) -> None:
    record = sheet(kind, name)
    assert isinstance(record, RECORDS.get(kind, Profile))
    assert devices.title(kind, name)
    assert status(kind, name) in STANDINGS
    assert sheet(kind, name) is record


@pytest.mark.parametrize(("kind", "name"), DEVICES)
def test_every_number_has_a_letter_and_a_source(kind: str, name: str) -> None:
    """What a sheet does not give is the default of the record, which has no effect."""
    given = provenance(kind, name)
    assert given
    assert set(given) <= set(describe(RECORDS[kind]))
    for field, origin in given.items():
        assert origin.letter in LETTERS, field
        assert origin.source, field
        assert origin.value, field


@pytest.mark.parametrize(("kind", "name"), DEVICES)
def test_labels_are_honest(kind: str, name: str) -> None:
    origins = provenance(kind, name)
    letters = {field: origin.letter for field, origin in origins.items()}
    standing = status(kind, name)
    if standing in {"published", "tuned", "recalled"}:
        # Such a sheet describes one device that exists; only the detection window is a choice of ours.
        assert {field for field, letter in letters.items() if letter == "P"} <= {"window"}
    if standing in {"published", "tuned"}:
        assert devices.citation(kind, name)
        assert not devices.citation(kind, name).startswith("none")
    if standing == "published":
        assert set(letters.values()) & set("SRC"), "not one number was found in a text"
    if standing == "recalled":
        assert not set(letters.values()) & set("SR"), "a number was found: the sheet may be published"
    if standing == "tuned":
        assert "tuned" in devices.title(kind, name)
        words = [f"{origin.source} {origin.note}" for origin in origins.values()]
        assert any("tuned" in text or "chosen" in text for text in words), "which number was tuned?"
    if standing == "projected":
        assert devices.title(kind, name).startswith("Projected")
        assert devices.citation(kind, name).startswith("none")
        assert "P" in letters.values()
    if standing == "ideal":
        assert set(letters.values()) <= {"D", "M"}


@pytest.mark.parametrize(("kind", "name"), DEVICES)
def test_a_recalled_number_does_not_name_a_text_as_its_source(kind: str, name: str) -> None:
    """What is found has a text as its source; what is recalled says so."""
    for field, origin in provenance(kind, name).items():
        if origin.letter in "SR":
            assert "recalled" not in origin.source, field
            assert "assumed" not in origin.source, field
        if origin.letter == "P":
            assert "recalled" not in origin.source, field


@pytest.mark.parametrize("name", sheets("node"))
def test_a_published_node_is_one_experiment(name: str) -> None:
    """Its citation names one text: a journal or a preprint, not two experiments joined."""
    if status("node", name) not in {"published", "tuned"}:
        return
    cite = devices.citation("node", name)
    assert ";" not in cite, "two citations"
    assert " and " not in cite or "et al." not in cite, "two citations"
    assert cite.count("et al.") <= 1


PLATFORMS = {
    "nitrogen vacancy": ("nv-electron", "nv-carbon", "nv-telecom"),
    "silicon vacancy": ("siv-telecom", "siv-cavity", "siv-electron"),
    "tin vacancy": ("snv",),
    "ions": (
        "trapped-ion",
        "trapped-ion-422",
        "trapped-ion-register",
        "barium-time-bin",
        "ytterbium-171-memory",
    ),
    "neutral atoms": ("neutral-atom", "rubidium-20km", "ytterbium-array", "atom-array"),
    "rare earths": ("praseodymium-afc", "praseodymium-spin-wave", "europium-memory", "erbium-167"),
    "ensembles": ("ensemble-cavity-free", "ensemble-metro", "ensemble-star"),
    "quantum dots": ("quantum-dot-hole",),
    "superconducting": ("transmon",),
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_platform_has_nodes(platform: str) -> None:
    assert set(PLATFORMS[platform]) <= set(sheets("node"))


def test_absorptive_memories_hold_modes_and_lose_photons() -> None:
    memory = sheet("node", "praseodymium-afc").memory
    assert memory.modes == 62
    assert memory.retrieval < 1.0
    assert memory.retrieval_lifetime < 1.0
    assert sheet("node", "trapped-ion-dual").memory.decay == 2.0


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
    with pytest.raises(
        UnknownNameError, match=r"node: found 'nv', expected one of atom-array, .*nv-electron"
    ):
        call("node", "nv")  # type: ignore[operator]
    with pytest.raises(UnknownNameError, match=r"kind of sheet: found 'gadget', expected one of node, fibre"):
        call("gadget", "nv")  # type: ignore[operator]


def test_a_profile_has_no_numbers_of_its_own() -> None:
    assert provenance("profile", "future") == {}
    with pytest.raises(UnknownNameError, match="kind of device sheet"):
        devices.data_sheet("profile", "future")


def test_a_returned_provenance_may_be_changed_without_harm() -> None:
    provenance("node", "ideal").clear()
    assert provenance("node", "ideal")
