"""`qfabric entanglement` and `qfabric run --entanglement`: the same answers from a stream and from a full journal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from quantum_fabric.control.entangled import fold
from quantum_fabric.control.entangled.shapes import change_of
from quantum_fabric.ops.entanglement import read

Run = Callable[..., Any]


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_stream_and_a_full_journal_give_the_same_answers(qfabric: Run) -> None:
    done = qfabric(
        "run",
        "chicago",
        "--duration",
        "60 ms",
        "--journal",
        "full",
        "--entanglement",
        "pairs.jsonl",
        "--out",
        "out",
    )
    assert done.code == 0
    asked = ("--at", "50 ms", "--json")
    one, two = (
        qfabric("entanglement", "pairs.jsonl", *asked),
        qfabric("entanglement", "out/journal.jsonl", *asked),
    )
    assert (one.code, two.code) == (0, 0)
    assert one.out == two.out
    living = rows(one.out)
    assert living
    for row in living:
        value, low, high = row["estimate"]
        assert low <= value <= high
        assert 0 <= row["age"] <= 50 * 10**9
    node = living[0]["ends"][0]["node"]
    here = rows(qfabric("entanglement", "pairs.jsonl", *asked, "--node", node).out)
    assert here == [row for row in living if node in (row["ends"][0]["node"], row["ends"][1]["node"])]
    strict = rows(
        qfabric(
            "entanglement", "pairs.jsonl", *asked, "--fidelity", "0.95", "--younger", "5 ms", "--usable"
        ).out
    )
    assert strict == [
        row for row in living
        if row["estimate"][1] >= 0.95 and row["age"] <= 5 * 10**9 and all(end["knows"] for end in row["ends"])
        and row["state"] in ("ELEMENTARY", "JOINED", "HELD")
    ]  # fmt: skip
    shown = qfabric("entanglement", "pairs.jsonl", "--at", "50 ms", "--plot", "pairs.svg")
    assert "living pair" in shown.words
    assert Path("pairs.svg").read_text().startswith("<?xml")
    assert "say a time with --at" in qfabric("entanglement", "pairs.jsonl").words
    lost = qfabric(
        "entanglement", "pairs.jsonl", "--state", "lost", "--state", "consumed", "--state", "delivered"
    )
    assert "consumed" in lost.out
    assert qfabric("entanglement", "pairs.jsonl", "--at", "0 s").code == 0


def test_tables_hold_the_stream(qfabric: Run) -> None:
    for name in ("pairs.jsonl", "pairs.parquet", "pairs.csv"):
        assert qfabric("run", "lab", "--duration", "50 ms", "--entanglement", name, "--out", "out").code == 0
    changes = [change_of(shape) for shape in read(Path("pairs.jsonl"))]
    assert fold(changes).pairs
    for name in ("pairs.parquet", "pairs.csv"):
        found = (
            duckdb.connect()
            .execute(f"SELECT change, time_ps, fidelity FROM '{name}' ORDER BY change")
            .fetchall()
        )
        assert [(number, time) for number, time, _ in found] == [
            (change.number, change.time) for change in changes
        ]
        assert any(value is not None and 0.5 < value < 1 for _, _, value in found)


def test_what_cannot_be_read_says_why(qfabric: Run, tmp_path: Path) -> None:
    wrong = qfabric("run", "lab", "--duration", "10 ms", "--entanglement", "pairs.xlsx", "--out", "out")
    assert wrong.code == 2
    assert ".jsonl, .parquet or .csv" in wrong.words
    assert list(tmp_path.iterdir()) == []
    assert qfabric("run", "lab", "--duration", "10 ms", "--out", "out").code == 0
    brief = qfabric("entanglement", "out/journal.jsonl")
    assert brief.code == 2
    assert "--journal full" in brief.words
    assert qfabric("entanglement", "no.jsonl").code == 2
    Path("bad.jsonl").write_text('{"entanglement":2}\n{"n":0,"t":-1,"id":["a","a"],"pair":null}\n')
    bad = qfabric("entanglement", "bad.jsonl")
    assert bad.code == 2
    assert "bad.jsonl:2: change.t" in bad.words
    Path("gap.jsonl").write_text('{"entanglement":2}\n{"n":1,"t":1,"id":["a","a"],"pair":null}\n')
    assert "gap" in qfabric("entanglement", "gap.jsonl").words
