"""What importers have in common: lengths, merging, repeaters."""

from __future__ import annotations

import math

import pytest

from quantum_fabric.documents.fields import check_name
from quantum_fabric.documents.sketch import (
    Sketch,
    Span,
    Spot,
    check_detour,
    great_circle,
    grow,
    kilometres,
    merged,
    printable,
    spanned,
    stretched,
    tree_of,
)
from quantum_fabric.errors import QuantityError


def spot(name: str, lon: float, lat: float) -> Spot:
    return Spot(name, {"position": {"lon": lon, "lat": lat}})


def test_great_circles() -> None:
    """A quarter of the equator, pole to pole, and Delingha - Nanshan as published (1119.7 km; 0.6 % for the sphere)."""
    quarter = math.pi / 2 * 6_371_008.8
    assert great_circle({"lon": 0, "lat": 0}, {"lon": 90, "lat": 0}) == pytest.approx(quarter, rel=1e-12)
    assert great_circle({"lon": 5, "lat": 90}, {"lon": 70, "lat": -90}) == pytest.approx(
        2 * quarter, rel=1e-12
    )
    assert great_circle({"lon": 7, "lat": 50}, {"lon": 7, "lat": 50}) == 0.0
    found = great_circle({"lat": 37.378786, "lon": 97.726947}, {"lat": 43.475461, "lon": 87.176686})
    assert found == pytest.approx(1_119_700.0, rel=6e-3)


def test_lengths_from_positions() -> None:
    sketch = Sketch(
        (spot("A", 0, 0), spot("B", 1, 0), Spot("C")),
        (Span("A", "B", None), Span("A", "C", None), Span("B", "A", 5.0)),
    )
    lengths = [span.length for span in stretched(sketch, 2.0).spans]
    assert lengths[0] == pytest.approx(2 * math.radians(1) * 6_371_008.8)
    assert lengths[1:] == [None, 5.0]


@pytest.mark.parametrize("detour", [0.99, 10.01, -1.0, math.nan, math.inf])
def test_detours_that_no_fibre_takes(detour: float) -> None:
    with pytest.raises(QuantityError, match="a factor from 1 to 10"):
        check_detour(detour)


def test_detours() -> None:
    assert [check_detour(detour) for detour in (1.0, 1.5, 10.0)] == [1.0, 1.5, 10.0]


def test_merging_chains_of_nodes_at_one_place() -> None:
    names = "ABCDE"
    spans = (
        Span("B", "C", 0.0),
        Span("C", "A", 0.0),
        Span("A", "D", 7.0),
        Span("C", "D", 5.0),
        Span("D", "E", 3.0),
    )
    result = merged(Sketch(tuple(map(Spot, names)), spans))
    assert [s.name for s in result.spots] == ["A", "D", "E"]
    assert [(s.a, s.b, s.length) for s in result.spans] == [("A", "D", 5.0), ("D", "E", 3.0)]


def test_merging_nothing_changes_nothing() -> None:
    sketch = Sketch((Spot("A"), Spot("B")), (Span("A", "B", 1.0),))
    assert merged(sketch) == sketch


def test_repeaters_are_even_and_on_the_line() -> None:
    both = spanned(Sketch((spot("A", 0, 10), spot("B", 4, 30)), (Span("A", "B", 100e3, {"modes": 3}),)), 30e3)
    assert [s.name for s in both.spots] == ["A", "B", "A~B#1", "A~B#2", "A~B#3"]
    assert both.spots[2].fields["position"] == {"lon": 1.0, "lat": 15.0}
    assert [(s.a, s.b, s.length) for s in both.spans] == [
        ("A", "A~B#1", 25e3),
        ("A~B#1", "A~B#2", 25e3),
        ("A~B#2", "A~B#3", 25e3),
        ("A~B#3", "B", 25e3),
    ]
    assert [s.fields for s in both.spans] == [{"modes": 3, "name": f"A~B:{n}"} for n in (1, 2, 3, 4)]
    assert all(check_name(s.name) for s in both.spots)


def test_spans_that_fit_stay_as_they_are() -> None:
    spans = (
        Span("A", "B", 30e3),
        Span("A", "B", 90e3, {"loss": "9 dB"}),
        Span("A", "B", 90e3, {"station": {}}),
        Span("A", "B", None),
    )
    sketch = Sketch((Spot("A"), Spot("B")), spans)
    assert spanned(sketch, 30e3) == sketch


def test_named_spans_give_their_name_to_the_pieces() -> None:
    both = spanned(Sketch((Spot("A"), Spot("B")), (Span("A", "B", 50e3, {"name": "trunk"}),)), 30e3)
    assert both.spots[2].name == "trunk#1"
    assert both.spots[2].fields == {}
    assert [s.fields["name"] for s in both.spans] == ["trunk:1", "trunk:2"]


def test_a_longest_fibre_of_nothing() -> None:
    with pytest.raises(QuantityError, match="max_span"):
        spanned(Sketch((), ()), 0.0)


@pytest.mark.parametrize(
    ("text", "name"), [("a\tb", "a b"), ("  ", "unnamed"), ("x" * 100, "x" * 80), ("Zürich", "Zürich")]
)
def test_any_text_can_be_made_a_name(text: str, name: str) -> None:
    assert printable(text) == name
    assert check_name(printable(text)) == name


def test_trees_know_their_lines() -> None:
    sketch = Sketch(
        (Spot("A", {"slots": 2}, 5), Spot("B", {}, 6)),
        (Span("A", "B", 2.5e3, {"modes": 1}, 9),),
        {"title": "t"},
    )
    tree = tree_of(sketch)
    assert tree.plain() == {
        "kind": "network",
        "version": 1,
        "title": "t",
        "nodes": [{"name": "A", "slots": 2}, {"name": "B"}],
        "links": [{"between": ["A", "B"], "length": "2.5 km", "modes": 1}],
    }
    assert tree.line_of(("nodes", 1, "name")) == 6
    assert tree.line_of(("links", 0, "modes")) == 9
    assert tree.line_of(("links", 0, "between", 1)) == 9
    assert tree.line_of(("title",)) == 1


def test_growing() -> None:
    assert grow({"a": [1, {"b": None}]}, 3).plain() == {"a": [1, {"b": None}]}


def test_kilometres() -> None:
    assert [kilometres(x) for x in (1.0, 92445.0, 1e6)] == ["0.001 km", "92.445 km", "1000 km"]
