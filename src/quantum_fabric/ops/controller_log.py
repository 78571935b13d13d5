"""A controller's journal on disk: it outlives kill -9 and a power cut, and knows its own records.

Layout: the seven bytes of `MAGIC`, then batches. A batch is its length (4 bytes, big endian), a BLAKE2b digest of 16 bytes, and its
records, each behind its own length. The digest is keyed and covers the digest of the batch before it, so a batch that is changed, left
out or brought from elsewhere is found out. The first batch holds the image alone.

A process that is killed while it writes leaves a torn last batch. It is cut off: nothing that it led to was done. Damage
anywhere else is refused.
"""

from __future__ import annotations

import fcntl
import hmac
import os
from hashlib import blake2b
from pathlib import Path
from typing import Final

from quantum_fabric.errors import JournalError

MAGIC: Final = b"QFLOG1\n"
DIGEST: Final = 16
HEAD: Final = 4 + DIGEST


class FileLog:
    """Implements `quantum_fabric.ports.Log` with one file.

    Args:
        path: of the file; made where there is none (for its owner alone).
        key: at most 64 bytes, known to this controller only: who has it not cannot write a log that is believed.

    Raises:
        JournalError: another process has it open, it is no such log, or it is damaged other than at its end.
        OSError: it cannot be opened.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "controller.log"
        >>> log = FileLog(path, b"a key")
        >>> log.renew(b"image")
        >>> log.append(b"one")
        >>> log.sync()
        >>> log.append(b"never synced")
        >>> log.close()
        >>> FileLog(path, b"a key").read()
        (b'image', [b'one'])

    Limits:
        Keeps what POSIX promises of fsync; a disk that lies about it is not found out. One file system: the image replaces the
        file by a rename.
    """

    def __init__(self, path: Path, key: bytes = b"") -> None:
        self._path, self._key = path, key
        self._waiting: list[bytes] = []
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._lock(self._file)
            self._batches, self._last, end = self._whole()
            os.ftruncate(self._file, end)
            os.lseek(self._file, end, os.SEEK_SET)
        except BaseException:
            os.close(self._file)
            raise

    def _lock(self, file: int) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise JournalError(f"{self._path}: another controller has it open") from error

    def append(self, record: bytes) -> None:
        """Add a record to the next batch."""
        self._waiting.append(record)

    def sync(self) -> None:
        """Write what was added as one batch, and wait until it is on the disk."""
        if self._waiting:
            batch, self._last = self._batch(self._waiting, self._last)
            self._batches.append(self._waiting)
            self._waiting = []
            self._write(self._file, batch)
        os.fsync(self._file)

    def renew(self, image: bytes) -> None:
        """Begin again with an image: the old file is there until the new one is whole."""
        fresh = self._path.with_name(f".{self._path.name}.new")
        file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            self._lock(file)
            batch, last = self._batch([image], b"")
            self._write(file, MAGIC + batch)
            os.fsync(file)
            os.replace(fresh, self._path)
            self._sync_folder()
        except BaseException:
            os.close(file)
            raise
        os.close(self._file)
        self._file, self._last, self._batches, self._waiting = file, last, [[image]], []

    def read(self) -> tuple[bytes, list[bytes]]:
        """The image and the records since, as they are on the disk."""
        if not self._batches:
            return b"", []
        return self._batches[0][0], [record for batch in self._batches[1:] for record in batch]

    def close(self) -> None:
        """Let go of the file. What was not synced is not kept."""
        os.close(self._file)

    def _sync_folder(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @staticmethod
    def _write(file: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]

    def _digest(self, body: bytes, before: bytes) -> bytes:
        return blake2b(before + body, key=self._key, digest_size=DIGEST, person=b"controller log").digest()

    def _batch(self, records: list[bytes], before: bytes) -> tuple[bytes, bytes]:
        body = b"".join(len(each).to_bytes(4, "big") + each for each in records)
        digest = self._digest(body, before)
        return len(body).to_bytes(4, "big") + digest + body, digest

    def _whole(self) -> tuple[list[list[bytes]], bytes, int]:
        """The batches of the file, the digest of the last, and where the next one begins."""
        size = os.fstat(self._file).st_size
        data = os.pread(self._file, size, 0) if size else b""
        if not data or (len(data) < len(MAGIC) and MAGIC.startswith(data)):
            return [], b"", 0
        if not data.startswith(MAGIC):
            raise JournalError(f"{self._path}:byte 0: not the beginning of a controller's log")
        found: list[list[bytes]] = []
        last, at = b"", len(MAGIC)
        while len(data) - at >= HEAD:
            length = int.from_bytes(data[at : at + 4], "big")
            body = data[at + HEAD : at + HEAD + length]
            if len(body) < length:
                break  # torn
            digest = self._digest(body, last)
            if not hmac.compare_digest(digest, data[at + 4 : at + HEAD]):
                if found and at + HEAD + length == len(data):
                    break  # its pages came to the disk in another order
                raise JournalError(f"{self._path}:byte {at}: a batch that this controller has not written so")
            found.append(self._records(body))
            last, at = digest, at + HEAD + length
        if not found:  # an image comes whole or not at all
            raise JournalError(f"{self._path}:byte {len(MAGIC)}: no whole image")
        return found, last, at

    @staticmethod
    def _records(body: bytes) -> list[bytes]:
        found, at = [], 0
        while at < len(body):
            length = int.from_bytes(body[at : at + 4], "big")
            found.append(body[at + 4 : at + 4 + length])
            at += 4 + length
        return found
