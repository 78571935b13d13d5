"""Where key-encryption keys come from: a file that nobody else may read, or the environment. Tokens are in `pkcs11`.

Both hold one KEK on each line, ``NAME HEXADECIMAL``; the first seals, the others only open. Blank lines and lines that begin
with ``#`` are left out.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import MutableMapping
from pathlib import Path

from quantum_fabric.errors import InputError
from quantum_fabric.keys import Kek, KeyMaterial, KeyRing
from quantum_fabric.keys.sealing import KEK_OCTETS, kek_name


def private(path: Path, what: str) -> bytes:
    """Read a small file that holds a secret.

    Args:
        path: of a regular file, no link, that belongs to this user and that nobody else may read or write.
        what: is in it, for the message.

    Raises:
        InputError: others may read or write it, or it is something else.
        OSError: it cannot be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise InputError("no regular file", "a file", f"{what} {path}")
        if found.st_mode & 0o077:
            mode = stat.S_IMODE(found.st_mode)
            raise InputError(
                f"mode {mode:04o}", "mode 0600 or 0400: nobody else may read it", f"{what} {path}"
            )
        if found.st_uid != os.geteuid():
            raise InputError(f"owner {found.st_uid}", f"owner {os.geteuid()}, this process", f"{what} {path}")
        if found.st_size > 65_536:
            raise InputError(f"{found.st_size} octets", "at most 65536", f"{what} {path}")
        return os.read(handle, found.st_size)
    finally:
        os.close(handle)


def ring_from_file(path: Path) -> KeyRing:
    """Read a key ring from a file of mode 0600 or 0400."""
    return _ring(private(path, "KEK file"), f"KEK file {path}")


def ring_from_environment(name: str, environment: MutableMapping[str, str] | None = None) -> KeyRing:
    """Read a key ring from a variable, and take the variable away so that no child process inherits it.

    Limits:
        On Linux the variable stays in ``/proc/PID/environ`` for this user and root: a file is better.

    Raises:
        InputError: there is no such variable, or it holds something else.
    """
    found = (os.environ if environment is None else environment).pop(name, None)
    if found is None:
        raise InputError("no such variable", "one or more lines 'NAME HEXADECIMAL'", f"environment {name}")
    return _ring(found.encode(), f"environment {name}")


def create(path: Path, name: str) -> None:
    """Make a KEK file with a random KEK; an existing file is left as it is, and refused.

    Raises:
        FileExistsError: there is one.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{name} {secrets.token_hex(KEK_OCTETS)}\n")


def renewed(path: Path) -> str:
    """Put a new random KEK first into a KEK file; the others stay below it and open what they have sealed.

    The file is replaced as a whole, so that a crash leaves the old one or the new one.

    Returns:
        The name of the new KEK: that of the first, counted on.

    Raises:
        InputError: it is no KEK file, or others may read it.
        OSError: it cannot be written.
    """
    before = private(path, "KEK file")
    ring = _ring(before, f"KEK file {path}")
    stem, dash, number = ring.current.name.rpartition("-")
    last = int(number) if dash and number.isdigit() else 1
    stem = stem if dash and number.isdigit() else ring.current.name
    name = next(
        found for n in range(last + 1, last + 10_000) if (found := f"{stem[:56]}-{n}") not in ring.names
    )
    fresh = path.with_name(path.name + ".new")
    create(fresh, name)
    with fresh.open("ab") as file:
        file.write(before)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return name


def prepend(path: Path, name: str) -> None:
    """Put a random KEK first into a KEK file; the old ones stay below it. A crash leaves the old file or the new one.

    Raises:
        InputError: others may read the file, or it has a KEK of that name.
        OSError: it cannot be read or written.
    """
    before = private(path, "KEK file")
    if name in _ring(before, f"KEK file {path}").names:
        raise InputError(f"a KEK of the name {name}", "a new name", f"KEK file {path}")
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    create(beside, kek_name(name))
    with beside.open("ab") as file:
        file.write(before)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def pin_from(
    file: Path | None, environment: str | None, variables: MutableMapping[str, str] | None = None
) -> str:
    """The PIN of a token, from a file of mode 0600 or 0400 or from a variable, which is taken away.

    Raises:
        InputError: neither or both, no such variable, or nothing in it.
    """
    if (file is None) is (environment is None):
        raise InputError("neither or both", "'pin_file' or 'pin_environment'", "kek.pkcs11")
    if file is not None:
        found = private(file, "PIN file").decode("utf-8", "replace").strip()
    else:
        found = (os.environ if variables is None else variables).pop(str(environment), "").strip()
    if not found:
        raise InputError("no PIN", "the PIN of the token", "kek.pkcs11")
    return found


def _ring(text: bytes, where: str) -> KeyRing:
    keks = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith(b"#"):
            continue
        # never quote the line: a slip of the pen may be a whole KEK
        try:
            name, octets = words[0].decode("ascii"), bytes.fromhex(words[1].decode("ascii"))
        except (IndexError, ValueError):
            octets = b""
        if len(words) != 2 or len(octets) != KEK_OCTETS:
            raise InputError(
                "something else",
                f"'NAME HEXADECIMAL' with {2 * KEK_OCTETS} digits",
                f"{where}, line {number}",
            )
        keks.append(Kek(name, KeyMaterial(octets)))
    if not keks:
        raise InputError("no KEK", "one line 'NAME HEXADECIMAL' or more", where)
    return KeyRing(keks[0], keks[1:])
