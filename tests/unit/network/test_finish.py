"""When so many pairs are there: the gamma law against convolutions, and the points of a law as they stand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.network.believed import fixed, line
from tests.unit.network.schemes import scheme_on

from quantum_fabric.errors import QuantityError
from quantum_fabric.messages import DeliveryLaw, Forecast
from quantum_fabric.network.finish import CONFIDENCE, NEVER, Serving, chance_by, finished_by, quantile
from quantum_fabric.network.forecast import forecast
from quantum_fabric.units import MS, SECOND

LAW = DeliveryLaw(
    "closed form", (), (2 * MS, 5 * MS, 9 * MS), (0.5, 0.9, 0.96), (0.9,) * 3, 1e-3, 1e-3, (0.9,) * 3, 1e-9, 0, 1.0, 0.0
)  # fmt: skip
KNOWN = Forecast(500.0, 0.0, 0.9, 0.9, 3 * MS, LAW)


def test_one_pair_has_the_points_of_its_law_and_no_more_between_them() -> None:
    times = (0, 2 * MS - 1, 2 * MS, 4 * MS, 5 * MS, SECOND)
    assert [chance_by(KNOWN, 1, time) for time in times] == [0.0, 0.0, 0.5, 0.5, 0.9, 0.96]
    assert finished_by(KNOWN, 1) == 9 * MS
    assert finished_by(KNOWN, 1, 0.99) == NEVER
    assert quantile(LAW, 0.5) == 2 * MS


CASES = {
    "one link": ([0.1], {}),
    "two links": ([0.1, 0.3], {}),
    "a failing swap": ([0.2, 0.2], {"swap_success": 0.5}),
}


@pytest.mark.parametrize("name", list(CASES))
@pytest.mark.parametrize("pairs", [2, 5, 20, 100])
def test_several_pairs_against_the_convolution(name: str, pairs: int) -> None:
    """Every delivery of these chains is a fresh start, so the law of n is the n-fold convolution: here by powers of a transform."""
    chances, noise = CASES[name]
    topology = line(*[fixed(p, 0.97) for p in chances], **noise)
    found = forecast(topology, scheme_on(topology))
    one = np.zeros(1 << 15)
    if len(chances) == 1:
        one[1:] = 0.1 * 0.9 ** np.arange(len(one) - 1)
    else:
        below = np.prod([1 - (1 - p) ** np.arange(len(one)) for p in chances], axis=0)
        one[1:] = np.diff(below)
        q = noise.get("swap_success", 1.0)
        spectrum = np.fft.rfft(one)
        one = np.fft.irfft(q * spectrum / (1 - (1 - q) * spectrum), len(one))
    exact = np.cumsum(np.fft.irfft(np.fft.rfft(one) ** pairs, len(one)))
    for level in (0.05, 0.25, 0.5, 0.75, 0.95, 0.99):
        step = int(np.searchsorted(exact, level))
        assert chance_by(found, pairs, step * MS) == pytest.approx(
            exact[step], abs=0.02 + exact[step] - exact[step - 1]
        )
    assert exact[finished_by(found, pairs) // MS] == pytest.approx(CONFIDENCE, abs=0.012)


@given(st.integers(1, 300), st.floats(0.01, 0.999), st.floats(0.05, 5.0))
def test_times_and_chances_are_inverse(pairs: int, confidence: float, spread: float) -> None:
    law = DeliveryLaw("rehearsal", (), (MS,), (0.5,), (0.9,), spread, spread, (0.9,) * 3, 0.0, 0, 1.0, 0.0)
    known = Forecast(1.0, 0.0, 0.9, 0.9, SECOND, law)
    if pairs == 1:
        known = Forecast(1.0, 0.0, 0.9, 0.9, SECOND)
    at = finished_by(known, pairs, confidence)
    assert chance_by(known, pairs, at) >= confidence
    assert chance_by(known, pairs, at - max(2, at >> 28)) <= confidence + 1e-6


def test_nothing_is_never_done_and_certainty_is_a_step() -> None:
    nothing = Forecast(0.0, 0.0, 0.0, 0.0, SECOND)
    assert (chance_by(nothing, 3, SECOND), finished_by(nothing, 3)) == (0.0, NEVER)
    law = DeliveryLaw("closed form", (), (MS,), (1.0,), (0.9,), 0.0, 0.0, (0.9,) * 3, 0.0, 0, 1.0, 0.0)
    sure = Forecast(1e3, 0.0, 0.9, 0.9, MS, law)
    assert [chance_by(sure, 10, time) for time in (10 * MS - 1, 10 * MS)] == [0.0, 1.0]


def test_serving() -> None:
    assert Serving(0.0, 1, 9 * MS)(KNOWN)
    assert not Serving(0.0, 1, 8 * MS)(KNOWN)
    assert not Serving(501.0, 1, None)(KNOWN)
    assert Serving(0.0, 1, None)(KNOWN)
    quick = Forecast(500.0, 0.0, 0.9, 0.9, 3 * MS)
    assert Serving(0.0, 1, 2 * MS)(quick)  # the benefit of the doubt
    assert not Serving(0.0, 1, MS)(quick)
    assert [Serving(*each).asks for each in ((0.0, 1, None), (1.0, 1, None), (0.0, 1, 5))] == [
        False,
        True,
        True,
    ]


def test_what_makes_no_sense_is_refused() -> None:
    for call in (
        lambda: chance_by(KNOWN, 0, MS),
        lambda: finished_by(KNOWN, 0),
        lambda: finished_by(KNOWN, 1, 1.0),
    ):
        with pytest.raises(QuantityError):
            call()
    assert math.isfinite(NEVER)
