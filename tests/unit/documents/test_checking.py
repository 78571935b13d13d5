"""Sound documents pass, whatever they look like; a fault is found on the line where it was put."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric import documents
from quantum_fabric.documents.checking import check_form, check_network
from quantum_fabric.documents.findings import Findings
from quantum_fabric.documents.network_document import Position
from quantum_fabric.errors import DocumentError
from quantum_fabric.units import parse, parse_time

relaxed = settings(deadline=None, max_examples=60, derandomize=True)


ALIKE = ("lab-best", "future")
"""Sheets, and profiles, of one wavelength, as links need them."""


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    """A connected network of up to six nodes with every kind of field."""
    count = draw(st.integers(1, 6))
    alphabet = st.characters(codec="utf-8", categories=["L", "N", "P", "S"])
    names = draw(
        st.lists(st.text(alphabet, min_size=1, max_size=12), min_size=count, max_size=count, unique=True)
    )
    lengths = (
        st.floats(0.001, 200)
        .map(lambda value: f"{value:.3f} km")
        .filter(lambda text: not text.startswith("0.000"))
    )
    nodes: list[dict[str, Any]] = []
    for name in names:
        options = {
            "sheet": st.sampled_from(ALIKE),
            "slots": st.integers(1, 20),
            "relays": st.booleans(),
            "overrides": st.just({"memory": {"t1": "10 s", "t2": "100 ms"}, "gates.depolarising_2": "1 %"}),
            "note": st.text(alphabet, max_size=20),
        }
        nodes.append({"name": name, **draw(st.fixed_dictionaries({}, optional=options))})
    links: list[dict[str, Any]] = []
    for number in range(1, count):
        other = names[draw(st.integers(0, number - 1))]
        ways: list[st.SearchStrategy[dict[str, Any]]] = [
            st.fixed_dictionaries({"length": lengths}),
            st.fixed_dictionaries({"length": lengths, "loss": st.sampled_from(["0 dB", "3 dB", "20.5 dB"])}),
            st.fixed_dictionaries(
                {"station": st.fixed_dictionaries({"arms": st.lists(lengths, min_size=2, max_size=2)})}
            ),
        ]
        more = {
            "architecture": st.sampled_from(["single_click", "double_click"]),
            "modes": st.integers(1, 5),
            "fibre": st.sampled_from(
                ["ull", {"sheet": "smf-28", "overrides": {"attenuation": "0.19 dB/km"}}]
            ),
        }
        fields = draw(st.one_of(ways)) | draw(st.fixed_dictionaries({}, optional=more))
        links.append({"between": [other, names[number]], "name": f"link {number}", **fields})
    data: dict[str, Any] = {"kind": "network", "version": 1, "nodes": nodes, "links": links}
    data["defaults"] = {"profile": "lab-best"}
    if draw(st.booleans()):
        data["defaults"] = {"profile": draw(st.sampled_from(ALIKE))}
    if count > 1 and draw(st.booleans()):
        data["classical"] = [{"between": [names[0], names[-1]], "delay": "1 s"}]
    if draw(st.booleans()):
        data["controller"] = draw(st.sampled_from(names))
    return data


@relaxed
@given(networks())
def test_sound_networks_pass_and_read_back(data: dict[str, Any]) -> None:
    document = documents.network_from(data)
    again = documents.parse_document(documents.dump(document))
    assert again == document
    made = documents.inventory(document)
    assert list(made.nodes) == [node["name"] for node in data["nodes"]]
    assert len(made.delays) == len(made.nodes) ** 2
    for entry in data["links"]:
        link = made.links[entry["name"]]
        arms = entry.get("station", {}).get("arms") or [entry["length"]]
        assert link.length == pytest.approx(sum(parse(arm, "length") for arm in arms))
    for entry in data.get("classical", []):
        assert made.delays[tuple(entry["between"])] == parse_time(entry["delay"])


FAULTS = {
    "nodes": {
        "slots": 0,
        "sheet": "no such sheet",
        "colour": "red",
        "overrides": {"memory.t2": "5 km"},
        "name": "",
    },
    "links": {"modes": -1, "architecture": "telepathy", "fibre": "copper", "loss": "3", "length": "-1 km"},
}


@relaxed
@given(networks(), st.data())
def test_a_fault_is_found_where_it_was_put(data: dict[str, Any], draw: st.DataObject) -> None:
    """One entry gets one wrong field; the finding names exactly that entry, and its line."""
    section = draw.draw(st.sampled_from(["nodes", "links"] if data["links"] else ["nodes"]))
    number = draw.draw(st.integers(0, len(data[section]) - 1))
    field, value = draw.draw(st.sampled_from(sorted(FAULTS[section].items(), key=str)))
    data[section][number][field] = value
    expected = 0
    lines = ["kind: network", "version: 1"]
    for name in ("nodes", "links"):
        lines.append(f"{name}:" if data[name] else f"{name}: []")
        for index, entry in enumerate(data[name]):
            if (name, index) == (section, number):
                expected = len(lines) + 1
            lines.append("- " + flow(entry))
    lines += [
        f"{name}: {flow(data[name])}" for name in ("defaults", "controller", "classical") if name in data
    ]
    with pytest.raises(DocumentError) as caught:
        documents.parse_document("\n".join(lines), "f.yaml")
    finding = caught.value.findings[0]
    assert finding.line == expected
    assert finding.field.startswith(f"{section}[{number}]")


def flow(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def test_forms_and_networks() -> None:
    findings = Findings("f")
    assert check_form(Position, {"lon": 1, "lat": 2}, findings) == Position(lon=1, lat=2)
    assert not findings
    assert check_form(Position, {"lon": 1}, findings) is None
    assert findings


def test_findings_of_reading_stop_a_sound_network() -> None:
    findings = Findings("f")
    findings.report(("title",), "a tag", "no tags")
    with pytest.raises(DocumentError, match="a tag"):
        check_network({"kind": "network", "version": 1, "nodes": [{"name": "A"}]}, findings)
