"""The tables of a study: one row a point, one row a run; Parquet that carries its provenance, and CSV.

The same study gives the same bytes, whoever computed it and in what order.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.studies.loading import Study, digest
from quantum_fabric.studies.outputs import Output
from quantum_fabric.studies.reduction import LEVEL, estimate
from quantum_fabric.studies.running import State
from quantum_fabric.studies.statistics import Estimate
from quantum_fabric.studies.store import Store
from quantum_fabric.studies.work import seed_of

KEY: Final = "quantum_fabric.study"
"""Of the provenance in the metadata of a Parquet file."""


@dataclass(frozen=True)
class Line:
    """One point of the table.

    Attributes:
        point: its number.
        coordinates: values of the axes, in base units.
        runs: how many.
        estimates: name of an output -> its number and interval.
        reached: whether the interval that was asked for is reached.
    """

    point: int
    coordinates: tuple[float | str, ...]
    runs: int
    estimates: Mapping[str, Estimate]
    reached: bool = True


def lines(study: Study, state: State) -> list[Line]:
    """The table of a finished study.

    Examples:
        >>> import tempfile
        >>> from quantum_fabric.studies.loading import load_study
        >>> from quantum_fabric.studies.running import Run
        >>> study = load_study("swap-order")
        >>> table = lines(study, Run(study, Path(tempfile.mkdtemp())).go())
        >>> len(table), table[0].coordinates, table[0].estimates["rate"].value > 0
        (8, ('asap', 0.0003), True)
    """
    level = state.rule.level
    found = []
    for point in range(study.design.points):
        rows = state.runs(point)
        made = {out.name: estimate(rows, out, level) for out in study.outputs}
        found.append(Line(point, study.design.coordinates(point), len(rows), made, state.rule.reached(rows)))
    return found


def columns(study: Study, table: Sequence[Line]) -> dict[str, list[Any]]:
    """The table as columns, with units in their names; None where there is no number."""
    made: dict[str, list[Any]] = {"point": [line.point for line in table]}
    for number, axis in enumerate(study.design.axes):
        made[axis.column] = [line.coordinates[number] for line in table]
    made["runs"] = [line.runs for line in table]
    for out in study.outputs:
        for suffix, part in (("", "value"), ("_low", "low"), ("_high", "high")):
            made[out.column + suffix] = [_known(getattr(line.estimates[out.name], part)) for line in table]
    if study.document.repeat is not None and study.document.repeat.interval is not None:
        made["reached"] = [line.reached for line in table]
    return made


def run_columns(study: Study, state: State) -> dict[str, list[Any]]:
    """Every run as columns."""
    keys = sorted(state.rows)
    names = sorted({name for row in state.rows.values() for name in row})
    made: dict[str, list[Any]] = {
        "point": [point for point, _ in keys],
        "run": [run for _, run in keys],
        "seed": [seed_of(study.document.seed, point, run) for point, run in keys],
    }
    for name in names:
        made[_column(name)] = [_known(state.rows[key].get(name, math.nan)) for key in keys]
    return made


def _column(name: str) -> str:
    from quantum_fabric.studies.outputs import OUTPUTS

    base, _, error = name.partition("~")
    out: Output | None = OUTPUTS.get(base)
    return (out.column if out else base) + (f"_{error}" if error else "")


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def provenance(study: Study) -> dict[str, Any]:
    """All that a table depends on, JSON-shaped, with the hash of each document and of the whole."""
    import duckdb
    import numpy as np

    hashes = {name: digest(data) for name, data in study.base.items()}
    return {
        **study.essence,
        "title": study.document.title,
        "digest": study.digest,
        "documents_sha256": hashes,
        "seed": study.document.seed,
        "level": LEVEL,
        "made_with": {"numpy": np.__version__, "duckdb": duckdb.__version__},
    }


def write(study: Study, state: State, table: Sequence[Line], folder: Path) -> list[Path]:
    """Write ``table.parquet``, ``table.csv`` and ``runs.parquet``; each is whole or not there.

    Raises:
        StateError: one cannot be written.

    Examples:
        >>> import tempfile
        >>> from quantum_fabric.studies.loading import load_study
        >>> from quantum_fabric.studies.running import Run
        >>> study, folder = load_study("swap-order"), Path(tempfile.mkdtemp())
        >>> state = Run(study, folder).go()
        >>> [path.name for path in write(study, state, lines(study, state), folder)]
        ['table.parquet', 'table.csv', 'runs.parquet']
        >>> read_provenance(folder / "table.parquet")["digest"] == study.digest
        True
    """
    told = json.dumps(provenance(study), sort_keys=True, ensure_ascii=False)
    points, runs = columns(study, table), run_columns(study, state)
    paths = [folder / "table.parquet", folder / "table.csv", folder / "runs.parquet"]
    write_parquet(points, told, paths[0])
    Store(folder, study).save(paths[1], csv_text(points))
    write_parquet(runs, told, paths[2])
    return paths


def csv_text(made: Mapping[str, Sequence[Any]]) -> str:
    r"""Columns as CSV: numbers with all their digits, nothing where there is none.

    Examples:
        >>> csv_text({"point": [0, 1], "rate_per_s": [1.5, None]})
        'point,rate_per_s\n0,1.5\n1,\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(made)
    writer.writerows(zip(*made.values()))
    return text.getvalue()


