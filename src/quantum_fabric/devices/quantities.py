"""Fields that know their unit and their domain, and the one reader that serves all device records.

A device record is a frozen dataclass whose fields are declared with `quantity` (or `part`, for a record inside a
record). From that declaration come the parser (`build`), the check of a record made by hand (`check`), the override of
single fields by dotted name (`override`) and the table of fields in the reference (`describe`).

Kinds of quantity: those of `quantum_fabric.units`, and

========== ===== ==============================================================
duration   int   picoseconds inside, ``"3 us"`` outside (delays and gate times)
number     float without a unit (a group index)
count      int   without a unit (memory slots)
flag       bool  true or false
choice     str   one of a few words, see `choice`
========== ===== ==============================================================
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from quantum_fabric.errors import QuantityError
from quantum_fabric.units import SECOND, parse, parse_time, show

Record = TypeVar("Record")

_QUANTITY: Final = "quantity"
_PART: Final = "part"


@dataclass(frozen=True, slots=True)
class Quantity:
    """Declaration of one field.

    Attributes:
        kind: kind of quantity (see the module).
        low: least value, in base units (seconds for a duration).
        high: largest value, in base units.
        doc: what the field means, one sentence.
        open_low: True refuses ``low`` itself.
        open_high: True refuses ``high`` itself.
        words: the words of a choice.
    """

    kind: str
    low: float
    high: float
    doc: str
    open_low: bool = False
    open_high: bool = False
    words: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """The domain in words, with its unit.

        Examples:
            >>> Quantity("fraction", 0.0, 1.0, "").domain
            'a fraction in [0, 1]'
            >>> Quantity("duration", 0.0, math.inf, "", open_low=True).domain
            'a duration above 0 s'
        """
        article = "an" if self.kind[0] in "aeiou" else "a"
        if self.kind == "flag":
            return "true or false"
        if self.kind == "choice":
            return f"one of {', '.join(self.words)}"
        low, high = self._show(self.low), self._show(self.high)
        if math.isinf(self.low) and math.isinf(self.high):
            return f"{article} {self.kind}"
        if math.isinf(self.high):
            return f"{article} {self.kind} {'above' if self.open_low else 'of at least'} {low}"
        brackets = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"{article} {self.kind} in {brackets[0]}{low}, {high}{brackets[1]}"

    def holds(self, value: float | str) -> bool:
        """Say whether a value in base units (seconds for a duration) lies in the domain.

        Examples:
            >>> Quantity("fraction", 0.0, 1.0, "", open_low=True).holds(0.0)
            False
        """
        if isinstance(value, str):
            return value in self.words
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def read(self, value: object, where: str) -> float | int | bool | str:
        """Read what a person or a document wrote.

        Args:
            value: text with a unit, or a bare number for a fraction, a number or a count, or a flag.
            where: name of the field for the error.

        Returns:
            The value as the record keeps it.

        Raises:
            QuantityError: no number, wrong or missing unit, or outside the domain.

        Examples:
            >>> Quantity("duration", 0.0, math.inf, "").read("5.5 us", "cycle")
            5500000
            >>> Quantity("fraction", 0.0, 1.0, "").read("120 %", "efficiency")
            Traceback (most recent call last):
            ...
            quantum_fabric.errors.QuantityError: efficiency: found '120 %', expected a fraction in [0, 1]
        """
        if self.kind == "choice":
            if not isinstance(value, str) or value not in self.words:
                raise QuantityError(repr(value), self.domain, where)
            return value
        result = self._convert(value, where)
        if not self.holds(result / SECOND if self.kind == "duration" else result):
            raise QuantityError(repr(value), self.domain, where)
        return result

    def write(self, value: float | str) -> str:
        """Write a value of a record for a person.

        Examples:
            >>> Quantity("duration", 0.0, math.inf, "").write(5_500_000)
            '5.5 us'
        """
        if isinstance(value, str):
            return value
        return self._show(value / SECOND if self.kind == "duration" else value)

    def _convert(self, value: object, where: str) -> float | int | bool:
        if self.kind == "flag":
            if not isinstance(value, bool):
                raise QuantityError(repr(value), self.domain, where)
            return value
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise QuantityError(repr(value), self.domain, where)
        try:
            if self.kind == "duration":
                return parse_time(str(value))
            number = parse(value, "fraction" if self.kind in {"number", "count"} else self.kind)
        except QuantityError as error:
            plain = self.kind in {"number", "count"}
            raise QuantityError(error.found, self.domain if plain else error.expected, where) from None
        if self.kind == "count":
            if not number.is_integer():
                raise QuantityError(repr(value), self.domain, where)
            return int(number)
        return number

    def _show(self, value: float) -> str:
        if self.kind == "flag":
            return str(bool(value)).lower()
        if self.kind in {"number", "count"}:
            return f"{value:g}"
        return show(value, "time" if self.kind == "duration" else self.kind)


def quantity(
    kind: str,
    low: float,
    high: float,
    doc: str,
    *,
    default: Any = dataclasses.MISSING,
    open_low: bool = False,
    open_high: bool = False,
) -> Any:
    """Declare a field of a device record.

    Args:
        kind: kind of quantity (see the module).
        low: least value in base units.
        high: largest value in base units.
        doc: what the field means.
        default: value as the record keeps it; without one the field must be given.
        open_low: True refuses ``low`` itself.
        open_high: True refuses ``high`` itself.

    Examples:
        >>> @dataclass(frozen=True)
        ... class Lamp:
        ...     power: float = quantity("fraction", 0.0, 1.0, "share of full power")
        >>> build(Lamp, {"power": "40 %"})
        Lamp(power=0.4)
    """
    declared = Quantity(kind, low, high, doc, open_low, open_high)
    return dataclasses.field(default=default, metadata={_QUANTITY: declared})


def choice(words: tuple[str, ...], doc: str, *, default: Any = dataclasses.MISSING) -> Any:
    """Declare a field of a device record that is one of a few words.

    Args:
        words: what it may be.
        doc: what the field means.
        default: one of the words; without one the field must be given.

    Examples:
        >>> @dataclass(frozen=True)
        ... class Lamp:
        ...     colour: str = choice(("red", "green"), "colour of the light")
        >>> build(Lamp, {"colour": "blue"})
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: colour: found 'blue', expected one of red, green
    """
    declared = Quantity("choice", 0.0, 0.0, doc, words=words)
    return dataclasses.field(default=default, metadata={_QUANTITY: declared})


def part(cls: type[Any], doc: str, *, optional: bool = True) -> Any:
    """Declare a field that is itself a device record.

    Args:
        cls: class of the inner record.
        doc: what it is.
        optional: True makes ``cls()`` the default.
    """
    factory: Any = cls if optional else dataclasses.MISSING
    return dataclasses.field(default_factory=factory, metadata={_PART: (cls, doc)})


def build(cls: type[Record], mapping: Mapping[str, Any], where: str = "") -> Record:
    """Read a device record from a mapping of texts.

    Args:
        cls: class of the record.
        mapping: field name -> text with unit (or a mapping, for a record inside).
        where: dotted path of the mapping, for errors.

    Returns:
        The record, checked.

    Raises:
        QuantityError: an unknown or missing field, a missing or wrong unit, a value outside its domain, or values that
            contradict each other. ``where`` of the error is the dotted name of the field.

    Examples:
        >>> from quantum_fabric.devices import Fibre
        >>> build(Fibre, {"attenuation": "0.2 dB/km"}).attenuation
        0.0002
        >>> build(Fibre, {"attenuation": 0.2}, where="links[0].fibre")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: links[0].fibre.attenuation: found 0.2, expected an attenuation such as \
