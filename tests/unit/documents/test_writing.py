"""YAML out, and back in again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.documents.reading import compose
from quantum_fabric.documents.writing import WIDTH, to_yaml


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("25 km", "25 km"),
        ("-6.25 km", "-6.25 km"),
        ("0.2 dB/km", "0.2 dB/km"),
        ("A~B", "A~B"),
        ("12", '"12"'),
        ("1e3", '"1e3"'),
        ("0x1", '"0x1"'),
        ("true", '"true"'),
        ("null", '"null"'),
        ("no", "no"),
        ("", '""'),
        (" a", '" a"'),
        ("a ", '"a "'),
        ("a  b", '"a  b"'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("?0", '"?0"'),
        ("- a", '"- a"'),
        ("---", '"---"'),
        ('say "x"', '"say \\"x\\""'),
        ("two\nlines", '"two\\nlines"'),
        ("\x85", '"\\x85"'),
        ("\u2028", '"\\u2028"'),
        ("Zürich", '"Zürich"'),
        (12, "12"),
        (0.2, "0.2"),
        (1e-07, "1e-07"),
        (True, "true"),
        (None, "null"),
        ([], "[]"),
        ({}, "{}"),
        (["a", 1], "[a, 1]"),
    ],
)
def test_how_values_are_written(value: object, written: str) -> None:
    text = to_yaml({"key": value})
    assert text == f"key: {written}\n"
    assert compose(text, "t")[0].plain() == {"key": value}


def test_long_prose_is_folded() -> None:
    prose = "word " * 50 + "end"
    for text in (prose, prose + "\n"):
        written = to_yaml({"description": text})
        assert written.startswith(
            "description: >\n  word" if text.endswith("\n") else "description: >-\n  word"
        )
        assert max(map(len, written.splitlines())) <= WIDTH
        assert compose(written, "t")[0].plain() == {"description": text}


def test_long_prose_that_folding_would_change_is_quoted() -> None:
    for text in ("word  " * 50, " word" * 50, "word\n" * 50, "w" * 200, "é\x85" * 100):
        assert compose(to_yaml({"description": text}), "t")[0].plain() == {"description": text}


def test_records_stand_on_a_line_where_they_fit() -> None:
    data = {"nodes": [{"name": "A"}, {"name": "B" * 80, "note": "n" * 80}], "position": {"x": {"y": 1}}}
    assert to_yaml(data).splitlines() == [
        "nodes:",
        "- {name: A}",
        f"- name: {'B' * 80}",
        f"  note: {'n' * 80}",
        "position:",
        "  x: {y: 1}",
    ]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=150)
    | st.text("ab -:#?{}[],&*!|>%@`'\"\n.~+", max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=400, derandomize=True)
@given(st.dictionaries(st.text(min_size=1, max_size=5), values, min_size=1, max_size=4))
def test_everything_reads_back(data: dict[str, object]) -> None:
    data = {key: value for key, value in data.items() if key.isprintable()}
    if data:
        tree, findings = compose(to_yaml(data), "t")
        assert findings == []
        assert tree.plain() == data
