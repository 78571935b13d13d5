"""Chances against enumeration of every outcome, and against a plan's own law."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.control.scheduling.uncertain import Holding, chance_free, ends, next_free, overlap
from quantum_fabric.errors import QuantityError
from quantum_fabric.messages import Forecast
from quantum_fabric.units import SECOND

sessions = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0.0, 1.0)), max_size=6)


def constant(chance: float) -> object:
    return lambda time: chance


def enumerated(found: list[tuple[int, int, float]], capacity: dict[str, int], needs: dict[str, int]) -> float:
    total = 0.0
    for outcome in product((False, True), repeat=len(found)):
        chance = 1.0
        used = {"A": 0, "B": 0}
        for (a, b, ended), stays in zip(found, outcome, strict=True):
            chance *= (1.0 - ended) if stays else ended
            used["A"] += a * stays
            used["B"] += b * stays
        if all(used[name] + count <= capacity[name] for name, count in needs.items()):
            total += chance
    return total


@given(sessions, st.integers(1, 4), st.integers(1, 4))
def test_one_resource_is_exact_and_several_are_a_bound(
    found: list[tuple[int, int, float]], a: int, b: int
) -> None:
    capacity = {"A": 4, "B": 5}
    holdings = [Holding({"A": x, "B": y}, constant(ended)) for x, y, ended in found]  # type: ignore[arg-type]
    for needs in ({"A": a}, {"B": b}):
        exact = enumerated(found, capacity, needs)
        assert chance_free(capacity, holdings, needs, 0) == pytest.approx(exact, abs=1e-12)
    both = {"A": a, "B": b}
    assert chance_free(capacity, holdings, both, 0) <= enumerated(found, capacity, both) + 1e-12


def test_the_first_moment_with_confidence() -> None:
    forecast = Forecast(2.0, 0.0, 1.0, 1.0, SECOND // 2)
    holding = Holding({"A": 2}, ends(forecast, 4, start=SECOND))
    found = next_free({"A": 3}, [holding], {"A": 2}, confidence=0.9, after=SECOND, horizon=60 * SECOND)
    assert found is not None
    assert 1.0 - overlap(holding.ended, found) == pytest.approx(0.9, abs=1e-3)
    # 0.9 of a sum of four exponential times of half a second: 3.34 s (tables of the Erlang law)
    assert (found - SECOND) / SECOND == pytest.approx(3.3404, abs=2e-3)
    assert next_free({"A": 3}, [holding], {"A": 1}, confidence=0.9, after=7, horizon=SECOND) == 7
    assert next_free({"A": 1}, [holding], {"A": 2}, confidence=0.9, after=7, horizon=SECOND) is None
    never = Holding({"A": 3}, lambda time: 0.5)
    assert next_free({"A": 3}, [never], {"A": 1}, confidence=0.9, after=0, horizon=SECOND) is None
    with pytest.raises(QuantityError, match="confidence"):
        next_free({"A": 3}, [], {"A": 1}, confidence=1.0, after=0, horizon=SECOND)
