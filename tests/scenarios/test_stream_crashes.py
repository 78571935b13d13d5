"""kill -9 while two applications read a key stream: what both hold is the same, and nothing came twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")

PROGRAM = Path(__file__).with_name("stream_crashes.py")


def run(folder: Path, rounds: int, seed: int) -> dict[str, int]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, str(PROGRAM), str(folder), str(rounds), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=3600)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_streams_of_servers_that_are_killed(tmp_path: Path) -> None:
    assert run(tmp_path / "x", 3, 1)["both have"] > 90


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_streams_of_servers_that_are_killed_hundreds_of_times(tmp_path: Path) -> None:
    found = run(tmp_path / "x", 200, 2)
    assert found["both have"] > 7000
    assert found["spent with a server"] > 0, (
        "some kills fell between the commit and the answer, or the test saw nothing"
    )
