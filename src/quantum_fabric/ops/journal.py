"""The journal: what happened, append-only, one JSON object a line, readable whatever ends the run.

Layout of the file::

    {"journal": 1, "program": "0.1.0", "seed": 7, "keeps": "requests", "documents": {...}, "options": {...}}
    {"t": 0, "at": "controller", "m": {"type": "LinkRequest", ...}}           t: picoseconds, at: where
    ...
    {"end": 1042, "until": 60000000000000, "interrupted": false, "sha256": "..."}

The first line holds the documents in full, so a journal is all that a replay needs. The last line counts the
messages, says where simulated time stopped and (under ``cautions``) which models were used outside of what they can
say, and digests every byte before it. Each line goes to the operating system
as one write, so an interrupted or killed run leaves whole lines; at worst the last one is torn, and the reader says so.
"""

from __future__ import annotations

import hashlib
import json
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from quantum_fabric import wire
from quantum_fabric.errors import Caution, InputError, JournalError
from quantum_fabric.messages import (
    Accepted,
    Calibrate,
    Calibrated,
    Cancel,
    Commit,
    Confirmed,
    Declined,
    Delivered,
    Drain,
    KeyAlarm,
    KeyBlock,
    LinkChanged,
    LinkReport,
    LinkRequest,
    Message,
    NodeFailed,
    NodeRecovered,
    Outcome,
    Prepare,
    Prepared,
    Refused,
    Release,
    Released,
    SlotsBroken,
    Stale,
    Substandard,
    Truth,
)
from quantum_fabric.units import Time

FORMAT: Final = 1
"""Number of the layout above; a reader refuses any other."""

KEEPS: Final[Mapping[str, tuple[type, ...]]] = {
    "requests": (
        LinkRequest, Cancel, Accepted, Refused, Prepare, Prepared, Declined, Commit, Drain, Release, Released, Confirmed,
        Delivered, Substandard, Outcome, LinkReport, LinkChanged, NodeFailed, NodeRecovered, SlotsBroken,
        Calibrate, Calibrated, KeyBlock, KeyAlarm, Truth, Stale,
    ),
    "full": typing.get_args(Message),
}  # fmt: skip
"""What a journal keeps: ``"requests"`` the slow path (what was asked, installed, delivered, broken), ``"full"`` all."""

_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class Sink(Protocol):
    """Where whole lines go: an unbuffered file, or a `Comparison`."""

    def write(self, line: bytes, /) -> object:
        """Take one line, its line feed included."""
        ...


