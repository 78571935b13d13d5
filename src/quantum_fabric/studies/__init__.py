"""Studies: documents with something varied in them, computed on this machine or on a cluster; tables, plots, reports.

    load_study              a study document, checked with everything that it names
    bill, check_limits      what it would cost, and whether that is allowed
    Run                     the run: finished work is kept, the rest is done, in any order, by anybody
    executor                who does it: this process, a pool, a cluster
    lines, write            the table of a study, in Parquet and CSV; read_provenance reads back what it was made from
    indices                 which of the things that vary matter
    backwards               what must improve for a goal, at least cost
    render                  the page

An engine (`engine.Engine`) answers the question of a point; a new one is one module in this room.
"""

from quantum_fabric.studies.engine import Engine, engine
from quantum_fabric.studies.executors import Executor
from quantum_fabric.studies.hands import executor
from quantum_fabric.studies.inverse import Answer, backwards
from quantum_fabric.studies.loading import Study, bundled, load_study, parse_study
from quantum_fabric.studies.outputs import OUTPUTS
from quantum_fabric.studies.page import Page, render
from quantum_fabric.studies.papers import Papers
from quantum_fabric.studies.question import Question
from quantum_fabric.studies.running import Bill, Run, State, bill, check_limits
from quantum_fabric.studies.sensitivity import Index, indices
from quantum_fabric.studies.store import Store
from quantum_fabric.studies.tables import Line, lines, read_provenance, write

__all__ = [
    "OUTPUTS",
    "Answer",
    "Bill",
    "Engine",
    "Executor",
    "Index",
    "Line",
    "Page",
    "Papers",
    "Question",
    "Run",
    "State",
    "Store",
    "Study",
    "backwards",
    "bill",
    "bundled",
    "check_limits",
    "engine",
    "executor",
    "indices",
    "lines",
    "load_study",
    "parse_study",
    "read_provenance",
    "render",
    "write",
]
