"""Serial-reflection links of parts; the formula itself is in the oracles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quantum_fabric.devices import Cavity, Detector, Fibre, Node
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import Parts
from quantum_fabric.links.serial_reflection import SerialReflection

NODE = Node(cavity=Cavity(bright=0.9, dark=0.01, insertion=0.8, mean_photons=0.02))
PARTS = Parts(
    NODE, NODE, Fibre(attenuation=0.2e-3), (10_000.0, 15_000.0), Detector(efficiency=0.9, dark_rate=10.0)
)


def test_the_rate_follows_the_whole_transmission_once() -> None:
    """One photon crosses the fibre: 50 km more at 0.2 dB/km cost 10 dB, not 5."""
    quiet = replace(PARTS, detector=Detector(efficiency=0.9))
    near, far = (
        SerialReflection(replace(quiet, arms=arms)) for arms in ((0.0, 25_000.0), (25_000.0, 50_000.0))
    )
    assert near.heralding(1e-4).success == pytest.approx(10.0 * far.heralding(1e-4).success, rel=1e-3)


def test_light_goes_from_a_to_b_and_the_news_back() -> None:
    point = SerialReflection(PARTS).heralding()
    across = PARTS.latency(0) + PARTS.latency(1)
    assert (point.born, point.heard) == ((0, across), (2 * across, across))


def test_conversion_counts_on_both_sides_and_its_noise_too() -> None:
    half = NODE.build_override({"interface.conversion_efficiency": "50 %"})
    quiet = replace(PARTS, detector=Detector(efficiency=0.9))
    ratio = (
        SerialReflection(quiet).heralding(1e-4).success
        / SerialReflection(replace(quiet, a=half, b=half)).heralding(1e-4).success
    )
    assert ratio == pytest.approx(4.0, rel=1e-3)
    for end in ("a", "b"):
        noisy = NODE.build_override({"interface.conversion_noise": "10 kHz"})
        worse = SerialReflection(replace(quiet, **{end: noisy})).heralding(1e-3)
        assert worse.fidelity < SerialReflection(quiet).heralding(1e-3).fidelity


def test_strong_pulses_carry_a_caution() -> None:
    assert SerialReflection(PARTS).heralding(0.3).cautions == ()
    assert SerialReflection(PARTS).heralding(0.5).cautions[0].where == "mean_photons"


def test_a_node_without_a_cavity_is_refused() -> None:
    with pytest.raises(QuantityError, match=r"b\.cavity\.bright: found 0"):
        SerialReflection(replace(PARTS, b=Node()))
    with pytest.raises(QuantityError, match="mean photon number"):
        SerialReflection(PARTS).heralding(1.5)
