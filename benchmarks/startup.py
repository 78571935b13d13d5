"""What it costs to start: CPU time of fresh processes, and how many modules they load."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from benchmarks.processes import cpu_of

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
