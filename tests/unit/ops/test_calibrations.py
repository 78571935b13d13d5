"""Calibrations, each counted once."""

from __future__ import annotations

from quantum_fabric.messages import Calibrated
from quantum_fabric.ops.calibrations import Calibrations


def test_each_calibration_counts_once_whoever_hears_of_it() -> None:
    seen = Calibrations()
    for time, link, done in ((5, "A~B", True), (5, "B~C", True), (9, "A~B", False), (12, "A~B", True)):
        for node in link.split("~"):
            seen(time, node, Calibrated(node, link, done))
    assert seen.done == [(5, "A~B"), (5, "B~C"), (12, "A~B")]
    assert seen.failed == [(9, "A~B")]
