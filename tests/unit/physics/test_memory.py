"""Waiting: probabilities, limits, batches."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics import bell, memory
from quantum_fabric.physics.noise import NO_DECAY, MemoryNoise

NOISES = [
    MemoryNoise(1.0, 2.0),
    MemoryNoise(1.0, 0.1),
    MemoryNoise(math.inf, 1.0),
    MemoryNoise(0.5, 1.0),
    NO_DECAY,
]


@pytest.mark.parametrize("noise", NOISES)
def test_errors_are_a_distribution_at_every_time(noise):
    p = memory.pauli_twirl(noise, np.logspace(-9, 4, 60))
    assert p.shape == (60, 4)
    np.testing.assert_allclose(p.sum(axis=-1), 1.0, atol=1e-15)
    assert p.min() >= -1e-16  # t2 = 2 t1 is the edge at which the phase flip vanishes to first order


def test_the_formula_for_each_error():
    t, t1, t2 = 0.3, 2.0, 1.0
    flip = (1 - math.exp(-t / t1)) / 4
    dephase = (1 - math.exp(-t / t2)) / 2 - flip
    np.testing.assert_allclose(
        memory.pauli_twirl(MemoryNoise(t1, t2), t), [1 - 2 * flip - dephase, dephase, flip, flip], atol=1e-15
    )


def test_tiny_times_keep_their_digits():
    p = memory.pauli_twirl(MemoryNoise(1.0, 1.0), 1e-15)
    assert p[2] == pytest.approx(2.5e-16, rel=1e-12)


def test_no_time_and_no_decay_change_nothing():
    weights = [0.7, 0.1, 0.15, 0.05]
    np.testing.assert_allclose(memory.idle(weights, NOISES[1], NOISES[0], 0.0), weights, atol=1e-15)
    np.testing.assert_allclose(memory.idle(weights, NO_DECAY, NO_DECAY, 1e9), weights, atol=1e-15)


def test_forever_leaves_nothing_with_t1_and_a_classical_bit_without():
    perfect = bell.werner(1.0)
    np.testing.assert_allclose(memory.idle(perfect, NOISES[0], NO_DECAY, 1e4), 0.25, atol=1e-12)
    dephased = memory.idle(perfect, MemoryNoise(math.inf, 1.0), NO_DECAY, 1e4)
    np.testing.assert_allclose(dephased, [0.5, 0.5, 0.0, 0.0], atol=1e-12)


def test_batches_of_pairs_and_of_times_broadcast():
    weights = np.random.default_rng(1).dirichlet([1.0] * 4, size=(3, 1))
    times = np.linspace(0, 2, 5)
    out = memory.idle(weights, NOISES[0], NOISES[1], times)
    assert out.shape == (3, 5, 4)
    np.testing.assert_allclose(
        out[1, 3], memory.idle(weights[1, 0], NOISES[0], NOISES[1], times[3]), atol=1e-15
    )


def test_fidelity_never_rises_while_waiting():
    fidelity = memory.idle(bell.werner(0.9), NOISES[0], NOISES[3], np.linspace(0, 10, 200))[:, 0]
    assert (np.diff(fidelity) <= 1e-16).all()


def test_the_ends_may_be_exchanged():
    weights = [0.6, 0.2, 0.1, 0.1]
    forth, back = (
        memory.idle(weights, NOISES[0], NOISES[1], 0.4),
        memory.idle(weights, NOISES[1], NOISES[0], 0.4),
    )
    np.testing.assert_allclose(forth, back, atol=1e-15)


def test_one_waiting_half():
    noise, t = MemoryNoise(3.0, 1.0), np.linspace(0, 3, 7)
    np.testing.assert_allclose(
        memory.one_half_fidelity(noise, t),
        memory.idle(bell.werner(1.0), noise, NO_DECAY, t)[:, 0],
        atol=1e-15,
    )


@pytest.mark.parametrize("seconds", [-1.0, math.nan, [0.1, -0.1]])
def test_time_does_not_run_backwards(seconds):
    for call in (
        lambda: memory.pauli_twirl(NO_DECAY, seconds),
        lambda: memory.idle(bell.werner(1.0), NO_DECAY, NO_DECAY, seconds),
        lambda: memory.one_half_fidelity(NO_DECAY, seconds),
    ):
        with pytest.raises(QuantityError, match="seconds"):
            call()
