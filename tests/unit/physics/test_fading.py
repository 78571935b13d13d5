"""The law of fading: its pieces against the definition, the arrays and the density matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.physics import density, memory
from quantum_fabric.physics.fading import disturbance, mean_rate, steady_rates, stretched_loss
from quantum_fabric.physics.noise import MemoryNoise

exponents = st.floats(1.0, 3.0)
times = st.floats(0.0, 5.0)


def noise_of(exponent: float, t1: float = 0.9) -> MemoryNoise:
    return MemoryNoise(t1=t1, t2=1.0, exponent=exponent)


@given(exponents, times, times, times)
def test_waiting_may_be_split_if_the_birth_is_remembered(n: float, a: float, b: float, c: float) -> None:
    first, last = sorted((b, c))
    whole = stretched_loss(0.7, n, a, a + last)
    parts = stretched_loss(0.7, n, a, a + first) + stretched_loss(0.7, n, a + first, a + last)
    assert parts == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_waiting_may_not_be_split_if_it_is_forgotten() -> None:
    assert stretched_loss(1.0, 2.0, 0.0, 1.0) == 2.0 * (stretched_loss(1.0, 2.0, 0.0, 0.5) * 2.0)


@pytest.mark.parametrize("n", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("age", [0.0, 0.4])
def test_arrays_and_density_matrices_agree(n: float, age: float) -> None:
    noise, seconds = noise_of(n), np.array([0.0, 0.3, 1.0])
    _, _, z = steady_rates(noise)
    for index, t in enumerate(seconds):
        loss = stretched_loss(noise.stretched_rate, n, age, age + t)
        here = math.exp(-t * noise.steady_rate - loss)
        assert memory.coherence(noise, seconds, age)[index] == pytest.approx(here, rel=1e-12)
        plus = density.projector([math.sqrt(0.5), math.sqrt(0.5)])
        rho = density.damped(plus, 0, noise, float(t), age)
        assert 2.0 * rho[0, 1].real == pytest.approx(here, rel=1e-12)
        assert 2.0 * rho[1, 1].real == pytest.approx(math.exp(-t * z), rel=1e-12)


@pytest.mark.parametrize("t1", [math.inf, 0.6])
def test_the_twirl_of_a_stretched_decay_is_a_channel(t1: float) -> None:
    noise = noise_of(3.0, t1)
    weights = memory.pauli_twirl(noise, np.linspace(0.0, 3.0, 50), np.linspace(0.0, 1.0, 50))
    assert weights.min() >= -1e-15
    assert weights.sum(axis=-1) == pytest.approx(np.ones(50))


@given(exponents, st.floats(0.01, 3.0))
def test_the_mean_rate_agrees_at_its_time(n: float, t: float) -> None:
    noise = noise_of(n)
    assert math.exp(-mean_rate(noise, t) * t) == pytest.approx(float(memory.coherence(noise, t)), rel=1e-9)


def test_disturbance_is_per_attempt() -> None:
    noise = MemoryNoise(1.0, 1.0, attempt_dephasing=0.1)
    assert math.exp(-disturbance(noise, 50.0) * 2.0) == pytest.approx(0.9**100, rel=1e-12)
