"""Counting attempts: against a list of all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.physics.attempts import Attempts

runs = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 30), st.integers(1, 20), st.integers(-30, 400)), max_size=6
)


@given(runs, st.tuples(st.integers(0, 5), st.integers(0, 5)), st.lists(st.integers(-10, 2000), max_size=8))
def test_every_attempt_is_counted_once(
    plan: list[tuple[int, int, int, int]], born: tuple[int, int], asked: list[int]
) -> None:
    """Runs one after the other; the fourth number stops a run early, or after its end, which is no stop at all."""
    lane, starts, now = Attempts(), [], 0
    for pause, count, period, stop in plan:
        first = now + pause + 10
        last = first + count * period
        lane.begin(first, last, period, born)
        mine = [first + k * period for k in range(count + 1)]
        if stop < count * period:
            kept = -(-(last - first - max(stop, 0)) // period) if stop >= 0 else count + 1
            last -= kept * period
            lane.stop(last)
            mine = [each for each in mine if each <= last]
        starts += mine
        now = max(first, last) + period
    for by in asked:
        for end in (0, 1):
            assert lane.made(by, end) == sum(start + born[end] <= by for start in starts)


@given(st.integers(3, 500))
def test_old_runs_are_still_counted(number: int) -> None:
    lane = Attempts(kept=4)
    for run in range(number):
        lane.begin(run * 100, run * 100 + 30, 10, (0, 0))
    assert lane.made(number * 100, 0) == 4 * number


def test_rounded_times_do_not_lose_an_attempt() -> None:
    lane = Attempts(slack=1e-9)
    lane.begin(0.1, 0.1 + 3 * 0.1, 0.1, (0.0, 0.0))
    assert [lane.made(0.1 * k + 1e-17, 0) for k in (1, 2, 3, 4, 9)] == [1, 2, 3, 4, 4]


def test_large_times_are_exact() -> None:
    lane = Attempts()
    start = 10**18 + 1
    lane.begin(start, start + 10**6, 1, (0, 0))
    assert (lane.made(start - 1, 0), lane.made(start, 0), lane.made(start + 5, 0)) == (0, 1, 6)
