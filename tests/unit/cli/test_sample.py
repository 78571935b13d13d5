"""``qfabric sample`` and ``qfabric doctor``: what a user sees."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from quantum_fabric.cli.app import main
from quantum_fabric.cli.doctor import command as doctor
from quantum_fabric.cli.sample import command as sample
from quantum_fabric.errors import InputError
from quantum_fabric.native import look

ASKED = ["chicago", "NU", "UChicago_PME", "--fidelity", "0.7", "--pairs", "3"]


def asked(*more: str) -> str:
    done = CliRunner().invoke(sample, [*ASKED, *more], catch_exceptions=False)
    return done.stdout


def test_the_numbers_do_not_depend_on_workers_nor_on_the_engine() -> None:
    one = json.loads(asked("--replicas", "6", "--workers", "1", "--engine", "twin", "--json"))
    two = json.loads(asked("--replicas", "6", "--workers", "2", "--json"))
    for name in ("pairs", "fidelity", "first_pair_s", "rate_per_s", "scenario"):
        assert (
            one[name] == pytest.approx(two[name], rel=1e-12) if name != "scenario" else one[name] == two[name]
        )


def test_pairs_and_figure_are_written(tmp_path: Path) -> None:
    said = asked("--replicas", "5", "--out", str(tmp_path / "p.parquet"), "--figure", str(tmp_path / "f.svg"))
    assert "15 pairs delivered, 0 withheld, in 5 replicas" in said
    rows = duckdb.sql(f"SELECT replica, number, fidelity FROM '{tmp_path / 'p.parquet'}'").fetchall()
    assert len(rows) == 15
    assert {row[0] for row in rows} == set(range(5))
    assert all(0.5 < row[2] < 1.0 for row in rows)
    assert "<svg" in (tmp_path / "f.svg").read_text()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_refusal_is_said_with_its_reason() -> None:
    done = CliRunner().invoke(
        sample, ["chicago", "NU", "UChicago_PME", "--fidelity", "0.9999"], standalone_mode=False
    )
    assert done.return_value == 1
    assert done.stdout.startswith("refused:")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--replicas", "0"], "at least 1"),
        (["--tail", "0"], "a probability from 1e-12 to 0.1"),
        (["--tail", "1e-3", "--engine", "twin"], "only it can fork"),
        (["--replicas", "1000000000000"], "at most 1e"),
        (["--figure", "x.bmp"], "ends with .svg"),
        (["--out", "x.txt"], "ends with .parquet"),
        (["--out", "/nowhere/x.csv", "--replicas", "1"], "a file that can be written"),
    ],
)
def test_bad_input_is_named(more: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        asked(*more)


def test_a_node_that_there_is_not() -> None:
    with pytest.raises(InputError, match="one of the nodes"):
        CliRunner().invoke(sample, ["chicago", "NU", "Mars", "-f", "0.7"], catch_exceptions=False)


def test_the_doctor_says_whether_the_kernels_are_here(capsys: pytest.CaptureFixture[str]) -> None:
    found = CliRunner().invoke(doctor, ["--json"], standalone_mode=False)
    said = json.loads(found.stdout)
    here = look()[0] is not None
    assert said["native"]["installed"] is here
    assert found.return_value == int(not here)
    assert main(["doctor"]) == int(not here)
    assert "compiled kernels" in capsys.readouterr().out


def test_the_doctor_names_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTUM_FABRIC_NATIVE", "off")
    found = CliRunner().invoke(doctor, ["--json"], standalone_mode=False)
    assert found.return_value == 1
    assert "switched off by QUANTUM_FABRIC_NATIVE=off" in json.loads(found.stdout)["native"]["where"]
