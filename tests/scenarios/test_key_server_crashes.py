"""Two key servers in processes of their own; either is killed with SIGKILL under load, and what their SAEs hold must agree."""

from __future__ import annotations

import http.client
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")

from keyserver import Client, free_ports
from quantum_fabric.keys import verify
from quantum_fabric.server.running import trial
from quantum_fabric.server.sqlite import SqliteShelf


class Site:
    """One KME as a process."""

    def __init__(self, folder: Path, kme: str, port: int) -> None:
        self.folder, self.kme, self.port = folder, kme, port
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "quantum_fabric",
            "kme",
            "serve",
            str(self.folder / f"{self.kme}.yaml"),
        ]
        log = self.folder / f"{self.kme}.log"
        with log.open("a") as file:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True)
        assert self.process.stdout is not None
        assert "serves" in self.process.stdout.readline(), log.read_text()[-2000:]

    def end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(how)
            process.communicate(timeout=30)

    def facts(self) -> tuple[list[tuple[str, str, int]], int, set[str]]:
        """Stock, errands, and the keys that are not destroyed; the audit book is checked on the way."""
        connection = sqlite3.connect(f"file:{self.folder / self.kme}.sqlite?mode=ro", uri=True)
        try:
            verify(SqliteShelf(connection).book())
            stock = connection.execute(
                "SELECT cutter, follower, octets FROM pools WHERE cutter <> follower ORDER BY 1, 2"
            ).fetchall()
            (errands,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
            living = connection.execute("SELECT hex(key_id) FROM keys WHERE state <> 'destroyed'").fetchall()
            return stock, errands, {one for (one,) in living}
        finally:
            connection.close()


def load(folder: Path, port: int, stop: threading.Event, got: dict[str, str]) -> None:
    """Alice asks for keys until she is told to stop; a server that dies is tried again."""
    while not stop.is_set():
        try:
            client = Client(folder, port, "sae-alice")
            while not stop.is_set():
                status, body = client.get("bob/enc_keys?number=2")
                assert status in (200, 503), body
                for one in body.get("keys", []):
                    assert one["key_ID"] not in got, "delivered twice"
                    got[one["key_ID"]] = one["key"]
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
        finally:
            client.close()


def crash(folder: Path, rounds: int, seed: int) -> int:
    port = free_ports(4)
    for path in trial(folder, {"kme-a": ["alice"], "kme-b": ["bob"]}, port):
        path.write_text(
            path.read_text().replace("test_supply:", "patience_seconds: 1.0\ntest_supply:\n  octets: 262144")
        )
    draw = random.Random(seed)
    sites = [Site(folder, "kme-a", port), Site(folder, "kme-b", port + 2)]
    try:
        return killed(folder, sites, rounds, draw)
    finally:
        for site in sites:
            site.end(signal.SIGKILL)


def killed(folder: Path, sites: list[Site], rounds: int, draw: random.Random) -> int:
    for site in sites:
        site.start()
    port = sites[0].port
    got: dict[str, str] = {}
    for _ in range(rounds):
        stop = threading.Event()
        threads = [
            threading.Thread(target=load, args=(folder, port, stop, got), daemon=True) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        time.sleep(draw.uniform(0.1, 0.6))
        victim = draw.choice(sites)
        victim.end(signal.SIGKILL)
        time.sleep(draw.uniform(0.0, 0.3))
        victim.start()
        time.sleep(draw.uniform(0.1, 0.4))
        stop.set()
        for thread in threads:
            thread.join(30)
    deadline = time.monotonic() + 30
    while any(site.facts()[1] for site in sites):
        assert time.monotonic() < deadline, "errands are left"
        time.sleep(0.1)
    assert sites[0].facts()[0] == sites[1].facts()[0], "both have spent the same places"
    bob = Client(folder, port + 2, "sae-bob")
    for key_id, key in got.items():
        status, body = bob.get(f"alice/dec_keys?key_ID={key_id}")
        assert (status, body["keys"][0]["key"]) == (200, key), "what alice has, bob gets"
        assert bob.get(f"alice/dec_keys?key_ID={key_id}")[0] == 400, "once"
    bob.close()
    assert len(set(got.values())) == len(got), "no bit was used twice"
    for site in sites:
        site.end(signal.SIGTERM)
    return len(got)


def test_a_server_is_killed_and_comes_back(tmp_path: Path) -> None:
    assert crash(tmp_path / "x", 3, 1) > 0


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_server_is_killed_many_times(tmp_path: Path) -> None:
    assert crash(tmp_path / "x", 40, 2) > 100
