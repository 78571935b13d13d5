"""What goes wrong around a key server: a full disk, a clock that jumps, a replay, a kill between the commit and the answer.

Every time: an answer of the standard or none, no key lost that somebody holds, none delivered twice. What a caller may say wrongly is
in ``test_etsi014.py`` and ``test_etsi004.py``.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiohttp")

from keyserver import Client, serving
from quantum_fabric.keys import verify
from quantum_fabric.server import clock as clocks
from quantum_fabric.server.running import trial
from quantum_fabric.server.sqlite import SqliteShelf

NOT_FOUND = "one or more keys specified are not found on KME"


def laid_out(folder: Path, octets: int = 1 << 18) -> Path:
    (path,) = trial(folder, {"kme-a": ["alice", "bob"]}, 0)
    path.write_text(path.read_text().replace("test_supply:", f"test_supply:\n  octets: {octets}"))
    return path


@contextmanager
def process(path: Path, before: str = "") -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server in a process of its own; `before` runs in it first."""
    program = f"import sys\n{before}\nfrom quantum_fabric.cli import main\nsys.exit(main(['kme', 'serve', {str(path)!r}]))"
    server = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert "serves" in line, line
        yield server, int(line.rpartition(":")[2])
    finally:
        server.send_signal(signal.SIGKILL)
        server.communicate(timeout=30)


def facts(store: Path) -> tuple[int, dict[str, int], list[Any]]:
    """Octets of the stock, keys by state, the book; the book is checked."""
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    try:
        (stock,) = connection.execute("SELECT sum(octets) FROM pools").fetchone()
        states = dict(connection.execute("SELECT state, sum(bits) / 8 FROM keys GROUP BY state").fetchall())
        shelf = SqliteShelf(connection)
        book = shelf.book()
        verify(book)
        return stock, states, book
    finally:
        connection.close()


# ------------------------------------------------------------------------------------------------------ a full disk


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of 3 MB that is really full when it is full."""
    place.mkdir()
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m,mode=0700", "none", str(place)],
            capture_output=True,
            check=False,
        ).returncode
    ):
        pytest.skip("mounting a tmpfs needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def drained(folder: Path, port: int) -> dict[str, str]:
    """Ask until the disk is full: every answer is keys, or 503 in the standard's format, and nothing else."""
    alice, got, refused = Client(folder, port, "sae-alice"), {}, 0
    for _ in range(4000):
        status, body = alice.get("bob/enc_keys?number=16")
        assert status in (200, 503), (status, body)
        if status == 503:
            assert set(body) <= {"message", "details"}
            refused += 1
            if refused > 5:
                break
        for one in body.get("keys", []):
            assert one["key_ID"] not in got
            got[one["key_ID"]] = one["key"]
    assert refused > 5, "the disk never was full"
    assert alice.get("bob/status")[0] in (200, 503), "it still answers"
    alice.close()
    return got


def collected(folder: Path, port: int, got: dict[str, str]) -> None:
    """Everything that alice was given, bob gets, and once."""
    bob = Client(folder, port, "sae-bob")
    ids = list(got)
    for start in range(0, len(ids), 128):
        wanted = {"key_IDs": [{"key_ID": one} for one in ids[start : start + 128]]}
        status, body = bob.post("alice/dec_keys", wanted)
        assert status == 200, body
        assert all(got[one["key_ID"]] == one["key"] for one in body["keys"])
        assert bob.post("alice/dec_keys", wanted)[0] == 400
    bob.close()
    assert len(set(got.values())) == len(got), "no octet twice"


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        path = laid_out(tmp_path / "x")
        path.write_text(path.read_text().replace("store: kme-a.sqlite", f"store: {disk}/keys.sqlite"))
        filler = disk / "others"
        with process(path) as (_, port):
            room = os.statvfs(disk)
            filler.write_bytes(bytes(max(0, room.f_bavail * room.f_frsize - 400_000)))
            got = drained(tmp_path / "x", port)
            filler.unlink()
            alice = Client(tmp_path / "x", port, "sae-alice")
            deadline = time.monotonic() + 20
            while (answer := alice.get("bob/enc_keys"))[0] != 200:
                assert time.monotonic() < deadline, "there is room again"
            alice.close()
            got[answer[1]["keys"][0]["key_ID"]] = answer[1]["keys"][0]["key"]
            collected(tmp_path / "x", port, got)
        stock, states, _ = facts(disk / "keys.sqlite")
        assert stock + sum(states.values()) == 1 << 18, "every octet is accounted for"


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """The same where nobody is root: a limit on the size of files, raised again later."""
    path = laid_out(tmp_path / "x")
    with process(path) as (server, port):
        whole = max(one.stat().st_size for one in (tmp_path / "x").glob("kme-a.sqlite*"))
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (whole + 100_000, resource.RLIM_INFINITY))
        got = drained(tmp_path / "x", port)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        collected(tmp_path / "x", port, got)
    stock, states, _ = facts(tmp_path / "x" / "kme-a.sqlite")
    assert stock + sum(states.values()) == 1 << 18


