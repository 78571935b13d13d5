"""What comes from outside is checked, and an error never shows more than a line of it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from quantum_fabric.errors import InputError
from quantum_fabric.messages import Bell
from quantum_fabric.standards import reading


@pytest.mark.parametrize("value", [True, 1.0, "1", None, -1, 8, 10**400, [1]])
def test_integers(value: Any) -> None:
    with pytest.raises(InputError, match=r"x: found .*, expected an integer from 0 to 7"):
        reading.integer(value, 0, 7, "x")
    assert reading.integer(7, 0, 7, "x") == 7


@pytest.mark.parametrize("value", [True, math.nan, math.inf, "0.5", None, 1.01, 10**400])
def test_numbers(value: Any) -> None:
    with pytest.raises(InputError):
        reading.number(value, 0.0, 1.0, "x")
    assert reading.number(1, 0.0, 1.0, "x") == 1.0


@pytest.mark.parametrize("value", ["", "x" * 257, 3, None, ["a"]])
def test_texts(value: Any) -> None:
    with pytest.raises(InputError):
        reading.text(value, "x")


@pytest.mark.parametrize("value", [0, 1, None, "true"])
def test_flags(value: Any) -> None:
    with pytest.raises(InputError):
        reading.flag(value, "x")


def test_fields_lists_and_names() -> None:
    assert reading.fields({"a": 1, "b": 2}, ["a"], "x", ["b"]) == {"a": 1, "b": 2}
    for shape in (None, [], {}, {"a": 1, "c": 2}, {"a": 1, 3: 2}):
        with pytest.raises(InputError):
            reading.fields(shape, ["a"], "x", ["b"])
    with pytest.raises(InputError, match="3 entries"):
        reading.entries([1, 2, 3], 2, "x")
    with pytest.raises(InputError):
        reading.entries((1,), 2, "x")
    for value in ("phi_plus", 0, None, ["PHI_PLUS"]):
        with pytest.raises(InputError):
            reading.named(Bell, value, "x")


def test_an_error_is_short_whatever_was_found() -> None:
    with pytest.raises(InputError) as caught:
        reading.text("x" * 10**6, "x")
    assert len(str(caught.value)) < 200
