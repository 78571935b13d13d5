"""What makes key bits, at the door of a KME: over real TLS, each block once, and only for what the rules allow."""

from __future__ import annotations

import base64
import os
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("aiohttp")

from keyserver import Client, Server, free_ports
from quantum_fabric.cli.key_feed import feeder
from quantum_fabric.errors import DocumentError, StateError
from quantum_fabric.keys import Block, KeyMaterial, Origin, Pool, Provenance
from quantum_fabric.physics.qkd.ledger import Ledger
from quantum_fabric.server.feed import deliver, read_feed
from quantum_fabric.server.running import trial
from quantum_fabric.server.settings import load
from quantum_fabric.services.qkd.session import Delivery

KMES = {"kme-a": ["alice"], "kme-b": ["bob"]}
AB = Pool("kme-a", "kme-b")
BLOCKS = "/qfabric/v1/blocks"


def laid_out(folder: Path) -> list[Path]:
    return trial(folder, KMES, free_ports(10), operators=True, empty=True)


def served(files: list[Path]) -> Server:
    server = Server(*(load(path) for path in files))
    server.start()
    return server


def stock(server: Server, which: int) -> int:
    return server.kmes[which].kme.store.run(lambda shelf: shelf.stock(AB))


def made(octets: bytes) -> Block:
    return Block(uuid4(), AB, KeyMaterial(octets), Provenance(Origin.TWIN, "keys of a test", 1e-9))


def copy(block: Block) -> Block:
    return Block(block.name, block.pool, KeyMaterial(block.material.octets), block.provenance)


def told(**changes: Any) -> dict[str, Any]:
    octets = base64.b64encode(os.urandom(64)).decode()
    fields = {
        "block": str(uuid4()), "cutter": "kme-a", "follower": "kme-b", "session": "s", "epsilon": 1e-9, "octets": octets,
    }  # fmt: skip
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


def test_an_empty_trial_has_what_it_is_fed(tmp_path: Path) -> None:
    files = laid_out(tmp_path / "x")
    feeds = [read_feed(tmp_path / "x" / f"feed-{kme}.yaml") for kme in KMES]
    server = served(files)
    try:
        alice = Client(tmp_path / "x", server.kmes[0].sae_door.port, "sae-alice")
        bob = Client(tmp_path / "x", server.kmes[1].sae_door.port, "sae-bob")
        assert alice.get("bob/enc_keys")[0] == 503
        bits = os.urandom(64)
        block = made(bits)
        for feed in feeds:
            assert feed is not None
            assert deliver(feed, [copy(block)]) == 64
            assert deliver(feed, [copy(block)]) == 0, "a repetition is not taken again"
        assert stock(server, 0) == stock(server, 1) == 64
        status, body = alice.get("bob/enc_keys")
        assert status == 200
        assert base64.b64decode(body["keys"][0]["key"]) == bits[:32]
        assert body["key_container_extension"] == {"qfabric_origin": "twin", "qfabric_secret": False}
        key_id = body["keys"][0]["key_ID"]
        assert bob.get(f"alice/dec_keys?key_ID={key_id}")[1]["keys"] == body["keys"]
        alice.close()
        bob.close()
    finally:
        server.stop()


