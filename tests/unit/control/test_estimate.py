"""What may be said of a fidelity from beliefs alone."""

from __future__ import annotations

from math import exp, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.control.estimate import FOREVER, fidelity, interval, lifetime
from quantum_fabric.messages import Correlators
from quantum_fabric.physics.correlators import to_weights
from quantum_fabric.units import SECOND

positive = st.floats(0.01, 1.0)
triple = st.tuples(positive, positive, positive)


@given(triple)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_fidelity_is_the_weight_of_the_announced_state(quality: Correlators) -> None:
    assert fidelity(quality) == pytest.approx(to_weights(quality)[0], abs=1e-15)


@given(triple, st.floats(0.0, 0.5), st.floats(0.0, 0.5))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_the_interval_holds_the_estimate_and_widens_with_the_tolerance(
    quality: Correlators, small: float, more: float
) -> None:
    low, high = interval(quality, small)
    lower, higher = interval(quality, small + more)
    rounding = 1e-12
    assert lower - rounding <= low <= fidelity(quality) + rounding
    assert fidelity(quality) - rounding <= high <= higher + rounding
    assert higher <= 1.0


def test_the_interval_by_hand() -> None:
    quality = (exp(-0.1), exp(-0.2), exp(-0.3))
    low, high = interval(quality, 0.5)
    assert low == pytest.approx((1 + exp(-0.15) + exp(-0.3) + exp(-0.45)) / 4, rel=1e-14)
    assert high == pytest.approx((1 + exp(-0.05) + exp(-0.1) + exp(-0.15)) / 4, rel=1e-14)
    assert interval((1.0, 1.0, 1.0), 0.5) == (1.0, 1.0)
    assert interval(quality, 0.0) == pytest.approx((fidelity(quality),) * 2, rel=1e-14)


def test_a_correlator_without_an_exponent_stands() -> None:
    assert interval((0.0, -0.25, 1.0), 0.3) == (0.4375, 0.4375)


@pytest.mark.parametrize("rate", [1e-6, 0.3, 1.0, 2e4, 1e9])
@pytest.mark.parametrize("floor", [0.51, 0.7, 0.95])
def test_lifetime_where_all_correlators_decay_alike(rate: float, floor: float) -> None:
    start = 0.97
    found = lifetime((start,) * 3, (rate,) * 3, floor)
    expected = log(3 * start / (4 * floor - 1)) / rate * SECOND
    if expected > FOREVER:
        assert found == FOREVER
    else:
        assert found == pytest.approx(expected, rel=1e-9, abs=1.0)


def test_lifetime_where_only_coherence_decays() -> None:
    found = lifetime((0.9, 0.8, 1.0), (10.0, 10.0, 0.0), 0.75)
    assert found == pytest.approx(log(1.7) / 10.0 * SECOND, rel=1e-9)


@given(triple, st.tuples(*[st.floats(0.0, 1e5)] * 3), st.floats(0.5, 0.99))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_pair_is_good_up_to_its_lifetime_and_not_much_longer(
    quality: Correlators, decay: Correlators, floor: float
) -> None:
    def later(time: float) -> float:
        x, y, z = (c * exp(-r * time / SECOND) for c, r in zip(quality, decay, strict=True))
        return fidelity((x, y, z))

    found = lifetime(quality, decay, floor)
    assert 0 <= found <= FOREVER
    if fidelity(quality) <= floor:
        assert found == 0
        return
    assert later(found) >= floor - 1e-9
    if found < FOREVER:
        assert later(found * (1 + 1e-9) + 10) <= floor + 1e-9


def test_no_decay_is_for_ever_and_the_floor_itself_is_too_late() -> None:
    assert lifetime((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), 0.9) == FOREVER
    assert lifetime((0.8, 0.8, 1.0), (0.0, 0.0, 1e9), 0.8) < FOREVER
    assert lifetime((0.8, 0.8, 0.6), (1.0, 1.0, 1.0), 0.8) == 0
    assert lifetime((0.6, 0.6, 0.8), (0.0, 0.0, 0.0), 0.9) == 0
