"""The Parquet file holds what was delivered, with units in the names of its columns."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from quantum_fabric.messages import Message, Truth
from quantum_fabric.ops.requests import Histories
from quantum_fabric.ops.tables import COLUMNS, write_pairs, write_text
from quantum_fabric.units import MS

Stream = list[tuple[int, str, Message]]


def test_rows_and_types(stream: Stream, tmp_path: Path) -> None:
    histories = Histories()
    truths = [item for item in stream if isinstance(item[2], Truth)]
    for item in stream:
        if item is not truths[1]:
            histories(*item)
    path = tmp_path / "it's pairs.parquet"
    assert write_pairs(histories, path) == 2
    with duckdb.connect() as database:
        database.execute(
            "CREATE VIEW t AS SELECT * FROM read_parquet(?)".replace(
                "?", "'" + str(path).replace("'", "''") + "'"
            )
        )
        types = dict(
            database.execute("SELECT column_name, data_type FROM information_schema.columns").fetchall()
        )
        rows = database.execute("SELECT * FROM t ORDER BY number").fetchall()
    assert types == COLUMNS
    first = dict(zip(COLUMNS, rows[0]))
    assert first["request"] == "video"
    assert first["pair_left"] == "A~R/0#1"
    assert first["bell"] == "PHI_PLUS"
    assert first["delivered_at_ps"] == 142 * MS
    assert first["fidelity_true"] == 0.9
    assert dict(zip(COLUMNS, rows[1]))["fidelity_true"] is None


def test_no_pairs_make_an_empty_table_with_the_same_columns(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    assert write_pairs([], path) == 0
    with duckdb.connect() as database:
        result = database.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
    assert {row[0]: row[1] for row in result} == COLUMNS


def test_files_are_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    write_text("old", path)
    with pytest.raises(UnicodeEncodeError):
        write_text("\udc80", path)
    assert path.read_text() == "old"
    write_text("new", path)
    assert path.read_text() == "new"
