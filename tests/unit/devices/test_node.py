"""Node sheets: memories, gates, interfaces."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Gates, Interface, Memory, Node
from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise

TIMES = st.floats(1e-6, 1e6)


@given(TIMES, TIMES)
def test_dephasing_never_outlives_twice_relaxation(t1: float, t2: float) -> None:
    if t2 <= 2.0 * t1:
        assert Node(memory=Memory(t1, t2)).memory_noise() == MemoryNoise(t1, t2)
    else:
        with pytest.raises(QuantityError, match="at most 2 t1"):
            Memory(t1, t2)


@pytest.mark.parametrize("field", ["t1", "t2"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_memory_times_are_positive(field: str, value: float) -> None:
    with pytest.raises(QuantityError, match=rf"^{field}: .*a time above 0 s"):
        Memory(**{field: value})


def test_an_endless_memory_is_possible() -> None:
    assert Memory().t1 == Memory().t2 == math.inf
    assert Memory(t1=math.inf, t2=3.0).t2 == 3.0


@pytest.mark.parametrize(
    "field", ["depolarising_1", "depolarising_2", "readout_error_0", "readout_error_1", "swap_success"]
)
@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan])
def test_gate_numbers_are_probabilities(field: str, value: float) -> None:
    with pytest.raises(QuantityError, match=rf"^{field}: found"):
        Gates(**{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("efficiency", 0.0),
        ("efficiency", 1.1),
        ("capture", -0.1),
        ("visibility", 1.5),
        ("double_excitation", 1.0),
        ("phase_noise", -0.1),
        ("spin_photon_fidelity", 0.2),
        ("bright_population", 0.0),
        ("bright_population", 0.6),
        ("cycle", 0),
        ("wavelength", 0.0),
        ("conversion_efficiency", 0.0),
        ("conversion_noise", -1.0),
    ],
)
def test_interface_numbers_have_domains(field: str, value: float) -> None:
    with pytest.raises(QuantityError, match=rf"^{field}: found"):
        Interface(**{field: value})  # type: ignore[arg-type]


def test_noise_records_take_over_every_number() -> None:
    gates = Gates(0.01, 0.02, 0.03, 0.04, swap_success=0.5, gate_time=7, readout_time=11)
    node = Node(memory=Memory(2.0, 3.0), gates=gates)
    assert node.operation_noise() == OperationNoise(0.01, 0.02, 0.03, 0.04, 0.5)
    assert node.memory_noise() == MemoryNoise(2.0, 3.0)
    assert (node.swap_time, node.measure_time) == (18, 11)


def test_a_node_has_slots() -> None:
    with pytest.raises(QuantityError, match=r"slots: found 0, expected a count of at least 1"):
        Node(slots=0)


def test_conversion_multiplies_both_ways() -> None:
    interface = Interface(efficiency=0.5, capture=0.25, conversion_efficiency=0.5)
    assert (interface.emission, interface.absorption) == (0.25, 0.125)


def test_override_by_dotted_names() -> None:
    node = Node().build_override(
        {"memory.t1": "1 s", "memory.t2": "20 ms", "interface.cycle": "5.5 us", "slots": 8}
    )
    assert (node.memory, node.interface.cycle, node.slots) == (Memory(1.0, 0.02), 5_500_000, 8)


def test_override_is_checked_as_a_whole() -> None:
    short = Node(memory=Memory(1.0, 1.0))
    with pytest.raises(QuantityError) as caught:
        short.build_override({"memory.t2": "3 s"}, where="nodes.NU")
    assert str(caught.value) == "nodes.NU.memory.t2: found 3 s, expected at most 2 t1 = 2 s"
    assert short.build_override({"memory.t2": "3 s", "memory.t1": "2 s"}).memory == Memory(2.0, 3.0)
