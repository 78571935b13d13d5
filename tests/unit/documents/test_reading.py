"""YAML in, a tree with lines out."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.documents.reading import (
    MAX_ALIASES,
    MAX_DEPTH,
    MAX_VALUES,
    Tree,
    compose,
    dotted,
    plain_scalar,
    quoted,
)
from quantum_fabric.errors import DocumentError


def read(text: str) -> object:
    tree, findings = compose(text, "t.yaml")
    assert findings == []
    return tree.plain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("NO", "NO"),
        ("2024-01-01", "2024-01-01"),
        ("12:30:00", "12:30:00"),
        ("1e-3", 1e-3),
        (".5", 0.5),
        ("-7", -7),
        ("+7", 7),
        ("007", 7),
        ("0x1F", 31),
        ("0o17", 15),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("25 km", "25 km"),
        ("Φ+", "Φ+"),
        ("1.2.3", "1.2.3"),
        ("٣", "٣"),
    ],
)
def test_scalars_of_the_core_schema(text: str, value: object) -> None:
    found = plain_scalar(text)
    assert found == value
    assert type(found) is type(value)
    if text:
        assert read(f"a: {text}") == {"a": value}


def test_quotes_make_text() -> None:
    assert read("{a: '1', b: \"true\", c: 'null'}") == {"a": "1", "b": "true", "c": "null"}


def test_infinities_are_numbers_that_no_document_may_have() -> None:
    assert plain_scalar("-.inf") == -math.inf
    nan = plain_scalar(".nan")
    assert isinstance(nan, float)
    assert math.isnan(nan)


def test_keys_are_text() -> None:
    assert read("1: a\ntrue: b\nx y: c\n") == {"1": "a", "true": "b", "x y": "c"}


def test_aliases_stand_for_what_they_name() -> None:
    assert read("a: &x {k: [1, 2]}\nb: *x\nc: &y 5\nd: *y") == {
        "a": {"k": [1, 2]},
        "b": {"k": [1, 2]},
        "c": 5,
        "d": 5,
    }


def test_there_are_no_merge_keys() -> None:
    assert read("a: &x {k: 1}\nb: {<<: *x}") == {"a": {"k": 1}, "b": {"<<": {"k": 1}}}


def test_blocks_and_flows() -> None:
    text = "a: >\n  one\n  two\nb: |\n  one\n  two\nc:\n- 1\n-\n  - 2\nd: {e: [], f: {}}\n"
    assert read(text) == {"a": "one two\n", "b": "one\ntwo\n", "c": [1, [2]], "d": {"e": [], "f": {}}}


def test_lines_of_values_and_keys() -> None:
    tree, _ = compose("kind: network\n\nlinks:\n- length:\n    25 km\n  name: x\n- {name: y}\n", "t.yaml")
    lines = {
        (): 1,
        ("kind",): 1,
        ("links",): 3,
        ("links", 0): 4,
        ("links", 0, "length"): 4,
        ("links", 0, "name"): 6,
        ("links", 1, "name"): 7,
        ("links", 2): 3,
        ("links", "x"): 3,
        ("links", 0, "loss"): 4,
        ("nodes", 3): 1,
    }
    assert {place: tree.line_of(place) for place in lines} == lines


def test_a_key_that_stands_twice_keeps_its_first_value() -> None:
    tree, findings = compose("a: {x: 1, x: 2}\nb: [{y: 1}, {y: 1, y: 3}]", "t.yaml")
    assert tree.plain() == {"a": {"x": 1}, "b": [{"y": 1}, {"y": 1}]}
    assert [(finding.line, finding.field) for finding in findings] == [(1, "a.x"), (2, "b[1].y")]


def test_bounds_are_where_they_are_said_to_be() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(DocumentError, match="levels"):
        compose("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "t.yaml")
    assert read("a: &a 1\nb: [" + "*a, " * MAX_ALIASES + "]")
    assert MAX_VALUES == 250_000


def test_aliases_count_in_full() -> None:
    wide = "a: &a [" + "x, " * 1000 + "]\n"
    assert compose(wide + "b: [" + "*a, " * 200 + "]", "t.yaml")
    with pytest.raises(DocumentError, match="values"):
        compose(wide + "b: [" + "*a, " * 260 + "]", "t.yaml")


def test_json_is_read_too() -> None:
    data = {"a": [1, 2.5, True, None, "x\ny", "Zürich", "🙂"], "b": {"c": {}}}
    assert read(json.dumps(data)) == data
    assert read(json.dumps(data, indent=2, ensure_ascii=False)) == data


def test_places_are_written_as_people_do() -> None:
    assert dotted(()) == ""
    assert dotted(("nodes", 0)) == "nodes[0]"
    assert dotted((0, "a")) == "[0].a"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        (1.5, "1.5"),
        ([1, 2], "a list of 2"),
        ({}, "a mapping"),
        ("é", "'é'"),
    ],
)
def test_what_was_found_in_words(value: object, text: str) -> None:
    assert quoted(value) == text


def test_trees_made_by_hand() -> None:
    tree = Tree([Tree("x", 7)], 3)
    assert tree.plain() == ["x"]
    assert (tree.line_of((0,)), tree.line_of((5,))) == (7, 3)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(plain)
def test_all_json_reads_back(value: object) -> None:
    if value is not None:
        assert read(json.dumps({"v": value})) == {"v": value}
