"""Every record of the seam survives the way to JSON text and back; what is not a record is refused with its place."""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric import messages, wire
from quantum_fabric.errors import InputError
from quantum_fabric.messages import (
    Bell,
    Calibration,
    Confirmed,
    CutoffRule,
    LinkRequest,
    PairId,
    Prepare,
    Received,
    Send,
    Swapped,
)

FLOATS = st.floats(allow_nan=False)


def strategy(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type, found independently of wire.py."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return st.one_of([strategy(option) for option in typing.get_args(hint)])
    if hint is type(None):
        return st.none()
    plain = {
        int: st.integers(-(10**18), 10**18),
        float: FLOATS,
        str: st.text(max_size=8),
        bool: st.booleans(),
        complex: st.builds(complex, FLOATS, FLOATS),
    }
    if hint in plain:
        return plain[hint]
    if typing.get_origin(hint) is tuple:
        parts = typing.get_args(hint)
        if parts[-1] is Ellipsis:
            return st.lists(strategy(parts[0]), max_size=2).map(tuple)
        return st.tuples(*map(strategy, parts))
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    if hasattr(hint, "_fields"):
        parts = typing.get_type_hints(hint)
        return st.builds(hint, *[strategy(parts[name]) for name in hint._fields])
    hints = typing.get_type_hints(hint)
    return st.builds(
        hint, **{f.name: st.deferred(lambda h=hints[f.name]: strategy(h)) for f in dataclasses.fields(hint)}
    )


RECORDS = sorted(wire.RECORDS.values(), key=lambda cls: cls.__name__)


def test_the_catalogue_holds_every_message_of_the_unions() -> None:
    members = set(typing.get_args(messages.Message)) | set(typing.get_args(messages.Rule)) | {Send}
    assert members <= set(RECORDS)
    assert len(RECORDS) >= 45


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_round_trip_through_json_text(cls: type) -> None:
    @settings(max_examples=15, deadline=None, derandomize=True)
    @given(strategy(cls))
    def check(message: Any) -> None:
        text = json.dumps(wire.encode(message), allow_nan=False)
        back = wire.decode(json.loads(text))
        assert back == message
        assert type(back) is cls
        assert json.dumps(wire.encode(back), allow_nan=False) == text

    check()


def test_shapes_are_what_the_docstring_says() -> None:
    assert wire.encode(Swapped("UIC", 0, 1, None))["outcome"] is None
    confirmed = Confirmed(
        3, "NU", PairId("a#1", "b#2"), Bell.PSI_MINUS, (1.0, 0.5, 0.25), (0.0, 0.0, 0.0), 5, 9, 0
    )
    shape = wire.encode(confirmed)
    assert next(iter(shape)) == "type"
    assert shape["pair"] == ["a#1", "b#2"]
    assert shape["bell"] == "PSI_MINUS"
    assert shape["quality"] == [1.0, 0.5, 0.25]
    assert wire.encode(Received("NU", 0, (1j, 0j, 0j, 0.5 + 0j)))["density"][0] == [0.0, 1.0]
    back = wire.decode(shape)
    assert isinstance(back, Confirmed)
    assert type(back.pair) is PairId
    assert type(back.bell) is Bell


def test_members_of_unions_carry_their_type() -> None:
    prepare = Prepare(1, "r", "NU", (CutoffRule(5),), Calibration(math.inf, 1.0, 0.0, 0.0, 0.0, 0.0), 10, 20)
    shape = wire.encode(prepare)
    assert shape["rules"] == [{"type": "CutoffRule", "age": 5}]
    assert shape["calibration"]["t1"] == "inf"
    assert wire.decode(shape) == prepare
    sent = Send("NU", LinkRequest("NU", "UIC", 0.9))
    assert wire.decode(wire.encode(sent)) == sent


def test_fields_with_a_default_may_be_missing_and_integers_pass_for_numbers() -> None:
    request = wire.decode(
        {"type": "LinkRequest", "source": "A", "destination": "B", "fidelity": 0.9, "rate": 2}
    )
    assert request == LinkRequest("A", "B", 0.9, rate=2.0)
    assert isinstance(request, LinkRequest)
    assert type(request.rate) is float


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ({}, "type: found no 'type'"),
        ({"type": "Nonsense"}, "type: found 'Nonsense'"),
        ({"type": 7}, "type: found 7"),
        ([], "found []"),
        ({"type": "Commit"}, "Commit: found no field 'epoch'"),
        ({"type": "Commit", "epoch": 1, "x": 2}, "Commit: found an unknown field 'x'"),
        ({"type": "Commit", "epoch": True}, "Commit.epoch: found True, expected an integer"),
        ({"type": "Commit", "epoch": 1.0}, "Commit.epoch: found 1.0, expected an integer"),
        ({"type": "Commit", "epoch": None}, "Commit.epoch: found None"),
        ({"type": "Cancel", "request": 3}, "Cancel.request: found 3, expected a string"),
        (
            {"type": "LinkReport", "node": "a", "link": "b", "up": 1},
            "LinkReport.up: found 1, expected true or false",
        ),
        (
            {"type": "Swapped", "node": "a", "left": 0, "right": 1, "outcome": 2},
            "Swapped.outcome: found 2, expected one of",
        ),
        (
            {"type": "Teleported", "node": "a", "slot": 0, "bits": [1]},
            "Teleported.bits: found [1], expected an array of 2",
        ),
        (
            {
                "type": "Teleport",
                "node": "a",
                "slot": 0,
                "bell": "PHI_PLUS",
                "amplitudes": [[1, 0], [0, "x"]],
            },
            "Teleport.amplitudes[1][1]: found 'x', expected a number",
        ),
        ({"type": "Send", "to": "a", "message": {"type": "Plan"}}, "Send.message.type: found 'Plan'"),
        ({"type": "Send", "to": "a", "message": {"type": "Commit"}}, "Send.message: found no field 'epoch'"),
        (
            {"type": "Accepted", "request": "r", "plan": {"type": "Commit"}},
            "Accepted.plan.type: found 'Commit'",
        ),
        ({"type": "Accepted", "request": "r", "plan": 5}, "Accepted.plan: found 5"),
        ({"type": "Cancel", "request": ["x" * 99]}, "..., expected a string"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(shape: Any, text: str) -> None:
    with pytest.raises(InputError) as caught:
        wire.decode(shape)
    assert text in str(caught.value)


def test_only_records_of_the_seam_are_encoded() -> None:
    @dataclasses.dataclass(frozen=True)
    class Commit:
        epoch: int

    for thing in (Commit(1), 5, None, Bell.PHI_PLUS):
        with pytest.raises(InputError, match=r"expected a record of quantum_fabric\.messages"):
            wire.encode(thing)


def test_a_type_without_a_shape_is_a_bug_in_the_record() -> None:
    with pytest.raises(TypeError, match="no JSON shape"):
        wire._items(dict)
