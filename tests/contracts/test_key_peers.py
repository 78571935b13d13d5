"""KMEs on loopback kept in step: far ones by places in their common stock, neighbours by ETSI GS QKD 020 V1.1.1."""

from __future__ import annotations

import base64
import http.server
import json
import queue
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

pytest.importorskip("aiohttp")

from keyserver import STOCK, Client, Server, free_ports, serving, small
from quantum_fabric.keys import Pool, verify
from quantum_fabric.server.running import trial
from quantum_fabric.server.settings import KmeSettings, load

THREE = {"kme-a": ["alice", "anna"], "kme-b": ["bob"], "kme-c": ["carol"]}
TWO = {"kme-a": ["alice"], "kme-b": ["bob"]}
AB = Pool("kme-a", "kme-b")


def near(settings: KmeSettings) -> KmeSettings:
    peers = {name: peer.model_copy(update={"neighbour": True}) for name, peer in settings.peers.items()}
    return settings.model_copy(update={"peers": peers})


@contextmanager
def some(folder: Path, names: list[str], neighbours: bool = False, **changes: Any) -> Iterator[Server]:
    """Some of the KMEs of a trial that was laid out before."""
    loaded = [small(load(folder / f"{name}.yaml")).model_copy(update=changes) for name in names]
    server = Server(*(near(one) if neighbours else one for one in loaded))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def stock(server: Server, which: int, pool: Pool = AB) -> int:
    return server.kmes[which].kme.store.run(lambda shelf: shelf.stock(pool))


def outbox(server: Server, which: int, kme: str) -> int:
    return len(server.kmes[which].kme.store.run(lambda shelf: shelf.errands(kme, 1000)))


def sae(folder: Path, server: Server, which: int, name: str) -> Client:
    return Client(folder, server.kmes[which].sae_door.port, f"sae-{name}")


def wanted(body: Any) -> dict[str, Any]:
    return {"key_IDs": [{"key_ID": one["key_ID"]} for one in body["keys"]]}


