"""Two key servers that are killed while two applications read the same key streams, and what the applications hold after it.

Run as a program: ``python stream_crashes.py FOLDER ROUNDS SEED``. Each KME is a process of its own. In every round both ends read a
stream by index, several connections each, while one of the KMEs is killed with SIGKILL at a random moment and started again. At the
end the ends are compared chunk by chunk and the stores are audited. Exits with 1, and says why, at the first contradiction.
"""

from __future__ import annotations

import http.client
import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from keyserver import Client, free_ports
from quantum_fabric.keys import verify
from quantum_fabric.server.running import trial
from quantum_fabric.server.sqlite import SqliteShelf

OCTETS = 1 << 19
"""Of each pool."""


class Site:
    """One KME as a process."""

    def __init__(self, folder: Path, kme: str) -> None:
        self.folder, self.kme = folder, kme
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
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        assert "serves" in self.process.stdout.readline()

    def end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(how)
            process.communicate(timeout=30)

    def audit(self) -> int:
        """Octets that are in the stock of both or in keys; the book is checked on the way."""
        connection = sqlite3.connect(f"file:{self.folder / self.kme}.sqlite?mode=ro", uri=True)
        try:
            verify(SqliteShelf(connection).book())
            (stock,) = connection.execute(
                "SELECT sum(octets) FROM pools WHERE cutter = 'kme-a' AND follower = 'kme-b'"
            ).fetchone()
            (keys,) = connection.execute(
                "SELECT coalesce(sum(bits) / 8, 0) FROM keys WHERE master = 'alice'"
            ).fetchone()
            return int(stock) + int(keys)
        finally:
            connection.close()


class End:
    """One application: it reads what it is told to, again and again until it has it or it is gone, and keeps the books."""

    def __init__(self, folder: Path, sae: str, port: int) -> None:
        self.folder, self.sae, self.port = folder, sae, port
        self.had: dict[tuple[str, int], str] = {}
        self.gone: set[tuple[str, int]] = set()
        self.asked: set[tuple[str, int]] = set()
        self.other: set[int] = set()

    def read(self, stream: str, indexes: list[int], stop: threading.Event) -> None:
        left = list(indexes)
        while left and not stop.is_set():
            try:
                client = Client(self.folder, self.port, f"sae-{self.sae}")
                while left and not stop.is_set():
                    self._one(client, stream, left)
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
            finally:
                client.close()

    def _one(self, client: Client, stream: str, left: list[int]) -> None:
        place = (stream, left[0])
        again = place in self.asked
        self.asked.add(place)
        body = {"key_stream_id": stream, "index": left[0]}
        status, answer, _ = client.send("POST", "/api/v1/etsi004/get-key", body)
        assert status in (200, 503), (status, answer)
        code = answer.get("status", -1)
        if code == 0:
            assert place not in self.had, f"{self.sae} has {place} twice"
            self.had[place] = answer["key_buffer"]
            left.pop(0)
        elif code == 2 and again:
            self.gone.add(place)  # an answer before this one was lost with its server: spent
            left.pop(0)
        elif code in (2, 3, 4, 6):
            time.sleep(0.01)
            left.append(left.pop(0))


def ask(folder: Path, port: int, sae: str, method: str, body: dict[str, Any]) -> dict[str, Any]:
    while True:
        client = Client(folder, port, f"sae-{sae}")
        try:
            status, answer, _ = client.send("POST", f"/api/v1/etsi004/{method}", body)
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
            continue
        finally:
            client.close()
        assert status == 200, answer
        return dict(answer)


def crash(sites: list[Site], ends: list[End], stream: str, draw: random.Random, number: int) -> None:
    """One round: everybody reads, somebody dies and comes back."""
    stop = threading.Event()
    threads = []
    for end in ends:
        indexes = draw.sample(range(40 * number, 40 * number + 40), 40)
        threads += [
            threading.Thread(target=end.read, args=(stream, indexes[part::2], stop)) for part in range(2)
        ]
    for thread in threads:
        thread.start()
    time.sleep(draw.uniform(0.0, 0.25))
    victim = draw.choice(sites)
    victim.end(signal.SIGKILL)
    time.sleep(draw.uniform(0.0, 0.1))
    victim.start()
    deadline = time.monotonic() + 60
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    stop.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def main(folder: Path, rounds: int, seed: int) -> None:
    """Kill, compare and audit."""
    port = free_ports(4)
    for path in trial(folder, {"kme-a": ["alice"], "kme-b": ["bob"]}, port):
        text = path.read_text().replace(
            "test_supply:", f"patience_seconds: 1.0\ntest_supply:\n  octets: {OCTETS}"
        )
        path.write_text(text)
    sites, draw = [Site(folder, "kme-a"), Site(folder, "kme-b")], random.Random(seed)
    alice, bob = End(folder, "alice", port), End(folder, "bob", port + 2)
    try:
        for site in sites:
            site.start()
        opened = ask(
            folder,
            port,
            "alice",
            "open-connect",
            {"source": "alice", "destination": "bob", "qos": {"timeout": 300}},
        )
        stream = opened["key_stream_id"]
        joined = {"source": "alice", "destination": "bob", "qos": {"timeout": 300}, "key_stream_id": stream}
        assert ask(folder, port + 2, "bob", "open-connect", joined)["status"] == 0
        for number in range(rounds):
            crash(sites, [alice, bob], stream, draw, number)
        for site in sites:
            site.end(signal.SIGTERM)
        assert [site.audit() for site in sites] == [OCTETS, OCTETS], "every octet is accounted for, at both"
    finally:
        for site in sites:
            site.end(signal.SIGKILL)
    both = set(alice.had) & set(bob.had)
    differ = [place for place in both if alice.had[place] != bob.had[place]]
    assert not differ, f"the ends differ at {differ[:3]}"
    assert len(set(alice.had.values())) == len(alice.had), "no octet twice"
    every = {(stream, index) for index in range(40 * rounds)}
    for end in (alice, bob):
        assert set(end.had) | end.gone == every, (
            f"{end.sae} never learnt what became of {sorted(every - set(end.had) - end.gone)[:3]}"
        )
    print(
        json.dumps(
            {"rounds": rounds, "both have": len(both), "spent with a server": len(alice.gone) + len(bob.gone)}
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
