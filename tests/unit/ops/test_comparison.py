"""A replay is compared byte by byte, as far as the old journal goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantum_fabric.errors import JournalError
from quantum_fabric.messages import Commit
from quantum_fabric.ops.comparison import Comparison, Difference
from quantum_fabric.ops.journal import Header, JournalWriter

HEADER = Header("0.1.0", 7, "full", {}, {})


def journal(path: Path, epochs: list[int], *, until: int = 99, end: bool = True) -> Path:
    writer = JournalWriter(path, HEADER)
    for epoch in epochs:
        writer(epoch * 10, "A", Commit(epoch))
    writer.close(until=until)
    if not end:
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    return path


def compare(old: Path, epochs: list[int], *, until: int = 99) -> Comparison:
    with Comparison(old) as comparison:
        writer = JournalWriter(comparison, Header("another version", 7, "full", {}, {}))
        for epoch in epochs:
            writer(epoch * 10, "A", Commit(epoch))
        writer.close(until=until)
    return comparison


def without_digest(difference: Difference | None) -> tuple[int, str, str]:
    assert difference is not None
    return difference.line, difference.was.split(',"sha')[0], difference.now.split(',"sha')[0]


def test_the_same_run_has_no_difference_whatever_the_first_line_says(tmp_path: Path) -> None:
    comparison = compare(journal(tmp_path / "old", [1, 2, 3]), [1, 2, 3])
    assert comparison.difference is None
    assert not comparison.settled
    assert comparison.matched == 3


def test_a_run_that_stopped_at_another_time_is_another_run(tmp_path: Path) -> None:
    line, was, now = without_digest(compare(journal(tmp_path / "old", [1]), [1], until=98).difference)
    assert (line, '"until":99' in was, '"until":98' in now) == (3, True, True)


def test_the_first_difference_is_kept(tmp_path: Path) -> None:
    comparison = compare(journal(tmp_path / "old", [1, 2, 3]), [1, 5, 6])
    assert comparison.matched == 1
    assert comparison.settled
    assert without_digest(comparison.difference) == (
        3,
        '{"t":20,"at":"A","m":{"type":"Commit","epoch":2}}',
        '{"t":50,"at":"A","m":{"type":"Commit","epoch":5}}',
    )


def test_one_message_too_many_or_too_few_is_a_difference(tmp_path: Path) -> None:
    old = journal(tmp_path / "old", [1, 2])
    line, was, now = without_digest(compare(old, [1, 2, 3]).difference)
    assert (line, was.startswith('{"end":2'), now.startswith('{"t":30')) == (4, True, True)
    line, was, now = without_digest(compare(old, [1]).difference)
    assert (line, was.startswith('{"t":20'), now.startswith('{"end":1')) == (3, True, True)


def test_a_killed_run_is_compared_as_far_as_it_got(tmp_path: Path) -> None:
    old = journal(tmp_path / "old", [1, 2], end=False)
    comparison = compare(old, [1, 2, 3, 4])
    assert comparison.difference is None
    assert comparison.exhausted
    assert comparison.matched == 2
    with old.open("ab") as file:
        file.write(b'{"t":30,"at"')
    assert compare(old, [1, 2, 3, 4]).difference is None


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be read"):
        Comparison(tmp_path / "none")
