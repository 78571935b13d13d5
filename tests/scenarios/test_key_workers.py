"""Key servers as an operator runs them: several processes on one PostgreSQL, and one with its KEK in a token."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")

import postgres
import softhsm
from keyserver import Client, free_ports
from quantum_fabric.server.running import trial


def qfabric(*words: object, **more: str) -> str:
    command = [sys.executable, "-m", "quantum_fabric", "kme", *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **more}, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def serving(settings: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "quantum_fabric", "kme", "serve", str(settings)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **more}
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "serves" in line, process.stderr.read() if process.stderr else ""
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def port_of(settings: Path) -> int:
    text = settings.read_text()
    return int(text[text.index("sae_listener:") :].partition("port:")[2].split()[0])


def small(settings: Path, octets: int) -> None:
    settings.write_text(settings.read_text().replace("test_supply:", f"test_supply:\n  octets: {octets}"))


@pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing() or "-")
@pytest.mark.timeout(240)
def test_two_workers_of_each_kme_on_postgresql(tmp_path: Path) -> None:
    """Alice's KME and bob's, each of two processes at one port; one of them is killed under load."""
    with postgres.serving() as database, ExitStack() as stack:
        files = trial(tmp_path / "x", {"kme-a": ["alice"], "kme-b": ["bob"]}, free_ports(4))
        for path in files:
            kme = path.stem
            text = path.read_text().replace(
                f"store: {kme}.sqlite", f"store:\n  postgres: {database.database()}"
            )
            path.write_text(text)
            small(path, 65_536)
        workers = [stack.enter_context(serving(path)) for path in files for _ in range(2)]
        ports = [port_of(path) for path in files]
        stop, got, refused = threading.Event(), [], []

        def load() -> None:
            while not stop.is_set():
                client = Client(tmp_path / "x", ports[0], "sae-alice")
                try:
                    for _ in range(5):  # a new connection may meet the other worker
                        status, body = client.get("bob/enc_keys?number=2")
                        if status == 200:
                            got.extend((one["key_ID"], one["key"]) for one in body["keys"])
                        else:
                            refused.append((status, body))
                except (OSError, http.client.HTTPException):
                    time.sleep(0.02)
                finally:
                    client.close()

        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(1.5)
        workers[0].send_signal(signal.SIGKILL)
        time.sleep(1.5)
        stop.set()
        for thread in threads:
            thread.join(60)
        assert len(got) > 10, refused[:3]
        assert {status for status, _ in refused} <= {503}
        assert len({one for one, _ in got}) == len({key for _, key in got}) == len(got), "each key once"
        bob = [Client(tmp_path / "x", ports[1], "sae-bob") for _ in range(6)]
        for number, (key_id, key) in enumerate(got[:80]):
            path = f"alice/dec_keys?key_ID={key_id}"
            assert bob[number % 6].get(path)[1]["keys"][0]["key"] == key
            assert bob[(number + 1) % 6].get(path)[0] == 400, "once, whichever worker is asked"
        for client in bob:
            client.close()
        assert "unbroken" in qfabric("status", files[0])
        assert "unbroken" in qfabric("audit", files[1])


@pytest.mark.skipif(bool(softhsm.missing()), reason=softhsm.missing() or "-")
@pytest.mark.timeout(120)
def test_a_kme_whose_kek_is_in_a_token(tmp_path: Path) -> None:
    """Made, served from, and changed by SIGHUP while it serves."""
    softhsm.token(tmp_path)
    where = softhsm.environment(tmp_path)
    (settings,) = trial(tmp_path / "x", {"kme-a": ["alice", "anna"]}, free_ports(2))
    small(settings, 8192)
    pin = tmp_path / "x" / "pin"
    pin.write_text(softhsm.PIN)
    pin.chmod(0o600)
    token = (
        f"kek:\n  pkcs11:\n    module: {softhsm.module()}\n    token: {softhsm.LABEL}\n"
        "    pin_file: pin\n    keks: [one]"
    )
    settings.write_text(settings.read_text().replace("kek:\n  file: kme-a.kek", token))
    assert "pkcs11" in settings.read_text()
    (tmp_path / "x" / "kme-a.kek").unlink()
    assert "put it first" in qfabric("new-kek", settings, "one", **where)
    with serving(settings, **where) as process:
        alice, anna = (Client(tmp_path / "x", port_of(settings), f"sae-{sae}") for sae in ("alice", "anna"))
        key = alice.get("anna/enc_keys")[1]["keys"][0]
        qfabric("new-kek", settings, "two", **where)
        settings.write_text(settings.read_text().replace("keks: [one]", "keks: [two, one]"))
        process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while qfabric("audit", settings, **where).count('"kek":"two"') < 1:
            assert time.monotonic() < deadline
        assert anna.get(f"alice/dec_keys?key_ID={key['key_ID']}")[1]["keys"][0]["key"] == key["key"]
        assert alice.get("anna/enc_keys")[0] == 200
        alice.close()
        anna.close()
    settings.write_text(settings.read_text().replace("keks: [two, one]", "keks: [two]"))
    with serving(settings, **where):
        pass
    assert softhsm.PIN.encode() not in b"".join(
        one.read_bytes() for one in (tmp_path / "x").iterdir() if one != pin
    )
