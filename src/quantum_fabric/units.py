"""Quantities at the edge, plain numbers inside.

Inside Quantum Fabric a time is an ``int`` of picoseconds and everything else is a ``float`` in SI base units
(metres, hertz, dB per metre, seconds for physical constants such as T1). A person writes ``"25 km"``,
``"0.2 dB/km"`` or ``"3 ms"``; those strings are read here and nowhere else.

Examples:
    >>> parse("25 km", "length")
    25000.0
    >>> parse_time("3 ms")
    3000000000
    >>> round(parse("0.2 dB/km", "attenuation"), 7)
    0.0002
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final, TypeAlias

from quantum_fabric.errors import QuantityError

Time: TypeAlias = int
"""A time or a duration in integer picoseconds."""

PS: Final = 1
NS: Final = 1_000
US: Final = 1_000_000
MS: Final = 1_000_000_000
SECOND: Final = 1_000_000_000_000

SPEED_OF_LIGHT: Final = 299_792_458.0
"""Metres per second in vacuum (exact, SI definition)."""

UNITS: Final[dict[str, dict[str, float]]] = {
    "time": {
        "ps": 1e-12, "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0,
        "min": 60.0, "h": 3600.0, "d": 86400.0,
    },
    "length": {"nm": 1e-9, "um": 1e-6, "µm": 1e-6, "mm": 1e-3, "cm": 1e-2, "m": 1.0, "km": 1e3},
    "frequency": {
        "mHz": 1e-3, "Hz": 1.0, "/s": 1.0, "1/s": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9, "THz": 1e12,
        "/min": 1 / 60, "/h": 1 / 3600,
    },
    "loss": {"dB": 1.0},
    "attenuation": {"dB/km": 1e-3, "dB/m": 1.0},
    "angle": {"rad": 1.0, "mrad": 1e-3, "deg": math.pi / 180.0, "°": math.pi / 180.0},
    "fraction": {"": 1.0, "%": 1e-2},
    "divergence": {"urad": 1e-6, "µrad": 1e-6, "μrad": 1e-6, "mrad": 1e-3, "rad": 1.0},
    "temperature": {"K": 1.0, "mK": 1e-3},
    "power": {"W": 1.0, "mW": 1e-3, "uW": 1e-6, "µW": 1e-6, "nW": 1e-9},
    "dispersion": {"ps/nm/km": 1e-6},
    "polarisation mode dispersion": {"ps/sqrt(km)": 1e-12 / math.sqrt(1e3)},
    "wander": {"rad/sqrt(s)": 1.0, "deg/sqrt(s)": math.pi / 180.0, "deg/sqrt(h)": math.pi / 180.0 / 60.0},
    "drift": {"/s": 1.0, "/h": 1 / 3600, "%/h": 1e-2 / 3600, "%/d": 1e-2 / 86400},
    "Raman coefficient": {"/km/nm": 1e6},
    "radiance": {"W/m2/sr/nm": 1e9, "W/m2/sr/um": 1e6},
    "speed": {"m/s": 1.0, "km/s": 1e3},
}  # fmt: skip
"""Kind of quantity -> unit -> factor to the SI base unit (dB for a loss)."""

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf)\s*(\S.*?)?\s*", re.ASCII)


def parse(text: str | float, kind: str) -> float:
    """Read a quantity such as ``"0.2 dB/km"`` and return it in SI base units.

    Args:
        text: number and unit; a bare number is accepted only for kind ``"fraction"``.
        kind: one of the keys of `UNITS`.

    Returns:
        The value in the base unit of its kind (s, m, Hz, dB, dB/m, rad, 1).

    Raises:
        QuantityError: no number, unknown unit, or a unit of another kind.

    Examples:
        >>> parse("95 %", "fraction")
        0.95
        >>> parse("3 parsec", "length")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: found '3 parsec', expected a length such as '25 km' (units: nm, um, µm, mm, cm, m, km)
    """
    factors = UNITS[kind]
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise _refuse(text, kind)
    match = _QUANTITY.fullmatch(str(text))
    if match is None or (match[2] or "") not in factors:
        raise _refuse(text, kind)
    # decimal arithmetic, so that "95 %" is the double nearest to 0.95
    try:
        value = float(Decimal(match[1]) * Decimal(repr(factors[match[2] or ""])))
    except ArithmeticError:  # an exponent that no number has
        raise _refuse(text, kind) from None
    if math.isinf(value) and "inf" not in match[1]:
        raise _refuse(text, kind)
    return value


def parse_time(text: str) -> Time:
    """Read a duration such as ``"10 ms"`` into integer picoseconds.

    Args:
        text: number and unit of time.

    Returns:
        Picoseconds, rounded to the nearest integer.

    Raises:
        QuantityError: not a finite duration.

    Examples:
        >>> parse_time("1.5 us")
        1500000
    """
    seconds_ = parse(text, "time")
    if not math.isfinite(seconds_):
        raise _refuse(text, "time")
    return from_seconds(seconds_)


def from_seconds(seconds_: float) -> Time:
    """Turn seconds into integer picoseconds (nearest).

    Examples:
        >>> from_seconds(4.897e-06)
        4897000
    """
    return round(seconds_ * SECOND)


def seconds(time: Time) -> float:
    """Turn integer picoseconds into seconds.

    Examples:
        >>> seconds(2_500_000)
        2.5e-06
    """
    return time / SECOND


_SCALES: Final[dict[str, tuple[tuple[float, str], ...]]] = {
    "time": ((60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"), (1e-12, "ps")),
    "length": ((1e3, "km"), (1.0, "m"), (1e-2, "cm"), (1e-9, "nm")),
    "frequency": ((1e12, "THz"), (1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz"), (1.0, "Hz"), (1e-3, "mHz")),
    "loss": ((1.0, "dB"),),
    "attenuation": ((1e-3, "dB/km"),),
    "angle": ((1.0, "rad"),),
    "divergence": ((1.0, "rad"), (1e-3, "mrad"), (1e-6, "urad")),
    "fraction": ((1.0, ""),),
    "temperature": ((1.0, "K"), (1e-3, "mK")),
    "power": ((1.0, "W"), (1e-3, "mW"), (1e-6, "uW"), (1e-9, "nW")),
    "dispersion": ((1e-6, "ps/nm/km"),),
    "polarisation mode dispersion": ((1e-12 / math.sqrt(1e3), "ps/sqrt(km)"),),
    "wander": ((1.0, "rad/sqrt(s)"), (math.pi / 180.0 / 60.0, "deg/sqrt(h)")),
    "drift": ((1.0, "/s"), (1e-2 / 3600, "%/h")),
    "Raman coefficient": ((1e6, "/km/nm"),),
    "radiance": ((1e9, "W/m2/sr/nm"),),
    "speed": ((1e3, "km/s"), (1.0, "m/s")),
}


def show(value: float, kind: str, digits: int = 4) -> str:
    """Write a value in base units for a person, with the unit that keeps the number readable.

    Args:
        value: in base units of its kind.
        kind: one of the keys of `UNITS`.
        digits: significant digits.

    Examples:
        >>> show(2e-4, "attenuation"), show(25000.0, "length"), show(0.0031, "time")
        ('0.2 dB/km', '25 km', '3.1 ms')
    """
    scales = _SCALES[kind]
    factor, unit = next(((f, u) for f, u in scales if abs(value) >= f), scales[-1])
    if value == 0.0 or not math.isfinite(value):
        factor, unit = next((f, u) for f, u in scales if f == 1.0 or len(scales) == 1)
    return f"{value / factor:.{digits}g} {unit}".strip()


def show_time(time: Time, digits: int = 4) -> str:
    """Write picoseconds for a person.

    Examples:
        >>> show_time(1_250_000_000)
        '1.25 ms'
    """
    return show(seconds(time), "time", digits)


def _refuse(found: object, kind: str) -> QuantityError:
    example = {
        "time": "10 ms", "length": "25 km", "frequency": "5 kHz", "loss": "3 dB",
        "attenuation": "0.2 dB/km", "angle": "15 deg", "fraction": "0.95 or '95 %'", "temperature": "4 K", "divergence": "10 urad",
        "power": "1 mW", "dispersion": "17 ps/nm/km", "polarisation mode dispersion": "0.04 ps/sqrt(km)",
        "wander": "1 deg/sqrt(s)", "drift": "1 %/h", "Raman coefficient": "1e-9 /km/nm",
        "radiance": "1e-5 W/m2/sr/nm", "speed": "7.6 km/s",
    }[kind]  # fmt: skip
    quoted = example if kind == "fraction" else repr(example)
    units = ", ".join(unit for unit in UNITS[kind] if unit) or "none"
    article = "an" if kind[0] in "aeiou" else "a"
    return QuantityError(found=repr(found), expected=f"{article} {kind} such as {quoted} (units: {units})")
