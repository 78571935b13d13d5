"""`qfabric run`, the parts: which workload, how a run is stopped. Whole runs are in tests/scenarios/test_cli.py."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from quantum_fabric.cli import run
from quantum_fabric.cli.run import Ticker
from quantum_fabric.errors import ProtocolError


def test_the_ticker_shows_now_and_then_and_stops_when_told() -> None:
    ticker, shown = Ticker(), []
    ticker.show = lambda: shown.append(1)
    assert not any(ticker() for _ in range(10 * Ticker.EVERY))
    assert 1 <= len(shown) <= 2
    ticker.stopped = True
    assert ticker()


def test_the_first_interrupt_stops_in_order_and_the_second_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with run._orderly_interrupt() as ticker:
        os.kill(os.getpid(), signal.SIGINT)
        assert ticker.stopped
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mine.yaml"], "--workload: found none, expected a document of kind workload, such as"),
        (["lab", "--workload", "missing.yaml"], "no such file"),
        (["nowhere"], "no such file"),
        (["lab", "--seed", "-1"], "seed: found -1"),
        (["lab", "--duration", "5"], "expected a time such as '10 ms'"),
        (["lab", "--workload", "other.yaml"], "expected a node of Laboratory link"),
        (["lab", "--journal", "some"], "'some' is not one of"),
        (["lab", "--workload", "broken.yaml"], "broken.yaml:3: found"),
    ],
)
def test_bad_input_is_one_clear_error_and_writes_nothing(
    qfabric, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "mine.yaml").write_text("kind: network\nversion: 1\nnodes: [{name: A}]\n")
    (tmp_path / "broken.yaml").write_text("kind: workload\nversion: [\n")
    (tmp_path / "other.yaml").write_text(
        "kind: workload\nversion: 1\nduration: 1 s\nrequests: [{from: NU, to: Bob, fidelity: 0.7}]\n"
    )
    result = qfabric("run", *arguments)
    assert result.code == 2
    assert message in result.words
    assert "Traceback" not in result.err
    assert {path.name for path in tmp_path.iterdir()} == {"mine.yaml", "broken.yaml", "other.yaml"}


def test_a_fault_of_the_program_still_leaves_the_files(
    qfabric, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Ticker):
        def __call__(self) -> bool:
            raise ProtocolError("this must never happen")

    monkeypatch.setattr(run, "Ticker", Broken)
    result = qfabric("run", "lab", "--out", "out")
    assert result.code == 3
    assert "this must never happen" in result.err
    assert "a fault of Quantum Fabric" in result.err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "journal.jsonl",
        "pairs.parquet",
        "report.html",
    }


def test_a_folder_that_cannot_be_made_is_one_clear_error(qfabric, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = qfabric("run", "lab", "--out", "file/below")
    assert result.code == 2
    assert "file" in result.err
    assert "Traceback" not in result.err


SHORT_LIVED = """\
kind: network
version: 1
title: memories that relax
defaults: {node: {sheet: future, overrides: {memory.t1: 4 ms, memory.t2: 4 ms}}}
nodes: [{name: A}, {name: B}, {name: C}]
links: [{between: [A, B], length: 20 km}, {between: [B, C], length: 20 km}]
"""

ONE_REQUEST = """\
kind: workload
version: 1
duration: 1 s
requests: [{from: A, to: C, fidelity: 0.55, pairs: 20}]
"""


def test_states_are_chosen_and_a_wrong_approximation_is_said(qfabric, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(SHORT_LIVED)
    (tmp_path / "load.yaml").write_text(ONE_REQUEST)
    said = {}
    for states in ("bell-diagonal", "exact"):
        result = qfabric("run", "net.yaml", "-w", "load.yaml", "--states", states, "--out", states)
        assert result.code == 0, result.err
        said[states] = result.words
        header = (tmp_path / states / "journal.jsonl").read_text().splitlines()[0]
        assert f'"states":"{states}"' in header
        assert ("Caution" in (tmp_path / states / "report.html").read_text()) == (states == "bell-diagonal")
        again = qfabric("replay", f"{states}/journal.jsonl")
        assert again.code == 0, again.words
    assert "caution states: fidelities off by up to about" in said["bell-diagonal"]
    assert "caution" not in said["exact"]
    assert qfabric("run", "net.yaml", "--states", "fuzzy").code == 2
