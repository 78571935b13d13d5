"""The journal survives every way in which a run can end, and refuses what was tampered with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import JournalError
from quantum_fabric.messages import Bell, Commit, Heralded, LinkRequest, Message, Truth
from quantum_fabric.ops.journal import KEEPS, Header, JournalWriter, read, read_header

HEADER = Header("0.1.0", 7, "requests", {"network": {"title": "zwei Städte"}}, {"duration": 5})
STREAM: list[tuple[int, str, Message]] = [
    (0, "client", LinkRequest("A", "B", 0.9, name="r")),
    (1500, "A", Commit(1)),
    (2500, "A", Truth((("A", "x#1"), ("B", "y#1")), Bell.PHI_PLUS, (0.1 + 0.2, 0.7 - 1e-17, 0.0, 0.0), 2500)),
]


def written(path: Path, **end: object) -> Path:
    with JournalWriter(path, HEADER) as journal:
        for time, place, message in STREAM:
            journal(time, place, message)
        journal.close(**end)  # type: ignore[arg-type]
    return path


def test_what_is_written_is_read_back_to_the_bit(tmp_path: Path) -> None:
    journal = read(written(tmp_path / "deep" / "er" / "journal.jsonl", until=9000))
    assert journal.header == HEADER
    assert [(entry.time, entry.place, entry.message) for entry in journal.entries] == STREAM
    assert [entry.line for entry in journal.entries] == [2, 3, 4]
    assert journal.end is not None
    assert (journal.end.entries, journal.end.until, journal.complete, journal.state) == (
        3,
        9000,
        True,
        "complete",
    )


def test_the_same_messages_make_the_same_bytes(tmp_path: Path) -> None:
    assert written(tmp_path / "a").read_bytes() == written(tmp_path / "b").read_bytes()


def test_every_line_is_there_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(path, HEADER)
    for number, (time, place, message) in enumerate(STREAM):
        writer(time, place, message)
        lines = path.read_bytes().splitlines(keepends=True)
        assert len(lines) == number + 2
        assert all(line.endswith(b"\n") and json.loads(line) for line in lines)
    writer.close()


def test_an_exception_marks_the_journal_as_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012, SIM117 (the two contexts are what is tested)
        with JournalWriter(path, HEADER) as writer:
            writer(*STREAM[0])
            raise KeyboardInterrupt
    journal = read(path)
    assert journal.state == "interrupted"
    assert not journal.complete
    assert len(journal.entries) == 1


def test_a_killed_run_leaves_a_readable_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from quantum_fabric.ops.journal import Header, JournalWriter\n"
        "from quantum_fabric.messages import Commit\n"
        "w = JournalWriter(Path(sys.argv[1]), Header('0', 1, 'full', {}, {}))\n"
        "[w(i, 'A', Commit(i)) for i in range(1000)]\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    journal = read(path)
    assert journal.end is None
    assert not journal.torn
    assert len(journal.entries) == 1000
    assert journal.state == "without its last line: the run was killed"


def test_a_torn_last_line_is_left_out_and_said(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:-9])
    journal = read(path)
    assert journal.torn
    assert journal.end is None
    assert len(journal.entries) == 3
    assert "torn" in journal.state


def test_a_closed_journal_takes_nothing_more(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "journal.jsonl", HEADER)
    writer(*STREAM[1])
    writer.close()
    writer.close()
    with pytest.raises(JournalError, match="closed"):
        writer(*STREAM[1])
    end = read(tmp_path / "journal.jsonl").end
    assert end is not None
    assert end.until == 1500


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda lines: [], ":1: an empty file"),
        (lambda lines: [b"hello\n"], ":1: not JSON"),
        (lambda lines: [b"{}\n"], ":1: not the first line of a journal"),
        (lambda lines: [lines[0][:20]], ":1: a torn first line"),
        (lambda lines: [lines[0].replace(b'"journal":1', b'"journal":9')], "format 9; this program reads 1"),
        (lambda lines: [lines[0].replace(b'"seed":7', b'"seed":"7"')], ":1: no usable 'seed'"),
        (lambda lines: [lines[0].replace(b'"requests"', b'"some"')], "'keeps' is 'some', not one of"),
        (lambda lines: [*lines[:2], lines[2][:9] + b"\n", *lines[3:]], ":3: not JSON"),
        (lambda lines: [*lines[:2], b"[]\n"], ":3: not a JSON object"),
        (lambda lines: [*lines[:2], b"{}\n"], ":3: not an entry"),
        (lambda lines: [*lines[:2], lines[2].replace(b'"t":1500', b'"t":"x"')], ":3: not an entry"),
        (
            lambda lines: [*lines[:2], lines[2].replace(b'"epoch":1', b'"epoch":"x"')],
            ":3: Commit.epoch: found 'x'",
        ),
        (lambda lines: [*lines[:2], lines[2].replace(b"Commit", b"Comit")], ":3: type: found 'Comit'"),
        (lambda lines: [*lines[:2], *lines[3:]], ":4: the journal counts 3 messages but holds 2"),
        (
            lambda lines: [*lines[:2], lines[2].replace(b"1500", b"1501"), *lines[3:]],
            ":5: the digest does not fit",
        ),
        (lambda lines: [*lines, lines[1]], ":6: a line after the end"),
        (lambda lines: [*lines[:4], b'{"end":3}\n'], ":5: no usable 'until'"),
    ],
)
def test_a_corrupt_line_is_refused_by_its_number(tmp_path: Path, spoil, message: str) -> None:
    path = written(tmp_path / "journal.jsonl")
    path.write_bytes(b"".join(spoil(path.read_bytes().splitlines(keepends=True))))
    with pytest.raises(JournalError) as caught:
        read(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    for reader in (read, read_header):
        with pytest.raises(JournalError, match="cannot be read: No such file"):
            reader(tmp_path / "none")


def test_the_header_alone(tmp_path: Path) -> None:
    assert read_header(written(tmp_path / "j")) == HEADER


def test_what_is_kept_by_default_leaves_the_fast_path_out() -> None:
    assert set(KEEPS["requests"]) < set(KEEPS["full"])
    assert Heralded not in KEEPS["requests"]
    assert Heralded in KEEPS["full"]


# --------------------------------------------------------------------------------- whatever happens to the bytes


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(tmp_path_factory.mktemp("whole") / "journal.jsonl", until=9000).read_bytes()


def test_cut_anywhere_it_is_read_as_far_as_it_goes(whole: bytes, tmp_path: Path) -> None:
    """A run may be killed after any byte: what is left is a prefix of the messages, never an error."""
    path = tmp_path / "cut.jsonl"
    first = whole.index(b"\n") + 1
    for length in range(first, len(whole)):
        path.write_bytes(whole[:length])
        journal = read(path)
        assert [(e.time, e.place, e.message) for e in journal.entries] == STREAM[
            : whole[:length].count(b"\n") - 1
        ]
        assert journal.end is None
        assert journal.torn == (not whole[:length].endswith(b"\n"))
    for length in range(first):
        path.write_bytes(whole[:length])
        with pytest.raises(JournalError, match=":1: "):
            read(path)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_no_changed_byte_goes_unnoticed(whole: bytes, tmp_path: Path, place: int, byte: int) -> None:
    """The last line digests every byte before it; the last line itself is checked by its fields."""
    end = whole.rindex(b'{"end"')
    place %= end
    if whole[place] == byte:
        return
    path = tmp_path / "changed.jsonl"
    path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
    with pytest.raises(JournalError):
        read(path)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(values=st.lists(st.floats(allow_nan=False), min_size=4, max_size=4), time=st.integers(0, 10**20))
def test_every_number_comes_back_to_the_bit(tmp_path: Path, values: list[float], time: int) -> None:
    truth = Truth((("A", "x"), ("B", "y")), Bell.PHI_PLUS, (values[0], values[1], values[2], values[3]), time)
    path = tmp_path / "numbers.jsonl"
    with JournalWriter(path, HEADER) as journal:
        journal(time, "twin", truth)
    (entry,) = read(path).entries
    assert isinstance(entry.message, Truth)
    assert list(map(repr, entry.message.weights)) == list(map(repr, values))
    assert entry.time == entry.message.at == time


def test_bytes_that_are_no_text_are_a_corrupt_line(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "binary.jsonl"
    path.write_bytes(whole[: whole.index(b"\n") + 1] + b"\xff\xfe\x00\n")
    with pytest.raises(JournalError, match=r":2: not JSON"):
        read(path)


def test_a_sink_gets_the_same_bytes_as_a_file(whole: bytes) -> None:
    lines: list[bytes] = []

    class Sink:
        def write(self, line: bytes, /) -> None:
            lines.append(line)

    with JournalWriter(Sink(), HEADER) as journal:
        for item in STREAM:
            journal(*item)
        journal.close(until=9000)
    assert b"".join(lines) == whole
