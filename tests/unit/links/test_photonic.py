"""Ends without memories."""

from __future__ import annotations

import pytest

from quantum_fabric.devices import Detector
from quantum_fabric.errors import QuantityError
from quantum_fabric.links.photonic import end, stream
from quantum_fabric.links.timing import Timetable


def test_two_detectors_share_the_light() -> None:
    detector = Detector(efficiency=0.5, dark_rate=100.0, dead_time=1e-4)
    half = end(detector, 40_000.0, 0.0, "a")
    assert half.rate == pytest.approx(10_100.0)
    live = 1.0 / (1.0 + 1.01)
    assert half.registers == pytest.approx(0.5 * live)
    assert half.false == pytest.approx(100.0 * live)
    assert [caution.where for caution in half.cautions] == ["detectors of a"]


def test_the_stream_never_waits() -> None:
    times = stream(Timetable((0, 0), (10**9, 10**9)), attempt=1000, modes=1, lanes=1)
    assert times.period == 1000
    with pytest.raises(QuantityError, match="lanes"):
        stream(Timetable((0, 0), (1, 1)), 1, 1, 0)
