"""KEK rotation: killed half way, and by SIGHUP while a server serves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("key_rotation_crashes.py")


def run(folder: Path, rounds: int, seed: int) -> dict[str, int]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, str(PROGRAM), str(folder), str(rounds), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=1200)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_a_rotation_that_is_killed(tmp_path: Path) -> None:
    run(tmp_path, 4, 1)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_rotation_that_is_killed_many_times(tmp_path: Path) -> None:
    assert run(tmp_path, 60, 2)["half_way"] > 5, "some kills fell into the middle, or the test saw nothing"


def test_sighup_changes_the_kek_of_a_server_that_serves(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    from keyserver import Client, free_ports
    from quantum_fabric.server.running import trial

    folder = tmp_path / "trial"
    (settings,) = trial(folder, {"kme-a": ["alice", "anna"]}, free_ports(2))
    settings.write_text(settings.read_text().replace("test_supply:", "test_supply:\n  octets: 65536"))
    port = int(next(line for line in settings.read_text().splitlines() if "port:" in line).split()[-1])
    kek = folder / "kme-a.kek"

    def serve() -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "quantum_fabric", "kme", "serve", str(settings)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert "serves" in process.stdout.readline()
        return process

    def audit() -> str:
        command = [sys.executable, "-m", "quantum_fabric", "kme", "audit", str(settings)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    process = serve()
    try:
        client = Client(folder, port, "sae-alice")
        before = client.get("anna/enc_keys")[1]["keys"][0]
        kek.write_text("kme-a-2 " + "5a" * 32 + "\n" + kek.read_text())
        process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while '"kek":"kme-a-2"' not in (book := audit()):
            assert time.monotonic() < deadline, book
            assert client.get("anna/enc_keys")[0] == 200, "it serves all the while, on the same connection"
        while book.count(" rotated ") < 5:  # 2048 cells and a key in steps of 500
            assert time.monotonic() < deadline, book
            book = audit()
        kek.write_text(kek.read_text().splitlines()[0] + "\n")
        process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert client.get("anna/enc_keys")[0] == 200
        client.close()
    finally:
        process.terminate()
        _, log = process.communicate(timeout=30)
    assert "kme-a-2" in log
    assert "5a5a" not in log
    process = serve()  # with the new KEK alone
    try:
        anna = Client(folder, port, "sae-anna")
        assert anna.get(f"alice/dec_keys?key_ID={before['key_ID']}")[1]["keys"][0]["key"] == before["key"]
        anna.close()
    finally:
        process.terminate()
        process.communicate(timeout=30)
