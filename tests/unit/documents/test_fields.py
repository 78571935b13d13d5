"""The kinds of field that documents are made of."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from quantum_fabric.documents.fields import MAX_NAME, Entry, Length, Name, Quantity, check_name, check_text
from quantum_fabric.errors import InputError, QuantityError


class Sample(Entry):
    name: Name
    length: Length | None = None
    slots: int = 2


def test_entries_keep_what_was_written() -> None:
    sample = Sample.model_validate({"name": "A", "length": "25.0 km"})
    assert sample.plain() == {"name": "A", "length": "25.0 km"}
    assert Sample.model_validate(sample.plain()) == sample


def test_entries_are_frozen_and_closed() -> None:
    sample = Sample(name="A")
    with pytest.raises(ValidationError, match="frozen"):
        sample.slots = 3  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Sample.model_validate({"name": "A", "colour": "red"})


@pytest.mark.parametrize(
    "name", ["A", "Den Haag", "UChicago_PME", "A~B#1", "Zürich", "x" * MAX_NAME, "1", "-"]
)
def test_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", " A", "A ", "a\nb", "a\tb", "x" * (MAX_NAME + 1), "\u200b", None, ["A"], {}]
)
def test_what_is_no_name(name: object) -> None:
    with pytest.raises(InputError, match="a name"):
        check_name(name)


@pytest.mark.parametrize("name", [1, 1.5, True])
def test_numbers_are_names_in_quotes(name: object) -> None:
    with pytest.raises(InputError, match="put it in quotes"):
        check_name(name)


def test_prose_may_have_lines_but_no_control_characters() -> None:
    assert check_text("one\n\ttwo") == "one\n\ttwo"
    for text in ("\x00", "a\x1b[31m", "a\rb", "\x85", "\ud800", "\ufffe"):
        with pytest.raises(InputError, match="control characters"):
            check_text(text)


def test_bounds_of_quantities() -> None:
    assert Quantity("time")("0 s") == "0 s"
    assert Quantity("length", low=-1.0, high=1.0)("-1 m") == "-1 m"
    with pytest.raises(QuantityError, match=re.escape("a length of at least -1 and below 1 such as '25 km'")):
        Quantity("length", low=-1.0, high=1.0)("1 m")
    with pytest.raises(QuantityError, match="a time above 0"):
        Quantity("time", above=True)("0 s")
    with pytest.raises(QuantityError, match="a time"):
        Quantity("time")("inf s")
    with pytest.raises(QuantityError, match="a loss of at least 0"):
        Quantity("loss")(["3 dB"])


def test_the_schema_of_a_quantity_accepts_what_the_check_accepts() -> None:
    for kind, good in (
        ("length", "25 km"),
        ("time", "1.5e3 µs"),
        ("attenuation", "0.2 dB/km"),
        ("frequency", "5 1/s"),
    ):
        check = Quantity(kind)
        schema = check.schema()
        assert re.search(schema["pattern"], check(good))
        assert re.search(schema["pattern"], check(schema["examples"][0]))
        for bad in ("25", "km", "25 parsec", ""):
            assert not re.search(schema["pattern"], bad)
            with pytest.raises(QuantityError):
                check(bad)
