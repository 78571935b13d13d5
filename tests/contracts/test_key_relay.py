"""Keys over a trusted node, between real key servers over mutual TLS: stock at both ends, equal, accounted, once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from keyserver import STOCK, Client, Server, free_ports, small
from quantum_fabric.errors import DocumentError, InputError
from quantum_fabric.keys import KeyMaterial, Pool, verify
from quantum_fabric.keys.relay.bundle import SPENT_BACKWARD, spent_forward
from quantum_fabric.server.running import trial
from quantum_fabric.server.settings import KmeSettings, RelayQuota, RelaySettings, RelaySupply, load

AB, AR, RB = Pool("kme-a", "kme-b"), Pool("kme-a", "kme-r"), Pool("kme-r", "kme-b")
BLOCK = 2048
NAMES = ("kme-a", "kme-r", "kme-b")


def settings_of(folder: Path, name: str, **changes: Any) -> KmeSettings:
    supplies = [RelaySupply(target="kme-b", paths=[list(NAMES)], octets=BLOCK, below=STOCK + 1)]
    relay = RelaySettings(relays=name == "kme-r", epsilon=0.25, supplies=supplies if name == "kme-a" else [])
    return small(load(folder / f"{name}.yaml")).model_copy(update={"relay": relay, **changes})


@contextmanager
def serving(folder: Path, *names: str, **changes: Any) -> Iterator[Server]:
    server = Server(*(settings_of(folder, name, **changes) for name in names))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    trial(tmp_path / "x", {"kme-a": ["alice"], "kme-r": ["rita"], "kme-b": ["bob"]}, free_ports(6))
    return tmp_path / "x"


def until(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)


def stock(server: Server, which: int, pool: Pool) -> int:
    return server.kmes[which].kme.store.run(lambda shelf: shelf.stock(pool))


def last_block(server: Server, which: int, pool: Pool) -> tuple[bytes, set[tuple[str, str, float]]]:
    """The newest bits of a pool, and where they came from."""
    kme = server.kmes[which].kme

    def work(shelf: Any) -> tuple[bytes, set[tuple[str, str, float]]]:
        cells = shelf.cells(pool, STOCK + BLOCK)[-BLOCK // 32 :]
        opened = [kme.desk.ring.open(cell.identifier, sealed) for cell, sealed in cells]
        bits = b"".join(bytes(piece.octets) for piece in opened)
        assert any(bits)
        return bits, {
            (c.provenance.origin.value, c.provenance.source, c.provenance.epsilon) for c, _ in cells
        }

    return kme.store.run(work)


def relayed(server: Server, a: int, b: int) -> Callable[[], bool]:
    return lambda: stock(server, a, AB) == stock(server, b, AB) == STOCK + BLOCK


def agree(server: Server, ends: tuple[int, int], pool: Pool, octets: int) -> bool:
    return {stock(server, end, pool) for end in ends} == {octets}


def test_a_stock_is_filled_over_a_trusted_node(folder: Path) -> None:
    with serving(folder, *NAMES) as server:
        until(relayed(server, 0, 2))
        ours, theirs = last_block(server, 0, AB), last_block(server, 2, AB)
        assert ours == theirs
        assert ours[1] == {("test", "relayed over 2 links", 0.25)}
        for pool, ends in ((AR, (0, 1)), (RB, (1, 2))):
            back = Pool(pool.follower, pool.cutter)
            until(partial(agree, server, ends, back, STOCK - SPENT_BACKWARD // 8))
            assert {stock(server, end, pool) for end in ends} == {STOCK - spent_forward(BLOCK) // 8}
        time.sleep(1.2)
        assert stock(server, 0, AB) == STOCK + BLOCK, "the mark is reached: no more is sent"
        for one in server.kmes:
            entries = one.kme.store.run(lambda shelf: shelf.book())
            verify(entries)
            book = [
                row
                for entry in entries
                if entry.act == "relayed"
                for row in json.loads(entry.facts)["custody"]
            ]
            assert {row[2] for row in book} == (
                {"whole key", "share under a pad"} if one.settings.kme == "kme-a"
                else {"share", "share under a pad"} if one.settings.kme == "kme-r"
                else {"share", "whole key"}
            )  # fmt: skip
            assert all(row[4] >= row[3] for row in book)
            assert not any(ours[0][:16].hex() in entry.facts for entry in entries)


def test_the_relay_is_down_and_comes_back(folder: Path) -> None:
    with serving(folder, "kme-a", "kme-b") as ends:
        time.sleep(1.5)
        assert stock(ends, 0, AB) == STOCK
        with serving(folder, "kme-r"):
            until(relayed(ends, 0, 1))
            assert last_block(ends, 0, AB) == last_block(ends, 1, AB)


def test_the_source_is_restarted_while_its_key_is_under_way(folder: Path) -> None:
    with serving(folder, "kme-a") as server:
        until(lambda: stock(server, 0, AR) < STOCK)  # the share left; nobody is there to take it
        spent = STOCK - stock(server, 0, AR)
    with serving(folder, *NAMES) as server:
        until(relayed(server, 0, 2))
        assert last_block(server, 0, AB) == last_block(server, 2, AB)
        until(lambda: stock(server, 0, AR) == stock(server, 1, AR))
        assert STOCK - stock(server, 0, AR) == spent_forward(BLOCK) // 8, "nothing was spent a second time"
        assert 0 < spent < spent_forward(BLOCK) // 8


def test_a_kme_that_relays_for_nobody_refuses(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    nobody = RelaySettings(relays=False)
    server = Server(
        settings_of(folder, "kme-a"), settings_of(folder, "kme-r", relay=nobody), settings_of(folder, "kme-b")
    )
    server.start()
    try:
        until(lambda: "a node does not relay" in caplog.text)
        assert stock(server, 0, AB) == STOCK
    finally:
        server.stop()


def failures(caplog: pytest.LogCaptureFixture, why: str) -> list[str]:
    return [one.getMessage() for one in caplog.records if why in one.getMessage()]


def test_a_relay_hands_on_what_its_quota_allows_and_no_more(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two blocks at once, the third is refused: until the bucket fills again, restarts included."""
    two = RelayQuota(source="kme-a", target="kme-b", burst=2 * BLOCK, rate=1e-3)
    relay = settings_of(folder, "kme-r", relay=RelaySettings(relays=True, quotas=[two]))
    more = RelaySupply(target="kme-b", paths=[list(NAMES)], octets=BLOCK, below=STOCK + 10 * BLOCK)
    source = settings_of(folder, "kme-a", relay=RelaySettings(supplies=[more]))
    said = "beyond the quota of these ends, says kme-r"
    server = Server(source, relay, settings_of(folder, "kme-b"))
    server.start()
    try:
        until(lambda: bool(failures(caplog, said)))
        assert stock(server, 0, AB) == STOCK + 2 * BLOCK
    finally:
        server.stop()
    caplog.clear()
    with serving(folder, "kme-r", "kme-b", relay=RelaySettings(relays=True, quotas=[two])):
        again = Server(source)
        again.start()
        try:
            until(lambda: bool(failures(caplog, said)))
            assert stock(again, 0, AB) == STOCK + 2 * BLOCK, "the bucket is in the store"
        finally:
            again.stop()


