"""ETSI GS QKD 004 V2.1.1 over real mutual TLS: two applications, at one KME or at two, read the same stream."""

from __future__ import annotations

import base64
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("aiohttp")

from keyserver import Client, Server, free_ports, serving, small
from quantum_fabric.keys import Pool, TestSource
from quantum_fabric.server.running import trial
from quantum_fabric.server.settings import KmeSettings, PeerSettings, load

ONE = {"kme-a": ["alice", "bob", "carol"]}
TWO = {"kme-a": ["alice"], "kme-b": ["bob"]}


class App(Client):
    """An application that holds the standard's three functions and a certificate."""

    def ask(self, method: str, **fields: Any) -> dict[str, Any]:
        status, body, _ = self.send("POST", f"/api/v1/etsi004/{method}", fields)
        assert status == 200, (status, body)
        found: dict[str, Any] = body
        return found

    def open(self, source: str, destination: str, stream: str | None = None, **qos: Any) -> dict[str, Any]:
        return self.ask("open-connect", source=source, destination=destination, key_stream_id=stream, qos=qos)

    def get(self, stream: str, index: int | None = None, **more: Any) -> dict[str, Any]:  # type: ignore[override]
        return self.ask("get-key", key_stream_id=stream, index=index, **more)

    def shut(self, stream: str) -> int:
        status: int = self.ask("close", key_stream_id=stream)["status"]
        return status


def settings_of(folder: Path, kmes: dict[str, list[str]], neighbours: bool = False) -> list[KmeSettings]:
    files = trial(folder, kmes, first_port=free_ports(2 * len(kmes)) if len(kmes) > 1 else 0)
    found = []
    for path in files:
        one = small(load(path))
        peers = {name: PeerSettings(url=peer.url, neighbour=neighbours) for name, peer in one.peers.items()}
        found.append(one.model_copy(update={"peers": peers, "patience_seconds": 1.0}))
    return found


