"""Blocks of pairs: edges of the domain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.collecting import binomial, block_chance, collected, filled, mean_attempts


@given(st.integers(1, 20), st.floats(0.0, 1.0), st.lists(st.floats(0.0, 1.0), max_size=2), st.integers(1, 8))
def test_a_chance_is_one_and_falls_with_what_is_needed(
    lanes: int, s: float, rounds: list[float], n: int
) -> None:
    more, less = (block_chance(lanes, s, rounds, needed) for needed in (n + 1, n))
    assert 0.0 <= more <= less <= 1.0


@given(st.integers(0, 40), st.floats(0.0, 1.0))
def test_a_law_sums_to_one(trials: int, chance: float) -> None:
    assert sum(binomial(trials, chance)) == pytest.approx(1.0, abs=1e-12)


def test_certain_links() -> None:
    assert filled(1.0, 1) == 1.0
    assert mean_attempts(1.0, 5, 5) == 1.0
    assert collected((0.9, 0.9, 0.9), ((0.0,) * 3, (0.0,) * 3), 1.0, 3, 1.0, (0.0, 0.0)) == (0.9, 0.9, 0.9)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: block_chance(0, 0.5, (), 1),
        lambda: block_chance(3, 0.5, (), 0),
        lambda: mean_attempts(0.0, 2, 1),
        lambda: mean_attempts(0.5, 2, 3),
    ],
)
def test_what_makes_no_sense_is_refused(wrong) -> None:
    with pytest.raises(QuantityError):
        wrong()
