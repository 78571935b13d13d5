"""The step function against one that is written down moment by moment."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.control.scheduling.profile import Profile

END = 40
windows = st.tuples(st.integers(0, END), st.integers(0, END), st.integers(-3, 3))


def written_down(changes: list[tuple[int, int, int]]) -> list[int]:
    use = [0] * (3 * END)
    for start, end, amount in changes:
        for time in range(start, end):
            use[time] += amount
    return use


@given(st.lists(windows, max_size=25), st.integers(0, END), st.integers(1, END), st.integers(-3, 4))
def test_every_question(changes: list[tuple[int, int, int]], start: int, length: int, level: int) -> None:
    profile, naive = Profile(), written_down(changes)
    for change in changes:
        profile.add(*change)
    end = start + length
    assert [profile.level(time) for time in range(2 * END)] == naive[: 2 * END]
    assert profile.peak(start, end) == max(naive[start:end])
    assert profile.area(start, end) == sum(naive[start:end])
    assert profile.next_above(start, level) == next((t for t in range(start, 80) if naive[t] > level), None)
    assert profile.next_within(start, level) == next((t for t in range(start, 80) if naive[t] <= level), None)
    fits = (t for t in range(start, 80) if max(naive[t : t + length]) <= level)
    assert profile.next_fit(start, length, level) == next(fits, None)


@given(st.lists(windows, max_size=25), st.integers(0, END))
def test_forgetting_changes_nothing_that_is_to_come(changes: list[tuple[int, int, int]], before: int) -> None:
    profile, naive = Profile(), written_down(changes)
    for change in changes:
        profile.add(*change)
    profile.forget(before)
    assert [profile.level(time) for time in range(before, 2 * END)] == naive[before : 2 * END]
    assert profile.level(before - 1) == 0


def test_what_is_taken_back_leaves_nothing() -> None:
    profile = Profile()
    for k in range(100):
        profile.add(k, k + 7, 2)
    for k in reversed(range(100)):
        profile.add(k, k + 7, -2)
    assert len(profile) == 0


def test_the_tree_stays_flat() -> None:
    profile = Profile()
    for k in range(4096):  # in order, which an unbalanced tree would turn into a list
        profile.add(2 * k, 2 * k + 1, 1)

    def depth(step: object) -> int:
        return 0 if step is None else 1 + max(depth(step.left), depth(step.right))  # type: ignore[attr-defined]

    assert len(profile) == 8192
    assert depth(profile._root) <= 3.5 * math.log2(8192)
    again = Profile()
    for k in range(4096):
        again.add(2 * k, 2 * k + 1, 1)
    assert depth(again._root) == depth(profile._root)
