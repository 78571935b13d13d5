"""``qfabric validate``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quantum_fabric.errors import InputError


def test_two_experiments(qfabric, tmp_path: Path) -> None:
    result = qfabric("validate", "stephenson2020", "humphreys2018", "--out", "v", "-j", "1")
    assert result.code == 0
    assert "claims hold" in result.words
    for name in (
        "validation.html",
        "validation.md",
        "validation.parquet",
        "validation.csv",
        "figures/stephenson2020.svg",
    ):
        assert (tmp_path / "v" / name).exists()


def test_json(qfabric) -> None:
    result = qfabric("validate", "stephenson2020", "--json", "-j", "1")
    found = json.loads(result.out)
    assert found["passed"] is True
    assert {row["result"] for row in found["comparisons"]} == {"success", "rate", "fidelity"}
    assert all(len(row["sha256"]) == 64 for row in found["comparisons"])


def test_list(qfabric) -> None:
    assert "waiting-times" in qfabric("validate", "--list").out
    found = json.loads(qfabric("validate", "--list", "--json").out)
    assert {each["row"] for each in found["experiments"]} >= set(range(1, 13))
    assert all(each["missing"] for each in found["not_comparable"])


def test_a_claim_that_fails_is_exit_code_1(qfabric, monkeypatch: pytest.MonkeyPatch) -> None:
    from quantum_fabric.validation.parameters import Tolerance

    monkeypatch.setattr(Tolerance, "met", lambda *_: False)
    result = qfabric("validate", "gys-decoy", "-j", "1")
    assert result.code == 1
    assert "FAIL" in result.out


def test_what_claims_nothing_may_disagree(qfabric) -> None:
    result = qfabric("validate", "pompili2021", "tokyo-dps", "-j", "1")
    assert result.code == 0
    assert "disagrees" in result.out
    assert "4 disagree" in result.words


def test_a_tampered_file_is_exit_code_2(qfabric, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise InputError("SHA-256 aa", "the frozen file, SHA-256 bb", "parameter file x.yaml")

    monkeypatch.setattr("quantum_fabric.validation.running.verify", refuse)
    result = qfabric("validate", "stephenson2020")
    assert result.code == 2
    assert "x.yaml" in result.err


def test_an_unknown_experiment(qfabric) -> None:
    assert qfabric("validate", "nothing").code == 2
