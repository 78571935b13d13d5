"""The store on disk: group commit, refusal to open, a full disk, and nothing in the clear."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

import keydesk
import postgres
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.keys import (
    Desk,
    Grant,
    Kek,
    KeyMaterial,
    KeyRequest,
    KeyRing,
    Pool,
    SealError,
    TestSource,
    feed,
    revoke,
    sweep,
    verify,
)
from quantum_fabric.server.sqlite import SqliteShelf
from quantum_fabric.server.store import Store, StoreError

HERE = Pool("kme-a", "kme-a")


@pytest.fixture(scope="session")
def server():
    with postgres.serving() as one:
        yield one


NEEDS = pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing() or "-")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=NEEDS)])
def place(request: pytest.FixtureRequest, tmp_path: Path):
    """Opens the same store again and again, in either kind of database."""
    if request.param == "sqlite":
        return lambda ring: Store(tmp_path / "keys.sqlite", ring)
    from quantum_fabric.server.postgres import PostgresDatabase

    dsn = request.getfixturevalue("server").database()
    return lambda ring: Store(PostgresDatabase(dsn), ring)


@pytest.fixture
def store(place):
    opened = place(keydesk.ring())
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path):
    opened = Store(tmp_path / "keys.sqlite", keydesk.ring())
    yield opened
    opened.close()


def fill(store: Store, desk: Desk, octets: int = 4096, number: int = 0) -> bytes:
    return store.run(lambda shelf: keydesk.stock(desk, shelf, "kme-a", "kme-a", octets, number))


def issue(desk: Desk, number: int = 1):
    return lambda shelf: desk.issue(shelf, "alice", KeyRequest("anna", number=number), 0)


def held(store: Store):
    """The writer stands still inside an act until the gate is opened."""
    gate, there = threading.Event(), threading.Event()
    first = store.submit(lambda shelf: there.set() or gate.wait(10))
    assert there.wait(10)
    return gate, first


def test_what_is_committed_is_there_after_a_restart(place) -> None:
    desk = keydesk.desk()
    first = place(keydesk.ring())
    plain = fill(first, desk)
    given = first.run(issue(desk, 2))
    assert isinstance(given, Grant)
    first.close()
    second = place(keydesk.ring())
    ids = [key.key_id for key in given.keys]
    got = second.run(lambda shelf: desk.collect(shelf, "alice", "anna", ids, 1))
    assert isinstance(got, Grant)
    assert b"".join(bytes(key.material.octets) for key in got.keys) == plain[:64]
    assert not isinstance(second.run(lambda shelf: desk.collect(shelf, "alice", "anna", ids, 2)), Grant)
    assert verify(second.shelf.book()).number == 4
    second.close()


def test_no_bits_in_any_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.sqlite"
    kek = Kek("k", KeyMaterial(sha256(b"a KEK that looks random").digest()))
    desk = Desk(keydesk.policy(), KeyRing(kek), keydesk.numbers())
    store = Store(path, desk.ring)
    plain = fill(store, desk)
    given = store.run(issue(desk, 5))
    assert isinstance(given, Grant)
    held = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    store.close()
    held += b"".join(one.read_bytes() for one in tmp_path.iterdir())
    secrets = [plain[i : i + 8] for i in range(0, len(plain), 8)] + [kek.secret.octets[:8]]
    assert not [secret for secret in secrets if bytes(secret) in held or bytes(secret).hex().encode() in held]
    assert str(given.keys[0].key_id).encode() in held, (
        "the test reads the right files: the audit book names the key"
    )


def test_acts_that_wait_together_are_one_commit_and_fail_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = keydesk.desk()
    fill(store, desk)
    commits = []
    commit = store.database.commit
    monkeypatch.setattr(store.database, "commit", lambda: commits.append(1) or commit())
    gate, first = held(store)

    def spoil(shelf: SqliteShelf) -> None:
        desk.issue(shelf, "alice", KeyRequest("anna"), 0)
        raise KeyError("spoilt after it wrote")

    waiting = [store.submit(issue(desk)) for _ in range(20)]
    bad = store.submit(spoil)
    waiting += [store.submit(issue(desk)) for _ in range(20)]
    gate.set()
    assert first.result()
    answers = [future.result() for future in waiting]
    assert all(isinstance(answer, Grant) for answer in answers)
    with pytest.raises(KeyError):
        bad.result()
    assert len(commits) == 2, "one for the first, one for all that waited for it"
    assert store.run(lambda shelf: shelf.stock(HERE)) == 4096 - 40 * 32, "the spoilt one took nothing"
    assert len({bytes(key.material.octets) for answer in answers for key in answer.keys}) == 40


def test_an_answer_comes_after_its_commit(sqlite_store: Store) -> None:
    """Whoever holds an answer finds it in another connection: it is on disk."""
    desk = keydesk.desk()
    fill(sqlite_store, desk)
    for _ in range(20):
        given = sqlite_store.run(issue(desk))
        assert isinstance(given, Grant)
        path = sqlite_store.database.connection.execute("PRAGMA database_list").fetchone()[2]
        other = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        found = other.execute(
            "SELECT state FROM keys WHERE key_id = ?", (given.keys[0].key_id.bytes,)
        ).fetchone()
        other.close()
        assert found == ("delivered",)


def test_a_full_disk_delivers_nothing_and_loses_nothing(sqlite_store: Store) -> None:
    desk = keydesk.desk()
    fill(sqlite_store, desk, 32_768)
    (pages,) = sqlite_store.database.connection.execute("PRAGMA page_count").fetchone()
    sqlite_store.database.connection.execute(f"PRAGMA max_page_count = {pages}")
    given: list[UUID] = []
    failed = False
    for _ in range(200):
        try:
            answer = sqlite_store.run(issue(desk, 5))
        except StoreError:
            failed = True
            break
        assert isinstance(answer, Grant)
        given += [key.key_id for key in answer.keys]
    assert failed
    sqlite_store.database.connection.execute("PRAGMA max_page_count = 100000")
    assert sqlite_store.run(lambda shelf: shelf.stock(HERE)) == 32_768 - 32 * len(given)
    assert isinstance(sqlite_store.run(issue(desk)), Grant), "it serves again when there is room"
    assert verify(sqlite_store.shelf.book())


def test_who_may_not_open_it(tmp_path: Path) -> None:
    path = tmp_path / "keys.sqlite"
    Store(path, keydesk.ring()).close()
    with pytest.raises(SealError):
        Store(path, KeyRing(Kek("test", KeyMaterial(b"another KEK of that name".ljust(32)))))
    with pytest.raises(UnknownNameError):
        Store(path, keydesk.ring("other"))
    path.chmod(0o644)
    with pytest.raises(InputError, match="0600"):
        Store(path, keydesk.ring())
    path.chmod(0o600)
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(InputError, match="schema 99"):
        Store(path, keydesk.ring())


def test_another_kek_does_not_open_it(place) -> None:
    place(keydesk.ring()).close()
    with pytest.raises(SealError):
        place(KeyRing(Kek("test", KeyMaterial(b"another KEK of that name".ljust(32)))))
    with pytest.raises(UnknownNameError):
        place(keydesk.ring("other"))
    place(keydesk.ring("other", (keydesk.kek("test"),))).close()


def test_the_files_are_private(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        store = Store(tmp_path / "keys.sqlite", keydesk.ring())
        fill(store, keydesk.desk())
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600}, modes
    assert len(modes) == 3, "the file, its log and its index"


def test_a_row_that_was_swapped_does_not_open(store: Store) -> None:
    desk = keydesk.desk()
    fill(store, desk)
    store.run(
        lambda shelf: shelf._do(
            "UPDATE cells SET sealed = (SELECT sealed FROM cells WHERE start = 32) WHERE start = 0"
        )
    )
    with pytest.raises(SealError):
        store.run(issue(desk))
    assert store.run(lambda shelf: shelf.stock(HERE)) == 4096


def test_rotation_of_the_kek(place) -> None:
    store, desk = place(keydesk.ring()), keydesk.desk()
    fill(store, desk, 32 * 1200)
    given = store.run(issue(desk))
    assert isinstance(given, Grant)
    store.close()
    both = keydesk.ring("new", older=(keydesk.kek("test"),))
    store = place(both)
    assert store.rotate(Desk(desk.policy, both, desk.new_id), 0) == 1200
    store.close()
    store = place(keydesk.ring("new"))
    new = Desk(desk.policy, keydesk.ring("new"), desk.new_id)
    got = store.run(lambda shelf: new.collect(shelf, "alice", "anna", [given.keys[0].key_id], 1))
    assert isinstance(got, Grant)
    store.close()


def test_closing_finishes_what_waits(place) -> None:
    store, desk = place(keydesk.ring()), keydesk.desk()
    fill(store, desk)
    futures = [store.submit(issue(desk)) for _ in range(50)]
    store.close()
    store.close()
    assert all(isinstance(future.result(0), Grant) for future in futures)
    with pytest.raises(StoreError, match="closed"):
        store.submit(issue(desk))


def test_a_caller_that_gives_up_before_its_turn_takes_nothing(store: Store) -> None:
    desk = keydesk.desk()
    fill(store, desk)

    async def give_up() -> None:
        gate, first = held(store)
        waiting = asyncio.ensure_future(store.transact(issue(desk)))
        await asyncio.sleep(0.02)
        waiting.cancel()
        await asyncio.sleep(0)
        gate.set()
        await asyncio.wrap_future(first)

    asyncio.run(give_up())
    assert store.run(lambda shelf: shelf.stock(HERE)) == 4096


def test_what_is_counted_and_found_after_keys_have_gone(store: Store) -> None:
    desk = keydesk.desk()
    fill(store, desk)
    given = store.run(issue(desk, 3))
    assert isinstance(given, Grant)
    one, two, _ = (key.key_id for key in given.keys)
    assert store.run(lambda shelf: shelf.waiting("alice", "anna")) == 3
    assert [len(store.run(lambda shelf, sae=sae: shelf.living(sae))) for sae in ("alice", "anna", "bob")] == [
        3,
        3,
        0,
    ]
    collected = store.run(lambda shelf: desk.collect(shelf, "alice", "anna", [one], 1))
    assert isinstance(collected, Grant)
    assert store.run(lambda shelf: revoke(desk, shelf, two, "operator", 1))
    assert store.run(lambda shelf: [shelf.sealed(key) is None for key in (one, two)]) == [True, True]
    assert store.run(lambda shelf: shelf.waiting("alice", "anna")) == 1
    assert store.run(lambda shelf: shelf.states()) == {"delivered": 1, "destroyed": 2}
    end = desk.policy.limits.lifetime
    assert store.run(lambda shelf: sweep(desk, shelf, end - 1)) == 0
    assert store.run(lambda shelf: sweep(desk, shelf, end)) == 1, "at the very instant"
    assert store.run(lambda shelf: shelf.states()) == {"destroyed": 3}
    assert store.run(lambda shelf: (shelf.waiting("alice", "anna"), shelf.living("anna"))) == (0, [])


def test_feeding_twice(store: Store) -> None:
    desk = keydesk.desk()
    block = TestSource("x").block(HERE, 0, 100)
    assert store.run(lambda shelf: feed(desk, shelf, block, 0)) == 100
    again = TestSource("x").block(HERE, 0, 100)
    assert store.run(lambda shelf: feed(desk, shelf, again, 0)) == 0


def test_what_was_learnt_in_an_act_that_failed_is_forgotten(store: Store) -> None:
    """The numbers of pools and blocks are remembered; after a rollback they belong to others."""
    desk = keydesk.desk()

    def spoil(shelf: SqliteShelf) -> None:
        keydesk.stock(desk, shelf, "kme-a", "kme-b")
        raise KeyError("spoilt")

    with pytest.raises(KeyError):
        store.run(spoil)
    store.run(lambda shelf: keydesk.stock(desk, shelf, "kme-a", "kme-c"))
    assert store.run(lambda shelf: shelf.stock(Pool("kme-a", "kme-b"))) == 0
    store.run(lambda shelf: keydesk.stock(desk, shelf, "kme-a", "kme-b"))
    assert store.run(lambda shelf: shelf.stock(Pool("kme-a", "kme-b"))) == 4096


def test_when_no_transaction_begins_everybody_who_waits_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = keydesk.desk()
    fill(store, desk)
    gate, first = held(store)
    waiting = [store.submit(issue(desk)) for _ in range(5)]

    def fail() -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(store.database, "begin", fail)
    gate.set()
    assert first.result(10)
    for future in waiting:
        with pytest.raises(StoreError):
            future.result(10)
    monkeypatch.undo()
    assert isinstance(store.run(issue(desk)), Grant)
