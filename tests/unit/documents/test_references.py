"""Do the names in a network document agree with each other?"""

from __future__ import annotations

from typing import Any

import pytest

from quantum_fabric.documents.reading import dotted
from quantum_fabric.documents.references import check_references, sound_parts

NODES = [{"name": "A"}, {"name": "B"}, {"name": "C"}]


def told(**fields: Any) -> list[tuple[str, str]]:
    """Field and what was found, for each fault."""
    found: list[tuple[str, str]] = []
    form = sound_parts({"nodes": NODES, **fields})
    check_references(form, lambda place, what, expected: found.append((dotted(place), what)))
    return found


def link(a: str, b: str, **fields: Any) -> dict[str, Any]:
    return {"between": [a, b], "length": "1 km", **fields}


def test_names_that_agree() -> None:
    ends = {"between": ["C", "A"], "delay": "1 ms"}
    assert told(links=[link("A", "B"), link("B", "C")], classical=[ends], controller="B") == []


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"nodes": [*NODES, {"name": "A"}]}, [("nodes[3].name", "a second node 'A' (first is nodes[0])")]),
        (
            {"nodes": [{"name": "A"}, {"name": "A"}, {"name": "A"}]},
            [
                ("nodes[1].name", "a second node 'A' (first is nodes[0])"),
                ("nodes[2].name", "a second node 'A' (first is nodes[0])"),
            ],
        ),
        ({"links": [link("A", "A")]}, [("links[0].between", "'A' twice")]),
        ({"links": [link("A", "X")]}, [("links[0].between[1]", "'X'")]),
        ({"links": [link("X", "Y")]}, [("links[0].between[0]", "'X'"), ("links[0].between[1]", "'Y'")]),
        (
            {"links": [link("X", "X")]},
            [
                ("links[0].between[0]", "'X'"),
                ("links[0].between[1]", "'X'"),
                ("links[0].between", "'X' twice"),
            ],
        ),
        (
            {"links": [link("A", "B"), link("A", "B")]},
            [("links[1].name", "a second link 'A~B' (first is links[0])")],
        ),
        (
            {"links": [link("A", "B"), link("B", "A")]},
            [("links[1]", "a second link between 'B' and 'A' (first is links[0])")],
        ),
        (
            {"links": [link("A", "B"), link("B", "C", name="A~B")]},
            [("links[1].name", "a second link 'A~B' (first is links[0])")],
        ),
        ({"links": [link("A", "B", name="x"), link("A", "B", name="y"), link("A", "B")]}, []),
        ({"classical": [{"between": ["A", "X"], "delay": "1 s"}]}, [("classical[0].between[1]", "'X'")]),
        ({"classical": [{"between": ["A", "A"], "delay": "1 s"}]}, [("classical[0].between", "'A' twice")]),
        (
            {
                "classical": [
                    {"between": ["A", "B"], "delay": "1 s"},
                    {"between": ["B", "A"], "round_trip": "1 s"},
                ]
            },
            [("classical[1]", "a second delay between these nodes (first is classical[0])")],
        ),
        ({"controller": "X"}, [("controller", "'X'")]),
    ],
)
def test_names_that_do_not(fields: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert told(**fields) == found


def test_a_node_whose_name_cannot_be_read_hides_no_other_fault_and_makes_none() -> None:
    nodes = [{"name": 7}, {"name": "B"}, {"name": "B"}]
    assert told(nodes=nodes, links=[link("Seven", "B"), link("B", "B")], controller="Seven") == [
        ("nodes[2].name", "a second node 'B' (first is nodes[1])"),
        ("links[1].between", "'B' twice"),
    ]


def test_entries_with_other_faults_are_looked_at_too() -> None:
    wrong = {**link("A", "X"), "length": "-1 km", "colour": "red"}
    late = {"between": ["A", "Y"], "delay": 5}
    assert told(links=[wrong], classical=[late]) == [
        ("links[0].between[1]", "'X'"),
        ("classical[0].between[1]", "'Y'"),
    ]


def test_defaults_with_a_fault_keep_the_rest() -> None:
    form = sound_parts({"nodes": NODES, "defaults": {"profile": "future", "modes": 0, "colour": "red"}})
    assert form.defaults is not None
    assert (form.defaults.profile, form.defaults.modes) == ("future", None)
    assert sound_parts({"defaults": 5}).defaults is not None


def test_nothing_is_no_form() -> None:
    assert sound_parts(None).nodes == ()
    assert sound_parts({}).defaults is not None
