"""Messages in JSON: one reading only, and rubbish is refused."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyrelay import World, ladder
from quantum_fabric.errors import InputError
from quantum_fabric.keys.relay.messages import Envelope
from quantum_fabric.keys.relay.written import read, text_of, written


def all_messages() -> list[Any]:
    world = World(ladder())
    world.start(UUID(int=1), (("A", "R", "B"), ("A", "S", "T", "B")))
    world.settle()
    return world.heard


HEARD = all_messages()


def test_every_message_is_read_as_it_was_written() -> None:
    kinds = {type(one.payload) for one in HEARD if isinstance(one, Envelope)}
    assert len(kinds) == 3
    for message in HEARD:
        assert read(json.loads(json.dumps(written(message)))) == message
    assert len({text_of(message) for message in HEARD}) == len(set(HEARD)), (
        "different messages, different texts"
    )


def leaves(value: Any, place: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    found = [place]
    for index, one in enumerate(value if isinstance(value, list) else ()):
        found += leaves(one, (*place, index))
    return found


@settings(deadline=None)
@given(st.data())
def test_rubbish_is_an_input_error_or_another_message(data: st.DataObject) -> None:
    value = json.loads(json.dumps(written(data.draw(st.sampled_from(HEARD)))))
    place = data.draw(st.sampled_from(leaves(value)))
    junk = data.draw(
        st.sampled_from(
            [None, True, -1, 2**53, 1.5, "", "x" * 100, "zz", [], {}, [[]], ["a", "b"], "AB", "00" * 16]
        )
        | st.text(max_size=5)
    )
    if not place:
        value = junk
    else:
        inside = value
        for index in place[:-1]:
            inside = inside[index]
        inside[place[-1]] = junk
    try:
        message = read(value)
    except InputError:
        return
    assert written(message) == value, "one reading only"


def test_what_was_found_is_not_shown() -> None:
    with pytest.raises(InputError) as caught:
        read(["ack", "B", "A", 1, [], "secret" * 9])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("size", [3, 9, 11])
def test_messages_of_another_length(size: int) -> None:
    with pytest.raises(InputError):
        read(["ack"] * size)
