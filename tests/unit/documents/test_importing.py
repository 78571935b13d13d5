"""Networks from elsewhere, as functions and as documents."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from quantum_fabric import documents
from quantum_fabric.errors import DocumentError, InputError
from quantum_fabric.units import parse


def test_a_graph_of_topohub_becomes_a_document_that_needs_topohub_no_more() -> None:
    made = documents.import_topohub("sndlib/polska", detour=1.3, defaults={"profile": "future"})
    assert (len(made.nodes), len(made.links)) == (12, 18)
    assert "detour factor of 1.3" in made.description
    assert made.defaults.profile == "future"
    assert documents.network_from(made.plain()) == made
    assert documents.parse_document(documents.dump(made)) == made


def test_repeaters_keep_every_fibre_short_and_the_sum_of_lengths() -> None:
    whole = documents.import_topohub("sndlib/nobel-germany")
    cut = documents.import_topohub("sndlib/nobel-germany", max_span=40e3)

    def lengths(document: documents.NetworkDocument) -> list[float]:
        return [parse(link.length or "", "length") for link in document.links]

    assert max(lengths(cut)) <= 40e3
    assert sum(lengths(cut)) == pytest.approx(sum(lengths(whole)), rel=1e-5)
    assert len(cut.nodes) - len(whole.nodes) == len(cut.links) - len(whole.links)


def test_merging() -> None:
    with pytest.raises(InputError, match="length 0"):
        documents.import_topohub("topozoo/Belnet2010")
    assert len(documents.import_topohub("topozoo/Belnet2010", merge=True).nodes) == 16


def test_reading_the_atlas_leaves_no_file_open() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        documents.import_topohub("sndlib/polska")


IMPORT = "kind: import\nversion: 1\ntitle: Poland\ntopohub: sndlib/polska\ndetour: 2\nmax_span: 50 km\ncontroller: Warsaw\n"


def test_an_import_document() -> None:
    made = documents.parse_document(IMPORT)
    assert isinstance(made, documents.NetworkDocument)
    assert (made.kind, made.title, made.controller) == ("network", "Poland", "Warsaw")
    assert max(parse(link.length or "", "length") for link in made.links) <= 50e3


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sndlib/polska", "sndlib/polsca",
         "4: topohub: found 'sndlib/polsca', expected a graph of topohub (did you mean 'sndlib/polska'?)"),
        ("sndlib/polska", "sndlib/sun", "4: topohub: found 'sndlib/sun', whose coordinates are abstract"),
        ("sndlib/polska", "topozoo/Oxford", "4: topohub: found 1 edges of length 0 in 'topozoo/Oxford'"),
        ("topohub: sndlib/polska\n", "", "1: found neither topohub nor graphml, expected one of topohub and graphml"),
        ("detour: 2", "graphml: x", "1: found topohub beside graphml, expected one of topohub and graphml"),
        ("detour: 2", "detour: 0.5", "5: detour: found 0.5, expected a number of at least 1"),
        ("detour: 2", "detour: '2'", "5: detour: found '2', expected a number"),
        ("max_span: 50 km", "max_span: 50", "6: max_span: found 50, expected a length such as '25 km'"),
        ("max_span: 50 km", "merge: yes", "6: merge: found 'yes', expected true or false"),
        ("controller: Warsaw", "controller: Vienna", "7: controller: found 'Vienna', expected a node"),
        ("controller: Warsaw", "defaults: {profile: x}", "7: defaults.profile: found 'x', expected a hardware profile"),
        ("controller: Warsaw", "nodes: []", "7: nodes: found the unknown field 'nodes', expected a field"),
    ],
)  # fmt: skip
def test_a_bad_import_document(old: str, new: str, said: str) -> None:
    assert old in IMPORT
    with pytest.raises(DocumentError) as caught:
        documents.parse_document(IMPORT.replace(old, new), "i.yaml")
    assert str(caught.value).startswith(f"i.yaml:{said}")


def test_an_import_of_graphml_is_found_beside_the_document(tmp_path: Path) -> None:
    documents.export_graphml(documents.load_network("lab"), tmp_path / "lab.graphml")
    (tmp_path / "i.yaml").write_text("kind: import\nversion: 1\ntitle: mine\ngraphml: lab.graphml\n")
    made = documents.load_network(tmp_path / "i.yaml")
    assert [node.name for node in made.nodes] == ["Alice", "Bob"]
    assert made.title == "Laboratory link"


def test_faults_in_the_graphml_name_that_file(tmp_path: Path) -> None:
    (tmp_path / "i.yaml").write_text("kind: import\nversion: 1\ngraphml: bad.graphml\n")
    (tmp_path / "bad.graphml").write_text("<graphml>\n<graph>")
    with pytest.raises(DocumentError, match=r"bad.graphml:2: found no element found"):
        documents.load_network(tmp_path / "i.yaml")


def test_what_the_file_says_wins_over_defaults_given_to_the_function(tmp_path: Path) -> None:
    documents.export_graphml(documents.load_network("lab"), tmp_path / "lab.graphml")
    made = documents.import_graphml(tmp_path / "lab.graphml", defaults={"profile": "future"})
    assert made == documents.load_network("lab")
