"""The book of reservations against a naive one, over any sequence of reservations, releases and extensions."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from quantum_fabric.control.scheduling.calendar import Calendar, Conflict, Purpose, Reservation
from quantum_fabric.errors import ProtocolError, QuantityError, UnknownNameError

CAPACITY = {"A": 3, "B": 1, "C": 0}
SPAN = 60
needs_of = st.dictionaries(st.sampled_from(["A", "B", "C"]), st.integers(1, 3), min_size=1)


class Books(RuleBasedStateMachine):
    """The book, and a list of what is booked."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Calendar(CAPACITY)
        self.naive: dict[str, Reservation] = {}
        self.made = 0

    def use(self, resource: str, time: int) -> int:
        return sum(
            each.needs.get(resource, 0) for each in self.naive.values() if each.start <= time < each.end
        )

    def fits(self, needs: dict[str, int], start: int, end: int) -> bool:
        return all(
            self.use(resource, time) + count <= CAPACITY[resource]
            for resource, count in needs.items()
            for time in range(start, end)
        )

    @rule(needs=needs_of, start=st.integers(0, SPAN), length=st.integers(1, 20))
    def reserve(self, needs: dict[str, int], start: int, length: int) -> None:
        self.made += 1
        wanted = Reservation(f"r{self.made}", needs, start, start + length)
        found = self.book.reserve(wanted)
        assert isinstance(found, Reservation) == self.fits(needs, start, start + length)
        if isinstance(found, Reservation):
            self.naive[found.name] = found
            return
        assert not found
        later = (time for time in range(start, SPAN * 3) if self.fits(needs, time, time + length))
        assert found.available == next(later, None)
        assert found.free < found.wanted == needs[found.resource]

    @rule(pick=st.integers(0, 100), at=st.none() | st.integers(0, SPAN))
    def release(self, pick: int, at: int | None) -> None:
        if not self.naive:
            return
        name = sorted(self.naive)[pick % len(self.naive)]
        gone = self.naive.pop(name)
        if at is not None and at > gone.start:  # what lies before the release was used
            past = Reservation(f"past of {name}", gone.needs, gone.start, min(at, gone.end))
            self.naive[past.name] = past
        self.book.release(name, at)
        self.book.release(name)
        assert name not in self.book
        if at is not None and at > gone.start:
            del self.naive[past.name]
            self.book = Calendar(CAPACITY)  # a naive list has no past: begin a book of what is left
            for each in self.naive.values():
                assert self.book.reserve(each)

    @rule(pick=st.integers(0, 100), more=st.integers(-5, 20))
    def extend(self, pick: int, more: int) -> None:
        if not self.naive:
            return
        name = sorted(self.naive)[pick % len(self.naive)]
        booked = self.naive[name]
        end = booked.end + more
        if end <= booked.start:
            return
        found = self.book.extend(name, end)
        assert isinstance(found, Reservation) == self.fits(dict(booked.needs), booked.end, end)
        if isinstance(found, Reservation):
            self.naive[name] = found

    @invariant()
    def the_same_use(self) -> None:
        for resource, capacity in CAPACITY.items():
            used = [self.use(resource, time) for time in range(SPAN)]
            assert max(used) <= capacity
            assert self.book.free(resource, 0, SPAN) == capacity - max(used)
            share = sum(used) / (capacity * SPAN) if capacity else 0.0
            assert self.book.utilisation(resource, 0, SPAN) == pytest.approx(share)


def test_the_book_against_a_naive_one() -> None:
    run_state_machine_as_test(
        Books, settings=settings(max_examples=60, stateful_step_count=25, deadline=None)
    )


def test_all_or_nothing() -> None:
    book = Calendar({"A": 2, "B": 1})
    book.reserve(Reservation("tuning", {"B": 1}, 10, 20, Purpose.CALIBRATION))
    clash = book.reserve(Reservation("s", {"A": 2, "B": 1}, 5, 15))
    assert isinstance(clash, Conflict)
    assert (clash.resource, clash.wanted, clash.free, clash.available) == ("B", 1, 0, 20)
    assert str(clash) == "1 of B wanted, 0 free in that window; from 2e-11 s on".replace("2e-11 s", "20 ps")
    assert book.free("A", 0, 100) == 2
    assert [each.name for each in book.reservations(Purpose.CALIBRATION)] == ["tuning"]
    assert book.reservations(Purpose.SESSION) == []


def test_forgetting_keeps_what_goes_on() -> None:
    book = Calendar({"A": 2})
    book.reserve(Reservation("over", {"A": 1}, 0, 10))
    book.reserve(Reservation("on", {"A": 2}, 15, 50))
    book.forget(20)
    assert "over" not in book
    assert book.free("A", 20, 50) == 0
    book.release("on")
    assert book.free("A", 20, 50) == 2


def test_bad_input() -> None:
    with pytest.raises(QuantityError, match="capacity of A: found -1"):
        Calendar({"A": -1})
    book = Calendar({"A": 1})
    with pytest.raises(QuantityError, match="1 ps or more"):
        book.reserve(Reservation("s", {"A": 1}, 5, 5))
    with pytest.raises(QuantityError, match="need of A"):
        book.next_available({"A": 0}, 5, 0)
    with pytest.raises(UnknownNameError, match="'B'"):
        book.next_available({"B": 1}, 5, 0)
    with pytest.raises(UnknownNameError, match="a reservation that is booked"):
        book.extend("s", 9)
    book.reserve(Reservation("s", {"A": 1}, 0, 5))
    with pytest.raises(ProtocolError, match="booked already"):
        book.reserve(Reservation("s", {"A": 1}, 7, 9))
    assert book.next_available({"A": 2}, 1, 0) is None
