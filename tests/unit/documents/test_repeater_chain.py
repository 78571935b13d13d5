"""Chains of repeaters."""

from __future__ import annotations

import pytest

from quantum_fabric import devices, documents
from quantum_fabric.documents.repeater_chain import MAX_SEGMENTS
from quantum_fabric.errors import DocumentError, InputError, QuantityError


@pytest.mark.parametrize("segments", [1, 2, 3, 7, 64])
def test_equal_fibres_in_a_row(segments: int) -> None:
    line = documents.inventory(documents.chain(200_000.0, segments))
    assert len(line.nodes) == segments + 1
    assert sum(link.length for link in line.links.values()) == pytest.approx(200_000.0, rel=1e-12)
    assert len({link.length for link in line.links.values()}) == 1
    assert line.controller == "Alice"
    lights = sum(link.light_time for link in line.links.values())
    assert line.delays["Alice", "Bob"] == lights


@pytest.mark.parametrize("profile", devices.sheets("profile"))
def test_profiles(profile: str) -> None:
    line = documents.inventory(documents.chain(10_000.0, 2, profile))
    assert line.nodes["R1"] == devices.sheet("node", devices.sheet("profile", profile).node)


def test_names() -> None:
    made = documents.chain(1000.0, 3, source="R1", destination="Den Haag")
    assert [node.name for node in made.nodes] == ["R1", "RR1", "RR2", "Den Haag"]
    assert made.title == "R1 to Den Haag, 1 km in 3 segments"
    assert documents.chain(1000.0, 1).title == "Alice to Bob, 1 km in 1 segment"


def test_a_chain_is_a_document_like_any_other() -> None:
    made = documents.chain(1e5 / 3, 7)
    assert documents.network_from(made.plain()) == made
    assert documents.parse_document(documents.dump(made)) == made


@pytest.mark.parametrize("distance", [0.0, -1.0, float("inf"), float("nan"), 1e9])
def test_distances_that_are_none(distance: float) -> None:
    with pytest.raises(QuantityError, match="distance"):
        documents.chain(distance, 2)


@pytest.mark.parametrize("segments", [0, -1, MAX_SEGMENTS + 1, 1.5, True, "2"])
def test_segments_that_are_none(segments: int) -> None:
    with pytest.raises(QuantityError, match="segments"):
        documents.chain(1.0, segments)


def test_ends_and_profiles_that_are_none() -> None:
    with pytest.raises(InputError, match="two different ends"):
        documents.chain(1.0, 1, source="Bob")
    with pytest.raises(DocumentError, match="a hardware profile"):
        documents.chain(1.0, 1, profile="soon")
    with pytest.raises(DocumentError, match="a name of 1 to 80"):
        documents.chain(1.0, 1, source="")


def test_tiny_and_huge_chains() -> None:
    assert documents.inventory(documents.chain(1e-3, 4)).links["Alice~R1"].length == pytest.approx(2.5e-4)
    assert len(documents.chain(1e6, 512).links) == 512
