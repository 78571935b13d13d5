"""Whom to put off, against every choice there is."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.control.scheduling.preemption import Budgets, Running
from quantum_fabric.control.scheduling.tenancy import OPEN, Tenancy, Tenant

running_sets = st.lists(
    st.builds(
        Running,
        name=st.text("abc", min_size=4, max_size=6),
        tenant=st.sampled_from(["x", "y"]),
        priority=st.integers(0, 3),
        preemptible=st.booleans(),
        holds=st.dictionaries(st.sampled_from("AB"), st.integers(1, 3)),
        left=st.integers(1, 5),
    ),
    max_size=6,
    unique_by=lambda each: each.name,
)


def covers(chosen: tuple[Running, ...], short: dict[str, int]) -> bool:
    return all(sum(each.holds.get(name, 0) for each in chosen) >= count for name, count in short.items())


@given(running_sets, st.dictionaries(st.sampled_from("AB"), st.integers(1, 5), min_size=1))
def test_somebody_is_found_where_anybody_helps_and_nobody_in_vain(
    running: list[Running], short: dict[str, int]
) -> None:
    found = Budgets(OPEN).victims("z", 2, short, running, now=0)
    eligible = [each for each in running if each.preemptible and each.priority < 2]
    assert all(each in eligible for each in found)
    possible = any(
        covers(chosen, short) for n in range(len(eligible) + 1) for chosen in combinations(eligible, n)
    )
    assert covers(found, short) == possible or not found
    assert bool(found) == possible
    for each in found:
        assert not covers(tuple(other for other in found if other is not each), short)


def test_the_lowest_priority_goes_first() -> None:
    running = [
        Running("mid", "x", 1, True, {"A": 2}),
        Running("low", "x", 0, True, {"A": 2}),
        Running("proud", "x", 0, False, {"A": 2}),
    ]
    found = Budgets(OPEN).victims("z", 5, {"A": 1}, running, now=0)
    assert [each.name for each in found] == ["low"]


def test_budgets_of_both_sides() -> None:
    tenancy = Tenancy.of([Tenant("hot", preempts=1, window=100), Tenant("cold", put_off=2, window=100)])
    budgets = Budgets(tenancy)
    cold = [Running(f"c{k}", "cold", 0, True, {"A": 1}) for k in range(3)]
    assert len(budgets.victims("hot", 1, {"A": 2}, cold, now=0)) == 2
    assert budgets.victims("hot", 1, {"A": 3}, cold, now=0) == ()  # a third would be beyond the budget
    budgets.spend("hot", ["cold", "cold"], now=0)
    assert not budgets.may_preempt("hot", now=99)
    assert budgets.victims("hot", 1, {"A": 1}, cold, now=99) == ()
    assert len(budgets.victims("hot", 1, {"A": 1}, cold, now=100)) == 1
