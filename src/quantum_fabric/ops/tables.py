"""Delivered pairs as a table for analysis: one row a pair, units in the names of the columns, Parquet on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from quantum_fabric.ops.requests import History

COLUMNS: Final[dict[str, str]] = {
    "request": "VARCHAR",
    "number": "INTEGER",
    "source": "VARCHAR",
    "destination": "VARCHAR",
    "pair_left": "VARCHAR",
    "pair_right": "VARCHAR",
    "bell": "VARCHAR",
    "created_at_ps": "BIGINT",
    "delivered_at_ps": "BIGINT",
    "expires_at_ps": "BIGINT",
    "fidelity_asked": "DOUBLE",
    "fidelity_estimate": "DOUBLE",
    "fidelity_low": "DOUBLE",
    "fidelity_high": "DOUBLE",
    "fidelity_true": "DOUBLE",
}
"""Columns of `write_pairs` and their SQL types; ``fidelity_true`` is NULL for a pair that nobody consumed."""


def write_pairs(histories: Iterable[History], path: Path) -> int:
    """Write every delivered pair to a Parquet file, at once: the file is whole or not there.

    Args:
        histories: what became of each request.
        path: of the file; an old one is replaced.

    Returns:
        Number of rows.

    Raises:
        OSError: the file cannot be written.

    Examples:
        >>> import tempfile
        >>> from quantum_fabric.messages import LinkRequest
        >>> path = Path(tempfile.mkdtemp()) / "pairs.parquet"
        >>> write_pairs([History(LinkRequest("A", "B", 0.9, name="r"), 0)], path)
        0
    """
    import duckdb
    import numpy as np

    rows = [row for history in histories for row in _rows(history)]
    columns: dict[str, Any] = {
        name: np.array([row[index] for row in rows], dtype=_DTYPES[kind])
        for index, (name, kind) in enumerate(COLUMNS.items())
    }
    casts = ", ".join(
        f"CAST({_null_for_nan(name) if kind == 'DOUBLE' else name} AS {kind}) AS {name}"
        for name, kind in COLUMNS.items()
    )
    partial = path.with_name(f".{path.name}.part")
    with duckdb.connect() as database:
        database.register("pairs", columns)
        target = str(partial).replace("'", "''")
        database.execute(f"COPY (SELECT {casts} FROM pairs) TO '{target}' (FORMAT parquet)")
    os.replace(partial, path)
    return len(rows)


_DTYPES: Final[dict[str, Any]] = {
    "VARCHAR": object,
    "INTEGER": "int32",
    "BIGINT": "int64",
    "DOUBLE": "float64",
}


def _null_for_nan(name: str) -> str:
    return f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END"


def _rows(history: History) -> Iterable[tuple[Any, ...]]:
    for pair, truth in zip(history.pairs, history.truths):
        yield (
            pair.request, pair.number, *pair.ends, *pair.pair, pair.bell.name, pair.created_at, pair.delivered_at,
            pair.expires_at, history.request.fidelity, pair.fidelity, pair.low, pair.high,
            float("nan") if truth is None else truth.weights[0],
        )  # fmt: skip


def write_text(text: str, path: Path) -> None:
    """Write a text file at once: it is whole or not there.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "report.html"
        >>> write_text("<p>", path); path.read_text()
        '<p>'
    """
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
