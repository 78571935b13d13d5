"""Noise records: what they refuse, and the conversions between conventions."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.noise import (
    NO_DECAY,
    NOISELESS,
    MemoryNoise,
    OperationNoise,
    average_fidelity_from_depolarising,
    depolarising_from_average_fidelity,
    process_fidelity_from_depolarising,
)


@pytest.mark.parametrize(("t1", "t2"), [(1.0, 2.0), (math.inf, 1.0), (math.inf, math.inf), (1e-9, 1e-12)])
def test_memories_that_can_exist(t1, t2):
    noise = MemoryNoise(t1=t1, t2=t2)
    assert (noise.t1, noise.t2) == (t1, t2)


@pytest.mark.parametrize(
    ("t1", "t2", "where"),
    [
        (0.0, 1.0, "t1"),
        (-1.0, 1.0, "t1"),
        (math.nan, 1.0, "t1"),
        (1.0, 0.0, "t2"),
        (1.0, -2.0, "t2"),
        (1.0, math.nan, "t2"),
        (1.0, 2.0000001, "t2"),
        (1.0, math.inf, "t2"),
    ],
)
def test_memories_that_cannot_exist_are_refused_by_field(t1, t2, where):
    with pytest.raises(QuantityError) as caught:
        MemoryNoise(t1=t1, t2=t2)
    assert caught.value.where == where


def test_the_t2_sentence_names_both_times():
    with pytest.raises(QuantityError, match=r"t2: found 3\.0 s, expected at most twice t1 \(2\.0 s\)"):
        MemoryNoise(t1=1.0, t2=3.0)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(OperationNoise)])
@pytest.mark.parametrize("value", [-1e-9, 1.0000001, math.nan, math.inf])
def test_operations_refuse_what_is_no_probability(field, value):
    with pytest.raises(QuantityError, match="expected a probability in") as caught:
        OperationNoise(**{field: value})
    assert caught.value.where == field


def test_records_are_frozen_and_hashable():
    assert len({MemoryNoise(1.0, 1.0), MemoryNoise(1.0, 1.0), NO_DECAY}) == 2
    assert OperationNoise() == NOISELESS
    with pytest.raises(dataclasses.FrozenInstanceError):
        NOISELESS.swap_success = 0.5  # type: ignore[misc]


def test_noiseless_means_nothing_goes_wrong():
    errors = dataclasses.asdict(NOISELESS)
    assert errors.pop("swap_success") == 1.0
    assert set(errors.values()) == {0.0}


@pytest.mark.parametrize("qubits", [1, 2])
@pytest.mark.parametrize("fidelity", [0.5, 0.9, 0.99, 0.99854, 1.0])
def test_average_fidelity_converts_there_and_back(qubits, fidelity):
    p = depolarising_from_average_fidelity(fidelity, qubits)
    assert 0.0 <= p <= 1.0
    assert average_fidelity_from_depolarising(p, qubits) == pytest.approx(fidelity, abs=1e-15)


@pytest.mark.parametrize("qubits", [1, 2])
def test_process_and_average_fidelity_are_related_as_they_must_be(qubits):
    d = 2**qubits
    for p in (0.0, 0.01, 0.3, 1.0):
        process = process_fidelity_from_depolarising(p, qubits)
        average = average_fidelity_from_depolarising(p, qubits)
        assert average == pytest.approx((d * process + 1) / (d + 1), abs=1e-15)


def test_total_depolarising_is_a_random_guess():
    assert average_fidelity_from_depolarising(1.0, 2) == 0.25
    assert depolarising_from_average_fidelity(0.25, 2) == 1.0


@pytest.mark.parametrize(("fidelity", "qubits"), [(0.2499, 2), (1.01, 2), (0.49, 1), (math.nan, 1)])
def test_impossible_gate_fidelities(fidelity, qubits):
    with pytest.raises(QuantityError, match="average gate fidelity"):
        depolarising_from_average_fidelity(fidelity, qubits)


@pytest.mark.parametrize("convert", [average_fidelity_from_depolarising, process_fidelity_from_depolarising])
def test_impossible_probabilities(convert):
    with pytest.raises(QuantityError, match="probability"):
        convert(1.5, 1)


def test_the_event_path_loads_no_arrays():
    code = (
        "import sys, quantum_fabric.physics.correlators, quantum_fabric.physics.frames, quantum_fabric.physics.noise;"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("exponent", 0.9), ("exponent", 3.1), ("exponent", math.nan),
        ("attempt_dephasing", -0.1), ("attempt_dephasing", 1.0), ("attempt_dephasing", math.nan),
        ("retrieval", 0.0), ("retrieval", 1.1), ("retrieval", math.nan),
        ("retrieval_lifetime", 0.0), ("retrieval_lifetime", math.nan),
    ],
)  # fmt: skip
def test_memories_that_cannot_be(field, value):
    with pytest.raises(QuantityError, match=field):
        MemoryNoise(t1=1.0, t2=1.0, **{field: value})


@pytest.mark.parametrize("t1", [math.inf, 3.0, 0.51])
@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0, 3.0])
def test_t2_is_always_the_time_to_one_in_e(t1, exponent):
    noise = MemoryNoise(t1=t1, t2=1.0, exponent=exponent)
    loss = noise.steady_rate * 1.0 + (noise.stretched_rate * 1.0) ** exponent
    assert loss == pytest.approx(1.0, abs=1e-12)


def test_no_qubit_keeps_more_coherence_than_its_relaxation_allows():
    """Complete positivity over any interval: coherence kept <= sqrt(population kept), however the dephasing is stretched."""
    noise = MemoryNoise(t1=0.6, t2=1.0, exponent=3.0)
    for start, end in ((0.0, 1e-3), (0.0, 0.5), (0.5, 0.6)):
        stretched = (noise.stretched_rate * end) ** 3 - (noise.stretched_rate * start) ** 3
        kept = math.exp(-noise.steady_rate * (end - start) - stretched)
        assert kept <= math.exp(-(end - start) / (2.0 * noise.t1))
