"""Two KMEs that sign what they say to each other, over real TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("aiohttp")

from keyserver import Client, Server, free_ports, small
from quantum_fabric.server.running import trial
from quantum_fabric.server.settings import KmeSettings, load

KMES = {"kme-a": ["alice"], "kme-b": ["bob"]}


def near(settings: KmeSettings) -> KmeSettings:
    peers = {name: peer.model_copy(update={"neighbour": True}) for name, peer in settings.peers.items()}
    return settings.model_copy(update={"peers": peers})


def served(folder: Path, neighbours: bool = False) -> Server:
    loaded = [small(load(path)) for path in trial(folder, KMES, free_ports(4), signed=True)]
    server = Server(*(near(one) if neighbours else one for one in loaded))
    server.start()
    return server


@pytest.mark.parametrize("neighbours", [False, True])
def test_keys_of_kmes_that_sign(tmp_path: Path, neighbours: bool) -> None:
    """By parcels, and by ETSI GS QKD 020 inside signed bodies."""
    server = served(tmp_path / "x", neighbours)
    try:
        alice = Client(tmp_path / "x", server.kmes[0].sae_door.port, "sae-alice")
        bob = Client(tmp_path / "x", server.kmes[1].sae_door.port, "sae-bob")
        for _ in range(5):
            status, body = alice.get("bob/enc_keys?number=3")
            assert status == 200, body
            for one in body["keys"]:
                assert bob.get(f"alice/dec_keys?key_ID={one['key_ID']}")[1]["keys"][0]["key"] == one["key"]
        alice.close()
        bob.close()
    finally:
        server.stop()


@pytest.mark.parametrize("silent", [0, 1])
def test_one_end_that_does_not_sign_gets_nowhere(tmp_path: Path, silent: int) -> None:
    """As if somebody with a forged TLS certificate stood in for it."""
    name = ("kme-b", "kme-a")[silent]
    files = trial(tmp_path / "x", KMES, free_ports(4), signed=True)
    settings = [small(load(path)).model_copy(update={"patience_seconds": 1.0}) for path in files]
    peers = {name: settings[silent].peers[name].model_copy(update={"signatures": []})}
    settings[silent] = settings[silent].model_copy(update={"peers": peers})
    server = Server(*settings)
    server.start()
    try:
        alice = Client(tmp_path / "x", server.kmes[0].sae_door.port, "sae-alice")
        status, body = alice.get("bob/enc_keys")
        assert status == 503, body
        assert "keys" not in body
        alice.close()
    finally:
        server.stop()


def test_an_intruder_with_a_good_tls_certificate_and_no_signature(tmp_path: Path) -> None:
    server = served(tmp_path / "x")
    try:
        assert server.kmes[1].kme_door is not None
        intruder = Client(tmp_path / "x", server.kmes[1].kme_door.port, "kme-kme-a")
        status, body, _ = intruder.send("POST", "/qfabric/v1/parcels", {"parcels": [], "recalls": []})
        assert status == 401
        assert "must sign" in body["detail"]
        intruder.close()
    finally:
        server.stop()


@pytest.mark.parametrize("path", ["ext_keys", "ext_keys/ack", "ext_keys/void"])
def test_020_calls_of_a_neighbour_must_be_signed(tmp_path: Path, path: str) -> None:
    server = served(tmp_path / "x", neighbours=True)
    try:
        assert server.kmes[1].kme_door is not None
        intruder = Client(tmp_path / "x", server.kmes[1].kme_door.port, "kme-kme-a")
        status, body, _ = intruder.send("POST", f"/kmapi/v1/{path}", {"keys": []})
        assert status == 401
        assert "must sign" in body["detail"]
        assert intruder.send("GET", "/kmapi/versions")[0] == 200
        intruder.close()
    finally:
        server.stop()
