"""The change stream of the entanglement table on disk: JSON lines that can be read back, Parquet and CSV for analysis.

Layout of the JSON lines::

    {"entanglement": 2}
    {"n": 0, "t": 1520, "id": ["A~B/0#0", "A~B/0#0"], "pair": {...}}     n: number, t: ps; pair null: forgotten
    ...
    {"end": 1042, "until": 60000000000000}

This room knows lines and columns; what a change says is the business of `quantum_fabric.control.entangled.shapes`.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from quantum_fabric.errors import InputError, JournalError
from quantum_fabric.units import Time

FORMAT: Final = 2
"""Number of the layout above; a reader refuses any other (1 knew neither sets, nor tests, nor states of several nodes)."""

ENDINGS: Final = (".jsonl", ".parquet", ".csv")
"""What a file may end in; the ending chooses the format."""

_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def check_ending(path: Path) -> None:
    """Complain early about a file that nobody could write.

    Raises:
        InputError: another ending than `ENDINGS`.

    Examples:
        >>> check_ending(Path("pairs.xlsx"))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: entanglement: found 'pairs.xlsx', expected a file that ends in .jsonl, .parquet or .csv
    """
    if path.suffix not in ENDINGS:
        raise InputError(repr(path.name), "a file that ends in .jsonl, .parquet or .csv", "entanglement")


class StreamWriter:
    """Writes shapes of changes as JSON lines while they happen: whatever ends the run, whole lines are there.

    Args:
        path: of the file; an old one is replaced.

    Raises:
        OSError: the file cannot be made.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "pairs.jsonl"
        >>> writer = StreamWriter(path)
        >>> writer({"n": 0, "t": 5, "id": ["a", "b"], "pair": None})
        >>> writer.close(until=9)
        >>> list(read(path))
        [{'n': 0, 't': 5, 'id': ['a', 'b'], 'pair': None}]
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = path.open("w", encoding="utf-8")
        self._count = 0
        self._file.write(_text({"entanglement": FORMAT}) + "\n")

    def __call__(self, shape: Mapping[str, Any]) -> None:
        """Append one change."""
        self._file.write(_text(shape) + "\n")
        self._count += 1

    def close(self, until: Time) -> None:
        """Write the last line; a second call does nothing."""
        if not self._file.closed:
            self._file.write(_text({"end": self._count, "until": until}) + "\n")
            self._file.close()


def is_stream(path: Path) -> bool:
    """Whether a file begins as a stream of changes does.

    Raises:
        JournalError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(16).startswith(b'{"entanglement":')
    except OSError as error:
        raise JournalError(f"{path}: cannot be read: {error.strerror}") from error


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The shapes of the changes in a file of JSON lines, in order. A missing last line is no fault: the run was killed.

    Raises:
        JournalError: no such stream, another layout, a line that is not JSON, or not as many changes as the last line says.
    """
    if not is_stream(path):
        raise JournalError(f"{path}:1: not the first line of a stream of changes (no 'entanglement')")
    count, ended = 0, False
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if ended:
                raise JournalError(f"{path}:{number}: a line after the end")
            if not line.endswith("\n"):
                return  # torn: the run was killed
            try:
                shape = json.loads(line)
            except ValueError as error:
                raise JournalError(f"{path}:{number}: not JSON ({error})") from error
            if not isinstance(shape, dict):
                raise JournalError(f"{path}:{number}: not a JSON object")
            if number == 1:
                if shape["entanglement"] != FORMAT:
                    raise JournalError(
                        f"{path}:1: layout {shape['entanglement']!r}; this program reads {FORMAT}"
                    )
            elif "end" in shape:
                ended = True
                if shape["end"] != count:
                    raise JournalError(
                        f"{path}:{number}: it counts {shape['end']} changes, but holds {count}"
                    )
            else:
                count += 1
                yield shape


class TableWriter:
    r"""Writes rows to a Parquet or CSV file; the file is whole once it is closed, and not there before.

    Args:
        path: of the file; its ending chooses the format; an old one is replaced.
        columns: names and SQL types.

    Raises:
        InputError: another ending.
        OSError: the file cannot be made.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "pairs.csv"
        >>> writer = TableWriter(path, {"a": "BIGINT", "b": "VARCHAR"})
        >>> writer({"a": 1, "b": None})
        >>> writer.close(until=0)
        >>> path.read_text()
        'a,b\n1,\n'
    """

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        check_ending(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._columns = path, columns
        self._partial = path.with_name(f".{path.name}.part")
        self._file: IO[str] = self._partial.open("w", encoding="utf-8", newline="")
        self._rows = csv.DictWriter(self._file, columns, lineterminator="\n")
        self._rows.writeheader()

    def __call__(self, row: Mapping[str, Any]) -> None:
        """Append one row: values by column; None is NULL (empty in CSV)."""
        self._rows.writerow(row)

    def close(self, until: Time) -> None:  # noqa: ARG002 (as `StreamWriter`)
        """Put the file in its place; a second call does nothing."""
        if self._file.closed:
            return
        self._file.close()
        if self._path.suffix == ".parquet":
            whole = self._partial.with_suffix(".whole")
            _parquet(self._partial, self._columns, whole)
            self._partial.unlink()
            self._partial = whole
        os.replace(self._partial, self._path)


def _parquet(text: Path, columns: Mapping[str, str], target: Path) -> None:
    """Turn the CSV into Parquet; no value of ours is an empty text that is not also NULL."""
    import duckdb

    source, out = (str(path).replace("'", "''") for path in (text, target))
    kinds = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    with duckdb.connect() as database:
        database.execute(
            f"COPY (SELECT * FROM read_csv('{source}', header = true, delim = ',', quote = '\"', escape = '\"', "
            f"columns = {{{kinds}}})) TO '{out}' (FORMAT parquet)"
        )
