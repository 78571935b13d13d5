"""Records of the seam to JSON shapes and back, in one place.

The journal, the command line and (one day) a server and nodes in other processes all speak this one dialect:

* a record is an object whose ``"type"`` names its class: ``{"type": "Heralded", "node": "NU", ...}``;
* an enum is its name (``"PHI_PLUS"``), never its number;
* a complex number is ``[real, imaginary]``; tuples are arrays, and so is a `PairId` (``[left, right]``);
* numbers are written so that they read back to the same bits; what JSON has no number for is a string
  (``"inf"``, ``"-inf"``, ``"nan"``).

The shapes follow from the type annotations in `quantum_fabric.messages`: a new record needs no code here. A class is
compiled once, at its first use, so that a journal can afford to encode every message.

Examples:
    >>> from quantum_fabric.messages import Commit, Discard
    >>> encode(Commit(epoch=7))
    {'type': 'Commit', 'epoch': 7}
    >>> decode({"type": "Discard", "node": "NU", "slot": 2})
    Discard(node='NU', slot=2)
"""

from __future__ import annotations

import dataclasses
import enum
import math
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any, Final, TypeAlias, cast

from quantum_fabric import messages
from quantum_fabric.errors import Caution, InputError
from quantum_fabric.messages import Message, Send

Record: TypeAlias = Message | Send
"""What `decode` gives back for a whole line; its parts (plans, rules) are records too."""

_Write: TypeAlias = Callable[[Any], Any]
_Read: TypeAlias = Callable[[Any, str], Any]

RECORDS: Final[Mapping[str, type]] = types.MappingProxyType(
    {
        name: thing
        for name, thing in vars(messages).items()
        if isinstance(thing, type)
        and dataclasses.is_dataclass(thing)
        and thing.__module__.startswith(messages.__name__)
    }
    | {"Caution": Caution}
)
"""Every record of the seam by its name on the wire; a caution travels inside a plan."""


def encode(message: object) -> dict[str, Any]:
    """Turn a record into its JSON shape.

    Args:
        message: an instance of one of `RECORDS`.

    Returns:
        A new dict of plain dicts, lists, strings, numbers, booleans and None, ``"type"`` first, then the fields in
        their declared order.

    Raises:
        InputError: not a record of the seam.

    Examples:
        >>> from quantum_fabric.messages import Bell, Swapped
        >>> encode(Swapped(node="UIC", left=0, right=1, outcome=Bell.PSI_MINUS))
        {'type': 'Swapped', 'node': 'UIC', 'left': 0, 'right': 1, 'outcome': 'PSI_MINUS'}
    """
    kind: Any = type(message)
    return cast(dict[str, Any], _record_writer(kind)(message))


def decode(shape: Mapping[str, Any]) -> Record:
    """Turn a JSON shape back into the record that it came from.

    Args:
        shape: what `encode` gave, or what ``json.loads`` made of its text. Fields that have a default may be missing.

    Returns:
        A record that equals the original.

    Raises:
        InputError: no or an unknown ``"type"``, a missing or an unknown field, or a value of the wrong type;
            `InputError.where` is the dotted path to it.

    Examples:
        >>> decode({"type": "Cancel", "request": "video"})
        Cancel(request='video')
        >>> decode({"type": "Commit", "epoch": "seven"})
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: Commit.epoch: found 'seven', expected an integer
    """
    return cast(Record, _read_tagged(shape, "", RECORDS))


# ------------------------------------------------------------------------------------------------- writing


@cache
def _record_writer(cls: type) -> _Write:
    """Compile the writer of one class: fetch all fields at once, convert only those that need it."""
    if RECORDS.get(cls.__name__) is not cls:
        raise InputError(found=f"a {cls.__name__}", expected="a record of quantum_fabric.messages")
    name = cls.__name__
    hints = _hints(cls)
    names = tuple(hints)
    fetch = attrgetter(*names)
    converts = tuple((field, write) for field in names if (write := _writer(hints[field])) is not None)
    single = len(names) == 1

    def write_record(message: Any) -> dict[str, Any]:
        shape: dict[str, Any] = {"type": name}
        if single:
            shape[names[0]] = fetch(message)
        else:
            shape.update(zip(names, fetch(message)))
        for field, write in converts:
            value = shape[field]
            if value is not None:
                shape[field] = write(value)
        return shape

    return write_record


@cache
def _writer(hint: Any) -> _Write | None:
    """The conversion that a value of this type needs before JSON can have it, or None. It never meets a None."""
    options = _options(hint)
    if len(options) > 1:  # every union of the seam but "or None" is a union of records
        return encode
    (hint,) = options
    if hint in (int, str, bool):
        return None
    if hint is float:
        return _write_float
    if hint is complex:
        return lambda value: [_write_float(value.real), _write_float(value.imag)]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return attrgetter("name")
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record_writer(hint)
    inner = _items(hint)
    if isinstance(inner, tuple):
        return _row_writer(tuple(_writer(part) for part in inner))
    write = _writer(inner)
    return list if write is None else lambda values: [write(value) for value in values]


def _row_writer(writers: tuple[_Write | None, ...]) -> _Write:
    if all(write is None for write in writers):
        return list
    if all(write is _write_float for write in writers):
        return lambda values: [_write_float(value) for value in values]
    return lambda values: [value if write is None else write(value) for write, value in zip(writers, values)]


