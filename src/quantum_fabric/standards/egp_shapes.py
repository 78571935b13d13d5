"""The messages of the link layer as plain dicts, for JSON, and back: fields by name, enums by name."""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from typing import Any, Final

from quantum_fabric.errors import InputError
from quantum_fabric.messages import Bell
from quantum_fabric.standards import reading
from quantum_fabric.standards.egp import (
    Ack,
    Answer,
    Asked,
    Basis,
    CreateKeep,
    CreateMeasure,
    CreatePrepare,
    Err,
    ErrorCode,
    Measurement,
    OkKeep,
    OkMeasure,
    OkPrepare,
    RandomBasis,
    Receive,
    StopReceive,
    TimeUnit,
)

RECORDS: Final[dict[str, type[Any]]] = {
    kind.KIND: kind
    for kind in (
        CreateKeep,
        CreateMeasure,
        CreatePrepare,
        Receive,
        StopReceive,
        Ack,
        OkKeep,
        OkMeasure,
        OkPrepare,
        Err,
    )
}
"""Every message by its name on the wire."""

_ENUMS: Final[dict[str, type[Enum]]] = {
    "time_unit": TimeUnit, "random": RandomBasis, "basis": Basis, "code": ErrorCode, "bell": Bell,
}  # fmt: skip
_FLAGS: Final = frozenset({"atomic", "consecutive", "from_remote"})


def plain(message: Asked | Answer) -> dict[str, Any]:
    """A message as a dict of numbers, names and lists, ``"type"`` first.

    Examples:
        >>> plain(Err(3, ErrorCode.NORES, 1))
        {'type': 'ERR', 'create_id': 3, 'code': 'NORES', 'origin_node_id': 1, 'sequence': None}
    """
    return {"type": message.KIND} | _shape(message)


def _shape(record: Any) -> dict[str, Any]:
    shape: dict[str, Any] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, Measurement):
            value = _shape(value)
        elif isinstance(value, Enum):
            value = value.name
        shape[field.name] = list(value) if isinstance(value, tuple) else value
    return shape


def message_of(shape: object) -> Asked | Answer:
    """The message that a dict came from.

    Raises:
        InputError: an unknown type, a missing or an unknown field, or a value outside its domain; it names the field.

    Examples:
        >>> message_of({"type": "RECV", "remote_node_id": 4, "purpose_id": 1})
        Receive(remote_node_id=4, purpose_id=1)
        >>> message_of({"type": "RECV", "remote_node_id": 4, "purpose_id": 65536})
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: RECV.purpose_id: found 65536, expected an integer from 0 to 65535
    """
    if not isinstance(shape, dict) or not isinstance(shape.get("type"), str) or shape["type"] not in RECORDS:
        found = shape.get("type") if isinstance(shape, dict) else shape
        raise InputError(reading.shown(found), f"a type: {', '.join(RECORDS)}", "message")
    kind = RECORDS[shape["type"]]
    names = [field.name for field in fields(kind)]
    top = reading.fields(shape, ["type", *names], kind.KIND)
    made: Asked | Answer = kind(**{name: _value(name, top[name], f"{kind.KIND}.{name}") for name in names})
    return made


def _value(name: str, value: object, where: str) -> Any:
    if name in _ENUMS:
        return reading.named(_ENUMS[name], value, where)
    if name in _FLAGS:
        return reading.flag(value, where)
    if name in ("local", "remote"):
        names = [field.name for field in fields(Measurement)]
        inner = reading.fields(value, names, where)
        return Measurement(**{each: _value(each, inner[each], f"{where}.{each}") for each in names})
    if name in ("rotations", "weights", "sequence"):
        if value is None and name == "sequence":
            return None
        count = 3 if name == "rotations" else 2
        found = reading.entries(value, count, where)
        if len(found) != count:
            raise InputError(reading.shown(value), f"{count} integers", where)
        return tuple(found)
    return value
