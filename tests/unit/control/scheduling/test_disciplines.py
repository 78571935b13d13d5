"""Who goes next: order, verdicts and shares."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.control.scheduling.disciplines import (
    Discipline,
    EarliestDeadline,
    Fifo,
    LongestQueue,
    StrictPriority,
    Verdict,
    Waiting,
    serve,
)
from quantum_fabric.control.scheduling.shares import MaxMinFair, ProportionalShare, WeightedFair
from quantum_fabric.errors import QuantityError

ALL = (Fifo, StrictPriority, EarliestDeadline, LongestQueue, WeightedFair, ProportionalShare, MaxMinFair)
jobs = st.lists(
    st.builds(
        Waiting,
        name=st.text("abcdef", min_size=3, max_size=6),
        tenant=st.sampled_from(["x", "y", "z"]),
        priority=st.integers(0, 2),
        arrived=st.integers(0, 5),
        deadline=st.none() | st.integers(0, 50),
        length=st.integers(0, 9),
        cost=st.floats(0.1, 5.0),
        queue=st.sampled_from(["p", "q"]),
    ),
    max_size=12,
    unique_by=lambda job: job.name,
)


def names(found: list[Waiting] | tuple[Waiting, ...]) -> list[str]:
    return [job.name for job in found]


@given(jobs, st.sampled_from(ALL))
def test_an_order_loses_nobody_and_is_always_the_same(waiting: list[Waiting], kind: type) -> None:
    discipline: Discipline = kind()
    for job in sorted(waiting, key=lambda job: job.arrived):
        discipline.arrived(job, job.arrived)
    found = discipline.order(waiting, 9)
    assert sorted(names(found)) == sorted(names(waiting))
    assert names(discipline.order(waiting, 9)) == names(found)
    # within a tenant (and priority, and deadline, and queue) the older goes first
    for before, after in pairwise(found):
        alike = ("tenant", "priority", "deadline", "queue")
        if all(getattr(before, each) == getattr(after, each) for each in alike):
            assert before.arrived <= after.arrived


def test_priority_and_deadline() -> None:
    waiting = [
        Waiting("low", priority=0, arrived=0, deadline=30),
        Waiting("high", priority=2, arrived=2),
        Waiting("mid", priority=1, arrived=1, deadline=20),
    ]
    assert names(Fifo().order(waiting, 5)) == ["low", "mid", "high"]
    assert names(StrictPriority().order(waiting, 5)) == ["high", "mid", "low"]
    assert names(EarliestDeadline().order(waiting, 5)) == ["mid", "low", "high"]


def test_earliest_deadline_defers_retries_and_drops() -> None:
    edf = EarliestDeadline()
    job = Waiting("a", deadline=100, length=40)
    assert edf.verdict(job, 60) is Verdict.GO
    assert edf.verdict(job, 61) is Verdict.DROP
    assert edf.failed(job, 60) is Verdict.RETRY
    assert edf.failed(job, 61) is Verdict.DROP
    assert Fifo().failed(job, 99) is Verdict.RETRY
    assert Fifo().failed(job, 100) is Verdict.DROP
    late, fine = Waiting("late", deadline=50, length=20), Waiting("fine", deadline=90, length=20)
    done = serve(edf, [late, fine], lambda job: False, now=40)
    assert (names(done.dropped), done.begun) == (["late"], ())  # `fine` is deferred: neither


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 30)), min_size=1, max_size=6))
def test_no_order_has_a_smaller_greatest_lateness(work: list[tuple[int, int]]) -> None:
    """Jackson's rule, against every order."""
    waiting = [Waiting(str(k), deadline=due, length=length) for k, (length, due) in enumerate(work)]

    def lateness(order: tuple[Waiting, ...]) -> int:
        now, worst = 0, -(10**9)
        for job in order:
            now += job.length
            assert job.deadline is not None
            worst = max(worst, now - job.deadline)
        return worst

    found = lateness(tuple(EarliestDeadline().order(waiting, 0)))
    assert found == min(lateness(order) for order in permutations(waiting))


def backlog(discipline: Discipline, weights: dict[str, float], rounds: int) -> dict[str, float]:
    """Serve one job at a time; every tenant always has three jobs waiting."""
    served = dict.fromkeys(weights, 0.0)
    waiting: list[Waiting] = []
    counts = dict.fromkeys(weights, 0)
    costs = {"a": 1.0, "b": 2.5, "c": 0.5}
    for turn in range(rounds):
        for tenant in weights:
            while sum(job.tenant == tenant for job in waiting) < 3:
                job = Waiting(f"{tenant}{counts[tenant]}", tenant, arrived=turn, cost=costs[tenant])
                counts[tenant] += 1
                waiting.append(job)
                discipline.arrived(job, turn)
        job = discipline.order(waiting, turn)[0]
        waiting.remove(job)
        discipline.started(job, turn)
        served[job.tenant] += job.cost
        discipline.ended(job, turn)
    return served


@pytest.mark.parametrize("kind", [WeightedFair, ProportionalShare])
def test_what_is_served_follows_the_weights(kind: type) -> None:
    weights = {"a": 1.0, "b": 2.0, "c": 4.0}
    served = backlog(kind(weights=weights), weights, 3000)
    level = [served[tenant] / weights[tenant] for tenant in weights]
    # the bound of start-time fair queueing: one largest job of each, over its weight
    assert max(level) - min(level) <= 2.5 / 2.0 + 1.0 + 0.5 / 4.0


def test_fifo_does_not_follow_the_weights() -> None:
    """The test above can fail."""
    served = backlog(Fifo(), {"a": 1.0, "b": 2.0, "c": 4.0}, 3000)
    level = [served["a"] / 1.0, served["b"] / 2.0, served["c"] / 4.0]
    assert max(level) - min(level) > 100.0


@pytest.mark.parametrize("kind", [WeightedFair, ProportionalShare])
def test_nothing_is_saved_up_while_idle(kind: type) -> None:
    fair: Discipline = kind()
    busy = [Waiting(f"busy{k}", "busy", arrived=k) for k in range(20)]
    for job in busy:
        fair.arrived(job, job.arrived)
    for job in busy[:10]:
        fair.started(job, 50)
    late = [Waiting(f"late{k}", "late", arrived=60) for k in range(5)]
    for job in late:
        fair.arrived(job, 60)
    order = names(fair.order([*busy[10:], *late], 60))
    assert abs(sum(name.startswith("late") for name in order[:6]) - 3) <= 1


def test_max_min_looks_at_what_is_held() -> None:
    fair = MaxMinFair(weights={"b": 2.0})
    a, b = Waiting("a1", "a", cost=2.0), Waiting("b1", "b", cost=3.0)
    fair.started(a, 0)
    fair.started(b, 0)
    more = [Waiting("a2", "a", arrived=1), Waiting("b2", "b", arrived=2)]
    assert names(fair.order(more, 3)) == ["b2", "a2"]  # 1.5 against 2
    fair.ended(a, 4)
    fair.ended(a, 4)
    assert names(fair.order(more, 4)) == ["a2", "b2"]


def test_longest_queue() -> None:
    waiting = [Waiting("p1", queue="p"), *(Waiting(f"q{k}", queue="q", arrived=k) for k in (1, 2, 3))]
    assert names(LongestQueue().order(waiting, 9)) == ["q1", "q2", "p1", "q3"]


@pytest.mark.parametrize("weight", [0.0, -1.0, float("inf"), float("nan")])
def test_weights_are_above_zero(weight: float) -> None:
    with pytest.raises(QuantityError, match="a weight above 0"):
        WeightedFair(weights={"a": weight})