def until(condition: Any, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


@pytest.mark.parametrize("neighbours", [False, True])
def test_both_ends_get_the_same_keys_once(tmp_path: Path, neighbours: bool) -> None:
    folder = tmp_path / "x"
    trial(folder, TWO, free_ports(4))
    with some(folder, ["kme-a", "kme-b"], neighbours) as server:
        alice, bob = sae(folder, server, 0, "alice"), sae(folder, server, 1, "bob")
        seen = set()
        for number, size in ((1, 256), (7, 128), (2, 8192), (3, 72)):
            status, body = alice.post("bob/enc_keys", {"number": number, "size": size})
            assert status == 200
            assert bob.post("alice/dec_keys", wanted(body))[1]["keys"] == body["keys"]
            assert bob.post("alice/dec_keys", wanted(body))[0] == 400
            assert alice.post("bob/dec_keys", wanted(body))[0] == 401
            seen |= {one["key"] for one in body["keys"]}
        status, back = bob.get("alice/enc_keys")
        assert status == 200
        assert alice.post("bob/dec_keys", wanted(back))[1]["keys"] == back["keys"]
        assert len(seen) == 13
        until(lambda: outbox(server, 0, "kme-b") == 0)
        assert stock(server, 0) == stock(server, 1), "both have spent the same places"
        assert (stock(server, 0) < STOCK) is not neighbours, "neighbours send bits of their own stock"
        for one in server.kmes:
            verify(one.kme.store.run(lambda shelf: shelf.book()))
        alice.close()
        bob.close()


def test_multicast_over_three_sites(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    with serving(folder, THREE) as server:
        alice = sae(folder, server, 0, "alice")
        others = [sae(folder, server, which, name) for which, name in ((0, "anna"), (1, "bob"), (2, "carol"))]
        status, body = alice.post(
            "carol/enc_keys", {"number": 2, "additional_slave_SAE_IDs": ["bob", "anna"]}
        )
        assert status == 200
        for one in others:
            assert one.post("alice/dec_keys", wanted(body))[1]["keys"] == body["keys"]
            assert one.post("alice/dec_keys", wanted(body))[0] == 400
        for client in (alice, *others):
            client.close()


@pytest.mark.parametrize("neighbours", [False, True])
def test_a_far_end_that_is_down(tmp_path: Path, neighbours: bool) -> None:
    """The master gets 503, the keys are void, and when the far end is back both are in step again: also over a restart."""
    folder = tmp_path / "x"
    trial(folder, TWO, free_ports(4))
    with some(folder, ["kme-b"], neighbours):
        pass  # it takes in its stock
    for _ in range(2):  # the second time with an outbox that was found on disk
        with some(folder, ["kme-a"], neighbours, patience_seconds=0.3) as server:
            alice = sae(folder, server, 0, "alice")
            status, body = alice.get("bob/enc_keys?number=3")
            assert (status, body["message"]) == (503, "another KME has not confirmed these keys")
            assert server.kmes[0].kme.store.run(lambda shelf: shelf.living("alice")) == []
            alice.close()
    with some(folder, ["kme-a", "kme-b"], neighbours) as server:
        until(lambda: outbox(server, 0, "kme-b") == 0)
        assert stock(server, 0) == stock(server, 1)
        alice, bob = sae(folder, server, 0, "alice"), sae(folder, server, 1, "bob")
        status, body = alice.get("bob/enc_keys")
        assert status == 200
        assert bob.post("alice/dec_keys", wanted(body))[1]["keys"] == body["keys"]
        alice.close()
        bob.close()


def test_many_at_once_stay_in_step(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    with serving(folder, TWO) as server:
        found: queue.Queue[tuple[str, str]] = queue.Queue()

        def work(here: int, me: str, other: str) -> None:
            mine, theirs = sae(folder, server, here, me), sae(folder, server, 1 - here, other)
            for size in (256, 64, 1000, 264, 128, 8192, 256):
                status, body = mine.post(f"{other}/enc_keys", {"number": 3, "size": size})
                assert status == 200, body
                assert theirs.post(f"{me}/dec_keys", wanted(body))[1]["keys"] == body["keys"]
                for one in body["keys"]:
                    found.put((one["key_ID"], one["key"]))
            mine.close()
            theirs.close()

        ends = [(0, "alice", "bob"), (1, "bob", "alice")] * 3
        threads = [threading.Thread(target=work, args=one) for one in ends]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        all_found = list(found.queue)
        assert len(all_found) == 6 * 7 * 3
        assert (
            len({key_id for key_id, _ in all_found}) == len({key for _, key in all_found}) == len(all_found)
        )
        until(lambda: outbox(server, 0, "kme-b") == outbox(server, 1, "kme-a") == 0)
        for pool in (AB, Pool("kme-b", "kme-a")):
            assert stock(server, 0, pool) == stock(server, 1, pool)


# --------------------------------------------------------------------------------- who may call, and with what


class Peer:
    """KME B played by the test: calls KME A, and takes its acknowledgements."""

    def __init__(self, folder: Path, settings: KmeSettings, port: int) -> None:
        self.acks: queue.Queue[Any] = queue.Queue()
        acks = self.acks

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                acks.put((self.path, json.loads(body)))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self.url = settings.peers["kme-b"].url
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "kme-kme-b.pem", folder / "kme-kme-b.key")
        context.load_verify_locations(folder / "trial-ca-of-kmes.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        where = urlsplit(self.url)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", where.port or 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.client = Client(folder, port, "kme-kme-b")

    def post(self, path: str, body: object) -> tuple[int, Any]:
        return self.client.send("POST", path, body)[:2]

    def ack(self) -> Any:
        path, body = self.acks.get(timeout=10)
        assert path == "/kmapi/v1/ext_keys/ack"
        return body

    def close(self) -> None:
        self.client.close()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def a(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Server, Peer]]:
    folder = tmp_path_factory.mktemp("peers") / "x"
    trial(folder, TWO, free_ports(4))
    with some(folder, ["kme-a"], neighbours=True) as server:
        door = server.kmes[0].kme_door
        assert door is not None
        peer = Peer(folder, near(load(folder / "kme-a.yaml")), door.port)
        yield folder, server, peer
        peer.close()


def ext_keys(peer: Peer, **changes: Any) -> dict[str, Any]:
    key = {"key_id": str(uuid4()), "value": base64.b64encode(bytes(range(32))).decode()}
    about = {"origin": "test", "source": "tests", "epsilon": 1}
    key["extension"] = {"E32473_qfabric_provenance": about}
    return {
        "keys": [key], "initiator_sae_id": "bob", "target_sae_ids": ["alice"],
        "ack_callback_url": peer.url + "/kmapi/v1/ext_keys/ack", **changes,
    }  # fmt: skip


def test_020_a_foreign_kme_delivers_and_voids(a: tuple[Path, Server, Peer]) -> None:
    folder, server, peer = a
    assert peer.client.send("GET", "/kmapi/versions")[:2] == (200, {"versions": ["v1"]})
    first, second = ext_keys(peer), ext_keys(peer)
    for body in (first, first, second):
        assert peer.post("/kmapi/v1/ext_keys", body)[0] == 202
        (ack,) = peer.ack()
        assert (ack["ack_status"], ack["initiator_sae_id"]) == ("relayed", "bob")
        assert ack["key_id_container"] == [{"key_id": body["keys"][0]["key_id"]}]
    void = {key: value for key, value in second.items() if key != "keys"}
    void["key_ids"] = [second["keys"][0]["key_id"], str(uuid4())]
    assert peer.post("/kmapi/v1/ext_keys/void", void)[0] == 202
    assert sorted(ack["ack_status"] for ack in peer.ack()) == ["key not present", "voided"]
    alice = sae(folder, server, 0, "alice")
    status, got = alice.get(f"bob/dec_keys?key_ID={first['keys'][0]['key_id']}")
    assert (status, got["keys"][0]["key"]) == (200, first["keys"][0]["value"])
    status, got = alice.get(f"bob/dec_keys?key_ID={second['keys'][0]['key_id']}")
    assert (status, got["details"][0]["reason"]) == (400, "voided")
    void["key_ids"] = [first["keys"][0]["key_id"]]
    assert peer.post("/kmapi/v1/ext_keys/void", void)[0] == 202
    assert peer.ack()[0]["ack_status"] == "failed to void", "alice has it"
    alice.close()


def test_020_void_all_needs_a_confirmation(a: tuple[Path, Server, Peer]) -> None:
    _, server, peer = a
    body = ext_keys(peer)
    assert peer.post("/kmapi/v1/ext_keys", body)[0] == 202
    peer.ack()
    void = {key: value for key, value in body.items() if key != "keys"} | {"key_ids": []}
    assert peer.post("/kmapi/v1/ext_keys/void", void)[0] == 400
    assert peer.post("/kmapi/v1/ext_keys/void", void | {"all_confirmation": True})[0] == 202
    assert peer.ack()[0]["key_id_container"] == [{"key_id": body["keys"][0]["key_id"]}]
    assert not [
        one for one in server.kmes[0].kme.store.run(lambda shelf: shelf.living("bob")) if one.master == "bob"
    ]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"initiator_sae_id": "alice"}, 401),
        ({"initiator_sae_id": "nobody"}, 401),
        ({"target_sae_ids": ["bob"]}, 401),
        ({"target_sae_ids": []}, 400),
        ({"target_sae_ids": "alice"}, 400),
        ({"keys": []}, 400),
        ({"keys": [{"key_id": "x", "value": "AAAA"}]}, 400),
        ({"keys": [{"key_id": str(uuid4()), "value": "*"}]}, 400),
        ({"keys": [{"key_id": str(uuid4()), "value": "AAAA"}]}, 400),
        ({"ack_callback_url": None}, 400),
        ({"ack_callback_url": "https://127.0.0.1:1/x"}, 400),
        ({"ack_callback_url": "http://169.254.169.254/latest"}, 400),
        ({"ack_callback_url": "https://[::1"}, 400),
        ({"ack_callback_url": "https://x@127.0.0.1/"}, 400),
        ({"extension_mandatory": {"E32473_x": 1}}, 503),
    ],
)
def test_020_refusals_leave_no_association(
    a: tuple[Path, Server, Peer], changes: dict[str, Any], status: int
) -> None:
    _, server, peer = a
    good = ext_keys(peer)
    if "keys" not in changes:  # the second key is good: it must not stay either
        changes = {"keys": [*good["keys"], *ext_keys(peer)["keys"]], **changes}
    before = server.kmes[0].kme.store.run(lambda shelf: shelf._do("SELECT count(*) FROM keys").fetchone())
    found, answer = peer.post("/kmapi/v1/ext_keys", good | changes)
    assert found == status
    assert answer["type"].startswith("https://qkd.etsi.org/gs020-interop-kms/")
    assert (
        server.kmes[0].kme.store.run(lambda shelf: shelf._do("SELECT count(*) FROM keys").fetchone())
        == before
    )


