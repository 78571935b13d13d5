"""Watchers and what they make: journal, metrics, request summaries, tables, the report. No room calls them.

Histories, Metrics, Losses      folds over the messages of a run; each says in ``SEES`` what it wants to see
JournalWriter, read_journal     what happened, append-only, readable whatever ends the run
Comparison                      a replay against an old journal
summarise, pool                 asked against delivered
write_pairs, render             the Parquet table and the page
"""

from quantum_fabric.ops.comparison import Comparison, Difference
from quantum_fabric.ops.drawing import Drawing
from quantum_fabric.ops.journal import KEEPS, Header, Journal, JournalWriter
from quantum_fabric.ops.journal import read as read_journal
from quantum_fabric.ops.losses import Losses
from quantum_fabric.ops.metrics import METRICS, Metrics
from quantum_fabric.ops.report import Report, render
from quantum_fabric.ops.requests import Histories, History
from quantum_fabric.ops.summary import Summary, pool, summarise
from quantum_fabric.ops.tables import write_pairs, write_text

__all__ = [
    "KEEPS",
    "METRICS",
    "Comparison",
    "Difference",
    "Drawing",
    "Header",
    "Histories",
    "History",
    "Journal",
    "JournalWriter",
    "Losses",
    "Metrics",
    "Report",
    "Summary",
    "pool",
    "read_journal",
    "render",
    "summarise",
    "write_pairs",
    "write_text",
]
