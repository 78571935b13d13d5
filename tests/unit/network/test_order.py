"""Swap trees."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from functools import cache

import pytest

from quantum_fabric.errors import InputError
from quantum_fabric.messages import Join
from quantum_fabric.network.order import ALIKE, asap, height, leveled, nested, optimal_nested

NAMES = tuple("ABCDEFGHIJKLMNOPQ")


def is_tree(path: Sequence[str], joins: Sequence[Join]) -> bool:
    """Each repeater once, each join of two segments that are there, the whole at the end."""
    segments = set(itertools.pairwise(path))
    for join in joins:
        if not {(join.left, join.at), (join.at, join.right)} <= segments:
            return False
        segments -= {(join.left, join.at), (join.at, join.right)}
        segments.add((join.left, join.right))
    return segments == {(path[0], path[-1])}


def test_as_soon_as_possible_spans_the_whole_path() -> None:
    assert asap("ABCD") == (Join("B", "A", "D"), Join("C", "A", "D"))
    assert asap("AB") == ()


@pytest.mark.parametrize("hops", range(1, 17))
def test_the_balanced_tree_is_a_tree(hops: int) -> None:
    path = NAMES[: hops + 1]
    joins = nested(path)
    assert is_tree(path, joins)
    assert height(joins) == (hops - 1).bit_length()


def test_the_balanced_tree_of_eight() -> None:
    assert [join.at for join in nested("ABCDEFGHI")] == ["B", "D", "F", "H", "C", "G", "E"]


@pytest.mark.parametrize("hops", range(1, 17))
def test_the_optimal_tree_is_a_tree(hops: int) -> None:
    rnd = random.Random(hops)
    path = NAMES[: hops + 1]
    assert is_tree(path, optimal_nested(path, [rnd.uniform(1, 20) for _ in range(hops)]))


@pytest.mark.parametrize("hops", [2, 3, 4, 5, 8, 16])
def test_equal_links_get_the_balanced_tree(hops: int) -> None:
    path = NAMES[: hops + 1]
    assert height(optimal_nested(path, [1.0] * hops)) == height(nested(path))


def cuts(low: int, high: int) -> Iterator[tuple[tuple[int, int, int], ...]]:
    """All trees over a range, by brute force."""
    if high - low == 1:
        yield ()
        return
    for cut in range(low + 1, high):
        for left in cuts(low, cut):
            for right in cuts(cut, high):
                yield (*left, *right, (low, cut, high))


def time_of(tree: tuple[tuple[int, int, int], ...], times: Sequence[float]) -> float:
    made = {(index, index + 1): time for index, time in enumerate(times)}
    for low, cut, high in tree:
        one, two = made[low, cut], made[cut, high]
        made[low, high] = one + two - one * two / (one + two)
    return made[0, len(times)]


@pytest.mark.parametrize("seed", range(8))
def test_the_optimal_tree_against_all_trees(seed: int) -> None:
    rnd = random.Random(seed)
    hops = rnd.randint(3, 6)
    path = NAMES[: hops + 1]
    times = [10 ** rnd.uniform(0, 2) for _ in range(hops)]
    found = tuple(
        (path.index(join.left), path.index(join.at), path.index(join.right))
        for join in optimal_nested(path, times)
    )
    best = min(time_of(tree, times) for tree in cuts(0, hops))
    # cuts that are alike within 10 % may be taken on every level
    assert best <= time_of(found, times) <= best * ALIKE ** height(optimal_nested(path, times))


def test_rounds_by_height() -> None:
    joins = nested("ABCDE", rounds=[1, 2])
    assert [(join.at, join.rounds) for join in joins] == [("B", 1), ("D", 1), ("C", 2)]
    assert [join.rounds for join in nested("ABCDE", rounds=[1])] == [1, 1, 0]
    assert leveled(joins, ()) == nested("ABCDE")


def test_height_of_an_uneven_tree() -> None:
    chain = (Join("B", "A", "C"), Join("C", "A", "D"), Join("D", "A", "E"))
    assert height(chain) == 3


def test_what_is_no_path() -> None:
    for make in (asap, nested):
        with pytest.raises(InputError, match="path: found 1 nodes"):
            make("A")
    with pytest.raises(InputError, match="expected 2, one for each hop"):
        optimal_nested("ABC", [1.0])


@cache
def catalan(n: int) -> int:
    return 1 if n < 2 else sum(catalan(i) * catalan(n - 1 - i) for i in range(n))


def test_the_brute_force_sees_every_tree() -> None:
    assert [sum(1 for _ in cuts(0, hops)) for hops in range(1, 7)] == [
        catalan(hops - 1) for hops in range(1, 7)
    ]
