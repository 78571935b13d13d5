"""Believed ageing: here, there, and what a pair is said to live."""

from __future__ import annotations

import math

import pytest

from quantum_fabric.control.ageing import Ageing
from quantum_fabric.control.estimate import lifetime
from quantum_fabric.control.qubit import Qubit
from quantum_fabric.messages import Calibration, GenerateRule, Side, Stretch
from quantum_fabric.units import MS, SECOND


def ageing(exponent: float, disturbance: float = 0.0, t1: float = math.inf) -> Ageing:
    rule = GenerateRule("A~B", "B", Side.RIGHT, (0,), (0,), None, (1.0,) * 3, (0.0,) * 3, None, disturbance)
    return Ageing(Calibration(t1, 0.1, 0.0, 0.0, 0.0, 0.0, exponent), {0: rule})


def held(birth: int, since: int) -> Qubit:
    qubit = Qubit(0, Side.RIGHT, "A~B", 0)
    qubit.birth, qubit.born = birth, since
    return qubit


def test_exponential_halves_forget_their_birth() -> None:
    x, y, z = ageing(1.0).here(held(0, 50 * MS), 100 * MS)
    assert (x, y, z) == pytest.approx((math.exp(-0.5), math.exp(-0.5), 1.0))
    assert ageing(1.0).stretches(held(0, 0)) == ()


def test_stretched_halves_do_not() -> None:
    """A purification in between resets what is counted, not the age."""
    x, _, z = ageing(2.0).here(held(0, 50 * MS), 100 * MS)
    assert (x, z) == pytest.approx((math.exp(-(1.0 - 0.25)), 1.0))
    assert ageing(2.0).stretches(held(7, 9)) == (Stretch(10.0, 2.0, 7),)


def test_attempts_beside_come_at_a_rate() -> None:
    x, _, z = ageing(1.0, disturbance=4.0).here(held(0, 0), 50 * MS)
    assert (x, z) == pytest.approx((math.exp(-0.5 - 0.2), 1.0))
    assert ageing(1.0, disturbance=4.0).rates(held(0, 0)) == pytest.approx((14.0, 14.0, 0.0))


def test_the_far_half_has_its_own_law() -> None:
    qubit = held(0, 0)
    qubit.far_born, qubit.far_decay, qubit.far_stretch = 20 * MS, (1.0, 1.0, 0.5), Stretch(5.0, 3.0, 10 * MS)
    x, _, z = ageing(1.0).there(qubit, 110 * MS)
    assert x == pytest.approx(math.exp(-0.09 - (0.5**3 - 0.05**3)))
    assert z == pytest.approx(math.exp(-0.045))
    assert ageing(1.0).there(qubit, 0) == (1.0, 1.0, 1.0)  # not before it is born


@pytest.mark.parametrize("n", [1.5, 2.0, 3.0])
def test_lifetime_of_stretched_pairs(n: float) -> None:
    """(1 + 2 · 0.9 e^-loss + 1)/4 = floor, solved by hand."""
    age, rate, floor = 0.2, 3.0, 0.8
    found = lifetime((0.9, 0.9, 1.0), (0.0,) * 3, floor, (Stretch(rate, n, 0),), int(age * SECOND))
    loss = math.log(1.8 / (4 * floor - 2.0))
    expected = (loss + (rate * age) ** n) ** (1.0 / n) / rate - age
    assert found == pytest.approx(expected * SECOND, rel=1e-9)


def test_two_stretched_halves_live_shorter() -> None:
    one = lifetime((1.0,) * 3, (0.0,) * 3, 0.9, (Stretch(1.0, 2.0, 0),))
    both = lifetime((1.0,) * 3, (0.0,) * 3, 0.9, (Stretch(1.0, 2.0, 0), Stretch(1.0, 2.0, 0)))
    assert both == pytest.approx(one / math.sqrt(2.0), rel=1e-9)
