"""Forecasts against the twin: the same plan, forecast and then run message by message.

The promise is 15 % in rate and 0.005 in mean fidelity. A run's own standard error is allowed five times over, so a forecast that
keeps the promise fails with a probability below 1e-6 (and seeds are fixed).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import builders
from quantum_fabric import documents
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Delivered, Order
from quantum_fabric.network.forecast import forecast
from quantum_fabric.units import MS, SECOND, US, seconds

PAIRS = 400
WARM = 20
PROMISED_RATE = 0.15
PROMISED_FIDELITY = 0.005
SIGMAS = 5.0

CASES: list[tuple[str, int, dict[str, Any], dict[str, Any]]] = [
    ("one link", 1, {"lanes": 2}, {}),
    ("two links", 2, {}, {}),
    ("two links, lanes", 2, {"lanes": 3}, {}),
    ("four links", 4, {}, {}),
    ("four links, lanes", 4, {"lanes": 2}, {}),
    ("four links, nested", 4, {"order": Order.NESTED}, {}),
    ("swaps fail", 3, {}, {"swap_success": 0.6}),
    ("swaps fail, nested", 4, {"order": Order.NESTED}, {"swap_success": 0.6}),
    ("one link, two rounds", 1, {"lanes": 3, "rounds": 2}, {}),
    ("rounds on links", 2, {"lanes": 2, "rounds": 1}, {}),
    ("a round at the end", 2, {"lanes": 2, "end_rounds": 1}, {}),
    ("rounds everywhere", 2, {"lanes": 4, "rounds": 1, "end_rounds": 1}, {}),
    ("rounds within", 4, {"order": Order.NESTED, "lanes": 2, "inner": 1}, {}),
    ("a cutoff", 3, {"lanes": 2, "cutoff": 8 * MS}, {}),
    ("a cutoff, nested", 4, {"order": Order.NESTED, "lanes": 2, "cutoff": 15 * MS}, {}),
]


def spread(values: list[float]) -> tuple[float, float]:
    """Mean and its standard error from 10 batches, since neighbours are correlated."""
    size = len(values) // 10
    means = [math.fsum(values[at * size : (at + 1) * size]) / size for at in range(10)]
    mean = math.fsum(means) / 10
    return mean, math.sqrt(math.fsum((each - mean) ** 2 for each in means) / 9 / 10)


@pytest.mark.parametrize(("label", "hops", "how", "noise"), CASES, ids=[case[0] for case in CASES])
def test_the_twin_does_what_was_forecast(
    label: str, hops: int, how: dict[str, Any], noise: dict[str, float], planned: Callable[[Any], None]
) -> None:
    each = builders.node(slots=8, t2=1.0, swap_time=20 * US, depolarising_2=0.004, **noise)
    model = builders.link(0.15, period=MS, fidelity=0.97, heard=(MS // 5, MS // 5))
    network = builders.chain(hops + 1, model, each, hop_delay=MS // 5)
    path = builders.names(hops + 1)
    plan = builders.plan(network, path, **how)
    believed = documents.topology(network)
    expected = forecast(believed, plan)

    planned(plan)
    fabric = Fabric(network, seed=7)
    tape = builders.Tape(fabric, Delivered)
    fabric.submit(builders.request(path[0], path[-1], pairs=PAIRS))
    fabric.run(10**6 * SECOND, stop=lambda: not fabric.open_requests)

    pairs = [message for _, _, message in tape.of(Delivered)]
    assert len(pairs) == PAIRS
    times = [seconds(pair.delivered_at) for pair in pairs]
    gaps = [later - sooner for sooner, later in zip(times[WARM - 1 :], times[WARM:], strict=False)]
    gap, gap_error = spread(gaps)
    fidelity, fidelity_error = spread([pair.fidelity for pair in pairs[WARM:]])
    # the coefficient of variation is about 1: the batches may underrate the error
    gap_error = max(gap_error, gap / math.sqrt(len(gaps)))
    assert abs(expected.rate * gap - 1.0) < PROMISED_RATE + SIGMAS * gap_error / gap
    assert abs(expected.fidelity - fidelity) < PROMISED_FIDELITY + SIGMAS * fidelity_error
    late = sum(pair.fidelity < expected.fidelity_low for pair in pairs)
    assert late <= 0.05 * PAIRS + SIGMAS * math.sqrt(0.05 * PAIRS)  # all but one in twenty
