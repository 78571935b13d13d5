"""Detector sheets: false clicks in a window."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Detector, build
from quantum_fabric.errors import QuantityError


def test_dark_probability_is_rate_times_window_when_small() -> None:
    # 20 Hz in 25 ns: the 5e-7 of the NV link
    assert Detector(dark_rate=20.0, window=25_000).dark_probability == pytest.approx(5e-7, rel=1e-6)


def test_dark_probability_saturates() -> None:
    assert Detector(dark_rate=1e12, window=1_000_000).dark_probability == 1.0
    assert Detector().dark_probability == 0.0


@given(st.floats(0.0, 1e9), st.floats(0.0, 1e9))
def test_noise_and_dark_counts_are_one_process(dark: float, noise: float) -> None:
    together = Detector(dark_rate=dark + noise, window=1000).dark_probability
    assert Detector(dark_rate=dark, window=1000).click_probability(noise) == pytest.approx(
        together, rel=1e-12
    )
    assert together == pytest.approx(1.0 - math.exp(-(dark + noise) * 1e-9), abs=1e-12)


def test_reading() -> None:
    made = build(
        Detector, {"efficiency": "90 %", "dark_rate": "1 kHz", "window": "25 ns", "number_resolving": True}
    )
    assert made == Detector(0.9, 1000.0, 25_000, number_resolving=True)


@pytest.mark.parametrize(
    ("field", "value"), [("efficiency", 0.0), ("efficiency", 1.1), ("dark_rate", -1.0), ("window", 0)]
)
def test_domains(field: str, value: float) -> None:
    with pytest.raises(QuantityError, match=rf"^{field}: found"):
        Detector(**{field: value})  # type: ignore[arg-type]