def test_020_one_bad_key_takes_all_with_it(a: tuple[Path, Server, Peer]) -> None:
    folder, server, peer = a
    good, short = ext_keys(peer), ext_keys(peer)["keys"][0] | {"value": "AAAA"}
    assert peer.post("/kmapi/v1/ext_keys", good | {"keys": [*good["keys"], short]})[0] == 400
    alice = sae(folder, server, 0, "alice")
    assert alice.get(f"bob/dec_keys?key_ID={good['keys'][0]['key_id']}")[0] == 400
    alice.close()


def test_who_may_not_call(a: tuple[Path, Server, Peer]) -> None:
    folder, server, peer = a
    door = server.kmes[0].kme_door
    assert door is not None
    for certificate in ("sae-alice", None):
        client = Client(folder, door.port, certificate)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            client.send("POST", "/kmapi/v1/ext_keys", ext_keys(peer))
        client.close()
    itself = Client(folder, door.port, "kme-kme-a")
    assert itself.send("POST", "/kmapi/v1/ext_keys", ext_keys(peer))[0] == 401, "no peer of its own"
    itself.close()
    old = Client(folder, door.port, "kme-kme-b", maximum_version=ssl.TLSVersion.TLSv1_2)
    with pytest.raises(ssl.SSLError):
        old.connection.connect()
    old.close()
    assert peer.post("/qfabric/v1/parcels", {"parcels": []})[0] == 401, "neighbours call by 020"
    assert peer.post("/api/v1/keys/bob/enc_keys", {})[0] == 404, "no keys for KMEs here"
    for body in (b"{", b"[]", b"7", b'{"keys": 1}', b"\xff"):
        assert peer.post("/kmapi/v1/ext_keys", body)[0] == 400
        assert peer.post("/kmapi/v1/ext_keys/void", body)[0] == 400
    for body in (
        b"{",
        b"7",
        b'[{"ack_status": "relayed"}]',
        b'[{"key_id_container": [], "ack_status": "x"}]',
    ):
        assert peer.post("/kmapi/v1/ext_keys/ack", body)[0] == 400
    unknown = [{"key_id_container": [{"key_id": str(uuid4())}], "ack_status": "relayed"}]
    assert peer.post("/kmapi/v1/ext_keys/ack", unknown)[0] == 200, "confirms nothing, frees nothing"


def test_a_line_speaks_only_to_the_kme_it_means(tmp_path: Path) -> None:
    """Somebody else of the same CA at the address of KME B is told nothing."""
    folder = tmp_path / "x"
    trial(folder, THREE, free_ports(6))
    (folder / "kme-kme-b.pem").write_bytes((folder / "kme-kme-c.pem").read_bytes())
    (folder / "kme-kme-b.key").write_bytes((folder / "kme-kme-c.key").read_bytes())
    with some(folder, ["kme-a", "kme-b"], patience_seconds=0.3) as server:
        alice = sae(folder, server, 0, "alice")
        assert alice.get("bob/enc_keys")[0] == 503
        assert stock(server, 1) == STOCK, "it was told nothing"
        alice.close()
