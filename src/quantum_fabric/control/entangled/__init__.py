"""Where entanglement is believed to be: the table of every pair, how fresh it is, whose it is, and what became of it.

What is where:
    pairs     one row for each pair, a stream of changes, and questions to ask of it
    table     the fold over what nodes report that makes the stream
    halves    what the fold keeps of memories, and rows in the making
    leases    whose slots are: installations and requests
    uses      what becomes of pairs that are complete
    shared    states of several nodes that were fused of pairs
    shapes    changes as JSON shapes and as flat rows
"""

from quantum_fabric.control.entangled.pairs import (
    TOLERANCE,
    WORTHLESS,
    Change,
    End,
    Estimate,
    Pair,
    PairState,
    View,
    fold,
)

__all__ = ["TOLERANCE", "WORTHLESS", "Change", "End", "Estimate", "Pair", "PairState", "View", "fold"]
