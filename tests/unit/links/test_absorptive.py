"""Links of absorptive memories; the formula itself is in the oracles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quantum_fabric.devices import Detector, Fibre, Node
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import Parts
from quantum_fabric.links.absorptive import Absorptive
from quantum_fabric.links.dlcz import Dlcz

NODE = Node().build_override(
    {"interface.efficiency": "30 %", "interface.capture": "100 %", "memory.modes": "60"}
)
PARTS = Parts(
    NODE, NODE, Fibre(attenuation=0.2e-3), (1_000.0, 1_000.0), Detector(efficiency=0.9, dark_rate=10.0)
)


def test_perfect_absorption_is_dlcz() -> None:
    one, other = Absorptive(PARTS).heralding(0.02), Dlcz(PARTS).heralding(0.02)
    assert one.outcomes == other.outcomes


def test_what_is_not_absorbed_is_missing_from_the_pair_but_not_from_the_heralds() -> None:
    leaky = NODE.build_override({"interface.capture": "40 %"})
    one, other = (
        Absorptive(PARTS).heralding(1e-3),
        Absorptive(replace(PARTS, a=leaky, b=leaky)).heralding(1e-3),
    )
    assert other.success == pytest.approx(one.success, rel=1e-12)
    assert other.fidelity == pytest.approx(0.4 * one.fidelity, abs=1e-3)
    state = other.outcomes[0].state
    assert state is not None
    assert state[0].real == pytest.approx(0.6, abs=1e-3)  # |00>: nothing stored anywhere


def test_modes_in_time_frequency_and_space_multiply() -> None:
    one = Absorptive(PARTS).heralding(1e-3)
    many = Absorptive(replace(PARTS, modes=5, frequency_modes=4, space_modes=3)).heralding(1e-3)
    assert many.success == pytest.approx(1 - (1 - one.success) ** 60, rel=1e-12)
    assert many.period == one.period + 4 * PARTS.local_cycle  # only time bins take time


def test_a_memory_holds_no_more_modes_than_its_sheet_says() -> None:
    with pytest.raises(QuantityError, match=r"modes: found 61, expected at most 60\b"):
        Absorptive(replace(PARTS, modes=61))


def test_a_node_that_absorbs_nothing_is_refused() -> None:
    emitter = NODE.build_override({"interface.capture": "0 %"})
    with pytest.raises(QuantityError, match=r"b\.interface\.capture"):
        Absorptive(replace(PARTS, b=emitter))


def test_a_memory_that_forgets_before_the_news_carries_a_caution() -> None:
    short = NODE.build_override({"memory.retrieval_lifetime": "5 us"})
    assert Absorptive(PARTS).heralding(1e-3).cautions == ()
    (caution,) = Absorptive(replace(PARTS, a=short)).heralding(1e-3).cautions
    assert caution.where == "round trip"
