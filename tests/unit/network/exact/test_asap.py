"""Swaps as soon as possible: sure ones against the product law and a sampled pipeline; failing ones against segments."""

from __future__ import annotations

import math

import numpy as np
import pytest

import builders
from quantum_fabric import documents
from quantum_fabric.network import waiting
from quantum_fabric.network.chain import Chain, chain
from quantum_fabric.network.exact import Solution, segments, solve
from quantum_fabric.network.rehearsal import Stage
from quantum_fabric.network.scheme import from_plan
from quantum_fabric.units import MS, US


def row(
    successes: tuple[float, ...],
    periods: tuple[int, ...] | None = None,
    lanes: int = 1,
    delay: int = 0,
    t2: float = 0.1,
    swap: float = 1.0,
) -> Chain:
    links = len(successes)
    models = [
        builders.link(p, period=period, fidelity=0.97)
        for p, period in zip(successes, periods or (MS,) * links, strict=True)
    ]
    each = builders.node(slots=2 * lanes, t2=t2, swap_success=swap)
    network = builders.chain(links + 1, models, each, hop_delay=delay)
    return chain(
        documents.topology(network), from_plan(builders.plan(network, builders.names(links + 1), lanes=lanes))
    )


def solved(numbers: Chain) -> Solution:
    found = solve(numbers)
    assert found is not None
    return found


@pytest.mark.parametrize("successes", [(0.5,) * 3, (0.1,) * 8, (0.5, 0.3, 0.2, 0.6), (1.0, 0.5, 1.0)])
def test_the_slowest_link_decides(successes: tuple[float, ...]) -> None:
    found = solved(row(successes))
    assert found.exact
    assert found.first.mean == pytest.approx(1e-3 * float(waiting.heterogeneous_mean(successes)), rel=1e-8)
    for step in (1, 3, 10):
        cdf = math.prod(1.0 - (1.0 - p) ** step for p in successes)
        assert found.first.survival(step * 1e-3) == pytest.approx(1.0 - cdf, abs=1e-10)


def test_the_state_against_a_double_sum() -> None:
    """Three links; the two repeaters and the two ends each lose 1/T2 of x and y while they wait."""
    successes = (0.5, 0.4, 0.6)
    found = solved(row(successes, t2=0.02))
    fade, mean = math.exp(-1e-3 / 0.02), 0.0
    for a in range(1, 60):
        for b in range(1, 60):
            for c in range(1, 60):
                weight = math.prod(p * (1 - p) ** (t - 1) for p, t in zip(successes, (a, b, c), strict=True))
                last = max(a, b, c)
                mean += weight * fade ** (abs(a - b) + abs(b - c) + (last - a) + (last - c))
    start = ((4 * 0.97 - 1) / 3) ** 3 * fade**6  # heard one step after birth
    assert found.first.correlators[0] == pytest.approx(start * mean, abs=1e-9)


@pytest.mark.parametrize("delay", [0, MS // 2])
def test_grids_that_differ_against_the_rehearsal(delay: int) -> None:
    numbers = row((0.3, 0.2, 0.4), (MS, 1500 * US, 700 * US), delay=delay, t2=0.05)
    found = solved(numbers)
    assert found.exact
    firsts = []
    for number in range(1_500):
        stage = Stage(numbers, 70_000 + number)
        stage.play(1, 100_000)
        firsts += stage.delivered
    for values, mean in zip(np.array(firsts).T, (found.first.mean, found.first.fidelity), strict=True):
        assert abs(values.mean() - mean) < 5.0 * values.std() / math.sqrt(len(values))


def test_lanes_are_one_faster_link_for_the_first_pair() -> None:
    found = solved(row((0.2,) * 3, lanes=2))
    assert found.first.mean == pytest.approx(1e-3 * float(waiting.parallel_mean(1.0 - 0.8**2, 3)), rel=1e-9)


def test_failing_swaps_are_those_of_segments_in_seconds() -> None:
    found = solved(row((0.4, 0.3, 0.5), swap=0.6))
    exact = segments.law(segments.row([0.4, 0.3, 0.5], 0.6, together=True, ahead=True))
    assert found.first.mean == pytest.approx(1e-3 * exact.mean(), rel=1e-10)
    assert found.first.survival(0.010) == pytest.approx(exact.beyond(10), rel=1e-9)


def test_rare_success_takes_attempts_together() -> None:
    found = solved(row((0.001,) * 3, t2=5.0))
    assert any("attempts are taken as one" in remark for remark in found.remarks)
    assert found.first.mean == pytest.approx(1e-3 * float(waiting.parallel_mean(0.001, 3)), rel=2e-3)


def test_long_chains() -> None:
    """Ten links at most; where news of inner swaps comes sooner, it is said."""
    assert solve(row((0.5,) * 11)) is None
    assert any("outermost" in remark for remark in solved(row((0.5,) * 6, delay=MS)).remarks)
