"""Keys between two KMEs from QKD and ML-KEM together, over real TLS on loopback: both or none."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiohttp")

from keyserver import Client, Server, free_ports, small
from quantum_fabric.keys import Act, TestSource
from quantum_fabric.keys.records import Pool
from quantum_fabric.server.running import trial
from quantum_fabric.server.settings import load

KMES = {"kme-a": ["alice"], "kme-b": ["bob"]}
REQUIRED = {"extension_mandatory": [{"qfabric_hybrid": "required"}]}


def served(
    folder: Path, hybrid: tuple[str | None, str | None], signed: bool = False, patience: float = 2.0
) -> Server:
    loaded = []
    for path, kem in zip(trial(folder, KMES, free_ports(4), signed=signed), hybrid, strict=True):
        one = small(load(path)).model_copy(update={"patience_seconds": patience})
        peers = {name: peer.model_copy(update={"hybrid": kem}) for name, peer in one.peers.items()}
        loaded.append(one.model_copy(update={"peers": peers}))
    server = Server(*loaded)
    server.start()
    return server


def ends(folder: Path, server: Server) -> tuple[Client, Client]:
    return (
        Client(folder, server.kmes[0].sae_door.port, "sae-alice"),
        Client(folder, server.kmes[1].sae_door.port, "sae-bob"),
    )


def acts(server: Server, which: int, *kinds: Act) -> list[dict[str, Any]]:
    book = server.kmes[which].kme.store.run(lambda shelf: shelf.book())
    return [json.loads(entry.facts) for entry in book if entry.act in kinds]


@pytest.mark.parametrize(("kem", "signed"), [("ML-KEM-768", False), ("ML-KEM-1024", True)])
def test_both_ends_get_one_key_of_both_sources(tmp_path: Path, kem: str, signed: bool) -> None:
    server = served(tmp_path / "x", (kem, kem), signed, patience=30.0)
    try:
        alice, bob = ends(tmp_path / "x", server)
        published = TestSource("a published seed: these keys are not secret")
        pool = published.block(Pool("kme-a", "kme-b"), 0, 1 << 16)
        bits = bytes(pool.material.octets)
        for number, size in ((1, 256), (5, 128), (2, 1024)):
            status, body = alice.post("bob/enc_keys", {"number": number, "size": size, **REQUIRED})
            assert status == 200, body
            for one in body["keys"]:
                key = base64.b64decode(one["key"])
                assert 8 * len(key) == size
                assert key not in bits, "nobody who knows the QKD bits has the key"
                assert bob.get(f"alice/dec_keys?key_ID={one['key_ID']}")[1]["keys"][0]["key"] == one["key"]
        status, body = bob.post("alice/enc_keys", REQUIRED)
        assert alice.get(f"bob/dec_keys?key_ID={body['keys'][0]['key_ID']}")[1]["keys"] == [
            {name: body["keys"][0][name] for name in ("key_ID", "key")}
        ]
        mine, theirs = acts(server, 0, Act.COMBINED), acts(server, 1, Act.COMBINED)
        assert len(mine) == len(theirs) == 9
        assert sorted(one["key"] for one in mine) == sorted(one["key"] for one in theirs)
        assert {one["sources"] for one in mine} == {"both"}
        assert all(kem in one["policy"] for one in mine)
        status, body = alice.post("bob/enc_keys", {"size": 64})
        assert status == 400
        alice.close()
        bob.close()
    finally:
        server.stop()


@pytest.mark.parametrize("rules", [("ML-KEM-768", None), (None, "ML-KEM-768"), ("ML-KEM-768", "ML-KEM-1024")])
def test_ends_with_different_rules_share_nothing(
    tmp_path: Path, rules: tuple[str | None, str | None]
) -> None:
    server = served(tmp_path / "x", rules)
    try:
        alice, bob = ends(tmp_path / "x", server)
        status, body = alice.get("bob/enc_keys")
        assert status == 503, body
        assert "keys" not in body
        assert not acts(server, 0, Act.COMBINED, Act.DEGRADED, Act.ISSUED)
        alice.close()
        bob.close()
    finally:
        server.stop()


@pytest.mark.parametrize("which", [0, 1])
def test_no_ml_kem_at_one_end_is_no_key(tmp_path: Path, which: int) -> None:
    server = served(tmp_path / "x", ("ML-KEM-768", "ML-KEM-768"))
    try:
        down(server, which)
        alice, bob = ends(tmp_path / "x", server)
        status, _ = alice.get("bob/enc_keys")
        assert status == 503
        assert not acts(server, 0, Act.COMBINED, Act.DEGRADED, Act.ISSUED)
        assert not acts(server, 1, Act.COMBINED, Act.DEGRADED, Act.COLLECTED)
        alice.close()
        bob.close()
    finally:
        server.stop()


def down(server: Server, which: int) -> None:
    """Take ML-KEM away from one end."""
    running = server.kmes[which]
    if which == 0:
        for courier in running.couriers:
            courier.offers.kem = False
    else:
        assert running.answers is not None
        running.answers.kem = False


def test_no_bits_from_qkd_is_no_key(tmp_path: Path) -> None:
    server = served(tmp_path / "x", ("ML-KEM-768", "ML-KEM-768"), patience=30.0)
    try:
        alice, bob = ends(tmp_path / "x", server)
        most = 1 << 13
        while (answer := alice.post("bob/enc_keys", {"number": 16, "size": most}))[0] == 200:
            pass
        assert answer[0] == 503
        assert "not enough" in answer[1]["message"]
        alice.close()
        bob.close()
    finally:
        server.stop()


def test_a_key_that_must_be_combined_where_no_rule_says_so(tmp_path: Path) -> None:
    server = served(tmp_path / "x", (None, None))
    try:
        alice, bob = ends(tmp_path / "x", server)
        status, body = alice.post("bob/enc_keys", REQUIRED)
        assert (status, body["message"]) == (400, "not all extension_mandatory request options could be met")
        assert alice.get("bob/enc_keys")[0] == 200
        alice.close()
        bob.close()
    finally:
        server.stop()
