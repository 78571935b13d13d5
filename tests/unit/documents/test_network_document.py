"""The form of a network document."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from quantum_fabric.documents.network_document import (
    Choice,
    ClassicalEntry,
    LinkDocument,
    NetworkDocument,
    NodeDefaults,
    NodeEntry,
    Position,
    Provenance,
)


def wrong(model: type[Any], **fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(fields)
    return str(caught.value.errors()[0].get("ctx", {}).get("error", caught.value.errors()[0]["msg"]))


def test_a_bare_name_chooses_a_sheet() -> None:
    assert Choice.model_validate("ull") == Choice(sheet="ull")
    assert NodeDefaults.model_validate("future").sheet == "future"
    assert LinkDocument.model_validate(
        {"between": ["A", "B"], "length": "1 km", "fibre": "ull"}
    ).fibre == Choice(sheet="ull")


def test_choices_are_written_out_in_full() -> None:
    link = LinkDocument.model_validate({"between": ["A", "B"], "length": "1 km", "fibre": "ull"})
    assert link.plain()["fibre"] == {"sheet": "ull"}
    assert LinkDocument.model_validate(link.plain()) == link


def test_labels_of_links() -> None:
    assert LinkDocument(between=("A", "B"), length="1 km").label == "A~B"
    assert LinkDocument(between=("A", "B"), length="1 km", name="trunk").label == "trunk"


@pytest.mark.parametrize(
    "fields",
    [
        {"length": "1 km"},
        {"length": "1 km", "attenuation": "0.2 dB/km", "fixed_loss": "1 dB"},
        {"length": "1 km", "loss": "3 dB"},
        {"station": {"arms": ["1 km", "2 km"]}},
        {"station": {"arms": ["1 km", "2 km"], "losses": ["1 dB", "0 dB"]}},
        {"length": "1 km", "station": {"losses": ["1 dB", "0 dB"]}},
        {"length": "1 km", "station": {"detector": "snspd"}},
    ],
)
def test_links_that_say_enough(fields: dict[str, Any]) -> None:
    link = LinkDocument.model_validate({"between": ["A", "B"], **fields})
    assert LinkDocument.model_validate(link.plain()) == link


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "length: a length above 0"),
        ({"station": {"detector": "snspd"}}, "length: a length above 0"),
        ({"length": "1 km", "loss": "1 dB", "fixed_loss": "1 dB"}, "found fixed_loss beside loss"),
        (
            {"length": "1 km", "loss": "1 dB", "station": {"losses": ["1 dB", "1 dB"]}},
            "loss beside station.losses",
        ),
        (
            {"length": "1 km", "attenuation": "1 dB/km", "station": {"losses": ["1 dB", "1 dB"]}},
            "attenuation beside station.losses",
        ),
        (
            {"length": "1 km", "attenuation": "1 dB/km", "fixed_loss": "1 dB", "loss": "1 dB"},
            "attenuation beside fixed_loss beside loss",
        ),
    ],
)
def test_links_that_say_too_little_or_too_much(fields: dict[str, Any], said: str) -> None:
    assert said in wrong(LinkDocument, between=["A", "B"], **fields)


def test_positions_on_the_earth_and_on_paper() -> None:
    assert Position(lon=180, lat=-90).lon == 180
    assert Position(x="-3 km", y="0 m").x == "-3 km"
    for fields in (
        {},
        {"lon": 1},
        {"x": "1 m"},
        {"lon": 1, "y": "1 m"},
        {"lon": 1, "lat": 1, "x": "1 m", "y": "1 m"},
    ):
        assert "lon and lat" in wrong(Position, **fields)
    for fields in (
        {"lon": 181, "lat": 0},
        {"lon": 0, "lat": -91},
        {"lon": True, "lat": 0},
        {"lon": float("nan"), "lat": 0},
    ):
        assert wrong(Position, **fields)


def test_delays_one_way_or_both() -> None:
    assert ClassicalEntry(between=("A", "B"), delay="0 s").delay == "0 s"
    assert ClassicalEntry(between=("A", "B"), round_trip="1 ms").delay is None
    assert "one of delay and round_trip" in wrong(ClassicalEntry, between=["A", "B"])


def test_standing_of_sources() -> None:
    for standing in ("primary", "secondary", "recalled", "computed", "assumed"):
        assert (
            Provenance.model_validate({"what": "w", "source": "s", "standing": standing}).standing == standing
        )
    assert wrong(Provenance, what="w", source="s", standing="certain")


def test_nodes_take_no_guesses() -> None:
    assert NodeEntry(name="A").plain() == {"name": "A"}
    for fields in (
        {"slots": "2"},
        {"slots": 2.0},
        {"slots": True},
        {"relays": "yes"},
        {"relays": 1},
        {"overrides": []},
    ):
        assert wrong(NodeEntry, name="A", **fields)


def test_the_least_document() -> None:
    document = NetworkDocument.model_validate({"kind": "network", "version": 1, "nodes": [{"name": "A"}]})
    assert (document.links, document.classical, document.controller, document.title) == ((), (), None, "")
    assert document.defaults.profile is None
    assert hash(document.nodes[0].name)


def test_documents_are_mappings() -> None:
    for data in (None, [], "network", 5):
        with pytest.raises(ValidationError, match="a mapping that starts with 'kind: network'"):
            NetworkDocument.model_validate(data)
