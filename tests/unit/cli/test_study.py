"""``qfabric study``: what it prints and writes, how it refuses, what its exit codes say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import studybench
from quantum_fabric.studies import bundled

Call = Callable[..., Any]


@pytest.fixture
def forecast(tmp_path: Path) -> str:
    (tmp_path / "f.yaml").write_text(studybench.FORECAST)
    return "f.yaml"


def test_a_study_from_start_to_end(qfabric: Call, forecast: str, tmp_path: Path) -> None:
    result = qfabric("study", forecast, "-j", "1")
    assert result.code == 0
    assert "20 km" in result.out
    assert "runs/study-f/table.parquet" in result.out
    made = {path.name for path in (tmp_path / "runs" / "study-f").iterdir()}
    assert {"table.parquet", "table.csv", "runs.parquet", "report.html", "study.json", "chunks"} <= made
    again = qfabric("study", forecast, "-j", "1")
    assert again.code == 2
    assert "--resume" in again.err
    resumed = qfabric("study", forecast, "-j", "1", "--resume")
    assert resumed.code == 0
    assert "2 runs were there already" in resumed.out


def test_dry_run_writes_nothing(qfabric: Call, forecast: str, tmp_path: Path) -> None:
    result = qfabric("study", forecast, "--dry-run")
    assert result.code == 0
    assert "a sound study: 2 points, 2 runs" in result.out
    assert not (tmp_path / "runs").exists()
    told = json.loads(qfabric("study", forecast, "--dry-run", "--json").out)
    assert (told["points"], told["runs"], told["engine"]) == (2, [2, 2], "forecast")
    assert told["seconds"][0] > 0.0


def test_json(qfabric: Call, forecast: str) -> None:
    told = json.loads(qfabric("study", forecast, "-j", "1", "--json", "--no-html").out)
    assert told["table"]["distance_m"] == [20e3, 40e3]
    assert told["table"]["rate_per_s"][0] > told["table"]["rate_per_s"][1]
    assert told["study"]["engine"] == "forecast"


def test_a_study_that_is_too_large_is_refused(qfabric: Call, forecast: str, tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(studybench.FORECAST + "limits: {runs: 1}\n")
    result = qfabric("study", forecast)
    assert result.code == 2
    assert "2 points, 2 runs" in result.words
    assert "at most 1 runs (limits.runs)" in result.words
    assert not (tmp_path / "runs").exists()


def test_faults_are_named(qfabric: Call, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(studybench.FORECAST.replace("link.distance", "link.distanse"))
    result = qfabric("study", "bad.yaml")
    assert result.code == 2
    assert "bad.yaml:5: vary[0]" in result.err
    assert "did you mean 'distance'" in result.words
    assert qfabric("study").code == 2
    assert qfabric("study", "nowhere.yaml").code == 2


def test_a_cluster_that_is_no_cluster(qfabric: Call, forecast: str, tmp_path: Path) -> None:
    result = qfabric("study", forecast, "--cluster", "10.0.0.1")
    assert result.code == 2
    assert "tcp://HOST:PORT" in result.words
    if studybench.NO_DASK:
        result = qfabric("study", forecast, "--cluster", "tcp://127.0.0.1:9")
        assert "quantum-fabric[cluster]" in result.words
    assert not (tmp_path / "runs").exists()


def test_resume_needs_a_folder(qfabric: Call, forecast: str) -> None:
    result = qfabric("study", forecast, "--resume")
    assert result.code == 2
    assert "a folder that a study was begun in" in result.words


def test_list(qfabric: Call) -> None:
    result = qfabric("study", "--list")
    assert all(name in result.out for name in bundled())
    assert {one["name"] for one in json.loads(qfabric("study", "--list", "--json").out)} == set(bundled())


GOAL = """kind: study
version: 1
base: {link: {distance: 20 km, segments: 1}, request: {fidelity: 0.8, pairs: 10}}
goal: {output: rate, at_least: 1.5 kHz}
improve:
- {path: defaults.detector.efficiency, name: detector, from: 0.2, to: 0.98, cost: {price: 1, per: 0.1}}
"""


def test_planning_backwards(qfabric: Call, tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    (tmp_path / "goal.yaml").write_text(GOAL)
    result = qfabric("study", "goal.yaml", "-j", "1", "--simulate", "4")
    assert result.code == 0, result.words
    assert "detector from 0.2 to" in result.words
    assert "4 simulated runs" in result.words
    folder = tmp_path / "runs" / "study-goal"
    told = json.loads((folder / "answer.json").read_text())
    assert told["feasible"]
    assert all(check["holds"] for check in told["certificate"])
    assert "Certificate" in (folder / "report.html").read_text()


def test_a_goal_out_of_reach_has_exit_code_1(qfabric: Call, tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    (tmp_path / "goal.yaml").write_text(GOAL.replace("1.5 kHz", "1 GHz"))
    result = qfabric("study", "goal.yaml", "-j", "1", "--no-html")
    assert result.code == 1
    assert "cannot be reached" in result.words
    assert "the best that was found is rate" in result.words
