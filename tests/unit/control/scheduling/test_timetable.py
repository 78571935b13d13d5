"""Static timetables keep their windows apart and in their periods."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.control.scheduling.timetable import Infeasible, Task, Timetable, draw_up, loads
from quantum_fabric.errors import QuantityError

task_sets = st.lists(
    st.tuples(
        st.sampled_from([10, 20, 40]),
        st.integers(1, 9),
        st.lists(st.sampled_from("xyz"), min_size=1, max_size=2, unique=True),
    ),
    min_size=1,
    max_size=5,
)


@given(task_sets, st.booleans())
def test_windows_of_a_timetable(found: list[tuple[int, int, list[str]]], gaps: bool) -> None:
    tasks = [Task(str(k), period, length, tuple(on)) for k, (period, length, on) in enumerate(found)]
    table = draw_up(tasks, gaps)
    if isinstance(table, Infeasible):
        assert not table
        assert table.task in {task.name for task in tasks}
        return
    by_name = {task.name: task for task in tasks}
    assert max(loads(tasks).values()) <= 1.0
    for task in tasks:
        mine = [window for window in table.windows if window.task == task.name]
        assert len(mine) == table.cycle // task.period
        for k, window in enumerate(mine):
            assert k * task.period <= window.start
            assert window.end == window.start + task.length <= window.deadline == (k + 1) * task.period
    for a, b in combinations(table.windows, 2):
        if set(by_name[a.task].resources) & set(by_name[b.task].resources):
            assert a.end <= b.start or b.end <= a.start


def test_a_gap_is_used() -> None:
    """Without gaps a window waits behind one that was laid down before it, though there is room in front."""
    tasks = [Task("first", 20, 10, ("x",)), Task("both", 20, 5, ("x", "y")), Task("other", 20, 10, ("y",))]
    with_gaps, without = draw_up(tasks), draw_up(tasks, gaps=False)
    assert isinstance(with_gaps, Timetable)
    assert {window.task: window.start for window in with_gaps.windows}["other"] == 0
    assert isinstance(without, Infeasible)
    assert without.task == "other"


def test_overload_names_its_resource() -> None:
    found = draw_up([Task("a", 10, 6, ("x", "y")), Task("b", 10, 5, ("y",))])
    assert isinstance(found, Infeasible)
    assert (found.resource, found.reason) == ("y", "utilisation of y is 1.1")


def test_bad_input() -> None:
    with pytest.raises(QuantityError, match="task a"):
        Task("a", 10, 0, ("x",))
    with pytest.raises(QuantityError, match="at most 100000 windows"):
        draw_up([Task("a", 99_991, 1, ("x",)), Task("b", 99_989, 1, ("x",))])
    assert draw_up([]) == Timetable((), 1)
