"""A chain of repeaters under load against a table from an independent, compiled loop.

The rules of the table: links of 20 km with a station in the middle, attempts every 100 µs (light over the link), success
p = ½ (0.9 · 10^(−0.2))² per attempt, Werner pairs of fidelity 0.99, one memory pair for each link, swap as soon as possible, swaps and
messages without delay, every memory depolarising with T1 = T2 = 0.75 s from the start of the attempt. The loop averaged 200 000
pairs for each row.

Seeds are fixed. Each of the ten comparisons asks for 4 standard errors of the difference, which a fresh seed would miss once in
16 000 times.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from statistics import fmean, stdev
from typing import Any

import pytest

from builders import chain, link, names, node, plan, request
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Truth
from quantum_fabric.units import MS, SECOND, US

SUCCESS = 0.5 * (0.9 * 10**-0.2) ** 2
TABLE_PAIRS = 200_000
BATCHES = 30

TABLE = [
    # nodes, mean time between pairs in ms, mean fidelity, pairs here
    (2, 0.6201, 0.98980, 12_000),
    (3, 0.9028, 0.97864, 9_000),
    (5, 1.1956, 0.95705, 6_000),
    (9, 1.3544, 0.91578, 5_000),
    (17, 1.4234, 0.84045, 5_000),
]


def batched(samples: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error from the means of consecutive batches: neighbours in a chain under load are correlated."""
    size = len(samples) // BATCHES
    means = [fmean(samples[start : start + size]) for start in range(0, size * BATCHES, size)]
    return fmean(means), stdev(means) / math.sqrt(BATCHES)


@pytest.mark.parametrize(("nodes", "period", "fidelity", "count"), TABLE)
def test_rate_and_fidelity(
    nodes: int, period: float, fidelity: float, count: int, planned: Callable[[Any], None]
) -> None:
    network = chain(nodes, link(SUCCESS, 100 * US, 0.99), node(2, t1=0.75, t2=0.75))
    row = names(nodes)
    planned(plan(network, row))
    fabric = Fabric(network, seed=11)
    seen: list[tuple[float, float]] = []
    fabric.watch(lambda time, _place, truth: seen.append((time / MS, truth.weights[0])), Truth)
    fabric.submit(request(row[0], row[-1], 10 * count))
    warm = 50
    fabric.run(1000 * SECOND, stop=lambda: len(seen) > count + warm)
    times = [time for time, _ in seen[warm:]]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    for samples, exact in ((gaps, period), ([weight for _, weight in seen[warm:]], fidelity)):
        mean, error = batched(samples)
        table_error = error * math.sqrt(count / TABLE_PAIRS)
        assert abs(mean - exact) <= 4.0 * math.hypot(error, table_error) + 5e-5, (mean, error, exact)
