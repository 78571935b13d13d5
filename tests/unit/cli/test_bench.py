"""``qfabric bench``: it finds the benchmarks of a checkout, or says where they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from quantum_fabric.cli import bench

ROOT = Path(__file__).resolve().parents[3]


def test_the_checkout_is_found_from_any_folder_in_it(tmp_path: Path) -> None:
    assert bench.checkout(ROOT / "src" / "quantum_fabric") == ROOT
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "suites.py").touch()
    (tmp_path / "deep").mkdir()
    assert bench.checkout(tmp_path / "deep") == tmp_path


def test_without_checkout_it_says_where_benchmarks_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "checkout", lambda start: None)
    done = CliRunner().invoke(bench.command, [])
    assert done.exit_code == 1
    assert "in the repository" in done.output


def called(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "quantum_fabric", "bench", *arguments]
    return subprocess.run(program, cwd=ROOT / "tests", capture_output=True, text=True, check=False)


def test_list() -> None:
    done = called("--list")
    assert done.returncode == 0
    assert {"w1", "w2", "w3", "mesh", "growth"} <= {
        line.split()[0] for line in done.stdout.splitlines() if line
    }


def test_json_is_all_there_is_on_stdout() -> None:
    done = called("kernel", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [row["name"] for row in told["rows"]] == ["kernel/hold", "kernel/draws"]
    assert "kernel/hold" in done.stderr


def test_unknown_name() -> None:
    done = called("warp")
    assert done.returncode == 2
    assert "warp" in done.stderr
    assert "w1" in done.stderr


def test_quick_results_are_not_kept() -> None:
    done = called("kernel", "--quick", "--keep")
    assert done.returncode == 2
    assert "leave out --quick" in done.stderr
