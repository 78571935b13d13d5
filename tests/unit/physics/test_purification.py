"""Purification maps as arrays: batches, fixed points, edges."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from quantum_fabric.errors import UnknownNameError
from quantum_fabric.physics import bell, purification
from quantum_fabric.physics.noise import NOISELESS, OperationNoise

MAPS = [purification.dejmps, purification.bbpssw]
KINDS = ["dejmps", "bbpssw"]
RNG = np.random.default_rng(11)
BATCH = RNG.dirichlet([1.0] * 4, size=(2, 3))
NOISY = OperationNoise(0.01, 0.03, 0.05, 0.01)


@pytest.mark.parametrize("function", MAPS)
def test_batches_broadcast(function):
    p, w = function(BATCH, BATCH[0])
    assert p.shape == (2, 3)
    assert w.shape == (2, 3, 4)
    np.testing.assert_allclose(w.sum(axis=-1), 1.0)
    for index in np.ndindex(2, 3):
        one_p, one_w = function(BATCH[index], BATCH[0, index[1]])
        assert float(one_p) == pytest.approx(p[index], abs=1e-15)
        np.testing.assert_allclose(one_w, w[index], atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_noisy_batches_broadcast(kind):
    p, w = purification.purify(kind, BATCH, BATCH[0], NOISY, NOISELESS, flip=1)
    assert p.shape == (2, 3)
    one_p, one_w = purification.purify(kind, BATCH[1, 2], BATCH[0, 2], NOISY, NOISELESS, flip=1)
    assert float(one_p) == pytest.approx(p[1, 2], abs=1e-15)
    np.testing.assert_allclose(one_w, w[1, 2], atol=1e-15)


@pytest.mark.parametrize(("kind", "function"), list(zip(KINDS, MAPS)))
def test_noiseless_purify_is_the_published_map(kind, function):
    for got, expected in zip(
        purification.purify(kind, BATCH, BATCH[::-1], NOISELESS, NOISELESS), function(BATCH, BATCH[::-1])
    ):
        np.testing.assert_allclose(got, expected, atol=1e-14)


@pytest.mark.parametrize("fidelity", [0.51, 0.6, 0.75, 0.9, 0.999])
@pytest.mark.parametrize("function", MAPS)
def test_werner_pairs_above_a_half_get_better(fidelity, function):
    _, w = function(bell.werner(fidelity), bell.werner(fidelity))
    assert w[0] > fidelity


@pytest.mark.parametrize("function", MAPS)
def test_one_half_and_one_quarter_and_one_are_fixed(function):
    for fidelity in (0.25, 0.5, 1.0):
        _, w = function(bell.werner(fidelity), bell.werner(fidelity))
        assert w[0] == pytest.approx(fidelity, abs=1e-15)


def test_bbpssw_closed_form():
    f = np.linspace(0.3, 1.0, 15)
    e = (1 - f) / 3
    p, w = purification.bbpssw(bell.werner(f), bell.werner(f))
    np.testing.assert_allclose(p, f**2 + 2 * f * e + 5 * e**2, atol=1e-15)
    np.testing.assert_allclose(w[:, 0], (f**2 + e**2) / p, atol=1e-15)


def test_dejmps_treats_the_two_inputs_alike_in_success_and_fidelity():
    (p, w), (q, v) = purification.dejmps(BATCH, BATCH[::-1]), purification.dejmps(BATCH[::-1], BATCH)
    np.testing.assert_allclose(p, q, atol=1e-15)
    np.testing.assert_allclose(w, v, atol=1e-15)


def test_dejmps_removes_dephasing_quadratically():
    _, w = purification.dejmps([0.9, 0.1, 0.0, 0.0], [0.9, 0.1, 0.0, 0.0])
    assert w[0] == pytest.approx(0.81 / 0.82, abs=1e-15)


@pytest.mark.parametrize("function", MAPS)
def test_a_success_that_cannot_happen_is_uniform_and_silent(function):
    p, w = function([[1.0, 0, 0, 0], [1.0, 0, 0, 0]], [[0, 0, 1.0, 0], [1.0, 0, 0, 0]])
    assert p.tolist() == [0.0, 1.0]
    np.testing.assert_allclose(w, [[0.25] * 4, [1.0, 0, 0, 0]])


def test_noise_at_either_end_only_hurts():
    ideal = purification.purify("dejmps", bell.werner(0.9), bell.werner(0.9), NOISELESS, NOISELESS)[1][0]
    for a, b in ((NOISY, NOISELESS), (NOISELESS, NOISY), (NOISY, NOISY)):
        for flip in (0, 1, None):
            assert purification.purify("dejmps", bell.werner(0.9), bell.werner(0.9), a, b, flip)[1][0] < ideal


def test_useless_gates_succeed_half_of_the_time_and_leave_noise():
    broken = OperationNoise(depolarising_2=1.0)
    for kind in KINDS:
        p, w = purification.purify(kind, BATCH, BATCH, broken, NOISELESS)
        np.testing.assert_allclose(p, 0.5)
        np.testing.assert_allclose(w, 0.25)


def test_acceptance_by_hand():
    a, b = OperationNoise(readout_error_0=0.1, readout_error_1=0.2), OperationNoise(readout_error_0=0.3)

    def read(noise, true, seen):
        wrong = noise.readout_error_1 if true else noise.readout_error_0
        return 1 - wrong if true == seen else wrong

    for flip in (0, 1):
        for error in (0, 1):
            chance = sum(
                0.5 * read(a, bit, seen_a) * read(b, bit ^ flip ^ error, seen_b)
                for bit, seen_a, seen_b in itertools.product((0, 1), repeat=3)
                if seen_a ^ seen_b == flip
            )
            assert purification.acceptance(a, b, flip)[error] == pytest.approx(chance, abs=1e-15)


def test_acceptance_of_perfect_readers():
    assert purification.acceptance(NOISELESS, NOISELESS) == (1.0, 0.0)


def test_unknown_protocol():
    with pytest.raises(UnknownNameError, match="'dejmps' or 'bbpssw'"):
        purification.purify("twirl", BATCH, BATCH, NOISELESS, NOISELESS)


@pytest.mark.parametrize("rotation", [("xyz", "zyy"), ("XZY", "xzy"), ("", "xyz")])
def test_unknown_axes(rotation):
    with pytest.raises(UnknownNameError, match="one of xyz, xzy") as caught:
        purification.purify("dejmps", BATCH, BATCH, NOISELESS, NOISELESS, None, rotation)
    assert caught.value.where == "rotation"


def test_turning_there_and_back():
    for there, back in (("xzy", "xzy"), ("yzx", "zxy"), ("zyx", "zyx"), ("yxz", "yxz")):
        turned = purification.turned_weights(purification.turned_weights(BATCH, there), back)
        np.testing.assert_allclose(turned, BATCH, atol=1e-15)


def test_turning_costs_a_gate_at_each_end_unless_nothing_is_turned():
    assert purification.turned_weights([1.0, 0, 0, 0], "zyx", 0.4).tolist() == pytest.approx(
        [0.7, 0.1, 0.1, 0.1]
    )
    assert purification.turned_weights([1.0, 0, 0, 0], "xyz", 0.4).tolist() == [1.0, 0, 0, 0]