@pytest.fixture(params=["one KME", "two KMEs", "neighbours"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[App, App, Server]]:
    """alice, bob and what serves them."""
    folder = tmp_path / "x"
    server = Server(
        *settings_of(folder, ONE if request.param == "one KME" else TWO, request.param == "neighbours")
    )
    server.start()
    alice = App(folder, server.kmes[0].sae_door.port, "sae-alice")
    bob = App(folder, server.kmes[-1].sae_door.port, "sae-bob")
    try:
        yield alice, bob, server
    finally:
        alice.close()
        bob.close()
        server.stop()


def joined(alice: App, bob: App, **qos: Any) -> str:
    first = alice.open("qkd://sae/alice", "qkd://sae/bob", **qos)
    assert first["status"] == 1
    second = bob.open(
        "qkd://sae/alice", "qkd://sae/bob", first["key_stream_id"], timeout=qos.get("timeout", 0)
    )
    assert second == {**first, "status": 0}
    stream: str = first["key_stream_id"]
    return stream


def test_the_three_functions(both: tuple[App, App, Server]) -> None:
    alice, bob, _ = both
    stream = joined(
        alice, bob, key_chunk_size=48, ttl=600, timeout=2000, metadata_mimetype="application/json"
    )
    mine = alice.get(stream, 5, metadata={"size": 1000})
    assert (mine["status"], mine["index"]) == (0, 5)
    assert len(base64.b64decode(mine["key_buffer"], validate=True)) == 48
    assert mine["metadata"]["size"] == len(mine["metadata"]["buffer"]) <= 1000
    assert mine["qfabric_secret"] is False, "a trial says so"
    tight = bob.get(stream, 5, metadata={"size": 3})
    assert tight["status"] == 8
    assert tight["metadata"]["size"] > 3
    assert "key_buffer" not in tight
    theirs = bob.get(stream, 5, metadata={"size": tight["metadata"]["size"]})
    assert theirs["key_buffer"] == mine["key_buffer"]
    assert bob.get(stream, 5)["status"] == 2, "each end has a chunk once"
    assert bob.get(stream)["index"] == 6, "and goes on after the furthest"
    assert (alice.shut(stream), bob.shut(stream), bob.shut(stream)) == (0, 0, 4)
    assert alice.get(stream)["status"] == 4


def test_any_order_from_many_threads(both: tuple[App, App, Server], tmp_path: Path) -> None:
    """Six connections read 60 chunks in an order of their own; seed 5."""
    alice, bob, _ = both
    stream = joined(alice, bob, timeout=10_000)
    folder = tmp_path / "x"
    found: dict[str, dict[int, str]] = {"alice": {}, "bob": {}}
    faults: list[object] = []

    def reads(sae: str, port: int, indexes: list[int]) -> None:
        app = App(folder, port, f"sae-{sae}")
        for index in indexes:
            answer = app.get(stream, index)
            if answer["status"] or answer["index"] in found[sae]:
                faults.append((sae, index, answer["status"], answer.get("message")))
            else:
                found[sae][answer["index"]] = answer["key_buffer"]
        app.close()

    draw = random.Random(5)
    threads = []
    for sae, app in (("alice", alice), ("bob", bob)):
        indexes = draw.sample(range(60), 60)
        port = app.connection.port
        threads += [threading.Thread(target=reads, args=(sae, port, indexes[part::3])) for part in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert found["alice"] == found["bob"]
    assert sorted(found["alice"]) == list(range(60))
    assert len(set(found["alice"].values())) == 60, "no octets twice"


def test_both_go_on_without_naming_an_index(both: tuple[App, App, Server]) -> None:
    alice, bob, _ = both
    stream = joined(alice, bob, timeout=5000)
    found: dict[str, list[tuple[int, str]]] = {"alice": [], "bob": []}

    def reads(sae: str, app: App) -> None:
        for _ in range(25):
            answer = app.get(stream)
            found[sae].append((answer["index"], answer["key_buffer"]))

    threads = [threading.Thread(target=reads, args=one) for one in (("alice", alice), ("bob", bob))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found["alice"] == found["bob"]
    assert [index for index, _ in found["alice"]] == list(range(25))


def test_a_predefined_stream_and_a_third_caller(both: tuple[App, App, Server]) -> None:
    alice, bob, _ = both
    stream = str(uuid4())
    assert bob.open("bob", "alice", stream)["status"] == 1
    assert bob.open("bob", "alice", stream)["status"] == 5
    assert alice.open("alice", "bob", stream)["status"] == 0
    assert alice.open("alice", "bob", stream)["status"] == 5
    assert alice.get(stream, 0)["key_buffer"] == bob.get(stream, 0)["key_buffer"]
    assert (bob.shut(stream), alice.shut(stream)) == (0, 0)
    assert alice.open("alice", "bob", stream)["status"] == 1, "closed by both, it may be used again"
    assert bob.open("bob", "alice", stream)["status"] == 0
    assert alice.get(stream, 0)["key_buffer"] == bob.get(stream, 0)["key_buffer"]


def test_a_reader_waits_for_the_other_end(both: tuple[App, App, Server]) -> None:
    alice, bob, _ = both
    first = alice.open("alice", "bob", timeout=20_000)
    stream = first["key_stream_id"]
    got: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: got.append(alice.get(stream, 0)))
    waiting.start()
    time.sleep(0.3)
    assert got == []
    assert bob.open("alice", "bob", stream)["status"] == 0
    waiting.join(20)
    assert got[0]["key_buffer"] == bob.get(stream, 0)["key_buffer"]


def test_the_other_end_is_not_there(both: tuple[App, App, Server]) -> None:
    alice, bob, _ = both
    for app, timeout in ((alice, 0), (bob, 0), (alice, 100), (bob, 100)):
        stream = app.open("alice", "bob", timeout=timeout)["key_stream_id"]
        assert app.get(stream, 0)["status"] == 3
        assert app.shut(stream) == 0


def test_a_qos_that_cannot_be_met(both: tuple[App, App, Server]) -> None:
    alice, bob, _ = both
    for app in (alice, bob):
        wanted = {
            "key_chunk_size": 5000,
            "min_bps": 4_000_000_000,
            "ttl": 4_000_000_000,
            "metadata_mimetype": "a/b",
        }
        offer = app.open("alice", "bob", **wanted)
        assert offer["status"] == 7
        assert "key_stream_id" not in offer
        assert offer["qos"]["key_chunk_size"] == 1024
        assert app.open("alice", "bob", **offer["qos"])["status"] == 1
    stream = joined(alice, bob, key_chunk_size=64)
    assert alice.shut(stream) == 0
    other = alice.open("alice", "bob", key_chunk_size=64)["key_stream_id"]
    answer = bob.open("alice", "bob", other, key_chunk_size=32)
    assert (answer["status"], answer["qos"]["key_chunk_size"]) == (7, 64)


def test_the_supply_stops_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    server = Server(*settings_of(folder, ONE))
    server.start()
    try:
        alice, bob = (App(folder, server.kmes[0].sae_door.port, f"sae-{one}") for one in ("alice", "bob"))
        kme = server.kmes[0].kme
        everything = kme.desk.policy.pool(("bob",))

        def dry(shelf: Any) -> None:
            for cell, _ in shelf.cells(everything, 10**9):
                shelf.drop(cell)

        stream = joined(alice, bob)
        hasty = alice.get(stream, 0)["key_buffer"]
        server.do(kme.store.transact(dry))
        assert alice.get(stream, 1)["status"] == 2, "no time to wait"
        assert bob.get(stream, 0)["key_buffer"] == hasty, "what was cut is there"
        patient = joined(alice, bob, timeout=300)
        begin = time.monotonic()
        assert alice.get(patient, 0)["status"] == 6
        assert time.monotonic() - begin >= 0.3
        long = joined(alice, bob, timeout=30_000)
        got: list[dict[str, Any]] = []
        waiting = threading.Thread(target=lambda: got.append(bob.get(long, 0)))
        waiting.start()
        time.sleep(0.2)
        server.do(kme.feed(TestSource("later").block(Pool("kme-a", "kme-a"), 7, 256)))
        waiting.join(20)
        assert got[0]["status"] == 0
        assert alice.get(long, 0)["key_buffer"] == got[0]["key_buffer"]
        alice.close()
        bob.close()
    finally:
        server.stop()


def test_a_restart_keeps_streams(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    both = settings_of(folder, TWO)
    server = Server(*both)
    server.start()
    try:
        alice, bob = (
            App(folder, server.kmes[0].sae_door.port, "sae-alice"),
            App(folder, server.kmes[1].sae_door.port, "sae-bob"),
        )
        stream = joined(alice, bob, timeout=2000)
        mine = {index: alice.get(stream, index)["key_buffer"] for index in (0, 1)}
        theirs = {2: bob.get(stream, 2)["key_buffer"]}
        alice.close()
        bob.close()
    finally:
        server.stop()
    server = Server(*both)
    server.start()
    try:
        alice, bob = (
            App(folder, server.kmes[0].sae_door.port, "sae-alice"),
            App(folder, server.kmes[1].sae_door.port, "sae-bob"),
        )
        assert alice.get(stream, 2)["key_buffer"] == theirs[2], "bob's chunk was not taken back from alice"
        assert {index: bob.get(stream, index)["key_buffer"] for index in mine} == mine
        assert alice.get(stream, 0)["status"] == 2, "read before the restart"
        assert alice.get(stream)["key_buffer"] == bob.get(stream)["key_buffer"]
        alice.close()
        bob.close()
    finally:
        server.stop()


@pytest.mark.parametrize("down", [0, 1])
def test_a_kme_that_is_down(tmp_path: Path, down: int) -> None:
    folder = tmp_path / "x"
    both = settings_of(folder, TWO)
    server = Server(*both)
    server.start()
    again: Server | None = None
    try:
        alice, bob = (
            App(folder, server.kmes[0].sae_door.port, "sae-alice"),
            App(folder, server.kmes[1].sae_door.port, "sae-bob"),
        )
        stream = joined(alice, bob, timeout=500)
        mine = alice.get(stream, 0)["key_buffer"]
        server.do(server.kmes[down].stop())
        if down == 0:
            assert bob.get(stream, 0)["key_buffer"] == mine, "what is there is there"
            assert bob.get(stream, 1)["status"] == 4
            assert bob.open("alice", "bob")["status"] == 4
            assert bob.shut(stream) == 0, "closed here, and told later"
        else:
            assert alice.get(stream, 1)["status"] == 6, "cut, and not confirmed in time"
        again = Server(both[down])
        again.start()
        (bob if down else alice).close()
        if down == 1:
            bob = App(folder, again.kmes[0].sae_door.port, "sae-bob")
            deadline = time.monotonic() + 20
            while (late := alice.get(stream, 1))["status"] == 6:
                assert time.monotonic() < deadline
            assert late["key_buffer"] == bob.get(stream, 1)["key_buffer"]
        else:
            alice = App(folder, again.kmes[0].sae_door.port, "sae-alice")
            deadline = time.monotonic() + 20
            while alice.get(stream)["status"] != 3:
                assert time.monotonic() < deadline, "the home hears that bob has closed"
                time.sleep(0.1)
        alice.close()
        bob.close()
    finally:
        if again is not None:
            again.stop()
        server.stop()


# ---------------------------------------------------------------------------------------------- who, and bad input


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Server]]:
    folder = tmp_path_factory.mktemp("trial") / "x"
    with serving(folder, ONE) as running:
        yield folder, running


@pytest.fixture
def apps(server: tuple[Path, Server]) -> Iterator[dict[str, App]]:
    folder, running = server
    found = {one: App(folder, running.kmes[0].sae_door.port, f"sae-{one}") for one in ONE["kme-a"]}
    yield found
    for app in found.values():
        app.close()


def test_who_may(apps: dict[str, App]) -> None:
    alice, bob, carol = apps["alice"], apps["bob"], apps["carol"]
    for source, destination in (("alice", "bob"), ("carol", "carol"), ("carol", "nobody"), ("x", "carol")):
        body = {"source": source, "destination": destination, "qos": {}}
        assert carol.send("POST", "/api/v1/etsi004/open-connect", body)[0] == 401
    stream = joined(alice, bob)
    assert carol.get(stream, 0)["status"] == 4
    assert carol.shut(stream) == 4
    assert carol.open("carol", "alice", stream)["status"] == 5
    assert alice.get(stream, 0)["key_buffer"] == bob.get(stream, 0)["key_buffer"]


BAD: list[tuple[str, object]] = [
    ("open-connect", {}), ("open-connect", []), ("open-connect", b"{"), ("open-connect", b"\xff"),
    ("open-connect", {"source": "alice", "destination": 7}), ("open-connect", {"source": "a b", "destination": "bob"}),
    ("open-connect", {"source": "alice", "destination": "bob", "qos": 7}),
    ("open-connect", {"source": "alice", "destination": "bob", "qos": {"colour": 1}}),
    ("open-connect", {"source": "alice", "destination": "bob", "qos": {"ttl": -1}}),
    ("open-connect", {"source": "alice", "destination": "bob", "qos": {"ttl": 2**32}}),
    ("open-connect", {"source": "alice", "destination": "bob", "qos": {"ttl": 1.5}}),
    ("open-connect", {"source": "alice", "destination": "bob", "qos": {"metadata_mimetype": 7}}),
    ("open-connect", {"source": "alice", "destination": "bob", "qos": {"metadata_mimetype": "x" * 256}}),
    ("open-connect", {"source": "alice", "destination": "bob", "key_stream_id": "x"}),
    ("open-connect", {"source": "alice", "destination": "bob", "colour": "red"}),
    ("get-key", {}), ("get-key", {"key_stream_id": None}), ("get-key", {"key_stream_id": "x"}),
    ("get-key", {"key_stream_id": str(uuid4()), "index": -1}), ("get-key", {"key_stream_id": str(uuid4()), "index": 2**32}),
    ("get-key", {"key_stream_id": str(uuid4()), "index": True}), ("get-key", {"key_stream_id": str(uuid4()), "metadata": []}),
    ("get-key", {"key_stream_id": str(uuid4()), "metadata": {"size": "9"}}), ("close", {}), ("close", b""),
    ("close", {"key_stream_id": str(uuid4()), "index": 1}), ("close", b"[" * 100_000),
]  # fmt: skip


@pytest.mark.parametrize(("method", "body"), BAD, ids=range(len(BAD)))
def test_what_is_not_in_the_format(apps: dict[str, App], method: str, body: object) -> None:
    status, answer, _ = apps["alice"].send("POST", f"/api/v1/etsi004/{method}", body)
    assert status == 400
    assert answer["message"].startswith("bad request format")


def test_other_methods_and_paths(apps: dict[str, App]) -> None:
    alice = apps["alice"]
    assert alice.send("GET", "/api/v1/etsi004/get-key")[0] == 405
    assert alice.send("POST", "/api/v1/etsi004/get_key", {})[0] == 404
    assert alice.send("POST", "/api/v1/etsi004/close?x=1", {})[0] == 400
    nobody = {"key_stream_id": "00000000-0000-0000-0000-000000000000"}
    assert alice.send("POST", "/api/v1/etsi004/get-key", nobody)[1]["status"] == 4


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["open-connect", "get-key", "close"]),
    st.dictionaries(
        st.sampled_from(["source", "destination", "qos", "key_stream_id", "index", "metadata"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["alice", "bob"])
        | st.uuids().map(str) | st.dictionaries(st.sampled_from(["ttl", "size", "timeout"]), st.integers(-1, 5), max_size=2),
        max_size=6,
    ),
)  # fmt: skip
def test_any_json_gets_an_answer(server: tuple[Path, Server], method: str, body: dict[str, object]) -> None:
    folder, running = server
    app = App(folder, running.kmes[0].sae_door.port, "sae-alice")
    try:
        status, answer, _ = app.send("POST", f"/api/v1/etsi004/{method}", body)
        assert status in (200, 400, 401)
        assert "status" in answer or "message" in answer
    finally:
        app.close()


