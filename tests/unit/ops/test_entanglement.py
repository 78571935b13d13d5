"""The change stream on disk: whole lines whatever ends the run, tables that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from quantum_fabric.errors import InputError, JournalError
from quantum_fabric.ops.entanglement import StreamWriter, TableWriter, is_stream, read
from quantum_fabric.ops.entanglement_plot import MOST, write

SHAPES = [{"n": n, "t": 5 * n, "id": ["a", "b"], "pair": None} for n in range(3)]


def written(path: Path) -> Path:
    writer = StreamWriter(path)
    for shape in SHAPES:
        writer(shape)
    writer.close(until=99)
    writer.close(until=99)
    return path


def test_it_reads_back(tmp_path: Path) -> None:
    path = written(tmp_path / "deep" / "s.jsonl")
    assert is_stream(path)
    assert list(read(path)) == SHAPES


def test_a_run_that_was_killed_leaves_what_it_wrote(tmp_path: Path) -> None:
    path = written(tmp_path / "s.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]) + lines[3][:9])
    assert list(read(path)) == SHAPES[:2]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace('"entanglement":2', '"entanglement":1'), "layout 1"),
        (lambda text: text.replace('"end":3', '"end":4'), "counts 4 changes, but holds 3"),
        (lambda text: text + "{}\n", ":6: a line after the end"),
        (lambda text: text.replace('{"n":1', '{{"n":1'), ":3: not JSON"),
        (lambda text: "[]\n" + text, "not the first line"),
    ],
)
def test_what_is_no_stream_is_refused(tmp_path: Path, change: object, says: str) -> None:
    path = written(tmp_path / "s.jsonl")
    path.write_text(change(path.read_text()))  # type: ignore[operator]
    with pytest.raises(JournalError, match=says):
        list(read(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be read"):
        is_stream(tmp_path / "no.jsonl")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_holds_what_was_written(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"it's.{ending}"
    writer = TableWriter(path, {"name": "VARCHAR", "count": "BIGINT", "share": "DOUBLE", "there": "BOOLEAN"})
    writer({"name": 'a "b", c', "count": 2**60, "share": 0.1 + 0.2, "there": True})
    writer({"name": None, "count": None, "share": None, "there": None})
    assert not path.exists()
    writer.close(until=0)
    writer.close(until=0)
    quoted = str(path).replace("'", "''")
    rows = duckdb.sql(f"SELECT * FROM '{quoted}'").fetchall()
    assert rows == [('a "b", c', 2**60, 0.1 + 0.2, True), (None,) * 4]
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_another_ending_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.jsonl, \.parquet or \.csv"):
        TableWriter(tmp_path / "new" / "pairs.xlsx", {})
    assert list(tmp_path.iterdir()) == []


def test_the_plot_shows_the_busiest_nodes(tmp_path: Path) -> None:
    steps = {f"node {n}": [(0, n), (10**9, 0)] for n in range(12)}
    path = tmp_path / "pairs.svg"
    assert write(str(path), steps, 10**10, "title") == MOST
    text = path.read_text()
    assert "node 11" in text
    assert "node 3<" not in text
    assert write(str(path), {}, 0, "nothing") == 0
