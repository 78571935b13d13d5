"""Buckets never overflow, AIMD tends to equal shares, prices to the optimum."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.control.scheduling.allocation import Demand, jain
from quantum_fabric.control.scheduling.overload import Aimd, Prices, TokenBucket
from quantum_fabric.errors import QuantityError
from quantum_fabric.units import SECOND


@given(st.lists(st.tuples(st.integers(-SECOND, 3 * SECOND), st.floats(0.1, 4.0)), max_size=30))
def test_no_window_gets_more_than_burst_and_rate(asked: list[tuple[int, float]]) -> None:
    bucket = TokenBucket(rate=2.0, burst=3.0)
    now, taken = 0, []
    for step, amount in asked:
        now = max(0, now + step)  # the clock may jump back
        free = bucket.available(amount, now)
        if bucket.take(amount, now):
            taken.append((now, amount))
            assert free is not None
            assert free <= max(now, bucket._at)
        elif amount <= 3.0:
            assert free is not None
            assert free > now
        else:
            assert free is None
    high = max((at for at, _ in taken), default=0)
    assert sum(amount for _, amount in taken) <= 3.0 + 2.0 * high / SECOND + 1e-6


def test_available_is_when_it_says() -> None:
    bucket = TokenBucket(rate=2.0, burst=3.0)
    assert bucket.take(3.0, 0)
    at = bucket.available(1.5, 0)
    assert at == 3 * SECOND // 4
    assert not bucket.take(1.5, at - SECOND // 1000)
    assert bucket.take(1.5, at)


def test_aimd_tends_to_equal_shares() -> None:
    flows = [Aimd(rate, step=0.1) for rate in (9.0, 1.0, 0.1)]
    before = jain([flow.rate for flow in flows])
    used = []
    for _ in range(2000):
        congested = sum(flow.rate for flow in flows) > 10.0
        for flow in flows:
            flow.tell(congested)
        used.append(sum(flow.rate for flow in flows))
    assert before < 0.5
    assert jain([flow.rate for flow in flows]) > 0.9999
    assert 0.7 * 10.0 < np.mean(used[1000:]) < 10.0


def test_aimd_keeps_its_bounds() -> None:
    flow = Aimd(1.0, step=1.0, least=0.5, most=2.0)
    assert [flow.tell(False) for _ in range(3)] == [2.0, 2.0, 2.0]
    assert [flow.tell(True) for _ in range(3)] == [1.0, 0.5, 0.5]
    with pytest.raises(QuantityError, match="factor in"):
        Aimd(1.0, step=1.0, factor=1.0)


@pytest.mark.parametrize("seed", range(8))
def test_prices_settle_at_the_optimum(seed: int) -> None:
    """Against sequential quadratic programming on random networks: the same utility, and no capacity exceeded."""
    optimize = pytest.importorskip("scipy.optimize", reason="the extra 'studies' is not installed")
    rng = np.random.default_rng(seed)
    names = ["u", "v", "w"]
    capacities = {name: float(rng.uniform(1.0, 5.0)) for name in names}
    demands = []
    for k in range(6):
        on = [name for name in names if rng.random() < 0.6] or [names[k % 3]]
        use = {name: float(rng.uniform(0.5, 2.0)) for name in on}
        demands.append(Demand(str(k), use, math.inf, float(rng.uniform(0.5, 3.0))))
    prices = Prices(demands, capacities, gain=0.2)
    rates = prices.settle(tolerance=1e-9)
    weights = np.array([demand.weight for demand in demands])
    matrix = np.array([[demand.use.get(name, 0.0) for demand in demands] for name in names])
    room = np.array([capacities[name] for name in names])

    def loss(x: np.ndarray) -> float:
        return -float(weights @ np.log(np.maximum(x, 1e-12)))

    best = optimize.minimize(
        loss,
        np.full(6, 0.05),
        bounds=[(1e-6, None)] * 6,
        constraints={"type": "ineq", "fun": lambda x: room - matrix @ x},
        options={"maxiter": 500, "ftol": 1e-12},
    )
    ours = np.array([rates[demand.name] for demand in demands])
    assert np.all(matrix @ ours <= room * 1.001)
    assert ours == pytest.approx(best.x, rel=0.01)


def test_bad_input() -> None:
    with pytest.raises(QuantityError, match="rate"):
        TokenBucket(0.0, 1.0)
    with pytest.raises(QuantityError, match="a gain in"):
        Prices([], {"x": 1.0}, gain=0.0)
    with pytest.raises(QuantityError, match="capacities above 0"):
        Prices([], {"x": 0.0})