def test_a_peer_that_talks_nonsense(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    server = Server(*settings_of(folder, TWO))
    server.start()
    try:
        door = server.kmes[0].kme_door
        assert door is not None
        peer = Client(folder, door.port, "kme-kme-b")
        good = {"act": "open", "sae": "bob", "peer": "alice", "key_stream_id": str(uuid4()), "qos": {}}
        assert peer.send("POST", "/qfabric/v1/streams", good)[1]["status"] == 1
        for wrong in (
            {**good, "act": "steal"}, {**good, "key_stream_id": 7}, {"act": "want"}, {**good, "peer": 7}, {**good, "qos": 7},
            {**good, "act": "want", "incarnation": "x", "index": 0, "fixed": True},
            {**good, "act": "want", "incarnation": str(uuid4()), "index": -1, "fixed": True}, [],
        ):  # fmt: skip
            assert peer.send("POST", "/qfabric/v1/streams", wrong)[0] == 400
        for wrong in ({**good, "sae": "alice", "peer": "bob"}, {**good, "sae": "eve"}):
            assert peer.send("POST", "/qfabric/v1/streams", wrong)[1]["status"] == 4
        peer.close()
        sae = Client(folder, server.kmes[0].sae_door.port, "sae-alice")
        assert sae.send("POST", "/qfabric/v1/streams", good)[0] == 404, "no business of an SAE"
        sae.close()
    finally:
        server.stop()
