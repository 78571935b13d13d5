"""Which pairs are measured, and how: the same at both ends, even, and not to be foreseen without the key."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest

from quantum_fabric.control.reading import Reader, check_bases, epoch_key
from quantum_fabric.errors import InputError
from quantum_fabric.messages import PairId, Reading

KEY = epoch_key(b"secret of the test", 3)
TESTS = Reading(("X", "Y", "Z"), 0.25, KEY)
PAIRS = [PairId(f"A~B/0#{n}", f"B~C/1#{n}") for n in range(20_000)]
SIGMAS = 5.0
"""A check fails by chance once in 1.7 million (normal law)."""


def near(found: int, trials: int, chance: float) -> bool:
    return abs(found - trials * chance) <= SIGMAS * math.sqrt(trials * chance * (1.0 - chance))


def test_both_ends_of_a_test_say_the_same_of_every_pair() -> None:
    here, there = Reader(TESTS), Reader(replace(TESTS))
    assert [here.basis(pair) for pair in PAIRS[:500]] == [there.basis(pair) for pair in PAIRS[:500]]


def test_the_share_and_the_bases_are_even() -> None:
    reader = Reader(TESTS)
    said = Counter(reader.basis(pair) for pair in PAIRS)
    tested = len(PAIRS) - said[None]
    assert near(tested, len(PAIRS), 0.25)
    assert all(near(said[basis], tested, 1 / 3) for basis in "XYZ")


def test_ends_with_something_of_their_own_choose_each_for_itself() -> None:
    one, two = (Reader(Reading(("X", "Z"), 1.0, KEY, own)) for own in ("source", "destination"))
    equal = sum(one.basis(pair) == two.basis(pair) for pair in PAIRS)
    assert near(equal, len(PAIRS), 0.5)


@pytest.mark.parametrize("other", [epoch_key(b"secret of the test", 4), epoch_key(b"", 3), "00" * 32])
def test_who_has_another_key_knows_no_more_than_chance(other: str) -> None:
    ours, theirs = Reader(TESTS), Reader(replace(TESTS, key=other))
    both = sum(ours.basis(pair) is not None and theirs.basis(pair) is not None for pair in PAIRS)
    assert near(both, len(PAIRS), 0.25**2)


def test_a_pair_and_its_mirror_image_are_two_pairs() -> None:
    reader = Reader(TESTS)
    turned = sum((reader.basis(p) is None) == (reader.basis(PairId(p.right, p.left)) is None) for p in PAIRS)
    assert near(turned, len(PAIRS), 0.25**2 + 0.75**2)


def test_a_key_is_never_shown() -> None:
    assert KEY not in repr(TESTS)
    with pytest.raises(InputError) as caught:
        Reader(replace(TESTS, key="short secret"))
    assert "short secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"share": 0.0}, "share"), ({"share": 1.5}, "share"), ({"share": math.nan}, "share"), ({"bases": ()}, "bases"),
        ({"bases": ("X", "Q")}, "bases"), ({"bases": ("X", "X")}, "bases"), ({"key": ""}, "key"), ({"key": "00" * 31}, "key"),
        ({"key": "zz" * 32}, "key"),
    ],
)  # fmt: skip
def test_a_rule_that_nobody_can_follow_is_refused(wrong: dict[str, object], where: str) -> None:
    with pytest.raises(InputError) as caught:
        Reader(replace(TESTS, **wrong))  # type: ignore[arg-type]
    assert caught.value.where == where


def test_one_basis_is_no_choice() -> None:
    check_bases(("Y",), "bases")
    assert {Reader(Reading(("Y",), 1.0, KEY)).basis(pair) for pair in PAIRS[:50]} == {"Y"}
