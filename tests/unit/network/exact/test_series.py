"""Laws on ticks: tails, filters and compounding against plain sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.network.exact.series import (
    Series,
    cleaned,
    compounded,
    convolved,
    faded,
    fitted,
    smooth,
)


def geometric(p: float, ticks: int) -> Series:
    values = np.zeros((1, ticks))
    values[0, 1:] = p * (1.0 - p) ** np.arange(ticks - 1)
    return fitted(values)


@pytest.mark.parametrize("p", [0.5, 0.03])
def test_a_fitted_tail_goes_on_as_the_law_does(p: float) -> None:
    law = geometric(p, 64)
    steps = np.arange(1, 3000)
    assert law.upto(3000)[0, 1:] == pytest.approx(p * (1.0 - p) ** (steps - 1), rel=1e-7, abs=1e-300)
    assert law.mean() == pytest.approx(1.0 / p, rel=1e-9)
    total, first, second = law.sums()
    assert total == pytest.approx(1.0, abs=1e-12)
    assert second - first**2 == pytest.approx((1.0 - p) / p**2, rel=1e-8)
    for tick in (0, 10, 63, 64, 500):
        assert law.beyond(tick) == pytest.approx((1.0 - p) ** tick, rel=1e-6)
    assert law.survival(200) == pytest.approx([law.beyond(tick) for tick in range(200)], rel=1e-9, abs=1e-18)


def test_a_tail_keeps_its_lattice() -> None:
    values = np.zeros((2, 60))
    values[0, 2::5] = 0.2 * 0.8 ** np.arange(12)
    values[1] = 0.5 * values[0]
    law = fitted(values, 5)
    far = law.upto(200)
    assert np.flatnonzero(far[0]).tolist() == list(range(2, 200, 5))
    assert far[1] == pytest.approx(0.5 * far[0])
    assert law.error < 1e-12


def test_what_is_missing_is_said() -> None:
    values = geometric(0.3, 64).values * 0.9
    assert fitted(values).error == pytest.approx(0.1, rel=1e-6)


def test_shifting_there_and_back() -> None:
    law = geometric(0.3, 40)
    there = law.shifted(7, np.array([0.5]))
    assert there.values[0, 8] == pytest.approx(0.15)
    assert there.shifted(-7).values == pytest.approx(0.5 * law.values)


@given(
    rate=st.sampled_from([0.0, 1e-3, 0.3, 40.0, 900.0]),
    window=st.one_of(st.none(), st.integers(0, 60)),
    seed=st.integers(0, 10),
)
def test_waiting_against_the_sum(rate: float, window: int | None, seed: int) -> None:
    values = np.random.default_rng(seed).random(50)
    found = faded(values, rate, window)
    for tick in (0, 1, 7, 49):
        most = tick if window is None else min(window, tick)
        exact = sum(values[tick - wait] * math.exp(-rate * wait) for wait in range(1, most + 1))
        assert found[tick] == pytest.approx(exact, rel=1e-11, abs=1e-14)


def test_waiting_with_a_phase() -> None:
    values = np.random.default_rng(1).random(30)
    found = faded(values, 0.3j)
    assert found[20] == pytest.approx(sum(values[20 - wait] * np.exp(-0.3j * wait) for wait in range(1, 21)))


def test_trying_until_it_works_with_two_kinds_of_failure() -> None:
    random = np.random.default_rng(2)
    ticks = 40
    wins = [random.random((2, ticks)) / 300 for _ in range(2)]
    losses = [[np.zeros(ticks) for _ in range(2)] for _ in range(2)]
    for each in (loss for row in losses for loss in row):
        each[1:4] = random.random(3) / 50
    for win in wins:
        win[:, 0] = 0.0
        win[:, 10:] = 0.0
    found = compounded(wins, [list(row) for row in losses])
    exact = [win.copy() for win in wins]
    for tick in range(ticks):
        for i in range(2):
            for j in range(2):
                for fail in range(1, tick + 1):
                    exact[i][:, tick] += losses[i][j][fail] * exact[j][:, tick - fail]
    assert np.abs(np.array(found) - np.array(exact)).max() < 1e-13


def test_convolution() -> None:
    one, two = np.random.default_rng(3).random((2, 30))
    assert convolved(one, two[None])[0] == pytest.approx(np.convolve(one, two)[:30])


def test_noise_is_cleaned_away() -> None:
    values = np.full((1, 400), 1e-18)
    values[0, 3::4] = 0.1 * 0.9 ** np.arange(100)
    values[0, 8] = -1e-17
    clean = cleaned(values, 4)
    assert (clean >= 0.0).all()
    assert set((np.flatnonzero(clean[0]) % 4).tolist()) == {3}


@given(st.integers(1, 100_000))
def test_sizes_of_transforms(least: int) -> None:
    found = smooth(least)
    assert least <= found <= max(2, 2 * least)
    for prime in (2, 3, 5):
        while found % prime == 0:
            found //= prime
    assert found == 1