# ------------------------------------------------------------------------------------- between commit and answer

KILL = """
import os, signal
from quantum_fabric.keys import Grant
from quantum_fabric.server import store
tell = store._tell
def killed(jobs):
    if any(isinstance(job.answer, Grant) for job in jobs) and os.path.exists({flag!r}):
        os.kill(os.getpid(), signal.SIGKILL)
    tell(jobs)
store._tell = killed
"""


@pytest.mark.parametrize("method", ["enc_keys", "dec_keys"])
def test_killed_between_the_commit_and_the_answer(tmp_path: Path, method: str) -> None:
    """The process dies at the one moment when the key is spent on disk and on its way to nobody."""
    path, flag = laid_out(tmp_path / "x"), tmp_path / "now"
    with process(path, KILL.format(flag=str(flag))) as (server, port):
        alice, bob = Client(tmp_path / "x", port, "sae-alice"), Client(tmp_path / "x", port, "sae-bob")
        given = alice.get("bob/enc_keys")[1]["keys"][0]
        flag.touch()
        with pytest.raises((OSError, http.client.HTTPException)):  # noqa: PT012
            if method == "enc_keys":
                alice.get("bob/enc_keys")
            else:
                bob.get(f"alice/dec_keys?key_ID={given['key_ID']}")
        assert server.wait(10) == -signal.SIGKILL
        alice.close()
        bob.close()
    store = tmp_path / "x" / "kme-a.sqlite"
    stock, states, book = facts(store)
    assert stock + sum(states.values()) == 1 << 18
    last = book[-1]
    assert last.act.value == ("issued" if method == "enc_keys" else "collected"), "the book knows of it"
    (burnt,) = json.loads(last.facts)["keys"]
    with process(path) as (_, port):
        alice, bob = Client(tmp_path / "x", port, "sae-alice"), Client(tmp_path / "x", port, "sae-bob")
        status, body = bob.get(f"alice/dec_keys?key_ID={given['key_ID']}")
        if method == "dec_keys":
            assert burnt == given["key_ID"]
            assert (status, body["message"]) == (400, NOT_FOUND), "burnt: it is never handed out later"
            assert body["details"][0]["reason"] == "consumed"
        else:
            assert body["keys"][0]["key"] == given["key"]
            lost = bob.get(f"alice/dec_keys?key_ID={burnt}")
            assert lost[0] == 200, "alice never heard of it; bob alone cannot use it"
            assert lost[1]["keys"][0]["key"] not in {
                one["key"] for one in alice.get("bob/enc_keys?number=16")[1]["keys"]
            }
        alice.close()
        bob.close()


# --------------------------------------------------------------------------------------------------------- replays


def test_the_same_octets_again(tmp_path: Path) -> None:
    with serving(tmp_path / "x", {"kme-a": ["alice", "bob"]}) as server:
        port = server.kmes[0].sae_door.port
        alice, bob = Client(tmp_path / "x", port, "sae-alice"), Client(tmp_path / "x", port, "sae-bob")
        first, second = (alice.post("bob/enc_keys", {"number": 1}) for _ in range(2))
        assert first[1]["keys"][0]["key"] != second[1]["keys"][0]["key"], "a replayed request gets other bits"
        wanted = {"key_IDs": [{"key_ID": first[1]["keys"][0]["key_ID"]}]}
        assert bob.post("alice/dec_keys", wanted)[0] == 200
        for _ in range(3):
            status, body = bob.post("alice/dec_keys", wanted)
            assert (status, body["message"]) == (400, NOT_FOUND)
        book = server.kmes[0].kme.store.run(lambda shelf: shelf.book())
        assert [entry.act.value for entry in book][-3:] == ["refused"] * 3, "and the book says so"
        alice.close()
        bob.close()


