"""A PostgreSQL server of a test's own, from the Debian package, on a Unix socket in a temporary folder. No port, no service."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def program(name: str) -> str | None:
    """Where Debian puts it."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda one: int(one.parts[4]))
    return str(found[-1]) if found else shutil.which(name)


def missing() -> str:
    """Why there can be none here; empty where there can."""
    if program("initdb") is None or program("postgres") is None:
        return "needs the Debian package postgresql"
    try:
        import asyncpg  # noqa: F401
    except ImportError:
        return "needs asyncpg (extra 'postgres')"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "PostgreSQL does not run as root, and there is no user 'postgres'"
    return ""


class Server:
    """One that runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        initdb = [
            program("initdb"),
            "-D",
            str(folder / "data"),
            "-U",
            "kme",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run([*self._as, *initdb], check=True, capture_output=True, cwd="/")
        self.process: subprocess.Popen[bytes] | None = None
        self._numbers = 0

    def start(self) -> None:
        command = [
            program("postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder), "-h", "",
            "-c", "shared_buffers=16MB", "-c", "max_connections=40",
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*self._as, *command], stdout=log, stderr=log, cwd="/")
        for _ in range(300):
            ready = subprocess.run(
                [program("pg_isready"), "-h", str(self.folder)], capture_output=True, check=False
            )
            if ready.returncode == 0:
                return
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            subprocess.run(["sleep", "0.05"], check=True)
        raise AssertionError("PostgreSQL does not come up")

    def stop(self, how: str = "INT") -> None:
        """INT: fast and orderly. QUIT: at once, without a checkpoint, as after a crash."""
        if self.process is not None:
            pid = (self.folder / "data" / "postmaster.pid").read_text().split()[0]
            subprocess.run(["kill", f"-{how}", pid], check=True)
            self.process.wait(30)
            self.process = None

    def sql(self, statement: str, database: str = "postgres") -> str:
        command = [program("psql"), "-h", str(self.folder), "-U", "kme", "-d", database, "-AtXc", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def database(self) -> str:
        """A new, empty one; its address."""
        self._numbers += 1
        name = f"kme_{os.getpid()}_{self._numbers}"
        self.sql(f"CREATE DATABASE {name}")
        return f"postgresql://kme@/{name}?host={self.folder}"


@contextmanager
def serving() -> Iterator[Server]:
    # a Unix socket's path must be short, and the user 'postgres' must reach it
    folder = Path(tempfile.mkdtemp(prefix="qf-pg-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        folder.chmod(0o755 if os.geteuid() == 0 else 0o700)
        server = Server(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop("QUIT")  # what is in it is thrown away: no checkpoint
    finally:
        shutil.rmtree(folder, ignore_errors=True)
