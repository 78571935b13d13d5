"""Quantities: what is read, what is refused, and that what is shown can be read back."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.units import (
    MS,
    NS,
    PS,
    SECOND,
    SPEED_OF_LIGHT,
    UNITS,
    US,
    from_seconds,
    parse,
    parse_time,
    seconds,
    show,
    show_time,
)

ONE_OF_EACH = {
    "time": {
        "ps": 1e-12, "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0,
        "d": 86400.0,
    },
    "length": {"nm": 1e-9, "um": 1e-6, "µm": 1e-6, "mm": 1e-3, "cm": 0.01, "m": 1.0, "km": 1000.0},
    "frequency": {
        "mHz": 1e-3, "Hz": 1.0, "/s": 1.0, "1/s": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9, "THz": 1e12, "/min": 1 / 60,
        "/h": 1 / 3600,
    },
    "loss": {"dB": 1.0},
    "attenuation": {"dB/km": 1e-3, "dB/m": 1.0},
    "angle": {"rad": 1.0, "mrad": 1e-3, "deg": math.pi / 180, "°": math.pi / 180},
    "fraction": {"": 1.0, "%": 0.01},
    "divergence": {"urad": 1e-6, "µrad": 1e-6, "μrad": 1e-6, "mrad": 1e-3, "rad": 1.0},
    "temperature": {"K": 1.0, "mK": 1e-3},
    "power": {"W": 1.0, "mW": 1e-3, "uW": 1e-6, "µW": 1e-6, "nW": 1e-9},
    "dispersion": {"ps/nm/km": 1e-6},
    "polarisation mode dispersion": {"ps/sqrt(km)": 1e-12 / math.sqrt(1000)},
    "wander": {"rad/sqrt(s)": 1.0, "deg/sqrt(s)": math.pi / 180, "deg/sqrt(h)": math.pi / 180 / 60},
    "drift": {"/s": 1.0, "/h": 1 / 3600, "%/h": 0.01 / 3600, "%/d": 0.01 / 86400},
    "Raman coefficient": {"/km/nm": 1e6},
    "radiance": {"W/m2/sr/nm": 1e9, "W/m2/sr/um": 1e6},
    "speed": {"m/s": 1.0, "km/s": 1000.0},
}  # fmt: skip
CASES = [(kind, unit, factor) for kind, table in ONE_OF_EACH.items() for unit, factor in table.items()]


def test_the_table_names_every_unit() -> None:
    assert {kind: set(table) for kind, table in UNITS.items()} == {
        kind: set(table) for kind, table in ONE_OF_EACH.items()
    }


@pytest.mark.parametrize(("kind", "unit", "factor"), CASES)
def test_every_unit(kind: str, unit: str, factor: float) -> None:
    glued = f"2.5 {unit}" if unit[:1].isdigit() else f"2.5{unit}"
    for text in (f"2.5 {unit}", glued, f"  +2.5  {unit} ", f"25e-1 {unit}", f"0.25E+1 {unit}"):
        assert parse(text, kind) == pytest.approx(2.5 * factor, rel=3e-16, abs=0)
    assert parse(f"-1 {unit}", kind) == -factor
    assert parse(f".5 {unit}", kind) == pytest.approx(factor / 2, rel=3e-16)
    assert parse(f"0 {unit}", kind) == 0.0
    assert (parse(f"inf {unit}", kind), parse(f"-inf {unit}", kind)) == (math.inf, -math.inf)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("95 %", "fraction", 0.95), ("0.1 %", "fraction", 0.001), ("0.2 dB/km", "attenuation", 0.0002),
        ("1.1 us", "time", 1.1e-6), ("1550 nm", "length", 1550e-9), ("0.7 dB", "loss", 0.7),
        (0.3, "fraction", 0.3), (1, "fraction", 1.0), (1e-7, "fraction", 1e-7),
    ],
)  # fmt: skip
def test_the_nearest_double_is_read(text: str | float, kind: str, value: float) -> None:
    assert parse(text, kind) == value


LENGTHS = "a length such as '25 km' (units: nm, um, µm, mm, cm, m, km)"
TIMES = "a time such as '10 ms' (units: ps, ns, us, µs, μs, ms, s, min, h, d)"
RATES = "a frequency such as '5 kHz' (units: mHz, Hz, /s, 1/s, kHz, MHz, GHz, THz, /min, /h)"
FRACTIONS = "a fraction such as 0.95 or '95 %' (units: %)"


@pytest.mark.parametrize(
    ("found", "kind", "expected"),
    [
        ("3 parsec", "length", LENGTHS), ("25", "length", LENGTHS), (25, "length", LENGTHS), ("25 KM", "length", LENGTHS),
        ("25 ms", "length", LENGTHS), ("", "length", LENGTHS), ("km", "length", LENGTHS), ("1e400 km", "length", LENGTHS),
        ("1,5 km", "length", LENGTHS), ("1 2 km", "length", LENGTHS), ("0x10 km", "length", LENGTHS), ("٣ km", "length", LENGTHS),
        (True, "length", LENGTHS), (None, "time", TIMES), (3, "time", TIMES), ("5 MS", "time", TIMES), ("nan s", "time", TIMES),
        ([1], "time", TIMES), ("5 hz", "frequency", RATES), ("1 GHZ", "frequency", RATES),
        ("3", "loss", "a loss such as '3 dB' (units: dB)"),
        ("0.2", "attenuation", "an attenuation such as '0.2 dB/km' (units: dB/km, dB/m)"),
        ("1 grad", "angle", "an angle such as '15 deg' (units: rad, mrad, deg, °)"),
        (True, "fraction", FRACTIONS), (False, "fraction", FRACTIONS), (math.nan, "fraction", FRACTIONS),
        ("half", "fraction", FRACTIONS), ("0.5 dB", "fraction", FRACTIONS),
    ],
)  # fmt: skip
def test_refusals_say_what_was_found_and_what_would_do(found: Any, kind: str, expected: str) -> None:
    with pytest.raises(QuantityError) as caught:
        parse(found, kind)
    error = caught.value
    assert str(error) == f"found {found!r}, expected {expected}"
    assert (error.found, error.expected, error.where) == (repr(found), expected, "")
    assert isinstance(error, InputError)
    assert isinstance(error, ValueError)


@pytest.mark.parametrize("text", ["1e1000000 km", "1e99999999999999999999 km", "-1e-99999999999999999999 km"])
def test_absurd_exponents_are_refused_like_any_other_text(text: str) -> None:
    with pytest.raises(QuantityError):
        parse(text, "length")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789.eE+-infa% kmdB/sHz°µ", max_size=12), st.sampled_from(sorted(UNITS)))
def test_any_text_is_read_or_refused(text: str, kind: str) -> None:
    digits = text.lower().partition("e")[2]
    if len(digits) < 6:  # absurd exponents: see above
        try:
            value = parse(text, kind)
        except QuantityError:
            return
        assert not math.isnan(value)


SHOWN = [
    (0.0, "time", "0 s"), (1e-12, "time", "1 ps"), (2.5e-9, "time", "2.5 ns"), (3.1e-6, "time", "3.1 us"),
    (0.0031, "time", "3.1 ms"), (1.0, "time", "1 s"), (90.0, "time", "1.5 min"), (-0.5, "time", "-500 ms"),
    (2e-13, "time", "0.2 ps"), (math.inf, "time", "inf s"), (-math.inf, "time", "-inf s"),
    (1.55e-6, "length", "1550 nm"), (0.05, "length", "5 cm"), (12.0, "length", "12 m"), (25000.0, "length", "25 km"),
    (0.0, "length", "0 m"), (0.002, "frequency", "2 mHz"), (50.0, "frequency", "50 Hz"), (4700.0, "frequency", "4.7 kHz"),
    (2e6, "frequency", "2 MHz"), (1e9, "frequency", "1 GHz"), (0.0, "frequency", "0 Hz"), (3.0, "loss", "3 dB"),
    (2e-4, "attenuation", "0.2 dB/km"), (0.0, "attenuation", "0 dB/km"), (0.5, "angle", "0.5 rad"), (0.951234, "fraction", "0.9512"),
    (0.0, "fraction", "0"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "text"), SHOWN)
def test_show(value: float, kind: str, text: str) -> None:
    assert show(value, kind) == text
    assert parse(text, kind) == pytest.approx(value, rel=5e-4)


def test_show_keeps_as_many_digits_as_asked_for() -> None:
    assert [show(0.123456789, "length", digits) for digits in (1, 2, 6)] == [
        "1e+01 cm",
        "12 cm",
        "12.3457 cm",
    ]
    assert show_time(1_234_567, 7) == "1.234567 us"
    assert [show_time(t) for t in (0, 1, 60 * SECOND)] == ["0 s", "1 ps", "1 min"]


@settings(max_examples=300, deadline=None)
@given(st.floats(min_value=1e-30, max_value=1e30), st.booleans(), st.sampled_from(sorted(UNITS)))
@example(59.99999999, False, "time")
@example(999.9999, True, "length")
def test_what_is_shown_reads_back(value: float, negative: bool, kind: str) -> None:
    value = -value if negative else value
    assert parse(show(value, kind, 17), kind) == pytest.approx(value, rel=1e-15, abs=0)
    assert parse(show(value, kind), kind) == pytest.approx(value, rel=5.1e-4, abs=0)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1 ps", 1), ("1.5 us", 1_500_000), ("3 ms", 3 * MS), ("1 d", 86_400 * SECOND), ("0 s", 0), ("-2 ns", -2 * NS),
        ("0.4 ps", 0), ("0.6 ps", 1), ("1234.4999 ps", 1234), ("1234.5001 ps", 1235), ("4.897 us", 4_897_000),
    ],
)  # fmt: skip
def test_parse_time_rounds_to_the_nearest_picosecond(text: str, time: int) -> None:
    assert parse_time(text) == time
    assert type(parse_time(text)) is int


@pytest.mark.parametrize("text", ["inf s", "-inf ms", "10", "10 km", "nan s", ""])
def test_parse_time_wants_a_finite_duration(text: str) -> None:
    with pytest.raises(QuantityError) as caught:
        parse_time(text)
    assert str(caught.value) == f"found {text!r}, expected {TIMES}"


@settings(max_examples=200, deadline=None)
@given(st.integers(-(2**50), 2**50))  # minutes are a division and a product away: two roundings
def test_picoseconds_survive_seconds_and_text(time: int) -> None:
    assert from_seconds(seconds(time)) == time
    assert parse_time(f"{time} ps") == time
    assert parse_time(show_time(time, 17)) == time


def test_the_constants() -> None:
    assert (PS, NS, US, MS, SECOND) == (1, 10**3, 10**6, 10**9, 10**12)
    assert SPEED_OF_LIGHT == 299_792_458.0
