"""Whole runs from the command line: what a user does on the first day, and how a run may end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from quantum_fabric.ops.journal import read

WORKLOAD = """
kind: workload
version: 1
title: Two requests and a cut
duration: 2 s
requests:
  - {name: near, from: NU, to: StarLight, fidelity: 0.8, pairs: 20}
  - {name: far, from: NU, to: UChicago_PME, fidelity: 0.7, pairs: 100000}
  - {name: dream, from: NU, to: UChicago_PME, fidelity: 0.9999}
  - {name: calls, from: UChicago_HC, to: StarLight, fidelity: 0.7, every: 200 ms}
faults:
  - {cut: NU~StarLight, at: 1500 ms}
"""


def qfabric(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "quantum_fabric", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("run")
    (folder / "load.yaml").write_text(WORKLOAD)
    return folder, qfabric(
        folder, "run", "chicago", "--workload", "load.yaml", "--out", "out", "--journal", "full"
    )


def test_the_run_ends_well_and_prints_its_table(finished) -> None:
    _, done = finished
    assert done.returncode == 0, done.stderr
    for text in (
        "near",
        "far",
        "dream",
        "refused",
        "completed",
        "UNSUPP",
        "calls (",
        "entangled pairs delivered to",
    ):
        assert text in done.stdout
    for name in ("report.html", "pairs.parquet", "journal.jsonl"):
        assert f"out/{name}" in done.stdout
    assert "NU – StarLight" in done.stderr  # the first pairs, as they came


def test_the_three_files_agree(finished) -> None:
    folder, _ = finished
    journal = read(folder / "out" / "journal.jsonl")
    assert journal.complete
    assert journal.header.keeps == "full"
    kinds = [type(entry.message).__name__ for entry in journal.entries]
    times = [entry.time for entry in journal.entries]
    assert times == sorted(times)
    assert {"Heralded", "Swapped", "Joined", "Delivered", "Truth", "LinkChanged"} <= set(kinds)
    delivered = kinds.count("Delivered")
    with duckdb.connect() as database:
        rows = database.execute(
            f"SELECT count(*), count(fidelity_true), min(fidelity_true) FROM read_parquet('{folder}/out/pairs.parquet')"
        ).fetchone()
    assert rows is not None
    assert rows[0] == delivered > 20
    assert rows[1] == kinds.count("Truth") or rows[1] <= delivered
    assert rows[2] > 0.5
    report = (folder / "out" / "report.html").read_text()
    assert "http" not in report
    assert f"{delivered:,} entangled pairs" in report


def test_every_request_has_one_outcome_in_the_journal(finished) -> None:
    folder, _ = finished
    journal = read(folder / "out" / "journal.jsonl")
    asked, ended = [], []
    for entry in journal.entries:
        kind = type(entry.message).__name__
        if kind == "LinkRequest":
            asked.append(entry.message.name)  # type: ignore[union-attr]
        if kind == "Outcome":
            ended.append(entry.message.request)  # type: ignore[union-attr]
    assert sorted(asked) == sorted(ended)
    assert len(asked) > 3


def test_it_replays_bit_for_bit(finished) -> None:
    folder, _ = finished
    done = qfabric(folder, "replay", "out/journal.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all the same, bit for bit" in done.stdout


def test_a_journal_that_was_tampered_with_is_refused_or_differs(finished, tmp_path: Path) -> None:
    folder, _ = finished
    lines = (folder / "out" / "journal.jsonl").read_text().splitlines(keepends=True)
    forged = tmp_path / "forged.jsonl"
    forged.write_text("".join(lines[:20]) + lines[20].replace('"t":', '"t":1') + "".join(lines[21:]))
    done = qfabric(tmp_path, "replay", "forged.jsonl")
    assert done.returncode == 2
    assert "the digest does not fit" in done.stderr
    forged.write_text("".join(lines[:20]) + lines[20].replace('"t":', '"t":1') + "".join(lines[21:-1]))
    done = qfabric(tmp_path, "replay", "forged.jsonl")
    assert done.returncode == 1
    assert "forged.jsonl:21: the runs differ here" in done.stdout
    assert "was: " in done.stdout


def test_another_version_is_said(finished, tmp_path: Path) -> None:
    folder, _ = finished
    lines = (folder / "out" / "journal.jsonl").read_text().splitlines(keepends=True)
    header = json.loads(lines[0])
    old = tmp_path / "old.jsonl"
    old.write_text(json.dumps({**header, "program": "0.0.1"}) + "\n" + "".join(lines[1:-1]))
    done = qfabric(tmp_path, "replay", "old.jsonl")
    assert done.returncode == 0
    assert "written by version 0.0.1" in done.stderr
    assert "the run was killed" in done.stderr


LONG = """
kind: workload
version: 1
duration: 10000 s
requests:
  - {name: endless, from: Alice, to: Bob, fidelity: 0.6, pairs: 100000000}
"""


def started(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """A run that would take hours, once its first hundred pairs are in the journal."""
    (folder / "long.yaml").write_text(LONG)
    process = subprocess.Popen(
        [sys.executable, "-m", "quantum_fabric", "run", "lab", "--workload", "long.yaml", "--out", "out"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    journal = folder / "out" / "journal.jsonl"
    for _ in range(600):
        if journal.exists() and journal.read_text().count('"Delivered"') > 100:
            return process, journal
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.kill()
    raise AssertionError("no hundred pairs in a minute")


def test_ctrl_c_leaves_complete_files_and_a_journal_that_replays(tmp_path: Path) -> None:
    process, path = started(tmp_path)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "Traceback" not in err
    assert "interrupted." in out
    assert "endless" in out
    assert "the run ended first" in out
    journal = read(path)
    assert journal.state == "interrupted"
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "journal.jsonl",
        "pairs.parquet",
        "report.html",
    ]
    assert "The run was interrupted at" in (path.parent / "report.html").read_text()
    done = qfabric(tmp_path, "replay", "out/journal.jsonl")
    assert done.returncode == 0, done.stdout
    assert f"{len(journal.entries):,} messages, all the same" in done.stdout


def test_a_killed_run_leaves_a_journal_that_replays_as_far_as_it_got(tmp_path: Path) -> None:
    process, path = started(tmp_path)
    process.kill()
    process.communicate(timeout=60)
    journal = read(path)
    assert journal.end is None
    assert len(journal.entries) > 100
    done = qfabric(tmp_path, "replay", "out/journal.jsonl")
    assert done.returncode == 0, done.stdout
    assert "the run was killed" in done.stderr
