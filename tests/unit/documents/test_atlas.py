"""Graphs of the package topohub."""

from __future__ import annotations

import sys

import pytest

from quantum_fabric import documents
from quantum_fabric.documents.atlas import ABSTRACT, keys, read_atlas
from quantum_fabric.errors import DocumentError, InputError, QuantityError, UnknownNameError


def test_germany() -> None:
    germany = read_atlas("sndlib/germany50", 1.0)
    assert (len(germany.spots), len(germany.spans)) == (50, 88)
    lengths = sorted(span.length or 0.0 for span in germany.spans)
    assert lengths[0] == pytest.approx(25_900, abs=50)
    assert lengths[-1] == pytest.approx(252_300, abs=50)
    assert sum(lengths) / 88 == pytest.approx(100_700, abs=50)


def test_the_detour_multiplies_every_length() -> None:
    once, twice = read_atlas("topozoo/Surfnet", 1.0), read_atlas("topozoo/Surfnet", 2.0)
    assert [2 * (s.length or 0) for s in once.spans] == [s.length for s in twice.spans]


def test_delft_to_den_haag_is_a_great_circle() -> None:
    """8.7 km, where the fibre is 25 km: what the detour factor is for."""
    surfnet = read_atlas("topozoo/Surfnet", 1.0)
    [edge] = [s for s in surfnet.spans if {s.a, s.b} == {"Delft", "Den Haag"}]
    assert edge.length == pytest.approx(8_710, abs=5)


@pytest.mark.parametrize("name", sorted(ABSTRACT))
def test_abstract_coordinates_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="coordinates are abstract"):
        read_atlas(f"sndlib/{name}", 1.5)


def test_there_are_twelve_of_them_and_the_others_are_offered() -> None:
    assert len(ABSTRACT) == 12
    offered = keys()
    assert len([key for key in offered if key.startswith("sndlib/")]) == 26 - 12
    assert len([key for key in offered if key.startswith("topozoo/")]) == 203


def test_edges_of_length_zero_are_refused_with_an_explanation() -> None:
    with pytest.raises(InputError, match=r"3 edges of length 0 in 'topozoo/Belnet2010' .*merge: true"):
        read_atlas("topozoo/Belnet2010", 1.5)
    assert len(read_atlas("topozoo/Belnet2010", 1.5, merge=True).spots) == 19


@pytest.mark.parametrize(
    "key",
    [
        "",
        "germany50",
        "sndlib/germany51",
        "../secret",
        "sndlib/../sndlib/polska",
        "/etc/passwd",
        "sndlib/",
        "a" * 300,
    ],
)
def test_what_is_no_key(key: str) -> None:
    with pytest.raises(UnknownNameError, match="a graph of topohub"):
        read_atlas(key, 1.5)


def test_a_slip_in_a_key() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'sndlib/germany50'\?"):
        read_atlas("sndlib/germany5", 1.5)


def test_a_detour_that_is_none() -> None:
    with pytest.raises(QuantityError, match="detour"):
        read_atlas("sndlib/germany50", 0.5)


def test_names_are_unique_where_the_atlas_has_none() -> None:
    europe = read_atlas("backbone/europe", 1.5)
    names = [spot.name for spot in europe.spots]
    assert len(set(names)) == len(names) == 852
    assert "node 6281" in names


def test_flat_maps_have_x_and_y() -> None:
    gabriel = read_atlas("gabriel/25/0", 1.0)
    assert gabriel.spots[0].fields["position"] == {"x": "188.48 km", "y": "463.39 km"}


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "topohub", None)
    with pytest.raises(InputError, match=r"found no package topohub, expected .*\[topologies\]"):
        read_atlas("sndlib/germany50", 1.5)
    with pytest.raises(DocumentError, match=r"germany50.yaml:\d+: topohub: found no package topohub"):
        documents.load_network("germany50")
    assert "germany50" in [entry.name for entry in documents.bundled()]
