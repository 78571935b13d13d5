"""Replay, the comparing half: a sink that holds what a new run writes against an old journal, byte by byte."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from quantum_fabric.errors import JournalError


@dataclass(frozen=True, slots=True)
class Difference:
    """The first line on which two runs disagree; `was` or `now` is empty where that run had no such line."""

    line: int
    was: str
    now: str


class Comparison:
    r"""A journal sink that writes nothing and compares instead.

    The first line (documents, program version) is taken as given, and of the last line only the count of messages and
    the time are compared (its digest covers the first line). What comes after the old journal's last message
    is a difference only if that journal has a last line; a run that was killed is compared as far as it got.

    Args:
        path: the old journal.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "old.jsonl"
        >>> _ = path.write_text('{"journal":1}\n{"t":5}\n{"t":6}\n')
        >>> with Comparison(path) as comparison:
        ...     for line in (b'{"journal":1}\n', b'{"t":5}\n', b'{"t":7}\n'):
        ...         comparison.write(line)
        >>> comparison.difference
        Difference(line=3, was='{"t":6}', now='{"t":7}')
    """

    def __init__(self, path: Path) -> None:
        try:
            self._old = path.open("rb")
        except OSError as error:
            raise JournalError(f"{path}: cannot be read: {error.strerror}") from error
        self.matched = 0
        self.exhausted = False
        self.difference: Difference | None = None
        self._line = 0

    @property
    def settled(self) -> bool:
        """True once nothing more can change the verdict: a difference was seen, or the old journal is used up."""
        return self.difference is not None or self.exhausted

    def write(self, line: bytes) -> None:
        """Hold one new line against the next old one."""
        if self.settled:
            return
        self._line += 1
        old = self._old.readline()
        if self._line == 1:
            return
        if not old.endswith(b"\n"):  # used up, or its last line is torn
            self.exhausted = True
        elif _substance(old) != _substance(line):
            self.difference = Difference(
                self._line, old.decode(errors="replace").rstrip("\n"), line.decode().rstrip("\n")
            )
        elif not line.startswith(b'{"end":'):
            self.matched += 1

    def __enter__(self) -> Self:
        """Use as a context: the old journal is closed at its end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._old.close()


def _substance(line: bytes) -> bytes:
    return line.split(b',"interrupted":')[0] if line.startswith(b'{"end":') else line
