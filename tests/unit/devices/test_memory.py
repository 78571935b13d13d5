"""Memories: domains, and what papers say turned into what the record wants."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Memory, Node, dephasing_of_attempts, dephasing_of_detuning
from quantum_fabric.devices.quantities import build
from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.noise import MemoryNoise


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("decay", 0.9),
        ("decay", 3.1),
        ("decay", math.nan),
        ("attempt_dephasing", -0.1),
        ("attempt_dephasing", 1.0),
        ("retrieval", 0.0),
        ("retrieval", 1.1),
        ("retrieval_lifetime", 0.0),
        ("retrieval_lifetime", -1.0),
        ("modes", 0),
        ("modes", 2.5),
        ("temperature", -1e-9),
        ("temperature", math.nan),
    ],
)
def test_numbers_have_domains(field: str, value: float) -> None:
    with pytest.raises(QuantityError, match=rf"^{field}: found"):
        Memory(**{field: value})


def test_nothing_said_means_no_effect() -> None:
    assert Memory().noise() == MemoryNoise(math.inf, math.inf)
    assert Node().memory_noise() == MemoryNoise(math.inf, math.inf)


def test_every_number_reaches_physics() -> None:
    memory = Memory(4.0, 3.0, 2.5, 0.01, 0.6, 7.0, 62, 3.0)
    assert Node(memory=memory).memory_noise() == MemoryNoise(
        t1=4.0, t2=3.0, exponent=2.5, attempt_dephasing=0.01, retrieval=0.6, retrieval_lifetime=7.0
    )
    assert (memory.modes, memory.temperature) == (62, 3.0)


def test_units_of_a_document() -> None:
    memory = build(Memory, {"temperature": "100 mK", "modes": 62, "retrieval_lifetime": "25 us", "decay": 2})
    assert memory == Memory(temperature=0.1, modes=62, retrieval_lifetime=25e-6, decay=2.0)
    assert build(Memory, {"modes": "inf"}).modes == math.inf


@given(st.floats(0.0, 1e7), st.floats(0.0, 1e-6))
def test_dephasing_of_detuning_is_twice_the_flip_probability(coupling: float, spread: float) -> None:
    """Kalb et al. give the probability of a flip; the record has what is left of the coherence, 1 - 2 p."""
    flip = (1.0 - math.exp(-((coupling * spread) ** 2) / 2.0)) / 2.0
    assert dephasing_of_detuning(coupling, spread) == pytest.approx(2.0 * flip, abs=1e-15)
    assert 0.0 <= dephasing_of_detuning(coupling, spread) <= 1.0


def test_dephasing_of_detuning_by_sampling_times() -> None:
    """The mean phase factor of a qubit whose partner jumps after times with a Gaussian spread."""
    coupling, spread, samples = 2.0 * math.pi * 77e3, 400e-9, 400_000
    times = np.random.default_rng(11).normal(5e-6, spread, samples)
    left = abs(np.exp(1j * coupling * times).mean())
    expected = 1.0 - dephasing_of_detuning(coupling, spread)
    assert abs(left - expected) < 5.0 / math.sqrt(samples)


@given(st.floats(0.5, 1e6))
def test_after_the_named_number_of_attempts_one_part_in_e_is_left(attempts: float) -> None:
    left = (1.0 - dephasing_of_attempts(attempts)) ** attempts
    assert left == pytest.approx(math.exp(-1.0), rel=1e-9)


@pytest.mark.parametrize("attempts", [0.0, -3.0, math.nan])
def test_attempts_are_above_zero(attempts: float) -> None:
    with pytest.raises(QuantityError, match=r"^attempts: found"):
        dephasing_of_attempts(attempts)


@pytest.mark.parametrize(("coupling", "spread"), [(-1.0, 1.0), (1.0, -1.0), (math.inf, 1.0), (1.0, math.nan)])
def test_couplings_and_spreads_are_finite(coupling: float, spread: float) -> None:
    with pytest.raises(QuantityError, match=r"expected a finite number of at least 0"):
        dephasing_of_detuning(coupling, spread)
