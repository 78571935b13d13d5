"""Detector sheets: false clicks in a window."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Detector, build
from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optics import detection


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


def test_the_new_imperfections_are_off_unless_asked_for() -> None:
    ideal = Detector()
    assert ideal.in_window == 1.0
    assert ideal.live_fraction(1e12) == 1.0
    assert ideal.false_rate(1e9) == 0.0
    assert ideal.seen(1e9) == 1.0
    assert ideal.cautions(1e12) == ()


@given(
    st.floats(0.0, 1e9),
    st.floats(0.0, 1e-5),
    st.floats(0.0, 1e-6),
    st.floats(0.0, 0.5),
    st.floats(0.0, 1e-5),
    st.sampled_from(["non_paralysable", "paralysable"]),
)
def test_rates_are_physical(
    rate: float, dead: float, recovery: float, traps: float, decay: float, model: str
) -> None:
    recovery = 0.0 if model == "paralysable" else recovery
    detector = Detector(
        dead_time=dead, recovery=recovery, afterpulse=traps, afterpulse_decay=decay, dead_time_model=model
    )
    seen = detector.observed_rate(rate)
    assert 0.0 <= seen <= rate / (1.0 - detector.afterpulse_share) * (1.0 + 1e-9)
    assert dead == 0.0 or seen * dead <= 1.0 + 1e-9
    assert 0.0 <= detector.live_fraction(rate) <= 1.0


@given(st.floats(1.0, 1e8), st.floats(1.01, 3.0), st.floats(0.0, 1e-6), st.floats(0.0, 1e-6))
def test_a_non_paralysable_detector_never_counts_less_when_more_arrives(
    rate: float, factor: float, dead: float, recovery: float
) -> None:
    detector = Detector(dead_time=dead, recovery=recovery)
    assert detector.observed_rate(factor * rate) >= detector.observed_rate(rate) * (1.0 - 1e-12)
    assert detector.live_fraction(factor * rate) <= detector.live_fraction(rate) * (1.0 + 1e-12)


def test_a_paralysable_detector_goes_blind() -> None:
    detector = Detector(dead_time=1e-6, dead_time_model="paralysable")
    rates = [detector.observed_rate(rate) for rate in (1e5, 1e6, 1e7)]
    assert rates[1] > rates[0] > rates[2]
    assert rates[1] == pytest.approx(1e6 / math.e)


def test_saturation_and_blindness_are_never_silent() -> None:
    detector = Detector(max_rate=1e6, dead_time=1e-6)
    assert detector.cautions(1e5) == ()
    words = [str(caution) for caution in detector.cautions(5e6, "detectors of a")]
    assert words[0].startswith("detectors of a: 5 MHz is outside the model's validity (at most 1 MHz)")
    assert "live 17% of the time" in words[1]


def test_reading_the_timing() -> None:
    made = build(
        Detector,
        {
            "jitter": "14.8 ps",
            "dead_time": "25 ns",
            "dead_time_model": "paralysable",
            "afterpulse": "0.5 %",
            "afterpulse_decay": "1 us",
            "max_rate": "150 MHz",
            "double_click": "discard",
        },
    )
    assert made.jitter == 14.8e-12
    assert (made.dead_time_model, made.double_click, made.max_rate) == ("paralysable", "discard", 1.5e8)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"dead_time_model": "sometimes"},
            r"dead_time_model: found 'sometimes', expected one of non_paralysable",
        ),
        ({"double_click": "both"}, r"double_click: found 'both', expected one of random, discard"),
        ({"jitter": -1e-12}, r"jitter: found -1e-12, expected a time of at least 0 s"),
        ({"afterpulse": 1.0}, r"afterpulse: found 1\.0"),
        ({"max_rate": 0.0}, r"max_rate: found 0\.0"),
        ({"recovery": 1e-8, "dead_time_model": "paralysable"}, r"recovery: found 10 ns, expected 0 s"),
    ],
)
def test_contradictions_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(QuantityError, match=message):
        Detector(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ["non_paralysable", "paralysable"])
@pytest.mark.parametrize("rate", [0.0, 1.0, 1e6, 3e9])
def test_the_closed_form_is_that_of_the_arrays(model: str, rate: float) -> None:
    detector = Detector(dead_time=40e-9, dead_time_model=model, max_rate=2e7)
    expected = float(detection.click_rate(rate, 40e-9, model, max_rate=2e7))
    assert detector.observed_rate(rate) == pytest.approx(expected, rel=1e-12)
