"""Device models reduced to what clicks depend on.

The comparison with the link's own gain is in tests/oracles/test_sampled_clicks.py.
"""

from __future__ import annotations

import pytest

from quantum_fabric.devices import Detector, WeakPulse, sheet
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import build
from quantum_fabric.links.direct_transmission import DirectTransmission
from quantum_fabric.links.weak_pulses import decoy_setting, intensities, pulse_link

NODE, FIBRE = sheet("node", "ideal"), sheet("fibre", "smf-28")
DECOYS = WeakPulse(signal=0.5, decoy=0.1, signal_share=0.7, decoy_share=0.3)


def made(detector: Detector, source: object = DECOYS) -> DirectTransmission:
    link = build("direct_transmission", NODE, NODE, FIBRE, (10e3, 0.0), detector, source)  # type: ignore[arg-type]
    assert isinstance(link, DirectTransmission)
    return link


def test_numbers_follow_the_devices() -> None:
    plain, cautions = pulse_link(made(Detector(efficiency=0.5, dark_rate=1e4, window=500)))
    assert (plain.receiver, cautions) == (0.5, ())
    assert plain.channel == pytest.approx(10**-0.2, rel=0.1)
    assert plain.dark == pytest.approx(1e4 * 500e-12, rel=1e-3)
    assert plain.period == 1e-9
    slow, _ = pulse_link(made(Detector(efficiency=0.5, window=500, dead_time=20e-9)))
    assert slow.receiver < 0.5
    noisy, _ = pulse_link(
        made(Detector(efficiency=0.5, dark_rate=1e4, window=500, afterpulse=0.05, afterpulse_decay=1e-6))
    )
    assert noisy.dark > plain.dark
    tired, said = pulse_link(made(Detector(efficiency=0.5, window=500, max_rate=1e6)))
    assert tired.receiver < 0.05
    assert said


def test_one_two_and_three_intensities() -> None:
    assert intensities(WeakPulse()) == ((0.5,), (1.0,))
    assert intensities(DECOYS) == ((0.5, 0.1), (0.7, 0.3))
    third = WeakPulse(signal=0.5, decoy=0.1, signal_share=0.7, decoy_share=0.2)
    assert intensities(third)[0] == (0.5, 0.1, 0.0)
    with pytest.raises(QuantityError, match="one intensity"):
        decoy_setting(WeakPulse(), 0.7)


def test_what_the_sampled_receiver_is_not() -> None:
    for detector in (Detector(number_resolving=True), Detector(double_click="discard")):
        with pytest.raises(QuantityError, match="double_click: random"):
            pulse_link(made(detector))
    with pytest.raises(QuantityError, match="weak_pulse"):
        pulse_link(made(Detector(), sheet("emitter", "quantum-dot")))
