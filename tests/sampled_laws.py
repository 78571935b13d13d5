"""Comparing laws from samples: the false-alarm rates of what tests of samplers ask, and networks in which everything is unlike."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from benchmarks.networks import Job

from quantum_fabric.devices import Memory, Node
from quantum_fabric.devices.node import Gates
from quantum_fabric.montecarlo import Results
from quantum_fabric.montecarlo.results import DELIVERIES, STATES
from quantum_fabric.units import US


def unequal(job: Job) -> Job:
    """Every link and node another one, swaps that take time and depolarise, halves that are born and heard of at different times."""
    links, nodes = {}, {}
    for number, (name, link) in enumerate(job.inventory.links.items()):
        model: Any = link.model
        born = (number * 7 * US, 3 * US)
        changed = replace(
            model, success=0.1 + 0.03 * number, period=(90 + 7 * number) * US, born=born, heard=(100 * US, (101 + number) * US)
        )  # fmt: skip
        links[name] = replace(link, model=changed)
    for number, name in enumerate(job.inventory.nodes):
        memory = Memory(t1=0.4 + 0.1 * number, t2=0.2 + 0.05 * number)
        nodes[name] = Node(
            memory=memory, gates=Gates(depolarising_2=0.01 * number, gate_time=number * US), slots=2
        )
    return replace(job, inventory=replace(job.inventory, links=links, nodes=nodes))


def distance(a: Any, b: Any) -> float:
    """Two-sample Kolmogorov-Smirnov statistic, in units of its scale: beyond 3 with probability 2 exp(-18) = 3e-8."""
    both = np.concatenate([a, b])
    one = np.searchsorted(np.sort(a), both, side="right") / len(a)
    two = np.searchsorted(np.sort(b), both, side="right") / len(b)
    return float(np.abs(one - two).max()) * math.sqrt(len(a) * len(b) / (len(a) + len(b)))


def chi_square(a: Any, b: Any) -> float:
    """Standard deviations by which two histograms of independent counts differ more than they should."""
    whole = a + b
    often = whole > 20
    one, two = float(a.sum()), float(b.sum())
    terms = (a[often] * math.sqrt(two / one) - b[often] * math.sqrt(one / two)) ** 2 / whole[often]
    freedom = max(1, int(often.sum()) - 1)
    cube = (float(terms.sum()) / freedom) ** (1 / 3)  # Wilson, Hilferty
    return (cube - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))


def alike(kernel: Results, mine: Results) -> None:
    """The same in law: sums, sessions and lists of pairs; sums of the same fidelities in another order differ in the last bits."""
    for name in (
        "first",
        "ended",
        "fidelity",
        "believed",
        "interval",
        "interval_squared",
        "withheld",
        "delivered",
        "status",
    ):
        assert distance(np.round(kernel.column(name), 9), np.round(mine.column(name), 9)) < 3.0, name
    for found in (kernel, mine):
        assert np.array_equal(found.deliveries[:, 0], np.sort(found.deliveries[:, 0]))
        assert len(found.deliveries) == found.pairs + found.column("withheld").sum()
    # one pair of each replica, so that they are independent: the last one
    one, two = (_last(found) for found in (kernel, mine))
    for column, name in enumerate(DELIVERIES[3:], 3):
        assert distance(kernel.deliveries[one, column], mine.deliveries[two, column]) < 3.0, name
    for column, name in enumerate(STATES):
        assert (
            distance(np.round(kernel.states[one, column], 9), np.round(mine.states[two, column], 9)) < 3.0
        ), name
    assert (
        0.2 * kernel.twirl_error <= mine.twirl_error <= 5.0 * kernel.twirl_error
    )  # of the worst pair, which scatters


def _last(found: Results) -> Any:
    rows = found.deliveries[:, 0]
    return np.flatnonzero(np.append(rows[1:] != rows[:-1], True))
