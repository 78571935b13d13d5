"""Swap orders as trees of `Join` records, bottom-up.

*As soon as possible*: every repeater swaps any pair from its left with any pair from its right, so each `Join` spans
source to destination. *Nested*: a repeater swaps two exact segments; the tree decides which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from quantum_fabric.errors import InputError
from quantum_fabric.messages import Join

ALIKE = 1.1
"""Cuts whose time is within this factor of the best count as equal; then the balanced one wins, because its messages
travel less. The memoryless approximation errs by some per cent, and without failures all trees take equally long."""


def asap(path: Sequence[str]) -> tuple[Join, ...]:
    """One join for each repeater, each spanning the whole path.

    Args:
        path: node names from source to destination, at least 2.

    Raises:
        InputError: fewer than two nodes.

    Examples:
        >>> asap(("A", "B", "C"))
        (Join(at='B', left='A', right='C', rounds=0),)
    """
    _require_path(path)
    return tuple(Join(node, path[0], path[-1]) for node in path[1:-1])


def nested(path: Sequence[str], rounds: Sequence[int] = ()) -> tuple[Join, ...]:
    """The balanced tree: each segment is made of two halves that differ by one hop at most.

    Args:
        path: node names from source to destination, at least 2.
        rounds: purification rounds on a segment by its height above the elementary pairs, the lowest first; heights
            that are not named get none. Segments at the top have height ceil(log2 hops).

    Raises:
        InputError: fewer than two nodes.

    Examples:
        >>> [join.at for join in nested("ABCDE")]
        ['B', 'D', 'C']
        >>> nested("ABC", rounds=[2])
        (Join(at='B', left='A', right='C', rounds=2),)
    """
    _require_path(path)
    middles = {
        (low, low + size): low + (size + 1) // 2
        for size in range(2, len(path))
        for low in range(len(path) - size)
    }
    return _joins(path, middles, rounds)


def optimal_nested(
    path: Sequence[str], times: Sequence[float], rounds: Sequence[int] = ()
) -> tuple[Join, ...]:
    """The tree with the least expected time for links of different speed, by dynamic programming.

    Time of a segment from its two parts: ``T = T1 + T2 - T1 T2 / (T1 + T2)``, the mean of the later of two
    exponential times (the memoryless limit of physics §3, two different links). Bellman's equation over all cuts of
    all segments: O(n³).

    Args:
        path: node names from source to destination, at least 2.
        times: mean time of an elementary pair on each hop, above 0, in any unit; one for each hop.
        rounds: as in `nested`.

    Raises:
        InputError: fewer than two nodes, or another number of times than hops.

    Limits:
        Segments do not in truth take exponential times, so the tree is a good one and not always the best one.

    Examples:
        >>> [join.at for join in optimal_nested("ABCD", [1.0, 1.0, 9.0])]
        ['C', 'B']
    """
    _require_path(path)
    hops = len(path) - 1
    if len(times) != hops:
        raise InputError(found=f"{len(times)} times", expected=f"{hops}, one for each hop", where="order")
    best = {(low, low + 1): float(times[low]) for low in range(hops)}
    middles: dict[tuple[int, int], int] = {}
    for size in range(2, hops + 1):
        for low in range(hops - size + 1):
            high = low + size
            by_cut = {cut: _later(best[low, cut], best[cut, high]) for cut in range(low + 1, high)}
            good = ALIKE * min(by_cut.values())
            cut = min((abs(high + low - 2 * cut), cut) for cut, time in by_cut.items() if time <= good)[1]
            best[low, high], middles[low, high] = by_cut[cut], cut
    return _joins(path, middles, rounds)


def leveled(joins: Sequence[Join], rounds: Sequence[int]) -> tuple[Join, ...]:
    """A tree with purification rounds by the height of its segments above the elementary pairs, the lowest first.

    Examples:
        >>> leveled(nested("ABC"), [2])
        (Join(at='B', left='A', right='C', rounds=2),)
    """
    heights = _heights(joins)
    return tuple(
        replace(join, rounds=rounds[level - 1] if level <= len(rounds) else 0)
        for join, level in zip(joins, heights, strict=True)
    )


def height(joins: Sequence[Join]) -> int:
    """Levels of the tree above the elementary pairs; 0 for none.

    Examples:
        >>> height(nested("ABCDE")), height(())
        (2, 0)
    """
    return max(_heights(joins), default=0)


def _heights(joins: Sequence[Join]) -> list[int]:
    heights: dict[tuple[str, str], int] = {}
    for join in joins:
        below = (heights.get((join.left, join.at), 0), heights.get((join.at, join.right), 0))
        heights[join.left, join.right] = 1 + max(below)
    return [heights[join.left, join.right] for join in joins]


def _later(one: float, two: float) -> float:
    return one + two - one * two / (one + two)


def _joins(
    path: Sequence[str], middles: dict[tuple[int, int], int], rounds: Sequence[int]
) -> tuple[Join, ...]:
    levels: list[tuple[int, Join]] = []

    def grow(low: int, high: int) -> int:
        if high - low == 1:
            return 0
        middle = middles[low, high]
        level = 1 + max(grow(low, middle), grow(middle, high))
        levels.append((level, Join(path[middle], path[low], path[high])))
        return level

    grow(0, len(path) - 1)
    levels.sort(key=lambda entry: entry[0])  # stable: within a level from left to right
    return leveled([join for _, join in levels], rounds)


def _require_path(path: Sequence[str]) -> None:
    if len(path) < 2:
        raise InputError(found=f"{len(path)} nodes", expected="2 or more", where="path")