def test_a_restart_in_between(tmp_path: Path) -> None:
    """A source waits for a KME that is away, and what it delivers twice counts once."""
    files = laid_out(tmp_path / "x")
    feed = read_feed(tmp_path / "x" / "feed-kme-a.yaml")
    assert feed is not None
    server = served(files)
    one, two = made(os.urandom(96)), made(os.urandom(32))
    assert deliver(feed, [copy(one)]) == 96
    server.stop()
    found: list[int] = []
    source = threading.Thread(target=lambda: found.append(deliver(feed, [one, two])))
    source.start()
    time.sleep(0.5)
    server = served(files)
    try:
        source.join(30)
        assert found == [32]
        assert stock(server, 0) == 128
        assert not len(one.material), "a block that was taken is wiped"
    finally:
        server.stop()


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("supply") / "x"
    server = served(laid_out(folder))
    supply = server.kmes[0].supply_door
    assert supply is not None
    yield folder, server, supply.port
    server.stop()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (told(), 200),
        (told(cutter="kme-b", follower="kme-a"), 200),
        (told(cutter="kme-c"), 401),
        (told(follower="kme-c"), 401),
        (told(follower="kme-a"), 401),
        (told(cutter="kme-b"), 401),
        (told(origin="qkd"), 400),
        (told(block="x"), 400),
        (told(epsilon=2), 400),
        (told(epsilon=True), 400),
        (told(epsilon="1"), 400),
        (told(session=""), 400),
        (told(session="a\nb"), 400),
        (told(octets=""), 400),
        (told(octets="%%%"), 400),
        (told(octets=None), 400),
        (told(octets=base64.b64encode(bytes((1 << 17) + 1)).decode()), 400),
        ([], 400),
        (b"{", 400),
        (b"\xff" * 300_000, 400),
    ],
)
def test_what_is_taken(door: Any, body: Any, status: int) -> None:
    folder, server, port = door
    source = Client(folder, port, "source-twin")
    before = stock(server, 0)
    found, answer, _ = source.send("POST", BLOCKS, body)
    assert found == status, answer
    if status != 200:
        assert stock(server, 0) == before
    source.close()


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", BLOCKS, 405), ("POST", "/api/v1/keys/bob/enc_keys", 404)]
)
def test_nothing_else_is_here(door: Any, method: str, path: str, status: int) -> None:
    folder, _, port = door
    source = Client(folder, port, "source-twin")
    assert source.send(method, path, None)[0] == status
    source.close()


def test_others_are_nobody(door: Any) -> None:
    """Certificates of SAEs, KMEs and operators do not open this door, and a source opens no other."""
    folder, server, port = door
    for name in ("sae-alice", "kme-kme-b", "operator-ops"):
        other = Client(folder, port, name)
        with pytest.raises(OSError, match=r"(?i)alert|reset|broken|closed|eof"):
            other.send("POST", BLOCKS, told())
        other.close()
    elsewhere = Client(folder, server.kmes[0].sae_door.port, "source-twin")
    with pytest.raises(OSError, match=r"(?i)alert|reset|broken|closed|eof"):
        elsewhere.get("bob/enc_keys")
    elsewhere.close()


def test_a_twin_is_no_hardware(tmp_path: Path) -> None:
    """In the mode ``production`` its bits are refused, whatever it says."""
    files = laid_out(tmp_path / "x")
    text = files[0].read_text().replace("mode: trial", "mode: production")
    files[0].write_text(text)
    feed = read_feed(tmp_path / "x" / "feed-kme-a.yaml")
    assert feed is not None
    server = served(files)
    try:
        with pytest.raises(StateError, match=r"401 .*bits that can be secret"):
            deliver(feed, [made(os.urandom(32))])
        assert stock(server, 0) == 0
    finally:
        server.stop()


def test_keys_of_a_session(tmp_path: Path) -> None:
    """What `--feed` does with feed documents: half of a key for each direction, the same bits at both KMEs."""
    server = served(laid_out(tmp_path / "x"))
    try:
        hand = feeder((tmp_path / "x" / "feed-kme-a.yaml", tmp_path / "x" / "feed-kme-b.yaml"), ("A", "B"))
        bits = os.urandom((1 << 18) + 64)
        keys = (KeyMaterial(bits), KeyMaterial(bits))
        hand(Delivery(uuid4(), "ab", 0, ("A", "B"), keys, Ledger(amplification=1e-9)))
        assert stock(server, 0) == stock(server, 1) == (1 << 17) + 32
        alice = Client(tmp_path / "x", server.kmes[0].sae_door.port, "sae-alice")
        bob = Client(tmp_path / "x", server.kmes[1].sae_door.port, "sae-bob")
        status, body = alice.get("bob/enc_keys?number=3")
        assert status == 200
        wanted = {"key_IDs": [{"key_ID": one["key_ID"]} for one in body["keys"]]}
        assert bob.post("alice/dec_keys", wanted)[1]["keys"] == body["keys"]
        alice.close()
        bob.close()
    finally:
        server.stop()


def test_feed_documents(tmp_path: Path) -> None:
    path = tmp_path / "feed.yaml"
    path.write_text("kind: feed\nkme: kme-a\n")
    with pytest.raises(DocumentError, match="url"):
        read_feed(path)
    path.write_text("kme: kme-a\n")
    assert read_feed(path) is None
