"""Max-min fairness against a linear programme, proportional shares, Jain's index."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.control.scheduling.allocation import Demand, jain, proportional, water_fill
from quantum_fabric.errors import QuantityError, UnknownNameError

optimize = pytest.importorskip("scipy.optimize", reason="the extra 'studies' is not installed")

demand_sets = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("xyz"), st.floats(0.2, 3.0), min_size=1),
        st.floats(0.1, 4.0) | st.just(math.inf),
        st.floats(0.5, 3.0),
    ),
    min_size=1,
    max_size=5,
)


def lexicographic(demands: list[Demand], capacities: dict[str, float]) -> dict[str, float]:
    """Max-min fair rates by linear programmes: raise the least level, fix whoever cannot rise, again."""
    fixed: dict[int, float] = {}
    while len(fixed) < len(demands):
        open_ = [k for k in range(len(demands)) if k not in fixed]

        def programme(goal: int | None, level: float, open_: list[int] = open_) -> float:
            """Greatest common level (goal None), or greatest rate of one with all others at the level."""
            n = len(demands)
            rows, bounds = [], []
            for resource, capacity in capacities.items():
                rows.append([d.use.get(resource, 0.0) for d in demands] + [0.0])
                bounds.append(capacity)
            for k in open_:
                row = [0.0] * (n + 1)
                row[k], row[n] = -1.0 / demands[k].weight, 1.0
                rows.append(row)
                bounds.append(0.0)
            limits = [(fixed[k], fixed[k]) if k in fixed else (0.0, d.most) for k, d in enumerate(demands)]
            cost = np.zeros(n + 1)
            cost[n if goal is None else goal] = -1.0
            low = 0.0 if goal is None else level
            found = optimize.linprog(
                cost, rows, bounds, bounds=[*limits, (low, None if goal is None else level)]
            )
            assert found.success, found.message
            return -float(found.fun)

        level = programme(None, 0.0)
        stuck = [
            k
            for k in open_
            if programme(k, level * (1 - 1e-9)) <= level * demands[k].weight * (1 + 1e-6) + 1e-9
        ]
        assert stuck
        fixed.update({k: min(level * demands[k].weight, demands[k].most) * (1 - 1e-10) for k in stuck})
    return {demand.name: fixed[k] for k, demand in enumerate(demands)}


@settings(max_examples=60, deadline=None)
@given(demand_sets)
def test_against_linear_programmes(found: list[tuple[dict[str, float], float, float]]) -> None:
    capacities = {"x": 1.0, "y": 2.0, "z": 0.7}
    demands = [Demand(str(k), use, most, weight) for k, (use, most, weight) in enumerate(found)]
    rates = water_fill(demands, capacities)
    assert rates == pytest.approx(lexicographic(demands, capacities), rel=1e-5, abs=1e-7)


@given(demand_sets)
def test_nothing_is_overdrawn_and_everybody_has_a_bottleneck(
    found: list[tuple[dict[str, float], float, float]],
) -> None:
    capacities = {"x": 1.0, "y": 2.0, "z": 0.7}
    demands = [Demand(str(k), use, most, weight) for k, (use, most, weight) in enumerate(found)]
    rates = water_fill(demands, capacities)
    load = {name: sum(d.use.get(name, 0.0) * rates[d.name] for d in demands) for name in capacities}
    assert all(load[name] <= capacities[name] * (1 + 1e-9) for name in capacities)
    for demand in demands:
        level = rates[demand.name] / demand.weight
        sated = rates[demand.name] >= demand.most * (1 - 1e-9)
        bottleneck = any(
            load[name] >= capacities[name] * (1 - 1e-9)
            and all(rates[d.name] / d.weight <= level * (1 + 1e-9) for d in demands if name in d.use)
            for name in demand.use
        )
        assert sated or bottleneck


def test_nothing_left_is_nothing_given() -> None:
    assert water_fill([Demand("a", {"x": 1.0})], {"x": 0.0}) == {"a": 0.0}
    assert water_fill([], {"x": 1.0}) == {}
    assert proportional({"a": 2.0, "b": 2.0}, 10.0, {}) == {"a": 2.0, "b": 2.0}


def test_jain() -> None:
    assert jain([2.0, 2.0]) == 1.0
    assert jain([1.0, 2.0, 3.0]) == pytest.approx(36.0 / 42.0)
    assert jain([0.0, 0.0]) == jain([]) == 1.0
    with pytest.raises(QuantityError, match="0 or more"):
        jain([1.0, -1.0])


def test_bad_input() -> None:
    with pytest.raises(QuantityError, match="weight"):
        water_fill([Demand("a", {"x": 1.0}, weight=0.0)], {"x": 1.0})
    with pytest.raises(QuantityError, match="0 or more"):
        water_fill([Demand("a", {"x": 1.0}, most=-1.0)], {"x": 1.0})
    with pytest.raises(QuantityError, match="something that limits it"):
        water_fill([Demand("a", {})], {"x": 1.0})
    with pytest.raises(QuantityError, match="a use above 0"):
        water_fill([Demand("a", {"x": 0.0})], {"x": 1.0})
    with pytest.raises(UnknownNameError, match="'y'"):
        water_fill([Demand("a", {"y": 1.0})], {"x": 1.0})
