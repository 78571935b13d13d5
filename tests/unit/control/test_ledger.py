"""The book of leases is closed on both sides."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from quantum_fabric.control import Lease, Ledger
from quantum_fabric.errors import ProtocolError

SLOTS = {"A": 3, "B": 2, "C": 0}


def test_lowest_free_slots_are_lent_and_booked() -> None:
    book = Ledger(SLOTS)
    assert book.lease(7, {"A": 2, "B": 1}, until=50) == {"A": (0, 1), "B": (0,)}
    assert book.leases() == [Lease("A", 0, 7, 50), Lease("A", 1, 7, 50), Lease("B", 0, 7, 50)]
    assert book.free() == {"A": 1, "B": 1, "C": 0}
    assert book.holds(7)
    assert not book.holds(8)


def test_all_or_none() -> None:
    book = Ledger(SLOTS)
    assert not book.fits({"A": 1, "B": 3})
    with pytest.raises(ProtocolError, match="epoch 1 wants"):
        book.lease(1, {"A": 1, "B": 3}, until=50)
    assert book.free() == SLOTS
    assert not book.leases()
    assert not book.holds(1)


def test_an_epoch_leases_once() -> None:
    book = Ledger(SLOTS)
    book.lease(1, {"A": 1}, until=50)
    with pytest.raises(ProtocolError, match="epoch 1 holds leases already"):
        book.lease(1, {"B": 1}, until=50)
    assert book.free() == {"A": 2, "B": 2, "C": 0}


def test_release_is_by_node_and_twice_is_once() -> None:
    book = Ledger(SLOTS)
    book.lease(1, {"A": 2, "B": 1}, until=50)
    for _ in range(2):
        book.release(1, "A")
        assert book.free() == {"A": 3, "B": 1, "C": 0}
        assert book.holds(1)
    for _ in range(2):
        book.release(1, "B")
        assert book.free() == SLOTS
        assert not book.holds(1)
    book.release(99, "A")
    assert book.lease(2, {"A": 3}, until=50) == {"A": (0, 1, 2)}


def test_a_slot_that_came_back_is_not_lent_to_the_old_epoch_too() -> None:
    book = Ledger({"A": 1, "B": 1})
    book.lease(1, {"A": 1, "B": 1}, until=50)
    book.release(1, "A")
    book.lease(2, {"A": 1}, until=50)
    book.release(1, "A")  # word of the first release comes again
    assert book.free() == {"A": 0, "B": 0}


def test_leases_end_at_their_time_and_not_before() -> None:
    book = Ledger(SLOTS)
    book.lease(1, {"A": 1, "B": 1}, until=50)
    book.lease(2, {"A": 1}, until=60)
    assert book.expire(49) == []
    assert book.expire(50) == [(1, "A"), (1, "B")]
    assert book.expire(50) == []
    assert book.leases() == [Lease("A", 1, 2, 60)]


def test_renewing_only_lengthens() -> None:
    book = Ledger(SLOTS)
    book.lease(1, {"A": 1}, until=50)
    book.renew(1, 40)
    assert [lease.until for lease in book.leases()] == [50]
    book.renew(1, 70)
    assert [lease.until for lease in book.leases()] == [70]
    book.renew(2, 90)  # an epoch that holds nothing gets nothing
    assert book.expire(69) == []
    assert book.expire(70) == [(1, "A")]


def test_lanes_belong_to_one_epoch_and_come_back_with_its_last_slot() -> None:
    book = Ledger({"A": 6, "B": 6})
    with pytest.raises(ProtocolError, match="epoch 1 holds no leases"):
        book.lanes(1, {"A~B": 1})
    for epoch, count, expected in ((1, 2, (0, 1)), (2, 1, (2,)), (3, 1, (3,))):
        book.lease(epoch, {"A": count, "B": count}, until=50)
        assert book.lanes(epoch, {"A~B": count, "other": 0}) == {"A~B": expected, "other": ()}
    book.release(2, "A")
    book.lease(4, {"A": 1}, until=50)
    assert book.lanes(4, {"A~B": 1}) == {"A~B": (4,)}  # the far end of epoch 2 may still try on lane 2
    book.release(2, "B")
    book.release(1, "A")
    book.release(1, "B")
    book.lease(5, {"A": 2}, until=50)
    assert book.lanes(5, {"A~B": 2}) == {"A~B": (0, 1)}
    book.lease(6, {"B": 2}, until=50)
    assert book.lanes(6, {"A~B": 2}) == {"A~B": (2, 5)}


class Books(RuleBasedStateMachine):
    """Whatever happens in whatever order, the books are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Ledger(SLOTS)
        self.lanes: dict[int, set[int]] = {}
        self.epoch = 0
        self.now = 0
        self.until: dict[int, int] = {}

    @rule(a=st.integers(0, 4), b=st.integers(0, 3), term=st.integers(1, 20))
    def lease(self, a: int, b: int, term: int) -> None:
        wanted = {"A": a, "B": b}
        before = self.book.free()
        self.epoch += 1
        if not self.book.fits(wanted):
            with pytest.raises(ProtocolError):
                self.book.lease(self.epoch, wanted, self.now + term)
            assert self.book.free() == before
            return
        given = self.book.lease(self.epoch, wanted, self.now + term)
        assert {node: len(slots) for node, slots in given.items()} == wanted
        self.until[self.epoch] = self.now + term
        self.lanes[self.epoch] = set(self.book.lanes(self.epoch, {"A~B": min(a, b)})["A~B"])
        assert len(self.lanes[self.epoch]) == min(a, b)

    @rule(back=st.integers(0, 3), node=st.sampled_from("ABC"))
    def release(self, back: int, node: str) -> None:
        self.book.release(self.epoch - back, node)
        assert not any((x.epoch, x.node) == (self.epoch - back, node) for x in self.book.leases())

    @rule(back=st.integers(0, 3), term=st.integers(-5, 20))
    def renew(self, back: int, term: int) -> None:
        self.book.renew(self.epoch - back, self.now + term)
        if self.book.holds(self.epoch - back):
            self.until[self.epoch - back] = max(self.until[self.epoch - back], self.now + term)

    @rule(step=st.integers(0, 15))
    def pass_time(self, step: int) -> None:
        self.now += step
        self.book.expire(self.now)
        assert all(lease.until > self.now for lease in self.book.leases())

    @invariant()
    def closed(self) -> None:
        leases = self.book.leases()
        assert len({(x.node, x.slot) for x in leases}) == len(leases), "a slot is lent twice"
        for node, count in SLOTS.items():
            lent = {x.slot for x in leases if x.node == node}
            assert lent <= set(range(count))
            assert len(lent) + self.book.free()[node] == count
        assert all(x.until == self.until[x.epoch] for x in leases)
        alive = [self.lanes[epoch] for epoch in {x.epoch for x in leases}]
        assert sum(map(len, alive)) == len(set().union(*alive)), "a lane is lent twice"


def test_books_stay_closed() -> None:
    run_state_machine_as_test(
        Books, settings=settings(max_examples=60, stateful_step_count=30, deadline=None, derandomize=True)
    )
