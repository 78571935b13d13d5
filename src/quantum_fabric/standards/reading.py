"""What comes from outside, checked: fields of a plain dict, numbers within their domain, names of an enum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, TypeVar

from quantum_fabric.errors import InputError

E = TypeVar("E", bound=Enum)

LONGEST_TEXT = 256
"""Characters of a name that are accepted; also how much of a wrong value an error shows."""


def shown(value: object) -> str:
    """A wrong value as an error tells it: never longer than a line.

    Examples:
        >>> shown("x"), shown([0] * 1000)[:9]
        ("'x'", '[0, 0, 0,')
    """
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def fields(
    shape: object, names: Iterable[str], where: str, optional: Iterable[str] = ()
) -> Mapping[str, Any]:
    """A dict that has these fields and no others.

    Args:
        shape: what was read.
        names: of the fields that must be there.
        where: for the error.
        optional: fields that may be there.

    Raises:
        InputError: no dict, a missing field, or one that nobody knows.

    Examples:
        >>> fields({"a": 1}, ["a"], "msg")
        {'a': 1}
        >>> fields({"b": 1}, ["a"], "msg")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: msg: found no 'a', expected the fields a
    """
    wanted, more = tuple(names), tuple(optional)
    if not isinstance(shape, Mapping):
        raise InputError(shown(shape), "an object", where)
    for name in wanted:
        if name not in shape:
            raise InputError(f"no {name!r}", f"the fields {', '.join(wanted)}", where)
    for name in shape:
        if name not in wanted and name not in more:
            raise InputError(f"a field {shown(name)}", f"one of {', '.join((*wanted, *more))}", where)
    return shape


def integer(value: object, low: int, high: int, where: str) -> int:
    """An integer in [low, high]; a bool is none.

    Raises:
        InputError: anything else.

    Examples:
        >>> integer(True, 0, 1, "flag")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: flag: found True, expected an integer from 0 to 1
    """
    if type(value) is not int or not low <= value <= high:
        raise InputError(shown(value), f"an integer from {low} to {high}", where)
    return value


def number(value: object, low: float, high: float, where: str) -> float:
    """A number in [low, high]; NaN and bool are none.

    Raises:
        InputError: anything else.

    Examples:
        >>> number(1, 0.0, 1.0, "fidelity")
        1.0
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(shown(value), f"a number from {low:g} to {high:g}", where)
    return float(value)


def flag(value: object, where: str) -> bool:
    """True or False, and nothing that is like one.

    Raises:
        InputError: anything else.

    Examples:
        >>> flag(False, "atomic")
        False
    """
    if not isinstance(value, bool):
        raise InputError(shown(value), "true or false", where)
    return value


def text(value: object, where: str) -> str:
    """A name: 1 to `LONGEST_TEXT` characters.

    Raises:
        InputError: anything else.

    Examples:
        >>> text("Alice", "node")
        'Alice'
    """
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
        raise InputError(shown(value), f"a text of 1 to {LONGEST_TEXT} characters", where)
    return value


def entries(value: object, most: int, where: str) -> list[Any]:
    """A list of at most so many entries.

    Raises:
        InputError: anything else.

    Examples:
        >>> entries([1], 2, "rules")
        [1]
    """
    if not isinstance(value, list) or len(value) > most:
        found = f"{len(value)} entries" if isinstance(value, list) else shown(value)
        raise InputError(found, f"a list of at most {most} entries", where)
    return value


def named(kind: type[E], value: object, where: str) -> E:
    """The member of an enum that has this name.

    Raises:
        InputError: there is none.

    Examples:
        >>> from quantum_fabric.messages import Bell
        >>> named(Bell, "PSI_MINUS", "state")
        <Bell.PSI_MINUS: 3>
    """
    if isinstance(value, str) and value in kind.__members__:
        return kind[value]
    raise InputError(shown(value), f"one of {', '.join(kind.__members__)}", where)
