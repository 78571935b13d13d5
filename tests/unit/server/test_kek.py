"""KEKs come from where nobody else can read, and never show."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quantum_fabric.errors import InputError
from quantum_fabric.server.kek import create, prepend, renewed, ring_from_environment, ring_from_file

GOOD = "first " + "ab" * 32


def file(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "kek"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_file_that_was_made(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    create(path, "2026")
    assert path.stat().st_mode & 0o777 == 0o600
    assert ring_from_file(path).current.name == "2026"
    before = path.read_text()
    with pytest.raises(FileExistsError):
        create(path, "2027")
    assert path.read_text() == before
    create(tmp_path / "other", "2026")
    assert (tmp_path / "other").read_text() != before, "random"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o666, 0o601, 0o620, 0o777])
def test_looser_modes_are_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(InputError, match="nobody else"):
        ring_from_file(file(tmp_path, GOOD, mode))


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_tight_modes(tmp_path: Path, mode: int) -> None:
    assert (
        ring_from_file(file(tmp_path, f"# KEKs\n\n{GOOD}\nolder {'cd' * 32}\n", mode)).current.name == "first"
    )


def test_somebody_elses_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path, GOOD)
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(InputError, match=f"owner {mine}"):
        ring_from_file(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    path = file(tmp_path, GOOD)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(OSError, match="symbolic"):
        ring_from_file(link)
    with pytest.raises(InputError, match="regular"):
        ring_from_file(tmp_path)
    with pytest.raises(FileNotFoundError):
        ring_from_file(tmp_path / "none")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n# only\n",
        "first",
        "first abcd",
        GOOD + " more",
        "ab" * 32,
        "first " + "zz" * 32,
        "é " + "ab" * 32,
    ],
)
def test_a_slip_of_the_pen_is_not_quoted(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError) as caught:
        ring_from_file(file(tmp_path, text))
    assert "abab" not in str(caught.value)
    assert "zz" not in str(caught.value)


def test_the_environment_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEK", GOOD)
    assert ring_from_environment("A_KEK").current.name == "first"
    assert "A_KEK" not in os.environ, "no child process inherits it"
    with pytest.raises(InputError, match="no such variable"):
        ring_from_environment("A_KEK")


def test_a_new_kek_goes_first(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    create(path, "2026")
    before = path.read_text()
    prepend(path, "2027")
    ring = ring_from_file(path)
    assert ring.current.name == "2027"
    assert ring.names == {"2026", "2027"}
    assert path.read_text().endswith(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["kek"]
    for name in ("2026", "2027", "a name", ""):
        with pytest.raises(InputError):
            prepend(path, name)
    assert ring_from_file(path).names == {"2026", "2027"}
    path.chmod(0o644)
    with pytest.raises(InputError, match="nobody else"):
        prepend(path, "2028")


def test_a_renewed_file_seals_with_the_new_kek_and_opens_with_the_old(tmp_path: Path) -> None:
    path = file(tmp_path, GOOD + "\n")
    name = renewed(path)
    ring = ring_from_file(path)
    assert (ring.current.name, ring.names) == (name, {name, "first"})
