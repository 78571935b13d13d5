"""The kinds of field that documents are made of: quantities, names, and the base of all their records.

A quantity stays the text that its author wrote ("25 km"): it is checked here and turned into a number where it is
used (`quantum_fabric.documents.assembly`), so that a document can be written out again as it was.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from quantum_fabric.documents.reading import Plain, quoted
from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.units import UNITS, parse, parse_time, show

_NUMBER: Final = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_EXAMPLES: Final = {
    "time": "10 ms",
    "length": "25 km",
    "loss": "3 dB",
    "attenuation": "0.2 dB/km",
    "frequency": "5 Hz",
    "angle": "35 deg",
    "wander": "1 deg/sqrt(h)",
    "drift": "1 %/d",
}
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
MAX_NAME: Final = 80
MAX_PATH: Final = 1000


class Entry(BaseModel):
    """Base of every record of a document: frozen, and every field has to be known."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False, populate_by_name=False)

    def plain(self) -> dict[str, Plain]:
        """As JSON-shaped data, with what was written and no defaults."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


def check_name(value: object) -> str:
    """Check a name of a node, link or request.

    Returns:
        The name as it is.

    Raises:
        InputError: not text of 1 to `MAX_NAME` printable characters without spaces at its ends.

    Examples:
        >>> check_name("UChicago_PME")
        'UChicago_PME'
        >>> check_name(7)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: found 7, expected a name; put it in quotes: '7'
    """
    if isinstance(value, bool | int | float):
        raise InputError(found=quoted(value), expected=f"a name; put it in quotes: '{quoted(value)}'")
    if not isinstance(value, str):
        raise InputError(found=quoted(value), expected="a name")
    if not 0 < len(value) <= MAX_NAME or not value.isprintable() or value != value.strip():
        expected = f"a name of 1 to {MAX_NAME} printable characters without spaces at its ends"
        raise InputError(found=quoted(value), expected=expected)
    return value


def check_text(value: object) -> str:
    """Check a piece of prose: any text.

    Raises:
        InputError: not text, or with control characters other than line breaks and tabs.

    Examples:
        >>> check_text("Two laboratories.")
        'Two laboratories.'
    """
    if not isinstance(value, str):
        raise InputError(found=quoted(value), expected="text")
    if _CONTROL.search(value):
        raise InputError(found=quoted(value), expected="text without control characters")
    return value


def check_sheet_name(value: object) -> str:
    """Check the name of a sheet: a name, or the path of a file.

    Raises:
        InputError: not text of 1 to `MAX_PATH` printable characters without spaces at its ends.

    Examples:
        >>> check_sheet_name("./sheets/my-node.yaml")
        './sheets/my-node.yaml'
    """
    if isinstance(value, str) and "/" in value and MAX_NAME < len(value) <= MAX_PATH and value.isprintable():
        return value
    return check_name(value)


_MOST: Final = {"length": 4.1e7, "time": 1e10}
"""Nothing in a network is longer than the way around the Earth or lasts longer than 300 years."""


class Quantity:
    """A check of one kind of quantity, used as a pydantic validator.

    Args:
        kind: key of `quantum_fabric.units.UNITS`.
        low, high: bounds in base units.
        above: True where `low` itself is not allowed.

    Examples:
        >>> Quantity("length", above=True)("25 km")
        '25 km'
        >>> Quantity("length", above=True)("-3 km")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: found '-3 km', expected a length above 0 such as '25 km'
    """

    def __init__(self, kind: str, low: float = 0.0, high: float = math.inf, *, above: bool = False) -> None:
        self.kind, self.low, self.high, self.above = kind, low, high, above

    def __call__(self, value: object) -> str:
        """Check a value; return it as text."""
        if not isinstance(value, str | int | float):
            raise QuantityError(found=quoted(value), expected=self.words)
        number = parse(value, self.kind)
        if self.kind == "time":
            parse_time(str(value))
        too_low = number <= self.low if self.above else number < self.low
        if too_low or not number < self.high:
            raise QuantityError(found=quoted(value), expected=self.words)
        if number > _MOST.get(self.kind, math.inf):
            most = show(_MOST[self.kind], self.kind)
            raise QuantityError(found=quoted(value), expected=f"{self.kind} of at most {most}")
        return str(value)

    @property
    def words(self) -> str:
        """What is expected, in words."""
        article = "an" if self.kind[0] in "aeiou" else "a"
        bound = f"{'above' if self.above else 'of at least'} {self.low:g}"
        if math.isfinite(self.high):
            bound += f" and below {self.high:g}"
        return f"{article} {self.kind} {bound} such as {_EXAMPLES[self.kind]!r}"

    def schema(self) -> dict[str, Any]:
        """JSON Schema: text with a number and a unit, with examples for editors."""
        units = "|".join(re.escape(unit) for unit in UNITS[self.kind] if unit)
        description = f"{self.words[0].upper()}{self.words[1:]}. Units: {', '.join(UNITS[self.kind])}."
        pattern = rf"^\s*{_NUMBER}\s*({units})\s*$"
        return {
            "type": "string",
            "description": description,
            "pattern": pattern,
            "examples": [_EXAMPLES[self.kind]],
        }


def _quantity(check: Quantity) -> Any:
    return WithJsonSchema(check.schema())


_length, _duration, _delay = Quantity("length", above=True), Quantity("time", above=True), Quantity("time")
_any_length = Quantity("length", low=-math.inf)
_any_angle, _any_time = Quantity("angle", low=-math.inf), Quantity("time", low=-math.inf)
_span = Quantity("length")
_loss, _attenuation, _rate = Quantity("loss"), Quantity("attenuation"), Quantity("frequency")

Length = Annotated[str, BeforeValidator(_length), _quantity(_length)]
Coordinate = Annotated[str, BeforeValidator(_any_length), _quantity(_any_length)]
Span = Annotated[str, BeforeValidator(_span), _quantity(_span)]
Angle = Annotated[str, BeforeValidator(_any_angle), _quantity(_any_angle)]
Offset = Annotated[str, BeforeValidator(_any_time), _quantity(_any_time)]
Duration = Annotated[str, BeforeValidator(_duration), _quantity(_duration)]
Delay = Annotated[str, BeforeValidator(_delay), _quantity(_delay)]
Loss = Annotated[str, BeforeValidator(_loss), _quantity(_loss)]
Attenuation = Annotated[str, BeforeValidator(_attenuation), _quantity(_attenuation)]
Rate = Annotated[str, BeforeValidator(_rate), _quantity(_rate)]
Name = Annotated[
    str,
    BeforeValidator(check_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_NAME}),
]
SheetName = Annotated[
    str,
    BeforeValidator(check_sheet_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_PATH}),
]
Text = Annotated[str, BeforeValidator(check_text)]
Count = Annotated[int, Field(strict=True, ge=1)]
Flag = Annotated[bool, Field(strict=True)]
Degrees = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Pair = Annotated[
    tuple[Name, Name], Field(description="two different node names", examples=[["Alice", "Bob"]])
]


def checked_fraction(
    value: object, within: Callable[[float], bool], expected: str, unreadable: str | None = None
) -> str | float:
    """A fraction as it was written, once it is seen to be one.

    Args:
        value: of the field: a number, or text such as "20 %".
        within: whether a fraction is what the field takes.
        expected: said where it is not.
        unreadable: said where the value is no fraction at all; the same where it is not given.

    Raises:
        QuantityError: not a fraction, or not one that the field takes.

    Examples:
        >>> checked_fraction("20 %", lambda share: share < 0.5, "less than half")
        '20 %'
    """
    try:
        number = parse(value, "fraction")  # type: ignore[arg-type]
    except QuantityError:
        raise QuantityError(found=quoted(value), expected=unreadable or expected) from None
    if not within(number):
        raise QuantityError(found=quoted(value), expected=expected)
    assert isinstance(value, str | int | float)
    return value
