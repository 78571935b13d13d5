"""One uniform sentence for every wrong array."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics import bell, memory, merit, purification, teleport
from quantum_fabric.physics.checks import check_range, check_shape, check_weights
from quantum_fabric.physics.noise import NO_DECAY, NOISELESS


@pytest.mark.parametrize("shape", [(4,), (2, 4), (3, 2, 4), (0, 4)])
def test_batch_axes_are_free(shape):
    check_shape(np.zeros(shape), (4,), "weights")


@pytest.mark.parametrize("shape", [(), (3,), (4, 3), (4, 0)])
def test_the_last_axis_is_not(shape):
    with pytest.raises(QuantityError, match=r"weights: found shape \(.*\), expected shape \(\.\.\., 4\)"):
        check_shape(np.zeros(shape), (4,), "weights")


def test_several_trailing_axes():
    check_shape(np.zeros((7, 2, 2)), (2, 2), "rho")
    with pytest.raises(QuantityError, match=r"expected shape \(\.\.\., 2, 2\)"):
        check_shape(np.zeros((2, 3)), (2, 2), "rho")


def test_ranges_name_the_first_culprit():
    with pytest.raises(QuantityError, match=r"eta: found -0\.1, expected values in \[0, 1\]"):
        check_range([[0.0, 1.0], [-0.1, 7.0]], 0.0, 1.0, "eta")
    with pytest.raises(QuantityError, match="found nan"):
        check_range(math.nan, 0.0, 1.0, "eta")
    assert check_range(0.5, 0.0, 1.0, "eta").shape == ()


@pytest.mark.parametrize(
    "weights", [[0.5, 0.5, 0.1, 0.0], [1.1, -0.1, 0.0, 0.0], [math.nan, 0, 0, 1], [1.0, 0.0, 0.0]]
)
def test_what_is_no_distribution(weights):
    with pytest.raises(QuantityError) as caught:
        check_weights(weights, "keep")
    assert caught.value.where == "keep"


def test_rounding_is_forgiven():
    check_weights([1.0 + 1e-12, -1e-12, 0.0, 0.0], "weights")


@pytest.mark.parametrize(
    "call",
    [
        lambda w: bell.swap(w, bell.werner(1.0)),
        lambda w: bell.swap(bell.werner(1.0), w),
        lambda w: bell.noisy_swap(w, bell.werner(1.0), NOISELESS, 0),
        bell.to_correlators,
        bell.density_matrix,
        lambda w: bell.relabel(w, 1),
        lambda w: memory.idle(w, NO_DECAY, NO_DECAY, 1.0),
        lambda w: purification.dejmps(w, bell.werner(1.0)),
        lambda w: purification.bbpssw(bell.werner(1.0), w),
        lambda w: purification.purify("dejmps", w, w, NOISELESS, NOISELESS),
        lambda w: teleport.teleported_density([1, 0], w, NOISELESS),
        lambda w: teleport.teleported_fidelity(w, NOISELESS),
        merit.qber,
        merit.entropy,
        merit.chsh_max,
        merit.chsh_fixed,
        merit.six_state_fraction,
    ],
)
def test_every_array_function_says_the_same_thing(call):
    with pytest.raises(QuantityError, match=r"found shape \(3,\), expected shape \(\.\.\., 4\)"):
        call([0.5, 0.25, 0.25])
    with pytest.raises(QuantityError, match="expected a sum of 1"):
        call([0.5, 0.25, 0.25, 0.25])
