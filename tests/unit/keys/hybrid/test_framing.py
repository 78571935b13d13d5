"""Framed parts have one reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import InputError
from quantum_fabric.keys.hybrid.framing import LONGEST_PART, MOST_PARTS, pack, texts, unpack, words

PARTS = st.lists(st.binary(max_size=40), max_size=6)


@given(one=PARTS, other=PARTS)
def test_injective(one: list[bytes], other: list[bytes]) -> None:
    assert (pack(one) == pack(other)) == (one == other)
    assert unpack(pack(one), "x") == one


@given(octets=st.binary(max_size=60))
def test_whatever_is_read_is_what_would_be_written(octets: bytes) -> None:
    try:
        parts = unpack(octets, "x")
    except InputError:
        return
    assert pack(parts) == octets


@given(parts=PARTS, cut=st.integers(1, 10))
def test_cut_off_or_too_long(parts: list[bytes], cut: int) -> None:
    whole = pack(parts)
    for wrong in (whole[:-cut], whole + bytes(cut)):
        with pytest.raises(InputError):
            unpack(wrong, "x")


def test_bounds() -> None:
    with pytest.raises(InputError):
        pack([b""] * (MOST_PARTS + 1))
    with pytest.raises(InputError):
        pack([bytes(LONGEST_PART + 1)])
    with pytest.raises(InputError):
        unpack((1).to_bytes(2, "big") + (LONGEST_PART + 1).to_bytes(4, "big") + bytes(LONGEST_PART + 1), "x")
    with pytest.raises(InputError):
        unpack(b"\xff\xff" + bytes(4) * 65_535, "x")


def test_texts() -> None:
    assert texts(words(["a", "ü", ""]), "x") == ("a", "ü", "")
    with pytest.raises(InputError):
        texts(pack([b"\xff"]), "x")
