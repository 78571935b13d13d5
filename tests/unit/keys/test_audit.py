"""The book shows every change, gap and swap."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import JournalError
from quantum_fabric.keys import Act, Entry, Head, entry, verify
from quantum_fabric.keys.audit import EMPTY


def book(length: int) -> list[Entry]:
    entries: list[Entry] = []
    head = EMPTY
    for number in range(length):
        one = entry(head, 10 * number, Act.ISSUED, "alice", {"keys": [f"k{number}"], "bits": 256})
        entries.append(one)
        head = Head(one.number, one.digest)
    return entries


def test_a_true_book() -> None:
    entries = book(5)
    assert verify(entries) == Head(5, entries[-1].digest)
    assert verify(entries[2:], Head(2, entries[1].digest)).number == 5
    assert verify([]) == EMPTY


@given(st.integers(0, 4), st.sampled_from(["at", "actor", "facts", "act", "digest", "before", "number"]))
def test_every_change_shows(where: int, field: str) -> None:
    entries = book(5)
    value = {
        "at": 7,
        "actor": "eve",
        "facts": "{}",
        "act": Act.REVOKED,
        "digest": "0",
        "before": "1",
        "number": 9,
    }
    entries[where] = replace(entries[where], **{field: value[field]})
    with pytest.raises(JournalError):
        verify(entries)


@given(st.integers(0, 4), st.integers(0, 4))
def test_gaps_and_swaps_show(one: int, other: int) -> None:
    entries = book(6)
    without = entries[:one] + entries[one + 1 :]
    with pytest.raises(JournalError):
        verify(without)
    if one != other:
        entries[one], entries[other] = entries[other], entries[one]
        with pytest.raises(JournalError):
            verify(entries)
