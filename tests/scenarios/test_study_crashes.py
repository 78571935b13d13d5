"""A study that is killed at random moments, on a full disk, with damaged files: nothing is lost and the table is the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import studybench

ROUNDS = 5
"""Kills; the moments are drawn with a fixed seed, what they hit is not."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The tables of the study, computed in one go by one process."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "s.yaml").write_text(studybench.SIMULATED)
    process = studybench.program("s.yaml", "--workers", "1", "--out", "out", "--no-html", cwd=folder)
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said.decode()
    return studybench.tables(folder / "out")


@pytest.mark.parametrize(("workers", "batch"), [(2, 1), (1, 2)])
def test_killed_again_and_again(
    tmp_path: Path, undisturbed: dict[str, bytes], workers: int, batch: int
) -> None:
    """kill -9 of the whole process group, at random points; then the same bytes as without."""
    (tmp_path / "s.yaml").write_text(studybench.SIMULATED)
    draw = random.Random(17 * workers)
    chunks = tmp_path / "out" / "chunks"
    arguments = ["s.yaml", "--workers", str(workers), "--batch", str(batch), "--out", "out", "--no-html"]
    killed = 0
    seen: list[int] = []
    for _ in range(ROUNDS):
        before = len(list(chunks.glob("*.json"))) if chunks.exists() else 0
        resume = ["--resume"] if (tmp_path / "out").exists() else []
        process = studybench.program(*arguments, *resume, cwd=tmp_path)
        wanted = before + draw.randint(1, 6)
        while (
            process.poll() is None and (len(list(chunks.glob("*.json"))) if chunks.exists() else 0) < wanted
        ):
            time.sleep(0.01)
        time.sleep(draw.uniform(0.0, 0.05))  # anywhere between two chunks, or inside the writing of one
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
        seen.append(len(list(chunks.glob("*.json"))))
    assert killed >= 2
    assert seen == sorted(seen), "a finished chunk was lost"
    process = studybench.program(*arguments, "--resume", cwd=tmp_path)
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said.decode()
    assert studybench.tables(tmp_path / "out") == undisturbed


def test_orphaned_workers_end(tmp_path: Path) -> None:
    """Where the parent alone is killed, its workers go too, and the folder is free again."""
    (tmp_path / "s.yaml").write_text(studybench.SIMULATED)
    process = studybench.program("s.yaml", "--workers", "2", "--batch", "1", "--out", "out", cwd=tmp_path)
    chunks = tmp_path / "out" / "chunks"
    while not (chunks.exists() and any(chunks.glob("*.json"))):
        assert process.poll() is None
        time.sleep(0.02)
    group = process.pid
    process.kill()
    process.communicate()  # ends when the last holder of its output is gone
    for _ in range(200):
        if not _lives(group):
            return
        time.sleep(0.05)
    pytest.fail("workers live on without their parent")


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_worker_is_replaced(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    """kill -9 of workers while their parent lives: their chunks are done again by others."""
    (tmp_path / "s.yaml").write_text(studybench.SIMULATED)
    process = studybench.program(
        "s.yaml", "--workers", "2", "--batch", "1", "--out", "out", "--no-html", cwd=tmp_path
    )
    chunks = tmp_path / "out" / "chunks"
    for wanted in (2, 12):
        while (
            process.poll() is None and (len(list(chunks.glob("*.json"))) if chunks.exists() else 0) < wanted
        ):
            time.sleep(0.01)
        victims = _workers(process.pid)
        if victims:
            os.kill(victims[0], signal.SIGKILL)
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said.decode()
    assert studybench.tables(tmp_path / "out") == undisturbed


def _workers(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().rpartition(")")
            if int(rest.split()[1]) == parent and b"spawn_main" in path.with_name("cmdline").read_bytes():
                found.append(int(name.split()[0]))
        except (OSError, ValueError):
            continue
    return sorted(found)


def test_a_full_disk(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    """A disk of 64 kB fills up: a clear error, whole chunks; with room the study goes on to the same table."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=10000", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a file system of limited size")
    try:
        (tmp_path / "s.yaml").write_text(studybench.SIMULATED)
        arguments = ["s.yaml", "--workers", "1", "--batch", "1", "--out", "disk/out", "--no-html"]
        process = studybench.program(*arguments, cwd=tmp_path)
        said, _ = process.communicate(timeout=200)
        assert process.returncode == 2
        words = " ".join(said.decode().split())
        assert "No space left on device" in words
        assert "make room and start the study again" in words
        whole = list((disk / "out" / "chunks").glob("*.json"))
        assert whole
        assert all(path.stat().st_size > 0 for path in whole)
        subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True, capture_output=True)
        process = studybench.program(*arguments, "--resume", cwd=tmp_path)
        said, _ = process.communicate(timeout=200)
        assert process.returncode == 0, said.decode()
        assert studybench.tables(disk / "out") == undisturbed
    finally:
        subprocess.run(["umount", str(disk)], check=False, capture_output=True)


def test_interrupted_by_the_user(tmp_path: Path) -> None:
    """Ctrl-C: exit code 130, and the way to go on is said."""
    (tmp_path / "s.yaml").write_text(
        studybench.SIMULATED.replace("20 %}, least: 4, most: 24", "0.1 %}, least: 200, most: 400")
    )
    process = studybench.program("s.yaml", "--workers", "2", "--batch", "1", "--out", "out", cwd=tmp_path)
    chunks = tmp_path / "out" / "chunks"
    while not (chunks.exists() and any(chunks.glob("*.json"))):
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said.decode()
    assert b"--resume" in said
    assert b"Traceback" not in said


assert sys.platform == "linux", "processes are looked up in /proc"
