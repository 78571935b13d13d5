"""Shared stations in documents."""

from __future__ import annotations

from typing import Any

import pytest

from quantum_fabric.documents import inventory, network_from, topology
from quantum_fabric.errors import DocumentError


def written(**changes: Any) -> dict[str, Any]:
    links: list[dict[str, Any]] = [
        {"between": pair, "length": "2 km", "station": "hub"} for pair in (["A", "B"], ["C", "D"], ["B", "C"])
    ]
    made: dict[str, Any] = {
        "kind": "network", "version": 1, "defaults": {"profile": "ideal"}, "links": links,
        "nodes": [{"name": name} for name in "ABCD"],
        "stations": [{"name": "hub", "analysers": 2, "switching": "2 ms", "dead_time": "50 ns"}],
    }  # fmt: skip
    return made | changes


def test_links_name_their_station_and_planning_knows_it() -> None:
    made = inventory(network_from(written()))
    hub = made.stations["hub"]
    assert (hub.links, hub.analysers, hub.switching, hub.dead_time) == (
        ("A~B", "C~D", "B~C"), 2, 2 * 10**9, 50_000,
    )  # fmt: skip
    assert topology(made).stations == made.stations
    assert topology(made).without(links=["A~B"]).stations == made.stations


def test_a_document_is_written_out_as_it_was() -> None:
    document = network_from(written())
    assert network_from(document.plain()) == document
    assert document.plain()["stations"] == written()["stations"]


def test_dead_time_is_that_of_the_slowest_detector_where_nothing_is_said() -> None:
    slow = {"sheet": "ideal", "overrides": {"dead_time": "40 ns"}}
    links = written()["links"]
    links[1]["station"] = {"shared": "hub", "detector": slow}
    made = inventory(network_from(written(links=links, stations=[{"name": "hub"}])))
    assert made.stations["hub"].dead_time == 40_000
    assert made.stations["hub"].analysers == 1


@pytest.mark.parametrize(
    ("change", "where", "said"),
    [
        ({"stations": []}, "links[0].station.shared", "'hub'"),
        ({"stations": [{"name": "hup"}]}, "links[0].station.shared", "did you mean 'hup'"),
        ({"stations": [{"name": "hub"}, {"name": "hub"}]}, "stations[1].name", "a second station"),
        ({"stations": [{"name": "hub", "analysers": 0}]}, "stations[0].analysers", "0"),
        ({"stations": [{"name": "hub", "switching": "-1 ms"}]}, "stations[0].switching", "-1 ms"),
        ({"stations": [{"name": "hub", "ports": 3}]}, "stations[0].ports", "ports"),
        (
            {"links": [{"between": ["A", "B"], "length": "2 km", "station": "hub", "architecture": "sender_receiver"}]},
            "links[0].station.shared", "no analyser in the middle",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_with_its_place(change: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        network_from(written(**change))
    assert where in str(caught.value)
    assert said in str(caught.value)
