"""Frozen parameter files: the SHA-256 of each is in a committed lock and compared before anything is computed.

The lock ``data/SHA256SUMS`` has the form of the tool ``sha256sum``, so anybody can check it without this program:
``sha256sum -c SHA256SUMS``. A maintainer who changes a parameter file on purpose runs
``python -m quantum_fabric.validation.freezing`` and commits both together, so that the history shows what was changed and when.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from quantum_fabric.documents.reading import compose
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.validation.parameters import ParameterFile, parameter_file

DATA: Final = Path(__file__).parent / "data"
"""Where the parameter files are."""

LOCK: Final = "SHA256SUMS"
REMAINING: Final = "not-comparable.yaml"
"""Experiments that are known and cannot be compared yet; it holds no parameters."""


def verify(folder: Path = DATA) -> dict[str, str]:
    """Compare every parameter file with the lock.

    Args:
        folder: of the files and their lock.

    Returns:
        Name of the experiment -> SHA-256.

    Raises:
        InputError: a file that differs from the lock, that the lock does not name, or that is missing; the error has its name and
            both hashes.

    Examples:
        >>> len(verify()["humphreys2018"])
        64
    """
    locked = _lock(folder)
    there = {path.name: digest(path) for path in sorted(folder.glob("*.yaml"))}
    for name in sorted(there.keys() | locked.keys()):
        found, expected = there.get(name), locked.get(name)
        if found != expected:
            raise InputError(
                f"SHA-256 {found}" if found else "no such file",
                f"the frozen file, SHA-256 {expected}" if expected else f"only files that {LOCK} names",
                f"parameter file {name}",
            )
    return {Path(name).stem: value for name, value in there.items() if name != REMAINING}


def load(name: str, folder: Path = DATA) -> ParameterFile:
    """Read one parameter file, after its hash was compared with the lock.

    Raises:
        UnknownNameError: no such experiment.
        InputError: the file differs from the lock, or cannot be read.

    Examples:
        >>> load("stephenson2020").row
        5
    """
    path = folder / f"{name}.yaml"
    locked = _lock(folder)
    if path.name not in locked:
        known = ", ".join(sorted(Path(each).stem for each in locked if each != REMAINING))
        raise UnknownNameError(repr(name), f"one of {known}", "experiment")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != locked[path.name]:
        raise InputError(
            f"SHA-256 {found}", f"the frozen file, SHA-256 {locked[path.name]}", f"parameter file {path.name}"
        )
    return parameter_file(_plain(content, path.name), found, path.name)


@dataclass(frozen=True, slots=True)
class NotComparable:
    """An experiment that cannot be compared yet.

    Attributes:
        name: of the experiment.
        cite: the paper.
        missing: what would be needed.
    """

    name: str
    cite: str
    missing: str


def not_comparable(folder: Path = DATA) -> tuple[NotComparable, ...]:
    """Experiments that are known and cannot be compared, and what is missing for each.

    Examples:
        >>> all(entry.missing for entry in not_comparable())
        True
    """
    plain = _plain((folder / REMAINING).read_bytes(), REMAINING)
    return tuple(NotComparable(name, entry["cite"], entry["missing"]) for name, entry in plain.items())


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _lock(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / LOCK).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise InputError("no such file", "the lock of the parameter files", str(folder / LOCK)) from None
    return {name: value for value, _, name in (line.partition("  ") for line in lines if line)}


def _plain(content: bytes, name: str) -> Any:
    return compose(content.decode("utf-8"), name)[0].plain()
