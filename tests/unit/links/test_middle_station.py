"""Two links of weak pulses reduced to the numbers of the station where they meet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quantum_fabric.devices import Detector, WeakPulse, sheet
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import build
from quantum_fabric.links.direct_transmission import DirectTransmission
from quantum_fabric.links.middle_station import meeting
from quantum_fabric.links.weak_pulses import pulse_link

NODE, FIBRE = sheet("node", "ideal"), sheet("fibre", "smf-28")
LASER = WeakPulse(signal=0.5, decoy=0.1, signal_share=0.2, decoy_share=0.3, state_error=0.01)
PLAIN = Detector(efficiency=0.5, dark_rate=1e4, window=500)


def arm(length: float = 10e3, detector: Detector = PLAIN, laser: object = LASER) -> DirectTransmission:
    link = build("direct_transmission", NODE, NODE, FIBRE, (length, 0.0), detector, laser)  # type: ignore[arg-type]
    assert isinstance(link, DirectTransmission)
    return link


def test_each_arm_is_the_link_that_it_is() -> None:
    found = meeting(arm(), arm(30e3), 0.1, 2)
    for eta, length in zip(found.transmissions, (10e3, 30e3), strict=True):
        alone, _ = pulse_link(arm(length))
        assert eta == pytest.approx(alone.channel * alone.receiver, rel=1e-12)
        assert found.dark == pytest.approx(alone.dark, rel=1e-3)
    assert found.misalignment == pytest.approx(2 * 0.01 * 0.99)
    assert (found.intensities, found.period, found.cautions) == ((0.5, 0.1, 0.0), 1e-9, ())


def test_detectors_see_the_light_of_both() -> None:
    """Dead time: with four detectors each sees half of what each of two does."""
    slow = Detector(efficiency=0.5, window=500, dead_time=50e-9)
    arms = (arm(0.0, slow), arm(0.0, slow))
    two, four = (meeting(*arms, 0.4, n).transmissions[0] for n in (2, 4))
    dim = meeting(*arms, 0.2, 2).transmissions[0]
    assert two < four < 0.5
    assert four == pytest.approx(dim, rel=1e-12)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (arm(laser=replace(LASER, decoy=0.2)), "decoy"),
        (arm(laser=replace(LASER, pulse_period=2000)), "pulse_period"),
        (arm(detector=replace(PLAIN, efficiency=0.6)), "one kind of detectors"),
        (arm(laser=sheet("emitter", "quantum-dot")), "weak_pulse"),
    ],
)
def test_what_does_not_meet(other: DirectTransmission, said: str) -> None:
    with pytest.raises(QuantityError, match=said):
        meeting(arm(), other, 0.1, 2)


def test_counting_detectors_are_refused() -> None:
    counting = arm(detector=Detector(number_resolving=True))
    with pytest.raises(QuantityError, match="click detectors"):
        meeting(counting, counting, 0.1, 2)
