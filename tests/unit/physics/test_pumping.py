"""Recurrence and pumping: shapes, costs, fixed points, edges."""

from __future__ import annotations

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError, UnknownNameError
from quantum_fabric.physics import bell
from quantum_fabric.physics.noise import NOISELESS, OperationNoise
from quantum_fabric.physics.pumping import pumping, pumping_limit, recurrence

NOISY = OperationNoise(0.001, 0.01, 0.02, 0.01)
SERIES = [recurrence, pumping]


@pytest.mark.parametrize("series", SERIES)
def test_shapes_of_a_batch(series):
    batch = bell.werner([[0.7, 0.8, 0.9], [0.75, 0.85, 0.95]])
    made = series(batch, 3, NOISY, NOISELESS)
    assert (made.weights.shape, made.success.shape, made.pairs.shape) == ((2, 3, 4, 4), (2, 3, 3), (2, 3, 4))
    assert [len(each) for each in made.rotations] == [6, 6, 6]
    one = series(batch[1, 2], 3, NOISY, NOISELESS)
    np.testing.assert_allclose(made.weights[1, 2], one.weights, atol=1e-15)
    np.testing.assert_allclose(made.pairs[1, 2], one.pairs, atol=1e-12)


@pytest.mark.parametrize("series", SERIES)
def test_no_rounds_cost_one_pair(series):
    made = series(bell.werner(0.8), 0, NOISELESS, NOISELESS)
    assert (made.fidelity.tolist(), made.pairs.tolist(), made.success.shape) == ([0.8], [1.0], (0,))


@pytest.mark.parametrize("series", SERIES)
def test_yields_are_one_over_cost(series):
    made = series(bell.werner(0.8), 3, NOISY, NOISY)
    np.testing.assert_allclose(made.yields * made.pairs, 1.0)


@pytest.mark.parametrize("series", SERIES)
def test_what_never_succeeds_yields_nothing(series):
    """Readers that always disagree with one announced parity: two pairs that can never be compared."""
    blind = OperationNoise(readout_error_0=1.0, readout_error_1=0.0)  # reads 1 whatever there is
    made = series([0.0, 0.0, 0.5, 0.5], 1, blind, blind, rotation=("xyz", "xyz"))
    assert made.success[0] == pytest.approx(
        0.5
    )  # the mean over frames: with one of them never, with the other always
    assert made.yields[1] == pytest.approx(0.25)


def test_recurrence_beats_pumping_in_fidelity_and_pumping_needs_fewer_memories():
    doubled, pumped = (series(bell.werner(0.85), 4, NOISELESS, NOISELESS) for series in SERIES)
    assert doubled.fidelity[-1] > pumped.fidelity[-1] > pumped.fidelity[1]


def test_a_found_rotation_is_never_worse_in_the_first_round():
    rng = np.random.default_rng(5)
    for weights in rng.dirichlet([8.0, 1.0, 1.0, 1.0], size=30):
        for series in SERIES:
            found = series(weights, 1, NOISY, NOISY)
            fixed = series(weights, 1, NOISY, NOISY, find=False)
            assert found.fidelity[1] >= fixed.fidelity[1] - 1e-9


def test_pumping_comes_to_rest_below_one():
    fixed = pumping(bell.werner(0.9), 60, NOISELESS, NOISELESS, find=False)
    limit = pumping_limit(bell.werner(0.9), NOISELESS, NOISELESS)
    assert fixed.fidelity[-1] == pytest.approx(float(limit[0]), abs=1e-9)
    assert limit[0] < 0.97


def test_pumping_with_pumped_pairs_goes_further():
    one = pumping(bell.werner(0.85), 3, NOISELESS, NOISELESS)
    two = pumping(bell.werner(0.85), 3, NOISELESS, NOISELESS, levels=2)
    assert two.weights[0].tolist() == one.weights[-1].tolist()
    assert two.pairs[0] == one.pairs[-1]
    assert two.fidelity[-1] > one.fidelity[-1] + 0.02


def test_the_bad_input_is_named():
    for series in SERIES:
        with pytest.raises(QuantityError, match="0 or more"):
            series(bell.werner(0.8), -1, NOISELESS, NOISELESS)
        with pytest.raises(UnknownNameError):
            series(bell.werner(0.8), 1, NOISELESS, NOISELESS, kind="none")
    with pytest.raises(QuantityError, match="1 or more levels"):
        pumping(bell.werner(0.8), 1, NOISELESS, NOISELESS, levels=0)
