"""kill -9 under load: no key delivered twice, none lost silently."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import postgres

PROGRAM = Path(__file__).with_name("key_crashes.py")


def run(place: object, rounds: int, seed: int, children: int = 1) -> dict[str, int]:
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(tests)}
    command = [sys.executable, str(PROGRAM), str(place), str(rounds), str(seed), str(children)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=1200)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_a_store_that_is_killed(tmp_path: Path) -> None:
    found = run(tmp_path, 15, 1)
    assert found["deliveries"] > 50, "the children did serve"


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_store_that_is_killed_hundreds_of_times(tmp_path: Path) -> None:
    found = run(tmp_path, 300, 2)
    assert found["deliveries"] > 1000
    assert found["burnt"] > 0, "some kills fell between the commit and the answer, or the test saw nothing"


@pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing() or "-")
def test_several_workers_of_one_postgresql_are_killed() -> None:
    with postgres.serving() as server:
        found = run(server.database(), 6, 3, children=3)
    assert found["deliveries"] > 20, "the children did serve"


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing() or "-")
def test_several_workers_of_one_postgresql_are_killed_many_times() -> None:
    with postgres.serving() as server:
        found = run(server.database(), 100, 4, children=3)
    assert found["deliveries"] > 500
    assert found["burnt"] > 0, "some kills fell between the commit and the answer, or the test saw nothing"
