"""Every shelf does what the plain one in memory does, move by move, and none hands a key out twice."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import keydesk
import postgres
from quantum_fabric.keys import (
    Consignment,
    Desk,
    Grant,
    KeyRequest,
    Limits,
    MemoryShelf,
    Pool,
    Promise,
    Quota,
    Recall,
    Shelf,
    Slice,
    TestSource,
    accept,
    confirmed,
    feed,
    forget,
    reseal,
    revoke,
    revoke_sae,
    sweep,
    verify,
    void,
)
from quantum_fabric.server.sql import SqlShelf
from quantum_fabric.server.sqlite import SqliteShelf, connect

PAIRS = {pair: Quota(waiting=12, burst=20, rate=3.0) for pair in keydesk.PAIRS}
POOLS = (Pool("kme-a", "kme-a"), Pool("kme-a", "kme-b"), Pool("kme-a", "kme-c"), Pool("kme-b", "kme-a"))


def plain(answer: object) -> object:
    """An answer without its identity, so that two can be compared."""
    if isinstance(answer, Grant):
        return [(key.key_id, bytes(key.material.octets), key.provenance) for key in answer.keys]
    return answer


class SpoiltError(Exception):
    """An act that fails."""


class Shelves(RuleBasedStateMachine):
    """The same acts on both; each answer and each fact must be the same."""

    def __init__(self) -> None:
        super().__init__()
        self.shelves = (self.opened(), MemoryShelf())
        limits = Limits(smallest=8, lifetime=50_000, stock=40)
        self.desks = tuple(keydesk.desk(pairs=PAIRS, limits=limits) for _ in self.shelves)
        self.now, self.blocks, self.kek = 0, 0, 0
        self.known: list[UUID] = [UUID(int=999, version=4)]
        self.handed: set[tuple[UUID, str]] = set()
        self.spent = dict.fromkeys(POOLS, 0)

    def opened(self) -> SqlShelf:
        """The shelf that is put to the test."""
        self.folder = tempfile.TemporaryDirectory()
        self.connection = connect(Path(self.folder.name) / "keys.sqlite")
        return SqliteShelf(self.connection)

    def teardown(self) -> None:
        self.connection.close()
        self.folder.cleanup()

    def begin_act(self) -> None:
        self.connection.execute("SAVEPOINT act")

    def end_act(self, good: bool) -> None:
        if not good:
            self.connection.execute("ROLLBACK TO act")
            self.shelves[0].forget()
        self.connection.execute("RELEASE act")

    def taken_back(self, work) -> None:
        """An act that fails after it wrote: nothing of it counts, and all that was before it does."""

        def spoilt(desk: Desk, shelf: Shelf) -> None:
            work(desk, shelf)
            raise SpoiltError

        self.begin_act()
        with pytest.raises(SpoiltError):
            spoilt(self.desks[0], self.shelves[0])
        self.end_act(good=False)
        with pytest.raises(SpoiltError):
            self.shelves[1].transact(lambda shelf: spoilt(self.desks[1], shelf))

    def both(self, work) -> object:
        self.begin_act()
        answers = [plain(work(desk, shelf)) for desk, shelf in zip(self.desks, self.shelves, strict=True)]
        self.end_act(good=True)
        assert answers[0] == answers[1]
        return answers[0]

    def hand(self, answer: object, sae: str) -> None:
        for key_id, _, _ in answer if isinstance(answer, list) else ():
            assert (key_id, sae) not in self.handed, "delivered twice"
            self.handed.add((key_id, sae))

    @rule(pool=st.sampled_from(POOLS), octets=st.integers(1, 200))
    def feed(self, pool: Pool, octets: int) -> None:
        self.blocks += 1
        number = self.blocks
        self.both(
            lambda desk, shelf: feed(desk, shelf, TestSource("m").block(pool, number, octets), self.now)
        )

    @rule(
        slave=st.sampled_from(["anna", "bob", "carol", "eve"]),
        more=st.sampled_from([(), (), ("anna",), ("carol",), ("bob", "anna")]),
        number=st.integers(0, 4),
        size=st.sampled_from([None, 8, 64, 72, 100, 256, 520]),
    )
    def issue(self, slave: str, more: tuple[str, ...], number: int, size: int | None) -> None:
        request = KeyRequest(slave, number, size, more)
        answer = self.both(lambda desk, shelf: desk.issue(shelf, "alice", request, self.now))
        self.hand(answer, "alice")
        if isinstance(answer, list):
            self.known += [one[0] for one in answer]
        elif isinstance(answer, Promise):
            self.known += answer.key_ids

    @rule(data=st.data(), pool=st.sampled_from(POOLS))
    def spoil(self, data: st.DataObject, pool: Pool) -> None:
        number, ids = self.blocks + 1000, data.draw(st.lists(st.sampled_from(self.known), max_size=2))

        def several(desk: Desk, shelf: Shelf) -> None:
            desk.issue(shelf, "alice", KeyRequest("anna", 1, 72), self.now)
            desk.issue(shelf, "alice", KeyRequest("bob", 2), self.now)
            desk.collect(shelf, "alice", "anna", ids or [UUID(int=7)], self.now)
            confirmed(desk, shelf, "kme-b", ids, self.now)
            feed(desk, shelf, TestSource("m").block(pool, number, 40), self.now)
            revoke_sae(desk, shelf, "anna", "operator", self.now)

        # no invariant looks in between: what the first act has written may still wait to be told to the database
        first = self.both(lambda desk, shelf: desk.issue(shelf, "alice", KeyRequest("anna"), self.now))
        self.hand(first, "alice")
        if isinstance(first, list):
            self.known += [one[0] for one in first]
        self.taken_back(several)

    @rule(data=st.data(), who=st.sampled_from(["anna", "bob", "alice", "eve"]))
    def collect(self, data: st.DataObject, who: str) -> None:
        ids = data.draw(st.lists(st.sampled_from(self.known), min_size=1, max_size=3))
        self.hand(self.both(lambda desk, shelf: desk.collect(shelf, "alice", who, ids, self.now)), who)

    @rule(data=st.data(), kme=st.sampled_from(["kme-b", "kme-c"]))
    def confirm(self, data: st.DataObject, kme: str) -> None:
        ids = data.draw(st.lists(st.sampled_from(self.known), max_size=4))
        self.both(lambda desk, shelf: confirmed(desk, shelf, kme, ids, self.now))

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        key_id = data.draw(st.sampled_from(self.known))
        self.hand(self.both(lambda desk, shelf: desk.release(shelf, "alice", [key_id], self.now)), "alice")

    @rule(number=st.integers(0, 5), offset=st.integers(0, 80), octets=st.integers(1, 70))
    def accept(self, number: int, offset: int, octets: int) -> None:
        block = TestSource("m").block(Pool("kme-b", "kme-a"), number, 1).name
        place = Slice(block, offset, octets)
        key_id = UUID(int=5000 + len(self.known), version=4)
        parcel = Consignment(key_id, "bob", ("alice",), 20_000, (place,))
        if self.both(lambda desk, shelf: accept(desk, shelf, "kme-b", parcel, self.now)) is None:
            self.known.append(key_id)

    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        key_id = data.draw(st.sampled_from(self.known))
        recall = Recall(key_id, "bob", ("alice",))
        acts = [
            lambda desk, shelf: revoke(desk, shelf, key_id, "operator", self.now),
            lambda desk, shelf: void(desk, shelf, [key_id], "kme-a", self.now),
            lambda desk, shelf: forget(desk, shelf, "kme-b", recall, self.now),
            lambda desk, shelf: revoke_sae(desk, shelf, "carol", "operator", self.now),
        ]
        self.both(data.draw(st.sampled_from(acts)))

    @rule(step=st.integers(0, 30_000))
    def wait(self, step: int) -> None:
        self.now += step
        self.both(lambda desk, shelf: sweep(desk, shelf, self.now, most=1000))

    @rule()
    def rotate(self) -> None:
        self.kek += 1
        older = tuple(keydesk.kek(f"k{one}" if one else "test") for one in range(self.kek))
        ring = keydesk.ring(f"k{self.kek}", older)
        self.desks = tuple(Desk(desk.policy, ring, desk.new_id) for desk in self.desks)
        self.both(lambda desk, shelf: reseal(desk, shelf, self.now, most=10_000))

    @invariant()
    def the_same_facts(self) -> None:
        self.both(lambda desk, shelf: [(shelf.key(one), shelf.sealed(one)) for one in self.known])
        self.both(lambda desk, shelf: [(shelf.stock(pool), shelf.cells(pool, 10_000)) for pool in POOLS])
        self.both(lambda desk, shelf: [shelf.errands(kme, 1000) for kme in ("kme-b", "kme-c")])
        self.both(lambda desk, shelf: [(shelf.waiting(*pair), shelf.usage(*pair)) for pair in PAIRS])
        self.both(lambda desk, shelf: {record.key_id for record in shelf.promised()})
        self.both(lambda desk, shelf: {record.key_id for record in shelf.living("alice")})
        self.both(lambda desk, shelf: shelf.head())

    @invariant()
    def the_book_is_true(self) -> None:
        assert verify(self.shelves[0].book()) == verify(self.shelves[1].entries)


TestShelves = Shelves.TestCase
TestShelves.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


class PostgresShelves(Shelves):
    """The same on PostgreSQL; each example is a transaction that is taken back."""

    database: ClassVar[object] = None

    def opened(self) -> SqlShelf:
        self.database.begin()
        return self.database.shelf

    def begin_act(self) -> None:
        self.database.save()

    def end_act(self, good: bool) -> None:
        if not good:
            assert self.database.undo()
            self.shelves[0].forget()
        self.database.keep()

    @rule()
    def commit(self) -> None:
        """What waits goes over; here not for good."""
        self.database.shelf.flush()

    def teardown(self) -> None:
        self.database.rollback()


@pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing() or "-")
class TestPostgresShelves(PostgresShelves.TestCase):
    settings = settings(max_examples=10, stateful_step_count=25, deadline=None)

    @classmethod
    def setup_class(cls) -> None:
        from quantum_fabric.server.postgres import PostgresDatabase

        cls.serving = postgres.serving()
        PostgresShelves.database = PostgresDatabase(cls.serving.__enter__().database())

    @classmethod
    def teardown_class(cls) -> None:
        PostgresShelves.database.close()
        cls.serving.__exit__(None, None, None)
