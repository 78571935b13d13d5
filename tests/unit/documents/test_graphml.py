"""GraphML in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric import documents
from quantum_fabric.documents.graphml import read_graphml
from quantum_fabric.errors import DocumentError

HEAD = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
KEYS = '<key id="k" for="edge" attr.name="{length}" attr.type="double"/>\n<key id="n" for="node" attr.name="label"/>\n'


def graph(body: str, length: str = "length_km") -> str:
    return (
        HEAD
        + KEYS.format(length=length)
        + f'<graph edgedefault="undirected">\n{body}\n</graph>\n</graphml>\n'
    )


TWO = '<node id="a"/>\n<node id="b"/>\n<edge source="a" target="b"><data key="k">{}</data></edge>'


def write(folder: Path, text: str) -> Path:
    file = folder / "g.graphml"
    file.write_text(text, encoding="utf-8")
    return file


def lengths(folder: Path, text: str, **options: Any) -> list[str | None]:
    return [link.length for link in documents.import_graphml(write(folder, text), **options).links]


@pytest.mark.parametrize(
    ("attribute", "value", "length"),
    [
        ("length_km", "25", "25 km"),
        ("km", "2.5e1", "25 km"),
        ("dist", "25", "25 km"),
        ("Distance", "25", "25 km"),
        ("length_m", "25000", "25 km"),
        ("length", "25000 m", "25000 m"),
        ("Length", "25 km", "25 km"),
    ],
)
def test_spellings_of_a_length(tmp_path: Path, attribute: str, value: str, length: str) -> None:
    assert lengths(tmp_path, graph(TWO.format(value), attribute)) == [length]


def test_lengths_from_positions(tmp_path: Path) -> None:
    """As the Topology Zoo writes them; one degree of the equator is 111.195 km."""
    keys = '<key id="x" for="node" attr.name="Longitude"/><key id="y" for="node" attr.name="Latitude"/>'
    nodes = "".join(f'<node id="{n}"><data key="x">{n}</data><data key="y">0</data></node>' for n in (0, 1))
    text = (
        f'{HEAD}{keys}<graph edgedefault="undirected">{nodes}<edge source="0" target="1"/></graph></graphml>'
    )
    assert lengths(tmp_path, text, detour=2.0) == ["222.39 km"]
    made = documents.import_graphml(write(tmp_path, text), max_span=100e3)
    assert [node.name for node in made.nodes] == ["0", "1", "0~1#1"]


def test_labels_are_names_where_they_tell_nodes_apart(tmp_path: Path) -> None:
    body = '<node id="a"><data key="n">{}</data></node><node id="b"><data key="n">{}</data></node>'
    edge = '<edge source="a" target="b"><data key="k">1</data></edge>'
    for labels, names in ((("Delft", "Den Haag"), ["Delft", "Den Haag"]), (("None", "None"), ["a", "b"])):
        made = documents.import_graphml(write(tmp_path, graph(body.format(*labels) + edge)))
        assert [node.name for node in made.nodes] == names


def test_both_directions_of_an_edge_are_one_link(tmp_path: Path) -> None:
    back = '<edge source="b" target="a"><data key="k">25</data></edge>'
    assert lengths(tmp_path, graph(TWO.format(25) + back)) == ["25 km"]


def test_defaults_of_keys(tmp_path: Path) -> None:
    keys = '<key id="k" for="edge" attr.name="km"><default>7</default></key>'
    body = '<graph edgedefault="directed"><node id="a"/><node id="b"/><edge source="a" target="b"/></graph>'
    assert lengths(tmp_path, f"{HEAD}{keys}{body}</graphml>") == ["7 km"]


def test_what_other_programs_add_is_left_out(tmp_path: Path) -> None:
    extra = '<data key="zzz"><y:Shape xmlns:y="urn:y">text <y:Label>deep</y:Label></y:Shape></data><port name="p"/>'
    body = f'<desc>d</desc><node id="a">{extra}</node><node id="b"/><edge source="a" target="b"><data key="k">3</data></edge>'
    assert lengths(tmp_path, graph(body)) == ["3 km"]


def test_zero_lengths(tmp_path: Path) -> None:
    third = '<node id="c"/><edge source="b" target="c"><data key="k">5</data></edge>'
    text = graph(TWO.format(0) + third)
    with pytest.raises(
        DocumentError, match=r"g.graphml:7: links\[0\]: found length 0 between 'a' and 'b', .*merge"
    ):
        documents.import_graphml(write(tmp_path, text))
    made = documents.import_graphml(write(tmp_path, text), merge=True)
    assert [node.name for node in made.nodes] == ["a", "c"]


BAD = [
    ("", "1: found no element found, expected well-formed XML"),
    ("<graphml><graph>", "1: found no element found, expected well-formed XML"),
    ("kind: network\n", "1: found syntax error, expected well-formed XML"),
    ("<html/>", "1: found the element 'html', expected GraphML, which starts with 'graphml'"),
    ('<!DOCTYPE g [<!ENTITY a "b">]>\n<graphml/>', "1: found a document type definition, expected GraphML without one"),
    (graph(TWO.format(25), "length"), "7: found the length '25', expected a length with its unit such as '25 km', "
     "or the attribute length_km"),
    (graph(TWO.format("far")), "7: found 'far', expected a length: a number"),
    (graph(TWO.format("nan")), "7: found 'nan', expected a length: a number"),
    (graph(TWO.format("-3 km"), "length"), "7: links[0].length: found '-3 km', expected a length above 0 such as '25 km'"),
    (graph('<node id="a"/>\n<edge source="a" target="x"/>'), "6: found an edge to 'x', expected the id of a node"),
    (graph('<node id="a"/>\n<node id="a"/>'), "6: found the id 'a' a second time, expected each id once"),
    (graph('<node id="a"/>\n<edge source="a" target="a"><data key="k">1</data></edge>'),
     "6: links[0].between: found 'a' twice, expected two different nodes"),
    (graph('<node id="a"><graph><node id="b"/></graph></node>'), "5: found a graph inside a graph, expected one flat graph"),
    (graph(""), "1: nodes: found an empty list, expected at least one node"),
    (HEAD + "</graphml>", "1: nodes: found an empty list, expected at least one node"),
    (HEAD + '<key id="s" for="node" attr.name="slots"/>\n<graph><node id="a"><data key="s">two</data></node></graph></graphml>',
     "3: found slots 'two', expected a value in JSON"),
    (HEAD + '<key id="s" for="node" attr.name="sheet"/>\n<graph><node id="a"><data key="s">x</data></node></graph></graphml>',
     "3: nodes[0].sheet: found 'x', expected a node sheet"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), BAD)
def test_bad_graphml(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(DocumentError) as caught:
        documents.import_graphml(file)
    assert str(caught.value).startswith(f"{file}:{said}")


def test_a_billion_laughs_in_xml(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<!DOCTYPE g [<!ENTITY a0 "ha">{entities}]><graphml>&a9;</graphml>'
    with pytest.raises(DocumentError, match="document type definition"):
        read_graphml(write(tmp_path, text))


def test_missing_and_large_files(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file"):
        documents.import_graphml(tmp_path / "none.graphml")
    file = tmp_path / "big.graphml"
    with file.open("wb") as stream:
        stream.truncate(100 * 2**20)
    with pytest.raises(DocumentError, match="100 MiB"):
        documents.import_graphml(file)


FULL = {
    "kind": "network",
    "version": 1,
    "title": "[draft] <Everything> & more",
    "description": "Two\nlines\n",
    "provenance": [{"what": "all", "source": "me", "standing": "assumed"}],
    "defaults": {"profile": "lab-best", "node": {"slots": 3}, "fibre": {"sheet": "ull"}},
    "nodes": [
        {
            "name": "A",
            "sheet": "future",
            "overrides": {"memory.t2": "3 s"},
            "slots": 4,
            "relays": False,
            "note": "{x",
        },
        {"name": "Zürich <1>", "position": {"x": "1 km", "y": "-2 km"}},
        {"name": "C"},
    ],
    "links": [
        {
            "between": ["C", "A"],
            "length": "25.0 km",
            "name": "last",
            "modes": 2,
            "frequency_modes": 3,
            "space_modes": 4,
            "architecture": "single_click",
        },
        {"between": ["A", "Zürich <1>"], "station": {"arms": ["1 km", "2 km"], "losses": ["1 dB", "2 dB"]}},
        {"between": ["Zürich <1>", "A"], "name": "second", "length": "7000 m", "attenuation": "0.3 dB/km"},
    ],
    "classical": [{"between": ["A", "C"], "round_trip": "5 ms", "note": "measured"}],
    "controller": "C",
}


def test_everything_survives_the_round_trip(tmp_path: Path) -> None:
    document = documents.network_from(FULL)
    documents.export_graphml(document, tmp_path / "g.graphml")
    assert documents.import_graphml(tmp_path / "g.graphml") == document
    assert documents.import_graphml(tmp_path / "g.graphml").plain() == FULL


def test_networkx_reads_what_we_write(tmp_path: Path) -> None:
    documents.export_graphml(documents.load_network("chicago"), tmp_path / "g.graphml")
    found = nx.read_graphml(tmp_path / "g.graphml")
    assert found.number_of_nodes() == 9
    assert found.edges["NU", "StarLight"]["length_km"] == 20.0
    assert found.nodes["NU"]["lon"] == -87.676
    assert found.graph["controller"] == "StarLight"


def test_we_read_what_networkx_writes(tmp_path: Path) -> None:
    made = nx.Graph()
    made.add_node("A", lon=4.0, lat=52.0)
    made.add_edge("A", "B", length_km=12.5)
    nx.write_graphml_xml(made, tmp_path / "g.graphml")
    assert documents.import_graphml(tmp_path / "g.graphml").links[0].length == "12.5 km"


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 600), st.text(max_size=4)), min_size=1, max_size=3))
def test_scribbled_graphml(tmp_path_factory: pytest.TempPathFactory, patches: list[tuple[int, str]]) -> None:
    text = graph(TWO.format(25))
    for start, patch in patches:
        text = text[:start] + patch + text[start + 1 :]
    file = tmp_path_factory.mktemp("g") / "g.graphml"
    file.write_bytes(text.encode("utf-8", "replace"))
    try:
        documents.import_graphml(file)
    except DocumentError as error:
        findings = error.findings
    else:
        findings = ()
    assert all(finding.line > 0 for finding in findings)


def test_every_field_that_is_no_text_travels_as_json() -> None:
    from quantum_fabric.documents import graphml

    schema = documents.json_schema("network")
    records = {
        "": graphml._GRAPH_FIELDS,
        "LinkDocument": graphml._LINK_FIELDS,
        "NodeEntry": graphml._NODE_FIELDS,
    }
    for record, fields in records.items():
        properties = schema["$defs"][record]["properties"] if record else schema["properties"]
        for name in fields:
            text = properties[name].get("type") == "string" or "oneOf" in properties[name]  # names of sheets
            assert text == (name not in graphml._JSON), f"{record}.{name}"