# ----------------------------------------------------------------------------------------------- a clock that jumps


@pytest.mark.parametrize("jump", [-(10**10), -6_000, -1_000, 1_000, 3_599_000, 3_601_000, 10**12])
def test_a_clock_that_jumps(tmp_path: Path, jump: int) -> None:
    """The KME's own clock, by `jump` ms: a key is handed out while its time lasts, and otherwise refused; never a fault."""
    with serving(tmp_path / "x", {"kme-a": ["alice", "bob"]}) as server:
        kme = server.kmes[0].kme
        port, real = server.kmes[0].sae_door.port, kme.clock()
        kme.clock = lambda: real
        alice, bob = Client(tmp_path / "x", port, "sae-alice"), Client(tmp_path / "x", port, "sae-bob")
        given = alice.get("bob/enc_keys")[1]["keys"][0]
        opened = {"source": "alice", "destination": "bob"}
        stream = alice.send("POST", "/api/v1/etsi004/open-connect", opened)[1]["key_stream_id"]
        bob.send("POST", "/api/v1/etsi004/open-connect", {**opened, "key_stream_id": stream})
        chunk = alice.send("POST", "/api/v1/etsi004/get-key", {"key_stream_id": stream, "index": 0})[1]
        assert chunk["status"] == 0
        kme.clock = lambda: real + jump
        good = -5_000 <= jump < 3_600_000
        status, body = bob.get(f"alice/dec_keys?key_ID={given['key_ID']}")
        assert status == (200 if good else 400)
        assert good or body["details"][0]["reason"] in ("expired", "unknown")
        late = bob.send("POST", "/api/v1/etsi004/get-key", {"key_stream_id": stream, "index": 0})[1]
        assert late["status"] == (0 if good else 2)
        assert alice.get("bob/status")[0] == 200
        status, body = alice.get("bob/enc_keys")
        assert status in (200, 503)
        for _ in range(3):
            answer = alice.send("POST", "/api/v1/etsi004/get-key", {"key_stream_id": stream})
            assert answer[0] == 200
            assert answer[1]["status"] in (0, 2)
        alice.close()
        bob.close()


def test_setting_the_wall_clock_does_nothing_to_a_server_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = clocks.SteadyClock()
    before = clock()
    monkeypatch.setattr(clocks.time, "time_ns", lambda: 0)
    monkeypatch.setattr(clocks.time, "time", lambda: 0.0, raising=False)
    assert before <= clock() < before + 60_000


def test_ten_gigabytes(tmp_path: Path) -> None:
    """As a size, as a number, as a body that is announced, and as one that is sent until the server says stop."""
    with serving(tmp_path / "x", {"kme-a": ["alice", "bob"]}) as server:
        port = server.kmes[0].sae_door.port
        client = Client(tmp_path / "x", port, "sae-alice")
        for body in ({"size": 80_000_000_000}, {"number": 10**10}, {"size": 8192, "number": 10**10}):
            assert client.post("bob/enc_keys", body)[0] == 400
        client.close()
        client = Client(tmp_path / "x", port, "sae-alice")
        client.connection.putrequest("POST", "/api/v1/keys/bob/enc_keys")
        client.connection.putheader("Transfer-Encoding", "chunked")
        client.connection.endheaders()
        piece = b"10000\r\n" + bytes(65_536) + b"\r\n"
        with pytest.raises(OSError, match=r"."):  # noqa: PT012  (whichever send it is)
            for _ in range(16_384):
                client.connection.send(piece)
        client.close()
        again = Client(tmp_path / "x", port, "sae-alice")
        assert len(base64.b64decode(again.get("bob/enc_keys")[1]["keys"][0]["key"])) == 32
        again.close()