def test_ends_without_a_quota_are_not_served_where_others_have_one(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    others = RelayQuota(source="kme-b", target="kme-a")
    server = Server(
        settings_of(folder, "kme-a"),
        settings_of(folder, "kme-r", relay=RelaySettings(relays=True, quotas=[others])),
        settings_of(folder, "kme-b"),
    )
    server.start()
    try:
        until(lambda: bool(failures(caplog, "beyond the quota")))
        assert stock(server, 0, AB) == STOCK
    finally:
        server.stop()


def test_a_source_that_fails_rests_longer_each_time(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each attempt costs link key of the first hop."""
    nobody = RelaySettings(relays=False)
    server = Server(
        settings_of(folder, "kme-a"), settings_of(folder, "kme-r", relay=nobody), settings_of(folder, "kme-b")
    )
    server.start()
    try:
        until(lambda: len(failures(caplog, "a node does not relay")) == 3)
        times = [one.created for one in caplog.records if "a node does not relay" in one.getMessage()]
        assert times[1] - times[0] >= 1.0
        assert times[2] - times[1] >= 2.0
    finally:
        server.stop()


def test_who_may_not_call_and_what_is_no_message(folder: Path) -> None:
    with serving(folder, "kme-b") as server:
        door = server.kmes[0].kme_door
        assert door is not None
        path = "/qfabric/v1/relay"
        itself = Client(folder, door.port, "kme-kme-b")
        assert itself.send("POST", path, {"messages": []})[0] == 401
        itself.close()
        peer = Client(folder, door.port, "kme-kme-r")
        assert peer.send("GET", path)[0] == 405
        assert peer.send("POST", path, {"messages": []})[:2] == (200, {"messages": []})
        ack = ["ack", "kme-r", "kme-b", 1, [], "00" * 16]
        assert peer.send("POST", path, {"messages": [ack]})[:2] == (200, {"messages": []}), (
            "of nothing: nothing"
        )
        foreign = ["ack", "kme-a", "kme-b", 1, [], "00" * 16]
        for bad in (
            {}, {"messages": 1}, {"messages": [1]}, {"messages": [foreign]}, {"messages": [ack] * 65}, b"{", b"7",
            {"messages": [["envelope", "kme-r", "kme-b", 1, 1, [], [], "00" * 16]]},
        ):  # fmt: skip
            assert peer.send("POST", path, bad)[0] == 400, bad
        peer.close()


def test_without_the_setting_there_is_no_such_path(folder: Path) -> None:
    with serving(folder, "kme-b", relay=None) as server:
        door = server.kmes[0].kme_door
        assert door is not None
        peer = Client(folder, door.port, "kme-kme-r")
        assert peer.send("POST", "/qfabric/v1/relay", {"messages": []})[0] == 404
        peer.close()


@pytest.mark.parametrize(
    "path", [["kme-a", "kme-b"], ["kme-r", "kme-a", "kme-b"], ["kme-a", "kme-r"], ["kme-a", "kme-x", "kme-b"]]
)
def test_settings_with_paths_that_cannot_be(folder: Path, path: list[str]) -> None:
    supply = RelaySupply(target="kme-b", paths=[path])
    settings = settings_of(folder, "kme-a", relay=RelaySettings(supplies=[supply]))
    with pytest.raises(InputError, match="relay"):
        settings.policy()


def test_settings_are_read_from_yaml(folder: Path) -> None:
    file = folder / "kme-a.yaml"
    file.write_text(
        file.read_text()
        + "relay: {supplies: [{target: kme-b, paths: [[kme-a, kme-r, kme-b]], octets: 4096}]}\n"
    )
    relay = load(file).relay
    assert relay is not None
    assert relay.supplies[0].below == 65_536
    file.write_text(file.read_text().replace("octets: 4096", "octets: 99999999"))
    with pytest.raises(DocumentError, match=r"relay\.supplies"):
        load(file)


def test_the_state_is_sealed(folder: Path) -> None:
    with serving(folder, "kme-a") as server:
        until(lambda: stock(server, 0, AR) < STOCK)
        kme = server.kmes[0].kme
        sealed = kme.store.run(lambda shelf: shelf.kept("relay"))
        assert sealed is not None
        assert b"kme-r" not in sealed.octets
        assert KeyMaterial(sealed.octets).bits > 8 * BLOCK
    assert b'"sending"' not in (folder / "kme-a.sqlite").read_bytes()
