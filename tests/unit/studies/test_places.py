"""Paths lead to one place in the documents, and say what is wrong where they do not."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import pytest

from quantum_fabric import documents
from quantum_fabric.errors import InputError
from quantum_fabric.studies.places import NETWORK, place, put

CHICAGO: dict[str, Any] = documents.load_network("chicago").plain()


def changed(before: Any, after: Any, where: str = "") -> list[str]:
    """Places in which two JSON-shaped values differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted(before.keys() | after.keys())
        return [one for key in keys for one in changed(before.get(key), after.get(key), f"{where}.{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [one for n, pair in enumerate(zip(before, after)) for one in changed(*pair, f"{where}[{n}]")]
    return [] if before == after else [where]


@pytest.mark.parametrize(
    ("path", "value", "touched"),
    [
        ("links[0].length", "5 km", [".links[0].length"]),
        ("links[NU~StarLight].length", "5 km", [".links[0].length"]),
        ("nodes[NU].slots", 3, [".nodes[0].slots"]),
        ("nodes[0].memory.T2", "5 ms", [".nodes[0].overrides"]),
        ("defaults.fibre.attenuation", "0.17 dB/km", [".defaults.fibre.overrides.attenuation"]),
        ("links[1].detector.efficiency", 0.9, [".links[1].station"]),
        ("links[1].station.detector.efficiency", 0.9, [".links[1].station"]),
        ("controller", "NU", [".controller"]),
    ],
)
def test_one_place_is_changed_and_no_other(path: str, value: Any, touched: list[str]) -> None:
    before = deepcopy(CHICAGO)
    after = put(CHICAGO, place(path), value)
    assert before == CHICAGO, "the document itself was changed"
    assert changed(CHICAGO, after) == touched or path == "controller"


def test_a_star_means_all() -> None:
    after = put(CHICAGO, place("nodes.*.slots"), 9)
    assert {node["slots"] for node in after["nodes"]} == {9}


def test_a_device_named_by_a_bare_word_keeps_its_sheet() -> None:
    plain = {"kind": "network", "version": 1, "defaults": {"fibre": "smf-28"}, "nodes": [{"name": "A"}]}
    after = put(plain, place("defaults.fibre.attenuation"), "0.15 dB/km")
    assert after["defaults"]["fibre"] == {"sheet": "smf-28", "overrides": {"attenuation": "0.15 dB/km"}}
    assert documents.network_from(after).defaults.fibre is not None


def test_an_override_reaches_the_device() -> None:
    after = put(CHICAGO, place("nodes[NU].memory.T2"), "7 ms")
    inventory = documents.inventory(documents.network_from(after))
    assert inventory.nodes["NU"].memory.t2 == 7e-3
    assert inventory.nodes["StarLight"].memory.t2 != 7e-3


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "a path such as"),
        ("links[0", "a path such as"),
        ("links..length", "a path such as"),
        ("knobs.a", "a path that starts with"),
        ("links[99].length", "there are 10 links"),
        ("links[Nowhere].length", "an entry of links"),
        ("links[0]", "ends at a value"),
        ("links", "ends at a value"),
        ("links[0].lenght", "did you mean 'length'"),
        ("plan.speed", "a decision of the planner"),
    ],
)
def test_wrong_paths(path: str, words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        put(CHICAGO, place(path), 1)


def test_every_part_of_a_network_document_can_be_addressed() -> None:
    fields = {field.alias or name for name, field in documents.NetworkDocument.model_fields.items()}
    assert set(NETWORK) <= fields
