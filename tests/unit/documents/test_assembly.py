"""From a document to what it stands for."""

from __future__ import annotations

import math
from typing import Any

import pytest

from quantum_fabric import devices, documents, links
from quantum_fabric.documents.references import form_of, sound_parts
from quantum_fabric.errors import DocumentError
from quantum_fabric.units import MS, from_seconds


def network(**fields: Any) -> documents.Inventory:
    """Alice - Bob - Carol with 10 km and 30 km of fibre, and whatever else a test says."""
    document = {
        "kind": "network",
        "version": 1,
        "title": "test",
        "defaults": {"profile": "lab-best"},
        "nodes": [{"name": "Alice"}, {"name": "Bob"}, {"name": "Carol"}],
        "links": [
            {"between": ["Alice", "Bob"], "length": "10 km"},
            {"between": ["Bob", "Carol"], "length": "30 km"},
        ],
    }
    return documents.inventory(documents.network_from(document | fields))


def pair(**fields: Any) -> documents.LinkEntry:
    """The only link of a network of two nodes."""
    made = network(nodes=[{"name": "A"}, {"name": "B"}], links=[{"between": ["A", "B"], **fields}])
    return made.links["A~B"]


def test_devices_and_lengths() -> None:
    made = network()
    assert made.nodes["Bob"] == devices.sheet("node", "lab-best")
    link = made.links["Bob~Carol"]
    assert (link.a, link.b, link.length) == ("Bob", "Carol", 30_000.0)
    fibre = devices.sheet("fibre", "smf-28")
    assert link.light_time == fibre.latency(30_000.0)
    assert made.title == "test"
    assert made.positions == {}


def test_links_are_what_the_room_of_links_would_build() -> None:
    node, fibre, detector = (devices.sheet(kind, name) for kind, name in
                             (("node", "lab-best"), ("fibre", "smf-28"), ("detector", "snspd")))  # fmt: skip
    by_hand = links.build("double_click", node, node, fibre, (5_000.0, 5_000.0), detector)  # type: ignore[arg-type]
    assert network().links["Alice~Bob"].model.heralding() == by_hand.heralding()


def test_stations_off_the_middle() -> None:
    entry = pair(station={"arms": ["15 km", "10 km"]})
    assert entry.length == 25_000.0
    heralding = entry.model.heralding()
    assert heralding.heard[0] - heralding.heard[1] != 0
    assert pair(length="25 km", station={"arms": ["15 km", "10 km"]}).model.heralding() == heralding


def test_losses_in_place_of_attenuation() -> None:
    """10 dB over two arms of 5 km, said in four ways."""
    said = [
        {"length": "10 km", "attenuation": "1 dB/km"},
        {"length": "10 km", "loss": "10 dB"},
        {"station": {"arms": ["5 km", "5 km"], "losses": ["5 dB", "5 dB"]}},
        {"length": "10 km", "fibre": {"overrides": {"attenuation": "1 dB/km"}}},
    ]
    found = [pair(**fields).model.heralding().success for fields in said]
    assert found == pytest.approx([found[0]] * 4, rel=1e-12)
    assert pair(length="10 km", loss="10 dB").model.total_transmission() == pytest.approx(0.1, rel=1e-12)


def test_a_measured_loss_is_shared_by_length() -> None:
    uneven = pair(station={"arms": ["6 km", "4 km"]}, loss="10 dB")
    by_arm = pair(station={"arms": ["6 km", "4 km"], "losses": ["6 dB", "4 dB"]})
    assert uneven.model.heralding() == by_arm.model.heralding()


def test_fixed_loss_is_for_each_arm() -> None:
    without = pair(length="10 km").model.total_transmission()
    assert pair(length="10 km", fixed_loss="3 dB").model.total_transmission() / without == pytest.approx(
        10**-0.6, rel=1e-12
    )


def test_modes_of_every_kind_multiply() -> None:
    time = pair(length="10 km", modes=12).model.heralding().success
    mixed = pair(length="10 km", modes=2, frequency_modes=3, space_modes=2).model.heralding().success
    assert mixed == pytest.approx(time, rel=1e-12)
    assert mixed > pair(length="10 km", modes=2).model.heralding().success


def test_architectures_modes_and_sources() -> None:
    assert pair(length="1 km").model.architecture == "double_click"
    assert pair(length="1 km", architecture="single_click").model.architecture == "single_click"
    one, ten = (pair(length="10 km", modes=modes).model.heralding().success for modes in (1, 10))
    assert ten == pytest.approx(1 - (1 - one) ** 10, rel=1e-9)
    middle = pair(length="1 km", architecture="midpoint_source", source="spdc")
    assert middle.model.architecture == "midpoint_source"


def test_parallel_links_with_names() -> None:
    ends = {"between": ["A", "B"], "length": "1 km"}
    made = network(nodes=[{"name": "A"}, {"name": "B"}], links=[ends, {**ends, "name": "second"}])
    assert set(made.links) == {"A~B", "second"}
    assert [view.name for view in documents.topology(made).between("A", "B")] == ["A~B", "second"]


