"""The messages of the link layer in the bits of draft-dahlberg-ll-quantum-03 (figures 1 to 5; network byte order).

Read (S): the XML source of the draft in the authors' repository, commit 065ee7d. An earlier text of the same number there (commit
5667e0d,
June 2019) has a CREATE of 16 octets with a binary16 time; what is spoken here is the later one, of 24 octets.

What the draft leaves open or cannot say, and what is done about it:

* Type K is 0 and type M is 1 (D: the draft names them in this order and gives no numbers).
* No type R, no RECV, no STOP_RECV, no NOTIME, no NORES, no Bell state: they are *refused*, never replaced by something near. The
  Bell state of
  an OK is agreed beforehand (``agreed``); an OK that announces another one is refused.
* The unit of the time of goodness: whole microseconds, modulo 2^16 (D).
* Fidelities are n/65535: a minimum is rounded up and a goodness down, so that nobody asks for less or promises more than was said.
* Bits that are unused must be 0; anything else is from a version that is not this one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from quantum_fabric.errors import InputError
from quantum_fabric.messages import Bell
from quantum_fabric.standards.egp import (
    Ack,
    Answer,
    Basis,
    Create,
    CreateKeep,
    CreateMeasure,
    Err,
    ErrorCode,
    Measurement,
    OkKeep,
    OkMeasure,
    OkPrepare,
    RandomBasis,
    TimeUnit,
)
from quantum_fabric.standards.reading import shown
from quantum_fabric.units import US, Time

Layout = tuple[tuple[str, int], ...]
"""Names and widths of fields, the most significant bit first; a name that is empty is unused."""

_SCALE: Final = 2**16 - 1
_HAIR: Final = 1e-9
"""Of a step of 1/65535: a fidelity that is a whole number of steps, but for the last bit of a float, is that number."""

CREATE: Final[Layout] = (
    ("remote_node_id", 32),
    ("minimum_fidelity", 16), ("time_unit", 2), ("max_time", 14),
    ("purpose_id", 16), ("number", 16),
    ("priority", 3), ("type", 1), ("atomic", 1), ("consecutive", 1), ("random_l", 2), ("random_r", 2), ("", 6),
    ("weight_l1", 8), ("weight_l2", 8),
    ("weight_r1", 8), ("weight_r2", 8), ("turn_l1", 8), ("turn_l2", 8),
    ("turn_l3", 8), ("turn_r1", 8), ("turn_r2", 8), ("turn_r3", 8),
)  # fmt: skip
"""Figure 1."""

_HEAD: Final[Layout] = (("type", 4), ("create_id", 16))
_PAIR: Final[Layout] = (("sequence_number", 16), ("purpose_id", 16), ("remote_node_id", 32), ("goodness", 16))
ANSWERS: Final[Mapping[int, Layout]] = {
    1: (*_HEAD, ("", 12)),
    2: (*_HEAD, ("logical_qubit_id", 4), ("from_remote", 1), ("", 7), *_PAIR, ("time_of_goodness", 16)),
    3: (*_HEAD, ("outcome", 1), ("from_remote", 1), ("basis", 3), ("", 7), *_PAIR, ("", 16)),
    4: (*_HEAD, ("code", 4), ("by_sequence", 1), ("", 7), ("low", 16), ("high", 16), ("origin_node_id", 32)),
}
"""Figures 2 to 5, by the type that stands in the first four bits: ACK, OK of type K, OK of type M, ERR."""

CODES: Final[Mapping[ErrorCode, int]] = {
    ErrorCode.UNSUPP: 1, ErrorCode.CREATE: 2, ErrorCode.REJECTED: 3, ErrorCode.OTHER: 4, ErrorCode.EXPIRE: 5,
    ErrorCode.TIMEOUT: 6,
}  # fmt: skip
"""The codes of the draft, section 4.2.1."""


def create_bits(message: Create) -> bytes:
    """A CREATE in 24 octets.

    Raises:
        InputError: type R, which the draft does not know.

    Examples:
        >>> create_bits(CreateKeep(2, 1.0, TimeUnit.MILLI, 500, purpose_id=3, number=1, priority=1)).hex(" ", 4)
        '00000002 ffff41f4 00030001 20000000 00000000 00000000'
    """
    if not isinstance(message, CreateKeep | CreateMeasure):
        raise InputError(message.KIND, "CREATE_K or CREATE_M, which are all that the draft has", "CREATE")
    values = {
        "remote_node_id": message.remote_node_id,
        "minimum_fidelity": min(_SCALE, math.ceil(message.minimum_fidelity * _SCALE - _HAIR)),
        "time_unit": message.time_unit,
        "max_time": message.max_time,
        "purpose_id": message.purpose_id,
        "number": message.number,
        "priority": message.priority,
        "type": int(isinstance(message, CreateMeasure)),
        "atomic": int(message.atomic),
        "consecutive": int(message.consecutive),
    }
    if isinstance(message, CreateMeasure):
        for side, how in (("l", message.local), ("r", message.remote)):
            values[f"random_{side}"] = how.random
            values |= {f"weight_{side}{place}": weight for place, weight in enumerate(how.weights, start=1)}
            values |= {f"turn_{side}{place}": turn for place, turn in enumerate(how.rotations, start=1)}
    return _pack(CREATE, values)


def create_of(data: bytes) -> CreateKeep | CreateMeasure:
    """The CREATE that 24 octets say.

    Raises:
        InputError: another length, bits that should be 0, a unit of time that there is not, or a value outside its domain.

    Examples:
        >>> create_of(create_bits(CreateKeep(2, 0.0))) == CreateKeep(2, 0.0)
        True
        >>> create_of(bytes(23))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: CREATE: found 23 octets, expected 24 octets
    """
    found = _unpack(CREATE, data, "CREATE")
    if found["time_unit"] == 3:
        raise InputError("3", "0 (microseconds), 1 (milliseconds) or 2 (seconds)", "CREATE.time_unit")
    sides = []
    for side in "lr":
        turns = (found[f"turn_{side}1"], found[f"turn_{side}2"], found[f"turn_{side}3"])
        weights = (found[f"weight_{side}1"], found[f"weight_{side}2"])
        sides.append(Measurement(RandomBasis(found[f"random_{side}"]), turns, weights))
    common = (
        found["remote_node_id"], found["minimum_fidelity"] / _SCALE, TimeUnit(found["time_unit"]), found["max_time"],
        found["purpose_id"], found["number"], found["priority"], bool(found["atomic"]), bool(found["consecutive"]),
    )  # fmt: skip
    if found["type"]:
        return CreateMeasure(*common, *sides)
    if sides != [Measurement(), Measurement()]:
        raise InputError("how to measure, in a CREATE of type K", "0 in those bits", "CREATE")
    return CreateKeep(*common)


def answer_bits(message: Answer, agreed: Bell) -> bytes:
    """An ACK, OK or ERR in 4, 12 or 16 octets.

    Args:
        message: the answer.
        agreed: the Bell state that an OK stands for, which the bits cannot say.

    Raises:
        InputError: what the draft cannot say: type R, NOTIME, NORES, another Bell state, a qubit number above 15.

    Examples:
        >>> answer_bits(Err(258, ErrorCode.EXPIRE, 7, (4, 6)), Bell.PHI_PLUS).hex(" ", 4)
        '40102580 00040006 00000007'
    """
    if isinstance(message, Ack):
        return _pack(ANSWERS[1], {"type": 1, "create_id": message.create_id})
    if isinstance(message, Err):
        return _err_bits(message)
    if isinstance(message, OkPrepare):
        raise InputError(message.KIND, "OK_K or OK_M, which are all that the draft has", "OK")
    if message.bell is not agreed:
        raise InputError(
            message.bell.name, f"{agreed.name}, as agreed: the bits cannot say another", "OK.bell"
        )
    values = {
        "create_id": message.create_id,
        "from_remote": int(message.from_remote),
        "sequence_number": message.sequence_number,
        "purpose_id": message.purpose_id,
        "remote_node_id": message.remote_node_id,
        "goodness": math.floor(message.goodness * _SCALE + _HAIR),
    }
    if isinstance(message, OkMeasure):
        return _pack(ANSWERS[3], values | {"type": 3, "outcome": message.outcome, "basis": message.basis})
    if message.logical_qubit_id > 15:
        raise InputError(
            str(message.logical_qubit_id), "at most 15: there are 4 bits for it", "OK.logical_qubit_id"
        )
    kept = {"logical_qubit_id": message.logical_qubit_id, "time_of_goodness": clock(message.time_of_goodness)}
    return _pack(ANSWERS[2], values | {"type": 2} | kept)


def clock(time: Time) -> int:
    """A time as an OK of type K says it: whole microseconds, modulo 2^16.

    Examples:
        >>> clock(70_000_000_000)
        4464
    """
    return time // US % (_SCALE + 1)


def _err_bits(message: Err) -> bytes:
    if message.code not in CODES:
        known = ", ".join(code.name for code in CODES)
        raise InputError(message.code.name, f"one of {known}, which are all that the draft has", "ERR.code")
    low, high = message.sequence or (0, 0)
    values = {
        "type": 4, "create_id": message.create_id, "code": CODES[message.code], "by_sequence": int(message.sequence is not None),
        "low": low, "high": high, "origin_node_id": message.origin_node_id,
    }  # fmt: skip
    return _pack(ANSWERS[4], values)


def answer_of(data: bytes, agreed: Bell) -> Ack | OkKeep | OkMeasure | Err:
    """The answer that octets say; ``agreed`` is the Bell state that an OK stands for.

    Raises:
        InputError: no octets, an unknown type, another length, bits that should be 0, an unknown code or basis.

    Examples:
        >>> answer_of(bytes.fromhex("10009000"), Bell.PHI_PLUS)
        Ack(create_id=9)
        >>> answer_of(bytes.fromhex("f0009000"), Bell.PHI_PLUS)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: answer: found type 15, expected 1 (ACK), 2 (OK, K), 3 (OK, M) or 4 (ERR)
    """
    kind = data[0] >> 4 if data else -1
    if kind not in ANSWERS:
        found = f"type {kind}" if data else "0 octets"
        raise InputError(found, "1 (ACK), 2 (OK, K), 3 (OK, M) or 4 (ERR)", "answer")
    named = ("", "ACK", "OK_K", "OK_M", "ERR")[kind]
    values = _unpack(ANSWERS[kind], data, named)
    if kind == 1:
        return Ack(values["create_id"])
    if kind == 4:
        return _err_of(values)
    common = (
        values["create_id"], bool(values["from_remote"]), values["sequence_number"], values["purpose_id"],
        values["remote_node_id"], values["goodness"] / _SCALE, agreed,
    )  # fmt: skip
    if kind == 2:
        return OkKeep(*common, values["logical_qubit_id"], values["time_of_goodness"] * US)
    if values["basis"] not in list(Basis):
        raise InputError(str(values["basis"]), "a basis from 0 to 4", "OK_M.basis")
    return OkMeasure(*common, values["outcome"], Basis(values["basis"]))


def _err_of(values: Mapping[str, int]) -> Err:
    codes = {number: code for code, number in CODES.items()}
    if values["code"] not in codes:
        raise InputError(str(values["code"]), "a code from 1 to 6", "ERR.code")
    sequence = (values["low"], values["high"])
    if not values["by_sequence"] and sequence != (0, 0):
        raise InputError(f"{sequence} without the flag S", "sequence numbers 0 where S is 0", "ERR.sequence")
    return Err(
        values["create_id"], codes[values["code"]], values["origin_node_id"], sequence if values["by_sequence"] else None
    )  # fmt: skip


def _pack(layout: Layout, values: Mapping[str, int]) -> bytes:
    whole = 0
    for name, width in layout:
        whole = whole << width | int(values.get(name, 0))
    return whole.to_bytes(sum(width for _, width in layout) // 8, "big")


def _unpack(layout: Layout, data: bytes, where: str) -> dict[str, int]:
    length = sum(width for _, width in layout) // 8
    if len(data) != length:
        raise InputError(f"{len(data)} octets", f"{length} octets", where)
    whole, left = int.from_bytes(data, "big"), 8 * length
    found: dict[str, int] = {}
    for name, width in layout:
        left -= width
        value = whole >> left & ((1 << width) - 1)
        if name:
            found[name] = value
        elif value:
            raise InputError(f"unused bits {shown(bin(value))}", "0 in them", where)
    return found
