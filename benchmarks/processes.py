"""Every measurement runs in a process of its own: no warm caches, no neighbour's memory, its own CPU time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ALONE = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Environment of every measurement, ours and the peers': one core. Idle threads of linear algebra would wait busily."""

WORKER = (sys.executable, "-m", "benchmarks.worker")


class MeasurementError(Exception):
    """A process that should have measured something did not."""


def ask(command: Sequence[str], question: Mapping[str, Any], timeout: float = 600.0) -> dict[str, Any]:
    """Run a process that reads a JSON question and prints a JSON answer as its last line.

    Raises:
        MeasurementError: it failed, took too long, or said something else.
    """
    try:
        done = subprocess.run(
            list(command), input=json.dumps(question), capture_output=True, text=True, check=False,
            timeout=timeout, cwd=ROOT, env={**os.environ, **ALONE},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MeasurementError(str(error)) from error
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise MeasurementError(f"exit code {done.returncode}: {last[0]}")
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise MeasurementError(f"said {done.stdout[-200:]!r}, not JSON") from error
    if not isinstance(answer, dict):
        raise MeasurementError(f"said {answer!r}, not an object")
    return answer


def ours(run: str, **question: Any) -> dict[str, Any]:
    """Ask a worker of our own (see `benchmarks.worker`)."""
    return ask(WORKER, {"run": run, **question})


def cpu_of(command: Sequence[str]) -> tuple[float, str]:
    """CPU seconds (user and system) of a whole process, and what it printed last on standard error.

    Raises:
        MeasurementError: it failed.
    """
    with subprocess.Popen(
        list(command), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as child:
        assert child.stderr is not None
        said = child.stderr.read().strip().splitlines()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise MeasurementError(f"exit code {child.returncode}: {said[-1] if said else 'no message'}")
    return usage.ru_utime + usage.ru_stime, said[-1] if said else ""


def middle(answers: Sequence[Mapping[str, Any]], key: str) -> float:
    """Median of one number over repetitions.

    Examples:
        >>> middle([{"cpu": 3.0}, {"cpu": 1.0}, {"cpu": 2.0}], "cpu")
        2.0
    """
    return float(median(answer[key] for answer in answers))
