"""Fields that know their unit and their domain."""

# ruff: noqa: RUF009 - `quantity` and `part` return dataclass fields, which ruff cannot see.

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Fibre, Node, Quantity, build, describe, override
from quantum_fabric.devices.quantities import check, part, quantity
from quantum_fabric.errors import QuantityError


@dataclass(frozen=True, slots=True)
class Lens:
    """An inner record without defaults of its own."""

    focus: float = quantity("length", 0.0, 1.0, "focal length", open_low=True)
    coated: bool = quantity("flag", 0, 1, "is coated", default=False)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class Bench:
    """A record with one of each kind."""

    lens: Lens = part(Lens, "the lens", optional=False)
    delay: int = quantity("duration", 0.0, 1e-3, "delay", default=0)
    index: float = quantity("number", 1.0, 10.0, "index", default=1.5)
    mirrors: int = quantity("count", 1, math.inf, "mirrors", default=1)

    def __post_init__(self) -> None:
        check(self)


FULL = {"lens": {"focus": "50 mm", "coated": True}, "delay": "3 us", "index": 1.468, "mirrors": "4"}


def test_every_kind_is_read_into_its_type() -> None:
    bench = build(Bench, FULL)
    assert bench == Bench(Lens(0.05, coated=True), delay=3_000_000, index=1.468, mirrors=4)
    assert isinstance(bench.delay, int)
    assert isinstance(bench.mirrors, int)


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("a missing field", {"lens": {}}, "bench.lens.focus", "a length in (0 m, 1 m]"),
    ("a missing record", {}, "bench.lens", "fields of lens"),
    ("a record that is a number", {"lens": 3}, "bench.lens", "fields of lens"),
    (
        "an unknown field",
        {**FULL, "dellay": "1 us"},
        "bench.dellay",
        "a field of bench: lens, delay, index, mirrors",
    ),
    ("no unit", {**FULL, "delay": 3}, "bench.delay", "a time such as '10 ms'"),
    ("a foreign unit", {"lens": {"focus": "50 ms"}}, "bench.lens.focus", "a length such as '25 km'"),
    ("too long", {**FULL, "delay": "3 ms"}, "bench.delay", "a duration in [0 s, 1 ms]"),
    ("an infinite duration", {**FULL, "delay": "inf s"}, "bench.delay", "a time such as"),
    ("half a mirror", {**FULL, "mirrors": 1.5}, "bench.mirrors", "a count of at least 1"),
    ("no mirror", {**FULL, "mirrors": 0}, "bench.mirrors", "a count of at least 1"),
    ("a number with a unit", {**FULL, "index": "1.5 m"}, "bench.index", "a number in [1, 10]"),
    ("not a number", {**FULL, "index": float("nan")}, "bench.index", "a number in [1, 10]"),
    ("a flag for a number", {**FULL, "index": True}, "bench.index", "a number in [1, 10]"),
    ("a number for a flag", {"lens": {"focus": "1 m", "coated": 1}}, "bench.lens.coated", "true or false"),
    ("a list", {**FULL, "delay": ["3 us"]}, "bench.delay", "a duration in [0 s, 1 ms]"),
    ("an open end", {"lens": {"focus": "0 m"}}, "bench.lens.focus", "a length in (0 m, 1 m]"),
]


@pytest.mark.parametrize(("mapping", "where", "expected"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_errors_name_field_found_and_expected(mapping: dict[str, Any], where: str, expected: str) -> None:
    with pytest.raises(QuantityError) as caught:
        build(Bench, mapping, where="bench")
    assert caught.value.where == where
    assert expected in caught.value.expected
    assert caught.value.found


def test_a_mapping_is_expected() -> None:
    with pytest.raises(QuantityError, match="fields of a fibre"):
        build(Fibre, "smf-28", where="fibre")  # type: ignore[arg-type]


def test_records_are_frozen_and_checked_when_made_by_hand() -> None:
    with pytest.raises(QuantityError, match=r"mirrors: found 0"):
        Bench(Lens(0.1), mirrors=0)
    with pytest.raises(FrozenInstanceError):
        Bench(Lens(0.1)).mirrors = 2  # type: ignore[misc]


def test_override_replaces_only_what_is_named() -> None:
    bench = build(Bench, FULL)
    changed = override(bench, {"lens.focus": "10 cm", "mirrors": 2})
    assert changed == Bench(Lens(0.1, coated=True), delay=3_000_000, index=1.468, mirrors=2)
    assert override(bench, {"lens": {"focus": "10 cm"}, "mirrors": 2}) == changed
    assert override(bench, {}) == bench


@pytest.mark.parametrize(
    ("mapping", "where"),
    [
        ({"lens.fokus": "1 m"}, "x.lens.fokus"),
        ({"lens.focus.deeper": "1 m"}, "x.lens.focus.deeper"),
        ({"mirrors.count": 2}, "x.mirrors.count"),
        ({"lens": "1 m"}, "x.lens"),
        ({"lens.focus": "2 m"}, "x.lens.focus"),
    ],
)
def test_override_errors_have_the_full_path(mapping: dict[str, Any], where: str) -> None:
    with pytest.raises(QuantityError) as caught:
        override(build(Bench, FULL), mapping, where="x")
    assert caught.value.where == where


def test_describe_lists_nested_fields_with_dots() -> None:
    assert list(describe(Bench)) == ["lens.focus", "lens.coated", "delay", "index", "mirrors"]
    for name, declared in describe(Node).items():
        assert declared.doc, name
        assert declared.domain, name


def test_domains_read_well() -> None:
    assert Quantity("attenuation", 0.0, math.inf, "").domain == "an attenuation of at least 0 dB/km"
    assert Quantity("fraction", 0.0, 1.0, "", open_low=True).domain == "a fraction in (0, 1]"
    assert Quantity("number", -math.inf, math.inf, "").domain == "a number"
    assert Quantity("flag", 0, 1, "").domain == "true or false"


@given(st.floats(0.0, 1.0))
def test_fractions_survive_text(value: float) -> None:
    declared = Quantity("fraction", 0.0, 1.0, "")
    assert declared.read(repr(value), "x") == value
    assert declared.read(value, "x") == value


@given(st.integers(0, 10**15))
def test_durations_survive_text(picoseconds: int) -> None:
    declared = Quantity("duration", 0.0, math.inf, "")
    assert declared.read(f"{picoseconds} ps", "x") == pytest.approx(picoseconds, rel=1e-15, abs=0.5)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("duration", 5_500_000, "5.5 us"),
        ("count", 4, "4"),
        ("flag", True, "true"),
        ("fraction", 0.25, "0.25"),
    ],
)
def test_values_are_written_with_their_unit(kind: str, value: float, text: str) -> None:
    assert Quantity(kind, 0.0, math.inf, "").write(value) == text
