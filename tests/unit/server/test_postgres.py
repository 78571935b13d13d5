"""PostgreSQL: what is refused, a server that goes away, and several workers at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from uuid import UUID, uuid4

import pytest

import keydesk
import postgres
from quantum_fabric.errors import InputError
from quantum_fabric.keys import Desk, Grant, KeyRequest, Pool, verify
from quantum_fabric.server.kme import Kme
from quantum_fabric.server.postgres import DatabaseError, PostgresDatabase, address
from quantum_fabric.server.store import Store, StoreError

NEEDS = pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing() or "-")
HERE = Pool("kme-a", "kme-a")


@pytest.fixture(scope="module")
def server():
    with postgres.serving() as one:
        yield one


def opened(dsn: str) -> Store:
    return Store(PostgresDatabase(dsn), keydesk.ring())


def desk() -> Desk:
    return Desk(keydesk.policy(), keydesk.ring(), uuid4)


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql:///kme_a",
        "postgresql://kme@/kme_a?host=/run/postgresql",
        "postgresql://kme@localhost:5433/kme_a",
        "postgresql://kme@db.example/kme_a?sslmode=verify-full&sslrootcert=ca.pem",
    ],
)
def test_addresses(dsn: str) -> None:
    assert address(dsn) == dsn


@pytest.mark.parametrize(
    "dsn",
    [
        "kme_a",
        "mysql://kme@/kme_a",
        "postgresql://kme:secret@/kme_a",
        "postgresql://kme@/kme_a?password=secret",
        "postgresql://kme@db.example/kme_a",
        "postgresql://kme@db.example/kme_a?sslmode=prefer",
        "postgresql://kme@/kme_a?host=db.example",
    ],
)
def test_addresses_that_are_refused(dsn: str) -> None:
    with pytest.raises(InputError) as caught:
        address(dsn)
    assert "secret" not in str(caught.value)


@NEEDS
def test_what_is_refused(server: postgres.Server) -> None:
    with pytest.raises(DatabaseError, match="does not serve"):
        opened(f"postgresql://kme@/none?host={server.folder}")
    with pytest.raises(DatabaseError):
        opened(f"postgresql://kme@/none?host={server.folder}/nowhere")
    dsn = server.database()
    opened(dsn).close()
    name = dsn.partition("@/")[2].partition("?")[0]
    server.sql("UPDATE version SET number = 99", name)
    with pytest.raises(InputError, match="schema 99"):
        opened(dsn)


@NEEDS
def test_no_bits_in_any_file(server: postgres.Server) -> None:
    """The data folder with its write-ahead log holds ciphertext only."""
    store, rules = opened(server.database()), desk()
    plain = store.run(lambda shelf: keydesk.stock(rules, shelf, "kme-a", "kme-a", 4096))
    given = store.run(lambda shelf: rules.issue(shelf, "alice", KeyRequest("anna", number=5), 0))
    assert isinstance(given, Grant)
    store.close()
    server.sql("CHECKPOINT")
    folders = [server.folder / "data" / "base", server.folder / "data" / "pg_wal"]
    files = [one for folder in folders for one in folder.rglob("*") if one.is_file()]
    held = b"".join(one.read_bytes() for one in files)
    pieces = [plain[at : at + 8] for at in range(0, 256, 8)]
    assert not [piece for piece in pieces if piece in held or piece.hex().encode() in held]
    assert str(given.keys[0].key_id).encode() in held, "the test reads the right files"


@NEEDS
def test_a_server_that_goes_away_and_comes_back() -> None:
    with postgres.serving() as server:
        store, rules = opened(server.database()), desk()
        plain = store.run(lambda shelf: keydesk.stock(rules, shelf, "kme-a", "kme-a", 640))

        def issue(shelf):
            return rules.issue(shelf, "alice", KeyRequest("anna"), 0)

        first = store.run(issue)
        assert isinstance(first, Grant)
        server.stop("QUIT")
        for _ in range(3):
            with pytest.raises(StoreError):
                store.run(issue)
        server.start()
        given = [first, *(store.run(issue) for _ in range(19))]
        assert all(isinstance(one, Grant) for one in given)
        assert b"".join(bytes(one.keys[0].material.octets) for one in given) == plain, (
            "in order, none lost, none twice"
        )
        ids = [first.keys[0].key_id]
        assert isinstance(store.run(lambda shelf: rules.collect(shelf, "alice", "anna", ids, 1)), Grant)
        assert verify(store.shelf.book()).number > 20
        store.close()


@NEEDS
def test_a_worker_that_stands_still_does_not_stop_the_others(server: postgres.Server, monkeypatch) -> None:
    """Its transaction is ended by PostgreSQL; what it had begun has not happened."""
    monkeypatch.setattr("quantum_fabric.server.postgres.SECONDS", 1.0)
    dsn = server.database()
    stuck, store, rules = PostgresDatabase(dsn), opened(dsn), desk()
    store.run(lambda shelf: keydesk.stock(rules, shelf, "kme-a", "kme-a", 640))
    stuck.begin()
    taken = rules.issue(stuck.shelf, "alice", KeyRequest("anna"), 0)
    assert isinstance(taken, Grant)
    for _ in range(5):
        try:
            given = store.run(lambda shelf: rules.issue(shelf, "alice", KeyRequest("anna"), 0))
            break
        except StoreError:
            continue
    assert isinstance(given, Grant)
    assert given.keys[0].material == taken.keys[0].material, (
        "the same bits: they were not given to anybody yet"
    )
    with pytest.raises(Exception, match=r"idle|closed|terminat"):
        stuck.commit()
    stuck.rollback()
    stuck.close()
    store.close()


def worker(dsn: str, rounds: int, seen: list[str]) -> list[tuple[str, str, str]]:
    """Issue, and collect what others have issued; what was got, with a digest of the bits."""
    store, rules = opened(dsn), desk()
    got = []
    for _ in range(rounds):
        given = store.run(lambda shelf: rules.issue(shelf, "alice", KeyRequest("anna"), 0))
        assert isinstance(given, Grant)
        got += [("issued", str(one.key_id), sha256(one.material.octets).hexdigest()) for one in given.keys]
    for name in seen:
        answer = store.run(lambda shelf, name=name: rules.collect(shelf, "alice", "anna", [UUID(name)], 0))
        if isinstance(answer, Grant):
            key = answer.keys[0]
            got.append(("collected", name, sha256(key.material.octets).hexdigest()))
    store.close()
    return got


@NEEDS
def test_several_processes_hand_each_key_out_once(server: postgres.Server) -> None:
    dsn, rules = server.database(), desk()
    store = opened(dsn)
    store.run(lambda shelf: keydesk.stock(rules, shelf, "kme-a", "kme-a", 32 * 400))
    given = store.run(lambda shelf: rules.issue(shelf, "alice", KeyRequest("anna", number=60), 0))
    assert isinstance(given, Grant)
    wanted = {str(one.key_id): sha256(one.material.octets).hexdigest() for one in given.keys}
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        answers = [pool.submit(worker, dsn, 30, list(wanted)) for _ in range(4)]
        said = [one for answer in answers for one in answer.result(120)]
    collected = [(name, digest) for what, name, digest in said if what == "collected"]
    assert sorted(collected) == sorted(wanted.items()), (
        "all four asked for each; one got it, with the right bits"
    )
    issued = [(name, digest) for what, name, digest in said if what == "issued"]
    assert len({name for name, _ in issued}) == len({digest for _, digest in issued}) == 120
    assert store.run(lambda shelf: shelf.stock(HERE)) == 32 * (400 - 60 - 120)
    assert verify(store.shelf.book()).number == 1 + 1 + 120 + 240, "one chain"
    store.close()


@NEEDS
def test_a_worker_that_starts_leaves_the_promises_of_others_alone(server: postgres.Server) -> None:
    """One worker waits for kme-b; a second starts, gets kme-b's confirmation, and the first hands the key over."""
    dsn = server.database()

    async def work() -> None:
        now = [1_000_000]
        kmes = [
            Kme(keydesk.policy(), keydesk.ring(), opened(dsn), 5.0, clock=lambda: now[0]) for _ in range(2)
        ]
        await kmes[0].start()
        await kmes[0].store.transact(lambda shelf: keydesk.stock(kmes[0].desk, shelf, "kme-a", "kme-b"))
        asking = asyncio.create_task(kmes[0].get_key("alice", KeyRequest("bob")))
        while not (promised := await kmes[0].store.transact(lambda shelf: shelf.promised())):
            await asyncio.sleep(0.01)
        await kmes[1].start()
        await kmes[1].confirm("kme-b", [promised[0].key_id])
        assert isinstance(await asking, Grant)
        lost = asyncio.create_task(kmes[0].get_key("alice", KeyRequest("bob")))
        while not await kmes[0].store.transact(lambda shelf: shelf.promised()):
            await asyncio.sleep(0.01)
        lost.cancel()  # as if the worker had died
        kmes[0]._take_back = lambda *_, **__: 0
        now[0] += 60_000
        async with asyncio.timeout(20):
            while await kmes[1].store.transact(lambda shelf: shelf.promised()):
                await asyncio.sleep(0.1)
        for kme in kmes:
            await kme.stop()

    asyncio.run(work())


