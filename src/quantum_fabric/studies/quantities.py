"""Values of what is varied: quantities with their unit, plain numbers, or names."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from quantum_fabric.errors import QuantityError
from quantum_fabric.units import UNITS, parse

Value: TypeAlias = str | int | float
"""As it stands in a document."""

SUFFIX: Final = {
    "time": "s", "length": "m", "frequency": "hz", "loss": "db", "attenuation": "db_per_m", "angle": "rad", "fraction": "",
    "divergence": "rad", "temperature": "k", "power": "w", "dispersion": "s_per_m2", "wander": "rad_per_sqrt_s",
    "polarisation mode dispersion": "s_per_sqrt_m", "drift": "per_s", "Raman coefficient": "per_m_per_m", "radiance": "si",
    "speed": "m_per_s",
}  # fmt: skip
"""Kind of quantity -> what the name of its column ends in."""

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf)\s*(\S.*?)?\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Read:
    """What a value says.

    Attributes:
        kinds: kinds of quantity that its unit belongs to; empty for a name.
        unit: as it is written; empty for a plain number.
        number: in that unit; not-a-number for a name.
    """

    kinds: frozenset[str]
    unit: str
    number: float


def read(value: Value) -> Read:
    """Tell a quantity from a number and from a name.

    Examples:
        >>> read("25 km").number, sorted(read("3 mrad").kinds), read(0.9).unit, sorted(read("nv-electron").kinds)
        (25.0, ['angle', 'divergence'], '', [])
    """
    match = _NUMBER.fullmatch(str(value))
    unit = (match[2] or "") if match else ""
    kinds = frozenset(kind for kind, factors in UNITS.items() if match and unit in factors)
    if not match or not kinds:
        return Read(frozenset(), "", math.nan)
    return Read(kinds, unit, float(match[1]))


def common_kind(values: tuple[Value, ...]) -> str:
    """The kind that several values share: a key of `quantum_fabric.units.UNITS`, or empty for names.

    Raises:
        QuantityError: quantities of different kinds, or names beside quantities.

    Examples:
        >>> common_kind(("10 km", "500 m")), common_kind((1, 0.5)), common_kind(("asap", "nested"))
        ('length', 'fraction', '')
        >>> common_kind(("10 km", "3 ms"))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: found '3 ms' beside '10 km', expected values of one kind: a length
    """
    first = read(values[0])
    shared = first.kinds
    for value in values[1:]:
        kinds = read(value).kinds
        if bool(kinds) != bool(first.kinds) or (shared and not shared & kinds):
            raise QuantityError(f"{value!r} beside {values[0]!r}", f"values of one kind: {_words(first)}")
        shared = shared & kinds
    return next((kind for kind in UNITS if kind in shared), "")


def _words(first: Read) -> str:
    kind = next((kind for kind in UNITS if kind in first.kinds), "name")
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def number_of(value: Value, kind: str) -> float:
    """A value in base units of its kind.

    Examples:
        >>> number_of("25 km", "length"), number_of(3, "fraction")
        (25000.0, 3.0)
    """
    return parse(value, kind)


@dataclass(frozen=True, slots=True)
class Span:
    """The values between two ends.

    Attributes:
        kind: of both.
        low, high: the ends in base units, in the order in which they were written.
        unit: in which values are written back into documents; of the first end.
        log: equal steps are equal factors.
        whole: values are rounded to whole numbers of the unit.

    Examples:
        >>> span("1 ms", "100 ms", log=True).at(0.5)
        '10.0 ms'
        >>> span(2, 10, whole=True).at(0.3)
        4
    """

    kind: str
    low: float
    high: float
    unit: str
    log: bool = False
    whole: bool = False

    def number(self, share: float) -> float:
        """The value at a share of the way from the first end to the last, in base units."""
        if share <= 0.0:
            return self._rounded(self.low)
        if share >= 1.0:
            return self._rounded(self.high)
        if self.log:
            return self._rounded(self.low * (self.high / self.low) ** share)
        return self._rounded(self.low + (self.high - self.low) * share)

    def share(self, number: float) -> float:
        """The inverse of `number`, without rounding."""
        if self.low == self.high:
            return 0.0
        if self.log:
            return math.log(number / self.low) / math.log(self.high / self.low)
        return (number - self.low) / (self.high - self.low)

    def at(self, share: float) -> Value:
        """The value at a share of the way, as it is written into a document."""
        return self.written(self.number(share))

    def written(self, number: float) -> Value:
        """A number in base units as it is written into a document."""
        factor = UNITS[self.kind][self.unit]
        shown = number / factor
        if self.whole:
            shown = round(shown)
        else:
            # twelve digits: a factor of ten in a unit must not add digits that nobody meant
            shown = float(f"{shown:.12g}")
        return f"{shown} {self.unit}" if self.unit else shown

    def _rounded(self, number: float) -> float:
        factor = UNITS[self.kind][self.unit]
        return round(number / factor) * factor if self.whole else number


def span(first: Value, last: Value, *, log: bool = False, whole: bool = False) -> Span:
    """A span from its ends.

    Raises:
        QuantityError: names, values of different kinds, infinite ones, both the same, or a logarithm of 0 or less.

    Examples:
        >>> span("10 km", "50 km").number(0.25)
        20000.0
        >>> span("0 km", "50 km", log=True)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: found '0 km' to '50 km', expected ends above 0 for a logarithmic scale
    """
    kind = common_kind((first, last))
    if not kind:
        raise QuantityError(f"{first!r} to {last!r}", "two quantities, or two numbers")
    low, high = number_of(first, kind), number_of(last, kind)
    found = f"{first!r} to {last!r}"
    if not (math.isfinite(low) and math.isfinite(high)):
        raise QuantityError(found, "finite ends")
    if low == high:
        raise QuantityError(found, "two different ends")
    if log and not (low > 0.0 and high > 0.0):
        raise QuantityError(found, "ends above 0 for a logarithmic scale")
    return Span(kind, low, high, read(first).unit, log, whole)