@dataclass(frozen=True, slots=True)
class Header:
    """First line of a journal.

    Attributes:
        program: version that wrote it.
        seed: of every random stream of the run.
        keeps: a key of `KEEPS`.
        documents: ``"network"`` and, where there was one, ``"workload"``, as plain data.
        options: what else the run depends on, as plain data.
    """

    program: str
    seed: int
    keeps: str
    documents: Mapping[str, Any]
    options: Mapping[str, Any]

    def shape(self) -> dict[str, Any]:
        """The JSON object of this line.

        Examples:
            >>> Header("0.1.0", 7, "requests", {}, {}).shape()["journal"]
            1
        """
        return {
            "journal": FORMAT, "program": self.program, "seed": self.seed, "keeps": self.keeps,
            "documents": dict(self.documents), "options": dict(self.options),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of a journal: its line number (from 1), when, where, what."""

    line: int
    time: Time
    place: str
    message: Message


@dataclass(frozen=True, slots=True)
class End:
    """Last line of a journal: number of messages, where time stopped, whether somebody stopped it, digest, cautions."""

    entries: int
    until: Time
    interrupted: bool
    sha256: str
    cautions: tuple[Caution, ...] = ()


class JournalWriter:
    """A watcher that writes what it sees, line by line.

    Args:
        target: path of a new file (parents are made; an old file is replaced), or a `Sink`.
        header: the first line.

    Raises:
        JournalError: a message cannot be written, or the writer is closed.
        OSError: the file cannot be made.

    Examples:
        >>> import tempfile
        >>> from quantum_fabric.messages import Commit
        >>> path = Path(tempfile.mkdtemp()) / "journal.jsonl"
        >>> with JournalWriter(path, Header("0.1.0", 7, "full", {}, {})) as journal:
        ...     journal(1500, "NU", Commit(epoch=1))
        ...     journal.close(until=2000)
        >>> [entry.message for entry in read(path).entries]
        [Commit(epoch=1)]
    """

    def __init__(self, target: Path | Sink, header: Header) -> None:
        self.count = 0
        self._digest = hashlib.sha256()
        self._last: Time = 0
        self._file: Any = None
        self._sink: Sink | None
        if isinstance(target, Path):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._sink = target.open("wb", buffering=0)
        else:
            self._sink = target
        self._write(header.shape())

    def __call__(self, time: Time, place: str, message: Message) -> None:
        """Append one message."""
        self._last = time
        self._write({"t": time, "at": place, "m": wire.encode(message)})
        self.count += 1

    def close(
        self, *, until: Time | None = None, interrupted: bool = False, cautions: Iterable[Caution] = ()
    ) -> None:
        """Write the last line; a second call does nothing.

        Args:
            until: simulated time that was reached; the time of the last message where None.
            interrupted: somebody stopped the run before its planned end.
            cautions: models that were used outside their validity.
        """
        if self._sink is None:
            return
        digest = self._digest.hexdigest()
        reached = self._last if until is None else until
        said = [wire.encode(caution) for caution in cautions]
        last = {"end": self.count, "until": reached, "interrupted": interrupted, "sha256": digest}
        self._write(last | ({"cautions": said} if said else {}))
        self._sink = None
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        """Use as a context: leaving it by an exception marks the journal as interrupted."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(interrupted=kind is not None)

    def _write(self, shape: dict[str, Any]) -> None:
        if self._sink is None:
            raise JournalError("the journal is closed; nothing more can be written to it")
        line = _text(shape).encode() + b"\n"
        self._sink.write(line)
        self._digest.update(line)


# ------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal that was read and checked.

    Attributes:
        header: its first line.
        entries: the messages in order.
        end: its last line; None where the run was killed before it could write one.
        torn: True where the last line was cut in the middle (and left out).
    """

    header: Header
    entries: tuple[Entry, ...]
    end: End | None
    torn: bool

    @property
    def complete(self) -> bool:
        """True where the run came to its planned end."""
        return self.end is not None and not self.end.interrupted

    @property
    def state(self) -> str:
        """One phrase for people.

        Examples:
            >>> Journal(Header("0.1.0", 7, "full", {}, {}), (), None, False).state
            'without its last line: the run was killed'
        """
        if self.end is None:
            return f"without its last line{' (one line is torn)' if self.torn else ''}: the run was killed"
        return "interrupted" if self.end.interrupted else "complete"


def read(path: Path) -> Journal:
    """Read a journal and check every line.

    Args:
        path: a file that `JournalWriter` made.

    Returns:
        The journal; a missing last line is no fault (`Journal.end` is None then).

    Raises:
        JournalError: no journal, another format, a corrupt line (named by number), a line after the last, or a
            digest that does not fit.
    """
    digest = hashlib.sha256()
    header: Header | None = None
    entries: list[Entry] = []
    end: End | None = None
    torn = False
    for number, line in enumerate(_lines(path), start=1):
        if end is not None:
            raise _corrupt(path, number, "a line after the end of the journal")
        if not line.endswith(b"\n"):
            torn = True
            break
        shape = _object(path, number, line)
        if header is None:
            header = _read_header(path, shape)
        elif "end" in shape:
            end = _read_end(path, number, shape)
            _check_end(path, number, end, len(entries), digest.hexdigest())
        else:
            entries.append(_read_entry(path, number, shape))
        digest.update(line)
    if header is None:
        raise _corrupt(path, 1, "an empty file" if not torn else "a torn first line")
    return Journal(header, tuple(entries), end, torn)


def read_header(path: Path) -> Header:
    """Read the first line of a journal alone.

    Raises:
        JournalError: it is no journal, or one of another format.
    """
    line = next(_lines(path), b"")
    return _read_header(path, _object(path, 1, line))


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise JournalError(f"{path}: cannot be read: {error.strerror}") from error


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        shape = json.loads(line)
    except ValueError as error:
        raise _corrupt(path, number, f"not JSON ({error})") from error
    if not isinstance(shape, dict):
        raise _corrupt(path, number, "not a JSON object")
    return shape


def _read_header(path: Path, shape: dict[str, Any]) -> Header:
    if "journal" not in shape:
        raise _corrupt(path, 1, "not the first line of a journal (no 'journal')")
    if shape["journal"] != FORMAT:
        raise _corrupt(path, 1, f"a journal of format {shape['journal']!r}; this program reads {FORMAT}")
    fields = {"program": str, "seed": int, "keeps": str, "documents": dict, "options": dict}
    for name, kind in fields.items():
        if not isinstance(shape.get(name), kind):
            raise _corrupt(path, 1, f"no usable {name!r}")
    if shape["keeps"] not in KEEPS:
        raise _corrupt(path, 1, f"'keeps' is {shape['keeps']!r}, not one of {', '.join(KEEPS)}")
    return Header(**{name: shape[name] for name in fields})


def _read_entry(path: Path, number: int, shape: dict[str, Any]) -> Entry:
    if type(shape.get("t")) is not int or not isinstance(shape.get("at"), str) or "m" not in shape:
        raise _corrupt(path, number, "not an entry (wants 't' in picoseconds, 'at' and 'm')")
    try:
        message = wire.decode(shape["m"])
    except InputError as error:
        raise _corrupt(path, number, str(error)) from error
    return Entry(number, shape["t"], shape["at"], typing.cast(Message, message))


def _read_end(path: Path, number: int, shape: dict[str, Any]) -> End:
    fields = {"end": int, "until": int, "interrupted": bool, "sha256": str}
    for name, kind in fields.items():
        if not isinstance(shape.get(name), kind):
            raise _corrupt(path, number, f"no usable {name!r} in the last line")
    try:
        said = tuple(typing.cast(Caution, wire.decode(one)) for one in shape.get("cautions", ()))
    except (InputError, TypeError) as error:
        raise _corrupt(path, number, f"no usable 'cautions' in the last line ({error})") from error
    return End(shape["end"], shape["until"], shape["interrupted"], shape["sha256"], said)


def _check_end(path: Path, number: int, end: End, count: int, digest: str) -> None:
    if end.entries != count:
        raise _corrupt(path, number, f"the journal counts {end.entries} messages but holds {count}")
    if end.sha256 != digest:
        raise _corrupt(path, number, "the digest does not fit: a line was changed after it was written")


def _corrupt(path: Path, number: int, what: str) -> JournalError:
    return JournalError(f"{path}:{number}: {what}")