def _write_float(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


# ------------------------------------------------------------------------------------------------- reading


def _read_tagged(shape: Any, where: str, allowed: Mapping[str, type]) -> Any:
    if not isinstance(shape, Mapping):
        raise InputError(_quote(shape), "an object with a 'type'", where)
    name = shape.get("type")
    if not isinstance(name, str) or name not in allowed:
        expected = "one of " + ", ".join(allowed) if len(allowed) <= 8 else "the name of a record of the seam"
        raise InputError(
            _quote(name) if "type" in shape else "no 'type'", expected, f"{where}.type".lstrip(".")
        )
    return _record_reader(allowed[name])(shape, where)


@cache
def _record_reader(cls: type) -> _Read:
    hints = _hints(cls)
    required = {
        field.name
        for field in dataclasses.fields(cls)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    readers = {name: _reader(hint) for name, hint in hints.items()}

    def read_record(shape: Any, where: str) -> Any:
        place = where or cls.__name__
        if not isinstance(shape, Mapping):
            raise InputError(_quote(shape), f"an object of type {cls.__name__}", place)
        if shape.get("type", cls.__name__) != cls.__name__:
            raise InputError(_quote(shape["type"]), f"'{cls.__name__}'", f"{place}.type")
        values = {name: value for name, value in shape.items() if name != "type"}
        if unknown := values.keys() - readers.keys():
            raise InputError(
                f"an unknown field {sorted(unknown)[0]!r}", f"the fields {', '.join(readers)}", place
            )
        if missing := required - values.keys():
            raise InputError(f"no field {sorted(missing)[0]!r}", f"the fields {', '.join(readers)}", place)
        return cls(**{name: readers[name](value, f"{place}.{name}") for name, value in values.items()})

    return read_record


@cache
def _reader(hint: Any) -> _Read:
    options = _options(hint)
    if type(None) in typing.get_args(hint):
        inner = _reader_of(options)
        return lambda value, where: None if value is None else inner(value, where)
    return _reader_of(options)


def _reader_of(options: tuple[Any, ...]) -> _Read:
    if len(options) > 1:
        allowed = {option.__name__: option for option in options}
        return lambda value, where: _read_tagged(value, where, allowed)
    (hint,) = options
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _enum_reader(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record_reader(hint)
    inner = _items(hint)
    make = hint._make if hasattr(hint, "_make") else tuple
    if isinstance(inner, tuple):
        return _row_reader(tuple(_reader(part) for part in inner), make)
    read = _reader(inner)
    return lambda value, where: tuple(
        read(item, f"{where}[{index}]") for index, item in enumerate(_array(value, where, None))
    )


def _row_reader(readers: tuple[_Read, ...], make: Callable[[list[Any]], Any]) -> _Read:
    def read_row(value: Any, where: str) -> Any:
        items = _array(value, where, len(readers))
        return make([read(item, f"{where}[{i}]") for i, (read, item) in enumerate(zip(readers, items))])

    return read_row


def _enum_reader(cls: type[enum.Enum]) -> _Read:
    members = dict(cls.__members__)

    def read_enum(value: Any, where: str) -> enum.Enum:
        if not isinstance(value, str) or value not in members:
            raise InputError(_quote(value), "one of " + ", ".join(members), where)
        return members[value]

    return read_enum


def _array(value: Any, where: str, length: int | None) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple) or (length is not None and len(value) != length):
        raise InputError(_quote(value), "an array" if length is None else f"an array of {length}", where)
    return value


def _read_int(value: Any, where: str) -> int:
    if type(value) is not int:
        raise InputError(_quote(value), "an integer", where)
    return value


def _read_float(value: Any, where: str) -> float:
    if type(value) in (float, int):
        return float(value)
    if value in ("inf", "-inf", "nan"):
        return float(value)
    raise InputError(_quote(value), "a number", where)


def _read_str(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(_quote(value), "a string", where)
    return value


def _read_bool(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise InputError(_quote(value), "true or false", where)
    return value


def _read_complex(value: Any, where: str) -> complex:
    real, imaginary = _array(value, where, 2)
    return complex(_read_float(real, f"{where}[0]"), _read_float(imaginary, f"{where}[1]"))


_PLAIN: Final[dict[Any, _Read]] = {
    int: _read_int, float: _read_float, str: _read_str, bool: _read_bool, complex: _read_complex,
}  # fmt: skip


# --------------------------------------------------------------------------------------------------- types


@cache
def _hints(cls: type) -> dict[str, Any]:
    """Resolved type of each field of a record, in declared order."""
    resolved = typing.get_type_hints(cls)
    return {field.name: resolved[field.name] for field in dataclasses.fields(cls)}


def _options(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a union without None; a type that is no union is its own only alternative."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(option for option in typing.get_args(hint) if option is not type(None))
    return (hint,)


def _items(hint: Any) -> Any:
    """Types of a tuple's items: a tuple where the length is fixed, one type where it is not."""
    if hasattr(hint, "_fields"):
        return tuple(typing.get_type_hints(hint)[field] for field in hint._fields)
    if typing.get_origin(hint) is tuple:
        parts = typing.get_args(hint)
        return parts[0] if len(parts) == 2 and parts[1] is Ellipsis else parts
    raise TypeError(f"quantum_fabric.wire has no JSON shape for {hint!r}")


def _quote(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
