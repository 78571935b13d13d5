"""Messages as JSON shapes: what a tag is over, what crosses a wire, what is kept on disk. One reading only, in both directions."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final
from uuid import UUID

from quantum_fabric.errors import InputError
from quantum_fabric.keys.records import Slice
from quantum_fabric.keys.relay.bundle import LARGEST, OVERHEAD, PASSWORD
from quantum_fabric.keys.relay.messages import Ack, Carry, Envelope, Outcome, Payload, Receipt, Settle
from quantum_fabric.keys.relay.paths import Path

_MOST: Final = 2**53
_PLACES: Final = 1 + (LARGEST + OVERHEAD) // 8
"""Slices of one pad: nobody keeps a stock in smaller crumbs."""


def text_of(message: Envelope | Ack) -> bytes:
    """What the tag is over: every field but the tag.

    Examples:
        >>> text_of(Ack("B", "A", 7, (Slice(UUID(int=1), 32, 32),)))
        b'["ack","B","A",7,[["00000000-0000-0000-0000-000000000001",32,32]]]'
    """
    return json.dumps(_bare(message), separators=(",", ":")).encode()


def written(message: Envelope | Ack) -> list[Any]:
    """A message with its tag, in JSON shapes.

    Examples:
        >>> ack = Ack("B", "A", 7, (Slice(UUID(int=1), 32, 32),), bytes(16))
        >>> read(written(ack)) == ack
        True
    """
    return [*_bare(message), message.tag.hex()]


def _bare(message: Envelope | Ack) -> list[Any]:
    if isinstance(message, Ack):
        return ["ack", message.sender, message.receiver, message.number, _out(message.lock)]
    inside = payload_out(message.payload)
    head = [message.sender, message.receiver, message.number, message.floor]
    return ["envelope", *head, inside, _out(message.lock)]


def payload_out(payload: Payload) -> list[Any]:
    """A payload in JSON shapes."""
    head = [str(payload.transfer), payload.share, list(payload.path)]
    match payload:
        case Carry():
            body = base64.b64encode(payload.body).decode()
            return ["carry", *head, payload.shares, payload.octets, payload.expires, _out(payload.pad), body]
        case Receipt():
            return ["receipt", *head, payload.outcome.value, payload.by, payload.password.hex()]
        case Settle():
            return ["settle", *head, payload.expires, payload.release, payload.password.hex()]


def read(value: Any) -> Envelope | Ack:
    """Read a message from JSON shapes.

    Raises:
        InputError: it is none, or beyond a bound.

    Examples:
        >>> read(["ack", "B"])
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: relay message: found something else, expected an envelope or an acknowledgement
    """
    match value:
        case ["ack", sender, receiver, number, lock, tag]:
            return Ack(_name(sender), _name(receiver), _number(number, 1), _places(lock), _hex(tag, PASSWORD))
        case ["envelope", sender, receiver, number, floor, payload, lock, tag]:
            return Envelope(
                _name(sender), _name(receiver), _number(number, 1), _number(floor, 1), payload_in(payload), _places(lock),
                _hex(tag, PASSWORD),
            )  # fmt: skip
    raise _wrong("an envelope or an acknowledgement")


def payload_in(value: Any) -> Payload:
    """Read a payload.

    Raises:
        InputError: it is none.
    """
    match value:
        case ["carry", transfer, share, path, shares, octets, expires, pad, body]:
            return Carry(
                _uuid(transfer), _number(share), _number(shares, 1), _number(octets, 1), _path(path), _number(expires),
                _places(pad), _body(body),
            )  # fmt: skip
        case ["receipt", transfer, share, path, str(outcome), by, password] if outcome in set(Outcome):
            return Receipt(
                _uuid(transfer),
                _number(share),
                _path(path),
                Outcome(outcome),
                _name(by),
                _hex(password, 0, PASSWORD),
            )
        case ["settle", transfer, share, path, expires, bool(release), password]:
            return Settle(
                _uuid(transfer),
                _number(share),
                _path(path),
                _number(expires),
                release,
                _hex(password, PASSWORD),
            )
    raise _wrong("a share, a receipt or a settlement")


def _out(places: tuple[Slice, ...]) -> list[list[Any]]:
    return [[str(one.block), one.offset, one.octets] for one in places]


def _places(value: Any) -> tuple[Slice, ...]:
    if not isinstance(value, list) or len(value) > _PLACES:
        raise _wrong("a list of places")
    found = []
    for one in value:
        match one:
            case [block, offset, octets]:
                found.append(Slice(_uuid(block), _number(offset), _number(octets, 1)))
            case _:
                raise _wrong("[block, offset, octets]")
    return tuple(found)


def _number(value: Any, least: int = 0) -> int:
    if type(value) is not int or not least <= value < _MOST:
        raise _wrong(f"a whole number from {least}")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 80:
        raise _wrong("the name of a node")
    return value


def _path(value: Any) -> Path:
    if not isinstance(value, list) or len(value) > 64:
        raise _wrong("a path")
    return tuple(_name(one) for one in value)


def _uuid(value: Any) -> UUID:
    try:
        found = UUID(value)
    except (ValueError, TypeError, AttributeError):
        found = None
    if found is None or str(found) != value:  # one reading only
        raise _wrong("a UUID")
    return found


def _hex(value: Any, *sizes: int) -> bytes:
    if isinstance(value, str) and len(value) in {2 * size for size in sizes} and value == value.lower():
        try:
            return binascii.unhexlify(value)
        except binascii.Error:
            pass
    raise _wrong("hexadecimal digits")


def _body(value: Any) -> bytes:
    try:
        found = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        found = b""
    if not 0 < len(found) <= LARGEST + OVERHEAD or base64.b64encode(found).decode() != value:
        raise _wrong("base64")
    return found


def _wrong(expected: str) -> InputError:
    """Nothing of what was found is shown: it may be a password."""
    return InputError("something else", expected, "relay message")