def test_delays_are_the_light_time_of_the_shortest_route() -> None:
    made = network()
    ab, bc = made.links["Alice~Bob"].light_time, made.links["Bob~Carol"].light_time
    assert made.delays["Alice", "Carol"] == made.delays["Carol", "Alice"] == ab + bc
    assert made.delays["Bob", "Bob"] == 0
    assert ab == from_seconds(1.468 * 10_000.0 / 299_792_458.0)


def test_measured_delays_one_way_and_round_trip() -> None:
    made = network(
        classical=[
            {"between": ["Alice", "Bob"], "delay": "1 ms"},
            {"between": ["Carol", "Bob"], "round_trip": "3 ms"},
        ]
    )
    assert made.delays["Bob", "Alice"] == MS
    assert made.delays["Bob", "Carol"] == 3 * MS // 2
    light = made.links["Alice~Bob"].light_time + made.links["Bob~Carol"].light_time
    assert made.delays["Alice", "Carol"] == light


def test_the_controller_sits_where_it_is_told_or_in_the_middle() -> None:
    assert network().controller == "Bob"
    assert network(controller="Carol").controller == "Carol"
    assert network(nodes=[{"name": "A"}], links=[]).controller == "A"


def test_relays() -> None:
    made = network(
        defaults={"node": {"relays": False}},
        nodes=[{"name": "Alice"}, {"name": "Bob", "relays": True}, {"name": "Carol"}],
    )
    assert made.relays == {"Bob"}
    top = documents.topology(made)
    assert [top.nodes[name].relays for name in ("Alice", "Bob", "Carol")] == [False, True, False]


def test_positions() -> None:
    nodes = [{"name": n, "position": {"lon": k, "lat": -k}} for k, n in enumerate(["Alice", "Bob", "Carol"])]
    assert network(nodes=nodes).positions["Carol"] == (2.0, -2.0)
    nodes = [
        {"name": n, "position": {"x": f"{k} km", "y": "5 m"}} for k, n in enumerate(["Alice", "Bob", "Carol"])
    ]
    assert network(nodes=nodes).positions["Carol"] == (2000.0, 5.0)


def test_topologies_believe_what_the_inventory_says() -> None:
    made = network(nodes=[{"name": "Alice", "slots": 3}, {"name": "Bob"}, {"name": "Carol"}])
    top = documents.topology(made)
    node = made.nodes["Alice"]
    model = top.nodes["Alice"]
    assert (model.slots, model.swap_time) == (3, node.swap_time)
    assert model.memory == node.memory_noise()
    assert model.operations == node.operation_noise()
    view = top.links["Alice~Bob"]
    assert view.model is made.links["Alice~Bob"].model
    assert (view.light_time, view.length) == (made.links["Alice~Bob"].light_time, 10_000.0)
    assert top.delay("Alice", "Carol") == made.delays["Alice", "Carol"]
    assert top.controller == made.controller


def test_a_link_that_its_parts_do_not_make() -> None:
    with pytest.raises(
        DocumentError, match=r"links\[0\]\.source: found nothing, expected source: a source sheet"
    ):
        pair(length="1 km", architecture="midpoint_source")


def test_extremes_that_physics_allows() -> None:
    assert pair(length="1 nm").length == pytest.approx(1e-9)
    far = pair(length="20000 km")
    assert 0.0 <= far.model.heralding().success < 1e-12
    ideal = network(defaults={"profile": "ideal"})
    assert ideal.nodes["Bob"].memory.t2 == math.inf


def test_sound_parts_of_anything() -> None:
    for data in (
        None,
        5,
        [],
        {},
        {"nodes": 5, "links": {}},
        {"nodes": [5, None], "links": [[]], "classical": "x"},
    ):
        form = sound_parts(data)
        assert (form.nodes, form.links, form.classical, form.known) == ((), (), (), None)


def test_sound_parts_keep_their_numbers() -> None:
    data = {
        "nodes": [{"name": "A", "colour": 1}, 7, {"name": "C"}],
        "links": [
            {},
            {"between": ["A", "C"], "length": "-1 km", "modes": 2},
            {"between": ["A", "C"], "loss": 3},
        ],
        "classical": [{"between": ["A", "C"]}],
        "controller": "C",
    }
    form = sound_parts(data)
    assert [(number, node.name) for number, node in form.nodes] == [(0, "A"), (2, "C")]
    assert [(number, link.modes) for number, link in form.links] == [(1, 2), (2, None)]
    assert form.classical[0][1].between == ("A", "C")
    assert form.known is None
    assert form.controller == "C"


def test_the_form_of_a_document_is_all_of_it() -> None:
    document = documents.load_network("chicago")
    form = form_of(document)
    assert [node for _, node in form.nodes] == list(document.nodes)
    assert form.known == tuple(node.name for node in document.nodes)