def write_parquet(made: Mapping[str, Sequence[Any]], told: str, path: Path) -> None:
    """Write columns as Parquet with a text of provenance in its metadata, at once.

    Raises:
        StateError: the file cannot be written.
    """
    import duckdb

    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    names = list(made)
    kinds = {name: _kind(values) for name, values in made.items()}
    fields = ", ".join(f"{_quoted(name)} {kinds[name]}" for name in names)
    try:
        with duckdb.connect(config={"threads": 1}) as database:
            database.execute(f"CREATE TABLE made ({fields})")
            rows = list(zip(*made.values()))
            if rows:
                holes = ", ".join("?" for _ in names)
                for start in range(0, len(rows), 500):
                    part = rows[start : start + 500]
                    places = ", ".join(f"({holes})" for _ in part)
                    database.execute(
                        f"INSERT INTO made VALUES {places}", [value for row in part for value in row]
                    )
            target, escaped = (text.replace("'", "''") for text in (str(partial), told))
            database.execute(
                f"COPY made TO '{target}' (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{'{KEY}': '{escaped}'}})"
            )
        os.replace(partial, path)
    except (duckdb.Error, OSError) as error:
        partial.unlink(missing_ok=True)
        raise StateError(
            f"{path}: cannot be written ({str(error).splitlines()[0]}); the chunks are whole"
        ) from error


def _kind(values: Sequence[Any]) -> str:
    for kind, of in (("BOOLEAN", bool), ("VARCHAR", str), ("BIGINT", int)):
        if values and all(isinstance(value, of) for value in values):
            return kind
    return "DOUBLE"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def read_provenance(path: Path) -> dict[str, Any]:
    """What a table of a study says about itself.

    Raises:
        InputError: not a table that a study wrote.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "t.parquet"
        >>> write_parquet({"point": [0]}, '{"seed": 7}', path)
        >>> read_provenance(path)
        {'seed': 7}
    """
    import duckdb

    try:
        with duckdb.connect() as database:
            rows = database.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(path)]).fetchall()
    except duckdb.Error as error:
        raise InputError(f"{path} ({str(error).splitlines()[0]})", "a Parquet file of a study") from None
    told = {bytes(key).decode(): bytes(value).decode() for key, value in rows}
    if KEY not in told:
        raise InputError(f"{path} without provenance", "a Parquet file that 'qfabric study' wrote")
    found: dict[str, Any] = json.loads(told[KEY])
    return found
