"""The event queue against a sorted list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import CausalityError
from quantum_fabric.kernel.clock import Clock

EVENTS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 4), st.booleans()), max_size=40
)  # (time, priority, whether it is cancelled)


@settings(max_examples=100, deadline=None)
@given(EVENTS)
def test_events_run_by_time_then_priority_then_sequence(events: list[tuple[int, int, bool]]) -> None:
    clock, log = Clock(), []
    handles = [
        clock.schedule(at, priority, log.append, number) for number, (at, priority, _) in enumerate(events)
    ]
    for handle, (_, _, cancelled) in zip(handles, events, strict=True):
        if cancelled:
            Clock.cancel(handle)
    kept = [(at, priority, n) for n, (at, priority, cancelled) in enumerate(events) if not cancelled]
    assert clock.peek() == min((at for at, _, _ in kept), default=None)
    clock.run(until=100)
    assert log == [number for _, _, number in sorted(kept)]
    assert (clock.events, clock.now, clock.peek()) == (len(kept), 100, None)


def test_an_event_may_schedule_at_its_own_time_and_it_runs_in_its_place() -> None:
    clock, log = Clock(), []

    def first(argument: Any) -> None:
        log.append((argument, clock.now))
        clock.schedule(clock.now, 0, lambda _: log.append(("urgent", clock.now)))
        clock.schedule(clock.now, 9, lambda _: log.append(("last", clock.now)))

    clock.schedule(5, 3, first, "first")
    clock.schedule(5, 4, lambda _: log.append(("second", clock.now)))
    clock.run(until=5)
    assert log == [("first", 5), ("urgent", 5), ("second", 5), ("last", 5)]


def test_unlike_arguments_at_the_same_place_are_never_compared() -> None:
    clock, log = Clock(), []
    for argument in ({"a": 1}, object, None, "text"):
        clock.schedule(1, 1, log.append, argument)
    clock.run(1)
    assert log == [{"a": 1}, object, None, "text"]


def test_the_past_is_refused_and_nothing_changes() -> None:
    clock, log = Clock(), []
    clock.run(until=10)
    with pytest.raises(CausalityError, match="an event for 9 ps was scheduled at 10 ps"):
        clock.schedule(9, 0, log.append)
    with pytest.raises(CausalityError, match="cannot run until 9 ps: it is 10 ps already"):
        clock.run(until=9)
    assert (clock.now, clock.peek(), clock.events) == (10, None, 0)
    clock.schedule(10, 0, log.append, "now")  # the present is not the past
    clock.run(until=10)
    assert log == ["now"]


def test_an_event_in_the_past_of_a_running_event_is_refused() -> None:
    clock, caught = Clock(), []

    def backwards(_: object) -> None:
        try:
            clock.schedule(clock.now - 1, 0, print)
        except CausalityError as error:
            caught.append(error)

    clock.schedule(5, 0, backwards)
    clock.run(until=20)
    assert len(caught) == 1


def test_cancelling_is_final_and_may_be_repeated_or_late() -> None:
    clock, log = Clock(), []
    handle = clock.schedule(1, 0, log.append, "a")
    kept = clock.schedule(2, 0, log.append, "b")
    Clock.cancel(handle)
    Clock.cancel(handle)
    assert clock.peek() == 2
    clock.run(until=3)
    Clock.cancel(kept)  # it ran already
    assert (log, clock.events) == (["b"], 1)


def test_an_event_can_cancel_another_of_its_own_picosecond() -> None:
    clock, log = Clock(), []
    later = clock.schedule(1, 2, log.append, "never")
    clock.schedule(1, 1, lambda _: Clock.cancel(later))
    clock.run(until=1)
    assert (log, clock.events) == ([], 1)


def test_until_is_inclusive_and_what_comes_later_waits() -> None:
    clock, log = Clock(), []
    for at in (3, 4, 5):
        clock.schedule(at, 0, log.append, at)
    clock.run(until=4)
    assert (log, clock.now, clock.peek(), clock.events) == ([3, 4], 4, 5, 2)
    clock.run(until=5)
    assert log == [3, 4, 5]


def test_stop_is_asked_after_each_event_and_leaves_the_clock_there() -> None:
    clock, log = Clock(), []
    for at in (3, 4, 4, 7):
        clock.schedule(at, 0, log.append, at)
    clock.run(until=100, stop=lambda: len(log) == 2)
    assert (log, clock.now, clock.events) == ([3, 4], 4, 2)
    clock.run(until=100, stop=lambda: False)  # never true: as if it were not there
    assert (log, clock.now, clock.events) == ([3, 4, 4, 7], 100, 4)


def test_stop_is_not_asked_for_a_cancelled_event() -> None:
    clock, asked = Clock(), []
    Clock.cancel(clock.schedule(1, 0, print))
    clock.run(until=2, stop=lambda: bool(asked.append(clock.now)))
    assert (asked, clock.now) == ([], 2)


def test_an_event_that_raises_is_not_run_again() -> None:
    clock, log = Clock(), []

    def bad(_: object) -> None:
        raise RuntimeError("as planned")

    clock.schedule(1, 0, bad)
    clock.schedule(2, 0, log.append, "after")
    with pytest.raises(RuntimeError, match="as planned"):
        clock.run(until=5)
    assert clock.now == 1
    clock.run(until=5)
    assert log == ["after"]