'0.2 dB/km' (units: dB/km, dB/m)
    """
    if not isinstance(mapping, Mapping):
        raise QuantityError(repr(mapping), f"fields of a {cls.__name__.lower()}", where)
    declared = _fields(cls)
    _refuse_unknown(mapping, declared, cls, where)
    values = {}
    for name, field in declared.items():
        if name in mapping:
            values[name] = _read(field, mapping[name], _dot(where, name))
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise QuantityError("nothing", _expected(field), _dot(where, name))
    return _make(cls, values, where)


def override(record: Record, mapping: Mapping[str, Any], where: str = "") -> Record:
    """Copy a record with some fields replaced.

    Args:
        record: a device record.
        mapping: field name, dotted for a record inside (``"memory.t2"``), -> text with unit. A mapping as value
            replaces fields of the record inside.
        where: dotted path of the mapping, for errors.

    Returns:
        The new record, checked as a whole (fields that depend on each other may change together).

    Raises:
        QuantityError: as for `build`.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> override(sheet("node", "ideal"), {"memory.t1": "1 s", "memory.t2": "20 ms"}).memory.t2
        0.02
    """
    declared = _fields(type(record))
    grouped: dict[str, Any] = {}
    for name, value in mapping.items():
        head, _, rest = str(name).partition(".")
        if rest and head in declared and _PART in declared[head].metadata:
            grouped.setdefault(head, {})[rest] = value
        elif isinstance(value, Mapping) and head in declared and _PART in declared[head].metadata:
            grouped.setdefault(head, {}).update(value)
        else:
            grouped[str(name)] = value
    _refuse_unknown(grouped, declared, type(record), where)
    values: dict[str, Any] = {name: getattr(record, name) for name in declared}
    for name, value in grouped.items():
        field = declared[name]
        if _PART in field.metadata and isinstance(value, Mapping):
            values[name] = override(values[name], value, _dot(where, name))
        else:
            values[name] = _read(field, value, _dot(where, name))
    return _make(type(record), values, where)


def check(record: object) -> None:
    """Refuse a record with a value outside its declared domain; records call it when they are made.

    Raises:
        QuantityError: the first field outside its domain.

    Examples:
        >>> from quantum_fabric.devices import Detector
        >>> Detector(efficiency=1.2)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: efficiency: found 1.2, expected a fraction in (0, 1]
    """
    for name, field in _fields(type(record)).items():
        declared = field.metadata.get(_QUANTITY)
        value = getattr(record, name)
        if declared is None:
            continue
        if not declared.holds(value / SECOND if declared.kind == "duration" else value):
            found = repr(value) if declared.kind == "choice" else str(value)
            raise QuantityError(found, declared.domain, name)


def describe(cls: type[Any]) -> dict[str, Quantity]:
    """List the quantities of a record, with dotted names for records inside.

    Examples:
        >>> from quantum_fabric.devices import Node
        >>> describe(Node)["memory.t2"].domain
        'a time above 0 s'
    """
    result: dict[str, Quantity] = {}
    for name, field in _fields(cls).items():
        if _PART in field.metadata:
            result |= {f"{name}.{inner}": q for inner, q in describe(field.metadata[_PART][0]).items()}
        else:
            result[name] = field.metadata[_QUANTITY]
    return result


def _fields(cls: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    return {f.name: f for f in dataclasses.fields(cls) if _QUANTITY in f.metadata or _PART in f.metadata}


def _read(field: dataclasses.Field[Any], value: object, where: str) -> object:
    if _PART in field.metadata:
        inner: type[Any] = field.metadata[_PART][0]
        if not isinstance(value, Mapping):
            raise QuantityError(repr(value), f"fields of {inner.__name__.lower()}", where)
        return build(inner, value, where)
    declared: Quantity = field.metadata[_QUANTITY]
    return declared.read(value, where)


def _make(cls: type[Record], values: Mapping[str, Any], where: str) -> Record:
    """Make the record; a check that spans two fields names one of them, and gets its full path here."""
    try:
        return cls(**values)
    except QuantityError as error:
        raise QuantityError(error.found, error.expected, _dot(where, error.where)) from None


def _refuse_unknown(
    mapping: Mapping[str, Any], declared: Mapping[str, Any], cls: type[Any], where: str
) -> None:
    for name in mapping:
        if name not in declared:
            known = ", ".join(declared)
            raise QuantityError(repr(name), f"a field of {cls.__name__.lower()}: {known}", _dot(where, name))


def _expected(field: dataclasses.Field[Any]) -> str:
    if _PART in field.metadata:
        return f"fields of {field.metadata[_PART][0].__name__.lower()}"
    declared: Quantity = field.metadata[_QUANTITY]
    return declared.domain


def _dot(where: str, name: object) -> str:
    return f"{where}.{name}" if where and name else where or str(name)
