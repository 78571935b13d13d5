"""Changes of the entanglement table as plain data: JSON shapes that read back to the same record, and flat rows for analysis.

The shapes follow `quantum_fabric.wire`: fields by name, enums by name, a pair's name as ``[left, right]``, times in ps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from quantum_fabric.control.entangled.pairs import TOLERANCE, Change, End, Estimate, Pair, PairState
from quantum_fabric.errors import InputError
from quantum_fabric.messages import Bell, Correlators, PairId, Stretch

COLUMNS: Final[Mapping[str, str]] = {
    "change": "BIGINT", "time_ps": "BIGINT", "pair_left": "VARCHAR", "pair_right": "VARCHAR", "state": "VARCHAR",
    "node_left": "VARCHAR", "node_right": "VARCHAR", "slot_left": "INTEGER", "slot_right": "INTEGER",
    "there_left": "BOOLEAN", "there_right": "BOOLEAN", "knows_left": "BOOLEAN", "knows_right": "BOOLEAN",
    "born_left_ps": "BIGINT", "born_right_ps": "BIGINT", "request": "VARCHAR", "epoch": "INTEGER", "bell": "VARCHAR",
    "fidelity": "DOUBLE", "fidelity_low": "DOUBLE", "fidelity_high": "DOUBLE", "floor": "DOUBLE", "expires_at_ps": "BIGINT",
    "sources": "VARCHAR", "swaps": "VARCHAR", "purifications": "INTEGER", "number": "INTEGER",
    "into_left": "VARCHAR", "into_right": "VARCHAR", "why": "VARCHAR", "together": "VARCHAR", "announced": "DOUBLE",
    "announced_low": "DOUBLE", "announced_high": "DOUBLE",
}  # fmt: skip
"""Columns of `flat` and their SQL types. All but the first four are NULL where a row is forgotten; estimates hold at ``time_ps``."""


def plain(change: Change) -> dict[str, Any]:
    """A change as a JSON shape.

    Examples:
        >>> plain(Change(3, 10, PairId("a", "b"), None))
        {'n': 3, 't': 10, 'id': ['a', 'b'], 'pair': None}
    """
    pair = change.pair
    shape: dict[str, Any] = {"n": change.number, "t": change.time, "id": list(change.id), "pair": None}
    if pair is not None:
        shape["pair"] = {
            "state": pair.state.name, "ends": [_end(end) for end in pair.ends], "request": pair.request, "epoch": pair.epoch,
            "bell": pair.bell.name, "quality": list(pair.quality), "floor": pair.floor, "sources": list(pair.sources),
            "swaps": list(pair.swaps), "purifications": pair.purifications, "rounds": pair.rounds, "created": pair.created,
            "changed": pair.changed, "number": pair.number, "into": None if pair.into is None else list(pair.into),
            "why": pair.why, "together": [list(each) for each in pair.together], "until": pair.until,
            "announced": None if pair.announced is None else list(pair.announced),
        }  # fmt: skip
    return shape


def _end(end: End) -> dict[str, Any]:
    shape = end._asdict()
    shape["rates"] = list(end.rates)
    shape["stretch"] = None if end.stretch is None else list(end.stretch)
    return shape


def change_of(shape: object) -> Change:
    """The change that a JSON shape came from.

    Raises:
        InputError: a missing, unknown or unusable field; it names the field.

    Examples:
        >>> change_of({"n": 3, "t": 10, "id": ["a", "b"], "pair": None})
        Change(number=3, time=10, id=PairId(left='a', right='b'), pair=None)
        >>> change_of({"n": 3, "t": "noon", "id": ["a", "b"], "pair": None})
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: change.t: found 'noon', expected an integer of 0 or more
    """
    top = _fields(shape, {"n", "t", "id", "pair"}, "change")
    name = _name(top["id"], "change.id")
    pair = None if top["pair"] is None else _pair(top["pair"], name)
    return Change(_count(top["n"], "change.n"), _count(top["t"], "change.t"), name, pair)


def flat(change: Change, tolerance: float = TOLERANCE) -> dict[str, Any]:
    """A change as one row of a table (see `COLUMNS`), with the estimate at its time.

    Args:
        change: the change.
        tolerance: relative error of the believed losses, for the interval.
    """
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row.update(
        change=change.number, time_ps=change.time, pair_left=change.id.left, pair_right=change.id.right
    )
    pair = change.pair
    if pair is None:
        return row
    one, two = pair.ends
    row.update(
        state=pair.state.value, node_left=one.node, node_right=two.node, slot_left=one.slot, slot_right=two.slot,
        there_left=one.there, there_right=two.there, knows_left=one.knows, knows_right=two.knows, born_left_ps=one.born,
        born_right_ps=two.born, request=pair.request, epoch=pair.epoch, floor=pair.floor, sources=" ".join(pair.sources),
        swaps=" ".join(pair.swaps), purifications=pair.purifications, number=pair.number, why=pair.why,
    )  # fmt: skip
    row["together"] = "; ".join(" .. ".join(each) for each in pair.together)
    if pair.announced is not None:
        value, low, high = pair.announced
        row.update(announced=value, announced_low=low, announced_high=high)
    if pair.into is not None:
        row.update(into_left=pair.into.left, into_right=pair.into.right)
    if pair.state is not PairState.ATTEMPTING:
        value, low, high = pair.estimate(change.time, tolerance)
        row.update(
            bell=pair.bell.name,
            fidelity=value,
            fidelity_low=low,
            fidelity_high=high,
            expires_at_ps=pair.expires(),
        )
    return row


# ------------------------------------------------------------------------------------------------- reading


def _pair(shape: object, name: PairId) -> Pair:
    names = {
        "state", "ends", "request", "epoch", "bell", "quality", "floor", "sources", "swaps", "purifications", "rounds", "created",
        "changed", "number", "into", "why", "together", "until", "announced",
    }  # fmt: skip
    f = _fields(shape, names, "pair")
    ends = _list(f["ends"], "pair.ends", 2)
    return Pair(
        id=name,
        state=_enum(f["state"], PairState, "pair.state"),
        ends=(_read_end(ends[0], "pair.ends.0"), _read_end(ends[1], "pair.ends.1")),
        request=_text(f["request"], "pair.request"),
        epoch=_count(f["epoch"], "pair.epoch"),
        bell=_enum(f["bell"], Bell, "pair.bell"),
        quality=_three(f["quality"], "pair.quality"),
        floor=_number(f["floor"], "pair.floor"),
        sources=tuple(_text(each, "pair.sources") for each in _list(f["sources"], "pair.sources")),
        swaps=tuple(_text(each, "pair.swaps") for each in _list(f["swaps"], "pair.swaps")),
        purifications=_count(f["purifications"], "pair.purifications"),
        rounds=_count(f["rounds"], "pair.rounds"),
        created=_count(f["created"], "pair.created"),
        changed=_count(f["changed"], "pair.changed"),
        number=_count(f["number"], "pair.number"),
        into=None if f["into"] is None else _name(f["into"], "pair.into"),
        why=_text(f["why"], "pair.why"),
        together=tuple(_name(each, "pair.together") for each in _list(f["together"], "pair.together")),
        until=None if f["until"] is None else _whole(f["until"], "pair.until"),
        announced=None if f["announced"] is None else Estimate(*_three(f["announced"], "pair.announced")),
    )


def _read_end(shape: object, where: str) -> End:
    f = _fields(shape, set(End._fields), where)
    stretch = f["stretch"]
    if stretch is not None:
        rate, exponent, birth = _list(stretch, f"{where}.stretch", 3)
        place = f"{where}.stretch"
        stretch = Stretch(_number(rate, place), _number(exponent, place), _whole(birth, place))
    return End(
        _text(f["node"], f"{where}.node"), _text(f["half"], f"{where}.half"), _whole(f["slot"], f"{where}.slot"),
        _truth(f["there"], f"{where}.there"), _truth(f["knows"], f"{where}.knows"), _whole(f["born"], f"{where}.born"),
        _whole(f["since"], f"{where}.since"), _three(f["rates"], f"{where}.rates"), stretch,
        None if f["cutoff"] is None else _whole(f["cutoff"], f"{where}.cutoff"),
    )  # fmt: skip


def _fields(shape: object, names: set[str], where: str) -> Mapping[str, Any]:
    if not isinstance(shape, Mapping) or set(shape) != names:
        found = f"fields {', '.join(map(str, shape))}" if isinstance(shape, Mapping) else repr(shape)
        raise InputError(found, f"an object with the fields {', '.join(sorted(names))}", where)
    return shape


def _checked(fits: Callable[[Any], bool], what: str) -> Callable[[object, str], Any]:
    def read(value: object, where: str) -> Any:
        if not fits(value):
            raise InputError(repr(value), what, where)
        return value

    return read


_text = _checked(lambda value: isinstance(value, str), "a text")
_truth = _checked(lambda value: isinstance(value, bool), "true or false")
_whole = _checked(lambda value: type(value) is int, "an integer")
_count = _checked(lambda value: type(value) is int and value >= 0, "an integer of 0 or more")
_number = _checked(lambda value: type(value) in (int, float) and math.isfinite(value), "a number")


def _list(value: object, where: str, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        raise InputError(repr(value), "a list" if length is None else f"a list of {length}", where)
    return value


def _three(value: object, where: str) -> Correlators:
    x, y, z = (float(_number(each, where)) for each in _list(value, where, 3))
    return (x, y, z)


def _name(value: object, where: str) -> PairId:
    left, right = _list(value, where, 2)
    return PairId(_text(left, where), _text(right, where))


def _enum(value: object, kind: Any, where: str) -> Any:
    if not isinstance(value, str) or value not in kind.__members__:
        raise InputError(repr(value), f"one of {', '.join(kind.__members__)}", where)
    return kind[value]
