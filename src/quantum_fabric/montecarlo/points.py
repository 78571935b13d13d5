"""Operating points of links, one at a time: what a running kernel is told of a new one, or of one that has changed."""

from __future__ import annotations

from quantum_fabric.links.model import Heralding
from quantum_fabric.montecarlo.representations import prepared
from quantum_fabric.montecarlo.scenario import PLANT, PREPARED, Tables, integers, reals


def point_tables(link: int, heralding: Heralding, states: str) -> Tables:
    """The tables of one operating point: what a running kernel is told of a new one, or of one that has changed.

    Args:
        link: number of the link.
        heralding: what it is like.
        states: how the states of pairs are kept.
    """
    total, rows = 0.0, []
    for outcome in heralding.outcomes:
        total += outcome.probability
        rows.append((total, *prepared(outcome, states)))
    numbers = (link, heralding.period, heralding.cycle, *heralding.born, *heralding.heard, len(rows), 0)
    return {
        "points": integers([numbers], len(PLANT["points"])),
        "labels": integers([(int(outcome.bell),) for outcome in heralding.outcomes], 1),
        "outcomes": reals(rows, 1 + len(PREPARED[states])),
    }
