"""Moments, quantiles and states of a law, against sums over it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.exact import Law, steps
from quantum_fabric.network.exact.tree import Solver
from quantum_fabric.physics.correlators import werner

RATE = (0.02, 0.02, 0.01)


@pytest.fixture(scope="module")
def law() -> Law:
    node = steps.nested([steps.link(0.2, werner(0.95))] * 4, 0.6, RATE, (8, 16))
    return Law(Solver().law(node), 1e-3)


def test_moments_are_sums_over_the_law(law: Law) -> None:
    p = law.series.upto(20_000)[0]
    times = np.arange(20_000) * 1e-3
    assert p.sum() == pytest.approx(1.0, abs=1e-11)
    assert law.mean == pytest.approx(float(times @ p), rel=1e-10)
    assert law.deviation == pytest.approx(math.sqrt(float(times**2 @ p) - law.mean**2), rel=1e-8)
    assert law.rate == 1.0 / law.mean


def test_quantiles_invert_the_survival(law: Law) -> None:
    for level in (0.0, 0.1, 0.5, 0.9, 0.999):
        time = law.quantile(level)
        assert law.survival(time) <= 1.0 - level + 1e-12
        assert time == 0.0 or law.survival(time - 1e-3) > 1.0 - level - 1e-12
    for beyond in (1e-6, 1e-9, 1e-12):
        time = law.quantile(0.0, beyond=beyond)
        assert law.survival(time) <= beyond * 1.0000001
        assert law.survival(time - 1e-3) > beyond


def test_far_quantiles_are_those_of_a_longer_law(law: Law) -> None:
    node = steps.nested([steps.link(0.2, werner(0.95))] * 4, 0.6, RATE, (8, 16))
    longer = Law(Solver(reach=40.0).law(node), 1e-3)
    for beyond in (1e-3, 1e-6, 1e-9):
        assert law.quantile(0.0, beyond=beyond) == pytest.approx(
            longer.quantile(0.0, beyond=beyond), abs=1.1e-3
        )


def test_states_average_to_the_mean_state(law: Law) -> None:
    table = law.states()
    seen = law.chances > 0.0
    assert table[seen].sum(axis=1) == pytest.approx(1.0)
    mean = (table[seen] * law.chances[seen, None]).sum(axis=0)
    assert mean == pytest.approx(law.weights, abs=1e-6)
    assert np.isnan(table[0]).all()  # nothing is delivered at once
    assert law.fidelity == law.weights[0]


def test_fidelity_quantiles(law: Law) -> None:
    levels = [law.fidelity_quantile(level) for level in (0.0, 0.1, 0.5, 1.0)]
    assert levels == sorted(levels)
    assert levels[0] < law.fidelity < levels[-1]


def test_arguments_outside_their_domain(law: Law) -> None:
    with pytest.raises(QuantityError, match="level"):
        law.quantile(1.0)
    with pytest.raises(QuantityError, match="level"):
        law.fidelity_quantile(1.5)
    with pytest.raises(QuantityError, match="time"):
        law.survival(-1.0)


def test_a_certain_delivery_has_no_tail() -> None:
    sure = Law(Solver().law(steps.nested([steps.link(1.0)] * 4)), 1.0)
    assert (sure.mean, sure.deviation, sure.quantile(0.999)) == (1.0, 0.0, 1.0)
    assert sure.beyond == 0.0
