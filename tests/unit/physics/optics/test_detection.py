"""Edges of detection in time; click-by-click simulations are in tests/oracles/test_detection.py."""

from __future__ import annotations

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optics.detection import afterpulses, click_rate, in_window, live_fraction


def test_windows() -> None:
    assert float(in_window(0.0, 1.0)) == 0.0
    assert float(in_window(0.0, 0.0)) == 0.0
    assert in_window([1.0, 2.0, 1e3], 1.0).tolist() == sorted(in_window([1.0, 2.0, 1e3], 1.0).tolist())
    assert float(in_window(1.0, 0.0, offset=0.6)) == 0.0
    assert float(in_window(1.0, 0.1, offset=-0.2)) == pytest.approx(float(in_window(1.0, 0.1, offset=0.2)))


def test_limits_of_recovery() -> None:
    assert float(live_fraction(1e6, 1e-7, recovery=1e-15)) == pytest.approx(
        float(live_fraction(1e6, 1e-7)), rel=1e-6
    )
    assert float(live_fraction(0.0, 1e-7, recovery=1e-7)) == 1.0


def test_no_afterpulses_without_traps_or_with_traps_that_empty_at_once() -> None:
    assert float(afterpulses(0.2, 0.0, 1e-6)) == 0.0
    assert float(afterpulses(0.2, 0.0, 0.0)) == 0.2
    assert float(afterpulses(0.0, 1.0, 0.0)) == 0.0


def test_arrays_broadcast() -> None:
    rates = click_rate(np.array([1e4, 1e5])[:, None], np.array([0.0, 1e-6, 1e-5]), afterpulse=0.1, decay=1e-5)
    assert rates.shape == (2, 3)
    assert rates[0, 0] == pytest.approx(1e4 / 0.9)
    assert float(rates[1, 2]) == pytest.approx(float(click_rate(1e5, 1e-5, afterpulse=0.1, decay=1e-5)))


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: live_fraction(-1.0, 0.0), "rate"),
        (lambda: live_fraction(1.0, 0.0, "lazy"), "model"),
        (lambda: live_fraction(1.0, 0.0, "paralysable", 1e-9), "recovery"),
        (lambda: click_rate(1.0, afterpulse=1.0, decay=1.0), "afterpulse"),
        (lambda: in_window(-1.0, 0.0), "window"),
    ],
)
def test_domains(call: object, where: str) -> None:
    with pytest.raises(QuantityError, match=rf"^{where}: found"):
        call()  # type: ignore[operator]


def test_times_too_short_to_be_true_do_no_harm() -> None:
    tiny = 5e-324
    assert float(afterpulses(0.2, tiny, 1e-6)) == 0.0
    assert float(in_window(1.0, tiny)) == 1.0
    assert float(live_fraction(1.0, tiny, recovery=tiny)) == 1.0
    assert float(click_rate(tiny, 1e-6, recovery=1e-6, afterpulse=0.1, decay=1e-6)) == pytest.approx(
        0.0, abs=1e-300
    )
