"""Values of axes: units are kept, kinds must agree, scales do what they say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.studies.quantities import SUFFIX, common_kind, read, span
from quantum_fabric.units import UNITS, parse

SHARES = st.floats(0.0, 1.0)
ENDS = st.floats(1e-3, 1e3)


@given(ENDS, ENDS, SHARES, st.booleans())
def test_shares_and_numbers_are_inverse(a: float, b: float, share: float, log: bool) -> None:
    if a == b:
        return
    between = span(f"{a!r} km", f"{b!r} km", log=log)
    number = between.number(share)
    assert (
        min(between.low, between.high) * (1 - 1e-12) <= number <= max(between.low, between.high) * (1 + 1e-12)
    )
    if abs(a - b) > 1e-6 * a:
        assert between.share(number) == pytest.approx(share, abs=1e-6)


@given(ENDS, ENDS, SHARES)
def test_what_is_written_is_read_back(a: float, b: float, share: float) -> None:
    if a == b:
        return
    between = span(f"{a!r} ms", f"{b!r} ms")
    assert parse(between.at(share), "time") == pytest.approx(between.number(share), rel=1e-11)


@given(st.integers(1, 50), st.integers(51, 99), SHARES)
def test_whole_numbers_stay_whole(a: int, b: int, share: float) -> None:
    value = span(a, b, whole=True).at(share)
    assert isinstance(value, int)
    assert a <= value <= b


def test_log_scale_has_equal_factors() -> None:
    values = [span("1 ms", "1 s", log=True).number(k / 3) for k in range(4)]
    assert values == pytest.approx([1e-3, 1e-2, 1e-1, 1.0])


@pytest.mark.parametrize(
    ("first", "last", "log"),
    [("1 km", "2 ms", False), ("1 km", 2, False), ("asap", "nested", False), ("1 km", "1000 m", False),
     ("0 s", "1 s", True), (-1, 1, True), ("1 s", "inf s", False)],
)  # fmt: skip
def test_impossible_spans(first: str, last: str, log: bool) -> None:
    with pytest.raises(QuantityError):
        span(first, last, log=log)


def test_kinds() -> None:
    assert common_kind(("1 km", "3 m")) == "length"
    assert common_kind((1, 2.5)) == "fraction"
    assert common_kind(("asap", "nested")) == ""
    assert common_kind(("5 %", 0.2)) == "fraction"
    for values in (("1 km", "1 ms"), ("asap", 3), (3, "3 km")):
        with pytest.raises(QuantityError, match="values of one kind"):
            common_kind(values)


def test_every_kind_has_a_suffix() -> None:
    assert SUFFIX.keys() == UNITS.keys()


def test_names_are_no_numbers() -> None:
    for text in ("nv-electron", "3 parsec", "", "one"):
        assert math.isnan(read(text).number)
