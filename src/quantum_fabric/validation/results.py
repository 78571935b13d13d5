"""Every comparison as a table for analysis: one row a comparison, SI units, Parquet or CSV."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from quantum_fabric.validation.experiment import Result

COLUMNS: Final = {
    "experiment": "VARCHAR", "row": "INTEGER", "result": "VARCHAR", "label": "VARCHAR", "unit": "VARCHAR", "factor": "DOUBLE",
    "predicted": "DOUBLE", "predicted_error": "DOUBLE", "measured": "DOUBLE", "measured_error": "DOUBLE", "letter": "VARCHAR",
    "null": "DOUBLE", "tolerance_kind": "VARCHAR", "tolerance": "DOUBLE", "standing": "VARCHAR", "claim": "BOOLEAN",
    "passed": "BOOLEAN", "within_errors": "BOOLEAN", "sha256": "VARCHAR",
}  # fmt: skip
"""Columns and their SQL types; values in SI base units, of which the unit of the file is ``factor``."""


def records(results: Sequence[Result]) -> list[dict[str, Any]]:
    """One dictionary for each comparison.

    Examples:
        >>> records([])
        []
    """
    return [
        {
            "experiment": result.file.name, "row": result.file.row, "result": row.name, "label": row.measured.label,
            "unit": row.measured.number.unit, "factor": row.measured.number.factor, "predicted": row.predicted,
            "predicted_error": row.predicted_error, "measured": row.measured.number.value,
            "measured_error": row.measured.number.error, "letter": row.measured.number.letter, "null": row.null,
            "tolerance_kind": row.measured.tolerance.kind, "tolerance": row.measured.tolerance.value,
            "standing": row.standing.value, "claim": row.claims, "passed": row.passed,
            "within_errors": row.within_errors, "sha256": result.file.digest,
        }
        for result in results
        for row in result.comparisons
    ]  # fmt: skip


def write(results: Sequence[Result], folder: Path) -> list[Path]:
    """Write ``validation.parquet`` and ``validation.csv``, each at once: a file is whole or not there."""
    import duckdb

    found = records(results)
    written = []
    names = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE comparisons ({names})")
        if found:
            marks = ", ".join("?" for _ in COLUMNS)
            database.executemany(
                f"INSERT INTO comparisons VALUES ({marks})",
                [[row[name] for name in COLUMNS] for row in found],
            )
        for form in ("parquet", "csv"):
            path = folder / f"validation.{form}"
            partial = folder / f".validation.{form}.part"
            target = str(partial).replace("'", "''")
            database.execute(f"COPY comparisons TO '{target}' (FORMAT {form})")
            os.replace(partial, path)
            written.append(path)
    return written
