"""Sender-receiver links of parts; the formula itself is in the oracles."""

from __future__ import annotations

import pytest

from quantum_fabric.devices import Detector, Fibre, Node, sheet
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import Parts
from quantum_fabric.links.sender_receiver import SenderReceiver, sender_receiver

SENDER = Node().build_override({"interface.efficiency": 0.5})
RECEIVER = Node().build_override({"interface.capture": 0.4})
FIBRE = Fibre(attenuation=0.2e-3, fixed_loss=1.0)


def test_success_is_the_full_transmission_once() -> None:
    link = SenderReceiver(Parts(SENDER, RECEIVER, FIBRE, (10_000.0, 30_000.0), extra_loss=(0.5, 0.5)))
    # one stretch: its connectors count once
    assert link.total_transmission() == pytest.approx(0.1)
    assert link.heralding().success == pytest.approx(0.5 * 0.1 * 0.4)


def test_timing() -> None:
    point = SenderReceiver(Parts(SENDER, RECEIVER, FIBRE, (10_000.0, 30_000.0))).heralding()
    across = FIBRE.latency(40_000.0)
    assert (point.born, point.heard, point.period) == ((0, across), (2 * across, across), 2 * across)


def test_only_the_receiver_must_capture() -> None:
    with pytest.raises(QuantityError, match=r"b\.interface\.capture: found 0, expected above 0"):
        SenderReceiver(Parts(RECEIVER, SENDER, FIBRE, (1.0, 1.0)))


def test_false_heralds_leave_white_noise() -> None:
    dark = Detector(dark_rate=1e6, window=100_000)
    point = SenderReceiver(Parts(SENDER, RECEIVER, FIBRE, (200_000.0, 200_000.0), dark)).heralding()
    assert point.fidelity == pytest.approx(0.25, abs=1e-3)
    assert point.success == pytest.approx(dark.dark_probability, rel=1e-3)
    assert sender_receiver(0.0, 0.5, 0.0) == (0.0, 0.0)


def test_noise_of_both_converters_counts() -> None:
    noisy = "interface.conversion_noise"
    fibre, detector = sheet("fibre", "ideal"), Detector(window=1_000_000)
    at_a = SenderReceiver(
        Parts(SENDER.build_override({noisy: "1 kHz"}), RECEIVER, fibre, (0.0, 0.0), detector)
    )
    at_b = SenderReceiver(
        Parts(SENDER, RECEIVER.build_override({noisy: "1 kHz"}), fibre, (0.0, 0.0), detector)
    )
    clean = SenderReceiver(Parts(SENDER, RECEIVER, fibre, (0.0, 0.0), detector))
    assert at_a.heralding().fidelity == pytest.approx(at_b.heralding().fidelity, abs=1e-12)
    assert at_a.heralding().fidelity < clean.heralding().fidelity == 1.0


def test_double_excitation_dephases() -> None:
    twice = SENDER.build_override({"interface.double_excitation": 0.2})
    weights = SenderReceiver(Parts(twice, RECEIVER, FIBRE, (0.0, 0.0))).heralding().weights
    assert weights == pytest.approx((0.9, 0.1, 0.0, 0.0))
