"""Algebra and edges of pair statistics; independent sums are in tests/oracles/test_pair_source.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optics.pair_source import (
    cw_cautions,
    cw_rates,
    ma_fung_lo,
    pulsed_coincidences,
    timing_width,
    window_coincidences,
    within_window,
)

SHARE = st.floats(0.0, 1.0)


@given(
    st.floats(0.0, 5.0),
    SHARE,
    SHARE,
    st.floats(0.0, 0.5),
    st.floats(0.0, 0.5),
    st.floats(1.0, 50.0),
    st.booleans(),
)
def test_coincidences_are_probabilities(
    lam: float, eta_a: float, eta_b: float, dark_a: float, dark_b: float, modes: float, discard: bool
) -> None:
    policy = "discard" if discard else "random"
    seen = pulsed_coincidences(lam, eta_a, eta_b, dark_a, dark_b, modes=modes, double_clicks=policy)
    assert -1e-12 <= float(seen.probability) <= 1.0
    assert -1e-9 <= float(seen.contrast) <= 1.0 + 1e-9
    if not discard:
        assert float(seen.probability) <= min(float(seen.click_a), float(seen.click_b)) + 1e-12


@given(
    st.floats(1e-6, 2.0), st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.floats(0.0, 0.1), st.floats(0.0, 0.1)
)
def test_both_ends_are_alike(lam: float, eta_a: float, eta_b: float, dark_a: float, dark_b: float) -> None:
    one = pulsed_coincidences(lam, eta_a, eta_b, dark_a, dark_b)
    other = pulsed_coincidences(lam, eta_b, eta_a, dark_b, dark_a)
    assert float(one.probability) == pytest.approx(float(other.probability), rel=1e-12)
    assert float(one.contrast) == pytest.approx(float(other.contrast), rel=1e-9)


def test_tiny_probabilities_keep_their_digits() -> None:
    """At 200 dB a plain 1 - x would be zero."""
    seen = pulsed_coincidences(0.05, 1e-10, 1e-10)
    assert float(seen.probability) == pytest.approx(1e-20 * (2 * 0.05 + 6 * 0.05**2), rel=1e-9)
    assert float(seen.contrast) == pytest.approx(1.05 / 1.15, rel=1e-9)


def test_discarding_helps_bright_sources_with_good_detectors() -> None:
    kept = pulsed_coincidences(0.2, 0.9, 0.9, double_clicks="random")
    dropped = pulsed_coincidences(0.2, 0.9, 0.9, double_clicks="discard")
    assert float(dropped.probability) < float(kept.probability)
    assert float(dropped.contrast) > float(kept.contrast)


def test_arrays_broadcast() -> None:
    seen = pulsed_coincidences(np.array([0.01, 0.1])[:, None], np.array([0.1, 0.2, 0.3]), 0.5)
    assert seen.probability.shape == seen.contrast.shape == (2, 3)
    assert float(seen.qber[1, 2]) == float(pulsed_coincidences(0.1, 0.3, 0.5).qber)


def test_a_dark_source_has_no_contrast() -> None:
    dark = pulsed_coincidences(0.0, 0.5, 0.5)
    assert (float(dark.probability), float(dark.contrast)) == (0.0, 0.0)
    assert float(pulsed_coincidences(0.0, 0.5, 0.5, 0.1, 0.1).qber) == 0.5


def test_more_modes_mean_less_bunching() -> None:
    contrasts = [
        float(pulsed_coincidences(0.1, 0.1, 0.1, modes=k).contrast) for k in (1.0, 2.0, 10.0, 1e6, math.inf)
    ]
    assert contrasts == sorted(contrasts, reverse=True)
    assert contrasts[-1] == pytest.approx(contrasts[-2], rel=1e-5)


def test_window_and_widths() -> None:
    assert float(timing_width(0.0, 0.0)) == 0.0
    assert float(within_window(0.0, 1.0)) == 0.0
    assert within_window([1.0, 1e9], 1.0)[1] == 1.0
    rates = cw_rates(1e6, 0.1, 0.1, 0.0, 0.0, np.array([1e-10, 1e-9, 1e-8]), 1e-9)
    assert np.all(np.diff(rates.true) > 0.0)
    assert np.all(np.diff(rates.accidental) > 0.0)


@given(st.floats(0.0, 20.0), st.floats(0.0, 20.0), SHARE)
def test_windows_fill_up(singles_a: float, singles_b: float, share: float) -> None:
    seen = window_coincidences(singles_a, singles_b, share * min(singles_a, singles_b))
    assert 0.0 <= float(seen.probability) <= 1.0
    assert 0.0 <= float(seen.contrast) <= 1.0 + 1e-12


def test_full_windows_are_warned_of() -> None:
    (caution,) = cw_cautions(0.3, 0.1)
    assert "wrong by about 20%" in str(caution)


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: pulsed_coincidences(-0.1, 0.5, 0.5), "mean"),
        (lambda: pulsed_coincidences(0.1, 1.5, 0.5), "eta_a"),
        (lambda: pulsed_coincidences(0.1, 0.5, 0.5, dark_b=2.0), "dark_b"),
        (lambda: pulsed_coincidences(0.1, 0.5, 0.5, modes=0.5), "modes"),
        (lambda: pulsed_coincidences(0.1, 0.5, 0.5, double_clicks="both"), "double_clicks"),
        (lambda: ma_fung_lo(0.1, 0.5, 0.5, 0.0, 0.0, 0.7), "error"),
        (lambda: cw_rates(-1.0, 0.5, 0.5, 0.0, 0.0, 1e-9), "pair_rate"),
        (lambda: window_coincidences(0.1, 0.1, 0.2), "tied"),
    ],
)
def test_domains(call: object, where: str) -> None:
    with pytest.raises(QuantityError, match=rf"^{where}: found"):
        call()  # type: ignore[operator]
