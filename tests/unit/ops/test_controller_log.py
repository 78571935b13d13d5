"""The log on disk: what was synced is there, what is torn is cut off, what is changed is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import JournalError
from quantum_fabric.ops.controller_log import FileLog

KEY = b"k"


def written(path: Path, batches: list[list[bytes]]) -> FileLog:
    log = FileLog(path, KEY)
    log.renew(b"image")
    for batch in batches:
        for record in batch:
            log.append(record)
        log.sync()
    return log


def test_an_empty_log_has_nothing(tmp_path: Path) -> None:
    log = FileLog(tmp_path / "log", KEY)
    assert log.read() == (b"", [])
    assert os.stat(tmp_path / "log").st_mode & 0o077 == 0


@given(
    batches=st.lists(st.lists(st.binary(max_size=40), min_size=1, max_size=4), max_size=5),
    cut=st.integers(0, 400),
)
def test_a_log_that_is_cut_anywhere_has_the_batches_that_are_whole(
    batches: list[list[bytes]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    log = written(path, [])
    ends = [path.stat().st_size]
    for batch in batches:
        for record in batch:
            log.append(record)
        log.sync()
        ends.append(path.stat().st_size)
    log.close()
    size = max(ends[0], ends[-1] - cut)
    os.truncate(path, size)
    again = FileLog(path, KEY)
    whole = sum(end <= size for end in ends[1:])
    assert again.read() == (b"image", [record for batch in batches[:whole] for record in batch])
    again.append(b"more")
    again.sync()
    again.close()
    last = FileLog(path, KEY)
    assert last.read()[1][-1:] == [b"more"]
    last.close()


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_what_is_changed_is_refused_or_was_the_end(
    place: int, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    written(path, [[b"one", b"two"], [b"three"]]).close()
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1 << bit
    path.write_bytes(data)
    try:
        image, records = FileLog(path, KEY).read()
    except JournalError:
        return
    assert image == b"image"
    assert records in ([], [b"one", b"two"])  # never a record that nobody wrote


def test_batches_of_another_controller_are_refused(tmp_path: Path) -> None:
    written(tmp_path / "log", [[b"one"]]).close()
    with pytest.raises(JournalError, match="has not written so"):
        FileLog(tmp_path / "log", b"another key")


def test_a_batch_that_is_left_out_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = written(path, [[b"one"]])
    first = path.stat().st_size
    log.append(b"two")
    log.sync()
    second = path.stat().st_size
    log.append(b"three")
    log.sync()
    log.append(b"four")
    log.sync()
    log.close()
    data = path.read_bytes()
    path.write_bytes(data[:first] + data[second:])
    with pytest.raises(JournalError, match="byte"):
        FileLog(path, KEY)


def test_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a journal of another kind")
    with pytest.raises(JournalError, match="byte 0"):
        FileLog(tmp_path / "log", KEY)


def test_two_controllers_cannot_write_one_log(tmp_path: Path) -> None:
    log = written(tmp_path / "log", [])
    with pytest.raises(JournalError, match="another controller"):
        FileLog(tmp_path / "log", KEY)
    log.close()
    FileLog(tmp_path / "log", KEY).close()


def test_an_image_takes_the_place_of_everything(tmp_path: Path) -> None:
    log = written(tmp_path / "log", [[b"one"]])
    log.append(b"waits")
    log.renew(b"later")
    log.append(b"two")
    log.sync()
    assert log.read() == (b"later", [b"two"])
    log.close()
    assert FileLog(tmp_path / "log", KEY).read() == (b"later", [b"two"])
    assert os.listdir(tmp_path) == ["log"]
