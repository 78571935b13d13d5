"""The folder of a study: every finished chunk is on the disk, whole, before anybody counts on it.

    study.json     what is being studied, with its hash; written first
    chunks/*.json  finished work: a line about it with the hash of the rest, then one line for each run
    .lock          held while somebody works here

A chunk is written to another name, flushed to the disk and then renamed, and the folder is flushed too, so that whatever kills the
program there is either the whole chunk or none. A chunk that was damaged later is put aside and done again.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.studies.engine import Row
from quantum_fabric.studies.loading import FORMAT, Study
from quantum_fabric.studies.work import Chunk, Key, plain_row, row_of


@dataclass
class Store:
    """The folder of one study.

    Attributes:
        folder: made where it is not there.
        study: whose folder it is.
        damaged: files that were put aside.

    Examples:
        >>> import tempfile
        >>> from quantum_fabric.studies.loading import load_study
        >>> from quantum_fabric.studies.work import Task
        >>> store = Store(Path(tempfile.mkdtemp()) / "out", load_study("distance"))
        >>> with store.opened():
        ...     store.write(Chunk((Task(0, (), 0, 1),)), {(0, 0): {"rate": 1.5}})
        ...     store.read()
        {(0, 0): {'rate': 1.5}}
    """

    folder: Path
    study: Study
    damaged: list[Path] = field(default_factory=list)

    @property
    def chunks(self) -> Path:
        """Folder of the chunks."""
        return self.folder / "chunks"

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the folder: nobody else works in it meanwhile.

        Raises:
            InputError: it holds another study, or another process works in it.
            StateError: it cannot be made or written.
        """
        with self._explained():
            self.chunks.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / ".lock").open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise InputError(
                    f"{self.folder}, where another process works", "a folder of its own", "--out"
                ) from None
            self._belongs()
            yield

    def _belongs(self) -> None:
        """See that the folder holds this study, or nothing yet."""
        manifest = self.folder / "study.json"
        if manifest.exists():
            try:
                there = json.loads(manifest.read_text(encoding="utf-8"))["digest"]
            except (ValueError, KeyError, TypeError, UnicodeDecodeError):
                raise InputError(
                    f"{manifest}, which cannot be read", "the folder of a study", "--out"
                ) from None
            if there != self.study.digest:
                found = f"{self.folder}, which holds another study (or the same with other documents, seed or version)"
                raise InputError(found, "another folder, or the study that it was made for", "--out")
            return
        if any(self.chunks.glob("*.json")):
            raise InputError(f"{self.chunks} with chunks of an unknown study", "an empty folder", "--out")
        text = json.dumps({"digest": self.study.digest, **self.study.essence}, indent=1, ensure_ascii=False)
        self.save(manifest, text + "\n")

    def holds(self) -> bool:
        """Whether there is work in it already."""
        return any(self.chunks.glob("*.json"))

    def write(self, chunk: Chunk, rows: Mapping[Key, Row]) -> None:
        """Keep a finished chunk for good.

        Raises:
            StateError: it could not be written; what was there before still is.
        """
        body = "".join(
            json.dumps([point, run, plain_row(row)], allow_nan=False) + "\n"
            for (point, run), row in sorted(rows.items())
        )
        tasks = [[task.point, task.first, task.last] for task in chunk.tasks]
        head = {
            "format": FORMAT,
            "study": self.study.digest,
            "tasks": tasks,
            "sha256": sha256(body.encode()).hexdigest(),
        }
        name = (
            f"{tasks[0][0]:09d}-{tasks[0][1]:06d}-{sha256(json.dumps(tasks).encode()).hexdigest()[:12]}.json"
        )
        self.save(self.chunks / name, json.dumps(head) + "\n" + body)

    def save(self, path: Path, text: str) -> None:
        """Write a file so that it is whole or not there, even after a power cut.

        Raises:
            StateError: it could not be written.
        """
        partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        with self._explained():
            try:
                with partial.open("w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(partial, path)
                flush(path.parent)
            except BaseException:
                with contextlib.suppress(OSError):
                    partial.unlink(missing_ok=True)
                raise

    def read(self) -> dict[Key, Row]:
        """All finished runs. What is damaged is put aside under another name, and `damaged` tells."""
        found: dict[Key, Row] = {}
        for path in sorted(self.chunks.glob("*.json")):
            rows = self._rows(path)
            if rows is None:
                aside = path.with_suffix(".damaged")
                with self._explained():
                    os.replace(path, aside)
                self.damaged.append(aside)
            else:
                found.update(rows)
        for rest in self.chunks.glob(".*.part"):  # of a process that was killed while it wrote
            with contextlib.suppress(OSError):
                rest.unlink()
        return found

    def _rows(self, path: Path) -> dict[Key, Row] | None:
        try:
            head, _, body = path.read_text(encoding="utf-8").partition("\n")
            told: dict[str, Any] = json.loads(head)
            sound = told["sha256"] == sha256(body.encode()).hexdigest() and told["study"] == self.study.digest
            if not sound or told["format"] != FORMAT:
                return None
            lines = (json.loads(line) for line in body.splitlines())
            return {(point, run): row_of(row) for point, run, row in lines}
        except (ValueError, KeyError, TypeError, AttributeError, UnicodeDecodeError, OSError):
            return None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say what a fault of the disk means for the study."""
        try:
            yield
        except OSError as error:
            why = error.strerror or str(error)
            advice = {
                errno.ENOSPC: "make room",
                errno.EDQUOT: "make room",
                errno.EACCES: "get the right to write there",
                errno.EROFS: "choose a folder that can be written",
            }.get(error.errno or 0, "mend it")
            raise StateError(
                f"{error.filename or self.folder}: {why}; what was finished before is whole: {advice} and start the study again, "
                "it goes on from there"
            ) from error


def flush(folder: Path) -> None:
    """Let the disk know the names in a folder.

    Examples:
        >>> flush(Path("."))
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