@NEEDS
def test_status_and_audit_of_a_kme_on_postgresql(server: postgres.Server, tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    from click.testing import CliRunner

    from quantum_fabric.cli.kme import command
    from quantum_fabric.server.running import trial
    from quantum_fabric.server.settings import load

    (path,) = trial(tmp_path / "x", {"kme-a": ["alice", "anna"]}, 0)
    dsn = server.database()
    path.write_text(path.read_text().replace("store: kme-a.sqlite", f"store:\n  postgres: {dsn}"))
    settings = load(path)
    store = Store(settings.database(), settings.ring())
    rules = Desk(settings.policy(), settings.ring(), uuid4)
    store.run(lambda shelf: keydesk.stock(rules, shelf, "kme-a", "kme-a", 640))
    store.run(lambda shelf: rules.issue(shelf, "alice", KeyRequest("anna"), 0))
    seen = CliRunner().invoke(command, ["status", str(path)], standalone_mode=False)
    assert seen.exception is None, seen.output
    assert "stock kme-a → kme-a: 608 octets" in seen.output
    assert "keys delivered: 1" in seen.output
    seen = CliRunner().invoke(command, ["audit", str(path)], standalone_mode=False)
    assert "unbroken up to entry 2" in seen.output
    seen = CliRunner().invoke(command, ["revoke", str(path), "--sae", "anna"], standalone_mode=False)
    assert seen.output == "1 keys destroyed\n"
    store.close()
