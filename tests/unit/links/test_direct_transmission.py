"""Direct transmission: timing and meaning; sums over photon numbers are in tests/oracles/test_photonic_links.py."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.devices import Detector, Emitter, Fibre, WeakPulse, sheet
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import Parts
from quantum_fabric.links.direct_transmission import DirectTransmission, received
from quantum_fabric.physics.bounds import plob
from quantum_fabric.physics.merit import entropy

NODE = sheet("node", "ideal")
FIBRE = sheet("fibre", "smf-28")


def parts(source: Emitter | WeakPulse, length: float = 50_000.0, detector: Detector | None = None) -> Parts:
    return Parts(NODE, NODE, FIBRE, (0.0, length), detector, source)


def test_timing() -> None:
    point = DirectTransmission(parts(Emitter(pulse_period=5_000))).heralding(lanes=3)
    latency = FIBRE.latency(50_000.0)
    assert (point.cycle, point.period) == (5_000, 15_000)
    assert (point.born, point.heard) == ((0, latency), (2 * latency, latency))


def test_a_dead_fibre_carries_only_dark_counts() -> None:
    detector = Detector(dark_rate=1000.0, window=1000)
    point = DirectTransmission(parts(Emitter(), 5_000_000.0, detector)).heralding()
    assert point.success == pytest.approx(2e-6, rel=1e-5)
    assert point.fidelity == pytest.approx(0.25)


def test_pulses_of_several_photons_cost_phase_but_not_bits() -> None:
    point = DirectTransmission(parts(WeakPulse(signal=0.5), 0.0)).heralding()
    assert point.weights[2] + point.weights[3] == 0.0
    single = 0.5 * math.exp(-0.5) / (1.0 - math.exp(-0.5))
    assert point.weights[1] == pytest.approx(0.5 * (1.0 - single))


@settings(max_examples=100)
@given(st.floats(1e-3, 20.0), st.floats(0.0, 1.5e6), st.floats(0.0, 0.5))
def test_weak_pulses_never_beat_the_capacity_of_the_fibre(mean: float, length: float, error: float) -> None:
    """However bright the pulse: what a photon too many gives away is not counted as a pair."""
    link = DirectTransmission(parts(WeakPulse(signal=mean, state_error=error), length))
    point = link.heralding()
    distillable = point.success * max(0.0, 1.0 - float(entropy(point.weights)))
    transmission = link.total_transmission()
    assert transmission == 1.0 or distillable <= float(plob(transmission)) * (1.0 + 1e-9)


def test_received_at_the_edges() -> None:
    nothing = received(0.0, 0.0, 0.0, 0.1)
    assert nothing.gain == pytest.approx(0.19)
    assert nothing.signed == 0.0
    assert received(0.0, 0.0, 0.0, 0.1, "discard").gain == pytest.approx(0.18)
    assert received(1.0, 1.0, 1.0, 0.0, "discard").gain == 0.0


def test_a_source_of_the_right_kind_is_needed() -> None:
    with pytest.raises(QuantityError, match="an emitter or a weak_pulse at a"):
        DirectTransmission(Parts(NODE, NODE, FIBRE, (0.0, 0.0)))


def test_noise_of_the_carrier_reaches_the_receiver() -> None:
    lit = Fibre(attenuation=0.2e-3, classical_power=1e-4, raman=2e-3, filter_bandwidth=1e-10)
    dark = Fibre(attenuation=0.2e-3)
    given_ = parts(WeakPulse(signal=0.5), detector=Detector(window=1000))
    quiet, noisy = (
        DirectTransmission(dataclasses.replace(given_, fibre=fibre)).heralding() for fibre in (dark, lit)
    )
    assert noisy.success - quiet.success == pytest.approx(lit.noise(50_000.0) * 1e-9, rel=0.06)
    assert noisy.fidelity < quiet.fidelity
