"""Records that everybody reads of a link."""

from __future__ import annotations

import pytest

from quantum_fabric.links import Heralding, HeraldOutcome

CLEAN = (1.0, 0.0, 0.0, 0.0)
NOISY = (0.7, 0.1, 0.1, 0.1)


def point(*outcomes: HeraldOutcome) -> Heralding:
    return Heralding(period=10, cycle=1, born=(0, 0), heard=(1, 1), outcomes=outcomes)


def test_success_is_the_sum_of_the_heralds() -> None:
    assert point(HeraldOutcome(2, 0.1, CLEAN), HeraldOutcome(3, 0.3, CLEAN)).success == 0.4


def test_weights_average_over_the_heralds() -> None:
    mixed = point(HeraldOutcome(2, 0.1, CLEAN), HeraldOutcome(3, 0.3, NOISY))
    assert mixed.weights == pytest.approx((0.775, 0.075, 0.075, 0.075))
    assert mixed.fidelity == pytest.approx(0.775)


def test_a_link_that_never_works_knows_nothing() -> None:
    assert point(HeraldOutcome(0, 0.0, CLEAN)).weights == (0.25, 0.25, 0.25, 0.25)
    assert point().fidelity == 0.25
