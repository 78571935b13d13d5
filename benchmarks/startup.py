"""What it costs to start: CPU time of fresh processes, and how many modules they load."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.processes import ROOT, MeasurementError, cpu_of
from benchmarks.records import Goal, Row

COUNT = "import sys; print(len(sys.modules), file=sys.stderr)"

HELP = """\
import sys
sys.argv = ["qfabric", "--help"]
from quantum_fabric.cli import main
try:
    main()
finally:
    print(len(sys.modules), file=sys.stderr)
"""

HEAVY = ("numpy", "networkx", "pydantic", "duckdb", "matplotlib", "topohub")
"""Packages that ``import quantum_fabric`` must not load."""


@dataclass(frozen=True, slots=True)
class Start:
    """One way to start.

    Attributes:
        name: for the report.
        what: in words.
        code: that a fresh interpreter runs; prints the number of loaded modules on standard error.
        goal: CPU seconds of the whole process.
        peer: what a peer's interpreter runs beside it; empty for none.
    """

    name: str
    what: str
    code: str
    goal: float
    peer: str = ""


STARTS = (
    Start("startup/import", "import quantum_fabric", f"import quantum_fabric; {COUNT}", 0.3),
    Start("startup/help", "qfabric --help", HELP, 0.6),
    Start(
        "startup/fabric",
        "import quantum_fabric.fabric",
        f"import quantum_fabric.fabric; {COUNT}",
        1.0,
        f"from sequence.topology.router_net_topo import RouterNetTopo; {COUNT}",
    ),
)


def start(code: str, python: str = sys.executable) -> tuple[float, int]:
    """CPU seconds and loaded modules of a fresh interpreter that runs some code.

    Raises:
        MeasurementError: the code failed.
    """
    cpu, said = cpu_of([python, "-c", code])
    return cpu, int(said)


def first_native(repetitions: int, progress: Callable[[str], None]) -> Row:
    """A fresh interpreter that imports, compiles a scenario and runs it in the kernel: CPU of the whole process."""
    code = f"from benchmarks.engines import first_result; first_result(); {COUNT}"
    times: list[float] = []
    modules = 0
    goal = Goal(1.0)
    try:
        for repetition in range(repetitions):
            progress(f"first native result, repetition {repetition + 1}")
            cpu, modules = start(code)
            times.append(cpu)
    except MeasurementError as error:
        return Row("start/native", "CPU s", None, goal, failure=str(error))
    return Row("start/native", "CPU s", median(times), goal, count=modules, counted="modules")


BUILDER = "QF_BUILD_PYTHON"
"""Environment variable: an interpreter that has nanobind, for the build of the kernel."""


def build(progress: Callable[[str], None]) -> Row:
    """CMake and the compiler on ``native/``, as at install, one job at a time: CPU seconds."""
    progress("building the kernel")
    goal, python = Goal(60.0), os.environ.get(BUILDER, sys.executable)
    name, quantity = "build/native", "CPU s"
    cmake = shutil.which("cmake")
    if cmake is None:
        return Row(name, quantity, None, goal, failure="cmake is not installed")
    with tempfile.TemporaryDirectory() as folder:
        try:
            configure = [cmake, "-S", str(ROOT / "native"), "-B", folder, f"-DPython_EXECUTABLE={python}"]
            first, _ = cpu_of(configure)
            second, _ = cpu_of([cmake, "--build", folder])
        except MeasurementError as error:
            return Row(
                name,
                quantity,
                None,
                goal,
                failure=f"{error} ({BUILDER} names an interpreter that has nanobind)",
            )
        made = sum(path.stat().st_size for path in Path(folder).glob("quantum_fabric_native*"))
    return Row(name, quantity, first + second, goal, count=made / 1e6, counted="MB")
