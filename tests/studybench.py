"""Small studies, and a cluster of real processes, for the tests of studies."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from quantum_fabric.studies import Study, parse_study

LINE = "base: {link: {distance: 40 km, segments: 2}, request: {fidelity: 0.9, pairs: 3}}\n"

SIMULATED = (
    "kind: study\nversion: 1\n"
    + LINE
    + """vary:
- {path: link.distance, name: distance, grid: [20 km, 40 km, 60 km]}
- {path: link.memories, name: memories, grid: [2, 4]}
engine: twin
repeat: {interval: {of: rate, relative: 20 %}, least: 4, most: 24}
outputs: [rate, fidelity, first_p50]
seed: 7
"""
)
"""Some dozens of short simulations, adaptive."""

FORECAST = (
    "kind: study\nversion: 1\n"
    + LINE
    + """vary:
- {path: link.distance, name: distance, grid: [20 km, 40 km]}
outputs: [rate, fidelity, accepted]
"""
)

TABLES = ("table.parquet", "table.csv", "runs.parquet")

NO_DASK = "" if find_spec("distributed") else "needs the extra 'cluster' (dask.distributed)"


def study(text: str = SIMULATED, file: str = "s.yaml") -> Study:
    return parse_study(text, file)


def program(*arguments: str, **options: object) -> subprocess.Popen[bytes]:
    """``qfabric study`` as a process in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "quantum_fabric", "study", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        **options,  # type: ignore[call-overload]
    )


def tables(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in TABLES}


@dataclass
class Cluster:
    """A scheduler and its workers, each a process of its own, on loopback.

    Attributes:
        address: of the scheduler.
        scheduler, workers: processes.
    """

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A real Dask cluster; everything is killed in the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    quiet = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "env": {**os.environ, "OMP_NUM_THREADS": "1"},
    }

    def start(name: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{name}", *arguments]
        return subprocess.Popen(command, **quiet)  # type: ignore[call-overload, no-any-return]

    begun = [start("dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")]
    try:
        for number in range(workers):
            place = str(folder / f"worker{number}")
            begun.append(
                start(
                    "dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1",
                    "--local-directory", place,
                )
            )  # fmt: skip
        _wait_for(address, workers)
        yield Cluster(address, begun[0], begun[1:])
    finally:
        for process in begun:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        for process in begun:
            process.wait()
        for number in range(workers):
            shutil.rmtree(folder / f"worker{number}", ignore_errors=True)


def _wait_for(address: str, workers: int) -> None:
    from distributed import Client

    deadline = time.monotonic() + 60
    while True:
        try:
            with Client(address, timeout="5s", set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=60)
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
