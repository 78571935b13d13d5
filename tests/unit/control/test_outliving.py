"""Promises that hold though the path fails at the worst moment, against sums over Poisson processes and against samples."""

from __future__ import annotations

import math
import random

import pytest

from quantum_fabric.control.outliving import CELLS, chance_though_failed, surest_deadline
from quantum_fabric.messages import Forecast, LinkRequest
from quantum_fabric.units import MS, SECOND, Time, from_seconds


def forecast(rate: float, rest: Time = 0) -> Forecast:
    """Exponential times; ``rest`` before the first."""
    return Forecast(rate, 0.0, 0.9, 0.9, rest + from_seconds(1.0 / rate))


def wish(pairs: int, **more: object) -> LinkRequest:
    return LinkRequest("A", "B", 0.8, pairs=pairs, confidence=0.99, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("pairs", [1, 2, 5, 12])
def test_two_equal_streams_are_one_stream_less_a_cell(pairs: int) -> None:
    """Where the second is as fast and begins at once, a failure changes nothing; the bound loses one cell of the time."""
    rate, deadline = 3.0, 5 * SECOND
    found = chance_though_failed(wish(pairs), forecast(rate), forecast(rate), 0, deadline)

    def poisson(seconds: float) -> float:
        mean = rate * seconds
        return 1.0 - sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(pairs))

    assert found <= poisson(5.0) + 1e-9
    assert found == pytest.approx(poisson(5.0 * (CELLS - 1) / CELLS), abs=1e-6)


@pytest.mark.parametrize("pairs", [3, 12, 13, 40])
def test_it_is_below_every_failure_that_is_tried(pairs: int) -> None:
    """20,000 samples at each of five moments; seven standard errors: false alarm below 1e-10."""
    draw = random.Random(pairs)
    first, second, switch, deadline = 20.0, 12.0, 30 * MS, from_seconds(2.0 * pairs / 12.0)
    found = chance_though_failed(wish(pairs), forecast(first), forecast(second), switch, deadline)
    for part in (0.0, 0.2, 0.5, 0.8, 0.95):
        fails = part * deadline / SECOND
        good = 0
        for _ in range(20_000 // pairs):
            time, count = draw.expovariate(first), 0
            while time < fails and count < pairs:
                count, time = count + 1, time + draw.expovariate(first)
            time = fails + switch / SECOND
            for _ in range(pairs - count):
                time += draw.expovariate(second)
            good += count >= pairs or time <= deadline / SECOND
        share = good / (20_000 // pairs)
        assert found <= share + 7 * math.sqrt(max(share * (1 - share), 0.001) / (20_000 // pairs))


def test_a_set_that_was_begun_is_begun_anew() -> None:
    one_by_one = chance_though_failed(wish(4), forecast(4.0), forecast(4.0), 0, 3 * SECOND)
    together = chance_though_failed(wish(4, window=SECOND), forecast(4.0), forecast(4.0), 0, 3 * SECOND)
    assert 0.0 < together < one_by_one


def test_a_slower_switch_is_worse() -> None:
    chances = [
        chance_though_failed(wish(2), forecast(2.0), forecast(2.0), switch, 4 * SECOND)
        for switch in (0, SECOND)
    ]
    assert chances[0] > chances[1]


def test_a_surest_deadline_is_one() -> None:
    request = wish(5)
    found = surest_deadline(request, forecast(5.0), forecast(2.0), 10 * MS, SECOND)
    assert found is not None
    assert chance_though_failed(request, forecast(5.0), forecast(2.0), 10 * MS, found) >= 0.99
    assert chance_though_failed(request, forecast(5.0), forecast(2.0), 10 * MS, found * 3 // 4) < 0.99
    assert surest_deadline(request, forecast(5.0), Forecast(0.0, 0.0, 0.9, 0.9, 0), 0, SECOND) is None
